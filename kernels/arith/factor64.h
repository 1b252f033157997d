/*
 * factor64: the prime factors of 64-bit integers, ascending with repetition. Complete
 * for every n; 0 and 1 have none. Every factorization has been multiplied back and
 * every factor's primality established when a call returns true.
 */
#ifndef QUERN_ARITH_FACTOR64_H
#define QUERN_ARITH_FACTOR64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FACTOR64_MAX = 68 }; /* 2^63 has 63, and they are written four at a time */

/* Writes the factors of n to p (room for FACTOR64_MAX) and returns how many; -1 if the
 * check failed, which is a bug here and must end the run with status 4. */
int factor64(uint64_t n, uint64_t *p);

/* The factors of n[0..count), one after the other in p (room for count * FACTOR64_MAX);
 * those of n[i] end before p[end[i]] (and begin at end[i-1], or 0). end[] counts from
 * `base`: end[i] = base + factors of n[0..i]. False if a check failed. All of the room
 * may be overwritten. Needs about 300 KiB of stack; fastest from 1024 numbers up. */
bool factor64_batch(const uint64_t *n, size_t count, uint64_t *p, uint32_t *end,
                    uint32_t base);

#endif
