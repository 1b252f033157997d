/*
 * bench_mpqs: time of the quadratic sieve by size of n, and what parameters are tuned
 * with. Milliseconds a number, CPU time.
 *
 *   bench_mpqs FILE [COUNT]                     the numbers of a file, one a line
 *   bench_mpqs --bits A B STEP [COUNT [SEED]]   random semiprimes of equal halves
 *
 * KEY=VALUE in front overrides a parameter (struct mpqs_params): primes block blocks
 * large skip slack a tolerance; or generic=1 (portable lanes), verbose=1. Every answer
 * is checked; up to 5 runs, CPU time. A number without a proper factor makes it -1 and
 * the status 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arith/mpqs_internal.h"

static const char *const keys[] = {"primes",  "block",  "blocks", "large",
                                   "skip",    "slack",  "a",      "tolerance",
                                   "generic", "verbose"};
enum { FIELDS = 8, GENERIC = 8, VERBOSE = 9, KEYS = 10 };
static long override[KEYS] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool take_key(const char *arg)
{
    const char *eq = strchr(arg, '=');
    for (int i = 0; eq && i < KEYS; i++) {
        if (strlen(keys[i]) == (size_t)(eq - arg) &&
            !strncmp(keys[i], arg, (size_t)(eq - arg))) {
            override[i] = strtol(eq + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

static struct mpqs_params params(const mpz_t n)
{
    struct mpqs_params p = mpqs_params_for(mpz_sizeinbase(n, 2));
    uint32_t *field[] = {&p.primes, &p.block, &p.blocks,  &p.large,
                         &p.skip,   &p.slack, &p.a_prime, &p.tolerance};
    for (int i = 0; i < FIELDS; i++)
        if (override[i] >= 0)
            *field[i] = (uint32_t) override[i];
    return p;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Milliseconds per number, the median of the runs and the best; < 0 if an answer was
 * wrong. */
static double run(struct mpqs *w, mpz_t *n, size_t count, double *best)
{
    static atomic_bool stop;
    double t[5];
    mpz_t f;
    mpz_init(f);
    bool wrong = false;
    int runs = 0;
    for (double all = 0; runs < 5 && (runs == 0 || all < 5.0); runs++) {
        double start = cpu_seconds();
        for (size_t i = 0; i < count; i++) {
            struct mpqs_params p = params(n[i]);
            if (mpqs_split_with(w, f, n[i], &stop, &p) != MPQS_FOUND ||
                mpz_cmp_ui(f, 1) <= 0 || mpz_cmp(f, n[i]) >= 0 ||
                !mpz_divisible_p(n[i], f))
                wrong = true;
        }
        t[runs] = cpu_seconds() - start;
        all += t[runs];
    }
    mpz_clear(f);
    if (override[VERBOSE] == 1)
        printf("last: %u primes to %u, a of %u, start %u; each: %.1f polynomials, %.1f "
               "candidates, %.1f examined; last: %u relations, %u sets, %u rows\n",
               w->base.n, w->base.prime[w->base.n - 1], w->poly.s, w->start,
               (double)w->polys / (double)count / runs,
               (double)w->candidates / (double)count / runs,
               (double)w->examined / (double)count / runs, w->store.n, w->store.set_n,
               w->store.seen_n);
    qsort(t, (size_t)runs, sizeof t[0], by_value);
    *best = t[0] * 1e3 / (double)count;
    return wrong ? -1 : t[runs / 2] * 1e3 / (double)count;
}

static size_t read_file(const char *path, mpz_t *n, size_t max)
{
    char line[512];
    size_t count = 0;
    FILE *in = fopen(path, "r");
    while (in && count < max && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\r\n")] = 0;
        count += mpz_set_str(n[count], line, 10) == 0;
    }
    if (in)
        fclose(in);
    return count;
}

static void semiprime(mpz_t n, gmp_randstate_t r, unsigned bits)
{
    mpz_t p;
    mpz_init(p);
    do {
        mpz_urandomb(n, r, bits - bits / 2 - 1);
        mpz_setbit(n, bits - bits / 2 - 1);
        mpz_nextprime(n, n);
        mpz_urandomb(p, r, bits / 2 - 1);
        mpz_setbit(p, bits / 2 - 1);
        mpz_nextprime(p, p);
        mpz_mul(n, n, p);
    } while (mpz_sizeinbase(n, 2) != bits || mpz_perfect_square_p(n));
    mpz_clear(p);
}

int main(int argc, char **argv)
{
    enum { MAX = 10000 };
    int at = 1;
    while (at < argc && take_key(argv[at]))
        at++;
    if (at >= argc) {
        fprintf(stderr, "bench_mpqs: no FILE, no --bits\n");
        return 2;
    }
    mpz_t *n = malloc(MAX * sizeof *n);
    struct mpqs *w = mpqs_new();
    if (!n || !w)
        return 3;
    for (size_t i = 0; i < MAX; i++)
        mpz_init(n[i]);
    if (override[GENERIC] == 1)
        mpqs_use(w, &mpqs_ops_generic);
    long arg[5] = {0, 0, 1, 100, 1};
    for (int i = 0; i < 5 && at + 1 + i < argc; i++)
        arg[i] = strtol(argv[at + 1 + i], NULL, 10);
    int status = 0;
    if (strcmp(argv[at], "--bits") != 0) {
        size_t count = read_file(argv[at], n, arg[0] > 0 ? (size_t)arg[0] : MAX);
        double best, ms = run(w, n, count, &best);
        printf("%s: %zu numbers, %.4f ms each, best %.4f\n", argv[at], count, ms, best);
        status = ms < 0;
    } else {
        for (long bits = arg[0]; bits <= arg[1]; bits += arg[2]) {
            gmp_randstate_t r;
            gmp_randinit_default(r);
            gmp_randseed_ui(r, (unsigned long)(arg[4] * 1000 + bits));
            for (long i = 0; i < arg[3] && i < MAX; i++)
                semiprime(n[i], r, (unsigned)bits);
            gmp_randclear(r);
            double best, ms = run(w, n, (size_t)arg[3], &best);
            printf("%ld bits: %.4f ms each, best %.4f\n", bits, ms, best);
            fflush(stdout);
            status |= ms < 0;
        }
    }
    for (size_t i = 0; i < MAX; i++)
        mpz_clear(n[i]);
    free(n);
    mpqs_free(w);
    return status;
}
