#include "engine/part.h"

#include <stdlib.h>
#include <string.h>

void part_init(struct part *p)
{
    *p = (struct part){.out = QBUF_INIT, .err = QERR_INIT};
}

void part_release(struct part *p)
{
    qbuf_release(&p->out);
    qbuf_release(&p->fold);
    qbuf_release(&p->tokens);
    free(p->bad);
    part_init(p);
}

void part_clear(struct part *p)
{
    struct part kept = *p;
    part_init(p);
    p->out = kept.out;
    p->fold = kept.fold;
    p->tokens = kept.tokens;
    p->bad = kept.bad;
    p->bad_cap = kept.bad_cap;
    qbuf_clear(&p->out);
    qbuf_clear(&p->fold);
    qbuf_clear(&p->tokens);
}

void part_trim(struct part *p)
{
    enum { LITTLE = 256 };
    struct qbuf *b = &p->out;
    if (b->cap / 2 < b->len || b->cap - b->len < LITTLE)
        return;
    char *less = realloc(b->data, b->len > 0 ? b->len : 1);
    if (!less)
        return;
    b->data = less;
    b->cap = b->len > 0 ? b->len : 1;
}

size_t part_size(const struct part *p)
{
    return p->out.cap + p->fold.cap + p->tokens.cap + p->bad_cap * sizeof *p->bad;
}

int part_add_bad(struct part *p, const struct bad_record *bad, const char *what,
                 const char *token, struct qerr *e)
{
    if (p->nbad == p->bad_cap) {
        size_t cap = p->bad_cap ? p->bad_cap * 2 : 16;
        struct bad_record *grown = realloc(p->bad, cap * sizeof *grown);
        if (!grown)
            return qerr_nomem(e);
        p->bad = grown;
        p->bad_cap = cap;
    }
    struct bad_record *b = &p->bad[p->nbad];
    *b = *bad;
    b->at = p->out.len;
    b->what = p->tokens.len;
    qbuf_add(&p->tokens, what, strlen(what) + 1);
    b->token = p->tokens.len;
    if (b->len > TOKEN_KEPT)
        b->len = TOKEN_KEPT;
    qbuf_add(&p->tokens, token, b->len);
    int rc = qbuf_check(&p->tokens, e);
    if (rc == 0)
        p->nbad++;
    return rc;
}
