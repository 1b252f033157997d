/*
 * How a job begins: its origin, its file, what the cache has for it; all in the thread
 * of who submits it, which may wait for disks and for room. Much can be known before
 * anything is fetched: that the URL is none, that the file is there; then the job ends
 * as it is accepted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/qclock.h"
#include "source/fetchjob.h"

/* What is known of a job before it is fetched: how it ends, perhaps. */
struct known {
    bool is;
    enum fetch_class class;
    char why[FETCH_ERROR];
};

int job_set_path(struct fetch_job *job, struct qerr *e)
{
    struct qbuf path = QBUF_INIT;
    folder_path(job->fetch->folder, job->file.name, &path);
    free((char *)(uintptr_t)job->outcome.path);
    job->outcome.path = path.failed ? NULL : strdup(qbuf_cstr(&path));
    qbuf_release(&path);
    return job->outcome.path ? 0 : qerr_nomem(e);
}

/* The file is there already. It is good if nobody says what it must have. */
static void judge_existing(struct fetch_job *job, uint64_t size, struct known *k)
{
    const struct fetch_config *c = job->fetch->config;
    struct qerr e = QERR_INIT;
    if (c->existing == EXISTING_REFUSE) {
        k->class = FETCH_LOCAL;
        snprintf(k->why, sizeof k->why,
                 "the file is there (--overwrite, --skip-existing or --continue)");
        return;
    }
    job->body.received = size;
    if (!job->hash)
        return;
    if (folder_hash(job->fetch->folder, job->file.name, job->hash, &e) < 0) {
        k->class = FETCH_LOCAL;
        snprintf(k->why, sizeof k->why, "%.190s", e.text);
    } else {
        k->class = job_check_sum(job, k->why);
    }
}

/* The name of its file, and whether it is to be made at all. */
static int claim_file(struct fetch_job *job, const char *wanted, struct known *k,
                      struct qerr *e)
{
    struct fetch *f = job->fetch;
    char name[PARTFILE_NAME];
    uint64_t size;
    partfile_name(name, job->url, wanted);
    int rc = folder_claim(f->folder, name, e);
    if (rc < 0)
        return rc;
    partfile_init(&job->file, f->folder, name);
    rc = job_set_path(job, e);
    if (rc == 0 && f->config->existing != EXISTING_REPLACE &&
        folder_has(f->folder, name, &size)) {
        k->is = true;
        judge_existing(job, size, k);
    }
    return rc;
}

/* What an earlier run left of the file. */
static void take_up(struct fetch_job *job)
{
    struct qerr e = QERR_INIT;
    if (job->fetch->config->existing != EXISTING_CONTINUE)
        return;
    int64_t have = partfile_take_up(&job->file, job->outcome.url, job->validator,
                                    sizeof job->validator, &job->total);
    if (have <= 0)
        return;
    job->body.received = (uint64_t)have;
    if (job->hash && qsha256_add_file(job->hash, job->file.fd, &e) < 0)
        job->validator[0] = '\0'; /* begins anew */
}

/* What the cache has for it, and with --offline nothing else. */
static void look_in_cache(struct fetch_job *job, struct known *k)
{
    struct qerr e = QERR_INIT;
    job_look_in_cache(job);
    if (!job->fetch->config->offline)
        return;
    k->is = true;
    if (job->cached.fd < 0) {
        k->class = FETCH_LOCAL;
        snprintf(k->why, sizeof k->why, "%s",
                 job->cached.older
                     ? "the cache has it of an older version: one run without "
                       "--offline is needed"
                     : "it is not in the cache (--offline)");
        return;
    }
    k->class = job_use_cached(job, k->why);
    if (k->class == FETCH_OK && job_put_in_place(job, &e) < 0) {
        k->class = FETCH_LOCAL;
        snprintf(k->why, sizeof k->why, "%.190s", e.text);
    }
    partfile_leave(&job->file, NULL, NULL, 0); /* unless it is in its place */
}

static struct fetch_job *new_job(struct fetch *f, const struct fetch_order *order,
                                 struct qerr *e)
{
    struct fetch_job *job = calloc(1, sizeof *job);
    if (job) {
        body_init(&job->body);
        job->fetch = f;
        job->cached.fd = -1;
        job->to = order->to == FETCH_STREAM && (f->config->spool || f->cache)
                      ? FETCH_WHOLE
                      : order->to;
        job->url = strdup(order->url);
        job->line = order->line ? strdup(order->line) : NULL;
        job->outcome.url = fetch_url_shown(order->url);
        partfile_init(&job->file, NULL, NULL);
    }
    bool hash = f->config->hash || f->cache;
    if (job && hash)
        job->hash = qsha256_new(e);
    if (job && job->url && job->outcome.url && (!order->line || job->line) &&
        (!hash || job->hash))
        return job;
    if (job)
        fetch_job_free(job);
    qerr_nomem(e);
    return NULL;
}

/* Whether one more may be submitted when so much of queue and window may be used. */
static bool has_room(const struct fetch *f, size_t queue, size_t window)
{
    return f->schedule.queued + f->schedule.nheap < queue &&
           (!f->oldest || f->submitted - f->oldest->turn.id < window);
}

/* Who waits for room is woken for many jobs, not for each. */
void fetch_room_made(struct fetch *f)
{
    if (f->nsubmitters > 0 && has_room(f, f->queue / 2 + 1, f->window / 4 * 3 + 1))
        pthread_cond_broadcast(&f->room);
}

/* With the lock: waits until the job may be accepted; false when it may not. */
static bool wait_for_room(struct fetch *f)
{
    f->nsubmitters++;
    while (!f->stopping && !has_room(f, f->queue, f->window))
        pthread_cond_wait(&f->room, &f->lock);
    f->nsubmitters--;
    return !f->stopping;
}

/* With the lock: the job is accepted. */
static void accept_job(struct fetch *f, struct fetch_job *job)
{
    job->turn.id = job->outcome.id = ++f->submitted;
    job->submitted_ns = job->since_ns = qclock_ns();
    job->older = f->newest;
    if (f->newest)
        f->newest->newer = job;
    else
        f->oldest = job;
    f->newest = job;
    if (!f->untaken)
        f->untaken = job;
}

/* The origin of a URL. Most lists are of few sites: the last one is remembered, since
 * to take a URL apart costs a tenth of a small transfer. */
static struct origin *find_origin(struct fetch *f, const char *url, struct qerr *e)
{
    size_t n = transfer_site_len(url);
    struct origin *o = NULL;
    struct qbuf key = QBUF_INIT;
    pthread_mutex_lock(&f->lock);
    if (f->last_site && n > 0 && strncmp(url, f->last_site, n) == 0 &&
        f->last_site[n] == '\0')
        o = f->last_origin;
    pthread_mutex_unlock(&f->lock);
    if (o || transfer_origin(url, &key, e) < 0)
        return o;
    char *site = strndup(url, n);
    pthread_mutex_lock(&f->lock);
    o = site ? schedule_origin(&f->schedule, qbuf_cstr(&key), e) : NULL;
    if (o) {
        free(f->last_site);
        f->last_site = site;
        f->last_origin = o;
        site = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    free(site);
    qbuf_release(&key);
    if (!o)
        qerr_nomem(e);
    return o;
}

/* All that can be told of a job before it is fetched. */
static int prepare(struct fetch_job *job, const struct fetch_order *order,
                   struct known *k, struct qerr *e)
{
    const char *name = order->name;
    struct qerr bad = QERR_INIT;
    if (order->refused)
        qerr_set(&bad, Q_EUSAGE, "%s", order->refused);
    else
        job->home = find_origin(job->fetch, job->url, &bad);
    if (!job->home) {
        *k = (struct known){true, bad.code == Q_EUSAGE ? FETCH_USAGE : FETCH_LOCAL, ""};
        snprintf(k->why, sizeof k->why, "%s%s%.190s", order->where ? order->where : "",
                 order->where ? ": " : "", bad.text);
        return 0;
    }
    int rc = job_has_file(job) ? claim_file(job, name, k, e) : 0;
    if (job->fetch->config->checksums && !job_has_file(job)) /* it is looked up by it */
        partfile_name(job->file.name, job->url, name);
    if (rc == 0 && !k->is && job->fetch->cache)
        look_in_cache(job, k);
    if (rc == 0 && !k->is && job_has_file(job))
        take_up(job);
    return rc;
}

struct fetch_job *fetch_submit(struct fetch *f, const struct fetch_order *order,
                               struct qerr *e)
{
    struct known known = {false, FETCH_OK, ""};
    struct fetch_job *job = new_job(f, order, e);
    if (!job)
        return NULL;
    int rc = prepare(job, order, &known, e);
    pthread_mutex_lock(&f->lock);
    bool accepted = rc == 0 && wait_for_room(f);
    if (accepted) {
        accept_job(f, job);
        if (known.is) {
            fetch_job_end(job, known.class, known.why);
        } else {
            job->turn.origin = job->home;
            schedule_add(&f->schedule, &job->turn);
            fetch_wake_hungry(f);
        }
    }
    pthread_mutex_unlock(&f->lock);
    if (accepted)
        return job;
    qerr_set(e, Q_ESTOP, "stopped");
    partfile_leave(&job->file, job->outcome.url, job->validator, job->total);
    fetch_job_free(job);
    return NULL;
}
