/*
 * Oracles: FLINT (fmpz_is_prime proves) for the verdicts; for each test by itself
 * prp.h, which is GMP's arithmetic and for Lucas a different recurrence; families of
 * composites that pass one of the tests.
 */
#include "arith/prime128.h"

#include <flint/flint.h>
#include <flint/fmpz.h>
#include <flint/ulong_extras.h>
#include <string.h>

#include "arith/mont128.h"
#include "arith/prp.h"
#include "unit.h"

static uint128 pair(uint64_t high, uint64_t low)
{
    return (uint128)high << 64 | low;
}

/* 3317044064679887385961981, from its decimal digits. */
static uint128 psi13(void)
{
    return (uint128)3317044u * 1000000000000000000u + 64679887385961981u;
}

static const uint128 top = ~(uint128)0;

static void set128(mpz_t z, uint128 n)
{
    const uint64_t limbs[2] = {(uint64_t)n, (uint64_t)(n >> 64)};
    big_set_limbs(z, limbs, 2);
}

static uint128 get128(const mpz_t z)
{
    return pair(mpz_getlimbn(z, 1), mpz_getlimbn(z, 0));
}

static bool flint_says_prime(uint128 n)
{
    fmpz_t f;
    fmpz_init(f);
    fmpz_set_uiui(f, (ulong)(n >> 64), (ulong)n);
    bool prime = fmpz_is_prime(f) == 1;
    fmpz_clear(f);
    return prime;
}

static uint128 next_prime(uint128 n)
{
    mpz_t z;
    mpz_init(z);
    set128(z, n);
    mpz_nextprime(z, z);
    uint128 p = get128(z);
    mpz_clear(z);
    return p;
}

/* Random, of so many bits. */
static uint128 random_bits(unsigned bits)
{
    uint128 n = pair(unit_random(), unit_random()) >> (128 - bits);
    return n | (uint128)1 << (bits - 1);
}

/* --- verdicts --- */

static void check_answer(uint128 n, bool prime, uint8_t class, uint8_t proof)
{
    int want = CLASS_COMPOSITE, why = PROOF_NONE;
    if (n < 2) {
        want = CLASS_NEITHER;
    } else if (prime) {
        want = n < psi13() ? CLASS_PRIME : CLASS_PROBABLE;
        why = n >> 64 == 0   ? PROOF_DETERMINISTIC_64
              : n >= psi13() ? PROOF_BPSW
                             : PROOF_MR13;
    }
    CU_ASSERT_EQUAL(class, want);
    CU_ASSERT_EQUAL(proof, why);
}

/* The numbers in one batch, and one by one. */
static void check_batch(const uint128 *n, const bool *prime, size_t count)
{
    uint8_t class[1000], proof[1000], c, p;
    CU_ASSERT_FATAL(count < 1000);
    memset(class, 99, sizeof class);
    memset(proof, 99, sizeof proof);
    prime128_batch(n, count, class, proof);
    for (size_t i = 0; i < count; i++) {
        check_answer(n[i], prime[i], class[i], proof[i]);
        prime128_batch(n + i, 1, &c, &p);
        check_answer(n[i], prime[i], c, p);
    }
    CU_ASSERT_TRUE(class[count] == 99 && proof[count] == 99);
}

static void check_composite(uint128 n)
{
    uint8_t c, p;
    prime128_batch(&n, 1, &c, &p);
    check_answer(n, false, c, p);
}

static void test_every_size(void)
{
    enum { COUNT = 24 };
    uint128 n[COUNT];
    bool prime[COUNT];
    for (uint64_t round = 0; round < unit_scale(); round++)
        for (unsigned bits = 65; bits <= 128; bits++) {
            for (size_t i = 0; i < COUNT; i++) {
                n[i] = random_bits(bits) | (i % 8 != 0);
                if (i % 4 == 1)
                    n[i] = next_prime(n[i] - (n[i] >> 8));
                prime[i] = flint_says_prime(n[i]);
            }
            check_batch(n, prime, COUNT);
        }
}

/* Has z no prime factor to 509, the 97th prime? Then it is tested to base 2. */
static bool reaches_base2(const mpz_t z)
{
    const ulong *p = n_primes_arr_readonly(97);
    for (size_t i = 0; i < 97; i++)
        if (mpz_divisible_ui_p(z, p[i]))
            return false;
    return true;
}

/* Random numbers coprime to 210 of each class, those with a proof and those without,
 * 10^5 of which reach base 2, against GMP, which is quicker than a proof by FLINT. */
static void random_class(unsigned least, unsigned most)
{
    enum { COUNT = 500 };
    uint128 n[COUNT];
    uint8_t class[COUNT], proof[COUNT];
    uint64_t wrong = 0, reached = 0, of_bits[129] = {0};
    mpz_t z;
    mpz_init(z);
    for (uint64_t round = 0; round < 540 * unit_scale(); round++) {
        for (size_t i = 0; i < COUNT; i++) {
            unsigned bits = least + (unsigned)(unit_random() % (most - least + 1));
            n[i] = random_bits(bits);
            while (n_gcd((ulong)(n[i] % 210), 210) != 1)
                n[i]++;
            of_bits[bits]++;
        }
        prime128_batch(n, COUNT, class, proof);
        for (size_t i = 0; i < COUNT; i++) {
            set128(z, n[i]);
            bool prime = mpz_probab_prime_p(z, 25) > 0;
            wrong += prime != (class[i] == CLASS_PRIME || class[i] == CLASS_PROBABLE);
            wrong += prime == (proof[i] == PROOF_NONE);
            reached += reaches_base2(z);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(reached >= 100000 * unit_scale());
    for (unsigned bits = least; bits <= most; bits++)
        CU_ASSERT(of_bits[bits] > 1000);
    mpz_clear(z);
}

static void test_random(void)
{
    random_class(65, 81);
    random_class(82, 128);
}

/* All sizes in one batch, of all lengths of the batch. */
static void test_lengths(void)
{
    enum { COUNT = 200 };
    uint128 n[COUNT];
    bool prime[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        n[i] = random_bits(1 + (unsigned)(unit_random() % 128));
        if (i % 3 != 0)
            n[i] = next_prime(n[i]);
        prime[i] = flint_says_prime(n[i]);
    }
    for (size_t count = 0; count <= COUNT; count += 1 + count / 9)
        check_batch(n, prime, count);
}

static void check_window(uint128 from, size_t count)
{
    uint128 n[900];
    bool prime[900];
    for (size_t i = 0; i < count; i++) {
        n[i] = from + i;
        prime[i] = flint_says_prime(n[i]);
    }
    check_batch(n, prime, count);
}

static void test_windows(void)
{
    check_window(0, 200);
    check_window(pair(1, 0) - 400, 800);
    check_window((pair(1, 0) << 18) - 200, 400);
    check_window(psi13() - 400, 800);
    check_window(pair(UINT64_C(1) << 63, 0) - 200, 400);
    check_window(top - 799, 800);
}

/* --- the tests that it is made of --- */

/* How many of the composites seen so far pass. */
struct liars {
    unsigned base2, bases, lucas;
};

static void check_parts(uint128 n, struct liars *liars)
{
    static const uint32_t odd[12] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41};
    mpz_t z;
    mpz_init(z);
    set128(z, n);
    bool base2 = prp_strong(z, 2, NULL), lucas = prp_lucas(z, NULL), all = true;
    CU_ASSERT_EQUAL(prime128_base2(n), base2);
    CU_ASSERT_EQUAL(prime128_lucas(n), lucas);
    if (n >> 82 == 0) {
        for (size_t i = 0; i < 12; i++)
            all = all && prp_strong(z, odd[i], NULL);
        CU_ASSERT_EQUAL(prime128_bases(n), all);
        liars->bases += all;
    }
    liars->base2 += base2;
    liars->lucas += lucas;
    mpz_clear(z);
}

/* Composites or not: every odd number but the multiples of 3 from 67 on; random ones.
 */
static void test_parts(void)
{
    struct liars any = {0, 0, 0};
    for (uint64_t n = 67; n < 30000; n += 6) {
        check_parts(n, &any);
        check_parts(n + 4, &any);
    }
    for (unsigned i = 0; i < 3000 * unit_scale(); i++) {
        uint128 n = random_bits(64 + i % 65) | 1;
        if (i % 2)
            n = next_prime(n - (n >> 9));
        if (n % 3 != 0)
            check_parts(n, &any);
    }
    CU_ASSERT_TRUE(any.base2 > 2000 && any.bases > 0 && any.lucas > 2000);
}

/* n = p (k (p - 1) + 1) passes the strong test to many bases. So does n = p (k (p + 1)
 * + 1) Lucas's to many D, with -1 and 1 as symbols of p and the other. Both are prime.
 */
static void check_pairs(unsigned bits, struct liars *liars)
{
    unsigned found = 0;
    for (uint64_t p = (uint64_t)random_bits(bits) | 1; found < 30; p += 2) {
        if (!flint_says_prime(p))
            continue;
        for (uint64_t k = 2; k < 8; k++)
            for (int sign = -1; sign <= 1; sign += 2) {
                uint128 q = (uint128)k * (sign < 0 ? p - 1 : p + 1) + 1;
                if (q >> 64 != 0 || !flint_says_prime(q))
                    continue;
                found++;
                check_parts(p * q, liars);
                if (p * q >> 64 != 0)
                    check_composite(p * q);
            }
    }
}

static void test_pairs(void)
{
    struct liars liars = {0, 0, 0};
    for (unsigned bits = 30; bits <= 60; bits++)
        check_pairs(bits, &liars);
    CU_ASSERT_TRUE(liars.base2 > 20);
    CU_ASSERT_TRUE(liars.lucas > 20);
}

/* Chernick's Carmichael numbers (6k+1)(12k+1)(18k+1), and Arnault's kind, p (a (p - 1)
 * + 1) (b (p - 1) + 1), here with his multipliers 313 and 353. */
static void check_triples(uint64_t from, uint64_t step, uint64_t a, uint64_t b)
{
    struct liars liars = {0, 0, 0};
    unsigned found = 0;
    for (uint64_t p = from * step + 1; found < 6; p += step) {
        uint64_t q = a * (p - 1) + 1, r = b * (p - 1) + 1;
        if (!flint_says_prime(p) || !flint_says_prime(q) || !flint_says_prime(r))
            continue;
        found++;
        uint128 n = (uint128)p * q * r;
        check_parts(n, &liars);
        check_composite(n);
    }
}

static void test_carmichael(void)
{
    check_triples(UINT64_C(3000000), 6, 2, 3);
    check_triples(UINT64_C(300000000), 6, 2, 3);
    check_triples(UINT64_C(300000000000), 6, 2, 3);
    check_triples(UINT64_C(3000000000), 12, 313, 353);
}

static uint128 from_text(const char *digits)
{
    mpz_t z;
    mpz_init_set_str(z, digits, 10);
    uint128 n = get128(z);
    mpz_clear(z);
    return n;
}

/* Published strong pseudoprimes to the first so many prime bases, which is checked:
 * psi_12 and psi_13 (Sorenson and Webster), and what was found in the search for psi_9
 * and on (Jaeschke 1993; Zhang 2001, 2007). */
static void test_psi(void)
{
    static const struct {
        const char *n;
        unsigned bases;
    } known[] = {
        {"318665857834031151167461", 12},
        {"3317044064679887385961981", 13},
        {"41234316135705689041", 9},
        {"1553360566073143205541002401", 10},
        {"56897193526942024370326972321", 11},
        {"6003094289670105800312596501", 14},
        {"59276361075595573263446330101", 15},
        {"564132928021909221014087501701", 17},
        {"1543267864443420616877677640751301", 19},
    };
    const ulong *base = n_primes_arr_readonly(19);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint128 n = from_text(known[i].n);
        struct liars liars = {0, 0, 0};
        mpz_t z;
        mpz_init(z);
        set128(z, n);
        for (unsigned b = 0; b < known[i].bases; b++)
            CU_ASSERT_TRUE(prp_strong(z, (uint32_t)base[b], NULL));
        mpz_clear(z);
        CU_ASSERT_FALSE(flint_says_prime(n));
        check_parts(n, &liars);
        CU_ASSERT_TRUE(liars.base2 == 1 && liars.lucas == 0);
        CU_ASSERT_EQUAL(liars.bases, n == psi13());
        check_composite(n);
    }
}

/* Squares have no Selfridge's D; with cubes, and products of neighbouring primes. */
static void test_powers(void)
{
    struct liars liars = {0, 0, 0};
    for (unsigned bits = 33; bits <= 64; bits++)
        for (unsigned i = 0; i < 4; i++) {
            uint64_t near = (uint64_t)random_bits(bits) & ~UINT64_C(0xffff);
            uint128 p = next_prime(near), q = next_prime(p);
            check_parts(p * p, &liars);
            check_composite(p * p);
            check_composite(p * q);
            if (bits <= 42)
                check_composite(p * p * p);
        }
    CU_ASSERT_EQUAL(liars.lucas, 0);
}

/* Mersenne's n - 1 and n + 1 are the extremes of s; 2^128 - 159 is the largest prime.
 */
static void test_extremes(void)
{
    struct liars liars = {0, 0, 0};
    const uint128 n[] = {((uint128)1 << 89) - 1, ((uint128)1 << 107) - 1,
                         ((uint128)1 << 127) - 1, top - 158, ((uint128)1 << 67) - 1};
    const bool prime[] = {true, true, true, true, false};
    for (size_t i = 0; i < 5; i++)
        check_parts(n[i], &liars);
    check_batch(n, prime, 5);
    /* k * 2^s + 1, for large s. */
    for (unsigned s = 50; s < 120; s++) {
        uint128 k = 3;
        while (k < 200 && !flint_says_prime((k << s) + 1))
            k += 2;
        uint128 m = (k << s) + 1;
        bool is_prime = flint_says_prime(m);
        check_batch(&m, &is_prime, 1);
        if (m % 3 != 0)
            check_parts(m, &liars);
    }
}

/* Division by 2^c, beside c halvings. */
static void test_divide_2exp(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint128 n = random_bits(2 + i % 127) | 1;
        uint128 x = i % 5 ? pair(unit_random(), unit_random()) % n : n - 1, want = x;
        uint64_t ni = mont64_inverse((uint64_t)n);
        int c = (int)(unit_random() % 64);
        for (int k = 0; k < c; k++)
            want = want % 2 ? want / 2 + n / 2 + 1 : want / 2;
        CU_ASSERT_TRUE(mont128_divide_2exp(x, c, n, ni) == want);
    }
}

static const struct unit_test tests[] = {
    {"every size, against FLINT", test_every_size},
    {"random numbers of two classes", test_random},
    {"batches of all lengths", test_lengths},
    {"windows, against FLINT", test_windows},
    {"base 2, 13 bases and Lucas, against GMP", test_parts},
    {"p (k (p - 1) + 1) and p (k (p + 1) + 1)", test_pairs},
    {"Carmichael numbers", test_carmichael},
    {"published strong pseudoprimes", test_psi},
    {"powers, products of neighbours", test_powers},
    {"extremes", test_extremes},
    {"division by a power of 2", test_divide_2exp},
};

UNIT_MAIN("prime128", tests)
