/*
 * run: one run of the engine, as its files share it. Private to engine.c, parallel.c,
 * serial.c and supervise.c.
 *
 * Main fills it before any thread is started. From then on a field is read-only, unless
 * its comment says who writes it.
 */
#ifndef QUERN_ENGINE_RUN_H
#define QUERN_ENGINE_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/columns.h"
#include "core/meter.h"
#include "engine/commit.h"
#include "engine/dispatch.h"
#include "engine/engine.h"
#include "engine/monitor.h"
#include "engine/ring.h"
#include "engine/signals.h"
#include "engine/slurm.h"
#include "engine/team.h"
#include "engine/work.h"
#include "source/source.h"

struct run {
    const struct job *job;
    struct sources *sources; /* what they share, or NULL; locks itself */
    struct ring *ring;       /* NULL in the serial loop; locks itself */
    struct work work;        /* its stop flags and watches: anyone, as work.h says */
    struct columns columns;  /* the schema of the rows, with --columns */
    struct signals signals;  /* main waits on it; the committer says that it is done */
    struct meters *meters;   /* each thread its own */
    unsigned threads;
    unsigned first_input;     /* where reading begins ... */
    struct position first_at; /* ... in that input */
    uint64_t start_ns;
    uint64_t fixed_claim; /* --chunk, or 0 */
    uint64_t earlier;     /* records that runs before this one had settled */

    /* The committer's (in the serial loop that thread's); main's once it is joined. */
    struct commit commit;
    struct qerr err;
    struct { /* read by main at any time */
        atomic_uint_fast64_t records, bad, unfinished;
        atomic_uint_fast64_t input; /* the one that it is at */
    } said;

    /* Main's. */
    struct slurm_limit slurm; /* without --time-limit */
    bool unsettled;           /* the committer was left behind, still at work */
    struct monitor monitor;
    const char *const *names;  /* of the other ranks, or NULL */
    struct qerr far_err;       /* what ended the run from there */
    struct dispatch *dispatch; /* to them, or NULL */

    struct team team; /* locks itself */
};

/* Where to begin reading an input: behind what the journal says is settled. */
static inline struct position run_start_of(const struct run *r, unsigned input)
{
    return input == r->first_input ? r->first_at : (struct position){0, 0};
}

/* Nobody takes up more work, and who is at it comes back. Any thread. */
void run_stop(struct run *r);

/* Takes over into the meters how far fetching is. Main, while there are sources. */
void run_count_fetches(struct run *r);

/* The committer's last acts: what comes behind the last part, when `rc` ended the run,
 * and word to main; and, now and then, how far it is. */
void run_finish(struct run *r, int rc);
void run_publish(struct run *r);

/* The two bodies. They return when the run has ended, or was left: see supervise.c. A
 * negative qcode when they could not start. */
int run_parallel(struct run *r, struct engine_outcome *o, struct qerr *e);
int run_serial(struct run *r, struct engine_outcome *o, struct qerr *e);

/* Main: waits for the end, serves signals and limits on the way, and joins the threads
 * (team and reader may be NULL). What then still sits in a call is left behind. */
void run_supervise(struct run *r, const pthread_t *committer, const pthread_t *team,
                   const pthread_t *reader, struct engine_outcome *o);

/* Main, before there are threads: whether a signal or the limit ends the run already.
 */
bool run_stop_is_asked(struct run *r, struct engine_outcome *o);

#endif
