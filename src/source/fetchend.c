/*
 * What has ended. A try that fails may be followed by another: from the first hop,
 * after a wait that holds no place. An answer that leads elsewhere is followed here,
 * not by libcurl, so that each hop takes its turn with its own origin, and secrets stay
 * at the first one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "source/fetchjob.h"

enum { NO_NAME_NS = 2000000000 }; /* how long a name without address is not looked up */

/* --- the end of a job --- */

/* Of a part that failed like this, the rest may be fetched by another run. */
static bool can_go_on(enum fetch_class class)
{
    return class != FETCH_TOOLARGE && class != FETCH_LOCAL && class != FETCH_USAGE;
}

static void end_job(struct fetch_job *job, enum fetch_class class, const char *error)
{
    struct fetch *f = job->fetch;
    if (job_has_file(job) && job->file.fd >= 0)
        partfile_leave(&job->file, job->outcome.url,
                       can_go_on(class) ? job->validator : NULL, job->total);
    pthread_mutex_lock(&f->lock);
    fetch_job_end(job, class, error);
    pthread_mutex_unlock(&f->lock);
}

void job_give_up(struct fetch_job *job, enum fetch_class class, const char *error)
{
    if (job_has_file(job) && job->file.fd >= 0)
        partfile_leave(&job->file, job->outcome.url,
                       can_go_on(class) ? job->validator : NULL, job->total);
    fetch_job_end(job, class, error);
}

enum fetch_class job_check_sum(struct fetch_job *job, char why[FETCH_ERROR])
{
    const struct checksums *sums = job->fetch->config->checksums;
    if (job->hash && !job->outcome.sha256[0])
        qsha256_hex(job->hash, job->outcome.sha256);
    if (!sums)
        return FETCH_OK;
    const char *want = checksums_of(sums, job->file.name);
    if (!want)
        snprintf(why, FETCH_ERROR, "--checksum knows nothing of it");
    else if (strcmp(want, job->outcome.sha256) != 0)
        snprintf(why, FETCH_ERROR, "its SHA-256 is %s", job->outcome.sha256);
    else
        return FETCH_OK;
    return FETCH_PROTOCOL;
}

int job_put_in_place(struct fetch_job *job, struct qerr *e)
{
    bool replace = job->fetch->config->existing == EXISTING_REPLACE;
    return job_has_file(job) ? partfile_commit(&job->file, replace, e) : 0;
}

/* How long the body is whose rest has come. A 206 need not say it, and then it ends
 * where its range does. */
static uint64_t length_of(const struct fetch_job *job, const struct response *r)
{
    return job->total > 0 ? job->total
           : r->has_total ? r->range_total
                          : r->range_last + 1;
}

/* The body is whole: all that may yet be wrong with it. */
static enum fetch_class check_body(struct fetch_job *job, const struct response *r,
                                   char why[FETCH_ERROR])
{
    struct qerr e = QERR_INIT;
    uint64_t has = job->body.received;
    if (r->status == 304)
        return job_use_cached(job, why);
    if ((r->status == 206 || r->status == 416) && has != length_of(job, r)) {
        snprintf(why, FETCH_ERROR,
                 "with the rest it has %" PRIu64 " bytes, and not %" PRIu64, has,
                 length_of(job, r));
        return FETCH_TRUNCATED;
    }
    if (job->coding && !coding_is_complete(job->coding)) {
        snprintf(why, FETCH_ERROR, "the gzip data ends too early");
        return FETCH_TRUNCATED;
    }
    enum fetch_class class = job_check_sum(job, why);
    if (class == FETCH_OK && job->fetch->cache && job_keep(job, r, &e) < 0)
        qlog_warn("%s", e.text); /* the body is good all the same */
    return class;
}

static void finish(struct fetch_job *job, const struct response *r)
{
    struct qerr e = QERR_INIT;
    char why[FETCH_ERROR] = "";
    enum fetch_class class = check_body(job, r, why);
    if (class != FETCH_OK) {
        job->validator[0] = '\0'; /* nothing to go on with */
        end_job(job, class, why);
    } else if (job_put_in_place(job, &e) < 0) {
        end_job(job, FETCH_LOCAL, e.text);
    } else {
        end_job(job, FETCH_OK, "");
    }
}

/* The file that the answer was to be is there, and is left as it is. */
static void finish_existing(struct fetch_job *job)
{
    struct qerr e = QERR_INIT;
    char why[FETCH_ERROR] = "";
    if (job->hash &&
        folder_hash(job->fetch->folder, job->file.name, job->hash, &e) < 0) {
        end_job(job, FETCH_LOCAL, e.text);
    } else {
        enum fetch_class class = job_check_sum(job, why);
        end_job(job, class, why);
    }
}

/* --- elsewhere --- */

static bool has_scheme(const char *url, const char *scheme)
{
    size_t n = strlen(scheme);
    return strncasecmp(url, scheme, n) == 0 && strncmp(url + n, "://", 3) == 0;
}

/* Why a redirect is not followed, or NULL. */
static const char *refuse(const struct fetch_job *job, const char *to)
{
    const struct fetch_config *c = job->fetch->config;
    const char *from = job->at ? job->at : job->url;
    if (!to)
        return "the answer says to look elsewhere, but not where";
    if (job->hops >= c->max_redirs)
        return "there are more redirects than --max-redirs";
    if (!has_scheme(to, "http") && !has_scheme(to, "https"))
        return "a redirect to something that is neither http nor https";
    if (has_scheme(from, "https") && !has_scheme(to, "https") && !c->allow_downgrade)
        return "a redirect from https to http (--allow-downgrade)";
    return NULL;
}

static void go_elsewhere(struct fetch_job *job, const char *to)
{
    struct fetch *f = job->fetch;
    struct qbuf key = QBUF_INIT;
    struct qerr e = QERR_INIT;
    const char *why = refuse(job, to);
    char *copy = why ? NULL : strdup(to);
    if (why) {
        end_job(job, FETCH_REDIRECT, why);
        return;
    }
    if (!copy || transfer_origin(copy, &key, &e) < 0) {
        free(copy);
        end_job(job, copy ? FETCH_REDIRECT : FETCH_LOCAL,
                copy ? e.text : "out of memory");
        qbuf_release(&key);
        return;
    }
    free(job->at);
    job->at = copy;
    job->hops++;
    job->outcome.tries--; /* the next hop is the same try */
    pthread_mutex_lock(&f->lock);
    bool cancelled = f->stopping || job->cancelled; /* nobody would look at it again */
    struct origin *o =
        cancelled ? NULL : schedule_origin(&f->schedule, qbuf_cstr(&key), &e);
    if (o) {
        schedule_remove(&f->schedule, &job->turn);
        job->abroad = job->abroad || o != job->home;
        job->turn.origin = o;
        job->since_ns = qclock_ns();
        schedule_add(&f->schedule, &job->turn);
    } else {
        job_give_up(job, cancelled ? FETCH_CANCELLED : FETCH_LOCAL,
                    cancelled ? "cancelled" : e.text);
    }
    pthread_mutex_unlock(&f->lock);
    qbuf_release(&key);
}

/* --- another try --- */

static uint64_t wait_for(const struct fetch_job *job, const struct judge_verdict *v)
{
    uint64_t seed = job->fetch->config->seed, id = job->turn.id;
    unsigned tries = job->failed + job->limited;
    if (v->at_once)
        return 0;
    return v->has_after ? backoff_wait_after(seed, id, tries, v->after_ns)
                        : backoff_wait(seed, id, tries);
}

static uint64_t after(uint64_t now, uint64_t wait)
{
    return wait > UINT64_MAX - now ? UINT64_MAX : now + wait;
}

/* The origin wants to be left alone for a while. With the lock. */
static void shut_origin(const struct fetch_job *job, const struct judge_verdict *v,
                        uint64_t now, uint64_t wait)
{
    struct origin *o = job->turn.origin;
    if (v->class == FETCH_RATELIMITED && v->has_after) {
        o->refuses_ns = after(now, v->after_ns);
    } else {
        gate_shut(&o->gate, now, after(now, v->has_after ? v->after_ns : wait));
        bucket_drain(&o->bucket, now);
    }
}

/* The job waits; false when it cannot. With the lock. */
static bool try_again(struct fetch_job *job, const struct judge_verdict *v,
                      uint64_t now, uint64_t wait)
{
    struct fetch *f = job->fetch;
    struct qerr e = QERR_INIT;
    schedule_remove(&f->schedule, &job->turn);
    job->turn.origin = job->home;
    job->since_ns = now;
    free(job->at);
    job->at = NULL;
    job->abroad = false;
    job->hops = 0;
    if (schedule_delay(&f->schedule, &job->turn, after(now, wait), &e) < 0)
        return false;
    if (v->spares) { /* the same try, once more */
        job->spared = true;
        job->failed--;
        job->outcome.tries--;
    } else {
        f->nretries++;
    }
    return true;
}

/* What has come stays only if the next try can go on behind it. */
static bool may_start_over(struct fetch_job *job)
{
    return job->validator[0] || job_forget(job) == 0;
}

static void add_text(char error[FETCH_ERROR], const char *more)
{
    size_t n = strlen(error);
    snprintf(error + n, FETCH_ERROR - n, "%s", more);
}

/* Returns whether there will be another try, or the same one once more. */
static bool retry_or_fail(struct fetch_job *job, struct judge_verdict *v)
{
    struct fetch *f = job->fetch;
    uint64_t now = qclock_ns(), wait = wait_for(job, v);
    uint64_t deadline = f->config->deadline_ns;
    if (v->what == JUDGE_RETRY && deadline > 0 &&
        after(now, wait) >= job->first_ns + deadline) {
        v->what = JUDGE_FAIL;
        if (!v->spares)
            v->class = v->shuts ? FETCH_RATELIMITED : FETCH_TIMEOUT;
        add_text(v->error, "; --deadline leaves no time for another try");
    }
    if (v->what == JUDGE_RETRY && !may_start_over(job))
        v->what = JUDGE_FAIL;
    pthread_mutex_lock(&f->lock);
    if (v->class == FETCH_DNS)
        job->turn.origin->no_name_ns = now + NO_NAME_NS;
    if (v->shuts)
        shut_origin(job, v, now, wait);
    bool waits = v->what == JUDGE_RETRY && !f->stopping && !job->cancelled &&
                 try_again(job, v, now, wait);
    bool cancelled = f->stopping || job->cancelled;
    pthread_mutex_unlock(&f->lock);
    if (!waits)
        end_job(job, cancelled ? FETCH_CANCELLED : v->class, v->error);
    return waits;
}

/* --- the end of a try --- */

/* The job no longer waits for room. */
static void forget_pause(struct place *p)
{
    struct fetch *f = p->thread->fetch;
    if (p->paused_ns == 0)
        return;
    pthread_mutex_lock(&f->lock);
    p->job->paused = false;
    p->thread->paused--;
    f->npaused--;
    pthread_mutex_unlock(&f->lock);
    p->paused_ns = 0;
}

static void judge_try(struct place *p, const struct transfer_result *r,
                      struct judge_verdict *v)
{
    struct fetch_job *job = p->job;
    struct judge_try t = {.end = r ? r->end : TRANSFER_REFUSED,
                          .response = &p->response,
                          .conditional = p->conditional,
                          .now = (int64_t)time(NULL)};
    if (t.end == TRANSFER_REFUSED && p->enough)
        t.end = TRANSFER_OK;
    if (t.end == TRANSFER_OK && !p->response.complete)
        place_break_off(p, FETCH_TRUNCATED, true, "the header breaks off");
    else if (t.end == TRANSFER_OK)
        place_look(p, 0);
    t.broken_off = p->broken_off;
    t.may_pass = p->may_pass;
    t.error = p->broken_off != FETCH_OK ? p->error : r ? r->error : "";
    if (judge_is_limited(&t))
        job->limited++;
    else
        job->failed++;
    t.failed = job->failed;
    t.limited = job->limited;
    t.spared = job->spared;
    t.used = r && r->unsent;
    judge(&p->thread->fetch->config->policy, &t, v);
    if (v->what == JUDGE_DONE || v->what == JUDGE_REDIRECT)
        job->failed--;
}

/* 416 to a rest: all there is has come before. */
static bool is_all_there(const struct place *p, const struct transfer_result *r)
{
    return r && p->response.status == 416 && p->from > 0 &&
           p->response.range_unsatisfied && p->response.range_total == p->from;
}

/* What the try was, for the meter; whether another one follows is not known yet. */
static struct meter_done describe_try(const struct place *p,
                                      const struct judge_verdict *v)
{
    return (struct meter_done){.task = TASK_FETCH,
                               .start_ns = p->start_ns,
                               .end_ns = qclock_ns(),
                               .records = v->what == JUDGE_DONE,
                               .errors = v->class != FETCH_OK,
                               .bytes = p->bytes,
                               .transfer = {.place = (uint16_t)(p - p->thread->places),
                                            .tries = (uint16_t)p->job->outcome.tries,
                                            .class = (uint16_t)v->class,
                                            .status = (uint16_t)p->response.status}};
}

void place_end(struct place *p, const struct transfer_result *r)
{
    struct fetch_job *job = p->job;
    struct judge_verdict v;
    forget_pause(p);
    judge_try(p, r, &v);
    struct meter_done done = describe_try(p, &v);
    job->outcome.status = p->response.status;
    job->outcome.first_byte = r ? r->first_byte : 0;
    bool all = is_all_there(p, r);
    p->job = NULL;
    p->transfer = NULL;
    p->thread->nused--;
    if (p->there)
        finish_existing(job);
    else if (all || v.what == JUDGE_DONE)
        finish(job, &p->response);
    else if (v.what == JUDGE_REDIRECT)
        go_elsewhere(job, r ? r->redirect : NULL);
    else
        done.retries = retry_or_fail(job, &v) && !v.spares;
    meter_end(p->thread->meter, &done);
}
