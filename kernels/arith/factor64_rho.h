/*
 * factor64_rho: a proper factor of any odd composite 64-bit number. Private to
 * factor64. It cannot give up.
 */
#ifndef QUERN_ARITH_FACTOR64_RHO_H
#define QUERN_ARITH_FACTOR64_RHO_H

#include <stdint.h>

/* The integer root r with r^2 = n, or 0 if n is not a square. */
uint64_t factor64_square_root(uint64_t n);

/* The integer root r with r^3 = n, or 0 if n is not a cube. */
uint64_t factor64_cube_root(uint64_t n);

/* A proper factor of n, which is odd and composite. */
uint64_t factor64_rho(uint64_t n);

#endif
