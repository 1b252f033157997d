/*
 * big: the one door to GMP. Integers of any size are mpz_t; decimal text of them is
 * made and read here.
 *
 * GMP ends the process when memory runs out; no number here is larger than a record may
 * be (job option max-digits), a few times over.
 */
#ifndef QUERN_ARITH_BIG_H
#define QUERN_ARITH_BIG_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads `len` digits that are known to be digits. False when memory ran out. */
bool big_parse(mpz_t z, const char *digits, size_t len);

/* Room that big_print needs: digits, a sign GMP may want, a terminator. */
size_t big_print_size(const mpz_t z);

/* Writes z >= 0 in decimal, terminated; returns the number of digits. */
size_t big_print(char *to, const mpz_t z);

/* The same for at most BIG_LIMBS limbs, least first: writes their value in decimal, not
 * terminated, and returns the number of digits, at most 20 a limb. Destroys the limbs.
 */
enum { BIG_LIMBS = 8 };
size_t big_print_limbs(char *to, uint64_t *limbs, size_t n);

/* Whether z < 2^64, and its value then. */
bool big_fits(const mpz_t z);
uint64_t big_u64(const mpz_t z);
void big_set(mpz_t z, uint64_t v);

/* Sets z to the value of a few limbs, least first. */
void big_set_limbs(mpz_t z, const uint64_t *limbs, size_t n);

/* The smallest divisor of n > 0 among the integers from..limit (limit < 2^24) that are
 * 2, 3, or prime to 6: so a prime if n has no prime factor below `from`. 0 if none. */
uint32_t big_divisor(const mpz_t n, uint32_t from, uint32_t limit);

#endif
