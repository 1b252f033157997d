/*
 * qhash: XXH3 checksums (xxhash), of 128 bits over a stream and of 64 bits over a
 * string. They find accidents, not attackers.
 */
#ifndef QUERN_BASE_QHASH_H
#define QUERN_BASE_QHASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"

struct qhash;

enum { QHASH_HEX = 33 }; /* 32 hexadecimal digits and a terminator */

/* A stream of which nothing has been seen; NULL when memory ran out. */
struct qhash *qhash_new(struct qerr *e);
void qhash_free(struct qhash *h);
void qhash_add(struct qhash *h, const void *bytes, size_t n);

/* The digest of what was added so far, in hexadecimal; the stream may go on. */
void qhash_hex(const struct qhash *h, char hex[QHASH_HEX]);

/* Of a string, mixed with `seed`. */
uint64_t qhash_64(const void *bytes, size_t n, uint64_t seed);

#endif
