#include "cmd/info.h"
#include "cmd/options.h"
#include "engine/comm.h"

#include <gmp.h>
#include <string.h>

#include "capture.h"
#include "engine/placement.h"
#include "unit.h"

/* The value of a key in a text of "key: value" lines, or "" when it is not there. */
static const char *value_of(const char *text, const char *key)
{
    static char value[512];
    size_t n = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, key, n) == 0 && strncmp(line + n, ": ", 2) == 0) {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + n + 2, "\n"),
                     line + n + 2);
            return value;
        }
    }
    return "";
}

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void test_text(void)
{
    static const char *const keys[] = {
        "version", "compiler",  "build",    "gmp",      "ecm",       "openmp",
        "mpi",     "threads",   "affinity", "launcher", "cpu quota", "processor path",
        "helper",  "primesieve"};
    struct qbuf b = QBUF_INIT;
    info_text(&b);
    const char *text = qbuf_cstr(&b);
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    CU_ASSERT_EQUAL(lines, sizeof keys / sizeof keys[0]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CU_ASSERT_STRING_NOT_EQUAL(value_of(text, keys[i]), "");
    CU_ASSERT_STRING_EQUAL(value_of(text, "version"), QUERN_VERSION);
    CU_ASSERT_STRING_EQUAL(value_of(text, "gmp"), gmp_version);
    struct qbuf mpi = QBUF_INIT;
    comm_list(&mpi);
    CU_ASSERT_STRING_EQUAL(value_of(text, "mpi"), qbuf_cstr(&mpi));
    qbuf_release(&mpi);
#if defined(__clang__)
    CU_ASSERT_PTR_NOT_NULL(strstr(value_of(text, "compiler"), "lang"));
#else
    CU_ASSERT_STRING_EQUAL(value_of(text, "compiler"), "gcc " __VERSION__);
#endif
    qbuf_release(&b);
}

static void test_surroundings(void)
{
    struct qbuf b = QBUF_INIT, list = QBUF_INIT;
    struct cpus all;
    cpus_of_process(&all);
    cpus_print(&all, &list);

    set("OMP_NUM_THREADS", "1");
    set("SLURM_CPUS_PER_TASK", NULL);
    set("OMPI_COMM_WORLD_SIZE", NULL);
    set("PMI_SIZE", NULL);
    set("SLURM_STEP_NUM_TASKS", "3");
    info_text(&b);
    const char *text = qbuf_cstr(&b);
    CU_ASSERT_STRING_EQUAL(value_of(text, "affinity"), qbuf_cstr(&list));
    CU_ASSERT_STRING_EQUAL(value_of(text, "launcher"), "Slurm (srun), 3 processes");
    const char *threads = value_of(text, "threads");
    CU_ASSERT_EQUAL(strncmp(threads, "1 (", 3), 0);
    if (cpus_count(&all) > 1 && strcmp(value_of(text, "cpu quota"), "none") == 0)
        CU_ASSERT_STRING_EQUAL(value_of(text, "threads"), "1 (OMP_NUM_THREADS=1)");

    set("SLURM_STEP_NUM_TASKS", NULL);
    qbuf_clear(&b);
    info_text(&b);
    CU_ASSERT_STRING_EQUAL(value_of(qbuf_cstr(&b), "launcher"), "none");
    set("OMP_NUM_THREADS", NULL);
    qbuf_release(&b);
    qbuf_release(&list);
}

static void test_command(void)
{
    struct job job;
    struct qerr e = QERR_INIT;
    struct ending ending = {0, false};
    struct capture c;
    static char text[4096];
    const struct qopt *const tables[] = {options_info};
    CU_ASSERT_EQUAL_FATAL(job_init(&job, "info", tables, 1, &e), 0);
    CU_ASSERT_EQUAL_FATAL(job_add_input(&job, INPUT_STREAM, "-", &e), 0);
    capture_begin(&c, STDOUT_FILENO);
    CU_ASSERT_EQUAL(cmd_info(&job, &ending, &e), 0);
    CU_ASSERT(capture_next(&c, text, sizeof text));
    CU_ASSERT_EQUAL(strncmp(text, "version: ", 9), 0);

    CU_ASSERT_EQUAL_FATAL(job_set(&job, job_find(&job, "affinity"), "yes", &e), 0);
    CU_ASSERT_EQUAL(cmd_info(&job, &ending, &e), 0);
    CU_ASSERT(capture_next(&c, text, sizeof text));
    CU_ASSERT_EQUAL(strncmp(text, "CPUs ", 5), 0);

    CU_ASSERT_EQUAL_FATAL(job_add_input(&job, INPUT_FILE, "x", &e), 0);
    CU_ASSERT_EQUAL(cmd_info(&job, &ending, &e), -Q_EUSAGE);
    CU_ASSERT_STRING_EQUAL(e.text, "info takes no INPUT");
    CU_ASSERT_FALSE(capture_next(&c, text, sizeof text));
    capture_end(&c);
    job_release(&job);
}

static const struct unit_test tests[] = {
    {"text", test_text},
    {"surroundings", test_surroundings},
    {"command", test_command},
};

UNIT_MAIN("info", tests)
