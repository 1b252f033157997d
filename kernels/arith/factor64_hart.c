/*
 * Hart's one line factoring (Hart 2012, "A one line factoring algorithm", J. Aust.
 * Math. Soc. 92), after Lehman (1974): for k = STEP, 2 STEP, ... let s be the least
 * integer above the root of k n. If m = s^2 - k n is a square t^2, then k n = (s + t)(s
 * - t), and the gcd of s + t with n is mostly proper. If n = p q, that is so when a
 * product u v = k makes u p and v q nearly equal, which a k with many divisors soon
 * does: STEP = 2^5 * 3 * 5 needs 98 k on average for a 32-bit n without prime factors
 * below 1020, less than half of what 315 needs.
 *
 * All is small: s < 2^30 as k n < 2^60, and m <= 2 s + 1 < 2^31, so m is known from its
 * value mod 2^32, and integers of 32 bits do but for the root, in a double, of k n,
 * which is the product of two roots that are known. It is wrong by less than 2^-22;
 * where that leads to a wrong s (or k n is a square) there is no square to be seen, or
 * one that a gcd refutes: nothing is lost but this k.
 */
#include "arith/factor64_hart.h"

#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "arith/factor64_gcd.h"

enum { STEP = 480, ROOTS = 2048 };
_Static_assert((uint64_t)STEP *ROOTS <= UINT64_C(1) << (60 - FACTOR64_HART_BITS),
               "s fits 30 bits");

static _Alignas(32) double roots[ROOTS]; /* of STEP, 2 STEP, ... */

void factor64_hart_init(void)
{
    for (int i = 0; i < ROOTS; i++)
        roots[i] = sqrt(STEP * (double)(i + 1));
}

/* What s^2 - t^2 = k n gives: a proper factor of n, or 0. */
static inline uint64_t try_squares(uint64_t n, uint32_t s, uint32_t t)
{
    uint64_t g = factor64_gcd(s + t, n);
    return g > 1 && g < n ? g : 0;
}

uint64_t factor64_hart_scalar(uint64_t n)
{
    const double root = sqrt((double)n);
    uint32_t kn = 0, factor = STEP * (uint32_t)n;
    for (unsigned i = 0; i < ROOTS; i++) {
        uint32_t s = (uint32_t)(root * roots[i]) + 1;
        kn += factor;
        uint32_t m = s * s - kn, t = (uint32_t)sqrt((double)m);
        uint64_t g = t * t == m ? try_squares(n, s, t) : 0;
        if (g)
            return g;
    }
    return 0;
}

#if defined(__x86_64__)

/* Eight k at a time. m in a float is m up to 2^-24, and its root, below 2^16, right to
 * 2^-8: rounded it is t if m is t^2. */
__attribute__((target("avx2"))) uint64_t factor64_hart_avx2(uint64_t n)
{
    const __m256d root = _mm256_set1_pd(sqrt((double)n));
    const uint32_t factor = STEP * (uint32_t)n;
    const __m256i step = _mm256_set1_epi32((int32_t)(8 * factor));
    const __m256i one = _mm256_set1_epi32(1);
    __m256i kn = _mm256_mullo_epi32(_mm256_set1_epi32((int32_t)factor),
                                    _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8));
    for (unsigned i = 0; i < ROOTS; i += 8, kn = _mm256_add_epi32(kn, step)) {
        __m256d a = _mm256_mul_pd(root, _mm256_load_pd(roots + i));
        __m256d b = _mm256_mul_pd(root, _mm256_load_pd(roots + i + 4));
        __m256i s = _mm256_add_epi32(
            _mm256_setr_m128i(_mm256_cvttpd_epi32(a), _mm256_cvttpd_epi32(b)), one);
        __m256i m = _mm256_sub_epi32(_mm256_mullo_epi32(s, s), kn);
        __m256i t = _mm256_cvtps_epi32(_mm256_sqrt_ps(_mm256_cvtepi32_ps(m)));
        __m256i hit = _mm256_cmpeq_epi32(_mm256_mullo_epi32(t, t), m);
        unsigned hits = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(hit));
        if (!hits)
            continue;
        uint32_t ss[8], ts[8];
        _mm256_storeu_si256((__m256i *)(void *)ss, s);
        _mm256_storeu_si256((__m256i *)(void *)ts, t);
        for (; hits; hits &= hits - 1) {
            unsigned lane = (unsigned)__builtin_ctz(hits);
            uint64_t g = try_squares(n, ss[lane], ts[lane]);
            if (g)
                return g;
        }
    }
    return 0;
}

#endif
