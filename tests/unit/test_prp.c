/*
 * Oracles: the published lists of pseudoprimes to each of the two tests (OEIS A001262
 * and A217255), complete up to a bound, so that both false answers would show; FLINT's
 * strong test; known primes.
 */
#include "arith/prp.h"

#include <flint/flint.h>
#include <flint/fmpz.h>

#include "unit.h"

static bool is_prime_slowly(uint32_t n)
{
    for (uint32_t d = 2; d * d <= n; d++)
        if (n % d == 0)
            return false;
    return n > 1;
}

/* The composites below `limit` that pass are exactly those listed; all primes pass. */
static void check_list(bool lucas, const uint32_t *list, size_t count, uint32_t limit)
{
    mpz_t n;
    mpz_init(n);
    size_t at = 0;
    for (uint32_t i = 5; i < limit; i += 2) {
        mpz_set_ui(n, i);
        bool expected = is_prime_slowly(i);
        if (at < count && list[at] == i) {
            CU_ASSERT_FALSE(expected);
            expected = true;
            at++;
        }
        bool got = lucas ? prp_lucas(n, NULL) : prp_strong(n, 2, NULL);
        CU_ASSERT_EQUAL(got, expected);
    }
    CU_ASSERT_EQUAL(at, count);
    mpz_clear(n);
}

static void test_strong_list(void)
{
    static const uint32_t list[] = {2047,  3277,  4033,  4681,  8321,  15841,
                                    29341, 42799, 49141, 52633, 65281, 74665,
                                    80581, 85489, 88357, 90751};
    check_list(false, list, sizeof list / sizeof list[0], 100000);
}

static void test_lucas_list(void)
{
    static const uint32_t list[] = {5459,  5777,  10877, 16109, 18971, 22499,
                                    24569, 25199, 40309, 58519, 75077, 97439};
    check_list(true, list, sizeof list / sizeof list[0], 100000);
}

static void test_squares(void)
{
    mpz_t n;
    mpz_init(n);
    for (unsigned bits = 40; bits < 1400; bits += 83) {
        mpz_ui_pow_ui(n, 2, bits);
        mpz_nextprime(n, n);
        CU_ASSERT_TRUE(prp_lucas(n, NULL));
        CU_ASSERT_TRUE(prp_strong(n, 2, NULL));
        mpz_mul(n, n, n);
        CU_ASSERT_FALSE(prp_lucas(n, NULL));
        CU_ASSERT_FALSE(prp_strong(n, 2, NULL));
    }
    mpz_clear(n);
}

/* Random integers and bases on both sides of the switch from GMP's power to our own. */
static void test_strong_against_flint(void)
{
    mpz_t n;
    fmpz_t f, base;
    mpz_init(n);
    fmpz_init(f);
    fmpz_init(base);
    for (uint64_t i = 0; i < 60 * unit_scale(); i++) {
        uint32_t a = 2 + (uint32_t)(unit_random() % 1000);
        mpz_ui_pow_ui(n, 2, i % 3 ? 80 + unit_random() % 940 : 1050);
        mpz_sub_ui(n, n, unit_random() >> 8);
        mpz_setbit(n, 0);
        if (i % 2)
            mpz_nextprime(n, n);
        fmpz_set_mpz(f, n);
        fmpz_set_ui(base, a);
        bool want = fmpz_is_strong_probabprime(f, base);
        CU_ASSERT_EQUAL(prp_strong(n, a, NULL), want);
        CU_ASSERT_EQUAL(prp_lucas(n, NULL), want);
    }
    fmpz_clear(f);
    fmpz_clear(base);
    mpz_clear(n);
}

static void test_mersenne(void)
{
    static const unsigned exponents[] = {89, 107, 127, 521, 607, 1279, 2203};
    mpz_t n;
    mpz_init(n);
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        mpz_ui_pow_ui(n, 2, exponents[i]);
        mpz_sub_ui(n, n, 1);
        CU_ASSERT_TRUE(prp_strong(n, 3, NULL));
        CU_ASSERT_TRUE(prp_lucas(n, NULL));
    }
    /* 2^1277 - 1 is composite; every Mersenne number with prime exponent passes base 2.
     */
    mpz_ui_pow_ui(n, 2, 1277);
    mpz_sub_ui(n, n, 1);
    CU_ASSERT_TRUE(prp_strong(n, 2, NULL));
    CU_ASSERT_FALSE(prp_strong(n, 3, NULL));
    CU_ASSERT_FALSE(prp_lucas(n, NULL));
    mpz_clear(n);
}

static void test_stop(void)
{
    atomic_bool stop = true;
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 10, 10000);
    mpz_add_ui(n, n, 1);
    clock_t start = clock();
    prp_strong(n, 2, &stop);
    prp_lucas(n, &stop);
    CU_ASSERT_TRUE(clock() - start < CLOCKS_PER_SEC / 5);
    mpz_clear(n);
}

static const struct unit_test tests[] = {
    {"strong pseudoprimes to base 2", test_strong_list},
    {"strong Lucas pseudoprimes", test_lucas_list},
    {"squares", test_squares},
    {"against FLINT", test_strong_against_flint},
    {"Mersenne numbers", test_mersenne},
    {"stop", test_stop},
};

UNIT_MAIN("prp", tests)
