/*
 * trial: primality and factors by trial division and nothing else, by 2 and the odd
 * numbers up to the square root. It is here to be compared with, as the classic
 * processor-bound loop (--method=trial), so it is honest rather than clever.
 *
 * `stop` (may be NULL) is polled about every millisecond, and once it is true the
 * answer is meaningless: the caller looks at it.
 */
#ifndef QUERN_ARITH_TRIAL_H
#define QUERN_ARITH_TRIAL_H

#include <stdatomic.h>

#include "arith/big.h"
#include "arith/factor64.h"
#include "arith/factorbig.h"

bool trial_prime64(uint64_t n, const atomic_bool *stop);

/* Writes the prime factors of n, ascending with repetition, to p (room for
 * FACTOR64_MAX) and returns how many; 0 and 1 have none. */
int trial_factor64(uint64_t n, uint64_t *p, const atomic_bool *stop);

/* The same for integers of any size, for which it is hopeless unless all prime factors
 * but one are small. */
bool trial_prime(const mpz_t n, const atomic_bool *stop);
enum factorbig_status trial_factor(struct factorbig *f, const mpz_t n,
                                   const atomic_bool *stop);

#endif
