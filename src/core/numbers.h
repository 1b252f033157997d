/*
 * numbers: integers, read from a span in blocks.
 *
 * The grammar of a record is DESIGN.md's: tokens between white space; CRLF, a UTF-8 BOM
 * at an input's start, a leading '+' and leading zeros are accepted; '#' at the start
 * of a token begins a comment to the end of the line. What is not a non-negative
 * integer within the limits is a bad record: it is listed beside the block, with the
 * place where it stood, and never moves its neighbours.
 *
 * A block is made for throughput: kernels run over v[] as a plain array of 64-bit
 * values. Records of 2^64 and above have v = 0 there and are listed in big[].
 */
#ifndef QUERN_CORE_NUMBERS_H
#define QUERN_CORE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "core/chunk.h"

enum {
    NUMBERS_BLOCK = 4096,
    NUMBERS_PAD = 32 /* readable bytes behind the digits of a record */
};

struct bad_number {
    uint32_t before;   /* how many good records of the block stand before it */
    uint32_t len;      /* of the token */
    uint64_t line;     /* newlines between the span's begin and the token */
    const char *what;  /* what is wrong: a static string */
    const char *token; /* not terminated; valid as long as the span's chunk */
};

/* Good records 0..n-1 in order. Digits are canonical decimal (no sign, no leading
 * zero), not terminated; they point into the chunk or the reader's arena and are valid
 * until the next numbers_next; NUMBERS_PAD bytes behind them may be read, so that short
 * ones can be copied by whole vectors. In a range below 2^64 digits[i] is NULL (and len
 * 0): print v[i]. */
struct numbers {
    size_t n;
    uint64_t v[NUMBERS_BLOCK];
    const char *digits[NUMBERS_BLOCK];
    uint32_t len[NUMBERS_BLOCK];   /* of digits */
    uint64_t after[NUMBERS_BLOCK]; /* position in the chunk just behind record i */

    size_t nbig;
    uint32_t big[NUMBERS_BLOCK]; /* indices of the records >= 2^64, ascending */

    size_t nbad, bad_cap;
    struct bad_number *bad; /* ascending by `before`, then in input order */
};

struct numbers_reader {
    struct span span;
    uint64_t pos;        /* next byte or integer, between span.begin and span.end */
    uint32_t max_digits; /* more are a bad record */
    bool comment;        /* pos is inside a comment */
    uint64_t start;      /* pos and comment when the last block was begun */
    bool start_comment;
    uint64_t line_pos; /* newlines are counted up to here ... */
    uint64_t lines;    /* ... this many since span.begin */
    struct qbuf arena; /* digits that do not stand in the chunk */
};

void numbers_init(struct numbers *b);
void numbers_release(struct numbers *b);

void numbers_reader_init(struct numbers_reader *r, uint32_t max_digits);
void numbers_reader_release(struct numbers_reader *r);

/* Starts on a span; keeps a copy of it and the memory of the arena. */
void numbers_open(struct numbers_reader *r, const struct span *span);

/* Reads the next block of at most `max` (1 to NUMBERS_BLOCK) good records; it may be
 * shorter before the end, to bound the arena and the list of bad ones. Returns 1, with
 * n > 0 or nbad > 0; 0 at the span's end; a negative qcode when memory ran out. A range
 * is taken as it is: whoever makes one holds its ends against --max-digits. */
int numbers_next(struct numbers_reader *r, struct numbers *b, size_t max,
                 struct qerr *e);

/* Puts back all but the first `done` good records of the block last read (and the bad
 * ones behind them; bad records with before <= done stay taken): the reader goes back,
 * and the block is cut to what stays. */
void numbers_unread(struct numbers_reader *r, struct numbers *b, size_t done);

/* Moves the reader of a range over `n` integers, which are not read. */
void numbers_skip(struct numbers_reader *r, uint64_t n);

/* Makes record i of a block, of which that is to be the last, the value v < 2^64
 * without digits, as those of a range are. */
static inline void numbers_set(struct numbers *b, size_t i, uint64_t v)
{
    b->v[i] = v;
    b->digits[i] = NULL;
    b->len[i] = 0;
    b->n = i + 1;
}

/* Newlines in [span.begin, upto) of the reader's span; 0 for a range. Costs a scan of
 * what lies between `upto` and that of the last call (or a bad record read since). */
uint64_t numbers_lines(struct numbers_reader *r, uint64_t upto);

#endif
