#include <gmp.h>

#include "chunks.h"
#include "core/numbers.h"

static void *range_open(const char *text)
{
    struct input in = {.kind = INPUT_RANGE, .text = (char *)(uintptr_t)text};
    struct qerr e = QERR_INIT;
    void *state = NULL;
    in.len = strlen(text);
    CU_ASSERT_EQUAL(source_range.check(&in, &e), 0);
    CU_ASSERT_EQUAL_FATAL(
        source_range.open(&state, NULL, &in, &(struct position){0, 0}, &e), 0);
    return state;
}

/* The first integer of a range chunk. */
static void first_of(mpz_t z, const struct chunk *c)
{
    char base[CHUNK_PAD + 200];
    CU_ASSERT_FATAL(c->kind == CHUNK_OF_RANGE && c->len < sizeof base);
    memcpy(base, c->text, c->len);
    base[c->len] = '\0';
    mpz_set_str(z, c->len > 0 ? base : "0", 10);
    mpz_t first;
    mpz_init(first);
    mpz_import(first, 1, -1, sizeof c->first, 0, 0, &c->first);
    mpz_add(z, z, first);
    mpz_clear(first);
}

/* A chunk without a base holds values below 2^64 only. */
static void check_base(const struct chunk *c, const mpz_t next)
{
    mpz_t last;
    mpz_init(last);
    mpz_import(last, 1, -1, sizeof c->count, 0, 0, &c->count);
    mpz_add(last, last, next);
    mpz_sub_ui(last, last, 1);
    if (c->len == 0)
        CU_ASSERT(mpz_sizeinbase(last, 2) <= 64);
    mpz_clear(last);
}

/* The chunks follow each other without a gap and cover lo .. hi; returns how many. */
static size_t check_cover(const char *lo, const char *hi)
{
    char text[400];
    snprintf(text, sizeof text, "%s..%s", lo, hi);
    void *state = range_open(text);
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    size_t n = 0;
    mpz_t next, first, end;
    mpz_init(first);
    mpz_init_set_str(next, lo, 10);
    mpz_init_set_str(end, hi, 10);
    mpz_add_ui(end, end, 1);
    while (n < 100 && source_range.next(state, c, &e) > 0) {
        first_of(first, c);
        CU_ASSERT(mpz_cmp(first, next) == 0);
        CU_ASSERT(c->count > 0);
        check_base(c, next);
        mpz_import(first, 1, -1, sizeof c->count, 0, 0, &c->count);
        mpz_add(next, next, first);
        n++;
    }
    CU_ASSERT(mpz_cmp(next, end) == 0);
    CU_ASSERT_EQUAL(source_range.next(state, c, &e), 0);
    CU_ASSERT_EQUAL(e.code, Q_OK);
    source_range.close(state);
    chunk_unmake(c);
    mpz_clear(next);
    mpz_clear(first);
    mpz_clear(end);
    return n;
}

static void test_cover(void)
{
    CU_ASSERT_EQUAL(check_cover("0", "0"), 1);
    CU_ASSERT_EQUAL(check_cover("7", "1000000"), 1);
    CU_ASSERT_EQUAL(check_cover("18446744073709551615", "18446744073709551615"), 1);
    CU_ASSERT_EQUAL(check_cover("18446744073709551615", "18446744073709551616"), 1);
    CU_ASSERT_EQUAL(check_cover("18446744073709551616", "18446744073709551616"), 1);
    CU_ASSERT_EQUAL(check_cover("0", "18446744073709551615"), 4);
    CU_ASSERT_EQUAL(check_cover("0", "18446744073709551616"), 5);
    CU_ASSERT_EQUAL(check_cover("1", "73786976294838206464"), 16);
    CU_ASSERT_EQUAL(check_cover("0", "4611686018427387903"), 1);
    CU_ASSERT_EQUAL(check_cover("0", "4611686018427387904"), 2);
    CU_ASSERT_EQUAL(check_cover("340282366920938463463374607431768211000",
                                "340282366920938463463374607431768999999"),
                    1);
    CU_ASSERT_EQUAL(
        check_cover("9999999999999999999999999999999999999999999999999999999",
                    "10000000000000000000000000000000000000000000000000000008"),
        1);
}

/* Nothing at all when A > B: the command line refuses it, and the source has no more.
 */
static void test_empty(void)
{
    void *state = range_open("8..7");
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(source_range.next(state, c, &e), 0);
    chunk_unmake(c);
    source_range.close(state);
}

static void test_malformed(void)
{
    struct input in = {.kind = INPUT_RANGE, .text = (char *)(uintptr_t) "8"};
    struct qerr e = QERR_INIT;
    void *state = NULL;
    CU_ASSERT(source_range.open(&state, NULL, &in, &(struct position){0, 0}, &e) < 0);
    CU_ASSERT_PTR_NULL(state);
}

/* Every integer, as it comes out of the reader of numbers, in spans cut at random. */
static void check_values(const char *lo, unsigned count)
{
    char text[400], digits[400];
    mpz_t z;
    mpz_init_set_str(z, lo, 10);
    mpz_add_ui(z, z, count - 1);
    gmp_snprintf(text, sizeof text, "%s..%Zd", lo, z);
    mpz_set_str(z, lo, 10);
    void *state = range_open(text);
    struct chunk *c = chunk_make();
    struct numbers_reader reader;
    struct numbers *in = malloc(sizeof *in);
    struct qerr e = QERR_INIT;
    unsigned seen = 0;
    CU_ASSERT_FATAL(in != NULL);
    numbers_init(in);
    numbers_reader_init(&reader, 10000);
    CU_ASSERT_EQUAL(source_range.next(state, c, &e), 1);
    CU_ASSERT_EQUAL(c->count, count);
    for (uint64_t at = 0; at < c->count;) {
        struct span span = {c, at, at + 1 + unit_random() % (c->count - at)};
        numbers_open(&reader, &span);
        while (numbers_next(&reader, in, 1 + unit_random() % NUMBERS_BLOCK, &e) > 0) {
            for (size_t i = 0; i < in->n; i++, seen++) {
                size_t len = (size_t)gmp_snprintf(digits, sizeof digits, "%Zd", z);
                if (in->digits[i])
                    CU_ASSERT(in->len[i] == len &&
                              memcmp(in->digits[i], digits, len) == 0);
                if (mpz_sizeinbase(z, 2) <= 64)
                    CU_ASSERT_EQUAL(in->v[i], strtoull(digits, NULL, 10));
                mpz_add_ui(z, z, 1);
            }
        }
        at = span.end;
    }
    CU_ASSERT_EQUAL(seen, count);
    numbers_reader_release(&reader);
    numbers_release(in);
    free(in);
    chunk_unmake(c);
    source_range.close(state);
    mpz_clear(z);
}

static void test_values(void)
{
    check_values("0", 10000);
    check_values("18446744073709550000", 3000);
    check_values("18446744073709551616", 3000);
    check_values("99999999999999999999999999999000", 3000);
    check_values(
        "115792089237316195423570985008687907853269984665640564039457584007913", 100);
}

static const struct unit_test tests[] = {
    {"chunks cover the range, also across 2^64", test_cover},
    {"an empty range", test_empty},
    {"a text that is no range", test_malformed},
    {"every integer, in any spans", test_values},
};

UNIT_MAIN("range", tests)
