#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qfault.h"

enum { PIPE_BYTES = 1 << 20, LOCK_TRIES = 25, LOCK_NAP_US = 20000 };

struct output {
    int fd;
    const char *path; /* for messages */
    bool regular;
};

/* Two runs must not write one file, by whatever names. A run that was killed a moment
 * ago may still be on its way out. */
static bool lock(int fd)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return true;
        usleep(LOCK_NAP_US);
    }
    return false;
}

/* Cuts a regular file behind `keep` bytes and goes there. */
static int cut_behind(struct output *o, uint64_t keep)
{
    if (!o->regular)
        return 0;
    if (ftruncate(o->fd, (off_t)keep) != 0 || lseek(o->fd, (off_t)keep, SEEK_SET) < 0)
        return errno;
    return 0;
}

int output_open(void **state, const struct sink_target *target, struct qerr *e)
{
    const char *path = target->path;
    uint64_t keep = target->keep;
    struct output *o = malloc(sizeof *o);
    if (!o)
        return qerr_nomem(e);
    o->path = path ? path : "standard output";
    o->fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : STDOUT_FILENO;
    struct stat st = {0};
    int err = o->fd < 0 || fstat(o->fd, &st) != 0 ? errno : 0;
    if (err == 0) {
        o->regular = S_ISREG(st.st_mode);
        if (S_ISFIFO(st.st_mode))
            (void)fcntl(o->fd, F_SETPIPE_SZ, PIPE_BYTES);
        if (path && o->regular && !lock(o->fd)) {
            qerr_set(e, Q_EUSAGE, "another run is writing %s", path);
            close(o->fd);
            free(o);
            return -(int)e->code;
        }
        if (path)
            err = cut_behind(o, keep);
    }
    if (err != 0) {
        qerr_sys(e, Q_EIO, err, "%s", o->path);
        if (path && o->fd >= 0)
            close(o->fd);
        free(o);
        return -(int)e->code;
    }
    *state = o;
    return 0;
}

int output_write(void *state, const char *bytes, size_t n, struct qerr *e)
{
    struct output *o = state;
    struct pollfd room = {.fd = o->fd, .events = POLLOUT};
    bool dies = n > 0 && qfault_here("write"); /* and leaves half of it */
    while (n > 0) {
        ssize_t done = write(o->fd, bytes, dies ? n / 2 : n);
        if (dies)
            qfault_die();
        if (done >= 0) {
            bytes += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN) {
            (void)poll(&room, 1, -1); /* somebody has made it non-blocking */
        } else if (errno == EPIPE) {
            return qerr_set(e, Q_EPIPE, "%s: closed", o->path);
        } else if (errno != EINTR) {
            return qerr_sys(e, Q_EIO, errno, "write %s", o->path);
        }
    }
    return 0;
}

int output_mark(void *state, const char *mark, struct qerr *e)
{
    (void)mark;
    struct output *o = state;
    if (o->regular && fdatasync(o->fd) != 0)
        return qerr_sys(e, Q_EIO, errno, "sync %s", o->path);
    return 0;
}

int output_close(void *state, struct qerr *e)
{
    struct output *o = state;
    /* Some file systems tell of a full disk only here. */
    int rc = close(o->fd) == 0 ? 0 : qerr_sys(e, Q_EIO, errno, "close %s", o->path);
    free(o);
    return rc;
}
