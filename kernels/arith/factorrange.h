/*
 * factorrange: the prime factors of consecutive 64-bit integers, by a sieve.
 *
 * One struct factorrange is for one thread at a time. It remembers what it has sieved,
 * so that calls for the integers that follow are fast; that changes no result.
 */
#ifndef QUERN_ARITH_FACTORRANGE_H
#define QUERN_ARITH_FACTORRANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FACTORRANGE_BLOCK = 4096 }; /* most integers in one call */

struct factorrange;

/* NULL when memory ran out. */
struct factorrange *factorrange_new(void);
void factorrange_free(struct factorrange *r);

/* Whether a sieve is faster than factor64_batch for first .. first + count - 1, if all
 * of these are going to be asked for. count >= 1, first + count <= 2^64. `r` may be
 * NULL (there is none yet). */
bool factorrange_pays(const struct factorrange *r, uint64_t first, uint64_t count);

/* The factors of some integers of [first, first + count), from the first on, as those
 * of factor64_batch (p, end and base are as there, with room for as many integers as
 * may be answered, at most FACTORRANGE_BLOCK). They have been multiplied back, and
 * every factor is prime: a prime of the sieve, a cofactor below the square of the next,
 * or a factor from factor64_batch. Returns how many integers, >= 1; 0 when memory ran
 * out; -1 when the check failed, a bug here. */
int factorrange(struct factorrange *r, uint64_t first, uint64_t count, uint64_t *p,
                uint32_t *end, uint32_t base);

#endif
