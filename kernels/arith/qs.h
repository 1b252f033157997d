/*
 * qs: FLINT's quadratic sieve, in the helper program (helper.h). Thread-safe.
 */
#ifndef QUERN_ARITH_QS_H
#define QUERN_ARITH_QS_H

#include <stdatomic.h>

#include "arith/big.h"

enum qs_status {
    QS_DONE,
    QS_STOPPED, /* *stop became true; the process is gone */
    QS_FAILED   /* no helper program, or it crashed or gave no proper answer */
};

/* Digits that the helper takes; its time grows about tenfold every 10 digits. */
enum { QS_MIN_DIGITS = 18, QS_MAX_DIGITS = 95 };

/* Sets f to a proper divisor of n, which must be composite, odd, and no perfect power.
 * `stop` is polled at least every 10 ms. */
enum qs_status qs_split(mpz_t f, const mpz_t n, const atomic_bool *stop);

#endif
