/* Records given as arguments: their text, cut into chunks like any other. */
#include <stdlib.h>
#include <string.h>

#include "source/cut.h"
#include "source/source.h"

struct literal {
    const char *text;
    size_t left;
    struct cut cut;
};

static int literal_check(const struct input *in, struct qerr *e)
{
    (void)in;
    (void)e;
    return 0;
}

static int literal_ident(const struct job *job, const struct input *in,
                         struct qbuf *out, struct qerr *e)
{
    (void)job;
    (void)in;
    (void)out;
    (void)e;
    return 0;
}

static int literal_open(void **state, struct sources *all, const struct input *in,
                        const struct position *at, struct qerr *e)
{
    (void)all;
    struct literal *l = malloc(sizeof *l);
    if (!l)
        return qerr_nomem(e);
    l->text = in->text;
    l->left = strlen(in->text);
    uint64_t skip = at->offset < l->left ? at->offset : l->left;
    l->text += skip;
    l->left -= skip;
    cut_init(&l->cut, at);
    *state = l;
    return 0;
}

static ssize_t literal_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    (void)wait;
    (void)e;
    struct literal *l = from;
    if (n > l->left)
        n = l->left;
    memcpy(to, l->text, n);
    l->text += n;
    l->left -= n;
    return (ssize_t)n;
}

static int literal_next(void *state, struct chunk *c, struct qerr *e)
{
    struct literal *l = state;
    return cut_next(&l->cut, literal_read, l, c, e);
}

static void literal_close(void *state)
{
    struct literal *l = state;
    cut_release(&l->cut);
    free(l);
}

const struct source source_literal = {
    .name = "literal",
    .check = literal_check,
    .open = literal_open,
    .ident = literal_ident,
    .next = literal_next,
    .close = literal_close,
};
