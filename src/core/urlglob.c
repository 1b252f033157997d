#include "core/urlglob.h"

#include <inttypes.h>
#include <string.h>

static int refuse(const char *url, const char *what, struct qerr *e)
{
    return qerr_set(e, Q_EUSAGE, "%s in '%.80s' (--globoff takes it as it is)", what,
                    url);
}

/* [::1] and the like. */
static bool is_address(const char *s, size_t n)
{
    bool colon = false;
    for (size_t i = 0; i < n; i++) {
        if (!strchr("0123456789abcdefABCDEF:.%", s[i]))
            return false;
        colon = colon || s[i] == ':';
    }
    return colon;
}

/* The place of the bracket that ends s[0..], or NULL. */
static const char *closing(const char *s, char bracket)
{
    for (; *s && *s != bracket; s++)
        if (*s == '\\' && s[1])
            s++;
        else if (*s == '{' || *s == '[')
            return NULL;
    return *s ? s : NULL;
}

static const char *take_number(const char *s, uint64_t *v, size_t *digits)
{
    *v = 0;
    *digits = 0;
    for (; *s >= '0' && *s <= '9' && *digits < 19; s++, ++*digits)
        *v = *v * 10 + (uint64_t)(*s - '0');
    return *digits > 0 ? s : NULL;
}

static const char *take_step(const char *s, uint64_t *step)
{
    size_t digits;
    *step = 1;
    if (s && *s == ':') {
        s = take_number(s + 1, step, &digits);
        if (*step == 0)
            return NULL;
    }
    return s;
}

/* The inside of [ ]: s up to `end`. */
static bool take_range(struct urlglob_part *p, const char *s, const char *end)
{
    size_t digits, more;
    bool letters = ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z')) &&
                   s[1] == '-' && end - s >= 3;
    if (letters) {
        bool lower = s[0] >= 'a';
        p->kind = GLOB_LETTERS;
        p->first = (unsigned char)s[0];
        p->last = (unsigned char)s[2];
        if (p->last < (lower ? 'a' : 'A') || p->last > (lower ? 'z' : 'Z'))
            return false;
        s += 3;
    } else {
        p->kind = GLOB_NUMBERS;
        const char *from = s;
        s = take_number(s, &p->first, &digits);
        if (!s || *s != '-')
            return false;
        p->width = *from == '0' && digits > 1 ? (int)digits : 0;
        s = take_number(s + 1, &p->last, &more);
    }
    s = take_step(s, &p->step);
    if (s != end || p->last < p->first)
        return false;
    p->count = (p->last - p->first) / p->step + 1;
    return true;
}

/* The inside of { }. */
static void take_set(struct urlglob_part *p, const char *s, const char *end)
{
    *p = (struct urlglob_part){
        .kind = GLOB_SET, .text = s, .len = (size_t)(end - s), .count = 1};
    for (; s < end; s++) {
        if (*s == '\\' && s + 1 < end)
            s++;
        else if (*s == ',')
            p->count++;
    }
}

/* The length of the text in front of the next bracket that means something. */
static size_t text_len(const char *s)
{
    size_t n = 0;
    while (s[n] && !strchr("{}[]", s[n])) {
        n += s[n] == '\\' && s[n + 1] ? 2 : 1;
    }
    return n;
}

static void add_text(struct urlglob *g, const char *s, size_t n)
{
    g->parts[g->nparts++] =
        (struct urlglob_part){.kind = GLOB_TEXT, .text = s, .len = n, .count = 1};
}

/* Takes one bracket; returns what follows, or NULL. */
static const char *take_bracket(struct urlglob *g, const char *s)
{
    struct urlglob_part p = {0};
    const char *end = *s == '{'   ? closing(s + 1, '}')
                      : *s == '[' ? closing(s + 1, ']')
                                  : NULL;
    if (!end)
        return NULL;
    if (*s == '[' && is_address(s + 1, (size_t)(end - s - 1))) {
        add_text(g, s, (size_t)(end - s + 1));
        g->parts[g->nparts - 1].kind = GLOB_LITERAL;
        return end + 1;
    }
    if (*s == '{')
        take_set(&p, s + 1, end);
    else if (!take_range(&p, s + 1, end))
        return NULL;
    g->parts[g->nparts++] = p;
    return end + 1;
}

int urlglob_open(struct urlglob *g, const char *url, bool literal, struct qerr *e)
{
    g->nparts = 0;
    g->ended = false;
    if (literal) {
        add_text(g, url, strlen(url));
        g->parts[0].kind = GLOB_LITERAL;
        return 0;
    }
    for (const char *s = url; *s;) {
        size_t n = text_len(s);
        if (g->nparts + 2 > URLGLOB_PARTS)
            return refuse(url, "too many braces and brackets", e);
        if (n > 0) {
            add_text(g, s, n);
            s += n;
        } else {
            s = take_bracket(g, s);
            if (!s)
                return refuse(url, "braces or brackets that make no sense", e);
        }
    }
    return 0;
}

/* Text without the backslashes that take a meaning away. */
static void put_text(const char *s, size_t n, struct qbuf *out)
{
    const char *back = memchr(s, '\\', n);
    size_t plain = back ? (size_t)(back - s) : n;
    qbuf_add(out, s, plain);
    for (size_t i = plain; i < n; i++) {
        if (s[i] == '\\' && i + 1 < n && strchr("{}[],\\", s[i + 1]))
            i++;
        qbuf_putc(out, s[i]);
    }
}

static void put_set(const struct urlglob_part *p, struct qbuf *out)
{
    const char *s = p->text, *end = p->text + p->len;
    for (uint64_t skip = p->at; skip > 0; s++) {
        if (*s == '\\')
            s++;
        else if (*s == ',')
            skip--;
    }
    const char *stop = s;
    while (stop < end && *stop != ',')
        stop += *stop == '\\' && stop + 1 < end ? 2 : 1;
    put_text(s, (size_t)(stop - s), out);
}

static void put_part(const struct urlglob_part *p, struct qbuf *out)
{
    uint64_t v = p->first + p->at * p->step;
    switch (p->kind) {
    case GLOB_LITERAL:
        qbuf_add(out, p->text, p->len);
        break;
    case GLOB_TEXT:
        put_text(p->text, p->len, out);
        break;
    case GLOB_SET:
        put_set(p, out);
        break;
    case GLOB_NUMBERS:
        if (p->width == 0)
            qbuf_putu(out, v);
        else
            qbuf_printf(out, "%0*" PRIu64, p->width, v);
        break;
    case GLOB_LETTERS:
        qbuf_putc(out, (char)v);
        break;
    }
}

bool urlglob_next(struct urlglob *g, struct qbuf *url)
{
    if (g->ended)
        return false;
    qbuf_clear(url);
    for (size_t i = 0; i < g->nparts; i++)
        put_part(&g->parts[i], url);
    size_t i = g->nparts;
    while (i > 0 && ++g->parts[i - 1].at == g->parts[i - 1].count)
        g->parts[--i].at = 0;
    g->ended = i == 0;
    return true;
}

uint64_t urlglob_count(const struct urlglob *g)
{
    uint64_t n = 1;
    for (size_t i = 0; i < g->nparts; i++)
        if (__builtin_mul_overflow(n, g->parts[i].count, &n))
            return UINT64_MAX;
    return n;
}
