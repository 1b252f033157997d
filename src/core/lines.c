#include "core/lines.h"

#include <string.h>

void lines_open(struct lines_reader *r, const struct span *span)
{
    *r = (struct lines_reader){.span = *span, .pos = span->begin, .start = span->begin};
}

bool lines_next(struct lines_reader *r, struct lines *b, size_t max)
{
    const char *text = r->span.chunk->text;
    r->start = r->pos;
    r->start_lines = r->lines;
    b->n = 0;
    while (r->pos < r->span.end && b->n < max) {
        const char *from = text + r->pos;
        const char *nl = memchr(from, '\n', r->span.end - r->pos);
        const char *to = nl ? nl : text + r->span.end;
        r->pos = (uint64_t)(to - text) + (nl != NULL);
        bool whole = to - from <= TOKEN_MAX; /* else it is to show that it is not */
        while (whole && to > from && chunk_is_space(to[-1]))
            to--;
        while (whole && from < to && chunk_is_space(*from))
            from++;
        if (from < to) {
            size_t i = b->n++;
            b->text[i] = from;
            b->len[i] = (uint32_t)(to - from);
            b->before[i] = r->lines;
            b->after[i] = r->pos;
        }
        r->lines += nl != NULL;
    }
    return b->n > 0;
}

void lines_unread(struct lines_reader *r, struct lines *b, size_t done)
{
    if (done >= b->n)
        return;
    /* A line with another one behind it has its newline. */
    r->pos = done > 0 ? b->after[done - 1] : r->start;
    r->lines = done > 0 ? b->before[done - 1] + 1 : r->start_lines;
    b->n = done;
}
