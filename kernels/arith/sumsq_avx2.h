/*
 * sumsq_avx2: the loop of sumsq.c for processors with AVX2. Private to sumsq.
 */
#ifndef QUERN_ARITH_SUMSQ_AVX2_H
#define QUERN_ARITH_SUMSQ_AVX2_H

#include "arith/mont64.h"

#if defined(__x86_64__)

/* The sum of (first + i)^2 for i < count <= 2^30, where first + count <= 2^32. */
uint128 sumsq_avx2(uint32_t first, uint32_t count);

#endif

#endif
