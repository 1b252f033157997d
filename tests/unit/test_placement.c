#include "engine/placement.h"

#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/qcgroup.h"
#include "tree.h"
#include "unit.h"

/* --- sets of CPUs --- */

static const struct placement_peers alone = {1, 1};

static void check_list(const struct cpus *c, unsigned count, const char *want)
{
    struct qbuf b = QBUF_INIT;
    cpus_print(c, &b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), want);
    CU_ASSERT_EQUAL(cpus_count(c), count);
    qbuf_release(&b);
}

static void test_cpus(void)
{
    struct cpus c;
    memset(&c, 0, sizeof c);
    check_list(&c, 0, "");
    cpus_add(&c, 4);
    check_list(&c, 1, "4");
    cpus_add(&c, 0);
    cpus_add(&c, 1);
    check_list(&c, 3, "0-1,4");
    cpus_add(&c, 1); /* again */
    cpus_add(&c, 5);
    cpus_add(&c, 7);
    cpus_add(&c, 1024); /* in another word, and the last there is */
    cpus_add(&c, CPUS_MAX - 2);
    cpus_add(&c, CPUS_MAX - 1);
    check_list(&c, 8, "0-1,4-5,7,1024,8190-8191");
    CU_ASSERT(cpus_has(&c, 1024));
    CU_ASSERT_FALSE(cpus_has(&c, 1023));
    CU_ASSERT_FALSE(cpus_has(&c, CPUS_MAX));
}

/* --- the rule --- */

struct vars {
    const char *slurm, *openmp;
};

static const char *get(void *state, const char *name)
{
    const struct vars *v = state;
    if (strcmp(name, "SLURM_CPUS_PER_TASK") == 0)
        return v->slurm;
    if (strcmp(name, "OMP_NUM_THREADS") == 0)
        return v->openmp;
    return NULL;
}

static struct tree tree;

/* A machine with this many CPUs and, in a made-up tree, this quota in thousandths. */
static struct placement_query machine(unsigned cpus, unsigned quota_milli,
                                      struct vars *vars)
{
    struct placement_query q = {
        .env = {get, vars}, .root = tree.root, .mask_ranks = 1, .host_ranks = 1};
    for (unsigned i = 0; i < cpus; i++)
        cpus_add(&q.cpus, 2 * i);
    char text[64];
    snprintf(text, sizeof text, "%u 1000000\n", 1000 * quota_milli);
    tree_file(&tree, "/proc/self/cgroup", "0::/\n");
    tree_file(&tree, "/proc/self/mountinfo", "1 2 0:3 / /cg rw - cgroup2 none rw\n");
    tree_file(&tree, "/cg/cpu.max", quota_milli ? text : "max 1000000\n");
    return q;
}

static void check_placement(const struct placement_query *q, unsigned threads,
                            enum placement_limit limit, const char *why)
{
    struct placement p;
    struct qbuf b = QBUF_INIT;
    placement_weigh(&p, q);
    CU_ASSERT_EQUAL(p.threads, threads);
    CU_ASSERT_EQUAL(p.limit, limit);
    CU_ASSERT_EQUAL(p.cpus, cpus_count(&q->cpus));
    placement_explain(&p, &b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), why);
    qbuf_release(&b);
}

static void test_least_counts(void)
{
    tree_begin(&tree);
    struct vars none = {NULL, NULL}, slurm = {"3", NULL}, openmp = {NULL, "2,1"},
                all = {"5", "4"}, more = {"64", "64"};
    struct placement_query q = machine(8, 0, &none);
    check_placement(&q, 8, PLACEMENT_CPUS, "the affinity mask: 8 CPUs");
    q = machine(1, 0, &none);
    check_placement(&q, 1, PLACEMENT_CPUS, "the affinity mask: 1 CPU");
    q = machine(8, 0, &slurm);
    check_placement(&q, 3, PLACEMENT_SLURM, "SLURM_CPUS_PER_TASK=3");
    q = machine(8, 0, &openmp);
    check_placement(&q, 2, PLACEMENT_OPENMP, "OMP_NUM_THREADS=2");
    q = machine(8, 0, &all);
    check_placement(&q, 4, PLACEMENT_OPENMP, "OMP_NUM_THREADS=4");
    q = machine(8, 3000, &all);
    check_placement(&q, 3, PLACEMENT_QUOTA,
                    "the CPU quota of the control group: 3.00 CPUs");
    q = machine(5, 4000, &all); /* of equal ones the first is named */
    check_placement(&q, 4, PLACEMENT_OPENMP, "OMP_NUM_THREADS=4");
    q = machine(3, 0, &slurm);
    check_placement(&q, 3, PLACEMENT_CPUS, "the affinity mask: 3 CPUs");
    q = machine(2, 3000, &all);
    check_placement(&q, 2, PLACEMENT_CPUS, "the affinity mask: 2 CPUs");
    q = machine(8, 0, &more); /* none of them gives more than there is */
    check_placement(&q, 8, PLACEMENT_CPUS, "the affinity mask: 8 CPUs");
    tree_end(&tree);
}

static void test_ranks(void)
{
    tree_begin(&tree);
    struct vars none = {NULL, NULL};
    struct placement_query q = machine(8, 0, &none);
    q.mask_ranks = 3;
    check_placement(&q, 2, PLACEMENT_CPUS, "the affinity mask: 8 CPUs for 3 ranks");
    q.mask_ranks = 20; /* at least one */
    check_placement(&q, 1, PLACEMENT_CPUS, "the affinity mask: 8 CPUs for 20 ranks");
    q = machine(8, 6000, &none);
    q.host_ranks = 3; /* ranks bound to masks of their own share the quota */
    check_placement(&q, 2, PLACEMENT_QUOTA,
                    "the CPU quota of the control group: 6.00 CPUs");
    tree_end(&tree);
}

static void test_quota(void)
{
    tree_begin(&tree);
    struct vars none = {NULL, NULL};
    struct placement_query q = machine(8, 2900, &none);
    check_placement(&q, 2, PLACEMENT_QUOTA,
                    "the CPU quota of the control group: 2.90 CPUs");
    q = machine(8, 500, &none); /* at least one */
    check_placement(&q, 1, PLACEMENT_QUOTA,
                    "the CPU quota of the control group: 0.50 CPUs");
    tree_end(&tree);
}

static void test_option(void)
{
    tree_begin(&tree);
    struct vars all = {"1", "1"};
    struct placement_query q = machine(2, 1000, &all);
    struct placement p;
    q.threads = 2;
    check_placement(&q, 2, PLACEMENT_OPTION, "-j");
    placement_weigh(&p, &q);
    CU_ASSERT_FALSE(placement_is_crowded(&p));
    q.threads = 3;
    check_placement(&q, 3, PLACEMENT_OPTION, "-j");
    placement_weigh(&p, &q);
    CU_ASSERT(placement_is_crowded(&p));
    q.threads = 2;
    q.mask_ranks = 2; /* two ranks with two threads each on two CPUs */
    placement_weigh(&p, &q);
    CU_ASSERT(placement_is_crowded(&p));
    tree_end(&tree);
}

static void test_environment(void)
{
    static const struct {
        const char *text;
        unsigned want; /* 8: not understood, no limit */
    } values[] = {{"4", 4},   {"4,2", 4}, {" 4 ", 4},        {"4 ,2", 4},
                  {"007", 7}, {"", 8},    {"0", 8},          {"-1", 8},
                  {"4x", 8},  {"x", 8},   {",4", 8},         {"4;2", 8},
                  {"+4", 8},  {"4 2", 8}, {"4294967297", 8}, {"1e1", 8}};
    tree_begin(&tree);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct vars openmp = {NULL, values[i].text}, slurm = {values[i].text, NULL};
        struct placement p;
        struct placement_query q = machine(8, 0, &openmp);
        placement_weigh(&p, &q);
        CU_ASSERT_EQUAL(p.threads, values[i].want);
        q = machine(8, 0, &slurm);
        placement_weigh(&p, &q);
        CU_ASSERT_EQUAL(p.threads, values[i].want);
    }
    tree_end(&tree);
}

/* --- this process --- */

/* Runs this program again, behind `prefix`, and gives the line that it prints. */
static void run_self(const char *prefix, char *line, size_t size)
{
    char self[512], command[2048];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    snprintf(command, sizeof command, "%s PLACEMENT_SHOW=1 '%s'", prefix, self);
    line[0] = '\0';
    FILE *f = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    if (!fgets(line, (int)size, f))
        line[0] = '\0';
    CU_ASSERT_EQUAL(pclose(f), 0);
}

/* What the second run prints: threads, CPUs, CPUs of the mask after placement_find. It
 * runs before main, as libgomp does. */
__attribute__((constructor(65535))) static void show(void)
{
    if (!getenv("PLACEMENT_SHOW"))
        return;
    struct cpus cpus;
    struct placement p;
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    cpus_of_process(&cpus);
    cpus_print(&cpus, &b);
    if (placement_find(&p, 0, &alone, &e) < 0)
        _exit(1);
    cpu_set_t mask;
    sched_getaffinity(0, sizeof mask, &mask);
    printf("%u of %s, then %d\n", p.threads, qbuf_cstr(&b), CPU_COUNT(&mask));
    fflush(stdout);
    _exit(0);
}

/* Binding by the OpenMP runtime leaves the main thread one CPU before main begins, and
 * that is not what the process was given; the mask of taskset is. */
static void test_binding(void)
{
    struct cpus all;
    cpus_of_process(&all);
    unsigned n = cpus_count(&all), first = 0;
    while (!cpus_has(&all, first))
        first++;
    char line[512], want[512], prefix[512];
    struct qbuf list = QBUF_INIT;
    cpus_print(&all, &list);
    uint64_t threads = n, quota = qcgroup_cpu_milli("");
    if (quota > 0 && quota / 1000 < n)
        threads = quota < 1000 ? 1 : quota / 1000;
    snprintf(want, sizeof want, "%" PRIu64 " of %s, then %u\n", threads,
             qbuf_cstr(&list), n);
    qbuf_release(&list);
    static const char clean[] =
        "env -u OMP_NUM_THREADS -u SLURM_CPUS_PER_TASK -u "
        "OMP_PLACES -u OMP_PROC_BIND -u SLURM_STEP_NUM_TASKS -u "
        "OMPI_COMM_WORLD_SIZE -u PMI_SIZE";
    static const char *const binds[] = {"", "OMP_PROC_BIND=true", "OMP_PROC_BIND=close",
                                        "OMP_PROC_BIND=false", "OMP_PLACES=cores"};
    for (size_t i = 0; i < sizeof binds / sizeof binds[0]; i++) {
        snprintf(prefix, sizeof prefix, "%s %s", clean, binds[i]);
        run_self(prefix, line, sizeof line);
        CU_ASSERT_STRING_EQUAL(line, want);
        snprintf(prefix, sizeof prefix, "taskset -c %u %s %s", first, clean, binds[i]);
        run_self(prefix, line, sizeof line);
        char one[64];
        snprintf(one, sizeof one, "1 of %u, then 1\n", first);
        CU_ASSERT_STRING_EQUAL(line, one);
    }
    snprintf(prefix, sizeof prefix, "%s OMP_PLACES='{%u}'", clean, first);
    run_self(prefix, line, sizeof line);
    snprintf(want, sizeof want, "1 of %u, then 1\n", first);
    CU_ASSERT_STRING_EQUAL(line, want);
}

static void test_find(void)
{
    struct placement p;
    struct qerr e = QERR_INIT;
    unsetenv("OMPI_COMM_WORLD_SIZE");
    unsetenv("PMI_SIZE");
    unsetenv("SLURM_STEP_NUM_TASKS");
    CU_ASSERT_EQUAL(placement_find(&p, 1, &alone, &e), 0);
    CU_ASSERT_EQUAL(p.threads, 1);
    CU_ASSERT_EQUAL(placement_find(&p, 0, &alone, &e), 0);
    CU_ASSERT(p.threads >= 1 && p.threads <= p.cpus);
    CU_ASSERT_FALSE(placement_is_crowded(&p));

    CU_ASSERT_EQUAL(placement_find(&p, p.cpus + 1, &alone, &e), 0); /* not refused */
    CU_ASSERT_EQUAL(p.threads, p.cpus + 1);
    CU_ASSERT(placement_is_crowded(&p));

    setenv("SLURM_STEP_NUM_TASKS", "2", 1);
    struct placement untouched = p;
    CU_ASSERT_EQUAL(placement_find(&p, 1, &alone, &e), -Q_EUSAGE);
    CU_ASSERT_EQUAL(p.threads, untouched.threads);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "SLURM_STEP_NUM_TASKS"));
    unsetenv("SLURM_STEP_NUM_TASKS");

    /* Two ranks share the CPUs. */
    const struct placement_peers two = {2, 2};
    CU_ASSERT_EQUAL(placement_find(&p, 0, &two, &e), 0);
    CU_ASSERT(p.threads == p.cpus / 2 || (p.cpus == 1 && p.threads == 1));
}

static const struct unit_test tests[] = {
    {"sets of CPUs", test_cpus}, {"the least counts", test_least_counts},
    {"ranks", test_ranks},       {"quota", test_quota},
    {"-j", test_option},         {"environment", test_environment},
    {"binding", test_binding},   {"this process", test_find},
};

UNIT_MAIN("placement", tests)
