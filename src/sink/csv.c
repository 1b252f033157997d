/*
 * csv and tsv: a line with the names of the columns, then a line a row. Lists are
 * separated by blanks. An empty cell is empty; there is no other way to write nothing.
 *
 * csv is RFC 4180: commas, CRLF at the end of every line, a field with a comma, a quote
 * or a line end in quotes, in which a quote is doubled. tsv has tabs and LF, and no
 * quotes; a tab, newline, carriage return or backslash in a field is \t, \n, \r or \\.
 * Only `error` and values of documents can hold any of these: digits and the kernels'
 * words never do.
 */
#include <string.h>

#include "sink/output.h"
#include "sink/sink.h"

struct dialect {
    char between;
    const char *line_end;
    void (*put_text)(const char *text, size_t len, struct qbuf *out);
};

static void put_quoted(const char *text, size_t len, struct qbuf *out)
{
    size_t plain = 0;
    while (plain < len && !memchr(",\"\r\n", text[plain], 4))
        plain++;
    if (plain == len) {
        qbuf_add(out, text, len);
        return;
    }
    qbuf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            qbuf_putc(out, '"');
        qbuf_putc(out, text[i]);
    }
    qbuf_putc(out, '"');
}

static const struct dialect csv = {',', "\r\n", put_quoted};
static const struct dialect tsv = {'\t', "\n", rows_put_escaped};

static void put_header(const struct dialect *d, const struct schema *schema, bool timed,
                       struct qbuf *out)
{
    if (schema->ncolumns == 0)
        return;
    for (size_t i = 0; i < schema_nshown(schema); i++) {
        if (i > 0)
            qbuf_putc(out, d->between);
        const char *name = schema->columns[schema_shown(schema, i)].name;
        d->put_text(name, strlen(name), out);
    }
    if (timed)
        qbuf_printf(out, "%cseconds", d->between);
    qbuf_printf(out, "%cerror", d->between);
    qbuf_puts(out, d->line_end);
}

static void put_cell(const struct dialect *d, const struct rows *rows, unsigned column,
                     size_t row, struct rows_cursor *at, struct qbuf *out)
{
    const struct column *c = &rows->schema->columns[column];
    const struct value *value = &rows->cells[column].value[row];
    switch (c->type) {
    case COLUMN_RECORD:
        rows_put_record(rows, row, out);
        break;
    case COLUMN_WORD:
        qbuf_puts(out, c->words[rows->cells[column].word[row]]);
        break;
    case COLUMN_INTEGER:
    case COLUMN_INTEGERS:
        rows_put_integers(rows, column, row, at, " ", out);
        break;
    case COLUMN_VALUE:
        d->put_text(rows_text(rows, value), value->len, out);
        break;
    }
}

static void put_rows(const struct dialect *d, const struct rows *rows, size_t from,
                     size_t to, struct qbuf *out)
{
    struct rows_cursor at[ROWS_COLUMNS] = {{0, 0}};
    for (size_t row = from; row < to; row++) {
        if (!rows_kept(rows, row))
            continue;
        for (size_t i = 0; i < schema_nshown(rows->schema); i++) {
            unsigned column = schema_shown(rows->schema, i);
            if (i > 0)
                qbuf_putc(out, d->between);
            put_cell(d, rows, column, row, &at[column], out);
        }
        if (rows->timed)
            qbuf_printf(out, "%c%.6f", d->between, rows->seconds);
        qbuf_putc(out, d->between); /* the empty `error` */
        qbuf_puts(out, d->line_end);
    }
}

/* All cells are empty but `error`. */
static void put_bad(const struct dialect *d, const struct schema *schema, bool timed,
                    const char *error, struct qbuf *out)
{
    for (size_t i = 0; i < schema_nshown(schema) + timed; i++)
        qbuf_putc(out, d->between);
    d->put_text(error, strlen(error), out);
    qbuf_puts(out, d->line_end);
}

static void csv_header(const struct schema *schema, bool timed, struct qbuf *out)
{
    put_header(&csv, schema, timed, out);
}

static void csv_render(const struct rows *rows, size_t from, size_t to,
                       struct qbuf *out)
{
    put_rows(&csv, rows, from, to, out);
}

static void csv_bad(const struct schema *schema, bool timed, const char *error,
                    struct qbuf *out)
{
    put_bad(&csv, schema, timed, error, out);
}

static void tsv_header(const struct schema *schema, bool timed, struct qbuf *out)
{
    put_header(&tsv, schema, timed, out);
}

static void tsv_render(const struct rows *rows, size_t from, size_t to,
                       struct qbuf *out)
{
    put_rows(&tsv, rows, from, to, out);
}

static void tsv_bad(const struct schema *schema, bool timed, const char *error,
                    struct qbuf *out)
{
    put_bad(&tsv, schema, timed, error, out);
}

const struct sink sink_csv = {
    .name = "csv",
    .shards = true,
    .header = csv_header,
    .render = csv_render,
    .bad = csv_bad,
    .open = output_open,
    .write = output_write,
    .mark = output_mark,
    .close = output_close,
};

const struct sink sink_tsv = {
    .name = "tsv",
    .shards = true,
    .header = tsv_header,
    .render = tsv_render,
    .bad = tsv_bad,
    .open = output_open,
    .write = output_write,
    .mark = output_mark,
    .close = output_close,
};
