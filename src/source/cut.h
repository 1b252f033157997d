/*
 * cut: makes chunks of whole records out of a stream of bytes. Every source of bytes (a
 * file, a pipe, a URL, a decompressor) supplies `read` and leaves the cutting to this.
 *
 * It hides the token that the last read cut in two, the byte order mark at the start,
 * comments that cross chunks, and tokens of more than TOKEN_MAX bytes: of those it
 * passes on TOKEN_MAX + 1 (the parser reports a token of that length as too long) and
 * swallows the rest.
 */
#ifndef QUERN_SOURCE_CUT_H
#define QUERN_SOURCE_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/qbuf.h"
#include "core/chunk.h"

/* Reads up to `n` > 0 bytes. Returns how many, 0 at the end, a negative qcode on error.
 * With `wait` false it returns CUT_NOTHING_NOW rather than wait for a slow writer. */
typedef ssize_t (*cut_read)(void *from, char *to, size_t n, bool wait, struct qerr *e);
enum { CUT_NOTHING_NOW = -1000 };

struct cut {
    struct qbuf carry; /* the start of a token, to go in front of what comes next */
    uint64_t offset;   /* in the input, of the first byte of the carry */
    bool started;      /* the byte order mark has been looked for */
    bool comment;      /* the next byte is inside a comment */
    bool swallow;      /* the next bytes belong to a token that is too long */
    bool ended;        /* `read` has said 0 */
    bool handed;       /* the document has been handed on */
    struct qerr error; /* `read` has failed, and is not called again */
};

/* `at` is where `read` begins. */
void cut_init(struct cut *c, const struct position *at);
void cut_release(struct cut *c);

/* Fills a text chunk as chunk->cut says: for lines there are no comments, and what is
 * said of tokens holds for lines; a stream of bytes has neither, nor a mark at its
 * begin; a document is read to its end, unless it is longer than chunk->most: then the
 * chunk has failed. Returns 1, 0 at the end, or a negative qcode; what was read before
 * an error is returned first (of a document nothing is), and the error from the next
 * call on. */
int cut_next(struct cut *c, cut_read read, void *from, struct chunk *chunk,
             struct qerr *e);

#endif
