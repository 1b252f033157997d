/*
 * calls: a kernel, called by hand as the engine calls it: open, attach, run on a block
 * that is made here, not parsed. For the tests of kernels.
 */
#ifndef QUERN_TESTS_CALLS_H
#define QUERN_TESTS_CALLS_H

#include <stdbool.h>
#include <string.h>

#include "base/qclock.h"
#include "jobs.h"
#include "unit.h"

struct calls {
    const struct kernel *kernel;
    struct job job;
    struct kernel_state *state;
    void *scratch;
    struct numbers *in;
    struct rows rows;
    struct qbuf part, text;
    atomic_bool stop;
    struct qerr e;
};

static inline void calls_begin(struct calls *c, const struct kernel *kernel,
                               const char *const *options)
{
    *c = (struct calls){.kernel = kernel, .e = QERR_INIT};
    atomic_init(&c->stop, false);
    job_make(&c->job, kernel, options);
    CU_ASSERT_EQUAL_FATAL(kernel->open(&c->state, &c->job, &c->e), 0);
    CU_ASSERT_EQUAL_FATAL(rows_init(&c->rows, c->state->schema, &c->e), 0);
    CU_ASSERT_EQUAL_FATAL(kernel->attach(c->state, &c->scratch, &c->e), 0);
    c->in = malloc(sizeof *c->in);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c->in);
    numbers_init(c->in);
}

static inline void calls_end(struct calls *c)
{
    c->kernel->detach(c->scratch);
    rows_release(&c->rows);
    c->kernel->close(c->state);
    job_release(&c->job);
    numbers_release(c->in);
    free(c->in);
    qbuf_release(&c->part);
    qbuf_release(&c->text);
}

/* --- records: a list of digits, with the room behind them that the contract asks for
 * --- */

struct records {
    size_t n;
    char (*digits)[NUMBERS_PAD + 96];
};

static inline struct records records_new(size_t most)
{
    struct records r = {0, calloc(most, sizeof *r.digits)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.digits);
    return r;
}

static inline void records_free(struct records *r)
{
    free(r->digits);
}

static inline void records_add(struct records *r, const char *digits)
{
    CU_ASSERT_FATAL(strlen(digits) < 96);
    strcpy(r->digits[r->n++], digits); /* style: allow banned: the length is checked */
}

static inline void records_add_u64(struct records *r, uint64_t v)
{
    snprintf(r->digits[r->n++], 96, "%" PRIu64, v);
}

/* Whether canonical digits are 2^64 or more. */
static inline bool is_large(const char *digits)
{
    static const char limit[] = "18446744073709551616";
    size_t len = strlen(digits);
    return len > 20 || (len == 20 && strcmp(digits, limit) >= 0);
}

/* The block of records [from, to). */
static inline void calls_block(struct calls *c, const struct records *r, size_t from,
                               size_t to)
{
    struct numbers *in = c->in;
    CU_ASSERT_FATAL(to - from <= NUMBERS_BLOCK);
    in->n = in->nbig = in->nbad = 0;
    for (size_t i = from; i < to; i++) {
        const char *digits = r->digits[i];
        bool large = is_large(digits);
        if (large)
            in->big[in->nbig++] = (uint32_t)in->n;
        in->v[in->n] = large ? 0 : strtoull(digits, NULL, 10);
        in->digits[in->n] = digits;
        in->len[in->n] = (uint32_t)strlen(digits);
        in->after[in->n] = i + 1;
        in->n++;
    }
}

/* --- running --- */

static inline int calls_run(struct calls *c, uint64_t deadline_ns)
{
    rows_clear(&c->rows, c->in);
    struct kernel_call call = {.in = c->in,
                               .rows = &c->rows,
                               .part = &c->part,
                               .scratch = c->scratch,
                               .deadline_ns = deadline_ns,
                               .stop = &c->stop};
    return c->kernel->run(c->state, &call, &c->e);
}

/* Answers the records block by block, each call with a deadline `patience_ns` from then
 * (UINT64_MAX: none), and appends their text. Folding kernels fill `part`. Returns how
 * many calls it took. */
static inline size_t calls_text(struct calls *c, const struct records *r, size_t from,
                                size_t to, size_t block, uint64_t patience_ns)
{
    size_t calls = 0;
    while (from < to) {
        size_t end = to - from < block ? to : from + block;
        calls_block(c, r, from, end);
        uint64_t deadline =
            patience_ns == UINT64_MAX ? UINT64_MAX : qclock_ns() + patience_ns;
        CU_ASSERT_EQUAL_FATAL(calls_run(c, deadline), 0);
        CU_ASSERT_EQUAL_FATAL(rows_check(&c->rows, &c->e), 0);
        CU_ASSERT_FATAL(c->rows.n >= 1 && c->rows.n <= c->in->n);
        /* Without a deadline a kernel stops in front of a hard record only. */
        if (patience_ns == UINT64_MAX && c->rows.n < c->in->n)
            CU_ASSERT(c->in->len[c->rows.n] > 40);
        if (!c->state->folds)
            c->state->schema->text(&c->rows, 0, c->rows.n, &c->text);
        from += c->rows.n;
        calls++;
    }
    return calls;
}

/* Folds the records, cut at random into parts and those into calls, to a total, and
 * renders the result to c->text. */
static inline void calls_fold(struct calls *c, const struct records *r, size_t parts)
{
    struct qbuf total = QBUF_INIT;
    for (size_t i = 0, from = 0; i < parts; i++) {
        size_t left = r->n - from;
        size_t to = i + 1 == parts ? r->n : from + (left ? unit_random() % left : 0);
        qbuf_clear(&c->part);
        calls_text(c, r, from, to, 1 + unit_random() % NUMBERS_BLOCK,
                   unit_random() % 2 ? 0 : UINT64_MAX);
        if (c->part.len > 0)
            CU_ASSERT_EQUAL_FATAL(
                c->kernel->fold(c->state, &total, c->part.data, c->part.len, &c->e), 0);
        from = to;
    }
    rows_clear(&c->rows, NULL);
    CU_ASSERT_EQUAL_FATAL(c->kernel->result(c->state, &total, &c->rows, &c->e), 0);
    CU_ASSERT_EQUAL(rows_check(&c->rows, &c->e), 0);
    qbuf_clear(&c->text);
    c->state->schema->text(&c->rows, 0, c->rows.n, &c->text);
    qbuf_release(&total);
}

/* Whether the text is `want`; shows both where they part if not. */
static inline bool same_text(const struct qbuf *got, const char *want, size_t len)
{
    if (got->len == len && (len == 0 || memcmp(got->data, want, len) == 0))
        return true;
    size_t i = 0;
    while (i < len && i < got->len && want[i] == got->data[i])
        i++;
    size_t at = i > 40 ? i - 40 : 0;
    printf("\nbyte %zu of %zu, not %zu:\n  got  '%.*s'\n  want '%.*s'\n", i, got->len,
           len, (int)(got->len - at < 80 ? got->len - at : 80),
           got->data ? got->data + at : "", (int)(len - at < 80 ? len - at : 80),
           want + at);
    return false;
}

/* --- the stop flag --- */

#include <pthread.h>
#include <time.h>

static inline void *calls_stop_soon(void *stop)
{
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    atomic_store((atomic_bool *)stop, true);
    return NULL;
}

/* Runs the block and sets the stop flag after 30 ms: seconds until the kernel returned.
 */
static inline double calls_stopped(struct calls *c)
{
    pthread_t thread;
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, calls_stop_soon, &c->stop), 0);
    CU_ASSERT_EQUAL(calls_run(c, UINT64_MAX), 0);
    pthread_join(thread, NULL);
    double seconds = (double)(qclock_ns() - start) * 1e-9;
    atomic_store(&c->stop, false);
    return seconds;
}

/* The only record of the block is unfinished, a stop having come: its row is whole. */
static inline bool is_unfinished(struct calls *c, const char *want)
{
    if (c->rows.n != 1 || c->rows.unfinished != 1)
        return false;
    qbuf_clear(&c->text);
    c->state->schema->text(&c->rows, 0, 1, &c->text);
    return same_text(&c->text, want, strlen(want));
}

/* Generous: a machine under load, a sanitizer, valgrind. */
static const double stop_seconds = 1.0;

#endif
