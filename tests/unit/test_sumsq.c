/* Oracles: published constants, a 128-bit running sum, and GMP's closed form. */
#include "arith/sumsq.h"

#include <string.h>

#include "arith/cpu.h"
#include "arith/sumsq_avx2.h"
#include "unit.h"

static void check_text(uint64_t n, const char *want)
{
    char to[SUMSQ_DIGITS + 1];
    size_t len = sumsq_print(to, n);
    CU_ASSERT_FATAL(len <= SUMSQ_DIGITS);
    to[len] = '\0';
    CU_ASSERT_STRING_EQUAL(to, want);
}

/* n (n-1) (2n-1) / 6 in GMP's own words. */
static void oracle(mpz_t s, const mpz_t n)
{
    mpz_t a;
    mpz_init(a);
    mpz_sub_ui(a, n, 1);
    mpz_mul(s, n, a);
    mpz_add(a, a, n);
    mpz_mul(s, s, a);
    mpz_divexact_ui(s, s, 6);
    mpz_clear(a);
}

/* The 64-bit closed form, its print and the closed form of any size against the oracle.
 */
static void check_closed(uint64_t v)
{
    mpz_t n, want, got;
    mpz_inits(n, want, got, NULL);
    uint64_t s[SUMSQ_LIMBS];
    char to[SUMSQ_DIGITS + 1];
    mpz_set_ui(n, v);
    oracle(want, n);
    sumsq_closed(s, v);
    big_set_limbs(got, s, SUMSQ_LIMBS);
    CU_ASSERT_EQUAL(mpz_cmp(got, want), 0);
    size_t len = sumsq_print(to, v);
    to[len] = '\0';
    mpz_set_str(got, to, 10);
    CU_ASSERT_EQUAL(mpz_cmp(got, want), 0);
    CU_ASSERT_EQUAL(strlen(to), mpz_sgn(want) ? strlen(mpz_get_str(to, 10, want)) : 1);
    sumsq_closed_big(got, n);
    CU_ASSERT_EQUAL(mpz_cmp(got, want), 0);
    mpz_clears(n, want, got, NULL);
}

static void test_published(void)
{
    check_text(0, "0");
    check_text(1, "0");
    check_text(2, "1");
    check_text(3, "5");
    check_text(25, "4900"); /* 70^2: the cannonball problem's only solution */
    check_text(5000000, "41666654166667500000");
    check_text(5000019, "41667129168377502109");
}

static void test_total_of_twenty(void)
{
    struct sumsq_total t;
    uint64_t s[SUMSQ_LIMBS];
    mpz_t value, want;
    mpz_inits(value, want, NULL);
    sumsq_total_init(&t);
    for (uint64_t n = 5000000; n < 5000020; n++) {
        sumsq_closed(s, n);
        sumsq_total_add(&t, s);
    }
    sumsq_total_value(&t, value);
    mpz_set_str(want, "833337833344750010830", 10);
    CU_ASSERT_EQUAL(mpz_cmp(value, want), 0);
    sumsq_total_release(&t);
    mpz_clears(value, want, NULL);
}

static void test_closed(void)
{
    for (uint64_t k = 0; k < 64; k++)
        for (uint64_t d = 0; d < 5; d++)
            check_closed((UINT64_C(1) << k) - 2 + d);
    for (uint64_t d = 0; d < 100; d++)
        check_closed(UINT64_MAX - d);
    for (uint64_t i = 0; i < 20000 * unit_scale(); i++)
        check_closed(unit_random() >> (unit_random() % 64));
}

static void test_closed_big(void)
{
    mpz_t n, want, got;
    mpz_inits(n, want, got, NULL);
    for (unsigned bits = 60; bits < 2000; bits += 97) {
        mpz_ui_pow_ui(n, 2, bits);
        mpz_sub_ui(n, n, unit_random() % 1000);
        oracle(want, n);
        sumsq_closed_big(got, n);
        CU_ASSERT_EQUAL(mpz_cmp(got, want), 0);
        sumsq_closed_big(n, n); /* in place */
        CU_ASSERT_EQUAL(mpz_cmp(n, want), 0);
    }
    mpz_clears(n, want, got, NULL);
}

/* The loop against a plain running sum, at every n up to 5000 and around its seams. */
static void test_loop(void)
{
    uint64_t s[SUMSQ_LIMBS];
    uint64_t sum = 0;
    for (uint64_t n = 0; n < 5000; n++) {
        CU_ASSERT_TRUE(sumsq_loop(s, n, NULL));
        CU_ASSERT_TRUE(s[0] == sum && s[1] == 0 && s[2] == 0);
        sum += n * n;
    }
    const uint64_t seams[] = {1u << 18, 1u << 23, (1u << 23) + (1u << 18), 50000000};
    for (size_t i = 0; i < sizeof seams / sizeof seams[0]; i++)
        for (uint64_t n = seams[i] - 2; n < seams[i] + 3; n++) {
            uint64_t want[SUMSQ_LIMBS];
            sumsq_closed(want, n);
            CU_ASSERT_TRUE(sumsq_loop(s, n, NULL));
            CU_ASSERT_EQUAL(memcmp(s, want, sizeof s), 0);
        }
}

/* Past 2^32 the closed form is the oracle: it has been checked against GMP. */
static void test_loop_wide(void)
{
    uint64_t s[SUMSQ_LIMBS], want[SUMSQ_LIMBS];
    uint64_t n = (UINT64_C(1) << 32) + 1000003;
    sumsq_closed(want, n);
    CU_ASSERT_TRUE(sumsq_loop(s, n, NULL));
    CU_ASSERT_EQUAL(memcmp(s, want, sizeof s), 0);
}

#if defined(__x86_64__)

/* S(first + count) - S(first), below 2^128. */
static void check_avx2(uint64_t first, uint32_t count)
{
    uint64_t a[SUMSQ_LIMBS], b[SUMSQ_LIMBS];
    sumsq_closed(a, first);
    sumsq_closed(b, first + count);
    uint128 want = ((uint128)b[1] << 64 | b[0]) - ((uint128)a[1] << 64 | a[0]);
    CU_ASSERT_TRUE(sumsq_avx2((uint32_t)first, count) == want);
}

/* Around powers of 2, where its runs change, at the end, 2^32, and anywhere. */
static void test_avx2(void)
{
    if (!cpu_can_run(CPU_AVX2))
        return;
    for (uint32_t count = 0; count < 3000; count += 1 + count / 20) {
        check_avx2(0, count);
        for (uint32_t d = 0; d < 3; d++)
            for (int k = 29; k < 32; k++)
                check_avx2((UINT64_C(1) << k) - count + d, count);
        check_avx2((UINT64_C(1) << 32) - count, count);
    }
    check_avx2((UINT64_C(1) << 32) - (1 << 22), 1 << 22);
    check_avx2((UINT64_C(1) << 31) - (1 << 22), 1 << 22);
    check_avx2((UINT64_C(1) << 29) - (1 << 22), 1 << 22);
    for (uint64_t i = 0; i < 2000 * unit_scale(); i++)
        check_avx2((uint32_t)(unit_random() >> 32 >> (unit_random() % 32)) / 2,
                   (uint32_t)(unit_random() % 5000));
}

#else

static void test_avx2(void)
{
}

#endif

static void test_stop(void)
{
    atomic_bool stop = true;
    uint64_t s[SUMSQ_LIMBS];
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 70);
    CU_ASSERT_FALSE(sumsq_loop(s, 1000000, &stop));
    CU_ASSERT_FALSE(sumsq_loop(s, UINT64_MAX, &stop));
    CU_ASSERT_FALSE(sumsq_loop_big(n, n, &stop));
    mpz_clear(n);
}

/* Sums of squares of values of all sizes, in parts that travel as digits. */
static void test_fold(void)
{
    struct sumsq_total whole, part;
    mpz_t x, want, got;
    uint64_t v[300];
    mpz_inits(x, want, got, NULL);
    sumsq_total_init(&whole);
    sumsq_total_init(&part);
    for (int round = 0; round < 50; round++) {
        sumsq_total_clear(&part);
        for (size_t i = 0; i < 300; i++) {
            v[i] = round == 0 ? UINT64_MAX : unit_random() >> (unit_random() % 64);
            mpz_set_ui(x, v[i]);
            mpz_addmul(want, x, x);
        }
        sumsq_total_squares(&part, v, 300);
        mpz_ui_pow_ui(x, 3, 40 + (unsigned)round * 20);
        sumsq_total_square_big(&part, x);
        sumsq_total_add_big(&part, x);
        mpz_addmul(want, x, x);
        mpz_add(want, want, x);
        sumsq_total_value(&part, got);
        char *text = mpz_get_str(NULL, 10, got);
        CU_ASSERT_TRUE(sumsq_total_add_digits(&whole, text, strlen(text)));
        free(text);
    }
    sumsq_total_value(&whole, got);
    CU_ASSERT_EQUAL(mpz_cmp(got, want), 0);
    sumsq_total_release(&whole);
    sumsq_total_release(&part);
    mpz_clears(x, want, got, NULL);
}

/* The carry out of the third limb. */
static void test_total_carry(void)
{
    struct sumsq_total t;
    const uint64_t top[SUMSQ_LIMBS] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    sumsq_total_init(&t);
    sumsq_total_add(&t, top);
    sumsq_total_add(&t, top);
    CU_ASSERT_TRUE(t.w[0] == UINT64_MAX - 1 && t.w[1] == UINT64_MAX);
    CU_ASSERT_TRUE(t.w[2] == UINT64_MAX && t.w[3] == 1);
    sumsq_total_release(&t);
}

static const struct unit_test tests[] = {
    {"published values", test_published},
    {"total of the twenty values of W2", test_total_of_twenty},
    {"closed form", test_closed},
    {"closed form of big n", test_closed_big},
    {"loop", test_loop},
    {"loop beyond 2^32", test_loop_wide},
    {"AVX2", test_avx2},
    {"stop", test_stop},
    {"fold in parts", test_fold},
    {"carry of a total", test_total_carry},
};

UNIT_MAIN("sumsq", tests)
