/*
 * bench_factor64 FILE...: rate of factor64_batch on files of decimal numbers below
 * 2^64, one a line, beside FLINT's n_factor in the same run. Thread CPU clock, median
 * of BENCH_ROUNDS, the two alternating. Fails if the factors differ.
 *
 * Environment: LIM (numbers read from each file), FLINT (length of the prefix that
 * FLINT factors, default 4000), BATCH (numbers a call, default 4096).
 */
#include <flint/flint.h>
#include <flint/ulong_extras.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arith/factor64.h"
#include "bench.h"

struct list {
    uint64_t *n;
    size_t count;
};

/* The factors of a list: those of n[i] end before p[end[i]]. */
struct answer {
    uint64_t *p;
    size_t *end;
};

static bool read_list(const char *path, struct list *l)
{
    size_t cap = bench_env("LIM", 1000000);
    FILE *f = fopen(path, "r");
    l->count = 0;
    l->n = malloc((cap + 1) * sizeof *l->n);
    if (!f || !l->n) {
        perror(path);
        if (f)
            fclose(f);
        return false;
    }
    while (l->count < cap && fscanf(f, "%" SCNu64, &l->n[l->count]) == 1)
        l->count++;
    fclose(f);
    return l->count > 0;
}

/* Runs factor64_batch over the list; seconds, or -1 if a check failed. */
static double run_ours(const struct list *l, struct answer *a)
{
    static uint64_t p[4096 * FACTOR64_MAX];
    static uint32_t end[4096];
    size_t batch = bench_env("BATCH", 4096), used = 0;
    double spent = 0;
    if (batch == 0 || batch > 4096)
        batch = 4096;
    for (size_t i = 0; i < l->count; i += batch) {
        size_t m = l->count - i < batch ? l->count - i : batch;
        double start = bench_seconds();
        if (!factor64_batch(l->n + i, m, p, end, 0))
            return -1;
        spent += bench_seconds() - start;
        memcpy(a->p + used, p, end[m - 1] * sizeof *p);
        for (size_t j = 0; j < m; j++)
            a->end[i + j] = used + end[j];
        used += end[m - 1];
    }
    return spent;
}

static double run_flint(const struct list *l, size_t count, n_factor_t *f)
{
    double start = bench_seconds();
    for (size_t i = 0; i < count; i++) {
        n_factor_init(&f[i]);
        if (l->n[i] > 1)
            n_factor(&f[i], l->n[i], 1);
    }
    return bench_seconds() - start;
}

/* Whether FLINT's factors of the first `count` numbers are ours. FLINT may list the
 * primes in any order. */
static bool agree(const struct answer *a, size_t count, const n_factor_t *f)
{
    for (size_t i = 0; i < count; i++) {
        size_t begin = i ? a->end[i - 1] : 0, total = 0;
        for (int j = 0; j < f[i].num; j++) {
            size_t same = 0;
            for (size_t k = begin; k < a->end[i]; k++)
                same += a->p[k] == f[i].p[j];
            if (same != (size_t)f[i].exp[j])
                return false;
            total += same;
        }
        if (total != a->end[i] - begin)
            return false;
    }
    return true;
}

static bool bench(const char *path, const struct list *l, struct answer *a,
                  n_factor_t *f, size_t prefix)
{
    double ours[BENCH_ROUNDS], flint[BENCH_ROUNDS];
    for (int r = 0; r < BENCH_ROUNDS; r++) {
        ours[r] = run_ours(l, a);
        flint[r] = run_flint(l, prefix, f);
        if (ours[r] < 0 || !agree(a, prefix, f)) {
            printf("%s: WRONG\n", path);
            return false;
        }
    }
    bench_print(path, l->count, ours, "FLINT", prefix, flint);
    return true;
}

static bool bench_file(const char *path)
{
    struct list l;
    struct answer a = {NULL, NULL};
    n_factor_t *f = NULL;
    bool good = read_list(path, &l);
    if (good) {
        size_t prefix = bench_env("FLINT", 4000);
        prefix = prefix < l.count ? prefix : l.count;
        a.p = malloc(l.count * FACTOR64_MAX * sizeof *a.p);
        a.end = malloc(l.count * sizeof *a.end);
        f = malloc((prefix + 1) * sizeof *f);
        good = a.p && a.end && f && bench(path, &l, &a, f, prefix);
    }
    free(f);
    free(a.end);
    free(a.p);
    free(l.n);
    return good;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    if (failed)
        fprintf(stderr, "usage: bench_factor64 FILE...\n");
    for (int i = 1; i < argc; i++)
        failed |= !bench_file(argv[i]);
    return failed;
}
