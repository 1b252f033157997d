/*
 * Primes known from the literature and from FLINT, composites that fool weaker tests,
 * and helper programs that crash, hang or babble.
 */
#include "arith/prove.h"

#include <flint/flint.h>
#include <flint/fmpz.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arith/helper.h"
#include "base/qclock.h"
#include "unit.h"

static void check_text(const char *digits, enum prove_status want, enum prime_proof why)
{
    enum prime_proof proof = PROOF_NONE;
    mpz_t n;
    mpz_init_set_str(n, digits, 10);
    CU_ASSERT_EQUAL(prove(n, NULL, &proof), want);
    CU_ASSERT_EQUAL(proof, why);
    mpz_clear(n);
}

/* n - 1 = 2 * 7086823257661811607288675020281 * 7027478300917477189423291178333: two
 * primes that are too large to be found quickly. */
static const char *hard =
    "99604993331311376986576913868505901554213219541460094325543147";

static void test_primes(void)
{
    check_text("170141183460469231731687303715884105727", PROVE_PRIME, PROOF_BLS);
    check_text("340282366920938463463374607431768211297", PROVE_PRIME, PROOF_BLS);
}

/* Every prime above the proved range gets a proof, and no other number does. */
static void test_random(void)
{
    fmpz_t f;
    mpz_t n;
    mpz_init(n);
    fmpz_init(f);
    unsigned by_bls = 0, by_aprcl = 0;
    for (unsigned i = 0; i < 60 * (unsigned)unit_scale(); i++) {
        enum prime_proof proof = PROOF_NONE;
        unsigned bits = 82 + i % 60 * 4;
        mpz_ui_pow_ui(n, 2, bits);
        mpz_add_ui(n, n, unit_random() >> 1 | 1);
        if (i % 5 > 0)
            mpz_nextprime(n, n);
        fmpz_set_mpz(f, n);
        bool prime = fmpz_is_prime(f) == 1;
        enum prove_status got = prove(n, NULL, &proof);
        CU_ASSERT_EQUAL(got, prime ? PROVE_PRIME : PROVE_COMPOSITE);
        by_bls += prime && proof == PROOF_BLS;
        by_aprcl += prime && proof == PROOF_APRCL;
    }
    CU_ASSERT_TRUE(by_bls > 10 && by_aprcl > 10);
    mpz_clear(n);
    fmpz_clear(f);
}

/* Products of two primes p (2p - 1), psi_13, and a number of Arnault's kind. */
static void test_composites(void)
{
    mpz_t p, q;
    mpz_inits(p, q, NULL);
    enum prime_proof proof = PROOF_NONE;
    check_text("3317044064679887385961981", PROVE_COMPOSITE, PROOF_NONE);
    for (unsigned bits = 50, made = 0; made < 8; bits += 13) {
        mpz_ui_pow_ui(p, 2, bits);
        do {
            mpz_nextprime(p, p);
            mpz_mul_2exp(q, p, 1);
            mpz_sub_ui(q, q, 1);
        } while (!mpz_probab_prime_p(q, 20));
        mpz_mul(q, q, p);
        CU_ASSERT_EQUAL(prove(q, NULL, &proof), PROVE_COMPOSITE);
        made++;
    }
    mpz_clears(p, q, NULL);
}

/* The helper alone: what it says of numbers that n - 1 would settle before it. */
static void check_helper(const mpz_t n, const char *want)
{
    struct helper_answer answer;
    CU_ASSERT_EQUAL(helper_run(&answer, HELPER_PROVE, n, NULL), HELPER_DONE);
    CU_ASSERT_STRING_EQUAL(answer.text, want);
}

static void test_helper(void)
{
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    mpz_ui_pow_ui(n, 2, 127);
    mpz_sub_ui(n, n, 1);
    check_helper(n, "prime\n");
    mpz_set_str(n, "3317044064679887385961981", 10);
    check_helper(n, "composite\n");
    /* Arnault 1995: passes for every prime base below 307. */
    mpz_set_str(p,
                "29674495668685510550154174642905332730771991799853043350995075531"
                "276838753171770199594238596428121188033664754218345562493168782883",
                10);
    mpz_set(n, p);
    mpz_sub_ui(p, p, 1);
    for (unsigned k = 313; k <= 353; k += 40) {
        mpz_t q;
        mpz_init(q);
        mpz_mul_ui(q, p, k);
        mpz_add_ui(q, q, 1);
        mpz_mul(n, n, q);
        mpz_clear(q);
    }
    check_helper(n, "composite\n");
    mpz_clears(n, p, NULL);
}

/* A shell script in the helper's place. */
static void with_helper(const char *script, enum prove_status want,
                        enum prime_proof proof)
{
    char dir[] = "/tmp/test_prove.XXXXXX";
    char path[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/quern-qs", dir);
    if (script) {
        FILE *file = fopen(path, "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fprintf(file, "#!/bin/sh\n%s\n", script);
        fclose(file);
        chmod(path, 0700);
    }
    setenv("QUERN_LIBEXEC", dir, 1);
    check_text(hard, want, proof);
    unsetenv("QUERN_LIBEXEC");
    unlink(path);
    rmdir(dir);
}

static void test_bad_helpers(void)
{
    with_helper(NULL, PROVE_FAILED, PROOF_NONE);
    with_helper("kill -KILL $$", PROVE_FAILED, PROOF_NONE);
    with_helper("echo prime; kill -KILL $$", PROVE_FAILED, PROOF_NONE);
    with_helper("echo prime; exit 1", PROVE_FAILED, PROOF_NONE);
    with_helper("exit 0", PROVE_FAILED, PROOF_NONE);
    with_helper("echo unknown", PROVE_FAILED, PROOF_NONE);
    with_helper("echo prime; echo prime", PROVE_FAILED, PROOF_NONE);
    with_helper("printf prime", PROVE_FAILED, PROOF_NONE);
    with_helper("exec yes", PROVE_FAILED, PROOF_NONE);
    with_helper("[ \"$1\" = --prove ] && echo composite", PROVE_COMPOSITE, PROOF_NONE);
    with_helper("[ \"$1\" = --prove ] && echo prime", PROVE_PRIME, PROOF_APRCL);
}

static void *raise_later(void *stop)
{
    usleep(50000);
    atomic_store((atomic_bool *)stop, true);
    return NULL;
}

/* 2^2203 - 1 is too long a way for APR-CL; it is stopped after 50 ms. */
static void test_stop(void)
{
    atomic_bool stop = false;
    enum prime_proof proof = PROOF_NONE;
    pthread_t thread;
    mpz_t n;
    mpz_init(n);
    mpz_ui_pow_ui(n, 2, 2203);
    mpz_sub_ui(n, n, 1);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, raise_later, &stop), 0);
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL(prove(n, &stop, &proof), PROVE_STOPPED);
    CU_ASSERT_TRUE(qclock_ns() - start < 1000000000u); /* ample: a busy machine */
    CU_ASSERT_EQUAL(proof, PROOF_NONE);
    pthread_join(thread, NULL);
    mpz_clear(n);
}

/* The proof of a factorization is the weakest of its factors'. */
static void test_factors(void)
{
    struct factorbig f;
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    factorbig_init(&f);
    mpz_set_str(n, "340282366920938463463374607431768211297", 10);
    mpz_mul_ui(n, n, 2 * 2 * 7919);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    CU_ASSERT_EQUAL(f.proof, PROOF_BPSW);
    CU_ASSERT_EQUAL(prove_factors(&f, NULL), PROVE_PRIME);
    CU_ASSERT_EQUAL(f.proof, PROOF_BLS);
    mpz_set_str(p, hard, 10);
    mpz_mul_ui(n, p, 1009 * 1009);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    CU_ASSERT_EQUAL(prove_factors(&f, NULL), PROVE_PRIME);
    CU_ASSERT_EQUAL(f.proof, PROOF_APRCL);
    setenv("QUERN_LIBEXEC", "/nonexistent", 1);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    CU_ASSERT_EQUAL(prove_factors(&f, NULL), PROVE_FAILED);
    CU_ASSERT_EQUAL(f.proof, PROOF_BPSW);
    unsetenv("QUERN_LIBEXEC");
    mpz_set_ui(n, 360);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    CU_ASSERT_EQUAL(prove_factors(&f, NULL), PROVE_PRIME);
    CU_ASSERT_EQUAL(f.proof, PROOF_DETERMINISTIC_64);
    factorbig_release(&f);
    mpz_clears(n, p, NULL);
}

static const struct unit_test tests[] = {
    {"primes", test_primes},
    {"random, against FLINT", test_random},
    {"composites", test_composites},
    {"the helper alone", test_helper},
    {"helpers that fail or lie", test_bad_helpers},
    {"stop", test_stop},
    {"factors", test_factors},
};

UNIT_MAIN("prove", tests)
