/*
 * Facts about launchers that this rests on:
 *
 * - mpirun of Open MPI sets OMPI_COMM_WORLD_SIZE, also inside a Slurm job, where the
 *   step that starts its daemons leaves SLURM_STEP_NUM_TASKS (= nodes) behind.
 * - srun sets SLURM_STEP_NUM_TASKS, and PMI_SIZE with --mpi=pmi2, or PMIX_RANK with
 *   --mpi=pmix. SLURM_NTASKS and SLURM_PROCID say nothing: they are set in a batch
 *   script too, which runs once.
 * - mpiexec of MPICH (Hydra) sets PMI_SIZE and PMI_RANK.
 *
 * A process that mpirun started inside a step of Slurm has two sizes; any of them above
 * the world's is a refusal, and the launcher nearest to the process is the one to name.
 */
#include "engine/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The nearest launcher first. */
static const struct {
    const char *variable, *name, *command;
} sizes[] = {
    {"OMPI_COMM_WORLD_SIZE", "Open MPI (mpirun)", "mpirun"},
    {"SLURM_STEP_NUM_TASKS", "Slurm (srun)", "srun"},
    {"PMI_SIZE", "MPICH (mpiexec)", "mpiexec"},
};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* What shows that MPI_Init would find its launcher. */
static const char *const signs[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK",
                                    "PMI_SIZE"};
enum { SIGNS = sizeof signs / sizeof signs[0] };

/* A count of processes; 0 when `text` is none. */
static unsigned read_size(const char *text)
{
    enum { MOST_DIGITS = 9 };
    size_t n = text ? strspn(text, "0123456789") : 0;
    if (n == 0 || n > MOST_DIGITS || text[n] != '\0')
        return 0;
    return (unsigned)strtoul(text, NULL, 10);
}

void launcher_find(struct launcher *l, const struct qenv *env)
{
    *l = (struct launcher){.size = 1};
    for (int i = 0; i < SIZES; i++) {
        unsigned size = read_size(qenv_get(env, sizes[i].variable));
        if (size == 0)
            continue;
        if (!l->name) {
            l->name = sizes[i].name;
            l->command = sizes[i].command;
        }
        if (size > l->size || !l->variable) {
            l->variable = sizes[i].variable;
            l->size = size;
        }
    }
    for (int i = 0; i < SIGNS; i++)
        if (qenv_get(env, signs[i]))
            l->mpi = true;
    l->pmi =
        l->mpi && !qenv_get(env, "OMPI_COMM_WORLD_SIZE") && !qenv_get(env, "PMIX_RANK");
    if (l->mpi && !l->name) {
        l->name = "PMI";
        l->command = "the launcher";
    }
}

/* What to start instead, when `library` and the launcher did not find each other. */
static void put_remedy(const struct launcher *l, const char *library, char *to,
                       size_t size)
{
    bool srun = strcmp(l->command, "srun") == 0;
    if (!library && srun)
        snprintf(to, size,
                 "start one, 'srun -n 1 -c CPUS quern ...', or build with MPI=1");
    else if (!library)
        snprintf(to, size, "start one, 'quern ...', or build with MPI=1");
    else if (srun)
        snprintf(to, size, "'srun --mpi=%s' is for it",
                 strstr(library, "Open MPI") ? "pmix" : "pmi2");
    else
        snprintf(to, size, "the right mpirun is the one of %s", library);
}

int launcher_check(const struct launcher *l, unsigned world, const char *library,
                   struct qerr *e)
{
    if (l->size <= world)
        return 0;
    char remedy[96];
    put_remedy(l, library, remedy, sizeof remedy);
    if (!library)
        return qerr_set(e, Q_EUSAGE,
                        "%s started %u processes (%s), but this build has no MPI and "
                        "each would do all the work: %s",
                        l->command, l->size, l->variable, remedy);
    return qerr_set(e, Q_EUSAGE,
                    "%s started %u processes (%s), but %s finds only %u of them: %s",
                    l->command, l->size, l->variable, library, world, remedy);
}
