/*
 * qwire: values as bytes, for messages between processes of one build. Numbers take
 * eight bytes, strings their length and themselves.
 *
 * Reading never passes the end: what is not there reads as 0 or as an empty string, and
 * `bad` stays true.
 */
#ifndef QUERN_BASE_QWIRE_H
#define QUERN_BASE_QWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"

void qwire_put(struct qbuf *b, uint64_t v);
void qwire_put_bytes(struct qbuf *b, const void *bytes, size_t n);
void qwire_put_text(struct qbuf *b, const char *text); /* NULL is "" */
void qwire_put_error(struct qbuf *b, const struct qerr *e);

struct qwire {
    const char *at;
    size_t left;
    bool bad;
};

void qwire_init(struct qwire *w, const struct qbuf *body);
uint64_t qwire_get(struct qwire *w);

/* Borrowed from the message; a text is terminated in it. */
const char *qwire_get_bytes(struct qwire *w, size_t *n);
const char *qwire_get_text(struct qwire *w);
void qwire_get_error(struct qwire *w, struct qerr *e);

#endif
