/*
 * A cut is looked for backwards from the wanted place first, over at most half of what
 * is wanted, so that pieces are not smaller than that; then forwards. Either search
 * reads no more bytes than the piece gets: cutting a chunk up reads it about once,
 * however small the pieces are.
 */
#include "core/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int chunk_grow(struct chunk *c, size_t room, struct qerr *e)
{
    char *old = c->text ? c->text - CHUNK_PAD : NULL;
    char *memory = realloc(old, CHUNK_PAD + room + CHUNK_PAD);
    if (!memory)
        return qerr_nomem(e);
    c->text = memory + CHUNK_PAD;
    c->room = room;
    /* The pads may be read, so they must hold something. */
    memset(memory, 0, CHUNK_PAD);
    memset(c->text + room, 0, CHUNK_PAD);
    return 0;
}

int chunk_init(struct chunk *c, struct qerr *e)
{
    *c = (struct chunk){.text = NULL};
    return chunk_grow(c, CHUNK_TEXT, e);
}

void chunk_release(struct chunk *c)
{
    if (c->text)
        free(c->text - CHUNK_PAD);
    *c = (struct chunk){.text = NULL};
}

void chunk_fail(struct chunk *c, const char *why)
{
    snprintf(c->failed, sizeof c->failed, "%s", why);
    c->state_after = POSITION_AT_END;
}

/* The place behind the last separator in text[from .. to), or 0. */
static uint64_t cut_before(const struct chunk *c, uint64_t from, uint64_t to,
                           bool lines)
{
    if (lines) {
        const char *nl = memrchr(c->text + from, '\n', to - from);
        return nl ? (uint64_t)(nl - c->text) + 1 : 0;
    }
    while (to > from && !chunk_is_space(c->text[to - 1]))
        to--;
    return to > from ? to : 0;
}

/* The place behind the first separator in text[from .. end), or `end`. */
static uint64_t cut_behind(const struct chunk *c, uint64_t from, uint64_t end,
                           bool lines)
{
    if (lines) {
        const char *nl = memchr(c->text + from, '\n', end - from);
        return nl ? (uint64_t)(nl - c->text) + 1 : end;
    }
    while (from < end && !chunk_is_space(c->text[from]))
        from++;
    return from < end ? from + 1 : end;
}

uint64_t span_cut(const struct span *span, uint64_t want)
{
    const struct chunk *c = span->chunk;
    if (want == 0)
        want = 1;
    if (want >= span->end - span->begin)
        return span->end;
    uint64_t target = span->begin + want;
    if (c->kind != CHUNK_OF_TEXT || c->cut == CUT_ANYWHERE)
        return target;
    if (c->cut == CUT_NOWHERE)
        return span->end;
    bool lines = c->cut == CUT_AT_LINES || c->has_hash || c->comment;
    uint64_t cut = cut_before(c, target - (want + 1) / 2, target, lines);
    return cut > 0 ? cut : cut_behind(c, target, span->end, lines);
}
