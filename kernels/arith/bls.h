/*
 * bls: primality proved by factors of n - 1 (Pocklington 1914; Brillhart, Lehmer and
 * Selfridge, "New primality criteria and factorizations of 2^m +- 1", Math. Comp. 29
 * (1975) 620). In process, and thread-safe.
 */
#ifndef QUERN_ARITH_BLS_H
#define QUERN_ARITH_BLS_H

#include <stdatomic.h>

#include "arith/big.h"

enum bls_status {
    BLS_PRIME,     /* proved */
    BLS_COMPOSITE, /* proved as well */
    BLS_UNKNOWN,   /* n - 1 has too few factors that are quickly found */
    BLS_STOPPED    /* *stop became true, or memory ran out */
};

/* For odd n > 2^64, best one that has passed other tests. The effort is bounded and the
 * same on each call: some 2 ms at 128 bits, where it nearly always succeeds. Above, it
 * succeeds where a third of the digits of n - 1 are in small factors: a matter of luck
 * at random, and certain for numbers like k * 2^m + 1 or n! + 1. */
enum bls_status bls(const mpz_t n, const atomic_bool *stop);

#endif
