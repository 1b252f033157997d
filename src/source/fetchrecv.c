/*
 * What comes from the server. A body is looked at only once its answer is known to be
 * wanted: the page that comes with a 404 is dropped, and so is one that does not go on
 * where the last try ended.
 *
 * Bodies for files are written here, from libcurl's callback: that costs no hand-over,
 * and the page cache takes them faster than they come. Bodies for a reader become
 * pieces; when the pool of pieces is full the transfer is paused, and libcurl keeps the
 * bytes it has.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/qclock.h"
#include "source/fetchjob.h"

enum { DROP_MAX = 1 << 20 }; /* bytes of an unwanted body, before it is broken off */

void place_break_off(struct place *p, enum fetch_class class, bool may_pass,
                     const char *fmt, ...)
{
    va_list args;
    if (p->broken_off != FETCH_OK)
        return;
    p->broken_off = class;
    p->may_pass = may_pass;
    va_start(args, fmt);
    vsnprintf(p->error, sizeof p->error, fmt, args);
    va_end(args);
}

static enum transfer_take on_line(struct place *p, const char *line, size_t n)
{
    if (response_line(&p->response, line, n))
        return TRANSFER_TAKEN;
    place_break_off(p, FETCH_PROTOCOL, false, "the header is larger than %d KiB",
                    RESPONSE_HEADER_MAX >> 10);
    return TRANSFER_ABORT;
}

enum transfer_take fetch_on_header(void *place, const char *line, size_t n)
{
    struct place *p = place;
    p->last_ns = p->thread->now_ns;
    return on_line(p, line, n);
}

bool fetch_on_again(void *place)
{
    struct fetch_job *job = ((struct place *)place)->job;
    bool may = !job->spared;
    job->spared = true;
    return may;
}

/* --- the answer --- */

uint64_t job_forget(struct fetch_job *job)
{
    struct fetch *f = job->fetch;
    struct piece *old = NULL;
    pthread_mutex_lock(&f->lock);
    uint64_t taken = job->to == FETCH_STREAM ? job->body.taken : 0;
    if (taken == 0)
        old = body_clear(&f->pool, &job->body);
    pthread_mutex_unlock(&f->lock);
    piece_free_all(old);
    return taken;
}

/* A 206 must go on exactly where we asked. */
static void look_at_rest(struct place *p)
{
    const struct response *r = &p->response;
    const struct fetch_job *job = p->job;
    if (p->from == 0)
        place_break_off(p, FETCH_PROTOCOL, false,
                        "status 206, though all was asked for");
    else if (!r->has_range || r->range_first != p->from)
        place_break_off(p, FETCH_PROTOCOL, false,
                        "the rest does not begin at byte %" PRIu64, p->from);
    else if (r->gzip)
        place_break_off(p, FETCH_PROTOCOL, false,
                        "the rest is coded, and what came before is not");
    else if (job->total > 0 && r->has_total && r->range_total != job->total)
        place_break_off(p, FETCH_PROTOCOL, false,
                        "the rest is of a body of another length");
    else if (r->has_total && r->range_last + 1 != r->range_total)
        place_break_off(p, FETCH_PROTOCOL, false, "the rest does not go to the end");
}

/* The server has a name for it. Only once a job: another try keeps it. */
static int take_name(struct place *p, const char *name, struct qerr *e)
{
    struct fetch_job *job = p->job;
    const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
    char made[PARTFILE_NAME];
    uint64_t size;
    if (back && (!slash || back > slash))
        slash = back;
    partfile_name(made, "", slash ? slash + 1 : name);
    int rc = folder_claim(job->file.folder, made, e);
    if (rc < 0)
        return rc;
    job->renamed = true;
    partfile_leave(&job->file, NULL, NULL, 0); /* the part of another name */
    partfile_init(&job->file, job->file.folder, made);
    rc = job_set_path(job, e);
    enum fetch_existing existing = job->fetch->config->existing;
    if (rc == 0 && existing != EXISTING_REPLACE &&
        folder_has(job->file.folder, made, &size)) {
        p->there = existing != EXISTING_REFUSE;
        job->body.received = p->there ? size : 0;
        return qerr_set(e, Q_EIO, "%s is there", made);
    }
    return rc;
}

/* The body goes into a file; `n` bytes of it are there. */
static int open_part(struct place *p, size_t n, struct qerr *e)
{
    struct fetch_job *job = p->job;
    const struct fetch_config *c = job->fetch->config;
    const struct response *r = &p->response;
    bool whole = r->has_length && r->length == n && !job->coding &&
                 c->existing != EXISTING_REPLACE;
    int rc = 0;
    if (c->content_disposition && r->disposition[0] && !job->renamed)
        rc = take_name(p, r->disposition, e);
    return rc < 0 ? rc : partfile_restart(&job->file, whole, e);
}

/* A coding that was asked for is taken off. In a file one that was not asked for stays,
 * and is looked at; who reads a body finds out about its gzip himself. */
static int open_coding(struct place *p, struct qerr *e)
{
    struct fetch_job *job = p->job;
    coding_free(job->coding);
    job->coding = NULL;
    job->stays_coded = !job->fetch->config->compressed;
    if (!p->response.gzip || (job->stays_coded && job->to != FETCH_FILE))
        return 0;
    job->coding = coding_new(!job->stays_coded, e); /* it is as large as it is */
    return job->coding ? 0 : -(int)e->code;
}

static void look_at_whole(struct place *p, size_t n)
{
    struct fetch_job *job = p->job;
    const struct response *r = &p->response;
    struct qerr e = QERR_INIT;
    uint64_t taken = job_forget(job);
    if (taken > 0) {
        place_break_off(
            p, FETCH_TRUNCATED, false,
            "it broke off after %" PRIu64 " bytes, and the rest cannot be had", taken);
        return;
    }
    if (job->hash)
        qsha256_restart(job->hash);
    if (open_coding(p, &e) < 0 || (job_has_file(job) && open_part(p, n, &e) < 0)) {
        place_break_off(p, FETCH_LOCAL, false, "%s", e.text);
        return;
    }
    const char *validator = r->no_ranges || r->gzip ? NULL : response_validator(r);
    snprintf(job->validator, sizeof job->validator, "%s", validator ? validator : "");
    job->total = r->has_length ? r->length : 0;
}

static void look_at_size(struct place *p)
{
    const struct fetch_config *c = p->thread->fetch->config;
    uint64_t all = p->from + (p->response.has_length ? p->response.length : 0);
    bool grows = p->job->coding && !p->job->stays_coded;
    if (c->max_bytes > 0 && all > c->max_bytes && !grows)
        place_break_off(p, FETCH_TOOLARGE, false, "the body has %" PRIu64 " bytes (%s)",
                        all, c->max_bytes_of);
}

void place_look(struct place *p, size_t n)
{
    int status = p->response.status;
    if (p->looked)
        return;
    p->looked = true;
    p->job->outcome.status = status;
    if (status < 200 || status > 299)
        return;
    if (p->response.bad_length)
        place_break_off(p, FETCH_PROTOCOL, false, "its Content-Length is none");
    else if (p->response.other_coding)
        place_break_off(p, FETCH_PROTOCOL, false,
                        "the body is coded in a way that was not asked for");
    else if (status == 206)
        look_at_rest(p);
    else
        look_at_whole(p, n);
    look_at_size(p);
    p->wanted = p->broken_off == FETCH_OK;
}

/* --- the body --- */

/* Whether a reader's bytes may come into memory now; else the transfer is paused. What
 * comes out of a coding may be more than that: of one call at most, in each thread. */
static bool has_room(struct place *p, size_t n)
{
    struct fetch_job *job = p->job;
    struct fetch *f = job->fetch;
    pthread_mutex_lock(&f->lock);
    bool room = body_has_room(&f->pool, &job->body, n, fetch_job_is_oldest(job));
    if (!room) {
        job->paused = true;
        p->thread->paused++;
        f->npaused++;
    }
    pthread_mutex_unlock(&f->lock);
    if (!room)
        p->paused_ns = qclock_ns();
    return room;
}

/* A piece for the reader. */
static int put_piece(struct fetch_job *job, const char *bytes, size_t n, struct qerr *e)
{
    struct fetch *f = job->fetch;
    struct piece *piece = piece_new(bytes, n);
    if (!piece)
        return qerr_nomem(e);
    pthread_mutex_lock(&f->lock);
    body_put(&f->pool, &job->body, piece);
    fetch_job_changed(job);
    pthread_mutex_unlock(&f->lock);
    return 0;
}

/* What is in pieces goes into the file. */
static int spool_pieces(struct fetch_job *job, struct qerr *e)
{
    struct fetch *f = job->fetch;
    pthread_mutex_lock(&f->lock);
    struct piece *all = body_clear(&f->pool, &job->body);
    pthread_mutex_unlock(&f->lock);
    int rc = 0;
    for (struct piece *p = all; p && rc == 0; p = p->next)
        rc = body_write(&job->body, p->data, p->len, e);
    piece_free_all(all);
    return rc;
}

/* Of a body that nobody may read before it is whole. */
static int put_aside(struct fetch_job *job, const char *bytes, size_t n, struct qerr *e)
{
    struct fetch *f = job->fetch;
    struct piece *piece = NULL;
    if (job->body.file < 0 && job->body.received + n <= BODY_SPOOL)
        piece = piece_new(bytes, n);
    pthread_mutex_lock(&f->lock);
    bool kept = piece && body_has_room(&f->pool, &job->body, n, false);
    if (kept)
        body_put(&f->pool, &job->body, piece);
    pthread_mutex_unlock(&f->lock);
    if (kept)
        return 0;
    piece_free_all(piece);
    int rc = job->body.file < 0 ? spool_pieces(job, e) : 0;
    return rc < 0 ? rc : body_write(&job->body, bytes, n, e);
}

/* As they are to stand in the file. */
static int put_into_file(struct fetch_job *job, const char *bytes, size_t n,
                         struct qerr *e)
{
    enum { WORTH_NOTING = 1 << 20 }; /* a part that is worth going on with */
    uint64_t before = job->body.received;
    int rc = job_has_file(job) ? partfile_write(&job->file, bytes, n, e) : 0;
    if (rc < 0)
        return rc;
    job->body.received += n;
    if (before < WORTH_NOTING && before + n >= WORTH_NOTING && job->validator[0] &&
        job_has_file(job))
        partfile_note(&job->file, job->outcome.url, job->validator, job->total);
    return 0;
}

static bool is_too_large(struct place *p, size_t n)
{
    struct fetch *f = p->thread->fetch;
    const struct fetch_config *c = f->config;
    if (c->max_bytes > 0 && p->job->body.received + n > c->max_bytes)
        place_break_off(p, FETCH_TOOLARGE, false,
                        "the body has more than %" PRIu64 " bytes (%s)", c->max_bytes,
                        c->max_bytes_of);
    else if (c->max_total > 0 && atomic_load(&f->bytes) + n > c->max_total)
        place_break_off(p, FETCH_TOOLARGE, false,
                        "all bodies have more than %" PRIu64 " bytes (--max-total)",
                        c->max_total);
    return p->broken_off != FETCH_OK;
}

/* Bytes of the body as it is handed on, without its coding. */
static bool put(void *place, const char *bytes, size_t n)
{
    struct place *p = place;
    struct fetch_job *job = p->job;
    struct qerr e = QERR_INIT;
    if (is_too_large(p, n))
        return false;
    int rc = job->to == FETCH_STREAM  ? put_piece(job, bytes, n, &e)
             : job->to == FETCH_WHOLE ? put_aside(job, bytes, n, &e)
                                      : put_into_file(job, bytes, n, &e);
    if (rc < 0) {
        place_break_off(p, FETCH_LOCAL, false, "%s", e.text);
        return false;
    }
    if (job->hash)
        qsha256_add(job->hash, bytes, n);
    atomic_fetch_add_explicit(&job->fetch->bytes, n, memory_order_relaxed);
    return true;
}

static bool only_look(void *place, const char *bytes, size_t n)
{
    (void)place;
    (void)bytes;
    (void)n;
    return true;
}

static enum transfer_take take(struct place *p, const char *bytes, size_t n)
{
    const char *what = "";
    struct fetch_job *job = p->job;
    enum coding_state state = CODING_FINE;
    if (job->coding)
        state = coding_push(job->coding, bytes, n, job->stays_coded ? only_look : put,
                            p, &what);
    if (state == CODING_FINE && (!job->coding || job->stays_coded) && !put(p, bytes, n))
        state = CODING_REFUSED;
    if (state == CODING_DAMAGED)
        place_break_off(p, FETCH_PROTOCOL, false, "the gzip data is damaged: %s", what);
    else if (state == CODING_BOMB)
        place_break_off(p, FETCH_TOOLARGE, false,
                        "the gzip data is a bomb: it grows more than %d-fold",
                        CODING_RATIO);
    return state == CODING_FINE ? TRANSFER_TAKEN : TRANSFER_ABORT;
}

static enum transfer_take drop(struct place *p, size_t n)
{
    p->dropped += n;
    if (p->dropped <= DROP_MAX)
        return TRANSFER_TAKEN;
    p->enough = true; /* the status tells all there is to know */
    return TRANSFER_ABORT;
}

enum transfer_take fetch_on_body(void *place, const char *bytes, size_t n)
{
    struct place *p = place;
    p->last_ns = p->thread->now_ns;
    place_look(p, n);
    if (p->broken_off != FETCH_OK)
        return TRANSFER_ABORT;
    if (!p->wanted)
        return drop(p, n);
    if (n == 0)
        return TRANSFER_TAKEN;
    if (p->job->to == FETCH_STREAM && !has_room(p, n))
        return TRANSFER_PAUSE;
    p->bytes += n;
    return take(p, bytes, n);
}
