/*
 * Each key is kept with a '$' in front, so that one copy serves documents that were
 * rewritten by exact.h (where a key that begins with '#' or '$' has one more) and
 * others.
 */
#include "core/pointer.h"

#include <string.h>

#include "base/qlog.h"
#include "core/exact.h"

static int refuse(const char *text, size_t len, const char *what, struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE];
    return qerr_set(e, Q_EUSAGE, "'%s' is no JSON pointer: %s",
                    qlog_token(token, text, len), what);
}

/* The place that a key names in an array: digits without a leading zero. */
static uint64_t place_of(const char *key, size_t len)
{
    uint64_t place = 0;
    if (len == 0 || len > 18 || (len > 1 && *key == '0'))
        return UINT64_MAX;
    for (size_t i = 0; i < len; i++) {
        if (key[i] < '0' || key[i] > '9')
            return UINT64_MAX;
        place = place * 10 + (uint64_t)(key[i] - '0');
    }
    return place;
}

int pointer_parse(struct pointer *p, const char *text, size_t len, struct qerr *e)
{
    size_t used = 0;
    *p = (struct pointer){.nsteps = 0};
    if (len > POINTER_MAX)
        return refuse(text, len, "it is longer than 1024 bytes", e);
    if (len > 0 && *text != '/')
        return refuse(text, len, "it does not begin with /", e);
    memcpy(p->text, text, len);
    for (size_t i = 0; i < len;) {
        if (p->nsteps == POINTER_STEPS)
            return refuse(text, len, "it has more than 64 steps", e);
        struct pointer_step *step = &p->steps[p->nsteps++];
        step->at = (uint16_t)used;
        p->keys[used++] = '$';
        for (i++; i < len && text[i] != '/'; i++) {
            char c = text[i];
            if (c == '~') {
                c = i + 1 < len ? text[++i] : ' ';
                if (c != '0' && c != '1')
                    return refuse(text, len, "~ is written ~0", e);
                c = c == '0' ? '~' : '/';
            }
            p->keys[used++] = c;
        }
        step->len = (uint16_t)(used - step->at);
        step->place = place_of(p->keys + step->at + 1, step->len - 1u);
    }
    return 0;
}

static const struct qjson *go_down(const struct pointer *p,
                                   const struct pointer_step *step,
                                   const struct qjson *v, bool marked)
{
    const char *key = p->keys + step->at + 1;
    size_t len = step->len - 1u;
    switch (qjson_kind(v)) {
    case QJSON_OBJECT:
        if (marked && exact_is_marked(key, len))
            return qjson_member(v, key - 1, len + 1);
        return qjson_member(v, key, len);
    case QJSON_ARRAY:
        return step->place < qjson_size(v) ? qjson_at(v, (size_t)step->place) : NULL;
    default:
        return NULL;
    }
}

const struct qjson *pointer_find(const struct pointer *p, const struct qjson *from,
                                 bool marked)
{
    for (size_t i = 0; from && i < p->nsteps; i++)
        from = go_down(p, &p->steps[i], from, marked);
    return from;
}

const char *pointer_last(const struct pointer *p, size_t *len)
{
    *len = 0;
    if (p->nsteps == 0)
        return "";
    const struct pointer_step *step = &p->steps[p->nsteps - 1];
    *len = step->len - 1u;
    return p->keys + step->at + 1;
}
