/*
 * schedule: which job may start now. It holds the jobs that wait, by origin (scheme,
 * host, port) and in the order of their numbers, and those that wait for a time (their
 * next try). An origin that may not start one (its bucket is empty, its gate is shut,
 * it is at its cap) never holds up another: origins take turns.
 *
 * Plain data; the time is an argument. The fetch pool locks.
 */
#ifndef QUERN_SOURCE_SCHEDULE_H
#define QUERN_SOURCE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"
#include "source/throttle.h"

struct origin {
    char *key;
    struct bucket bucket;
    struct gate gate;
    unsigned active;     /* jobs that hold a place */
    uint64_t no_name_ns; /* until then its name is known to have no address */
    uint64_t refuses_ns; /* until then it wants nothing, which is longer than we wait */
    struct turn *head, *tail;   /* that wait for a place, ascending by id */
    struct origin *next, *prev; /* in the ring of origins that have such; else NULL */
    struct origin *all;         /* every origin there is */
};

/* A job's place in the schedule, part of the job. */
struct turn {
    uint64_t id;
    struct origin *origin;
    enum { TURN_NONE, TURN_QUEUED, TURN_DELAYED, TURN_ACTIVE } state;
    struct turn *next, *prev; /* QUEUED: in the origin's list */
    uint64_t at_ns;           /* DELAYED: when it is to be queued */
    size_t heap;              /* DELAYED: its index */
};

struct schedule_limits {
    unsigned workers, per_host;
    struct rate rate, rate_total;
    uint64_t burst;
};

struct schedule {
    struct schedule_limits limits;
    struct bucket total;
    void *tree; /* of origins, by key (tsearch) */
    struct origin *origins;
    struct origin *ring; /* whose turn is next */
    struct turn **heap;
    size_t nheap, heap_cap;
    uint64_t queued, active;
};

void schedule_init(struct schedule *s, const struct schedule_limits *limits);
void schedule_release(struct schedule *s); /* no turn is in it any more */

/* The origin of this key, made at its first mention; NULL without memory. */
struct origin *schedule_origin(struct schedule *s, const char *key, struct qerr *e);

/* `t` (state NONE, id and origin set) waits for a place. */
void schedule_add(struct schedule *s, struct turn *t);

/* The same, not before `at_ns`. */
int schedule_delay(struct schedule *s, struct turn *t, uint64_t at_ns, struct qerr *e);

/* The next job to start, which is then ACTIVE, or NULL. `urgent` (or NULL) may start
 * although all places are taken, if it is QUEUED and its origin lets it. *wake_ns: when
 * to ask again, if nothing else happens; UINT64_MAX: no time will help. */
struct turn *schedule_next(struct schedule *s, uint64_t now_ns, struct turn *urgent,
                           uint64_t *wake_ns);

/* The same, but `urgent` or nothing. */
struct turn *schedule_urgent(struct schedule *s, uint64_t now_ns, struct turn *urgent,
                             uint64_t *wake_ns);

/* Takes it out, whatever its state: a place becomes free. */
void schedule_remove(struct schedule *s, struct turn *t);

/* Some turn that is QUEUED or DELAYED, or NULL. */
struct turn *schedule_any(struct schedule *s);

/* How many wait for a time, or for an origin whose gate is shut. */
uint64_t schedule_waiting(const struct schedule *s, uint64_t now_ns);

#endif
