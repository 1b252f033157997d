/*
 * mpqs: the course of a factorization.
 *
 * An attempt chooses the multiplier and the parameters by size, makes the factor base,
 * and sieves polynomial after polynomial until there are more sets of relations than
 * primes in them; then linear algebra. Should the dependencies all be trivial, it
 * sieves on; should the polynomials run out (tiny n), the next attempt has a larger
 * factor base, a longer sieve, and another multiplier.
 *
 * Files: mpqs_base.c (multiplier, factor base), mpqs_poly.c (polynomials and roots),
 * mpqs_sieve.c (sieve, division), mpqs_store.c (relations), mpqs_linalg.c (matrix,
 * square root), mpqs_tail.c (the primes above 2^15), mpqs_generic.c, mpqs_avx2.c (what
 * is done in lanes).
 *
 * What makes it fast: polynomials change so cheaply in lanes (a subtraction for 16
 * primes) that the sieve of each can be as short as 1 to 32 kB, which keeps |Q(x)|
 * small; no branch of the sieve depends on data; candidates are judged with the small
 * primes in lanes before anything is divided.
 */
#include "arith/mpqs.h"

#include <stdlib.h>
#include <string.h>

#include "arith/cpu.h"
#include "arith/mpqs_internal.h"

_Static_assert(GMP_NUMB_BITS == 64, "values are moved by words of 64 bits");

/* Rows by bits of n; in between, linear. Found by descent one coordinate at a time,
 * with bench_mpqs KEY=VALUE --bits on semiprimes of several seeds (Zen 5, AVX2). */
static const struct {
    uint32_t bits;
    struct mpqs_params p;
} table[] = {
    /* bits, primes, block, blocks, large, skip, slack, tolerance, a_prime */
    {40, {22, 768, 1, 12, 8, 50, 20, 130}},
    {48, {28, 1024, 1, 16, 8, 50, 20, 150}},
    {64, {44, 2048, 1, 16, 12, 80, 16, 266}},
    {80, {65, 3008, 1, 60, 30, 100, 20, 450}},
    {96, {120, 4096, 1, 80, 43, 120, 20, 1064}},
    {104, {155, 4096, 1, 70, 50, 125, 20, 1500}},
    {120, {280, 5376, 1, 50, 85, 150, 30, 1700}},
    {128, {400, 8192, 1, 40, 98, 170, 38, 2128}},
    {144, {690, 16384, 1, 56, 100, 180, 40, 2500}},
    {160, {1100, 27200, 1, 56, 100, 180, 40, 2500}},
    {180, {2500, 32768, 1, 60, 90, 180, 50, 2500}},
    {200, {5800, 32768, 1, 60, 100, 180, 50, 2500}},
    {232, {11500, 32768, 1, 120, 100, 180, 50, 2500}},
    {280, {26000, 32768, 1, 150, 100, 180, 50, 3000}},
};

static uint32_t between(uint32_t a, uint32_t b, uint32_t i, uint32_t n)
{
    return a + (uint32_t)(((int64_t)b - a) * i / n);
}

struct mpqs_params mpqs_params_for(size_t bits)
{
    size_t r = 0;
    while (r + 2 < sizeof table / sizeof table[0] && table[r + 1].bits < bits)
        r++;
    const struct mpqs_params *a = &table[r].p, *b = &table[r + 1].p;
    uint32_t n = table[r + 1].bits - table[r].bits;
    uint32_t i = bits < table[r].bits ? 0 : (uint32_t)bits - table[r].bits;
    i = i > n ? n : i;
    return (struct mpqs_params){
        .primes = between(a->primes, b->primes, i, n),
        .block = between(a->block, b->block, i, n) & ~63u,
        .blocks = between(a->blocks, b->blocks, i, n),
        .large = between(a->large, b->large, i, n),
        .skip = between(a->skip, b->skip, i, n),
        .slack = between(a->slack, b->slack, i, n),
        .tolerance = between(a->tolerance, b->tolerance, i, n),
        .a_prime = between(a->a_prime, b->a_prime, i, n),
    };
}

static struct mpqs_params widen(struct mpqs_params p, uint32_t attempt)
{
    for (; attempt; attempt--) {
        p.primes += p.primes < 40000 ? p.primes / 4 + 8 : 0;
        p.block = p.block >= MPQS_BLOCK_MAX / 2 ? MPQS_BLOCK_MAX : 2 * p.block;
        p.blocks += p.blocks / 4;
        p.slack += 10;
    }
    return p;
}

/* Lanes of n primes in 16 bits; there are 3511 odd ones. */
static size_t lane_bytes(size_t n)
{
    return ((n < 3520 ? n : 3520) + MPQS_LANES) * sizeof(uint16_t);
}

static void carve_base(struct mpqs_base *f, struct mpqs_carver *c, size_t n)
{
    size_t lane = lane_bytes(n);
    f->prime = mpqs_carve(c, (n + MPQS_LANES) * sizeof(uint32_t));
    f->root = mpqs_carve(c, (n + MPQS_LANES) * sizeof(uint32_t));
    f->inverse = mpqs_carve(c, (n + MPQS_LANES) * sizeof(uint64_t));
    f->log = mpqs_carve(c, n + MPQS_LANES);
    f->p = mpqs_carve(c, lane);
    f->ni = mpqs_carve(c, lane);
    f->quotients = mpqs_carve(c, lane);
    f->one = mpqs_carve(c, lane);
    f->square = mpqs_carve(c, lane);
    f->sqrt = mpqs_carve(c, lane);
    f->middle = mpqs_carve(c, lane);
    f->stride = mpqs_carve(c, lane);
    f->hits = mpqs_carve(c, lane);
    f->unsieved = mpqs_carve(c, lane);
}

static void carve_all(struct mpqs *w, struct mpqs_carver *c)
{
    size_t n = w->par.primes, lane = lane_bytes(n);
    struct mpqs_poly *y = &w->poly;
    /* behind the block: one hit more of small primes, and those of dead roots */
    w->sieve = mpqs_carve(c, MPQS_DEAD + w->par.block + w->par.block / 8 + 64);
    carve_base(&w->base, c, n);
    y->r1 = mpqs_carve(c, lane);
    y->r2 = mpqs_carve(c, lane);
    y->later[0] = mpqs_carve(c, lane);
    y->later[1] = mpqs_carve(c, lane);
    for (uint32_t j = 0; j < MPQS_A_MAX; j++) {
        y->up[j] = mpqs_carve(c, lane);
        y->down[j] = mpqs_carve(c, lane);
    }
    w->divisor = mpqs_carve(c, (n + MPQS_LANES) * sizeof(uint16_t));
    w->candidate = mpqs_carve(c, w->par.block * sizeof(uint16_t));
    y->inverse = mpqs_carve(c, MPQS_POOL * lane);
}

static bool reserve(struct mpqs *w)
{
    struct mpqs_carver c = {NULL, 0};
    carve_all(w, &c);
    if (c.size > w->arena_size) {
        free(w->arena);
        w->arena_size = c.size;
        w->arena = aligned_alloc(64, c.size);
        if (!w->arena)
            w->arena_size = 0;
    }
    c = (struct mpqs_carver){w->arena, 0};
    if (c.at)
        carve_all(w, &c);
    /* kn is a square modulo half of all primes */
    return c.at && mpqs_primes_grow(&w->primes, 2 * w->par.primes + 64);
}

/* Where the classes of primes end that are sieved by different loops. */
static void set_classes(struct mpqs *w)
{
    struct mpqs_base *f = &w->base;
    uint32_t i = f->first;
    for (uint32_t k = 9; k--;) {
        uint32_t most = w->par.block / (k == 8 ? 32 : k + 1);
        while (i < f->small && f->prime[i] <= most)
            i++;
        f->end[k] = i;
    }
    for (i = 1; i < f->small; i++)
        f->hits[i] = (uint16_t)(w->par.block / f->prime[i]);
}

/* Logs, threshold, largest large prime, first prime that is sieved. */
static void set_threshold(struct mpqs *w)
{
    struct mpqs_base *f = &w->base;
    double largest = f->prime[f->n - 1];
    double large = largest * w->par.large;
    if (large > largest * largest)
        large = largest * largest; /* so that what is left over is prime */
    if (large > 4294967295.0)
        large = 4294967295.0;
    w->large_max = (uint32_t)large;
    mpz_sqrt(w->t0, w->kn);
    uint32_t size = mpqs_log2(mpz_get_d(w->t0)) + mpqs_log2(w->m) - 384; /* of Q(x) */
    uint32_t miss = mpqs_log2(large) + w->par.tolerance * 256 / 10;
    uint32_t need = size > miss + 1024 ? size - miss : 1024;
    uint32_t help = w->par.slack * 256 / 10;
    for (f->first = 1; f->first < f->n; f->first++)
        if (f->prime[f->first] >= w->par.skip && f->prime[f->first] > w->k)
            break;
    if (help > need - 512)
        help = need - 512;
    uint32_t least = need - help; /* without the primes that are not sieved */
    uint32_t unit = (least > size - least ? least : size - least) / 110 + 1;
    w->bit = 65536 / unit;
    w->start = (uint8_t)(128 - least / unit);
    w->keep = w->start + need / unit;
    for (uint32_t i = 0; i < f->n; i++)
        f->log[i] = (uint8_t)((mpqs_log2(f->prime[i]) + unit / 2) / unit);
    set_classes(w);
    for (uint32_t i = 0; i < f->lanes; i++)
        f->unsieved[i] = i < f->first ? f->log[i] : 0;
}

/* Sieves until a factor is found or the polynomials are exhausted. */
static enum mpqs_status collect(struct mpqs *w, mpz_t f, bool *found)
{
    uint32_t excess = 3, failures = 0; /* 3: most often enough; more cost sieving */
    while (!*found) {
        bool exhausted = false;
        if (mpqs_stopped(w))
            return MPQS_STOPPED;
        enum mpqs_status st = mpqs_poly_next(w, &exhausted);
        if (st != MPQS_FOUND)
            return st;
        if (exhausted)
            return MPQS_FOUND;
        if (!mpqs_sieve_poly(w))
            return MPQS_NOMEM;
        if (w->store.set_n < w->store.seen_n + excess)
            continue;
        st = mpqs_solve(w, f, found);
        if (st != MPQS_FOUND)
            return st;
        excess = w->store.set_n - w->store.seen_n + 10;
        /* more than 20 dependencies that are all trivial are no accident */
        if (!*found && ++failures == 3 &&
            (mpz_perfect_power_p(w->n) || mpz_probab_prime_p(w->n, 20)))
            return MPQS_UNSUITED;
    }
    return MPQS_FOUND;
}

static enum mpqs_status attempt(struct mpqs *w, mpz_t f, uint32_t number, bool *found)
{
    w->m = w->par.block * w->par.blocks / 2;
    if (!reserve(w))
        return MPQS_NOMEM;
    mpqs_multiplier(w, number % 8);
    mpqs_store_clear(&w->store, (uint32_t)(mpz_sizeinbase(w->kn, 2) / 2 + 8) / 64 + 1);
    uint32_t p = mpqs_base_fill(w);
    if (p) {
        mpz_set_ui(f, p);
        *found = true;
        return MPQS_FOUND;
    }
    if (!mpqs_tail_reserve(&w->tail, w->base.n - w->base.small))
        return MPQS_NOMEM;
    set_threshold(w);
    if (!mpqs_poly_begin(w))
        return MPQS_STOPPED;
    return collect(w, f, found);
}

enum mpqs_status mpqs_split_with(struct mpqs *w, mpz_t f, const mpz_t n,
                                 const atomic_bool *stop, const struct mpqs_params *par)
{
    size_t bits = mpz_sizeinbase(n, 2);
    if (mpz_sgn(n) <= 0 || bits < MPQS_MIN_BITS || bits > MPQS_BITS || mpz_even_p(n))
        return MPQS_UNSUITED;
    mpz_set(w->n, n);
    w->stop = stop;
    bool found = false;
    enum mpqs_status st = MPQS_FOUND;
    for (uint32_t i = 0; !found && st == MPQS_FOUND; i++) {
        if (i == 1 && (mpz_perfect_power_p(n) || mpz_probab_prime_p(n, 20)))
            return MPQS_UNSUITED;
        w->par = widen(*par, i);
        st = attempt(w, f, i, &found);
    }
    return st;
}

enum mpqs_status mpqs_split(struct mpqs *w, mpz_t f, const mpz_t n,
                            const atomic_bool *stop)
{
    struct mpqs_params par = mpqs_params_for(mpz_sizeinbase(n, 2));
    return mpqs_split_with(w, f, n, stop, &par);
}

void mpqs_use(struct mpqs *w, const struct mpqs_ops *ops)
{
    w->ops = ops;
}

static const struct mpqs_ops *ops_here(void)
{
#if defined(__x86_64__)
    if (cpu_path() == CPU_AVX2)
        return &mpqs_ops_avx2;
#endif
    return &mpqs_ops_generic;
}

struct mpqs *mpqs_new(void)
{
    struct mpqs *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    struct mpqs_poly *y = &w->poly;
    mpz_inits(w->n, w->kn, w->t0, w->t1, NULL);
    mpz_inits(y->target, y->a, y->b, y->c, NULL);
    for (uint32_t j = 0; j < MPQS_A_MAX; j++)
        mpz_init(y->part[j]);
    w->ops = ops_here();
    return w;
}

void mpqs_free(struct mpqs *w)
{
    if (!w)
        return;
    struct mpqs_poly *y = &w->poly;
    mpz_clears(w->n, w->kn, w->t0, w->t1, NULL);
    mpz_clears(y->target, y->a, y->b, y->c, NULL);
    for (uint32_t j = 0; j < MPQS_A_MAX; j++)
        mpz_clear(y->part[j]);
    mpqs_store_release(&w->store);
    free(y->used);
    free(w->primes.arena);
    free(w->tail.arena);
    free(w->arena);
    free(w);
}

enum mpqs_status mpqs_factor(mpz_t f, const mpz_t n, const atomic_bool *stop)
{
    struct mpqs *w = mpqs_new();
    if (!w)
        return MPQS_NOMEM;
    enum mpqs_status st = mpqs_split(w, f, n, stop);
    mpqs_free(w);
    return st;
}
