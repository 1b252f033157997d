/*
 * rows: the results of a block of records, in columns. schema: what the columns are.
 *
 * A kernel fills rows, a sink renders them; both run in the same worker, a block at a
 * time, so nothing here is shared between threads.
 *
 * A column is one of
 *   COLUMN_RECORD    the record itself (rows->in, canonical decimal)
 *   COLUMN_WORD      one of a fixed list of words: cells.word[i] indexes column.words
 *   COLUMN_INTEGER   no or one non-negative integer of any size
 *   COLUMN_INTEGERS  a list of them
 *   COLUMN_VALUE     a text with a type (struct value), from a document
 * The integers of row i are items end[i-1] .. end[i]-1 (from 0 for i = 0). Items below
 * 2^64 are v[item]; a bigger one is listed in big[] (ascending by item) with its
 * decimal digits in rows->digits, and v[item] is 0.
 */
#ifndef QUERN_CORE_ROWS_H
#define QUERN_CORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "core/numbers.h"

enum column_type {
    COLUMN_RECORD,
    COLUMN_WORD,
    COLUMN_INTEGER,
    COLUMN_INTEGERS,
    COLUMN_VALUE
};

enum {
    SCHEMA_NAME = 64
}; /* most bytes of a column's name, which is printable UTF-8
      without quotes and backslashes */

struct column {
    const char *name;
    enum column_type type;
    const char *const *words; /* COLUMN_WORD */
};

struct rows;

struct schema {
    const struct column *columns;
    size_t ncolumns; /* <= ROWS_COLUMNS */
    /* The text format: a line for every row in [from, to) that rows_kept. */
    void (*text)(const struct rows *rows, size_t from, size_t to, struct qbuf *out);
    /* --columns: indices of those that the other formats show, in this order; NULL: all
     * of them. Kernels fill columns as if all were shown. */
    const uint8_t *shown;
    size_t nshown;
};

/* How many columns are shown, and the index of the i-th of them. */
static inline size_t schema_nshown(const struct schema *s)
{
    return s->shown ? s->nshown : s->ncolumns;
}

static inline unsigned schema_shown(const struct schema *s, size_t i)
{
    return s->shown ? s->shown[i] : (unsigned)i;
}

enum { ROWS_COLUMNS = 64 };

enum value_type { VALUE_NULL, VALUE_BOOL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

/* A cell of a COLUMN_VALUE: `len` bytes of rows->texts. None for VALUE_NULL; `true` or
 * `false`; a number as JSON has it, an integer without its redundant signs; any bytes
 * (of JSON: UTF-8). */
struct value {
    enum value_type type;
    uint32_t len;
    size_t off;
};

struct big_item {
    uint32_t item; /* index of the item in its column */
    uint32_t len;  /* decimal digits ... */
    size_t off;    /* ... at this offset of rows->digits */
};

struct cells {
    uint8_t *word; /* COLUMN_WORD, one a row */

    uint32_t *end; /* COLUMN_INTEGER(S), one a row */
    uint64_t *v;   /* room for item_cap items */
    size_t nitems, item_cap;
    struct big_item *big;
    size_t nbig, big_cap;

    struct value *value; /* COLUMN_VALUE, one a row */
};

/* A record that the kernel found to be bad: a diagnostic, not a row. */
struct refusal {
    uint32_t row;
    uint32_t len;      /* of the token */
    uint64_t line;     /* inside a document, from 1; 0: no certain one */
    size_t what;       /* what is wrong: a terminated string in rows->texts */
    const char *token; /* not terminated; valid as long as the record */
};

struct rows {
    const struct schema *schema;
    const struct numbers *in; /* the records, if they are numbers; or NULL */
    size_t n;                 /* rows; for records 0..n-1 of in */
    const uint8_t *keep;      /* NULL: print all; else only rows with keep[i] != 0 */
    uint8_t *keep_store;      /* room for NUMBERS_BLOCK flags, for the kernel's use */
    struct cells cells[ROWS_COLUMNS];
    struct qbuf digits, texts;
    bool timed;     /* --timing: the rows are of one record, and ... */
    double seconds; /* ... this is its time */

    struct refusal *refused; /* ascending by row */
    size_t nrefused, refused_cap;

    uint64_t unfinished; /* of these rows: not completely answered (exit status 1) */
    uint64_t probable;   /* of these rows: not proved (said on stderr) */
    bool failed;         /* memory ran out; see rows_check */
};

/* Allocates the columns of `schema` for blocks of NUMBERS_BLOCK rows. */
int rows_init(struct rows *r, const struct schema *schema, struct qerr *e);
void rows_release(struct rows *r);

/* Forgets the rows, keeps the memory (and `timed`), and says what the next ones answer:
 * these numbers; or, with NULL, something else. */
void rows_clear(struct rows *r, const struct numbers *in);

/* Room for `n` more items in an integer column: a pointer to write values below 2^64
 * to, or NULL (sticky `failed`). The caller then raises cells.nitems by what it wrote.
 */
uint64_t *rows_reserve(struct rows *r, unsigned column, size_t n);

/* Adds one item to an integer column. */
void rows_add(struct rows *r, unsigned column, uint64_t v);
void rows_add_digits(struct rows *r, unsigned column, const char *digits, size_t len);

/* The result of a fold: one row, in column 0 the sum (no digits: 0). */
void rows_set_sum(struct rows *r, const char *digits, size_t len);

/* Ends the integer cell of row `row`: all items added since the last end are its. Rows
 * must be ended in order, every one, also empty ones. */
static inline void rows_end(struct rows *r, unsigned column, size_t row)
{
    r->cells[column].end[row] = (uint32_t)r->cells[column].nitems;
}

/* Sets the cell of row `row` of a COLUMN_VALUE. */
void rows_set_value(struct rows *r, unsigned column, size_t row, enum value_type type,
                    const char *text, size_t len);

/* The text of a value. */
static inline const char *rows_text(const struct rows *r, const struct value *v)
{
    return v->len > 0 ? r->texts.data + v->off : "";
}

/* Record `row` is bad, and has no row; in ascending order. `what` is copied. The row's
 * cells must be there all the same, whatever they hold. */
void rows_refuse(struct rows *r, size_t row, const char *what, const char *token,
                 size_t len);

/* The same for a line of a document, counted from 1 (0: no certain one). */
void rows_refuse_at(struct rows *r, size_t row, uint64_t line, const char *what,
                    const char *token, size_t len);

/* What is wrong with it. */
static inline const char *rows_what(const struct rows *r, const struct refusal *why)
{
    return r->texts.data + why->what;
}

/* Whether row `row` is to be printed. */
static inline bool rows_kept(const struct rows *r, size_t row)
{
    return !r->keep || r->keep[row];
}

/* 0, or -Q_ENOMEM in `e` when an allocation failed. */
int rows_check(const struct rows *r, struct qerr *e);

enum { ROWS_BETWEEN = 16 };

/* Walks the integers of one column in order: start with {0} for row 0. */
struct rows_cursor {
    uint32_t item;
    size_t big;
};

/* Appends the cell of `row` as decimal digits with `between` between its items. Rows
 * must be visited in ascending order with the same cursor; skipping rows is allowed.
 * Strings between items, here and below, are of at most ROWS_BETWEEN bytes. */
void rows_put_integers(const struct rows *r, unsigned column, size_t row,
                       struct rows_cursor *at, const char *between, struct qbuf *out);

/* Appends the record of row `row` in canonical decimal. */
void rows_put_record(const struct rows *r, size_t row, struct qbuf *out);

/* Appends item `item` of a column; items in ascending order with the same cursor. */
void rows_put_item(const struct rows *r, unsigned column, uint32_t item,
                   struct rows_cursor *at, struct qbuf *out);

/* Whether items a <= b are the same integer; none before the cursor. */
bool rows_same_item(const struct rows *r, unsigned column, uint32_t a, uint32_t b,
                    const struct rows_cursor *at);

/* Appends a text so that it stays on its line and in its field: a tab, newline,
 * carriage return or backslash becomes \t, \n, \r or \\. */
void rows_put_escaped(const char *text, size_t len, struct qbuf *out);

/*
 * Whole text formats, for the rows in [from, to) that are kept; much faster than row by
 * row.
 *   rows_put_records  "RECORD\n"
 *   rows_put_words    "RECORD WORD\n"
 *   rows_put_lists    "RECORD", `after`, `before` and digits for each integer, "\n"
 */
void rows_put_records(const struct rows *r, size_t from, size_t to, struct qbuf *out);
void rows_put_words(const struct rows *r, size_t from, size_t to, unsigned column,
                    struct qbuf *out);
void rows_put_lists(const struct rows *r, size_t from, size_t to, unsigned column,
                    const char *after, const char *before, struct qbuf *out);

#endif
