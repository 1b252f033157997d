/*
 * throttle: when a request may start. Plain data and pure functions; the time is an
 * argument (nanoseconds on the monotonic clock), so that tests have their own. Whoever
 * shares them between threads locks.
 *
 *   bucket   a token bucket: in any window of L at most burst + rate * L requests start
 *   gate     an origin that has said 429 (or 503 with Retry-After): nothing starts
 *            before the time it named, and then with half as many at once (AIMD)
 *   backoff  the wait before the next try of one job
 */
#ifndef QUERN_SOURCE_THROTTLE_H
#define QUERN_SOURCE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qerr.h"

/* A rate, as the time a token takes to come: 0 is no limit. */
struct rate {
    uint64_t interval_ns;
};

/* "10", "2.5/s", "30/m", "1000/h". Q_EUSAGE for anything else, and for 0. */
int rate_parse(const char *text, struct rate *rate, struct qerr *e);

struct bucket {
    uint64_t interval_ns; /* 0: no limit */
    uint64_t span_ns;     /* (burst - 1) tokens */
    uint64_t full_ns;     /* when it will be full again */
};

/* Full. `burst` >= 1. */
void bucket_init(struct bucket *b, struct rate rate, uint64_t burst);

/* When the next token is there: in the past or present when one is. */
uint64_t bucket_ready(const struct bucket *b);

/* Takes a token; one is there. */
void bucket_take(struct bucket *b, uint64_t now_ns);

/* Empties it: the next token comes an interval from now. */
void bucket_drain(struct bucket *b, uint64_t now_ns);

enum { GATE_STREAK = 8 }; /* successes in a row that give one place back */

struct gate {
    uint64_t until_ns;  /* nothing starts before; 0: open */
    unsigned cap, most; /* in flight: now, and at best */
    unsigned streak;    /* successes since the cap moved */
};

void gate_init(struct gate *g, unsigned most);

/* The origin wants nothing before `until_ns`. The first of these of a period (the gate
 * was open at `now_ns`) halves the cap. */
void gate_shut(struct gate *g, uint64_t now_ns, uint64_t until_ns);
void gate_succeeded(struct gate *g);

static inline bool gate_is_shut(const struct gate *g, uint64_t now_ns)
{
    return now_ns < g->until_ns;
}

/* The wait behind try number `tries` (>= 1) of job `job`: half of it fixed, half by
 * chance that depends on seed, job and try alone. */
uint64_t backoff_wait(uint64_t seed, uint64_t job, unsigned tries);

/* The same when the server has named `after_ns`: never less than that. */
uint64_t backoff_wait_after(uint64_t seed, uint64_t job, unsigned tries,
                            uint64_t after_ns);

#endif
