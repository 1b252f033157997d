/*
 * qbuf: a growable run of bytes, the one string builder of the program.
 *
 * Invariant: data[0..len) is valid, len <= cap. Failure to grow is sticky: from then on
 * nothing is added, `failed` is true, and whoever owns the buffer reports it once, at
 * the end (qbuf_check). So rendering loops need no error paths. Not thread safe; a
 * buffer has one owner at a time.
 */
#ifndef QUERN_BASE_QBUF_H
#define QUERN_BASE_QBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"

struct qbuf {
    char *data;
    size_t len, cap;
    bool failed;
};

#define QBUF_INIT                                                                      \
    {                                                                                  \
        NULL, 0, 0, false                                                              \
    }

void qbuf_init(struct qbuf *b);
void qbuf_release(struct qbuf *b);

/* Empties it, keeps the memory, forgets a failure. */
void qbuf_clear(struct qbuf *b);

/* Room for `n` more bytes: a pointer to them, or NULL when memory ran out (then
 * sticky). The caller writes up to n bytes there and adds what it wrote to b->len. */
char *qbuf_reserve(struct qbuf *b, size_t n);

void qbuf_add(struct qbuf *b, const void *bytes, size_t n);
void qbuf_puts(struct qbuf *b, const char *s);
void qbuf_putc(struct qbuf *b, char c);
void qbuf_putu(struct qbuf *b, uint64_t v); /* decimal */
void qbuf_printf(struct qbuf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends it with a NUL that does not count in len, and returns data ("" when failed). */
const char *qbuf_cstr(struct qbuf *b);

/* 0, or -Q_ENOMEM in `e` when the buffer failed. */
int qbuf_check(const struct qbuf *b, struct qerr *e);

#endif
