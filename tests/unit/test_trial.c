/* Oracles: FLINT, and the published answers of workload W1. */
#include "arith/trial.h"

#include <flint/flint.h>
#include <flint/ulong_extras.h>

#include "unit.h"

static void check64(uint64_t n)
{
    uint64_t p[FACTOR64_MAX];
    CU_ASSERT_EQUAL(trial_prime64(n, NULL), n_is_prime(n) == 1);
    int count = trial_factor64(n, p, NULL);
    CU_ASSERT_TRUE(count <= FACTOR64_MAX);
    uint64_t product = 1;
    for (int i = 0; i < count; i++) {
        product *= p[i];
        CU_ASSERT_TRUE(n_is_prime(p[i]) && (i == 0 || p[i - 1] <= p[i]));
    }
    CU_ASSERT_TRUE(n < 2 ? count == 0 : product == n);
}

static void test_small(void)
{
    for (uint64_t n = 0; n < 3000; n++)
        check64(n);
    for (uint64_t i = 0; i < 3000 * unit_scale(); i++)
        check64(unit_random() >> (24 + unit_random() % 40));
}

static void test_edges(void)
{
    for (unsigned e = 1; e < 64; e++)
        check64(UINT64_C(1) << e);
    for (uint64_t p = 65521; p > 60000; p = p * 10 / 11) {
        while (!n_is_prime(p))
            p--;
        check64(p * p);
        check64(p * p * p);
    }
    check64(UINT64_C(4294967291) * 3);
}

/* The square of the largest prime below 2^32 needs the last divisor, whose square is
 * just below 2^64; the largest 64-bit prime needs one more step. A few seconds, so not
 * always. */
static void test_top(void)
{
    uint64_t p[FACTOR64_MAX];
    uint64_t top = UINT64_C(4294967291);
    CU_ASSERT_EQUAL(trial_factor64(UINT64_MAX, p, NULL), 7);
    CU_ASSERT_EQUAL(p[6], 6700417);
    if (unit_scale() == 1)
        return;
    CU_ASSERT_EQUAL(trial_factor64(top * top, p, NULL), 2);
    CU_ASSERT_TRUE(p[0] == top && p[1] == top);
    CU_ASSERT_TRUE(trial_prime64(UINT64_C(18446744073709551557), NULL));
}

static void test_w1(void)
{
    static const uint64_t primes[] = {
        2,
        UINT64_C(142702110479723),
        UINT64_C(299593572317531),
    };
    static const uint64_t others[] = {
        UINT64_C(3333333333333333), UINT64_C(3333335652092209),
        UINT64_C(4444444488888889), UINT64_C(5555553133149889)};
    for (size_t i = 0; i < sizeof primes / sizeof primes[0]; i++)
        CU_ASSERT_TRUE(trial_prime64(primes[i], NULL));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CU_ASSERT_FALSE(trial_prime64(others[i], NULL));
}

static void check_big(const char *digits, const char *want, bool prime)
{
    struct factorbig f;
    mpz_t n;
    char text[400] = "";
    size_t len = 0;
    mpz_init_set_str(n, digits, 10);
    factorbig_init(&f);
    CU_ASSERT_EQUAL(trial_factor(&f, n, NULL), FACTORBIG_DONE);
    for (size_t i = 0; i < f.n; i++)
        len += (size_t)gmp_snprintf(text + len, sizeof text - len, " %Zd", f.p[i]);
    CU_ASSERT_STRING_EQUAL(text, want);
    CU_ASSERT_EQUAL(trial_prime(n, NULL), prime);
    factorbig_release(&f);
    mpz_clear(n);
}

static void test_big(void)
{
    check_big("0", "", false);
    check_big("1", "", false);
    check_big("97", " 97", true);
    check_big("18446744073709551616", /* 2^64 */
              " 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2"
              " 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2",
              false);
    check_big("18446744073709551617", " 274177 67280421310721", false); /* F6 */
    check_big("340282366920938463463374607431768211455",                /* 2^128 - 1 */
              " 3 5 17 257 641 65537 274177 6700417 67280421310721", false);
    check_big("1000006000015000020000015000006000001", /* 1000001^6 = (101 * 9901)^6 */
              " 101 101 101 101 101 101 9901 9901 9901 9901 9901 9901", false);
}

static void test_stop(void)
{
    atomic_bool stop = true;
    struct factorbig f;
    uint64_t p[FACTOR64_MAX];
    mpz_t n;
    mpz_init(n);
    factorbig_init(&f);
    mpz_ui_pow_ui(n, 2, 127);
    mpz_sub_ui(n, n, 1);
    CU_ASSERT_EQUAL(trial_factor(&f, n, &stop), FACTORBIG_STOPPED);
    trial_prime(n, &stop); /* returns */
    trial_prime64(UINT64_C(18446744073709551557), &stop);
    CU_ASSERT_TRUE(trial_factor64(UINT64_C(18446744073709551557), p, &stop) <= 63);
    factorbig_release(&f);
    mpz_clear(n);
}

static const struct unit_test tests[] = {
    {"small, against FLINT", test_small},
    {"powers", test_edges},
    {"top of 64 bits", test_top},
    {"W1", test_w1},
    {"big", test_big},
    {"stop", test_stop},
};

UNIT_MAIN("trial", tests)
