/*
 * mont128: arithmetic modulo an odd n < 2^128 in Montgomery form, one number at a time,
 * inline: mont64.h with two limbs. A residue x stands for x * 2^-128 mod n; residues
 * are kept below n. ni is mont64_inverse of the low limb of n.
 *
 * Selections are masks: their outcome is random, a branch would be mispredicted.
 */
#ifndef QUERN_ARITH_MONT128_H
#define QUERN_ARITH_MONT128_H

#include "arith/mont64.h"

static inline uint128 mont128_mask(int condition)
{
    uint64_t m = 0 - (uint64_t)condition;
    return (uint128)m << 64 | m;
}

/*
 * Steps on limbs. What they say in C is what they do; gcc 12 makes half again as much
 * of it as is needed (it keeps 128-bit values together, and takes carries through
 * general registers), so for x86-64 it gets the instructions.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MONT128_ASM 1
#else
#define MONT128_ASM 0
#endif

/* high * 2^64 + low = a * b + c + d: at most 2^128 - 1. */
static inline uint64_t mont128_muladd2(uint64_t *high, uint64_t a, uint64_t b,
                                       uint64_t c, uint64_t d)
{
#if MONT128_ASM
    __asm__("mulq %3\n\taddq %4, %0\n\tadcq $0, %1\n\taddq %5, %0\n\tadcq $0, %1"
            : "=&a"(a), "=&d"(*high)
            : "0"(a), "r"(b), "r"(c), "r"(d)
            : "cc");
    return a;
#else
    uint128 r = (uint128)a * b + c + d;
    *high = (uint64_t)(r >> 64);
    return (uint64_t)r;
#endif
}

/* The same without d. */
static inline uint64_t mont128_muladd(uint64_t *high, uint64_t a, uint64_t b,
                                      uint64_t c)
{
#if MONT128_ASM
    __asm__("mulq %3\n\taddq %4, %0\n\tadcq $0, %1"
            : "=&a"(a), "=&d"(*high)
            : "0"(a), "r"(b), "r"(c)
            : "cc");
    return a;
#else
    uint128 r = (uint128)a * b + c;
    *high = (uint64_t)(r >> 64);
    return (uint64_t)r;
#endif
}

static inline uint64_t mont128_mulhigh(uint64_t a, uint64_t b)
{
    return (uint64_t)(((uint128)a * b) >> 64);
}

/* a - b; *carry grows by 1 if that is negative. */
static inline uint64_t mont128_subcarry(uint64_t a, uint64_t b, uint64_t *carry)
{
#if MONT128_ASM
    __asm__("subq %2, %0\n\tadcq $0, %1" : "+&r"(a), "+&r"(*carry) : "r"(b) : "cc");
    return a;
#else
    *carry += a < b;
    return a - b;
#endif
}

/* a + b; *carry grows by what does not fit. */
static inline uint64_t mont128_addcarry(uint64_t a, uint64_t b, uint64_t *carry)
{
#if MONT128_ASM
    __asm__("addq %2, %0\n\tadcq $0, %1" : "+&r"(a), "+&r"(*carry) : "r"(b) : "cc");
    return a;
#else
    *carry += a + b < b;
    return a + b;
#endif
}

/* a - b, plus n if negative. */
static inline uint128 mont128_sub(uint128 a, uint128 b, uint128 n)
{
#if MONT128_ASM
    uint64_t low = (uint64_t)a, high = (uint64_t)(a >> 64);
    uint64_t n0 = (uint64_t)n, n1 = (uint64_t)(n >> 64), mask;
    __asm__("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %2, %2\n\t"
            "andq %2, %3\n\tandq %2, %4\n\taddq %3, %0\n\tadcq %4, %1"
            : "+&r"(low), "+&r"(high), "=&r"(mask), "+&r"(n0), "+&r"(n1)
            : "r"((uint64_t)b), "r"((uint64_t)(b >> 64))
            : "cc");
    return (uint128)high << 64 | low;
#else
    uint128 r;
    int negative = __builtin_sub_overflow(a, b, &r);
    return r + (n & mont128_mask(negative));
#endif
}

static inline uint128 mont128_add(uint128 a, uint128 b, uint128 n)
{
    return mont128_sub(a, n - b, n);
}

/*
 * (hi * 2^128 + t1 * 2^64 + t0) * 2^-128 mod n for hi < n. m = lo * n^-1 mod 2^128 is
 * found limb by limb, m0 then m1; the low halves of lo and m * n are equal, so only the
 * high half of m * n, which is below n, is subtracted from hi. No sum here exceeds that
 * half.
 */
static inline uint128 mont128_reduce(uint128 hi, uint64_t t1, uint64_t t0, uint128 n,
                                     uint64_t ni)
{
    uint64_t n0 = (uint64_t)n, n1 = (uint64_t)(n >> 64), m0 = t0 * ni, a1, y1;
    uint64_t a0 = mont128_muladd(&a1, m0, n1, mont128_mulhigh(m0, n0));
    uint64_t m1 = mont128_subcarry(t1, a0, &a1) * ni;
    uint64_t y0 = mont128_muladd2(&y1, m1, n1, mont128_mulhigh(m1, n0), a1);
    return mont128_sub(hi, (uint128)y1 << 64 | y0, n);
}

static inline uint128 mont128_mul(uint128 a, uint128 b, uint128 n, uint64_t ni)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64);
    uint64_t b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64), c1, d1, h1;
    uint128 low = (uint128)a0 * b0;
    uint64_t c0 = mont128_muladd(&c1, a0, b1, (uint64_t)(low >> 64));
    uint64_t d0 = mont128_muladd(&d1, a1, b0, c0);
    uint64_t h0 = mont128_muladd2(&h1, a1, b1, c1, d1);
    return mont128_reduce((uint128)h1 << 64 | h0, d0, (uint64_t)low, n, ni);
}

static inline uint128 mont128_sqr(uint128 a, uint128 n, uint64_t ni)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), h1;
    uint128 low = (uint128)a0 * a0, cross = (uint128)a0 * a1;
    uint64_t c1 = (uint64_t)(cross >> 64), d1 = c1;
    uint64_t c0 = mont128_addcarry((uint64_t)cross, (uint64_t)(low >> 64), &c1);
    uint64_t d0 = mont128_addcarry((uint64_t)cross, c0, &d1);
    uint64_t h0 = mont128_muladd2(&h1, a1, a1, c1, d1);
    return mont128_reduce((uint128)h1 << 64 | h0, d0, (uint64_t)low, n, ni);
}

/* x / 2^c mod n for c < 64: the reduction by one limb of x * 2^(64 - c) < n * 2^64. */
static inline uint128 mont128_divide_2exp(uint128 x, int c, uint128 n, uint64_t ni)
{
    uint64_t m = ((uint64_t)x << 1 << (63 - c)) * ni;
    uint64_t n0 = (uint64_t)n, n1 = (uint64_t)(n >> 64);
    uint128 y = (uint128)m * n1 + (uint64_t)(((uint128)m * n0) >> 64);
    uint64_t low = (uint64_t)(x >> 64) << 1 << (63 - c) | (uint64_t)x >> c;
    uint128 shifted = (uint128)((uint64_t)(x >> 64) >> c) << 64 | low;
    return mont128_sub(shifted, y, n);
}

/* The form of 1: 2^128 mod n. */
static inline uint128 mont128_one(uint128 n)
{
    return (0 - n) % n;
}

/* The form of small k, by doubling and adding the form of 1. */
static inline uint128 mont128_small(uint64_t k, uint128 one, uint128 n)
{
    uint128 x = 0;
    for (int i = 63 - (k ? __builtin_clzll(k) : 63); i >= 0; i--) {
        x = mont128_add(x, x, n);
        if (k >> i & 1)
            x = mont128_add(x, one, n);
    }
    return x;
}

#endif
