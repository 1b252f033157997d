/*
 * The digits are gathered without leading zeros, as far as they count; of the rest it
 * only matters whether one is not zero. The value is 0.DDD * 10^point.
 */
#include "arith/signif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PLAIN_MOST = 21, PLAIN_LEAST = -5 }; /* of `point`, to print without exponent */

struct decimal {
    bool negative;
    char digits[SIGNIF_DIGITS + 2]; /* one more than counts, and room for a carry */
    size_t n;
    bool more; /* a digit that is not kept is not 0 */
    int64_t point;
};

static const int64_t FAR = 1000000000; /* an exponent beyond that is cut to it */

static int64_t read_exponent(const char *s, const char *end)
{
    bool negative = s < end && *s == '-';
    int64_t v = 0;
    s += s < end && (*s == '-' || *s == '+');
    for (; s < end && v < FAR; s++)
        v = v * 10 + (*s - '0');
    v = v > FAR ? FAR : v;
    return negative ? -v : v;
}

/* Keeps at most `most` digits. */
static struct decimal read_decimal(const char *s, size_t len, size_t most)
{
    struct decimal d = {.negative = len > 0 && *s == '-'};
    const char *end = s + len;
    bool behind = false;
    for (s += d.negative; s < end && *s != 'e' && *s != 'E'; s++) {
        if (*s == '.') {
            behind = true;
            continue;
        }
        bool leading = d.n == 0 && *s == '0';
        if (!leading && d.n < most)
            d.digits[d.n++] = *s;
        else if (!leading)
            d.more = d.more || *s != '0';
        d.point += leading ? -(int64_t)behind : !behind;
    }
    if (s < end)
        d.point += read_exponent(s + 1, end);
    return d;
}

/* Rounds to `digits` digits, of which one more has been kept. */
static void round_to(struct decimal *d, size_t digits)
{
    if (d->n > digits) {
        char next = d->digits[digits];
        bool odd = (d->digits[digits - 1] - '0') % 2;
        bool up = next > '5' || (next == '5' && (d->more || odd));
        d->n = digits;
        while (up && d->n > 0 && d->digits[d->n - 1] == '9')
            d->n--;
        if (up && d->n > 0) {
            d->digits[d->n - 1]++;
        } else if (up) { /* all were 9 */
            d->digits[d->n++] = '1';
            d->point++;
        }
    }
    while (d->n > 0 && d->digits[d->n - 1] == '0')
        d->n--;
}

static char *put(char *to, const char *s, size_t n)
{
    memcpy(to, s, n);
    return to + n;
}

static char *put_zeros(char *to, int64_t n)
{
    while (n-- > 0)
        *to++ = '0';
    return to;
}

static char *put_exponent(char *to, int64_t exponent)
{
    char digits[20];
    size_t n = 0;
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    for (uint64_t v = (uint64_t)(exponent < 0 ? -exponent : exponent); v > 0 || n < 2;
         v /= 10)
        digits[n++] = (char)('0' + v % 10);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

static char *put_scientific(char *to, const struct decimal *d)
{
    *to++ = d->digits[0];
    *to++ = '.';
    to = d->n > 1 ? put(to, d->digits + 1, d->n - 1) : put_zeros(to, 1);
    return put_exponent(to, d->point - 1);
}

static char *put_plain(char *to, const struct decimal *d)
{
    int64_t n = (int64_t)d->n;
    if (d->point <= 0) {
        to = put_zeros(put(to, "0.", 2), -d->point);
        return put(to, d->digits, d->n);
    }
    int64_t before = d->point < n ? d->point : n;
    to = put_zeros(put(to, d->digits, (size_t)before), d->point - before);
    *to++ = '.';
    return before < n ? put(to, d->digits + before, (size_t)(n - before))
                      : put_zeros(to, 1);
}

size_t signif_print(char *to, const char *text, size_t len, unsigned digits)
{
    struct decimal d = read_decimal(text, len, digits + 1);
    char *begin = to;
    round_to(&d, digits);
    if (d.n == 0)
        return (size_t)(put(to, "0.0", 3) - begin);
    if (d.negative)
        *to++ = '-';
    bool plain = d.point <= PLAIN_MOST && d.point >= PLAIN_LEAST;
    to = plain ? put_plain(to, &d) : put_scientific(to, &d);
    return (size_t)(to - begin);
}
