/*
 * prime128: primality of integers below 2^128, many at a time. Pure and thread-safe.
 */
#ifndef QUERN_ARITH_PRIME128_H
#define QUERN_ARITH_PRIME128_H

#include <stddef.h>

#include "arith/mont64.h"
#include "arith/primebig.h"

/*
 * class[i], proof[i] = what primebig says of n[i], as its enums: proved prime below
 * 3317044064679887385961981 (Sorenson and Webster), by BPSW above. Some 0.6 us for a
 * number of 128 bits without a factor below 100, 2 us for a prime.
 */
void prime128_batch(const uint128 *n, size_t count, uint8_t *class, uint8_t *proof);

/* Its parts, for tests: the strong test to the bases 2 and, if n < 2^82, 3, 5, ..., 41
 * together; and the strong Lucas test of prp.h. For odd n > 64, not a multiple of 3,
 * below 2^128 - 1. */
bool prime128_base2(uint128 n);
bool prime128_bases(uint128 n);
bool prime128_lucas(uint128 n);

#endif
