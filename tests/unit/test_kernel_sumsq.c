#include "calls.h"

#include <flint/fmpz.h>

extern const struct kernel kernel_sumsq;

/* --- the oracle: FLINT, and S(n+1) = S(n) + n^2 where that can be afforded --- */

enum { ADDED_UP = 3000 };

/* S(n) for any n: the closed form over the integers, in FLINT. */
static void sum_below(fmpz_t s, const fmpz_t n)
{
    fmpz_t t;
    fmpz_init(t);
    fmpz_sub_ui(t, n, 1);
    fmpz_mul(s, n, t); /* 0 for n = 0: n is a factor */
    fmpz_mul_2exp(t, n, 1);
    fmpz_sub_ui(t, t, 1);
    fmpz_mul(s, s, t);
    fmpz_divexact_ui(s, s, 6);
    fmpz_clear(t);
}

static void test_oracle(void)
{
    fmpz_t n, s, sum;
    fmpz_init(n);
    fmpz_init(s);
    fmpz_init(sum);
    bool same = true;
    for (ulong i = 0; i < ADDED_UP; i++) {
        fmpz_set_ui(n, i);
        sum_below(s, n);
        same = same && fmpz_equal(s, sum);
        fmpz_addmul_ui(sum, n, i);
    }
    CU_ASSERT(same);
    fmpz_clear(n);
    fmpz_clear(s);
    fmpz_clear(sum);
}

static void print(struct qbuf *out, const fmpz_t z)
{
    char *digits = fmpz_get_str(NULL, 10, z);
    qbuf_printf(out, "%s\n", digits);
    flint_free(digits);
}

/* The text of all records, and the two totals. */
static void expected(const struct records *r, struct qbuf *want, struct qbuf *total,
                     struct qbuf *squares)
{
    fmpz_t n, s, sums, sumsq;
    fmpz_init(n);
    fmpz_init(s);
    fmpz_init(sums);
    fmpz_init(sumsq);
    for (size_t i = 0; i < r->n; i++) {
        fmpz_set_str(n, r->digits[i], 10);
        sum_below(s, n);
        fmpz_add(sums, sums, s);
        fmpz_addmul(sumsq, n, n);
        qbuf_printf(want, "%s ", r->digits[i]);
        print(want, s);
    }
    print(total, sums);
    print(squares, sumsq);
    fmpz_clear(n);
    fmpz_clear(s);
    fmpz_clear(sums);
    fmpz_clear(sumsq);
}

static void mixed(struct records *r, size_t n)
{
    static const char *const edges[] = {"0",
                                        "1",
                                        "2",
                                        "3",
                                        "3024617",
                                        "3024618",
                                        "4294967295",
                                        "4294967296",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "18446744073709551617",
                                        "340282366920938463463374607431768211456"};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        records_add(r, edges[i]);
    while (r->n < n) {
        char large[96];
        uint64_t v = unit_random() >> unit_random() % 64;
        snprintf(large, sizeof large, "%" PRIu64 "%020" PRIu64, v | 1, unit_random());
        if (unit_random() % 8 == 0)
            records_add(r, large);
        else
            records_add_u64(r, v);
    }
}

static struct records small_ones(size_t n, unsigned bits)
{
    struct records r = records_new(n);
    while (r.n < n)
        records_add_u64(&r, unit_random() >> (64 - bits));
    return r;
}

/* --- tests --- */

static void check_text(const char *const *options, const struct records *r)
{
    struct calls c;
    struct qbuf want = QBUF_INIT, total = QBUF_INIT, squares = QBUF_INIT;
    expected(r, &want, &total, &squares);
    calls_begin(&c, &kernel_sumsq, options);
    static const size_t blocks[] = {1, 300, NUMBERS_BLOCK};
    for (size_t i = 0; i < 3; i++) {
        for (int hurry = 0; hurry < 2; hurry++) {
            qbuf_clear(&c.text);
            calls_text(&c, r, 0, r->n, blocks[i], hurry ? 0 : UINT64_MAX);
            CU_ASSERT(same_text(&c.text, want.data, want.len));
        }
    }
    qbuf_release(&want);
    qbuf_release(&total);
    qbuf_release(&squares);
    calls_end(&c);
}

static void test_text(void)
{
    struct records r = records_new(2 * NUMBERS_BLOCK);
    mixed(&r, 2 * NUMBERS_BLOCK);
    check_text(NULL, &r);
    records_free(&r);
}

static const char *const loop[] = {"method=loop", NULL};

static void test_loop(void)
{
    struct records r = small_ones(200, 12);
    check_text(loop, &r);
    records_free(&r);
}

/* A run of cheap records looks at the clock now and then, the loop after each. */
static void test_deadline(void)
{
    struct calls c;
    struct records r = small_ones(NUMBERS_BLOCK, 12);
    calls_begin(&c, &kernel_sumsq, loop);
    calls_block(&c, &r, 0, r.n);
    CU_ASSERT_EQUAL(calls_run(&c, 0), 0);
    CU_ASSERT_EQUAL(c.rows.n, 1);
    calls_end(&c);
    calls_begin(&c, &kernel_sumsq, NULL);
    calls_block(&c, &r, 0, r.n);
    CU_ASSERT_EQUAL(calls_run(&c, 0), 0);
    CU_ASSERT(c.rows.n >= 1 && c.rows.n < NUMBERS_BLOCK);
    calls_end(&c);
    records_free(&r);
}

static void test_stop(void)
{
    static const char *const numbers[] = {"18446744073709551615",
                                          "340282366920938463463374607431768211456"};
    for (int i = 0; i < 2; i++) {
        struct calls c;
        struct records r = records_new(1);
        records_add(&r, numbers[i]);
        calls_begin(&c, &kernel_sumsq, loop);
        calls_block(&c, &r, 0, 1);
        CU_ASSERT(calls_stopped(&c) < stop_seconds);
        char want[128];
        snprintf(want, sizeof want, "%s unfinished\n", numbers[i]);
        CU_ASSERT(is_unfinished(&c, want));
        records_free(&r);
        calls_end(&c);
    }
}

static void check_fold(const char *const *options, const struct records *r,
                       const struct qbuf *want)
{
    for (size_t parts = 1; parts < 40; parts += 9) {
        struct calls c;
        calls_begin(&c, &kernel_sumsq, options);
        CU_ASSERT(c.state->folds);
        calls_fold(&c, r, parts);
        CU_ASSERT(same_text(&c.text, want->data, want->len));
        calls_end(&c);
    }
}

static void check_folds(const struct records *r, bool by_loop)
{
    static const char *const total_closed[] = {"total", NULL};
    static const char *const total_loop[] = {"total", "method=loop", NULL};
    static const char *const fold[] = {"fold", NULL};
    struct qbuf want = QBUF_INIT, total = QBUF_INIT, squares = QBUF_INIT;
    expected(r, &want, &total, &squares);
    check_fold(total_closed, r, &total);
    check_fold(fold, r, &squares);
    if (by_loop)
        check_fold(total_loop, r, &total);
    qbuf_release(&want);
    qbuf_release(&total);
    qbuf_release(&squares);
}

static void test_folds(void)
{
    struct records r = records_new(NUMBERS_BLOCK);
    mixed(&r, NUMBERS_BLOCK);
    check_folds(&r, false);
    r.n = 0;
    check_folds(&r, true);
    records_free(&r);
    r = small_ones(3000, 64);
    check_folds(&r, false);
    records_free(&r);
    r = small_ones(300, 10);
    check_folds(&r, true);
    records_free(&r);
}

static void test_options(void)
{
    struct job job;
    struct kernel_state *state = NULL;
    struct qerr e = QERR_INIT;
    job_make(&job, &kernel_sumsq, (const char *const[]){"total", "fold", NULL});
    CU_ASSERT_EQUAL(kernel_sumsq.open(&state, &job, &e), -Q_EUSAGE);
    CU_ASSERT_PTR_NULL(state);
    job_release(&job);
}

static const struct unit_test tests[] = {
    {"the oracle", test_oracle},
    {"text, in any blocks and portions", test_text},
    {"--method=loop", test_loop},
    {"a deadline", test_deadline},
    {"the stop flag", test_stop},
    {"--total and --fold, in any cut", test_folds},
    {"options that exclude each other", test_options},
};

UNIT_MAIN("kernel_sumsq", tests)
