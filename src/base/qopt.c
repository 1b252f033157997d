/*
 * Numbers are strict: decimal digits and at most one unit, no sign, no blanks, nothing
 * that is cut off or wraps around. A refusal says what would have been right.
 *
 * What was meant by a wrong name is the nearest by optimal string alignment distance
 * (the number of letters added, dropped, changed, or swapped with their neighbour).
 */
#include "base/qopt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/qlog.h"

static const uint64_t NS_PER_MS = 1000000, NS_PER_S = 1000000000;

/* Adds `b` to, or multiplies `*a` by it; false, and *a unchanged, beyond 64 bits. */
static bool checked_add(uint64_t *a, uint64_t b)
{
    if (*a > UINT64_MAX - b)
        return false;
    *a += b;
    return true;
}

static bool checked_mul(uint64_t *a, uint64_t b)
{
    if (b != 0 && *a > UINT64_MAX / b)
        return false;
    *a *= b;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits from *s, at least one, and leaves *s behind them. */
static bool read_digits(const char **s, uint64_t *value)
{
    const char *at = *s;
    uint64_t v = 0;
    if (!is_digit(*at))
        return false;
    for (; is_digit(*at); at++)
        if (!checked_mul(&v, 10) || !checked_add(&v, (uint64_t)(*at - '0')))
            return false;
    *s = at;
    *value = v;
    return true;
}

static bool read_count(const char *s, uint64_t *value)
{
    return read_digits(&s, value) && *s == '\0';
}

static bool read_size(const char *s, uint64_t *value)
{
    static const char units[] = "KMG";
    if (!read_digits(&s, value))
        return false;
    if (*s == '\0')
        return true;
    const char *unit = strchr(units, *s);
    if (!unit || s[1] != '\0')
        return false;
    return checked_mul(value, UINT64_C(1) << 10 * (unit - units + 1));
}

/* The length of a duration's unit in nanoseconds, or 0 when it is none. */
static uint64_t unit_ns(const char *unit)
{
    if (strcmp(unit, "ms") == 0)
        return NS_PER_MS;
    if (strcmp(unit, "") == 0 || strcmp(unit, "s") == 0)
        return NS_PER_S;
    if (strcmp(unit, "m") == 0)
        return 60 * NS_PER_S;
    if (strcmp(unit, "h") == 0)
        return 3600 * NS_PER_S;
    return 0;
}

/* What decimals add below a nanosecond is dropped. */
static bool read_duration(const char *s, uint64_t *value)
{
    if (!read_digits(&s, value))
        return false;
    const char *decimals = s;
    if (*s == '.') {
        decimals = ++s;
        if (!is_digit(*s))
            return false;
        while (is_digit(*s))
            s++;
    }
    uint64_t unit = unit_ns(s);
    if (unit == 0 || !checked_mul(value, unit))
        return false;
    for (; decimals < s && *decimals != '.'; decimals++) {
        unit /= 10;
        if (!checked_add(value, (uint64_t)(*decimals - '0') * unit))
            return false;
    }
    return true;
}

static bool read_flag(const char *s, uint64_t *value)
{
    *value = strcmp(s, "yes") == 0;
    return *value == 1 || strcmp(s, "no") == 0;
}

static bool read_choice(const char *choices, const char *s, uint64_t *value)
{
    size_t len = strlen(s);
    *value = 0;
    for (const char *at = choices;; at++, (*value)++) {
        size_t n = strcspn(at, "|");
        if (n == len && memcmp(at, s, n) == 0)
            return true;
        at += n;
        if (*at == '\0')
            return false;
    }
}

static bool read_value(const struct qopt *o, const char *text, uint64_t *value)
{
    switch (o->kind) {
    case QOPT_FLAG:
        return read_flag(text, value);
    case QOPT_TEXT:
        *value = 0;
        return *text != '\0';
    case QOPT_CHOICE:
        return read_choice(o->value, text, value);
    case QOPT_COUNT:
        return read_count(text, value);
    case QOPT_SIZE:
        return read_size(text, value);
    case QOPT_DURATION:
        return read_duration(text, value);
    }
    return false;
}

static bool within_limits(const struct qopt *o, uint64_t v)
{
    if (o->kind != QOPT_COUNT && o->kind != QOPT_SIZE)
        return true;
    return v >= o->min && (o->max == 0 || v <= o->max);
}

/* The limits of a COUNT or SIZE in words, or "". */
static void put_limits(const struct qopt *o, char *to, size_t size)
{
    if (o->max != 0)
        snprintf(to, size, " from %" PRIu64 " to %" PRIu64, o->min, o->max);
    else if (o->min != 0)
        snprintf(to, size, " of at least %" PRIu64, o->min);
    else
        *to = '\0';
}

static int refuse(const struct qopt *o, const char *text, struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE], limits[64];
    qlog_token(token, text, strlen(text));
    put_limits(o, limits, sizeof limits);
    switch (o->kind) {
    case QOPT_FLAG:
        return qerr_set(e, Q_EUSAGE, "--%s: '%s' is neither yes nor no", o->name,
                        token);
    case QOPT_TEXT:
        return qerr_set(e, Q_EUSAGE, "--%s: the value is empty", o->name);
    case QOPT_CHOICE:
        return qerr_set(e, Q_EUSAGE, "--%s: '%s' is not one of %s", o->name, token,
                        o->value);
    case QOPT_COUNT:
        return qerr_set(e, Q_EUSAGE, "--%s: '%s' is not an integer%s", o->name, token,
                        limits);
    case QOPT_SIZE:
        return qerr_set(e, Q_EUSAGE,
                        "--%s: '%s' is not a size%s (bytes, or with K, M, G)", o->name,
                        token, limits);
    case QOPT_DURATION:
        break;
    }
    return qerr_set(e, Q_EUSAGE,
                    "--%s: '%s' is not a duration (seconds, or with ms, s, m, h)",
                    o->name, token);
}

int qopt_parse(const struct qopt *o, const char *text, uint64_t *value, struct qerr *e)
{
    uint64_t v = 0;
    if (!read_value(o, text, &v) || !within_limits(o, v))
        return refuse(o, text, e);
    *value = v;
    return 0;
}

enum { NAME_LEN = 32, FAR = NAME_LEN + 1 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Row i of the table holds the distances of a[0..i) to all b[0..j). */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    size_t d[NAME_LEN + 1][NAME_LEN + 1];
    if (na > NAME_LEN || nb > NAME_LEN)
        return FAR;
    for (size_t j = 0; j <= nb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        d[i][0] = i;
        for (size_t j = 1; j <= nb; j++) {
            d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
            d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[na][nb];
}

/* One letter may be wrong, and one more for every four. The beginning of a name, three
 * letters and more, counts as one wrong letter. */
const char *qopt_nearest(const char *wrong, const char *(*next)(void *state),
                         void *state)
{
    size_t len = strlen(wrong);
    size_t best = least(1 + len / 4, FAR - 1) + 1;
    const char *found = NULL;
    for (const char *name = next(state); name; name = next(state)) {
        size_t d = distance(wrong, name);
        if (d > 1 && len >= 3 && strncmp(wrong, name, len) == 0)
            d = 1;
        if (d < best && d < strlen(name)) {
            best = d;
            found = name;
        }
    }
    return found;
}
