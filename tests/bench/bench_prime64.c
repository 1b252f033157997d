/*
 * bench_prime64 FILE...: prime64_batch beside FLINT's n_is_prime on files of decimal
 * numbers below 2^64, one a line, in memory, on the thread's CPU clock: the median of
 * five alternating rounds. Fails if a verdict differs. LIM=N takes the first N numbers.
 */
#include <flint/ulong_extras.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "arith/prime64.h"
#include "bench.h"

enum { BATCH = 4096 };

static uint64_t *load(const char *path, size_t *count)
{
    FILE *f = fopen(path, "r");
    size_t cap = 1 << 16, max = bench_env("LIM", SIZE_MAX);
    uint64_t *n = malloc(cap * sizeof *n);
    *count = 0;
    while (f && n && *count < max && fscanf(f, "%" SCNu64, &n[*count]) == 1)
        if (++*count == cap)
            n = realloc(n, (cap *= 2) * sizeof *n);
    if (f)
        fclose(f);
    return n;
}

static double run_quern(const uint64_t *n, size_t count, uint8_t *out)
{
    double start = bench_seconds();
    for (size_t i = 0; i < count; i += BATCH)
        prime64_batch(n + i, count - i < BATCH ? count - i : BATCH, out + i);
    return bench_seconds() - start;
}

static double run_flint(const uint64_t *n, size_t count, uint8_t *out)
{
    double start = bench_seconds();
    for (size_t i = 0; i < count; i++)
        out[i] = n_is_prime(n[i]) != 0;
    return bench_seconds() - start;
}

static int bench(const char *path)
{
    size_t count, wrong = 0;
    double ours[BENCH_ROUNDS], theirs[BENCH_ROUNDS];
    uint64_t *n = load(path, &count);
    uint8_t *a = malloc(count + 1), *b = malloc(count + 1);
    if (!n || !a || !b || count == 0) {
        fprintf(stderr, "bench_prime64: no numbers from %s\n", path);
        return 1;
    }
    run_quern(n, count, a);
    for (int r = 0; r < BENCH_ROUNDS; r++) {
        theirs[r] = run_flint(n, count, b);
        ours[r] = run_quern(n, count, a);
    }
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i] && wrong++ < 10)
            fprintf(stderr, "bench_prime64: %" PRIu64 ": %d, FLINT %d\n", n[i], a[i],
                    b[i]);
    bench_print(path, count, ours, "FLINT", count, theirs);
    free(n);
    free(a);
    free(b);
    return wrong != 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= bench(argv[i]);
    return failed;
}
