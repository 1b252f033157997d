/*
 * prp: the two tests that the BPSW test is made of, for odd integers n > 2 of any size,
 * and the power they rest on.
 *
 * Each says false only of composites; a composite of which it says true is a
 * pseudoprime to it. No composite is known that passes both prp_strong(n, 2) and
 * prp_lucas(n), and there is none below 2^64.
 *
 * `stop` may be NULL. It is polled at least every 10 ms up to 10,000 digits, and once
 * it is true the answer is meaningless: the caller looks at it.
 */
#ifndef QUERN_ARITH_PRP_H
#define QUERN_ARITH_PRP_H

#include <stdatomic.h>

#include "arith/big.h"

/* x = a^e mod n for e > 0; x is none of the others. False once stopped. */
bool prp_power(mpz_t x, const mpz_t a, const mpz_t e, const mpz_t n,
               const atomic_bool *stop);

/* Miller and Rabin's strong test to base a, 1 < a < n, a < 2^32. */
bool prp_strong(const mpz_t n, uint32_t a, const atomic_bool *stop);

/* The strong Lucas test with Selfridge's parameters (method A). */
bool prp_lucas(const mpz_t n, const atomic_bool *stop);

#endif
