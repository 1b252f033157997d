/*
 * ecm128: takes factors of up to some 35 bits out of integers below 2^128.
 *
 * A curve takes some 25 us, an eighth of what a general library needs; so a few of them
 * go before a sieve, whose time does not depend on the factors.
 */
#ifndef QUERN_ARITH_ECM128_H
#define QUERN_ARITH_ECM128_H

#include <stdatomic.h>

#include "arith/big.h"

/* Runs curves number *curve, *curve + 1, ... below `end` on odd composite n, 2^32 < n <
 * 2^128; the same ones on each call. True, and a proper divisor of n in f, as soon as
 * one finds it; *curve is then the next one. Ends early once *stop (may be NULL) is
 * true. */
bool ecm128(mpz_t f, const mpz_t n, int *curve, int end, const atomic_bool *stop);

#endif
