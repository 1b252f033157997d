/*
 * Values below 8 have a bucket each. From there on the bucket is the position of the
 * highest bit and the three bits behind it.
 */
#include "core/hist.h"

enum { SUB_BITS = 3, SUB = 1 << SUB_BITS };

static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (unsigned)ns;
    unsigned top = 63 - (unsigned)__builtin_clzll(ns);
    unsigned sub = (unsigned)(ns >> (top - SUB_BITS)) & (SUB - 1);
    unsigned bucket = (top - SUB_BITS + 1) * SUB + sub;
    return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

uint64_t hist_low(unsigned bucket)
{
    if (bucket < SUB)
        return bucket;
    return (uint64_t)(SUB + bucket % SUB) << (bucket / SUB - 1);
}

uint64_t hist_high(unsigned bucket)
{
    return hist_low(bucket + 1) - 1;
}

/* One thread writes: no need for an atomic addition. */
static void add(atomic_uint_fast64_t *to, uint64_t n)
{
    atomic_store_explicit(to, hist_read(to) + n, memory_order_relaxed);
}

void hist_add(struct hist *h, uint64_t ns, uint64_t times)
{
    if (times == 0)
        return;
    add(&h->n, times);
    add(&h->sum_ns, ns * times);
    add(&h->count[bucket_of(ns)], times);
    if (ns > hist_read(&h->max_ns))
        atomic_store_explicit(&h->max_ns, ns, memory_order_relaxed);
}

void hist_merge(struct hist *h, const struct hist *from)
{
    add(&h->n, hist_read(&from->n));
    add(&h->sum_ns, hist_read(&from->sum_ns));
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        add(&h->count[i], hist_read(&from->count[i]));
    if (hist_read(&from->max_ns) > hist_read(&h->max_ns))
        atomic_store_explicit(&h->max_ns, hist_read(&from->max_ns),
                              memory_order_relaxed);
}

uint64_t hist_quantile(const struct hist *h, double q)
{
    uint64_t n = hist_read(&h->n), max = hist_read(&h->max_ns), seen = 0;
    double wanted = q * (double)n;
    if (n == 0)
        return 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += hist_read(&h->count[i]);
        if (seen > 0 && (double)seen >= wanted)
            return hist_high(i) < max ? hist_high(i) : max;
    }
    return max;
}
