#include "core/meter.h"

#include <pthread.h>
#include <string.h>

#include "base/qclock.h"
#include "unit.h"

static struct meters all;

static void task(struct meter *m, uint64_t start, uint64_t end, enum meter_task kind)
{
    struct meter_done done = {
        .task = kind, .start_ns = start, .end_ns = end, .records = 2, .bytes = 3};
    meter_begin(m, start);
    meter_end(m, &done);
    meter_records(m, end - start, 2);
}

static void test_counts(void)
{
    meters_init(&all, qclock_ns(), 0);
    struct meter *m = meter_join(&all, METER_WORKER, 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_EQUAL((uintptr_t)m % 64, 0);
    CU_ASSERT_EQUAL(meters_count(&all), 1);
    CU_ASSERT_PTR_EQUAL(meters_at(&all, 0), m);
    for (uint64_t i = 0; i < 10; i++)
        task(m, i * 100, i * 100 + 50, TASK_CHUNK);
    CU_ASSERT_EQUAL(m->busy_ns, 500);
    CU_ASSERT_EQUAL(m->tasks, 10);
    CU_ASSERT_EQUAL(m->records, 20);
    CU_ASSERT_EQUAL(m->bytes, 30);
    CU_ASSERT_EQUAL(hist_quantile(&m->task_ns, 0.5), 50);
    CU_ASSERT_EQUAL(hist_quantile(&m->record_ns, 0.5), 25);
    CU_ASSERT_EQUAL(m->nevents, 0);
    CU_ASSERT_EQUAL(m->left_ns, 0);
    meter_leave(m);
    CU_ASSERT(m->left_ns >= m->joined_ns);
    meters_release(&all);
}

static void test_under_way(void)
{
    meters_init(&all, 0, 0);
    struct meter *a = meter_join(&all, METER_WORKER, 0);
    struct meter *b = meter_join(&all, METER_WORKER, 1);
    struct meter *reader = meter_join(&all, METER_READER, 0);
    CU_ASSERT_EQUAL(meters_oldest(&all, METER_WORKER), 0);
    meter_begin(reader, 3);
    meter_begin(a, 20);
    meter_begin(b, 10);
    CU_ASSERT_EQUAL(meters_oldest(&all, METER_WORKER), 10);
    task(b, 10, 30, TASK_CHUNK);
    CU_ASSERT_EQUAL(meters_oldest(&all, METER_WORKER), 20);
    meter_leave(a);
    CU_ASSERT_EQUAL(meters_oldest(&all, METER_WORKER), 0);
    meters_release(&all);
}

/* A trace of any length has bounded memory, and loses no task, record or moment. */
static void test_trace(void)
{
    static const size_t rooms[] = {2, 3, 7, 256};
    for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
        for (uint64_t n = 1; n < 5000; n = n * 2 + 1) {
            meters_init(&all, 0, rooms[r]);
            struct meter *m = meter_join(&all, METER_WORKER, 0);
            CU_ASSERT_PTR_NOT_NULL_FATAL(m->events);
            for (uint64_t i = 0; i < n; i++)
                task(m, i * 100, i * 100 + 1 + i % 100,
                     i % 10 == 9 ? TASK_MARK : TASK_COMMIT);
            uint64_t tasks = 0, records = 0, busy = 0, at = 0;
            CU_ASSERT(m->nevents > 0 && m->nevents <= rooms[r]);
            for (size_t i = 0; i < m->nevents; i++) {
                const struct meter_event *e = &m->events[i];
                CU_ASSERT_EQUAL(e->start_ns, tasks * 100);
                CU_ASSERT(e->start_ns >= at && e->busy_ns <= e->end_ns - e->start_ns);
                at = e->end_ns;
                tasks += e->tasks;
                records += e->records;
                busy += e->busy_ns;
            }
            CU_ASSERT_EQUAL(tasks, n);
            CU_ASSERT_EQUAL(records, 2 * n);
            CU_ASSERT_EQUAL(busy, m->busy_ns);
            meters_release(&all);
        }
    }
}

/* Transfers overlap: in a long run some stand for all, and none is bent. */
static void test_transfers(void)
{
    enum { N = 1000, ROOM = 16, LONG = 70 };
    meters_init(&all, 0, ROOM);
    struct meter *m = meter_join(&all, METER_FETCHER, 0);
    for (uint64_t i = 0; i < N; i++)
        meter_end(m, &(struct meter_done){.task = TASK_FETCH,
                                          .start_ns = i * 10,
                                          .end_ns = i * 10 + LONG,
                                          .retries = i % 2,
                                          .bytes = 3,
                                          .transfer = {.place = (uint16_t)(i % 7)}});
    uint64_t tasks = 0;
    CU_ASSERT(m->nevents > ROOM / 4 && m->nevents <= ROOM);
    for (size_t i = 0; i < m->nevents; i++) {
        const struct meter_event *e = &m->events[i];
        CU_ASSERT_EQUAL(e->start_ns, tasks * 10); /* the first of those it stands for */
        CU_ASSERT_EQUAL(e->end_ns - e->start_ns, LONG);
        CU_ASSERT_EQUAL(e->bytes, 3);
        CU_ASSERT_EQUAL(e->transfer.place, tasks % 7);
        tasks += e->tasks;
    }
    CU_ASSERT_EQUAL(tasks, N);
    CU_ASSERT_EQUAL(m->retries, N / 2);
    CU_ASSERT_EQUAL(m->busy_ns, N * LONG);
    meters_release(&all);
}

/* There may be more fetchers than workers: their events have a bound of their own. */
static void test_fetchers(void)
{
    meters_init(&all, 0, meters_events(2));
    meters_fetchers(&all, 500);
    struct meter *m = meter_join(&all, METER_FETCHER, 0);
    CU_ASSERT_EQUAL(m->max_events, meters_events(500));
    CU_ASSERT(m->max_events < meters_events(2));
    CU_ASSERT_EQUAL(meter_join(&all, METER_WORKER, 0)->max_events, meters_events(2));
    meters_release(&all);
    meters_init(&all, 0, 0); /* no trace */
    meters_fetchers(&all, 500);
    CU_ASSERT_EQUAL(meter_join(&all, METER_FETCHER, 0)->max_events, 0);
    meters_release(&all);
}

static void test_bounds(void)
{
    CU_ASSERT(meters_events(0) == meters_events(1));
    CU_ASSERT(meters_events(4) >= 4096);
    CU_ASSERT(meters_events(4096) >= 2);
}

static void test_no_meter(void)
{
    meter_begin(NULL, 1);
    task(NULL, 1, 2, TASK_READ);
    meter_leave(NULL);
    meters_answered(NULL, 0, 1, 1);
    meters_init(&all, 0, 0);
    meters_answered(&all, METER_KINDS, 1, 1);
    meters_answered(&all, 1, 5, 6);
    meters_answered(&all, 1, 5, 6);
    CU_ASSERT_EQUAL(all.work.answered[1], 10);
    CU_ASSERT_EQUAL(all.work.busy_ns[1], 12);
}

/* More threads than there is room for go unseen. */
static void test_too_many(void)
{
    meters_init(&all, 0, 0);
    atomic_store(&all.n, METERS_MAX - 1);
    CU_ASSERT_PTR_NOT_NULL(meter_join(&all, METER_FETCHER, 0));
    CU_ASSERT_PTR_NULL(meter_join(&all, METER_FETCHER, 1));
    CU_ASSERT_EQUAL(meters_count(&all), METERS_MAX);
    meters_release(&all);
}

/* --- read while it is written --- */

enum { THREADS = 8, TASKS = 20000 };

static void *join_and_work(void *arg)
{
    struct meter *m = meter_join(&all, METER_WORKER, *(const unsigned *)arg);
    for (uint64_t i = 0; i < TASKS; i++) {
        task(m, i * 10, i * 10 + 5, TASK_CHUNK);
        atomic_fetch_add(&all.fetch.done, 1);
    }
    meter_leave(m);
    return NULL;
}

static uint64_t records_now(void)
{
    uint64_t records = 0;
    for (unsigned i = 0; i < meters_count(&all); i++) {
        struct meter *m = meters_at(&all, i);
        if (m)
            records += hist_read(&m->records);
    }
    (void)meters_oldest(&all, METER_WORKER);
    return records;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    meters_init(&all, 0, 64);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, join_and_work, &numbers[i]), 0);
    }
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = records_now();
        CU_ASSERT(now >= before);
        before = now;
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(records_now(), 2 * THREADS * TASKS);
    CU_ASSERT_EQUAL(all.fetch.done, THREADS * TASKS);
    meters_release(&all);
}

static void test_names(void)
{
    for (unsigned i = 0; i < METER_ROLES; i++)
        CU_ASSERT(strlen(meter_role_name((enum meter_role)i)) > 1);
    for (unsigned i = 0; i < METER_TASKS; i++)
        CU_ASSERT(strlen(meter_task_name((enum meter_task)i)) > 1);
}

static const struct unit_test tests[] = {
    {"counts of one thread", test_counts},
    {"tasks that are under way", test_under_way},
    {"a bounded trace", test_trace},
    {"a bounded trace of transfers", test_transfers},
    {"more fetchers than workers", test_fetchers},
    {"room for events", test_bounds},
    {"without a meter", test_no_meter},
    {"more threads than meters", test_too_many},
    {"read while it is written", test_threads},
    {"names", test_names},
};
UNIT_MAIN("meter", tests)
