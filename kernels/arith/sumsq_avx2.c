/*
 * Four squares in a vector, each a product of 32 x 32 bits. A lane adds up a run of
 * them, t, that is sure to stay below 2^64, and then adds t to `sum`, modulo 2^64, and
 * its upper half to `high`. That is all: with low the sum of the lower halves,
 *
 *     high * 2^32 + low = the sum of all t,   so   low = sum - high * 2^32 mod 2^64
 *
 * and low is below 2^64 as long as there are less than 2^32 runs. The longer the run,
 * the fewer instructions: from 3 for four squares to 5 when it is of one square.
 */
#include "arith/sumsq_avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2")))

enum {
    WIDE = 3, /* vectors side by side: with four, registers run out */
    STEP = 4 * WIDE
};

#if defined(__clang__)
#define EACH _Pragma("unroll") for (int j = 0; j < WIDE; j++)
#else
#define EACH _Pragma("GCC unroll 3") for (int j = 0; j < WIDE; j++)
#endif

/* Adds the squares of first .. first + runs * run * STEP - 1 to *total. */
AVX2_INLINE void sum_runs(uint128 *total, uint64_t first, uint32_t runs, uint32_t run)
{
    const __m256i next = _mm256_set1_epi64x(STEP);
    __m256i x[WIDE], sum[WIDE], high[WIDE];
    EACH
    {
        __m256i from = _mm256_set1_epi64x((long long)first + 4 * j);
        x[j] = _mm256_add_epi64(from, _mm256_setr_epi64x(0, 1, 2, 3));
        sum[j] = high[j] = _mm256_setzero_si256();
    }
    while (runs-- > 0) {
        __m256i t[WIDE];
        EACH t[j] = _mm256_setzero_si256();
        for (uint32_t i = 0; i < run; i++) {
            EACH
            {
                t[j] = _mm256_add_epi64(t[j], _mm256_mul_epu32(x[j], x[j]));
                x[j] = _mm256_add_epi64(x[j], next);
            }
        }
        EACH
        {
            sum[j] = _mm256_add_epi64(sum[j], t[j]);
            high[j] = _mm256_add_epi64(high[j], _mm256_srli_epi64(t[j], 32));
        }
    }
    for (int j = 0; j < WIDE; j++) {
        uint64_t s[4], h[4];
        _mm256_storeu_si256((__m256i *)s, sum[j]);
        _mm256_storeu_si256((__m256i *)h, high[j]);
        for (int k = 0; k < 4; k++)
            *total += ((uint128)h[k] << 32) + (s[k] - (h[k] << 32));
    }
}

/* The longest runs whose sums are below 2^64: of 64 squares below 2^58, and so on. */
AVX2 uint128 sumsq_avx2(uint32_t first, uint32_t count)
{
    uint64_t x = first, end = x + count;
    uint32_t run = end <= UINT64_C(1) << 29 ? 64 : end <= UINT64_C(1) << 31 ? 4 : 1;
    uint32_t runs = count / (STEP * run);
    uint128 total = 0;
    if (run == 64)
        sum_runs(&total, x, runs, 64);
    else if (run == 4)
        sum_runs(&total, x, runs, 4);
    else
        sum_runs(&total, x, runs, 1);
    for (x += runs * run * STEP; x < end; x++)
        total += x * x;
    return total;
}

#endif
