/*
 * prime64_scalar: the parts of prime64 that test a few numbers side by side with
 * ordinary 64-bit arithmetic. Private to prime64: the single test takes one lane, the
 * generic batch several, so that the multiplier is kept busy instead of waited for.
 *
 * The theory is at the top of prime64.c.
 */
#ifndef QUERN_ARITH_PRIME64_SCALAR_H
#define QUERN_ARITH_PRIME64_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#include "arith/mont64.h"
#include "arith/prime64_parts.h"

enum { PRIME64_LANES = 6 }; /* at most side by side */

/* Is n, at least PRIME64_TINY, free of the primes to 61? */
PRIME64_INLINE bool prime64_no_small_factor(uint64_t n)
{
    static const struct {
        uint64_t inverse, limit;
    } small[] = {
#define P(p, inverse) {inverse, UINT64_MAX / p}
        P(3, 0xaaaaaaaaaaaaaaabu),  P(5, 0xcccccccccccccccdu),
        P(7, 0x6db6db6db6db6db7u),  P(11, 0x2e8ba2e8ba2e8ba3u),
        P(13, 0x4ec4ec4ec4ec4ec5u), P(17, 0xf0f0f0f0f0f0f0f1u),
        P(19, 0x86bca1af286bca1bu), P(23, 0xd37a6f4de9bd37a7u),
        P(29, 0x34f72c234f72c235u), P(31, 0xef7bdef7bdef7bdfu),
        P(37, 0x14c1bacf914c1badu), P(41, 0x8f9c18f9c18f9c19u),
        P(43, 0x82fa0be82fa0be83u), P(47, 0x51b3bea3677d46cfu),
        P(53, 0x21cfb2b78c13521du), P(59, 0xcbeea4e1a08ad8f3u),
        P(61, 0x4fbcda3ac10c9715u),
#undef P
    };
    if (n % 2 == 0)
        return false;
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        if (n * small[i].inverse <= small[i].limit)
            return false;
    return true;
}

/* top - sub, plus n if negative, for both at most n. A branch would be wrong half of
 * the time. gcc makes a conditional move of the plain form. clang is sure to avoid the
 * branch only with a mask; and the empty statement keeps it from moving parts of this
 * into vectors (prime64_avx2_limbs.c became 1.7 times slower by that). */
PRIME64_INLINE uint64_t prime64_difference(uint64_t top, uint64_t sub, uint64_t n)
{
#ifdef __clang__
    __asm__("" : "+r"(top), "+r"(sub));
    return top - sub + (n & (0 - (uint64_t)(top < sub)));
#else
    uint64_t r = top - sub;
    return top < sub ? r + n : r;
#endif
}

/* mont64_mul. */
PRIME64_INLINE uint64_t prime64_mul(uint64_t x, uint64_t y, uint64_t n, uint64_t ni)
{
    uint128 t = (uint128)x * y;
    uint64_t m = (uint64_t)t * ni;
    uint64_t sub = (uint64_t)(((uint128)m * n) >> 64);
    return prime64_difference((uint64_t)(t >> 64), sub, n);
}

/* x / 2^f mod n for 0 <= f <= 63 and x < n: a Montgomery step with the radix 2^f. */
PRIME64_INLINE uint64_t prime64_shift(uint64_t x, unsigned f, uint64_t n, uint64_t ni)
{
    uint64_t low = x << 1 << (63 - f);
    uint64_t sub = (uint64_t)(((uint128)(low * ni) * n) >> 64);
    return prime64_difference(x >> f, sub, n);
}

/* Does x = 2^-((n - 1) / 2) in Montgomery form pass the test to base 2? */
PRIME64_INLINE bool prime64_base2_pass(uint64_t x, uint64_t n, uint64_t ni)
{
    return mont64_reduce(x, n, ni) == ((n + 2) & 4 ? n - 1 : 1);
}

/* The digit of (n - 1) / 2 of so many bits, at most 6, that begins at bit `at`. */
PRIME64_INLINE unsigned prime64_digit(uint64_t n, int at, int bits)
{
    return (unsigned)(n >> 1 >> at) & ((1u << bits) - 1);
}

/* pass[j] = n[j] is an Euler-Jacobi probable prime to base 2, for `lanes` odd n >= 3.
 */
PRIME64_INLINE void prime64_base2(const uint64_t *n, unsigned lanes, bool *pass)
{
    enum { DIGIT = 6 };
    uint64_t x[PRIME64_LANES], ni[PRIME64_LANES], all = 0;
    PRIME64_UNROLL
    for (unsigned j = 0; j < lanes; j++) {
        ni[j] = mont64_inverse(n[j]);
        x[j] = mont64_one(n[j]);
        all |= n[j] >> 1;
    }
    int at = (63 - __builtin_clzll(all)) / DIGIT * DIGIT;
    for (;; at -= DIGIT) {
        PRIME64_UNROLL
        for (unsigned j = 0; j < lanes; j++)
            x[j] = prime64_shift(x[j], prime64_digit(n[j], at, DIGIT), n[j], ni[j]);
        if (at == 0)
            break;
        for (unsigned i = 0; i < DIGIT; i++) {
            PRIME64_UNROLL
            for (unsigned j = 0; j < lanes; j++)
                x[j] = prime64_mul(x[j], x[j], n[j], ni[j]);
        }
    }
    PRIME64_UNROLL
    for (unsigned j = 0; j < lanes; j++)
        pass[j] = prime64_base2_pass(x[j], n[j], ni[j]);
}

/* ---- one number in the Lucas test ---- */

/* The pair V_k, V_k+1 as `d`, the one just made by doubling, and `c`, the mixed one:
 * V_k is c if the last bit of k is 1, else d. Which is to be doubled next: c where the
 * next bit differs from the last. */
struct prime64_ladder {
    uint64_t n, ni, c, d;
    uint64_t turn;      /* where the bits of n + 1 differ from the ones above them */
    uint64_t two, step; /* 2 and P in Montgomery form */
    bool pass;
};

/* x * k for a small k. */
PRIME64_INLINE uint64_t prime64_times(uint64_t x, uint32_t k, uint64_t n)
{
    uint64_t r = 0;
    for (unsigned b = 32 - (unsigned)__builtin_clz(k | 1); b-- > 0;) {
        r = mont64_add(r, r, n);
        if (k >> b & 1)
            r = mont64_add(r, x, n);
    }
    return r;
}

/* V_0 = 2, V_1 = P. */
PRIME64_INLINE struct prime64_ladder prime64_ladder_start(uint64_t n, uint32_t p)
{
    struct prime64_ladder l;
    uint64_t one = mont64_one(n);
    l.n = n;
    l.ni = mont64_inverse(n);
    l.turn = (n + 1) ^ (n + 1) >> 1;
    l.d = l.two = mont64_add(one, one, n);
    l.c = l.step = prime64_times(one, p, n);
    l.pass = false;
    return l;
}

/* a if the lowest bit is 0, else b; never a branch, for the bits are random. */
PRIME64_INLINE uint64_t prime64_select(uint64_t a, uint64_t b, uint64_t bit)
{
    return a ^ ((a ^ b) & (0 - (bit & 1)));
}

/* From k = (n + 1) >> (bit + 1) to (n + 1) >> bit; 1 <= bit <= 63. */
PRIME64_INLINE void prime64_ladder_step(struct prime64_ladder *l, unsigned bit)
{
    uint64_t s = prime64_select(l->d, l->c, l->turn >> bit);
    l->c = prime64_mul(l->c, l->d, l->n, l->ni);
    l->c = prime64_difference(l->c, l->step, l->n);
    l->d = prime64_difference(prime64_mul(s, s, l->n, l->ni), l->two, l->n);
}

/* Looks at V_k after the step to `bit`. */
PRIME64_INLINE void prime64_ladder_look(struct prime64_ladder *l, unsigned bit)
{
    uint64_t v = prime64_select(l->d, l->c, (l->n + 1) >> bit);
    l->pass |= prime64_lucas_hit(v, l->two, l->n, bit);
}

/* pass[j] = n[j] is an almost extra strong Lucas probable prime with the parameter p[j]
 * (of prime64_lucas_p; 0 fails), for `lanes` odd n >= 2^10 below 2^64 - 1. */
PRIME64_INLINE void prime64_lucas(const uint64_t *n, const uint32_t *p, unsigned lanes,
                                  bool *pass)
{
    struct prime64_ladder l[PRIME64_LANES];
    uint64_t all = 0, low = 0;
    PRIME64_UNROLL
    for (unsigned j = 0; j < lanes; j++) {
        l[j] = prime64_ladder_start(n[j], p[j]);
        all |= n[j];
        low |= (n[j] + 1) & (0 - (n[j] + 1));
    }
    unsigned deepest = 63 - (unsigned)__builtin_clzll(low);
    unsigned bit = all >> 63 ? 63 : 64 - (unsigned)__builtin_clzll(all);
    for (; bit > 0; bit--) {
        PRIME64_UNROLL
        for (unsigned j = 0; j < lanes; j++)
            prime64_ladder_step(&l[j], bit);
        if (bit > deepest)
            continue;
        PRIME64_UNROLL
        for (unsigned j = 0; j < lanes; j++)
            prime64_ladder_look(&l[j], bit);
    }
    PRIME64_UNROLL
    for (unsigned j = 0; j < lanes; j++)
        pass[j] = l[j].pass && p[j] != 0;
}

#endif
