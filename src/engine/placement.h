/*
 * placement: how many threads this process may use, and what says so.
 *
 * A batch system says it in several ways, and the least of them counts: the affinity
 * mask (shared with other ranks), SLURM_CPUS_PER_TASK, OMP_NUM_THREADS, the CPU quota
 * of the control groups. -j overrides them all.
 *
 * Called by main at the start, before any thread.
 */
#ifndef QUERN_ENGINE_PLACEMENT_H
#define QUERN_ENGINE_PLACEMENT_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qenv.h"
#include "base/qerr.h"

/* A set of CPUs; Linux counts up to 8192 of them. */
enum { CPUS_SETS = 8, CPUS_MAX = CPUS_SETS * CPU_SETSIZE };
struct cpus {
    cpu_set_t sets[CPUS_SETS];
};

void cpus_add(struct cpus *c, unsigned cpu);
bool cpus_has(const struct cpus *c, unsigned cpu);
unsigned cpus_count(const struct cpus *c);
void cpus_print(const struct cpus *c, struct qbuf *out); /* "0-3,8" */

/* The CPUs that threads of this process may run on. Not the mask of the calling thread:
 * an OpenMP runtime that binds threads (OMP_PROC_BIND, OMP_PLACES) binds the main
 * thread to one CPU before main begins. */
void cpus_of_process(struct cpus *c);

/* Lets the calling thread run on all of them, and with it the threads that it makes. */
void cpus_let_run(const struct cpus *c);

struct placement_query {
    struct cpus cpus; /* cpus_of_process */
    struct qenv env;
    const char *root;    /* see qcgroup.h; "" for this machine */
    unsigned mask_ranks; /* processes of this run on these CPUs, at least 1 */
    unsigned host_ranks; /* processes of this run on this host, at least 1 */
    unsigned threads;    /* -j; 0 when it is not given */
};

/* What decided. */
enum placement_limit {
    PLACEMENT_OPTION, /* -j */
    PLACEMENT_CPUS,
    PLACEMENT_SLURM,
    PLACEMENT_OPENMP,
    PLACEMENT_QUOTA
};

struct placement {
    unsigned threads; /* at least 1 */
    enum placement_limit limit;
    unsigned cpus;        /* in the mask */
    unsigned mask_ranks;  /* that share them */
    unsigned slurm;       /* SLURM_CPUS_PER_TASK, or 0 */
    unsigned openmp;      /* first value of OMP_NUM_THREADS, or 0 */
    uint64_t quota_milli; /* in thousandths of a CPU, or 0 */
};

/* A query about this process, one rank on its host. */
void placement_query_process(struct placement_query *q);

/* The rule, as a pure function of the query (and of the files below its root). */
void placement_weigh(struct placement *p, const struct placement_query *q);

/* The ranks that a process shares its place with, itself included. */
struct placement_peers {
    unsigned mask_ranks, host_ranks;
};

/* The placement of this process; `threads` is -j, or 0. Refuses (Q_EUSAGE) to be one of
 * several processes that do not know of each other (launcher_check; after comm_open).
 * Frees the calling thread from the one CPU that an OpenMP runtime may have bound it to
 * (cpus_let_run). */
int placement_find(struct placement *p, unsigned threads,
                   const struct placement_peers *peers, struct qerr *e);

/* More threads than CPUs: they take turns. To be reported. */
bool placement_is_crowded(const struct placement *p);

/* What decided, in words: "the affinity mask: 4 CPUs". */
void placement_explain(const struct placement *p, struct qbuf *out);

#endif
