/*
 * The helper is sought in the directory QUERN_LIBEXEC names; else where the Makefile
 * builds and installs it, seen from this program: libexec/quern-qs beside it, or above
 * it (tests), or ../libexec/quern/quern-qs.
 *
 * It starts with every signal blocked: what a terminal or a batch system sends to the
 * whole process group must not look like a crash of the helper before our own stop flag
 * is raised. SIGKILL is how it ends early. Its answer comes through a pipe that no
 * other child inherits.
 */
#include "arith/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arith/stop.h"

enum { POLL_MS = 5 };

struct helper {
    char program[HELPER_PATH];
    char directory[HELPER_PATH];
    pid_t pid;
    int out; /* what it prints */
};

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

bool helper_program(char path[HELPER_PATH])
{
    static const char *const places[] = {"libexec/quern-qs", "../libexec/quern-qs",
                                         "../libexec/quern/quern-qs"};
    const char *named = getenv("QUERN_LIBEXEC");
    if (named && *named) {
        int len = snprintf(path, HELPER_PATH, "%s/quern-qs", named);
        return len > 0 && len < HELPER_PATH && is_program(path);
    }
    char self[HELPER_PATH - 64];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return false;
    self[len] = '\0';
    char *name = strrchr(self, '/');
    if (!name)
        return false;
    *name = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, HELPER_PATH, "%s/%s", self, places[i]);
        if (is_program(path))
            return true;
    }
    return false;
}

static bool make_directory(char path[HELPER_PATH])
{
    const char *tmp = getenv("TMPDIR");
    int len =
        snprintf(path, HELPER_PATH, "%s/quern-qs.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return len > 0 && len < HELPER_PATH && mkdtemp(path);
}

static void remove_directory(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(path);
}

/* Starts the program with its output on `to`, every signal blocked. */
static bool spawn(struct helper *h, char *const *argv, int to)
{
    extern char **environ;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t all;
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    bool ok = posix_spawnattr_init(&attr) == 0;
    if (ok) {
        ok = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) ==
                 0 &&
             posix_spawn_file_actions_adddup2(&files, to, 1) == 0 &&
             posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) ==
                 0 &&
             posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK) == 0 &&
             posix_spawnattr_setsigmask(&attr, &all) == 0 &&
             posix_spawn(&h->pid, h->program, &files, &attr, argv, environ) == 0;
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return ok;
}

static bool start(struct helper *h, enum helper_task task, const mpz_t n)
{
    char number[HELPER_MAX_DIGITS + 8], parent[24], prove[] = "--prove";
    char *argv[6];
    size_t argc = 0;
    int ends[2];
    mpz_get_str(number, 10, n);
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    argv[argc++] = h->program;
    if (task == HELPER_PROVE)
        argv[argc++] = prove;
    argv[argc++] = number;
    argv[argc++] = h->directory;
    argv[argc++] = parent;
    argv[argc] = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    bool ok = spawn(h, argv, ends[1]);
    close(ends[1]);
    h->out = ends[0];
    if (!ok)
        close(ends[0]);
    return ok;
}

/* Reads until the helper closes its output. */
static enum helper_status read_answer(const struct helper *h, struct helper_answer *a,
                                      const atomic_bool *stop)
{
    struct pollfd fd = {.fd = h->out, .events = POLLIN};
    for (;;) {
        if (stop_raised(stop))
            return HELPER_STOPPED;
        int ready = poll(&fd, 1, POLL_MS);
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        if (ready < 0 || a->len == HELPER_ANSWER)
            return HELPER_FAILED;
        ssize_t got = read(h->out, a->text + a->len, HELPER_ANSWER - a->len);
        if (got == 0)
            return HELPER_DONE;
        if (got > 0)
            a->len += (size_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            return HELPER_FAILED;
    }
}

/* Ends the process in any case, and gives whether it ended well by itself. A process
 * that has closed its output is about to end. */
static bool reap(const struct helper *h, bool kill_it)
{
    int status = 0;
    pid_t got;
    if (kill_it)
        kill(h->pid, SIGKILL);
    do
        got = waitpid(h->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

enum helper_status helper_run(struct helper_answer *answer, enum helper_task task,
                              const mpz_t n, const atomic_bool *stop)
{
    struct helper h;
    answer->len = 0;
    if (mpz_sizeinbase(n, 10) > HELPER_MAX_DIGITS || !helper_program(h.program) ||
        !make_directory(h.directory))
        return HELPER_FAILED;
    enum helper_status status = HELPER_FAILED;
    if (start(&h, task, n)) {
        status = read_answer(&h, answer, stop);
        close(h.out);
        bool well = reap(&h, status != HELPER_DONE);
        if (status == HELPER_DONE && !well)
            status = HELPER_FAILED;
    }
    answer->text[answer->len] = '\0';
    remove_directory(h.directory);
    return status;
}
