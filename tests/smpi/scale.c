/*
 * scale: how well the work of a run is spread over many ranks.
 *
 *     scale ITEMS MEAN_MS SIGMA LONGEST_MS [SEED [CLAIM [SLOW_MS]]]
 *
 * The scheduling is the real one: dispatch.c with the ring on rank 0, the messages and
 * worker_run on the others. What is not there is the arithmetic: a record takes the
 * time that is drawn for it, from a log-normal distribution, cut at LONGEST_MS (0: not
 * cut). Built by smpicc, time is simulated time, and the outcome depends on nothing but
 * the arguments; built by mpicc, it is real.
 *
 * A simulated rank has one thread and no more, hence two liberties. The rank's main,
 * which talks to rank 0, and its one worker take turns: main's comes after each record
 * and, within a long one, every TURN_NS. (In the program it comes every millisecond.)
 * And rank 0 computes nothing itself, though it counts as a rank that should.
 *
 * With CLAIM (not 0), every claim is of so many records. With SLOW_MS one record, a
 * tenth of all behind the first, takes that long.
 *
 * Prints ranks, items, all work, the longest item, the time the run took, and the
 * efficiency: work / (ranks x time).
 */
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/options.h"
#include "engine/dispatch.h"
#include "engine/remote.c" /* its parts, without the threads around them */
#include "engine/ring.c"   /* for a look at the head, so that a take need not wait */

extern const struct comm_ops quern_comm_ops;

enum { TURN_NS = 100000000, NS_PER_MS = 1000000 };

/* --- what the records cost --- */

static struct {
    uint64_t items, seed;
    double mean_ms, sigma, longest_ms, slow_ms;
} costs;

/* SplitMix64, as a number in (0, 1). */
static double uniform(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return ((double)(x >> 11) + 0.5) * 0x1p-53;
}

static uint64_t cost_ns(uint64_t item)
{
    uint64_t at = (costs.seed << 40) + 2 * item;
    double normal =
        sqrt(-2 * log(uniform(at))) * cos(2 * 3.14159265358979 * uniform(at + 1));
    double ms =
        costs.mean_ms * exp(costs.sigma * normal - costs.sigma * costs.sigma / 2);
    if (costs.longest_ms > 0 && ms > costs.longest_ms)
        ms = costs.longest_ms;
    if (costs.slow_ms > 0 && item == costs.items / 10)
        ms = costs.slow_ms;
    return (uint64_t)(ms * NS_PER_MS);
}

/* Sleeping is as good as computing where a rank has a processor of its own, and costs
 * the simulation less. */
static void compute(uint64_t ns)
{
    usleep((useconds_t)(ns / 1000));
}

static void nap(int ms)
{
    usleep((useconds_t)ms * 1000);
}

/* --- a kernel that takes its time --- */

static struct remote *self; /* of the rank that computes */

static int sim_open(struct kernel_state **state, const struct job *job, struct qerr *e)
{
    static const struct column columns[] = {{"n", COLUMN_RECORD, NULL}};
    static const struct schema schema = {
        .columns = columns, .ncolumns = 1, .text = rows_put_records};
    (void)job;
    *state = calloc(1, sizeof **state);
    if (!*state)
        return qerr_nomem(e);
    (*state)->schema = &schema;
    return 0;
}

static void sim_close(struct kernel_state *state)
{
    free(state);
}

/* What main does meanwhile: see remote.c, serve. */
static int turn(struct remote *r, struct qerr *e)
{
    int rc = take_messages(r, e);
    return rc == 0 && !r->bye ? send_results(r, e) : rc;
}

static int sim_run(const struct kernel_state *state, struct kernel_call *call,
                   struct qerr *e)
{
    const struct numbers *in = call->in;
    size_t i = 0;
    int rc = 0;
    (void)state;
    while (i < in->n && rc == 0) {
        uint64_t ns = cost_ns(in->v[i]);
        for (; ns > TURN_NS && rc == 0; ns -= TURN_NS) {
            compute(TURN_NS);
            rc = turn(self, e);
        }
        compute(ns);
        i++;
        if (qclock_ns() >= call->deadline_ns)
            break;
    }
    call->rows->n = i;
    return rc;
}

static const struct kernel kernel_sim = {.name = "sim",
                                         .accepts = ACCEPT_NUMBERS,
                                         .open = sim_open,
                                         .close = sim_close,
                                         .run = sim_run};

static int make_job(struct job *job, const char *claim, struct qerr *e)
{
    const struct qopt *tables[] = {options_numbers, options_columns, options_shared};
    char range[64];
    snprintf(range, sizeof range, "0..%" PRIu64, costs.items - 1);
    int rc = job_init(job, "sim", tables, 3, e);
    if (rc == 0 && claim)
        rc = job_set(job, job_find(job, "chunk"), claim, e);
    return rc == 0 ? job_add_input(job, INPUT_RANGE, range, e) : rc;
}

/* --- the ranks that compute --- */

static int compute_all(struct remote *r, struct worker *w, struct qerr *e)
{
    struct opened none = {.fd = -1};
    int rc = 0;
    while (rc == 0 && !r->bye) {
        struct task *t = list_take(&r->todo);
        if (t) {
            answer(r, w, NULL, &none, t);
            hand_back(r, t);
        } else {
            nap(r->out > 0 ? BUSY_PAUSE_MS : IDLE_PAUSE_MS);
        }
        rc = turn(r, e);
    }
    return rc;
}

static int run_worker(const struct job *job, struct qerr *e)
{
    static struct remote r;
    static struct worker w;
    const struct placement where = {.threads = 1, .cpus = 1, .mask_ranks = 1};
    struct qerr none = QERR_INIT;
    self = &r;
    r.job = job;
    list_init(&r.todo);
    list_init(&r.done);
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.workers, NULL);
    int rc = work_init(&r.work, 1, e);
    if (rc == 0)
        rc = work_open(&r.work, job, &kernel_sim, &r.columns, e);
    if (rc == 0)
        rc = worker_init(&w, &r.work, e);
    if (rc == 0)
        rc = world_ready(&where, &none, e);
    if (rc == 0)
        rc = compute_all(&r, &w, e);
    return rc;
}

/* --- rank 0 --- */

struct lead {
    struct ring *ring;
    struct dispatch *dispatch;
    uint64_t records; /* that came, in order */
};

/* The whole input is one range. */
static int fill(struct lead *l, struct qerr *e)
{
    struct ring_limits limits = {.chunks = 4, .window = 128 << 20, .texts = SIZE_MAX};
    struct qerr end = QERR_INIT;
    l->ring = ring_new(&limits, e);
    struct chunk *c = l->ring ? ring_chunk(l->ring, e) : NULL;
    if (!c)
        return -(int)e->code;
    c->kind = CHUNK_OF_RANGE;
    c->cut = CUT_AT_BLANKS;
    c->count = costs.items;
    c->len = 0;
    int rc = ring_put(l->ring, c, e);
    ring_end(l->ring, &end);
    return rc;
}

/* The part has the next records, each on its line. */
static int check_part(struct lead *l, const struct part *p, struct qerr *e)
{
    struct qbuf want = QBUF_INIT;
    if (p->err.code != Q_OK) {
        *e = p->err;
        return -(int)e->code;
    }
    for (uint64_t i = 0; i < p->records; i++) {
        qbuf_putu(&want, l->records++);
        qbuf_putc(&want, '\n');
    }
    bool right =
        want.len == p->out.len && memcmp(want.data, p->out.data, want.len) == 0;
    qbuf_release(&want);
    return right ? 0 : qerr_set(e, Q_ECHECK, "record %" PRIu64 " is wrong", l->records);
}

/* What is finished at the head of the order. */
static int commit(struct lead *l, struct qerr *e)
{
    int rc = 0;
    while (rc == 0 && l->ring->head && l->ring->head->state == SLOT_DONE) {
        bool in_order;
        struct ring_slot *s = ring_take(l->ring, &in_order);
        if (s->part.records > 0 || s->part.err.code != Q_OK)
            rc = check_part(l, &s->part, e);
        ring_settle(l->ring, s, in_order);
    }
    return rc;
}

static void report(uint64_t elapsed_ns)
{
    double ns = 0, longest = 0;
    for (uint64_t i = 0; i < costs.items; i++) {
        double cost = (double)cost_ns(i);
        ns += cost;
        longest = cost > longest ? cost : longest;
    }
    printf("ranks %u items %" PRIu64 " work %.3f s longest %.3f s time %.4f s "
           "efficiency %.2f %%\n",
           comm_size(), costs.items, ns * 1e-9, longest * 1e-9,
           (double)elapsed_ns * 1e-9, 100 * ns / comm_size() / (double)elapsed_ns);
    fflush(stdout);
}

static int dispatch_all(struct lead *l, struct qerr *e)
{
    int signal = 0, rc = 0;
    while (rc == 0 && l->records < costs.items) {
        rc = dispatch_turn(l->dispatch, l->ring, qclock_ns(), &signal, e);
        if (rc == 0)
            rc = commit(l, e);
        if (rc == 0 && l->records < costs.items)
            nap(dispatch_pause(l->dispatch));
    }
    return rc;
}

static int run_lead(const struct job *job, struct qerr *e)
{
    static struct work work;
    static struct columns columns;
    struct lead l = {.ring = NULL};
    const char **names = calloc(comm_size(), sizeof *names);
    if (!names)
        return qerr_nomem(e);
    for (unsigned i = 0; i < comm_size(); i++)
        names[i] = "a rank";
    int rc = work_init(&work, 1, e);
    if (rc == 0)
        rc = work_open(&work, job, &kernel_sim, &columns, e);
    if (rc == 0)
        rc = fill(&l, e);
    l.dispatch = rc == 0 ? dispatch_new(job, &work, names, e) : NULL;
    if (!l.dispatch)
        return -(int)e->code;
    uint64_t begun = qclock_ns();
    rc = dispatch_all(&l, e);
    if (rc == 0)
        report(qclock_ns() - begun);
    for (unsigned i = 1; i < comm_size() && rc == 0; i++) {
        struct qbuf nothing = QBUF_INIT;
        rc = comm_send(i, WIRE_BYE, &nothing, e);
    }
    while (rc == 0 && !comm_is_quiet())
        nap(1);
    return rc;
}

int main(int argc, char **argv)
{
    struct qerr e = QERR_INIT;
    struct job job;
    if (argc < 5) {
        fputs("usage: scale ITEMS MEAN_MS SIGMA LONGEST_MS [SEED [CLAIM [SLOW_MS]]]\n",
              stderr);
        return 2;
    }
    costs.items = strtoull(argv[1], NULL, 10);
    costs.mean_ms = strtod(argv[2], NULL);
    costs.sigma = strtod(argv[3], NULL);
    costs.longest_ms = strtod(argv[4], NULL);
    costs.seed = argc > 5 ? strtoull(argv[5], NULL, 10) : 1;
    costs.slow_ms = argc > 7 ? strtod(argv[7], NULL) : 0;
    int rc = comm_open_with(&quern_comm_ops, &e);
    if (rc == 0)
        rc = make_job(&job, argc > 6 && strcmp(argv[6], "0") != 0 ? argv[6] : NULL, &e);
    if (rc == 0)
        rc = comm_rank() == 0 ? run_lead(&job, &e) : run_worker(&job, &e);
    if (rc < 0)
        fprintf(stderr, "scale: rank %u: %s\n", comm_rank(), e.text);
    comm_close();
    return rc < 0;
}
