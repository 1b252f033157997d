/*
 * hist: how often something took how long. Buckets are an eighth of an octave wide, so
 * that a percentile is known to 12.5 %, from a nanosecond to ten hours.
 *
 * One thread adds; any thread may read meanwhile (what it sees is then some moments
 * old, and need not add up).
 */
#ifndef QUERN_CORE_HIST_H
#define QUERN_CORE_HIST_H

#include <stdatomic.h>
#include <stdint.h>

enum { HIST_BUCKETS = 352 };

struct hist {
    atomic_uint_fast64_t n, sum_ns, max_ns;
    atomic_uint_fast64_t count[HIST_BUCKETS];
};

/* All zero is an empty one. */

/* `times` events of `ns` each. */
void hist_add(struct hist *h, uint64_t ns, uint64_t times);

/* Adds what another one holds. The thread that owns `h` calls. */
void hist_merge(struct hist *h, const struct hist *from);

/* The duration that a share `q` of all events (0 ... 1) did not exceed; 0 when empty.
 */
uint64_t hist_quantile(const struct hist *h, double q);

/* The smallest and the largest duration that belong to a bucket. */
uint64_t hist_low(unsigned bucket);
uint64_t hist_high(unsigned bucket);

static inline uint64_t hist_read(const atomic_uint_fast64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

#endif
