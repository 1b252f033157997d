/*
 * Nearly every record of nearly every input is a plain number below 2^64, and
 * decimal_scan reads those in one sweep. Here is all the rest: what it stopped at is
 * read as one token, in full generality, and the sweep goes on behind it.
 *
 * Digits that do not stand in the text (ranges above 2^64, values of expressions) are
 * gathered in the arena, which moves as it grows. They lie there one after the other,
 * in the order of their records; while a block is read those records have digits NULL,
 * and they get their pointers when the block is complete.
 */
#include "core/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "arith/decimal.h"
#include "core/expr.h"

_Static_assert((int)CHUNK_PAD >= (int)DECIMAL_PAD, "decimal_scan reads ahead");
_Static_assert((int)CHUNK_PAD >= (int)NUMBERS_PAD, "digits stand in a chunk");

enum { ARENA_BYTES = 1 << 20 }; /* of a block's digits, unless one record needs more */

void numbers_init(struct numbers *b)
{
    b->n = b->nbig = b->nbad = b->bad_cap = 0;
    b->bad = NULL;
}

void numbers_release(struct numbers *b)
{
    free(b->bad);
    numbers_init(b);
}

void numbers_reader_init(struct numbers_reader *r, uint32_t max_digits)
{
    *r = (struct numbers_reader){.max_digits = max_digits};
    qbuf_init(&r->arena);
}

void numbers_reader_release(struct numbers_reader *r)
{
    qbuf_release(&r->arena);
}

void numbers_open(struct numbers_reader *r, const struct span *span)
{
    const struct chunk *c = span->chunk;
    r->span = *span;
    r->pos = r->start = r->line_pos = span->begin;
    r->lines = 0;
    r->comment = r->start_comment =
        c->kind == CHUNK_OF_TEXT && c->comment && span->begin == 0;
}

/* --- lines --------------------------------------------------------------------------
 */

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* Newlines in s[0 .. n). Each byte of `sum` counts its own for at most 255 rounds. */
static uint64_t count_newlines(const char *s, size_t n)
{
    uint64_t count = 0;
    while (n >= sizeof(bytes16)) {
        size_t rounds = n / sizeof(bytes16);
        rounds = rounds < 255 ? rounds : 255;
        bytes16 sum = {0};
#pragma GCC unroll 4
        for (size_t i = 0; i < rounds; i++, s += sizeof(bytes16)) {
            bytes16 v;
            memcpy(&v, s, sizeof v);
            sum -= (bytes16)(v == '\n'); /* true is all ones, -1 */
        }
        for (size_t i = 0; i < sizeof sum; i++)
            count += sum[i];
        n -= rounds * sizeof(bytes16);
    }
    for (; n > 0; s++, n--)
        count += *s == '\n';
    return count;
}

uint64_t numbers_lines(struct numbers_reader *r, uint64_t upto)
{
    const struct chunk *c = r->span.chunk;
    if (c->kind != CHUNK_OF_TEXT)
        return 0;
    if (upto >= r->line_pos)
        r->lines += count_newlines(c->text + r->line_pos, upto - r->line_pos);
    else
        r->lines -= count_newlines(c->text + upto, r->line_pos - upto);
    r->line_pos = upto;
    return r->lines;
}

/* --- ranges -------------------------------------------------------------------------
 */

/* digits[0 .. len) += v, in decimal; room for DECIMAL_U64 digits before them. Returns
 * how many digits it grew by, at the front. */
static size_t add_small(char *digits, size_t len, uint64_t v)
{
    size_t at = len; /* digits[at] is the last one done */
    while (v > 0 && at > 0) {
        at--;
        uint64_t digit = (uint64_t)(digits[at] - '0') + v % 10;
        v = v / 10 + (digit >= 10);
        digits[at] = (char)('0' + digit % 10);
    }
    size_t grown = 0;
    for (; v > 0; v /= 10)
        *(digits - ++grown) = (char)('0' + v % 10);
    return grown;
}

static void range_below_2_64(struct numbers_reader *r, struct numbers *b, size_t n)
{
    uint64_t v = r->span.chunk->first + r->pos;
    for (size_t i = 0; i < n; i++) {
        b->v[i] = v + i;
        b->after[i] = r->pos + i + 1;
    }
    memset(b->digits, 0, n * sizeof b->digits[0]);
    memset(b->len, 0, n * sizeof b->len[0]);
}

/* A block of a range with a base: each record is the one before it, plus 1. */
static int range_with_base(struct numbers_reader *r, struct numbers *b, size_t n,
                           struct qerr *e)
{
    const struct chunk *c = r->span.chunk;
    size_t slot = DECIMAL_U64 + c->len; /* room to grow in front */
    char *last = qbuf_reserve(&r->arena, n * slot + NUMBERS_PAD);
    if (!last)
        return qbuf_check(&r->arena, e);
    r->arena.len = n * slot;

    last += DECIMAL_U64;
    size_t len = c->len;
    memcpy(last, c->text, len);
    uint64_t step = c->first + r->pos;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            last = memcpy(last + slot, last, len);
        size_t grown = add_small(last, len, step);
        last -= grown;
        len += grown;
        step = 1;
        b->digits[i] = last;
        b->len[i] = (uint32_t)len;
        b->after[i] = r->pos + i + 1;
        if (!decimal_parse(last, len, &b->v[i])) {
            b->v[i] = 0;
            b->big[b->nbig++] = (uint32_t)i;
        }
    }
    return 0;
}

static int next_of_range(struct numbers_reader *r, struct numbers *b, size_t max,
                         struct qerr *e)
{
    const struct chunk *c = r->span.chunk;
    if (r->pos >= r->span.end)
        return 0;
    uint64_t left = r->span.end - r->pos;
    size_t n = left < max ? (size_t)left : max;
    if (c->len == 0) {
        range_below_2_64(r, b, n);
    } else {
        size_t fit = ARENA_BYTES / (c->len + DECIMAL_U64) + 1;
        n = n < fit ? n : fit;
        int rc = range_with_base(r, b, n, e);
        if (rc < 0)
            return rc;
    }
    b->n = n;
    r->pos += n;
    return 1;
}

/* --- text ---------------------------------------------------------------------------
 */

/* Moves r->pos over white space and comments, to a token or the span's end. */
static void skip_blanks(struct numbers_reader *r)
{
    const char *text = r->span.chunk->text;
    uint64_t end = r->span.end;
    for (;;) {
        if (r->comment) {
            const char *nl = memchr(text + r->pos, '\n', end - r->pos);
            if (!nl) {
                r->pos = end;
                return;
            }
            r->pos = (uint64_t)(nl - text) + 1;
            r->comment = false;
        }
        while (r->pos < end && chunk_is_space(text[r->pos]))
            r->pos++;
        if (r->pos >= end || text[r->pos] != '#')
            return;
        r->comment = true;
    }
}

static int add_bad(struct numbers_reader *r, struct numbers *b, const char *token,
                   size_t len, const char *what, struct qerr *e)
{
    if (b->nbad == b->bad_cap) {
        size_t cap = b->bad_cap ? 2 * b->bad_cap : 16;
        struct bad_number *bad = realloc(b->bad, cap * sizeof *bad);
        if (!bad)
            return qerr_nomem(e);
        b->bad = bad;
        b->bad_cap = cap;
    }
    uint64_t pos = (uint64_t)(token - r->span.chunk->text);
    b->bad[b->nbad++] = (struct bad_number){.before = (uint32_t)b->n,
                                            .len = (uint32_t)len,
                                            .line = numbers_lines(r, pos),
                                            .what = what,
                                            .token = token};
    return 0;
}

/* Ends the record of `len` digits that is to be number b->n. */
static void end_record(struct numbers_reader *r, struct numbers *b, const char *digits,
                       size_t len)
{
    size_t i = b->n++;
    b->len[i] = (uint32_t)len;
    b->after[i] = r->pos;
    if (!decimal_parse(digits, len, &b->v[i])) {
        b->v[i] = 0;
        b->big[b->nbig++] = (uint32_t)i;
    }
}

/* Adds the record whose digits stand in the chunk, up to r->pos. */
static int add_digits(struct numbers_reader *r, struct numbers *b, const char *token,
                      const char *digits, struct qerr *e)
{
    const char *end = r->span.chunk->text + r->pos;
    while (digits < end - 1 && *digits == '0')
        digits++;
    size_t len = (size_t)(end - digits);
    if (len > r->max_digits)
        return add_bad(r, b, token, (size_t)(end - token),
                       "more digits than --max-digits allows", e);
    b->digits[b->n] = digits;
    end_record(r, b, digits, len);
    return 0;
}

/* Adds the value of an expression; its digits go to the arena. */
static int add_value(struct numbers_reader *r, struct numbers *b, const char *token,
                     size_t len, struct qerr *e)
{
    const char *what = NULL;
    size_t off = r->arena.len;
    int rc = expr_eval(token, len, r->max_digits, &r->arena, &what);
    if (rc == 0)
        qbuf_reserve(&r->arena, NUMBERS_PAD);
    if (r->arena.failed)
        return qbuf_check(&r->arena, e);
    if (rc < 0)
        return add_bad(r, b, token, len, what, e);
    b->digits[b->n] = NULL; /* until place_digits */
    end_record(r, b, r->arena.data + off, r->arena.len - off);
    return 0;
}

/* Gives the records whose digits are in the arena their pointers. */
static void place_digits(struct numbers_reader *r, struct numbers *b)
{
    if (r->arena.len == 0)
        return;
    const char *digits = r->arena.data;
    for (size_t i = 0; i < b->n; i++)
        if (!b->digits[i]) {
            b->digits[i] = digits;
            digits += b->len[i];
        }
}

/* Reads one token, good or bad, if there is one before the span's end. */
static int read_token(struct numbers_reader *r, struct numbers *b, struct qerr *e)
{
    skip_blanks(r);
    if (r->pos >= r->span.end)
        return 0;
    const char *token = r->span.chunk->text + r->pos;
    size_t room = r->span.end - r->pos;
    size_t sign = *token == '+' || *token == '-';
    size_t digits = decimal_span(token + sign, room - sign);
    size_t len = sign + digits;
    while (len < room && !chunk_is_space(token[len]))
        len++;
    r->pos += len;

    if (len > TOKEN_MAX)
        return add_bad(r, b, token, len, "token too long", e);
    if (digits > 0 && len == sign + digits)
        return *token == '-' ? add_bad(r, b, token, len, "negative", e)
                             : add_digits(r, b, token, token + sign, e);
    return expr_is(token, len) ? add_value(r, b, token, len, e)
                               : add_bad(r, b, token, len, "not an integer", e);
}

static bool is_full(const struct numbers_reader *r, const struct numbers *b, size_t max)
{
    return b->n == max || b->nbad >= NUMBERS_BLOCK || r->arena.len >= ARENA_BYTES ||
           r->pos >= r->span.end;
}

static int next_of_text(struct numbers_reader *r, struct numbers *b, size_t max,
                        struct qerr *e)
{
    while (!is_full(r, b, max)) {
        if (!r->comment) {
            const struct decimal_out out = {b->v + b->n, b->digits + b->n,
                                            b->len + b->n, b->after + b->n};
            b->n += decimal_scan(r->span.chunk->text, &r->pos, r->span.end, max - b->n,
                                 r->max_digits, &out);
        }
        /* After a number above 2^64 another one is likely: do not sweep for nothing. */
        for (bool again = true; again && !is_full(r, b, max);) {
            size_t nbig = b->nbig;
            int rc = read_token(r, b, e);
            if (rc < 0)
                return rc;
            again = b->nbig > nbig;
        }
    }
    place_digits(r, b);
    return b->n > 0 || b->nbad > 0;
}

/* --- blocks -------------------------------------------------------------------------
 */

int numbers_next(struct numbers_reader *r, struct numbers *b, size_t max,
                 struct qerr *e)
{
    b->n = b->nbig = b->nbad = 0;
    qbuf_clear(&r->arena);
    r->start = r->pos;
    r->start_comment = r->comment;
    return r->span.chunk->kind == CHUNK_OF_RANGE ? next_of_range(r, b, max, e)
                                                 : next_of_text(r, b, max, e);
}

void numbers_skip(struct numbers_reader *r, uint64_t n)
{
    r->pos += n;
}

void numbers_unread(struct numbers_reader *r, struct numbers *b, size_t done)
{
    if (done >= b->n)
        return;
    b->n = done;
    while (b->nbig > 0 && b->big[b->nbig - 1] >= done)
        b->nbig--;
    while (b->nbad > 0 && b->bad[b->nbad - 1].before > done)
        b->nbad--;
    const struct bad_number *bad = b->nbad > 0 ? &b->bad[b->nbad - 1] : NULL;
    r->comment = false;
    if (bad && bad->before == done) {
        r->pos = (uint64_t)(bad->token - r->span.chunk->text) + bad->len;
    } else if (done > 0) {
        r->pos = b->after[done - 1];
    } else {
        r->pos = r->start;
        r->comment = r->start_comment;
    }
}
