/*
 * The pool. A job goes
 *
 *   submit -> QUEUED -> ACTIVE -> ended -> (taken, read) -> released
 *               ^  \       |
 *               |   DELAYED <- another try
 *
 * One mutex guards the schedule, the pieces of bodies, and who waits for what; nothing
 * that may block is done under it. The invariant is that each job that was accepted
 * ends exactly once (fetch_job_end, nended), whatever happens: its thread ends it, or
 * fetch_stop does while no thread has it.
 *
 * Who waits: submitters for `room` (a place in the queue; the oldest job released),
 * readers and takers for `changed`. A job is signalled only if somebody waits for it
 * (`awaited`), since waking a thread costs as much as a small transfer.
 *
 * No deadlock by memory: bodies share a pool, but the oldest job may always hold
 * BODY_RESERVE more, and is started although all places are taken by paused transfers.
 * So it ends, is read, released, and the next one is the oldest.
 */
#include "source/fetch.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/qclock.h"
#include "source/fetchjob.h"

enum {
    QUEUE_LEAST = 1024,
    QUEUE_SHARE = 4, /* jobs in the queue, a place */
    PLACES = 64,     /* that a thread has at the least, if there are as many workers */
    JOBS_A_CHANGE = 64, /* of each worker, before fewer threads take jobs */
    FILES_AHEAD = 4096, /* outcomes that wait for an older one */
    SPARE_FILES = 64    /* descriptors for all else */
};

const char *fetch_class_name(enum fetch_class c)
{
    static const char *const names[FETCH_CLASSES] = {[FETCH_OK] = "ok",
                                                     [FETCH_HTTP] = "http",
                                                     [FETCH_TIMEOUT] = "timeout",
                                                     [FETCH_CONNECT] = "connect",
                                                     [FETCH_DNS] = "dns",
                                                     [FETCH_TLS] = "tls",
                                                     [FETCH_PROTOCOL] = "protocol",
                                                     [FETCH_TRUNCATED] = "truncated",
                                                     [FETCH_TOOLARGE] = "toolarge",
                                                     [FETCH_REDIRECT] = "redirect",
                                                     [FETCH_RATELIMITED] =
                                                         "ratelimited",
                                                     [FETCH_CANCELLED] = "cancelled",
                                                     [FETCH_LOCAL] = "local",
                                                     [FETCH_USAGE] = "usage"};
    return names[c];
}

/* --- opening --- */

/* A socket and a file each, at the least. With a cache, a spool or parts that are taken
 * up a job may hold a file as long as it is in the window, which is made smaller when
 * there may not be as many. */
static int raise_files(struct fetch *f, struct qerr *e)
{
    const struct fetch_config *c = f->config;
    struct rlimit limit;
    bool hold = c->cache || c->spool || c->existing == EXISTING_CONTINUE;
    rlim_t wanted = 3 * (rlim_t)c->limits.workers + SPARE_FILES;
    rlim_t held = hold ? f->window : 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted + held)
        return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = before;
    if (limit.rlim_cur >= wanted + held)
        return 0;
    if (limit.rlim_cur >= wanted) {
        size_t left = (size_t)(limit.rlim_cur - wanted);
        if (hold)
            f->window = left > c->limits.workers ? left : c->limits.workers;
        if (f->queue > f->window)
            f->queue = f->window;
        return 0;
    }
    return qerr_set(e, Q_EUSAGE,
                    "--workers=%u needs %llu open files, and ulimit -n allows %llu",
                    c->limits.workers, (unsigned long long)wanted,
                    (unsigned long long)limit.rlim_cur);
}

/* A redirect to another host takes no header of --header along: any of them may be a
 * key. */
static int make_headers(struct fetch *f, struct qerr *e)
{
    const struct qbuf *all = &f->config->headers;
    for (size_t i = 0; i < all->len; i += strlen(all->data + i) + 1) {
        int rc = transfer_headers_add(&f->headers, all->data + i, e);
        if (rc < 0)
            return rc;
    }
    if (!f->config->compressed)
        return 0;
    int rc = transfer_headers_add(&f->headers, "Accept-Encoding: gzip", e);
    return rc < 0 ? rc
                  : transfer_headers_add(&f->strangers, "Accept-Encoding: gzip", e);
}

static int start_threads(struct fetch *f, struct qerr *e)
{
    const struct fetch_config *c = f->config;
    f->threads = calloc(c->threads, sizeof *f->threads);
    if (!f->threads)
        return qerr_nomem(e);
    unsigned share = (c->limits.workers + c->threads - 1) / c->threads;
    unsigned places = share > PLACES               ? share
                      : c->limits.workers < PLACES ? c->limits.workers
                                                   : PLACES;
    uint64_t now = qclock_ns();
    crew_init(&f->crew, (c->limits.workers + places - 1) / places, c->threads,
              (uint64_t)JOBS_A_CHANGE * c->limits.workers, now);
    for (unsigned i = 0; i < c->threads; i++) {
        struct fetch_thread *t = &f->threads[i];
        t->fetch = f;
        t->asleep_ns = now;
        t->nplaces = places + 1; /* one for the oldest job, see next_job */
        t->places = calloc(t->nplaces, sizeof *t->places);
        if (!t->places)
            return qerr_nomem(e);
        for (unsigned k = 0; k < t->nplaces; k++)
            t->places[k].thread = t;
        t->set = transfers_new(f->transfers, t->nplaces, e);
        if (!t->set)
            return -(int)e->code;
    }
    f->executor = executor_new(c->threads, c->threads, e);
    for (unsigned i = 0; f->executor && i < c->threads; i++) {
        f->threads[i].future =
            executor_submit(f->executor, fetch_loop, &f->threads[i], e);
        if (!f->threads[i].future)
            return -(int)e->code;
    }
    return f->executor ? 0 : -(int)e->code;
}

static void init_locks(struct fetch *f)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutexattr_t spinning;
    pthread_mutexattr_init(&spinning); /* held for less than a switch takes */
    pthread_mutexattr_settype(&spinning, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&f->lock, &spinning);
    pthread_mutexattr_destroy(&spinning);
    pthread_cond_init(&f->changed, &monotonic);
    pthread_cond_init(&f->room, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* libcurl takes a receive buffer for each transfer and gives it back at its end. By
 * default each of these goes to the kernel and comes back from it, page by page, which
 * is a tenth of what a small body costs. */
static void keep_buffers(void)
{
    enum { LARGEST = 4 << 20, KEPT = 32 << 20 };
    mallopt(M_MMAP_THRESHOLD, LARGEST);
    mallopt(M_TRIM_THRESHOLD, KEPT);
}

struct fetch *fetch_open(const struct fetch_config *config, struct meters *meters,
                         struct qerr *e)
{
    struct fetch *f = calloc(1, sizeof *f);
    if (!f) {
        qerr_nomem(e);
        return NULL;
    }
    f->config = config;
    f->meters = meters;
    if (meters)
        meters_fetchers(meters, config->threads);
    keep_buffers();
    init_locks(f);
    schedule_init(&f->schedule, &config->limits);
    size_t share = QUEUE_SHARE * (size_t)config->limits.workers;
    f->queue = share > QUEUE_LEAST ? share : QUEUE_LEAST;
    f->window = config->files ? f->queue + FILES_AHEAD : f->queue;
    int rc = raise_files(f, e);
    if (rc == 0 && config->cache) {
        f->cache =
            cache_open(config->cache, config->headers.data, config->headers.len, e);
        rc = f->cache ? 0 : -(int)e->code;
    }
    if (rc == 0 && config->directory) {
        f->folder = folder_open(config->directory, e);
        rc = f->folder ? 0 : -(int)e->code;
    }
    f->options = config->transfer;
    f->options.header = fetch_on_header;
    f->options.body = fetch_on_body;
    f->options.again = fetch_on_again;
    if (rc == 0)
        rc = transfer_pool_new(&f->transfers, &f->options, e);
    if (rc == 0)
        rc = make_headers(f, e);
    if (rc == 0)
        rc = start_threads(f, e);
    if (rc == 0)
        return f;
    fetch_close(f);
    return NULL;
}

/* --- jobs, with the lock held --- */

static void wake(struct fetch_thread *t)
{
    t->woken = true;
    transfers_wake(t->set);
}

/* There is a job that a thread may take. */
void fetch_wake_hungry(struct fetch *f)
{
    f->added++;
    for (unsigned i = 0; i < f->config->threads; i++)
        if (f->threads[i].hungry) {
            f->threads[i].hungry = false;
            transfers_wake(f->threads[i].set);
            return;
        }
}

void fetch_wake_paused(struct fetch *f)
{
    for (unsigned i = 0; f->npaused > 0 && i < f->config->threads; i++)
        if (f->threads[i].paused > 0 && !f->threads[i].woken)
            wake(&f->threads[i]);
}

bool fetch_job_is_oldest(const struct fetch_job *job)
{
    return job->fetch->oldest == job;
}

void fetch_job_changed(struct fetch_job *job)
{
    struct fetch *f = job->fetch;
    if (job->awaited || (job->ended && f->any_awaited && job->to == FETCH_FILE))
        pthread_cond_broadcast(&f->changed);
}

/* The URL for people: without name and password. */
char *fetch_url_shown(const char *url)
{
    const char *host = strstr(url, "://");
    char *shown = malloc(strlen(url) + 1);
    if (!shown)
        return NULL;
    host = host ? host + 3 : url;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    size_t head = (size_t)(host - url);
    const char *rest = at ? at + 1 : host;
    memcpy(shown, url, head);
    memcpy(shown + head, rest, strlen(rest) + 1);
    return shown;
}

static void fill_outcome(struct fetch_job *job, enum fetch_class class,
                         const char *error)
{
    struct fetch_outcome *o = &job->outcome;
    uint64_t now = qclock_ns();
    o->class = class;
    snprintf(o->error, sizeof o->error, "%s", error);
    o->bytes = job->body.received;
    o->seconds = (double)(now - job->submitted_ns) * 1e-9;
    if (job->turn.state != TURN_ACTIVE)
        job->waited_ns += now - job->since_ns;
    o->wait = (double)job->waited_ns * 1e-9;
    o->final_url = job->at ? fetch_url_shown(job->at) : o->url;
    if (job->hash && class == FETCH_OK && !o->sha256[0])
        qsha256_hex(job->hash, o->sha256);
    if (class != FETCH_OK) {
        free((char *)(uintptr_t)o->path);
        o->path = NULL;
    }
}

/* For fetch_take. */
static void list_ended(struct fetch *f, struct fetch_job *job)
{
    job->next_ended = NULL;
    job->prev_ended = f->ended_tail;
    if (f->ended_tail)
        f->ended_tail->next_ended = job;
    else
        f->ended_head = job;
    f->ended_tail = job;
    job->listed = true;
}

void fetch_unlist(struct fetch_job *job)
{
    struct fetch *f = job->fetch;
    if (!job->listed)
        return;
    if (job->prev_ended)
        job->prev_ended->next_ended = job->next_ended;
    else
        f->ended_head = job->next_ended;
    if (job->next_ended)
        job->next_ended->prev_ended = job->prev_ended;
    else
        f->ended_tail = job->prev_ended;
    job->listed = false;
}

void fetch_job_end(struct fetch_job *job, enum fetch_class class, const char *error)
{
    struct fetch *f = job->fetch;
    assert(!job->ended && "a job ends once");
    fill_outcome(job, class, error);
    if (class == FETCH_OK && job->turn.origin)
        gate_succeeded(&job->turn.origin->gate);
    schedule_remove(&f->schedule, &job->turn);
    job->ended = true;
    f->nended++;
    f->nfailed += class != FETCH_OK;
    if (job->to == FETCH_FILE)
        list_ended(f, job);
    fetch_job_changed(job);
}

void fetch_job_free(struct fetch_job *job)
{
    piece_free_all(job->body.head);
    if (job->body.file >= 0)
        close(job->body.file);
    free(job->url);
    free(job->line);
    free(job->at);
    coding_free(job->coding);
    qsha256_free(job->hash);
    if (job->cached.fd >= 0)
        close(job->cached.fd);
    if (job->outcome.final_url != job->outcome.url)
        free((char *)(uintptr_t)job->outcome.final_url);
    free((char *)(uintptr_t)job->outcome.url);
    free((char *)(uintptr_t)job->outcome.path);
    free(job);
}

size_t fetch_window(const struct fetch *f)
{
    return f->queue;
}

void fetch_end(struct fetch *f)
{
    pthread_mutex_lock(&f->lock);
    f->closed = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

/* --- the end --- */

/* With the lock. */
static void cancel_job(struct fetch_job *job)
{
    struct fetch *f = job->fetch;
    if (job->ended)
        return;
    job->cancelled = true;
    if (job->turn.state == TURN_ACTIVE)
        for (unsigned i = 0; i < f->config->threads; i++)
            wake(&f->threads[i]); /* one of them has it */
    else
        job_give_up(job, FETCH_CANCELLED, "cancelled");
}

void fetch_cancel(struct fetch_job *job)
{
    pthread_mutex_lock(&job->fetch->lock);
    cancel_job(job);
    pthread_mutex_unlock(&job->fetch->lock);
}

/* With the lock. */
static void unlink_job(struct fetch *f, struct fetch_job *job)
{
    if (job->older)
        job->older->newer = job->newer;
    else
        f->oldest = job->newer;
    if (job->newer)
        job->newer->older = job->older;
    else
        f->newest = job->older;
    if (f->untaken == job)
        f->untaken = job->newer;
    fetch_unlist(job);
    fetch_room_made(f);
    fetch_wake_paused(f); /* another one is the oldest now */
}

void fetch_release(struct fetch_job *job)
{
    struct fetch *f = job->fetch;
    pthread_mutex_lock(&f->lock);
    cancel_job(job);
    while (!job->ended) {
        job->awaited = true;
        pthread_cond_wait(&f->changed, &f->lock);
    }
    unlink_job(f, job);
    struct piece *unread = body_clear(&f->pool, &job->body);
    pthread_mutex_unlock(&f->lock);
    piece_free_all(unread);
    fetch_job_free(job);
}

void fetch_stop(struct fetch *f)
{
    pthread_mutex_lock(&f->lock);
    if (!f->stopping) {
        f->stopping = true;
        for (struct turn *t; (t = schedule_any(&f->schedule)) != NULL;)
            job_give_up((struct fetch_job *)(void *)t, FETCH_CANCELLED, "cancelled");
        for (unsigned i = 0; f->threads && i < f->config->threads; i++)
            if (f->threads[i].set)
                wake(&f->threads[i]);
    }
    pthread_cond_broadcast(&f->changed);
    pthread_cond_broadcast(&f->room);
    pthread_mutex_unlock(&f->lock);
}

void fetch_close(struct fetch *f)
{
    if (!f)
        return;
    fetch_stop(f);
    executor_free(f->executor); /* waits for the threads */
    for (unsigned i = 0; f->threads && i < f->config->threads; i++) {
        transfers_free(f->threads[i].set);
        free(f->threads[i].places);
    }
    free(f->threads);
    for (struct fetch_job *job = f->oldest; job;) {
        struct fetch_job *next = job->newer;
        fetch_job_free(job);
        job = next;
    }
    transfer_headers_free(f->headers);
    transfer_headers_free(f->strangers);
    transfer_pool_free(f->transfers);
    folder_close(f->folder);
    cache_close(f->cache);
    schedule_release(&f->schedule);
    free(f->last_site);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    pthread_cond_destroy(&f->room);
    free(f);
}

struct fetch_counts fetch_counts(struct fetch *f)
{
    pthread_mutex_lock(&f->lock);
    uint64_t now = qclock_ns();
    uint64_t waiting = schedule_waiting(&f->schedule, now);
    const struct fetch_job *job = f->oldest;
    while (job && (job->ended || job->turn.state != TURN_ACTIVE))
        job = job->newer;
    struct fetch_counts c = {.queued = f->schedule.queued + f->schedule.nheap - waiting,
                             .waiting = waiting,
                             .active = f->schedule.active,
                             .done = f->nended,
                             .failed = f->nfailed,
                             .retries = f->nretries,
                             .longest_ns =
                                 job && now > job->begun_ns ? now - job->begun_ns : 0};
    pthread_mutex_unlock(&f->lock);
    c.bytes = atomic_load_explicit(&f->bytes, memory_order_relaxed);
    return c;
}
