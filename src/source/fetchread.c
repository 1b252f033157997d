/*
 * The readers' side: who waits for a job's end or its bytes. Pieces are copied without
 * the lock: only the one reader of a job drops them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/qclock.h"
#include "source/cut.h"
#include "source/fetchjob.h"

enum {
    LINGER_NS = 2000000, /* how long a reader that has bytes waits for more */
    PAUSE_NS = 500000    /* how long one that waits again sleeps first */
};

/* With the lock: the next job for fetch_take, or NULL: none yet. */
static struct fetch_job *next_ended(struct fetch *f, bool in_order)
{
    struct fetch_job *job = in_order ? f->untaken : f->ended_head;
    if (!job || !job->ended)
        return NULL;
    if (f->untaken == job)
        f->untaken = job->newer;
    fetch_unlist(job);
    return job;
}

struct fetch_job *fetch_take(struct fetch *f, bool in_order)
{
    struct fetch_job *job;
    pthread_mutex_lock(&f->lock);
    while (!(job = next_ended(f, in_order))) {
        if ((f->closed || f->stopping) && f->nended == f->submitted &&
            (in_order ? !f->untaken : !f->ended_head))
            break;
        f->any_awaited = !in_order || !f->untaken;
        if (in_order && f->untaken)
            f->untaken->awaited = true;
        pthread_cond_wait(&f->changed, &f->lock);
    }
    f->any_awaited = false;
    pthread_mutex_unlock(&f->lock);
    return job;
}

bool fetch_has_ended(struct fetch *f, bool in_order)
{
    pthread_mutex_lock(&f->lock);
    const struct fetch_job *job = in_order ? f->untaken : f->ended_head;
    bool ended = job && job->ended;
    pthread_mutex_unlock(&f->lock);
    return ended;
}

const struct fetch_outcome *fetch_result(struct fetch_job *job, uint64_t timeout_ns)
{
    struct fetch *f = job->fetch;
    struct timespec until = qclock_after(timeout_ns == UINT64_MAX ? 0 : timeout_ns);
    pthread_mutex_lock(&f->lock);
    int rc = 0;
    while (!job->ended && rc != ETIMEDOUT) {
        job->awaited = true;
        rc = timeout_ns == UINT64_MAX
                 ? pthread_cond_wait(&f->changed, &f->lock)
                 : pthread_cond_timedwait(&f->changed, &f->lock, &until);
    }
    bool ended = job->ended;
    pthread_mutex_unlock(&f->lock);
    return ended ? &job->outcome : NULL;
}

const char *fetch_line(const struct fetch_job *job)
{
    return job->line ? job->line : job->url;
}

/* With the lock: whether there is something to read, or to say. */
static bool is_ready(const struct fetch_job *job)
{
    return job->ended || job->fetch->stopping ||
           (job->to == FETCH_STREAM && job->body.head);
}

/* With the lock, which is let go meanwhile: to be woken for each of many small bodies
 * would cost more than they do. */
static void let_some_come(struct fetch *f)
{
    const struct timespec pause = {0, PAUSE_NS};
    pthread_mutex_unlock(&f->lock);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&f->lock);
}

/* With the lock: waits until the job is ready. `linger`: not for long. */
static void wait_for_bytes(struct fetch_job *job, bool linger)
{
    struct fetch *f = job->fetch;
    if (is_ready(job))
        return;
    if (!linger && qclock_ns() - f->waited_ns < 2 * PAUSE_NS)
        let_some_come(f);
    struct timespec until = qclock_after(LINGER_NS);
    int rc = 0;
    while (!is_ready(job) && rc != ETIMEDOUT) {
        job->awaited = true;
        rc = linger ? pthread_cond_timedwait(&f->changed, &f->lock, &until)
                    : pthread_cond_wait(&f->changed, &f->lock);
    }
    job->awaited = false;
    f->waited_ns = qclock_ns();
}

/* With the lock: whether pieces may be read. */
static bool is_readable(const struct fetch_job *job)
{
    return job->body.head &&
           (job->to == FETCH_STREAM || (job->ended && job->outcome.class == FETCH_OK));
}

static ssize_t read_pieces(struct fetch_job *job, char *to, size_t n)
{
    struct fetch *f = job->fetch;
    size_t there;
    const char *bytes = body_peek(&job->body, &there);
    if (n > there)
        n = there;
    pthread_mutex_unlock(&f->lock);
    memcpy(to, bytes, n);
    pthread_mutex_lock(&f->lock);
    struct piece *used = body_drop(&f->pool, &job->body, n);
    if (used)
        fetch_wake_paused(f);
    pthread_mutex_unlock(&f->lock);
    free(used);
    return (ssize_t)n;
}

static ssize_t how_it_ended(const struct fetch_job *job, struct qerr *e)
{
    const struct fetch_outcome *o = &job->outcome;
    if (o->class == FETCH_OK)
        return 0;
    return qerr_set(e, Q_EINPUT, "%s: %s", fetch_class_name(o->class), o->error);
}

ssize_t fetch_read(struct fetch_job *job, char *to, size_t n, bool wait, struct qerr *e)
{
    struct fetch *f = job->fetch;
    pthread_mutex_lock(&f->lock);
    wait_for_bytes(job, !wait);
    if (f->stopping) {
        pthread_mutex_unlock(&f->lock);
        return qerr_set(e, Q_ESTOP, "stopped");
    }
    if (is_readable(job))
        return read_pieces(job, to, n); /* unlocks */
    bool ended = job->ended;
    pthread_mutex_unlock(&f->lock);
    if (!ended)
        return CUT_NOTHING_NOW;
    if (job->outcome.class == FETCH_OK && job->body.file >= 0)
        return body_read(&job->body, to, n, e);
    return how_it_ended(job, e);
}
