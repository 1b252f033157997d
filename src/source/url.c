/*
 * URLs as inputs. `struct sources` fetches ahead: jobs are submitted in the order of
 * the inputs, a window of them beyond the one that is read, so that the next bodies
 * come while the kernel is at this one. Memory is bounded by the fetch pool.
 *
 * A URL that fails is an error of its own (Q_EINPUT), behind what came before; the
 * engine's feed makes a bad record of it and goes on with the next input.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/qlog.h"
#include "source/cut.h"
#include "source/decompress.h"
#include "source/fetch.h"
#include "source/fetchreport.h"
#include "source/source.h"

struct sources {
    const struct job *job;
    uint64_t urls; /* of its inputs */
    enum fetch_to to;
    struct fetch_config *config;
    struct fetch *fetch; /* NULL: nothing is fetched yet */
    struct fetch_report *report;
    struct fetch_job **jobs; /* of the URLs that are submitted; by index of the input */
    size_t next;             /* inputs before this one are submitted */
    size_t told;             /* what became of those before this one is known */
};

struct url {
    struct sources *all;
    size_t index;
    struct fetch_job *job;
    const char *name;
    bool failed; /* it could not be read to its end */
    struct decompress decompress;
    struct cut cut;
};

/* --- what they share --- */

static uint64_t count_urls(const struct job *job)
{
    uint64_t n = 0;
    for (size_t i = 0; i < job->ninputs; i++)
        n += job->inputs[i].kind == INPUT_URL;
    return n;
}

bool sources_have_files(const struct job *job)
{
    return job_find(job, "report") &&
           (job_given(job, "report") || job_given(job, "failed"));
}

int sources_open(struct sources **all, const struct job *job, bool whole,
                 struct qerr *e)
{
    *all = NULL;
    uint64_t urls = count_urls(job);
    if (urls == 0 && !sources_have_files(job))
        return 0;
    struct sources *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->job = job;
    s->urls = urls;
    s->to = whole ? FETCH_WHOLE : FETCH_STREAM;
    s->jobs = calloc(job->ninputs, sizeof *s->jobs);
    int rc = s->jobs ? 0 : qerr_nomem(e);
    if (rc == 0 && urls > 0)
        rc = fetch_config_new(&s->config, job, e);
    if (rc == 0)
        rc = fetch_report_open(&s->report, job, e);
    if (rc < 0) {
        struct qerr ignored = QERR_INIT;
        sources_close(s, &ignored);
        return rc;
    }
    *all = s;
    return 0;
}

int sources_begin(struct sources *s, bool goes_on, struct meters *meters,
                  struct qerr *e)
{
    int rc = s ? fetch_report_begin(s->report, goes_on, e) : 0;
    if (rc < 0 || !s || s->urls == 0)
        return rc;
    s->fetch = fetch_open(s->config, meters, e);
    return s->fetch ? 0 : -(int)e->code;
}

/* Of a run that was stopped. */
static void say_untold(const struct sources *s)
{
    uint64_t n = 0;
    if (!s->fetch || !job_given(s->job, "failed"))
        return;
    for (size_t i = s->told; i < s->job->ninputs; i++)
        n += s->job->inputs[i].kind == INPUT_URL;
    if (n > 0)
        qlog_warn("%" PRIu64 " URLs had not been read: --failed does not have them", n);
}

int sources_close(struct sources *s, struct qerr *e)
{
    if (!s)
        return 0;
    say_untold(s);
    fetch_close(s->fetch);
    int rc = fetch_report_close(s->report, e);
    fetch_config_free(s->config);
    free(s->jobs);
    free(s);
    return rc;
}

void sources_stop(struct sources *s)
{
    if (!s)
        return;
    if (s->fetch)
        fetch_stop(s->fetch);
    fetch_report_stop(s->report);
}

struct sources_counts sources_count(struct sources *s)
{
    struct sources_counts c = {.urls = 0};
    if (!s || !s->fetch)
        return c;
    struct fetch_counts f = fetch_counts(s->fetch);
    c.urls = s->urls;
    c.active = f.active;
    c.done = f.done;
    c.failed = f.failed;
    c.retries = f.retries;
    c.bytes = f.bytes;
    return c;
}

/* Submits the URLs of a window that begins with input `index`. */
static int submit_ahead(struct sources *s, size_t index, struct qerr *e)
{
    size_t window = fetch_window(s->fetch);
    if (s->next < index)
        s->next = index; /* a resumed run begins here */
    for (; s->next < s->job->ninputs && s->next - index < window; s->next++) {
        const struct input *in = &s->job->inputs[s->next];
        if (in->kind != INPUT_URL)
            continue;
        struct fetch_order order = {.url = in->text, .to = s->to};
        s->jobs[s->next] = fetch_submit(s->fetch, &order, e);
        if (!s->jobs[s->next])
            return -(int)e->code;
    }
    return 0;
}

/* --- one of them --- */

static int url_check(const struct input *in, struct qerr *e)
{
    (void)in; /* whether it can be had shows when it is its turn */
    (void)e;
    return 0;
}

/* Only what is in the cache stays as it is. */
static int url_ident(const struct job *job, const struct input *in, struct qbuf *out,
                     struct qerr *e)
{
    struct fetch_config *config = NULL;
    if (!job_find(job, "offline") || !job_flag(job, "offline"))
        return 1;
    int rc = fetch_config_new(&config, job, e);
    if (rc == 0)
        rc = fetch_cached(config, in->text, out, e);
    fetch_config_free(config);
    return rc;
}

static ssize_t url_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct url *u = from;
    return fetch_read(u->job, to, n, wait, e);
}

static void url_close(void *state)
{
    struct url *u = state;
    const struct fetch_outcome *o = fetch_result(u->job, 0);
    if (o && o->class != FETCH_CANCELLED) {
        fetch_report_add(u->all->report, u->job, u->failed || o->class != FETCH_OK);
        fetch_report_flush(u->all->report); /* the run may be left, not ended */
        u->all->told = u->index + 1;
    }
    u->all->jobs[u->index] = NULL;
    fetch_release(u->job);
    decompress_release(&u->decompress);
    cut_release(&u->cut);
    free(u);
}

static int url_open(void **state, struct sources *all, const struct input *in,
                    const struct position *at, struct qerr *e)
{
    struct url *u = calloc(1, sizeof *u);
    if (!u)
        return qerr_nomem(e);
    u->all = all;
    u->index = (size_t)(in - all->job->inputs);
    u->name = in->name;
    int rc = submit_ahead(all, u->index, e);
    if (rc < 0) {
        free(u);
        return rc;
    }
    u->job = all->jobs[u->index];
    cut_init(&u->cut, at);
    decompress_init(&u->decompress, url_read, u, u->name, false);
    rc = decompress_skip(&u->decompress, at->offset, e);
    if (rc < 0 && rc != -Q_EINPUT) { /* that comes again when it is read */
        url_close(u);
        return rc;
    }
    *e = (struct qerr)QERR_INIT;
    *state = u;
    return 0;
}

/* What is said of the data names the input; whoever reports a failure does so too. */
static void leave_out_name(const struct url *u, struct qerr *e)
{
    size_t name = strlen(u->name);
    if (strncmp(e->text, u->name, name) == 0 && strncmp(e->text + name, ": ", 2) == 0)
        memmove(e->text, e->text + name + 2, strlen(e->text + name + 2) + 1);
}

static int url_next(void *state, struct chunk *c, struct qerr *e)
{
    struct url *u = state;
    int rc = cut_next(&u->cut, decompress_read, &u->decompress, c, e);
    u->failed = u->failed || rc == -Q_EINPUT;
    if (rc == -Q_EINPUT)
        leave_out_name(u, e);
    return rc;
}

const struct source source_url = {
    .name = "url",
    .check = url_check,
    .open = url_open,
    .ident = url_ident,
    .next = url_next,
    .close = url_close,
};
