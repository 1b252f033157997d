/*
 * sumsq: S(n) = 0^2 + 1^2 + ... + (n-1)^2 for each n, exact at any size; or one total.
 *
 * The state of a part is the decimal text of its sum.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/sumsq.h"
#include "base/qclock.h"
#include "kernel.h"

enum { COL_N, COL_SUM };

enum fold { FOLD_NONE, FOLD_TOTAL, FOLD_SQUARES };

struct sumsq_state {
    struct kernel_state head;
    bool loop;
    enum fold fold;
};

static void text_sums(const struct rows *rows, size_t from, size_t to, struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        rows_put_record(rows, i, out);
        qbuf_putc(out, ' ');
        size_t before = out->len;
        rows_put_integers(rows, COL_SUM, i, &at, " ", out);
        if (out->len == before)
            qbuf_puts(out, "unfinished");
        qbuf_putc(out, '\n');
    }
}

static void text_total(const struct rows *rows, size_t from, size_t to,
                       struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        rows_put_integers(rows, 0, i, &at, " ", out);
        qbuf_putc(out, '\n');
    }
}

static const struct column sum_columns[] = {
    {"n", COLUMN_RECORD, NULL},
    {"sumsq", COLUMN_INTEGER, NULL},
};
static const struct column total_columns[] = {{"total", COLUMN_INTEGER, NULL}};
static const struct column fold_columns[] = {{"fold", COLUMN_INTEGER, NULL}};
static const struct schema sum_schema = {
    .columns = sum_columns, .ncolumns = 2, .text = text_sums};
static const struct schema total_schema = {
    .columns = total_columns, .ncolumns = 1, .text = text_total};
static const struct schema fold_schema = {
    .columns = fold_columns, .ncolumns = 1, .text = text_total};

static const struct qopt sumsq_options[] = {
    {.name = "total",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "print only the sum of all S(n), the bare number (without those that "
             "--time-per-item left unfinished)"},
    {.name = "fold",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "print only the sum of the squares of all values, the bare number"},
    {.name = "method",
     .kind = QOPT_CHOICE,
     .effect = QOPT_RESULT,
     .value = "closed|loop",
     .fallback = "closed",
     .help = "S(n) by its closed form, or by really adding up the squares"},
    {.name = NULL},
};

static int sumsq_open(struct kernel_state **state, const struct job *job,
                      struct qerr *e)
{
    bool total = job_flag(job, "total"), fold = job_flag(job, "fold");
    if (total && fold)
        return qerr_set(e, Q_EUSAGE, "--total and --fold ask for different sums");
    struct sumsq_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->loop = strcmp(job_word(job, "method"), "loop") == 0;
    s->fold = total ? FOLD_TOTAL : fold ? FOLD_SQUARES : FOLD_NONE;
    s->head.folds = s->fold != FOLD_NONE;
    s->head.schema = total ? &total_schema : fold ? &fold_schema : &sum_schema;
    *state = &s->head;
    return 0;
}

static void sumsq_close(struct kernel_state *state)
{
    free(state);
}

/* --- the work --- */

enum { LOOK_AT_CLOCK = 256 }; /* records of the closed form between two looks */

struct sumsq_scratch {
    mpz_t n, s;
    struct sumsq_total total;
    struct qbuf digits;
};

static int sumsq_attach(const struct kernel_state *state, void **scratch,
                        struct qerr *e)
{
    (void)state;
    struct sumsq_scratch *w = calloc(1, sizeof *w);
    if (!w)
        return qerr_nomem(e);
    mpz_init(w->n);
    mpz_init(w->s);
    sumsq_total_init(&w->total);
    *scratch = w;
    return 0;
}

static void sumsq_detach(void *scratch)
{
    struct sumsq_scratch *w = scratch;
    if (!w)
        return;
    mpz_clear(w->n);
    mpz_clear(w->s);
    sumsq_total_release(&w->total);
    qbuf_release(&w->digits);
    free(w);
}

static void add_mpz(struct rows *rows, unsigned column, const mpz_t z,
                    struct qbuf *digits)
{
    qbuf_clear(digits);
    char *to = qbuf_reserve(digits, big_print_size(z));
    if (to)
        rows_add_digits(rows, column, to, big_print(to, z));
    else
        rows->failed = true;
}

static void add_limbs(struct rows *rows, const uint64_t limbs[SUMSQ_LIMBS],
                      struct sumsq_scratch *w)
{
    mpz_import(w->s, SUMSQ_LIMBS, -1, sizeof *limbs, 0, 0, limbs);
    add_mpz(rows, COL_SUM, w->s, &w->digits);
}

/* A value below 2^64. False on stop. */
static bool one_small(const struct sumsq_state *s, struct kernel_call *call, size_t i)
{
    struct sumsq_scratch *w = call->scratch;
    uint64_t n = call->in->v[i], limbs[SUMSQ_LIMBS];
    if (s->fold == FOLD_SQUARES) {
        sumsq_total_squares(&w->total, &n, 1);
        return true;
    }
    if (s->loop) {
        if (!sumsq_loop(limbs, n, call->stop))
            return false;
    } else if (s->fold == FOLD_NONE) {
        char digits[SUMSQ_DIGITS];
        rows_add_digits(call->rows, COL_SUM, digits, sumsq_print(digits, n));
        return true;
    } else {
        sumsq_closed(limbs, n);
    }
    if (s->fold == FOLD_TOTAL)
        sumsq_total_add(&w->total, limbs);
    else
        add_limbs(call->rows, limbs, w);
    return true;
}

/* The same for any size. False on stop, or (rows->failed) without memory. */
static bool one_big(const struct sumsq_state *s, struct kernel_call *call, size_t i)
{
    struct sumsq_scratch *w = call->scratch;
    if (!big_parse(w->n, call->in->digits[i], call->in->len[i])) {
        call->rows->failed = true;
        return false;
    }
    if (s->fold == FOLD_SQUARES) {
        sumsq_total_square_big(&w->total, w->n);
        return true;
    }
    if (!s->loop)
        sumsq_closed_big(w->s, w->n);
    else if (!sumsq_loop_big(w->s, w->n, call->stop))
        return false;
    if (s->fold == FOLD_TOTAL)
        sumsq_total_add_big(&w->total, w->s);
    else
        add_mpz(call->rows, COL_SUM, w->s, &w->digits);
    return true;
}

/* Answers records until the block or the time is up; returns how many. The one at which
 * a stop comes is unfinished: its cell is empty, or it is missing in the total. */
static size_t answer_records(const struct sumsq_state *s, struct kernel_call *call)
{
    const struct numbers *in = call->in;
    size_t i = 0, big = 0;
    while (i < in->n && !call->rows->failed) {
        bool is_big = big < in->nbig && in->big[big] == i;
        big += is_big;
        if (!(is_big ? one_big(s, call, i) : one_small(s, call, i)))
            call->rows->unfinished++;
        if (s->fold == FOLD_NONE)
            rows_end(call->rows, COL_SUM, i);
        i++;
        bool look = s->loop || is_big || i % LOOK_AT_CLOCK == 0;
        if (look && (kernel_stopped(call) || qclock_ns() >= call->deadline_ns))
            break;
    }
    return i;
}

static int put_total(struct qbuf *b, const struct sumsq_total *total, mpz_t tmp,
                     struct qerr *e)
{
    sumsq_total_value(total, tmp);
    qbuf_clear(b);
    char *to = qbuf_reserve(b, big_print_size(tmp));
    if (to)
        b->len = big_print(to, tmp);
    return qbuf_check(b, e);
}

static int sumsq_run(const struct kernel_state *state, struct kernel_call *call,
                     struct qerr *e)
{
    const struct sumsq_state *s = (const struct sumsq_state *)state;
    struct sumsq_scratch *w = call->scratch;
    sumsq_total_clear(&w->total);
    if (s->fold == FOLD_SQUARES && call->in->nbig == 0) {
        sumsq_total_squares(&w->total, call->in->v, call->in->n);
        call->rows->n = call->in->n;
    } else {
        call->rows->n = answer_records(s, call);
    }
    if (s->fold == FOLD_NONE)
        return 0;
    if (call->part->len > 0 &&
        !sumsq_total_add_digits(&w->total, call->part->data, call->part->len))
        return qerr_nomem(e);
    return put_total(call->part, &w->total, w->s, e);
}

static int sumsq_fold(const struct kernel_state *state, struct qbuf *total,
                      const char *part, size_t len, struct qerr *e)
{
    (void)state;
    struct sumsq_total sum;
    mpz_t tmp;
    sumsq_total_init(&sum);
    mpz_init(tmp);
    bool ok =
        sumsq_total_add_digits(&sum, part, len) &&
        (total->len == 0 || sumsq_total_add_digits(&sum, total->data, total->len));
    int rc = ok ? put_total(total, &sum, tmp, e) : qerr_nomem(e);
    mpz_clear(tmp);
    sumsq_total_release(&sum);
    return rc;
}

static int sumsq_result(const struct kernel_state *state, const struct qbuf *total,
                        struct rows *rows, struct qerr *e)
{
    (void)state;
    (void)e;
    rows_set_sum(rows, total->data, total->len);
    return 0;
}

const struct kernel kernel_sumsq = {
    .name = "sumsq",
    .summary = "the sum of the squares below each integer",
    .description =
        "Prints 'N S' for each integer, with S the sum of i^2 for 0 <= i < N, "
        "exact at any size.",
    .options = sumsq_options,
    .open = sumsq_open,
    .close = sumsq_close,
    .attach = sumsq_attach,
    .detach = sumsq_detach,
    .run = sumsq_run,
    .fold = sumsq_fold,
    .result = sumsq_result,
};
