/*
 * signif: a decimal number rounded to some significant digits, exactly: from its text,
 * ties to even.
 */
#ifndef QUERN_ARITH_SIGNIF_H
#define QUERN_ARITH_SIGNIF_H

#include <stddef.h>

enum {
    SIGNIF_DIGITS = 40,              /* most digits to round to */
    SIGNIF_ROOM = SIGNIF_DIGITS + 40 /* bytes that signif_print may write */
};

/*
 * Rounds the number in text[0..len), as JSON writes numbers, to `digits` (1 to
 * SIGNIF_DIGITS) significant digits. Zeros at the end are dropped, but there is always
 * a point with a digit behind it: 1.0, 0.912, 1230.0. A value of 10^21 and more, or
 * below 10^-6, is printed as 1.23e+21. Returns the length, not terminated.
 */
size_t signif_print(char *to, const char *text, size_t len, unsigned digits);

#endif
