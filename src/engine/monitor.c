#include "engine/monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "engine/comm.h"
#include "engine/run.h"
#include "engine/stats.h"
#include "source/extent.h"

enum {
    LINE_NS = 100000000,  /* ten times a second */
    FIRST_NS = 300000000, /* what is done by then needs no line */
    COLUMNS_UNKNOWN = 80,
    COLUMNS_MOST = 200 /* more is not easier to read */
};

/* --- how --- */

enum monitor_mode monitor_mode(const struct monitor_place *p)
{
    bool always = strcmp(p->when, "always") == 0;
    if (strcmp(p->when, "never") == 0 || (p->quiet && !always))
        return MONITOR_OFF;
    if (!p->terminal)
        return MONITOR_LOG;
    if (!p->mixed)
        return MONITOR_LINE;
    return always ? MONITOR_LOG : MONITOR_OFF;
}

static bool is_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

enum monitor_mode monitor_mode_here(const char *when, bool quiet, bool to_stdout)
{
    struct monitor_place place = {.when = when,
                                  .quiet = quiet,
                                  .terminal = is_terminal(),
                                  .mixed = to_stdout && isatty(STDOUT_FILENO)};
    return monitor_mode(&place);
}

unsigned monitor_look(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *no_color = getenv("NO_COLOR"), *locale = NULL;
    unsigned look = no_color && *no_color ? 0 : PROGRESS_COLOUR;
    for (unsigned i = 0; i < 3 && !(locale && *locale); i++)
        locale = getenv(variables[i]);
    if (locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8")))
        look |= PROGRESS_UTF8;
    return look;
}

/* Documents are counted, not weighed: files, as CHUNK_OF_INPUTS has them. */
static void measure_documents(struct run *r)
{
    struct monitor *m = &r->monitor;
    m->total = r->job->ninputs;
    m->eta.known = true;
    for (unsigned i = 0; i < r->job->ninputs; i++)
        m->eta.known = m->eta.known && r->job->inputs[i].kind == INPUT_FILE;
    m->eta.total[CHUNK_OF_INPUTS] =
        (double)r->job->ninputs - r->first_input - (double)r->first_at.offset;
}

/* How much there is to do, less what earlier runs did. */
static void measure(struct run *r)
{
    struct monitor *m = &r->monitor;
    bool counted = true;
    if (r->work.kernel->accepts == ACCEPT_DOCUMENTS) {
        measure_documents(r);
        return;
    }
    m->eta.known = true;
    for (unsigned i = 0; i < r->job->ninputs; i++) {
        struct extent x;
        if (!extent_of(&r->job->inputs[i], &x)) {
            m->eta.known = counted = false;
            break;
        }
        counted = counted && x.records > 0 && m->total + x.records > m->total;
        m->total += x.records;
        if (i == r->first_input)
            x.units -= (double)r->first_at.offset;
        if (i >= r->first_input && x.units > 0)
            m->eta.total[x.kind] += x.units;
    }
    if (!counted)
        m->total = 0;
}

uint64_t monitor_every_ns(enum monitor_mode mode, uint64_t heartbeat_ns)
{
    if (mode == MONITOR_LINE || (heartbeat_ns > 0 && heartbeat_ns < LINE_NS))
        return LINE_NS;
    return heartbeat_ns;
}

void monitor_open(struct run *r)
{
    struct monitor *m = &r->monitor;
    bool to_stdout = !job_word(r->job, "output") && !r->work.state->folds;
    pthread_mutex_init(&m->lock, NULL);
    m->mode = MONITOR_OFF;
    if (comm_rank() == 0)
        m->mode = monitor_mode_here(job_word(r->job, "progress"),
                                    job_flag(r->job, "quiet"), to_stdout);
    m->every_ns = monitor_every_ns(m->mode, job_count(r->job, "heartbeat"));
    if (m->every_ns == 0)
        m->mode = MONITOR_OFF;
    if (m->mode == MONITOR_OFF)
        return;
    m->look = monitor_look();
    m->due_ns = r->start_ns + (m->mode == MONITOR_LINE ? FIRST_NS : m->every_ns);
    measure(r);
}

/* --- what --- */

static struct progress_seen seen_now(const struct run *r)
{
    const struct meter_work *work = &r->meters->work;
    struct progress_seen seen = {.seconds = (double)(qclock_ns() - r->start_ns) * 1e-9,
                                 .records = hist_read(&r->said.records) +
                                            hist_read(&r->said.bad) - r->earlier};
    for (unsigned k = 0; k < METER_KINDS; k++) {
        seen.answered[k] = hist_read(&work->answered[k]);
        seen.busy_ns[k] = hist_read(&work->busy_ns[k]);
    }
    return seen;
}

static struct progress look_now(struct run *r)
{
    struct monitor *m = &r->monitor;
    const struct meter_fetch *fetch = &r->meters->fetch;
    struct progress_seen seen = seen_now(r);
    uint64_t oldest = meters_oldest(r->meters, METER_WORKER);
    double longest = oldest > 0 ? (double)(qclock_ns() - oldest) * 1e-9 : 0;
    run_count_fetches(r);
    progress_remember(&m->eta, &seen);
    struct progress p = {.seconds = seen.seconds,
                         .records = hist_read(&r->said.records),
                         .bad = hist_read(&r->said.bad),
                         .total = m->total,
                         .share = progress_share(&m->eta, &seen),
                         .rate = progress_rate(&m->eta, &seen),
                         .low = -1,
                         .high = -1,
                         .todo = hist_read(&fetch->todo),
                         .fetched = hist_read(&fetch->done),
                         .failed = hist_read(&fetch->failed),
                         .inputs = r->job->ninputs,
                         .inputs_answered = hist_read(&r->said.input)};
    double low, high;
    if (progress_left(&m->eta, &seen, longest, &low, &high)) {
        p.low = low;
        p.high = high;
    }
    return p;
}

/* --- showing it --- */

uint64_t monitor_due(const struct run *r)
{
    return r->monitor.mode == MONITOR_OFF ? UINT64_MAX : r->monitor.due_ns;
}

unsigned monitor_columns(void)
{
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
        return COLUMNS_UNKNOWN;
    return w.ws_col < COLUMNS_MOST ? w.ws_col : COLUMNS_MOST;
}

/* In the background the terminal belongs to someone else. */
bool monitor_in_front(void)
{
    return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static void draw(struct run *r)
{
    struct monitor *m = &r->monitor;
    struct progress p = look_now(r);
    struct qbuf line = QBUF_INIT;
    if (m->mode == MONITOR_LOG) {
        progress_plain(&p, &line);
        qlog_error("%s", qbuf_cstr(&line));
    } else if (monitor_in_front()) {
        /* The last column stays free: some terminals break the line there. */
        progress_line(&p, m->tick++, monitor_columns() - 1, m->look, &line);
        qlog_status(qbuf_cstr(&line));
    }
    qbuf_release(&line);
}

void monitor_show(struct run *r)
{
    struct monitor *m = &r->monitor;
    if (m->mode == MONITOR_OFF || qclock_ns() < m->due_ns)
        return;
    pthread_mutex_lock(&m->lock);
    if (!m->ended)
        draw(r);
    pthread_mutex_unlock(&m->lock);
    /* Beats that were missed are not made up for. */
    uint64_t now = qclock_ns();
    m->due_ns += m->every_ns;
    if (m->due_ns < now)
        m->due_ns = now + m->every_ns;
}

void monitor_tell(struct run *r)
{
    char hex[QHASH_HEX];
    struct progress_summary s = {.records = hist_read(&r->said.records),
                                 .earlier = r->earlier,
                                 .bad = hist_read(&r->said.bad),
                                 .unfinished = hist_read(&r->said.unfinished),
                                 .seconds = (double)(qclock_ns() - r->start_ns) * 1e-9,
                                 .cpu_seconds =
                                     (double)stats_run_cpu_ns(r->meters) * 1e-9,
                                 .peak_bytes = stats_peak_bytes(),
                                 .digest = commit_digest(&r->commit, hex) ? hex : NULL};
    struct qbuf text = QBUF_INIT;
    run_count_fetches(r);
    progress_sum_fetched(&s, &r->meters->fetch);
    progress_sum_up(&s, &text);
    qlog_error("%s", qbuf_cstr(&text));
    qbuf_release(&text);
}

void monitor_end(struct run *r)
{
    struct monitor *m = &r->monitor;
    pthread_mutex_lock(&m->lock);
    if (!m->ended && m->mode == MONITOR_LINE)
        qlog_status(NULL);
    m->ended = true;
    pthread_mutex_unlock(&m->lock);
}

void monitor_close(struct run *r)
{
    pthread_mutex_destroy(&r->monitor.lock);
}
