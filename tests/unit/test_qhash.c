#include "base/qhash.h"

#include <string.h>

#include "unit.h"

/* The empty string, as xxHash's own tools print it (xxhsum -H128, -H3 with seed 0). */
static const char empty_128[] = "99aa06d3014798d86001c324468d497f";
static const uint64_t empty_64 = UINT64_C(0x2d06800538d394c2);

static void digest(const char *bytes, size_t n, size_t step, char hex[QHASH_HEX])
{
    struct qerr e = QERR_INIT;
    struct qhash *h = qhash_new(&e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    for (size_t at = 0; at < n; at += step)
        qhash_add(h, bytes + at, n - at < step ? n - at : step);
    qhash_hex(h, hex);
    qhash_free(h);
}

static void test_empty(void)
{
    char hex[QHASH_HEX];
    digest("", 0, 1, hex);
    CU_ASSERT_STRING_EQUAL(hex, empty_128);
    CU_ASSERT_EQUAL(qhash_64("", 0, 0), empty_64);
}

/* How the bytes come in does not matter. */
static void test_steps(void)
{
    enum { N = 70001 };
    static const size_t steps[] = {1, 3, 64, 255, 256, 257, 1024, 4095, 65536};
    static char bytes[N];
    for (size_t i = 0; i < N; i++)
        bytes[i] = (char)unit_random();
    for (size_t n = 1; n <= N; n = n * 3 + 1) {
        char whole[QHASH_HEX], pieces[QHASH_HEX];
        digest(bytes, n, n, whole);
        CU_ASSERT_EQUAL(strspn(whole, "0123456789abcdef"), QHASH_HEX - 1);
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
            digest(bytes, n, steps[k], pieces);
            CU_ASSERT_STRING_EQUAL(pieces, whole);
        }
    }
}

/* Asking does not change the stream. */
static void test_on_the_way(void)
{
    struct qerr e = QERR_INIT;
    struct qhash *h = qhash_new(&e);
    char a[QHASH_HEX], b[QHASH_HEX], c[QHASH_HEX];
    qhash_add(h, "7 prime\n", 8);
    qhash_hex(h, a);
    qhash_hex(h, b);
    CU_ASSERT_STRING_EQUAL(a, b);
    qhash_add(h, NULL, 0);
    qhash_add(h, "8 composite\n", 12);
    qhash_hex(h, b);
    qhash_free(h);
    digest("7 prime\n8 composite\n", 20, 20, c);
    CU_ASSERT_STRING_EQUAL(b, c);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
}

/* One bit, one place, one byte more, or another seed is seen. */
static void test_differs(void)
{
    char bytes[100], was[QHASH_HEX], is[QHASH_HEX];
    memset(bytes, 'x', sizeof bytes);
    digest(bytes, 99, 99, was);
    uint64_t hash = qhash_64(bytes, 99, 5);
    for (size_t bit = 0; bit < 99 * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        digest(bytes, 99, 99, is);
        CU_ASSERT_STRING_NOT_EQUAL(is, was);
        CU_ASSERT_NOT_EQUAL(qhash_64(bytes, 99, 5), hash);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    digest(bytes, 100, 100, is);
    CU_ASSERT_STRING_NOT_EQUAL(is, was);
    CU_ASSERT_NOT_EQUAL(qhash_64(bytes, 99, 6), hash);
    CU_ASSERT_EQUAL(qhash_64(bytes, 99, 5), hash);
}

static const struct unit_test tests[] = {
    {"the empty string", test_empty},
    {"piece by piece", test_steps},
    {"asked on the way", test_on_the_way},
    {"what differs is seen", test_differs},
};

UNIT_MAIN("qhash", tests)
