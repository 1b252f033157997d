/*
 * executor: a pool of threads that runs tasks, and futures to hold what they come to.
 *
 * A task is a function and its argument. To submit it gives a future; the task's errors
 * are results like any other, so that a thread never dies with them. The queue of tasks
 * that wait for a thread is bounded, and submitting blocks while it is full.
 *
 * All calls may come from any thread. A task may submit tasks, but not wait for one of
 * its own executor if all threads might do so. The front end runs on it: the threads
 * that fetch, and those of the command that feed them and print.
 */
#ifndef QUERN_SOURCE_EXECUTOR_H
#define QUERN_SOURCE_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"

struct executor;
struct future;

/* The task: returns what is to be found in the future, or NULL; failure is in `e`. It
 * may look at future_is_cancelled(self). */
typedef void *(*executor_task)(void *arg, struct future *self, struct qerr *e);

/* `threads` >= 1, `queue` >= 1 tasks that wait. All threads are started here. */
struct executor *executor_new(unsigned threads, size_t queue, struct qerr *e);

/* How a shutdown ends: what waits in the queue is run, or cancelled. */
enum executor_end { EXECUTOR_DRAIN, EXECUTOR_ABANDON };

/* No task is taken any more (submitting fails with Q_ESTOP); returns when all threads
 * have ended. What runs is asked to end by EXECUTOR_ABANDON (future_is_cancelled).
 * Futures stay valid. May be called again. */
void executor_shutdown(struct executor *x, enum executor_end end);

/* Shuts down (EXECUTOR_ABANDON) and frees the executor, and futures that are left. */
void executor_free(struct executor *x);

/* NULL on failure (then in e). Blocks while the queue is full. */
struct future *executor_submit(struct executor *x, executor_task task, void *arg,
                               struct qerr *e);

/* A future for each of the `n` arguments, in their order: all, or none on failure (what
 * was submitted is then cancelled). Blocks while the queue is full. */
int executor_map(struct executor *x, executor_task task, void *const *args, size_t n,
                 struct future **futures, struct qerr *e);

/* As completed: the next future that is done and that this has not given yet, in the
 * order of their ends. NULL when the time is up, or (*none, unless that is NULL) when
 * no future is left to come. */
struct future *executor_next_done(struct executor *x, uint64_t timeout_ns, bool *none);

enum future_state {
    FUTURE_PENDING, /* waits in the queue, or runs */
    FUTURE_DONE,    /* has its result */
    FUTURE_FAILED,  /* has its error */
    FUTURE_CANCELLED
};

enum { FUTURE_NOW = 0 };
#define FUTURE_FOREVER UINT64_MAX

/* Waits for the end, at most `timeout_ns`: FUTURE_PENDING when that has passed, which
 * does the task no harm. `value` and `e` (NULL: not wanted) get what the task came to;
 * of a task that was cancelled in the queue Q_ESTOP. */
enum future_state future_result(struct future *f, uint64_t timeout_ns, void **value,
                                struct qerr *e);
bool future_is_done(struct future *f);

/* Takes it out of the queue: true, and it never runs. What runs is asked to end, and
 * what is done stays as it is: false. */
bool future_cancel(struct future *f);

/* For the task: whether it has been asked to end. */
bool future_is_cancelled(struct future *f);

/* When its result is of no more interest; a pending one goes when it is done. */
void future_free(struct future *f);

#endif
