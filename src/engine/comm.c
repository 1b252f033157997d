/*
 * Sends keep their bytes in a list until MPI is through with them. Of receives there is
 * one under way for each sender at most, because a message must not overtake the one
 * before it; comm_receive starts those it can see and hands on the first that is
 * complete.
 */
#include "engine/comm.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/qself.h"
#include "engine/launcher.h"

static const struct {
    const char *file, *name;
    bool pmi; /* for a launcher that speaks PMI-1 or PMI-2 */
} modules[] = {
    {"quern-mpi-openmpi.so", "Open MPI", false},
    {"quern-mpi-mpich.so", "MPICH", true},
};
enum { MODULES = sizeof modules / sizeof modules[0] };

struct sending {
    struct qbuf body;
    struct comm_transfer *transfer;
    struct sending *next;
};

struct receiving {
    struct comm_message message;
    struct comm_transfer *transfer;
    struct receiving *next;
};

static struct {
    const struct comm_ops *ops;
    bool open;
    unsigned rank, size;
    struct sending *sends, **sends_end;
    struct receiving *receives, **receives_end;
    bool *busy; /* of each rank: a message of it is being received */
} comm;

unsigned comm_rank(void)
{
    return comm.rank;
}

unsigned comm_size(void)
{
    return comm.open ? comm.size : 1;
}

const char *comm_library(void)
{
    return comm.ops ? comm.ops->library() : NULL;
}

static int failed(int error, const char *what, struct qerr *e)
{
    char text[COMM_SAID] = "";
    comm.ops->say(error, text);
    return qerr_set(e, Q_EIO, "MPI cannot %s: %.150s", what, text);
}

/* --- modules --- */

static const struct comm_ops *load(const char *file, char *why, size_t size)
{
    char path[QSELF_PATH];
    if (!qself_find(file, path))
        return NULL;
    /* Open MPI's own plug-ins look for its symbols among the global ones. */
    void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    const struct comm_ops *ops = module ? dlsym(module, "quern_comm_ops") : NULL;
    if (ops && ops->version == COMM_OPS_VERSION)
        return ops;
    const char *said = module ? "it is of another version" : dlerror();
    strncpy(why, said ? said : "", size - 1);
    return NULL;
}

const char *comm_module(void)
{
    char path[QSELF_PATH];
    for (int i = 0; i < MODULES; i++)
        if (qself_find(modules[i].file, path))
            return modules[i].name;
    return NULL;
}

void comm_list(struct qbuf *out)
{
    char path[QSELF_PATH];
    size_t before = out->len;
    for (int i = 0; i < MODULES; i++)
        if (qself_find(modules[i].file, path))
            qbuf_printf(out, "%s%s", out->len > before ? ", " : "", modules[i].name);
    if (out->len == before)
        qbuf_puts(out, "no");
}

/* The module that is meant for the launcher, or else another one. */
static int choose(const struct launcher *l, enum comm_wish wish, struct qerr *e)
{
    char why[160] = "";
    for (int turn = 0; turn < 2 && !comm.ops; turn++)
        for (int i = 0; i < MODULES && !comm.ops; i++)
            if ((modules[i].pmi == l->pmi) == (turn == 0))
                comm.ops = load(modules[i].file, why, sizeof why);
    if (comm.ops || (wish == COMM_AUTO && why[0] == '\0'))
        return 0; /* without any module, launcher_check has the right words */
    if (why[0])
        return qerr_set(e, Q_EIO, "MPI cannot be loaded: %s", why);
    return qerr_set(e, Q_EUSAGE, "--mpi=yes, but this build has no MPI");
}

/* MPI has threads of its own, which take over the mask: a signal must find none that
 * would die of it. They stay blocked; signals.h reads them. */
static void block_signals(void)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        sigaddset(&set, taken[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int start(struct qerr *e)
{
    block_signals();
    comm.sends_end = &comm.sends;
    comm.receives_end = &comm.receives;
    int rc = comm.ops->init(&comm.rank, &comm.size);
    comm.open = rc == 0;
    if (rc != 0)
        return failed(rc, "start", e);
    comm.busy = calloc(comm.size, sizeof *comm.busy);
    return comm.busy ? 0 : qerr_nomem(e);
}

int comm_open(enum comm_wish wish, struct qerr *e)
{
    struct launcher l;
    struct qenv env = QENV_PROCESS;
    launcher_find(&l, &env);
    if (wish == COMM_NO || (wish == COMM_AUTO && !l.mpi))
        return 0;
    int rc = choose(&l, wish, e);
    return rc < 0 || !comm.ops ? rc : start(e);
}

int comm_open_with(const struct comm_ops *ops, struct qerr *e)
{
    comm.ops = ops;
    return start(e);
}

void comm_close(void)
{
    if (comm.open)
        comm.ops->finalize();
    comm.open = false;
    free(comm.busy);
    comm.busy = NULL;
}

/* --- messages --- */

/* Frees what has left. */
static int settle_sends(struct qerr *e)
{
    struct sending **at = &comm.sends;
    while (*at) {
        struct sending *s = *at;
        bool over = false;
        int rc = comm.ops->test(s->transfer, &over);
        if (rc != 0)
            return failed(rc, "send", e);
        if (!over) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        qbuf_release(&s->body);
        free(s);
    }
    comm.sends_end = at;
    return 0;
}

int comm_send(unsigned to, int tag, struct qbuf *body, struct qerr *e)
{
    int rc = qbuf_check(body, e);
    if (rc == 0 && body->len > COMM_MOST)
        rc = qerr_set(e, Q_ENOMEM, "a message of %zu bytes is too long", body->len);
    struct sending *s = rc == 0 ? malloc(sizeof *s) : NULL;
    if (!s) {
        qbuf_release(body);
        return rc < 0 ? rc : qerr_nomem(e);
    }
    *s = (struct sending){.body = *body};
    qbuf_init(body);
    rc = comm.ops->send(s->body.data, s->body.len, to, tag, &s->transfer);
    if (rc != 0) {
        qbuf_release(&s->body);
        free(s);
        return failed(rc, "send", e);
    }
    *comm.sends_end = s;
    comm.sends_end = &s->next;
    return settle_sends(e);
}

bool comm_is_quiet(void)
{
    struct qerr ignored = QERR_INIT;
    return !comm.open || settle_sends(&ignored) < 0 || !comm.sends;
}

/* Begins to receive a message that has been seen. */
static int begin_receiving(unsigned from, int tag, size_t n, struct qerr *e)
{
    struct receiving *r = calloc(1, sizeof *r);
    if (!r)
        return qerr_nomem(e);
    r->message = (struct comm_message){.from = from, .tag = tag, .body = QBUF_INIT};
    char *to = qbuf_reserve(&r->message.body, n > 0 ? n : 1);
    if (!to) {
        free(r);
        return qerr_nomem(e);
    }
    r->message.body.len = n;
    int rc = comm.ops->receive(to, n, from, tag, &r->transfer);
    if (rc != 0) {
        qbuf_release(&r->message.body);
        free(r);
        return failed(rc, "receive", e);
    }
    *comm.receives_end = r;
    comm.receives_end = &r->next;
    comm.busy[from] = true;
    return 0;
}

/* The first message that has come whole: 1, or 0. */
static int take_whole(struct comm_message *m, struct qerr *e)
{
    for (struct receiving **at = &comm.receives; *at; at = &(*at)->next) {
        struct receiving *r = *at;
        bool over = false;
        int rc = comm.ops->test(r->transfer, &over);
        if (rc != 0)
            return failed(rc, "receive", e);
        if (!over)
            continue;
        *m = r->message;
        comm.busy[m->from] = false;
        *at = r->next;
        if (!*at)
            comm.receives_end = at;
        free(r);
        return 1;
    }
    return 0;
}

/* Begins to receive the first message that can be seen: 1, or 0 when there is none. */
static int begin_next(struct qerr *e)
{
    bool there = false;
    unsigned from = 0;
    int tag = 0;
    size_t n = 0;
    int rc = comm.ops->probe(&there, &from, &tag, &n);
    if (rc != 0)
        return failed(rc, "look for messages", e);
    if (!there || comm.busy[from])
        return 0;
    rc = begin_receiving(from, tag, n, e);
    return rc < 0 ? rc : 1;
}

/* One that is not whole at once must not hide the others: who is called once in a
 * millisecond would take one in that time. */
int comm_receive(struct comm_message *m, struct qerr *e)
{
    if (!comm.open || comm.size == 1)
        return 0;
    int rc = settle_sends(e);
    if (rc == 0)
        rc = take_whole(m, e);
    while (rc == 0) {
        rc = begin_next(e);
        if (rc <= 0)
            return rc;
        rc = take_whole(m, e);
    }
    return rc;
}
