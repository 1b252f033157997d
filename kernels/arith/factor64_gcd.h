/* factor64_gcd: the binary gcd of 64-bit integers. Private to factor64. */
#ifndef QUERN_ARITH_FACTOR64_GCD_H
#define QUERN_ARITH_FACTOR64_GCD_H

#include <stdint.h>

/* A step of the binary gcd on odd x and y without a branch, which nobody could predict:
 * y = min(x, y), x = the odd part of |x - y|; equal ones stay as they are. */
static inline void factor64_gcd_step(uint64_t *x, uint64_t *y)
{
    uint64_t d = *x - *y, less = 0 - (uint64_t)(*x < *y);
    uint64_t size = (d ^ less) - less, same = 0 - (uint64_t)(d == 0);
    *y += d & less;
    *x = size >> __builtin_ctzll(d | UINT64_C(1) << 63) | (*y & same);
}

/* gcd(a, b) for odd b; a may be 0. */
static inline uint64_t factor64_gcd(uint64_t a, uint64_t b)
{
    uint64_t x = a ? a >> __builtin_ctzll(a) : b, y = b;
    while (x != y)
        factor64_gcd_step(&x, &y);
    return y;
}

#endif
