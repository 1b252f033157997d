/*
 * fetchstats: what a run of 'quern fetch' came to: the summary at its end, and --stats
 * and --trace, in the same form as those of the commands on records.
 */
#ifndef QUERN_CMD_FETCHSTATS_H
#define QUERN_CMD_FETCHSTATS_H

#include <stdbool.h>

#include "base/qerr.h"
#include "cmd/command.h"
#include "cmd/host.h"
#include "core/job.h"
#include "core/meter.h"
#include "source/fetch.h"

struct fetch_run {
    const struct job *job;
    struct meters *meters;
    uint64_t start_ns;
    char started[HOST_TIME];

    /* For fetch_run_end. */
    bool began;                 /* transfers could begin */
    struct fetch_counts counts; /* at the end */
    int stopped;                /* by this signal; -1: by --time-limit; 0: not */
};

/* The run begins. The meters, which this fills in, are borrowed until its end. */
void fetch_run_begin(struct fetch_run *run, const struct job *job,
                     struct meters *meters);

/* It goes on: says the summary so far. */
void fetch_run_tell(struct fetch_run *run, struct fetch_counts counts);

/* It has ended: says the summary, if it is due, and writes the files that were asked
 * for. `e` has what went wrong so far, if anything; what goes wrong here comes
 * behind. The threads of the pool have left, unless ending->abandoned. */
void fetch_run_end(const struct fetch_run *run, const struct ending *ending,
                   struct qerr *e);

#endif
