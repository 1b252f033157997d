/*
 * Files and standard input. Regular files are read in blocks of a chunk; a pipe or a
 * terminal hands on what it has as soon as nothing more is there, after a short linger
 * that lets a fast writer fill a block.
 *
 * Positions in a compressed file count the bytes of its text; reading goes on there by
 * decompressing and dropping what comes before.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qclock.h"
#include "source/cut.h"
#include "source/decompress.h"
#include "source/source.h"

enum {
    PIPE_BYTES = 1 << 20, /* a pipe's default 64 KiB halves the rate */
    LINGER_NS = 2000000
};

struct file {
    int fd;
    bool slow;         /* a pipe, a terminal: data may be long in coming */
    uint64_t since_ns; /* when the last data came that had to be waited for */
    const char *name;
    struct decompress decompress;
    struct cut cut;
};

/* A thousand small files are opened as quickly as one large one is read: no call is
 * made that is not needed. */
static int open_input(const struct input *in, struct stat *st, struct qerr *e)
{
    bool stream = in->kind == INPUT_STREAM;
    int fd = stream ? STDIN_FILENO : open(in->text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return qerr_sys(e, Q_EINPUT, errno, "%s", in->name);
    int flags = stream ? fcntl(fd, F_GETFL) : 0;
    if (flags < 0 || flags & O_PATH)
        return qerr_set(e, Q_EINPUT, "standard input is closed");
    int err = fstat(fd, st) != 0 ? errno : S_ISDIR(st->st_mode) ? EISDIR : 0;
    if (err != 0) {
        if (fd != STDIN_FILENO)
            close(fd);
        return qerr_sys(e, Q_EINPUT, err, "%s", in->name);
    }
    return fd;
}

static void close_input(int fd)
{
    if (fd != STDIN_FILENO)
        close(fd);
}

static int file_check(const struct input *in, struct qerr *e)
{
    struct stat st;
    /* Opening a FIFO has effects on its writer, so that waits until it is read. */
    bool there = in->kind == INPUT_FILE && stat(in->text, &st) == 0;
    if (there && S_ISFIFO(st.st_mode))
        return 0;
    if (there && S_ISREG(st.st_mode) &&
        faccessat(AT_FDCWD, in->text, R_OK, AT_EACCESS) == 0)
        return 0;
    int fd = open_input(in, &st, e);
    if (fd < 0)
        return fd;
    close_input(fd);
    return 0;
}

static int file_ident(const struct job *job, const struct input *in, struct qbuf *out,
                      struct qerr *e)
{
    (void)job;
    struct stat st;
    if (in->kind == INPUT_STREAM)
        return 1;
    if (stat(in->text, &st) != 0)
        return qerr_sys(e, Q_EINPUT, errno, "%s", in->name);
    if (!S_ISREG(st.st_mode))
        return 1;
    qbuf_printf(out, "size %" PRIu64 " time %" PRId64 ".%09ld", (uint64_t)st.st_size,
                (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return qbuf_check(out, e);
}

/* Whether more data comes within the linger, which began when there was something to
 * hand on: a steady writer, however slow, must not hold up what it has written. */
static bool more_soon(const struct file *f)
{
    uint64_t passed = qclock_ns() - f->since_ns;
    if (passed >= LINGER_NS)
        return false;
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    struct timespec left = {0, (long)(LINGER_NS - passed)};
    return ppoll(&p, 1, &left, NULL) != 0;
}

static ssize_t file_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct file *f = from;
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    if (f->slow && !wait && !more_soon(f))
        return CUT_NOTHING_NOW;
    ssize_t got;
    while ((got = read(f->fd, to, n)) < 0) {
        /* Whoever shares a terminal or a pipe may have made it non-blocking. */
        if (errno == EAGAIN)
            (void)poll(&p, 1, -1);
        else if (errno != EINTR)
            return qerr_sys(e, Q_EINPUT, errno, "read %s", f->name);
    }
    if (f->slow && wait)
        f->since_ns = qclock_ns();
    return got;
}

/* Makes ready to read from `at` on. */
static int go_to(struct file *f, const struct position *at, struct qerr *e)
{
    char head[DECOMPRESS_HEAD];
    ssize_t n = at->offset > 0 ? pread(f->fd, head, sizeof head, 0) : 0;
    bool skip = n > 0 && decompress_knows(head, (size_t)n);
    bool seek = at->offset > 0 && !skip;
    decompress_init(&f->decompress, file_read, f, f->name, seek);
    if (skip)
        return decompress_skip(&f->decompress, at->offset, e);
    if (seek && (n < 0 || lseek(f->fd, (off_t)at->offset, SEEK_SET) < 0))
        return qerr_sys(e, Q_EINPUT, errno, "seek in %s", f->name);
    return 0;
}

static void file_close(void *state)
{
    struct file *f = state;
    close_input(f->fd);
    decompress_release(&f->decompress);
    cut_release(&f->cut);
    free(f);
}

static int file_open(void **state, struct sources *all, const struct input *in,
                     const struct position *at, struct qerr *e)
{
    (void)all;
    struct file *f = malloc(sizeof *f);
    if (!f)
        return qerr_nomem(e);
    struct stat st = {.st_size = 0};
    f->fd = open_input(in, &st, e);
    if (f->fd < 0) {
        free(f);
        return -(int)e->code;
    }
    f->slow = !S_ISREG(st.st_mode);
    f->name = in->name;
    if (f->slow)
        (void)fcntl(f->fd, F_SETPIPE_SZ, PIPE_BYTES); /* refused for what is no pipe */
    else if (st.st_size > CHUNK_TEXT)
        (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    cut_init(&f->cut, at);
    int rc = go_to(f, at, e);
    if (rc < 0) {
        file_close(f);
        return rc;
    }
    *state = f;
    return 0;
}

static int file_next(void *state, struct chunk *c, struct qerr *e)
{
    struct file *f = state;
    int rc = cut_next(&f->cut, decompress_read, &f->decompress, c, e);
    c->in_file = rc > 0 && !f->slow && !f->decompress.decoder;
    return rc;
}

const struct source source_file = {
    .name = "file",
    .check = file_check,
    .open = file_open,
    .ident = file_ident,
    .next = file_next,
    .close = file_close,
};
