#include "engine/wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void note(struct wire_file *f, int rc, const struct stat *st)
{
    *f = (struct wire_file){0, 0, 0};
    if (rc != 0 || !S_ISREG(st->st_mode))
        return;
    f->size = (uint64_t)st->st_size;
    f->mtime_s = (uint64_t)st->st_mtim.tv_sec;
    f->mtime_ns = (uint64_t)st->st_mtim.tv_nsec;
}

void wire_look(struct wire_file *f, const char *path)
{
    struct stat st;
    note(f, stat(path, &st), &st);
}

void wire_look_fd(struct wire_file *f, int fd)
{
    struct stat st;
    note(f, fstat(fd, &st), &st);
}

bool wire_same_file(const struct wire_file *a, const struct wire_file *b)
{
    return a->size == b->size && a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns;
}

void wire_put_file(struct qbuf *b, const struct wire_file *f)
{
    qwire_put(b, f->size);
    qwire_put(b, f->mtime_s);
    qwire_put(b, f->mtime_ns);
}

void wire_get_file(struct qwire *w, struct wire_file *f)
{
    f->size = qwire_get(w);
    f->mtime_s = qwire_get(w);
    f->mtime_ns = qwire_get(w);
}

enum { SPAN_COMMENT = 1, SPAN_HASH = 2, SPAN_IN_FILE = 4 };

void wire_put_span(struct qbuf *b, const struct span *span,
                   const struct wire_file *file)
{
    const struct chunk *c = span->chunk;
    bool text = c->kind == CHUNK_OF_TEXT;
    bool ends = span->end == chunk_size(c);
    unsigned flags = (c->comment && span->begin == 0 ? SPAN_COMMENT : 0u) |
                     (c->has_hash ? SPAN_HASH : 0u) | (file ? SPAN_IN_FILE : 0u);
    qwire_put(b, c->kind);
    qwire_put(b, c->cut);
    qwire_put(b, c->input);
    qwire_put(b, flags);
    qwire_put(b, ends ? c->state_after : 0);
    qwire_put(b, c->origin + (text ? span->begin : 0));
    qwire_put(b, c->most);
    qwire_put_text(b, ends ? c->failed : "");
    qwire_put(b, c->first);
    qwire_put(b, c->count);
    qwire_put(b, span->begin);
    qwire_put(b, span->end);
    if (file) {
        wire_put_file(b, file);
    } else {
        qwire_put_bytes(b, c->text + (text ? span->begin : 0),
                        text ? (size_t)(span->end - span->begin) : c->len);
    }
}

static int take_text(struct chunk *c, const char *bytes, size_t n, struct qerr *e)
{
    if ((!c->text || c->room < n) && chunk_grow(c, n, e) < 0)
        return -(int)e->code;
    if (bytes)
        memcpy(c->text, bytes, n);
    memset(c->text + n, 0, CHUNK_PAD);
    c->len = n;
    return 0;
}

int wire_get_span(struct qwire *w, struct chunk *c, struct span *span, bool *in_file,
                  struct wire_file *file, struct qerr *e)
{
    uint64_t kind = qwire_get(w), cut = qwire_get(w);
    c->kind = kind <= CHUNK_OF_BYTES ? (enum chunk_kind)kind : CHUNK_OF_TEXT;
    c->cut = cut <= CUT_NOWHERE ? (enum chunk_cut)cut : CUT_AT_BLANKS;
    c->input = (unsigned)qwire_get(w);
    uint64_t flags = qwire_get(w);
    c->comment = flags & SPAN_COMMENT;
    c->has_hash = flags & SPAN_HASH;
    *in_file = flags & SPAN_IN_FILE;
    c->state_after = (unsigned)qwire_get(w);
    c->origin = qwire_get(w);
    c->most = (size_t)qwire_get(w);
    c->failed[0] = '\0';
    const char *failed = qwire_get_text(w);
    if (failed[0]) {
        unsigned after = c->state_after;
        chunk_fail(c, failed);
        c->state_after = after;
    }
    c->first = qwire_get(w);
    c->count = qwire_get(w);
    uint64_t begin = qwire_get(w), end = qwire_get(w);
    size_t n = (size_t)(end - begin);
    const char *bytes = NULL;
    if (*in_file) {
        wire_get_file(w, file);
    } else {
        bytes = qwire_get_bytes(w, &n);
    }
    if (w->bad || begin > end || n > SIZE_MAX / 2)
        return qerr_set(e, Q_ECHECK, "a message between ranks is damaged");
    *span = c->kind == CHUNK_OF_TEXT ? (struct span){c, 0, n}
                                     : (struct span){c, begin, end};
    return take_text(c, bytes, n, e);
}

void wire_put_part(struct qbuf *b, const struct part *p)
{
    qwire_put_bytes(b, p->out.data, p->out.len);
    qwire_put_bytes(b, p->fold.data, p->fold.len);
    qwire_put_bytes(b, p->tokens.data, p->tokens.len);
    qwire_put_bytes(b, p->bad, p->nbad * sizeof *p->bad);
    qwire_put(b, p->kept_at);
    qwire_put(b, p->kept_len);
    qwire_put(b, p->kept_hash);
    qwire_put(b, p->records);
    qwire_put(b, p->unfinished);
    qwire_put(b, p->probable);
    qwire_put(b, p->lines);
    qwire_put(b, p->busy_ns);
    qwire_put_error(b, &p->err);
}

static void take(struct qwire *w, struct qbuf *to)
{
    size_t n;
    const char *bytes = qwire_get_bytes(w, &n);
    qbuf_clear(to);
    if (n > 0) /* nothing takes no memory: what it has counts in the ring's window */
        qbuf_add(to, bytes, n);
}

int wire_get_part(struct qwire *w, struct part *p, struct qerr *e)
{
    part_clear(p);
    take(w, &p->out);
    take(w, &p->fold);
    take(w, &p->tokens);
    size_t n;
    const char *bad = qwire_get_bytes(w, &n);
    size_t count = n / sizeof *p->bad;
    if (count > p->bad_cap) {
        struct bad_record *grown = realloc(p->bad, n);
        if (!grown)
            return qerr_nomem(e);
        p->bad = grown;
        p->bad_cap = count;
    }
    if (count > 0)
        memcpy(p->bad, bad, n);
    p->nbad = count;
    p->kept_at = qwire_get(w);
    p->kept_len = qwire_get(w);
    p->kept_hash = qwire_get(w);
    p->records = qwire_get(w);
    p->unfinished = qwire_get(w);
    p->probable = qwire_get(w);
    p->lines = qwire_get(w);
    p->busy_ns = qwire_get(w);
    qwire_get_error(w, &p->err);
    if (w->bad)
        return qerr_set(e, Q_ECHECK, "a message between ranks is damaged");
    if (p->out.failed || p->fold.failed || p->tokens.failed)
        return qerr_nomem(e);
    return 0;
}
