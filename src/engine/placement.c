#include "engine/placement.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/qcgroup.h"
#include "base/qlog.h"
#include "engine/comm.h"
#include "engine/launcher.h"

/* --- sets of CPUs --- */

void cpus_add(struct cpus *c, unsigned cpu)
{
    CPU_SET_S(cpu, sizeof c->sets, c->sets);
}

bool cpus_has(const struct cpus *c, unsigned cpu)
{
    return CPU_ISSET_S(cpu, sizeof c->sets, c->sets);
}

unsigned cpus_count(const struct cpus *c)
{
    return (unsigned)CPU_COUNT_S(sizeof c->sets, c->sets);
}

void cpus_print(const struct cpus *c, struct qbuf *out)
{
    const char *between = "";
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!cpus_has(c, cpu))
            continue;
        unsigned last = cpu;
        while (last + 1 < CPUS_MAX && cpus_has(c, last + 1))
            last++;
        qbuf_printf(out, last > cpu ? "%s%u-%u" : "%s%u", between, cpu, last);
        between = ",";
        cpu = last;
    }
}

/* The places to which the OpenMP runtime binds threads; false when it binds none. They
 * lie within the mask that the process began with, and within OMP_PLACES. */
static bool add_places(struct cpus *c)
{
    bool any = false;
    for (int place = 0; place < omp_get_num_places(); place++) {
        int n = omp_get_place_num_procs(place);
        int *ids = calloc((size_t)n + 1, sizeof *ids);
        if (!ids)
            return any;
        omp_get_place_proc_ids(place, ids);
        for (int i = 0; i < n; i++) {
            if (ids[i] >= 0 && ids[i] < CPUS_MAX) {
                cpus_add(c, (unsigned)ids[i]);
                any = true;
            }
        }
        free(ids);
    }
    return any;
}

void cpus_of_process(struct cpus *c)
{
    memset(c, 0, sizeof *c);
    if (add_places(c))
        return;
    if (sched_getaffinity(0, sizeof c->sets, c->sets) == 0 && cpus_count(c) > 0)
        return;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    memset(c, 0, sizeof *c);
    for (unsigned cpu = 0; cpu == 0 || (long)cpu < online; cpu++)
        cpus_add(c, cpu);
}

void cpus_let_run(const struct cpus *c)
{
    /* A refusal leaves the thread where it was, which is slower but no error. */
    (void)!sched_setaffinity(0, sizeof c->sets, c->sets);
}

/* --- threads --- */

/* The first of a list of positive integers ("4", "4,2"), or 0 when it is none. */
static unsigned first_value(const char *text)
{
    enum { MOST_DIGITS = 9 };
    static const char blanks[] = " \t";
    if (!text)
        return 0;
    text += strspn(text, blanks);
    size_t n = strspn(text, "0123456789");
    const char *behind = text + n + strspn(text + n, blanks);
    if (n == 0 || n > MOST_DIGITS || (*behind != '\0' && *behind != ','))
        return 0;
    return (unsigned)strtoul(text, NULL, 10);
}

void placement_query_process(struct placement_query *q)
{
    *q = (struct placement_query){
        .env = QENV_PROCESS, .root = "", .mask_ranks = 1, .host_ranks = 1};
    cpus_of_process(&q->cpus);
}

static void limit_to(struct placement *p, uint64_t threads, enum placement_limit limit)
{
    if (threads < p->threads) {
        p->threads = (unsigned)threads;
        p->limit = limit;
    }
}

void placement_weigh(struct placement *p, const struct placement_query *q)
{
    *p = (struct placement){
        .cpus = cpus_count(&q->cpus),
        .mask_ranks = q->mask_ranks,
        .slurm = first_value(qenv_get(&q->env, "SLURM_CPUS_PER_TASK")),
        .openmp = first_value(qenv_get(&q->env, "OMP_NUM_THREADS")),
        .quota_milli = qcgroup_cpu_milli(q->root),
    };
    p->threads = p->cpus / q->mask_ranks;
    p->limit = PLACEMENT_CPUS;
    if (p->slurm > 0)
        limit_to(p, p->slurm, PLACEMENT_SLURM);
    if (p->openmp > 0)
        limit_to(p, p->openmp, PLACEMENT_OPENMP);
    if (p->quota_milli > 0)
        limit_to(p, p->quota_milli / 1000 / q->host_ranks, PLACEMENT_QUOTA);
    if (p->threads == 0)
        p->threads = 1;
    if (q->threads > 0) {
        p->threads = q->threads;
        p->limit = PLACEMENT_OPTION;
    }
}

int placement_find(struct placement *p, unsigned threads,
                   const struct placement_peers *peers, struct qerr *e)
{
    struct placement_query q;
    struct launcher launcher;
    placement_query_process(&q);
    launcher_find(&launcher, &q.env);
    const char *library = comm_library() ? comm_library() : comm_module();
    int rc = launcher_check(&launcher, comm_size(), library, e);
    if (rc < 0)
        return rc;
    q.threads = threads;
    q.mask_ranks = peers->mask_ranks;
    q.host_ranks = peers->host_ranks;
    placement_weigh(p, &q);
    cpus_let_run(&q.cpus);
    return 0;
}

bool placement_is_crowded(const struct placement *p)
{
    return (uint64_t)p->threads * p->mask_ranks > p->cpus;
}

void placement_explain(const struct placement *p, struct qbuf *out)
{
    switch (p->limit) {
    case PLACEMENT_OPTION:
        qbuf_puts(out, "-j");
        break;
    case PLACEMENT_CPUS:
        qbuf_printf(out, "the affinity mask: %u CPU%s", p->cpus,
                    p->cpus == 1 ? "" : "s");
        if (p->mask_ranks > 1)
            qbuf_printf(out, " for %u ranks", p->mask_ranks);
        break;
    case PLACEMENT_SLURM:
        qbuf_printf(out, "SLURM_CPUS_PER_TASK=%u", p->slurm);
        break;
    case PLACEMENT_OPENMP:
        qbuf_printf(out, "OMP_NUM_THREADS=%u", p->openmp);
        break;
    case PLACEMENT_QUOTA:
        qbuf_printf(out, "the CPU quota of the control group: %.2f CPUs",
                    (double)p->quota_milli / 1000);
        break;
    }
}
