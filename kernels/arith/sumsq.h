/*
 * sumsq: sums of squares, exact at any size.
 *
 *     S(n) = 0^2 + 1^2 + ... + (n-1)^2 = (n-1) n (2n-1) / 6
 *
 * of 64-bit n is below 2^191: three limbs, least first. Totals grow without limit.
 */
#ifndef QUERN_ARITH_SUMSQ_H
#define QUERN_ARITH_SUMSQ_H

#include <stdatomic.h>

#include "arith/big.h"

enum {
    SUMSQ_LIMBS = 3,
    SUMSQ_DIGITS = 58 /* most digits of S(n) for n < 2^64 */
};

/* S(n) by the closed form. */
void sumsq_closed(uint64_t s[SUMSQ_LIMBS], uint64_t n);
void sumsq_closed_big(mpz_t s, const mpz_t n);

/* S(n) by really adding up the squares. `stop` (may be NULL) is polled at least every
 * millisecond: false, and no answer, once it is true. */
bool sumsq_loop(uint64_t s[SUMSQ_LIMBS], uint64_t n, const atomic_bool *stop);
bool sumsq_loop_big(mpz_t s, const mpz_t n, const atomic_bool *stop);

/* Writes S(n), closed form, in decimal, not terminated; returns the number of digits.
 * `to` has room for SUMSQ_DIGITS. */
size_t sumsq_print(char *to, uint64_t n);

/*
 * A running sum of such sums, or of squares. Additions of 64-bit origin go to `w`,
 * which cannot overflow before 2^64 of them; the rest goes to `big`. Totals of parts
 * are put together in any order with the same result. Not thread safe.
 */
struct sumsq_total {
    uint64_t w[4];
    mpz_t big;
};

void sumsq_total_init(struct sumsq_total *t);
void sumsq_total_release(struct sumsq_total *t);
void sumsq_total_clear(struct sumsq_total *t); /* to 0 */

/* Adds S(n) as computed above. */
void sumsq_total_add(struct sumsq_total *t, const uint64_t s[SUMSQ_LIMBS]);
void sumsq_total_add_big(struct sumsq_total *t, const mpz_t s);

/* Adds the squares of x[0..n). */
void sumsq_total_squares(struct sumsq_total *t, const uint64_t *x, size_t n);
void sumsq_total_square_big(struct sumsq_total *t, const mpz_t x);

/* The value, for printing; and its addition as digits, as another part printed it.
 * False when memory ran out. */
void sumsq_total_value(const struct sumsq_total *t, mpz_t value);
bool sumsq_total_add_digits(struct sumsq_total *t, const char *digits, size_t len);

#endif
