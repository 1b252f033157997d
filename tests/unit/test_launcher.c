#include "engine/launcher.h"

#include <string.h>

#include "unit.h"

/* An environment: names and values in turn, NULL at the end. */
static const char *get(void *state, const char *name)
{
    for (const char *const *at = state; *at; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

static struct launcher find(const char *const *vars)
{
    struct qenv env = {get, (void *)(uintptr_t)vars};
    struct launcher l;
    launcher_find(&l, &env);
    return l;
}

#define FIND(...) find((const char *const[]){__VA_ARGS__, NULL})

static void test_none(void)
{
    struct launcher l = FIND("PATH", "/bin");
    CU_ASSERT_PTR_NULL(l.name);
    CU_ASSERT_EQUAL(l.size, 1);
    CU_ASSERT_FALSE(l.mpi);
    /* A batch script of Slurm runs once, whatever the number of its tasks. */
    l = FIND("SLURM_NTASKS", "8", "SLURM_PROCID", "0", "SLURM_JOB_ID", "7");
    CU_ASSERT_PTR_NULL(l.name);
    CU_ASSERT_EQUAL(l.size, 1);
    CU_ASSERT_FALSE(l.mpi);
}

static void test_launchers(void)
{
    struct launcher l = FIND("OMPI_COMM_WORLD_SIZE", "4", "PMIX_RANK", "2");
    CU_ASSERT_STRING_EQUAL(l.name, "Open MPI (mpirun)");
    CU_ASSERT_STRING_EQUAL(l.command, "mpirun");
    CU_ASSERT_EQUAL(l.size, 4);
    CU_ASSERT(l.mpi);

    l = FIND("SLURM_STEP_NUM_TASKS", "3", "SLURM_PROCID", "1");
    CU_ASSERT_STRING_EQUAL(l.command, "srun");
    CU_ASSERT_EQUAL(l.size, 3);
    CU_ASSERT_FALSE(l.mpi);

    l = FIND("SLURM_STEP_NUM_TASKS", "3", "PMIX_RANK", "1");
    CU_ASSERT_STRING_EQUAL(l.command, "srun");
    CU_ASSERT(l.mpi);

    l = FIND("SLURM_STEP_NUM_TASKS", "3", "PMI_SIZE", "3", "PMI_RANK", "0");
    CU_ASSERT_STRING_EQUAL(l.command, "srun");
    CU_ASSERT_EQUAL(l.size, 3);

    l = FIND("PMI_SIZE", "2");
    CU_ASSERT_STRING_EQUAL(l.command, "mpiexec");
    CU_ASSERT_EQUAL(l.size, 2);
    CU_ASSERT(l.mpi);

    l = FIND("PMI_RANK", "1");
    CU_ASSERT_STRING_EQUAL(l.name, "PMI");
    CU_ASSERT_EQUAL(l.size, 1);
    CU_ASSERT(l.mpi);
}

/* mpirun in a job of Slurm: its own size is the greater, or the step's is. */
static void test_nested(void)
{
    struct launcher l = FIND("SLURM_STEP_NUM_TASKS", "2", "OMPI_COMM_WORLD_SIZE", "8");
    CU_ASSERT_STRING_EQUAL(l.command, "mpirun");
    CU_ASSERT_STRING_EQUAL(l.variable, "OMPI_COMM_WORLD_SIZE");
    CU_ASSERT_EQUAL(l.size, 8);
    l = FIND("SLURM_STEP_NUM_TASKS", "4", "OMPI_COMM_WORLD_SIZE", "1");
    CU_ASSERT_STRING_EQUAL(l.variable, "SLURM_STEP_NUM_TASKS");
    CU_ASSERT_EQUAL(l.size, 4);
}

static void test_bad_sizes(void)
{
    static const char *const bad[] = {"",   "0",  "-3",  "+3",         "4x",
                                      " 4", "4 ", "0x4", "4294967298", "many"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct launcher l = FIND("SLURM_STEP_NUM_TASKS", bad[i]);
        CU_ASSERT_EQUAL(l.size, 1);
        CU_ASSERT_PTR_NULL(l.name);
    }
}

static void check(const struct launcher *l, unsigned world, const char *library,
                  const char *want)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(launcher_check(l, world, library, &e), want ? -Q_EUSAGE : 0);
    CU_ASSERT_EQUAL(e.code, want ? Q_EUSAGE : Q_OK);
    CU_ASSERT_STRING_EQUAL(e.text, want ? want : "");
    CU_ASSERT(strlen(e.text) < sizeof e.text - 1);
}

static void test_check(void)
{
    struct launcher none = FIND("PATH", ""), one = FIND("SLURM_STEP_NUM_TASKS", "1"),
                    mpirun = FIND("OMPI_COMM_WORLD_SIZE", "4"),
                    srun = FIND("SLURM_STEP_NUM_TASKS", "3"),
                    mpiexec = FIND("PMI_SIZE", "2"), rank = FIND("PMIX_RANK", "0");
    check(&none, 1, NULL, NULL);
    check(&one, 1, NULL, NULL);
    check(&rank, 1, NULL, NULL);
    check(&mpirun, 4, "Open MPI 4.1.4", NULL);
    check(&srun, 3, "Open MPI 4.1.4", NULL);
    check(&srun, 8, "Open MPI 4.1.4", NULL); /* mpirun's daemons are the step */
    check(
        &mpirun, 1, NULL,
        "mpirun started 4 processes (OMPI_COMM_WORLD_SIZE), but this build has no MPI "
        "and each would do all the work: start one, 'quern ...', or build with MPI=1");
    check(&mpiexec, 1, NULL,
          "mpiexec started 2 processes (PMI_SIZE), but this build has no MPI and each "
          "would do all the work: start one, 'quern ...', or build with MPI=1");
    check(
        &srun, 1, NULL,
        "srun started 3 processes (SLURM_STEP_NUM_TASKS), but this build has no MPI "
        "and each would do all the work: start one, 'srun -n 1 -c CPUS quern ...', or "
        "build with MPI=1");
    check(
        &srun, 1, "MPICH 4.0.2",
        "srun started 3 processes (SLURM_STEP_NUM_TASKS), but MPICH 4.0.2 finds only 1 "
        "of them: 'srun --mpi=pmi2' is for it");
    check(&srun, 2, "Open MPI 4.1.4",
          "srun started 3 processes (SLURM_STEP_NUM_TASKS), but Open MPI 4.1.4 finds "
          "only 2 of them: 'srun --mpi=pmix' is for it");
    check(
        &mpirun, 1, "MPICH 4.0.2",
        "mpirun started 4 processes (OMPI_COMM_WORLD_SIZE), but MPICH 4.0.2 finds only "
        "1 of them: the right mpirun is the one of MPICH 4.0.2");
}

static const struct unit_test tests[] = {
    {"none", test_none},     {"launchers", test_launchers},
    {"nested", test_nested}, {"bad sizes", test_bad_sizes},
    {"check", test_check},
};

UNIT_MAIN("launcher", tests)
