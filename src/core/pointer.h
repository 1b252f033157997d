/*
 * pointer: JSON pointers (RFC 6901): "" is the whole document, "/a/0/b" goes down by
 * the keys of objects and the places of arrays; ~1 in a key stands for '/', ~0 for '~'.
 */
#ifndef QUERN_CORE_POINTER_H
#define QUERN_CORE_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"
#include "base/qjson.h"

enum { POINTER_MAX = 1024, POINTER_STEPS = 64 };

struct pointer_step {
    uint16_t at,
        len; /* of the key in `keys`: with a '$' in front where exact.h has one */
    uint64_t place; /* in an array; UINT64_MAX: the key is none */
};

struct pointer {
    char text[POINTER_MAX + 1]; /* as it was given */
    char keys[POINTER_MAX + POINTER_STEPS];
    struct pointer_step steps[POINTER_STEPS];
    size_t nsteps;
};

/* Reads text[0..len); Q_EUSAGE when it is none. */
int pointer_parse(struct pointer *p, const char *text, size_t len, struct qerr *e);

/* The value that it leads to in (a part of) a document, or NULL. `marked`: the document
 * was rewritten by exact.h. */
const struct qjson *pointer_find(const struct pointer *p, const struct qjson *from,
                                 bool marked);

/* The last key, with its escapes resolved; "" of the empty pointer. */
const char *pointer_last(const struct pointer *p, size_t *len);

#endif
