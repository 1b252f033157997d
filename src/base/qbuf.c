#include "base/qbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QBUF_FIRST = 256 };

void qbuf_init(struct qbuf *b)
{
    *b = (struct qbuf)QBUF_INIT;
}

void qbuf_release(struct qbuf *b)
{
    free(b->data);
    qbuf_init(b);
}

void qbuf_clear(struct qbuf *b)
{
    b->len = 0;
    b->failed = false;
}

static bool grow(struct qbuf *b, size_t n)
{
    size_t need = b->len + n;
    if (b->failed || need < n) {
        b->failed = true;
        return false;
    }
    size_t cap = b->cap < QBUF_FIRST ? QBUF_FIRST : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

char *qbuf_reserve(struct qbuf *b, size_t n)
{
    if ((b->failed || b->cap - b->len < n || !b->data) && !grow(b, n))
        return NULL;
    return b->data + b->len;
}

void qbuf_add(struct qbuf *b, const void *bytes, size_t n)
{
    char *to = qbuf_reserve(b, n);
    if (to && n > 0) {
        memcpy(to, bytes, n);
        b->len += n;
    }
}

void qbuf_puts(struct qbuf *b, const char *s)
{
    qbuf_add(b, s, strlen(s));
}

void qbuf_putc(struct qbuf *b, char c)
{
    qbuf_add(b, &c, 1);
}

void qbuf_putu(struct qbuf *b, uint64_t v)
{
    char digits[20], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    qbuf_add(b, at, (size_t)(digits + sizeof digits - at));
}

/* Into the room there is, and once more if it was too small. */
void qbuf_printf(struct qbuf *b, const char *fmt, ...)
{
    va_list ap, again;
    if (b->failed)
        return;
    size_t room = b->data ? b->cap - b->len : 0;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n >= room) {
        char *to = qbuf_reserve(b, (size_t)n + 1);
        if (to)
            vsnprintf(to, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    va_end(ap);
    if (!b->failed)
        b->len += (size_t)n;
}

const char *qbuf_cstr(struct qbuf *b)
{
    char *end = qbuf_reserve(b, 1);
    if (!end)
        return "";
    *end = '\0';
    return b->data;
}

int qbuf_check(const struct qbuf *b, struct qerr *e)
{
    return b->failed ? qerr_nomem(e) : 0;
}
