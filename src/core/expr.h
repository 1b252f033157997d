/*
 * expr: integers written as expressions, as 2^61-1, 100!+1, 1e18, 97#, (10^40-1)/9.
 *
 *   sum      product, then + or - and a product, any number of times
 *   product  power, then * or / and a power, any number of times
 *   power    postfix, or postfix ^ power
 *   postfix  atom, then ! or #, any number of times
 *   atom     digits, digits e digits, or a sum in parentheses
 *
 * n# is the product of the primes up to n; a division must leave no remainder; 0^0
 * is 1. Values on the way may be negative, the last one not. They may have 4 *
 * max_digits + 1000 digits, so that 10000!/9998! passes where --max-digits is 10000.
 * Work is bounded too, by counts and not by a clock: what is refused is the same
 * everywhere. Pure; any thread.
 */
#ifndef QUERN_CORE_EXPR_H
#define QUERN_CORE_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"

enum { EXPR_DEPTH = 200 }; /* of parentheses and of ^ to the right, together */

/* Whether a token is meant as an expression: it begins with a digit or a parenthesis,
 * and holds digits, 'e' and the signs above only. Digits alone are one, too. */
bool expr_is(const char *text, size_t len);

/* Appends the value in canonical decimal and returns 0; or returns -1 with a static
 * string that says what is wrong in *what, and `digits` as it was (its `failed` tells
 * whether memory ran out). */
int expr_eval(const char *text, size_t len, uint32_t max_digits, struct qbuf *digits,
              const char **what);

#endif
