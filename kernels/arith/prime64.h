/*
 * prime64: is a 64-bit integer prime? Exact for every n below 2^64, on every path.
 *
 * What proves a prime, by its size (a composite has failed a test, which is proof):
 *
 * - Below 2^12: a table of all primes there.
 *
 * - Below 2^32: base 2, and that n is none of the 3054 composites without a prime
 *   factor below 64 that pass it. They were found by testing every number there, and
 *   are listed in prime64_filter.c.
 *
 * - Below 2^50, 2^63 and 2^64: base 2 and the almost extra strong Lucas test, for no
 *   composite below 2^64 passes both. Feitsma and Galway listed all pseudoprimes to
 *   base 2 there (2009, 2013), Jacobsen put each to the Lucas test (2013): the sources
 *   are in prime64.c. With AVX2 each of the three sizes has its own arithmetic, for the
 *   same two tests.
 *
 * The long unit test (TEST_SCALE >= 100) compares all numbers below 2^32 with a sieve.
 */
#ifndef QUERN_ARITH_PRIME64_H
#define QUERN_ARITH_PRIME64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool prime64(uint64_t n);

/* prime[i] = 1 if n[i] is prime, else 0. Any count; the batch is what is fast. */
void prime64_batch(const uint64_t *n, size_t count, uint8_t *prime);

#endif
