#include "cmd/fetchstats.h"

#include <string.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "cmd/statsfile.h"
#include "engine/progress.h"

void fetch_run_begin(struct fetch_run *run, const struct job *job,
                     struct meters *meters)
{
    *run = (struct fetch_run){.job = job, .meters = meters, .start_ns = qclock_ns()};
    host_time(run->started);
    meters_init(meters, run->start_ns, job_given(job, "trace") ? meters_events(1) : 0);
}

static double seconds_of(const struct fetch_run *run)
{
    return (double)(qclock_ns() - run->start_ns) * 1e-9;
}

static void sum_up(const struct fetch_run *run, struct qbuf *out)
{
    const struct fetch_counts *c = &run->counts;
    struct progress_summary s = {.records = c->done - c->failed,
                                 .bad = c->failed,
                                 .seconds = seconds_of(run),
                                 .cpu_seconds = (double)stats_cpu_ns() * 1e-9,
                                 .peak_bytes = stats_peak_bytes()};
    progress_sum_fetched(&s, &run->meters->fetch);
    progress_sum_up(&s, out);
}

static void count(struct meter_fetch *to, const struct fetch_counts *c)
{
    to->todo = c->done + c->queued + c->waiting + c->active;
    to->active = c->active;
    to->done = c->done;
    to->failed = c->failed;
    to->retries = c->retries;
    to->bytes = c->bytes;
}

void fetch_run_tell(struct fetch_run *run, struct fetch_counts counts)
{
    struct qbuf text = QBUF_INIT;
    run->counts = counts;
    count(&run->meters->fetch, &counts);
    sum_up(run, &text);
    qlog_error("%s", qbuf_cstr(&text));
    qbuf_release(&text);
}

/* A thread has at least one place. */
static unsigned threads_of(const struct job *job)
{
    uint64_t threads = job_count(job, "fetch-threads");
    uint64_t workers = job_count(job, "workers");
    return (unsigned)(threads < workers ? threads : workers);
}

void fetch_run_end(const struct fetch_run *run, const struct ending *ending,
                   struct qerr *e)
{
    const struct fetch_counts *c = &run->counts;
    double seconds = seconds_of(run);
    count(&run->meters->fetch, c);
    if (run->began && e->code != Q_EPIPE &&
        (seconds >= 2 || job_flag(run->job, "verbose"))) {
        struct qbuf text = QBUF_INIT;
        sum_up(run, &text);
        qlog_note("%s", qbuf_cstr(&text));
        qbuf_release(&text);
    }
    struct engine_outcome o = {
        .tally = {.records = c->done - c->failed, .bad = c->failed},
        .seconds = seconds,
        .signal = run->stopped > 0 ? run->stopped : 0,
        .timed_out = run->stopped < 0,
        .resumable = true,
        .abandoned = ending->abandoned,
        .meters = run->meters};
    struct stats_file file = {.job = run->job,
                              .outcome = &o,
                              .threads = threads_of(run->job),
                              .status = e->code == Q_OK || e->code == Q_ESTOP
                                            ? ending->status
                                            : command_status(e)};
    memcpy(file.started, run->started, sizeof file.started);
    struct qerr more = QERR_INIT;
    if (stats_file_write(&file, &more) == 0)
        return;
    if (e->code == Q_OK)
        *e = more;
    else
        qlog_error("%s", more.text);
}
