/*
 * One walk over the bytes, which looks inside strings only for their ends. Copying
 * begins with the first change; most documents have none, or only few numbers with a
 * point.
 */
#include "core/exact.h"

#include <string.h>

enum { PLAIN_DIGITS = 18 }; /* 10^18 < 2^63 */

struct walk {
    const char *at, *end;
    const char *copied; /* what is in front of it is in `out` */
    struct qbuf *out;
    bool changed;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Up to the present place the text is copied as it was. */
static void copy_up(struct walk *w)
{
    qbuf_add(w->out, w->copied, (size_t)(w->at - w->copied));
    w->copied = w->at;
    w->changed = true;
}

/* --- strings --- */

static bool begins_marked(const char *s, const char *end)
{
    size_t left = (size_t)(end - s);
    if (left > 0 && (*s == '#' || *s == '$'))
        return true;
    /* The same, escaped. */
    return left >= 6 && memcmp(s, "\\u002", 5) == 0 && (s[5] == '3' || s[5] == '4');
}

static void pass_string(struct walk *w)
{
    w->at++;
    if (begins_marked(w->at, w->end)) {
        copy_up(w);
        qbuf_putc(w->out, '$');
    }
    while (w->at < w->end && *w->at != '"')
        w->at += *w->at == '\\' && w->end - w->at > 1 ? 2 : 1;
    if (w->at < w->end)
        w->at++;
}

/* --- numbers --- */

struct number {
    const char *end;
    bool plain; /* a 64-bit integer holds it, and prints it as it is */
};

static const char *digits_end(const char *s, const char *end)
{
    while (s < end && is_digit(*s))
        s++;
    return s;
}

/* The number at `s`, by the grammar of JSON; its end is `s` if there is none. */
static struct number read_number(const char *s, const char *end)
{
    const char *at = s + (*s == '-'), *digits = at;
    at = digits_end(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return (struct number){s, false};
    bool plain = at - digits <= PLAIN_DIGITS && !(*s == '-' && *digits == '0');
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = digits_end(fraction, end);
        plain = false;
        if (at == fraction)
            return (struct number){s, false};
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        const char *exponent = at + 1;
        exponent += exponent < end && (*exponent == '+' || *exponent == '-');
        at = digits_end(exponent, end);
        plain = false;
        if (at == exponent)
            return (struct number){s, false};
    }
    return (struct number){at, plain};
}

/* Whether the value that ends at `s` ends there in truth, and is no key. */
static bool is_value_end(const char *s, const char *end)
{
    if (s < end && !strchr(" \t\r\n,]}", *s))
        return false;
    while (s < end && *s && strchr(" \t\r\n", *s))
        s++;
    return s == end || *s != ':';
}

static void pass_number(struct walk *w)
{
    struct number n = read_number(w->at, w->end);
    if (n.end == w->at) { /* the library will say so */
        w->at++;
        return;
    }
    if (!n.plain && is_value_end(n.end, w->end)) {
        copy_up(w);
        qbuf_puts(w->out, "\"#");
        w->at = n.end;
        copy_up(w);
        qbuf_putc(w->out, '"');
    }
    w->at = n.end;
}

bool exact_rewrite(const char *text, size_t len, struct qbuf *out)
{
    struct walk w = {.at = text, .end = text + len, .copied = text, .out = out};
    qbuf_clear(out);
    while (w.at < w.end) {
        if (*w.at == '"')
            pass_string(&w);
        else if (*w.at == '-' || is_digit(*w.at))
            pass_number(&w);
        else
            w.at++;
    }
    if (!w.changed)
        return false;
    copy_up(&w);
    return !out->failed;
}

bool exact_number(const char **s, size_t *len)
{
    bool number = *len > 0 && **s == '#';
    if (number || (*len > 0 && **s == '$')) {
        (*s)++;
        (*len)--;
    }
    return number;
}

bool exact_is_marked(const char *key, size_t len)
{
    return len > 0 && (*key == '#' || *key == '$');
}
