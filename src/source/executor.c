/*
 * One mutex guards everything; three conditions:
 *
 *   work   a task waits in the queue, or the executor shuts down   threads wait
 *   room   the queue has a place, or the executor shuts down       submitters wait
 *   ended  a future has ended                                      readers wait
 *
 * A future is in exactly one of: the queue (QUEUED), the hands of a thread (RUNNING),
 * or ended. Those that have ended and that executor_next_done has not given stand in a
 * second list, in the order of their ends. All futures that exist are chained, so that
 * executor_free finds those that nobody freed.
 *
 * A future that is freed before its task has ended is only marked: the thread frees it.
 */
#include "source/executor.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/qclock.h"

struct future {
    struct executor *executor;
    executor_task task;
    void *arg;
    atomic_bool cancelled; /* asked to end; read by the task without the lock */

    /* Under the executor's lock; value and error are the thread's while RUNNING. */
    enum { QUEUED, RUNNING, ENDED } stage;
    enum future_state state;
    bool abandoned; /* future_free came before the end */
    void *value;
    struct qerr error;
    struct future *next;          /* in the queue, or in the list of the ended */
    bool listed;                  /* stands in the list of the ended */
    struct future *older, *newer; /* all futures */
};

struct list {
    struct future *head, *tail;
};

struct executor {
    pthread_mutex_t lock;
    pthread_cond_t work, room, ended;
    pthread_t *threads;
    unsigned nthreads; /* started and not yet joined */
    size_t limit;      /* of the queue */
    size_t queued;
    size_t pending; /* futures that executor_next_done may still give */
    bool closed;
    struct list queue, done;
    struct future *newest;
};

static void list_add(struct list *l, struct future *f)
{
    f->next = NULL;
    if (l->tail)
        l->tail->next = f;
    else
        l->head = f;
    l->tail = f;
}

static struct future *list_take(struct list *l)
{
    struct future *f = l->head;
    if (f) {
        l->head = f->next;
        if (!l->head)
            l->tail = NULL;
    }
    return f;
}

static void list_remove(struct list *l, struct future *f)
{
    struct future **at = &l->head, *before = NULL;
    while (*at != f) {
        before = *at;
        at = &(*at)->next;
    }
    *at = f->next;
    if (l->tail == f)
        l->tail = before;
}

/* --- futures, with the lock held --- */

static void destroy(struct future *f)
{
    struct executor *x = f->executor;
    if (f->newer)
        f->newer->older = f->older;
    else
        x->newest = f->older;
    if (f->older)
        f->older->newer = f->newer;
    free(f);
}

static void end_future(struct future *f, enum future_state state)
{
    struct executor *x = f->executor;
    f->stage = ENDED;
    f->state = state;
    if (f->abandoned) {
        x->pending--;
    } else {
        f->listed = true;
        list_add(&x->done, f);
    }
    pthread_cond_broadcast(&x->ended);
}

/* What nobody holds any more goes once it has ended. */
static void sweep(struct future *f)
{
    if (f->abandoned)
        destroy(f);
}

static void cancel_queued(struct future *f)
{
    f->executor->queued--;
    qerr_set(&f->error, Q_ESTOP, "cancelled");
    end_future(f, FUTURE_CANCELLED);
    pthread_cond_signal(&f->executor->room);
}

/* --- threads --- */

static void run_task(struct executor *x, struct future *f)
{
    struct qerr e = QERR_INIT;
    f->stage = RUNNING;
    x->queued--;
    pthread_cond_signal(&x->room);
    pthread_mutex_unlock(&x->lock);
    void *value = f->task(f->arg, f, &e);
    pthread_mutex_lock(&x->lock);
    f->value = value;
    f->error = e;
    end_future(f, e.code == Q_OK ? FUTURE_DONE : FUTURE_FAILED);
    sweep(f);
}

static void *thread_main(void *arg)
{
    struct executor *x = arg;
    pthread_mutex_lock(&x->lock);
    for (;;) {
        while (!x->queue.head && !x->closed)
            pthread_cond_wait(&x->work, &x->lock);
        struct future *f = list_take(&x->queue);
        if (!f)
            break;
        run_task(x, f);
    }
    pthread_mutex_unlock(&x->lock);
    return NULL;
}

static void init_locks(struct executor *x)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->work, NULL);
    pthread_cond_init(&x->room, NULL);
    pthread_cond_init(&x->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct executor *executor_new(unsigned threads, size_t queue, struct qerr *e)
{
    struct executor *x = calloc(1, sizeof *x);
    if (x)
        x->threads = calloc(threads, sizeof *x->threads);
    if (!x || !x->threads) {
        free(x);
        qerr_nomem(e);
        return NULL;
    }
    init_locks(x);
    x->limit = queue;
    int err = 0;
    while (err == 0 && x->nthreads < threads) {
        err = pthread_create(&x->threads[x->nthreads], NULL, thread_main, x);
        x->nthreads += err == 0;
    }
    if (err == 0)
        return x;
    executor_free(x);
    qerr_sys(e, Q_ENOMEM, err, "cannot start a thread");
    return NULL;
}

void executor_shutdown(struct executor *x, enum executor_end end)
{
    struct future *f;
    pthread_mutex_lock(&x->lock);
    x->closed = true;
    if (end == EXECUTOR_ABANDON) {
        while ((f = list_take(&x->queue)) != NULL) {
            cancel_queued(f);
            sweep(f);
        }
        for (f = x->newest; f; f = f->older)
            atomic_store(&f->cancelled, true);
    }
    pthread_cond_broadcast(&x->work);
    pthread_cond_broadcast(&x->room);
    unsigned n = x->nthreads;
    x->nthreads = 0;
    pthread_mutex_unlock(&x->lock);
    for (unsigned i = 0; i < n; i++)
        pthread_join(x->threads[i], NULL);
}

void executor_free(struct executor *x)
{
    if (!x)
        return;
    executor_shutdown(x, EXECUTOR_ABANDON);
    for (struct future *f = x->newest, *older; f; f = older) {
        older = f->older;
        free(f);
    }
    pthread_cond_destroy(&x->work);
    pthread_cond_destroy(&x->room);
    pthread_cond_destroy(&x->ended);
    pthread_mutex_destroy(&x->lock);
    free(x->threads);
    free(x);
}

/* --- submitting --- */

struct future *executor_submit(struct executor *x, executor_task task, void *arg,
                               struct qerr *e)
{
    struct future *f = calloc(1, sizeof *f);
    if (!f) {
        qerr_nomem(e);
        return NULL;
    }
    *f = (struct future){.executor = x, .task = task, .arg = arg, .error = QERR_INIT};
    atomic_init(&f->cancelled, false);
    pthread_mutex_lock(&x->lock);
    while (x->queued == x->limit && !x->closed)
        pthread_cond_wait(&x->room, &x->lock);
    if (x->closed) {
        pthread_mutex_unlock(&x->lock);
        free(f);
        qerr_set(e, Q_ESTOP, "the executor is shut down");
        return NULL;
    }
    f->older = x->newest;
    if (f->older)
        f->older->newer = f;
    x->newest = f;
    x->queued++;
    x->pending++;
    list_add(&x->queue, f);
    pthread_cond_signal(&x->work);
    pthread_mutex_unlock(&x->lock);
    return f;
}

int executor_map(struct executor *x, executor_task task, void *const *args, size_t n,
                 struct future **futures, struct qerr *e)
{
    for (size_t i = 0; i < n; i++) {
        futures[i] = executor_submit(x, task, args[i], e);
        if (futures[i])
            continue;
        while (i-- > 0) {
            future_cancel(futures[i]);
            future_free(futures[i]);
        }
        return -(int)e->code;
    }
    return 0;
}

/* --- waiting --- */

/* Waits for some future to end; false when the time is up. */
static bool wait_for_end(struct executor *x, uint64_t timeout_ns,
                         const struct timespec *until)
{
    if (timeout_ns == FUTURE_FOREVER) {
        pthread_cond_wait(&x->ended, &x->lock);
        return true;
    }
    return timeout_ns > 0 &&
           pthread_cond_timedwait(&x->ended, &x->lock, until) != ETIMEDOUT;
}

static struct timespec until_of(uint64_t timeout_ns)
{
    return timeout_ns == FUTURE_FOREVER ? (struct timespec){0, 0}
                                        : qclock_after(timeout_ns);
}

struct future *executor_next_done(struct executor *x, uint64_t timeout_ns, bool *none)
{
    struct timespec until = until_of(timeout_ns);
    pthread_mutex_lock(&x->lock);
    while (!x->done.head && x->pending > 0 && wait_for_end(x, timeout_ns, &until))
        ;
    struct future *f = list_take(&x->done);
    if (f) {
        f->listed = false;
        x->pending--;
    }
    if (none)
        *none = !f && x->pending == 0;
    pthread_mutex_unlock(&x->lock);
    return f;
}

enum future_state future_result(struct future *f, uint64_t timeout_ns, void **value,
                                struct qerr *e)
{
    struct executor *x = f->executor;
    struct timespec until = until_of(timeout_ns);
    pthread_mutex_lock(&x->lock);
    while (f->stage != ENDED && wait_for_end(x, timeout_ns, &until))
        ;
    enum future_state state = f->stage == ENDED ? f->state : FUTURE_PENDING;
    if (state != FUTURE_PENDING) {
        if (value)
            *value = f->value;
        if (e && e->code == Q_OK)
            *e = f->error;
    }
    pthread_mutex_unlock(&x->lock);
    return state;
}

bool future_is_done(struct future *f)
{
    return future_result(f, FUTURE_NOW, NULL, NULL) != FUTURE_PENDING;
}

bool future_cancel(struct future *f)
{
    struct executor *x = f->executor;
    pthread_mutex_lock(&x->lock);
    bool queued = f->stage == QUEUED;
    if (queued) {
        list_remove(&x->queue, f);
        cancel_queued(f);
    } else if (f->stage == RUNNING) {
        atomic_store(&f->cancelled, true);
    }
    pthread_mutex_unlock(&x->lock);
    return queued;
}

bool future_is_cancelled(struct future *f)
{
    return atomic_load_explicit(&f->cancelled, memory_order_relaxed);
}

void future_free(struct future *f)
{
    if (!f)
        return;
    struct executor *x = f->executor;
    pthread_mutex_lock(&x->lock);
    if (f->stage == ENDED) {
        if (f->listed) {
            list_remove(&x->done, f);
            x->pending--;
        }
        destroy(f);
    } else {
        f->abandoned = true;
    }
    pthread_mutex_unlock(&x->lock);
}
