/*
 * factor: the prime factors of the number.
 *
 * Runs of 64-bit values go through the batch kernel, as many at a time as are expected
 * to take about a millisecond; what is larger is factored one by one. Ranges are sieved
 * where that is faster. A number that is
 * not finished keeps its composite rest in the column `cofactor`.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arith/factor64.h"
#include "arith/factorbig.h"
#include "arith/factorrange.h"
#include "arith/multiplicative.h"
#include "arith/prove.h"
#include "arith/trial.h"
#include "base/qclock.h"
#include "base/qlog.h"
#include "kernel.h"

static const char *const proof_words[] = {
    "", "deterministic-64", "mr13", "bls", "aprcl", "bpsw"};

/* The value plus 2; "" when the number is not finished. */
static const char *const mu_words[] = {"", "-1", "0", "1"};

/* Those from COL_OMEGA on are there with --columns only. */
enum {
    COL_N,
    COL_FACTORS,
    COL_COFACTOR,
    COL_PROOF,
    COL_OMEGA,
    COL_BIGOMEGA,
    COL_PHI,
    COL_MU,
    COL_SIGMA,
    COL_RADICAL,
    COLUMNS
};

enum { RANGE_MS = 2 }; /* a claim of a range */

struct factor_state {
    struct kernel_state head;
    bool trial, prove;
    bool more; /* fill the columns from COL_OMEGA on */
};

/* "p1 p2 ..." or, with exponents, "p1^e1 p2 ...", a blank in front of each. */
static void put_factors(const struct rows *rows, size_t row, bool exponents,
                        struct rows_cursor *at, struct qbuf *out)
{
    const uint32_t *end = rows->cells[COL_FACTORS].end;
    uint32_t item = row > 0 ? end[row - 1] : 0;
    while (item < end[row]) {
        uint32_t next = item + 1;
        qbuf_putc(out, ' ');
        rows_put_item(rows, COL_FACTORS, item, at, out);
        while (exponents && next < end[row] &&
               rows_same_item(rows, COL_FACTORS, item, next, at))
            next++;
        if (next > item + 1)
            qbuf_printf(out, "^%" PRIu32, next - item);
        item = next;
    }
}

/* "N: p1 p2 ..." and " (C)" when C is left over. */
static void put_lines(const struct rows *rows, size_t from, size_t to, bool exponents,
                      struct qbuf *out)
{
    struct rows_cursor factors = {0, 0}, cofactor = {0, 0};
    const uint32_t *left = rows->cells[COL_COFACTOR].end;
    for (size_t i = from; i < to; i++) {
        rows_put_record(rows, i, out);
        qbuf_putc(out, ':');
        put_factors(rows, i, exponents, &factors, out);
        if (left[i] > (i > 0 ? left[i - 1] : 0)) {
            qbuf_puts(out, " (");
            rows_put_integers(rows, COL_COFACTOR, i, &cofactor, " ", out);
            qbuf_putc(out, ')');
        }
        qbuf_putc(out, '\n');
    }
}

static void text_factors(const struct rows *rows, size_t from, size_t to,
                         struct qbuf *out)
{
    if (rows->cells[COL_COFACTOR].nitems == 0)
        rows_put_lists(rows, from, to, COL_FACTORS, ":", " ", out);
    else
        put_lines(rows, from, to, false, out);
}

static void text_exponents(const struct rows *rows, size_t from, size_t to,
                           struct qbuf *out)
{
    put_lines(rows, from, to, true, out);
}

static const struct column factor_columns[] = {
    {"n", COLUMN_RECORD, NULL},         {"factors", COLUMN_INTEGERS, NULL},
    {"cofactor", COLUMN_INTEGER, NULL}, {"proof", COLUMN_WORD, proof_words},
    {"omega", COLUMN_INTEGER, NULL},    {"bigomega", COLUMN_INTEGER, NULL},
    {"phi", COLUMN_INTEGER, NULL},      {"mu", COLUMN_WORD, mu_words},
    {"sigma", COLUMN_INTEGER, NULL},    {"radical", COLUMN_INTEGER, NULL},
};
_Static_assert(sizeof factor_columns / sizeof *factor_columns == COLUMNS, "in order");
static const struct schema factor_schema = {
    .columns = factor_columns, .ncolumns = COL_OMEGA, .text = text_factors};
static const struct schema wide_schema = {
    .columns = factor_columns, .ncolumns = COLUMNS, .text = text_factors};
static const struct schema exponents_schema = {
    .columns = factor_columns, .ncolumns = COL_OMEGA, .text = text_exponents};

static const struct qopt factor_options[] = {
    {.name = "exponents",
     .letter = 'h',
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "print p^e for a prime that divides e > 1 times"},
    {.name = "method",
     .kind = QOPT_CHOICE,
     .effect = QOPT_RESULT,
     .value = "auto|trial",
     .fallback = "auto",
     .help = "'trial' divides by 2 and all odd numbers up to the square root"},
    {.name = "prove",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help =
         "prove factors above the proved range too, by factors of P-1 or by APR-CL up "
         "to 1000 digits; where that fails the number counts as unfinished"},
    {.name = NULL},
};

static int factor_open(struct kernel_state **state, const struct job *job,
                       struct qerr *e)
{
    struct factor_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->head.schema = job_flag(job, "exponents") ? &exponents_schema : &factor_schema;
    s->more = job_given(job, "columns");
    if (s->more)
        s->head.schema = &wide_schema;
    s->trial = strcmp(job_word(job, "method"), "trial") == 0;
    s->prove = job_flag(job, "prove");
    if (s->prove && !prove_has_helper())
        qlog_warn("the program quern-qs is not found (QUERN_LIBEXEC): "
                  "what needs APR-CL is not proved");
    s->head.range_ms = s->trial || s->more ? 0 : RANGE_MS;
    *state = &s->head;
    return 0;
}

static void factor_close(struct kernel_state *state)
{
    free(state);
}

/* --- the work --- */

enum {
    FEWEST = 64, /* numbers in a call of the batch kernel, when there are so many */
    HARD_DIGITS = 40,  /* a number of more may take milliseconds, or minutes */
    BATCH_NS = 1000000 /* its expected time */
};

struct factor_scratch {
    mpz_t n;
    struct factorbig big;
    struct multiplicative more;
    struct factorrange *range; /* NULL until there is one */
    struct qbuf digits;
    double ns_per_number; /* of the batch kernel, as last seen */
    double ns_per_large;  /* of numbers of 2^64 and more, on average */

    /* Factors of the 64-bit values among records [from, to), found before their turn;
     * where there is a larger one there are none. */
    size_t from, to;
    struct qbuf factors; /* of uint64_t */
    uint32_t end[NUMBERS_BLOCK];
};

static int factor_attach(const struct kernel_state *state, void **scratch,
                         struct qerr *e)
{
    (void)state;
    struct factor_scratch *w = calloc(1, sizeof *w);
    if (!w)
        return qerr_nomem(e);
    mpz_init(w->n);
    factorbig_init(&w->big);
    multiplicative_init(&w->more);
    w->ns_per_number = 20000;
    w->ns_per_large = 100000;
    *scratch = w;
    return 0;
}

static void factor_detach(void *scratch)
{
    struct factor_scratch *w = scratch;
    if (!w)
        return;
    mpz_clear(w->n);
    factorbig_release(&w->big);
    multiplicative_release(&w->more);
    factorrange_free(w->range);
    qbuf_release(&w->digits);
    qbuf_release(&w->factors);
    free(w);
}

static int wrong(struct qerr *e, uint64_t n)
{
    return qerr_set(e, Q_ECHECK,
                    "a factorization in the block of %" PRIu64 " did not check", n);
}

/* Rows [at, at + n) hold 64-bit values that have factors but no cofactor. */
static void end_rows(struct rows *rows, size_t at, size_t n)
{
    uint8_t *proof = rows->cells[COL_PROOF].word;
    const uint32_t *end = rows->cells[COL_FACTORS].end;
    for (size_t i = at; i < at + n; i++) {
        rows_end(rows, COL_COFACTOR, i);
        bool none = end[i] == (i > 0 ? end[i - 1] : 0);
        proof[i] = none ? PROOF_NONE : PROOF_DETERMINISTIC_64;
    }
}

/* Factors v[at .. at+n) into rows. */
static int factor_small(struct kernel_call *call, size_t at, size_t n, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    struct rows *rows = call->rows;
    struct cells *c = &rows->cells[COL_FACTORS];
    uint64_t *p = rows_reserve(rows, COL_FACTORS, n * FACTOR64_MAX);
    if (!p)
        return qerr_nomem(e);
    uint64_t start = qclock_ns();
    if (!factor64_batch(call->in->v + at, n, p, c->end + at, (uint32_t)c->nitems))
        return wrong(e, call->in->v[at]);
    c->nitems = c->end[at + n - 1];
    end_rows(rows, at, n);
    w->ns_per_number = (double)(qclock_ns() - start) / (double)n;
    return 0;
}

/* --- 64-bit values between larger ones --- */

/* How many of the `most` 64-bit values that come next to give to the batch kernel. */
static size_t batch_size(const struct factor_scratch *w, size_t most)
{
    double fit = BATCH_NS / (w->ns_per_number > 1 ? w->ns_per_number : 1);
    size_t n = fit < FEWEST ? FEWEST : (size_t)fit;
    return n < most ? n : most;
}

/* How many records from `at` on to look at together: as many 64-bit values as make a
 * batch, as long as the larger ones between them (the next one is big[big]) leave time
 * to give the answers. *small is how many are of 64 bits. */
static size_t window_size(const struct kernel_call *call, size_t at, size_t big,
                          size_t *small)
{
    const struct factor_scratch *w = call->scratch;
    const struct numbers *in = call->in;
    uint64_t now = qclock_ns();
    double left = now < call->deadline_ns ? (double)(call->deadline_ns - now) / 2 : 0;
    size_t most = batch_size(w, in->n - at), i = at;
    for (*small = 0; i < in->n && *small < most; i++) {
        if (big == in->nbig || in->big[big] != i) {
            ++*small;
            continue;
        }
        left -= w->ns_per_large;
        if (left < 0 || in->len[i] > HARD_DIGITS)
            break;
        big++;
    }
    return i - at;
}

/* Factors the 64-bit values of records [at, at + n), `small` of them, ahead of their
 * turn: numbers in lockstep want company. A larger one stands there as 0. */
static int look_ahead(struct kernel_call *call, size_t at, size_t n, size_t small,
                      struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    qbuf_clear(&w->factors);
    char *room = qbuf_reserve(&w->factors, n * FACTOR64_MAX * sizeof(uint64_t));
    if (!room)
        return qerr_nomem(e);
    uint64_t start = qclock_ns();
    if (!factor64_batch(call->in->v + at, n, (uint64_t *)(void *)room, w->end, 0))
        return wrong(e, call->in->v[at]);
    w->from = at;
    w->to = at + n;
    w->ns_per_number = (double)(qclock_ns() - start) / (double)small;
    return 0;
}

/* Rows [at, at + n), which look_ahead has factored. */
static int take_ahead(struct kernel_call *call, size_t at, size_t n, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    struct cells *c = &call->rows->cells[COL_FACTORS];
    const uint64_t *found = (const uint64_t *)(const void *)w->factors.data;
    uint32_t begin = at > w->from ? w->end[at - 1 - w->from] : 0;
    uint32_t count = w->end[at + n - 1 - w->from] - begin;
    uint64_t *p = rows_reserve(call->rows, COL_FACTORS, count);
    if (!p)
        return qerr_nomem(e);
    memcpy(p, found + begin, count * sizeof *p);
    for (size_t i = at; i < at + n; i++)
        c->end[i] = (uint32_t)c->nitems + w->end[i - w->from] - begin;
    c->nitems += count;
    end_rows(call->rows, at, n);
    return 0;
}

/* The same by trial division, one number; what is not finished in time is left over. */
static int trial_small(struct kernel_call *call, size_t at, struct qerr *e)
{
    struct rows *rows = call->rows;
    struct cells *c = &rows->cells[COL_FACTORS];
    uint64_t v = call->in->v[at], product = 1;
    uint64_t *p = rows_reserve(rows, COL_FACTORS, FACTOR64_MAX);
    if (!p)
        return qerr_nomem(e);
    int n = trial_factor64(v, p, call->stop);
    if (kernel_stopped(call)) {
        rows_end(rows, COL_FACTORS, at);
        rows_add(rows, COL_COFACTOR, v);
        end_rows(rows, at, 1);
        rows->unfinished++;
        return 0;
    }
    for (int i = 0; i < n; i++)
        product *= p[i];
    if (v > 1 && product != v)
        return wrong(e, v);
    c->nitems += (size_t)n;
    rows_end(rows, COL_FACTORS, at);
    end_rows(rows, at, 1);
    return 0;
}

static int add_big(struct rows *rows, unsigned column, const mpz_t z,
                   struct qbuf *digits, struct qerr *e)
{
    if (big_fits(z)) {
        rows_add(rows, column, big_u64(z));
        return 0;
    }
    qbuf_clear(digits);
    char *to = qbuf_reserve(digits, big_print_size(z));
    if (!to)
        return qerr_nomem(e);
    rows_add_digits(rows, column, to, big_print(to, z));
    return 0;
}

/* --- the columns from COL_OMEGA on --- */

/* Fills them from w->more; `known` false leaves them empty. */
static int put_more(struct kernel_call *call, size_t row, bool known, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    struct rows *rows = call->rows;
    const struct multiplicative *m = &w->more;
    int rc = 0;
    if (known) {
        rows_add(rows, COL_OMEGA, m->omega);
        rows_add(rows, COL_BIGOMEGA, m->bigomega);
        rc = add_big(rows, COL_PHI, m->phi, &w->digits, e);
        if (rc == 0)
            rc = add_big(rows, COL_SIGMA, m->sigma, &w->digits, e);
        if (rc == 0)
            rc = add_big(rows, COL_RADICAL, m->radical, &w->digits, e);
    }
    rows->cells[COL_MU].word[row] = (uint8_t)(known ? m->mu + 2 : 0);
    rows_end(rows, COL_OMEGA, row);
    rows_end(rows, COL_BIGOMEGA, row);
    rows_end(rows, COL_PHI, row);
    rows_end(rows, COL_SIGMA, row);
    rows_end(rows, COL_RADICAL, row);
    return rc;
}

/* Of rows [at, at + n), which hold 64-bit values. 0 has none of them. */
static int more_small(struct kernel_call *call, size_t at, size_t n, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    const struct cells *factors = &call->rows->cells[COL_FACTORS];
    const uint32_t *left = call->rows->cells[COL_COFACTOR].end;
    int rc = 0;
    for (size_t row = at; rc == 0 && row < at + n; row++) {
        uint32_t item = row > 0 ? factors->end[row - 1] : 0;
        multiplicative_clear(&w->more);
        while (item < factors->end[row]) {
            uint32_t first = item++;
            while (item < factors->end[row] && factors->v[item] == factors->v[first])
                item++;
            big_set(w->n, factors->v[first]);
            multiplicative_add(&w->more, w->n, item - first);
        }
        bool finished = left[row] == (row > 0 ? left[row - 1] : 0);
        rc = put_more(call, row, finished && call->in->v[row] > 0, e);
    }
    return rc;
}

/* Of the row of w->big. */
static int more_large(struct kernel_call *call, size_t row, bool known, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    const struct factorbig *big = &w->big;
    multiplicative_clear(&w->more);
    for (size_t i = 0; known && i < big->n;) {
        size_t first = i++;
        while (i < big->n && mpz_cmp(big->p[i], big->p[first]) == 0)
            i++;
        multiplicative_add(&w->more, big->p[first], (uint32_t)(i - first));
    }
    return put_more(call, row, known, e);
}

/* The same of record `at`, which is 2^64 or more. */
static int wrong_large(const struct kernel_call *call, size_t at, struct qerr *e)
{
    uint32_t len = call->in->len[at];
    return qerr_set(e, Q_ECHECK, "the factorization of %.*s%s did not check",
                    (int)(len < 80 ? len : 80), call->in->digits[at],
                    len < 80 ? "" : "...");
}

/* Factors record `at`, which is 2^64 or more, into its row. */
static int factor_large(const struct factor_state *s, struct kernel_call *call,
                        size_t at, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    struct rows *rows = call->rows;
    if (!big_parse(w->n, call->in->digits[at], call->in->len[at]))
        return qerr_nomem(e);
    enum factorbig_status status = s->trial ? trial_factor(&w->big, w->n, call->stop)
                                            : factorbig(&w->big, w->n, call->stop);
    enum prove_status proved =
        s->prove && status != FACTORBIG_WRONG && status != FACTORBIG_NOMEM
            ? prove_factors(&w->big, call->stop)
            : PROVE_PRIME;
    if (status == FACTORBIG_NOMEM)
        return qerr_nomem(e);
    if (status == FACTORBIG_WRONG || proved == PROVE_COMPOSITE)
        return wrong_large(call, at, e);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->big.n; i++)
        rc = add_big(rows, COL_FACTORS, w->big.p[i], &w->digits, e);
    rows_end(rows, COL_FACTORS, at);
    if (rc == 0 && status != FACTORBIG_DONE)
        rc = add_big(rows, COL_COFACTOR, w->big.cofactor, &w->digits, e);
    if (status != FACTORBIG_DONE || proved != PROVE_PRIME)
        rows->unfinished++;
    rows_end(rows, COL_COFACTOR, at);
    rows->cells[COL_PROOF].word[at] = (uint8_t)w->big.proof;
    if (rc == 0 && s->more)
        rc = more_large(call, at, status == FACTORBIG_DONE, e);
    return rc;
}

/* The next 64-bit values, up to `run` of them; the next larger one is big[big]. *n is
 * how many are answered: perhaps none yet, but found. */
static int factor_next(const struct factor_state *s, struct kernel_call *call,
                       size_t at, size_t run, size_t big, size_t *n, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    size_t small = 0, window = 0;
    if (s->trial) {
        *n = 1;
        return trial_small(call, at, e);
    }
    if (at >= w->to && run < FEWEST && big < call->in->nbig)
        window = window_size(call, at, big, &small);
    if (small > run) {
        *n = 0;
        return look_ahead(call, at, window, small, e);
    }
    if (at < w->to) {
        *n = w->to - at < run ? w->to - at : run;
        return take_ahead(call, at, *n, e);
    }
    *n = batch_size(w, run);
    return factor_small(call, at, *n, e);
}

/* The average forgets slowly; one that takes long says little of the next. */
static void note_large(struct factor_scratch *w, uint64_t ns)
{
    double seen = ns < BATCH_NS ? (double)ns : BATCH_NS;
    w->ns_per_large += (seen - w->ns_per_large) / 8;
}

static int factor_run(const struct kernel_state *state, struct kernel_call *call,
                      struct qerr *e)
{
    const struct factor_state *s = (const struct factor_state *)state;
    const struct numbers *in = call->in;
    struct factor_scratch *w = call->scratch;
    size_t at = 0, big = 0;
    w->from = w->to = 0;
    while (at < in->n && !kernel_stopped(call)) {
        size_t run = big < in->nbig ? in->big[big] - at : in->n - at, n = 1;
        int rc;
        /* What may take long is not begun with answers in hand: they go out first. */
        if (run == 0 && at > 0 && in->len[at] > HARD_DIGITS)
            break;
        if (run == 0) {
            uint64_t start = qclock_ns();
            rc = factor_large(s, call, at, e);
            note_large(w, qclock_ns() - start);
            big++;
        } else {
            rc = factor_next(s, call, at, run, big, &n, e);
        }
        if (rc == 0 && run > 0 && s->more)
            rc = more_small(call, at, n, e);
        if (rc < 0)
            return rc;
        at += n;
        if (n > 0 && qclock_ns() >= call->deadline_ns)
            break;
    }
    call->rows->n = at;
    return 0;
}

/* The integers as numbers, factored each on its own. */
static int range_by_numbers(const struct kernel_state *state, struct kernel_call *call,
                            struct kernel_range *range, struct qerr *e)
{
    struct numbers *in = range->shown;
    uint64_t n = range->count < NUMBERS_BLOCK ? range->count : NUMBERS_BLOCK;
    for (size_t i = 0; i < n; i++)
        numbers_set(in, i, range->first + i);
    call->in = in;
    int rc = factor_run(state, call, e);
    range->answered = call->rows->n;
    return rc;
}

static int factor_run_range(const struct kernel_state *state, struct kernel_call *call,
                            struct kernel_range *range, struct qerr *e)
{
    struct factor_scratch *w = call->scratch;
    struct rows *rows = call->rows;
    struct cells *c = &rows->cells[COL_FACTORS];
    if (!factorrange_pays(w->range, range->first, range->count + range->ahead))
        return range_by_numbers(state, call, range, e);
    if (!w->range && !(w->range = factorrange_new()))
        return qerr_nomem(e);
    uint64_t *p = rows_reserve(rows, COL_FACTORS, NUMBERS_BLOCK * FACTOR64_MAX);
    if (!p)
        return qerr_nomem(e);
    int n = factorrange(w->range, range->first, range->count, p, c->end, 0);
    if (n == 0)
        return qerr_nomem(e);
    if (n < 0)
        return wrong(e, range->first);
    for (size_t i = 0; i < (size_t)n; i++)
        numbers_set(range->shown, i, range->first + i);
    c->nitems = c->end[n - 1];
    memset(rows->cells[COL_COFACTOR].end, 0,
           (size_t)n * sizeof *rows->cells[COL_COFACTOR].end);
    memset(rows->cells[COL_PROOF].word, PROOF_DETERMINISTIC_64, (size_t)n);
    if (range->first < 2) /* 0 and 1 have no factors */
        end_rows(rows, 0, (size_t)n);
    rows->n = range->answered = (size_t)n;
    return 0;
}

const struct kernel kernel_factor = {
    .name = "factor",
    .summary = "print the prime factors of each integer",
    .description =
        "Prints 'N: p1 p2 ...' for each integer, its prime factors ascending with "
        "repetition, byte for byte what GNU factor prints. Every factorization is "
        "multiplied back before it is printed. Numbers of up to 70 digits are always "
        "factored completely; what is left of a larger one stands at the end of the "
        "line as '(C)', and the exit status is 1.\n\n"
        "The other formats have the columns n, factors, cofactor, proof, and, with "
        "--columns, also omega, bigomega (how many primes divide N, without and with "
        "repetition), phi, mu, sigma and radical. These are empty for 0 and for what "
        "is not finished; for 1 they are 0, 0, 1, 1, 1, 1.",
    .options = factor_options,
    .open = factor_open,
    .close = factor_close,
    .attach = factor_attach,
    .detach = factor_detach,
    .run = factor_run,
    .run_range = factor_run_range,
};
