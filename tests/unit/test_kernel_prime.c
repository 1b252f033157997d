#include "calls.h"

#include <flint/fmpz.h>
#include <flint/ulong_extras.h>

extern const struct kernel kernel_prime;

enum { COL_CLASS = 1, COL_PROOF = 2 };

/* Above this (Sorenson and Webster 2015: psi_13) a prime is only probable. */
static const char psi_13[] = "3317044064679887385961981";

/* Composites that fool weak tests: Carmichael numbers, strong pseudoprimes to the first
 * 1, 2, ... 13 prime bases (Pomerance, Selfridge, Wagstaff; Jaeschke; Jiang and Deng;
 * Sorenson and Webster), squares of primes; and primes beside powers of 2. */
static const char *const hard[] = {"0",
                                   "1",
                                   "2",
                                   "3",
                                   "4",
                                   "561",
                                   "1105",
                                   "2047",
                                   "1373653",
                                   "25326001",
                                   "3215031751",
                                   "2152302898747",
                                   "3474749660383",
                                   "341550071728321",
                                   "3825123056546413051",
                                   "4294967291",
                                   "4294967296",
                                   "4294967297",
                                   "18446743979220271189",
                                   "18446744030759878681",
                                   "18446744065119617029",
                                   "18446744073709551557",
                                   "18446744073709551615",
                                   "18446744073709551616",
                                   "18446744073709551617",
                                   "18446744073709551629",
                                   "318665857834031151167461",
                                   "3317044064679887385961981",
                                   "3317044064679887385961980",
                                   "340282366920938463463374607431768211297",
                                   "340282366920938463463374607431768211455",
                                   "340282366920938463463374607431768211456",
                                   "340282366920938463463374607431768211507",
                                   "170141183460469231731687303715884105727"};
enum { HARD = sizeof hard / sizeof *hard };

/* --- the oracle: FLINT --- */

static const char *class_of(const char *digits)
{
    fmpz_t n, limit;
    fmpz_init(n);
    fmpz_init(limit);
    fmpz_set_str(n, digits, 10);
    fmpz_set_str(limit, psi_13, 10);
    const char *class = "neither";
    if (fmpz_cmp_ui(n, 1) > 0)
        class = !fmpz_is_prime(n)        ? "composite"
                : fmpz_cmp(n, limit) < 0 ? "prime"
                                         : "probable";
    fmpz_clear(n);
    fmpz_clear(limit);
    return class;
}

static const char *proof_of(const char *digits, const char *class)
{
    if (strcmp(class, "probable") == 0)
        return "bpsw";
    if (strcmp(class, "prime") == 0)
        return is_large(digits) ? "mr13" : "deterministic-64";
    return "";
}

/* The hard ones, random ones of all sizes up to 40 digits, and primes beside them. */
static void mixed(struct records *r, size_t n)
{
    for (size_t i = 0; i < HARD; i++)
        records_add(r, hard[i]);
    while (r->n < n) {
        uint64_t v = unit_random() >> unit_random() % 64;
        if (unit_random() % 4 == 0 && v < UINT64_MAX - 1000)
            v = n_nextprime(v, 1);
        if (unit_random() % 8 == 0) {
            char large[64];
            snprintf(large, sizeof large, "%" PRIu64 "%018" PRIu64, v | 1u << 10,
                     unit_random() % 1000000000000000000u);
            records_add(r, large);
        } else {
            records_add_u64(r, v);
        }
    }
}

/* The lines of the text format; only those of class a or b if `a`. */
static void expected(const struct records *r, const char *a, const char *b,
                     struct qbuf *want)
{
    qbuf_clear(want);
    for (size_t i = 0; i < r->n; i++) {
        const char *class = class_of(r->digits[i]);
        if (!a)
            qbuf_printf(want, "%s %s\n", r->digits[i], class);
        else if (strcmp(class, a) == 0 || strcmp(class, b) == 0)
            qbuf_printf(want, "%s\n", r->digits[i]);
    }
}

static uint64_t how_many(const struct records *r, const char *class)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += strcmp(class_of(r->digits[i]), class) == 0;
    return n;
}

/* --- tests --- */

static void test_classes(void)
{
    struct calls c;
    calls_begin(&c, &kernel_prime, NULL);
    struct records r = records_new(NUMBERS_BLOCK);
    mixed(&r, 600);
    calls_block(&c, &r, 0, r.n);
    CU_ASSERT_EQUAL_FATAL(calls_run(&c, UINT64_MAX), 0);
    CU_ASSERT_EQUAL_FATAL(c.rows.n, r.n);
    CU_ASSERT_PTR_NULL(c.rows.keep);
    const struct column *columns = c.state->schema->columns;
    for (size_t i = 0; i < r.n; i++) {
        const char *class = class_of(r.digits[i]);
        const char *proof = proof_of(r.digits[i], class);
        const uint8_t *words = c.rows.cells[COL_CLASS].word;
        CU_ASSERT_STRING_EQUAL(columns[COL_CLASS].words[words[i]], class);
        words = c.rows.cells[COL_PROOF].word;
        CU_ASSERT_STRING_EQUAL(columns[COL_PROOF].words[words[i]], proof);
    }
    CU_ASSERT_EQUAL(c.rows.probable, how_many(&r, "probable"));
    CU_ASSERT(c.rows.probable > 0);
    CU_ASSERT_EQUAL(c.rows.unfinished, 0);
    records_free(&r);
    calls_end(&c);
}

/* Text of the same records in blocks of any size, and with a deadline that has passed.
 */
static void check_text(const char *const *options, const char *a, const char *b)
{
    struct calls c;
    struct qbuf want = QBUF_INIT;
    calls_begin(&c, &kernel_prime, options);
    struct records r = records_new(NUMBERS_BLOCK);
    mixed(&r, 300 * (size_t)unit_scale() > 4000 ? 4000 : 300 * (size_t)unit_scale());
    expected(&r, a, b, &want);
    static const size_t blocks[] = {1, 7, 64, NUMBERS_BLOCK};
    for (size_t i = 0; i < 4; i++) {
        for (int hurry = 0; hurry < 2; hurry++) {
            qbuf_clear(&c.text);
            calls_text(&c, &r, 0, r.n, blocks[i], hurry ? 0 : UINT64_MAX);
            CU_ASSERT(same_text(&c.text, want.data, want.len));
        }
    }
    qbuf_release(&want);
    records_free(&r);
    calls_end(&c);
}

static void test_text(void)
{
    check_text(NULL, NULL, NULL);
}

static void test_only(void)
{
    check_text((const char *const[]){"only=prime", NULL}, "prime", "probable");
    check_text((const char *const[]){"only=composite", NULL}, "composite", "composite");
}

/* A deadline that has passed: at least one record, and no second large one. */
static void test_deadline(void)
{
    struct calls c;
    calls_begin(&c, &kernel_prime, NULL);
    struct records r = records_new(8);
    records_add(&r, "7");
    records_add(&r, "170141183460469231731687303715884105727");
    records_add(&r, "8");
    records_add(&r, "170141183460469231731687303715884105727");
    calls_block(&c, &r, 0, r.n);
    CU_ASSERT_EQUAL(calls_run(&c, 0), 0);
    CU_ASSERT_EQUAL(c.rows.n, 2);
    CU_ASSERT_EQUAL(c.rows.probable, 1);
    calls_block(&c, &r, 1, 2);
    CU_ASSERT_EQUAL(calls_run(&c, 0), 0);
    CU_ASSERT_EQUAL(c.rows.n, 1);
    records_free(&r);
    calls_end(&c);
}

/* Trial division looks at the clock after each record. */
static void test_trial(void)
{
    struct calls c;
    calls_begin(&c, &kernel_prime, (const char *const[]){"method=trial", NULL});
    struct records r = records_new(NUMBERS_BLOCK);
    struct qbuf want = QBUF_INIT;
    for (uint64_t v = 0; v < 300; v++)
        records_add_u64(&r, v);
    for (int i = 0; i < 100; i++)
        records_add_u64(&r, unit_random() >> 34);
    records_add_u64(&r, 4294967291);
    records_add(&r, "36893488147419103232");          /* 2^65 */
    records_add(&r, "79228162514264337593543950337"); /* 2^96 + 1 */
    records_add_u64(&r, 65537);
    expected(&r, NULL, NULL, &want);
    calls_text(&c, &r, 0, r.n, NUMBERS_BLOCK, UINT64_MAX);
    CU_ASSERT(same_text(&c.text, want.data, want.len));
    qbuf_clear(&c.text);
    size_t calls = calls_text(&c, &r, 0, r.n, NUMBERS_BLOCK, 0);
    CU_ASSERT_EQUAL(calls, r.n);
    CU_ASSERT(same_text(&c.text, want.data, want.len));
    qbuf_release(&want);
    records_free(&r);
    calls_end(&c);
}

static void stop_one(const char *const *options, const char *digits)
{
    struct calls c;
    calls_begin(&c, &kernel_prime, options);
    struct records r = records_new(2);
    records_add(&r, digits);
    calls_block(&c, &r, 0, 1);
    CU_ASSERT(calls_stopped(&c) < stop_seconds);
    char want[128];
    snprintf(want, sizeof want, "%s unfinished\n", digits);
    CU_ASSERT(is_unfinished(&c, want));
    records_free(&r);
    calls_end(&c);
}

/* 2^44497 - 1 (Nelson and Slowinski 1979) takes minutes to test. */
static void stop_in_a_giant(void)
{
    struct calls c;
    fmpz_t m;
    calls_begin(&c, &kernel_prime, NULL);
    fmpz_init(m);
    fmpz_one_2exp(m, 44497);
    fmpz_sub_ui(m, m, 1);
    size_t len = fmpz_sizeinbase(m, 10);
    char *digits = calloc(1, len + 2 + NUMBERS_PAD);
    fmpz_get_str(digits, 10, m);
    struct numbers *in = c.in;
    in->n = in->nbig = 1;
    in->big[0] = 0;
    in->v[0] = 0;
    in->digits[0] = digits;
    in->len[0] = (uint32_t)strlen(digits);
    CU_ASSERT(calls_stopped(&c) < stop_seconds);
    CU_ASSERT_EQUAL(c.rows.unfinished, 1);
    free(digits);
    fmpz_clear(m);
    calls_end(&c);
}

static void test_stop(void)
{
    static const char *const trial[] = {"method=trial", NULL};
    stop_one(trial, "18446744073709551557");
    stop_one(trial, "170141183460469231731687303715884105727");
    stop_in_a_giant();
}

static void check_count(const char *const *options, const struct records *r,
                        const char *want)
{
    for (size_t parts = 1; parts < 30; parts += 7) {
        struct calls c;
        calls_begin(&c, &kernel_prime, options);
        CU_ASSERT(c.state->folds);
        calls_fold(&c, r, parts);
        CU_ASSERT(same_text(&c.text, want, strlen(want)));
        calls_end(&c);
    }
}

static void test_count(void)
{
    static const char *const all[] = {"count", NULL};
    static const char *const prime[] = {"count", "only=prime", NULL};
    static const char *const composite[] = {"count", "only=composite", NULL};
    struct records r = records_new(NUMBERS_BLOCK);
    mixed(&r, 400);
    uint64_t primes = how_many(&r, "prime"), probable = how_many(&r, "probable");
    uint64_t composites = how_many(&r, "composite"), neither = how_many(&r, "neither");
    CU_ASSERT_EQUAL(primes + probable + composites + neither, r.n);
    char want[200];
    snprintf(want, sizeof want,
             "prime %" PRIu64 "\ncomposite %" PRIu64 "\nneither %" PRIu64
             "\nprobable %" PRIu64 "\n",
             primes, composites, neither, probable);
    check_count(all, &r, want);
    snprintf(want, sizeof want, "%" PRIu64 "\n", primes + probable);
    check_count(prime, &r, want);
    snprintf(want, sizeof want, "%" PRIu64 "\n", composites);
    check_count(composite, &r, want);

    r.n = 0;
    check_count(all, &r, "prime 0\ncomposite 0\nneither 0\nprobable 0\n");
    check_count(prime, &r, "0\n");
    records_free(&r);
}

/* A part that is not four counters is a bug, and is not counted. */
static void test_wrong_part(void)
{
    struct calls c;
    struct qbuf total = QBUF_INIT;
    calls_begin(&c, &kernel_prime, (const char *const[]){"count", NULL});
    CU_ASSERT_EQUAL(kernel_prime.fold(c.state, &total, "abc", 3, &c.e), -Q_ECHECK);
    CU_ASSERT_EQUAL(total.len, 0);
    qbuf_release(&total);
    calls_end(&c);
}

static const struct unit_test tests[] = {
    {"classes and proofs against FLINT", test_classes},
    {"text, in any blocks and portions", test_text},
    {"--only", test_only},
    {"a deadline", test_deadline},
    {"--method=trial", test_trial},
    {"the stop flag", test_stop},
    {"--count, in any cut", test_count},
    {"a wrong part", test_wrong_part},
};

UNIT_MAIN("kernel_prime", tests)
