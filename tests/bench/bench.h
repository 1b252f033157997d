/*
 * bench: what the benchmarks in memory share: the thread's CPU clock, the median of the
 * rounds, and the line that tests/bench/bench.py reads:
 *
 *     NAME: COUNT numbers, quern NS ns, PEER NS ns, ratio R, spread S %
 */
#ifndef QUERN_BENCH_H
#define QUERN_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_ROUNDS = 5 };

static inline double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the times of all rounds; the middle one. */
static inline double bench_median(double t[BENCH_ROUNDS])
{
    qsort(t, BENCH_ROUNDS, sizeof *t, bench_by_value);
    return t[BENCH_ROUNDS / 2];
}

/* A number from the environment: LIM and the like. */
static inline size_t bench_env(const char *name, size_t fallback)
{
    const char *text = getenv(name);
    return text && *text ? (size_t)strtoull(text, NULL, 10) : fallback;
}

/* Prints the line for the file `path`: `count` numbers took ours[] seconds, a prefix of
 * `peer_count` of them theirs[] with the library `peer`. Sorts both. */
static inline void bench_print(const char *path, size_t count,
                               double ours[BENCH_ROUNDS], const char *peer,
                               size_t peer_count, double theirs[BENCH_ROUNDS])
{
    const char *slash = strrchr(path, '/');
    double q = 1e9 * bench_median(ours) / (double)count;
    double p = 1e9 * bench_median(theirs) / (double)peer_count;
    printf("%s: %zu numbers, quern %.2f ns, %s %.2f ns, ratio %.2f, spread %.1f %%\n",
           slash ? slash + 1 : path, count, q, peer, p, p / q,
           100 * (ours[BENCH_ROUNDS - 1] - ours[0]) / ours[BENCH_ROUNDS / 2]);
    fflush(stdout);
}

#endif
