/*
 * The executor, and the counters it is to be trusted with: 100 threads add 100,000
 * times each to one number, and none is lost.
 */
#include "source/executor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/qclock.h"
#include "unit.h"

enum { MS = 1000000 };

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * MS};
    nanosleep(&t, NULL);
}

static void *twice(void *arg, struct future *self, struct qerr *e)
{
    (void)self;
    (void)e;
    int *n = arg;
    *n *= 2;
    return n;
}

static void *fail(void *arg, struct future *self, struct qerr *e)
{
    (void)arg;
    (void)self;
    qerr_set(e, Q_EIO, "no luck");
    return NULL;
}

/* A gate that tasks wait at. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool open_now;
static atomic_uint begun;

static void *wait_at_gate(void *arg, struct future *self, struct qerr *e)
{
    (void)self;
    (void)e;
    atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&lock);
    while (!open_now)
        pthread_cond_wait(&opened, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void shut_gate(void)
{
    atomic_store(&begun, 0);
    pthread_mutex_lock(&lock);
    open_now = false;
    pthread_mutex_unlock(&lock);
}

static void open_gate(void)
{
    pthread_mutex_lock(&lock);
    open_now = true;
    pthread_cond_broadcast(&opened);
    pthread_mutex_unlock(&lock);
}

static void wait_for_begun(unsigned n)
{
    while (atomic_load(&begun) < n)
        pause_ms(1);
}

static void test_results(void)
{
    struct qerr e = QERR_INIT, why = QERR_INIT;
    struct executor *x = executor_new(2, 4, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    int n = 21;
    void *value = NULL;
    struct future *f = executor_submit(x, twice, &n, &e);
    CU_ASSERT_EQUAL(future_result(f, FUTURE_FOREVER, &value, &why), FUTURE_DONE);
    CU_ASSERT(value == &n && n == 42);
    CU_ASSERT_EQUAL(why.code, Q_OK);
    CU_ASSERT(future_is_done(f));
    CU_ASSERT_FALSE(future_cancel(f));
    future_free(f);

    f = executor_submit(x, fail, NULL, &e);
    CU_ASSERT_EQUAL(future_result(f, FUTURE_FOREVER, &value, &why), FUTURE_FAILED);
    CU_ASSERT_EQUAL(why.code, Q_EIO);
    CU_ASSERT_STRING_EQUAL(why.text, "no luck");
    CU_ASSERT_PTR_NULL(value);
    executor_free(x); /* with a future that nobody freed */
    CU_ASSERT_EQUAL(e.code, Q_OK);
}

static void test_timeout(void)
{
    struct qerr e = QERR_INIT;
    struct executor *x = executor_new(1, 4, &e);
    int n = 0;
    shut_gate();
    struct future *f = executor_submit(x, wait_at_gate, &n, &e);
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL(future_result(f, 30 * MS, NULL, NULL), FUTURE_PENDING);
    CU_ASSERT(qclock_ns() - start >= 30 * MS);
    CU_ASSERT_EQUAL(future_result(f, FUTURE_NOW, NULL, NULL), FUTURE_PENDING);
    CU_ASSERT_FALSE(future_is_done(f));
    open_gate();
    void *value = NULL;
    CU_ASSERT_EQUAL(future_result(f, FUTURE_FOREVER, &value, NULL), FUTURE_DONE);
    CU_ASSERT(value == &n);
    future_free(f);
    executor_free(x);
}

/* One thread, so that the second task stays in the queue. */
static void test_cancel(void)
{
    struct qerr e = QERR_INIT, why = QERR_INIT;
    struct executor *x = executor_new(1, 4, &e);
    int n = 1;
    shut_gate();
    struct future *first = executor_submit(x, wait_at_gate, &n, &e);
    wait_for_begun(1);
    struct future *second = executor_submit(x, twice, &n, &e);
    CU_ASSERT_FALSE(future_cancel(first)); /* it runs: asked only */
    CU_ASSERT(future_is_cancelled(first));
    CU_ASSERT(future_cancel(second));
    CU_ASSERT_EQUAL(future_result(second, FUTURE_NOW, NULL, &why), FUTURE_CANCELLED);
    CU_ASSERT_EQUAL(why.code, Q_ESTOP);
    CU_ASSERT_FALSE(future_cancel(second));
    open_gate();
    CU_ASSERT_EQUAL(future_result(first, FUTURE_FOREVER, NULL, NULL), FUTURE_DONE);
    CU_ASSERT_EQUAL(n, 1);
    future_free(first);
    future_free(second);
    executor_free(x);
}

static void *submit_one_more(void *arg)
{
    struct qerr e = QERR_INIT;
    static int n = 1;
    struct future *f = executor_submit(arg, twice, &n, &e);
    atomic_fetch_add(&begun, 100);
    return f;
}

/* The queue is bounded: who submits to a full one waits. */
static void test_full_queue(void)
{
    struct qerr e = QERR_INIT;
    struct executor *x = executor_new(1, 2, &e);
    int n[3] = {1, 2, 3};
    shut_gate();
    struct future *running = executor_submit(x, wait_at_gate, NULL, &e);
    wait_for_begun(1);
    struct future *a = executor_submit(x, twice, &n[0], &e);
    struct future *b = executor_submit(x, twice, &n[1], &e);
    pthread_t other;
    void *c = NULL;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&other, NULL, submit_one_more, x), 0);
    pause_ms(20);
    CU_ASSERT_EQUAL(atomic_load(&begun), 1); /* it still waits */
    open_gate();
    pthread_join(other, &c);
    CU_ASSERT_EQUAL(future_result(c, FUTURE_FOREVER, NULL, NULL), FUTURE_DONE);
    CU_ASSERT(n[0] == 2 && n[1] == 4);
    future_free(running);
    future_free(a);
    future_free(b);
    executor_free(x);
}

static void *sleep_for(void *arg, struct future *self, struct qerr *e)
{
    (void)self;
    (void)e;
    pause_ms(*(int *)arg);
    return arg;
}

static void test_map_as_completed(void)
{
    struct qerr e = QERR_INIT;
    struct executor *x = executor_new(3, 3, &e);
    int ms[] = {90, 10, 50};
    void *args[] = {&ms[0], &ms[1], &ms[2]};
    struct future *futures[3];
    CU_ASSERT_EQUAL_FATAL(executor_map(x, sleep_for, args, 3, futures, &e), 0);
    bool none = true;
    CU_ASSERT_PTR_NULL(executor_next_done(x, FUTURE_NOW, &none));
    CU_ASSERT_FALSE(none);
    CU_ASSERT(executor_next_done(x, FUTURE_FOREVER, NULL) == futures[1]);
    CU_ASSERT(executor_next_done(x, FUTURE_FOREVER, NULL) == futures[2]);
    CU_ASSERT(executor_next_done(x, FUTURE_FOREVER, NULL) == futures[0]);
    CU_ASSERT_PTR_NULL(executor_next_done(x, FUTURE_FOREVER, &none));
    CU_ASSERT(none);
    for (int i = 0; i < 3; i++) { /* in order all the same */
        void *value;
        CU_ASSERT_EQUAL(future_result(futures[i], FUTURE_NOW, &value, NULL),
                        FUTURE_DONE);
        CU_ASSERT(value == args[i]);
        future_free(futures[i]);
    }
    executor_free(x);
}

static void *open_gate_soon(void *arg)
{
    open_gate();
    return arg;
}

static void shut_down(enum executor_end end, bool run)
{
    struct qerr e = QERR_INIT, why = QERR_INIT;
    struct executor *x = executor_new(1, 10, &e);
    int n[10];
    void *args[10];
    struct future *futures[10];
    shut_gate();
    struct future *first = executor_submit(x, wait_at_gate, NULL, &e);
    wait_for_begun(1);
    for (int i = 0; i < 10; i++) {
        n[i] = i;
        args[i] = &n[i];
    }
    CU_ASSERT_EQUAL_FATAL(executor_map(x, twice, args, 10, futures, &e), 0);
    pthread_t opener;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&opener, NULL, open_gate_soon, NULL), 0);
    executor_shutdown(x, end);
    pthread_join(opener, NULL);
    for (int i = 0; i < 10; i++) {
        enum future_state state = future_result(futures[i], FUTURE_NOW, NULL, NULL);
        /* The gate may have opened before the shutdown: then some ran. */
        if (run)
            CU_ASSERT_EQUAL(state, FUTURE_DONE);
        CU_ASSERT_EQUAL(n[i], state == FUTURE_DONE ? 2 * i : i);
        future_free(futures[i]);
    }
    CU_ASSERT_PTR_NULL(executor_submit(x, twice, &n[0], &why));
    CU_ASSERT_EQUAL(why.code, Q_ESTOP);
    executor_shutdown(x, end);
    future_free(first);
    executor_free(x);
}

static void test_drain(void)
{
    shut_down(EXECUTOR_DRAIN, true);
}

static void test_abandon(void)
{
    shut_down(EXECUTOR_ABANDON, false);
}

/* What nobody waits for is cancelled in the queue, and gone (a sanitizer looks on). */
static void test_abandon_forgotten(void)
{
    struct qerr e = QERR_INIT;
    struct executor *x = executor_new(1, 4, &e);
    int n = 1;
    shut_gate();
    struct future *first = executor_submit(x, wait_at_gate, &n, &e);
    wait_for_begun(1);
    future_free(executor_submit(x, twice, &n, &e));
    future_free(executor_submit(x, twice, &n, &e));
    pthread_t opener;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&opener, NULL, open_gate_soon, NULL), 0);
    executor_shutdown(x, EXECUTOR_ABANDON);
    pthread_join(opener, NULL);
    CU_ASSERT(n == 1 || n == 4); /* or the gate opened first */
    future_free(first);
    executor_free(x);
}

/* --- under contention --- */

enum { THREADS = 100, INCREMENTS = 100000 };

static atomic_uint_fast64_t atomic_count;
static uint64_t locked_count;
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;

static void *count(void *arg, struct future *self, struct qerr *e)
{
    (void)self;
    (void)e;
    for (int i = 0; i < INCREMENTS; i++) {
        atomic_fetch_add_explicit(&atomic_count, 1, memory_order_relaxed);
        if (i % 10 == 0) { /* a tenth: a contended lock is slow */
            pthread_mutex_lock(&count_lock);
            locked_count++;
            pthread_mutex_unlock(&count_lock);
        }
    }
    return arg;
}

static void test_counters(void)
{
    struct qerr e = QERR_INIT;
    struct executor *x = executor_new(THREADS, THREADS, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    atomic_store(&atomic_count, 0);
    locked_count = 0;
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(executor_submit(x, count, NULL, &e));
    executor_shutdown(x, EXECUTOR_DRAIN);
    CU_ASSERT_EQUAL(atomic_load(&atomic_count), (uint64_t)THREADS * INCREMENTS);
    CU_ASSERT_EQUAL(locked_count, (uint64_t)THREADS * INCREMENTS / 10);
    executor_free(x);
}

/* Deposits and withdrawals on one account, of many more tasks than threads. */
static int64_t balance;

static void *transfer(void *arg, struct future *self, struct qerr *e)
{
    (void)self;
    (void)e;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&count_lock);
        balance += *(int *)arg;
        pthread_mutex_unlock(&count_lock);
    }
    return arg;
}

static void test_account(void)
{
    struct qerr e = QERR_INIT;
    struct executor *x = executor_new(THREADS, 7, &e);
    int in = 5, out = -5, done = 0;
    balance = 1000;
    for (int i = 0; i < 1000; i++) {
        struct future *f = executor_submit(x, transfer, i % 2 ? &in : &out, &e);
        if (i % 3 == 0)
            future_free(f); /* nobody asks for it */
        while ((f = executor_next_done(x, FUTURE_NOW, NULL)) != NULL) {
            done++;
            future_free(f);
        }
    }
    struct future *f;
    while ((f = executor_next_done(x, FUTURE_FOREVER, NULL)) != NULL) {
        done++;
        future_free(f);
    }
    executor_shutdown(x, EXECUTOR_DRAIN); /* those that nobody asks for */
    CU_ASSERT_EQUAL(done, 666);
    CU_ASSERT_EQUAL(balance, 1000);
    executor_free(x);
}

static const struct unit_test tests[] = {
    {"values and errors are results", test_results},
    {"a result with a timeout", test_timeout},
    {"cancelling", test_cancel},
    {"the queue is bounded", test_full_queue},
    {"map, and as completed", test_map_as_completed},
    {"shutdown that drains", test_drain},
    {"shutdown that abandons", test_abandon},
    {"shutdown with tasks that nobody waits for", test_abandon_forgotten},
    {"100 threads, 100000 increments each", test_counters},
    {"deposits and withdrawals", test_account},
};

UNIT_MAIN("executor", tests)
