/*
 * JSON Lines: one object a row, every column always present and in the schema's order,
 * all values strings (integers do not fit a JSON number), lists as arrays. Digits and
 * the kernels' words need no escapes; what comes from the user (names, tokens) goes
 * through qjson.
 */
#include <assert.h>
#include <stdio.h>

#include "base/qjson.h"
#include "sink/output.h"
#include "sink/sink.h"

/* What stands between two cells is the same in every row: the end of one, a comma, the
 * key of the next and its opening. It is put together once for a block. */
enum { JOINT_SIZE = SCHEMA_NAME + 16 };

struct joint {
    char text[JOINT_SIZE];
    size_t len;
};

static struct joint make_joint(const struct column *before, const char *name, bool list)
{
    struct joint j;
    const char *end = !before ? "{" : before->type == COLUMN_INTEGERS ? "]," : "\",";
    int len =
        snprintf(j.text, sizeof j.text, "%s\"%s\":%s", end, name, list ? "[" : "\"");
    assert(len > 0 && len < JOINT_SIZE);
    j.len = (size_t)len;
    return j;
}

/* The inside of a cell. */
static void put_cell(const struct rows *rows, unsigned column, size_t row,
                     struct rows_cursor *at, struct qbuf *out)
{
    const struct column *c = &rows->schema->columns[column];
    const struct cells *cells = &rows->cells[column];
    const struct value *value = &cells->value[row];
    bool quotes = c->type == COLUMN_INTEGERS &&
                  cells->end[row] > (row > 0 ? cells->end[row - 1] : 0);
    switch (c->type) {
    case COLUMN_RECORD:
        rows_put_record(rows, row, out);
        break;
    case COLUMN_WORD:
        qbuf_puts(out, c->words[cells->word[row]]);
        break;
    case COLUMN_INTEGER:
    case COLUMN_INTEGERS:
        if (quotes)
            qbuf_putc(out, '"');
        rows_put_integers(rows, column, row, at, "\",\"", out);
        if (quotes)
            qbuf_putc(out, '"');
        break;
    case COLUMN_VALUE:
        qjson_inside(rows_text(rows, value), value->len, out);
        break;
    }
}

/* The end of a row: seconds and error, where they belong. */
static void put_end(const struct rows *rows, const struct column *last,
                    struct qbuf *out)
{
    qbuf_putc(out, last->type == COLUMN_INTEGERS ? ']' : '"');
    if (rows->timed)
        qbuf_printf(out, ",\"seconds\":\"%.6f\"", rows->seconds);
    qbuf_add(out, ",\"error\":\"\"}\n", 13);
}

static void jsonl_render(const struct rows *rows, size_t from, size_t to,
                         struct qbuf *out)
{
    const struct schema *schema = rows->schema;
    struct rows_cursor at[ROWS_COLUMNS] = {{0, 0}};
    struct joint joints[ROWS_COLUMNS];
    const struct column *last = NULL;
    size_t n = schema_nshown(schema);
    for (size_t i = 0; i < n; i++) {
        const struct column *c = &schema->columns[schema_shown(schema, i)];
        joints[i] = make_joint(last, c->name, c->type == COLUMN_INTEGERS);
        last = c;
    }
    for (size_t row = from; row < to && last; row++) {
        if (!rows_kept(rows, row))
            continue;
        for (size_t i = 0; i < n; i++) {
            unsigned column = schema_shown(schema, i);
            qbuf_add(out, joints[i].text, joints[i].len);
            put_cell(rows, column, row, &at[column], out);
        }
        put_end(rows, last, out);
    }
}

static void put_key(const char *name, bool first, struct qbuf *out)
{
    qbuf_putc(out, first ? '{' : ',');
    qbuf_putc(out, '"');
    qbuf_puts(out, name);
    qbuf_puts(out, "\":");
}

static void jsonl_bad(const struct schema *schema, bool timed, const char *error,
                      struct qbuf *out)
{
    for (size_t i = 0; i < schema_nshown(schema); i++) {
        const struct column *column = &schema->columns[schema_shown(schema, i)];
        put_key(column->name, i == 0, out);
        qbuf_puts(out, column->type == COLUMN_INTEGERS ? "[]" : "\"\"");
    }
    if (timed)
        qbuf_puts(out, ",\"seconds\":\"\"");
    put_key("error", false, out);
    qjson_quote(error, out);
    qbuf_puts(out, "}\n");
}

const struct sink sink_jsonl = {
    .name = "jsonl",
    .shards = true,
    .render = jsonl_render,
    .bad = jsonl_bad,
    .open = output_open,
    .write = output_write,
    .mark = output_mark,
    .close = output_close,
};
