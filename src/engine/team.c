#include "engine/team.h"

#include <omp.h>
#include <stdlib.h>

#include "base/qlog.h"

enum { STACK_BYTES = 1 << 20 }; /* what a worker needs: the arithmetic takes half */

void team_init(struct team *t)
{
    pthread_mutex_init(&t->leaving, NULL);
    atomic_init(&t->failed, 0);
}

void team_release(struct team *t)
{
    pthread_mutex_destroy(&t->leaving);
}

/* A worker that cannot work. The others do what there is to do; when there are none,
 * the last one says why. */
static void give_up(struct team *t, const struct qerr *why)
{
    unsigned failed = atomic_fetch_add(&t->failed, 1) + 1;
    if (failed == (unsigned)omp_get_num_threads())
        t->none(t->ctx, why);
    else
        qlog_warn("one thread less: %s", why->text);
}

/* OMP_STACKSIZE may ask for too little, and an overflow is a crash. */
static bool stack_is_enough(struct qerr *e)
{
    pthread_attr_t attr;
    size_t size = STACK_BYTES;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstacksize(&attr, &size);
        pthread_attr_destroy(&attr);
    }
    if (size < STACK_BYTES)
        qerr_set(e, Q_ENOMEM,
                 "a thread's stack has %zu KiB; OMP_STACKSIZE=1M is enough",
                 size >> 10);
    return size >= STACK_BYTES;
}

static void work_as_worker(struct team *t)
{
    struct qerr err = QERR_INIT;
    struct worker *w = malloc(sizeof *w);
    if (!w)
        qerr_nomem(&err);
    if (!w || !stack_is_enough(&err) || worker_init(w, t->work, &err) < 0) {
        free(w);
        give_up(t, &err);
        return;
    }
    struct meter *m =
        meter_join(t->meters, METER_WORKER, (unsigned)omp_get_thread_num());
    w->meter = m;
    t->loop(t->ctx, w, m);
    meter_leave(m);
    worker_release(w);
    free(w);
}

/* The barrier at the end of a team orders what its threads did before what comes
 * behind it, but race detectors cannot see inside an OpenMP runtime: the lock says it
 * again. */
void team_settle(struct team *t)
{
    pthread_mutex_lock(&t->leaving);
    pthread_mutex_unlock(&t->leaving);
}

static void worker_main(struct team *t)
{
    work_as_worker(t);
    team_settle(t);
}

struct trial {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool ended;
};

static void *trial_main(void *arg)
{
    struct trial *t = arg;
    pthread_mutex_lock(&t->lock);
    while (!t->ended)
        pthread_cond_wait(&t->over, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* How many threads there can be at once, up to `wanted`. An OpenMP runtime that cannot
 * start one ends the process, so they are tried before it is asked. */
static unsigned threads_to_be_had(unsigned wanted)
{
    struct trial t = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    pthread_t *ids = malloc(wanted * sizeof *ids);
    unsigned n = 0;
    while (ids && n + 1 < wanted && pthread_create(&ids[n], NULL, trial_main, &t) == 0)
        n++;
    pthread_mutex_lock(&t.lock);
    t.ended = true;
    pthread_cond_broadcast(&t.over);
    pthread_mutex_unlock(&t.lock);
    for (unsigned i = 0; i < n; i++)
        pthread_join(ids[i], NULL);
    free(ids);
    if (n + 1 < wanted)
        qlog_warn("%u threads instead of %u: the system gives no more", n + 1, wanted);
    return n + 1;
}

static unsigned team_width(const struct team *t)
{
    unsigned width = t->fit ? t->fit(t->ctx, t->most) : t->most;
    return width > 1 ? threads_to_be_had(width) : 1;
}

void *team_main(void *team)
{
    struct team *t = team;
#pragma omp parallel num_threads((int)team_width(t))
    worker_main(t);
    return NULL;
}
