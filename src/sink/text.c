/* The text format: each kernel's own lines, as its schema prints them. */
#include <string.h>

#include "sink/output.h"
#include "sink/sink.h"

/* --timing: every line ends in the seconds of its record. */
static void put_timed(const struct rows *rows, size_t from, size_t to, struct qbuf *out)
{
    for (size_t row = from; row < to; row++) {
        size_t before = out->len;
        rows->schema->text(rows, row, row + 1, out);
        if (out->len == before)
            continue;
        out->len--;
        qbuf_printf(out, "\t%.6f\n", rows->seconds);
    }
}

static void text_render(const struct rows *rows, size_t from, size_t to,
                        struct qbuf *out)
{
    if (rows->timed)
        put_timed(rows, from, to, out);
    else
        rows->schema->text(rows, from, to, out);
}

const struct sink sink_text = {
    .name = "text",
    .shards = true,
    .render = text_render,
    .open = output_open,
    .write = output_write,
    .mark = output_mark,
    .close = output_close,
};
