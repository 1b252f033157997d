/*
 * world: the ranks of a run get to know each other, are told the job, and leave
 * together. Between that, dispatch.h and remote.h have the word.
 */
#ifndef QUERN_ENGINE_WORLD_H
#define QUERN_ENGINE_WORLD_H

#include <stdbool.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qwire.h"
#include "core/job.h"
#include "engine/comm.h"
#include "engine/placement.h"

/* --- rank 0 --- */

struct world {
    unsigned size;
    struct peer *peers;
    const char **names; /* "rank 3 on n1" */
};

/* Waits for the others (for a minute at most), and refuses (Q_EUSAGE) those of another
 * build, and to go on without those that have left. Says on stderr what is odd about
 * how they are placed. */
int world_gather(struct world *w, struct qerr *e);
void world_release(struct world *w);

/* What rank `rank` shares with others. */
struct placement_peers world_peers(const struct world *w, unsigned rank);

/* Says on stderr, once for each host, where more threads than CPUs take turns when each
 * rank has `threads` (-j) of them, or, with 0, as few as there can be. */
void world_warn_crowded(const struct world *w, unsigned threads);

/* Tells the others the job, or, with NULL, to describe their placement. */
int world_tell(const struct world *w, const struct job *job, struct qerr *e);

/* Appends a line for each rank: host, CPUs, threads. After world_tell(w, NULL). */
int world_describe(const struct world *w, const struct placement *own, struct qbuf *out,
                   struct qerr *e);

/* Takes note of the FIN of a rank that was not told to leave: nothing more comes of it,
 * and at the end nobody waits for it. */
void world_take_fin(unsigned rank);
bool world_has_left(unsigned rank);

/* --- the others --- */

/* What rank 0 tells. */
struct world_order {
    struct comm_message message;
    struct qwire rest; /* behind what is below: the job, for job_unpack */
    struct placement_peers peers;
    const char *command; /* "": describe your placement, and wait for the end */
    unsigned level;      /* of enum qlog_level */
};

/* Says hello and waits: 1, or 0 when rank 0 ends the run without a job. */
int world_wait(struct world_order *o, struct qerr *e);
void world_order_release(struct world_order *o);

/* Tells rank 0 that this rank is ready with so many threads, and how it is placed; or,
 * with none, why it is not. */
int world_ready(const struct placement *p, const struct qerr *why, struct qerr *e);

/* Takes in the last word of rank 0. */
void world_take_bye(const struct comm_message *m);

/* Waits for it. */
int world_wait_for_bye(struct qerr *e);

/* Appends what READY says of a placement: "CPUs 0-1, 2 threads (why)". */
void world_put_placement(const struct placement *p, struct qbuf *out);

/* --- all --- */

/* Rank 0 tells the others to leave, and the exit status of the run, and waits until all
 * have said their last word; theirs becomes that status, because what a launcher makes
 * of several is its own affair. */
void world_close(int *status);

#endif
