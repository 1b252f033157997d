/* Numbers made of known primes; whatever is found must divide. */
#include "arith/ecm128.h"

#include "unit.h"

static void random_prime(mpz_t p, unsigned bits)
{
    mpz_set_ui(p, unit_random() >> (64 - bits));
    mpz_setbit(p, bits - 1);
    mpz_nextprime(p, p);
}

/* Counts how many of `numbers` products of a prime of `bits` bits and a larger one are
 * split; checks each divisor. */
static int count_split(unsigned bits, int numbers, int curves)
{
    mpz_t p, q, n, f;
    mpz_inits(p, q, n, f, NULL);
    int hits = 0;
    for (int i = 0; i < numbers; i++) {
        int curve = 0;
        random_prime(p, bits);
        random_prime(q, 63);
        mpz_mul(n, p, q);
        mpz_set_ui(f, 0);
        if (ecm128(f, n, &curve, curves, NULL)) {
            hits++;
            CU_ASSERT_TRUE(mpz_cmp(f, p) == 0 || mpz_cmp(f, q) == 0);
            CU_ASSERT_TRUE(curve > 0 && curve <= curves);
        } else {
            CU_ASSERT_EQUAL(mpz_sgn(f), 0);
            CU_ASSERT_EQUAL(curve, curves);
        }
    }
    mpz_clears(p, q, n, f, NULL);
    return hits;
}

/* 300 numbers gave 300, 296, 221 in a first measurement: far from these bounds. */
static void test_yield(void)
{
    CU_ASSERT_TRUE(count_split(24, 100, 30) == 100);
    CU_ASSERT_TRUE(count_split(32, 100, 30) > 80);
    CU_ASSERT_TRUE(count_split(36, 100, 30) > 40);
}

/* All sizes of n, up to just below 2^128. */
static void test_sizes(void)
{
    mpz_t n, f, p, r;
    mpz_inits(n, f, p, r, NULL);
    for (unsigned bits = 33; bits <= 128; bits++) {
        int curve = 0;
        random_prime(p, 16);
        mpz_ui_pow_ui(n, 2, bits);
        mpz_tdiv_q(n, n, p);
        mpz_sub_ui(n, n, 10000);
        mpz_nextprime(n, n);
        mpz_mul(n, n, p);
        CU_ASSERT_TRUE_FATAL(mpz_sizeinbase(n, 2) <= 128);
        CU_ASSERT_TRUE(ecm128(f, n, &curve, 200, NULL));
        CU_ASSERT_TRUE(mpz_divisible_p(n, f) && mpz_cmp_ui(f, 1) > 0 &&
                       mpz_cmp(f, n) < 0);
    }
    mpz_clears(n, f, p, r, NULL);
}

/* Primes and squares of primes cannot be split. */
static void test_nothing(void)
{
    mpz_t n, f;
    mpz_inits(n, f, NULL);
    for (unsigned bits = 34; bits < 64; bits += 5) {
        int curve = 0;
        random_prime(n, bits);
        CU_ASSERT_FALSE(ecm128(f, n, &curve, 5, NULL));
    }
    mpz_clears(n, f, NULL);
}

static void test_stop(void)
{
    atomic_bool stop = true;
    int curve = 3;
    mpz_t n, f;
    mpz_init(f);
    mpz_init_set_str(n, "340282366920938463463374607431768211457", 10);
    mpz_tdiv_q_2exp(n, n, 1);
    mpz_setbit(n, 0);
    CU_ASSERT_FALSE(ecm128(f, n, &curve, 1000000, &stop));
    CU_ASSERT_EQUAL(curve, 3);
    mpz_clears(n, f, NULL);
}

static const struct unit_test tests[] = {
    {"yield", test_yield},
    {"sizes", test_sizes},
    {"nothing to find", test_nothing},
    {"stop", test_stop},
};

UNIT_MAIN("ecm128", tests)
