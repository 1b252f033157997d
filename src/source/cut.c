/*
 * A chunk is the carry, then what read gives until there is enough, the stream ends,
 * or nothing more comes at once and there is a whole token to hand on (a pipe must
 * stream). It is then cut behind its last white space; what follows becomes the carry.
 * For lines all is the same, but only a newline counts as white space. A stream of
 * bytes is cut behind its last byte, so that there is no carry.
 *
 * A document is what read gives until the stream ends; its chunk grows with it.
 */
#include "source/cut.h"

#include <string.h>

void cut_init(struct cut *c, const struct position *at)
{
    *c = (struct cut){.carry = QBUF_INIT,
                      .error = QERR_INIT,
                      .offset = at->offset,
                      .started = at->offset > 0,
                      .comment = at->state & POSITION_IN_COMMENT,
                      .swallow = at->state & POSITION_SWALLOWING};
}

void cut_release(struct cut *c)
{
    qbuf_release(&c->carry);
}

/* Length of the text up to and with its last separator; 0 if there is none. */
static size_t whole_records(const struct chunk *chunk)
{
    size_t len = chunk->len;
    if (chunk->cut == CUT_ANYWHERE)
        return len;
    if (chunk->cut == CUT_AT_LINES) {
        const char *nl = memrchr(chunk->text, '\n', len);
        return nl ? (size_t)(nl - chunk->text) + 1 : 0;
    }
    while (len > 0 && !chunk_is_space(chunk->text[len - 1]))
        len--;
    return len;
}

static size_t to_first_separator(const struct chunk *chunk)
{
    size_t i = 0;
    bool lines = chunk->cut == CUT_AT_LINES;
    while (i < chunk->len &&
           (lines ? chunk->text[i] != '\n' : !chunk_is_space(chunk->text[i])))
        i++;
    return i;
}

static void drop_front(struct chunk *chunk, size_t n)
{
    chunk->len -= n;
    chunk->origin += n;
    memmove(chunk->text, chunk->text + n, chunk->len);
}

/* The first bytes of an input: a UTF-8 byte order mark is not part of the data. */
static void skip_mark(struct cut *c, struct chunk *chunk)
{
    if (c->started || chunk->cut == CUT_ANYWHERE || (chunk->len < 3 && !c->ended))
        return;
    c->started = true;
    if (chunk->len >= 3 && memcmp(chunk->text, "\xef\xbb\xbf", 3) == 0)
        drop_front(chunk, 3);
}

static void swallow(struct cut *c, struct chunk *chunk)
{
    size_t n = to_first_separator(chunk);
    if (n < chunk->len)
        c->swallow = false;
    drop_front(chunk, n);
}

/* Whether the byte behind text[0..len) is inside a comment. */
static bool ends_in_comment(const char *text, size_t len, bool comment)
{
    const char *line = memrchr(text, '\n', len);
    if (line) {
        comment = false;
        line++;
    } else {
        line = text;
    }
    const char *end = text + len;
    for (const char *p = line; !comment && p < end; p++) {
        p = memchr(p, '#', (size_t)(end - p));
        if (!p)
            break;
        comment = p == line || chunk_is_space(p[-1]);
    }
    return comment;
}

/* Reads on until the chunk holds something to hand on. */
static int fill(struct cut *c, cut_read read, void *from, struct chunk *chunk,
                struct qerr *e)
{
    while (!c->ended) {
        bool wait = whole_records(chunk) == 0;
        size_t most = wait && chunk->len >= CHUNK_AIM ? CHUNK_TEXT : CHUNK_AIM;
        if (chunk->len >= most)
            return 0;
        ssize_t n = read(from, chunk->text + chunk->len, most - chunk->len, wait, e);
        if (n == CUT_NOTHING_NOW)
            return 0;
        if (n < 0)
            return (int)n;
        if (n == 0)
            c->ended = true;
        chunk->len += (size_t)n;
        skip_mark(c, chunk);
        if (c->swallow)
            swallow(c, chunk);
    }
    return 0;
}

/* Cuts the full chunk and keeps what is left over. Returns its length. */
static int split(struct cut *c, struct chunk *chunk, struct qerr *e)
{
    size_t whole = whole_records(chunk);
    if (c->ended)
        whole = chunk->len;
    if (whole == 0 && chunk->len == CHUNK_TEXT) { /* one record fills it */
        whole = chunk->len;
        c->swallow = true;
    }
    c->started = true;
    chunk->comment = c->comment;
    chunk->has_hash =
        chunk->cut == CUT_AT_BLANKS && memchr(chunk->text, '#', whole) != NULL;
    if (chunk->comment || chunk->has_hash)
        c->comment = ends_in_comment(chunk->text, whole, c->comment);
    qbuf_clear(&c->carry);
    qbuf_add(&c->carry, chunk->text + whole, chunk->len - whole);
    chunk->len = whole;
    chunk->state_after = (c->comment ? POSITION_IN_COMMENT : 0u) |
                         (c->swallow ? POSITION_SWALLOWING : 0u);
    c->offset = chunk->origin + whole;
    return qbuf_check(&c->carry, e);
}

static int whole_document(struct cut *c, cut_read read, void *from, struct chunk *chunk,
                          struct qerr *e)
{
    enum { GROWTH = 4 };
    chunk->len = 0;
    chunk->comment = chunk->has_hash = false;
    chunk->state_after = POSITION_AT_END;
    while (!c->ended && chunk->len <= chunk->most) {
        size_t more =
            chunk->room > chunk->most / GROWTH ? chunk->most + 1 : chunk->room * GROWTH;
        int rc = chunk->len == chunk->room ? chunk_grow(chunk, more, e) : 0;
        ssize_t n = rc < 0 ? rc
                           : read(from, chunk->text + chunk->len,
                                  chunk->room - chunk->len, true, e);
        if (n < 0) {
            c->error = *e;
            return (int)n;
        }
        chunk->len += (size_t)n;
        c->ended = n == 0;
        skip_mark(c, chunk);
    }
    c->handed = true;
    if (chunk->len > chunk->most) {
        chunk->len = 0;
        chunk_fail(chunk, "longer than --max-document allows");
    }
    return 1;
}

int cut_next(struct cut *c, cut_read read, void *from, struct chunk *chunk,
             struct qerr *e)
{
    if (c->error.code != Q_OK) {
        *e = c->error;
        return -(int)e->code;
    }
    chunk->kind = CHUNK_OF_TEXT;
    chunk->origin = c->offset;
    if (chunk->cut == CUT_NOWHERE)
        return c->handed ? 0 : whole_document(c, read, from, chunk, e);
    memcpy(chunk->text, c->carry.data ? c->carry.data : "", c->carry.len);
    chunk->len = c->carry.len;
    qbuf_clear(&c->carry);

    int rc = fill(c, read, from, chunk, e);
    if (rc < 0) {
        /* Hand on what came before; a token that the error cut short is not data. Nor
         * is its rest, so that `read` is not called again, though it might go on. */
        c->error = *e;
        chunk->len = whole_records(chunk);
        if (chunk->len == 0)
            return rc;
        *e = (struct qerr)QERR_INIT;
    }
    rc = split(c, chunk, e);
    if (rc < 0)
        return rc;
    return chunk->len > 0 ? 1 : c->ended ? 0 : 1;
}
