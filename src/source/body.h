/*
 * body: the bytes of a job between the thread that fetches them and the reader. They
 * stand in memory as pieces, or, when they are many and nobody may read them yet, in an
 * unlinked temporary file.
 *
 * Pieces of all bodies together are bounded by a pool; pool and pieces belong to
 * whoever holds the fetch pool's lock, a file to the thread that fetches until the job
 * has ended, and then to the reader.
 */
#ifndef QUERN_SOURCE_BODY_H
#define QUERN_SOURCE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/qerr.h"

enum {
    BODY_POOL = 16 << 20,     /* bytes of pieces in all bodies */
    BODY_RESERVE = 128 << 10, /* that the oldest body may hold besides */
    BODY_SPOOL = 256 << 10    /* of a body that is not read yet, before it is a file */
};

struct piece {
    struct piece *next;
    size_t len, off; /* off: of the first byte that is not read */
    char data[];
};

struct body_pool {
    size_t used; /* bytes of pieces, with what they cost */
};

struct body {
    struct piece *head, *tail;
    size_t held;       /* what its pieces take from the pool */
    uint64_t received; /* bytes that came */
    uint64_t taken;    /* bytes that were read */
    int file;          /* -1: none; else all bytes are there */
};

void body_init(struct body *b);

/* Whether `n` more bytes may come into memory now. */
bool body_has_room(const struct body_pool *pool, const struct body *b, size_t n,
                   bool oldest);

/* A piece for `n` bytes, to be filled by the caller without the lock; then put. */
struct piece *piece_new(const char *bytes, size_t n);
void body_put(struct body_pool *pool, struct body *b, struct piece *p);

/* The next bytes: a pointer to *n of them, which stay until body_drop; NULL: none. */
const char *body_peek(const struct body *b, size_t *n);

/* `n` of these have been read. Returns a piece to be freed, without the lock; or NULL.
 */
struct piece *body_drop(struct body_pool *pool, struct body *b, size_t n);

/* Forgets all bytes; their pieces come back for piece_free_all, without the lock. The
 * file stays, empty. */
struct piece *body_clear(struct body_pool *pool, struct body *b);
void piece_free_all(struct piece *p);

/* Writes bytes behind the file, which is made at the first call. */
int body_write(struct body *b, const char *bytes, size_t n, struct qerr *e);

/* Reads from it, behind what was taken. */
ssize_t body_read(struct body *b, char *to, size_t n, struct qerr *e);

#endif
