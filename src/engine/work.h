/*
 * work: what one worker does with one span: parse, run the kernel, render. The same
 * code serves the parallel engine, the serial loop, and other ranks.
 */
#ifndef QUERN_ENGINE_WORK_H
#define QUERN_ENGINE_WORK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/columns.h"
#include "core/lines.h"
#include "core/meter.h"
#include "core/numbers.h"
#include "core/rows.h"
#include "engine/part.h"
#include "kernel.h"
#include "sink/sink.h"
#include "source/spot.h"

/* What all workers of a run share, read-only but for the stop flag. */
struct work {
    const struct kernel *kernel;
    struct kernel_state *state;
    const struct sink *sink;
    const struct job *job; /* where documents are that are left to workers */
    uint32_t max_digits;
    bool timed;      /* record by record, each with its own time */
    bool end_at_bad; /* a part ends with its first bad record, so that a fold can too */
    atomic_bool stop; /* work_stop; never cleared */

    uint64_t item_ns;      /* --time-per-item, or 0 */
    struct watch *watches; /* one a worker */
    unsigned nwatches;
    atomic_uint watched; /* how many are in use */
};

/* Lets main break off the record that a worker is at. */
struct watch {
    pthread_mutex_t lock;
    uint64_t since_ns; /* when the record was begun; 0: none. Under the lock */
    atomic_bool stop;  /* what the kernel polls; set under the lock, or for good */
};

/* For `n` workers. */
int work_init(struct work *work, unsigned n, struct qerr *e);
void work_release(struct work *work);

/* Everyone comes back at once. Any thread. */
void work_stop(struct work *work);

/* Breaks off the records that have taken longer than item_ns. */
void work_break_off(struct work *work);

/* Whether spans of this chunk go to the kernel whole (run_range). */
bool work_takes_range(const struct work *work, const struct chunk *chunk);

/* The time that a claim in this chunk is to take. */
uint64_t work_aim(const struct work *work, const struct chunk *chunk);

/* What the job says of how to work: kernel, schema, sink, limits. The kernel's state is
 * to be closed. `columns` holds a choice of columns, and stays as long as the state. */
int work_open(struct work *work, const struct job *job, const struct kernel *kernel,
              struct columns *columns, struct qerr *e);
void work_close(struct work *work);

struct worker {
    struct work *work;
    bool held_back; /* the kernel left records of the last block for another call */
    struct watch *watch;
    struct meter *meter; /* is told how long records take; NULL until it is set */
    void *scratch;       /* the kernel's */
    bool by_lines;       /* records are `lines`, not `in` */
    bool whole_range;    /* the span goes to run_range */
    uint64_t pos;        /* in a span of text or inputs that is none of these */
    struct chunk read;   /* what was read here last: a document, or bytes of a stream */
    struct spot spot;
    struct numbers in;
    struct numbers_reader reader;
    struct lines lines;
    struct lines_reader line_reader;
    struct rows rows;
};

int worker_init(struct worker *w, struct work *work, struct qerr *e);
void worker_release(struct worker *w);

/* Answers records of `span` into `part` (which is cleared first) until its end, or
 * until the record during which `deadline_ns` passes, or a stop. Returns the position
 * behind the last record answered. An error is in part->err; what is in front of it
 * holds. On a stop the part is empty and the position the span's begin: work in flight
 * is lost. */
uint64_t worker_run(struct worker *w, const struct span *span, uint64_t deadline_ns,
                    struct part *part);

enum { NO_DEADLINE = 0 };

#endif
