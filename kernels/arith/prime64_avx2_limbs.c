/*
 * prime64_avx2_limbs: tests of numbers from 2^50 to 2^64, in Montgomery form with R =
 * 2^64 and 32-bit limbs.
 *
 * For x, y < n, X = hi(x y) and Y = hi(m n) with m = x y n^-1 mod 2^64 have equal low
 * halves below them, and the result is X - Y, plus n if negative. No sum below
 * overflows 64 bits: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. For n < 2^63 the sign bit
 * of X - Y tells which; for n < 2^64 an unsigned comparison is needed.
 *
 * The 64-bit multiplier would be idle meanwhile. So some numbers of each group, the
 * "side" numbers, take the same steps in ordinary registers, a few instructions between
 * those of each vector.
 */
#include "arith/prime64_avx2.h"
#include "arith/prime64_scalar.h"

#if defined(__x86_64__)

/* ---- Montgomery arithmetic in limbs ---- */

struct modulus {
    __m256i n, nh; /* nh = n >> 32 */
    __m256i ni;    /* n^-1 mod 2^32 in the low halves */
};

AVX2_INLINE struct modulus modulus_of(__m256i n)
{
    const __m256i two = _mm256_set1_epi32(2);
    __m256i x = _mm256_xor_si256(_mm256_add_epi32(n, _mm256_add_epi32(n, n)), two);
    for (int i = 0; i < 3; i++) /* 5 bits, 10, 20, 40: mont64_inverse */
        x = _mm256_mullo_epi32(x, _mm256_sub_epi32(two, _mm256_mullo_epi32(n, x)));
    return (struct modulus){n, high(n), x};
}

/* a < b, unsigned. */
AVX2_INLINE __m256i less(__m256i a, __m256i b)
{
    const __m256i sign = splat(1ull << 63);
    return _mm256_cmpgt_epi64(_mm256_xor_si256(b, sign), _mm256_xor_si256(a, sign));
}

/* a - b, plus n if negative; for a, b <= n. `full`: n may be 2^63 or more. */
AVX2_INLINE __m256i reduce_difference(__m256i a, __m256i b, __m256i n, bool full)
{
    __m256i d = _mm256_sub_epi64(a, b);
    if (full)
        return _mm256_add_epi64(d, _mm256_and_si256(less(a, b), n));
    return pick(d, _mm256_add_epi64(d, n), d);
}

/* hi(m n) for a product with the low limbs `ll` (its low 32 bits) and `s` (likewise,
 * the carry from below included). */
AVX2_INLINE __m256i reduction(__m256i ll, __m256i s, struct modulus m)
{
    __m256i m0 = _mm256_mul_epu32(ll, m.ni);
    __m256i p =
        _mm256_add_epi64(_mm256_mul_epu32(m0, m.nh), high(_mm256_mul_epu32(m0, m.n)));
    __m256i m1 = _mm256_mul_epu32(_mm256_sub_epi64(s, p), m.ni);
    __m256i low = _mm256_and_si256(p, splat(UINT32_MAX));
    __m256i b = _mm256_add_epi64(_mm256_mul_epu32(m1, m.n), low);
    __m256i top = _mm256_add_epi64(_mm256_mul_epu32(m1, m.nh), high(p));
    return _mm256_add_epi64(top, high(b));
}

/* A number to add to a product before its reduction, in halves: then the result is
 * (x y + a) / R. It costs two additions, where one after the reduction costs a
 * correction. */
struct addend {
    __m256i low, top;
};

AVX2_INLINE struct addend addend_of(__m256i a)
{
    return (struct addend){_mm256_and_si256(a, splat(UINT32_MAX)), high(a)};
}

/* (x^2 + a) / R; a may be NULL. */
AVX2_INLINE __m256i square(__m256i x, const struct addend *a, struct modulus m,
                           bool full)
{
    __m256i xh = high(x), s;
    __m256i ll = _mm256_mul_epu32(x, x), hh = _mm256_mul_epu32(xh, xh);
    if (a)
        ll = _mm256_add_epi64(ll, a->low);
    __m256i carry = a ? _mm256_add_epi64(high(ll), a->top) : high(ll);
    if (full) {
        __m256i lh = _mm256_mul_epu32(x, xh), t = _mm256_add_epi64(lh, carry);
        s = _mm256_add_epi64(lh, _mm256_and_si256(t, splat(UINT32_MAX)));
        hh = _mm256_add_epi64(hh, high(t));
    } else { /* xh < 2^31: twice the mixed product fits */
        s = _mm256_add_epi64(_mm256_mul_epu32(x, _mm256_add_epi64(xh, xh)), carry);
    }
    __m256i top = _mm256_add_epi64(hh, high(s));
    return reduce_difference(top, reduction(ll, s, m), m.n, full);
}

/* (x y + a) / R; a may be NULL. */
AVX2_INLINE __m256i multiply(__m256i x, __m256i y, const struct addend *a,
                             struct modulus m, bool full)
{
    __m256i xh = high(x), yh = high(y);
    __m256i ll = _mm256_mul_epu32(x, y), hh = _mm256_mul_epu32(xh, yh);
    if (a)
        ll = _mm256_add_epi64(ll, a->low);
    __m256i carry = a ? _mm256_add_epi64(high(ll), a->top) : high(ll);
    __m256i t = _mm256_add_epi64(_mm256_mul_epu32(xh, y), carry);
    if (full) {
        hh = _mm256_add_epi64(hh, high(t));
        t = _mm256_and_si256(t, splat(UINT32_MAX));
    }
    __m256i s = _mm256_add_epi64(_mm256_mul_epu32(x, yh), t);
    __m256i top = _mm256_add_epi64(hh, high(s));
    return reduce_difference(top, reduction(ll, s, m), m.n, full);
}

/* x / 2^f mod n, 0 <= f <= 32: one step with the radix 2^f. */
AVX2_INLINE __m256i divide_power(__m256i x, __m256i f, struct modulus m, bool full)
{
    __m256i low = _mm256_sllv_epi64(x, _mm256_sub_epi64(splat(32), f));
    __m256i q = _mm256_mul_epu32(low, m.ni);
    __m256i sub =
        _mm256_add_epi64(_mm256_mul_epu32(q, m.nh), high(_mm256_mul_epu32(q, m.n)));
    return reduce_difference(_mm256_srlv_epi64(x, f), sub, m.n, full);
}

/* n to a double, rounded at most twice. */
AVX2_INLINE __m256d to_double(__m256i n)
{
    const __m256d two52 = _mm256_set1_pd(0x1p52), two84 = _mm256_set1_pd(0x1p84);
    __m256i low = _mm256_blend_epi32(n, _mm256_castpd_si256(two52), 0xaa);
    __m256i top = _mm256_or_si256(high(n), _mm256_castpd_si256(two84));
    return _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(top), two84),
                         _mm256_sub_pd(_mm256_castsi256_pd(low), two52));
}

/* v mod n, for an exact double v and its low 64 bits, where n >= 2^50 and v < 2^80, or
 * n >= 2^63 and v <= 2^88. The quotient is below 2^30 and in error by less than 2^-21
 * (the second case: 2^26, 2^-26), so the nearest integer q leaves |r| <= n (1/2 +
 * that). This fits a signed word: for n near 2^64 and v = k 2^64, r comes near n / 2
 * only if n < 2^64 (1 - 1 / 2k), and k <= 2^24. */
AVX2_INLINE __m256i small_quotient_mod(__m256d v, __m256i low, __m256i n)
{
    const __m256d bias = _mm256_set1_pd(0x1p52);
    __m256d t = _mm256_add_pd(_mm256_div_pd(v, to_double(n)), bias);
    __m256i q = _mm256_castpd_si256(t); /* its low half, all that mul_epu32 reads */
    __m256i qn = _mm256_add_epi64(_mm256_mul_epu32(q, n),
                                  _mm256_slli_epi64(_mm256_mul_epu32(q, high(n)), 32));
    __m256i r = _mm256_sub_epi64(low, qn);
    return pick(r, _mm256_add_epi64(r, n), r);
}

/* ---- base 2 in limbs ---- */

struct power {
    struct modulus m;
    __m256i x, e; /* 2^-(e >> at) in Montgomery form; (n - 1) / 2 */
};

/* Takes the six bits from `at` up. */
AVX2_INLINE struct power power_start(__m256i n, int at, bool full)
{
    struct power s = {modulus_of(n), splat(1), _mm256_srli_epi64(n, 1)};
    __m256i f = _mm256_srl_epi64(s.e, _mm_cvtsi32_si128(at));
    /* 2^(64 - f), and 0 for 2^64, is below n only if `full` */
    s.x = _mm256_sllv_epi64(s.x, _mm256_sub_epi64(splat(64), f));
    if (!full) {
        __m256i exponent = _mm256_sub_epi64(splat(1023 + 64), f);
        __m256d v = _mm256_castsi256_pd(_mm256_slli_epi64(exponent, 52));
        s.x = small_quotient_mod(v, s.x, n);
    }
    return s;
}

/* The lanes with x = (2|n) mod n. */
AVX2_INLINE unsigned power_pass(__m256i x, struct modulus m)
{
    __m256i r = reduction(x, high(x), m); /* -x / R mod n */
    __m256i minus = _mm256_cmpeq_epi64(r, splat(1));
    __m256i plus = _mm256_cmpeq_epi64(_mm256_add_epi64(r, splat(1)), m.n);
    __m256i ok = pick(plus, minus, two_is_nonresidue(m.n));
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(ok));
}

/* `full`: n >= 2^63; else 2^50 <= n < 2^63. Six bits of (n - 1) / 2 start as a power of
 * two, the rest follows in digits of five bits, a shorter one first. */
AVX2_INLINE unsigned base2(const uint64_t *numbers, bool full)
{
    enum { WIDTH = LIMBS_BASE2, SIDE = LIMBS_BASE2_SIDE, DIGIT = 5, FIRST = 6 };
    const uint64_t *side = numbers + LANES * WIDTH;
    struct power s[WIDTH];
    __m256i x[WIDTH];
    uint64_t y[WIDTH * SIDE], ni[WIDTH * SIDE];
    unsigned bits = full ? 63 : longest(numbers, WIDTH * (LANES + SIDE)) - 1, pass = 0;
    int at = (int)bits - FIRST, step = at % DIGIT;
    PRIME64_UNROLL
    for (int j = 0; j < WIDTH; j++) {
        s[j] = power_start(load(numbers + LANES * j), at, full);
        x[j] = s[j].x;
    }
    for (int k = 0; k < WIDTH * SIDE; k++) {
        ni[k] = mont64_inverse(side[k]);
        y[k] = prime64_shift(mont64_one(side[k]), prime64_digit(side[k], at, FIRST),
                             side[k], ni[k]);
    }
    for (; at > 0; step = DIGIT) {
        at -= step;
        for (int i = 0; i < step; i++) {
            PRIME64_UNROLL
            for (int j = 0; j < WIDTH; j++) {
                x[j] = square(x[j], NULL, s[j].m, full);
                PRIME64_UNROLL
                for (int k = SIDE * j; k < SIDE * (j + 1); k++)
                    y[k] = prime64_mul(y[k], y[k], side[k], ni[k]);
            }
        }
        __m128i shift = _mm_cvtsi32_si128(at);
        __m256i mask = splat((1ull << step) - 1);
        PRIME64_UNROLL
        for (int j = 0; j < WIDTH; j++) {
            __m256i f = _mm256_and_si256(_mm256_srl_epi64(s[j].e, shift), mask);
            x[j] = divide_power(x[j], f, s[j].m, full);
            PRIME64_UNROLL
            for (int k = SIDE * j; k < SIDE * (j + 1); k++)
                y[k] = prime64_shift(y[k], prime64_digit(side[k], at, step), side[k],
                                     ni[k]);
        }
    }
    PRIME64_UNROLL
    for (int j = 0; j < WIDTH; j++)
        pass |= power_pass(x[j], s[j].m) << LANES * j;
    for (int k = 0; k < WIDTH * SIDE; k++)
        pass |= (unsigned)prime64_base2_pass(y[k], side[k], ni[k])
                << (LANES * WIDTH + k);
    return pass;
}

AVX2_TARGET unsigned prime64_avx2_base2_full(const uint64_t *numbers)
{
    return base2(numbers, true);
}

AVX2_TARGET unsigned prime64_avx2_base2_half(const uint64_t *numbers)
{
    return base2(numbers, false);
}

/* ---- the Lucas test in limbs ---- */

struct ladder {
    struct modulus m;
    __m256i n1, turn;               /* n + 1, and where its bits change */
    __m256i c, d;                   /* as in struct prime64_ladder */
    __m256i two, minus_two;         /* in Montgomery form */
    struct addend less_p, less_two; /* -P R^2, -2 R^2 mod n */
    __m256i ok;
};

/* v in Montgomery form, for 0 <= v <= 2^24. */
AVX2_INLINE __m256i small_form(__m256d v, __m256i n)
{
    v = _mm256_mul_pd(v, _mm256_set1_pd(0x1p64));
    return small_quotient_mod(v, _mm256_setzero_si256(), n);
}

/* The pair at V_0, V_1; or if `full`, when the top bit of n + 1 is set, after its upper
 * two bits, at V_2, V_3 or V_3, V_4. */
AVX2_INLINE struct ladder ladder_start(__m256i n, __m256i p, bool full)
{
    struct ladder l;
    const __m256d two = _mm256_set1_pd(2);
    __m256d v1 = to_double(p);
    l.m = modulus_of(n);
    l.n1 = _mm256_add_epi64(n, splat(1));
    l.turn = _mm256_xor_si256(l.n1, _mm256_srli_epi64(l.n1, 1));
    l.two = small_form(two, n);
    l.minus_two = _mm256_sub_epi64(n, l.two);
    __m256i form_p = small_form(v1, n), r = small_form(_mm256_set1_pd(0x1p16), n);
    r = square(square(r, NULL, l.m, full), NULL, l.m, full); /* 2^64 in form: R^2 */
    l.less_p = addend_of(_mm256_sub_epi64(n, multiply(form_p, r, NULL, l.m, full)));
    l.less_two = addend_of(_mm256_sub_epi64(n, multiply(l.two, r, NULL, l.m, full)));
    l.ok = _mm256_setzero_si256();
    l.c = form_p;
    l.d = l.two;
    if (full) {
        __m256d v2 = _mm256_fmsub_pd(v1, v1, two), v3 = _mm256_fmsub_pd(v2, v1, v1);
        __m256d v4 = _mm256_fmsub_pd(v2, v2, two);
        __m256d bit62 = _mm256_castsi256_pd(_mm256_slli_epi64(l.n1, 1));
        l.c = small_form(v3, n);
        l.d = small_form(_mm256_blendv_pd(v2, v4, bit62), n);
    }
    return l;
}

/* Looks at V for k = (n + 1) >> bit. */
AVX2_INLINE void ladder_look(struct ladder *l, __m256i c, __m256i d, unsigned bit)
{
    __m256i v = pick(d, c, bit_to_sign(l->n1, bit));
    __m256i is_2 = _mm256_or_si256(_mm256_cmpeq_epi64(v, l->two),
                                   _mm256_cmpeq_epi64(v, l->minus_two));
    __m256i is_0 = _mm256_cmpeq_epi64(v, _mm256_setzero_si256());
    l->ok = _mm256_or_si256(l->ok, lucas_hit(is_2, is_0, l->n1, bit));
}

/* `full`: all n >= 2^63; else 2^50 <= n < 2^63. The steps that `full` leaves out need
 * no look: there 2 < V_2, V_3 < n - 2. */
AVX2_INLINE unsigned lucas(const uint64_t *numbers, const uint64_t *p, bool full)
{
    enum { WIDTH = LIMBS_LUCAS, SIDE = LIMBS_LUCAS_SIDE, ALL = WIDTH * (LANES + SIDE) };
    struct ladder l[WIDTH];
    struct prime64_ladder side[WIDTH * SIDE];
    __m256i c[WIDTH], d[WIDTH];
    unsigned last = deepest(numbers, ALL), pass = 0;
    unsigned bit = full ? 63 : longest(numbers, ALL);
    PRIME64_UNROLL
    for (int j = 0; j < WIDTH; j++) {
        l[j] = ladder_start(load(numbers + LANES * j), load(p + LANES * j), full);
        c[j] = l[j].c;
        d[j] = l[j].d;
    }
    for (int k = 0; k < WIDTH * SIDE; k++) {
        int i = LANES * WIDTH + k;
        side[k] = prime64_ladder_start(numbers[i], (uint32_t)p[i]);
        for (unsigned b = 63; full && b >= 62; b--)
            prime64_ladder_step(&side[k], b);
    }
    for (bit -= full ? 2 : 0; bit > 0; bit--) {
        PRIME64_UNROLL
        for (int j = 0; j < WIDTH; j++) {
            __m256i s = pick(d[j], c[j], bit_to_sign(l[j].turn, bit));
            c[j] = multiply(c[j], d[j], &l[j].less_p, l[j].m, full);
            d[j] = square(s, &l[j].less_two, l[j].m, full);
            PRIME64_UNROLL
            for (int k = SIDE * j; k < SIDE * (j + 1); k++)
                prime64_ladder_step(&side[k], bit);
        }
        if (bit > last)
            continue;
        for (int j = 0; j < WIDTH; j++)
            ladder_look(&l[j], c[j], d[j], bit);
        for (int k = 0; k < WIDTH * SIDE; k++)
            prime64_ladder_look(&side[k], bit);
    }
    for (int j = 0; j < WIDTH; j++)
        pass |= (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(l[j].ok)) << LANES * j;
    for (int k = 0; k < WIDTH * SIDE; k++)
        pass |= (unsigned)side[k].pass << (LANES * WIDTH + k);
    return pass;
}

AVX2_TARGET unsigned prime64_avx2_lucas_full(const uint64_t *numbers, const uint64_t *p)
{
    return lucas(numbers, p, true);
}

AVX2_TARGET unsigned prime64_avx2_lucas_half(const uint64_t *numbers, const uint64_t *p)
{
    return lucas(numbers, p, false);
}

#endif
