/*
 * Who runs where:
 *
 *   main      waits for the end, for signals and --time-limit
 *   feeder    reads the inputs and submits them; waits when the pool has enough
 *   printer   takes what has ended, in order, and prints its line, its report
 *   the pool  threads of its own that fetch (source/fetch.c)
 *
 * Feeder and printer are tasks of an executor. The run ends when the printer has taken
 * the last job. A stop ends all jobs as cancelled, which the printer then takes as any
 * others; so the report is complete whatever happens.
 */
#include "cmd/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "cmd/args.h"
#include "cmd/fetchstats.h"
#include "core/chunk.h"
#include "core/urlglob.h"
#include "engine/monitor.h"
#include "engine/progress.h"
#include "engine/signals.h"
#include "source/executor.h"
#include "source/fetch.h"
#include "source/fetchreport.h"

const char fetch_description[] =
    "Downloads URLs, many at a time, into files of --output-dir, named by the last "
    "part "
    "of the URL's path. A file is complete or absent. Prints a line for each URL, with "
    "tabs: 'CLASS STATUS BYTES SECONDS PATH URL'; CLASS is ok, or says what failed.\n\n"
    "An INPUT is a URL, which may stand for many ({a,b}, [1-100]), or FILE, @FILE or "
    "-: "
    "a list of URLs, one a line, each perhaps followed by a tab and the name of its "
    "file.\n\n"
    "The options from --workers on hold wherever an INPUT is a URL.";

enum {
    FLUSH_BYTES = 1 << 15,
    PAUSE_NS = 2000000,
    LEAVE_NS = 300000000,
    FAILURES_SHOWN = 20 /* on stderr; the output has them all */
};

/* One run of the command. */
struct order {
    const struct job *job;
    bool globoff;
    struct fetch *fetch;
    struct signals signals;

    /* The printer's. */
    struct qbuf out;
    struct fetch_report *report;
    uint64_t nfailed;
    uint64_t nsaid; /* of them, not cancelled: each was said, up to FAILURES_SHOWN */

    struct fetch_run run; /* main's: for the summary and the statistics */
    struct meters meters;

    atomic_bool complete; /* the feeder's: it is known how many URLs there are */
};

/* --- the feeder --- */

static int submit_url(struct order *o, const char *url, const char *name,
                      const char *line, struct qerr *e)
{
    struct fetch_order order = {
        .to = FETCH_FILE, .url = url, .name = name, .line = line};
    return fetch_submit(o->fetch, &order, e) ? 0 : -(int)e->code;
}

/* A line of a list. */
struct place {
    const char *list;
    uint64_t number;
    char where[160];  /* "LIST:NUMBER" */
    const char *line; /* as a whole, if that is more than a URL; or NULL */
};

/* A line that is no URL fails like a URL: the others go on. */
static int submit_refused(struct order *o, const char *word, const struct place *at,
                          const struct qerr *why, struct qerr *e)
{
    struct fetch_order order = {.url = word,
                                .to = FETCH_FILE,
                                .line = at->line,
                                .where = at->where,
                                .refused = why->text};
    return fetch_submit(o->fetch, &order, e) ? 0 : -(int)e->code;
}

/* A URL with its braces, and a name; of a list, or (NULL) an argument. */
static int submit_word(struct order *o, const char *word, const char *name,
                       const struct place *at, struct qerr *e)
{
    struct urlglob glob;
    struct qbuf url = QBUF_INIT;
    struct qerr bad = QERR_INIT;
    int rc = urlglob_open(&glob, word, o->globoff, &bad);
    if (rc < 0 && at)
        return submit_refused(o, word, at, &bad, e);
    if (rc < 0)
        *e = bad;
    while (rc == 0 && urlglob_next(&glob, &url)) {
        struct fetch_order order = {.to = FETCH_FILE,
                                    .name = name,
                                    .line = at ? at->line : NULL,
                                    .where = at ? at->where : NULL};
        rc = qbuf_check(&url, e);
        order.url = qbuf_cstr(&url);
        if (rc == 0 && !fetch_submit(o->fetch, &order, e))
            rc = -(int)e->code;
    }
    qbuf_release(&url);
    return rc;
}

/* A line of a list: URL, or URL, tab, name. */
static int submit_line(struct order *o, char *line, struct place *at, struct qerr *e)
{
    size_t n = strcspn(line, "\r\n");
    line[n] = '\0';
    char *url = line + strspn(line, " \t");
    if (*url == '\0' || *url == '#')
        return 0;
    char *whole = strdup(url);
    if (!whole)
        return qerr_nomem(e);
    char *name = strchr(url, '\t');
    if (name)
        *name++ = '\0';
    for (size_t end = strlen(url); end > 0 && url[end - 1] == ' ';)
        url[--end] = '\0';
    at->line = name ? whole : NULL;
    snprintf(at->where, sizeof at->where, "%.120s:%" PRIu64, at->list, at->number);
    int rc = submit_word(o, url, name && *name ? name : NULL, at, e);
    free(whole);
    return rc;
}

static int submit_list(struct order *o, const struct input *in, struct qerr *e)
{
    bool from_stdin = in->kind == INPUT_STREAM;
    FILE *f = from_stdin ? stdin : fopen(in->text, "re");
    struct place at = {.list = in->name};
    char *line = NULL;
    size_t cap = 0;
    int rc = 0;
    if (!f)
        return qerr_sys(e, Q_EINPUT, errno, "%s", in->name);
    while (rc == 0 && getline(&line, &cap, f) >= 0) {
        at.number++;
        bool mark = at.number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0;
        rc = submit_line(o, mark ? line + 3 : line, &at, e);
    }
    if (rc == 0 && ferror(f))
        rc = qerr_sys(e, Q_EINPUT, errno, "read %s", in->name);
    free(line);
    if (!from_stdin)
        fclose(f);
    return rc;
}

static void *feed(void *arg, struct future *self, struct qerr *e)
{
    struct order *o = arg;
    int rc = 0;
    (void)self;
    for (size_t i = 0; rc == 0 && i < o->job->ninputs; i++) {
        const struct input *in = &o->job->inputs[i];
        rc = in->kind == INPUT_URL ? submit_url(o, in->text, NULL, NULL, e)
                                   : submit_list(o, in, e);
    }
    fetch_end(o->fetch);
    atomic_store(&o->complete, true);
    return NULL;
}

/* --- the printer --- */

static int flush(struct order *o, struct qerr *e)
{
    int rc = qbuf_check(&o->out, e);
    for (size_t done = 0; rc == 0 && done < o->out.len;) {
        ssize_t n = write(STDOUT_FILENO, o->out.data + done, o->out.len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EPIPE)
            rc = qerr_set(e, Q_EPIPE, "standard output is closed");
        else if (errno != EINTR)
            rc = qerr_sys(e, Q_EIO, errno, "write standard output");
    }
    qbuf_clear(&o->out);
    return rc;
}

/* A field of the line: no tab or newline of somebody's URL may end it. */
static void put_field(struct qbuf *out, const char *text, char end)
{
    const char *from = text;
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x20 && *text != 0x7f)
            continue;
        qbuf_add(out, from, (size_t)(text - from));
        qbuf_printf(out, "\\x%02x", (unsigned)(unsigned char)*text);
        from = text + 1;
    }
    qbuf_add(out, from, (size_t)(text - from));
    qbuf_putc(out, end);
}

static void put_line(struct qbuf *out, const struct fetch_outcome *r)
{
    char ms[16];
    uint64_t rest = (uint64_t)(r->seconds * 1000 + 0.5);
    qbuf_puts(out, fetch_class_name(r->class));
    qbuf_putc(out, '\t');
    qbuf_putu(out, (uint64_t)r->status);
    qbuf_putc(out, '\t');
    qbuf_putu(out, r->bytes);
    qbuf_putc(out, '\t');
    qbuf_putu(out, rest / 1000);
    ms[0] = '.';
    ms[4] = '\t';
    for (int i = 3; i > 0; i--, rest /= 10)
        ms[i] = (char)('0' + rest % 10);
    qbuf_add(out, ms, 5);
    put_field(out, r->path ? r->path : "-", '\t');
    put_field(out, r->url, '\n');
}

/* Says what became of a job. */
static void tell(struct order *o, struct fetch_job *job)
{
    const struct fetch_outcome *r = fetch_result(job, 0);
    put_line(&o->out, r);
    fetch_report_add(o->report, job, r->class != FETCH_OK);
    if (r->class == FETCH_OK)
        return;
    o->nfailed++;
    if (r->class != FETCH_CANCELLED && o->nsaid++ < FAILURES_SHOWN)
        qlog_error("%s: %s: %s", r->url, fetch_class_name(r->class), r->error);
    if (job_flag(o->job, "fail-fast"))
        fetch_stop(o->fetch);
}

/* Takes what has ended until there is nothing more at once. False at the end. */
static bool tell_ended(struct order *o, bool in_order)
{
    do {
        struct fetch_job *job = fetch_take(o->fetch, in_order);
        if (!job)
            return false;
        tell(o, job);
        fetch_release(job);
    } while (o->out.len < FLUSH_BYTES && fetch_has_ended(o->fetch, in_order));
    return true;
}

/* To wake for each of many small files would cost more than they do: behind what has
 * been said there is a little pause. */
static void *print(void *arg, struct future *self, struct qerr *e)
{
    struct order *o = arg;
    bool in_order = !job_flag(o->job, "unordered");
    const struct timespec pause = {0, PAUSE_NS};
    int rc = 0;
    (void)self;
    for (bool more = true; more;) {
        more = tell_ended(o, in_order);
        fetch_report_flush(o->report);
        if (rc == 0 && (rc = flush(o, e)) < 0)
            fetch_stop(o->fetch);
        if (more && !fetch_has_ended(o->fetch, in_order))
            nanosleep(&pause, NULL);
    }
    if (o->nsaid > FAILURES_SHOWN)
        qlog_error("%" PRIu64 " more URLs failed", o->nsaid - FAILURES_SHOWN);
    signals_done(&o->signals);
    return NULL;
}

/* --- main --- */

/* --- the line of progress --- */

enum { FIRST_NS = 300000000 };

struct watch {
    enum monitor_mode mode;
    uint64_t start_ns, every_ns, due_ns;
    unsigned tick;
    struct progress_eta eta;
};

static void watch_begin(struct watch *w, const struct job *job)
{
    w->mode =
        monitor_mode_here(job_word(job, "progress"), job_flag(job, "quiet"), true);
    w->every_ns = monitor_every_ns(w->mode, job_count(job, "heartbeat"));
    if (w->every_ns == 0)
        w->mode = MONITOR_OFF;
    w->start_ns = qclock_ns();
    w->due_ns = w->start_ns + (w->mode == MONITOR_LINE ? FIRST_NS : w->every_ns);
    if (w->mode == MONITOR_OFF)
        w->due_ns = UINT64_MAX;
}

/* A URL's price is what it takes of the time of the pool: nobody knows how long the
 * bodies are that are still to come. */
static struct progress watch_look(struct watch *w, struct order *o)
{
    struct fetch_counts c = fetch_counts(o->fetch);
    uint64_t spent = qclock_ns() - w->start_ns;
    uint64_t left = c.queued + c.waiting + c.active;
    double low, high;
    struct progress_seen seen = {.seconds = (double)spent * 1e-9,
                                 .records = c.done,
                                 .answered[CHUNK_OF_INPUTS] = c.done,
                                 .busy_ns[CHUNK_OF_INPUTS] = spent};
    progress_remember(&w->eta, &seen);
    w->eta.known = atomic_load(&o->complete); /* before that nobody knows how many */
    w->eta.total[CHUNK_OF_INPUTS] = (double)(c.done + left);
    struct progress p = {.seconds = seen.seconds,
                         .records = c.done - c.failed,
                         .share = -1,
                         .rate = progress_rate(&w->eta, &seen),
                         .low = -1,
                         .high = -1,
                         .todo = c.done + left,
                         .fetched = c.done,
                         .failed = c.failed,
                         .inputs = c.done + left,
                         .inputs_answered = c.done};
    if (progress_left(&w->eta, &seen, (double)c.longest_ns * 1e-9, &low, &high)) {
        p.low = low;
        p.high = high;
    }
    return p;
}

static void watch_show(struct watch *w, struct order *o)
{
    struct progress p = watch_look(w, o);
    struct qbuf line = QBUF_INIT;
    w->due_ns = qclock_ns() + w->every_ns;
    if (w->mode == MONITOR_LOG) {
        progress_plain(&p, &line);
        qlog_error("%s", qbuf_cstr(&line));
    } else if (monitor_in_front()) {
        progress_line(&p, w->tick++, monitor_columns() - 1, monitor_look(), &line);
        qlog_status(qbuf_cstr(&line));
    }
    qbuf_release(&line);
}

/* Milliseconds until `next_ns`, rounded up; -1 for never. */
static int ms_until(uint64_t next_ns)
{
    uint64_t now = qclock_ns();
    if (next_ns == UINT64_MAX)
        return -1;
    uint64_t ms = next_ns <= now ? 0 : (next_ns - now) / 1000000 + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Waits for the end. Returns the signal that ended it, -1 for the time limit, or 0. */
static int supervise(struct order *o)
{
    uint64_t limit = job_count(o->job, "time-limit"), until = UINT64_MAX;
    struct watch watch = {.tick = 0};
    int stopped = 0;
    watch_begin(&watch, o->job);
    if (limit > 0 && limit < UINT64_MAX - watch.start_ns)
        until = watch.start_ns + limit;
    for (;;) {
        int event = signals_wait(&o->signals,
                                 ms_until(until < watch.due_ns ? until : watch.due_ns));
        if (event == SIGNALS_DONE)
            return stopped;
        if (qclock_ns() >= watch.due_ns)
            watch_show(&watch, o);
        bool late = qclock_ns() >= until;
        if (event == SIGUSR2)
            fetch_run_tell(&o->run, fetch_counts(o->fetch));
        else if (event > 0 && stopped != 0)
            return event; /* a second one */
        else if (event > 0 || late) {
            stopped = event > 0 ? event : -1;
            until = UINT64_MAX;
            fetch_report_stop(o->report);
            fetch_stop(o->fetch);
        }
    }
}

static int run_tasks(struct order *o, int *stopped, struct ending *ending,
                     struct qerr *e)
{
    struct executor *x = executor_new(2, 2, e);
    if (!x)
        return -(int)e->code;
    struct qerr fed = QERR_INIT;
    struct future *feeder = executor_submit(x, feed, o, e);
    struct future *printer = feeder ? executor_submit(x, print, o, e) : NULL;
    if (!printer) {
        fetch_stop(o->fetch);
        executor_free(x);
        return -(int)e->code;
    }
    *stopped = supervise(o);
    qlog_status(NULL);
    bool printed = future_result(printer, LEAVE_NS, NULL, e) != FUTURE_PENDING;
    bool ended = future_result(feeder, LEAVE_NS, NULL, &fed) != FUTURE_PENDING;
    ending->abandoned = !printed || !ended;
    if (ended && fed.code == Q_ESTOP && job_given(o->job, "failed"))
        qlog_warn("not all URLs were tried: --failed does not have the others");
    if (e->code == Q_OK && fed.code != Q_OK && fed.code != Q_ESTOP)
        *e = fed;
    if (!ending->abandoned)
        executor_free(x);
    return -(int)e->code;
}

static int run_order(struct order *o, const struct fetch_config *config,
                     struct ending *ending, struct qerr *e)
{
    int stopped = 0;
    int rc = signals_open(&o->signals, e);
    if (rc < 0)
        return rc;
    o->fetch = fetch_open(config, &o->meters, e);
    rc = o->fetch ? fetch_report_begin(o->report, false, e) : -(int)e->code;
    if (rc < 0) {
        fetch_close(o->fetch);
        signals_close(&o->signals);
        return rc;
    }
    rc = run_tasks(o, &stopped, ending, e);
    o->run.began = true;
    o->run.counts = fetch_counts(o->fetch);
    o->run.stopped = stopped;
    if (rc == 0 && stopped != 0) {
        ending->status = 75;
        rc = stopped < 0 ? qerr_set(e, Q_ESTOP,
                                    "stopped by --time-limit; --continue "
                                    "goes on")
                         : qerr_set(e, Q_ESTOP, "stopped by SIG%s; --continue goes on",
                                    sigabbrev_np(stopped));
    } else if (rc == 0 && o->nfailed > 0) {
        ending->status = 1;
    }
    if (ending->abandoned)
        return rc;
    fetch_close(o->fetch);
    signals_end(&o->signals);
    return rc;
}

int cmd_fetch(const struct job *job, struct ending *ending, struct qerr *e)
{
    struct fetch_config *config = NULL;
    static struct order order; /* threads that are left behind may still look at it */
    struct order *o = &order;
    o->job = job;
    o->globoff = job_flag(job, "globoff");
    fetch_run_begin(&o->run, job, &o->meters);
    int rc = fetch_config_new(&config, job, e);
    if (rc == 0)
        rc = fetch_report_open(&o->report, job, e);
    if (rc == 0)
        (void)run_order(o, config, ending, e);
    if (ending->abandoned) {
        fetch_run_end(&o->run, ending, e);
        return -(int)e->code;
    }
    struct qerr late = QERR_INIT;
    if (fetch_report_close(o->report, &late) < 0) {
        if (e->code == Q_OK)
            *e = late;
        else
            qlog_error("%s", late.text);
    }
    fetch_config_free(config);
    qbuf_release(&o->out);
    fetch_run_end(&o->run, ending, e);
    meters_release(&o->meters);
    return -(int)e->code;
}
