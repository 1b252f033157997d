/*
 * A trace is bounded: when a thread's events fill their room, each two neighbours
 * become one that stands for both, and from then on an event takes in twice as many
 * tasks before the next one begins. So the events cover the whole run however long it
 * is, and what was busy and what was waiting stays right; only the resolution halves.
 * Of transfers, which overlap, every second one stays as it is and stands for its
 * neighbour too.
 */
#include "core/meter.h"

#include <stdlib.h>

#include "base/qclock.h"

enum { EVENTS_IN_ALL = 65536, EVENTS_MOST = 8192, EVENTS_LEAST = 256, LINE_BYTES = 64 };

const char *meter_role_name(enum meter_role role)
{
    static const char *const names[METER_ROLES] = {
        [METER_WORKER] = "worker",       [METER_READER] = "reader",
        [METER_COMMITTER] = "committer", [METER_FETCHER] = "fetcher",
        [METER_LINK] = "link",
    };
    return role < METER_ROLES ? names[role] : "?";
}

const char *meter_task_name(enum meter_task task)
{
    static const char *const names[METER_TASKS] = {
        [TASK_CHUNK] = "chunk", [TASK_READ] = "read",   [TASK_COMMIT] = "commit",
        [TASK_MARK] = "mark",   [TASK_FETCH] = "fetch", [TASK_SEND] = "message",
    };
    return task < METER_TASKS ? names[task] : "?";
}

size_t meters_events(unsigned threads)
{
    size_t each = EVENTS_IN_ALL / (threads > 0 ? threads : 1);
    return each > EVENTS_MOST ? EVENTS_MOST : each < EVENTS_LEAST ? EVENTS_LEAST : each;
}

void meters_init(struct meters *all, uint64_t start_ns, size_t events)
{
    all->start_ns = start_ns;
    all->start_cpu_ns = 0;
    all->events = all->fetch_events = events;
    atomic_init(&all->n, 0);
    for (size_t i = 0; i < METERS_MAX; i++)
        atomic_init(&all->list[i], NULL);
    all->work = (struct meter_work){.answered = {0}};
    all->fetch = (struct meter_fetch){.todo = 0};
}

void meters_fetchers(struct meters *all, unsigned threads)
{
    size_t events = meters_events(threads);
    if (events < all->fetch_events)
        all->fetch_events = events;
}

void meters_release(struct meters *all)
{
    for (unsigned i = 0; i < meters_count(all); i++) {
        struct meter *m = meters_at(all, i);
        if (m)
            free(m->events);
        free(m);
    }
    atomic_store(&all->n, 0);
}

/* --- the thread itself --- */

static void set(atomic_uint_fast64_t *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

struct meter *meter_join(struct meters *all, enum meter_role role, unsigned index)
{
    size_t size = (sizeof(struct meter) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    unsigned place = atomic_fetch_add(&all->n, 1);
    struct meter *m = place < METERS_MAX ? aligned_alloc(LINE_BYTES, size) : NULL;
    if (!m)
        return NULL;
    size_t events = role == METER_FETCHER ? all->fetch_events : all->events;
    *m =
        (struct meter){.role = role, .index = index, .max_events = events, .stride = 1};
    if (events > 0)
        m->events = malloc(events * sizeof *m->events);
    if (!m->events)
        m->max_events = 0;
    set(&m->joined_ns, qclock_ns());
    atomic_store_explicit(&all->list[place], m, memory_order_release);
    return m;
}

void meter_leave(struct meter *m)
{
    if (!m)
        return;
    set(&m->since_ns, 0);
    set(&m->left_ns, qclock_ns());
}

void meter_begin(struct meter *m, uint64_t now_ns)
{
    if (m)
        set(&m->since_ns, now_ns);
}

static void take_in(struct meter_event *to, const struct meter_event *from)
{
    to->tasks += from->tasks;
    if (to->task == TASK_FETCH)
        return;
    if (from->busy_ns > to->busy_ns)
        to->task = from->task;
    to->end_ns = from->end_ns;
    to->busy_ns += from->busy_ns;
    to->records += from->records;
    to->bytes += from->bytes;
}

static void halve(struct meter *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->nevents; i += 2, n++) {
        m->events[n] = m->events[i];
        if (i + 1 < m->nevents)
            take_in(&m->events[n], &m->events[i + 1]);
    }
    m->nevents = n;
    m->stride *= 2;
}

static void trace(struct meter *m, const struct meter_done *done)
{
    struct meter_event event = {.start_ns = done->start_ns,
                                .end_ns = done->end_ns,
                                .busy_ns = done->end_ns - done->start_ns,
                                .records = done->records,
                                .bytes = done->bytes,
                                .tasks = 1,
                                .task = done->task,
                                .transfer = done->transfer};
    struct meter_event *last = m->nevents > 0 ? &m->events[m->nevents - 1] : NULL;
    if (last && last->tasks < m->stride) {
        take_in(last, &event);
        return;
    }
    if (m->nevents == m->max_events)
        halve(m);
    m->events[m->nevents++] = event;
}

void meter_end(struct meter *m, const struct meter_done *done)
{
    if (!m)
        return;
    uint64_t spent = done->end_ns - done->start_ns;
    set(&m->since_ns, 0);
    meter_count(&m->busy_ns, spent);
    meter_count(&m->tasks, 1);
    meter_count(&m->records, done->records);
    meter_count(&m->bytes, done->bytes);
    meter_count(&m->errors, done->errors);
    meter_count(&m->retries, done->retries);
    hist_add(&m->task_ns, spent, 1);
    if (m->events && m->max_events > 1)
        trace(m, done);
}

void meter_records(struct meter *m, uint64_t spent_ns, uint64_t records)
{
    if (m && records > 0)
        hist_add(&m->record_ns, spent_ns / records, records);
}

void meter_read(struct meter *m, uint64_t bytes)
{
    if (m)
        meter_count(&m->read_bytes, bytes);
}

void meters_answered(struct meters *all, unsigned kind, uint64_t units,
                     uint64_t busy_ns)
{
    if (!all || kind >= METER_KINDS)
        return;
    meter_count(&all->work.answered[kind], units);
    meter_count(&all->work.busy_ns[kind], busy_ns);
}

/* --- anyone --- */

unsigned meters_count(const struct meters *all)
{
    unsigned n = atomic_load_explicit(&all->n, memory_order_relaxed);
    return n < METERS_MAX ? n : METERS_MAX;
}

uint64_t meters_oldest(const struct meters *all, enum meter_role role)
{
    uint64_t oldest = 0;
    for (unsigned i = 0; i < meters_count(all); i++) {
        const struct meter *m = meters_at(all, i);
        uint64_t since = m && m->role == role ? hist_read(&m->since_ns) : 0;
        if (since > 0 && (oldest == 0 || since < oldest))
            oldest = since;
    }
    return oldest;
}
