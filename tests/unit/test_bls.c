/*
 * Oracles: FLINT's proof (fmpz_is_prime), GMP, and numbers whose n - 1 is known. The
 * function is for numbers that have passed other tests; here it gets composites too,
 * above all such as fool Fermat's test to many bases.
 */
#include "arith/bls.h"

#include <flint/flint.h>
#include <flint/fmpz.h>

#include "unit.h"

static void check(const mpz_t n, enum bls_status want)
{
    CU_ASSERT_EQUAL(bls(n, NULL), want);
}

/* a 2^k + c */
static void check_form(unsigned a, unsigned k, int c, enum bls_status want)
{
    mpz_t n;
    mpz_init_set_ui(n, a);
    mpz_mul_2exp(n, n, k);
    if (c < 0)
        mpz_sub_ui(n, n, (unsigned)-c);
    else
        mpz_add_ui(n, n, (unsigned)c);
    check(n, want);
    mpz_clear(n);
}

static void test_known_forms(void)
{
    check_form(3, 189, 1, BLS_PRIME); /* OEIS A002253 */
    check_form(3, 276, 1, BLS_PRIME);
    check_form(3, 2208, 1, BLS_PRIME);
    check_form(5, 1947, 1, BLS_PRIME);    /* A002254 */
    check_form(1, 128, 1, BLS_COMPOSITE); /* F7 */
    check_form(1, 1024, 1, BLS_COMPOSITE);
    check_form(1, 127, -1, BLS_PRIME); /* 2^127 - 2 is smooth */
    check_form(1, 67, -1, BLS_COMPOSITE);
    mpz_t n;
    mpz_init(n);
    mpz_fac_ui(n, 154); /* A002981 */
    mpz_add_ui(n, n, 1);
    check(n, BLS_PRIME);
    mpz_fac_ui(n, 340);
    mpz_add_ui(n, n, 1);
    check(n, BLS_PRIME);
    mpz_fac_ui(n, 153);
    mpz_add_ui(n, n, 1);
    check(n, BLS_COMPOSITE);
    mpz_clear(n);
}

/* Random numbers of `bits` bits: what is said is what FLINT says, and up to 128 bits
 * something is said of every prime. */
static void check_random(unsigned bits, unsigned count)
{
    fmpz_t f;
    mpz_t n;
    mpz_init(n);
    fmpz_init(f);
    for (unsigned i = 0; i < count; i++) {
        do {
            mpz_set_ui(n, unit_random());
            for (unsigned k = 64; k < bits; k += 64) {
                mpz_mul_2exp(n, n, 64);
                mpz_add_ui(n, n, unit_random());
            }
            mpz_fdiv_r_2exp(n, n, bits);
            mpz_setbit(n, bits - 1);
            mpz_setbit(n, 0);
            if (i % 4 > 0)
                mpz_nextprime(n, n);
        } while (mpz_sizeinbase(n, 2) > bits);
        fmpz_set_mpz(f, n);
        bool prime = fmpz_is_prime(f) == 1;
        enum bls_status got = bls(n, NULL);
        CU_ASSERT_NOT_EQUAL(got, prime ? BLS_COMPOSITE : BLS_PRIME);
        CU_ASSERT_NOT_EQUAL(got, BLS_STOPPED);
        if (prime && bits <= 128)
            CU_ASSERT_EQUAL(got, BLS_PRIME);
    }
    mpz_clear(n);
    fmpz_clear(f);
}

static void test_random(void)
{
    unsigned scale = (unsigned)unit_scale();
    for (unsigned bits = 66; bits <= 128; bits += 2)
        check_random(bits, 12 * scale);
    for (unsigned bits = 132; bits <= 200; bits += 17)
        check_random(bits, 6 * scale);
}

/* n = pq with p and q 1 modulo a large smooth F, F^3 > n: all that is asked of a holds
 * for many a, and only the square tells. F = 2^k, p = xF + 1, q = yF + 1. */
static void test_square(void)
{
    mpz_t p, q, n;
    mpz_inits(p, q, n, NULL);
    unsigned made = 0;
    for (unsigned k = 44; k < 400; k += 7) {
        mpz_t *const part[] = {&p, &q};
        unsigned x = 0;
        for (int i = 0; i < 2; i++)
            do {
                mpz_set_ui(*part[i], ++x);
                mpz_mul_2exp(*part[i], *part[i], k);
                mpz_add_ui(*part[i], *part[i], 1);
            } while (!mpz_probab_prime_p(*part[i], 20));
        mpz_mul(n, p, q);
        if (mpz_sizeinbase(n, 2) <= 64)
            continue;
        check(n, BLS_COMPOSITE);
        made++;
        mpz_mul(n, p, p); /* and squares */
        check(n, BLS_COMPOSITE);
    }
    CU_ASSERT_TRUE(made > 20);
    mpz_clears(p, q, n, NULL);
}

/* Chernick's Carmichael numbers (6k+1)(12k+1)(18k+1): a^(n-1) = 1 for all a. */
static void test_carmichael(void)
{
    mpz_t a, b, n;
    mpz_inits(a, b, n, NULL);
    unsigned made = 0;
    for (uint64_t k = UINT64_C(20000000000); made < 6; k++) {
        mpz_set_ui(a, 6 * k + 1);
        mpz_set_ui(b, 12 * k + 1);
        mpz_set_ui(n, 18 * k + 1);
        if (!mpz_probab_prime_p(a, 20) || !mpz_probab_prime_p(b, 20) ||
            !mpz_probab_prime_p(n, 20))
            continue;
        mpz_mul(n, n, a);
        mpz_mul(n, n, b);
        CU_ASSERT_NOT_EQUAL(bls(n, NULL), BLS_PRIME);
        made++;
    }
    /* psi_13 */
    mpz_set_str(n, "3317044064679887385961981", 10);
    check(n, BLS_COMPOSITE);
    mpz_clears(a, b, n, NULL);
}

static void test_stop(void)
{
    atomic_bool stop = true;
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 521);
    mpz_sub_ui(n, n, 1);
    CU_ASSERT_EQUAL(bls(n, &stop), BLS_STOPPED);
    mpz_clear(n);
}

static const struct unit_test tests[] = {
    {"known forms", test_known_forms},
    {"random, against FLINT", test_random},
    {"products of two primes that are 1 modulo F", test_square},
    {"Carmichael numbers and psi_13", test_carmichael},
    {"stop", test_stop},
};

UNIT_MAIN("bls", tests)
