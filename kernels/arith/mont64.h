/*
 * mont64: arithmetic modulo an odd 64-bit n in Montgomery form (Montgomery 1985), one
 * number at a time, inline. A residue x stands for x * 2^-64 mod n; all residues are
 * kept below n.
 *
 * The reduction uses the positive inverse: hi(T) - hi(m * n) with m = lo(T) * n^-1, so
 * the low halves, which are equal, are never added and no carry beyond 128 bits arises,
 * for any odd n below 2^64.
 */
#ifndef QUERN_ARITH_MONT64_H
#define QUERN_ARITH_MONT64_H

#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

/* n^-1 mod 2^64 for odd n: 5 bits from (3n)^2, doubled by each Newton step. */
static inline uint64_t mont64_inverse(uint64_t n)
{
    uint64_t x = (3 * n) ^ 2;
    x *= 2 - n * x; /* 10 bits */
    x *= 2 - n * x; /* 20 */
    x *= 2 - n * x; /* 40 */
    x *= 2 - n * x; /* 80 */
    return x;
}

/* t * 2^-64 mod n for t < n * 2^64; ni = mont64_inverse(n). */
static inline uint64_t mont64_reduce(uint128 t, uint64_t n, uint64_t ni)
{
    uint64_t m = (uint64_t)t * ni;
    uint64_t hi = (uint64_t)(t >> 64);
    uint64_t sub = (uint64_t)(((uint128)m * n) >> 64);
    uint64_t r = hi - sub;
    return hi < sub ? r + n : r;
}

static inline uint64_t mont64_mul(uint64_t a, uint64_t b, uint64_t n, uint64_t ni)
{
    return mont64_reduce((uint128)a * b, n, ni);
}

static inline uint64_t mont64_add(uint64_t a, uint64_t b, uint64_t n)
{
    uint64_t r = a - (n - b);
    return a < n - b ? r + n : r;
}

static inline uint64_t mont64_sub(uint64_t a, uint64_t b, uint64_t n)
{
    uint64_t r = a - b;
    return a < b ? r + n : r;
}

/* The form of 1: 2^64 mod n. */
static inline uint64_t mont64_one(uint64_t n)
{
    return (0 - n) % n;
}

#endif
