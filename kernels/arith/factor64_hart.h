/*
 * factor64_hart: a proper factor of a small composite without small factors, as a
 * difference of squares. Private to factor64.
 */
#ifndef QUERN_ARITH_FACTOR64_HART_H
#define QUERN_ARITH_FACTOR64_HART_H

#include <stdint.h>

enum { FACTOR64_HART_BITS = 36 }; /* below it is faster than curves */

/* To be called before the others; once. */
void factor64_hart_init(void);

/* A proper factor of n < 2^FACTOR64_HART_BITS, which is odd, composite and no square; 0
 * if none was found: one in 10^4 at 32 bits, one in 20 at 36 bits when one prime factor
 * is a thousand times the other. */
uint64_t factor64_hart_scalar(uint64_t n);
#ifdef __x86_64__
uint64_t factor64_hart_avx2(uint64_t n);
#endif

#endif
