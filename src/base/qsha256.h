/*
 * qsha256: SHA-256, to tell bodies that were fetched apart and to prove that they are
 * what they should be. libcrypto does it, and is loaded at the first use.
 */
#ifndef QUERN_BASE_QSHA256_H
#define QUERN_BASE_QSHA256_H

#include <stddef.h>

#include "base/qerr.h"

enum { QSHA256_HEX = 65 }; /* 64 hexadecimal digits and a terminator */

struct qsha256;

/* Of which nothing has been seen; NULL on failure. Any thread; one of them at a time.
 */
struct qsha256 *qsha256_new(struct qerr *e);
void qsha256_free(struct qsha256 *h); /* NULL: nothing */
void qsha256_add(struct qsha256 *h, const void *bytes, size_t n);

/* Forgets what it has seen. */
void qsha256_restart(struct qsha256 *h);

/* The digest of what was added, in lower case; the stream may go on. */
void qsha256_hex(const struct qsha256 *h, char hex[QSHA256_HEX]);

/* Adds what a file holds, from its start to its end; -Q_EIO when it cannot be read. */
int qsha256_add_file(struct qsha256 *h, int fd, struct qerr *e);

#endif
