/*
 * Everybody but rank 0 says HELLO and waits for a JOB or for BYE. Rank 0 may end
 * without having asked who is there (--help, a wrong option): then it just says BYE.
 *
 * At the end rank 0 takes in, and drops, whatever is still on its way until it has had
 * FIN of every rank: MPI wants all messages received before it is finalized. A FIN that
 * comes before is that of a rank that has failed and could not say why; whoever waits
 * for messages of that rank then ends the run.
 */
#include "engine/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "base/qself.h"
#include "engine/wire.h"

enum { HOST_BYTES = 256, NAP_NS = 1000000, GATHER_S = 60, FAREWELL_S = 5 };

struct peer {
    char host[HOST_BYTES];
    char build[QSELF_BUILD];
    struct qbuf cpus; /* "0-3" */
    unsigned ncpus, online;
    bool here;
};

static int told_status; /* by BYE */
static bool *gone;      /* rank 0: of each rank, once one has left too early; or NULL */

void world_take_fin(unsigned rank)
{
    if (!gone) /* without memory it is waited for at the end */
        gone = calloc(comm_size(), sizeof *gone);
    if (gone)
        gone[rank] = true;
}

bool world_has_left(unsigned rank)
{
    return gone && gone[rank];
}

void world_take_bye(const struct comm_message *m)
{
    struct qwire w;
    qwire_init(&w, &m->body);
    told_status = (int)qwire_get(&w);
}

static void nap(void)
{
    struct timespec t = {0, NAP_NS};
    nanosleep(&t, NULL);
}

static uint64_t in_seconds(uint64_t s)
{
    return qclock_ns() + s * 1000000000u;
}

/* --- who is there --- */

static int look_at_self(struct peer *p, struct qerr *e)
{
    struct cpus cpus;
    cpus_of_process(&cpus);
    p->ncpus = cpus_count(&cpus);
    p->online = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    cpus_print(&cpus, &p->cpus);
    if (gethostname(p->host, sizeof p->host - 1) != 0)
        p->host[0] = '?';
    p->here = true;
    int rc = qself_build(p->build, e);
    return rc < 0 ? rc : qbuf_check(&p->cpus, e);
}

static void put_hello(struct qbuf *b, struct peer *p)
{
    qwire_put_text(b, p->build);
    qwire_put_text(b, p->host);
    qwire_put_text(b, qbuf_cstr(&p->cpus));
    qwire_put(b, p->ncpus);
    qwire_put(b, p->online);
}

static void take_hello(struct peer *p, const struct qbuf *body)
{
    struct qwire w;
    qwire_init(&w, body);
    strncpy(p->build, qwire_get_text(&w), sizeof p->build - 1);
    strncpy(p->host, qwire_get_text(&w), sizeof p->host - 1);
    qbuf_puts(&p->cpus, qwire_get_text(&w));
    p->ncpus = (unsigned)qwire_get(&w);
    p->online = (unsigned)qwire_get(&w);
    p->here = !w.bad;
}

static int has_left(unsigned rank, struct qerr *e)
{
    world_take_fin(rank);
    return qerr_set(e, Q_EIO, "rank %u has left before the work began", rank);
}

static int wait_for_hellos(struct world *w, struct qerr *e)
{
    uint64_t until = in_seconds(GATHER_S);
    unsigned missing = w->size - 1;
    while (missing > 0) {
        struct comm_message m;
        int rc = comm_receive(&m, e);
        if (rc < 0)
            return rc;
        if (rc == 0 && qclock_ns() > until)
            return qerr_set(e, Q_EUSAGE, "%u of %u ranks have not come", missing,
                            w->size);
        if (rc == 0) {
            nap();
            continue;
        }
        if (m.tag == WIRE_HELLO) {
            take_hello(&w->peers[m.from], &m.body);
            missing--;
        }
        qbuf_release(&m.body);
        if (m.tag == WIRE_FIN)
            return has_left(m.from, e);
    }
    return 0;
}

static int make_names(struct world *w, struct qerr *e)
{
    for (unsigned i = 0; i < w->size; i++) {
        struct qbuf name = QBUF_INIT;
        qbuf_printf(&name, "rank %u on %s", i, w->peers[i].host);
        qbuf_putc(&name, '\0');
        if (name.failed) {
            qbuf_release(&name);
            return qerr_nomem(e);
        }
        w->names[i] = name.data;
    }
    return 0;
}

static int check_builds(const struct world *w, struct qerr *e)
{
    for (unsigned i = 1; i < w->size; i++)
        if (strcmp(w->peers[i].build, w->peers[0].build) != 0)
            return qerr_set(e, Q_EUSAGE,
                            "%.80s runs another build of quern than rank 0: all ranks "
                            "must be the same program",
                            w->names[i]);
    return 0;
}

static unsigned ranks_on(const struct world *w, const char *host)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->size; i++)
        n += strcmp(w->peers[i].host, host) == 0;
    return n;
}

/* mpirun binds each of few ranks to one core, and then their threads have nowhere to
 * go. Said once for each host. */
static void check_binding(const struct world *w)
{
    for (unsigned i = 0; i < w->size; i++) {
        const struct peer *p = &w->peers[i];
        bool first = true;
        for (unsigned k = 0; k < i && first; k++)
            first = strcmp(w->peers[k].host, p->host) != 0;
        unsigned n = ranks_on(w, p->host);
        if (first && p->ncpus == 1 && p->online > n)
            qlog_warn(
                "%u rank%s on %s %s bound to one CPU each, of %u: 'mpirun --bind-to "
                "none' or '--map-by slot:PE=N' gives them more",
                n, n == 1 ? "" : "s", p->host, n == 1 ? "is" : "are", p->online);
    }
}

/* The ranks on the host of rank i that run on the same CPUs as it. */
static unsigned ranks_beside(const struct world *w, unsigned i, bool *first)
{
    const struct peer *own = &w->peers[i];
    unsigned n = 0;
    *first = true;
    for (unsigned k = 0; k < w->size; k++) {
        const struct peer *p = &w->peers[k];
        if (strcmp(p->host, own->host) != 0 || p->cpus.len != own->cpus.len ||
            memcmp(p->cpus.data, own->cpus.data, own->cpus.len) != 0)
            continue;
        *first = *first && k >= i;
        n++;
    }
    return n;
}

void world_warn_crowded(const struct world *w, unsigned threads)
{
    bool first;
    for (unsigned i = 0; w->peers && i < w->size; i++) {
        const struct peer *p = &w->peers[i];
        uint64_t all = (uint64_t)ranks_beside(w, i, &first) * (threads ? threads : 1);
        if (first && all > p->ncpus)
            qlog_warn("%" PRIu64 " threads take turns on %u CPU%s of %s", all, p->ncpus,
                      p->ncpus == 1 ? "" : "s", p->host);
    }
}

int world_gather(struct world *w, struct qerr *e)
{
    *w = (struct world){.size = comm_size()};
    if (w->size == 1 && !comm_library())
        return 0;
    w->peers = calloc(w->size, sizeof *w->peers);
    w->names = calloc(w->size, sizeof *w->names);
    if (!w->peers || !w->names)
        return qerr_nomem(e);
    int rc = look_at_self(&w->peers[0], e);
    if (rc == 0)
        rc = wait_for_hellos(w, e);
    if (rc == 0)
        rc = make_names(w, e);
    if (rc == 0)
        rc = check_builds(w, e);
    if (rc == 0)
        check_binding(w);
    return rc;
}

void world_release(struct world *w)
{
    for (unsigned i = 0; w->peers && i < w->size; i++)
        qbuf_release(&w->peers[i].cpus);
    for (unsigned i = 0; w->names && i < w->size; i++)
        free((void *)(uintptr_t)w->names[i]);
    free(w->peers);
    free(w->names);
    *w = (struct world){.size = 1};
}

struct placement_peers world_peers(const struct world *w, unsigned rank)
{
    struct placement_peers n = {0, 0};
    if (!w->peers)
        return (struct placement_peers){1, 1};
    bool first;
    n.host_ranks = ranks_on(w, w->peers[rank].host);
    n.mask_ranks = ranks_beside(w, rank, &first);
    return n;
}

/* --- the job --- */

int world_tell(const struct world *w, const struct job *job, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    if (job)
        job_pack(job, &text);
    int rc = qbuf_check(&text, e);
    for (unsigned i = 1; i < w->size && rc == 0; i++) {
        struct qbuf body = QBUF_INIT;
        struct placement_peers peers = world_peers(w, i);
        qwire_put(&body, peers.mask_ranks);
        qwire_put(&body, peers.host_ranks);
        qwire_put(&body, qlog_level());
        qwire_put_text(&body, job ? job->command : "");
        qbuf_add(&body, text.data, text.len);
        rc = comm_send(i, WIRE_JOB, &body, e);
    }
    qbuf_release(&text);
    return rc;
}

int world_wait(struct world_order *o, struct qerr *e)
{
    struct peer self = {.here = false};
    struct qbuf hello = QBUF_INIT;
    *o = (struct world_order){.level = 0};
    int rc = look_at_self(&self, e);
    if (rc == 0) {
        put_hello(&hello, &self);
        rc = comm_send(0, WIRE_HELLO, &hello, e);
    }
    qbuf_release(&self.cpus);
    while (rc == 0) {
        rc = comm_receive(&o->message, e);
        if (rc == 0)
            nap();
    }
    if (rc < 0)
        return rc;
    if (o->message.tag != WIRE_JOB) {
        world_take_bye(&o->message);
        qbuf_release(&o->message.body);
        return 0;
    }
    qwire_init(&o->rest, &o->message.body);
    o->peers.mask_ranks = (unsigned)qwire_get(&o->rest);
    o->peers.host_ranks = (unsigned)qwire_get(&o->rest);
    o->level = (unsigned)qwire_get(&o->rest);
    o->command = qwire_get_text(&o->rest);
    return 1;
}

void world_order_release(struct world_order *o)
{
    qbuf_release(&o->message.body);
}

/* --- placement --- */

void world_put_placement(const struct placement *p, struct qbuf *out)
{
    struct cpus cpus;
    cpus_of_process(&cpus);
    qbuf_puts(out, "CPUs ");
    cpus_print(&cpus, out);
    qbuf_printf(out, ", %u thread%s (", p->threads, p->threads == 1 ? "" : "s");
    placement_explain(p, out);
    qbuf_putc(out, ')');
}

int world_ready(const struct placement *p, const struct qerr *why, struct qerr *e)
{
    struct qbuf text = QBUF_INIT, body = QBUF_INIT;
    if (p)
        world_put_placement(p, &text);
    qwire_put(&body, p ? p->threads : 0);
    qwire_put_error(&body, why);
    qwire_put_text(&body, qbuf_cstr(&text));
    int rc = qbuf_check(&text, e);
    qbuf_release(&text);
    if (rc == 0)
        rc = comm_send(0, WIRE_READY, &body, e);
    qbuf_release(&body);
    return rc;
}

int world_wait_for_bye(struct qerr *e)
{
    int rc = 0;
    for (bool over = false; rc == 0 && !over;) {
        struct comm_message m;
        rc = comm_receive(&m, e);
        if (rc == 0)
            nap();
        if (rc <= 0)
            continue;
        over = m.tag == WIRE_BYE;
        if (over)
            world_take_bye(&m);
        qbuf_release(&m.body);
        rc = 0;
    }
    return rc;
}

int world_describe(const struct world *w, const struct placement *own, struct qbuf *out,
                   struct qerr *e)
{
    struct qbuf *lines = calloc(w->size, sizeof *lines);
    if (!lines)
        return qerr_nomem(e);
    uint64_t until = in_seconds(GATHER_S);
    int rc = 0;
    world_put_placement(own, &lines[0]);
    for (unsigned missing = w->size - 1; missing > 0 && rc == 0;) {
        struct comm_message m;
        struct qwire from;
        struct qerr why;
        rc = comm_receive(&m, e);
        if (rc == 0 && qclock_ns() > until)
            rc =
                qerr_set(e, Q_EUSAGE, "%u of %u ranks do not answer", missing, w->size);
        else if (rc == 0)
            nap();
        if (rc <= 0)
            continue;
        if (m.tag == WIRE_FIN) {
            qbuf_release(&m.body);
            rc = has_left(m.from, e);
            continue;
        }
        qwire_init(&from, &m.body);
        (void)qwire_get(&from);
        qwire_get_error(&from, &why);
        qbuf_puts(&lines[m.from], qwire_get_text(&from));
        qbuf_release(&m.body);
        missing--;
        rc = 0;
    }
    for (unsigned i = 0; i < w->size; i++) {
        if (rc == 0)
            qbuf_printf(out, "%s: %s\n", w->names[i], qbuf_cstr(&lines[i]));
        qbuf_release(&lines[i]);
    }
    free(lines);
    return rc;
}

/* --- the end --- */

static void wait_until_quiet(uint64_t until)
{
    while (!comm_is_quiet() && qclock_ns() < until)
        nap();
}

/* Rank 0: BYE to all, and FIN from all. */
static void dismiss(int status)
{
    uint64_t until = in_seconds(FAREWELL_S);
    unsigned missing = 0;
    struct qerr ignored = QERR_INIT;
    for (unsigned i = 1; i < comm_size(); i++) {
        struct qbuf body = QBUF_INIT;
        if (world_has_left(i))
            continue;
        qwire_put(&body, (uint64_t)status);
        missing += comm_send(i, WIRE_BYE, &body, &ignored) == 0;
    }
    while (missing > 0 && qclock_ns() < until) {
        struct comm_message m;
        int rc = comm_receive(&m, &ignored);
        if (rc < 0)
            break;
        if (rc == 0) {
            nap();
            continue;
        }
        missing -= m.tag == WIRE_FIN;
        qbuf_release(&m.body);
    }
    wait_until_quiet(until);
}

/* The others: what comes late is dropped, then FIN. */
static void say_fin(void)
{
    struct qbuf nothing = QBUF_INIT;
    struct qerr ignored = QERR_INIT;
    uint64_t until = in_seconds(FAREWELL_S);
    wait_until_quiet(until);
    (void)comm_send(0, WIRE_FIN, &nothing, &ignored);
    wait_until_quiet(until);
}

void world_close(int *status)
{
    if (comm_size() > 1 && comm_rank() == 0) {
        dismiss(*status);
    } else if (comm_size() > 1) {
        say_fin();
        *status = told_status;
    }
    comm_close();
    free(gone);
    gone = NULL;
}
