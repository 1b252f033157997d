/*
 * decimal: decimal text to 64-bit integers and back, at memory speed.
 */
#ifndef QUERN_ARITH_DECIMAL_H
#define QUERN_ARITH_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DECIMAL_U64 = 20,  /* most digits of a 64-bit integer */
    DECIMAL_ROOM = 24, /* bytes that printing may write */
    DECIMAL_PAD = 64   /* readable bytes around text that is scanned */
};

/* Writes v in decimal, no terminator; returns the number of digits. `to` must have
 * DECIMAL_ROOM bytes: up to that many may be overwritten. */
size_t decimal_print(char *to, uint64_t v);

#define DECIMAL_REPEAT8(byte) (UINT64_C(0x0101010101010101) * (byte))
#define DECIMAL_POW8 UINT64_C(100000000)

static inline void decimal_store8(char *to, uint64_t w)
{
    memcpy(to, &w, sizeof w);
}

/* Digits of numbers side by side. Each step splits every lane into its high and low
 * half, (x / b) + (x - (x / b) * b << w) = (x << w) - (x / b) * ((b << w) - 1), where w
 * is the width of the new lanes, b the power of ten of the low halves. Lanes do not
 * disturb each other, as the halves fit theirs. Quotients are products: x * 10486 >> 20
 * is x / 100 for x < 10^4 (10486/2^20 exceeds 1/100 by less than 3e-7, and 10^4 times
 * that is below 1/100), and x * 103 >> 10 is x / 10 for x < 100 (the excess 6e-4 times
 * 99 is below 1/10). The masks cut off what the lane above shifted in. */
static inline uint64_t decimal_digits_of_fours(uint64_t fours)
{
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t twos = (fours << 16) - hundreds * ((100 << 16) - 1);
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return (twos << 8) - tens * ((10 << 8) - 1);
}

/* The eight digits of v < 10^8, as bytes 0 to 9. */
static inline uint64_t decimal_digits_of_eight(uint64_t v)
{
    return decimal_digits_of_fours((v << 32) -
                                   v / 10000 * ((UINT64_C(10000) << 32) - 1));
}

/* Prints v < 10^8 without leading zeros; writes eight bytes. */
static inline size_t decimal_print_eight(char *to, uint64_t v)
{
    uint64_t w = decimal_digits_of_eight(v);
    unsigned skip = (unsigned)__builtin_ctzll(w | UINT64_C(1) << 56) & 56;
    decimal_store8(to, (w | DECIMAL_REPEAT8('0')) >> skip);
    return 8 - skip / 8;
}

/* Numbers below 1000: the digits in the lower half, how many they are in the highest
 * byte, and below that three digits, leading zeros included. */
enum { DECIMAL_SMALL = 1000 };
extern const uint64_t decimal_small[DECIMAL_SMALL];

/* Prints v < 1000 without leading zeros; or with them, as three digits. Writes four
 * bytes. */
static inline size_t decimal_print_up_to_three(char *to, uint64_t v)
{
    uint64_t entry = decimal_small[v];
    uint32_t text = (uint32_t)entry;
    memcpy(to, &text, sizeof text);
    return entry >> 56;
}

static inline void decimal_print_three(char *to, uint64_t v)
{
    uint32_t text = (uint32_t)(decimal_small[v] >> 32);
    memcpy(to, &text, sizeof text);
}

/* decimal_print for values that are often small, as factors are. */
static inline size_t decimal_print_small(char *to, uint64_t v)
{
    if (v < DECIMAL_SMALL)
        return decimal_print_up_to_three(to, v);
    if (v >= DECIMAL_SMALL * DECIMAL_SMALL)
        return v < DECIMAL_POW8 ? decimal_print_eight(to, v) : decimal_print(to, v);
    size_t n = decimal_print_up_to_three(to, v / DECIMAL_SMALL);
    decimal_print_three(to + n, v % DECIMAL_SMALL);
    return n + 3;
}

/* decimal_print for values that often differ from the last one in the low digits only,
 * as those of a range do. Begin with {0}. */
struct decimal_run {
    uint64_t base; /* the last value, its last three digits 0; if that is not 0 ... */
    size_t len;    /* ... how many digits it has without those ... */
    char digits[DECIMAL_ROOM]; /* ... here */
};

static inline size_t decimal_print_run(struct decimal_run *run, char *to, uint64_t v)
{
    if (v < DECIMAL_SMALL)
        return decimal_print_small(to, v);
    if (v - run->base >= DECIMAL_SMALL) {
        run->base = v / DECIMAL_SMALL * DECIMAL_SMALL;
        run->len = decimal_print(run->digits, v / DECIMAL_SMALL);
    }
    memcpy(to, run->digits, DECIMAL_U64);
    decimal_print_three(to + run->len, v - run->base);
    return run->len + 3;
}

/* Reads exactly `len` decimal digits. False (and *v untouched) if one of them is none,
 * if len is 0, or if the value is 2^64 or more. 8 bytes behind `s + len` must be
 * readable. */
bool decimal_parse(const char *s, size_t len, uint64_t *v);

/* Reads `len` digits that are known to be digits, without a leading zero. False (and
 * nothing written) if the value is 2^128 or more. 8 bytes behind them are readable. */
bool decimal_parse128(const char *s, size_t len, uint64_t *high, uint64_t *low);

/* How many digits stand at s, at most `len`; 8 bytes behind `s + len` are readable. */
size_t decimal_span(const char *s, size_t len);

/* The arrays that decimal_scan fills, one element for each number. */
struct decimal_out {
    uint64_t *v;
    const char **digits; /* where they stand in the text */
    uint32_t *len;       /* how many they are */
    uint64_t *after;     /* position just behind them */
};

/*
 * Reads plain numbers from text[*pos .. end): tokens of 1 to `max_digits` digits
 * without a leading zero, below 2^64, with white space (blank, \t, \n, \v, \f, \r)
 * around them. Stops at the first token that is anything else or that touches `end`, or
 * when `max` numbers are read; *pos is then where to go on, outside of any token.
 * Returns how many it read. DECIMAL_PAD bytes on either side of [*pos, end) must be
 * readable; what they hold is of no effect.
 */
size_t decimal_scan(const char *text, size_t *pos, size_t end, size_t max,
                    uint32_t max_digits, const struct decimal_out *out);

/* Its variants, with the same results; for tests. */
size_t decimal_scan_generic(const char *text, size_t *pos, size_t end, size_t max,
                            uint32_t max_digits, const struct decimal_out *out);
#if defined(__x86_64__)
size_t decimal_scan_avx2(const char *text, size_t *pos, size_t end, size_t max,
                         uint32_t max_digits, const struct decimal_out *out);
#endif

#endif
