/*
 * gather: the statistics of all ranks come together on rank 0, when a run has ended and
 * the others still wait for its last word. Main threads only.
 */
#ifndef QUERN_ENGINE_GATHER_H
#define QUERN_ENGINE_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/qerr.h"
#include "core/meter.h"
#include "engine/stats.h"

/* Rank 0: asks all others and waits for their answers, two seconds at most: a rank that
 * does not answer is left out. The clock of a rank on another host is compared with
 * this one's by how long the answer took. `*stats` is the caller's to release and free;
 * NULL in a world of one. */
int gather_ask(struct rank_stats **stats, size_t *n, struct qerr *e);

/* What added to the clock of a rank gives this one's, when it was asked at asked_ns,
 * made its answer at made_ns of its own clock, and that was taken at taken_ns. Wrong by
 * at most half the way there and back. */
int64_t gather_offset(uint64_t asked_ns, uint64_t made_ns, uint64_t taken_ns);

/* Another rank: answers. `events` as in stats_collect. */
int gather_answer(const struct meters *all, bool events, struct qerr *e);

#endif
