/*
 * A rank is a process of the trace and a thread a thread of it, whose number is its
 * role's times a large one and its index, so that rows of a kind stand together. What a
 * thread does is a complete event ("X"); what lies between two of them, if it is long
 * enough to be seen, is one called "wait". Transfers of one thread overlap, those of
 * one of its places do not: each place is a row, which is called "fetcher
 * THREAD.PLACE".
 */
#include "cmd/trace.h"

#include <stdio.h>

#include "base/qjson.h"
#include "source/fetch.h"

enum { WAIT_NS = 20000, ROLE_STEP = 100000 };

/* Since `zero_ns` on rank 0's clock. */
static int64_t since(const struct rank_stats *rank, uint64_t ns, uint64_t zero_ns)
{
    return (int64_t)(ns - zero_ns) + rank->offset_ns;
}

struct row {
    struct qjson_writer *w;
    const struct rank_stats *rank;
    uint64_t zero_ns; /* on rank 0's clock */
    unsigned tid;
    unsigned places; /* rows of fetchers so far */
};

static void put_head(const struct row *r, const char *name, const char *phase)
{
    qjson_object(r->w, NULL);
    r->w->flat = true;
    qjson_string(r->w, "name", name);
    qjson_string(r->w, "ph", phase);
    qjson_count(r->w, "pid", r->rank->rank);
    qjson_count(r->w, "tid", r->tid);
}

static void put_name(const struct row *r, const char *what, const char *name)
{
    put_head(r, what, "M");
    qjson_object(r->w, "args");
    r->w->flat = true;
    qjson_string(r->w, "name", name);
    qjson_end(r->w);
    r->w->flat = true;
    qjson_end(r->w);
}

/* Microseconds, as the format has them. A nanosecond is left off, for readers who add
 * them in floating point: else an event would seem to reach into the one behind it. */
static void put_times(const struct row *r, uint64_t from_ns, uint64_t to_ns)
{
    qjson_milli(r->w, "ts", since(r->rank, from_ns, r->zero_ns));
    qjson_milli(r->w, "dur", (int64_t)(to_ns - from_ns) - (to_ns > from_ns));
}

static void put_wait(const struct row *r, uint64_t from_ns, uint64_t to_ns)
{
    if (to_ns < from_ns + WAIT_NS)
        return;
    put_head(r, "wait", "X");
    put_times(r, from_ns, to_ns);
    qjson_end(r->w);
}

static void put_transfer(struct qjson_writer *w, const struct meter_event *e)
{
    qjson_count(w, "bytes", e->bytes);
    qjson_count(w, "try", e->transfer.tries);
    qjson_string(w, "class", fetch_class_name((enum fetch_class)e->transfer.class));
    qjson_count(w, "status", e->transfer.status);
}

static void put_event(const struct row *r, const struct meter_event *e)
{
    put_head(r, meter_task_name((enum meter_task)e->task), "X");
    put_times(r, e->start_ns, e->end_ns);
    qjson_object(r->w, "args");
    r->w->flat = true;
    qjson_count(r->w, "records", e->records);
    qjson_count(r->w, "tasks", e->tasks);
    qjson_milli(r->w, "busy_us", (int64_t)e->busy_ns);
    if (e->task == TASK_FETCH)
        put_transfer(r->w, e);
    qjson_end(r->w);
    r->w->flat = true;
    qjson_end(r->w);
}

static void put_places(struct row *r, const struct thread_stats *t)
{
    unsigned first = METER_FETCHER * ROLE_STEP + r->places, named = 0;
    for (size_t i = 0; i < t->nevents; i++) {
        unsigned place = t->events[i].transfer.place;
        for (; named <= place; named++) {
            char name[64];
            r->tid = first + named;
            snprintf(name, sizeof name, "fetcher %u.%u", t->index, named);
            put_name(r, "thread_name", name);
        }
        r->tid = first + place;
        put_event(r, &t->events[i]);
    }
    r->places += named;
}

static void put_thread(struct row *r, const struct thread_stats *t)
{
    char name[64];
    if (t->role == METER_FETCHER) {
        put_places(r, t);
        return;
    }
    r->tid = (unsigned)t->role * ROLE_STEP + t->index;
    snprintf(name, sizeof name, "%s %u", meter_role_name(t->role), t->index);
    put_name(r, "thread_name", name);
    uint64_t at = t->joined_ns;
    for (size_t i = 0; i < t->nevents; i++) {
        const struct meter_event *e = &t->events[i];
        put_wait(r, at, e->start_ns);
        put_event(r, e);
        at = e->end_ns;
    }
    if (t->nevents > 0)
        put_wait(r, at, t->left_ns);
}

void trace_json(const struct rank_stats *ranks, size_t n, struct qbuf *out)
{
    struct qjson_writer w = QJSON_WRITER(out);
    qjson_object(&w, NULL);
    qjson_string(&w, "displayTimeUnit", "ms");
    qjson_object(&w, "otherData");
    qjson_string(&w, "schema", "quern-trace");
    qjson_count(&w, "version", 1);
    qjson_string(&w, "quern", QUERN_VERSION);
    qjson_end(&w);
    qjson_array(&w, "traceEvents");
    for (size_t i = 0; i < n; i++) {
        char name[128];
        struct row r = {.w = &w,
                        .rank = &ranks[i],
                        .zero_ns = ranks[0].start_ns + (uint64_t)ranks[0].offset_ns};
        snprintf(name, sizeof name, "rank %u on %s", ranks[i].rank, ranks[i].host);
        put_name(&r, "process_name", name);
        for (size_t k = 0; k < ranks[i].nthreads; k++)
            put_thread(&r, &ranks[i].threads[k]);
    }
    qjson_end(&w);
    qjson_end(&w);
}
