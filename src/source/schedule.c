/*
 * The ring holds the origins that have jobs that wait for a place; a look begins behind
 * the one that started a job last. At most as many origins are in it as jobs wait, a
 * few times the number of places.
 *
 * Within an origin jobs stand by number, so that one that comes back for another try
 * goes before those that have not begun: old jobs end first, and less has to be kept
 * for those that wait behind them.
 */
#include "source/schedule.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

void schedule_init(struct schedule *s, const struct schedule_limits *limits)
{
    *s = (struct schedule){.limits = *limits};
    bucket_init(&s->total, limits->rate_total, limits->burst);
}

static void leave_alone(void *node)
{
    (void)node;
}

void schedule_release(struct schedule *s)
{
    tdestroy(s->tree, leave_alone);
    struct origin *o = s->origins;
    while (o) {
        struct origin *next = o->all;
        free(o->key);
        free(o);
        o = next;
    }
    free(s->heap);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct origin *)a)->key, ((const struct origin *)b)->key);
}

struct origin *schedule_origin(struct schedule *s, const char *key, struct qerr *e)
{
    struct origin wanted = {.key = (char *)(uintptr_t)key};
    struct origin **found = tfind(&wanted, &s->tree, by_key);
    if (found)
        return *found;
    struct origin *o = calloc(1, sizeof *o);
    if (o)
        o->key = strdup(key);
    if (!o || !o->key || !tsearch(o, &s->tree, by_key)) {
        if (o)
            free(o->key);
        free(o);
        qerr_nomem(e);
        return NULL;
    }
    bucket_init(&o->bucket, s->limits.rate, s->limits.burst);
    gate_init(&o->gate, s->limits.per_host);
    o->all = s->origins;
    s->origins = o;
    return o;
}

/* --- the ring of origins, and their lists --- */

static void enter_ring(struct schedule *s, struct origin *o)
{
    if (o->next)
        return;
    if (!s->ring) {
        s->ring = o->next = o->prev = o;
        return;
    }
    o->next = s->ring; /* behind all others */
    o->prev = s->ring->prev;
    o->prev->next = o;
    o->next->prev = o;
}

static void leave_ring(struct schedule *s, struct origin *o)
{
    if (s->ring == o)
        s->ring = o->next == o ? NULL : o->next;
    o->prev->next = o->next;
    o->next->prev = o->prev;
    o->next = o->prev = NULL;
}

void schedule_add(struct schedule *s, struct turn *t)
{
    struct origin *o = t->origin;
    struct turn *before = o->tail;
    while (before && before->id > t->id)
        before = before->prev;
    t->prev = before;
    t->next = before ? before->next : o->head;
    if (t->prev)
        t->prev->next = t;
    else
        o->head = t;
    if (t->next)
        t->next->prev = t;
    else
        o->tail = t;
    t->state = TURN_QUEUED;
    s->queued++;
    enter_ring(s, o);
}

static void leave_list(struct schedule *s, struct turn *t)
{
    struct origin *o = t->origin;
    if (t->prev)
        t->prev->next = t->next;
    else
        o->head = t->next;
    if (t->next)
        t->next->prev = t->prev;
    else
        o->tail = t->prev;
    t->next = t->prev = NULL;
    s->queued--;
    if (!o->head)
        leave_ring(s, o);
}

/* --- the heap of those that wait for a time: the earliest is first --- */

static bool is_before(const struct turn *a, const struct turn *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->id < b->id;
}

static void heap_put(struct schedule *s, size_t i, struct turn *t)
{
    s->heap[i] = t;
    t->heap = i;
}

/* Finds the place for `t`, with the hole at `i`. */
static void heap_sift(struct schedule *s, size_t i, struct turn *t)
{
    while (i > 0 && is_before(t, s->heap[(i - 1) / 2])) {
        heap_put(s, i, s->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (size_t child; (child = 2 * i + 1) < s->nheap; i = child) {
        if (child + 1 < s->nheap && is_before(s->heap[child + 1], s->heap[child]))
            child++;
        if (!is_before(s->heap[child], t))
            break;
        heap_put(s, i, s->heap[child]);
    }
    heap_put(s, i, t);
}

int schedule_delay(struct schedule *s, struct turn *t, uint64_t at_ns, struct qerr *e)
{
    if (s->nheap == s->heap_cap) {
        size_t cap = s->heap_cap ? 2 * s->heap_cap : 64;
        struct turn **grown = realloc(s->heap, cap * sizeof *grown);
        if (!grown)
            return qerr_nomem(e);
        s->heap = grown;
        s->heap_cap = cap;
    }
    t->at_ns = at_ns;
    t->state = TURN_DELAYED;
    s->nheap++;
    heap_sift(s, s->nheap - 1, t);
    return 0;
}

static void leave_heap(struct schedule *s, struct turn *t)
{
    struct turn *last = s->heap[--s->nheap];
    if (last != t)
        heap_sift(s, t->heap, last);
}

/* --- starting --- */

static void start(struct schedule *s, struct turn *t, uint64_t now_ns)
{
    struct origin *o = t->origin;
    leave_list(s, t);
    bucket_take(&o->bucket, now_ns);
    bucket_take(&s->total, now_ns);
    t->state = TURN_ACTIVE;
    o->active++;
    s->active++;
    if (s->ring)
        s->ring = o->next ? o->next : s->ring;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the origin lets a job start, as far as time decides it. */
static uint64_t opens_at(const struct schedule *s, const struct origin *o)
{
    return later(later(o->gate.until_ns, bucket_ready(&o->bucket)),
                 bucket_ready(&s->total));
}

static void requeue_due(struct schedule *s, uint64_t now_ns)
{
    while (s->nheap > 0 && s->heap[0]->at_ns <= now_ns) {
        struct turn *t = s->heap[0];
        leave_heap(s, t);
        schedule_add(s, t);
    }
}

/* `urgent`, if it may start now; else *wake_ns is no later than when it may. */
static struct turn *open_urgent(struct schedule *s, uint64_t now_ns,
                                struct turn *urgent, uint64_t *wake_ns)
{
    uint64_t at = !urgent                         ? UINT64_MAX
                  : urgent->state == TURN_QUEUED  ? opens_at(s, urgent->origin)
                  : urgent->state == TURN_DELAYED ? urgent->at_ns
                                                  : UINT64_MAX;
    if (at <= now_ns)
        return urgent;
    if (at < *wake_ns)
        *wake_ns = at;
    return NULL;
}

struct turn *schedule_urgent(struct schedule *s, uint64_t now_ns, struct turn *urgent,
                             uint64_t *wake_ns)
{
    requeue_due(s, now_ns);
    *wake_ns = UINT64_MAX;
    struct turn *found = open_urgent(s, now_ns, urgent, wake_ns);
    if (found)
        start(s, found, now_ns);
    return found;
}

struct turn *schedule_next(struct schedule *s, uint64_t now_ns, struct turn *urgent,
                           uint64_t *wake_ns)
{
    requeue_due(s, now_ns);
    *wake_ns = s->nheap > 0 ? s->heap[0]->at_ns : UINT64_MAX;
    struct turn *found = open_urgent(s, now_ns, urgent, wake_ns);
    struct origin *o = s->ring;
    if (!found && o && s->active < s->limits.workers) {
        do {
            uint64_t at = opens_at(s, o);
            bool room = o->active < o->gate.cap;
            if (room && at <= now_ns)
                found = o->head;
            else if (room && at < *wake_ns)
                *wake_ns = at;
            o = o->next;
        } while (!found && o != s->ring);
    }
    if (found)
        start(s, found, now_ns);
    return found;
}

void schedule_remove(struct schedule *s, struct turn *t)
{
    switch (t->state) {
    case TURN_QUEUED:
        leave_list(s, t);
        break;
    case TURN_DELAYED:
        leave_heap(s, t);
        break;
    case TURN_ACTIVE:
        t->origin->active--;
        s->active--;
        break;
    case TURN_NONE:
        break;
    }
    t->state = TURN_NONE;
}

struct turn *schedule_any(struct schedule *s)
{
    return s->nheap > 0 ? s->heap[0] : s->ring ? s->ring->head : NULL;
}

uint64_t schedule_waiting(const struct schedule *s, uint64_t now_ns)
{
    uint64_t n = s->nheap;
    const struct origin *o = s->ring;
    if (!o)
        return n;
    do {
        for (const struct turn *t = o->head; t && gate_is_shut(&o->gate, now_ns);
             t = t->next)
            n++;
        o = o->next;
    } while (o != s->ring);
    return n;
}
