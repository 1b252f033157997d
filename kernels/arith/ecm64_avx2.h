/*
 * ecm64_avx2: Montgomery arithmetic on four numbers in a vector, by 32-bit limbs, as
 * mont64 with R = 2^64 and the positive inverse. BITS is a constant, 60, 63 or 64, and
 * n < 2^BITS.
 *
 * Residues are below n, and after a subtraction n is added if it went below zero: for
 * n < 2^63 the sign tells. For n < 2^60 nothing is ever looked at: products are below
 * 2n, sums and differences of two products below 4n, and the product of two such is
 * below 16 n^2 < 2^64 n, so its upper half is below n, as is that of the multiple of n
 * which is subtracted.
 *
 * A product of two limbs is at most (2^32 - 1)^2 = 2^64 - 2^33 + 1, so one limb, or
 * two, can be added to it without overflow. Columns are summed from low to high with
 * that in mind; no carry is ever lost and none has to be looked for.
 *
 * check-headers: template
 */
#ifndef QUERN_ARITH_ECM64_AVX2_H
#define QUERN_ARITH_ECM64_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "arith/ecm64_lane.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define EACH _Pragma("clang loop unroll(full)") for (int j = 0; j < K; j++)
#else
#pragma GCC target("avx2,fma")
#define EACH _Pragma("GCC unroll 8") for (int j = 0; j < K; j++)
#endif

#define INLINE static inline __attribute__((always_inline))
#define WORD __m256i
enum { K = 4, LANES = 16 };

struct modulus {
    __m256i n, high, inverse; /* high: n >> 32; inverse: n^-1 mod 2^32 */
    __m256i twice, square;    /* 2n; the form of 2^64 */
};

INLINE __m256i limb(__m256i x)
{
    return _mm256_and_si256(x, _mm256_set1_epi64x(0xffffffff));
}

INLINE __m256i carry(__m256i x)
{
    return _mm256_srli_epi64(x, 32);
}

/* a * b + c for the low limbs of a and b. */
INLINE __m256i fma32(__m256i a, __m256i b, __m256i c)
{
    return _mm256_add_epi64(_mm256_mul_epu32(a, b), c);
}

/* sign ? x : y, by the sign bits of `sign`. */
INLINE __m256i by_sign(__m256i sign, __m256i x, __m256i y)
{
    return _mm256_castpd_si256(_mm256_blendv_pd(
        _mm256_castsi256_pd(y), _mm256_castsi256_pd(x), _mm256_castsi256_pd(sign)));
}

/* x - y for x, y <= n, and n more if that is negative, or in any case (BITS 60). */
INLINE __m256i difference(__m256i x, __m256i y, __m256i n)
{
    const __m256i d = _mm256_sub_epi64(x, y);
    if (BITS == 60)
        return _mm256_add_epi64(d, n);
    if (BITS == 63)
        return by_sign(d, _mm256_add_epi64(d, n), d);
    const __m256i top = _mm256_set1_epi64x(INT64_MIN);
    __m256i less =
        _mm256_cmpgt_epi64(_mm256_xor_si256(y, top), _mm256_xor_si256(x, top));
    return _mm256_add_epi64(d, _mm256_and_si256(less, n));
}

/* The product is top * 2^64 + (middle mod 2^32) * 2^32 + (low mod 2^32), with the
 * carries of `low` in `middle` and those of `middle` in top. Subtracts the upper half
 * of m * n, where m = product * n^-1 mod 2^64: the lower halves are equal. */
INLINE __m256i reduce(__m256i low, __m256i middle, __m256i top, const struct modulus *m)
{
    __m256i m0 = _mm256_mul_epu32(low, m->inverse);
    __m256i p = fma32(m0, m->high, carry(_mm256_mul_epu32(m0, m->n)));
    __m256i m1 = _mm256_mul_epu32(_mm256_sub_epi64(middle, p), m->inverse);
    __m256i q = fma32(m1, m->n, limb(p));
    __m256i r = _mm256_add_epi64(fma32(m1, m->high, carry(p)), carry(q));
    return difference(top, r, m->n);
}

INLINE __m256i mul(__m256i x, __m256i y, const struct modulus *m)
{
    __m256i xh = carry(x), yh = carry(y);
    __m256i low = _mm256_mul_epu32(x, y);
    __m256i t = fma32(xh, y, carry(low));
    __m256i s = fma32(x, yh, limb(t));
    __m256i top = _mm256_add_epi64(fma32(xh, yh, carry(t)), carry(s));
    return reduce(low, s, top, m);
}

INLINE __m256i sqr(__m256i x, const struct modulus *m)
{
    __m256i xh = carry(x), low = _mm256_mul_epu32(x, x), s, top;
    if (BITS == 64) {
        __m256i cross = _mm256_mul_epu32(x, xh);
        __m256i t = _mm256_add_epi64(cross, carry(low));
        s = _mm256_add_epi64(cross, limb(t));
        top = _mm256_add_epi64(fma32(xh, xh, carry(t)), carry(s));
    } else {
        /* 2 xh fits a limb, and 2 x xh + carry fits 64 bits, since x < 2^63. */
        s = fma32(x, _mm256_add_epi64(xh, xh), carry(low));
        top = fma32(xh, xh, carry(s));
    }
    return reduce(low, s, top, m);
}

INLINE __m256i sub(__m256i a, __m256i b, const struct modulus *m)
{
    return difference(a, b, BITS == 60 ? m->twice : m->n);
}

INLINE __m256i add(__m256i a, __m256i b, const struct modulus *m)
{
    if (BITS == 64)
        return difference(a, _mm256_sub_epi64(m->n, b), m->n);
    const __m256i s = _mm256_add_epi64(a, b);
    if (BITS == 60)
        return s;
    const __m256i d = _mm256_sub_epi64(s, m->n);
    return by_sign(d, s, d);
}

INLINE __m256i enter(const uint64_t *v, int j, const struct modulus *m)
{
    return mul(_mm256_load_si256((const __m256i *)(const void *)(v + 4 * j)), m->square,
               m);
}

#include "arith/ecm64_core.h"

static void put(__m256i *v, unsigned lane, uint64_t value)
{
    memcpy((char *)v + 8 * (lane % 4), &value, 8);
}

static void number(void *work, unsigned lane, uint64_t n)
{
    struct work *w = work;
    struct modulus *m = &w->m[lane / 4];
    uint64_t inverse = mont64_inverse(n);
    put(&m->n, lane, n);
    put(&m->high, lane, n >> 32);
    put(&m->inverse, lane, inverse & 0xffffffff);
    put(&m->twice, lane, 2 * n);
    put(&m->square, lane, lane_square(n, inverse));
}

static void residues(const void *work, enum ecm64_residue which, uint64_t *out)
{
    const struct work *w = work;
    memcpy(out, w->residue[which], LANES * sizeof *out);
}

#endif
