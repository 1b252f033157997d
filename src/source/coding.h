/*
 * coding: takes the gzip off a body as it comes, with --compressed, or looks whether it
 * is whole. What libcurl 7.88 does not notice is noticed here: an end that is missing,
 * and a bomb. (What a body is
 * compressed with in itself is for source/decompress.h, from its own beginning.)
 *
 * Belongs to one thread at a time.
 */
#ifndef QUERN_SOURCE_CODING_H
#define QUERN_SOURCE_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"

enum {
    CODING_FREE = 1 << 20, /* bytes that may come out of anything; beyond, ... */
    CODING_RATIO = 1000    /* ... so many times what went in */
};

struct coding;

/* `bounded`: a bomb is an error. */
struct coding *coding_new(bool bounded, struct qerr *e);
void coding_free(struct coding *c); /* NULL: nothing */

enum coding_state {
    CODING_FINE,
    CODING_DAMAGED, /* *what says how */
    CODING_BOMB,
    CODING_REFUSED /* `put` has said so */
};

/* Decodes `n` bytes; `put` gets what they give and may refuse it (false). */
enum coding_state coding_push(struct coding *c, const char *bytes, size_t n,
                              bool (*put)(void *to, const char *bytes, size_t n),
                              void *to, const char **what);

/* Whether the data may end here; also when there was none. */
bool coding_is_complete(const struct coding *c);

#endif
