#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tree.h"

static struct tree tree;

static const char *path_to(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", tree.root, name);
    return path;
}

static bool file_is(const char *path, const char *want)
{
    char got[200];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(got, 1, sizeof got, f) : 0;
    if (f)
        fclose(f);
    return f && n == strlen(want) && memcmp(got, want, n) == 0;
}

/* Puts `fd` in the place of standard output; returns what was there. */
static int swap_stdout(int fd)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    return saved;
}

static void restore_stdout(int saved)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

static void test_file(void)
{
    struct qerr e = QERR_INIT;
    void *state = NULL;
    tree_file(&tree, "/out", "something longer that was there before");
    const char *path = path_to("out");
    CU_ASSERT_EQUAL_FATAL(
        output_open(&state, &(struct sink_target){.path = path, .keep = 0}, &e), 0);
    CU_ASSERT(file_is(path, ""));
    CU_ASSERT_EQUAL(output_mark(state, NULL, &e), 0);
    CU_ASSERT_EQUAL(output_write(state, "7 prime\n", 8, &e), 0);
    CU_ASSERT_EQUAL(output_write(state, "", 0, &e), 0);
    CU_ASSERT_EQUAL(output_write(state, "8\n", 2, &e), 0);
    CU_ASSERT_EQUAL(output_mark(state, NULL, &e), 0);
    CU_ASSERT_EQUAL(output_close(state, &e), 0);
    CU_ASSERT(file_is(path, "7 prime\n8\n"));
}

/* What a journal has settled stays, and the rest goes. */
static void test_keep(void)
{
    struct qerr e = QERR_INIT;
    void *state = NULL;
    tree_file(&tree, "/kept", "7 prime\n8 compo");
    const char *path = path_to("kept");
    CU_ASSERT_EQUAL_FATAL(
        output_open(&state, &(struct sink_target){.path = path, .keep = 8}, &e), 0);
    CU_ASSERT(file_is(path, "7 prime\n"));
    CU_ASSERT_EQUAL(output_write(state, "9\n", 2, &e), 0);
    CU_ASSERT_EQUAL(output_mark(state, NULL, &e), 0);
    CU_ASSERT_EQUAL(output_close(state, &e), 0);
    CU_ASSERT(file_is(path, "7 prime\n9\n"));
}

static void check_refused(const char *path, int sys)
{
    struct qerr e = QERR_INIT;
    void *state = NULL;
    CU_ASSERT_EQUAL(
        output_open(&state, &(struct sink_target){.path = path, .keep = 0}, &e),
        -Q_EIO);
    CU_ASSERT_PTR_NULL(state);
    CU_ASSERT_EQUAL(e.sys, sys);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
}

static void test_refused(void)
{
    check_refused(path_to("missing/out"), ENOENT);
    check_refused(tree.root, EISDIR);
}

static void test_full(void)
{
    struct qerr e = QERR_INIT;
    void *state = NULL;
    CU_ASSERT_EQUAL_FATAL(
        output_open(&state, &(struct sink_target){.path = "/dev/full", .keep = 0}, &e),
        0);
    CU_ASSERT_EQUAL(output_write(state, "7\n", 2, &e), -Q_EIO);
    CU_ASSERT_EQUAL(e.sys, ENOSPC);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/dev/full"));
    CU_ASSERT_EQUAL(output_close(state, &e), 0);
}

static void test_pipe(void)
{
    struct qerr e = QERR_INIT;
    void *state = NULL;
    int ends[2];
    char got[8];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    int saved = swap_stdout(ends[1]);
    close(ends[1]);
    int opened =
        output_open(&state, &(struct sink_target){.path = NULL, .keep = 0}, &e);
    int wrote = output_write(state, "7\n", 2, &e);
    int marked = output_mark(state, NULL, &e);
    ssize_t n = read(ends[0], got, sizeof got);
    close(ends[0]);
    int gone = output_write(state, "8\n", 2, &e);
    int closed = output_close(state, &e);
    restore_stdout(saved);
    CU_ASSERT(opened == 0 && wrote == 0 && marked == 0 && closed == 0);
    CU_ASSERT(n == 2 && memcmp(got, "7\n", 2) == 0);
    CU_ASSERT_EQUAL(gone, -Q_EPIPE);
}

enum { MUCH = 3 << 20 };

static void *read_slowly(void *arg)
{
    static char got[MUCH + 1];
    size_t n = 0;
    ssize_t more;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    while ((more = read(*(int *)arg, got + n, sizeof got - n)) > 0)
        n += (size_t)more;
    for (size_t i = 0; i < n; i++)
        if (got[i] != (char)i)
            return NULL;
    return n == MUCH ? arg : NULL;
}

/* A pipe that takes what it can: more than it holds, also when it is non-blocking. */
static void check_much(int flags)
{
    static char bytes[MUCH];
    struct qerr e = QERR_INIT;
    void *state = NULL, *right = NULL;
    pthread_t thread;
    int ends[2];
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (char)i;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, flags);
    int saved = swap_stdout(ends[1]);
    close(ends[1]);
    pthread_create(&thread, NULL, read_slowly, &ends[0]);
    int rc = output_open(&state, &(struct sink_target){.path = NULL, .keep = 0}, &e);
    if (rc == 0)
        rc = output_write(state, bytes, MUCH, &e);
    output_close(state, &e);
    restore_stdout(saved);
    pthread_join(thread, &right);
    close(ends[0]);
    CU_ASSERT_EQUAL(rc, 0);
    CU_ASSERT_PTR_NOT_NULL(right);
}

static void test_much(void)
{
    check_much(0);
}

static void test_non_blocking(void)
{
    check_much(O_NONBLOCK);
}

static void test_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    tree_begin(&tree);
}

static void test_end(void)
{
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"a folder to work in", test_begin},
    {"a file", test_file},
    {"a file that is gone on with", test_keep},
    {"what cannot be written", test_refused},
    {"a full disk", test_full},
    {"a pipe, and its reader gone", test_pipe},
    {"more than a pipe holds", test_much},
    {"a non-blocking standard output", test_non_blocking},
    {"the folder goes", test_end},
};

UNIT_MAIN("output", tests)
