/*
 * mpqs: splits composites of 41 to MPQS_BITS bits by a self-initialising quadratic
 * sieve (Pomerance 1981, Silverman 1987, Contini 1997), in process.
 *
 * The time depends on the size of n alone, not on its factors. On one core of a Zen 5:
 * 64 bits 0.035 ms, 96 bits 0.18 ms, 128 bits 1.7 ms, 50 digits 25 ms, 60 digits 0.25
 * s, 70 digits 3.6 s, 80 digits a minute. So it is for what small factors have been
 * taken out of.
 *
 * Any number of threads may call it at the same time: all memory belongs to the call,
 * or to the workspace, which one thread uses at a time. A workspace saves the tables
 * that do not depend on n and the page faults of fresh memory: a tenth of the time at
 * 96 bits, a fifth at 64.
 *
 * Deterministic: the same n gives the same f, with any workspace and on any processor.
 */
#ifndef QUERN_ARITH_MPQS_H
#define QUERN_ARITH_MPQS_H

#include <stdatomic.h>

#include "arith/big.h"

enum { MPQS_MIN_BITS = 41, MPQS_BITS = 280 };

enum mpqs_status {
    MPQS_FOUND,   /* f is a proper factor of n */
    MPQS_STOPPED, /* *stop became true */
    MPQS_NOMEM,
    MPQS_UNSUITED /* n is out of range, even, a prime, or a perfect power */
};

struct mpqs;

/* A workspace, empty; NULL when memory ran out. */
struct mpqs *mpqs_new(void);
void mpqs_free(struct mpqs *w); /* NULL is allowed */

/* Splits n, which must be odd, composite, no perfect power, and have MPQS_MIN_BITS to
 * MPQS_BITS bits; small factors do no harm. f is set on MPQS_FOUND only; it need not be
 * prime, nor the smaller part. Never gives up on such an n: it widens its parameters
 * until it ends. `stop` is polled at least every 10 ms. */
enum mpqs_status mpqs_split(struct mpqs *w, mpz_t f, const mpz_t n,
                            const atomic_bool *stop);

/* The same with a workspace of its own. */
enum mpqs_status mpqs_factor(mpz_t f, const mpz_t n, const atomic_bool *stop);

#endif
