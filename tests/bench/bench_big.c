/*
 * bench_big prime|factor FILE...: numbers above 2^64 in memory, on the thread's CPU
 * clock: prime128_batch beside GMP's mpz_probab_prime_p (24 repetitions: BPSW, as
 * here), or factorbig beside PARI's absZ_factor. The median of alternating rounds.
 * Fails if a verdict or a factor differs.
 *
 * Environment: LIM, how many numbers of each file.
 */
#include <gmp.h>
#include <pari/pari.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arith/factorbig.h"
#include "arith/prime128.h"
#include "bench.h"

struct list {
    mpz_t *n;
    size_t count;
};

static bool read_list(const char *path, struct list *l)
{
    char line[512];
    size_t cap = bench_env("LIM", 100000);
    FILE *f = fopen(path, "r");
    l->count = 0;
    l->n = malloc((cap + 1) * sizeof *l->n);
    if (!f || !l->n) {
        perror(path);
        if (f)
            fclose(f);
        return false;
    }
    while (l->count < cap && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (mpz_init_set_str(l->n[l->count], line, 10) == 0)
            l->count++;
        else
            mpz_clear(l->n[l->count]);
    }
    fclose(f);
    return l->count > 0;
}

static void release_list(struct list *l)
{
    for (size_t i = 0; i < l->count; i++)
        mpz_clear(l->n[i]);
    free(l->n);
}

/* --- primality ----------------------------------------------------------------------
 */

/* Numbers below 2^128 as two limbs. NULL if one is larger or memory ran out. */
static uint128 *take_limbs(const struct list *l)
{
    uint128 *v = malloc(l->count * sizeof *v);
    for (size_t i = 0; v && i < l->count; i++) {
        if (mpz_size(l->n[i]) > 2) {
            free(v);
            return NULL;
        }
        v[i] = (uint128)mpz_getlimbn(l->n[i], 1) << 64 | mpz_getlimbn(l->n[i], 0);
    }
    return v;
}

static double primes_quern(const uint128 *v, size_t count, uint8_t *out, uint8_t *proof)
{
    double start = bench_seconds();
    prime128_batch(v, count, out, proof);
    double seconds = bench_seconds() - start;
    for (size_t i = 0; i < count; i++)
        out[i] = out[i] == CLASS_PRIME || out[i] == CLASS_PROBABLE;
    return seconds;
}

static double primes_gmp(const struct list *l, uint8_t *out)
{
    double start = bench_seconds();
    for (size_t i = 0; i < l->count; i++)
        out[i] = mpz_probab_prime_p(l->n[i], 24) != 0;
    return bench_seconds() - start;
}

static bool bench_primes(const char *path, const struct list *l)
{
    double ours[BENCH_ROUNDS], theirs[BENCH_ROUNDS];
    uint8_t *a = calloc(3, l->count), *b = a + l->count;
    uint128 *v = take_limbs(l);
    bool good = a && v;
    for (int r = 0; good && r < BENCH_ROUNDS; r++) {
        theirs[r] = primes_gmp(l, b);
        ours[r] = primes_quern(v, l->count, a, b + l->count);
        good = memcmp(a, b, l->count) == 0;
    }
    if (good)
        bench_print(path, l->count, ours, "GMP", l->count, theirs);
    free(v);
    free(a);
    return good;
}

/* --- factoring ----------------------------------------------------------------------
 */

static double factors_quern(const struct list *l, struct factorbig *f, bool *good)
{
    static atomic_bool stop;
    double start = bench_seconds();
    for (size_t i = 0; i < l->count; i++)
        *good &= factorbig(&f[i], l->n[i], &stop) == FACTORBIG_DONE;
    return bench_seconds() - start;
}

/* PARI's integers live on its stack: the list is made there once, below the mark that
 * each factorization returns to. */
static GEN *pari_list(const struct list *l)
{
    GEN *z = malloc(l->count * sizeof *z);
    for (size_t i = 0; z && i < l->count; i++) {
        char *text = mpz_get_str(NULL, 10, l->n[i]);
        z[i] = gp_read_str(text);
        free(text);
    }
    return z;
}

/* Whether PARI's matrix of primes and exponents is the list of factors f. */
static bool same_factors(GEN matrix, const struct factorbig *f)
{
    GEN primes = gel(matrix, 1), exponents = gel(matrix, 2);
    size_t at = 0;
    bool same = true;
    for (long j = 1; j < lg(primes) && same; j++) {
        char *text = GENtostr(gel(primes, j));
        for (long e = itos(gel(exponents, j)); e > 0 && same; e--) {
            char *ours = at < f->n ? mpz_get_str(NULL, 10, f->p[at++]) : NULL;
            same = ours && strcmp(ours, text) == 0;
            free(ours);
        }
        pari_free(text);
    }
    return same && at == f->n;
}

/* `ours` is compared in the last round, outside the clock. */
static double factors_pari(const struct list *l, const GEN *z,
                           const struct factorbig *ours, bool *good)
{
    double spent = 0;
    for (size_t i = 0; i < l->count; i++) {
        pari_sp mark = avma;
        double start = bench_seconds();
        GEN matrix = absZ_factor(z[i]);
        spent += bench_seconds() - start;
        if (ours)
            *good &= same_factors(matrix, &ours[i]);
        set_avma(mark);
    }
    return spent;
}

static bool bench_factors(const char *path, const struct list *l)
{
    double ours[BENCH_ROUNDS], theirs[BENCH_ROUNDS];
    struct factorbig *f = malloc(l->count * sizeof *f);
    pari_sp mark = avma;
    GEN *z = pari_list(l);
    bool good = f && z;
    for (size_t i = 0; f && i < l->count; i++)
        factorbig_init(&f[i]);
    for (int r = 0; good && r < BENCH_ROUNDS; r++) {
        ours[r] = factors_quern(l, f, &good);
        theirs[r] = factors_pari(l, z, r == BENCH_ROUNDS - 1 ? f : NULL, &good);
    }
    if (good)
        bench_print(path, l->count, ours, "PARI", l->count, theirs);
    for (size_t i = 0; f && i < l->count; i++)
        factorbig_release(&f[i]);
    set_avma(mark);
    free(z);
    free(f);
    return good;
}

static bool bench_file(const char *path, bool factor)
{
    struct list l;
    bool good = read_list(path, &l);
    if (good) {
        good = factor ? bench_factors(path, &l) : bench_primes(path, &l);
        if (!good)
            printf("%s: WRONG\n", path);
    }
    release_list(&l);
    return good;
}

int main(int argc, char **argv)
{
    bool factor = argc > 1 && strcmp(argv[1], "factor") == 0;
    int failed = argc < 3 || (!factor && strcmp(argv[1], "prime") != 0);
    if (failed) {
        fprintf(stderr, "usage: bench_big prime|factor FILE...\n");
        return 2;
    }
    /* GMP's memory stays malloc's: quern's numbers do not belong to PARI's stack. */
    pari_init_opts((size_t)256 << 20, 1000000, INIT_DFTm | INIT_noINTGMPm);
    for (int i = 2; i < argc; i++)
        failed |= !bench_file(argv[i], factor);
    pari_close();
    return failed;
}
