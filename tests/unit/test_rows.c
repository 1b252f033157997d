#include "unit.h"

#include "core/rows.h"

#include <string.h>

static const char *const words[] = {"yes", "no"};
static const struct column columns[] = {
    {"n", COLUMN_RECORD, NULL},
    {"class", COLUMN_WORD, words},
    {"one", COLUMN_INTEGER, NULL},
    {"many", COLUMN_INTEGERS, NULL},
};
static const struct schema schema = {.columns = columns, .ncolumns = 4, .text = NULL};
enum { ONE = 2, MANY = 3 };

static struct qbuf out;

/* `digits` is a canonical integer; two ways to add one below 2^64. */
static void add(struct rows *r, unsigned column, const char *digits)
{
    char *copy = malloc(strlen(digits));
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, digits, strlen(digits)); /* no terminator, no pad */
    if (strlen(digits) < 20 && unit_random() % 2)
        rows_add(r, column, strtoull(digits, NULL, 10));
    else
        rows_add_digits(r, column, copy, strlen(digits));
    free(copy);
}

static void random_digits(char *to)
{
    static const char *const edges[] = {"0",
                                        "1",
                                        "99999999",
                                        "100000000",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "99999999999999999999",
                                        "100000000000000000000"};
    if (unit_random() % 4 == 0) {
        strcpy(to, edges[unit_random() % (sizeof edges / sizeof *edges)]);
        return;
    }
    size_t len = 1 + unit_random() % (unit_random() % 4 ? 20 : 60);
    for (size_t i = 0; i < len; i++)
        to[i] = (char)('0' + unit_random() % 10);
    to[0] = (char)('1' + unit_random() % 9);
    to[len] = '\0';
}

/* What the cells of a column must print, as text, row by row. */
struct wanted {
    char *cell[NUMBERS_BLOCK];
};

static void want(struct wanted *w, size_t row, const char *digits, const char *between)
{
    size_t old = w->cell[row] ? strlen(w->cell[row]) + strlen(between) : 0;
    char *cell = malloc(old + strlen(digits) + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cell);
    if (old)
        sprintf(cell, "%s%s%s", w->cell[row], between, digits);
    else
        strcpy(cell, digits);
    free(w->cell[row]);
    w->cell[row] = cell;
}

static void check_cells(const struct rows *r, unsigned column, const struct wanted *w,
                        const char *between, unsigned step)
{
    struct rows_cursor at = {0};
    for (size_t row = 0; row < r->n; row += 1 + unit_random() % step) {
        qbuf_clear(&out);
        qbuf_puts(&out, "before ");
        rows_put_integers(r, column, row, &at, between, &out);
        const char *cell = w->cell[row] ? w->cell[row] : "";
        CU_ASSERT_EQUAL_FATAL(out.len, 7 + strlen(cell));
        CU_ASSERT_EQUAL(memcmp(out.data, "before ", 7), 0);
        CU_ASSERT_EQUAL(memcmp(out.data + 7, cell, strlen(cell)), 0);
    }
}

static void check_invariants(const struct rows *r, unsigned column)
{
    const struct cells *c = &r->cells[column];
    CU_ASSERT(c->nitems <= c->item_cap && c->nbig <= c->big_cap);
    for (size_t i = 0; i < c->nbig; i++) {
        CU_ASSERT(c->big[i].item < c->nitems);
        CU_ASSERT(i == 0 || c->big[i - 1].item < c->big[i].item);
        CU_ASSERT_EQUAL(c->v[c->big[i].item], 0);
        const char *digits = r->digits.data + c->big[i].off;
        CU_ASSERT(c->big[i].off + c->big[i].len <= r->digits.len);
        CU_ASSERT(c->big[i].len > 20 || memcmp(digits, "18446744073709551615", 20) > 0);
    }
}

static void fill(struct rows *r, const char *between, struct wanted *one,
                 struct wanted *many)
{
    size_t n = unit_random() % 4 ? unit_random() % 50 : NUMBERS_BLOCK;
    char digits[64];
    for (size_t row = 0; row < n; row++) {
        if (unit_random() % 8) {
            random_digits(digits);
            add(r, ONE, digits);
            want(one, row, digits, "");
        }
        for (uint64_t k = unit_random() % 6; k > 0; k--) {
            random_digits(digits);
            add(r, MANY, digits);
            want(many, row, digits, between);
        }
        rows_end(r, ONE, row);
        rows_end(r, MANY, row);
        r->n = row + 1;
    }
}

static void forget(struct wanted *w)
{
    for (size_t i = 0; i < NUMBERS_BLOCK; i++)
        free(w->cell[i]);
    memset(w, 0, sizeof *w);
}

static void integers(void)
{
    static struct wanted one, many;
    static const char *const between[] = {" ", "", ", ", "\",\"", "0123456789012345"};
    struct rows r;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    for (uint64_t round = 0; round < 60 * unit_scale(); round++) {
        const char *b = between[round % 5];
        rows_clear(&r, NULL);
        CU_ASSERT_EQUAL(r.n, 0);
        fill(&r, b, &one, &many);
        check_invariants(&r, ONE);
        check_invariants(&r, MANY);
        for (unsigned step = 1; step < 4; step++) {
            check_cells(&r, ONE, &one, b, step);
            check_cells(&r, MANY, &many, b, step);
        }
        CU_ASSERT_EQUAL(rows_check(&r, &e), 0);
        forget(&one);
        forget(&many);
    }
    rows_release(&r);
}

static void reserve(void)
{
    struct rows r;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    rows_clear(&r, NULL);
    uint64_t next = 0;
    for (size_t row = 0; row < 100; row++) {
        size_t n = unit_random() % 5000;
        uint64_t *to = rows_reserve(&r, MANY, n + 10);
        CU_ASSERT_PTR_NOT_NULL_FATAL(to);
        for (size_t i = 0; i < n; i++)
            to[i] = next++;
        r.cells[MANY].nitems += n;
        rows_end(&r, MANY, row);
    }
    CU_ASSERT_EQUAL(r.cells[MANY].nitems, next);
    for (uint64_t i = 0; i < next; i++)
        CU_ASSERT_EQUAL(r.cells[MANY].v[i], i);
    rows_release(&r);
}

static void no_memory(void)
{
    struct rows r;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    rows_clear(&r, NULL);
    rows_add(&r, ONE, 7);
    CU_ASSERT_PTR_NULL(rows_reserve(&r, ONE, SIZE_MAX / 4));
    CU_ASSERT(r.failed);
    size_t before = r.cells[ONE].nitems;
    rows_add(&r, ONE, 8); /* sticky: dropped */
    rows_add_digits(&r, ONE, "123456789012345678901234567890", 30);
    CU_ASSERT_EQUAL(r.cells[ONE].nitems, before);
    CU_ASSERT_EQUAL(r.cells[ONE].nbig, 0);
    CU_ASSERT_EQUAL(rows_check(&r, &e), -Q_ENOMEM);
    CU_ASSERT_EQUAL(e.code, Q_ENOMEM);
    rows_clear(&r, NULL);
    struct qerr none = QERR_INIT;
    CU_ASSERT_EQUAL(rows_check(&r, &none), 0);
    rows_add(&r, ONE, 8);
    CU_ASSERT_EQUAL(r.cells[ONE].nitems, 1);
    rows_release(&r);
}

static struct numbers block;

/* Records in a text whose pads must not come through. */
static void records(void)
{
    static const char *const digits[] = {"0",
                                         "7",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "1234567890123456789012345678901",
                                         "12345678901234567890123456789012",
                                         "123456789012345678901234567890123",
                                         "99999999"};
    enum { COUNT = sizeof digits / sizeof *digits };
    char *text[COUNT];
    numbers_init(&block);
    for (size_t i = 0; i < COUNT; i++) {
        size_t len = strlen(digits[i]);
        text[i] = malloc(len + NUMBERS_PAD);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text[i]);
        memset(text[i], '5', len + NUMBERS_PAD);
        memcpy(text[i], digits[i], len);
        block.digits[i] = text[i];
        block.len[i] = (uint32_t)len;
    }
    /* As in a range below 2^64. */
    block.digits[COUNT] = NULL;
    block.len[COUNT] = 0;
    block.v[COUNT] = UINT64_C(12345678901234567890);
    block.n = COUNT + 1;

    struct rows r;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    rows_clear(&r, &block);
    CU_ASSERT_PTR_EQUAL(r.in, &block);
    for (int round = 0; round < 100; round++) {
        size_t i = unit_random() % (COUNT + 1);
        const char *expected = i < COUNT ? digits[i] : "12345678901234567890";
        qbuf_release(&out);
        size_t before =
            200 + unit_random() % 100; /* near the end of what is allocated */
        for (size_t k = 0; k < before; k++)
            qbuf_putc(&out, 'x');
        rows_put_record(&r, i, &out);
        qbuf_puts(&out, "\n");
        CU_ASSERT_EQUAL_FATAL(out.len, before + strlen(expected) + 1);
        CU_ASSERT_EQUAL(out.data[before - 1], 'x');
        CU_ASSERT_EQUAL(memcmp(out.data + before, expected, strlen(expected)), 0);
        CU_ASSERT_EQUAL(out.data[out.len - 1], '\n');
    }
    rows_release(&r);
    numbers_release(&block);
    for (size_t i = 0; i < COUNT; i++)
        free(text[i]);
    qbuf_release(&out);
}

/* --- whole lines: against the same, put together with snprintf
 * ------------------------- */

struct source {
    char text[NUMBERS_BLOCK * 64 + NUMBERS_PAD];
    char digits[NUMBERS_BLOCK][64];
};

static struct source source;

static void make_records(size_t n, bool range)
{
    size_t at = 0;
    uint64_t first = unit_random() >> 8;
    for (size_t i = 0; i < n; i++) {
        block.v[i] = first + i;
        random_digits(source.digits[i]);
        if (range)
            snprintf(source.digits[i], 64, "%" PRIu64, first + i);
        size_t len = strlen(source.digits[i]);
        memcpy(source.text + at, source.digits[i], len);
        block.digits[i] = range ? NULL : source.text + at;
        block.len[i] = range ? 0 : (uint32_t)len;
        at += len;
    }
    block.n = n;
}

static size_t count_items(const struct rows *r, unsigned column, size_t row)
{
    const uint32_t *end = r->cells[column].end;
    return end[row] - (row > 0 ? end[row - 1] : 0);
}

static void check_lines(const struct rows *r, size_t from, size_t to,
                        struct qbuf *expected)
{
    static const char *const rest[] = {"", " yes", " no"};
    for (int how = 0; how < 3; how++) {
        struct rows_cursor at = {0};
        qbuf_clear(expected);
        qbuf_puts(expected, "kept");
        for (size_t i = from; i < to; i++) {
            if (r->keep && !r->keep[i])
                continue;
            qbuf_puts(expected, source.digits[i]);
            if (how == 1)
                qbuf_puts(expected, rest[1 + r->cells[1].word[i]]);
            if (how == 2) {
                qbuf_puts(expected, count_items(r, MANY, i) ? ":, " : ":");
                rows_put_integers(r, MANY, i, &at, ", ", expected);
            }
            qbuf_puts(expected, "\n");
        }
        qbuf_release(&out);
        qbuf_puts(&out, "kept");
        if (how == 0)
            rows_put_records(r, from, to, &out);
        if (how == 1)
            rows_put_words(r, from, to, 1, &out);
        if (how == 2)
            rows_put_lists(r, from, to, MANY, ":", ", ", &out);
        CU_ASSERT_EQUAL_FATAL(out.len, expected->len);
        CU_ASSERT_EQUAL(memcmp(out.data, expected->data, out.len), 0);
    }
}

static void lines(void)
{
    static struct wanted one, many;
    struct rows r;
    struct qerr e = QERR_INIT;
    struct qbuf expected = QBUF_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    for (uint64_t round = 0; round < 40 * unit_scale(); round++) {
        rows_clear(&r, &block);
        fill(&r, "", &one, &many);
        make_records(r.n, round % 3 == 0);
        for (size_t i = 0; i < r.n; i++) {
            r.cells[1].word[i] = unit_random() % 2;
            r.keep_store[i] = unit_random() % 3 > 0;
        }
        r.keep = round % 2 ? r.keep_store : NULL;
        size_t to = unit_random() % (r.n + 1);
        check_lines(&r, 0, r.n, &expected);
        check_lines(&r, unit_random() % (to + 1), to, &expected);
        forget(&one);
        forget(&many);
    }
    rows_release(&r);
    qbuf_release(&expected);
    qbuf_release(&out);
}

/* A buffer that cannot grow stays as it is; nothing is written. */
static void output_fails(void)
{
    struct rows r;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    rows_clear(&r, &block);
    make_records(100, false);
    r.n = 100;
    memset(r.cells[1].word, 0, 100);
    for (size_t i = 0; i < 100; i++)
        rows_end(&r, MANY, i);
    struct qbuf b = QBUF_INIT;
    qbuf_puts(&b, "kept");
    CU_ASSERT_PTR_NULL(qbuf_reserve(&b, SIZE_MAX));
    struct rows_cursor at = {0};
    rows_put_records(&r, 0, 100, &b);
    rows_put_words(&r, 0, 100, 1, &b);
    rows_put_lists(&r, 0, 100, MANY, ":", " ", &b);
    rows_put_record(&r, 0, &b);
    rows_put_integers(&r, MANY, 0, &at, " ", &b);
    CU_ASSERT(b.failed && b.len == 4);
    CU_ASSERT_EQUAL(memcmp(b.data, "kept", 4), 0);
    qbuf_release(&b);
    rows_release(&r);
}

static void cleared(void)
{
    struct rows r;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&r, &schema, &e), 0);
    CU_ASSERT_PTR_NOT_NULL(r.cells[1].word);
    CU_ASSERT_PTR_NOT_NULL(r.keep_store);
    r.keep = r.keep_store;
    r.unfinished = r.probable = 3;
    r.timed = true;
    r.n = 5;
    rows_add_digits(&r, MANY, "123456789012345678901234567890", 30);
    rows_clear(&r, &block);
    CU_ASSERT(r.keep == NULL && r.unfinished == 0 && r.probable == 0 && r.timed);
    CU_ASSERT(r.n == 0 && r.digits.len == 0 && r.cells[MANY].nitems == 0);
    CU_ASSERT(r.cells[MANY].nbig == 0 && r.in == &block);
    rows_release(&r);
}

static const struct unit_test tests[] = {
    {"integers of any size", integers},
    {"reserved room", reserve},
    {"memory runs out", no_memory},
    {"records", records},
    {"cleared", cleared},
    {"whole lines", lines},
    {"the output cannot grow", output_fails},
};

UNIT_MAIN("rows", tests)
