/*
 * The oracles: a sieve of smallest prime factors below 2^20; above, the product of the
 * factors (in 128 bits, by this file) and FLINT's n_is_prime for each of them, which
 * together determine the factorization.
 */
#include <flint/flint.h>
#include <flint/ulong_extras.h>
#include <pthread.h>
#include <string.h>

#include "arith/ecm64.h"
#include "arith/factor64.h"
#include "arith/factor64_path.h"
#include "arith/factor64_rho.h"
#include "unit.h"

__extension__ typedef unsigned __int128 uint128;

enum { BATCH = 4096, SIEVE = 1 << 20 };

static uint64_t batch_n[BATCH];
static uint64_t batch_p[BATCH * FACTOR64_MAX + 1];
static uint32_t batch_end[BATCH + 1];
static size_t batch_count;
static uint64_t failures; /* each group of checks asserts once: CUnit is slow */

static void complain(const char *what, uint64_t n)
{
    if (failures++ < 10)
        printf("\n    %s: n = %" PRIu64 "\n", what, n);
}

/* Whether p[0..k) is the factorization of n. */
static bool is_factorization(uint64_t n, const uint64_t *p, int64_t k)
{
    uint128 product = 1;
    if (n < 2)
        return k == 0;
    if (k < 1 || k > FACTOR64_MAX)
        return false;
    for (int64_t i = 0; i < k; i++) {
        if ((i && p[i] < p[i - 1]) || !n_is_prime(p[i]))
            return false;
        product *= p[i];
        if (product > n)
            return false;
    }
    return product == n;
}

/* The answer of one path must be that of factor64_batch, word by word. */
static void check_path(const struct factor64_path *path, const uint64_t *n,
                       size_t count, uint32_t base)
{
    static uint64_t p[BATCH * FACTOR64_MAX];
    static uint32_t end[BATCH];
    size_t words = count ? batch_end[count - 1] - base : 0;
    if (!factor64_batch_by(path, n, count, p, end, base) ||
        memcmp(end, batch_end, count * sizeof end[0]) != 0 ||
        memcmp(p, batch_p, words * sizeof p[0]) != 0)
        complain("paths differ", count ? n[0] : 0);
}

static void check_batch(const uint64_t *n, size_t count, uint32_t base)
{
    const uint64_t guard = 0x5ca1ab1e;
    memset(batch_p, 0xff, count * FACTOR64_MAX * sizeof batch_p[0]);
    batch_p[count * FACTOR64_MAX] = guard;
    batch_end[count] = 77;
    if (!factor64_batch(n, count, batch_p, batch_end, base))
        complain("batch failed its check", count ? n[0] : 0);
    if (batch_p[count * FACTOR64_MAX] != guard || batch_end[count] != 77)
        complain("batch wrote beyond its room", count ? n[0] : 0);
    uint32_t begin = base;
    for (size_t i = 0; i < count; i++) {
        int64_t k = (int64_t)batch_end[i] - begin;
        if (k < 0 || k > FACTOR64_MAX ||
            !is_factorization(n[i], batch_p + (begin - base), k))
            complain("batch", n[i]);
        begin = batch_end[i];
    }
    check_path(&factor64_generic, n, count, base);
    if (factor64_avx2())
        check_path(factor64_avx2(), n, count, base);
}

static void flush(void)
{
    check_batch(batch_n, batch_count, 0);
    batch_count = 0;
}

/* Queues n for a full batch. */
static void add(uint64_t n)
{
    batch_n[batch_count++] = n;
    if (batch_count == BATCH)
        flush();
}

/* Factors n alone, and queues it. */
static void add_both(uint64_t n)
{
    uint64_t p[FACTOR64_MAX + 1];
    p[FACTOR64_MAX] = 99;
    int k = factor64(n, p);
    if (!is_factorization(n, p, k) || p[FACTOR64_MAX] != 99)
        complain("single", n);
    add(n);
}

static void finish(void)
{
    flush();
    CU_ASSERT_EQUAL(failures, 0);
    failures = 0;
}

static uint64_t random_bits(int bits)
{
    return unit_random() >> (64 - bits) | UINT64_C(1) << (bits - 1);
}

/* A random prime of exactly `bits` bits, bits >= 2. */
static uint64_t random_prime(int bits)
{
    uint64_t n;
    do
        n = random_bits(bits);
    while (!n_is_prime(n));
    return n;
}

static uint64_t ipow(uint64_t p, int e)
{
    uint64_t r = 1;
    while (e-- > 0)
        r *= p;
    return r;
}

static void test_sieved(void)
{
    static uint32_t least[SIEVE + 1];
    static const size_t sizes[] = {1, 2, 3, 7, 16, 33, 64, 777, 1024, 4095, 4096};
    static uint64_t one[FACTOR64_MAX];
    for (uint32_t i = 2; i <= SIEVE; i++)
        if (least[i] == 0)
            for (uint32_t j = i; j <= SIEVE; j += i)
                if (least[j] == 0)
                    least[j] = i;
    size_t s = 0;
    for (uint32_t i = 0; i <= SIEVE; s++) {
        size_t m = sizes[s % (sizeof sizes / sizeof sizes[0])];
        m = m < SIEVE + 1 - i ? m : SIEVE + 1 - i;
        for (size_t j = 0; j < m; j++)
            batch_n[j] = i + j;
        if (!factor64_batch(batch_n, m, batch_p, batch_end, 5))
            complain("batch failed its check", i);
        size_t k = 0;
        for (size_t j = 0; j < m; j++, i++) {
            uint32_t v = i;
            int count = factor64(v, one), x = 0;
            for (; v > 1; v /= least[v], x++)
                if (batch_p[k++] != least[v] || x >= count || one[x] != least[v])
                    complain("sieved", i);
            if (x != count || batch_end[j] != k + 5)
                complain("sieved count", i);
        }
    }
    CU_ASSERT_EQUAL(failures, 0);
    failures = 0;
}

/* 10^5 random numbers of each class. */
static void test_random(void)
{
    static const int classes[] = {32, 50, 64};
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++)
        for (uint64_t i = 0; i < 100000 * unit_scale(); i++)
            add(unit_random() >> (64 - classes[c]));
    finish();
}

static void test_random_sizes(void)
{
    for (int bits = 1; bits <= 64; bits++)
        for (uint64_t i = 0; i < 1000 * unit_scale(); i++)
            add(random_bits(bits));
    for (int bits = 1; bits <= 64; bits++)
        for (uint64_t i = 0; i < 20 * unit_scale(); i++)
            add_both(random_bits(bits));
    finish();
}

/* p * q for all sizes of p and q, and p * q * r. */
static void test_semiprimes(void)
{
    for (uint64_t s = 0; s < unit_scale(); s++)
        for (int a = 2; a <= 62; a++)
            for (int b = 2; b <= a && a + b <= 64; b++)
                for (int i = 0; i < 20; i++) {
                    uint64_t n = random_prime(a) * random_prime(b);
                    if (i == 0)
                        add_both(n);
                    else
                        add(n);
                }
    for (uint64_t i = 0; i < 4000 * unit_scale(); i++) {
        int a = 8 + (int)(unit_random() % 14), b = 8 + (int)(unit_random() % 14);
        add(random_prime(a) * random_prime(b) * random_prime(64 - a - b));
    }
    for (uint64_t i = 0; i < 2000 * unit_scale(); i++)
        add(random_prime(16) * random_prime(16) * random_prime(16) * random_prime(16));
    finish();
}

static void test_prime_powers(void)
{
    static const uint64_t bases[] = {
        4294967291u, 4294967279u, 2642239, 2642231, 65521,   65519,  7129,
        7127,        1621,        1619,    563,     557,     421,    419,
        409,         211,         199,     65537,   2642257, 1048573};
    for (uint64_t p = 2; p < 70000; p++) {
        if (!n_is_prime(p))
            continue;
        uint64_t n = p;
        for (int e = 2; n <= UINT64_MAX / p; e++) {
            n *= p;
            add(n);
            if (p < 2000 && n <= UINT64_MAX / 4294967291u)
                add(n * 4294967291u);
        }
    }
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        uint64_t n = bases[i];
        for (add_both(n); n <= UINT64_MAX / bases[i]; add_both(n))
            n *= bases[i];
    }
    for (uint64_t i = 0; i < 500 * unit_scale(); i++) {
        uint64_t p = random_prime(17 + (int)(i % 16)),
                 q = random_prime(12 + (int)(i % 4));
        add_both(p * p);
        add(ipow(random_prime(8 + (int)(i % 14)), 3));
        add(q * q * random_prime(32));
        add(q * q * q);
        p = random_prime(16);
        add(p * p * q * q);
    }
    finish();
}

/* p(kp - k + 1): where pseudoprimes to many bases live. */
static void test_families(void)
{
    for (uint64_t i = 0; i < 3000 * unit_scale(); i++) {
        uint64_t p = random_prime(9 + (int)(i % 22));
        for (uint64_t k = 2; k <= 5; k++)
            add(p * (k * (p - 1) + 1));
        add(p * n_nextprime(p, 0));
        add(p * n_nextprime(p + 2 * (unit_random() & 1023), 0));
    }
    uint64_t p = 4294967291u;
    for (int i = 0; i<300; i++, p = p> 65536 ? p - 2 : p) {
        while (!n_is_prime(p))
            p -= 2;
        add_both(p * 4294967291u);
    }
    finish();
}

/* Carmichael numbers (6k+1)(12k+1)(18k+1) (Chernick 1939) and all with three factors
 * that come from small first primes: given p, (q - 1)(r - 1) is bounded (Beeger 1950).
 */
static void test_carmichael(void)
{
    static const uint64_t known[] = {561,
                                     41041,
                                     825265,
                                     321197185,
                                     5394826801,
                                     232250619601,
                                     9746347772161,
                                     1436697831295441,
                                     60977817398996785,
                                     7156857700403137441};
    for (uint64_t k = 1; k < 300000 * unit_scale() && k < 1500000; k++) {
        uint64_t a = 6 * k + 1, b = 12 * k + 1, c = 18 * k + 1;
        if ((uint128)a * b * c <= UINT64_MAX && n_is_prime(a) && n_is_prime(b) &&
            n_is_prime(c))
            add_both(a * b * c);
    }
    for (uint64_t p = 3; p < 300; p += 2)
        for (uint64_t h = 2; n_is_prime(p) && h < p; h++)
            for (uint64_t d = 1; d < h + p; d++) {
                if ((h + p) * (p - 1) % d || (p * p + d) % h)
                    continue;
                uint64_t q = (p - 1) * (h + p) / d + 1, r = p * q / h + 1;
                if (n_is_prime(q) && n_is_prime(r) && q * r % (p - 1) == 1)
                    add_both(p * q * r);
            }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        add_both(known[i]);
    finish();
}

/* n and the numbers up to `width` away on both sides, without wrapping. */
static void window(uint64_t n, uint64_t width)
{
    uint64_t first = n > width ? n - width : 0;
    uint64_t last = n < UINT64_MAX - width ? n + width : UINT64_MAX;
    for (uint64_t i = first;; i++) {
        add(i);
        if (i == last)
            break;
    }
}

static void test_windows(void)
{
    static const int bits[] = {31, 32, 33, 40, 48, 49, 50, 51,
                               52, 53, 59, 60, 61, 62, 63};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        window(UINT64_C(1) << bits[i], 300 * unit_scale());
    window(UINT64_C(1) << 32, 1500 * unit_scale());
    window(UINT64_MAX, 1000 * unit_scale());
    window(UINT64_MAX / 3, 100);
    window(UINT64_C(10000000000000000000), 100);
    finish();
}

/* Every product of primorials below 2^64: all highly composite numbers are among them.
 */
static void add_primorials(uint64_t n, int from)
{
    static const uint64_t primorial[] = {2,
                                         6,
                                         30,
                                         210,
                                         2310,
                                         30030,
                                         510510,
                                         9699690,
                                         223092870,
                                         6469693230,
                                         200560490130,
                                         7420738134810,
                                         304250263527210,
                                         13082761331670030,
                                         614889782588491410};
    add(n);
    for (int i = from; i < 15 && n <= UINT64_MAX / primorial[i]; i++)
        add_primorials(n * primorial[i], i);
}

static void test_special(void)
{
    add_both(UINT64_MAX);
    add_both(UINT64_MAX - 58);       /* the last prime */
    add_both(18401055938125660800u); /* the most divisors below 2^64 */
    for (int i = 0; i < 64; i++) {
        add_both(UINT64_C(1) << i);
        add_both((UINT64_C(1) << i) - 1);
        add_both((UINT64_C(1) << i) + 1);
        add_both((UINT64_C(1) << i) * 3);
    }
    uint64_t f = 1;
    for (uint64_t i = 1; i <= 20; i++)
        add_both(f *= i);
    add_primorials(1, 0);
    finish();
}

/* Products of two and three primes on both sides of any sensible end of trial division.
 */
static void test_trial_limits(void)
{
    for (uint64_t p = 191; p < 1100; p++)
        for (uint64_t q = p; n_is_prime(p) && q < 1100; q++)
            if (n_is_prime(q) && (p < 450 || p > 800) && (q < 450 || q > 800)) {
                add(p * q);
                add(p * q * q);
                add(p * q * 4294967291u);
                if (q - p < 14)
                    add_both(p * p * q);
            }
    finish();
}

static void test_counts(void)
{
    static const size_t counts[] = {0, 1, 2, 3, 5, 15, 17, 63, 65, 100, 1025, 4095};
    uint64_t p[FACTOR64_MAX], n[100];
    uint32_t end = 3;
    CU_ASSERT_TRUE(factor64_batch(NULL, 0, NULL, NULL, 9));
    CU_ASSERT_EQUAL(factor64(0, p), 0);
    CU_ASSERT_EQUAL(factor64(1, p), 0);
    n[0] = 1;
    CU_ASSERT_TRUE(factor64_batch(n, 1, p, &end, 41));
    CU_ASSERT_EQUAL(end, 41);
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        for (size_t i = 0; i < counts[c]; i++)
            batch_n[i] = random_bits(40 + (int)(i % 25));
        check_batch(batch_n, counts[c], 1000000 * (uint32_t)c);
    }
    finish();
}

/* The same number many times, and the same list twice: equal answers. */
static void test_duplicates(void)
{
    uint64_t hard = 4294967291u * UINT64_C(4294967279);
    for (int i = 0; i < 700; i++)
        add(hard);
    for (int i = 0; i < 700; i++)
        add(i % 3 == 0   ? 0
            : i % 3 == 1 ? UINT64_MAX - 58
                         : 2642239u * UINT64_C(6700417));
    flush();
    static uint64_t first[BATCH * FACTOR64_MAX];
    for (int i = 0; i < 1000; i++)
        batch_n[i] = batch_n[1999 - i] = unit_random();
    check_batch(batch_n, 2000, 0);
    memcpy(first, batch_p, batch_end[1999] * sizeof first[0]);
    uint32_t end = batch_end[1999];
    check_batch(batch_n, 2000, 0);
    CU_ASSERT_EQUAL(end, batch_end[1999]);
    CU_ASSERT_EQUAL(memcmp(first, batch_p, end * sizeof first[0]), 0);
    for (int i = 0; i < 1000; i++) {
        uint32_t a = i ? batch_end[i - 1] : 0, b = batch_end[1998 - i];
        uint32_t k = batch_end[i] - a;
        CU_ASSERT_EQUAL_FATAL(k, batch_end[1999 - i] - b);
        CU_ASSERT_EQUAL_FATAL(memcmp(batch_p + a, batch_p + b, k * sizeof first[0]), 0);
    }
    finish();
}

/* Both forms of trial division against division: a fault there would hide behind ECM.
 */
static void check_trial(void (*divide)(struct trial *, const uint64_t *, size_t),
                        const uint64_t *n, size_t count)
{
    static struct trial t;
    memset(&t, 0xff, sizeof t);
    divide(&t, n, count);
    const uint8_t *stream = t.stream;
    for (size_t i = 0; i < count; i++) {
        uint64_t v = n[i] ? n[i] : 1, power = 1;
        unsigned twos = 0;
        for (; v % 2 == 0; v /= 2)
            twos++;
        for (uint64_t p = 3; p <= TRIAL_LAST; p += 2)
            for (; v % p == 0; v /= p)
                power *= p;
        bool good = t.twos[i] == twos && t.rest[i] == v && t.bytes[i] <= TRIAL_BYTES;
        uint64_t last = 3, found = 1;
        for (unsigned j = 0; good && j < t.bytes[i]; j++, stream++) {
            uint64_t p = *stream < TRIAL_PRIMES ? trial_primes[*stream].p : 0;
            good = p >= last;
            last = p;
            found *= p;
        }
        if (!good || found != power)
            complain("trial division", n[i]);
    }
    for (int i = 0; i < 4; i++) /* a number without any reads four */
        CU_ASSERT_EQUAL(stream[i], 0);
}

static void test_trial(void)
{
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 1500; i++) {
            batch_n[i] = round == 0 ? i : unit_random() >> unit_random() % 64;
            uint64_t p = trial_primes[unit_random() % TRIAL_PRIMES].p;
            if (round == 2)
                batch_n[i] = p * (UINT64_MAX / p - unit_random() % 9) - i % 2;
        }
        size_t count = 1500 - (size_t)round;
        check_trial(trial_scalar, batch_n, count);
        if (factor64_avx2())
            check_trial(factor64_avx2()->trial, batch_n, count);
    }
    for (unsigned k = 0; k < TRIAL_PRIMES; k++) {
        CU_ASSERT_EQUAL(trial_primes[k].p,
                        n_nextprime(k ? trial_primes[k - 1].p : 2, 0));
        CU_ASSERT_EQUAL(trial_primes[k].p * trial_primes[k].inverse, 1);
        CU_ASSERT_EQUAL(trial_primes[k].limit, UINT64_MAX / trial_primes[k].p);
    }
    CU_ASSERT_EQUAL(trial_primes[TRIAL_PRIMES - 1].p, TRIAL_LAST);
    CU_ASSERT_EQUAL(n_nextprime(TRIAL_LAST, 0), TRIAL_NEXT);
    finish();
}

/* Threads that factor at once, each on its own data. */
enum { THREADS = 4, THREAD_COUNT = 300 };
static void *factor_in_thread(void *argument)
{
    uint64_t *n = argument, p[THREAD_COUNT * FACTOR64_MAX];
    uint32_t end[THREAD_COUNT], begin = 0;
    bool good = factor64_batch(n, THREAD_COUNT, p, end, 0);
    for (size_t i = 0; good && i < THREAD_COUNT; begin = end[i++]) {
        uint64_t product = 1;
        for (uint32_t k = begin; k < end[i]; k++)
            product *= p[k];
        good = product == n[i];
    }
    return good ? n : NULL;
}

static void test_threads(void)
{
    static uint64_t n[THREADS][THREAD_COUNT];
    pthread_t thread[THREADS];
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < THREAD_COUNT; i++)
            n[t][i] = unit_random() | 1;
    for (int t = 0; t < THREADS; t++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[t], NULL, factor_in_thread, n[t]),
                              0);
    for (int t = 0; t < THREADS; t++) {
        void *result = NULL;
        CU_ASSERT_EQUAL(pthread_join(thread[t], &result), 0);
        CU_ASSERT_PTR_EQUAL(result, n[t]);
    }
}

/* The numbers whose factors and parts take the most room, a whole batch of each. */
static void test_room(void)
{
    const uint64_t most_parts = UINT64_C(1009) * 1013 * 1019 * 1021 * 1031 * 1033;
    const uint64_t list[] = {UINT64_C(1) << 63,
                             12157665459056928801u /* 3^40 */,
                             13835058055282163712u /* 2^62 * 3 */,
                             most_parts,
                             UINT64_C(421) * 421 * 421 * 421 * 421 * 421 * 421,
                             10468821400950488025u /* (3 * 5 * ... * 29)^2 */,
                             16294579238595022365u /* 3 * 5 * ... * 53 */};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        while (batch_count < BATCH - 1)
            add(list[i]);
        add(list[i]);
        for (int k = 0; k < 200; k++)
            add(list[(unsigned)k % (sizeof list / sizeof list[0])]);
        flush();
    }
    finish();
}

/* Every chain is right, on integers: points are multiples of the first, and differences
 * are what the formulas need. */
static void test_plans(void)
{
    static const unsigned bounds[][3] = {
        {5, 100, 30},     {15, 154, 30},    {27, 600, 60},  {60, 1800, 120},
        {120, 4800, 210}, {251, 9000, 330}, {70, 2100, 78}, {100, 3000, 66}};
    static struct ecm64_plan plan;
    for (size_t k = 0; k < sizeof bounds / sizeof bounds[0]; k++) {
        uint64_t r[8] = {1}, product = 1, covered = 0;
        unsigned b1 = bounds[k][0], b2 = bounds[k][1], d = bounds[k][2];
        CU_ASSERT_TRUE_FATAL(ecm64_plan_make(&plan, b1, b2, d));
        for (unsigned i = 0; i < plan.steps + plan.giant_steps; i++) {
            const struct ecm64_step *s =
                i < plan.steps ? &plan.step[i] : &plan.giant_step[i - plan.steps];
            if (i == plan.steps) {
                for (uint64_t p = 2; p <= b1; p++)
                    for (uint64_t q = p; n_is_prime(p) && q <= b1; q *= p)
                        product *= p;
                CU_ASSERT_EQUAL(r[plan.result], product);
                memset(r, 0, sizeof r);
                r[0] = 6;
            }
            uint64_t minus = r[s->a] - r[s->b];
            CU_ASSERT_TRUE(s->doubling || minus == r[s->diff] ||
                           0 - minus == r[s->diff]);
            r[s->to] = s->doubling ? 2 * r[s->a] : r[s->a] + r[s->b];
        }
        CU_ASSERT_EQUAL(r[plan.giant], d);
        for (unsigned i = 0; i < plan.pairs; i++) {
            unsigned giant = 0, baby = 0;
            while (plan.giant_place[giant] != plan.pair[i].giant)
                giant++;
            while (plan.baby_place[baby] != plan.pair[i].baby)
                baby++;
            CU_ASSERT_TRUE(giant >= plan.first && giant <= plan.last &&
                           baby < plan.babies);
            unsigned j = 3 * baby + 1 + baby % 2;
            bool again = i > 0 && memcmp(&plan.pair[i], &plan.pair[i - 1],
                                         sizeof plan.pair[i]) == 0;
            covered += !again && giant * d + j <= b2 && n_is_prime(giant * d + j);
            covered += !again && giant * d - j > b1 && n_is_prime(giant * d - j);
        }
        uint64_t primes = 0;
        for (unsigned q = plan.first * d - d / 2; q <= b2; q++)
            primes += q > b1 && n_is_prime(q);
        CU_ASSERT_TRUE(covered >= primes);
    }
    CU_ASSERT_FALSE(ecm64_plan_make(&plan, 4, 100, 30));
    CU_ASSERT_FALSE(ecm64_plan_make(&plan, 252, 9000, 330));
    CU_ASSERT_FALSE(ecm64_plan_make(&plan, 100, 100, 30));
    CU_ASSERT_FALSE(ecm64_plan_make(&plan, 30, 900, 40));
    CU_ASSERT_FALSE(ecm64_plan_make(&plan, 30, 90000, 30));
    CU_ASSERT_FALSE(ecm64_plan_make(&plan, 30, 900, 34 * 6));
}

/* The engines split what they are made for in about as many curves as they should: a
 * broken one would hide behind rho. */
static void check_engine(const struct ecm64_engine *engine)
{
    static struct ecm64_plan plan;
    static struct ecm64_start starts[ECM64_CURVES];
    static struct ecm64_item item[300];
    const int bits = (int)engine->bits;
    uint64_t curves = 0, unsplit = 0;
    CU_ASSERT_TRUE_FATAL(ecm64_plan_make(&plan, 120, 4800, 210));
    for (unsigned i = 0; i < ECM64_CURVES; i++)
        ecm64_start_make(&starts[i], i);
    memset(item, 0, sizeof item);
    for (int i = 0; i < 300; i++) {
        uint64_t p = n_nextprime(UINT64_C(1) << (bits / 2 - 3), 0), q = 0;
        while (q == 0 || q == p || item[i].n >> (bits - 1) == 0) {
            p = random_prime(bits / 2 - 2);
            q = n_nextprime((UINT64_MAX >> (64 - bits)) / p - 200 - 100 * (uint64_t)i,
                            0);
            item[i].n = p * q;
        }
        item[i].left = 60;
    }
    ecm64_run(engine, &plan, starts, item, 300);
    for (int i = 0; i < 300; i++) {
        uint64_t f = item[i].factor;
        unsplit += f == 0;
        curves += item[i].curve;
        CU_ASSERT_TRUE(f == 0 || (f > 1 && f < item[i].n && item[i].n % f == 0));
    }
    CU_ASSERT_TRUE(unsplit <= 3);
    CU_ASSERT_TRUE(curves < 300 * 14);
}

static void test_engines(void)
{
    check_engine(&ecm64_scalar);
    for (int i = 0; factor64_avx2() && i < 4; i++)
        check_engine(factor64_avx2()->engine[i]);
}

/* All engines compute the same residues, but for the form: 2^64 times the value, or the
 * value with a sign (doubles, exact below 2^48). */
static void check_agreement(const struct ecm64_engine *engine, int bits, bool doubles)
{
    static struct ecm64_plan plan;
    static _Alignas(64) unsigned char work[2][ECM64_WORK];
    struct ecm64_start starts[ECM64_LANES];
    const struct ecm64_start *start[ECM64_LANES];
    uint64_t n[ECM64_LANES];
    CU_ASSERT_TRUE_FATAL(ecm64_plan_make(&plan, 60, 1800, 120));
    for (unsigned i = 0; i < engine->lanes; i++) {
        n[i] = (i < 4 ? (UINT64_MAX >> (64 - bits)) - 2 * i : random_bits(bits)) | 1;
        ecm64_start_make(&starts[i], (unsigned)(unit_random() % ECM64_CURVES));
        start[i] = &starts[i];
        engine->number(work[0], i, n[i]);
    }
    engine->run(work[0], &plan, start);
    for (unsigned i = 0; i < engine->lanes; i++) {
        const struct ecm64_start *same[3] = {start[i], start[i], start[i]};
        for (unsigned j = 0; j < 3; j++)
            ecm64_scalar.number(work[1], j, n[i]);
        ecm64_scalar.run(work[1], &plan, same);
        for (int r = 0; r < ECM64_RESIDUES; r++) {
            uint64_t ours[ECM64_LANES], theirs[3];
            engine->residues(work[0], (enum ecm64_residue)r, ours);
            ecm64_scalar.residues(work[1], (enum ecm64_residue)r, theirs);
            uint128 v = ours[i] % n[i];
            v = (doubles ? v << 64 : v) % n[i];
            if (v != theirs[i % 3] && !(doubles && v == n[i] - theirs[i % 3]))
                complain("engines differ", n[i]);
        }
    }
}

static void test_agreement(void)
{
    for (int round = 0; factor64_avx2() && round < 12; round++)
        for (int i = 0; i < 4; i++) {
            const struct ecm64_engine *engine = factor64_avx2()->engine[i];
            int bits = (int)engine->bits;
            if (bits > 52)
                check_agreement(engine, bits - round / 4, false);
            else
                for (int b = 20; b <= 48; b += 7)
                    check_agreement(engine, b, true);
        }
    finish();
}

/* The way out of everything: squares, cubes, small and large, and what has no small
 * cycle. */
static void test_rho(void)
{
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t p = random_prime(2 + (int)(i % 20)),
                 q = random_prime(2 + (int)(i % 17));
        const uint64_t list[] = {p * q, p * p, p * p * p, p * q * q};
        for (int k = 0; k < 4; k++) {
            uint64_t f = list[k] % 2 ? factor64_rho(list[k]) : 0;
            if (list[k] % 2 && (f <= 1 || f >= list[k] || list[k] % f != 0))
                complain("rho", list[k]);
        }
        uint64_t r = unit_random() >> (32 + i % 32), s = unit_random() % 2642246;
        if (factor64_square_root(r * r) != r || factor64_cube_root(s * s * s) != s ||
            (r > 1 && factor64_square_root(r * r - 1) != 0) ||
            (s > 1 && factor64_cube_root(s * s * s + 1) != 0))
            complain("roots", r);
    }
    CU_ASSERT_EQUAL(factor64_square_root(UINT64_MAX), 0);
    CU_ASSERT_EQUAL(factor64_square_root(UINT64_C(0xfffffffe00000001)), UINT32_MAX);
    CU_ASSERT_EQUAL(factor64_cube_root(UINT64_MAX), 0);
    for (uint64_t n = 9; n < 20000; n += 2)
        if (!n_is_prime(n)) {
            uint64_t f = factor64_rho(n);
            if (f <= 1 || f >= n || n % f != 0)
                complain("small rho", n);
        }
    finish();
}

/* Differences of squares split nearly all that they are made for: what they miss would
 * hide behind ECM. */
static void check_hart(uint64_t (*hart)(uint64_t n), int bits, unsigned most)
{
    unsigned missed = 0;
    for (int i = 0; i < 2000; i++) {
        uint64_t p = 0, q = 0;
        while (p == q || p * q >> (bits - 1) != 1) {
            p = random_prime(11 + i % (bits / 2 - 10));
            q = n_nextprime((UINT64_C(1) << (bits - 1)) / p +
                                unit_random() % ((UINT64_C(1) << (bits - 1)) / p),
                            0);
        }
        uint64_t f = hart(p * q);
        missed += f == 0;
        if (f != 0 && f != p && f != q)
            complain("hart", p * q);
    }
    CU_ASSERT_TRUE(missed <= most);
}

static void test_hart(void)
{
    const struct factor64_path *paths[] = {&factor64_generic, factor64_avx2()};
    factor64_hart_init();
    for (int i = 0; i < 2 && paths[i]; i++) {
        check_hart(paths[i]->hart, 24, 0);
        check_hart(paths[i]->hart, 32, 10);
        check_hart(paths[i]->hart, FACTOR64_HART_BITS, 200);
        CU_ASSERT_EQUAL(paths[i]->hart(UINT64_C(68718952447)), 0); /* a prime */
        for (uint64_t n = 1023; n < 30000; n += 2) { /* with small factors, too */
            uint64_t f = n_is_prime(n) ? 0 : paths[i]->hart(n);
            if (f != 0 && (f == 1 || f == n || n % f != 0))
                complain("hart", n);
        }
    }
    finish();
}

/* In a fault build the injected error is seen; in the others it is not there. */
static void test_fault(void)
{
    uint64_t n[3] = {1, 360, 4294967291u * UINT64_C(4294967279)}, p[3 * FACTOR64_MAX];
    uint32_t end[3];
    setenv("QUERN_FAULT", "factor64", 1);
    bool batch = factor64_batch(n, 3, p, end, 0);
    int single = factor64(360, p);
    unsetenv("QUERN_FAULT");
#ifdef QUERN_FAULT
    CU_ASSERT_FALSE(batch);
    CU_ASSERT_EQUAL(single, -1);
#else
    CU_ASSERT_TRUE(batch);
    CU_ASSERT_EQUAL(single, 6);
#endif
    CU_ASSERT_EQUAL(factor64(360, p), 6);
}

static const struct unit_test tests[] = {
    {"threads", test_threads}, /* first: they race for the tables */
    {"all below 2^20 against a sieve", test_sieved},
    {"random numbers of three classes", test_random},
    {"random numbers of every size", test_random_sizes},
    {"products of two to four primes", test_semiprimes},
    {"prime powers", test_prime_powers},
    {"pseudoprime families, close primes", test_families},
    {"Carmichael numbers", test_carmichael},
    {"windows around powers of two", test_windows},
    {"special numbers", test_special},
    {"limits of trial division", test_trial_limits},
    {"counts", test_counts},
    {"duplicates", test_duplicates},
    {"trial division", test_trial},
    {"room", test_room},
    {"plans of curves", test_plans},
    {"engines", test_engines},
    {"engines agree", test_agreement},
    {"differences of squares", test_hart},
    {"rho and roots", test_rho},
    {"injected fault", test_fault},
};

UNIT_MAIN("factor64", tests)
