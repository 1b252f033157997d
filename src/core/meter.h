/*
 * meter: what each thread of a run did with its time. A thread joins, says of each of
 * its tasks when it began and ended, and leaves; what lies between its tasks is waiting
 * for others. It alone writes its meter, with plain stores on a cache line of its own,
 * so that metering costs two looks at the clock for a task of milliseconds.
 *
 * Any thread may read the counters at any time (relaxed: each is right, together they
 * are some moments apart). The events of a trace may be read only when their thread has
 * left.
 *
 * Every call accepts a NULL meter, which is what a thread gets when there is no memory
 * for one: it is then not seen, and works all the same.
 */
#ifndef QUERN_CORE_METER_H
#define QUERN_CORE_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hist.h"

enum meter_role {
    METER_WORKER,
    METER_READER,
    METER_COMMITTER,
    METER_FETCHER, /* a thread of the fetch pool */
    METER_LINK,    /* who talks to other ranks */
    METER_ROLES
};

enum meter_task {
    TASK_CHUNK,  /* a span parsed, answered, rendered */
    TASK_READ,   /* input read, or waited for, and cut */
    TASK_COMMIT, /* a part written */
    TASK_MARK,   /* ... and the output made durable, and journaled */
    TASK_FETCH,  /* a transfer, from its start to its end */
    TASK_SEND,   /* a message to another rank, or from it */
    METER_TASKS
};

/* For people: "worker", "chunk", ... */
const char *meter_role_name(enum meter_role role);
const char *meter_task_name(enum meter_task task);

/* What is known of a TASK_FETCH besides. */
struct meter_transfer {
    uint16_t place;  /* which of its thread's, from 0 */
    uint16_t tries;  /* of the URL so far, this one included */
    uint16_t class;  /* enum fetch_class: what this one came to */
    uint16_t status; /* HTTP; 0: no answer */
};

/* What a thread did in a stretch of time: one task, or in a long run `tasks` of them
 * one after the other, which then took busy_ns between them. Transfers overlap: there
 * an event is one of them, which stands for `tasks`. */
struct meter_event {
    uint64_t start_ns, end_ns, busy_ns;
    uint64_t records, bytes;
    uint32_t tasks;
    uint32_t task; /* enum meter_task */
    struct meter_transfer transfer;
};

struct meter {
    enum meter_role role;
    unsigned index; /* among those of its role, from 0 */

    atomic_uint_fast64_t joined_ns, left_ns; /* left_ns 0: it is there */
    atomic_uint_fast64_t since_ns;           /* its task began; 0: it has none */
    atomic_uint_fast64_t busy_ns;            /* in tasks that have ended */
    atomic_uint_fast64_t tasks, records, bytes, errors, retries;
    atomic_uint_fast64_t read_bytes; /* of the input, once decompressed */
    struct hist task_ns;             /* how long tasks took */
    struct hist record_ns; /* how long records took: each its share of a kernel call */

    struct meter_event *events; /* NULL: no trace */
    size_t nevents, max_events;
    uint32_t stride; /* tasks that one event may hold */
};

enum { METERS_MAX = 4608 };

/* What is known of fetching, for the progress line; written with atomic additions. */
struct meter_fetch {
    atomic_uint_fast64_t todo;   /* transfers asked for so far; 0: nothing is fetched */
    atomic_uint_fast64_t active; /* under way */
    atomic_uint_fast64_t done;   /* ended, well or badly */
    atomic_uint_fast64_t failed; /* of them */
    atomic_uint_fast64_t retries, bytes;
};

enum { METER_KINDS = 4 }; /* of chunks: core/chunk.h */

/* How much of the input is answered, in whatever order, by the kind of chunk: bytes,
 * integers, ..., and the time that the kernel took for them. One thread at a time
 * writes: the ring's lock is held. */
struct meter_work {
    atomic_uint_fast64_t answered[METER_KINDS], busy_ns[METER_KINDS];
};

struct meters {
    uint64_t start_ns;
    uint64_t start_cpu_ns; /* CPU time that the process had used then; 0: none of it */
    size_t events;         /* of a trace, for each thread; 0: no trace */
    size_t fetch_events;   /* the same for METER_FETCHER, of which there may be more */
    atomic_uint n;
    _Atomic(struct meter *) list[METERS_MAX];
    struct meter_work work;
    struct meter_fetch fetch;
};

/* Bounds for the events of a trace with this many threads. */
size_t meters_events(unsigned threads);

void meters_init(struct meters *all, uint64_t start_ns, size_t events);

/* So many METER_FETCHER will join. */
void meters_fetchers(struct meters *all, unsigned threads);

/* Only when no thread uses its meter any more. */
void meters_release(struct meters *all);

/* --- the thread itself --- */

struct meter *meter_join(struct meters *all, enum meter_role role, unsigned index);
void meter_leave(struct meter *m);

/* It begins a task, which others may see lasting. */
void meter_begin(struct meter *m, uint64_t now_ns);

struct meter_done {
    enum meter_task task;
    uint64_t start_ns, end_ns;
    uint64_t records, errors, retries, bytes;
    struct meter_transfer transfer; /* of a TASK_FETCH */
};

/* It has ended one. */
void meter_end(struct meter *m, const struct meter_done *done);

/* So many records were answered together in that time. */
void meter_records(struct meter *m, uint64_t spent_ns, uint64_t records);

/* It has taken in so many bytes of the input. */
void meter_read(struct meter *m, uint64_t bytes);

/* Counts, of which a thread may have some besides. */
static inline void meter_count(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, hist_read(counter) + n, memory_order_relaxed);
}

/* More of the input is answered; `all` may be NULL. */
void meters_answered(struct meters *all, unsigned kind, uint64_t units,
                     uint64_t busy_ns);

/* --- anyone --- */

/* Meter `i`, or NULL when there is none yet. */
static inline struct meter *meters_at(const struct meters *all, unsigned i)
{
    return atomic_load_explicit(&all->list[i], memory_order_acquire);
}
unsigned meters_count(const struct meters *all);

/* When the longest task that is still under way began; 0: there is none. */
uint64_t meters_oldest(const struct meters *all, enum meter_role role);

#endif
