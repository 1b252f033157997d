/*
 * A job that reaches its time limit gets TERM, and KILL after a time that the site
 * sets. A run that stops by itself before that has everything journaled, and its status
 * 75 tells the batch script to go on. The margin is for what is behind the run: leaving
 * within a second, the last sync on a slow file system, the script's own end. A tenth
 * of what is left, but at least 5 s and at most a minute, is that; of less than 10 s,
 * the half.
 *
 * The number of the first task of an array is also the number of the whole array, for
 * which squeue has a line for each task: such a task is named ARRAY_TASK.
 */
#include "engine/slurm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/qlog.h"

#define SECOND UINT64_C(1000000000)

static const uint64_t ASK_AFTER_NS = SECOND / 4, LOOK_NS = SECOND / 20,
                      PATIENCE_NS = 20 * SECOND;

enum { MARGIN_LEAST = 5, MARGIN_MOST = 60, MARGIN_PART = 10, HALF_BELOW = 10 };

/* --- what squeue says --- */

/* Digits at *text, which goes behind them; -1 where there are none or too many. */
static int64_t take_number(const char **text)
{
    enum { MOST_DIGITS = 9 };
    size_t n = strspn(*text, "0123456789");
    if (n == 0 || n > MOST_DIGITS)
        return -1;
    int64_t value = 0;
    for (const char *end = *text + n; *text < end; ++*text)
        value = value * 10 + (**text - '0');
    return value;
}

/* Seconds of [days-][hours:]minutes:seconds, or -1. */
static int64_t read_left(const char *text)
{
    enum { HOURS = 24, SIXTY = 60, FIELDS = 3 };
    int64_t days = 0, seconds = 0, field = take_number(&text);
    if (field >= 0 && *text == '-') {
        days = field;
        text++;
        field = take_number(&text);
    }
    int fields = 1;
    for (; field >= 0 && *text == ':' && fields < FIELDS; fields++) {
        seconds = (seconds + field) * SIXTY;
        text++;
        field = take_number(&text);
    }
    if (field < 0 || fields < 2 || (*text != '\0' && *text != '\n'))
        return -1;
    return days * HOURS * SIXTY * SIXTY + seconds + field;
}

uint64_t slurm_share(const char *left)
{
    int64_t seconds = read_left(left);
    if (seconds < 0)
        return UINT64_MAX;
    if (seconds < HALF_BELOW)
        return (uint64_t)seconds * SECOND / 2;
    int64_t margin = seconds / MARGIN_PART;
    if (margin < MARGIN_LEAST)
        margin = MARGIN_LEAST;
    if (margin > MARGIN_MOST)
        margin = MARGIN_MOST;
    return (uint64_t)(seconds - margin) * SECOND;
}

/* --- asking it --- */

static bool is_number(const char *text)
{
    return text && *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

void slurm_begin(struct slurm_limit *s, const struct qenv *env, uint64_t start_ns)
{
    *s = (struct slurm_limit){.next_ns = UINT64_MAX, .until_ns = UINT64_MAX, .fd = -1};
    if (!env)
        return;
    const char *job = qenv_get(env, "SLURM_JOB_ID");
    const char *array = qenv_get(env, "SLURM_ARRAY_JOB_ID");
    const char *task = qenv_get(env, "SLURM_ARRAY_TASK_ID");
    if (!is_number(job))
        return;
    bool first = is_number(array) && is_number(task) && strcmp(job, array) == 0;
    int len =
        snprintf(s->job, sizeof s->job, first ? "%s_%s" : "%s", job, first ? task : "");
    if (len >= (int)sizeof s->job)
        return;
    s->state = SLURM_TO_ASK;
    s->next_ns = start_ns + ASK_AFTER_NS;
}

/* Starts squeue with its output in a pipe: its process id, or -1. It must not inherit
 * that INT and TERM are blocked here. */
static pid_t spawn(const char *job, int fds[2])
{
    char *argv[] = {"squeue", "-h", "-j", (char *)(uintptr_t)job, "-o", "%L", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, pipe_signal;
    pid_t child = -1;
    sigemptyset(&none);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    if (posix_spawn_file_actions_init(&files) != 0)
        return -1;
    if (posix_spawnattr_init(&how) == 0) {
        posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setsigdefault(&how, &pipe_signal);
        if (posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
                                             O_RDONLY, 0) != 0 ||
            posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
                                             O_WRONLY, 0) != 0 ||
            posix_spawn_file_actions_adddup2(&files, fds[1], STDOUT_FILENO) != 0 ||
            posix_spawnp(&child, argv[0], &files, &how, argv, environ) != 0)
            child = -1;
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&files);
    return child;
}

static void ask(struct slurm_limit *s, uint64_t now_ns)
{
    int fds[2];
    s->state = SLURM_SETTLED;
    s->next_ns = UINT64_MAX;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return;
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    s->child = spawn(s->job, fds);
    close(fds[1]);
    if (s->child < 0) {
        qlog_detail("squeue cannot be run: no time limit is known");
        close(fds[0]);
        return;
    }
    s->fd = fds[0];
    s->state = SLURM_ASKED;
    s->next_ns = now_ns + LOOK_NS;
    s->give_up_ns = now_ns + PATIENCE_NS;
}

void slurm_release(struct slurm_limit *s)
{
    if (s->state != SLURM_ASKED)
        return;
    kill(s->child, SIGKILL);
    while (waitpid(s->child, NULL, 0) < 0 && errno == EINTR)
        ;
    close(s->fd);
    s->state = SLURM_SETTLED;
    s->next_ns = UINT64_MAX;
}

/* The answer is whole. */
static void settle(struct slurm_limit *s, uint64_t now_ns)
{
    slurm_release(s);
    s->answer[s->len] = '\0';
    uint64_t share = slurm_share(s->answer);
    if (share == UINT64_MAX) {
        qlog_detail("job %s of Slurm has no time limit that squeue tells", s->job);
        return;
    }
    s->until_ns = now_ns + share;
    qlog_detail("job %s of Slurm leaves this run %" PRIu64 " s", s->job,
                share / SECOND);
}

void slurm_poll(struct slurm_limit *s, uint64_t now_ns)
{
    if (now_ns < s->next_ns || s->state == SLURM_SETTLED)
        return;
    if (s->state == SLURM_TO_ASK) {
        ask(s, now_ns);
        return;
    }
    ssize_t n;
    do {
        n = read(s->fd, s->answer + s->len, sizeof s->answer - 1 - s->len);
        s->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && s->len < sizeof s->answer - 1);
    bool waits = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (waits && now_ns < s->give_up_ns)
        s->next_ns = now_ns + LOOK_NS;
    else
        settle(s, now_ns);
}
