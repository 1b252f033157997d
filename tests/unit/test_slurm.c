#include "engine/slurm.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/qclock.h"
#include "unit.h"

static const uint64_t SECOND = 1000000000;

/* An environment: names and values in turn, NULL at the end. */
static const char *get(void *state, const char *name)
{
    for (const char *const *at = state; *at; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

static struct slurm_limit begin(const char *const *vars)
{
    struct qenv env = {get, (void *)(uintptr_t)vars};
    struct slurm_limit s;
    slurm_begin(&s, &env, 0);
    return s;
}

#define BEGIN(...) begin((const char *const[]){__VA_ARGS__, NULL})

static void test_share(void)
{
    /* What is left, and what the run may take of it, in seconds. */
    static const struct {
        const char *left;
        uint64_t share_ms;
    } rows[] = {
        {"0:00", 0},
        {"0:01", 500},
        {"0:09\n", 4500},
        {"0:10", 5000},
        {"0:50", 45000},
        {"1:00", 54000},
        {"5:00\n", 270000},
        {"9:59", 540000},
        {"10:00", 540000},
        {"1:00:00", 3540000},
        {"1-00:00:00", 86340000},
        {"30-12:30:15\n", (UINT64_C(30) * 86400 + 45015 - 60) * 1000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_EQUAL(slurm_share(rows[i].left), rows[i].share_ms * 1000000);

    static const char *const none[] = {
        "",        "\n",    "UNLIMITED\n",   "NOT_SET", "INVALID", "17",
        "1:",      ":30",   "-1:00",         "1-",      "1-2",     "1:00 x",
        "1:2:3:4", "1:00x", "9999999999:00", "1h",      "1-1-1:00"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CU_ASSERT_EQUAL(slurm_share(none[i]), UINT64_MAX);
}

static void test_jobs(void)
{
    struct slurm_limit s = BEGIN("PATH", "/bin");
    CU_ASSERT_EQUAL(s.state, SLURM_SETTLED);
    CU_ASSERT_EQUAL(s.next_ns, UINT64_MAX);
    CU_ASSERT_EQUAL(s.until_ns, UINT64_MAX);
    slurm_poll(&s, UINT64_MAX - 1); /* asks nobody */
    CU_ASSERT_EQUAL(s.until_ns, UINT64_MAX);
    slurm_begin(&s, NULL, 0);
    CU_ASSERT_EQUAL(s.state, SLURM_SETTLED);

    s = BEGIN("SLURM_JOB_ID", "17");
    CU_ASSERT_EQUAL(s.state, SLURM_TO_ASK);
    CU_ASSERT_STRING_EQUAL(s.job, "17");
    CU_ASSERT(s.next_ns < SECOND);
    s = BEGIN("SLURM_JOB_ID", "19", "SLURM_ARRAY_JOB_ID", "17", "SLURM_ARRAY_TASK_ID",
              "2");
    CU_ASSERT_STRING_EQUAL(s.job, "19");
    s = BEGIN("SLURM_JOB_ID", "17", "SLURM_ARRAY_JOB_ID", "17", "SLURM_ARRAY_TASK_ID",
              "9");
    CU_ASSERT_STRING_EQUAL(s.job, "17_9");

    /* Not what Slurm sets: nobody is asked with it. */
    s = BEGIN("SLURM_JOB_ID", "");
    CU_ASSERT_EQUAL(s.state, SLURM_SETTLED);
    s = BEGIN("SLURM_JOB_ID", "17;x");
    CU_ASSERT_EQUAL(s.state, SLURM_SETTLED);
    s = BEGIN("SLURM_JOB_ID", "1111111111111111111111111111111111111111");
    CU_ASSERT_EQUAL(s.state, SLURM_SETTLED);
}

/* --- a squeue of our own --- */

static char folder[] = "/tmp/quern-slurm.XXXXXX";

/* The first squeue in PATH is a script with that body. */
static void make_squeue(const char *body)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/squeue", folder);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fprintf(f, "#!/bin/sh\n%s\n", body);
    fclose(f);
    CU_ASSERT_EQUAL(chmod(path, 0755), 0);
}

static bool has_children(void)
{
    return waitpid(-1, NULL, WNOHANG) >= 0;
}

/* Polls until it is settled: nanoseconds between asking and the end that it told. */
static uint64_t ask(struct slurm_limit *s)
{
    *s = BEGIN("SLURM_JOB_ID", "17");
    slurm_poll(s, 0); /* too early: nothing is begun */
    CU_ASSERT_EQUAL(s->state, SLURM_TO_ASK);
    s->next_ns = 0;
    uint64_t start = qclock_ns();
    while (s->state != SLURM_SETTLED && qclock_ns() - start < 15 * SECOND) {
        usleep(5000);
        slurm_poll(s, qclock_ns());
    }
    CU_ASSERT_EQUAL(s->state, SLURM_SETTLED);
    CU_ASSERT(!has_children());
    return s->until_ns == UINT64_MAX ? UINT64_MAX : s->until_ns - start;
}

static void test_answers(void)
{
    struct slurm_limit s;
    make_squeue("[ \"$*\" = '-h -j 17 -o %L' ] && echo 10:00");
    uint64_t share = ask(&s);
    CU_ASSERT(share >= 540 * SECOND && share < 560 * SECOND);
    make_squeue("printf 1:; sleep 0.2; echo 00"); /* in two pieces */
    share = ask(&s);
    CU_ASSERT(share >= 54 * SECOND && share < 74 * SECOND);
    make_squeue("echo UNLIMITED");
    CU_ASSERT_EQUAL(ask(&s), UINT64_MAX);
    make_squeue("echo 'slurm_load_jobs error' >&2; exit 1");
    CU_ASSERT_EQUAL(ask(&s), UINT64_MAX);
    make_squeue("head -c 100000 /dev/zero"); /* more than we want to know */
    CU_ASSERT_EQUAL(ask(&s), UINT64_MAX);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/squeue", folder);
    CU_ASSERT_EQUAL(unlink(path), 0);
    char *old = strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    CU_ASSERT_EQUAL(ask(&s), UINT64_MAX); /* there is no squeue */
    setenv("PATH", old, 1);
    free(old);
}

/* One that does not answer: it is asked no longer than 20 s, or until the run ends. */
static void test_silence(void)
{
    make_squeue("exec sleep 60");
    struct slurm_limit s = BEGIN("SLURM_JOB_ID", "17");
    slurm_poll(&s, SECOND);
    CU_ASSERT_EQUAL(s.state, SLURM_ASKED);
    slurm_poll(&s, 2 * SECOND);
    CU_ASSERT_EQUAL(s.state, SLURM_ASKED);
    CU_ASSERT(s.next_ns > 2 * SECOND && s.next_ns < 3 * SECOND);
    slurm_poll(&s, 30 * SECOND);
    CU_ASSERT_EQUAL(s.state, SLURM_SETTLED);
    CU_ASSERT_EQUAL(s.until_ns, UINT64_MAX);
    CU_ASSERT(!has_children());

    s = BEGIN("SLURM_JOB_ID", "17");
    slurm_poll(&s, SECOND);
    CU_ASSERT_EQUAL(s.state, SLURM_ASKED);
    slurm_release(&s);
    CU_ASSERT(!has_children());
    slurm_release(&s); /* nothing is left to end */
}

static const struct unit_test tests[] = {{"what is left", test_share},
                                         {"jobs", test_jobs},
                                         {"answers", test_answers},
                                         {"silence", test_silence}};

int main(void)
{
    if (!mkdtemp(folder))
        return 2;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
    setenv("PATH", path, 1);
    int status = unit_main("slurm", tests, sizeof tests / sizeof *tests);
    snprintf(path, sizeof path, "%s/squeue", folder);
    unlink(path);
    rmdir(folder);
    return status;
}
