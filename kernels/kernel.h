/*
 * kernel: the contract between the engine and what it computes.
 *
 * A kernel is one file in kernels/ that defines one symbol, kernel_<name>, and one line
 * in kernels.list. That gives the subcommand, its help, its options, and its columns in
 * every output format.
 *
 * `run` is pure: no I/O, no threads, no globals; the same records give the same rows
 * wherever blocks were cut. A record that cannot be finished is a row, not an error; an
 * error ends the run.
 */
#ifndef QUERN_KERNEL_H
#define QUERN_KERNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qopt.h"
#include "core/job.h"
#include "core/lines.h"
#include "core/numbers.h"
#include "core/rows.h"

/* What a kernel makes of its options: the head of its own state, set by `open`. */
struct kernel_state {
    const struct schema *schema; /* of the rows that `run`, or `result`, fills. With
                                    --columns the engine puts one with the same columns
                                    and a choice of them in its place */
    bool folds;                  /* no row for each record: fold to one result */
    bool settles;                /* fold each input to rows of its own: see `settle` */
    unsigned range_ms;    /* not 0: ranges go to `run_range`, in claims of about this
                             time (a claim costs the kernel more than its integers) */
    uint64_t range_least; /* ... and not of fewer integers, until few are left */
};

/* What a kernel's records are. */
enum accepts {
    ACCEPT_NUMBERS, /* an INPUT may be a number, too */
    ACCEPT_LINES,
    ACCEPT_STREAM,   /* bytes, cut anywhere */
    ACCEPT_DOCUMENTS /* each INPUT is one record */
};

/* A document, or a piece of a stream. CHUNK_PAD bytes on either side may be read. */
struct kernel_text {
    const char *name; /* of the input, for people; NULL for a piece of a stream */
    const char *text; /* not terminated */
    size_t len;
};

/* One call of `run`. */
struct kernel_call {
    const struct numbers *in;       /* the records, */
    const struct lines *lines;      /* or these, */
    const struct kernel_text *text; /* or this; the others are NULL */
    bool more;            /* out, of a document: call again, for its next rows */
    struct rows *rows;    /* out: rows->n says how many records are answered */
    struct qbuf *part;    /* in/out: when folding, the state of this part */
    void *scratch;        /* what `attach` made for this worker, or NULL */
    uint64_t deadline_ns; /* qclock_ns: return after the record during which it
                             passes; at least one record is answered */
    /* Poll it at least every 10 ms (kernel_stopped). Once it is true, give the record
     * at hand a row that says it is unfinished, and return: either its time is up
     * (--time-per-item) or the run is stopped and the rows are thrown away. */
    const atomic_bool *stop;
};

static inline bool kernel_stopped(const struct kernel_call *c)
{
    return atomic_load_explicit(c->stop, memory_order_relaxed);
}

/* One call of `run_range`: the integers first .. first + count - 1 < 2^64. */
struct kernel_range {
    uint64_t first, count; /* count >= 1 */
    uint64_t ahead;        /* integers of the input that follow, for someone to claim */
    uint64_t answered;     /* out: so many of them are answered, from the first on */
    struct numbers *shown; /* out: the records of call->rows; numbers_set adds one */
};

struct kernel {
    const char *name;
    const char *summary;        /* one line for the list of commands */
    const char *description;    /* a paragraph or two for its --help */
    const struct qopt *options; /* its own, ended by a NULL name; or NULL */
    const char *operand; /* NULL, or the option that the first argument stands for when
                            the option is not given. It must be there */
    enum accepts accepts;
    bool judges; /* a bad record is somebody's wrong answer: exit status 4 */

    /* Once per process, before any thread. The state is read-only until `close`. */
    int (*open)(struct kernel_state **state, const struct job *job, struct qerr *e);
    void (*close)(struct kernel_state *state);

    /* Scratch memory of one worker, or both NULL. */
    int (*attach)(const struct kernel_state *state, void **scratch, struct qerr *e);
    void (*detach)(void *scratch);

    /* Answers the first rows->n >= 1 records of call->in: all, or fewer when the
     * deadline passed, on a stop, or in front of one that may take long, so that what
     * is answered goes out first. When folding, adds their contribution to call->part
     * instead of filling columns, and still sets rows->n. A line that is no record it
     * refuses (rows_refuse); it counts in rows->n all the same.
     *
     * A document is answered by one row; or, when it does not fold, by up to
     * NUMBERS_BLOCK rows a call, as long as it asks for more. A piece of a stream only
     * adds to call->part. */
    int (*run)(const struct kernel_state *state, struct kernel_call *call,
               struct qerr *e);

    /* NULL, or `run` for ranges below 2^64 if the state has range_ms: answers at least
     * the first integer, as many as it likes, with the results of `run`. Those that are
     * not to be printed need no row: the rows are of the records in range->shown. What
     * it does in one go beyond the deadline, or without a look at the stop flag, is of
     * bounded size. Not called when each record has its own time; call->in is NULL. */
    int (*run_range)(const struct kernel_state *state, struct kernel_call *call,
                     struct kernel_range *range, struct qerr *e);

    /* Folding kernels. The state of a part is a string of bytes that `run` made from an
     * empty one; `fold` adds a part to a total, called in the order of the input (an
     * empty buffer is the total of nothing); `result` fills rows (rows->in is NULL). */
    int (*fold)(const struct kernel_state *state, struct qbuf *total, const char *part,
                size_t len, struct qerr *e);
    int (*result)(const struct kernel_state *state, const struct qbuf *total,
                  struct rows *rows, struct qerr *e);

    /* A kernel of streams that settles: input `name` is used up, and what was folded
     * of it is in the total; fills its rows. With `rows` NULL the input has failed:
     * forget what was folded of it. `result` then gives the rows behind all inputs. */
    int (*settle)(const struct kernel_state *state, struct qbuf *total,
                  const char *name, struct rows *rows, struct qerr *e);
};

#endif
