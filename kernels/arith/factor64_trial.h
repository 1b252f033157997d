/*
 * factor64_trial: trial division of a block of numbers. Private to factor64.
 */
#ifndef QUERN_ARITH_FACTOR64_TRIAL_H
#define QUERN_ARITH_FACTOR64_TRIAL_H

#include <stddef.h>
#include <stdint.h>

enum {
    TRIAL_LAST =
        1019, /* the last prime that is tried, and the next one, which is not */
    TRIAL_NEXT = 1021,
    TRIAL_PRIMES = 170,
    TRIAL_BLOCK = 4096, /* most numbers in a block */
    TRIAL_BYTES = 40,   /* most bytes of a number: 3^40 */
    TRIAL_AHEAD = 4     /* bytes behind the last one that are 0: read as if of primes */
};

/* The odd primes up to TRIAL_LAST. p divides n exactly if n * inverse mod 2^64 <=
 * limit, and that is n / p then (Granlund and Montgomery 1994, section 9). */
struct trial_prime {
    uint64_t p, inverse, limit;
};
extern const struct trial_prime trial_primes[TRIAL_PRIMES];

/* What trial division found: n[i] is 2^twos[i], primes of the table, and rest[i]. The
 * primes, ascending with repetition, are bytes[i] bytes, places in the table; those of
 * all numbers follow each other in `stream`. For 0 and 1 there is nothing and the rest
 * is 1. */
struct trial {
    uint64_t rest[TRIAL_BLOCK];
    uint8_t twos[TRIAL_BLOCK], bytes[TRIAL_BLOCK];
    uint8_t stream[TRIAL_BLOCK * TRIAL_BYTES + TRIAL_AHEAD];
};

void trial_scalar(struct trial *t, const uint64_t *n, size_t count);
#ifdef __x86_64__
void trial_avx2(struct trial *t, const uint64_t *n, size_t count);
#endif

/* Divides trial_primes[k] out of n as often as it goes, and appends k to the stream as
 * often. */
static inline uint64_t trial_divide(uint64_t n, unsigned k, uint8_t **stream)
{
    const struct trial_prime *p = &trial_primes[k];
    for (uint64_t q = n * p->inverse; q <= p->limit; q = n * p->inverse) {
        n = q;
        *(*stream)++ = (uint8_t)k;
    }
    return n;
}

#endif
