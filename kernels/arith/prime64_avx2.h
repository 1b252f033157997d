/*
 * prime64_avx2: the parts of prime64_batch_avx2: tests of a few numbers in lockstep,
 * one to a lane, and the sieve. Private to prime64. Only for processors with AVX2 and
 * FMA.
 *
 * A test takes a whole group of numbers and returns a bit for each: set if it passed.
 * All are odd, at least PRIME64_TINY, and have no prime factor below 64.
 */
#ifndef QUERN_ARITH_PRIME64_AVX2_H
#define QUERN_ARITH_PRIME64_AVX2_H

#include "arith/prime64_parts.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2_TARGET __attribute__((target("avx2,fma,popcnt")))
#define AVX2_INLINE static inline __attribute__((always_inline)) AVX2_TARGET

enum { LANES = 4 };

/* Vectors in flight, and side numbers to each (prime64_avx2_limbs.c): measured on
 * Zen 5. */
enum { DOUBLES_BASE2 = 8, DOUBLES_LUCAS = 6 };
enum { LIMBS_BASE2 = 4, LIMBS_BASE2_SIDE = 2, LIMBS_LUCAS = 2, LIMBS_LUCAS_SIDE = 2 };

/* Numbers in a group of each test. */
enum {
    GROUP_BASE2 = LIMBS_BASE2 * (LANES + LIMBS_BASE2_SIDE),
    GROUP_LUCAS = LIMBS_LUCAS * (LANES + LIMBS_LUCAS_SIDE),
    GROUP_BASE2_DOUBLES = LANES * DOUBLES_BASE2,
    GROUP_LUCAS_DOUBLES = LANES * DOUBLES_LUCAS
};

/* Base 2 (point 3 in prime64.c): n >= 2^63; 2^50 <= n < 2^63. */
unsigned prime64_avx2_base2_full(const uint64_t *n);
unsigned prime64_avx2_base2_half(const uint64_t *n);

/* Base 2: 2^32 <= n < 2^50; n < 2^32. */
unsigned prime64_avx2_base2_mid(const uint64_t *n);
unsigned prime64_avx2_base2_small(const uint32_t *n);

/* Lucas (point 4 in prime64.c) with parameters 3 <= p <= PRIME64_AVX2_P_MAX (for others
 * the answer means nothing): n >= 2^63; 2^50 <= n < 2^63; n < 2^50. */
enum { PRIME64_AVX2_P_MAX = 64 };
unsigned prime64_avx2_lucas_full(const uint64_t *n, const uint64_t *p);
unsigned prime64_avx2_lucas_half(const uint64_t *n, const uint64_t *p);
unsigned prime64_avx2_lucas_mid(const uint64_t *n, const uint64_t *p);

/* Numbers as two arrays of halves, and each one's place in the block. */
enum { PRIME64_BLOCK = 4096, PRIME64_PAD = 32 };

struct prime64_sieved {
    size_t len;
    uint32_t low[PRIME64_BLOCK + PRIME64_PAD];
    uint32_t top[PRIME64_BLOCK + PRIME64_PAD];
    uint32_t at[PRIME64_BLOCK + PRIME64_PAD];
    bool small; /* all numbers of the block are below 2^32 */
};

/* Answers the numbers that are below PRIME64_TINY or have a small prime factor, and
 * leaves the rest in `s`; count <= PRIME64_BLOCK. */
void prime64_avx2_sieve(const uint64_t *n, size_t count, uint8_t *prime,
                        struct prime64_sieved *s);

/* ---- helpers ---- */

AVX2_INLINE __m256i splat(uint64_t x)
{
    return _mm256_set1_epi64x((long long)x);
}

AVX2_INLINE __m256i load(const uint64_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2_INLINE __m256i high(__m256i x)
{
    return _mm256_srli_epi64(x, 32);
}

/* Of each lane: b where the sign bit of m is set, else a. */
AVX2_INLINE __m256i pick(__m256i a, __m256i b, __m256i m)
{
    return _mm256_castpd_si256(_mm256_blendv_pd(
        _mm256_castsi256_pd(a), _mm256_castsi256_pd(b), _mm256_castsi256_pd(m)));
}

/* All ones in the lanes where (2|n) = -1, n = 3 or 5 mod 8. */
AVX2_INLINE __m256i two_is_nonresidue(__m256i n)
{
    __m256i bit = _mm256_and_si256(_mm256_add_epi64(n, splat(2)), splat(4));
    return _mm256_cmpeq_epi64(bit, splat(4));
}

/* Length in bits of the longest of the numbers. */
AVX2_INLINE unsigned longest(const uint64_t *n, size_t count)
{
    uint64_t all = 1;
    for (size_t j = 0; j < count; j++)
        all |= n[j];
    return 64 - (unsigned)__builtin_clzll(all);
}

/* The greatest s such that 2^s divides one of the n + 1. */
AVX2_INLINE unsigned deepest(const uint64_t *n, size_t count)
{
    uint64_t low = 0;
    for (size_t j = 0; j < count; j++)
        low |= (n[j] + 1) & (0 - (n[j] + 1));
    return 63 - (unsigned)__builtin_clzll(low);
}

/* So that `pick` can choose by it. */
AVX2_INLINE __m256i bit_to_sign(__m256i x, unsigned bit)
{
    return _mm256_sll_epi64(x, _mm_cvtsi32_si128(63 - (int)bit));
}

/* prime64_lucas_hit in lanes; the answer is in the sign. */
AVX2_INLINE __m256i lucas_hit(__m256i v_is_2, __m256i v_is_0, __m256i n1, unsigned bit)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i below = _mm256_and_si256(n1, splat((1ull << bit) - 1));
    __m256i inside = _mm256_cmpeq_epi64(below, zero); /* bit <= s */
    __m256i odd = bit_to_sign(n1, bit);               /* then bit = s */
    __m256i end = _mm256_and_si256(v_is_2, odd);
    __m256i hit = bit >= 2 ? _mm256_or_si256(end, v_is_0) : end;
    return _mm256_and_si256(inside, hit);
}

#endif
#endif
