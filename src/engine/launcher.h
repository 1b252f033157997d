/*
 * launcher: who started this process, and how many times, as the environment tells.
 *
 * A launcher (mpirun, srun) may start N processes that do not find each other: no MPI
 * is built in, or another MPI than the launcher's. Each of them would then do all the
 * work and all would write the same output. launcher_check refuses that.
 *
 * Pure functions of an environment, so that tests need no launcher.
 */
#ifndef QUERN_ENGINE_LAUNCHER_H
#define QUERN_ENGINE_LAUNCHER_H

#include <stdbool.h>

#include "base/qenv.h"
#include "base/qerr.h"

struct launcher {
    const char *name;     /* "Slurm (srun)", or NULL when there is none */
    const char *command;  /* "srun"; NULL with name */
    const char *variable; /* what told the size; NULL when nothing did */
    unsigned size;        /* processes that were started, at least 1 */
    bool mpi;             /* MPI_Init would find the launcher; else it costs 0.4 s */
    bool pmi;             /* ... by PMI-1 or PMI-2, as MPICH does; else by PMIx */
};

void launcher_find(struct launcher *l, const struct qenv *env);

/* Refuses (Q_EUSAGE) when more processes were started than are in the `world`, and
 * names the right command. `library`: the MPI that is built in (comm_library), or NULL.
 */
int launcher_check(const struct launcher *l, unsigned world, const char *library,
                   struct qerr *e);

#endif
