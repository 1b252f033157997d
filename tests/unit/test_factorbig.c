/*
 * Oracles: FLINT's fmpz_factor where it is quick; elsewhere numbers built from known
 * primes, whose factors are known beforehand; GMP for primality of every factor.
 */
#include "arith/factorbig.h"

#include <flint/flint.h>
#include <flint/fmpz.h>
#include <flint/fmpz_factor.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/qclock.h"
#include "unit.h"

/* What must hold of any answer: ascending primes, product n, cofactor composite or 1.
 */
static bool is_right(const struct factorbig *f, const mpz_t n, bool done)
{
    bool right = true, finished = mpz_cmp_ui(f->cofactor, 1) == 0;
    mpz_t product;
    mpz_init_set(product, f->cofactor);
    for (size_t i = 0; i < f->n; i++) {
        mpz_mul(product, product, f->p[i]);
        right &= mpz_probab_prime_p(f->p[i], 25) != 0;
        right &= i == 0 || mpz_cmp(f->p[i - 1], f->p[i]) <= 0;
    }
    right &= mpz_cmp(product, n) == 0 && finished == done;
    right &= finished || !mpz_probab_prime_p(f->cofactor, 25);
    mpz_clear(product);
    if (!right)
        gmp_printf("\n  wrong: %Zd", n);
    return right;
}

static void check_answer(const struct factorbig *f, const mpz_t n, bool done)
{
    CU_ASSERT_TRUE(is_right(f, n, done));
}

/* Factors n completely; returns the number of prime factors. */
static size_t check_done(const mpz_t n)
{
    struct factorbig f;
    factorbig_init(&f);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    check_answer(&f, n, true);
    size_t count = f.n;
    factorbig_release(&f);
    return count;
}

static void check_flint(const mpz_t n)
{
    struct factorbig f;
    fmpz_t z;
    fmpz_factor_t want;
    fmpz_init(z);
    fmpz_factor_init(want);
    factorbig_init(&f);
    fmpz_set_mpz(z, n);
    fmpz_factor(want, z);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    check_answer(&f, n, true);
    size_t count = 0;
    for (slong i = 0; i < want->num; i++)
        count += want->exp[i];
    CU_ASSERT_EQUAL(f.n, count);
    factorbig_release(&f);
    fmpz_factor_clear(want);
    fmpz_clear(z);
}

static void check_text(const char *digits, size_t count)
{
    mpz_t n;
    mpz_init_set_str(n, digits, 10);
    CU_ASSERT_EQUAL(check_done(n), count);
    mpz_clear(n);
}

static void random_prime(mpz_t p, unsigned bits)
{
    mpz_set_ui(p, unit_random());
    mpz_mul_2exp(p, p, 64);
    mpz_add_ui(p, p, unit_random());
    mpz_fdiv_r_2exp(p, p, bits);
    mpz_setbit(p, bits - 1);
    mpz_nextprime(p, p);
}

static void test_tiny(void)
{
    mpz_t n;
    mpz_init(n);
    for (unsigned v = 2; v < 2000; v++) {
        mpz_set_ui(n, v);
        check_flint(n);
    }
    for (unsigned v = 0; v < 2; v++) { /* 0 and 1 have no factors and no product */
        struct factorbig f;
        factorbig_init(&f);
        mpz_set_ui(n, v);
        CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
        CU_ASSERT_TRUE(f.n == 0 && mpz_cmp_ui(f.cofactor, 1) == 0);
        factorbig_release(&f);
    }
    mpz_clear(n);
}

static void test_seams(void)
{
    mpz_t n;
    mpz_init(n);
    for (unsigned k = 0; k < 40; k++) {
        mpz_ui_pow_ui(n, 2, 64);
        mpz_add_ui(n, n, k);
        check_flint(n);
        mpz_sub_ui(n, n, 2 * k);
        check_flint(n);
        mpz_ui_pow_ui(n, 10, 20 + k / 3);
        mpz_add_ui(n, n, k % 3);
        check_flint(n);
        mpz_sub_ui(n, n, 3);
        check_flint(n);
    }
    for (unsigned k = 0; k < 4; k++) {
        mpz_ui_pow_ui(n, 2, 128);
        mpz_add_ui(n, n, k);
        check_done(n);
        mpz_sub_ui(n, n, 2 * k + 1);
        check_done(n);
    }
    mpz_clear(n);
}

static void test_random(void)
{
    mpz_t n;
    mpz_init(n);
    for (uint64_t i = 0; i < 40 * unit_scale(); i++) {
        mpz_set_ui(n, unit_random());
        mpz_mul_2exp(n, n, 64);
        mpz_add_ui(n, n, unit_random());
        mpz_tdiv_q_2exp(n, n, 28 + i % 36);
        check_flint(n);
        mpz_mul_ui(n, n, unit_random() % 1000000);
        check_done(n);
    }
    mpz_clear(n);
}

/* Numbers that threads share. */
struct shared {
    mp_limb_t n[5000][2];
    atomic_size_t next, wrong;
};

enum { SHARED = sizeof((struct shared *)NULL)->n / sizeof(mp_limb_t[2]) };

static void *factor_shared(void *arg)
{
    struct shared *s = arg;
    struct factorbig f;
    factorbig_init(&f);
    for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < SHARED;) {
        mpz_t z;
        mpz_srcptr n = mpz_roinit_n(z, s->n[i], 2);
        if (factorbig(&f, n, NULL) != FACTORBIG_DONE || !is_right(&f, n, true))
            atomic_fetch_add(&s->wrong, 1);
    }
    factorbig_release(&f);
    return NULL;
}

/* Factors them on every core; CUnit is for one thread. */
static void check_shared(struct shared *s)
{
    enum { MOST = 16 };
    pthread_t thread[MOST];
    long cores = sysconf(_SC_NPROCESSORS_ONLN), count = cores < MOST ? cores : MOST;
    atomic_init(&s->next, 0);
    atomic_init(&s->wrong, 0);
    for (long i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, factor_shared, s), 0);
    for (long i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    CU_ASSERT_EQUAL(s->wrong, 0);
}

/* 10^5 random numbers of each of three classes, fewer under a sanitizer: the product
 * and GMP's primality of each factor say all there is to be said, and FLINT would take
 * minutes. */
static void test_classes(void)
{
    static const unsigned bits[][2] = {{65, 80}, {81, 96}, {97, 128}}; /* from, to */
    static struct shared s;
    const char *sanitizer = getenv("SANITIZER");
    const uint64_t blocks = (sanitizer && *sanitizer ? 1 : 20) * unit_scale();
    for (size_t c = 0; c < sizeof bits / sizeof *bits; c++)
        for (uint64_t block = 0; block < blocks; block++) {
            for (size_t i = 0; i < SHARED; i++) {
                unsigned range = bits[c][1] - bits[c][0] + 1;
                unsigned many = bits[c][0] + (unsigned)(unit_random() % range) - 64;
                s.n[i][0] = unit_random();
                s.n[i][1] = unit_random() >> (64 - many) | UINT64_C(1) << (many - 1);
            }
            check_shared(&s);
        }
}

static void test_semiprimes(void)
{
    mpz_t p, q;
    mpz_inits(p, q, NULL);
    for (unsigned bits = 33; bits < 64; bits += 3) {
        random_prime(p, bits);
        random_prime(q, bits);
        mpz_mul(q, q, p);
        CU_ASSERT_EQUAL(check_done(q), 2);
        mpz_mul_ui(q, p, 2);
        mpz_sub_ui(q, q, 1);
        mpz_mul(q, q, p); /* p (2p - 1) */
        check_done(q);
        mpz_nextprime(q, p);
        mpz_mul(q, q, p); /* neighbours */
        CU_ASSERT_EQUAL(check_done(q), 2);
    }
    mpz_clears(p, q, NULL);
}

static void test_powers(void)
{
    mpz_t p, q, n;
    mpz_inits(p, q, n, NULL);
    for (unsigned bits = 22; bits < 120; bits += 7) {
        random_prime(p, bits);
        random_prime(q, 30);
        for (unsigned long k = 2; k <= 7; k++) {
            mpz_pow_ui(n, p, k);
            CU_ASSERT_EQUAL(check_done(n), k);
        }
        mpz_mul(n, p, p);
        mpz_mul(n, n, q);
        CU_ASSERT_EQUAL(check_done(n), 3); /* p^2 q */
        mpz_mul(n, n, q);
        CU_ASSERT_EQUAL(check_done(n), 4); /* (p q)^2 */
        mpz_mul(n, n, n);
        CU_ASSERT_EQUAL(check_done(n), 8); /* (p q)^4 */
    }
    mpz_ui_pow_ui(n, 2, 33219);
    CU_ASSERT_EQUAL(check_done(n), 33219);
    mpz_ui_pow_ui(n, 3, 101);
    CU_ASSERT_EQUAL(check_done(n), 101);
    mpz_clears(p, q, n, NULL);
}

static void test_known(void)
{
    check_text("3317044064679887385961981", 2);               /* psi_13 */
    check_text("318665857834031151167461", 2);                /* psi_12 */
    check_text("340282366920938463463374607431768211457", 2); /* F7 */
    check_text("147573952589676412927", 2);                   /* M67 (Cole 1903) */
    check_text("2535301200456458802993406410751", 2);         /* 2^101 - 1 */
    check_text("3138550867693340381917894711603833208051177722232017256447",
               5); /* M191 */
    check_text("1000000000000000000000000000000000000000000000000007", 3);
    check_text("1000000000000000000000000000000000000000000000000009", 4);
    check_text("1111111111111111111111111111111111111111111111111111111111111111", 15);
    check_text("32252534954313713423376502147614086756012835359797", 2);
    /* strong pseudoprimes to the bases to 31 (Arnault 1995), to 100 (Bleichenbacher) */
    check_text("1195068768795265792518361315725116351898245581", 2);
    check_text("68528663395046912244223605902738356719751082784386681071", 3);
}

/* Several factors of 14 to 20 digits: what a sieve would take long for, and ECM finds.
 */
static void test_middle_factors(void)
{
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    for (unsigned bits = 48; bits <= 60; bits += 6) {
        mpz_set_ui(n, 1);
        for (int i = 0; i < 4; i++) {
            random_prime(p, bits);
            mpz_mul(n, n, p);
        }
        CU_ASSERT_EQUAL(check_done(n), 4);
    }
    mpz_clears(n, p, NULL);
}

/* 10,000 digits, all primes small: of any size up to 10^6, and too many for one curve.
 */
static void test_long_and_smooth(void)
{
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    size_t count = 0;
    for (mpz_set_ui(n, 1); mpz_sizeinbase(n, 10) < 9990; count++) {
        random_prime(p, 4 + (unsigned)(unit_random() % 16));
        mpz_mul(n, n, p);
    }
    CU_ASSERT_EQUAL(check_done(n), count);
    count = 0;
    for (mpz_set_ui(n, 1); mpz_sizeinbase(n, 10) < 600; count++) {
        random_prime(p, 24);
        mpz_mul(n, n, p);
    }
    CU_ASSERT_EQUAL(check_done(n), count);
    mpz_clears(n, p, NULL);
}

/* What is left over: known factors taken out, the rest composite; always the same. */
static void test_unfinished(void)
{
    struct factorbig f, again;
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    factorbig_init(&f);
    factorbig_init(&again);
    mpz_ui_pow_ui(p, 2, 1279); /* M1279 and M9689 are primes */
    mpz_sub_ui(p, p, 1);
    mpz_ui_pow_ui(n, 2, 9689);
    mpz_sub_ui(n, n, 1);
    mpz_mul(n, n, p);
    mpz_mul_ui(n, n, 1000003);
    mpz_mul_ui(n, n, 2 * 2 * 97);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_UNFINISHED);
    check_answer(&f, n, false);
    CU_ASSERT_EQUAL(f.n, 4);
    CU_ASSERT_EQUAL(f.proof, PROOF_DETERMINISTIC_64);
    CU_ASSERT_EQUAL(factorbig(&again, n, NULL), FACTORBIG_UNFINISHED);
    CU_ASSERT_EQUAL(mpz_cmp(f.cofactor, again.cofactor), 0);
    CU_ASSERT_EQUAL(f.n, again.n);
    factorbig_release(&f);
    factorbig_release(&again);
    mpz_clears(n, p, NULL);
}

static void check_proof(const char *digits, enum prime_proof proof)
{
    struct factorbig f;
    mpz_t n;
    mpz_init_set_str(n, digits, 10);
    factorbig_init(&f);
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
    CU_ASSERT_EQUAL(f.proof, proof);
    factorbig_release(&f);
    mpz_clear(n);
}

static void test_proof(void)
{
    check_proof("0", PROOF_NONE);
    check_proof("1", PROOF_NONE);
    check_proof("6", PROOF_DETERMINISTIC_64);
    check_proof("18446744073709551617", PROOF_DETERMINISTIC_64);
    check_proof("55340232221128654887", PROOF_MR13); /* 3 (2^64 + 13) */
    check_proof("510423550381407695195061911147652317181",
                PROOF_BPSW); /* 3 (2^127 - 1) */
}

/* Without its helper the answer is still complete up to FACTORBIG_SURE digits. */
static void test_no_helper(void)
{
    setenv("QUERN_LIBEXEC", "/nonexistent", 1);
    check_text("1267650600228402790082356974917", 2); /* neighbours of 2^50 */
    unsetenv("QUERN_LIBEXEC");
}

static void *raise_later(void *stop)
{
    usleep(30000);
    atomic_store((atomic_bool *)stop, true);
    return NULL;
}

static void check_stop(const mpz_t n)
{
    atomic_bool stop = false;
    struct factorbig f;
    pthread_t thread;
    factorbig_init(&f);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, raise_later, &stop), 0);
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL(factorbig(&f, n, &stop), FACTORBIG_STOPPED);
    CU_ASSERT_TRUE(qclock_ns() - start < 500000000u); /* ample: a busy machine */
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(factorbig(&f, n, &stop), FACTORBIG_STOPPED);
    factorbig_release(&f);
}

/* In trial division and ECM of a long number, in a long primality test, in a sieve. */
static void test_stop(void)
{
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    mpz_ui_pow_ui(n, 2, 33000);
    mpz_add_ui(n, n, 1);
    check_stop(n);
    mpz_ui_pow_ui(n, 2, 11213); /* a prime */
    mpz_sub_ui(n, n, 1);
    check_stop(n);
    mpz_ui_pow_ui(n, 10, 35);
    mpz_nextprime(p, n);
    mpz_nextprime(n, p);
    mpz_mul(n, n, p);
    check_stop(n);
    mpz_clears(n, p, NULL);
}

static void *factor_some(void *arg)
{
    struct factorbig *f = arg;
    mpz_t n;
    mpz_init(n);
    for (unsigned e = 135; e < 143; e++) {
        mpz_ui_pow_ui(n, 2, e);
        mpz_sub_ui(n, n, 1);
        if (factorbig(f, n, NULL) != FACTORBIG_DONE)
            break;
    }
    mpz_clear(n);
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[3];
    struct factorbig f[4];
    for (int i = 0; i < 4; i++)
        factorbig_init(&f[i]);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, factor_some, &f[i]), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    factor_some(&f[3]);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(f[i].n, f[3].n);
        for (size_t k = 0; k < f[i].n && k < f[3].n; k++)
            CU_ASSERT_EQUAL(mpz_cmp(f[i].p[k], f[3].p[k]), 0);
    }
    for (int i = 0; i < 4; i++)
        factorbig_release(&f[i]);
}

/* A wrong factor is found out by the product. */
static void test_wrong(void)
{
    struct factorbig f;
    mpz_t n, p;
    mpz_init_set_ui(n, 2 * 5 * 5);
    mpz_init_set_ui(p, 5);
    factorbig_init(&f);
    CU_ASSERT_TRUE(factorbig_add(&f, p, PROOF_DETERMINISTIC_64));
    CU_ASSERT_TRUE(factorbig_add(&f, p, PROOF_DETERMINISTIC_64));
    CU_ASSERT_EQUAL(factorbig_finish(&f, n), FACTORBIG_WRONG);
    mpz_set_ui(f.cofactor, 2);
    CU_ASSERT_EQUAL(factorbig_finish(&f, n), FACTORBIG_UNFINISHED);
    mpz_set_ui(f.cofactor, 1);
    mpz_set_ui(p, 2);
    CU_ASSERT_TRUE(factorbig_add(&f, p, PROOF_DETERMINISTIC_64));
    CU_ASSERT_EQUAL(factorbig_finish(&f, n), FACTORBIG_DONE);
    CU_ASSERT_EQUAL(mpz_cmp_ui(f.p[0], 2), 0);
    mpz_ui_pow_ui(n, 10, 30);
    setenv("QUERN_FAULT", "factorbig", 1);
#ifdef QUERN_FAULT
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_WRONG);
#else
    CU_ASSERT_EQUAL(factorbig(&f, n, NULL), FACTORBIG_DONE);
#endif
    unsetenv("QUERN_FAULT");
    factorbig_release(&f);
    mpz_clears(n, p, NULL);
}

/* Curves leave no memory behind: libecm's own leak would be some 2,000 bytes a number.
 * The bound leaves room for what malloc keeps in its lists. */
static void test_memory(void)
{
    atomic_bool never = false;
    struct factorbig f;
    mpz_t n;
    size_t before = 0;
    factorbig_init(&f);
    mpz_init(n);
    for (int i = 0; i < 30; i++) {
        mpz_ui_pow_ui(n, 2, 137); /* 32032215596496435569 5439042183600204290159 */
        mpz_sub_ui(n, n, 1);
        CU_ASSERT_EQUAL(factorbig(&f, n, &never), FACTORBIG_DONE);
        if (i == 9)
            before = mallinfo2().uordblks;
    }
    CU_ASSERT_TRUE(mallinfo2().uordblks <= before + 20000);
    mpz_clear(n);
    factorbig_release(&f);
}

static const struct unit_test tests[] = {
    {"memory", test_memory},
    {"tiny", test_tiny},
    {"around 2^64, 2^128, powers of ten", test_seams},
    {"random, against FLINT", test_random},
    {"random numbers of three classes", test_classes},
    {"semiprimes", test_semiprimes},
    {"powers", test_powers},
    {"known factorizations", test_known},
    {"middle factors", test_middle_factors},
    {"10,000 digits, smooth", test_long_and_smooth},
    {"unfinished", test_unfinished},
    {"proof", test_proof},
    {"no helper", test_no_helper},
    {"stop", test_stop},
    {"threads", test_threads},
    {"wrong product", test_wrong},
};

UNIT_MAIN("factorbig", tests)
