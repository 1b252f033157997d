/*
 * prime: is the number prime?
 *
 * A block's 64-bit values go through the batch kernel in one call, those below 2^128
 * through theirs in groups; the few that are larger are tested one by one. With --prove
 * what has come out as probable is then proved, one by one. With --count a part is four
 * counters. A range of which only the primes matter, or how many there are, is not
 * tested number by number.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/decimal.h"
#include "arith/prime128.h"
#include "arith/prime64.h"
#include "arith/primebig.h"
#include "arith/primerange.h"
#include "arith/prove.h"
#include "arith/trial.h"
#include "base/qcgroup.h"
#include "base/qclock.h"
#include "base/qlog.h"
#include "kernel.h"

/* Order as in enum prime_class; then what --time-per-item leaves. */
static const char *const class_words[] = {"neither", "composite", "prime", "probable",
                                          "unfinished"};
enum { CLASS_UNFINISHED = CLASS_PROBABLE + 1, CLASSES };

/* Order as in enum prime_proof. */
static const char *const proof_words[] = {
    "", "deterministic-64", "mr13", "bls", "aprcl", "bpsw"};

enum { COL_N, COL_CLASS, COL_PROOF };

enum only { ONLY_ALL, ONLY_PRIME, ONLY_COMPOSITE };

struct prime_state {
    struct kernel_state head;
    bool trial, prove;
    enum only only;
};

/* --- text --- */

static void text_class(const struct rows *rows, size_t from, size_t to,
                       struct qbuf *out)
{
    rows_put_words(rows, from, to, COL_CLASS, out);
}

static void text_counts(const struct rows *rows, size_t from, size_t to,
                        struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        qbuf_puts(out, class_words[rows->cells[0].word[i]]);
        qbuf_putc(out, ' ');
        rows_put_integers(rows, 1, i, &at, " ", out);
        qbuf_putc(out, '\n');
    }
}

static void text_one_count(const struct rows *rows, size_t from, size_t to,
                           struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        rows_put_integers(rows, 1, i, &at, " ", out);
        qbuf_putc(out, '\n');
    }
}

static const struct column class_columns[] = {
    {"n", COLUMN_RECORD, NULL},
    {"class", COLUMN_WORD, class_words},
    {"proof", COLUMN_WORD, proof_words},
};
static const struct column count_columns[] = {
    {"class", COLUMN_WORD, class_words},
    {"count", COLUMN_INTEGER, NULL},
};
static const struct schema class_schema = {
    .columns = class_columns, .ncolumns = 3, .text = text_class};
static const struct schema number_schema = {
    .columns = class_columns, .ncolumns = 3, .text = rows_put_records};
static const struct schema count_schema = {
    .columns = count_columns, .ncolumns = 2, .text = text_counts};
static const struct schema one_count_schema = {
    .columns = count_columns, .ncolumns = 2, .text = text_one_count};

/* --- options --- */

static const struct qopt prime_options[] = {
    {.name = "only",
     .kind = QOPT_CHOICE,
     .effect = QOPT_RESULT,
     .value = "prime|composite",
     .help = "print just the numbers of that class, one a line ('prime' includes those "
             "not proved, which are counted on standard error)"},
    {.name = "count",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "print how many there are of each class; with --only, the bare number"},
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
         "prove what would be 'probable': by factors of N-1, or by APR-CL up to 1000 "
         "digits; what stays 'probable' all the same counts as unfinished"},
    {.name = NULL},
};

/* The ends of the ranges decide how large a claim pays (more than 64 bits: 2^64). That
 * loads libprimesieve: now, while there is memory and one thread. */
static void plan_ranges(struct kernel_state *s, const struct job *job)
{
    primerange_limit(qcgroup_memory(""));
    for (size_t i = 0; i < job->ninputs; i++) {
        const struct input *in = &job->inputs[i];
        const char *dots = in->kind == INPUT_RANGE ? strstr(in->text, "..") : NULL;
        uint64_t least;
        unsigned ms;
        if (!dots)
            continue;
        primerange_claim(strtoull(in->text, NULL, 10), strtoull(dots + 2, NULL, 10),
                         s->folds, &least, &ms);
        s->range_least = least > s->range_least ? least : s->range_least;
        s->range_ms = ms > s->range_ms ? ms : s->range_ms;
    }
}

static int prime_open(struct kernel_state **state, const struct job *job,
                      struct qerr *e)
{
    struct prime_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->trial = strcmp(job_word(job, "method"), "trial") == 0;
    s->prove = job_flag(job, "prove");
    if (s->prove && !prove_has_helper())
        qlog_warn("the program quern-qs is not found (QUERN_LIBEXEC): "
                  "what needs APR-CL is not proved");
    const char *only = job_word(job, "only");
    if (only)
        s->only = strcmp(only, "prime") == 0 ? ONLY_PRIME : ONLY_COMPOSITE;
    s->head.folds = job_flag(job, "count");
    if (!s->trial && (s->head.folds || s->only == ONLY_PRIME))
        plan_ranges(&s->head, job);
    if (s->head.folds)
        s->head.schema = only ? &one_count_schema : &count_schema;
    else
        s->head.schema = only ? &number_schema : &class_schema;
    *state = &s->head;
    return 0;
}

static void prime_close(struct kernel_state *state)
{
    free(state);
}

/* --- the work --- */

/* Numbers below 2^128 between looks at the clock: less than a millisecond. */
enum { GROUP = 64 };

struct prime_scratch {
    mpz_t n;
    uint64_t unproved;        /* of this call, in spite of --prove */
    struct primerange *range; /* NULL until there is one */
    uint128 group[GROUP];
    uint8_t group_class[GROUP], group_proof[GROUP];
    _Alignas(8) uint8_t class[NUMBERS_BLOCK], proof[NUMBERS_BLOCK];
};

static int prime_attach(const struct kernel_state *state, void **scratch,
                        struct qerr *e)
{
    (void)state;
    struct prime_scratch *w = malloc(sizeof *w);
    if (!w)
        return qerr_nomem(e);
    mpz_init(w->n);
    w->range = NULL;
    *scratch = w;
    return 0;
}

static void prime_detach(void *scratch)
{
    struct prime_scratch *w = scratch;
    if (!w)
        return;
    mpz_clear(w->n);
    primerange_free(w->range);
    free(w);
}

/* Turns the 0 and 1 of the batch kernel into classes and proofs, eight at a time: 1
 * more is COMPOSITE and PRIME, itself NONE and DETERMINISTIC_64. What is below 2 is
 * rare. */
_Static_assert(CLASS_NEITHER == 0 && CLASS_COMPOSITE == 1 && CLASS_PRIME == 2, "order");
_Static_assert(PROOF_NONE == 0 && PROOF_DETERMINISTIC_64 == 1, "order");

static void classify(const uint64_t *v, size_t n, uint8_t *class, uint8_t *proof)
{
    size_t tiny = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++)
        tiny += v[i] < 2;
    memcpy(proof, class, n);
    for (size_t i = 0; i < n; i += 8) {
        uint64_t eight; /* `class` has room for whole eights */
        memcpy(&eight, class + i, sizeof eight);
        eight += UINT64_C(0x0101010101010101);
        memcpy(class + i, &eight, sizeof eight);
    }
    for (size_t i = 0; i < n && tiny > 0; i++)
        if (v[i] < 2)
            class[i] = CLASS_NEITHER;
}

/* Class of a number of 2^64 and more; a stop is the caller's concern. */
static int test_big(const struct prime_state *s, struct kernel_call *call, uint32_t i,
                    struct prime_scratch *w, struct qerr *e)
{
    enum prime_class class = CLASS_COMPOSITE;
    enum prime_proof proof = PROOF_NONE;
    if (!big_parse(w->n, call->in->digits[i], call->in->len[i]))
        return qerr_nomem(e);
    if (!s->trial)
        (void)primebig_until(w->n, call->stop, &class, &proof);
    else if (trial_prime(w->n, call->stop)) /* what else proves it names the proof */
        (void)primebig_until(w->n, call->stop, &class, &proof);
    w->class[i] = (uint8_t) class;
    w->proof[i] = (uint8_t)proof;
    return 0;
}

/* Tests as many of the large numbers big[from..to) as are below 2^128, up to the first
 * that is not, at most `max` of them. Returns how many. */
static size_t test_group(const struct numbers *in, size_t from, size_t to, size_t max,
                         struct prime_scratch *w)
{
    size_t count = 0;
    for (; count < max && from + count < to; count++) {
        uint32_t i = in->big[from + count];
        uint64_t high, low;
        if (!decimal_parse128(in->digits[i], in->len[i], &high, &low))
            break;
        w->group[count] = (uint128)high << 64 | low;
    }
    prime128_batch(w->group, count, w->group_class, w->group_proof);
    for (size_t k = 0; k < count; k++) {
        w->class[in->big[from + k]] = w->group_class[k];
        w->proof[in->big[from + k]] = w->group_proof[k];
    }
    return count;
}

/* Classes of the large numbers among the first n records, into scratch. Returns n, or
 * how many records are answered when time is up, or a negative qcode. */
static int64_t test_large(const struct prime_state *s, struct kernel_call *call,
                          size_t n, struct qerr *e)
{
    const struct numbers *in = call->in;
    size_t nbig = in->nbig;
    while (nbig > 0 && in->big[nbig - 1] >= n)
        nbig--;
    for (size_t at = 0; at < nbig;) {
        size_t max = s->trial ? 0 : qclock_ns() < call->deadline_ns ? GROUP : 1;
        size_t done = test_group(in, at, nbig, max, call->scratch);
        if (done == 0) {
            int rc = test_big(s, call, in->big[at], call->scratch, e);
            if (rc < 0)
                return rc;
            done = 1;
        }
        at += done;
        if (qclock_ns() >= call->deadline_ns || kernel_stopped(call))
            return (int64_t)in->big[at - 1] + 1;
    }
    return (int64_t)n;
}

/* The plain loop, a record at a time: it is slow by request. */
static size_t test_by_trial(const struct kernel_call *call, struct prime_scratch *w)
{
    const struct numbers *in = call->in;
    size_t i = 0, big = 0;
    while (i < in->n && !kernel_stopped(call)) {
        if (big < in->nbig && in->big[big] == i)
            w->class[in->big[big++]] = 0; /* its turn comes behind the block */
        else
            w->class[i] = trial_prime64(in->v[i], call->stop);
        i++;
        if (qclock_ns() >= call->deadline_ns)
            break;
    }
    return i;
}

enum {
    LONG_DIGITS = 40 /* the proof of a number of more may take longer than its batch */
};

/* Proves large number `at`, which is probable; if that fails it stays so. */
static int prove_one(struct kernel_call *call, uint32_t at, struct qerr *e)
{
    struct prime_scratch *w = call->scratch;
    enum prime_proof proof = PROOF_NONE;
    if (!big_parse(w->n, call->in->digits[at], call->in->len[at]))
        return qerr_nomem(e);
    switch (prove(w->n, call->stop, &proof)) {
    case PROVE_PRIME:
        w->class[at] = CLASS_PRIME;
        w->proof[at] = (uint8_t)proof;
        break;
    case PROVE_COMPOSITE:
        w->class[at] = CLASS_COMPOSITE;
        w->proof[at] = PROOF_NONE;
        break;
    case PROVE_FAILED:
    case PROVE_STOPPED:
        w->unproved++;
        break;
    }
    return 0;
}

/* Proves what is probable among the first n records. Returns n, or how many records are
 * answered when time is up, or in front of a proof that may take long, or a negative
 * qcode. */
static int64_t prove_large(struct kernel_call *call, size_t n, struct qerr *e)
{
    const struct numbers *in = call->in;
    struct prime_scratch *w = call->scratch;
    for (size_t k = 0; k < in->nbig && in->big[k] < n; k++) {
        uint32_t at = in->big[k];
        if (w->class[at] != CLASS_PROBABLE)
            continue;
        if (at > 0 && in->len[at] > LONG_DIGITS)
            return at;
        int rc = prove_one(call, at, e);
        if (rc < 0)
            return rc;
        if (qclock_ns() >= call->deadline_ns || kernel_stopped(call))
            return (int64_t)at + 1;
    }
    return (int64_t)n;
}

/* Classes of the first records into scratch; returns how many, or a negative qcode. */
static int64_t test_block(const struct prime_state *s, struct kernel_call *call,
                          struct qerr *e)
{
    const struct numbers *in = call->in;
    struct prime_scratch *w = call->scratch;
    size_t n = in->n;
    w->unproved = 0;
    if (s->trial)
        n = test_by_trial(call, w);
    else
        prime64_batch(in->v, n, w->class);
    classify(in->v, n, w->class, w->proof);
    int64_t answered = test_large(s, call, n, e);
    if (kernel_stopped(call) && answered > 0) {
        w->class[answered - 1] = CLASS_UNFINISHED;
        w->proof[answered - 1] = PROOF_NONE;
    } else if (s->prove && answered > 0) {
        answered = prove_large(call, (size_t)answered, e);
    }
    return answered;
}

static void fill_rows(const struct prime_state *s, struct prime_scratch *w, size_t n,
                      struct rows *rows)
{
    memcpy(rows->cells[COL_CLASS].word, w->class, n);
    memcpy(rows->cells[COL_PROOF].word, w->proof, n);
    if (s->only == ONLY_ALL)
        return;
    for (size_t i = 0; i < n; i++)
        rows->keep_store[i] =
            s->only == ONLY_COMPOSITE
                ? w->class[i] == CLASS_COMPOSITE
                : w->class[i] == CLASS_PRIME || w->class[i] == CLASS_PROBABLE;
    rows->keep = rows->keep_store;
}

/* A part, and the total, of --count: how many there are of each class. */
struct counts {
    uint64_t of[CLASSES];
};

static struct counts get_counts(const struct qbuf *b)
{
    struct counts c = {{0}};
    if (b->len == sizeof c)
        memcpy(&c, b->data, sizeof c);
    return c;
}

static int put_counts(struct qbuf *b, const struct counts *c, struct qerr *e)
{
    qbuf_clear(b);
    qbuf_add(b, c, sizeof *c);
    return qbuf_check(b, e);
}

static struct counts count_classes(const uint8_t *class, size_t n)
{
    struct counts c = {{0}};
    for (size_t i = 0; i < n; i++)
        c.of[class[i]]++;
    return c;
}

/* Only large numbers can be probable, only the last one unfinished. */
static void count_unproved(struct kernel_call *call, const struct prime_scratch *w,
                           size_t n)
{
    const struct numbers *in = call->in;
    for (size_t i = 0; i < in->nbig && in->big[i] < n; i++)
        call->rows->probable += w->class[in->big[i]] == CLASS_PROBABLE;
    call->rows->unfinished =
        w->unproved + (n > 0 && w->class[n - 1] == CLASS_UNFINISHED);
}

static int prime_run(const struct kernel_state *state, struct kernel_call *call,
                     struct qerr *e)
{
    const struct prime_state *s = (const struct prime_state *)state;
    struct prime_scratch *w = call->scratch;
    int64_t n = test_block(s, call, e);
    if (n < 0)
        return (int)n;
    call->rows->n = (size_t)n;

    count_unproved(call, w, (size_t)n);
    if (!s->head.folds) {
        fill_rows(s, w, (size_t)n, call->rows);
        return 0;
    }
    struct counts here = count_classes(w->class, (size_t)n);
    struct counts part = get_counts(call->part);
    for (int i = 0; i < CLASSES; i++)
        part.of[i] += here.of[i];
    return put_counts(call->part, &part, e);
}

/* Adds the integers first .. first + n - 1, of which `primes` are prime. */
static int count_range(struct qbuf *part, uint64_t first, uint64_t n, uint64_t primes,
                       struct qerr *e)
{
    struct counts c = get_counts(part);
    uint64_t neither = first > 1 ? 0 : 2 - first < n ? 2 - first : n;
    c.of[CLASS_NEITHER] += neither;
    c.of[CLASS_PRIME] += primes;
    c.of[CLASS_COMPOSITE] += n - neither - primes;
    return put_counts(part, &c, e);
}

static int prime_run_range(const struct kernel_state *state, struct kernel_call *call,
                           struct kernel_range *range, struct qerr *e)
{
    struct prime_scratch *w = call->scratch;
    uint64_t first = range->first, primes = 0;
    if (!w->range && !(w->range = primerange_new()))
        return qerr_nomem(e);
    if (state->folds) {
        range->answered =
            primerange_count(w->range, first, range->count, range->ahead, &primes);
        if (range->answered == 0)
            return qerr_nomem(e);
        return count_range(call->part, first, range->answered, primes, e);
    }
    struct numbers *in = range->shown;
    struct rows *rows = call->rows;
    size_t n = 0;
    range->answered = primerange_list(w->range, first, range->count, range->ahead,
                                      in->v, NUMBERS_BLOCK, &n);
    if (range->answered == 0)
        return qerr_nomem(e);
    for (size_t i = 0; i < n; i++)
        numbers_set(in, i, in->v[i]);
    memset(rows->cells[COL_CLASS].word, CLASS_PRIME, n);
    memset(rows->cells[COL_PROOF].word, PROOF_DETERMINISTIC_64, n);
    rows->n = n;
    return 0;
}

static int prime_fold(const struct kernel_state *state, struct qbuf *total,
                      const char *part, size_t len, struct qerr *e)
{
    (void)state;
    struct counts sum = get_counts(total), add;
    if (len != sizeof add)
        return qerr_set(e, Q_ECHECK, "a part of a count has %zu bytes", len);
    memcpy(&add, part, sizeof add);
    for (int i = 0; i < CLASSES; i++)
        sum.of[i] += add.of[i];
    return put_counts(total, &sum, e);
}

static void add_count(struct rows *rows, enum prime_class class, uint64_t count)
{
    rows->cells[0].word[rows->n] = (uint8_t) class;
    rows_add(rows, 1, count);
    rows_end(rows, 1, rows->n);
    rows->n++;
}

static int prime_result(const struct kernel_state *state, const struct qbuf *total,
                        struct rows *rows, struct qerr *e)
{
    (void)e;
    const struct prime_state *s = (const struct prime_state *)state;
    struct counts c = get_counts(total);
    if (s->only == ONLY_PRIME) {
        add_count(rows, CLASS_PRIME, c.of[CLASS_PRIME] + c.of[CLASS_PROBABLE]);
    } else if (s->only == ONLY_COMPOSITE) {
        add_count(rows, CLASS_COMPOSITE, c.of[CLASS_COMPOSITE]);
    } else {
        static const enum prime_class order[] = {CLASS_PRIME, CLASS_COMPOSITE,
                                                 CLASS_NEITHER, CLASS_PROBABLE};
        for (size_t i = 0; i < sizeof order / sizeof *order; i++)
            add_count(rows, order[i], c.of[order[i]]);
    }
    return 0;
}

const struct kernel kernel_prime = {
    .name = "prime",
    .summary = "say of each integer whether it is prime",
    .description =
        "Prints 'N prime', 'N composite', or 'N neither' (0 and 1) for each integer. "
        "Answers are proved below 3317044064679887385961981 (about 2^81.5); above, "
        "what passes the Baillie-PSW test is 'N probable', unless --prove proves it.",
    .options = prime_options,
    .open = prime_open,
    .close = prime_close,
    .attach = prime_attach,
    .detach = prime_detach,
    .run = prime_run,
    .run_range = prime_run_range,
    .fold = prime_fold,
    .result = prime_result,
};
