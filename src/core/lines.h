/*
 * lines: records that are whole lines, read from a span in blocks.
 *
 * A line ends at '\n' or at the input's end; white space at its begin and end is not
 * part of it (so CRLF is accepted), and a line with nothing else is no record. What a
 * line means is the kernel's concern; a line it will not have is refused (rows_refuse).
 */
#ifndef QUERN_CORE_LINES_H
#define QUERN_CORE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/chunk.h"

enum { LINES_BLOCK = 512 };

/* Records 0..n-1 in order; the text is not terminated and stands in the chunk, so that
 * CHUNK_PAD bytes on either side of it may be read. Of a line of more than TOKEN_MAX
 * bytes, white space included, more than TOKEN_MAX are there, but maybe not all. */
struct lines {
    size_t n;
    const char *text[LINES_BLOCK];
    uint32_t len[LINES_BLOCK];
    uint64_t before[LINES_BLOCK]; /* newlines between the span's begin and it */
    uint64_t after[LINES_BLOCK];  /* position in the chunk just behind it and its end */
};

struct lines_reader {
    struct span span;
    uint64_t pos;   /* where the next line begins */
    uint64_t lines; /* newlines in [span.begin, pos) */
    uint64_t start; /* pos and lines when the last block was begun */
    uint64_t start_lines;
};

/* Starts on a span of a text chunk that was cut at lines. */
void lines_open(struct lines_reader *r, const struct span *span);

/* Reads the next block of at most `max` (1 to LINES_BLOCK) lines. False at the span's
 * end: then n is 0. */
bool lines_next(struct lines_reader *r, struct lines *b, size_t max);

/* Puts back all but the first `done` lines of the block last read, and cuts it so. */
void lines_unread(struct lines_reader *r, struct lines *b, size_t done);

#endif
