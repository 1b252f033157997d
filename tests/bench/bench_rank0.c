/*
 * bench_rank0: what rank 0 pays for other ranks. Started by mpiexec, as rank0.py does:
 *
 *     bench_rank0 MODULE file|bytes CLAIM ANSWER SPENT_US CLAIMS
 *
 * MODULE is a file of libexec/ (quern-mpi-openmpi.so). The text of a claim, CLAIM
 * bytes, travels as a place in a file or as bytes; the answer to it has ANSWER bytes
 * and is said to have taken SPENT_US, which decides how many claims go in a message.
 * Nothing is computed: dispatch, ring, messages and MPI are the real ones, and so is
 * the pause of a millisecond between two turns. A committer takes the parts and drops
 * them.
 *
 * Rank 0 prints what its main thread did in that time: claims, messages and bytes in
 * both directions, turns, and its CPU seconds, the looking in vain included. Every
 * answer is checked to be as long as it should be, and all claims to be answered.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qself.h"
#include "bench.h"
#include "cmd/options.h"
#include "engine/comm.h"
#include "engine/dispatch.h"
#include "engine/wire.h"
#include "engine/world.h"

static struct {
    bool in_file;
    size_t claim, answer;
    uint64_t spent_ns, claims;
} asked;

/* --- counting what goes through the module --- */

static const struct comm_ops *module;
static struct comm_ops counting;
static struct {
    uint64_t sent, received, bytes_sent, bytes_received;
} traffic;

static int count_send(const void *bytes, size_t n, unsigned to, int tag,
                      struct comm_transfer **t)
{
    traffic.sent++;
    traffic.bytes_sent += n;
    return module->send(bytes, n, to, tag, t);
}

static int count_receive(void *bytes, size_t n, unsigned from, int tag,
                         struct comm_transfer **t)
{
    traffic.received++;
    traffic.bytes_received += n;
    return module->receive(bytes, n, from, tag, t);
}

static int open_comm(const char *file, struct qerr *e)
{
    char path[QSELF_PATH];
    void *loaded = qself_find(file, path) ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL;
    module = loaded ? dlsym(loaded, "quern_comm_ops") : NULL;
    if (!module)
        return qerr_set(e, Q_EUSAGE, "no module %s (QUERN_LIBEXEC says where)", file);
    counting = *module;
    counting.send = count_send;
    counting.receive = count_receive;
    return comm_open_with(&counting, e);
}

/* --- the other ranks: every task is answered as soon as it is seen --- */

static int answer_work(const struct comm_message *m, const struct qbuf *text,
                       struct qerr *e)
{
    static struct chunk chunk;
    struct qbuf body = QBUF_INIT;
    struct part part;
    struct qwire w;
    int rc = 0;
    part_init(&part);
    part.records = 1;
    part.out = *text; /* borrowed */
    qwire_init(&w, &m->body);
    while (rc == 0 && w.left > 0) {
        struct wire_file file;
        struct span span;
        bool in_file;
        qwire_put(&body, qwire_get(&w));
        rc = wire_get_span(&w, &chunk, &span, &in_file, &file, e);
        qwire_put(&body, span.end - span.begin);
        qwire_put(&body, asked.spent_ns);
        qwire_put(&body, true);
        qwire_put(&body, false);
        wire_put_part(&body, &part);
        if (rc == 0 && in_file != asked.in_file)
            rc = qerr_set(e, Q_ECHECK, "the text did not travel as it should");
        if (rc == 0 && body.len > 4 << 20)
            rc = comm_send(0, WIRE_RESULT, &body, e);
    }
    if (rc == 0 && body.len > 0)
        rc = comm_send(0, WIRE_RESULT, &body, e);
    return rc;
}

static int run_other(struct qerr *e)
{
    const struct placement where = {.threads = 1, .cpus = 1, .mask_ranks = 1};
    struct qbuf text = QBUF_INIT;
    struct qerr none = QERR_INIT;
    for (size_t i = 0; i < asked.answer; i++)
        qbuf_putc(&text, 'x');
    int rc = world_ready(&where, &none, e);
    for (bool over = false; rc >= 0 && !over;) {
        struct comm_message m;
        rc = comm_receive(&m, e);
        if (rc == 0)
            usleep(1000);
        if (rc <= 0)
            continue;
        if (m.tag == WIRE_WORK)
            rc = answer_work(&m, &text, e);
        over = m.tag == WIRE_BYE;
        if (over)
            world_take_bye(&m);
        qbuf_release(&m.body);
    }
    return rc;
}

/* --- rank 0 --- */

static struct {
    struct ring *ring;
    const struct job *job;
    _Atomic uint64_t bytes_taken;
    atomic_bool wrong, over;
} lead;

/* Chunks of text, all of them at the begin of the file. */
static void *read_all(void *arg)
{
    uint64_t left = asked.claims * asked.claim;
    size_t most = (size_t)CHUNK_TEXT / asked.claim * asked.claim;
    struct qerr e = QERR_INIT, end = QERR_INIT;
    struct chunk *c;
    (void)arg;
    while (left > 0 && (c = ring_chunk(lead.ring, &e)) != NULL) {
        size_t n = left < most ? (size_t)left : most;
        c->kind = CHUNK_OF_TEXT;
        c->cut = CUT_AT_BLANKS;
        c->in_file = asked.in_file;
        c->len = n;
        memset(c->text, '7', n);
        for (size_t i = asked.claim - 1; i < n; i += asked.claim)
            c->text[i] = '\n';
        left -= n;
        if (ring_put(lead.ring, c, &e) < 0)
            break;
    }
    ring_end(lead.ring, &end);
    return NULL;
}

static void *commit_all(void *arg)
{
    struct ring_slot *s;
    bool in_order;
    uint64_t answered = 0;
    (void)arg;
    while ((s = ring_take(lead.ring, &in_order)) != NULL) {
        if (s->part.records != 1 || s->part.out.len != asked.answer)
            atomic_store(&lead.wrong, true);
        answered++;
        ring_settle(lead.ring, s, in_order);
    }
    if (answered < asked.claims)
        atomic_store(&lead.wrong, true);
    atomic_store(&lead.over, true);
    return NULL;
}

static int dispatch_all(struct dispatch *d, uint64_t *turns, double *cpu,
                        struct qerr *e)
{
    double begun = bench_seconds();
    int rc = 0, signal;
    for (*turns = 0; rc == 0 && !atomic_load(&lead.over); ++*turns) {
        rc = dispatch_turn(d, lead.ring, qclock_ns(), &signal, e);
        usleep((useconds_t)dispatch_pause(d) * 1000);
    }
    *cpu = bench_seconds() - begun;
    return rc;
}

static int run_lead(const struct job *job, struct qerr *e)
{
    static struct kernel_state state;
    static struct work work = {.state = &state};
    static const struct kernel none = {.name = "none"};
    const struct ring_limits limits = {
        .chunks = 3 + 12 * comm_size(), .window = 128 << 20, .texts = SIZE_MAX};
    pthread_t reader, committer;
    const char **names = calloc(comm_size(), sizeof *names);
    uint64_t turns;
    double cpu = 0;
    if (!names)
        return qerr_nomem(e);
    for (unsigned i = 0; i < comm_size(); i++)
        names[i] = "a rank";
    work.kernel = &none;
    lead.job = job;
    lead.ring = ring_new(&limits, e);
    struct dispatch *d = lead.ring ? dispatch_new(job, &work, names, e) : NULL;
    if (!d)
        return -(int)e->code;
    int rc = dispatch_wait_ready(d, UINT64_C(10000000000), e);
    traffic.sent = traffic.received = traffic.bytes_sent = traffic.bytes_received = 0;
    if (rc < 0 || pthread_create(&reader, NULL, read_all, NULL) != 0 ||
        pthread_create(&committer, NULL, commit_all, NULL) != 0)
        return rc < 0 ? rc : qerr_nomem(e);
    uint64_t begun = qclock_ns();
    rc = dispatch_all(d, &turns, &cpu, e);
    double seconds = (double)(qclock_ns() - begun) * 1e-9;
    if (rc < 0)
        return rc;
    pthread_join(reader, NULL);
    pthread_join(committer, NULL);
    if (atomic_load(&lead.wrong))
        return qerr_set(e, Q_ECHECK, "the answers are not what was asked for");
    printf("claims %" PRIu64 " sent %" PRIu64 " received %" PRIu64
           " bytes_sent %" PRIu64 " bytes_received %" PRIu64 " turns %" PRIu64
           " seconds %.4f cpu %.6f\n",
           asked.claims, traffic.sent, traffic.received, traffic.bytes_sent,
           traffic.bytes_received, turns, seconds, cpu);
    fflush(stdout);
    dispatch_free(d);
    ring_free(lead.ring);
    free(names);
    return 0;
}

static int make_job(struct job *job, char *path, struct qerr *e)
{
    const struct qopt *tables[] = {options_numbers, options_columns, options_shared};
    char claim[32];
    snprintf(claim, sizeof claim, "%zu", asked.claim - 1); /* and to the next blank */
    int rc = job_init(job, "none", tables, 3, e);
    if (rc == 0)
        rc = job_set(job, job_find(job, "chunk"), claim, e);
    return rc == 0 ? job_add_input(job, INPUT_FILE, path, e) : rc;
}

int main(int argc, char **argv)
{
    struct qerr e = QERR_INIT;
    struct job job;
    int status = 0;
    if (argc < 7) {
        fputs("usage: bench_rank0 MODULE file|bytes CLAIM ANSWER SPENT_US CLAIMS\n",
              stderr);
        return 2;
    }
    asked.in_file = strcmp(argv[2], "file") == 0;
    asked.claim = strtoul(argv[3], NULL, 10);
    asked.answer = strtoul(argv[4], NULL, 10);
    asked.spent_ns = strtoull(argv[5], NULL, 10) * 1000;
    asked.claims = strtoull(argv[6], NULL, 10);
    int rc = open_comm(argv[1], &e);
    if (rc == 0)
        rc = make_job(&job, argv[0], &e); /* any file that all ranks see */
    if (rc == 0)
        rc = comm_rank() == 0 ? run_lead(&job, &e) : run_other(&e);
    if (rc < 0) {
        fprintf(stderr, "bench_rank0: rank %u: %s\n", comm_rank(), e.text);
        status = 1;
    }
    world_close(&status);
    return status;
}
