/*
 * Who runs where:
 *
 *   main       starts the others, waits for the end, for signals and limits
 *              (supervise.c)
 *   reader     opens the inputs one after the other and fills the ring (parallel.c)
 *   team       a pthread that opens the OpenMP team of workers, so that main is never
 *              inside it: it alone talks to other ranks (dispatch.c)
 *   workers    claim a span, answer it, give it back (parallel.c, work.c)
 *   committer  takes parts in order, writes them (parallel.c, commit.c)
 *
 * A run ends when the committer has written the last part, or by the committer's
 * decision (an error, --strict), or by main's (a signal, --time-limit): then claims
 * cease, workers see the stop flag within 10 ms, and main leaves behind whoever still
 * sits in a call that cannot be interrupted.
 *
 * This file sets a run up, and says what it came to.
 */
#include "engine/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "engine/restart.h"
#include "engine/run.h"
#include "source/source.h"

void run_stop(struct run *r)
{
    work_stop(&r->work);
    sources_stop(r->sources);
    if (r->ring)
        ring_stop(r->ring);
}

void run_finish(struct run *r, int rc)
{
    monitor_end(r); /* the result may go to the same terminal */
    bool stopped = atomic_load(&r->work.stop) && !r->commit.tally.halted;
    if (rc == 0 && !stopped)
        rc = commit_result(&r->commit, &r->err);
    /* A part that could not be written is not settled: then the last mark stands. */
    if (rc == 0 || r->err.code == Q_EINPUT || r->err.code == Q_ECHECK)
        commit_mark(&r->commit, rc == 0 && !stopped, &r->err);
    run_stop(r);
    signals_done(&r->signals);
}

void run_publish(struct run *r)
{
    const struct tally *t = &r->commit.tally;
    atomic_store_explicit(&r->said.records, t->records, memory_order_relaxed);
    atomic_store_explicit(&r->said.bad, t->bad, memory_order_relaxed);
    atomic_store_explicit(&r->said.unfinished, t->unfinished, memory_order_relaxed);
    atomic_store_explicit(&r->said.input, r->commit.input, memory_order_relaxed);
}

/* What the run came to, in the terms of errors. */
static int judge(const struct run *r, const struct engine_outcome *o, struct qerr *e)
{
    const char *more = o->resumable ? "; --resume goes on" : "";
    if (!r->unsettled && r->err.code != Q_OK)
        *e = r->err;
    else if (r->far_err.code != Q_OK)
        *e = r->far_err;
    else if (o->timed_out && !job_given(r->job, "time-limit"))
        qerr_set(e, Q_ESTOP, "stopped before the Slurm job's time limit%s", more);
    else if (o->timed_out)
        qerr_set(e, Q_ESTOP, "stopped by --time-limit%s", more);
    else if (o->signal != 0)
        qerr_set(e, Q_ESTOP, "stopped by SIG%s%s", sigabbrev_np(o->signal), more);
    return -(int)e->code;
}

/* The status of a halted run is that of a whole one with bad records. */
static void say_halted(const struct run *r)
{
    if (!r->commit.tally.halted)
        return;
    if (job_flag(r->job, "strict"))
        qlog_error("stopped at the first bad record (--strict)");
    else
        qlog_error("stopped: more than %" PRIu64 " bad records (--max-errors)",
                   r->commit.max_errors);
}

static int check_inputs(const struct job *job, struct qerr *e)
{
    for (size_t i = 0; i < job->ninputs; i++) {
        int rc = source_for(job->inputs[i].kind)->check(&job->inputs[i], e);
        if (rc < 0)
            return job_add_place(job, &job->inputs[i], e);
    }
    return 0;
}

void run_count_fetches(struct run *r)
{
    struct sources_counts c = sources_count(r->sources);
    struct meter_fetch *f = &r->meters->fetch;
    atomic_store_explicit(&f->todo, c.urls, memory_order_relaxed);
    atomic_store_explicit(&f->active, c.active, memory_order_relaxed);
    atomic_store_explicit(&f->done, c.done, memory_order_relaxed);
    atomic_store_explicit(&f->failed, c.failed, memory_order_relaxed);
    atomic_store_explicit(&f->retries, c.retries, memory_order_relaxed);
    atomic_store_explicit(&f->bytes, c.bytes, memory_order_relaxed);
}

enum { READY_NS = 2000000000 }; /* for all ranks to say how they are placed, with -v */

static int sync_others(void *ctx, struct qerr *e)
{
    return dispatch_sync(ctx, e);
}

/* With -o DIR/ the others write shards, too. */
static int open_shards(struct run *r, struct qerr *e)
{
    struct shards *s = r->commit.shards;
    if (!s)
        return 0;
    shards_set_others(s, sync_others, r->dispatch);
    return dispatch_shards(r->dispatch, shards_attempt(s), shards_inode(s), e);
}

static int open_dispatch(struct run *r, struct qerr *e)
{
    r->dispatch = dispatch_new(r->job, &r->work, r->names, e);
    if (!r->dispatch)
        return -(int)e->code;
    dispatch_local(r->dispatch, r->threads);
    int rc = open_shards(r, e);
    if (rc < 0)
        return rc;
    return job_flag(r->job, "verbose") ? dispatch_wait_ready(r->dispatch, READY_NS, e)
                                       : 0;
}

/* One of the two bodies. */
static int run_body(struct run *r, bool goes_on, struct engine_outcome *o,
                    struct qerr *e)
{
    int rc = sources_begin(r->sources, goes_on, r->meters, e);
    if (rc < 0)
        return rc;
    bool serial = strcmp(job_word(r->job, "engine"), "serial") == 0;
    if (!serial && r->names)
        rc = open_dispatch(r, e);
    if (rc == 0)
        rc = serial ? run_serial(r, o, e) : run_parallel(r, o, e);
    if (!o->abandoned) { /* else the committer may still wait for it */
        if (r->commit.shards)
            shards_set_others(r->commit.shards, NULL, NULL);
        dispatch_free(r->dispatch);
        r->dispatch = NULL;
    }
    run_count_fetches(r);
    return rc;
}

static int run_all(struct run *r, const struct restart *restart,
                   struct engine_outcome *o, struct qerr *e)
{
    const struct job *job = r->job;
    if (!restart->journal) /* opening a FIFO waits for who reads it */
        signals_let(&r->signals);
    int rc = commit_init(&r->commit, job, r->work.kernel, r->work.state, r->work.sink,
                         restart, e);
    signals_hold(&r->signals);
    if (rc < 0)
        return rc;
    r->earlier = o->earlier = r->commit.tally.records;
    run_publish(r);
    r->first_input = r->commit.input;
    r->first_at = r->commit.at;
    monitor_open(r);
    rc = run_body(r, restart->resumed, o, e);
    monitor_end(r);
    if (!o->abandoned)
        monitor_close(r);
    if (rc == 0)
        rc = judge(r, o, e);
    o->unsettled = r->unsettled;
    if (r->unsettled)
        return rc;
    say_halted(r);
    o->out = r->commit.out;
    commit_digest(&r->commit, o->digest);
    int closed = commit_release(&r->commit, e);
    o->tally = r->commit.tally;
    return rc < 0 ? rc : closed;
}

/* A run that has ended before: its result is its counts. */
static void recall(const struct restart *restart, struct engine_outcome *o)
{
    const struct mark *m = journal_mark(restart->journal);
    o->earlier = m->records;
    o->tally = (struct tally){.records = m->records,
                              .bad = m->bad,
                              .unfinished = m->unfinished,
                              .probable = m->probable};
}

struct starting {
    struct run *run;
    struct engine_outcome *outcome;
};

/* Checking a long output takes its time, and may be interrupted. */
static bool stop_is_asked(void *state)
{
    const struct starting *s = state;
    return run_stop_is_asked(s->run, s->outcome);
}

static int open_restart(struct run *r, struct restart *restart,
                        struct engine_outcome *o, struct qerr *e)
{
    struct starting s = {r, o};
    struct interrupt interrupt = {stop_is_asked, &s};
    int rc = restart_open(restart, r->job, &interrupt, e);
    o->resumable = rc == -Q_ESTOP || (rc == 0 && restart->journal);
    if (rc != -Q_ESTOP)
        return rc;
    *e = (struct qerr)QERR_INIT;
    return judge(r, o, e);
}

/* What is wrong with the output's options is said before there is a journal. */
static int check_sink(const struct run *r, const struct kernel_state *state,
                      struct qerr *e)
{
    const struct sink_target target = {.path = job_word(r->job, "output"),
                                       .schema = state->schema,
                                       .timed =
                                           job_flag(r->job, "timing") && !state->folds,
                                       .job = r->job};
    return sink_check(r->work.sink, &target, e);
}

/* Before the journal, too, and before the output is touched. */
static int open_sources(struct run *r, struct qerr *e)
{
    bool files = sources_have_files(r->job);
    if (files) /* opening a FIFO waits for who reads it */
        signals_let(&r->signals);
    int rc = sources_open(&r->sources, r->job,
                          r->work.kernel->accepts == ACCEPT_DOCUMENTS, e);
    if (files)
        signals_hold(&r->signals);
    return rc;
}

/* An error of theirs is not hidden by one of the run. */
static int close_sources(struct run *r, int rc, struct qerr *e)
{
    struct qerr late = QERR_INIT;
    int closed = sources_close(r->sources, &late);
    if (closed == 0)
        return rc;
    if (rc < 0) {
        qlog_error("%s", late.text);
        return rc;
    }
    *e = late;
    return closed;
}

static int restart_and_run(struct run *r, struct engine_outcome *o, struct qerr *e)
{
    struct restart restart;
    int rc = open_restart(r, &restart, o, e);
    if (rc == 0 && restart.complete)
        recall(&restart, o);
    if (rc == 0 && !restart.complete)
        rc = run_all(r, &restart, o, e);
    if (!o->abandoned)
        restart_close(&restart);
    return rc;
}

static int open_and_run(struct run *r, const struct kernel *kernel,
                        struct engine_outcome *o, struct qerr *e)
{
    int rc = work_open(&r->work, r->job, kernel, &r->columns, e);
    if (rc < 0)
        return rc;
    rc = check_sink(r, r->work.state, e);
    if (rc == 0)
        rc = open_sources(r, e);
    if (rc == 0) {
        rc = restart_and_run(r, o, e);
        if (!o->abandoned)
            rc = close_sources(r, rc, e);
    }
    if (!o->abandoned)
        work_close(&r->work);
    return rc;
}

int engine_run(const struct job *job, const struct kernel *kernel, unsigned threads,
               const char *const *names, struct engine_outcome *outcome, struct qerr *e)
{
    *outcome = (struct engine_outcome){.seconds = 0};
    int rc = check_inputs(job, e);
    if (rc < 0)
        return rc;

    /* On the heap: threads that are left behind may still look at it. */
    struct run *r = calloc(1, sizeof *r);
    if (!r)
        return qerr_nomem(e);
    r->job = job;
    r->threads = threads;
    r->names = names;
    r->start_ns = qclock_ns();
    const struct qenv process = QENV_PROCESS;
    slurm_begin(&r->slurm, job_given(job, "time-limit") ? NULL : &process, r->start_ns);
    r->meters = outcome->meters = calloc(1, sizeof *r->meters);
    if (!r->meters) {
        free(r);
        return qerr_nomem(e);
    }
    meters_init(r->meters, r->start_ns,
                job_given(job, "trace") ? meters_events(threads) : 0);
    r->meters->start_cpu_ns = stats_cpu_ns();
    r->fixed_claim = job_count(job, "chunk");
    team_init(&r->team);
    rc = work_init(&r->work, threads, e);
    if (rc == 0)
        rc = signals_open(&r->signals, e);
    if (rc == 0) {
        rc = open_and_run(r, kernel, outcome, e);
        /* Threads that are left behind may yet say that they are done. */
        if (!outcome->abandoned)
            signals_end(&r->signals);
    }
    outcome->seconds = (double)(qclock_ns() - r->start_ns) * 1e-9;
    if (!outcome->abandoned) {
        work_release(&r->work);
        team_release(&r->team);
        free(r);
    }
    return rc;
}

void engine_outcome_release(struct engine_outcome *outcome)
{
    for (size_t i = 0; i < outcome->nothers; i++)
        stats_release(&outcome->others[i]);
    free(outcome->others);
    outcome->others = NULL;
    outcome->nothers = 0;
    if (!outcome->meters || outcome->abandoned)
        return;
    meters_release(outcome->meters);
    free(outcome->meters);
    outcome->meters = NULL;
}
