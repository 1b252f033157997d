/*
 * statsfile: --stats and --trace: what a run was and what it did, for machines.
 * docs/formats.md describes the files.
 */
#ifndef QUERN_CMD_STATSFILE_H
#define QUERN_CMD_STATSFILE_H

#include "base/qbuf.h"
#include "base/qerr.h"
#include "cmd/host.h"
#include "core/job.h"
#include "engine/engine.h"
#include "engine/stats.h"

struct stats_file {
    const struct job *job;
    const struct engine_outcome *outcome;
    char started[HOST_TIME];
    unsigned threads;               /* of this rank */
    int status;                     /* that the program ends with */
    const struct rank_stats *ranks; /* this one first */
    size_t nranks;
    const struct meters *meters; /* of this rank */
};

/* Whether the job asks for statistics or a trace. */
bool stats_file_is_wanted(const struct job *job);

/* Writes what was asked for, with zeros when the run did not begin: what an earlier run
 * wrote must not pass for this one's. Fills in the ranks and the meters itself. */
int stats_file_write(struct stats_file *f, struct qerr *e);

/* The two texts. */
void stats_file_json(const struct stats_file *f, struct qbuf *out);
void stats_file_prom(const struct stats_file *f, struct qbuf *out);

#endif
