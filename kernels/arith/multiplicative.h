/*
 * multiplicative: the usual arithmetic functions of n > 0, from its prime factors.
 * Exact at any size.
 *
 *   omega     how many primes divide n        bigomega  the same, with multiplicity
 *   phi       Euler's: integers in 1..n that are prime to n
 *   mu        Moebius': 0 if a square > 1 divides n, else (-1)^omega
 *   sigma     the sum of the divisors         radical   the product of the primes
 *
 * For n = 1, which has no prime factors, they are 0, 0, 1, 1, 1, 1.
 */
#ifndef QUERN_ARITH_MULTIPLICATIVE_H
#define QUERN_ARITH_MULTIPLICATIVE_H

#include "arith/big.h"

struct multiplicative {
    uint32_t omega, bigomega;
    int mu;
    mpz_t phi, sigma, radical;
    mpz_t power, tmp; /* for the making */
};

/* Use one for many numbers: they are of n = 1 after init and after clear. */
void multiplicative_init(struct multiplicative *m);
void multiplicative_release(struct multiplicative *m);
void multiplicative_clear(struct multiplicative *m);

/* Multiplies n by p^e: p prime and not a factor so far, e > 0. */
void multiplicative_add(struct multiplicative *m, const mpz_t p, uint32_t e);

#endif
