/* test_mpqs: every factor is checked by division, primality comes from GMP. */
#include <pthread.h>
#include <string.h>

#include "arith/mpqs_internal.h"
#include "base/qclock.h"
#include "unit.h"

static atomic_bool never;

static void random_bits(mpz_t z, unsigned bits)
{
    mpz_set_ui(z, 0);
    for (unsigned i = 0; i < bits; i += 32) {
        mpz_mul_2exp(z, z, 32);
        mpz_add_ui(z, z, unit_random() >> 32);
    }
    mpz_fdiv_r_2exp(z, z, bits);
}

/* A random prime of exactly that many bits. */
static void random_prime(mpz_t p, unsigned bits)
{
    do {
        random_bits(p, bits);
        mpz_setbit(p, bits - 1);
        mpz_nextprime(p, p);
    } while (mpz_sizeinbase(p, 2) != bits);
}

static bool is_proper(const mpz_t f, const mpz_t n)
{
    return mpz_cmp_ui(f, 1) > 0 && mpz_cmp(f, n) < 0 && mpz_divisible_p(n, f);
}

/* n is split; a proper factor. */
static void check_split(struct mpqs *w, const mpz_t n)
{
    mpz_t f;
    mpz_init(f);
    enum mpqs_status st = mpqs_split(w, f, n, &never);
    CU_ASSERT_EQUAL(st, MPQS_FOUND);
    CU_ASSERT(is_proper(f, n));
    if (st != MPQS_FOUND || !is_proper(f, n))
        gmp_printf("failed: %Zd\n", n);
    mpz_clear(f);
}

static void check_string(struct mpqs *w, const char *text)
{
    mpz_t n;
    mpz_init_set_str(n, text, 10);
    check_split(w, n);
    mpz_clear(n);
}

/* Semiprimes of every size; the smaller prime has from 2 bits to half of them. */
static void test_semiprimes(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t p, n;
    mpz_inits(p, n, NULL);
    for (uint64_t i = 0; i < 3 * unit_scale(); i++) {
        for (unsigned bits = 42; bits <= 140; bits++) {
            unsigned half = bits / 2;
            unsigned small = i % 3 ? 2 + (unsigned)(unit_random() % (half - 1)) : half;
            if (bits > 110 && i % 3 != bits % 3)
                continue; /* they take long */
            do {
                random_prime(p, small);
                random_prime(n, bits - small);
            } while (!mpz_cmp(p, n) || !mpz_cmp_ui(p, 2));
            mpz_mul(n, n, p);
            if (mpz_sizeinbase(n, 2) >= MPQS_MIN_BITS)
                check_split(w, n);
        }
    }
    mpz_clears(p, n, NULL);
    mpqs_free(w);
}

/* Every odd composite but powers in a range, so all that is small and nasty together.
 */
static void test_ranges(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t n;
    mpz_init(n);
    for (unsigned bits = 40; bits <= 88; bits += 8) {
        mpz_set_ui(n, 0);
        mpz_setbit(n, bits);
        mpz_add_ui(n, n, (unit_random() & 0xffffff) | 1);
        for (uint64_t i = 0; i < 60 * unit_scale(); i++, mpz_add_ui(n, n, 2))
            if (!mpz_probab_prime_p(n, 20) && !mpz_perfect_power_p(n))
                check_split(w, n);
    }
    mpz_clear(n);
    mpqs_free(w);
}

static void test_three_primes(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t p, n;
    mpz_inits(p, n, NULL);
    for (uint64_t i = 0; i < 2 * unit_scale(); i++) {
        for (unsigned bits = 15; bits <= 36; bits++) {
            mpz_set_ui(n, 1);
            for (int j = 0; j < 3; j++) {
                random_prime(p, bits);
                mpz_mul(n, n, p);
            }
            if (!mpz_perfect_power_p(n))
                check_split(w, n);
            mpz_mul(p, p, p); /* p^2 q */
            random_prime(n, bits);
            mpz_mul(n, n, p);
            if (!mpz_perfect_power_p(n))
                check_split(w, n);
        }
    }
    mpz_clears(p, n, NULL);
    mpqs_free(w);
}

/* Small factors, also those that the multiplier may hold, and their squares. */
static void test_small_factors(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t p, n;
    mpz_inits(p, n, NULL);
    for (unsigned long q = 3; q < 110; q += 2) {
        random_prime(p, 50);
        mpz_mul_ui(n, p, q);
        check_split(w, n);
        mpz_mul_ui(n, n, q);
        check_split(w, n);
    }
    mpz_clears(p, n, NULL);
    mpqs_free(w);
}

/* Primes next to each other, and at small ratios (Fermat's and Lehman's cases). */
static void test_close_primes(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t p, q;
    mpz_inits(p, q, NULL);
    for (unsigned bits = 21; bits <= 64; bits++) {
        random_prime(p, bits);
        mpz_nextprime(q, p);
        mpz_mul(q, q, p);
        check_split(w, q);
        mpz_mul_ui(q, p, 2 + bits % 5);
        mpz_nextprime(q, q);
        mpz_mul(q, q, p);
        check_split(w, q);
    }
    mpz_clears(p, q, NULL);
    mpqs_free(w);
}

/* (6k+1)(12k+1)(18k+1) with three primes is a Carmichael number (Chernick 1939). */
static void test_carmichael(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t n, p;
    mpz_inits(n, p, NULL);
    int done = 0;
    for (unsigned long k = 100000 + unit_random() % 100000; done < 3; k++) {
        mpz_set_ui(n, 1);
        int primes = 0;
        for (unsigned long c = 6; c <= 18; c += 6) {
            mpz_set_ui(p, c * k + 1);
            primes += mpz_probab_prime_p(p, 20) > 0;
            mpz_mul(n, n, p);
        }
        if (primes < 3)
            continue;
        check_split(w, n);
        done++;
    }
    mpz_clears(n, p, NULL);
    mpqs_free(w);
}

/* Hard semiprimes of the record books, and ends of the machine's words. */
static void test_known(void)
{
    static const char *const known[] = {
        "18446744073709551617",                    /* 2^64 + 1, Landry 1880 */
        "73786976294838206463",                    /* 2^66 - 1 */
        "147573952589676412927",                   /* 2^67 - 1, Cole 1903 */
        "340282366920938463463374607431768211457", /* 2^128 + 1, Morrison, Brillhart */
        "340282366920938463463374607431768211455", /* 2^128 - 1 */
        "18446743979220271189",                    /* the two primes below 2^32 */
        "340282366920938460843936948965011886881", /* 2^64 - 59, 2^64 - 83 */
        "1298074214633706907132624082305023",      /* 2^110 - 1 */
        "2535301200456458802993406410751",         /* 2^101 - 1 */
    };
    struct mpqs *w = mpqs_new();
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        check_string(w, known[i]);
    mpqs_free(w);
}

static void test_unsuited(void)
{
    struct mpqs *w = mpqs_new();
    mpz_t n, f;
    mpz_inits(n, f, NULL);
    mpz_set_ui(f, 77);
    for (unsigned bits = 21; bits <= 48; bits += 3) {
        random_prime(n, 2 * bits);
        CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_UNSUITED);
        random_prime(n, bits);
        mpz_mul(n, n, n);
        CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_UNSUITED);
        random_prime(n, bits - 5);
        mpz_pow_ui(n, n, 3);
        CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_UNSUITED);
    }
    static const char *const bad[] = {"0",
                                      "1",
                                      "-1000000000000000000003",
                                      "15",
                                      "1099511627775",
                                      "1000000000000000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mpz_set_str(n, bad[i], 10);
        CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_UNSUITED);
    }
    mpz_set_ui(n, 1);
    mpz_mul_2exp(n, n, MPQS_BITS);
    mpz_add_ui(n, n, 1);
    CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_UNSUITED);
    CU_ASSERT_EQUAL(mpz_cmp_ui(f, 77), 0); /* untouched */
    mpz_clears(n, f, NULL);
    mpqs_free(w);
}

static void random_semiprime(mpz_t n, unsigned bits)
{
    mpz_t p;
    mpz_init(p);
    random_prime(p, bits / 2);
    do
        random_prime(n, bits - bits / 2);
    while (!mpz_cmp(n, p));
    mpz_mul(n, n, p);
    mpz_clear(p);
}

/* Lanes of any processor do the same: the same relations, the same factor. */
static void test_same_lanes(void)
{
    struct mpqs *w = mpqs_new(), *g = mpqs_new();
    mpqs_use(g, &mpqs_ops_generic);
    if (w->ops == g->ops)
        printf("SKIP: no lanes but the generic ones here\n");
    mpz_t n, f, h;
    mpz_inits(n, f, h, NULL);
    for (uint64_t i = 0; i < unit_scale(); i++) {
        for (unsigned bits = 42; bits <= 152; bits += 5) {
            random_semiprime(n, bits);
            w->polys = w->candidates = w->examined = 0;
            g->polys = g->candidates = g->examined = 0;
            CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_FOUND);
            CU_ASSERT_EQUAL(mpqs_split(g, h, n, &never), MPQS_FOUND);
            CU_ASSERT_EQUAL(mpz_cmp(f, h), 0);
            CU_ASSERT_EQUAL(w->polys, g->polys);
            CU_ASSERT_EQUAL(w->candidates, g->candidates);
            CU_ASSERT_EQUAL(w->examined, g->examined);
            CU_ASSERT_EQUAL(w->store.n, g->store.n);
        }
    }
    mpz_clears(n, f, h, NULL);
    mpqs_free(w);
    mpqs_free(g);
}

/* What a workspace did before has no effect. */
static void test_same_after_use(void)
{
    static const unsigned bits[] = {150, 60, 44, 110, 42, 84, 130, 48};
    struct mpqs *w = mpqs_new();
    mpz_t n, f, h;
    mpz_inits(n, f, h, NULL);
    for (size_t i = 0; i < sizeof bits / sizeof bits[0] * unit_scale(); i++) {
        struct mpqs *fresh = mpqs_new();
        random_semiprime(n, bits[i % 8]);
        w->polys = 0;
        CU_ASSERT_EQUAL(mpqs_split(w, f, n, &never), MPQS_FOUND);
        CU_ASSERT_EQUAL(mpqs_split(fresh, h, n, &never), MPQS_FOUND);
        CU_ASSERT_EQUAL(mpz_cmp(f, h), 0);
        CU_ASSERT_EQUAL(w->base.n, fresh->base.n);
        CU_ASSERT_EQUAL(w->polys, fresh->polys);
        CU_ASSERT_EQUAL(w->store.n, fresh->store.n);
        mpqs_free(fresh);
    }
    mpz_clears(n, f, h, NULL);
    mpqs_free(w);
}

/* All relations of a factorization hold: value^2 = product of the rows * large mod n,
 * and no value is there twice. */
static void check_relations(const struct mpqs *w)
{
    const struct mpqs_store *s = &w->store;
    mpz_t x, y;
    mpz_inits(x, y, NULL);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct mpqs_relation *r = &s->rel[i];
        mpz_set_ui(y, r->large);
        for (uint32_t j = r->rows; j < r->rows + r->nrows; j++) {
            if (s->row[j] == 0)
                mpz_neg(y, y);
            else
                mpz_mul_ui(y, y, w->base.prime[s->row[j] - 1]);
        }
        mpz_import(x, s->limbs, -1, sizeof(uint64_t), 0, 0,
                   s->value + (size_t)i * s->limbs);
        mpz_mul(x, x, x);
        CU_ASSERT(mpz_congruent_p(x, y, w->n));
        CU_ASSERT(r->mate <= i && s->rel[r->mate].large == r->large);
        for (uint32_t j = 0; j < i && j < 200; j++)
            CU_ASSERT(memcmp(s->value + (size_t)i * s->limbs,
                             s->value + (size_t)j * s->limbs,
                             s->limbs * sizeof(uint64_t)) != 0);
    }
    mpz_clears(x, y, NULL);
}

/* Sizes that reach primes above 2^15 and polynomials above 128 bits by parameters. */
static void test_relations(void)
{
    static const struct {
        unsigned bits;
        struct mpqs_params p;
    } row[] = {
        {60, {30, 1024, 1, 20, 8, 50, 20, 200}},
        {96, {100, 4096, 1, 60, 40, 120, 20, 800}},
        {96, {2500, 32768, 1, 20, 40, 120, 20, 300}},
        {96, {2500, 4096, 3, 20, 40, 120, 20, 300}},
        {120, {200, 8192, 5, 30, 60, 150, 30, 800}},
        {140, {3000, 32768, 2, 30, 60, 150, 30, 1000}},
    };
    struct mpqs *w = mpqs_new();
    mpz_t n, f;
    mpz_inits(n, f, NULL);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        random_semiprime(n, row[i].bits);
        CU_ASSERT_EQUAL(mpqs_split_with(w, f, n, &never, &row[i].p), MPQS_FOUND);
        CU_ASSERT(is_proper(f, n));
        CU_ASSERT(w->store.n > 0);
        check_relations(w);
    }
    mpz_clears(n, f, NULL);
    mpqs_free(w);
}

enum { SAME = 24, THREADS = 4 };

struct same {
    mpz_t n[SAME], f[SAME];
    bool ok;
};

static void *split_all(void *arg)
{
    struct same *s = arg;
    s->ok = true;
    for (int i = 0; i < SAME; i++)
        s->ok &= mpqs_factor(s->f[i], s->n[i], &never) == MPQS_FOUND;
    return NULL;
}

/* The same factor from fresh workspaces in threads, a used workspace, in any order. */
static void test_same_answer(void)
{
    static struct same s[THREADS];
    pthread_t id[THREADS];
    mpz_t f;
    mpz_init(f);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < SAME; i++)
            mpz_inits(s[t].n[i], s[t].f[i], NULL);
    for (int i = 0; i < SAME; i++) {
        random_prime(f, 24 + (unsigned)i);
        random_prime(s[0].n[i], 23 + (unsigned)i);
        mpz_mul(s[0].n[i], s[0].n[i], f);
        for (int t = 1; t < THREADS; t++)
            mpz_set(s[t].n[i], s[0].n[i]);
    }
    for (int t = 0; t < THREADS; t++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&id[t], NULL, split_all, &s[t]), 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(id[t], NULL);
    struct mpqs *w = mpqs_new();
    for (int i = SAME; i--;) {
        CU_ASSERT_EQUAL(mpqs_split(w, f, s[0].n[i], &never), MPQS_FOUND);
        CU_ASSERT(is_proper(f, s[0].n[i]));
        for (int t = 0; t < THREADS; t++)
            CU_ASSERT(s[t].ok && mpz_cmp(f, s[t].f[i]) == 0);
    }
    mpqs_free(w);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < SAME; i++)
            mpz_clears(s[t].n[i], s[t].f[i], NULL);
    mpz_clear(f);
}

struct stopped {
    struct mpqs *w; /* or NULL */
    mpz_t n;
    atomic_bool stop;
    enum mpqs_status status;
    uint64_t end_ns; /* of its own CPU time, as all times here */
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    CU_ASSERT_EQUAL_FATAL(clock_gettime(clock, &t), 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *split_long(void *arg)
{
    struct stopped *s = arg;
    mpz_t f;
    mpz_init(f);
    s->status =
        s->w ? mpqs_split(s->w, f, s->n, &s->stop) : mpqs_factor(f, s->n, &s->stop);
    s->end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    mpz_clear(f);
    /* It waits, so that its clock is there to be read. */
    while (!atomic_load(&s->stop))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return NULL;
}

/* Lets s->n be split for so many ms of CPU time, stops it, and returns how many ns more
 * it took. */
static uint64_t stop_after(struct stopped *s, uint64_t ms)
{
    pthread_t id;
    clockid_t clock;
    atomic_store(&s->stop, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&id, NULL, split_long, s), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_getcpuclockid(id, &clock), 0);
    uint64_t limit = qclock_ns() + UINT64_C(60000000000), now;
    while ((now = clock_ns(clock)) < ms * 1000000 && qclock_ns() < limit)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    atomic_store(&s->stop, true);
    pthread_join(id, NULL);
    return s->end_ns > now ? s->end_ns - now : 0;
}

static void test_stop(void)
{
    const uint64_t slow = unit_env("TIME_SCALE", 1); /* sanitizers, emulators */
    struct stopped s = {.w = NULL};
    mpz_init(s.n);
    atomic_init(&s.stop, true);
    random_prime(s.n, 40);
    mpz_mul_ui(s.n, s.n, 1000003);
    split_long(&s);
    CU_ASSERT_EQUAL(s.status, MPQS_STOPPED);
    for (unsigned bits = 200; bits <= 278; bits += 26) {
        random_semiprime(s.n, bits);
        uint64_t more_ns = stop_after(&s, 30);
        CU_ASSERT_EQUAL(s.status, MPQS_STOPPED);
        /* 10 ms are promised */
        CU_ASSERT(more_ns < 50000000 * slow);
    }
    mpz_clear(s.n);
}

/* Polynomials that do not fit 128 bits: the relations of a run cut short hold. */
static void test_wide(void)
{
    struct stopped s = {.w = mpqs_new()};
    mpz_init(s.n);
    random_semiprime(s.n, 256);
    atomic_init(&s.stop, false);
    (void)stop_after(&s, 300 * unit_env("TIME_SCALE", 1));
    CU_ASSERT_EQUAL(s.status, MPQS_STOPPED);
    CU_ASSERT(s.w->poly.wide);
    CU_ASSERT(s.w->store.n > 0);
    check_relations(s.w);
    mpz_clear(s.n);
    mpqs_free(s.w);
}

static const struct unit_test tests[] = {
    {"semiprimes of 42 to 140 bits", test_semiprimes},
    {"all composites in ranges", test_ranges},
    {"three primes, squares of one", test_three_primes},
    {"small factors", test_small_factors},
    {"close primes", test_close_primes},
    {"Carmichael numbers", test_carmichael},
    {"known numbers", test_known},
    {"unsuited numbers", test_unsuited},
    {"lanes of all processors", test_same_lanes},
    {"used workspaces", test_same_after_use},
    {"relations hold", test_relations},
    {"same answer everywhere", test_same_answer},
    {"stop", test_stop},
    {"relations of wide numbers", test_wide},
};

UNIT_MAIN("mpqs", tests)
