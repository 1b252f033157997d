/*
 * team: the OpenMP team of workers, opened in a thread of its own, so that main is
 * never inside it.
 */
#ifndef QUERN_ENGINE_TEAM_H
#define QUERN_ENGINE_TEAM_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/meter.h"
#include "engine/work.h"

struct team {
    struct work *work;
    struct meters *meters;
    unsigned most; /* threads */
    void *ctx;     /* for the functions */

    /* How many of `most` are of use; may wait. NULL: all. In the team's first thread.
     */
    unsigned (*fit)(void *ctx, unsigned most);
    /* What a worker does. */
    void (*loop)(void *ctx, struct worker *w, struct meter *m);
    /* Not one of the workers could start. */
    void (*none)(void *ctx, const struct qerr *why);

    pthread_mutex_t leaving; /* see team.c */
    atomic_uint failed;      /* workers that could not start; each counts itself */
};

void team_init(struct team *t);
void team_release(struct team *t);

/* Opens the team and works until every worker's loop has returned: the start routine of
 * a thread. */
void *team_main(void *team);

/* Behind the join of that thread: orders what the workers did before what follows. */
void team_settle(struct team *t);

#endif
