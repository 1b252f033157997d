#include "cmd/outfile.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"
#include "unit.h"

static struct tree tree;

static const char *path_to(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", tree.root, name);
    return path;
}

static int write_text(const char *path, const char *text, struct qerr *e)
{
    struct qbuf b = QBUF_INIT;
    *e = (struct qerr)QERR_INIT;
    qbuf_puts(&b, text);
    int rc = outfile_write(path, &b, e);
    qbuf_release(&b);
    return rc;
}

static void check_text(const char *path, const char *text)
{
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(outfile_read(path, 1 << 20, &b, &e), 0);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), text);
    qbuf_release(&b);
}

/* A new file takes the old one's place at once: who has the old one open keeps it. */
static void test_whole(void)
{
    struct qerr e;
    char old[8] = "";
    tree_begin(&tree);
    CU_ASSERT_EQUAL(outfile_check(path_to("a"), &e), 0);
    CU_ASSERT_EQUAL(write_text(path_to("a"), "one", &e), 0);
    FILE *f = fopen(path_to("a"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(write_text(path_to("a"), "two", &e), 0);
    CU_ASSERT_PTR_NOT_NULL(fgets(old, sizeof old, f));
    CU_ASSERT_STRING_EQUAL(old, "one");
    fclose(f);
    check_text(path_to("a"), "two");
    CU_ASSERT_EQUAL(unlink(path_to("a")), 0);
    CU_ASSERT_EQUAL(rmdir(tree.root), 0); /* nothing else was left there */
}

/* A new file's mode is the usual one; an old one's is kept. */
static void test_mode(void)
{
    struct qerr e;
    struct stat st;
    tree_begin(&tree);
    mode_t mask = umask(027);
    CU_ASSERT_EQUAL(write_text(path_to("a"), "one", &e), 0);
    CU_ASSERT_EQUAL(stat(path_to("a"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
    CU_ASSERT_EQUAL(chmod(path_to("a"), 0600), 0);
    umask(0);
    CU_ASSERT_EQUAL(write_text(path_to("a"), "two", &e), 0);
    umask(mask);
    CU_ASSERT_EQUAL(stat(path_to("a"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    check_text(path_to("a"), "two");
    tree_end(&tree);
}

/* A link stays one, and what it leads to is written. */
static void test_special(void)
{
    struct qerr e;
    struct stat st;
    char target[128];
    tree_begin(&tree);
    tree_file(&tree, "/target", "something longer");
    snprintf(target, sizeof target, "%s/target", tree.root);
    CU_ASSERT_EQUAL(symlink(target, path_to("link")), 0);
    CU_ASSERT_EQUAL(outfile_check(path_to("link"), &e), 0);
    CU_ASSERT_EQUAL(write_text(path_to("link"), "new", &e), 0);
    CU_ASSERT_EQUAL(lstat(path_to("link"), &st), 0);
    CU_ASSERT(S_ISLNK(st.st_mode));
    check_text(target, "new");
    CU_ASSERT_EQUAL(write_text("/dev/null", "x", &e), 0);
    CU_ASSERT_EQUAL(write_text("/dev/full", "x", &e), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/dev/full"));
    tree_end(&tree);
}

static void test_refused(void)
{
    struct qerr e = QERR_INIT;
    tree_begin(&tree);
    CU_ASSERT_EQUAL(outfile_check(path_to("none/a"), &e), -Q_EIO);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(outfile_check(tree.root, &e), -Q_EIO);
    CU_ASSERT_EQUAL(write_text(path_to("none/a"), "x", &e), -Q_EIO);
    tree_file(&tree, "/long", "0123456789");
    struct qbuf b = QBUF_INIT;
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(outfile_read(path_to("long"), 9, &b, &e), -Q_EINPUT);
    qbuf_clear(&b);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(outfile_read(path_to("long"), 10, &b, &e), 0);
    CU_ASSERT_EQUAL(outfile_read(path_to("missing"), 10, &b, &e), -Q_EINPUT);
    qbuf_release(&b);
    tree_end(&tree);
}

/* Links, and names of what is not there yet. */
static void test_places(void)
{
    struct outfile_place a, b;
    tree_begin(&tree);
    tree_file(&tree, "/file", "x");
    CU_ASSERT_EQUAL(symlink("new", path_to("link")), 0);
    CU_ASSERT_EQUAL(symlink("loop", path_to("loop")), 0);
    char file[128];
    snprintf(file, sizeof file, "%s", path_to("file"));
    CU_ASSERT_EQUAL(link(file, path_to("hard")), 0);
    outfile_find(path_to("new"), &a);
    CU_ASSERT(outfile_is_at(&a, path_to("./new")));
    CU_ASSERT(outfile_is_at(&a, path_to("link")));
    CU_ASSERT_FALSE(outfile_is_at(&a, path_to("new2")));
    CU_ASSERT_FALSE(outfile_is_at(&a, path_to("none/new")));
    CU_ASSERT_FALSE(outfile_is_at(&a, path_to("loop")));
    outfile_find(tree.root, &b);
    CU_ASSERT(outfile_is_in(&a, &b));
    CU_ASSERT_FALSE(outfile_is_in(&b, &a));
    CU_ASSERT_FALSE(outfile_is_in(&b, &b));
    outfile_place_release(&a);
    outfile_place_release(&b);
    outfile_find(path_to("file"), &a);
    CU_ASSERT(outfile_is_at(&a, path_to("hard")));
    outfile_place_release(&a);
    outfile_find("/dev/null", &a);
    CU_ASSERT_FALSE(outfile_is_at(&a, "/dev/null"));
    outfile_place_release(&a);
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"whole or not at all", test_whole}, {"who may read it", test_mode},
    {"links and devices", test_special}, {"what cannot be", test_refused},
    {"one file or two", test_places},
};
UNIT_MAIN("outfile", tests)
