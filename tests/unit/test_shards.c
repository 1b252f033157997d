#include "engine/shards.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char box[] = "/tmp/quern-shards.XXXXXX";

/* box/NAME, in turn in one of two buffers. */
static const char *path_of(const char *name)
{
    static char text[2][PATH_MAX];
    static int turn;
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%s/%s", box, name);
    return text[turn];
}

static int64_t size_of(const char *name)
{
    struct stat st;
    return stat(path_of(name), &st) == 0 ? (int64_t)st.st_size : -1;
}

static void cut(const char *name, int64_t size)
{
    CU_ASSERT_EQUAL(truncate(path_of(name), size), 0);
}

static void put(struct shards *s, const char *text, struct qbuf *said)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(shards_put(s, text, strlen(text), said, &e), 0);
}

static int remove_folder(void)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf %s", path_of("d"));
    return system(command);
}

static void empty_folder(void)
{
    CU_ASSERT_EQUAL(remove_folder(), 0);
}

/* A run in a fresh folder: three extents, and an end when it is `whole`. Returns the
 * length of the manifest behind the second extent. */
static uint64_t make(bool whole)
{
    struct shards *s;
    struct qerr e = QERR_INIT;
    struct qbuf said = QBUF_INIT;
    empty_folder();
    CU_ASSERT_EQUAL_FATAL(shards_prepare(path_of("d/"), &e), 0);
    CU_ASSERT_EQUAL_FATAL(shards_open(&s, path_of("d/"), 0, &e), 0);
    CU_ASSERT_EQUAL(shards_begin(s, &said, &e), 0);
    put(s, "one\n", &said);
    put(s, "two\n", &said);
    uint64_t keep = said.len;
    CU_ASSERT_EQUAL(size_of("d/manifest"), 0); /* nothing is durable yet */
    CU_ASSERT_EQUAL(shards_mark(s, &e), 0);
    CU_ASSERT_EQUAL(size_of("d/manifest"), (int64_t)keep);
    put(s, "three\n", &said);
    CU_ASSERT_EQUAL(size_of("d/manifest"), (int64_t)keep);
    if (whole)
        CU_ASSERT_EQUAL(shards_end(s, &said, &e), 0);
    CU_ASSERT_EQUAL(shards_close(s, &e), 0);
    CU_ASSERT_EQUAL(size_of("d/manifest"), (int64_t)said.len);
    CU_ASSERT_EQUAL(size_of("d/1.0"), 14);
    qbuf_release(&said);
    return keep;
}

/* All of the folder's output into `out`; what reading ended with. */
static int read_back(struct qbuf *out, bool *complete, struct qerr *e)
{
    struct manifest *m;
    struct shard_extent x;
    struct qbuf piece = QBUF_INIT;
    *e = (struct qerr)QERR_INIT;
    qbuf_clear(out);
    int rc = manifest_open(&m, path_of("d/"), UINT64_MAX, e);
    if (rc < 0)
        return rc;
    while ((rc = manifest_next(m, &x, e)) > 0 &&
           (rc = manifest_read(m, &x, &piece, e)) == 0)
        qbuf_add(out, piece.data, piece.len);
    *complete = manifest_is_complete(m);
    qbuf_release(&piece);
    manifest_close(m);
    return rc;
}

static void check_output(const char *want, bool want_complete)
{
    struct qbuf out = QBUF_INIT;
    struct qerr e;
    bool complete = !want_complete;
    CU_ASSERT_EQUAL(read_back(&out, &complete, &e), 0);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&out), want);
    CU_ASSERT_EQUAL(complete, want_complete);
    qbuf_release(&out);
}

static void test_whole(void)
{
    CU_ASSERT(manifest_is_for("d/") && !manifest_is_for("d") && !manifest_is_for(NULL));
    make(true);
    check_output("one\ntwo\nthree\n", true);
    make(false);
    check_output("one\ntwo\nthree\n", false);
}

/* Another attempt goes on behind what is kept, in a shard of its own. */
static void test_go_on(void)
{
    uint64_t keep = make(true);
    struct shards *s;
    struct qerr e = QERR_INIT;
    struct qbuf said = QBUF_INIT;
    CU_ASSERT_EQUAL(shards_prepare(path_of("d/"), &e), 0);
    CU_ASSERT_EQUAL_FATAL(shards_open(&s, path_of("d/"), keep, &e), 0);
    CU_ASSERT_EQUAL(size_of("d/manifest"), (int64_t)keep);
    put(s, "four\n", &said);
    CU_ASSERT(strncmp(said.data, "c 3 2.0 0 5 ", 12) == 0);
    CU_ASSERT_EQUAL(shards_end(s, &said, &e), 0);
    CU_ASSERT_EQUAL(shards_close(s, &e), 0);
    CU_ASSERT_EQUAL(size_of("d/1.0"), 14); /* with what is nobody's any more */
    check_output("one\ntwo\nfour\n", true);
    qbuf_release(&said);

    /* And one that begins anew leaves nothing of them. */
    CU_ASSERT_EQUAL_FATAL(shards_open(&s, path_of("d/"), 0, &e), 0);
    CU_ASSERT_EQUAL(shards_close(s, &e), 0);
    CU_ASSERT_EQUAL(size_of("d/2.0"), -1);
    CU_ASSERT_EQUAL(size_of("d/1.0"), 0);
    CU_ASSERT_EQUAL(size_of("d/manifest"), 0);
}

static void test_pieces(void)
{
    enum { SIZE = 9 << 20 };
    struct shards *s;
    struct qerr e = QERR_INIT;
    struct qbuf said = QBUF_INIT, out = QBUF_INIT;
    bool complete;
    char *big = malloc(SIZE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    for (size_t i = 0; i < SIZE; i++)
        big[i] = (char)unit_random();
    empty_folder();
    CU_ASSERT_EQUAL_FATAL(shards_prepare(path_of("d/"), &e), 0);
    CU_ASSERT_EQUAL_FATAL(shards_open(&s, path_of("d/"), 0, &e), 0);
    CU_ASSERT_EQUAL(shards_begin(s, &said, &e), 0);
    CU_ASSERT_EQUAL(shards_put(s, big, SIZE, &said, &e), 0);
    /* Without marks, lines are written all the same when they are many. */
    for (int i = 0; i < 40000; i++) {
        qbuf_clear(&said);
        put(s, "x", &said);
    }
    CU_ASSERT(size_of("d/manifest") > 1 << 20);
    CU_ASSERT_EQUAL(shards_close(s, &e), 0);
    CU_ASSERT_EQUAL(read_back(&out, &complete, &e), 0);
    CU_ASSERT_EQUAL(out.len, SIZE + 40000);
    CU_ASSERT(memcmp(out.data, big, SIZE) == 0);
    free(big);
    qbuf_release(&said);
    qbuf_release(&out);
}

static unsigned syncs;
static int sync_result;

static int sync_others(void *ctx, struct qerr *e)
{
    (void)ctx;
    syncs++;
    return sync_result == 0 ? 0 : qerr_set(e, Q_EIO, "rank 1: no space");
}

/* Lines that speak of others' shards are written when those are durable. */
static void test_others(void)
{
    struct shards *s;
    struct qerr e = QERR_INIT;
    struct qbuf said = QBUF_INIT;
    struct shard_extent x = {.rank = 1, .offset = 5, .len = 4, .hash = 7};
    empty_folder();
    CU_ASSERT_EQUAL_FATAL(shards_prepare(path_of("d/"), &e), 0);
    CU_ASSERT_EQUAL_FATAL(shards_open(&s, path_of("d/"), 0, &e), 0);
    CU_ASSERT_EQUAL(shards_attempt(s), 1);
    CU_ASSERT(shards_inode(s) > 0);
    CU_ASSERT_EQUAL(shards_begin(s, &said, &e), 0);
    shards_set_others(s, sync_others, NULL);
    syncs = 0;
    sync_result = 0;
    put(s, "one\n", &said);
    CU_ASSERT_EQUAL(shards_mark(s, &e), 0);
    CU_ASSERT_EQUAL(syncs, 0); /* nobody else has anything */
    int64_t before = size_of("d/manifest");
    CU_ASSERT_EQUAL(shards_refer(s, &x, &said, &e), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(qbuf_cstr(&said), "\nc 2 1.1 5 4 0000000000000007\n"));
    sync_result = -1;
    CU_ASSERT_EQUAL(shards_mark(s, &e), -Q_EIO);
    CU_ASSERT_EQUAL(size_of("d/manifest"), before);
    e = (struct qerr)QERR_INIT;
    sync_result = 0;
    CU_ASSERT_EQUAL(shards_mark(s, &e), 0);
    CU_ASSERT_EQUAL(syncs, 2);
    CU_ASSERT_EQUAL(size_of("d/manifest"), (int64_t)said.len);

    /* And not at all when there is nobody to ask any more. */
    CU_ASSERT_EQUAL(shards_refer(s, &x, &said, &e), 0);
    shards_set_others(s, NULL, NULL);
    CU_ASSERT_EQUAL(shards_close(s, &e), 0);
    CU_ASSERT(size_of("d/manifest") < (int64_t)said.len);
    qbuf_release(&said);
}

static void refuses_open(uint64_t keep, const char *why)
{
    struct shards *s;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(shards_open(&s, path_of("d/"), keep, &e), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));
}

static void test_refused(void)
{
    struct shards *s;
    struct qerr e = QERR_INIT;
    uint64_t keep = make(false);
    cut("d/1.0", 7);
    refuses_open(keep, "d/1.0 is shorter than the manifest says");
    unlink(path_of("d/1.0"));
    refuses_open(keep, "d/1.0 is gone");

    make(false);
    CU_ASSERT_EQUAL_FATAL(shards_open(&s, path_of("d/"), 0, &e), 0);
    refuses_open(0, "another run is writing");
    CU_ASSERT_EQUAL(shards_close(s, &e), 0);

    /* A folder of somebody else's is left alone. */
    int fd = open(path_of("d/1.0.c"), O_CREAT | O_WRONLY, 0644);
    CU_ASSERT(fd >= 0 && close(fd) == 0);
    CU_ASSERT_EQUAL(shards_prepare(path_of("d/"), &e), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "holds other files ('1.0.c')"));
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(shards_prepare(path_of("no/such/"), &e), -Q_EIO);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(shards_prepare(path_of("d/1.0/"), &e), -Q_EIO); /* a file */
}

static void spoils(const char *why)
{
    struct qbuf out = QBUF_INIT;
    struct qerr e;
    bool complete;
    CU_ASSERT_EQUAL(read_back(&out, &complete, &e), -Q_EINPUT);
    if (!strstr(e.text, why))
        printf("%s, not %s\n", e.text, why);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));
    qbuf_release(&out);
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void test_damage(void)
{
    make(true);
    write_file("d/1.0", "one\nTwo\nthree\n");
    spoils("d/1.0 has been changed");
    write_file("d/1.0", "one\n");
    spoils("d/1.0 is shorter");
    unlink(path_of("d/1.0"));
    spoils("d/1.0: No such file");

    static const struct {
        const char *text, *why;
    } rows[] = {
        {"quern-manifest 2\n", "not a manifest of this version"},
        {"hello\n", "not a manifest"},
        {"quern-manifest 1\nc 2 1.0 0 4 0\n", "damaged in line 2"},
        {"quern-manifest 1\nc 1 1.0 0 4\n", "damaged in line 2"},
        {"quern-manifest 1\nc 1 1.0 0 4 0 0\n", "damaged in line 2"},
        {"quern-manifest 1\nc 1 1.0 0 0 0\n", "damaged in line 2"},
        {"quern-manifest 1\nc 1 1.0 9223372036854775807 9 0\n", "damaged in line 2"},
        {"quern-manifest 1\nc 1 1.0 0 99999999999 0\n", "damaged in line 2"},
        {"quern-manifest 1\n\n", "damaged in line 2"},
        {"quern-manifest 1\ne 1 0\n", "damaged in line 2"},
        {"quern-manifest 1\ne 0 0\ne 0 0\n", "damaged in line 3"},
        {"quern-manifest 1\ne 0 0\nc 1 1.0 0 4 0\n", "damaged in line 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file("d/manifest", rows[i].text);
        spoils(rows[i].why);
    }
    write_file("d/manifest", "quern-manifest 1\ne 0 0"); /* torn */
    check_output("", false);
    write_file("d/manifest", "");
    check_output("", false);
    unlink(path_of("d/manifest"));
    spoils("d/manifest: No such file");
}

static const struct unit_test tests[] = {
    {"whole", test_whole},   {"go on", test_go_on},     {"pieces", test_pieces},
    {"others", test_others}, {"refused", test_refused}, {"damage", test_damage},
};

int main(void)
{
    if (!mkdtemp(box))
        return 2;
    int status = unit_main("shards", tests, sizeof tests / sizeof *tests);
    if (remove_folder() != 0 || rmdir(box) != 0)
        return 2;
    return status;
}
