/* ecm64_lane: what the integer engines compute once for each number. */
#ifndef QUERN_ARITH_ECM64_LANE_H
#define QUERN_ARITH_ECM64_LANE_H

#include "arith/mont64.h"

/* The form of 2^64, by squaring the form of 2: 2^64 = 2^2^6. */
static inline uint64_t lane_square(uint64_t n, uint64_t ni)
{
    uint64_t one = mont64_one(n), x = mont64_add(one, one, n);
    for (int i = 0; i < 6; i++)
        x = mont64_mul(x, x, n, ni);
    return x;
}

#endif
