/*
 * mpqs_avx2: the lanes of the quadratic sieve, 16 at a time. Same results as
 * mpqs_generic.c, whose comments explain the arithmetic.
 */
#include "arith/mpqs_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,popcnt")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2,popcnt")))

AVX2_INLINE __m256i load(const uint16_t *p)
{
    return _mm256_load_si256((const __m256i *)p);
}

AVX2_INLINE void store(uint16_t *p, __m256i v)
{
    _mm256_store_si256((__m256i *)p, v);
}

/* x - y mod p for x, y < p; a negative difference is above 2^15 and p more is not. */
AVX2_INLINE __m256i sub(__m256i x, __m256i y, __m256i p)
{
    __m256i r = _mm256_sub_epi16(x, y);
    return _mm256_min_epu16(r, _mm256_add_epi16(r, p));
}

/* x mod p for x < 2p */
AVX2_INLINE __m256i below(__m256i x, __m256i p)
{
    return _mm256_min_epu16(x, _mm256_sub_epi16(x, p));
}

AVX2_INLINE __m256i mul(__m256i x, __m256i y, __m256i p, __m256i ni)
{
    __m256i m = _mm256_mullo_epi16(_mm256_mullo_epi16(x, y), ni);
    return sub(_mm256_mulhi_epu16(x, y), _mm256_mulhi_epu16(m, p), p);
}

/* x / 2 mod p */
AVX2_INLINE __m256i half(__m256i x, __m256i p)
{
    __m256i odd = _mm256_cmpeq_epi16(_mm256_slli_epi16(x, 15), _mm256_setzero_si256());
    return _mm256_srli_epi16(_mm256_add_epi16(x, _mm256_andnot_si256(odd, p)), 1);
}

/* x^e, x and the result times 2^16; e < 2^15 */
AVX2_INLINE __m256i power(__m256i x, __m256i e, __m256i one, __m256i p, __m256i ni)
{
    __m256i r = one;
    for (int i = 0; i < 15; i++) { /* from bit 14 down; it is moved to the sign */
        e = _mm256_slli_epi16(e, 1);
        r = mul(r, r, p, ni);
        r = _mm256_blendv_epi8(r, mul(r, x, p, ni), _mm256_srai_epi16(e, 15));
    }
    return r;
}

AVX2 static void powers_avx2(struct mpqs_primes *t, const uint16_t *v, uint32_t digits)
{
    __m256i plain = _mm256_set1_epi16(1);
    for (uint32_t i = 0; i < t->lanes && i < t->limit; i += 16) {
        __m256i p = load(t->p + i), ni = load(t->ni + i), square = load(t->square + i);
        __m256i x = _mm256_setzero_si256();
        for (uint32_t j = digits; j--;) {
            __m256i d = mul(_mm256_set1_epi16((short)v[j]), square, p, ni);
            x = below(_mm256_add_epi16(mul(x, square, p, ni), d), p);
        }
        __m256i r = power(x, load(t->half + i), load(t->one + i), p, ni);
        x = mul(x, r, p, ni);
        store(t->power + i, mul(mul(x, r, p, ni), plain, p, ni));
        store(t->root + i, mul(x, plain, p, ni));
    }
}

/* Row j first holds q_0 ... q_(j-1), then the inverse of q_j. */
AVX2 static void inverses_avx2(const struct mpqs_base *f, const uint16_t *q, uint32_t n,
                               uint16_t *row)
{
    __m256i one16 = _mm256_set1_epi16(1), two = _mm256_set1_epi16(2);
    for (uint32_t i = 0; i < f->lanes; i += 16) {
        __m256i p = load(f->p + i), ni = load(f->ni + i), square = load(f->square + i);
        __m256i one = load(f->one + i), all = one;
        for (uint32_t j = 0; j < n; j++) {
            __m256i x = _mm256_set1_epi16((short)q[j]);
            x = _mm256_blendv_epi8(x, one16, _mm256_cmpeq_epi16(x, p));
            store(row + (size_t)j * f->lanes + i, all);
            all = mul(all, mul(x, square, p, ni), p, ni);
        }
        all = power(all, _mm256_sub_epi16(p, two), one, p, ni); /* 1 / all */
        for (uint32_t j = n; j--;) {
            uint16_t *at = row + (size_t)j * f->lanes + i;
            __m256i x = _mm256_set1_epi16((short)q[j]);
            __m256i same = _mm256_cmpeq_epi16(x, p);
            x = _mm256_blendv_epi8(x, one16, same);
            store(at, _mm256_andnot_si256(same, mul(all, load(at), p, ni)));
            all = mul(all, mul(x, square, p, ni), p, ni);
        }
    }
}

AVX2 static void start_avx2(const struct mpqs_base *f, struct mpqs_poly *y,
                            uint16_t *const *inv, const uint16_t *gamma, bool odd)
{
    __m256i one = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    for (uint32_t i = 0; i < f->lanes; i += 16) {
        __m256i p = load(f->p + i), ni = load(f->ni + i);
        __m256i sum = zero, ainv = load(f->one + i);
        for (uint32_t j = 0; j < y->s; j++) {
            __m256i v = load(inv[j] + i);
            __m256i d = mul(_mm256_set1_epi16((short)gamma[j]), v, p, ni);
            ainv = mul(ainv, v, p, ni);
            if (j == 0 && odd)
                d = below(_mm256_add_epi16(d, one), p);
            store(y->up[j] + i, d);
            store(y->down[j] + i, sub(zero, d, p));
            sum = below(_mm256_add_epi16(sum, d), p);
        }
        __m256i h = mul(load(f->sqrt + i), ainv, p, ni), middle = load(f->middle + i);
        __m256i u = half(sub(h, sum, p), p);
        __m256i v = half(sub(sub(zero, h, p), sum, p), p);
        store(y->r1 + i, below(_mm256_add_epi16(u, middle), p));
        store(y->r2 + i, below(_mm256_add_epi16(v, middle), p));
    }
}

AVX2 static void shift_avx2(const struct mpqs_base *f, uint16_t *const to[2],
                            uint16_t *const from[2], const uint16_t *move)
{
    for (uint32_t i = 0; i < f->lanes; i += 16) {
        __m256i p = load(f->p + i), d = load(move + i);
        store(to[0] + i, sub(load(from[0] + i), d, p));
        store(to[1] + i, sub(load(from[1] + i), d, p));
    }
}

AVX2_INLINE __m256i load32(const uint32_t *p)
{
    return _mm256_load_si256((const __m256i *)p);
}

/* x - y mod p for x, y < p < 2^31 */
AVX2_INLINE __m256i sub32(__m256i x, __m256i y, __m256i p)
{
    __m256i r = _mm256_sub_epi32(x, y);
    return _mm256_min_epu32(r, _mm256_add_epi32(r, p));
}

/* x mod p for x < 2p */
AVX2_INLINE __m256i below32(__m256i x, __m256i p)
{
    return _mm256_min_epu32(x, _mm256_sub_epi32(x, p));
}

/* The high halves of four products m p in even lanes, m = x y / p mod 2^32, and of x y.
 */
AVX2_INLINE __m256i mul_half(__m256i x, __m256i y, __m256i p, __m256i ni, __m256i *hi)
{
    *hi = _mm256_mul_epu32(x, y);
    return _mm256_mul_epu32(_mm256_mul_epu32(*hi, ni), p);
}

AVX2_INLINE __m256i odd32(__m256i x)
{
    return _mm256_srli_epi64(x, 32);
}

AVX2_INLINE __m256i mul32(__m256i x, __m256i y, __m256i p, __m256i ni)
{
    __m256i h0, h1, s0 = mul_half(x, y, p, ni, &h0);
    __m256i s1 = mul_half(odd32(x), odd32(y), odd32(p), odd32(ni), &h1);
    return sub32(_mm256_blend_epi32(odd32(h0), h1, 0xaa),
                 _mm256_blend_epi32(odd32(s0), s1, 0xaa), p);
}

AVX2_INLINE __m256i half32(__m256i x, __m256i p)
{
    __m256i odd = _mm256_srai_epi32(_mm256_slli_epi32(x, 31), 31);
    return _mm256_srli_epi32(_mm256_add_epi32(x, _mm256_and_si256(odd, p)), 1);
}

AVX2 static void tail_start_avx2(struct mpqs_tail *t, uint32_t s,
                                 const uint32_t *in_pool, const uint16_t *gamma,
                                 bool odd)
{
    __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
    for (uint32_t i = 0; i < t->lanes; i += 8) {
        __m256i p = load32(t->p + i), ni = load32(t->ni + i);
        __m256i sum = zero, ainv = load32(t->one + i);
        for (uint32_t j = 0; j < s; j++) {
            __m256i inv = load32(t->inverse + (size_t)in_pool[j] * t->lanes + i);
            __m256i d = mul32(_mm256_set1_epi32(gamma[j]), inv, p, ni);
            ainv = mul32(ainv, inv, p, ni);
            if (j == 0 && odd)
                d = below32(_mm256_add_epi32(d, one), p);
            _mm256_store_si256((__m256i *)(t->up[j] + i), d);
            _mm256_store_si256((__m256i *)(t->down[j] + i), sub32(zero, d, p));
            sum = below32(_mm256_add_epi32(sum, d), p);
        }
        __m256i h = mul32(load32(t->sqrt + i), ainv, p, ni);
        __m256i middle = load32(t->middle + i);
        __m256i u = half32(sub32(h, sum, p), p);
        __m256i v = half32(sub32(sub32(zero, h, p), sum, p), p);
        u = below32(_mm256_add_epi32(u, middle), p);
        v = below32(_mm256_add_epi32(v, middle), p);
        _mm256_store_si256((__m256i *)(t->r[0] + i), u);
        _mm256_store_si256((__m256i *)(t->r[1] + i), v);
    }
}

/* Row m: the places of the bits of m, ascending; the rest does not matter. */
static const uint8_t places[256][8] = {
    {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0},
    {0, 1, 0, 0, 0, 0, 0, 0}, {2, 0, 0, 0, 0, 0, 0, 0}, {0, 2, 0, 0, 0, 0, 0, 0},
    {1, 2, 0, 0, 0, 0, 0, 0}, {0, 1, 2, 0, 0, 0, 0, 0}, {3, 0, 0, 0, 0, 0, 0, 0},
    {0, 3, 0, 0, 0, 0, 0, 0}, {1, 3, 0, 0, 0, 0, 0, 0}, {0, 1, 3, 0, 0, 0, 0, 0},
    {2, 3, 0, 0, 0, 0, 0, 0}, {0, 2, 3, 0, 0, 0, 0, 0}, {1, 2, 3, 0, 0, 0, 0, 0},
    {0, 1, 2, 3, 0, 0, 0, 0}, {4, 0, 0, 0, 0, 0, 0, 0}, {0, 4, 0, 0, 0, 0, 0, 0},
    {1, 4, 0, 0, 0, 0, 0, 0}, {0, 1, 4, 0, 0, 0, 0, 0}, {2, 4, 0, 0, 0, 0, 0, 0},
    {0, 2, 4, 0, 0, 0, 0, 0}, {1, 2, 4, 0, 0, 0, 0, 0}, {0, 1, 2, 4, 0, 0, 0, 0},
    {3, 4, 0, 0, 0, 0, 0, 0}, {0, 3, 4, 0, 0, 0, 0, 0}, {1, 3, 4, 0, 0, 0, 0, 0},
    {0, 1, 3, 4, 0, 0, 0, 0}, {2, 3, 4, 0, 0, 0, 0, 0}, {0, 2, 3, 4, 0, 0, 0, 0},
    {1, 2, 3, 4, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 0, 0, 0}, {5, 0, 0, 0, 0, 0, 0, 0},
    {0, 5, 0, 0, 0, 0, 0, 0}, {1, 5, 0, 0, 0, 0, 0, 0}, {0, 1, 5, 0, 0, 0, 0, 0},
    {2, 5, 0, 0, 0, 0, 0, 0}, {0, 2, 5, 0, 0, 0, 0, 0}, {1, 2, 5, 0, 0, 0, 0, 0},
    {0, 1, 2, 5, 0, 0, 0, 0}, {3, 5, 0, 0, 0, 0, 0, 0}, {0, 3, 5, 0, 0, 0, 0, 0},
    {1, 3, 5, 0, 0, 0, 0, 0}, {0, 1, 3, 5, 0, 0, 0, 0}, {2, 3, 5, 0, 0, 0, 0, 0},
    {0, 2, 3, 5, 0, 0, 0, 0}, {1, 2, 3, 5, 0, 0, 0, 0}, {0, 1, 2, 3, 5, 0, 0, 0},
    {4, 5, 0, 0, 0, 0, 0, 0}, {0, 4, 5, 0, 0, 0, 0, 0}, {1, 4, 5, 0, 0, 0, 0, 0},
    {0, 1, 4, 5, 0, 0, 0, 0}, {2, 4, 5, 0, 0, 0, 0, 0}, {0, 2, 4, 5, 0, 0, 0, 0},
    {1, 2, 4, 5, 0, 0, 0, 0}, {0, 1, 2, 4, 5, 0, 0, 0}, {3, 4, 5, 0, 0, 0, 0, 0},
    {0, 3, 4, 5, 0, 0, 0, 0}, {1, 3, 4, 5, 0, 0, 0, 0}, {0, 1, 3, 4, 5, 0, 0, 0},
    {2, 3, 4, 5, 0, 0, 0, 0}, {0, 2, 3, 4, 5, 0, 0, 0}, {1, 2, 3, 4, 5, 0, 0, 0},
    {0, 1, 2, 3, 4, 5, 0, 0}, {6, 0, 0, 0, 0, 0, 0, 0}, {0, 6, 0, 0, 0, 0, 0, 0},
    {1, 6, 0, 0, 0, 0, 0, 0}, {0, 1, 6, 0, 0, 0, 0, 0}, {2, 6, 0, 0, 0, 0, 0, 0},
    {0, 2, 6, 0, 0, 0, 0, 0}, {1, 2, 6, 0, 0, 0, 0, 0}, {0, 1, 2, 6, 0, 0, 0, 0},
    {3, 6, 0, 0, 0, 0, 0, 0}, {0, 3, 6, 0, 0, 0, 0, 0}, {1, 3, 6, 0, 0, 0, 0, 0},
    {0, 1, 3, 6, 0, 0, 0, 0}, {2, 3, 6, 0, 0, 0, 0, 0}, {0, 2, 3, 6, 0, 0, 0, 0},
    {1, 2, 3, 6, 0, 0, 0, 0}, {0, 1, 2, 3, 6, 0, 0, 0}, {4, 6, 0, 0, 0, 0, 0, 0},
    {0, 4, 6, 0, 0, 0, 0, 0}, {1, 4, 6, 0, 0, 0, 0, 0}, {0, 1, 4, 6, 0, 0, 0, 0},
    {2, 4, 6, 0, 0, 0, 0, 0}, {0, 2, 4, 6, 0, 0, 0, 0}, {1, 2, 4, 6, 0, 0, 0, 0},
    {0, 1, 2, 4, 6, 0, 0, 0}, {3, 4, 6, 0, 0, 0, 0, 0}, {0, 3, 4, 6, 0, 0, 0, 0},
    {1, 3, 4, 6, 0, 0, 0, 0}, {0, 1, 3, 4, 6, 0, 0, 0}, {2, 3, 4, 6, 0, 0, 0, 0},
    {0, 2, 3, 4, 6, 0, 0, 0}, {1, 2, 3, 4, 6, 0, 0, 0}, {0, 1, 2, 3, 4, 6, 0, 0},
    {5, 6, 0, 0, 0, 0, 0, 0}, {0, 5, 6, 0, 0, 0, 0, 0}, {1, 5, 6, 0, 0, 0, 0, 0},
    {0, 1, 5, 6, 0, 0, 0, 0}, {2, 5, 6, 0, 0, 0, 0, 0}, {0, 2, 5, 6, 0, 0, 0, 0},
    {1, 2, 5, 6, 0, 0, 0, 0}, {0, 1, 2, 5, 6, 0, 0, 0}, {3, 5, 6, 0, 0, 0, 0, 0},
    {0, 3, 5, 6, 0, 0, 0, 0}, {1, 3, 5, 6, 0, 0, 0, 0}, {0, 1, 3, 5, 6, 0, 0, 0},
    {2, 3, 5, 6, 0, 0, 0, 0}, {0, 2, 3, 5, 6, 0, 0, 0}, {1, 2, 3, 5, 6, 0, 0, 0},
    {0, 1, 2, 3, 5, 6, 0, 0}, {4, 5, 6, 0, 0, 0, 0, 0}, {0, 4, 5, 6, 0, 0, 0, 0},
    {1, 4, 5, 6, 0, 0, 0, 0}, {0, 1, 4, 5, 6, 0, 0, 0}, {2, 4, 5, 6, 0, 0, 0, 0},
    {0, 2, 4, 5, 6, 0, 0, 0}, {1, 2, 4, 5, 6, 0, 0, 0}, {0, 1, 2, 4, 5, 6, 0, 0},
    {3, 4, 5, 6, 0, 0, 0, 0}, {0, 3, 4, 5, 6, 0, 0, 0}, {1, 3, 4, 5, 6, 0, 0, 0},
    {0, 1, 3, 4, 5, 6, 0, 0}, {2, 3, 4, 5, 6, 0, 0, 0}, {0, 2, 3, 4, 5, 6, 0, 0},
    {1, 2, 3, 4, 5, 6, 0, 0}, {0, 1, 2, 3, 4, 5, 6, 0}, {7, 0, 0, 0, 0, 0, 0, 0},
    {0, 7, 0, 0, 0, 0, 0, 0}, {1, 7, 0, 0, 0, 0, 0, 0}, {0, 1, 7, 0, 0, 0, 0, 0},
    {2, 7, 0, 0, 0, 0, 0, 0}, {0, 2, 7, 0, 0, 0, 0, 0}, {1, 2, 7, 0, 0, 0, 0, 0},
    {0, 1, 2, 7, 0, 0, 0, 0}, {3, 7, 0, 0, 0, 0, 0, 0}, {0, 3, 7, 0, 0, 0, 0, 0},
    {1, 3, 7, 0, 0, 0, 0, 0}, {0, 1, 3, 7, 0, 0, 0, 0}, {2, 3, 7, 0, 0, 0, 0, 0},
    {0, 2, 3, 7, 0, 0, 0, 0}, {1, 2, 3, 7, 0, 0, 0, 0}, {0, 1, 2, 3, 7, 0, 0, 0},
    {4, 7, 0, 0, 0, 0, 0, 0}, {0, 4, 7, 0, 0, 0, 0, 0}, {1, 4, 7, 0, 0, 0, 0, 0},
    {0, 1, 4, 7, 0, 0, 0, 0}, {2, 4, 7, 0, 0, 0, 0, 0}, {0, 2, 4, 7, 0, 0, 0, 0},
    {1, 2, 4, 7, 0, 0, 0, 0}, {0, 1, 2, 4, 7, 0, 0, 0}, {3, 4, 7, 0, 0, 0, 0, 0},
    {0, 3, 4, 7, 0, 0, 0, 0}, {1, 3, 4, 7, 0, 0, 0, 0}, {0, 1, 3, 4, 7, 0, 0, 0},
    {2, 3, 4, 7, 0, 0, 0, 0}, {0, 2, 3, 4, 7, 0, 0, 0}, {1, 2, 3, 4, 7, 0, 0, 0},
    {0, 1, 2, 3, 4, 7, 0, 0}, {5, 7, 0, 0, 0, 0, 0, 0}, {0, 5, 7, 0, 0, 0, 0, 0},
    {1, 5, 7, 0, 0, 0, 0, 0}, {0, 1, 5, 7, 0, 0, 0, 0}, {2, 5, 7, 0, 0, 0, 0, 0},
    {0, 2, 5, 7, 0, 0, 0, 0}, {1, 2, 5, 7, 0, 0, 0, 0}, {0, 1, 2, 5, 7, 0, 0, 0},
    {3, 5, 7, 0, 0, 0, 0, 0}, {0, 3, 5, 7, 0, 0, 0, 0}, {1, 3, 5, 7, 0, 0, 0, 0},
    {0, 1, 3, 5, 7, 0, 0, 0}, {2, 3, 5, 7, 0, 0, 0, 0}, {0, 2, 3, 5, 7, 0, 0, 0},
    {1, 2, 3, 5, 7, 0, 0, 0}, {0, 1, 2, 3, 5, 7, 0, 0}, {4, 5, 7, 0, 0, 0, 0, 0},
    {0, 4, 5, 7, 0, 0, 0, 0}, {1, 4, 5, 7, 0, 0, 0, 0}, {0, 1, 4, 5, 7, 0, 0, 0},
    {2, 4, 5, 7, 0, 0, 0, 0}, {0, 2, 4, 5, 7, 0, 0, 0}, {1, 2, 4, 5, 7, 0, 0, 0},
    {0, 1, 2, 4, 5, 7, 0, 0}, {3, 4, 5, 7, 0, 0, 0, 0}, {0, 3, 4, 5, 7, 0, 0, 0},
    {1, 3, 4, 5, 7, 0, 0, 0}, {0, 1, 3, 4, 5, 7, 0, 0}, {2, 3, 4, 5, 7, 0, 0, 0},
    {0, 2, 3, 4, 5, 7, 0, 0}, {1, 2, 3, 4, 5, 7, 0, 0}, {0, 1, 2, 3, 4, 5, 7, 0},
    {6, 7, 0, 0, 0, 0, 0, 0}, {0, 6, 7, 0, 0, 0, 0, 0}, {1, 6, 7, 0, 0, 0, 0, 0},
    {0, 1, 6, 7, 0, 0, 0, 0}, {2, 6, 7, 0, 0, 0, 0, 0}, {0, 2, 6, 7, 0, 0, 0, 0},
    {1, 2, 6, 7, 0, 0, 0, 0}, {0, 1, 2, 6, 7, 0, 0, 0}, {3, 6, 7, 0, 0, 0, 0, 0},
    {0, 3, 6, 7, 0, 0, 0, 0}, {1, 3, 6, 7, 0, 0, 0, 0}, {0, 1, 3, 6, 7, 0, 0, 0},
    {2, 3, 6, 7, 0, 0, 0, 0}, {0, 2, 3, 6, 7, 0, 0, 0}, {1, 2, 3, 6, 7, 0, 0, 0},
    {0, 1, 2, 3, 6, 7, 0, 0}, {4, 6, 7, 0, 0, 0, 0, 0}, {0, 4, 6, 7, 0, 0, 0, 0},
    {1, 4, 6, 7, 0, 0, 0, 0}, {0, 1, 4, 6, 7, 0, 0, 0}, {2, 4, 6, 7, 0, 0, 0, 0},
    {0, 2, 4, 6, 7, 0, 0, 0}, {1, 2, 4, 6, 7, 0, 0, 0}, {0, 1, 2, 4, 6, 7, 0, 0},
    {3, 4, 6, 7, 0, 0, 0, 0}, {0, 3, 4, 6, 7, 0, 0, 0}, {1, 3, 4, 6, 7, 0, 0, 0},
    {0, 1, 3, 4, 6, 7, 0, 0}, {2, 3, 4, 6, 7, 0, 0, 0}, {0, 2, 3, 4, 6, 7, 0, 0},
    {1, 2, 3, 4, 6, 7, 0, 0}, {0, 1, 2, 3, 4, 6, 7, 0}, {5, 6, 7, 0, 0, 0, 0, 0},
    {0, 5, 6, 7, 0, 0, 0, 0}, {1, 5, 6, 7, 0, 0, 0, 0}, {0, 1, 5, 6, 7, 0, 0, 0},
    {2, 5, 6, 7, 0, 0, 0, 0}, {0, 2, 5, 6, 7, 0, 0, 0}, {1, 2, 5, 6, 7, 0, 0, 0},
    {0, 1, 2, 5, 6, 7, 0, 0}, {3, 5, 6, 7, 0, 0, 0, 0}, {0, 3, 5, 6, 7, 0, 0, 0},
    {1, 3, 5, 6, 7, 0, 0, 0}, {0, 1, 3, 5, 6, 7, 0, 0}, {2, 3, 5, 6, 7, 0, 0, 0},
    {0, 2, 3, 5, 6, 7, 0, 0}, {1, 2, 3, 5, 6, 7, 0, 0}, {0, 1, 2, 3, 5, 6, 7, 0},
    {4, 5, 6, 7, 0, 0, 0, 0}, {0, 4, 5, 6, 7, 0, 0, 0}, {1, 4, 5, 6, 7, 0, 0, 0},
    {0, 1, 4, 5, 6, 7, 0, 0}, {2, 4, 5, 6, 7, 0, 0, 0}, {0, 2, 4, 5, 6, 7, 0, 0},
    {1, 2, 4, 5, 6, 7, 0, 0}, {0, 1, 2, 4, 5, 6, 7, 0}, {3, 4, 5, 6, 7, 0, 0, 0},
    {0, 3, 4, 5, 6, 7, 0, 0}, {1, 3, 4, 5, 6, 7, 0, 0}, {0, 1, 3, 4, 5, 6, 7, 0},
    {2, 3, 4, 5, 6, 7, 0, 0}, {0, 2, 3, 4, 5, 6, 7, 0}, {1, 2, 3, 4, 5, 6, 7, 0},
    {0, 1, 2, 3, 4, 5, 6, 7}};

/* Moves eight roots and appends those below `len` to hit[0..n). Returns the new n;
 * writes eight words in any case. */
AVX2_INLINE uint32_t tail_move(uint32_t *to, const uint32_t *from, __m256i d, __m256i p,
                               __m256i len, uint32_t *hit, uint32_t n)
{
    __m256i r = _mm256_sub_epi32(load32(from), d);
    r = _mm256_min_epu32(r, _mm256_add_epi32(r, p));
    _mm256_store_si256((__m256i *)to, r);
    __m256i is = _mm256_cmpgt_epi32(len, r); /* both below 2^31 */
    uint32_t mask = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(is));
    __m128i place = _mm_loadl_epi64((const __m128i *)places[mask]);
    r = _mm256_permutevar8x32_epi32(r, _mm256_cvtepu8_epi32(place));
    _mm256_storeu_si256((__m256i *)(hit + n), r);
    return n + (uint32_t)__builtin_popcount(mask);
}

AVX2 static void tail_shift_avx2(struct mpqs *w, uint32_t *const to[2],
                                 uint32_t *const from[2], const uint32_t *move)
{
    const struct mpqs_tail *t = &w->tail;
    uint8_t *s = w->sieve;
    __m256i len = _mm256_set1_epi32((int)w->par.block);
    uint32_t hit[2 * MPQS_LANES + 8];
    for (uint32_t i = 0; i < t->lanes; i += MPQS_LANES) {
        uint32_t n = 0;
        for (uint32_t j = i; j < i + MPQS_LANES; j += 8) {
            __m256i d = load32(move + j), p = load32(t->p + j);
            n = tail_move(to[0] + j, from[0] + j, d, p, len, hit, n);
            n = tail_move(to[1] + j, from[1] + j, d, p, len, hit, n);
        }
        _mm256_storeu_si256((__m256i *)(hit + n), len); /* up to three hits too many */
        uint8_t log = t->log[i];
        for (uint32_t j = 0; j < n; j += 4) {
            s[hit[j]] = (uint8_t)(s[hit[j]] + log);
            s[hit[j + 1]] = (uint8_t)(s[hit[j + 1]] + log);
            s[hit[j + 2]] = (uint8_t)(s[hit[j + 2]] + log);
            s[hit[j + 3]] = (uint8_t)(s[hit[j + 3]] + log);
        }
    }
}

AVX2 static uint32_t scan_avx2(const uint8_t *sieve, uint32_t len, uint16_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < len; i += 64) {
        __m256i a = _mm256_load_si256((const __m256i *)(sieve + i));
        __m256i b = _mm256_load_si256((const __m256i *)(sieve + i + 32));
        uint64_t hit = (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32 |
                       (uint32_t)_mm256_movemask_epi8(a);
        out[n] = (uint16_t)(i + (uint32_t)__builtin_ctzll(hit | (uint64_t)1 << 63));
        n += hit != 0;
        for (hit &= hit - 1; hit; hit &= hit - 1)
            out[n++] = (uint16_t)(i + (uint32_t)__builtin_ctzll(hit));
    }
    return n;
}

/* Zero in the lanes from i on that have no root at position x. */
AVX2_INLINE __m256i roots16(const struct mpqs_base *f, const struct mpqs_poly *y,
                            __m256i x, uint32_t i)
{
    __m256i ni = load(f->ni + i), most = load(f->quotients + i);
    __m256i u = _mm256_mullo_epi16(_mm256_sub_epi16(x, load(y->w1 + i)), ni);
    __m256i v = _mm256_mullo_epi16(_mm256_sub_epi16(x, load(y->w2 + i)), ni);
    return _mm256_or_si256(_mm256_subs_epu16(most, u), _mm256_subs_epu16(most, v));
}

/* All ones in the lanes that have none. */
AVX2_INLINE __m256i no_root(const struct mpqs_base *f, const struct mpqs_poly *y,
                            __m256i x, uint32_t i)
{
    return _mm256_cmpeq_epi16(roots16(f, y, x, i), _mm256_setzero_si256());
}

/* The sum of lanes, each below 2^15 / 2. */
AVX2_INLINE uint32_t sum_lanes(__m256i v)
{
    v = _mm256_madd_epi16(v, _mm256_set1_epi16(1));
    __m128i s =
        _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(s);
}

AVX2 static uint32_t filter_avx2(const struct mpqs *w, int64_t origin, uint16_t *at,
                                 uint32_t n)
{
    const struct mpqs_base *f = &w->base;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint16_t here = at[k];
        __m256i x = _mm256_set1_epi16((short)here), sum = _mm256_setzero_si256();
        for (uint32_t i = 0; i < f->first; i += 16)
            sum = _mm256_add_epi16(sum, _mm256_andnot_si256(no_root(f, &w->poly, x, i),
                                                            load(f->unsieved + i)));
        uint32_t all = w->sieve[here] + mpqs_twos(w, origin + here) + sum_lanes(sum);
        at[kept] = here;
        kept += all >= w->keep;
    }
    return kept;
}

/* Bit j: position x has a root in lane i + j. */
AVX2_INLINE uint32_t roots32(const struct mpqs_base *f, const struct mpqs_poly *y,
                             __m256i x, uint32_t i)
{
    __m256i v = _mm256_packs_epi16(no_root(f, y, x, i), no_root(f, y, x, i + 16));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(v, 0xd8));
}

AVX2 static uint32_t divisors_avx2(const struct mpqs_base *f, const struct mpqs_poly *y,
                                   uint32_t at, uint16_t *out)
{
    uint32_t n = 0;
    __m256i x = _mm256_set1_epi16((short)at);
    for (uint32_t i = 0; i < f->lanes; i += 64) {
        uint64_t hit = (uint64_t)roots32(f, y, x, i + 32) << 32 | roots32(f, y, x, i);
        for (; hit; hit &= hit - 1)
            out[n++] = (uint16_t)(i + (uint32_t)__builtin_ctzll(hit));
    }
    return n;
}

AVX2_INLINE uint32_t tail_roots8(const struct mpqs_tail *t, __m256i x, uint32_t i)
{
    __m256i a = _mm256_cmpeq_epi32(x, load32(t->current[0] + i));
    __m256i b = _mm256_cmpeq_epi32(x, load32(t->current[1] + i));
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_or_si256(a, b)));
}

AVX2 static uint32_t tail_divisors_avx2(const struct mpqs_tail *t, uint32_t at,
                                        uint16_t *out)
{
    uint32_t n = 0;
    __m256i x = _mm256_set1_epi32((int)at);
    for (uint32_t i = 0; i < t->lanes; i += 32) {
        uint32_t hit = tail_roots8(t, x, i) | tail_roots8(t, x, i + 8) << 8 |
                       tail_roots8(t, x, i + 16) << 16 |
                       tail_roots8(t, x, i + 24) << 24;
        for (; hit; hit &= hit - 1)
            out[n++] = (uint16_t)(i + (uint32_t)__builtin_ctz(hit));
    }
    return n;
}

const struct mpqs_ops mpqs_ops_avx2 = {
    .powers = powers_avx2,
    .inverses = inverses_avx2,
    .start = start_avx2,
    .tail_start = tail_start_avx2,
    .shift = shift_avx2,
    .tail_shift = tail_shift_avx2,
    .scan = scan_avx2,
    .filter = filter_avx2,
    .divisors = divisors_avx2,
    .tail_divisors = tail_divisors_avx2,
};

#endif
