/*
 * Small factors end four of five odd numbers, the strong test to base 2 practically all
 * other composites; what is left takes twelve more bases below psi_13, the strong Lucas
 * test above.
 *
 * 1. A Montgomery product of two limbs is a chain of some 40 cycles of which a core can
 *    do two or three at once. So the tests run over K numbers (or bases, or the two
 *    products of a Lucas step) side by side: their loops have the length of the longest
 *    exponent, and a shorter one begins with zeros, which leave 1 (or V_0) as it is.
 *
 * 2. Divisibility by a group of primes: n * 2^-64 modulo their product, which fits 64
 *    bits, takes two multiplications; then one for each prime.
 *
 * 3. Base 2: 2^-d = (2^d)^-1 is 1 or -1 just when 2^d is, and dividing by 2^c, c < 64,
 *    is cheaper than c doublings. So the exponent is taken in digits of 6 bits.
 *
 * 4. The bases up to 41 below 2^82: a factor of 41 does not overflow, so multiplying by
 *    the base needs no reduction: if x < 41 n then x^2 < n * 2^128, all that the
 *    Montgomery reduction asks for.
 *
 * 5. Lucas with Selfridge's D, P = 1, Q = (1 - D) / 4, n + 1 = d * 2^s. Let a, b be the
 *    roots of x^2 - x + Q; a and b are units modulo n, as n has no factor in common
 *    with Q (a prime factor of Q is below |D|, and would have been met as a D before).
 *    V'_k, U'_k, the sequences of P' = 1 / Q - 2 and Q' = 1, belong to a / b and b / a:
 *
 *        V_2k = Q^k V'_k,   and   (a / b)^d = (V'_d + U'_d (a / b - b / a)) / 2
 *
 *    so that U_d = 0 if and only if (a / b)^d = 1, that is V'_d = 2 and U'_d = 0; V_d =
 *    0 if and only if (a / b)^d = -1, that is V'_d = -2 and U'_d = 0; and for r > 0,
 *    V_(d 2^r) = 0 if and only if V'_(d 2^(r-1)) = 0. Hence this is exactly the strong
 *    Lucas test, on V'_k and V'_(k+1) alone: V_2k = V_k^2 - 2 and V_(2k+1) = V_k
 *    V_(k+1) - P. With D' = P'^2 - 4 = D / Q^2, a unit, D' U'_d = 2 V'_(d+1) - P' V'_d.
 */
#include "arith/prime128.h"

#include "arith/mont128.h"
#include "arith/prime64.h"

/* A loop over the numbers side by side. */
#if defined(__clang__)
#define EACH _Pragma("unroll") for (int k = 0; k < width; k++)
#else
#define EACH _Pragma("GCC unroll 4") for (int k = 0; k < width; k++)
#endif
#define INLINE static inline __attribute__((always_inline))

/* Measured on Zen 5 with gcc and clang. */
enum { WIDTH_BASE2 = 4, WIDTH_BASES = 4, WIDTH_LUCAS = 2 };

enum {
    SLICE = 64,       /* numbers between the passes of a batch */
    DIGIT = 6,        /* bits of the exponent at a time, to base 2 */
    SQUARE_TRIES = 20 /* values of D before n is looked at as a square */
};

/* psi_13, the smallest composite that passes the strong test to the first 13 primes as
 * bases: Sorenson and Webster, "Strong pseudoprimes to twelve prime bases", Math. Comp.
 * 86 (2017) 985, arXiv 1509.00864. */
static const uint128 psi13 = (uint128)0x2be69u << 64 | 0x51adc5b22410a5fdu;

static const uint32_t bases[12] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41};

static int trailing_zeros(uint128 v)
{
    uint64_t low = (uint64_t)v;
    return low ? __builtin_ctzll(low) : 64 + __builtin_ctzll((uint64_t)(v >> 64));
}

static int leading_zeros(uint128 v)
{
    uint64_t high = (uint64_t)(v >> 64);
    return high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)v);
}

/* All ones if the top bit of e is set; e moves on to the next one. */
INLINE uint128 take_bit(uint128 *e)
{
    uint64_t m = 0 - (uint64_t)(*e >> 127);
    *e <<= 1;
    return (uint128)m << 64 | m;
}

INLINE int digit(uint128 d, int at)
{
    return (int)((uint64_t)(d >> at) % (1 << DIGIT));
}

/* --- small factors --- */

/* n * 2^-64 modulo m, or that and a multiple of m; mi = mont64_inverse(m). */
INLINE uint64_t fold(uint128 n, uint64_t m, uint64_t mi)
{
    uint64_t q = (uint64_t)n * mi, high = (uint64_t)(n >> 64);
    uint64_t sub = (uint64_t)(((uint128)q * m) >> 64);
    return high - sub + (high < sub ? m : 0);
}

/* Whether one of six primes divides n: inline, so that all is done with constants. */
INLINE bool has_one_of(uint128 n, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                       uint64_t e, uint64_t f)
{
    uint64_t m = a * b * c * d * e * f, r = fold(n, m, mont64_inverse(m));
    return (r % a == 0) | (r % b == 0) | (r % c == 0) | (r % d == 0) | (r % e == 0) |
           (r % f == 0);
}

/* The product of six primes fits 64 bits. */
static bool has_small_factor(uint128 n)
{
    if (n % 2 == 0)
        return true;
    return has_one_of(n, 3, 5, 7, 11, 13, 17) ||
           has_one_of(n, 19, 23, 29, 31, 37, 41) ||
           has_one_of(n, 43, 47, 53, 59, 61, 67) ||
           has_one_of(n, 71, 73, 79, 83, 89, 97) ||
           has_one_of(n, 101, 103, 107, 109, 113, 127) ||
           has_one_of(n, 131, 137, 139, 149, 151, 157) ||
           has_one_of(n, 163, 167, 173, 179, 181, 191) ||
           has_one_of(n, 193, 197, 199, 211, 223, 227) ||
           has_one_of(n, 229, 233, 239, 241, 251, 257) ||
           has_one_of(n, 263, 269, 271, 277, 281, 283) ||
           has_one_of(n, 293, 307, 311, 313, 317, 331) ||
           has_one_of(n, 337, 347, 349, 353, 359, 367) ||
           has_one_of(n, 373, 379, 383, 389, 397, 401) ||
           has_one_of(n, 409, 419, 421, 431, 433, 439) ||
           has_one_of(n, 443, 449, 457, 461, 463, 467) ||
           has_one_of(n, 479, 487, 491, 499, 503, 509);
}

/* --- strong tests --- */

/* What is left of the test to any base when x = a^d, n - 1 = d * 2^s. */
static bool strong_end(uint128 x, uint128 one, int s, uint128 n, uint64_t ni)
{
    uint128 last = n - one;
    if (x == one || x == last)
        return true;
    while (--s > 0) {
        x = mont128_sqr(x, n, ni);
        if (x == last)
            return true;
    }
    return false;
}

/* pass[k] = whether n[k] passes to base 2. */
INLINE void strong2(const uint128 *n, bool *pass, int width)
{
    uint128 x[WIDTH_BASE2], d[WIDTH_BASE2], one[WIDTH_BASE2], all = 0;
    uint64_t ni[WIDTH_BASE2];
    int s[WIDTH_BASE2];
    EACH
    {
        ni[k] = mont64_inverse((uint64_t)n[k]);
        s[k] = trailing_zeros(n[k] - 1);
        d[k] = (n[k] - 1) >> s[k];
        one[k] = mont128_one(n[k]);
        all |= d[k];
    }
    int at = (127 - leading_zeros(all)) / DIGIT * DIGIT;
    EACH x[k] = mont128_divide_2exp(one[k], digit(d[k], at), n[k], ni[k]);
    while ((at -= DIGIT) >= 0) {
        for (int i = 0; i < DIGIT; i++) {
            EACH x[k] = mont128_sqr(x[k], n[k], ni[k]);
        }
        EACH x[k] = mont128_divide_2exp(x[k], digit(d[k], at), n[k], ni[k]);
    }
    EACH pass[k] = strong_end(x[k], one[k], s[k], n[k], ni[k]);
}

/* Whether n < 2^82 passes to each of WIDTH_BASES bases. */
static bool strong_some(uint128 n, uint64_t ni, uint128 one, const uint32_t *base)
{
    enum { width = WIDTH_BASES };
    uint128 x[width];
    int s = trailing_zeros(n - 1), skip = leading_zeros((n - 1) >> s);
    uint128 e = (n - 1) >> s << skip;
    EACH x[k] = one;
    for (int i = skip; i < 128; i++) {
        uint64_t bit = (uint64_t)take_bit(&e);
        EACH x[k] = mont128_sqr(x[k], n, ni) * (1 + ((base[k] - 1) & bit));
    }
    bool pass = true;
    for (int k = 0; k < width && pass; k++)
        pass = strong_end(x[k] % n, one, s, n, ni);
    return pass;
}

bool prime128_base2(uint128 n)
{
    bool pass;
    strong2(&n, &pass, 1);
    return pass;
}

bool prime128_bases(uint128 n)
{
    uint64_t ni = mont64_inverse((uint64_t)n);
    uint128 one = mont128_one(n);
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i += WIDTH_BASES)
        if (!strong_some(n, ni, one, bases + i))
            return false;
    return true;
}

/* --- the strong Lucas test --- */

static uint32_t residue(uint128 n, uint32_t m)
{
    uint64_t shift = (UINT64_MAX % m + 1) % m; /* 2^64 */
    uint64_t high = (uint64_t)(n >> 64) % m, low = (uint64_t)n % m;
    return (uint32_t)((high * shift + low) % m);
}

/* The Jacobi symbol (a / m) for odd m > a. */
static int jacobi(uint32_t a, uint32_t m)
{
    int j = 1;
    while (a != 0) {
        int twos = __builtin_ctz(a);
        a >>= twos;
        if ((twos & 1) && (m % 8 == 3 || m % 8 == 5))
            j = -j;
        if (a % 4 == 3 && m % 4 == 3)
            j = -j;
        uint32_t t = m % a;
        m = a;
        a = t;
    }
    return m == 1 ? j : 0;
}

static bool is_square(uint128 n)
{
    const mp_limb_t limbs[2] = {(uint64_t)n, (uint64_t)(n >> 64)};
    mpz_t z;
    return mpz_perfect_square_p(mpz_roinit_n(z, limbs, 2)) != 0;
}

/* Selfridge's |D|; D is positive if that is 1 mod 4. 0 if n is a square or shares a
 * factor with some D: composite. As D = 1 mod 4, (D / n) = (n / |D|). */
static uint32_t find_d(uint128 n)
{
    int tries = 0;
    for (uint32_t d = 5;; d += 2) {
        int j = jacobi(residue(n, d), d);
        if (j < 0)
            return d;
        if (j == 0 || (++tries == SQUARE_TRIES && is_square(n)))
            return 0;
    }
}

/* x / q mod n: (x + k n) / q for the k that makes it whole, piece by piece. */
static uint128 divide(uint128 x, uint32_t q, uint128 n)
{
    if (q == 1)
        return x;
    uint32_t xr = (uint32_t)(x % q), nr = (uint32_t)(n % q);
    uint64_t k = 0, rest = xr;
    while (rest % q != 0) {
        rest += nr;
        k++;
    }
    return x / q + n / q * k + rest / q;
}

/* The form of P' = 1 / Q - 2; Q is negative if D is positive. */
static uint128 lucas_p(uint128 n, uint32_t d, uint128 one)
{
    bool positive = d % 4 == 1;
    uint128 p = divide(one, positive ? (d - 1) / 4 : (d + 1) / 4, n);
    if (positive)
        p = n - p;
    return mont128_sub(mont128_sub(p, one, n), one, n);
}

/* What is left of the test when V'_d and V'_(d+1) are known, n + 1 = d * 2^s. */
static bool lucas_end(uint128 v, uint128 w, uint128 p, uint128 two, int s, uint128 n,
                      uint64_t ni)
{
    if (v == two || v == n - two)
        return mont128_add(w, w, n) == mont128_mul(p, v, n, ni);
    for (int r = 1; r < s; r++) {
        if (v == 0)
            return true;
        v = mont128_sub(mont128_sqr(v, n, ni), two, n);
    }
    return false;
}

/* pass[k] = whether n[k], with |D| = d[k], passes. The pair is kept in the order in
 * which it is needed: v is the one to be squared. So it is swapped where a bit of the
 * exponent differs from the one before, and last, as d is odd. */
INLINE void lucas(const uint128 *n, const uint32_t *d, bool *pass, int width)
{
    uint128 v[WIDTH_LUCAS], w[WIDTH_LUCAS], p[WIDTH_LUCAS], two[WIDTH_LUCAS];
    uint128 e[WIDTH_LUCAS] = {0};
    uint64_t ni[WIDTH_LUCAS];
    int s[WIDTH_LUCAS], skip = 128;
    EACH
    {
        uint128 one = mont128_one(n[k]);
        ni[k] = mont64_inverse((uint64_t)n[k]);
        v[k] = two[k] = mont128_add(one, one, n[k]);
        w[k] = p[k] = lucas_p(n[k], d[k], one);
        s[k] = trailing_zeros(n[k] + 1);
        e[k] = (n[k] + 1) >> s[k];
        int zeros = leading_zeros(e[k]);
        skip = zeros < skip ? zeros : skip;
        e[k] ^= e[k] >> 1;
    }
    /* NOLINTNEXTLINE(clang-analyzer-*): n has `width` numbers, and so has e */
    EACH e[k] <<= skip;
    for (int i = skip; i < 128; i++) {
        EACH
        {
            uint128 swap = (v[k] ^ w[k]) & take_bit(&e[k]);
            uint128 a = v[k] ^ swap, b = w[k] ^ swap;
            w[k] = mont128_sub(mont128_mul(a, b, n[k], ni[k]), p[k], n[k]);
            v[k] = mont128_sub(mont128_sqr(a, n[k], ni[k]), two[k], n[k]);
        }
    }
    EACH pass[k] = lucas_end(w[k], v[k], p[k], two[k], s[k], n[k], ni[k]);
}

bool prime128_lucas(uint128 n)
{
    bool pass = false;
    uint32_t d = find_d(n);
    if (d != 0)
        lucas(&n, &d, &pass, 1);
    return pass;
}

/* --- batches --- */

/* Numbers of a slice that are still in question, and where they stand in it. */
struct slice {
    size_t count;
    uint128 n[SLICE];
    uint8_t at[SLICE];
    uint32_t d[SLICE];
};

static void keep(struct slice *s, const struct slice *from, size_t i, uint32_t d)
{
    s->n[s->count] = from->n[i];
    s->at[s->count] = from->at[i];
    s->d[s->count++] = d;
}

/* Only those that pass base 2 stay. */
static void sift_base2(struct slice *s)
{
    bool pass[SLICE];
    size_t i = 0, all = s->count;
    for (; i + WIDTH_BASE2 <= all; i += WIDTH_BASE2)
        strong2(s->n + i, pass + i, WIDTH_BASE2);
    for (; i < all; i++)
        strong2(s->n + i, pass + i, 1);
    s->count = 0;
    for (i = 0; i < all; i++)
        if (pass[i])
            keep(s, s, i, 0);
}

/* The numbers below psi_13 are settled, the others go to `lucas` with their D. */
static void settle_small(const struct slice *s, struct slice *high, uint8_t *class,
                         uint8_t *proof)
{
    for (size_t i = 0; i < s->count; i++) {
        uint32_t d;
        if (s->n[i] >= psi13) {
            if ((d = find_d(s->n[i])) != 0)
                keep(high, s, i, d);
        } else if (prime128_bases(s->n[i])) {
            class[s->at[i]] = CLASS_PRIME;
            proof[s->at[i]] = PROOF_MR13;
        }
    }
}

static void settle_lucas(const struct slice *s, uint8_t *class, uint8_t *proof)
{
    bool pass[SLICE];
    size_t i = 0;
    for (; i + WIDTH_LUCAS <= s->count; i += WIDTH_LUCAS)
        lucas(s->n + i, s->d + i, pass + i, WIDTH_LUCAS);
    for (; i < s->count; i++)
        lucas(s->n + i, s->d + i, pass + i, 1);
    for (i = 0; i < s->count; i++)
        if (pass[i]) {
            class[s->at[i]] = CLASS_PROBABLE;
            proof[s->at[i]] = PROOF_BPSW;
        }
}

static void test_slice(const uint128 *n, size_t count, uint8_t *class, uint8_t *proof)
{
    struct slice s, high;
    s.count = high.count = 0;
    for (size_t i = 0; i < count; i++) {
        class[i] = CLASS_COMPOSITE;
        proof[i] = PROOF_NONE;
        if (n[i] >> 64 == 0) {
            if (n[i] < 2) {
                class[i] = CLASS_NEITHER;
            } else if (prime64((uint64_t)n[i])) {
                class[i] = CLASS_PRIME;
                proof[i] = PROOF_DETERMINISTIC_64;
            }
        } else if (!has_small_factor(n[i])) {
            s.n[s.count] = n[i];
            s.at[s.count++] = (uint8_t)i;
        }
    }
    sift_base2(&s);
    settle_small(&s, &high, class, proof);
    settle_lucas(&high, class, proof);
}

void prime128_batch(const uint128 *n, size_t count, uint8_t *class, uint8_t *proof)
{
    for (size_t i = 0; i < count; i += SLICE)
        test_slice(n + i, count - i < SLICE ? count - i : SLICE, class + i, proof + i);
}
