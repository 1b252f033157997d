/*
 * prime64: is a 64-bit integer prime? Exact for every n below 2^64.
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
