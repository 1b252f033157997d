/*
 * prime64_avx2_sieve: out with the multiples of small primes, eight numbers at a time.
 *
 * The primes are taken in groups with a product m < 2^32. One Montgomery step with the
 * radix 2^32 turns n into c = n 2^-32 mod m (below 2^32, not always below m), which has
 * the same small divisors; n < 2^32 is taken as it is. Then p divides c if and only if
 * c p^-1 mod 2^32 <= (2^32 - 1) / p. AVX2 compares signed numbers only, so both sides
 * are shifted by 2^31; c is shifted once, before the product, since p^-1 is odd.
 *
 * The constants of a prime stand in memory once for each lane, so that a product and a
 * comparison read them as they are: three instructions for a prime.
 *
 * Most numbers fall to the first group. The rest is packed together before the next
 * groups.
 */
#include "arith/prime64_avx2.h"

#if defined(__x86_64__)

#include <string.h>

enum { GROUP_MAX = 9, EIGHT = 8 };

struct group {
    struct {
        _Alignas(32) uint32_t inverse[EIGHT];
        int32_t limit[EIGHT]; /* the greatest multiple's, shifted */
    } prime[GROUP_MAX];
    uint32_t product, inverse;
};

/* p^-1 mod 2^32: 5 bits from (3p)^2, doubled by each Newton step. */
#define NEWTON(p, x) ((x) * (2u - (p) * (x)))
#define INVERSE(p) NEWTON(p, NEWTON(p, NEWTON(p, (3u * (p)) ^ 2u)))
#define LANES8(x)                                                                      \
    {                                                                                  \
        x, x, x, x, x, x, x, x                                                         \
    }
#define PRIME(p)                                                                       \
    {                                                                                  \
        LANES8(INVERSE(p##u)), LANES8((int32_t)(UINT32_MAX / p##u - 0x80000000u))      \
    }
#define GROUP(m, ...)                                                                  \
    {                                                                                  \
        {__VA_ARGS__}, (m), INVERSE(m),                                                \
    }
#define GROUP3(a, b, c) GROUP(a##u *b##u *c##u, PRIME(a), PRIME(b), PRIME(c))
#define GROUP4(a, b, c, d)                                                             \
    GROUP(a##u *b##u *c##u *d##u, PRIME(a), PRIME(b), PRIME(c), PRIME(d))
#define GROUP5(a, b, c, d, e)                                                          \
    GROUP(a##u *b##u *c##u *d##u *e##u, PRIME(a), PRIME(b), PRIME(c), PRIME(d),        \
          PRIME(e))

static const struct group first_group =
    GROUP(3u * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29, PRIME(3), PRIME(5), PRIME(7),
          PRIME(11), PRIME(13), PRIME(17), PRIME(19), PRIME(23), PRIME(29));

static const struct group groups5[] = {
    GROUP5(31, 37, 41, 43, 47),
    GROUP5(53, 59, 61, 67, 71),
    GROUP5(73, 79, 83, 89, 97),
};

static const struct group groups4[] = {
    GROUP4(101, 103, 107, 109), GROUP4(113, 127, 131, 137), GROUP4(139, 149, 151, 157),
    GROUP4(163, 167, 173, 179), GROUP4(181, 191, 193, 197), GROUP4(199, 211, 223, 227),
    GROUP4(229, 233, 239, 241),
};

static const struct group groups3[] = {
    GROUP3(251, 257, 263), GROUP3(269, 271, 277), GROUP3(281, 283, 293),
    GROUP3(307, 311, 313), GROUP3(317, 331, 337), GROUP3(347, 349, 353),
    GROUP3(359, 367, 373), GROUP3(379, 383, 389), GROUP3(397, 401, 409),
};

/* pack[m] holds the places of the bits of m that are set, ascending, a byte each. */
#define BELOW(m, j) ((m) & ((1u << (j)) - 1))
#define POP(x)                                                                         \
    (((x)&1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1) + ((x) >> 4 & 1) +     \
     ((x) >> 5 & 1) + ((x) >> 6 & 1))
#define AT(m, j) ((uint64_t)(((m) >> (j)&1) * (j)) << 8 * POP(BELOW(m, j)))
#define PACK(m)                                                                        \
    (AT(m, 1u) | AT(m, 2u) | AT(m, 3u) | AT(m, 4u) | AT(m, 5u) | AT(m, 6u) | AT(m, 7u))
#define PACK4(m) PACK(m), PACK(m + 1u), PACK(m + 2u), PACK(m + 3u)
#define PACK16(m) PACK4(m), PACK4(m + 4u), PACK4(m + 8u), PACK4(m + 12u)
#define PACK64(m) PACK16(m), PACK16(m + 16u), PACK16(m + 32u), PACK16(m + 48u)

static const uint64_t pack[256] = {PACK64(0u), PACK64(64u), PACK64(128u), PACK64(192u)};

AVX2_INLINE __m256i load32(const uint32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2_INLINE __m256i splat32(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

/* Appends the numbers whose bit is set in `good`. */
AVX2_INLINE void append(struct prime64_sieved *s, unsigned good, __m256i low,
                        __m256i top, __m256i at)
{
    __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)pack[good]));
    _mm256_storeu_si256((__m256i *)(s->low + s->len),
                        _mm256_permutevar8x32_epi32(low, order));
    _mm256_storeu_si256((__m256i *)(s->top + s->len),
                        _mm256_permutevar8x32_epi32(top, order));
    _mm256_storeu_si256((__m256i *)(s->at + s->len),
                        _mm256_permutevar8x32_epi32(at, order));
    s->len += (unsigned)_mm_popcnt_u32(good);
}

/* n 2^-32 mod m, below 2^32. */
AVX2_INLINE __m256i residue(__m256i low, __m256i top, const struct group *g)
{
    __m256i m = splat32(g->product);
    __m256i t = _mm256_mullo_epi32(low, splat32(g->inverse));
    __m256i even = high(_mm256_mul_epu32(t, m)), odd = _mm256_mul_epu32(high(t), m);
    __m256i u = _mm256_blend_epi32(even, odd, 0xaa);
    __m256i no_borrow = _mm256_cmpeq_epi32(_mm256_max_epu32(top, u), top);
    return _mm256_add_epi32(_mm256_sub_epi32(top, u),
                            _mm256_andnot_si256(no_borrow, m));
}

/* `coprime` where none of the first `count` primes of the group divides c, else 0. */
AVX2_INLINE __m256i without(__m256i coprime, __m256i c, const struct group *g,
                            int count)
{
    __m256i shifted = _mm256_xor_si256(c, splat32(0x80000000u));
    /* Else gcc makes each constant anew, by three instructions and not by none. */
    __asm__("" : "+r"(g));
    PRIME64_UNROLL
    for (int i = 0; i < count; i++) {
        __m256i q = _mm256_mullo_epi32(shifted, load32(g->prime[i].inverse));
        __m256i limit = _mm256_load_si256((const __m256i *)g->prime[i].limit);
        coprime = _mm256_and_si256(coprime, _mm256_cmpgt_epi32(q, limit));
    }
    return coprime;
}

/* The places in a block of the lanes that sieve_eight splits eight numbers into. */
static const uint32_t lane_place[EIGHT] = {0, 1, 4, 5, 2, 3, 6, 7};

/* The first group, 2, and the tiny numbers; returns the or of the upper halves. */
AVX2_INLINE __m256i sieve_eight(const uint64_t *n, uint32_t base, uint8_t *prime,
                                struct prime64_sieved *s)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256 a = _mm256_castsi256_ps(load(n)), b = _mm256_castsi256_ps(load(n + LANES));
    __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
    __m256i top = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
    __m256i c = _mm256_testz_si256(top, top) ? low : residue(low, top, &first_group);
    __m256i odd = _mm256_slli_epi32(low, 31);
    __m256i coprime = without(odd, c, &first_group, GROUP_MAX);
    unsigned good = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(coprime));
    __m256i rest = _mm256_or_si256(top, _mm256_srli_epi32(low, 12));
    __m256i is_tiny = _mm256_cmpeq_epi32(rest, zero);
    unsigned tiny = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(is_tiny));
    memset(prime, 0, EIGHT);
    for (good &= ~tiny; tiny != 0; tiny &= tiny - 1) {
        uint32_t j = lane_place[__builtin_ctz(tiny)];
        prime[j] = prime64_tiny(n[j]);
    }
    append(s, good, low, top, _mm256_add_epi32(load32(lane_place), splat32(base)));
    return top;
}

/* `count` groups of `size` primes, on what is left. Zeros fill the last eight: they
 * fall. */
AVX2_INLINE void sieve_groups(struct prime64_sieved *s, const struct group *groups,
                              size_t count, int size, bool small)
{
    size_t len = s->len;
    memset(s->low + len, 0, EIGHT * sizeof s->low[0]);
    memset(s->top + len, 0, EIGHT * sizeof s->top[0]);
    memset(s->at + len, 0, EIGHT * sizeof s->at[0]);
    s->len = 0;
    for (size_t i = 0; i < len; i += EIGHT) {
        __m256i low = load32(s->low + i), top = load32(s->top + i);
        __m256i at = load32(s->at + i), coprime = splat32(UINT32_MAX);
        for (size_t g = 0; g < count; g++) {
            __m256i c = small ? low : residue(low, top, &groups[g]);
            coprime = without(coprime, c, &groups[g], size);
        }
        unsigned good = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(coprime));
        append(s, good, low, top, at);
    }
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

AVX2_TARGET void prime64_avx2_sieve(const uint64_t *n, size_t count, uint8_t *prime,
                                    struct prime64_sieved *s)
{
    __m256i top = _mm256_setzero_si256();
    size_t i = 0;
    s->len = 0;
    for (; i + EIGHT <= count; i += EIGHT)
        top = _mm256_or_si256(top, sieve_eight(n + i, (uint32_t)i, prime + i, s));
    if (i < count) {
        uint64_t rest[EIGHT] = {0};
        uint8_t answer[EIGHT];
        memcpy(rest, n + i, (count - i) * sizeof *n);
        top = _mm256_or_si256(top, sieve_eight(rest, (uint32_t)i, answer, s));
        memcpy(prime + i, answer, count - i);
    }
    s->small = _mm256_testz_si256(top, top);
    if (s->small) {
        sieve_groups(s, groups5, COUNT(groups5), 5, true);
        return;
    }
    sieve_groups(s, groups5, COUNT(groups5), 5, false);
    sieve_groups(s, groups4, COUNT(groups4), 4, false);
    sieve_groups(s, groups3, COUNT(groups3), 3, false);
}

#endif
