#include "calls.h"

#include <flint/fmpz.h>
#include <flint/fmpz_factor.h>

extern const struct kernel kernel_factor;

enum { COL_FACTORS = 1, COL_COFACTOR, COL_PROOF };

/* --- the oracle: FLINT, for 64 bits; larger ones are products of primes chosen here
 * --- */

struct known {
    struct records records;
    struct qbuf plain, powers; /* the text of all of them */
};

static void put_factors(struct qbuf *out, const fmpz_factor_t f, bool powers)
{
    for (slong i = 0; i < f->num; i++) {
        char *p = fmpz_get_str(NULL, 10, f->p + i);
        if (powers && f->exp[i] > 1)
            qbuf_printf(out, " %s^%lu", p, (unsigned long)f->exp[i]);
        else
            for (ulong k = 0; k < f->exp[i]; k++)
                qbuf_printf(out, " %s", p);
        flint_free(p);
    }
    qbuf_putc(out, '\n');
}

/* FLINT leaves them in the order in which it found them. */
static void sort_factors(fmpz_factor_t f)
{
    for (slong i = 1; i < f->num; i++) {
        for (slong k = i; k > 0 && fmpz_cmp(f->p + k - 1, f->p + k) > 0; k--) {
            fmpz_swap(f->p + k - 1, f->p + k);
            ulong exp = f->exp[k];
            f->exp[k] = f->exp[k - 1];
            f->exp[k - 1] = exp;
        }
    }
}

/* `f` ascending, its product `digits`. */
static void add_known(struct known *k, const char *digits, const fmpz_factor_t f)
{
    records_add(&k->records, digits);
    qbuf_printf(&k->plain, "%s:", digits);
    qbuf_printf(&k->powers, "%s:", digits);
    put_factors(&k->plain, f, false);
    put_factors(&k->powers, f, true);
}

static void add_u64(struct known *k, uint64_t v)
{
    fmpz_t n;
    fmpz_factor_t f;
    char digits[32];
    fmpz_init_set_ui(n, v);
    fmpz_factor_init(f);
    if (v > 1)
        fmpz_factor(f, n);
    sort_factors(f);
    snprintf(digits, sizeof digits, "%" PRIu64, v);
    add_known(k, digits, f);
    fmpz_factor_clear(f);
    fmpz_clear(n);
}

/* The product of primes of the given numbers of bits, ascending. */
static void add_product(struct known *k, const unsigned *bits, size_t n)
{
    fmpz_t p, product;
    fmpz_factor_t f;
    fmpz_init(p);
    fmpz_init_set_ui(product, 1);
    fmpz_factor_init(f);
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && bits[i] == bits[i - 1];
        if (!again) {
            uint64_t low = UINT64_C(1) << (bits[i] - 1);
            fmpz_set_ui(p, low + unit_random() % low / 2);
            do
                fmpz_add_ui(p, p, 1);
            while (!fmpz_is_prime(p));
            _fmpz_factor_append(f, p, 1);
        } else {
            f->exp[f->num - 1]++;
        }
        fmpz_mul(product, product, p);
    }
    char *digits = fmpz_get_str(NULL, 10, product);
    add_known(k, digits, f);
    flint_free(digits);
    fmpz_factor_clear(f);
    fmpz_clear(p);
    fmpz_clear(product);
}

#define PRODUCT(k, ...)                                                                \
    add_product(k, (const unsigned[]){__VA_ARGS__},                                    \
                sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static struct known known_new(size_t most)
{
    return (struct known){records_new(most), QBUF_INIT, QBUF_INIT};
}

static void known_free(struct known *k)
{
    records_free(&k->records);
    qbuf_release(&k->plain);
    qbuf_release(&k->powers);
}

/* Small and large, one after the other and in runs. */
static void mixed(struct known *k, size_t n)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     4,
                                     360,
                                     UINT32_MAX,
                                     UINT64_C(1) << 32,
                                     UINT64_C(1) << 63,
                                     UINT64_MAX,
                                     18446744065119617029u,  /* the largest p^2 */
                                     18446744073709551557u}; /* the largest prime */
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        add_u64(k, edges[i]);
    while (k->records.n < n) {
        PRODUCT(k, 2, 2, 36, 36);
        for (size_t i = 0; i < 9 && k->records.n < n; i++)
            add_u64(k, unit_random() >> unit_random() % 64);
        PRODUCT(k, 20, 30, 35);
        PRODUCT(k, 7, 7, 7, 7, 63, 63);
        PRODUCT(k, 3, 62);
        PRODUCT(k, 33, 33);
        PRODUCT(k, 33, 40);
    }
}

/* --- tests --- */

static void check_text(const char *const *options, bool powers)
{
    struct calls c;
    struct known k = known_new(NUMBERS_BLOCK);
    mixed(&k, 60 * (size_t)unit_scale() > 4000 ? 4000 : 60 * (size_t)unit_scale());
    const struct qbuf *want = powers ? &k.powers : &k.plain;
    static const size_t blocks[] = {1, 5, NUMBERS_BLOCK};
    calls_begin(&c, &kernel_factor, options);
    for (size_t i = 0; i < 3; i++) {
        for (int hurry = 0; hurry < 2; hurry++) {
            qbuf_clear(&c.text);
            calls_text(&c, &k.records, 0, k.records.n, blocks[i],
                       hurry ? 0 : UINT64_MAX);
            CU_ASSERT(same_text(&c.text, want->data, want->len));
        }
    }
    known_free(&k);
    calls_end(&c);
}

static void test_text(void)
{
    check_text(NULL, false);
}

static void test_exponents(void)
{
    check_text((const char *const[]){"exponents", NULL}, true);
}

/* A full block of 64-bit numbers, and the columns beside the factors. */
static void test_block(void)
{
    struct calls c;
    struct known k = known_new(NUMBERS_BLOCK);
    while (k.records.n < NUMBERS_BLOCK)
        add_u64(&k, unit_random() >> (32 + unit_random() % 32));
    calls_begin(&c, &kernel_factor, NULL);
    calls_text(&c, &k.records, 0, NUMBERS_BLOCK, NUMBERS_BLOCK, UINT64_MAX);
    CU_ASSERT(same_text(&c.text, k.plain.data, k.plain.len));
    CU_ASSERT_EQUAL(c.rows.cells[COL_COFACTOR].nitems, 0);
    CU_ASSERT_EQUAL(c.rows.unfinished, 0);
    const char *const *words = c.state->schema->columns[COL_PROOF].words;
    for (size_t i = 0; i < NUMBERS_BLOCK; i++) {
        CU_ASSERT_EQUAL(c.rows.cells[COL_COFACTOR].end[i], 0);
        CU_ASSERT_STRING_EQUAL(words[c.rows.cells[COL_PROOF].word[i]],
                               c.in->v[i] > 1 ? "deterministic-64" : "");
    }
    known_free(&k);
    calls_end(&c);
}

/* The proof is the weakest of the factors'. */
static void test_proof(void)
{
    static const char *const numbers[][2] = {
        {"36893488147419103232", "deterministic-64"},         /* 2^65 */
        {"36893488147419103363", "mr13"},                     /* the prime after 2^65 */
        {"73786976294838206726", "mr13"},                     /* twice that */
        {"170141183460469231731687303715884105727", "bpsw"},  /* 2^127 - 1 */
        {"340282366920938463463374607431768211454", "bpsw"}}; /* twice that */
    struct calls c;
    struct records r = records_new(5);
    for (size_t i = 0; i < 5; i++)
        records_add(&r, numbers[i][0]);
    calls_begin(&c, &kernel_factor, NULL);
    calls_block(&c, &r, 0, r.n);
    CU_ASSERT_EQUAL(calls_run(&c, UINT64_MAX), 0);
    const char *const *words = c.state->schema->columns[COL_PROOF].words;
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_STRING_EQUAL(words[c.rows.cells[COL_PROOF].word[i]], numbers[i][1]);
    records_free(&r);
    calls_end(&c);
}

static void test_trial(void)
{
    struct calls c;
    struct known k = known_new(400);
    for (uint64_t v = 0; v < 200; v++)
        add_u64(&k, v);
    for (int i = 0; i < 40; i++)
        add_u64(&k, unit_random() >> 36);
    add_u64(&k, UINT64_C(1) << 63);
    PRODUCT(&k, 2, 2, 10, 10, 15, 40);
    add_u64(&k, 4294967291);
    calls_begin(&c, &kernel_factor, (const char *const[]){"method=trial", NULL});
    calls_text(&c, &k.records, 0, k.records.n, NUMBERS_BLOCK, UINT64_MAX);
    CU_ASSERT(same_text(&c.text, k.plain.data, k.plain.len));
    qbuf_clear(&c.text);
    size_t calls = calls_text(&c, &k.records, 0, k.records.n, NUMBERS_BLOCK, 0);
    CU_ASSERT_EQUAL(calls, k.records.n);
    CU_ASSERT(same_text(&c.text, k.plain.data, k.plain.len));
    known_free(&k);
    calls_end(&c);
}

/* A deadline that has passed ends a block of large numbers at its first. */
static void test_deadline(void)
{
    struct calls c;
    struct known k = known_new(400);
    for (int i = 0; i < 6; i++)
        PRODUCT(&k, 33, 33);
    calls_begin(&c, &kernel_factor, NULL);
    CU_ASSERT_EQUAL(calls_text(&c, &k.records, 0, 6, 6, 0), 6);
    CU_ASSERT(same_text(&c.text, k.plain.data, k.plain.len));
    known_free(&k);
    calls_end(&c);
}

static void test_stop(void)
{
    /* The primes after the first 40 digits of pi and of e: many minutes of work. */
    static const char hard[] = "853973422267356706546355086954657449627808618549591961"
                               "2915056738168718046411221";
    static const char *const trial[] = {"method=trial", NULL};
    for (int i = 0; i < 2; i++) {
        struct calls c;
        struct records r = records_new(1);
        records_add(&r, i == 0 ? hard : "18446744073709551557");
        calls_begin(&c, &kernel_factor, i == 0 ? NULL : trial);
        calls_block(&c, &r, 0, 1);
        CU_ASSERT(calls_stopped(&c) < stop_seconds);
        char want[256];
        snprintf(want, sizeof want, "%s: (%s)\n", r.digits[0], r.digits[0]);
        CU_ASSERT(is_unfinished(&c, want));
        records_free(&r);
        calls_end(&c);
    }
}

/* What an unfinished number looks like, among others; the rows are made here. */
static void unfinished_rows(struct calls *c)
{
    struct rows *rows = &c->rows;
    rows_clear(rows, c->in);
    rows_add(rows, COL_FACTORS, 2);
    rows_add(rows, COL_FACTORS, 2);
    rows_end(rows, COL_FACTORS, 0);
    rows_end(rows, COL_COFACTOR, 0);
    rows_add(rows, COL_FACTORS, 3);
    rows_add_digits(rows, COL_FACTORS, "36893488147419103363", 20);
    rows_add_digits(rows, COL_FACTORS, "36893488147419103363", 20);
    rows_end(rows, COL_FACTORS, 1);
    rows_add_digits(rows, COL_COFACTOR, "340282366920938463463374607431768211457", 39);
    rows_end(rows, COL_COFACTOR, 1);
    rows_end(rows, COL_FACTORS, 2);
    rows_add_digits(rows, COL_COFACTOR, "91", 2);
    rows_end(rows, COL_COFACTOR, 2);
    rows_end(rows, COL_FACTORS, 3);
    rows_end(rows, COL_COFACTOR, 3);
    rows->n = 4;
}

static void test_unfinished(void)
{
    static const char plain[] = "4: 2 2\n"
                                "5: 3 36893488147419103363 36893488147419103363 "
                                "(340282366920938463463374607431768211457)\n"
                                "6: (91)\n"
                                "1:\n";
    static const char powers[] = "4: 2^2\n"
                                 "5: 3 36893488147419103363^2 "
                                 "(340282366920938463463374607431768211457)\n"
                                 "6: (91)\n"
                                 "1:\n";
    static const char *const exponents[] = {"exponents", NULL};
    struct records r = records_new(4);
    records_add(&r, "4");
    records_add(&r, "5");
    records_add(&r, "6");
    records_add(&r, "1");
    for (int i = 0; i < 2; i++) {
        struct calls c;
        const char *want = i ? powers : plain;
        calls_begin(&c, &kernel_factor, i ? exponents : NULL);
        calls_block(&c, &r, 0, 4);
        unfinished_rows(&c);
        c.state->schema->text(&c.rows, 0, 4, &c.text);
        CU_ASSERT(same_text(&c.text, want, strlen(want)));
        /* The same rows, rendered in two goes. */
        qbuf_clear(&c.text);
        c.state->schema->text(&c.rows, 0, 1, &c.text);
        c.state->schema->text(&c.rows, 1, 4, &c.text);
        CU_ASSERT(same_text(&c.text, want, strlen(want)));
        calls_end(&c);
    }
    records_free(&r);
}

static const struct unit_test tests[] = {
    {"text, in any blocks and portions", test_text},
    {"--exponents", test_exponents},
    {"a full block", test_block},
    {"the weakest proof", test_proof},
    {"--method=trial", test_trial},
    {"a deadline", test_deadline},
    {"the stop flag", test_stop},
    {"unfinished numbers", test_unfinished},
};

UNIT_MAIN("kernel_factor", tests)
