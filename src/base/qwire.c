#include "base/qwire.h"

#include <stdio.h>
#include <string.h>

void qwire_put(struct qbuf *b, uint64_t v)
{
    qbuf_add(b, &v, sizeof v);
}

void qwire_put_bytes(struct qbuf *b, const void *bytes, size_t n)
{
    qwire_put(b, n);
    if (n > 0)
        qbuf_add(b, bytes, n);
}

void qwire_put_text(struct qbuf *b, const char *text)
{
    qwire_put_bytes(b, text ? text : "", text ? strlen(text) + 1 : 1);
}

void qwire_put_error(struct qbuf *b, const struct qerr *e)
{
    qwire_put(b, (uint64_t)e->code);
    qwire_put(b, (uint64_t)e->sys);
    qwire_put_text(b, e->text);
}

void qwire_init(struct qwire *w, const struct qbuf *body)
{
    *w = (struct qwire){body->data, body->len, false};
}

uint64_t qwire_get(struct qwire *w)
{
    uint64_t v = 0;
    if (w->left < sizeof v) {
        w->bad = true;
        w->left = 0;
        return 0;
    }
    memcpy(&v, w->at, sizeof v);
    w->at += sizeof v;
    w->left -= sizeof v;
    return v;
}

const char *qwire_get_bytes(struct qwire *w, size_t *n)
{
    uint64_t len = qwire_get(w);
    if (len > w->left) {
        w->bad = true;
        len = w->left = 0;
    }
    const char *bytes = w->at;
    w->at += len;
    w->left -= (size_t)len;
    *n = (size_t)len;
    return bytes;
}

const char *qwire_get_text(struct qwire *w)
{
    size_t n;
    const char *text = qwire_get_bytes(w, &n);
    if (n > 0 && text[n - 1] == '\0')
        return text;
    w->bad = true;
    return "";
}

void qwire_get_error(struct qwire *w, struct qerr *e)
{
    uint64_t code = qwire_get(w), sys = qwire_get(w);
    const char *text = qwire_get_text(w);
    *e = (struct qerr){code <= Q_ESTOP ? (enum qcode)code : Q_ECHECK, (int)sys, ""};
    snprintf(e->text, sizeof e->text, "%s", text);
}
