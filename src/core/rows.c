/*
 * Columns grow by doubling and keep their memory. A failed allocation is sticky, like
 * that of a qbuf: kernels fill on without looking, what they add is dropped, and
 * rows_check tells.
 */
#include "core/rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arith/decimal.h"

static bool is_integers(const struct column *c)
{
    return c->type == COLUMN_INTEGER || c->type == COLUMN_INTEGERS;
}

int rows_init(struct rows *r, const struct schema *schema, struct qerr *e)
{
    assert(schema->ncolumns <= ROWS_COLUMNS);
    *r = (struct rows){.schema = schema};
    qbuf_init(&r->digits);
    qbuf_init(&r->texts);
    r->keep_store = malloc(NUMBERS_BLOCK);
    bool ok = r->keep_store != NULL;
    for (size_t i = 0; ok && i < schema->ncolumns; i++) {
        struct cells *c = &r->cells[i];
        if (schema->columns[i].type == COLUMN_WORD) {
            c->word = malloc(NUMBERS_BLOCK);
            ok = c->word != NULL;
        } else if (is_integers(&schema->columns[i])) {
            c->end = malloc(NUMBERS_BLOCK * sizeof *c->end);
            c->v = malloc(NUMBERS_BLOCK * sizeof *c->v);
            c->item_cap = NUMBERS_BLOCK;
            ok = c->end && c->v;
        } else if (schema->columns[i].type == COLUMN_VALUE) {
            c->value = malloc(NUMBERS_BLOCK * sizeof *c->value);
            ok = c->value != NULL;
        }
    }
    if (ok)
        return 0;
    rows_release(r);
    return qerr_nomem(e);
}

void rows_release(struct rows *r)
{
    for (size_t i = 0; i < ROWS_COLUMNS; i++) {
        struct cells *c = &r->cells[i];
        free(c->word);
        free(c->end);
        free(c->v);
        free(c->big);
        free(c->value);
    }
    free(r->keep_store);
    free(r->refused);
    qbuf_release(&r->digits);
    qbuf_release(&r->texts);
    *r = (struct rows){0};
}

void rows_clear(struct rows *r, const struct numbers *in)
{
    r->in = in;
    r->n = 0;
    r->keep = NULL;
    for (size_t i = 0; i < r->schema->ncolumns; i++)
        r->cells[i].nitems = r->cells[i].nbig = 0;
    qbuf_clear(&r->digits);
    qbuf_clear(&r->texts);
    r->seconds = 0;
    r->nrefused = 0;
    r->unfinished = r->probable = 0;
    r->failed = false;
}

/* Room for n more elements of `size` bytes in *array, which holds `used` of *cap. */
static bool make_room(void *array, size_t size, size_t used, size_t *cap, size_t n)
{
    if (n <= *cap - used)
        return true;
    size_t want = *cap ? *cap : 16;
    while (want - used < n) {
        if (want > SIZE_MAX / 2 / size)
            return false;
        want *= 2;
    }
    void *old;
    memcpy(&old, array, sizeof old);
    void *more = realloc(old, want * size);
    if (!more)
        return false;
    memcpy(array, &more, sizeof more);
    *cap = want;
    return true;
}

uint64_t *rows_reserve(struct rows *r, unsigned column, size_t n)
{
    struct cells *c = &r->cells[column];
    if (r->failed || !make_room(&c->v, sizeof *c->v, c->nitems, &c->item_cap, n)) {
        r->failed = true;
        return NULL;
    }
    return c->v + c->nitems;
}

void rows_add(struct rows *r, unsigned column, uint64_t v)
{
    uint64_t *to = rows_reserve(r, column, 1);
    if (to) {
        *to = v;
        r->cells[column].nitems++;
    }
}

void rows_add_digits(struct rows *r, unsigned column, const char *digits, size_t len)
{
    if (len <= DECIMAL_U64) {
        char padded[DECIMAL_U64 + 8] = {0};
        memcpy(padded, digits, len);
        uint64_t v;
        if (decimal_parse(padded, len, &v)) {
            rows_add(r, column, v);
            return;
        }
    }
    struct cells *c = &r->cells[column];
    uint64_t *to = rows_reserve(r, column, 1);
    if (!to)
        return;
    if (!make_room(&c->big, sizeof *c->big, c->nbig, &c->big_cap, 1)) {
        r->failed = true;
        return;
    }
    size_t off = r->digits.len;
    qbuf_add(&r->digits, digits, len);
    if (r->digits.failed) {
        r->failed = true;
        return;
    }
    *to = 0;
    c->big[c->nbig++] = (struct big_item){
        .item = (uint32_t)c->nitems++, .len = (uint32_t)len, .off = off};
}

void rows_set_sum(struct rows *r, const char *digits, size_t len)
{
    if (len > 0)
        rows_add_digits(r, 0, digits, len);
    else
        rows_add(r, 0, 0);
    rows_end(r, 0, 0);
    r->n = 1;
}

/* Appends to the texts; returns where, or SIZE_MAX without memory. */
static size_t add_text(struct rows *r, const char *text, size_t len)
{
    size_t off = r->texts.len;
    qbuf_add(&r->texts, text, len);
    r->failed = r->failed || r->texts.failed;
    return r->texts.failed ? SIZE_MAX : off;
}

void rows_set_value(struct rows *r, unsigned column, size_t row, enum value_type type,
                    const char *text, size_t len)
{
    size_t off = add_text(r, text, len);
    r->cells[column].value[row] = off == SIZE_MAX
                                      ? (struct value){VALUE_NULL, 0, 0}
                                      : (struct value){type, (uint32_t)len, off};
}

void rows_refuse(struct rows *r, size_t row, const char *what, const char *token,
                 size_t len)
{
    rows_refuse_at(r, row, 0, what, token, len);
}

void rows_refuse_at(struct rows *r, size_t row, uint64_t line, const char *what,
                    const char *token, size_t len)
{
    size_t off = add_text(r, what, strlen(what) + 1);
    if (off == SIZE_MAX)
        return;
    if (!make_room(&r->refused, sizeof *r->refused, r->nrefused, &r->refused_cap, 1)) {
        r->failed = true;
        return;
    }
    r->refused[r->nrefused++] =
        (struct refusal){(uint32_t)row, (uint32_t)len, line, off, token};
}

int rows_check(const struct rows *r, struct qerr *e)
{
    return r->failed ? qerr_nomem(e) : 0;
}

/* --- printing --------------------------------------------------------------------
 *
 * A pen writes into room that it reserved, so that a line costs no call that it does
 * not need. Short pieces are copied as whole vectors, over the end: what is written too
 * much is overwritten by the next piece, or lies behind the buffer's length. */

enum {
    PEN_SHORT = NUMBERS_PAD, /* digits up to this long are copied by vectors */
    PEN_WORD = ROWS_BETWEEN, /* so is a short string */
    PEN_ROWS = 64,           /* rows with one look at the room */
    PEN_STEP = PEN_ROWS * PEN_SHORT * 2 /* reserved at a time */
};

struct pen {
    struct qbuf *out;
    char *to, *end;
    struct decimal_run run; /* of the records of a range */
};

/* What is written stands behind out->len until pen_lift. */
static bool pen_reserve(struct pen *p, size_t n)
{
    p->out->len = (size_t)(p->to - p->out->data);
    p->to = qbuf_reserve(p->out, n + PEN_STEP);
    if (!p->to)
        return false;
    p->end = p->to + n + PEN_STEP;
    return true;
}

/* False when memory ran out, as all the rest that needs room: then nothing more may be
 * written with this pen. */
static bool pen_start(struct pen *p, struct qbuf *out)
{
    *p = (struct pen){.out = out, .to = qbuf_reserve(out, PEN_STEP)};
    p->end = p->to ? p->to + PEN_STEP : NULL;
    return p->to != NULL;
}

static inline bool pen_room(struct pen *p, size_t n)
{
    return (size_t)(p->end - p->to) >= n || pen_reserve(p, n);
}

static void pen_lift(struct pen *p)
{
    p->out->len = (size_t)(p->to - p->out->data);
}

/* A short string, ready to be copied whole. */
struct piece {
    char text[PEN_WORD];
    size_t len;
};

static struct piece make_piece(const char *s)
{
    struct piece piece = {.len = strlen(s)};
    assert(piece.len <= ROWS_BETWEEN);
    memcpy(piece.text, s, piece.len);
    return piece;
}

/* Room for PEN_WORD bytes. */
static inline void pen_piece(struct pen *p, const struct piece *piece)
{
    memcpy(p->to, piece->text, PEN_WORD);
    p->to += piece->len;
}

/* The record of a row, and room for `more` bytes behind it. */
static inline bool pen_record(struct pen *p, const struct numbers *in, size_t row,
                              size_t more)
{
    uint32_t len = in->len[row];
    if (!pen_room(p, (len > PEN_SHORT ? len : PEN_SHORT) + more))
        return false;
    const char *digits = in->digits[row];
    if (!digits) {
        p->to += decimal_print_run(&p->run, p->to, in->v[row]);
        return true;
    }
    if (len <= PEN_SHORT)
        memcpy(p->to, digits, PEN_SHORT);
    else
        memcpy(p->to, digits, len);
    p->to += len;
    return true;
}

static inline void pen_u64(struct pen *p, uint64_t v)
{
    p->to += decimal_print_small(p->to, v);
}

/* Items first .. end - 1 of a column, some of them big: see pen_integers. */
static bool pen_big_integers(struct pen *p, const struct rows *r, const struct cells *c,
                             uint32_t first, uint32_t end, struct rows_cursor *at,
                             const struct piece *before, bool between)
{
    for (uint32_t item = first; item < end; item++) {
        const struct big_item *big = at->big < c->nbig ? &c->big[at->big] : NULL;
        if (big && big->item != item)
            big = NULL;
        if (!pen_room(p, PEN_WORD + PEN_SHORT + (big ? big->len : 0)))
            return false;
        if (item > first || !between)
            pen_piece(p, before);
        if (big) {
            memcpy(p->to, r->digits.data + big->off, big->len);
            p->to += big->len;
            at->big++;
        } else {
            pen_u64(p, c->v[item]);
        }
    }
    return true;
}

/* The integers of a row, `before` before each, but not before the first if `between`;
 * and room for `more` bytes behind them. */
static inline bool pen_integers(struct pen *p, const struct rows *r, unsigned column,
                                size_t row, struct rows_cursor *at,
                                const struct piece *before, bool between, size_t more)
{
    const struct cells *c = &r->cells[column];
    uint32_t first = row > 0 ? c->end[row - 1] : 0, end = c->end[row];
    while (at->big < c->nbig && c->big[at->big].item < first)
        at->big++;
    at->item = end;
    if (at->big < c->nbig && c->big[at->big].item < end)
        return pen_big_integers(p, r, c, first, end, at, before, between) &&
               pen_room(p, more);
    if (!pen_room(p, (end - first) * (size_t)(PEN_WORD + PEN_SHORT) + more))
        return false;
    const uint64_t *v = c->v + first, *stop = c->v + end;
    if (between && v < stop)
        pen_u64(p, *v++);
    char *to = p->to; /* p->to itself would go through memory at every step */
    for (; v < stop; v++) {
        memcpy(to, before->text, PEN_WORD);
        to += before->len;
        to += decimal_print_small(to, *v);
    }
    p->to = to;
    return true;
}

void rows_put_integers(const struct rows *r, unsigned column, size_t row,
                       struct rows_cursor *at, const char *between, struct qbuf *out)
{
    struct pen p;
    const struct piece piece = make_piece(between);
    if (pen_start(&p, out) && pen_integers(&p, r, column, row, at, &piece, true, 0))
        pen_lift(&p);
}

void rows_put_item(const struct rows *r, unsigned column, uint32_t item,
                   struct rows_cursor *at, struct qbuf *out)
{
    const struct cells *c = &r->cells[column];
    while (at->big < c->nbig && c->big[at->big].item < item)
        at->big++;
    if (at->big < c->nbig && c->big[at->big].item == item) {
        qbuf_add(out, r->digits.data + c->big[at->big].off, c->big[at->big].len);
        return;
    }
    char *to = qbuf_reserve(out, DECIMAL_U64 + 4);
    if (to)
        out->len += decimal_print(to, c->v[item]);
}

bool rows_same_item(const struct rows *r, unsigned column, uint32_t a, uint32_t b,
                    const struct rows_cursor *at)
{
    const struct cells *c = &r->cells[column];
    if (c->v[a] != c->v[b])
        return false;
    if (c->v[a] != 0)
        return true;
    /* Bigger than 2^64: neighbours in big[], from the cursor on. */
    const struct big_item *x = NULL, *y = NULL;
    for (size_t i = at->big; i < c->nbig && c->big[i].item <= b; i++) {
        if (c->big[i].item == a)
            x = &c->big[i];
        if (c->big[i].item == b)
            y = &c->big[i];
    }
    if (!x || !y)
        return x == y;
    return x->len == y->len &&
           memcmp(r->digits.data + x->off, r->digits.data + y->off, x->len) == 0;
}

void rows_put_record(const struct rows *r, size_t row, struct qbuf *out)
{
    struct pen p;
    if (pen_start(&p, out) && pen_record(&p, r->in, row, 0))
        pen_lift(&p);
}

void rows_put_records(const struct rows *r, size_t from, size_t to, struct qbuf *out)
{
    struct pen p;
    if (!pen_start(&p, out))
        return;
    for (size_t row = from; row < to; row++) {
        if (!rows_kept(r, row))
            continue;
        if (!pen_record(&p, r->in, row, 1))
            return;
        *p.to++ = '\n';
    }
    pen_lift(&p);
}

/* " word\n" of a column, made when first met. */
static inline const struct piece *word_piece(struct piece *pieces, const struct rows *r,
                                             unsigned column, uint8_t word)
{
    struct piece *piece = &pieces[word];
    if (piece->len == 0) {
        const char *text = r->schema->columns[column].words[word];
        size_t len = strlen(text);
        assert(len + 2 <= PEN_WORD);
        piece->text[0] = ' ';
        memcpy(piece->text + 1, text, len);
        piece->text[len + 1] = '\n';
        piece->len = len + 2;
    }
    return piece;
}

/* Rows from..to - 1, up to the first whose record is not a few digits of text; returns
 * that one, or `to`. With one look at the room for all of them, so that the place to
 * write to stays in a register. */
static size_t put_short_words(struct pen *p, const struct rows *r, size_t from,
                              size_t to, unsigned column, struct piece *pieces)
{
    const struct numbers *in = r->in;
    const uint8_t *word = r->cells[column].word;
    if (!pen_room(p, (to - from) * (PEN_SHORT + PEN_WORD)))
        return to;
    char *at = p->to;
    for (; from < to; from++) {
        const char *digits = in->digits[from];
        uint32_t len = in->len[from];
        if (!digits || len > PEN_SHORT)
            break;
        if (!rows_kept(r, from))
            continue;
        const struct piece *piece = word_piece(pieces, r, column, word[from]);
        memcpy(at, digits, PEN_SHORT);
        memcpy(at + len, piece->text, PEN_WORD);
        at += len + piece->len;
    }
    p->to = at;
    return from;
}

void rows_put_words(const struct rows *r, size_t from, size_t to, unsigned column,
                    struct qbuf *out)
{
    struct piece pieces[UINT8_MAX + 1];
    for (size_t i = 0; i <= UINT8_MAX; i++)
        pieces[i].len = 0;
    const uint8_t *word = r->cells[column].word;
    struct pen p;
    if (!pen_start(&p, out))
        return;
    while (from < to) {
        size_t upto = to - from < PEN_ROWS ? to : from + PEN_ROWS;
        size_t row = put_short_words(&p, r, from, upto, column, pieces);
        if (row < upto) {
            if (rows_kept(r, row)) {
                if (!pen_record(&p, r->in, row, PEN_WORD))
                    return;
                pen_piece(&p, word_piece(pieces, r, column, word[row]));
            }
            row++;
        }
        from = row;
    }
    pen_lift(&p);
}

/* The place to write to, and what a line is made of. */
struct lists {
    const struct numbers *in;
    const uint32_t *end;
    const uint64_t *v;
    const struct piece *after, *before;
};

/* Rows from..to - 1 with one look at the room, so that the place to write to stays in a
 * register: records that are digits of text, or integers of a range (inline, so that
 * there is a loop for each). False when memory ran out. */
static inline bool put_lists(struct pen *p, const struct lists *l, size_t from,
                             size_t to, bool text)
{
    const uint64_t *v = l->v + (from > 0 ? l->end[from - 1] : 0);
    size_t items = (size_t)(l->v + l->end[to - 1] - v);
    if (!pen_room(p, (to - from + 1) * (PEN_SHORT + PEN_WORD) +
                         items * (PEN_WORD + DECIMAL_ROOM)))
        return false;
    /* Copies: the compiler must think that each byte written may change what a pointer
     * leads to. */
    const struct piece after = *l->after, before = *l->before;
    const uint32_t *end = l->end;
    const uint64_t *base = l->v, *values = l->in->v;
    struct decimal_run run = p->run;
    char *at = p->to;
    for (; from < to; from++) {
        if (text) {
            memcpy(at, l->in->digits[from], PEN_SHORT);
            at += l->in->len[from];
        } else {
            at += decimal_print_run(&run, at, values[from]);
        }
        memcpy(at, after.text, PEN_WORD);
        at += after.len;
        for (const uint64_t *stop = base + end[from]; v < stop; v++) {
            memcpy(at, before.text, PEN_WORD);
            at += before.len;
            at += decimal_print_small(at, *v);
        }
        *at++ = '\n';
    }
    p->run = run;
    p->to = at;
    return true;
}

/* How many rows from `from` on, at most to `to`, are for put_lists: all of few digits
 * of text, or all of a range (a block of a range holds nothing else, and its integers
 * below 2^64 come first). */
static size_t alike(const struct numbers *in, size_t from, size_t to, bool *text)
{
    size_t row = from;
    *text = in->digits[from] != NULL;
    if (!*text && !in->digits[to - 1])
        return to - from;
    while (row < to && (in->digits[row] != NULL) == *text &&
           (!*text || in->len[row] <= PEN_SHORT))
        row++;
    return row - from;
}

/* A row of any kind. */
static bool put_list(struct pen *p, const struct rows *r, size_t row, unsigned column,
                     struct rows_cursor *at, const struct piece *after,
                     const struct piece *before)
{
    if (!rows_kept(r, row))
        return true;
    if (!pen_record(p, r->in, row, PEN_WORD))
        return false;
    pen_piece(p, after);
    if (!pen_integers(p, r, column, row, at, before, false, 1))
        return false;
    *p->to++ = '\n';
    return true;
}

void rows_put_lists(const struct rows *r, size_t from, size_t to, unsigned column,
                    const char *after, const char *before, struct qbuf *out)
{
    const struct cells *c = &r->cells[column];
    const struct piece a = make_piece(after), b = make_piece(before);
    const struct lists lists = {r->in, c->end, c->v, &a, &b};
    bool plain = !r->keep && c->nbig == 0, text = false, ok = true;
    struct rows_cursor at = {0};
    struct pen p;
    if (!pen_start(&p, out))
        return;
    while (ok && from < to) {
        size_t upto = to - from < PEN_ROWS ? to : from + PEN_ROWS;
        size_t n = plain ? alike(r->in, from, upto, &text) : 0;
        if (n == 0) {
            ok = put_list(&p, r, from, column, &at, &a, &b);
            n = 1;
        } else if (text) {
            ok = put_lists(&p, &lists, from, from + n, true);
        } else {
            ok = put_lists(&p, &lists, from, from + n, false);
        }
        from += n;
    }
    if (ok)
        pen_lift(&p);
}

void rows_put_escaped(const char *text, size_t len, struct qbuf *out)
{
    static const char special[] = "\t\n\r\\", letters[] = "tnr\\";
    for (size_t i = 0; i < len; i++) {
        const char *s = memchr(special, text[i], sizeof special - 1);
        if (s)
            qbuf_putc(out, '\\');
        qbuf_putc(out, s ? letters[s - special] : text[i]);
    }
}
