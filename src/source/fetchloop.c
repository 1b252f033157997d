/*
 * A thread that fetches. Its loop:
 *
 *   take jobs from the schedule for its free places, start them
 *   move all transfers on; libcurl calls back with headers and bytes (fetchrecv.c)
 *   what has ended: end the job, send it elsewhere, or have it wait (fetchend.c)
 *   break off what is over one of its limits of time
 *   sleep until a socket is ready, a job may start, a limit passes, or a wake
 *
 * The lock is held only to look at the schedule and to hand over pieces, never in a
 * call of libcurl.
 *
 * Not all threads are needed all the time: the first ones, the crew (crew.c), take new
 * jobs, each its share of the places of all; a thread has more places than its share
 * for when the crew is smaller. The others move on what they have.
 *
 * Who wakes whom: a thread of the crew that sleeps with a free place is `hungry`, and
 * whoever adds a job wakes one such; so does a thread that leaves a job to the others,
 * and when the crew changes all of it are woken. A thread with paused transfers is
 * woken by the reader when it has made room, and so that the oldest job is started
 * although all places are taken: each thread has a place more than others may fill for
 * that.
 */
#include "source/fetchjob.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/qclock.h"

enum {
    MS = 1000000,
    SLEEP_MS = 1000,      /* at most */
    LOOK_NS = 10 * MS,    /* how often limits are looked at, at most; ... */
    WAITING_NS = 200 * MS /* ... and deadlines of those that wait */
};

/* --- limits of time --- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void over_limit(struct place *p, uint64_t now)
{
    const struct fetch_config *c = p->thread->fetch->config;
    if (c->deadline_ns > 0 && now - p->job->first_ns >= c->deadline_ns)
        place_break_off(p, FETCH_TIMEOUT, false, "it took more than --deadline, %.3g s",
                        (double)c->deadline_ns * 1e-9);
    else if (p->paused_ns != 0)
        return;
    else if (c->timeout_ns > 0 && now - p->start_ns >= c->timeout_ns)
        place_break_off(p, FETCH_TIMEOUT, true,
                        "a try took more than --timeout, %.3g s",
                        (double)c->timeout_ns * 1e-9);
    else if (c->stall_ns > 0 && now - p->last_ns >= c->stall_ns)
        place_break_off(p, FETCH_TIMEOUT, true,
                        "no byte came for --stall-timeout, %.3g s",
                        (double)c->stall_ns * 1e-9);
}

/* When the next limit of this place passes. */
static uint64_t limit_of(const struct place *p)
{
    const struct fetch_config *c = p->thread->fetch->config;
    uint64_t at = UINT64_MAX;
    if (c->deadline_ns > 0)
        at = p->job->first_ns + c->deadline_ns;
    if (p->paused_ns == 0 && c->timeout_ns > 0)
        at = sooner(at, p->start_ns + c->timeout_ns);
    if (p->paused_ns == 0 && c->stall_ns > 0)
        at = sooner(at, p->last_ns + c->stall_ns);
    return at;
}

/* --- starting --- */

/* Adds "name: value" to the request's own headers. */
static int own_header(struct transfer_request *r, const char *name, const char *value,
                      struct qerr *e)
{
    char line[64 + RESPONSE_TEXT];
    snprintf(line, sizeof line, "%s: %s", name, value);
    return transfer_headers_add(&r->own, line, e);
}

/* Goes on behind what an earlier try has brought, if the server can prove that it is
 * the same. */
static int ask_for_rest(struct place *p, struct transfer_request *r, struct qerr *e)
{
    const struct fetch_job *job = p->job;
    char range[48];
    if (job->body.received == 0 || job->validator[0] == '\0')
        return 0;
    p->from = job->body.received;
    snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)p->from);
    int rc = own_header(r, "Range", range, e);
    return rc < 0 ? rc : own_header(r, "If-Range", job->validator, e);
}

/* Only if it has changed since it was put into the cache. */
static int ask_for_change(struct place *p, struct transfer_request *r, struct qerr *e)
{
    const struct cache_entry *c = &p->job->cached;
    if (p->from > 0 || p->job->hops > 0 || c->fd < 0 ||
        (!c->etag[0] && !c->last_modified[0]))
        return 0;
    p->conditional = true;
    return c->etag[0] ? own_header(r, "If-None-Match", c->etag, e)
                      : own_header(r, "If-Modified-Since", c->last_modified, e);
}

static int start_transfer(struct place *p, struct qerr *e)
{
    struct fetch_thread *t = p->thread;
    struct fetch_job *job = p->job;
    struct transfer_request r = {.url = job->at ? job->at : job->url,
                                 .headers = job->abroad ? t->fetch->strangers
                                                        : t->fetch->headers,
                                 .credentials = !job->abroad,
                                 .fresh = job->spared,
                                 .user = p};
    int rc = ask_for_rest(p, &r, e);
    if (rc == 0)
        rc = ask_for_change(p, &r, e);
    if (rc == 0)
        p->transfer = transfers_start(t->set, &r, e);
    if (rc < 0 || !p->transfer) {
        transfer_headers_free(r.own);
        return -(int)e->code;
    }
    return 0;
}

/* The job has a place: begins a try. */
static void start(struct fetch_thread *t, struct place *p, struct fetch_job *job,
                  uint64_t now)
{
    struct qerr e = QERR_INIT;
    p->job = job;
    p->transfer = NULL;
    p->start_ns = p->last_ns = now;
    p->paused_ns = p->dropped = p->from = p->bytes = 0;
    p->looked = p->wanted = p->enough = p->conditional = p->may_pass = false;
    p->there = false;
    p->broken_off = FETCH_OK;
    p->error[0] = '\0';
    response_init(&p->response);
    job->waited_ns += now - job->since_ns;
    if (job->first_ns == 0)
        job->first_ns = now;
    job->outcome.tries++;
    t->nused++;
    t->look_ns = sooner(t->look_ns, limit_of(p));
    if (job->turn.origin->no_name_ns > now) {
        place_break_off(
            p, FETCH_DNS, true,
            "the name of the host has no address (it was looked up a moment ago)");
        place_end(p, NULL);
    } else if (job->turn.origin->refuses_ns > now) {
        place_break_off(p, FETCH_RATELIMITED, false,
                        "the server wants a longer wait (--max-retry-after)");
        place_end(p, NULL);
    } else if (start_transfer(p, &e) < 0) {
        place_break_off(p, e.code == Q_EUSAGE ? FETCH_USAGE : FETCH_LOCAL, false, "%s",
                        e.text);
        place_end(p, NULL);
    }
}

static struct place *free_place(struct fetch_thread *t)
{
    for (unsigned i = 0; i < t->nplaces; i++)
        if (!t->places[i].job)
            return &t->places[i];
    return NULL;
}

/* The job that must go on although others hold all places, or NULL. */
static struct turn *urgent_turn(const struct fetch *f)
{
    return f->npaused > 0 && f->oldest && !f->oldest->ended ? &f->oldest->turn : NULL;
}

/* Whether a thread takes jobs: it is one of the crew, which share the places of all. */
static bool takes_jobs(const struct fetch_thread *t)
{
    const struct fetch *f = t->fetch;
    unsigned n = f->crew.n, share = (f->config->limits.workers + n - 1) / n;
    return t < f->threads + n && t->nused < share;
}

/* The next job for this thread, or NULL; the last place is for an urgent one, which any
 * thread takes. */
static struct fetch_job *next_job(struct fetch_thread *t, uint64_t now, uint64_t *wake)
{
    struct fetch *f = t->fetch;
    struct turn *urgent = urgent_turn(f);
    *wake = UINT64_MAX;
    t->seen = f->added;
    if (f->stopping || t->nused == t->nplaces)
        return NULL;
    struct turn *turn = takes_jobs(t)
                            ? schedule_next(&f->schedule, now, urgent, wake)
                            : schedule_urgent(&f->schedule, now, urgent, wake);
    return (struct fetch_job *)(void *)turn;
}

/* How many threads are to take jobs. With the lock. */
static void look_at_crew(struct fetch *f, uint64_t now)
{
    uint64_t slept = 0;
    if (!crew_is_due(&f->crew, now))
        return;
    for (unsigned i = 0; i < f->config->threads; i++) {
        const struct fetch_thread *t = &f->threads[i];
        slept += t->slept_ns;
        if (t->asleep_ns != 0 && t->asleep_ns < now)
            slept += now - t->asleep_ns;
    }
    if (!crew_look(&f->crew, now, slept, f->nended))
        return;
    for (unsigned i = 0; i < f->config->threads; i++)
        if (i < f->crew.n) /* their shares are others now */
            transfers_wake(f->threads[i].set);
        else
            f->threads[i].hungry = false;
}

/* With the lock. */
static void note_awake(struct fetch_thread *t, uint64_t now)
{
    if (t->asleep_ns != 0 && t->asleep_ns < now)
        t->slept_ns += now - t->asleep_ns;
    t->asleep_ns = 0;
}

/* Fills the free places. `ended`: some have become free. *wake: when a job may be there
 * that now is not. */
static void take_jobs(struct fetch_thread *t, bool ended, uint64_t *wake)
{
    struct fetch *f = t->fetch;
    for (;;) {
        uint64_t now = qclock_ns();
        pthread_mutex_lock(&f->lock);
        note_awake(t, now);
        look_at_crew(f, now);
        struct fetch_job *job = next_job(t, now, wake);
        if (job) {
            job->begun_ns = now;
            fetch_room_made(f);
        } else if (ended && !takes_jobs(t)) {
            fetch_wake_hungry(f); /* the job that may start now is for others */
        }
        pthread_mutex_unlock(&f->lock);
        if (!job)
            return;
        start(t, free_place(t), job, now);
    }
}

/* --- what is over --- */

static void end_early(struct place *p)
{
    if (p->transfer)
        transfers_cancel(p->thread->set, p->transfer);
    place_end(p, NULL);
}

/* Ends what is over a limit (*ended: something was). Returns when to look again. */
static uint64_t look_at_places(struct fetch_thread *t, uint64_t now, bool *ended)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < t->nplaces; i++) {
        struct place *p = &t->places[i];
        if (!p->job)
            continue;
        over_limit(p, now);
        if (p->broken_off != FETCH_OK) {
            end_early(p);
            *ended = true;
        } else {
            next = sooner(next, limit_of(p));
        }
    }
    return next < now + LOOK_NS ? now + LOOK_NS : next;
}

/* Jobs that wait for their next try when their deadline passes. */
static uint64_t look_at_waiting(struct fetch *f, uint64_t now)
{
    uint64_t deadline = f->config->deadline_ns;
    if (deadline == 0)
        return UINT64_MAX;
    pthread_mutex_lock(&f->lock);
    for (struct fetch_job *job = f->oldest; job; job = job->newer) {
        /* While it is active, first_ns is its thread's, and may be behind `now`. */
        if (job->ended || job->turn.state == TURN_ACTIVE || job->first_ns == 0)
            continue;
        if (now > job->first_ns && now - job->first_ns >= deadline)
            job_give_up(job, FETCH_TIMEOUT, "it took more than --deadline");
    }
    pthread_mutex_unlock(&f->lock);
    return now + WAITING_NS;
}

/* --- wakes --- */

static void resume_paused(struct fetch_thread *t, uint64_t now)
{
    for (unsigned i = 0; i < t->nplaces; i++) {
        struct place *p = &t->places[i];
        if (!p->job || p->paused_ns == 0)
            continue;
        uint64_t stood = now - p->paused_ns;
        p->start_ns += stood;
        p->last_ns += stood;
        p->paused_ns = 0;
        pthread_mutex_lock(&t->fetch->lock);
        p->job->paused = false;
        t->paused--;
        t->fetch->npaused--;
        pthread_mutex_unlock(&t->fetch->lock);
        transfers_resume(t->set, p->transfer);
    }
}

static bool end_cancelled(struct fetch_thread *t)
{
    bool ended = false;
    struct fetch *f = t->fetch;
    for (unsigned i = 0; i < t->nplaces; i++) {
        struct place *p = &t->places[i];
        if (!p->job)
            continue;
        pthread_mutex_lock(&f->lock);
        bool cancelled = f->stopping || p->job->cancelled;
        pthread_mutex_unlock(&f->lock);
        if (cancelled) {
            place_break_off(p, FETCH_CANCELLED, false, "cancelled");
            end_early(p);
            ended = true;
        }
    }
    return ended;
}

/* Sleeps until `wake`, a socket, or somebody's wake; not at all, if it may take a job
 * that it has not seen. Whether it has ended some. */
static bool sleep_until(struct fetch_thread *t, uint64_t wake)
{
    struct fetch *f = t->fetch;
    uint64_t now = qclock_ns();
    unsigned ms = 0;
    if (wake > now)
        ms = wake - now >= (uint64_t)SLEEP_MS * MS
                 ? SLEEP_MS
                 : (unsigned)((wake - now + MS - 1) / MS);
    pthread_mutex_lock(&f->lock);
    bool takes = takes_jobs(t), sleeps = !t->woken && !(takes && t->seen != f->added);
    t->hungry = sleeps && takes;
    t->asleep_ns = sleeps ? now : 0;
    pthread_mutex_unlock(&f->lock);
    if (sleeps)
        transfers_sleep(t->set, ms);
    pthread_mutex_lock(&f->lock);
    bool woken = t->woken;
    t->woken = t->hungry = false;
    pthread_mutex_unlock(&f->lock);
    if (!woken)
        return false;
    bool ended = end_cancelled(t);
    t->now_ns = qclock_ns(); /* libcurl calls back at once */
    resume_paused(t, t->now_ns);
    return ended;
}

static bool is_over(struct fetch_thread *t)
{
    struct fetch *f = t->fetch;
    pthread_mutex_lock(&f->lock);
    bool over = f->stopping && t->nused == 0;
    pthread_mutex_unlock(&f->lock);
    return over;
}

/* What the main thread was bound to (OMP_PROC_BIND) does not hold here: this thread
 * mostly sleeps. And a broken connection must not be a signal. */
static void be_a_guest(void)
{
    cpu_set_t all;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    CPU_ZERO(&all);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        CPU_SET(i, &all);
    (void)sched_setaffinity(0, sizeof all,
                            &all); /* the kernel cuts it to what may be */
}

void *fetch_loop(void *thread, struct future *self, struct qerr *e)
{
    struct fetch_thread *t = thread;
    uint64_t wake;
    (void)self;
    (void)e;
    be_a_guest();
    if (t->fetch->meters)
        t->meter = meter_join(t->fetch->meters, METER_FETCHER,
                              (unsigned)(t - t->fetch->threads));
    for (bool ended = false; !is_over(t);) {
        take_jobs(t, ended, &wake);
        t->now_ns = qclock_ns();
        unsigned paused = t->paused;
        transfers_run(t->set);
        struct transfer_result r;
        ended = false;
        while (transfers_ended(t->set, &r)) {
            place_end(r.user, &r);
            ended = true;
        }
        uint64_t now = qclock_ns();
        if (now >= t->look_ns)
            t->look_ns =
                sooner(look_at_places(t, now, &ended), look_at_waiting(t->fetch, now));
        /* Else there is a place, and perhaps a job for it, or one has become urgent. */
        if (!ended && t->paused == paused)
            ended = sleep_until(t, sooner(wake, t->look_ns));
    }
    meter_leave(t->meter);
    return NULL;
}
