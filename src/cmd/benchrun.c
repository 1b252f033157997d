#include "cmd/benchrun.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qlog.h"
#include "cmd/outfile.h"

enum { PIECE = 1 << 16 };

/* --- signals --- */

static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1};
enum { STOPS = sizeof stops / sizeof *stops };

static volatile sig_atomic_t caught;

/* The processes that run: written while the signals are blocked, read by the handler.
 * One that has been waited for is 0. */
static pid_t *running;
static unsigned nrunning;

static void on_signal(int number)
{
    int error = errno;
    caught = number;
    for (unsigned k = 0; k < nrunning; k++)
        if (running[k] > 0)
            kill(running[k], SIGTERM);
    errno = error;
}

static void hold_signals(sigset_t *old)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < STOPS; i++)
        sigaddset(&set, stops[i]);
    sigprocmask(SIG_BLOCK, &set, old);
}

void bench_catch(void)
{
    caught = 0;
    for (int i = 0; i < STOPS; i++) {
        struct sigaction old, action = {.sa_handler = on_signal};
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
    }
}

int bench_caught(void)
{
    return caught;
}

/* --- running --- */

/* `fd` becomes what `path` is. */
static int redirect(int fd, const char *path, int how)
{
    int got = open(path, how, 0600);
    if (got < 0 || got == fd)
        return got;
    int rc = dup2(got, fd);
    close(got);
    return rc;
}

/* In the new process, which has one thread: ends with bench, however that ends, unless
 * it has ended already. */
static _Noreturn void become(char *const *argv, const char *folder, unsigned k,
                             pid_t parent, const sigset_t *mask)
{
    char path[BENCH_PATH];
    const int how = O_WRONLY | O_CREAT | O_TRUNC;
    enum { CANNOT_START = 127 };
    bool ready = prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
    snprintf(path, sizeof path, "%s/err.%u", folder, k);
    ready = ready && redirect(STDERR_FILENO, path, how) >= 0;
    snprintf(path, sizeof path, "%s/out.%u", folder, k);
    ready = ready && redirect(STDOUT_FILENO, path, how) >= 0 &&
            redirect(STDIN_FILENO, "/dev/null", O_RDONLY) >= 0;
    nrunning = 0; /* these are not its own */
    for (int i = 0; i < STOPS; i++) {
        struct sigaction old;
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler == on_signal)
            signal(stops[i], SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (ready)
        execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(CANNOT_START);
}

/* Starts process `k`, unless a signal has come. */
static int start(char *const *argv, const char *folder, unsigned k, struct qerr *e)
{
    sigset_t old;
    pid_t parent = getpid();
    hold_signals(&old);
    pid_t pid = caught ? 0 : fork();
    if (pid == 0 && !caught)
        become(argv, folder, k, parent, &old);
    int error = errno;
    if (pid > 0)
        running[nrunning++] = pid;
    sigprocmask(SIG_SETMASK, &old, NULL);
    return pid < 0 ? qerr_sys(e, Q_EIO, error, "cannot start %s", argv[0]) : 0;
}

void bench_said(const char *folder, unsigned k, char text[BENCH_SAID])
{
    char path[BENCH_PATH];
    struct qbuf all = QBUF_INIT;
    struct qerr ignored = QERR_INIT;
    snprintf(path, sizeof path, "%s/err.%u", folder, k);
    outfile_read(path, 1 << 20, &all, &ignored);
    while (all.len > 0 && all.data[all.len - 1] == '\n')
        all.len--;
    const char *line = qbuf_cstr(&all);
    const char *newline = strrchr(line, '\n');
    snprintf(text, BENCH_SAID, "%.*s", BENCH_SAID - 1, newline ? newline + 1 : line);
    qbuf_release(&all);
}

/* Whether it may have ended so. */
static int judge(const siginfo_t *end, int most, const char *folder, unsigned k,
                 struct qerr *e)
{
    char said[BENCH_SAID];
    if (end->si_code == CLD_EXITED && end->si_status <= most)
        return 0;
    bench_said(folder, k, said);
    if (end->si_code == CLD_EXITED)
        return qerr_set(e, Q_EINPUT, "a run ended with status %d: %s", end->si_status,
                        said);
    return qerr_set(e, Q_EINPUT, "a run was killed by SIG%s: %s",
                    sigabbrev_np(end->si_status), said);
}

/* Waits for process `k`. Until it is taken off the list its number is not given to
 * another. */
static int wait_for(unsigned k, struct bench_time *time, siginfo_t *end)
{
    struct rusage u;
    pid_t pid = running[k];
    int status;
    while (waitid(P_PID, (id_t)pid, end, WEXITED | WNOWAIT) < 0)
        if (errno != EINTR)
            return -1;
    running[k] = 0;
    if (wait4(pid, &status, 0, &u) < 0)
        return -1;
    time->cpu_seconds += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
    uint64_t peak = (uint64_t)u.ru_maxrss * 1024;
    if (peak > time->peak_bytes)
        time->peak_bytes = peak;
    return 0;
}

/* No one of them is left behind, and the handler knows of none. */
static void forget_all(void)
{
    sigset_t old;
    hold_signals(&old);
    free(running);
    running = NULL;
    nrunning = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
}

int bench_execute(const struct wordlist *argvs, unsigned n, int most,
                  const char *folder, struct bench_time *time, struct qerr *e)
{
    siginfo_t *ends = calloc(n, sizeof *ends);
    running = calloc(n, sizeof *running);
    *time = (struct bench_time){.seconds = 0};
    if (!ends || !running) {
        free(ends);
        forget_all();
        return qerr_nomem(e);
    }
    uint64_t begin = qclock_ns();
    for (unsigned k = 0; e->code == Q_OK && k < n; k++)
        start(argvs[k].at, folder, k, e);
    unsigned started = nrunning;
    for (unsigned k = 0; k < started; k++)
        if (wait_for(k, time, &ends[k]) < 0)
            qerr_sys(e, Q_EIO, errno, "wait for a run");
    time->seconds = (double)(qclock_ns() - begin) * 1e-9;
    if (caught)
        qerr_set(e, Q_ESTOP, "stopped by SIG%s", sigabbrev_np(caught));
    for (unsigned k = 0; k < started && e->code == Q_OK; k++) {
        judge(&ends[k], most, folder, k, e);
        if (ends[k].si_status > time->status)
            time->status = ends[k].si_status;
    }
    forget_all();
    free(ends);
    return -(int)e->code;
}

/* --- comparing --- */

static void add_timed(struct qhash *h, const char *line, size_t len)
{
    const char *tab = memrchr(line, '\t', len);
    qhash_add(h, line, tab ? (size_t)(tab - line) : len);
    qhash_add(h, "\n", 1);
}

/* A sum does not depend on the order. */
struct sums {
    uint64_t a, b, n;
};

static void add_line(struct sums *s, const char *line, size_t len)
{
    s->a += qhash_64(line, len, 1);
    s->b += qhash_64(line, len, 2);
    s->n++;
}

/* CLASS STATUS BYTES, and the URL. */
static void add_fetched(struct sums *s, const char *line, size_t len)
{
    const char *at = line, *stop = line + len, *end = NULL;
    const char *url = memrchr(line, '\t', len);
    for (int field = 0; at && field < 3; field++) {
        end = memchr(at, '\t', (size_t)(stop - at));
        at = end ? end + 1 : NULL;
    }
    struct qbuf kept = QBUF_INIT;
    qbuf_add(&kept, line, end ? (size_t)(end - line) : len);
    if (end)
        qbuf_add(&kept, url, (size_t)(stop - url));
    add_line(s, kept.data, kept.len);
    qbuf_release(&kept);
}

static void add_one(struct qhash *h, struct sums *s, const char *line, size_t len,
                    enum bench_compare how)
{
    if (how == BENCH_TIMED)
        add_timed(h, line, len);
    else if (how == BENCH_FETCHED)
        add_fetched(s, line, len);
    else
        add_line(s, line, len);
}

static void add_lines(struct qhash *h, struct sums *s, FILE *f, enum bench_compare how)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    while ((got = getline(&line, &room, f)) > 0) {
        size_t len = (size_t)got;
        add_one(h, s, line, line[len - 1] == '\n' ? len - 1 : len, how);
    }
    free(line);
}

static void add_bytes(struct qhash *h, FILE *f)
{
    char piece[PIECE];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        qhash_add(h, piece, n);
}

/* Outputs may be larger than the memory: no more than a line is held at a time. */
static int add_file(struct qhash *h, struct sums *s, const char *path,
                    enum bench_compare how, struct qerr *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return qerr_sys(e, Q_EINPUT, errno, "%s", path);
    if (how == BENCH_BYTES)
        add_bytes(h, f);
    else
        add_lines(h, s, f, how);
    int rc = feof(f) ? 0 : qerr_sys(e, Q_EINPUT, errno, "read %s", path);
    fclose(f);
    return rc;
}

static int is_visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static int add_body(struct sums *s, const char *path, struct qerr *e)
{
    char hex[QHASH_HEX];
    struct qhash *h = qhash_new(e);
    if (!h)
        return -(int)e->code;
    int rc = add_file(h, NULL, path, BENCH_BYTES, e);
    qhash_hex(h, hex);
    add_line(s, hex, strlen(hex));
    qhash_free(h);
    return rc;
}

/* The bodies in a folder, in any order: names may depend on who was first. */
static int add_folder(struct sums *s, const char *folder, unsigned k, struct qerr *e)
{
    char path[BENCH_PATH], file[BENCH_PATH + NAME_MAX + 1];
    struct dirent **names;
    snprintf(path, sizeof path, "%s/files/%u", folder, k);
    int rc = 0, n = scandir(path, &names, is_visible, NULL);
    if (n < 0)
        return qerr_sys(e, Q_EINPUT, errno, "%s", path);
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (rc == 0)
            rc = add_body(s, file, e);
        free(names[i]);
    }
    free(names);
    return rc;
}

int bench_digest(const char *folder, unsigned n, enum bench_compare how,
                 char hex[QHASH_HEX], struct qerr *e)
{
    struct sums s = {0, 0, 0};
    struct qhash *h = qhash_new(e);
    int rc = h ? 0 : -(int)e->code;
    for (unsigned k = 0; rc == 0 && k < n; k++) {
        char path[BENCH_PATH];
        snprintf(path, sizeof path, "%s/out.%u", folder, k);
        rc = how == BENCH_FILES ? add_folder(&s, folder, k, e)
                                : add_file(h, &s, path, how, e);
    }
    if (rc == 0) {
        if (how == BENCH_LINES || how == BENCH_FETCHED || how == BENCH_FILES)
            qhash_add(h, &s, sizeof s);
        qhash_hex(h, hex);
    }
    qhash_free(h);
    return rc;
}

/* --- cleaning up --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void bench_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
