/*
 * chunk: a stretch of one input, as a source makes it. span: a part of a chunk, as a
 * worker claims it. Plain data, filled by the reader, read-only from then on.
 *
 * What a text chunk holds, and where spans of it are cut, `cut` says:
 *   CUT_AT_BLANKS  whole tokens: it ends at white space or at the input's end, and if a
 *                  comment crosses its start `comment` says so
 *   CUT_AT_LINES   whole lines; there are no comments
 *   CUT_ANYWHERE   a piece of a stream of bytes
 *   CUT_NOWHERE    a document: the whole input, which is one record
 * CHUNK_PAD bytes before and after the text may be read (not trusted), so that parsers
 * can load whole vectors.
 *
 * A range chunk stands for the integers base + first ... base + first + count - 1,
 * where `base` is a decimal string, or empty for 0. With an empty base all values are
 * below 2^64.
 *
 * A chunk of inputs stands for the documents that the inputs input ... input + count -
 * 1 of the job are. They are files, and who works on a span reads them himself.
 *
 * A chunk of bytes stands for a piece of a stream, `count` bytes from `origin` on. The
 * input is a file, and who works on a span reads it himself.
 *
 * The last chunk of an input may say why the input ends there although it should go on
 * (`failed`): what came before is good, or, of a document, nothing is.
 */
#ifndef QUERN_CORE_CHUNK_H
#define QUERN_CORE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"

enum {
    CHUNK_PAD = 64,             /* readable bytes on either side of the text */
    TOKEN_MAX = 1 << 20,        /* a longer token, or line, is a bad record */
    CHUNK_TEXT = TOKEN_MAX + 1, /* most bytes of text in a chunk: a token that is too
                                   long shows. A document may be longer */
    CHUNK_AIM = 1 << 19, /* so many are enough: with the rows made of them they stay in
                            the second level of cache, mostly */
    CHUNK_FAILED = 256
};

enum chunk_kind { CHUNK_OF_TEXT, CHUNK_OF_RANGE, CHUNK_OF_INPUTS, CHUNK_OF_BYTES };

enum chunk_cut { CUT_AT_BLANKS, CUT_AT_LINES, CUT_ANYWHERE, CUT_NOWHERE };

/* Where reading an input can go on: behind a chunk. */
enum position_state {
    POSITION_IN_COMMENT = 1, /* what follows is inside a comment */
    POSITION_SWALLOWING = 2, /* what follows belongs to a token that was too long */
    POSITION_AT_END = 4      /* nothing follows; said only of streams and documents */
};

struct position {
    uint64_t offset; /* bytes of the (decompressed) input, integers of the range, or
                        documents behind the begin of this input */
    unsigned state;  /* of enum position_state */
};

struct chunk {
    enum chunk_kind kind;
    unsigned input;       /* index of the input it comes from */
    uint64_t origin;      /* offset in the input of the text or of the first integer */
    unsigned state_after; /* position_state behind its end */

    char *text;    /* the text, or the digits of a range's base */
    size_t len;    /* bytes of text */
    size_t room;   /* bytes there is room for, CHUNK_TEXT or more */
    bool comment;  /* the text begins inside a comment */
    bool has_hash; /* '#' occurs in the text: cut it at line ends only */
    bool in_file;  /* the text stands at `origin` of the input, a file, as it is here */

    uint64_t first, count; /* range; or count inputs, or bytes */

    /* Set before a source is asked to fill it. */
    enum chunk_cut cut;
    size_t most;               /* bytes of a document; a longer one has failed */
    char failed[CHUNK_FAILED]; /* "", or a message; then `state_after` is AT_END */
};

/* Memory for text: CHUNK_TEXT bytes between their pads. */
int chunk_init(struct chunk *c, struct qerr *e);
void chunk_release(struct chunk *c);

/* Makes room for `room` bytes of text, and keeps the first `len`. */
int chunk_grow(struct chunk *c, size_t room, struct qerr *e);

/* The text ends where it does because of `why`. */
void chunk_fail(struct chunk *c, const char *why);

/* White space of the grammar: blank, \t, \n, \v, \f, \r. */
static inline bool chunk_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Positions count bytes, integers of a range, or inputs. */
struct span {
    const struct chunk *chunk;
    uint64_t begin, end;
};

/* Bytes, integers or inputs in a chunk: the end of the span that covers it whole. */
static inline uint64_t chunk_size(const struct chunk *c)
{
    return c->kind == CHUNK_OF_TEXT ? c->len : c->count;
}

/* Where in the input position `at` of the chunk is. Only at its ends can that be inside
 * a comment, and at the last a token that is too long: spans are cut elsewhere. */
static inline struct position chunk_position(const struct chunk *c, uint64_t at)
{
    unsigned state = at == chunk_size(c)     ? c->state_after
                     : at == 0 && c->comment ? POSITION_IN_COMMENT
                                             : 0u;
    return (struct position){c->origin + at, state};
}

/*
 * Where to cut `span` so that the first part is about `want` long and both parts hold
 * whole records: a position in (begin, end]. A text of tokens is cut behind white
 * space, and if it has a '#' (or begins in a comment), behind a newline, so that no
 * part but the first of a chunk begins inside a comment. A document is not cut.
 */
uint64_t span_cut(const struct span *span, uint64_t want);

#endif
