/* What --checksum says. The sums are of FIPS 180-4's examples, as sha256sum prints
 * them. */
#include "source/checksums.h"

#include <string.h>

#include "base/qbuf.h"

#include "tree.h"
#include "unit.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NONE "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct tree tree;
static struct checksums *sums;
static struct qerr e;

static int read_text(const char *text)
{
    char path[200];
    e = (struct qerr)QERR_INIT;
    sums = NULL;
    tree_begin(&tree);
    tree_file(&tree, "/sums", text);
    snprintf(path, sizeof path, "%s/sums", tree.root);
    int rc = checksums_new(&sums, path, &e);
    tree_end(&tree);
    return rc;
}

static void is(const char *name, const char *want)
{
    const char *got = checksums_of(sums, name);
    CU_ASSERT(want ? got && strcmp(got, want) == 0 : !got);
}

static void test_one(void)
{
    static const char upper[] =
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    CU_ASSERT_EQUAL_FATAL(checksums_new(&sums, upper, &e), 0);
    is("any", ABC);
    is("other", ABC);
    checksums_free(sums);
    checksums_free(NULL);
}

static void test_file(void)
{
    CU_ASSERT_EQUAL_FATAL(
        read_text(NONE "  empty\n\n" ABC " *some/where/abc\r\n" ABC "  with  blanks"),
        0);
    is("empty", NONE);
    is("abc", ABC); /* of a path the last part counts */
    is("with  blanks", ABC);
    is("some/where/abc", NULL);
    is("", NULL);
    is("zzz", NULL);
    checksums_free(sums);
    CU_ASSERT_EQUAL_FATAL(read_text(""), 0);
    is("empty", NULL);
    checksums_free(sums);
}

static void test_many(void)
{
    struct qbuf text = QBUF_INIT;
    char name[32];
    for (int i = 0; i < 1000; i++)
        qbuf_printf(&text, "%s  file%d\n", i % 7 ? ABC : NONE, i * 37 % 1000);
    CU_ASSERT_EQUAL_FATAL(read_text(qbuf_cstr(&text)), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "file%d", i * 37 % 1000);
        is(name, i % 7 ? ABC : NONE);
    }
    checksums_free(sums);
    qbuf_release(&text);
}

static void test_wrong(void)
{
    static const char *const lines[] = {
        ABC, ABC "  ", ABC " x", ABC "0  x", "x  y", NONE "  fine\n" ABC "\tx"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CU_ASSERT_EQUAL(read_text(lines[i]), -Q_EUSAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, i == 5 ? ":2: " : ":1: "));
    }
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(checksums_new(&sums, "/no/such/file", &e), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "neither"));
}

static const struct unit_test tests[] = {
    {"one", test_one},
    {"a file", test_file},
    {"many", test_many},
    {"what is none", test_wrong},
};

UNIT_MAIN("checksums", tests)
