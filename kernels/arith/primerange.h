/*
 * primerange: the primes of a range of 64-bit integers, counted or listed. Exact. Hides
 * libprimesieve, which does it where that is faster than testing each number.
 *
 * One struct primerange is for one thread at a time. It remembers where its last call
 * ended, so that the next one goes on from there without a new start; that changes how
 * long a call takes and nothing else.
 */
#ifndef QUERN_ARITH_PRIMERANGE_H
#define QUERN_ARITH_PRIMERANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct primerange;

/* What this process may take of memory, in bytes, if that is less than the machine has.
 * Before all else here. */
void primerange_limit(uint64_t bytes);

/* The file of libprimesieve, which this loads; NULL when that fails, and then all
 * numbers are tested. Any thread. */
const char *primerange_library(void);

/* NULL when memory ran out. */
struct primerange *primerange_new(void);
void primerange_free(struct primerange *r);

/* What is worth a claim of first..last: *least integers, and *ms milliseconds (`count`:
 * for primerange_count; else for primerange_list). Loads the library. */
void primerange_claim(uint64_t first, uint64_t last, bool count, uint64_t *least,
                      unsigned *ms);

/*
 * Both look at integers of [first, first + count), count >= 1 and first + count <=
 * 2^64, from the first on, and return how many they looked at, >= 1: so many as take
 * about 0.3 s at most, but that a start, where it takes one, is up to 4 s near 2^64. It
 * needs none where the last call ended. `ahead` more integers may be asked for later:
 * as far the list can go on. 0 when memory ran out.
 */

/* *primes is how many of them are prime. */
uint64_t primerange_count(struct primerange *r, uint64_t first, uint64_t count,
                          uint64_t ahead, uint64_t *primes);

/* Writes those that are prime, ascending, at most `room` >= 1, and their number to *n.
 */
uint64_t primerange_list(struct primerange *r, uint64_t first, uint64_t count,
                         uint64_t ahead, uint64_t *primes, size_t room, size_t *n);

#endif
