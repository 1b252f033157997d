/*
 * dispatch: rank 0's claimant of the ring on behalf of the other ranks. Main alone
 * calls it, now and then: dispatch_turn takes in what has come back and hands out what
 * is due, and never waits.
 */
#ifndef QUERN_ENGINE_DISPATCH_H
#define QUERN_ENGINE_DISPATCH_H

#include "base/qerr.h"
#include "core/job.h"
#include "engine/ring.h"
#include "engine/work.h"

struct dispatch;

/* For the other ranks of this run (comm.h), which have been told the job. `names` are
 * theirs, for messages: "rank 3 on n1", of which the last word is the host; borrowed,
 * as everything here. */
struct dispatch *dispatch_new(const struct job *job, const struct work *work,
                              const char *const *names, struct qerr *e);
void dispatch_free(struct dispatch *d);

/* How many others there are. */
unsigned dispatch_ranks(const struct dispatch *d);

/* Threads that compute here, besides those of the others. */
void dispatch_local(struct dispatch *d, unsigned threads);

/* Waits until all have said that they are ready, or one that it was sent a signal (of
 * which the next turn tells), for `ns` at most: for those who want to know before the
 * work begins (-v). */
int dispatch_wait_ready(struct dispatch *d, uint64_t ns, struct qerr *e);

/* With -o DIR/: the others keep what they render in shards of this attempt, where the
 * number of rank 0's is `inode`. */
int dispatch_shards(const struct dispatch *d, unsigned attempt, uint64_t inode,
                    struct qerr *e);

/* Waits until what the others kept, and have told of, is durable. The committer calls
 * it; the turns of main do it. */
int dispatch_sync(struct dispatch *d, struct qerr *e);

/* A turn at time `now_ns`. *signal becomes that of a signal another rank was sent. An
 * error ends the run. */
int dispatch_turn(struct dispatch *d, struct ring *r, uint64_t now_ns, int *signal,
                  struct qerr *e);

/* How long to wait before the next turn, in milliseconds. */
int dispatch_pause(const struct dispatch *d);

#endif
