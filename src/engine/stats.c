#include "engine/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/qclock.h"

static uint64_t cpu_of(int who)
{
    struct rusage u;
    if (getrusage(who, &u) != 0)
        return 0;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u;
}

static uint64_t peak_of(int who)
{
    struct rusage u;
    return getrusage(who, &u) == 0 ? (uint64_t)u.ru_maxrss * 1024u : 0;
}

uint64_t stats_cpu_ns(void)
{
    return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
}

uint64_t stats_run_cpu_ns(const struct meters *all)
{
    return all ? stats_cpu_ns() - all->start_cpu_ns : 0;
}

uint64_t stats_peak_bytes(void)
{
    uint64_t self = peak_of(RUSAGE_SELF), helpers = peak_of(RUSAGE_CHILDREN);
    return self > helpers ? self : helpers;
}

/* --- collecting --- */

static int copy_events(struct thread_stats *t, const struct meter_event *events,
                       size_t n, struct qerr *e)
{
    if (n == 0)
        return 0;
    t->events = malloc(n * sizeof *t->events);
    if (!t->events)
        return qerr_nomem(e);
    memcpy(t->events, events, n * sizeof *t->events);
    t->nevents = n;
    return 0;
}

static int collect_thread(struct rank_stats *s, const struct meter *m, bool events,
                          struct qerr *e)
{
    struct thread_stats *t = &s->threads[s->nthreads++];
    uint64_t left = hist_read(&m->left_ns);
    *t = (struct thread_stats){.role = m->role,
                               .index = m->index,
                               .joined_ns = hist_read(&m->joined_ns),
                               .left_ns = left > 0 ? left : s->end_ns,
                               .busy_ns = hist_read(&m->busy_ns),
                               .tasks = hist_read(&m->tasks),
                               .records = hist_read(&m->records),
                               .bytes = hist_read(&m->bytes),
                               .errors = hist_read(&m->errors),
                               .retries = hist_read(&m->retries),
                               .read_bytes = hist_read(&m->read_bytes)};
    if (m->role == METER_WORKER) {
        hist_merge(&s->chunk_ns, &m->task_ns);
        hist_merge(&s->record_ns, &m->record_ns);
    } else if (m->role == METER_FETCHER) {
        hist_merge(&s->fetch_ns, &m->task_ns);
    }
    return events ? copy_events(t, m->events, m->nevents, e) : 0;
}

void stats_clock(char clock[STATS_CLOCK])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    *clock = '\0';
    if (!f || !fgets(clock, STATS_CLOCK, f))
        gethostname(clock, STATS_CLOCK - 1);
    clock[STATS_CLOCK - 1] = '\0';
    if (f)
        fclose(f);
}

static int by_role(const void *a, const void *b)
{
    const struct thread_stats *x = a, *y = b;
    int roles = (x->role > y->role) - (x->role < y->role);
    return roles != 0 ? roles : (x->index > y->index) - (x->index < y->index);
}

int stats_collect(struct rank_stats *s, unsigned rank, const struct meters *all,
                  bool events, struct qerr *e)
{
    unsigned n = meters_count(all);
    *s = (struct rank_stats){.rank = rank,
                             .pid = (uint64_t)getpid(),
                             .start_ns = all->start_ns,
                             .end_ns = qclock_ns(),
                             .cpu_ns = stats_run_cpu_ns(all),
                             .peak_bytes = stats_peak_bytes()};
    gethostname(s->host, sizeof s->host - 1);
    stats_clock(s->clock);
    s->threads = calloc(n > 0 ? n : 1, sizeof *s->threads);
    if (!s->threads)
        return qerr_nomem(e);
    for (unsigned i = 0; i < n; i++) {
        const struct meter *m = meters_at(all, i);
        if (m && collect_thread(s, m, events, e) < 0) {
            stats_release(s);
            return -Q_ENOMEM;
        }
    }
    qsort(s->threads, s->nthreads, sizeof *s->threads, by_role);
    return 0;
}

void stats_release(struct rank_stats *s)
{
    for (size_t i = 0; i < s->nthreads; i++)
        free(s->threads[i].events);
    free(s->threads);
    s->threads = NULL;
    s->nthreads = 0;
}

/* --- bytes --- */

static const char magic[8] = "qstats2";

static void put_u64(struct qbuf *out, uint64_t v)
{
    qbuf_add(out, &v, sizeof v);
}

static void put_hist(struct qbuf *out, const struct hist *h)
{
    put_u64(out, hist_read(&h->n));
    put_u64(out, hist_read(&h->sum_ns));
    put_u64(out, hist_read(&h->max_ns));
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        put_u64(out, hist_read(&h->count[i]));
}

void stats_pack(const struct rank_stats *s, struct qbuf *out)
{
    qbuf_add(out, magic, sizeof magic);
    put_u64(out, s->rank);
    put_u64(out, s->pid);
    qbuf_add(out, s->host, sizeof s->host);
    qbuf_add(out, s->clock, sizeof s->clock);
    put_u64(out, (uint64_t)s->offset_ns);
    put_u64(out, s->start_ns);
    put_u64(out, s->end_ns);
    put_u64(out, s->cpu_ns);
    put_u64(out, s->peak_bytes);
    put_hist(out, &s->chunk_ns);
    put_hist(out, &s->record_ns);
    put_hist(out, &s->fetch_ns);
    put_u64(out, s->nthreads);
    for (size_t i = 0; i < s->nthreads; i++) {
        struct thread_stats t = s->threads[i];
        t.events = NULL;
        qbuf_add(out, &t, sizeof t);
        if (t.nevents > 0)
            qbuf_add(out, s->threads[i].events, t.nevents * sizeof *t.events);
    }
}

struct bytes {
    const char *at;
    size_t left;
    bool bad;
};

static void get(struct bytes *b, void *to, size_t n)
{
    if (b->left < n) {
        b->bad = true;
        memset(to, 0, n);
        return;
    }
    memcpy(to, b->at, n);
    b->at += n;
    b->left -= n;
}

static uint64_t get_u64(struct bytes *b)
{
    uint64_t v;
    get(b, &v, sizeof v);
    return v;
}

static void get_hist(struct bytes *b, struct hist *h)
{
    *h = (struct hist){.n = get_u64(b)};
    atomic_store_explicit(&h->sum_ns, get_u64(b), memory_order_relaxed);
    atomic_store_explicit(&h->max_ns, get_u64(b), memory_order_relaxed);
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        atomic_store_explicit(&h->count[i], get_u64(b), memory_order_relaxed);
}

static void get_head(struct bytes *b, struct rank_stats *s)
{
    char word[sizeof magic];
    get(b, word, sizeof word);
    b->bad |= memcmp(word, magic, sizeof magic) != 0;
    s->rank = (unsigned)get_u64(b);
    s->pid = get_u64(b);
    get(b, s->host, sizeof s->host);
    s->host[sizeof s->host - 1] = '\0';
    get(b, s->clock, sizeof s->clock);
    s->clock[sizeof s->clock - 1] = '\0';
    s->offset_ns = (int64_t)get_u64(b);
    s->start_ns = get_u64(b);
    s->end_ns = get_u64(b);
    s->cpu_ns = get_u64(b);
    s->peak_bytes = get_u64(b);
    get_hist(b, &s->chunk_ns);
    get_hist(b, &s->record_ns);
    get_hist(b, &s->fetch_ns);
}

static int get_thread(struct bytes *b, struct thread_stats *t, struct qerr *e)
{
    get(b, t, sizeof *t);
    size_t n = t->nevents;
    t->events = NULL;
    t->nevents = 0;
    if (b->bad || n > b->left / sizeof *t->events) {
        b->bad = true;
        return 0;
    }
    if (n == 0)
        return 0;
    t->events = malloc(n * sizeof *t->events);
    if (!t->events)
        return qerr_nomem(e);
    get(b, t->events, n * sizeof *t->events);
    t->nevents = n;
    return 0;
}

int stats_unpack(struct rank_stats *s, const char *bytes, size_t len, struct qerr *e)
{
    struct bytes b = {bytes, len, false};
    int rc = 0;
    *s = (struct rank_stats){.rank = 0};
    get_head(&b, s);
    uint64_t n = get_u64(&b);
    b.bad |= n > b.left / sizeof *s->threads;
    if (!b.bad)
        s->threads = calloc(n > 0 ? n : 1, sizeof *s->threads);
    if (!b.bad && !s->threads)
        return qerr_nomem(e);
    for (uint64_t i = 0; rc == 0 && !b.bad && i < n; i++) {
        s->nthreads++;
        rc = get_thread(&b, &s->threads[i], e);
    }
    if (rc == 0 && (b.bad || b.left > 0))
        rc = qerr_set(e, Q_ECHECK, "a rank's statistics are damaged");
    if (rc < 0)
        stats_release(s);
    return rc;
}
