/*
 * prime64_avx2_doubles: tests of numbers below 2^50, in doubles with FMA.
 *
 * x y mod n: h = fl(x y), l = x y - h exactly (FMA), q = the integer nearest to h *
 * fl(1/n), and the result is (h - q n) + l. Let u = 2^-53, t = x y / n. Adding 1.5 *
 * 2^52 in the FMA that multiplies, and subtracting it again, takes the nearest integer
 * of the unrounded product as long as |t| <= 2^51 - 2, so that |q - t| <= 1/2 + (2u +
 * u^2) |t|. h - q n, l and their sum are integers below 2^53, so the result is exact:
 * congruent to x y whatever q is, and at most n (1/2 + (2u + u^2) |t|) in size. Each
 * use below bounds t so that the results are small enough for the next step.
 */
#include "arith/prime64_avx2.h"

#if defined(__x86_64__)

#ifdef __FAST_MATH__
#error "prime64_avx2_doubles.c needs exact IEEE arithmetic: no -ffast-math"
#endif

/* Four numbers below 2^32. */
AVX2_INLINE __m256i load_halves(const uint32_t *p)
{
    return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)p));
}

/* n < 2^52, exactly. */
AVX2_INLINE __m256d exact_double(__m256i n)
{
    const __m256d bias = _mm256_set1_pd(0x1p52);
    return _mm256_sub_pd(
        _mm256_castsi256_pd(_mm256_or_si256(n, _mm256_castpd_si256(bias))), bias);
}

/* 2^f for 0 <= f < 1024. */
AVX2_INLINE __m256d power_double(__m256i f)
{
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_add_epi64(f, splat(1023)), 52));
}

/* x y - sub mod n as at the top of this file; r = fl(1/n), |sub| < 2^12. */
AVX2_INLINE __m256d multiply_double(__m256d x, __m256d y, __m256d sub, __m256d n,
                                    __m256d r)
{
    const __m256d bias = _mm256_set1_pd(0x1.8p52);
    __m256d h = _mm256_mul_pd(x, y), l = _mm256_fmsub_pd(x, y, h);
    __m256d q = _mm256_sub_pd(_mm256_fmadd_pd(h, r, bias), bias);
    return _mm256_add_pd(_mm256_fnmadd_pd(q, n, h), _mm256_sub_pd(l, sub));
}

/* Lanes with x = (2|n) mod n, for |x| <= n. */
AVX2_INLINE unsigned is_jacobi_of_two(__m256d x, __m256d n, __m256i integer_n)
{
    const __m256d sign = _mm256_set1_pd(-0.0);
    __m256d minus = _mm256_castsi256_pd(two_is_nonresidue(integer_n));
    __m256d want = _mm256_xor_pd(_mm256_set1_pd(1), _mm256_and_pd(minus, sign));
    __m256d off = _mm256_andnot_pd(sign, _mm256_sub_pd(x, want)); /* 0 or n */
    __m256d ok = _mm256_or_pd(_mm256_cmp_pd(off, _mm256_setzero_pd(), _CMP_EQ_OQ),
                              _mm256_cmp_pd(off, n, _CMP_EQ_OQ));
    return (unsigned)_mm256_movemask_pd(ok);
}

/* The lanes of 4 * DOUBLES_BASE2 odd n, 2^32 <= n < 2^50, that pass. Five bits of
 * (n-1)/2 start as a power of two below n; each further bit is one square, with one
 * factor doubled where the bit is 1. From |x| <= n follows t <= 2n <= 2^51 - 2 and (2u
 * + u^2) t < 1/2, so again |x| <= n. */
AVX2_TARGET unsigned prime64_avx2_base2_mid(const uint64_t *numbers)
{
    enum { FIRST = 5 };
    __m256d x[DOUBLES_BASE2], n[DOUBLES_BASE2], r[DOUBLES_BASE2];
    __m256i e[DOUBLES_BASE2];
    int at = (int)longest(numbers, LANES * DOUBLES_BASE2) - 1 - FIRST;
    PRIME64_UNROLL
    for (int j = 0; j < DOUBLES_BASE2; j++) {
        __m256i v = load(numbers + LANES * j);
        n[j] = exact_double(v);
        r[j] = _mm256_div_pd(_mm256_set1_pd(1), n[j]);
        x[j] = power_double(_mm256_srl_epi64(v, _mm_cvtsi32_si128(at + 1)));
        e[j] =
            _mm256_sll_epi64(v, _mm_cvtsi32_si128(63 - at)); /* next bit in the sign */
    }
    for (; at > 0; at--) {
        PRIME64_UNROLL
        for (int j = 0; j < DOUBLES_BASE2; j++) {
            __m256d twice = _mm256_add_pd(x[j], x[j]);
            twice = _mm256_blendv_pd(x[j], twice, _mm256_castsi256_pd(e[j]));
            x[j] = multiply_double(x[j], twice, _mm256_setzero_pd(), n[j], r[j]);
            e[j] = _mm256_slli_epi64(e[j], 1);
        }
    }
    unsigned pass = 0;
    PRIME64_UNROLL
    for (int j = 0; j < DOUBLES_BASE2; j++)
        pass |= is_jacobi_of_two(x[j], n[j], load(numbers + LANES * j)) << LANES * j;
    return pass;
}

/* The lanes of 4 * DOUBLES_BASE2 odd n, 2^12 <= n < 2^32, that pass. Five bits of
 * (n-1)/2 start as x = 2^f < 2^32, then come two, then four at a time: a square each,
 * the last of them with one factor times 2^f. The first square has t < 2^62 / 2^12 and
 * 2u t < 1/4, hence |x| <= n; from then on t <= 2^15 n < 2^47 and |x| <= n (1/2 +
 * 2^-5). */
AVX2_TARGET unsigned prime64_avx2_base2_small(const uint32_t *numbers)
{
    enum { DIGIT = 4 };
    __m256d x[DOUBLES_BASE2], n[DOUBLES_BASE2], r[DOUBLES_BASE2];
    const __m256d zero = _mm256_setzero_pd();
    PRIME64_UNROLL
    for (int j = 0; j < DOUBLES_BASE2; j++) {
        __m256i v = load_halves(numbers + LANES * j);
        n[j] = exact_double(v);
        r[j] = _mm256_div_pd(_mm256_set1_pd(1), n[j]);
        x[j] = power_double(_mm256_srli_epi64(v, 27));
    }
    for (int at = 24, step = 2; at >= 0; at -= step = DIGIT) {
        for (int i = 1; i < step; i++) {
            PRIME64_UNROLL
            for (int j = 0; j < DOUBLES_BASE2; j++)
                x[j] = multiply_double(x[j], x[j], zero, n[j], r[j]);
        }
        __m256i mask = splat((1ull << step) - 1);
        PRIME64_UNROLL
        for (int j = 0; j < DOUBLES_BASE2; j++) {
            __m256i v = _mm256_srl_epi64(load_halves(numbers + LANES * j),
                                         _mm_cvtsi32_si128(at + 1));
            __m256d y = _mm256_mul_pd(x[j], power_double(_mm256_and_si256(v, mask)));
            x[j] = multiply_double(x[j], y, zero, n[j], r[j]);
        }
    }
    unsigned pass = 0;
    PRIME64_UNROLL
    for (int j = 0; j < DOUBLES_BASE2; j++)
        pass |= is_jacobi_of_two(x[j], n[j], load_halves(numbers + LANES * j))
                << LANES * j;
    return pass;
}

/* The lanes of 4 * DOUBLES_LUCAS numbers below 2^50 that pass with the parameters p.
 * From |V| <= (3/5) n follows 2u |t| < 2^-52 (9/25) 2^50 = 9/100, and 1/2 + 9/100
 * leaves room for P. */
AVX2_TARGET unsigned prime64_avx2_lucas_mid(const uint64_t *numbers, const uint64_t *p)
{
    __m256d n[DOUBLES_LUCAS], r[DOUBLES_LUCAS], step[DOUBLES_LUCAS];
    __m256d c[DOUBLES_LUCAS], d[DOUBLES_LUCAS];
    __m256i n1[DOUBLES_LUCAS], turn[DOUBLES_LUCAS], ok[DOUBLES_LUCAS];
    const __m256d two = _mm256_set1_pd(2), sign = _mm256_set1_pd(-0.0);
    unsigned last = deepest(numbers, LANES * DOUBLES_LUCAS);
    PRIME64_UNROLL
    for (int j = 0; j < DOUBLES_LUCAS; j++) {
        __m256i v = load(numbers + LANES * j);
        n[j] = exact_double(v);
        r[j] = _mm256_div_pd(_mm256_set1_pd(1), n[j]);
        n1[j] = _mm256_add_epi64(v, splat(1));
        turn[j] = _mm256_xor_si256(n1[j], _mm256_srli_epi64(n1[j], 1));
        d[j] = two;
        c[j] = step[j] = exact_double(load(p + LANES * j));
        ok[j] = _mm256_setzero_si256();
    }
    for (unsigned bit = longest(numbers, LANES * DOUBLES_LUCAS); bit > 0; bit--) {
        PRIME64_UNROLL
        for (int j = 0; j < DOUBLES_LUCAS; j++) {
            __m256d s = _mm256_blendv_pd(
                d[j], c[j], _mm256_castsi256_pd(bit_to_sign(turn[j], bit)));
            c[j] = multiply_double(c[j], d[j], step[j], n[j], r[j]);
            d[j] = multiply_double(s, s, two, n[j], r[j]);
        }
        if (bit > last)
            continue;
        PRIME64_UNROLL
        for (int j = 0; j < DOUBLES_LUCAS; j++) {
            __m256d v = _mm256_blendv_pd(d[j], c[j],
                                         _mm256_castsi256_pd(bit_to_sign(n1[j], bit)));
            __m256d size = _mm256_andnot_pd(sign, v);
            __m256d is_2 = _mm256_cmp_pd(size, two, _CMP_EQ_OQ);
            __m256d is_0 = _mm256_cmp_pd(size, _mm256_setzero_pd(), _CMP_EQ_OQ);
            __m256i hit = lucas_hit(_mm256_castpd_si256(is_2),
                                    _mm256_castpd_si256(is_0), n1[j], bit);
            ok[j] = _mm256_or_si256(ok[j], hit);
        }
    }
    unsigned pass = 0;
    PRIME64_UNROLL
    for (int j = 0; j < DOUBLES_LUCAS; j++)
        pass |= (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(ok[j])) << LANES * j;
    return pass;
}

#endif
