/*
 * share: how much work goes to whom. Pure functions of what has been seen, without
 * clocks, threads or messages.
 *
 * A claim, whoever makes it, aims at CLAIM_NS of work. What it takes in bytes or
 * integers follows the cost that its claimant has seen, from a few bytes at the start,
 * growing at most eightfold at a time. A claim that turns out to be harder ends behind
 * the record during which its budget passes, and the rest goes back.
 *
 * A rank is far away, so it has more than one claim at a time: as many as keep its
 * threads busy for BATCH_NS twice over, and new ones are sent when half of them are
 * answered. Where a claim takes longer than that (one hard record), a rank has one for
 * each thread and one more: what waits there would be missed elsewhere at the end. No
 * rank takes more than its threads' share of what is there to be claimed.
 */
#ifndef QUERN_ENGINE_SHARE_H
#define QUERN_ENGINE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/ring.h"

enum { CLAIM_NS = 2500000, BUDGET_NS = 4000000, BATCH_NS = 50000000 };

/* When a claim that aims at `aim_ns` is to end. */
static inline uint64_t share_budget(uint64_t aim_ns)
{
    return aim_ns * BUDGET_NS / CLAIM_NS;
}

struct claim {
    struct ring_want want; /* what to claim next */
    uint64_t least;        /* integers that are worth a claim */
    bool fixed;            /* it does not change (--chunk) */
};

/* `fixed`: of so many bytes or integers, always; 0: as it comes. */
void claim_init(struct claim *c, uint64_t fixed, uint64_t least);

/* There are so many claimants. */
static inline void claim_among(struct claim *c, unsigned claimants)
{
    c->want.among = c->fixed ? 1 : claimants;
}

/* A claim of `units` (bytes of text, or integers) took `spent_ns`. */
void claim_learn(struct claim *c, bool text, uint64_t units, uint64_t spent_ns,
                 uint64_t aim_ns);

/* What is known of another rank. */
struct share {
    unsigned threads; /* 0: it is not ready */
    unsigned out;     /* claims that it has */
    uint64_t slot_ns; /* what a claim takes there, on average; 0: not known yet */
};

/* A claim of it has come back after `spent_ns` of work. */
void share_learn(struct share *s, uint64_t spent_ns);

/* How many claims it is to have at most. */
unsigned share_most(const struct share *s);

/* How many more to send now; 0 while it has enough to do. */
unsigned share_room(const struct share *s);

/* Of `ready` units that can be claimed, what is due to a rank with `threads` of the
 * `all` threads of the run: at least one. */
uint64_t share_due(uint64_t ready, unsigned threads, unsigned all);

#endif
