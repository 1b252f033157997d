/*
 * prime64 against a sieve, against FLINT's n_is_prime in every size class, and against
 * the numbers known to deceive one or the other of its parts. Every path that this
 * processor can run is asked, and the single test.
 *
 * TEST_SCALE of 100 or more adds the exhaustive comparison with a sieve below 2^32,
 * which is what proves prime64_filter.c.
 */
#include <flint/ulong_extras.h>
#include <pthread.h>
#include <string.h>

#include "arith/cpu.h"
#include "arith/prime64.h"
#include "arith/prime64_avx2.h"
#include "arith/prime64_parts.h"
#include "unit.h"

enum { BATCH = 4096 };

/* ---- asking ---- */

struct path {
    const char *name;
    void (*batch)(const uint64_t *n, size_t count, uint8_t *prime);
    enum cpu_path needs;
};

static const struct path paths[] = {
    {"prime64_batch", prime64_batch, CPU_GENERIC},
    {"generic", prime64_batch_generic, CPU_GENERIC},
#if defined(__x86_64__)
    {"avx2", prime64_batch_avx2, CPU_AVX2},
#endif
};

enum { PATHS = sizeof paths / sizeof paths[0] };

static uint64_t queue[BATCH];
static uint8_t expected[BATCH];
static size_t queued, wrong, asked, primes;

static void complain(const char *who, size_t i)
{
    if (wrong++ < 10)
        printf("\n  %s: %" PRIu64 " is %s", who, queue[i],
               expected[i] ? "prime" : "not prime");
}

static void flush(void)
{
    uint8_t answer[BATCH];
    for (size_t p = 0; p < PATHS; p++) {
        if (!cpu_can_run(paths[p].needs))
            continue;
        memset(answer, 7, sizeof answer);
        paths[p].batch(queue, queued, answer);
        for (size_t i = 0; i < queued; i++)
            if (answer[i] != expected[i])
                complain(paths[p].name, i);
    }
    for (size_t i = 0; i < queued; i++) {
        if (prime64(queue[i]) != expected[i])
            complain("prime64", i);
        primes += expected[i];
    }
    asked += queued;
    queued = 0;
}

static void expect(uint64_t n, bool prime)
{
    queue[queued] = n;
    expected[queued++] = prime;
    if (queued == BATCH)
        flush();
}

static void compare(uint64_t n)
{
    expect(n, n_is_prime(n) != 0);
}

/* Ends a test: all answers were right, and there were at least so many of each kind. */
static void answered(size_t least_primes, size_t least_composites)
{
    flush();
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(primes >= least_primes);
    CU_ASSERT(asked - primes >= least_composites);
    wrong = asked = primes = 0;
}

/* Of exactly so many bits. */
static uint64_t random_bits(unsigned bits)
{
    return unit_random() >> (64 - bits) | 1ull << (bits - 1);
}

/* A prime of exactly so many bits, 3 <= bits <= 63. */
static uint64_t random_prime(unsigned bits)
{
    for (;;) {
        uint64_t n = random_bits(bits) | 1;
        if (n_is_prime(n))
            return n;
    }
}

/* ---- against a sieve ---- */

/* composite[i] tells of the odd numbers lo + 2 i + 1 for even lo; `small` are the odd
 * primes up to the root of hi. */
static void sieve(uint8_t *composite, uint64_t lo, uint64_t hi, const uint32_t *small,
                  size_t count)
{
    memset(composite, 0, (hi - lo) / 2);
    for (size_t i = 0; i < count; i++) {
        uint64_t p = small[i], from = (lo / p | 1) * p;
        if (from < lo)
            from += 2 * p;
        if (from < p * p)
            from = p * p;
        for (uint64_t n = from; n < hi; n += 2 * p)
            composite[(n - lo) / 2] = 1;
    }
}

static void against_sieve(uint64_t end)
{
    enum { SEGMENT = 1 << 18, ROOT = 1 << 16 };
    static uint8_t composite[SEGMENT / 2], low[ROOT / 2];
    static uint32_t small[ROOT / 8];
    size_t count = 0;
    for (uint32_t p = 3; p < ROOT; p += 2) {
        if (low[p / 2])
            continue;
        small[count++] = p;
        for (uint64_t n = (uint64_t)p * p; n < ROOT; n += 2 * p)
            low[n / 2] = 1;
    }
    for (uint64_t lo = 0; lo < end; lo += SEGMENT) {
        sieve(composite, lo, lo + SEGMENT, small, count);
        for (uint64_t n = lo; n < lo + SEGMENT; n++)
            expect(n, n % 2 ? !composite[n / 2 - lo / 2] && n > 1 : n == 2);
    }
}

static void test_exhaustive(void)
{
    against_sieve(1 << 22);
    answered(295947, (1 << 22) - 295947); /* pi(2^22), OEIS A007053 */
    if (unit_scale() >= 100) {
        against_sieve(1ull << 32);
        answered(203280221, (1ull << 32) - 203280221); /* pi(2^32) */
    }
}

/* ---- against FLINT ---- */

/* Does n come as far as base 2 on every path? The longest of the sieves ends with 409,
 * the 80th prime (prime64_avx2_sieve.c). */
static bool reaches_base2(uint64_t n)
{
    const ulong *p = n_primes_arr_readonly(80);
    for (size_t i = 0; i < 80; i++)
        if (n % p[i] == 0)
            return false;
    return n >= PRIME64_TINY;
}

/* Four of five are coprime to 210, of any residue: more than a third of all have no
 * factor to 409. */
static void test_random(void)
{
    static const unsigned classes[] = {16, 32, 40, 50, 51, 60, 63, 64};
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++) {
        uint64_t reached = 0;
        for (uint64_t i = 0; i < 300000 * unit_scale(); i++) {
            uint64_t n = random_bits(classes[c]);
            while (i % 5 != 0 && n_gcd(n, 210) != 1)
                n++;
            reached += reaches_base2(n);
            compare(n);
        }
        CU_ASSERT(reached >= 100000 * unit_scale());
    }
    for (unsigned bits = 1; bits <= 64; bits++)
        for (uint64_t i = 0; i < 400 * unit_scale(); i++)
            compare(unit_random() >> (64 - bits) | (i & 1));
    answered(10000, 100000);
}

static void test_windows(void)
{
    static const unsigned centre[] = {9,  12, 16, 22, 31, 32, 33, 49, 50, 51,
                                      52, 53, 57, 58, 59, 60, 61, 62, 63, 64};
    for (size_t c = 0; c < sizeof centre / sizeof centre[0]; c++) {
        uint64_t n = centre[c] == 64 ? 0 : 1ull << centre[c];
        uint64_t radius = n == 1 << 9 ? 500 : 1500;
        for (uint64_t i = 0; i <= 2 * radius; i++)
            compare(n - radius + i); /* around 2^64: the ends of the range */
    }
    answered(1000, 10000);
}

/* ---- adversaries ---- */

static bool passes(uint64_t n, uint64_t base)
{
    uint64_t d = (n - 1) >> __builtin_ctzll(n - 1);
    return n_is_strong_probabprime2_preinv(n, n_preinvert_limb(n), base, d) != 0;
}

/* Published strong pseudoprimes to the first so many prime bases, which is checked. */
static const struct {
    uint64_t n;
    unsigned bases;
} known[] = {
    /* psi_1 .. psi_11, the least of all (OEIS A014233: Jaeschke 1993; Jiang and Deng
     * 2014); psi_12 is above 2^64 */
    {2047, 1},
    {1373653, 2},
    {25326001, 3},
    {3215031751, 4},
    {2152302898747, 5},
    {3474749660383, 6},
    {341550071728321, 8},
    {3825123056546413051, 11},
    /* all below 25 10^9 for 2, 3, 5 (Pomerance, Selfridge and Wagstaff 1980) */
    {161304001, 3},
    {960946321, 3},
    {1157839381, 3},
    {3697278427, 3},
    {5764643587, 3},
    {6770862367, 3},
    {14386156093, 3},
    {15579919981, 3},
    {18459366157, 3},
    {19887974881, 3},
    {21276028621, 3},
    /* others for 2, 3, 5, 7 (OEIS A074773) */
    {118670087467, 4},
    {307768373641, 4},
    {315962312077, 4},
    {354864744877, 4},
    {457453568161, 4},
    {528929554561, 4},
    {546348519181, 4},
    {602248359169, 4},
    {1362242655901, 4},
    /* what fails first with other sets of bases that have 2 (Jaeschke; Sinclair) */
    {4759123141, 1},
    {1122004669633, 1},
    {21652684502221, 1},
    {55245642489451, 1},
    {7999252175582851, 1},
    {585226005592931977, 1},
    /* squares of the Wieferich primes, and of their product */
    {1194649, 1},
    {12327121, 1},
    {14726582775529, 0},
    /* just below 2^32 and 2^64: squares, a product of two primes */
    {4294836225, 0},
    {18446744030759878681u, 0},
    {18446743979220271189u, 0},
    {18446744073709551615u, 0}};

static void test_known(void)
{
    const ulong *base = n_primes_arr_readonly(11);
    const size_t count = sizeof known / sizeof known[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t b = 0; b < known[i].bases; b++)
            CU_ASSERT(passes(known[i].n, base[b]));
        CU_ASSERT_FALSE(n_is_prime(known[i].n));
        expect(known[i].n, false);
    }
    answered(0, count);
}

/* All pseudoprimes to base 2 below 10^7, by trying every number there. */
static void test_all_base2(void)
{
    size_t fermat = 0, strong = 0;
    for (uint64_t n = 3; n < 10000000; n += 2)
        if (n_powmod2(2, (mp_limb_signed_t)n - 1, n) == 1 && !n_is_prime(n)) {
            fermat++;
            strong += passes(n, 2);
            expect(n, false);
        }
    CU_ASSERT_EQUAL(fermat, 750); /* Pomerance, Selfridge and Wagstaff 1980 */
    CU_ASSERT_EQUAL(strong, 162);
    answered(0, 750);
}

/* Lucas sequences by their definition: U_k, V_k and Q^k modulo an odd n < 2^20. */
struct lucas {
    uint64_t u, v, qk;
};

static uint64_t half(uint64_t x, uint64_t n)
{
    return (x % 2 ? x + n : x) / 2;
}

static void lucas_double(struct lucas *l, uint64_t n)
{
    l->u = l->u * l->v % n;
    l->v = (l->v * l->v + 2 * (n - l->qk)) % n;
    l->qk = l->qk * l->qk % n;
}

static struct lucas lucas_at(uint64_t k, uint64_t p, uint64_t q, uint64_t n)
{
    struct lucas l = {0, 2, 1};
    const uint64_t d = (p * p + 4 * (n - q)) % n;
    for (int bit = 63 - __builtin_clzll(k); bit >= 0; bit--) {
        lucas_double(&l, n);
        if (k >> bit & 1)
            l = (struct lucas){half((p * l.u + l.v) % n, n),
                               half((d * l.u + p * l.v) % n, n), q * l.qk % n};
    }
    return l;
}

/* The strong Lucas test with Selfridge's parameters (Baillie and Wagstaff 1980). */
static bool strong_lucas(uint64_t n)
{
    mp_limb_signed_t d = 5;
    for (int j; (j = n_jacobi(d, n)) != -1; d = d > 0 ? -d - 2 : -d + 2)
        if (j == 0 || n_is_square(n))
            return false;
    const uint64_t q = (uint64_t)((1 - d) / 4 + (mp_limb_signed_t)n) % n;
    const unsigned s = (unsigned)__builtin_ctzll(n + 1);
    struct lucas l = lucas_at((n + 1) >> s, 1, q, n);
    bool pass = l.u == 0 || l.v == 0;
    for (unsigned r = 1; r < s; r++) {
        lucas_double(&l, n);
        pass |= l.v == 0;
    }
    return pass;
}

/* The almost extra strong test, which is prime64's (Jacobsen 2013). */
static bool almost_extra_strong_lucas(uint64_t n)
{
    uint64_t p = 3;
    for (int j; (j = n_jacobi_unsigned(p * p - 4, n)) != -1; p++)
        if (j == 0 || n_is_square(n))
            return false;
    const unsigned s = (unsigned)__builtin_ctzll(n + 1);
    struct lucas l = lucas_at((n + 1) >> s, p, 1, n);
    bool pass = l.v == 2 || l.v == n - 2;
    for (unsigned r = 0; r + 1 < s; r++) {
        pass |= l.v == 0;
        lucas_double(&l, n);
    }
    return pass;
}

/* All strong and almost extra strong Lucas pseudoprimes below 10^6, by trying every
 * number there. There are 58 strong ones (Baillie and Wagstaff), and the extra strong
 * ones, of which the first are published, are among the others. */
static void test_all_lucas(void)
{
    static const uint32_t extra_strong[] = {
        989,    3239,   5777,   10877,  27971,  29681,  30739,  31631,  39059,  72389,
        73919,  75077,  100127, 113573, 125249, 137549, 137801, 153931, 155819, 161027,
        162133, 189419, 218321, 231703, 249331, 370229, 429479, 430127, 459191};
    const size_t count = sizeof extra_strong / sizeof extra_strong[0];
    size_t strong = 0, found = 0;
    for (uint64_t n = 9; n < 1000000; n += 2) {
        if (n_is_prime(n))
            continue;
        bool is_strong = strong_lucas(n), is_almost = almost_extra_strong_lucas(n);
        strong += is_strong;
        found += is_almost && found < count && n == extra_strong[found];
        if (is_strong || is_almost)
            expect(n, false);
    }
    CU_ASSERT_EQUAL(strong, 58);
    CU_ASSERT_EQUAL(found, count); /* OEIS A217719 */
    answered(0, 58);
}

/* Expects p q to be composite if it is below 2^64. */
static void product(uint64_t p, uint64_t q)
{
    if (p > 1 && q > 1 && p <= UINT64_MAX / q)
        expect(p * q, false);
}

/* (k+1)(rk+1) passes base 2 often, p (r (p+1) - 1) the Lucas test; p^2 and neighbours
 * try the roots. */
static void test_families(void)
{
    for (unsigned bits = 7; bits <= 32; bits++)
        for (uint64_t i = 0; i < 300 * unit_scale(); i++) {
            uint64_t p = random_prime(bits), near = n_nextprime(p, 0);
            product(p, p);
            product(p, near);
            product(p, random_prime(64 - bits));
            for (uint64_t r = 2; r <= 9; r++) {
                if (n_is_prime(r * (p - 1) + 1))
                    product(p, r * (p - 1) + 1);
                if (n_is_prime(r * (p + 1) - 1))
                    product(p, r * (p + 1) - 1);
            }
        }
    answered(0, 10000);
}

/* Dense: every pseudoprime p (2p - 1) and p (3p - 2) of some stretches of each class.
 */
static void test_base2_pseudoprimes(void)
{
    static const uint64_t from[] = {67,       15000,      150000,     1000000,
                                    20000000, 1000000000, 2147400000, 3037000000};
    for (size_t f = 0; f < sizeof from / sizeof from[0]; f++) {
        uint64_t p = from[f];
        for (uint64_t i = 0; i < 4000 * unit_scale(); i++) {
            p = n_nextprime(p, 0);
            if (n_is_prime(2 * p - 1))
                product(p, 2 * p - 1);
            if (n_is_prime(3 * p - 2))
                product(p, 3 * p - 2);
        }
    }
    answered(0, 1000);
}

/* All Carmichael numbers (a g + 1) (b g + 1) (c g + 1) below 2^64 of three primes, for
 * some a < b < c. The product is 1 modulo a g if b c g + b + c is 0 modulo a, and so
 * for b and c: one g modulo a b c. a, b, c = 1, 2, 3 are Chernick's. */
static void carmichael(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t g = 1;
    while ((b * c * g + b + c) % a || (a * c * g + a + c) % b ||
           (a * b * g + a + b) % c)
        g++;
    for (;; g += a * b * c) {
        uint64_t p = a * g + 1, q = b * g + 1, r = c * g + 1;
        if (p > UINT64_MAX / q / r)
            return;
        if (!n_is_prime(p) || !n_is_prime(q) || !n_is_prime(r))
            continue;
        uint64_t m = p * q * r - 1;
        CU_ASSERT(m % (p - 1) == 0 && m % (q - 1) == 0 && m % (r - 1) == 0);
        expect(m + 1, false);
    }
}

static void test_carmichael(void)
{
    for (uint64_t c = 3; c <= 12; c++)
        for (uint64_t b = 2; b < c; b++)
            for (uint64_t a = 1; a < b; a++)
                if (n_gcd(a, b) == 1 && n_gcd(a, c) == 1 && n_gcd(b, c) == 1)
                    carmichael(a, b, c);
    answered(0, 1000);
}

/* ---- shapes of a batch ---- */

static void test_counts(void)
{
    uint64_t n[3 * BATCH];
    uint8_t want[3 * BATCH], answer[3 * BATCH + 1];
    for (size_t i = 0; i < 3 * BATCH; i++) {
        n[i] = unit_random() >> unit_random() % 64;
        want[i] = n_is_prime(n[i]) != 0;
    }
    for (size_t p = 0; p < PATHS; p++) {
        if (!cpu_can_run(paths[p].needs))
            continue;
        for (size_t count = 0; count <= 3 * BATCH; count += count < 140 ? 1 : 997) {
            memset(answer, 7, sizeof answer);
            paths[p].batch(n, count, answer);
            CU_ASSERT_EQUAL(memcmp(answer, want, count), 0);
            CU_ASSERT_EQUAL(answer[count], 7);
        }
    }
}

/* A block of nothing but primes of one size fills every list to its end. */
static void test_full_blocks(void)
{
    for (unsigned bits = 13; bits <= 64; bits += 3) {
        uint64_t n = 1ull << (bits - 1);
        for (size_t i = 0; i < 3 * BATCH / 2; i++)
            expect(
                n = n_nextprime(n > UINT64_MAX / 2 + BATCH * 128 ? 1ull << 63 : n, 0),
                true);
        flush();
    }
    answered(BATCH, 0);
}

/* ---- parts ---- */

static void test_lucas_parameter(void)
{
    const uint64_t odd_primes_to_53 = 16294579238595022365u;
    size_t bad = 0, seen = 0;
    for (uint64_t i = 0; i < 40000 * unit_scale(); i++) {
        uint64_t n = unit_random() | 1ull << 40 | 1;
        if (i % 2)
            n = random_prime(13 + (unsigned)(i % 51));
        if (n_gcd(n, odd_primes_to_53) != 1 || n % 59 == 0 || n % 61 == 0)
            continue;
        uint32_t p = 3;
        while (n_jacobi_unsigned(p * p - 4, n) == 1)
            p++;
        bad += prime64_lucas_p(n) != (n_jacobi_unsigned(p * p - 4, n) ? p : 0);
        seen++;
    }
    CU_ASSERT(seen > 20000);
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT_EQUAL(prime64_lucas_p(1194649), 0);
    CU_ASSERT_EQUAL(prime64_lucas_p(18446744030759878681u), 0);
}

#if defined(__x86_64__)
static unsigned base2_small(const uint64_t *n)
{
    uint32_t halves[GROUP_BASE2_DOUBLES];
    for (size_t i = 0; i < GROUP_BASE2_DOUBLES; i++)
        halves[i] = (uint32_t)n[i];
    return prime64_avx2_base2_small(halves);
}

/* Each place of a group against 2^((n-1)/2) by FLINT; half of the numbers are prime. */
static size_t wrong_base2(unsigned (*test)(const uint64_t *), size_t group,
                          unsigned bits)
{
    uint64_t n[PRIME64_PAD];
    size_t bad = 0;
    for (size_t round = 0; round < 200 * unit_scale(); round++) {
        for (size_t i = 0; i < group; i++) {
            do
                n[i] = unit_random() >> (64 - bits) | 1ull << (bits - 1) | 1;
            while (i % 2 && !n_is_prime(n[i]));
        }
        unsigned pass = test(n);
        for (size_t i = 0; i < group; i++) {
            uint64_t want = (n[i] + 2) & 4 ? n[i] - 1 : 1;
            bool right = n_powmod2(2, (mp_limb_signed_t)(n[i] / 2), n[i]) == want;
            bad += right != (pass >> i & 1);
        }
    }
    return bad;
}

static void test_base2_groups(void)
{
    if (!cpu_can_run(CPU_AVX2))
        return;
    CU_ASSERT_EQUAL(wrong_base2(prime64_avx2_base2_full, GROUP_BASE2, 64), 0);
    for (unsigned bits = 51; bits <= 63; bits += 3)
        CU_ASSERT_EQUAL(wrong_base2(prime64_avx2_base2_half, GROUP_BASE2, bits), 0);
    for (unsigned bits = 33; bits <= 50; bits++)
        CU_ASSERT_EQUAL(wrong_base2(prime64_avx2_base2_mid, GROUP_BASE2_DOUBLES, bits),
                        0);
    for (unsigned bits = 13; bits <= 32; bits++)
        CU_ASSERT_EQUAL(wrong_base2(base2_small, GROUP_BASE2_DOUBLES, bits), 0);
}
#endif

/* There are 3054, so if all that are listed are right ones none is missing. */
static void test_pseudoprimes(void)
{
    const uint64_t odd_primes_to_53 = 16294579238595022365u;
    size_t bad = 0;
    uint32_t last = 0;
    for (size_t i = 0; i < PRIME64_PSEUDOPRIMES; i++) {
        uint32_t n = prime64_pseudoprimes[i];
        uint64_t want = (n + 2) & 4 ? n - 1 : 1;
        bad += n <= last || n % 2 == 0 || n_gcd(n, odd_primes_to_53) != 1 ||
               n % 59 == 0 || n % 61 == 0 || n_is_prime(n) ||
               n_powmod2(2, n / 2, n) != want;
        bad += !prime64_is_pseudoprime(n) || prime64_is_pseudoprime(n - 2);
        expect(n, false);
        last = n;
    }
    CU_ASSERT_EQUAL(bad, 0);
    answered(0, PRIME64_PSEUDOPRIMES);
}

/* Primes for which 2 and all primes to 67 are residues have a large P. */
static void test_large_parameter(void)
{
    static const uint32_t rest[] = {29, 31, 37, 41, 43, 47, 53, 59, 61, 67};
    const uint64_t step = 8ull * 3 * 5 * 7 * 11 * 13 * 17 * 19 * 23;
    for (unsigned bits = 49; bits <= 64; bits += 3)
        for (size_t found = 0; found < 5 * unit_scale();) {
            uint64_t n = (unit_random() >> (64 - bits)) / step * step + 1;
            size_t i = 0;
            while (i < 10 && n_jacobi_unsigned(rest[i], n) == 1)
                i++;
            if (i < 10 || !n_is_prime(n))
                continue;
            CU_ASSERT(prime64_lucas_p(n) > 64);
            expect(n, true);
            found++;
        }
    answered(30, 0);
}

static void *batch_in_thread(void *seed)
{
    uint64_t n[BATCH], x = *(uint64_t *)seed;
    uint8_t answer[BATCH];
    uintptr_t bad = 0;
    for (size_t i = 0; i < BATCH; i++)
        n[i] = x = x * 6364136223846793005u + 1442695040888963407u;
    prime64_batch(n, BATCH, answer);
    for (size_t i = 0; i < BATCH; i++)
        bad += answer[i] != (n_is_prime(n[i]) != 0);
    return (void *)bad;
}

static void test_threads(void)
{
    enum { THREADS = 4 };
    pthread_t id[THREADS];
    uint64_t seed[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        seed[i] = unit_random();
        CU_ASSERT_EQUAL_FATAL(pthread_create(&id[i], NULL, batch_in_thread, &seed[i]),
                              0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *bad = NULL;
        pthread_join(id[i], &bad);
        CU_ASSERT_PTR_NULL(bad);
    }
}

/* Runs first: the choice is made once. */
static void test_cpu(void)
{
    CU_ASSERT(cpu_can_run(CPU_GENERIC));
    CU_ASSERT(cpu_can_run(cpu_path()));
    const char *forced = getenv("QUERN_CPU"), *name = cpu_path_name();
    if (forced && strcmp(forced, "generic") == 0)
        CU_ASSERT_STRING_EQUAL(name, "generic");
    if (!forced && cpu_can_run(CPU_AVX2))
        CU_ASSERT_STRING_EQUAL(name, "avx2");
    setenv("QUERN_CPU", strcmp(name, "avx2") == 0 ? "generic" : "avx2", 1);
    CU_ASSERT_STRING_EQUAL(cpu_path_name(), name); /* read once */
    for (int i = 0; i < 2; i++) {
        setenv("QUERN_CPU", (const char *[]){"generic", ""}[i], 1);
        CU_ASSERT_PTR_NULL(cpu_unknown());
    }
    setenv("QUERN_CPU", "AVX2", 1);
    CU_ASSERT_STRING_EQUAL(cpu_unknown(), "AVX2");
    setenv("QUERN_CPU", "avx2", 1);
    CU_ASSERT_EQUAL(cpu_unknown() == NULL, cpu_can_run(CPU_AVX2));
    CU_ASSERT_EQUAL(strstr(cpu_choices(), "avx2") != NULL, cpu_can_run(CPU_AVX2));
    if (forced)
        setenv("QUERN_CPU", forced, 1);
    else
        unsetenv("QUERN_CPU");
}

static const struct unit_test tests[] = {
    {"the choice of a path", test_cpu},
    {"all numbers against a sieve", test_exhaustive},
    {"random numbers of every size", test_random},
    {"windows around powers of two", test_windows},
    {"known pseudoprimes", test_known},
    {"all pseudoprimes to base 2 below 10^7", test_all_base2},
    {"all Lucas pseudoprimes below 10^6", test_all_lucas},
    {"products of related primes", test_families},
    {"p(2p-1) and p(3p-2)", test_base2_pseudoprimes},
    {"the list of pseudoprimes", test_pseudoprimes},
    {"Carmichael numbers", test_carmichael},
    {"batches of any length", test_counts},
    {"blocks of primes", test_full_blocks},
    {"the Lucas parameter", test_lucas_parameter},
#if defined(__x86_64__)
    {"base 2 in lockstep", test_base2_groups},
#endif
    {"numbers with a large P", test_large_parameter},
    {"threads at once", test_threads},
};

UNIT_MAIN("prime64", tests)
