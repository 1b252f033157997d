/*
 * How it works.
 *
 * One doubly linked list holds all slots in the order of the input, a second one those
 * that are READY, in the same order. A claim takes the first of these. When a claimant
 * gives back a rest, that rest stands behind its slot, and in front of nearly all that
 * is READY: old work is always claimed first, which keeps the list short. However many
 * slots wait behind a record that takes long, nothing here looks at them.
 *
 * Bounds, each with its own waiter:
 *   chunks  the reader waits for a free chunk. A chunk is free when the last slot that
 *           refers to it is DONE, so finished slots keep only what they rendered.
 *   texts   the reader waits also when documents, which are never cut, are so long that
 *           a few of them fill the memory.
 *   window  claimants wait while the slots that cannot be written yet hold too many
 *           bytes. The slot at the head is exempt: it is what the others wait for, so
 *           there is always progress. Room was made for more than was rendered: when
 *           the window fills, it goes back.
 *
 * Slots and their buffers are used again, last in first out, so that the memory is
 * warm; only as many keep their buffers as can be in use at once in a run without a
 * blocked head.
 */
#include "engine/ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STREAM_SHARE = 1 << 18, /* bytes of a stream that are worth a thread */
    TRIM_AT = 16            /* parts are trimmed when that part of the window is full */
};

struct ring_chunk {
    struct chunk chunk; /* first: a struct chunk * is the ring_chunk * */
    unsigned refs;      /* slots READY or BUSY on it */
    struct ring_chunk *next_free;
};

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t reader, claimants, committer;
    struct ring_limits limits;

    struct ring_slot *head, *tail;
    struct ring_slot *ready;      /* the first that is READY */
    struct ring_slot *last_ready; /* the one that became it last, or NULL */
    uint64_t ready_units[2];      /* of all that is READY: not of text, of text */
    struct ring_slot *quick, *quick_tail; /* DONE, may be taken out of order */
    unsigned nbusy;
    unsigned waiting; /* in ring_claim */
    size_t held;      /* bytes of parts DONE and not taken */

    struct ring_slot *free_slots;
    unsigned warm; /* free slots that keep their buffers */

    struct ring_chunk *free_chunks;
    unsigned nchunks;
    size_t texts; /* bytes that the chunks in use have room for */
    uint64_t put; /* chunks put in so far */

    bool ended, stopped;
    struct qerr error;
};

struct ring *ring_new(const struct ring_limits *limits, struct qerr *e)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r) {
        qerr_nomem(e);
        return NULL;
    }
    r->limits = *limits;
    pthread_mutexattr_t spinning;
    pthread_mutexattr_init(&spinning); /* held for less than a switch takes */
    pthread_mutexattr_settype(&spinning, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&r->lock, &spinning);
    pthread_mutexattr_destroy(&spinning);
    pthread_cond_init(&r->reader, NULL);
    pthread_cond_init(&r->claimants, NULL);
    pthread_cond_init(&r->committer, NULL);
    return r;
}

static void free_slot_list(struct ring_slot *s)
{
    while (s) {
        struct ring_slot *next = s->next;
        part_release(&s->part);
        free(s);
        s = next;
    }
}

static void free_chunk(struct ring_chunk *c)
{
    chunk_release(&c->chunk);
    free(c);
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    for (struct ring_slot *s = r->head; s; s = s->next) {
        struct ring_chunk *c = (struct ring_chunk *)(uintptr_t)s->span.chunk;
        if (c && (s->state == SLOT_READY || s->state == SLOT_BUSY) && --c->refs == 0)
            free_chunk(c);
    }
    free_slot_list(r->head);
    free_slot_list(r->free_slots);
    while (r->free_chunks) {
        struct ring_chunk *next = r->free_chunks->next_free;
        free_chunk(r->free_chunks);
        r->free_chunks = next;
    }
    pthread_cond_destroy(&r->reader);
    pthread_cond_destroy(&r->claimants);
    pthread_cond_destroy(&r->committer);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- slots and chunks; the lock is held --- */

static struct ring_slot *slot_new(struct ring *r)
{
    struct ring_slot *s = r->free_slots;
    if (s) {
        r->free_slots = s->next;
        if (part_size(&s->part) > 0)
            r->warm--;
    } else {
        s = malloc(sizeof *s);
        if (!s)
            return NULL;
        part_init(&s->part);
    }
    s->prev = s->next = s->queued = NULL;
    s->state = SLOT_READY;
    return s;
}

static void slot_free(struct ring *r, struct ring_slot *s)
{
    part_clear(&s->part);
    if (part_size(&s->part) > 0) {
        if (r->warm < 2 * r->limits.chunks)
            r->warm++;
        else
            part_release(&s->part);
    }
    s->next = r->free_slots;
    r->free_slots = s;
}

/* What a slot that is DONE weighs in the window. Many parts are all but empty, and then
 * it is the slots that cost. */
static size_t weight(const struct ring_slot *s)
{
    return sizeof *s + part_size(&s->part);
}

/* Puts `s` behind `after` (NULL: in front of all). */
static void link_slot(struct ring *r, struct ring_slot *s, struct ring_slot *after)
{
    s->prev = after;
    s->next = after ? after->next : r->head;
    *(after ? &after->next : &r->head) = s;
    *(s->next ? &s->next->prev : &r->tail) = s;
}

static void unlink_slot(struct ring *r, struct ring_slot *s)
{
    *(s->prev ? &s->prev->next : &r->head) = s->next;
    *(s->next ? &s->next->prev : &r->tail) = s->prev;
}

static bool is_before(const struct ring_slot *a, const struct ring_slot *b)
{
    return a->chunk < b->chunk ||
           (a->chunk == b->chunk && a->span.begin < b->span.begin);
}

static uint64_t *ready_units(struct ring *r, const struct ring_slot *s)
{
    return &r->ready_units[s->span.chunk->kind == CHUNK_OF_TEXT];
}

/* The slot has become READY. What is given back comes in the order in which it was
 * claimed, and stands in front: there is little to pass. */
static void ready_add(struct ring *r, struct ring_slot *s)
{
    struct ring_slot **at = &r->ready;
    if (r->last_ready && is_before(r->last_ready, s))
        at = &r->last_ready->queued;
    while (*at && is_before(*at, s))
        at = &(*at)->queued;
    s->state = SLOT_READY;
    s->queued = *at;
    *at = r->last_ready = s;
    *ready_units(r, s) += s->span.end - s->span.begin;
}

/* Takes out the first one. */
static struct ring_slot *ready_take(struct ring *r)
{
    struct ring_slot *s = r->ready;
    r->ready = s->queued;
    if (r->last_ready == s)
        r->last_ready = NULL;
    s->queued = NULL;
    *ready_units(r, s) -= s->span.end - s->span.begin;
    return s;
}

static void chunk_unref(struct ring *r, const struct chunk *chunk)
{
    struct ring_chunk *c = (struct ring_chunk *)(uintptr_t)chunk;
    if (--c->refs > 0)
        return;
    r->texts -= c->chunk.room;
    if (c->chunk.room > CHUNK_TEXT) { /* a long document's: not to be kept */
        free_chunk(c);
        r->nchunks--;
        pthread_cond_signal(&r->reader);
        return;
    }
    c->next_free = r->free_chunks;
    r->free_chunks = c;
    pthread_cond_signal(&r->reader);
}

/* A READY slot behind `s` for span [at, end); `s` keeps [begin, at). False without
 * memory, and then nothing has changed. */
static bool split_slot(struct ring *r, struct ring_slot *s, uint64_t at)
{
    struct ring_slot *rest = slot_new(r);
    if (!rest)
        return false;
    rest->span = (struct span){s->span.chunk, at, s->span.end};
    rest->input = s->input;
    rest->chunk = s->chunk;
    s->span.end = at;
    ((struct ring_chunk *)(uintptr_t)s->span.chunk)->refs++;
    link_slot(r, rest, s);
    ready_add(r, rest);
    return true;
}

/* --- the reader --- */

static struct ring_chunk *chunk_new(struct qerr *e)
{
    struct ring_chunk *c = calloc(1, sizeof *c);
    if (!c) {
        qerr_nomem(e);
        return NULL;
    }
    if (chunk_init(&c->chunk, e) == 0)
        return c;
    free(c);
    return NULL;
}

/* What is in the ring leaves no room for another chunk. */
static bool is_full(const struct ring *r)
{
    return (!r->free_chunks && r->nchunks >= r->limits.chunks) ||
           (r->texts > 0 && r->texts >= r->limits.texts);
}

struct chunk *ring_chunk(struct ring *r, struct qerr *e)
{
    pthread_mutex_lock(&r->lock);
    while (!r->stopped && is_full(r))
        pthread_cond_wait(&r->reader, &r->lock);
    struct ring_chunk *c = NULL;
    if (!r->stopped) {
        c = r->free_chunks;
        if (c)
            r->free_chunks = c->next_free;
        else if ((c = chunk_new(e)) != NULL)
            r->nchunks++;
    }
    pthread_mutex_unlock(&r->lock);
    return c ? &c->chunk : NULL;
}

int ring_put(struct ring *r, struct chunk *chunk, struct qerr *e)
{
    /* Vector loads may reach this far behind the text; they trust nothing there. */
    if (chunk->kind == CHUNK_OF_TEXT)
        memset(chunk->text + chunk->len, 0, CHUNK_PAD);

    pthread_mutex_lock(&r->lock);
    struct ring_slot *s = slot_new(r);
    if (s) {
        s->span = (struct span){chunk, 0, chunk_size(chunk)};
        s->input = chunk->input;
        s->chunk = r->put++;
        ((struct ring_chunk *)chunk)->refs = 1;
        r->texts += chunk->room;
        link_slot(r, s, r->tail);
        ready_add(r, s);
        pthread_cond_broadcast(&r->claimants);
    }
    pthread_mutex_unlock(&r->lock);
    if (s)
        return 0;
    ring_drop(r, chunk);
    return qerr_nomem(e);
}

void ring_drop(struct ring *r, struct chunk *chunk)
{
    pthread_mutex_lock(&r->lock);
    ((struct ring_chunk *)chunk)->refs = 1;
    r->texts += chunk->room;
    chunk_unref(r, chunk);
    pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r, const struct qerr *err)
{
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    r->error = *err;
    pthread_cond_broadcast(&r->claimants);
    pthread_cond_broadcast(&r->committer);
    pthread_mutex_unlock(&r->lock);
}

/* --- claimants --- */

/* The slot that may be claimed now, or NULL. */
static struct ring_slot *claimable(struct ring *r)
{
    if (r->held >= r->limits.window && r->ready != r->head)
        return NULL;
    return r->ready;
}

/* Whether a READY slot may still appear: from the reader, or as the rest of a BUSY one.
 */
static bool more_may_come(const struct ring *r)
{
    return !r->ended || r->ready || r->nbusy > 0;
}

/* Records in a span, as far as `most`: tokens, of which some may be comment. A stream
 * counts by what is worth a thread. */
static uint64_t count_records(const struct span *span, uint64_t most)
{
    if (span->chunk->cut == CUT_ANYWHERE)
        return (span->end - span->begin) / STREAM_SHARE;
    if (span->chunk->kind != CHUNK_OF_TEXT)
        return span->end - span->begin;
    if (span->chunk->cut == CUT_NOWHERE)
        return 1;
    const char *text = span->chunk->text;
    uint64_t n = 0;
    bool blank = true;
    for (uint64_t i = span->begin; i < span->end && n < most; i++) {
        bool now = chunk_is_space(text[i]);
        n += blank && !now;
        blank = now;
    }
    return n;
}

unsigned ring_width(struct ring *r, unsigned most)
{
    pthread_mutex_lock(&r->lock);
    while (!r->head && !r->ended && !r->stopped)
        pthread_cond_wait(&r->claimants, &r->lock);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 1000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    int rc = 0;
    while (!r->ended && !r->stopped && rc == 0)
        rc = pthread_cond_timedwait(&r->claimants, &r->lock, &soon);
    uint64_t n = r->ended ? 0 : most;
    for (const struct ring_slot *s = r->head; s && n < most; s = s->next)
        n += count_records(&s->span, most - n);
    pthread_mutex_unlock(&r->lock);
    return n < 1 ? 1 : n < most ? (unsigned)n : most;
}

/* How much of the span its claimant gets. */
static uint64_t fair(const struct span *span, const struct ring_want *want)
{
    enum { LEAST = 16 };
    if (span->chunk->kind == CHUNK_OF_TEXT)
        return want->bytes;
    if (span->chunk->kind != CHUNK_OF_RANGE || want->among <= 1)
        return want->integers;
    uint64_t share = (span->end - span->begin - 1) / want->among + 1;
    if (share < want->integers / LEAST)
        share = want->integers / LEAST;
    return share < want->integers ? share : want->integers;
}

/* Makes the first READY slot, or as much of it as is wanted, the caller's. */
static struct ring_slot *take_slot(struct ring *r, const struct ring_want *want)
{
    struct ring_slot *s = ready_take(r);
    uint64_t at = span_cut(&s->span, fair(&s->span, want));
    if (at < s->span.end)
        (void)split_slot(r, s, at); /* without memory: take it whole */
    s->state = SLOT_BUSY;
    r->nbusy++;
    return s;
}

struct ring_slot *ring_claim(struct ring *r, const struct ring_want *want)
{
    pthread_mutex_lock(&r->lock);
    r->waiting++;
    while (!r->stopped && !claimable(r) && more_may_come(r))
        pthread_cond_wait(&r->claimants, &r->lock);
    r->waiting--;
    struct ring_slot *s = !r->stopped && claimable(r) ? take_slot(r, want) : NULL;
    pthread_mutex_unlock(&r->lock);
    return s;
}

struct ring_slot *ring_try_claim(struct ring *r, const struct ring_want *want)
{
    pthread_mutex_lock(&r->lock);
    struct ring_slot *s = !r->stopped && claimable(r) ? take_slot(r, want) : NULL;
    pthread_mutex_unlock(&r->lock);
    return s;
}

void ring_unclaim(struct ring *r, struct ring_slot *s)
{
    pthread_mutex_lock(&r->lock);
    part_clear(&s->part);
    r->nbusy--;
    ready_add(r, s);
    pthread_cond_broadcast(&r->claimants);
    pthread_mutex_unlock(&r->lock);
}

void ring_look(struct ring *r, struct ring_look *look)
{
    pthread_mutex_lock(&r->lock);
    const struct ring_slot *s = r->stopped ? NULL : claimable(r);
    *look = (struct ring_look){
        .ended = r->ended, .waiting = r->waiting, .ready = s ? *ready_units(r, s) : 0};
    pthread_mutex_unlock(&r->lock);
}

void ring_done(struct ring *r, struct ring_slot *s, uint64_t upto)
{
    pthread_mutex_lock(&r->lock);
    /* A rest for which there is no memory cannot be lost: the run ends there. */
    if (upto < s->span.end && s->part.err.code == Q_OK) {
        if (!split_slot(r, s, upto))
            qerr_nomem(&s->part.err);
    }
    s->after = chunk_position(s->span.chunk, upto);
    meters_answered(r->limits.meters, s->span.chunk->kind, upto - s->span.begin,
                    s->part.busy_ns);
    chunk_unref(r, s->span.chunk);
    s->state = SLOT_DONE;
    r->nbusy--;
    if (r->held > r->limits.window / TRIM_AT)
        part_trim(&s->part);
    r->held += weight(s);
    if (r->limits.unordered && s->part.nbad == 0 && s->part.err.code == Q_OK) {
        *(r->quick ? &r->quick_tail->queued : &r->quick) = s;
        r->quick_tail = s;
    }
    if (s == r->head || r->quick)
        pthread_cond_signal(&r->committer);
    /* Others may wait for the rest, or for word that there is none. */
    if (r->ready || (r->ended && !more_may_come(r)))
        pthread_cond_broadcast(&r->claimants);
    pthread_mutex_unlock(&r->lock);
}

/* --- the committer --- */

static bool all_settled(const struct ring *r)
{
    return r->ended && !r->head;
}

struct ring_slot *ring_take(struct ring *r, bool *in_order)
{
    pthread_mutex_lock(&r->lock);
    struct ring_slot *s = NULL;
    for (;;) {
        if (r->quick) {
            s = r->quick;
            r->quick = s->queued;
            *in_order = false;
            break;
        }
        if (r->head && (r->head->state == SLOT_DONE || r->head->state == SLOT_GONE)) {
            s = r->head;
            *in_order = true;
            break;
        }
        if (r->stopped || all_settled(r))
            break;
        pthread_cond_wait(&r->committer, &r->lock);
    }
    if (s && s->state == SLOT_DONE)
        r->held -= weight(s);
    pthread_mutex_unlock(&r->lock);
    return s;
}

/* Joins slot `b` to `a`, its neighbour in front, if both are GONE and of one input: an
 * unordered run may go on for long behind a record that takes long. */
static void join_gone(struct ring *r, struct ring_slot *a, struct ring_slot *b)
{
    if (!a || !b || a->state != SLOT_GONE || b->state != SLOT_GONE ||
        a->input != b->input)
        return;
    a->part.lines += b->part.lines;
    unlink_slot(r, b);
    slot_free(r, b);
}

void ring_settle(struct ring *r, struct ring_slot *s, bool in_order)
{
    pthread_mutex_lock(&r->lock);
    if (in_order) {
        unlink_slot(r, s);
        slot_free(r, s);
    } else {
        uint64_t lines = s->part.lines;
        part_release(&s->part);
        s->part.lines = lines;
        s->state = SLOT_GONE;
        join_gone(r, s, s->next);
        join_gone(r, s->prev, s);
    }
    /* The window has opened, or there is a new head. */
    pthread_cond_broadcast(&r->claimants);
    pthread_mutex_unlock(&r->lock);
}

/* --- anyone --- */

void ring_stop(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopped = true;
    pthread_cond_broadcast(&r->reader);
    pthread_cond_broadcast(&r->claimants);
    pthread_cond_broadcast(&r->committer);
    pthread_mutex_unlock(&r->lock);
}

bool ring_stopped(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    bool stopped = r->stopped;
    pthread_mutex_unlock(&r->lock);
    return stopped;
}

struct qerr ring_error(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    struct qerr error = r->error;
    pthread_mutex_unlock(&r->lock);
    return error;
}
