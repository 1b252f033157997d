/*
 * Oracles: FLINT (fmpz_is_prime proves), GMP, and constants from the literature that
 * deceive weaker tests.
 */
#include "arith/primebig.h"

#include <flint/flint.h>
#include <flint/fmpz.h>
#include <pthread.h>

#include "arith/prp.h"
#include "unit.h"

static void check_class(const mpz_t n, enum prime_class class, enum prime_proof proof)
{
    enum prime_proof why = PROOF_APRCL;
    CU_ASSERT_EQUAL(primebig(n, &why), class);
    CU_ASSERT_EQUAL(why, proof);
}

static void check_text(const char *digits, enum prime_class class,
                       enum prime_proof proof)
{
    mpz_t n;
    mpz_init_set_str(n, digits, 10);
    check_class(n, class, proof);
    mpz_clear(n);
}

static const char *psi12 = "318665857834031151167461";
static const char *psi13 = "3317044064679887385961981";

/* What n must be said to be if it is prime. */
static void check_verdict(const mpz_t n, bool prime)
{
    mpz_t limit;
    mpz_init_set_str(limit, psi13, 10);
    if (!prime)
        check_class(n, mpz_cmp_ui(n, 2) < 0 ? CLASS_NEITHER : CLASS_COMPOSITE,
                    PROOF_NONE);
    else if (mpz_sizeinbase(n, 2) <= 64)
        check_class(n, CLASS_PRIME, PROOF_DETERMINISTIC_64);
    else if (mpz_cmp(n, limit) < 0)
        check_class(n, CLASS_PRIME, PROOF_MR13);
    else
        check_class(n, CLASS_PROBABLE, PROOF_BPSW);
    mpz_clear(limit);
}

static void check_flint(const mpz_t n)
{
    fmpz_t f;
    fmpz_init(f);
    fmpz_set_mpz(f, n);
    check_verdict(n, fmpz_is_prime(f) == 1);
    fmpz_clear(f);
}

static void test_small(void)
{
    check_text("0", CLASS_NEITHER, PROOF_NONE);
    check_text("1", CLASS_NEITHER, PROOF_NONE);
    check_text("2", CLASS_PRIME, PROOF_DETERMINISTIC_64);
    check_text("4", CLASS_COMPOSITE, PROOF_NONE);
    check_text("18446744073709551557", CLASS_PRIME, PROOF_DETERMINISTIC_64);
    check_text("18446744073709551615", CLASS_COMPOSITE, PROOF_NONE);
    check_text("18446744073709551616", CLASS_COMPOSITE, PROOF_NONE);
    check_text("18446744073709551629", CLASS_PRIME, PROOF_MR13);
}

/* All integers around the seams: 2^64, psi_12, psi_13, 2^128, powers of ten. */
static void test_seams(void)
{
    mpz_t n;
    mpz_init(n);
    for (int seam = 0; seam < 8; seam++) {
        switch (seam) {
        case 0:
        case 1:
            mpz_set_str(n, seam ? psi13 : psi12, 10);
            break;
        case 2:
        case 3:
        case 4:
            mpz_ui_pow_ui(n, 2, seam == 2 ? 64 : seam == 3 ? 127 : 128);
            break;
        default:
            mpz_ui_pow_ui(n, 10, (unsigned)seam * 9);
        }
        mpz_sub_ui(n, n, 300);
        for (int i = 0; i < 600; i++, mpz_add_ui(n, n, 1))
            check_flint(n);
    }
    mpz_clear(n);
}

static void test_random(void)
{
    mpz_t n;
    mpz_init(n);
    for (uint64_t i = 0; i < 4000 * unit_scale(); i++) {
        mpz_set_ui(n, unit_random());
        mpz_mul_2exp(n, n, 64);
        mpz_add_ui(n, n, unit_random() | (i % 2));
        mpz_tdiv_q_2exp(n, n, unit_random() % 70);
        if (i % 4 == 3)
            mpz_nextprime(n, n);
        check_flint(n);
    }
    mpz_clear(n);
}

/* psi_12 and psi_13 pass the strong test to the first 12 and 13 primes. */
static void test_psi(void)
{
    static const uint32_t primes[] = {2,  3,  5,  7,  11, 13, 17,
                                      19, 23, 29, 31, 37, 41, 43};
    mpz_t n;
    mpz_init(n);
    for (size_t k = 12; k <= 13; k++) {
        mpz_set_str(n, k == 12 ? psi12 : psi13, 10);
        for (size_t i = 0; i < k; i++)
            CU_ASSERT_TRUE(prp_strong(n, primes[i], NULL));
        CU_ASSERT_FALSE(prp_strong(n, primes[k], NULL));
        check_class(n, CLASS_COMPOSITE, PROOF_NONE);
    }
    mpz_clear(n);
}

/* Arnault, "Constructing Carmichael numbers which are strong pseudoprimes to several
 * bases" (1995): passes for every prime base below 307. */
static void test_arnault(void)
{
    mpz_t p, q, n;
    mpz_inits(q, n, NULL);
    mpz_init_set_str(
        p,
        "29674495668685510550154174642905332730771991799853043350995075531"
        "276838753171770199594238596428121188033664754218345562493168782883",
        10);
    mpz_sub_ui(q, p, 1);
    mpz_mul_ui(n, q, 313);
    mpz_add_ui(n, n, 1);
    mpz_mul_ui(q, q, 353);
    mpz_add_ui(q, q, 1);
    mpz_mul(n, n, q);
    mpz_mul(n, n, p);
    CU_ASSERT_EQUAL(mpz_sizeinbase(n, 10), 397);
    for (uint32_t a = 2; a < 307; a++) {
        mpz_set_ui(q, a);
        if (mpz_probab_prime_p(q, 24))
            CU_ASSERT_TRUE(prp_strong(n, a, NULL));
    }
    check_class(n, CLASS_COMPOSITE, PROOF_NONE);
    mpz_clears(p, q, n, NULL);
}

/* p (2p - 1) and Chernick's Carmichael numbers (6k+1)(12k+1)(18k+1), with prime parts.
 */
static void test_carmichael(void)
{
    mpz_t a, b, c, n;
    mpz_inits(a, b, c, n, NULL);
    unsigned pairs = 0, triples = 0;
    for (uint64_t k = UINT64_C(3000000000000); pairs < 40 || triples < 4; k++) {
        mpz_set_ui(a, 6 * k + 1);
        mpz_set_ui(b, 12 * k + 1);
        mpz_set_ui(c, 18 * k + 1);
        if (!mpz_probab_prime_p(a, 24) || !mpz_probab_prime_p(b, 24))
            continue;
        pairs++;
        mpz_mul(n, a, b); /* b = 2a - 1 */
        check_class(n, CLASS_COMPOSITE, PROOF_NONE);
        if (!mpz_probab_prime_p(c, 24))
            continue;
        triples++;
        mpz_mul(n, n, c);
        check_class(n, CLASS_COMPOSITE, PROOF_NONE);
    }
    mpz_clears(a, b, c, n, NULL);
}

static void test_powers(void)
{
    mpz_t p, n;
    mpz_inits(p, n, NULL);
    for (unsigned bits = 20; bits < 140; bits++) {
        mpz_ui_pow_ui(p, 2, bits);
        mpz_nextprime(p, p);
        for (unsigned long k = 2; k <= 5; k++) {
            mpz_pow_ui(n, p, k);
            check_class(n, CLASS_COMPOSITE, PROOF_NONE);
        }
    }
    mpz_clears(p, n, NULL);
}

/* Mersenne numbers to 2^2281; the exponents of the primes are Lucas's and Lehmer's. */
static void test_mersenne(void)
{
    static const unsigned primes[] = {67, 89, 107, 127, 257, 521, 607, 1279, 2281};
    static const bool prime[] = {0, 1, 1, 1, 0, 1, 1, 1, 1};
    mpz_t n;
    mpz_init(n);
    for (size_t i = 0; i < sizeof prime; i++) {
        mpz_ui_pow_ui(n, 2, primes[i]);
        mpz_sub_ui(n, n, 1);
        check_verdict(n, prime[i]);
    }
    mpz_clear(n);
}

/* Against GMP where FLINT's proof would take too long. */
static void test_large(void)
{
    mpz_t n;
    mpz_init(n);
    for (unsigned digits = 40; digits < 420; digits += 20) {
        mpz_ui_pow_ui(n, 10, digits);
        mpz_add_ui(n, n, unit_random() >> 32 | 1);
        check_verdict(n, mpz_probab_prime_p(n, 30) != 0);
        if (digits < 330) {
            mpz_nextprime(n, n);
            check_verdict(n, true);
        }
    }
    mpz_ui_pow_ui(n, 10, 9999);
    mpz_add_ui(n, n, 1);
    mpz_mul_ui(n, n, 7919);
    check_verdict(n, false);
    mpz_clear(n);
}

static void test_stop(void)
{
    atomic_bool stop = true;
    enum prime_class class = CLASS_PRIME;
    enum prime_proof proof = PROOF_BLS;
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 4423);
    mpz_sub_ui(n, n, 1);
    CU_ASSERT_FALSE(primebig_until(n, &stop, &class, &proof));
    CU_ASSERT_TRUE(class == CLASS_PRIME && proof == PROOF_BLS);
    mpz_clear(n);
}

static void *count_primes(void *out)
{
    unsigned *count = out;
    enum prime_proof proof;
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 100);
    for (int i = 0; i < 2000; i++, mpz_add_ui(n, n, 1))
        *count += primebig(n, &proof) == CLASS_PROBABLE;
    mpz_clear(n);
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[4];
    unsigned count[4] = {0}, alone = 0;
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, count_primes, &count[i]),
                              0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    count_primes(&alone);
    CU_ASSERT_TRUE(alone > 0);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(count[i], alone);
}

static const struct unit_test tests[] = {
    {"below 2^64", test_small},
    {"around the seams, against FLINT", test_seams},
    {"random, against FLINT", test_random},
    {"psi_12 and psi_13", test_psi},
    {"Arnault's number", test_arnault},
    {"p(2p-1) and Carmichael numbers", test_carmichael},
    {"prime powers", test_powers},
    {"Mersenne numbers", test_mersenne},
    {"large, against GMP", test_large},
    {"stop", test_stop},
    {"threads", test_threads},
};

UNIT_MAIN("primebig", tests)
