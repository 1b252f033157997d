/*
 * Between jobs and the cache. With a cache no body is handed on before it is whole:
 * only then is it known to be worth keeping, and a 304 may yet say that it was there
 * all the time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/fetchjob.h"

enum { COPY_BYTES = 1 << 16 };

/* With --compressed a body is handed on without its coding. */
static bool is_as_wanted(const struct fetch_config *c, const struct cache_entry *entry)
{
    return !(entry->gzip && c->compressed);
}

void job_look_in_cache(struct fetch_job *job)
{
    struct cache *cache = job->fetch->cache;
    job->cached.fd = -1;
    if (!cache || !cache_find(cache, job->url, &job->cached))
        return;
    if (!is_as_wanted(job->fetch->config, &job->cached)) {
        close(job->cached.fd);
        job->cached.fd = -1;
    }
}

/* Copies a file from its start to where `to` stands. */
static int copy(int from, int to, struct qerr *e)
{
    char room[COPY_BYTES];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(from, room, sizeof room, at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return qerr_sys(e, Q_EIO, errno, "read");
        for (ssize_t done = 0, more; done < n; done += more)
            if ((more = write(to, room + done, (size_t)(n - done))) < 0) {
                if (errno != EINTR)
                    return qerr_sys(e, Q_EIO, errno, "write");
                more = 0;
            }
        at += n;
    }
    return 0;
}

static int put_cached(struct fetch_job *job, struct qerr *e)
{
    struct fetch *f = job->fetch;
    struct cache_entry *c = &job->cached;
    pthread_mutex_lock(&f->lock);
    struct piece *old = body_clear(&f->pool, &job->body);
    pthread_mutex_unlock(&f->lock);
    piece_free_all(old);
    job->outcome.cached = true;
    memcpy(job->outcome.sha256, c->sha256, sizeof job->outcome.sha256);
    if (job_has_file(job)) {
        int rc = partfile_restart(&job->file, false, e);
        if (rc == 0)
            rc = copy(c->fd, job->file.fd, e);
        if (rc < 0)
            return rc;
    } else {
        if (job->body.file >= 0)
            close(job->body.file);
        job->body.file = c->fd;
        c->fd = -1;
    }
    job->body.received = c->size;
    return 0;
}

enum fetch_class job_use_cached(struct fetch_job *job, char why[FETCH_ERROR])
{
    const struct fetch_config *c = job->fetch->config;
    struct qerr e = QERR_INIT;
    if (c->max_bytes > 0 && job->cached.size > c->max_bytes) {
        snprintf(why, FETCH_ERROR, "the body has %" PRIu64 " bytes (%s)",
                 job->cached.size, c->max_bytes_of);
        return FETCH_TOOLARGE;
    }
    if (put_cached(job, &e) < 0) {
        snprintf(why, FETCH_ERROR, "%.190s", e.text);
        return FETCH_LOCAL;
    }
    return job_check_sum(job, why);
}

/* The body into a file: from its pieces, its spool, or the part. */
static int write_body(const struct fetch_job *job, int to, struct qerr *e)
{
    if (job_has_file(job))
        return copy(job->file.fd, to, e);
    if (job->body.file >= 0)
        return copy(job->body.file, to, e);
    for (const struct piece *p = job->body.head; p; p = p->next)
        if (write(to, p->data, p->len) != (ssize_t)p->len)
            return qerr_sys(e, Q_EIO, errno, "write");
    return 0;
}

int job_keep(struct fetch_job *job, const struct response *r, struct qerr *e)
{
    struct cache *cache = job->fetch->cache;
    struct cache_body b;
    int rc = cache_begin(cache, &b, e);
    if (rc < 0)
        return rc;
    rc = write_body(job, b.fd, e);
    if (rc < 0) {
        cache_drop(cache, &b);
        return rc;
    }
    struct response known = *r;
    if (job->hops > 0) /* of another URL: it says nothing of this one's next answer */
        known.etag[0] = known.last_modified[0] = '\0';
    known.gzip = known.gzip && (!job->coding || job->stays_coded);
    return cache_store(cache, &b, job->url, &known, job->outcome.sha256, e);
}

int fetch_cached(const struct fetch_config *c, const char *url, struct qbuf *out,
                 struct qerr *e)
{
    struct cache_entry entry;
    struct cache *cache = cache_open(c->cache, c->headers.data, c->headers.len, e);
    if (!cache)
        return -(int)e->code;
    bool known = cache_find(cache, url, &entry) && is_as_wanted(c, &entry);
    if (entry.fd >= 0)
        close(entry.fd);
    qbuf_printf(out, "sha256 %s", known ? entry.sha256 : "none");
    cache_close(cache);
    return qbuf_check(out, e);
}
