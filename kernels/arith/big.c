/*
 * Text is converted 19 digits at a time, 10^19 being the largest power of ten in a
 * limb, as long as numbers are short: that beats GMP's general routines, whose work
 * area is allocated on each call. From BIG_SHORT digits on theirs are faster, being
 * subquadratic.
 */
#include "arith/big.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NUMB_BITS == 64, "64-bit limbs");
_Static_assert(sizeof(unsigned long) == 8, "GMP's _ui functions take 64 bits");

enum {
    STEP = 19, /* digits in a step */
    BIG_SHORT = BIG_LIMBS * STEP
};

static const uint64_t ten19 = 10000000000000000000u;

/* The value of 1..STEP digits; 10^digits in *scale. */
static uint64_t read_step(const char *digits, size_t len, uint64_t *scale)
{
    uint64_t v = 0, ten = 1;
    for (size_t i = 0; i < len; i++) {
        v = v * 10 + (uint64_t)(digits[i] - '0');
        ten *= 10;
    }
    *scale = ten;
    return v;
}

static void parse_short(mpz_t z, const char *digits, size_t len)
{
    mp_limb_t *w = mpz_limbs_write(z, BIG_LIMBS);
    mp_size_t n = 0;
    for (size_t at = 0; at < len;) {
        size_t step = at == 0 && len % STEP ? len % STEP : STEP;
        uint64_t scale, v = read_step(digits + at, step, &scale);
        mp_limb_t carry = v;
        if (n > 0) {
            carry = mpn_mul_1(w, w, n, scale);
            carry += mpn_add_1(w, w, n, v);
        }
        if (carry)
            w[n++] = carry;
        at += step;
    }
    mpz_limbs_finish(z, n);
}

bool big_parse(mpz_t z, const char *digits, size_t len)
{
    if (len <= BIG_SHORT) {
        parse_short(z, digits, len);
        return true;
    }
    char *text = malloc(len + 1);
    if (!text)
        return false;
    memcpy(text, digits, len);
    text[len] = '\0';
    mpz_set_str(z, text, 10);
    free(text);
    return true;
}

size_t big_print_size(const mpz_t z)
{
    return mpz_sizeinbase(z, 10) + 2;
}

/* Exactly `len` digits of v, the first ones 0 if it has fewer. */
static void write_step(char *to, uint64_t v, size_t len)
{
    for (size_t i = len; i-- > 0; v /= 10)
        to[i] = (char)('0' + v % 10);
}

/* Digits of v; 0 has one. */
static size_t digits_of(uint64_t v)
{
    size_t n = 1;
    for (; v >= 10; v /= 10)
        n++;
    return n;
}

size_t big_print_limbs(char *to, uint64_t *limbs, size_t n)
{
    uint64_t step[BIG_LIMBS + 1];
    size_t steps = 0;
    while (n > 0 && limbs[n - 1] == 0)
        n--;
    while (n > 1 || (n == 1 && limbs[0] >= ten19)) {
        step[steps++] = mpn_divrem_1(limbs, 0, limbs, (mp_size_t)n, ten19);
        if (limbs[n - 1] == 0)
            n--;
    }
    uint64_t top = n ? limbs[0] : 0;
    size_t len = digits_of(top);
    write_step(to, top, len);
    while (steps-- > 0) {
        write_step(to + len, step[steps], STEP);
        len += STEP;
    }
    return len;
}

size_t big_print(char *to, const mpz_t z)
{
    size_t n = mpz_size(z);
    if (n > BIG_LIMBS) {
        mpz_get_str(to, 10, z);
        return strlen(to);
    }
    uint64_t limbs[BIG_LIMBS];
    for (size_t i = 0; i < n; i++)
        limbs[i] = mpz_getlimbn(z, (mp_size_t)i);
    size_t len = big_print_limbs(to, limbs, n);
    to[len] = '\0';
    return len;
}

bool big_fits(const mpz_t z)
{
    return mpz_fits_ulong_p(z);
}

uint64_t big_u64(const mpz_t z)
{
    return mpz_get_ui(z);
}

void big_set(mpz_t z, uint64_t v)
{
    mpz_set_ui(z, v);
}

void big_set_limbs(mpz_t z, const uint64_t *limbs, size_t n)
{
    mpz_import(z, n, -1, sizeof *limbs, 0, 0, limbs);
}

/* The next integer after d that is 2, 3 or prime to 6. */
static uint32_t next_candidate(uint32_t d)
{
    if (d < 3)
        return d < 2 ? 2 : 3;
    uint32_t r = d % 6;
    return d + (r == 5 ? 2 : r == 0 ? 1 : 5 - r);
}

/* One division of n by a product of candidates serves all of them. */
uint32_t big_divisor(const mpz_t n, uint32_t from, uint32_t limit)
{
    uint32_t group[64];
    uint32_t d = next_candidate(from ? from - 1 : 0);
    while (d <= limit) {
        uint64_t product = 1;
        size_t count = 0;
        for (; d <= limit && count < 64 && product <= UINT64_MAX / d;
             d = next_candidate(d)) {
            product *= d;
            group[count++] = d;
        }
        uint64_t r = mpz_fdiv_ui(n, product);
        for (size_t i = 0; i < count; i++)
            if (r % group[i] == 0)
                return group[i];
    }
    return 0;
}
