/*
 * The files are opened before anything is written anywhere, and emptied when the run
 * begins. They never block: who waits for a reader that does not read (of a FIFO, a
 * terminal) looks every LOOK_MS whether the run is to end, and then gives up.
 */
#include "source/fetchreport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qbuf.h"
#include "base/qjson.h"

enum { LOOK_MS = 50 };

/* One of the files. */
struct lines {
    int fd; /* -1: not asked for */
    const char *path;
    struct qbuf text; /* not written yet */
    struct qerr err;  /* the first thing that went wrong: then nothing is added */
};

struct fetch_report {
    struct lines report, failed;
    atomic_bool stopping; /* fetch_report_stop; any thread */
};

/* --- the files --- */

/* A FIFO is waited for here, and never again. */
static int lines_open(struct lines *l, const struct job *job, const char *option,
                      mode_t mode, struct qerr *e)
{
    l->path = job_word(job, option);
    if (!l->path)
        return 0;
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    if (l->fd < 0 || fcntl(l->fd, F_SETFL, O_NONBLOCK) != 0)
        return qerr_sys(e, Q_EIO, errno, "%s", l->path);
    return 0;
}

static int lines_begin(const struct lines *l, bool goes_on, struct qerr *e)
{
    struct stat st;
    if (l->fd < 0 || fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    if (goes_on ? lseek(l->fd, 0, SEEK_END) < 0 : ftruncate(l->fd, 0) != 0)
        return qerr_sys(e, Q_EIO, errno, "%s", l->path);
    return 0;
}

/* Waits until there is room. */
static int wait_for_room(struct fetch_report *r, struct lines *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLOUT};
    bool stopping;
    do {
        stopping = atomic_load(&r->stopping);
        if (poll(&p, 1, LOOK_MS) > 0)
            return 0;
    } while (!stopping);
    return qerr_set(&l->err, Q_EIO, "%s is not whole: nobody reads it", l->path);
}

static void lines_write(struct fetch_report *r, struct lines *l)
{
    size_t done = 0;
    int rc = l->err.code == Q_OK ? qbuf_check(&l->text, &l->err) : -1;
    while (rc == 0 && done < l->text.len) {
        ssize_t n = write(l->fd, l->text.data + done, l->text.len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            rc = wait_for_room(r, l);
        else if (errno != EINTR)
            rc = qerr_sys(&l->err, Q_EIO, errno, "write %s", l->path);
    }
    qbuf_clear(&l->text);
}

static int lines_close(struct fetch_report *r, struct lines *l, struct qerr *e)
{
    if (l->fd >= 0) {
        lines_write(r, l);
        if (close(l->fd) != 0)
            (void)qerr_sys(&l->err, Q_EIO, errno, "write %s", l->path);
    }
    qbuf_release(&l->text);
    if (l->err.code != Q_OK && e->code == Q_OK)
        *e = l->err;
    return -(int)l->err.code;
}

/* --- both --- */

int fetch_report_open(struct fetch_report **report, const struct job *job,
                      struct qerr *e)
{
    struct fetch_report *r = calloc(1, sizeof *r);
    if (!r)
        return qerr_nomem(e);
    r->report = r->failed = (struct lines){.fd = -1, .text = QBUF_INIT};
    int rc = lines_open(&r->report, job, "report", 0666, e);
    if (rc == 0)
        rc = lines_open(&r->failed, job, "failed", 0600,
                        e); /* URLs as they were given */
    if (rc < 0) {
        struct qerr ignored = QERR_INIT;
        (void)fetch_report_close(r, &ignored);
        return rc;
    }
    *report = r;
    return 0;
}

int fetch_report_begin(struct fetch_report *r, bool goes_on, struct qerr *e)
{
    int rc = lines_begin(&r->report, goes_on, e);
    return rc < 0 ? rc : lines_begin(&r->failed, goes_on, e);
}

static void put_report(struct qbuf *text, const struct fetch_outcome *o)
{
    struct qjson_writer w = QJSON_WRITER(text);
    qjson_object(&w, NULL);
    w.flat = true;
    qjson_count(&w, "id", o->id);
    qjson_string(&w, "url", o->url);
    qjson_string(&w, "final_url", o->final_url);
    qjson_count(&w, "status", (uint64_t)o->status);
    qjson_string(&w, "class", fetch_class_name(o->class));
    qjson_string(&w, "error", o->error);
    qjson_count(&w, "tries", o->tries);
    qjson_count(&w, "bytes", o->bytes);
    qjson_real(&w, "seconds", o->seconds, 6);
    qjson_real(&w, "first_byte", o->first_byte, 6);
    qjson_real(&w, "wait", o->wait, 6);
    qjson_string(&w, "path", o->path);
    qjson_string(&w, "sha256", o->sha256[0] ? o->sha256 : NULL);
    qjson_end(&w);
}

void fetch_report_add(struct fetch_report *r, struct fetch_job *job, bool failed)
{
    const struct fetch_outcome *o = fetch_result(job, 0);
    if (r->report.fd >= 0 && o)
        put_report(&r->report.text, o);
    if (r->failed.fd >= 0 && failed) {
        qbuf_puts(&r->failed.text, fetch_line(job));
        qbuf_putc(&r->failed.text, '\n');
    }
}

void fetch_report_flush(struct fetch_report *r)
{
    lines_write(r, &r->report);
    lines_write(r, &r->failed);
}

void fetch_report_stop(struct fetch_report *r)
{
    atomic_store(&r->stopping, true);
}

int fetch_report_close(struct fetch_report *r, struct qerr *e)
{
    if (!r)
        return 0;
    fetch_report_stop(r);
    int rc = lines_close(r, &r->report, e);
    int rc2 = lines_close(r, &r->failed, e);
    free(r);
    return rc < 0 ? rc : rc2;
}
