/*
 * engine: runs a job from its inputs to its output.
 *
 * Two bodies with the same bytes out: the serial loop, which is the executable
 * specification, and the parallel engine with its threads. See docs/architecture.md.
 */
#ifndef QUERN_ENGINE_ENGINE_H
#define QUERN_ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/qerr.h"
#include "core/job.h"
#include "core/meter.h"
#include "engine/commit.h"
#include "engine/stats.h"
#include "kernel.h"

struct engine_outcome {
    struct tally tally;
    double seconds;   /* of the whole run */
    int signal;       /* the one that stopped it, or 0 */
    bool timed_out;   /* --time-limit stopped it */
    bool resumable;   /* it has a journal */
    bool unsettled;   /* the tally is not known: the committer was left at its work */
    uint64_t earlier; /* records of the tally that runs before this one had settled */
    /* Threads that sit in a system or library call were left behind: the process must
     * end without running destructors (_exit). */
    bool abandoned;
    char digest[QHASH_HEX]; /* XXH3-128 of the output; "" when not known */
    uint64_t out;           /* its bytes */
    /* What its threads did; NULL when the run did not begin. And what other ranks say
     * of theirs. Freed by engine_outcome_release. */
    struct meters *meters;
    struct rank_stats *others;
    size_t nothers;
};

/* Runs the job with `threads` >= 1 workers, and with the other ranks if there are some,
 * which have been told the job: `names` are theirs (world.h), else NULL. Returns 0 when
 * the input was used up or
 * --strict or --max-errors ended the run, -Q_ESTOP when a signal or the time limit did,
 * else a negative qcode: what was written until then is a correct prefix, and the
 * outcome counts it. Main thread only; takes over INT, TERM, USR1 and USR2 as long as
 * it runs. */
int engine_run(const struct job *job, const struct kernel *kernel, unsigned threads,
               const char *const *names, struct engine_outcome *outcome,
               struct qerr *e);

/* Leaves alone what threads that are left behind may still use. */
void engine_outcome_release(struct engine_outcome *outcome);

#endif
