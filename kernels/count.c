/*
 * count: how often a word stands in each input, leftmost occurrences first, none
 * overlapping another.
 *
 * An input is cut anywhere, and its pieces are searched in any order, so what a piece
 * says must not depend on what stands before it. It says, of the occurrences inside it:
 *
 *   - For a word none of whose ends is a beginning of it, occurrences never overlap,
 * and their number is all there is to say.
 *   - For other words ("aa", "abab") it matters how far the last occurrence taken
 * before the piece reaches into it: the first `begin` places are taken, 0 <= begin < m
 * for a word of m bytes. The answer is a function of `begin` with few steps: it only
 * decides which occurrence is the first to be taken. All steps are followed at once, in
 * one walk over the occurrences: a step that takes an occurrence is free again m places
 *     later. Steps that take the same occurrence go on as one, and since their free
 *     places ascend, those that can take the next one stand at the front of a queue.
 *
 * Occurrences across a border between pieces are found in the fold, from the last m - 1
 * bytes before it and the first m - 1 behind it, which each piece brings along. At most
 * one of them is taken.
 *
 * A part is a string of pieces; the total is what is known at the end of the last one.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/find.h"
#include "kernel.h"

enum { COL_COUNT, COL_INPUT };

struct count_state {
    struct kernel_state head;
    struct find find;
    bool many; /* there is a total */
};

/* One step of a piece's function: what holds for `begin` up to `upto`. */
struct step {
    uint32_t upto;
    uint32_t
        end; /* of the last occurrence that is taken, from the piece's begin; or 0 */
    uint64_t count;
};

/* A piece: this, then its steps, its first and its last bytes, `edge` of each. */
struct piece {
    uint64_t len;
    uint64_t nsteps;
    uint64_t edge; /* the lesser of len and m - 1 */
};

/* The total: this, then the last bytes of the input. */
struct total {
    uint64_t all;   /* of the inputs that are settled */
    uint64_t count; /* of this input, so far */
    uint64_t
        free; /* of its last bytes, so many belong to no occurrence that is taken */
    uint64_t edge; /* bytes that follow: the lesser of m - 1 and the input so far */
};

enum { BATCH = 1024 };

/* A step on its way through the piece. Those of a group take the same occurrences from
 * now on; its first one stands for it. */
struct trail {
    uint32_t upto;
    uint32_t free;  /* where the group can take an occurrence again */
    uint32_t group; /* the trail that stands for it; itself, or one further on */
    uint64_t count; /* of the group; of a trail that has joined one: less that of the
                       one it joined, at that time */
    uint32_t end;
};

struct count_scratch {
    uint32_t begins[BATCH];
    struct trail trails[FIND_MAX + 1];
    uint32_t queue[FIND_MAX + 1]; /* groups, by ascending `free`: a ring */
};

/* --- the kernel's frame --- */

static void text_counts(const struct rows *rows, size_t from, size_t to,
                        struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        const struct value *name = &rows->cells[COL_INPUT].value[i];
        rows_put_integers(rows, COL_COUNT, i, &at, " ", out);
        qbuf_putc(out, ' ');
        qbuf_add(out, rows_text(rows, name), name->len);
        qbuf_putc(out, '\n');
    }
}

static const struct column count_columns[] = {
    {"count", COLUMN_INTEGER, NULL},
    {"input", COLUMN_VALUE, NULL},
};
static const struct schema count_schema = {
    .columns = count_columns, .ncolumns = 2, .text = text_counts};

static const struct qopt count_options[] = {
    {.name = "word",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "WORD",
     .help = "the word, at most 1024 bytes; instead of the first argument"},
    {.name = "case",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "tell upper from lower case (else that of ASCII letters is ignored)"},
    {.name = NULL},
};

static int count_open(struct kernel_state **state, const struct job *job,
                      struct qerr *e)
{
    const char *word = job_word(job, "word");
    if (strlen(word) > FIND_MAX)
        return qerr_set(e, Q_EUSAGE, "--word: longer than %d bytes", FIND_MAX);
    struct count_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    find_init(&s->find, word, strlen(word), !job_flag(job, "case"));
    s->many = job->ninputs > 1;
    s->head.settles = true;
    s->head.schema = &count_schema;
    *state = &s->head;
    return 0;
}

static void count_close(struct kernel_state *state)
{
    free(state);
}

static int count_attach(const struct kernel_state *state, void **scratch,
                        struct qerr *e)
{
    (void)state;
    *scratch = malloc(sizeof(struct count_scratch));
    return *scratch ? 0 : qerr_nomem(e);
}

static void count_detach(void *scratch)
{
    free(scratch);
}

/* --- a piece --- */

/* The queue of groups while a piece is walked through. */
struct walk {
    struct count_scratch *w;
    uint32_t ntrails;
    uint32_t first, n; /* of the queue */
};

static uint32_t *queue_at(struct walk *k, uint32_t i)
{
    return &k->w->queue[(k->first + i) % (FIND_MAX + 1)];
}

/* A step begins that can take an occurrence from `free` on. No occurrence was taken
 * that ends before it, so it goes to the front. */
static void add_trail(struct walk *k, uint32_t free)
{
    uint32_t i = k->ntrails++;
    k->w->trails[i] = (struct trail){.free = free, .group = i};
    k->first = (k->first + FIND_MAX) % (FIND_MAX + 1);
    k->n++;
    *queue_at(k, 0) = i;
}

/* The occurrence at `begin` is taken by all groups that can; they are one from then on.
 */
static void take(struct walk *k, uint32_t begin, uint32_t len)
{
    struct trail *trails = k->w->trails;
    uint32_t one = UINT32_MAX;
    while (k->n > 0 && trails[*queue_at(k, 0)].free <= begin) {
        uint32_t group = *queue_at(k, 0);
        k->first = (k->first + 1) % (FIND_MAX + 1);
        k->n--;
        if (one != UINT32_MAX) {
            trails[one].group = group;
            trails[one].count -= trails[group].count; /* modulo 2^64 */
        }
        one = group;
    }
    if (one == UINT32_MAX)
        return;
    trails[one].count++;
    trails[one].end = begin + len;
    trails[one].free = begin + len;
    *queue_at(k, k->n++) = one;
}

/* Follows all steps through the piece. */
static void walk(struct walk *k, const struct find *f, const char *text, size_t len)
{
    struct trail *trails = k->w->trails;
    size_t from = 0;
    add_trail(k, 0);
    while (from < len) {
        size_t n = find_list(f, text, len, &from, k->w->begins, BATCH);
        for (size_t i = 0; i < n; i++) {
            uint32_t begin = k->w->begins[i];
            take(k, begin, (uint32_t)f->len);
            if (begin + 1 < f->len) { /* the next step begins behind it */
                trails[k->ntrails - 1].upto = begin;
                add_trail(k, begin + 1);
            }
        }
    }
    trails[k->ntrails - 1].upto = UINT32_MAX;
}

static void put_steps(const struct walk *k, struct qbuf *out)
{
    const struct trail *trails = k->w->trails;
    for (uint32_t i = 0; i < k->ntrails; i++) {
        struct step step = {.upto = trails[i].upto, .count = trails[i].count};
        uint32_t at = i;
        while (trails[at].group != at) {
            at = trails[at].group;
            step.count += trails[at].count;
        }
        step.end = trails[at].end;
        qbuf_add(out, &step, sizeof step);
    }
}

static void put_piece(const struct count_state *s, struct count_scratch *w,
                      const char *text, size_t len, struct qbuf *out)
{
    const struct find *f = &s->find;
    size_t edge = len < f->len - 1 ? len : f->len - 1;
    struct piece piece = {.len = len, .nsteps = 1, .edge = edge};
    struct walk k = {.w = w};
    if (f->overlaps) {
        walk(&k, f, text, len);
        piece.nsteps = k.ntrails;
        qbuf_add(out, &piece, sizeof piece);
        put_steps(&k, out);
    } else {
        struct step step = {.upto = UINT32_MAX, .count = find_count(f, text, len)};
        qbuf_add(out, &piece, sizeof piece);
        qbuf_add(out, &step, sizeof step);
    }
    qbuf_add(out, text, edge);
    qbuf_add(out, text + len - edge, edge);
}

static int count_run(const struct kernel_state *state, struct kernel_call *call,
                     struct qerr *e)
{
    put_piece((const struct count_state *)state, call->scratch, call->text->text,
              call->text->len, call->part);
    return qbuf_check(call->part, e);
}

/* --- the fold --- */

/* What is folded of an input. */
struct folding {
    const struct find *find;
    struct total t;
    char last[FIND_MAX];                      /* t.edge bytes */
    char border[2 * FIND_MAX + 2 * FIND_PAD]; /* bytes around the end */
};

static bool get_total(struct folding *g, const struct qbuf *total)
{
    g->t = (struct total){0};
    if (total->len == 0)
        return true;
    if (total->len < sizeof g->t)
        return false;
    memcpy(&g->t, total->data, sizeof g->t);
    if (g->t.edge >= FIND_MAX || total->len != sizeof g->t + g->t.edge)
        return false;
    memcpy(g->last, total->data + sizeof g->t, g->t.edge);
    return true;
}

static int put_total(const struct folding *g, struct qbuf *total, struct qerr *e)
{
    qbuf_clear(total);
    qbuf_add(total, &g->t, sizeof g->t);
    qbuf_add(total, g->last, g->t.edge);
    return qbuf_check(total, e);
}

/* Takes an occurrence across the border: returns how far it reaches into the piece, of
 * which `first` are the first bytes; or 0. */
static uint64_t take_across(struct folding *g, const char *first, size_t edge)
{
    uint32_t begin;
    size_t from = 0, free = g->t.free < g->t.edge ? g->t.free : g->t.edge;
    char *text = g->border;
    memcpy(text, g->last + g->t.edge - free, free);
    memcpy(text + free, first, edge);
    memset(text + free + edge, 0, FIND_PAD);
    if (find_list(g->find, text, free + edge, &from, &begin, 1) == 0)
        return 0;
    g->t.count++;
    return begin + g->find->len - free;
}

/* The last bytes, when `len` bytes follow, of which `edge` are the last. */
static void keep_last(struct folding *g, const char *bytes, size_t edge)
{
    size_t most = g->find->len - 1, old = g->t.edge;
    if (old > most - edge)
        old = most - edge;
    memmove(g->last, g->last + g->t.edge - old, old);
    memcpy(g->last + old, bytes, edge);
    g->t.edge = old + edge;
}

static void fold_piece(struct folding *g, const struct piece *p, const char *steps,
                       const char *edges)
{
    uint64_t taken = take_across(g, edges, p->edge), end = taken;
    struct step step;
    uint64_t i = 0;
    do {
        memcpy(&step, steps + i * sizeof step, sizeof step);
    } while (step.upto < taken && ++i < p->nsteps);
    g->t.count += step.count;
    if (step.end > 0)
        end = step.end;
    g->t.free = end > 0 ? p->len - end : g->t.free + p->len;
    keep_last(g, edges + p->edge, p->edge);
    if (g->t.free > g->t.edge)
        g->t.free = g->t.edge;
}

/* Folds the piece at *at, and moves *at behind it. False: it is none. */
static bool next_piece(struct folding *g, const char **at, const char *end)
{
    struct piece p;
    if ((size_t)(end - *at) < sizeof p)
        return false;
    memcpy(&p, *at, sizeof p);
    size_t left = (size_t)(end - *at) - sizeof p;
    if (p.nsteps == 0 || p.nsteps > FIND_MAX || p.edge >= g->find->len ||
        left < p.nsteps * sizeof(struct step) + 2 * p.edge)
        return false;
    const char *steps = *at + sizeof p;
    const char *edges = steps + p.nsteps * sizeof(struct step);
    fold_piece(g, &p, steps, edges);
    *at = edges + 2 * p.edge;
    return true;
}

static int bad_part(struct qerr *e)
{
    return qerr_set(e, Q_ECHECK, "a part of a count is damaged");
}

static int count_fold(const struct kernel_state *state, struct qbuf *total,
                      const char *part, size_t len, struct qerr *e)
{
    struct folding g;
    g.find = &((const struct count_state *)state)->find;
    bool right = get_total(&g, total);
    for (const char *at = part; right && at < part + len;)
        right = next_piece(&g, &at, part + len);
    return right ? put_total(&g, total, e) : bad_part(e);
}

static void add_row(struct rows *rows, uint64_t count, const char *name)
{
    rows_add(rows, COL_COUNT, count);
    rows_end(rows, COL_COUNT, rows->n);
    rows_set_value(rows, COL_INPUT, rows->n, VALUE_TEXT, name, strlen(name));
    rows->n++;
}

static int count_settle(const struct kernel_state *state, struct qbuf *total,
                        const char *name, struct rows *rows, struct qerr *e)
{
    struct folding g;
    g.find = &((const struct count_state *)state)->find;
    if (!get_total(&g, total))
        return bad_part(e);
    if (rows) {
        add_row(rows, g.t.count, name);
        g.t.all += g.t.count;
    }
    g.t = (struct total){.all = g.t.all};
    return put_total(&g, total, e);
}

static int count_result(const struct kernel_state *state, const struct qbuf *total,
                        struct rows *rows, struct qerr *e)
{
    const struct count_state *s = (const struct count_state *)state;
    struct folding g;
    if (!get_total(&g, total))
        return bad_part(e);
    if (s->many)
        add_row(rows, g.t.all, "total");
    return 0;
}

const struct kernel kernel_count = {
    .name = "count",
    .summary = "count a word in each file, stream or page",
    .description =
        "Prints 'COUNT INPUT' for each INPUT, and 'COUNT total' behind two or more: "
        "how "
        "often WORD stands there, also inside other words (terror contains error). The "
        "case of ASCII letters is ignored. Occurrences do not overlap; the leftmost "
        "counts. An INPUT that cannot be read to its end is a bad record, and not part "
        "of the total.",
    .options = count_options,
    .operand = "word",
    .accepts = ACCEPT_STREAM,
    .open = count_open,
    .close = count_close,
    .attach = count_attach,
    .detach = count_detach,
    .run = count_run,
    .fold = count_fold,
    .result = count_result,
    .settle = count_settle,
};
