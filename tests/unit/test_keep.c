#include "engine/keep.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qhash.h"
#include "engine/manifest.h"
#include "unit.h"

static char box[] = "/tmp/quern-keep.XXXXXX";
static char folder[PATH_MAX]; /* with a slash */

static void put_file(const char *name)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s%s", folder, name);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fclose(f);
}

static uint64_t inode_of(const char *name)
{
    char path[PATH_MAX + 8];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", folder, name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static void fill(struct part *p, const char *text)
{
    part_clear(p);
    qbuf_puts(&p->out, text);
}

static void test_keeps(void)
{
    struct keep k;
    struct part p;
    struct qerr e = QERR_INIT;
    keep_init(&k);
    part_init(&p);
    put_file("3.0");
    CU_ASSERT(keep_open(&k, folder, 3, 2, inode_of("3.0")));
    fill(&p, "one\n");
    keep_part(&k, &p);
    CU_ASSERT(p.out.len == 0 && p.kept_at == 0 && p.kept_len == 4);
    CU_ASSERT_EQUAL(p.kept_hash, qhash_64("one\n", 4, 0));
    fill(&p, "three\n");
    CU_ASSERT_EQUAL(p.kept_len, 0); /* part_clear forgets it */
    keep_part(&k, &p);
    CU_ASSERT(p.out.len == 0 && p.kept_at == 4 && p.kept_len == 6);

    /* What has nothing, or bad records, travels. */
    fill(&p, "");
    keep_part(&k, &p);
    CU_ASSERT_EQUAL(p.kept_len, 0);
    fill(&p, "7 prime\n");
    struct bad_record bad = {.at = 0, .len = 1};
    CU_ASSERT_EQUAL(part_add_bad(&p, &bad, "not an integer", "x", &e), 0);
    keep_part(&k, &p);
    CU_ASSERT(p.kept_len == 0 && p.out.len == 8);

    CU_ASSERT_EQUAL(keep_sync(&k, &e), 0);
    keep_close(&k);
    keep_close(&k);
    CU_ASSERT(!keep_open(&k, folder, 3, 2, inode_of("3.0"))); /* never twice */
    part_release(&p);
}

static void test_another_folder(void)
{
    struct keep k;
    struct part p;
    keep_init(&k);
    part_init(&p);
    put_file("4.0");
    CU_ASSERT(!keep_open(&k, folder, 4, 1, inode_of("4.0") + 1));
    CU_ASSERT_EQUAL(inode_of("4.1"), 0); /* and nothing is left there */
    CU_ASSERT(!keep_open(&k, folder, 5, 1, 1));
    CU_ASSERT(!keep_open(&k, "/no/such/", 4, 1, 1));
    fill(&p, "one\n");
    keep_part(&k, &p);
    CU_ASSERT(p.out.len == 4 && p.kept_len == 0);
    part_release(&p);
}

enum { THREADS = 8, PARTS = 300 };

struct writer {
    struct keep *keep;
    char letter;
    struct shard_extent kept[PARTS];
};

static void *write_parts(void *arg)
{
    struct writer *w = arg;
    struct part p;
    part_init(&p);
    for (unsigned i = 0; i < PARTS; i++) {
        part_clear(&p);
        for (unsigned n = 0; n <= i * 7 % 1000; n++)
            qbuf_putc(&p.out, w->letter);
        keep_part(w->keep, &p);
        w->kept[i] = (struct shard_extent){6, 1, p.kept_at, p.kept_len, p.kept_hash};
    }
    part_release(&p);
    return NULL;
}

/* Workers at once: everyone's bytes are where it was told. */
static void test_threads(void)
{
    static struct writer writers[THREADS];
    pthread_t threads[THREADS];
    struct keep k;
    struct qerr e = QERR_INIT;
    keep_init(&k);
    put_file("6.0");
    put_file("manifest");
    CU_ASSERT_FATAL(keep_open(&k, folder, 6, 1, inode_of("6.0")));
    for (int t = 0; t < THREADS; t++) {
        writers[t].keep = &k;
        writers[t].letter = (char)('a' + t);
        CU_ASSERT_EQUAL(pthread_create(&threads[t], NULL, write_parts, &writers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    CU_ASSERT_EQUAL(keep_sync(&k, &e), 0);
    struct manifest *m;
    struct qbuf bytes = QBUF_INIT;
    uint64_t all = 0;
    CU_ASSERT_EQUAL_FATAL(manifest_open(&m, folder, 0, &e), 0);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < PARTS; i++) {
            const struct shard_extent *x = &writers[t].kept[i];
            bool right = manifest_read(m, x, &bytes, &e) == 0;
            for (size_t n = 0; right && n < bytes.len; n++)
                right = bytes.data[n] == writers[t].letter;
            CU_ASSERT(right);
            all += x->len;
        }
    CU_ASSERT_EQUAL(all, atomic_load(&k.reserved));
    qbuf_release(&bytes);
    manifest_close(m);
    keep_close(&k);
}

static const struct unit_test tests[] = {
    {"keeps", test_keeps},
    {"another folder", test_another_folder},
    {"threads", test_threads},
};

int main(void)
{
    char command[PATH_MAX];
    if (!mkdtemp(box))
        return 2;
    snprintf(folder, sizeof folder, "%s/", box);
    int status = unit_main("keep", tests, sizeof tests / sizeof *tests);
    snprintf(command, sizeof command, "rm -rf %s", box);
    return system(command) == 0 ? status : 2;
}
