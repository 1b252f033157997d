/*
 * What main does while a run lasts: it waits for the end, for signals, and for the two
 * limits, and it says how far the run is when asked. In a Slurm job the time limit is
 * the job's, if no other was given.
 *
 * A stop gives the committer STOP_NS to settle what is finished; the others then get
 * LEAVE_MS. Who still sits in a call that cannot be interrupted is left behind, and the
 * process must end without waiting for it.
 */
#include <limits.h>
#include <time.h>

#include "base/qclock.h"
#include "engine/run.h"

enum {
    ITEM_POLL_MS = 5,     /* how often main looks at --time-per-item */
    STOP_NS = 700000000,  /* for the committer, on a stop */
    AGAIN_NS = 500000000, /* a second signal sooner than that is the first one again */
    LEAVE_MS = 200        /* for the others to leave */
};

static struct timespec in_ms(long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Milliseconds until `until_ns`, rounded up; -1 for never. */
static int ms_until(uint64_t until_ns)
{
    uint64_t now = qclock_ns();
    if (until_ns == UINT64_MAX)
        return -1;
    if (until_ns <= now)
        return 0;
    uint64_t ms = (until_ns - now + 999999) / 1000000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Of two such times. */
static int sooner(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* When --time-limit, or the Slurm job's limit, ends the run. */
static uint64_t limit_of(const struct run *r)
{
    if (!job_given(r->job, "time-limit"))
        return r->slurm.until_ns;
    uint64_t limit = job_count(r->job, "time-limit");
    return limit > 0 && limit < UINT64_MAX - r->start_ns ? r->start_ns + limit
                                                         : UINT64_MAX;
}

/* A turn with the other ranks: the signal that one of them was sent, or `event`. An
 * error of theirs ends the run, and is told as SIGNALS_FAR. */
enum { SIGNALS_FAR = -2 };
static int serve_ranks(struct run *r, int event, bool stopping)
{
    int signal = 0;
    if (dispatch_turn(r->dispatch, r->ring, qclock_ns(), &signal, &r->far_err) < 0)
        return stopping ? event : SIGNALS_FAR;
    bool theirs = event == SIGNALS_NOTHING || event == SIGUSR2; /* a stop is not lost */
    return !stopping && theirs && signal > 0 ? signal : event;
}

/* Waits for the end of the run, and on the way serves signals and limits. False when it
 * had to be stopped and the committer did not come to its end in time. */
static bool supervise(struct run *r, struct engine_outcome *o)
{
    uint64_t until = limit_of(r);
    bool stopping = false;
    for (;;) {
        int ms = ms_until(until < r->slurm.next_ns ? until : r->slurm.next_ns);
        if (r->work.item_ns > 0 && (ms < 0 || ms > ITEM_POLL_MS))
            ms = ITEM_POLL_MS;
        ms = sooner(ms, ms_until(monitor_due(r)));
        /* On a stop only shards are still made durable. */
        bool serving = r->dispatch && (!stopping || r->commit.shards);
        if (serving)
            ms = sooner(ms, dispatch_pause(r->dispatch));
        int event = signals_wait(&r->signals, ms);
        if (serving && event != SIGNALS_DONE)
            event = serve_ranks(r, event, stopping);
        if (r->work.item_ns > 0 && !stopping)
            work_break_off(&r->work);
        if (event == SIGNALS_DONE)
            return true;
        slurm_poll(&r->slurm, qclock_ns());
        if (!stopping)
            until = limit_of(r);
        monitor_show(r);
        if (event == SIGUSR2) {
            monitor_tell(r);
            continue;
        }
        if (event == SIGNALS_NOTHING && qclock_ns() < until)
            continue;
        /* A launcher may tell both the process and its group. */
        if (stopping && event > 0 && qclock_ns() < until - (STOP_NS - AGAIN_NS))
            continue;
        if (stopping) /* out of patience, or asked again */
            return false;
        stopping = true;
        o->timed_out = event == SIGNALS_NOTHING;
        o->signal = event > 0 ? event : 0;
        until = qclock_ns() + STOP_NS;
        run_stop(r);
    }
}

void run_supervise(struct run *r, const pthread_t *committer, const pthread_t *team,
                   const pthread_t *reader, struct engine_outcome *o)
{
    bool ended = supervise(r, o);
    slurm_release(&r->slurm);
    if (!ended) {
        o->abandoned = true;
        r->unsettled = true;
        monitor_end(r);
        return;
    }
    struct timespec until = in_ms(LEAVE_MS);
    pthread_join(*committer, NULL);
    if (team && pthread_timedjoin_np(*team, NULL, &until) != 0)
        o->abandoned = true;
    team_settle(&r->team);
    if (reader && pthread_timedjoin_np(*reader, NULL, &until) != 0)
        o->abandoned = true;
}

bool run_stop_is_asked(struct run *r, struct engine_outcome *o)
{
    int event = signals_wait(&r->signals, 0);
    if (event == SIGUSR2)
        monitor_tell(r);
    else if (event > 0)
        o->signal = event;
    else if (qclock_ns() >= limit_of(r))
        o->timed_out = true;
    return o->signal != 0 || o->timed_out;
}
