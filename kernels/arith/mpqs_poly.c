/*
 * mpqs_poly: polynomials and their roots (self-initialisation).
 *
 * a = q_1 ... q_s is near sqrt(kn / 2) / m, which makes |Q| least on [-m, m). With
 * gamma_j = sqrt(kn) (a / q_j)^-1 mod q_j and B_j = gamma_j a / q_j, every b = sum
 * +-B_j has b^2 = kn mod a; a is added once where b would be even, so b^2 = kn mod 4a.
 * Fixing one sign leaves 2^(s-1) polynomials, walked in Gray code order: one sign
 * changes, b moves by 2 B_j, the roots (+-sqrt(kn) - b) / 2a move by B_j / a = gamma_j
 * / q_j mod p. So moves and first roots need the inverses of the q_j mod p only, and
 * all else is done on numbers below 2^16 (2^32), in lanes.
 *
 * a itself: s - 1 primes at random from a pool around goal^(1/s), the last one as near
 * to what is missing as the pool has it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arith/mpqs_internal.h"

static uint64_t random_next(uint64_t *state) /* SplitMix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Smallest index of a prime with prime^s >= goal, at most the last. */
static uint32_t centre_of(const struct mpqs_base *f, uint32_t small, double goal,
                          uint32_t s)
{
    for (uint32_t i = 1; i < small; i++) {
        double x = 1;
        for (uint32_t j = 0; j < s; j++)
            x *= f->prime[i];
        if (x >= goal)
            return i;
    }
    return small;
}

/* Chooses s and the pool for the factor base and the parameters of w. False: stopped.
 */
bool mpqs_poly_begin(struct mpqs *w)
{
    struct mpqs_poly *y = &w->poly;
    const struct mpqs_base *f = &w->base;
    mpz_tdiv_q_2exp(w->t0, w->kn, 1);
    mpz_sqrt(y->target, w->t0);
    y->goal = mpz_get_d(y->target) / w->m;
    y->wide = mpz_sizeinbase(w->kn, 2) > 210; /* |2ax + b|, |Q(x)| < m sqrt(kn) */
    uint32_t centre = 0;
    for (y->s = 1; y->s < MPQS_A_MAX; y->s++) {
        centre = centre_of(f, f->small, y->goal, y->s);
        if (centre < f->small && f->prime[centre] <= w->par.a_prime)
            break;
    }
    uint32_t first = 1; /* 3 divides too much to be lost, where there is a choice */
    while (first + 12 < f->small && f->prime[first] < 11)
        first++;
    uint32_t room = f->small - first;
    y->pool_n = room < 32 ? room : 32 + room / 40;
    if (y->pool_n > MPQS_POOL)
        y->pool_n = MPQS_POOL;
    y->pool = centre > y->pool_n / 2 + first ? centre - y->pool_n / 2 : first;
    if (y->pool + y->pool_n > f->small)
        y->pool = f->small - y->pool_n;
    uint16_t q[MPQS_POOL];
    for (uint32_t i = 0; i < y->pool_n; i++)
        q[i] = (uint16_t)f->prime[y->pool + i];
    w->ops->inverses(f, q, y->pool_n, y->inverse);
    y->random = mpz_get_ui(w->n);
    y->used_n = 0;
    y->number = y->count = 0;
    return mpqs_tail_fill(w, q, y->pool_n);
}

static bool has(const uint32_t *q, uint32_t n, uint32_t i)
{
    for (uint32_t j = 0; j < n; j++)
        if (q[j] == i)
            return true;
    return false;
}

/* A random index of the pool that is not in q[0..n) and does not divide k. */
static uint32_t draw(struct mpqs *w, uint32_t n)
{
    struct mpqs_poly *y = &w->poly;
    for (int tries = 0; tries < 1000; tries++) {
        uint64_t r = random_next(&y->random) >> 32;
        uint32_t i = y->pool + (uint32_t)((r * y->pool_n) >> 32);
        if (w->base.root[i] != 0 && !has(y->q, n, i))
            return i;
    }
    return 0;
}

/* The index of the pool whose prime is nearest to x, with the same conditions. */
static uint32_t nearest(const struct mpqs *w, uint32_t n, double x)
{
    const struct mpqs_poly *y = &w->poly;
    uint32_t best = 0;
    double least = 0;
    for (uint32_t i = y->pool; i < y->pool + y->pool_n; i++) {
        double d = w->base.prime[i] - x;
        d = d < 0 ? -d : d;
        if (w->base.root[i] == 0 || has(y->q, n, i))
            continue;
        if (!best || d < least) {
            best = i;
            least = d;
        }
    }
    return best;
}

static bool is_used(const struct mpqs_poly *y, uint64_t product)
{
    for (uint32_t i = 0; i < y->used_n; i++)
        if (y->used[i] == product)
            return true;
    return false;
}

static bool note_used(struct mpqs_poly *y, uint64_t product)
{
    if (y->used_n == y->used_cap) {
        uint32_t cap = y->used_cap ? 2 * y->used_cap : 64;
        uint64_t *used = realloc(y->used, cap * sizeof *used);
        if (!used)
            return false;
        y->used = used;
        y->used_cap = cap;
    }
    y->used[y->used_n++] = product;
    return true;
}

/* Sets q to a new set; *exhausted if none was found. */
static enum mpqs_status choose(struct mpqs *w, bool *exhausted)
{
    struct mpqs_poly *y = &w->poly;
    /* Values must fit where there is room for 8 bits more than the best ones have. */
    const double most = 2;
    double tolerance = 0.1;
    for (int tries = 0; tries < 2000; tries++) {
        double product = 1;
        uint64_t mark = 1;
        uint32_t n = 0;
        for (; n + 1 < y->s; n++) {
            y->q[n] = draw(w, n);
            product *= w->base.prime[y->q[n]];
            mark *= w->base.prime[y->q[n]];
        }
        y->q[n] = nearest(w, n, y->goal / product);
        if (has(y->q, y->s, 0))
            break; /* the pool is too small */
        product *= w->base.prime[y->q[n]];
        mark *= w->base.prime[y->q[n]];
        if (tries % 32 == 31 && tolerance * 1.25 <= most)
            tolerance *= 1.25;
        double miss = product / y->goal;
        if (miss > 1 + tolerance || miss < 1 / (1 + tolerance) || is_used(y, mark))
            continue;
        return note_used(y, mark) ? MPQS_FOUND : MPQS_NOMEM;
    }
    *exhausted = true;
    return MPQS_FOUND;
}

/* x^-1 mod p, p an odd prime, 0 < x < p: extended Euclid. */
static uint32_t inverse32(uint32_t x, uint32_t p)
{
    int64_t u = 1, v = 0, a = x, b = p;
    while (a > 1) {
        int64_t t = b / a, r = b - t * a, z = v - t * u;
        b = a;
        v = u;
        a = r;
        u = z;
    }
    return (uint32_t)(u < 0 ? u + p : u);
}

/* a, the parts B_j, gamma_j; b as their sum. Returns whether b had to be made odd. */
static bool set_parts(struct mpqs *w, uint16_t *gamma)
{
    struct mpqs_poly *y = &w->poly;
    const struct mpqs_base *f = &w->base;
    mpz_set_ui(y->a, 1);
    for (uint32_t j = 0; j < y->s; j++)
        mpz_mul_ui(y->a, y->a, f->prime[y->q[j]]);
    mpz_set_ui(y->b, 0);
    for (uint32_t j = 0; j < y->s; j++) {
        uint32_t q = f->prime[y->q[j]], rest = 1;
        for (uint32_t i = 0; i < y->s; i++)
            if (i != j)
                rest = (uint32_t)((uint64_t)rest * f->prime[y->q[i]] % q);
        uint64_t g = (uint64_t)f->root[y->q[j]] * inverse32(rest, q) % q;
        gamma[j] = (uint16_t)(g > q / 2 ? q - g : g);
        mpz_divexact_ui(y->part[j], y->a, q);
        mpz_mul_ui(y->part[j], y->part[j], gamma[j]);
        mpz_add(y->b, y->b, y->part[j]);
        y->minus[j] = false;
    }
    bool odd = mpz_even_p(y->b);
    if (odd) {
        mpz_add(y->part[0], y->part[0], y->a);
        mpz_add(y->b, y->b, y->a);
    }
    return odd;
}

/* Lanes without a root: 2, the padding, the primes of a. */
static void kill_lane(struct mpqs_poly *y, uint32_t i)
{
    y->r1[i] = y->r2[i] = MPQS_DEAD;
    for (uint32_t j = 0; j < y->s; j++)
        y->up[j][i] = y->down[j][i] = 0;
}

/* z mod 2^128 */
static int128 low_words(const mpz_t z)
{
    uint128 v = (uint128)mpz_getlimbn(z, 1) << 64 | mpz_getlimbn(z, 0);
    return (int128)(mpz_sgn(z) < 0 ? 0 - v : v);
}

static void set_c(struct mpqs *w)
{
    struct mpqs_poly *y = &w->poly;
    mpz_mul(y->c, y->b, y->b);
    mpz_sub(y->c, y->c, w->kn);
    mpz_tdiv_q_2exp(y->c, y->c, 2); /* exact */
    mpz_divexact(y->c, y->c, y->a);
    y->a128 = low_words(y->a);
    y->b128 = low_words(y->b);
    y->c128 = low_words(y->c);
}

/* The first polynomial of a new a. */
static enum mpqs_status start(struct mpqs *w, bool *exhausted)
{
    struct mpqs_poly *y = &w->poly;
    struct mpqs_base *f = &w->base;
    for (uint32_t j = 0; y->count && j < y->s; j++)
        f->stride[y->q[j]] = (uint16_t)(w->par.block % f->prime[y->q[j]]);
    y->count = 0;
    enum mpqs_status st = choose(w, exhausted);
    if (st != MPQS_FOUND || *exhausted)
        return st;
    uint16_t gamma[MPQS_A_MAX], *row[MPQS_A_MAX];
    uint32_t in_pool[MPQS_A_MAX];
    bool odd = set_parts(w, gamma);
    for (uint32_t j = 0; j < y->s; j++) {
        in_pool[j] = y->q[j] - y->pool;
        row[j] = y->inverse + (size_t)in_pool[j] * f->lanes;
    }
    w->ops->tail_start(&w->tail, y->s, in_pool, gamma, odd);
    mpqs_tail_kill(&w->tail, y->s);
    w->tail.move = w->tail.zero;
    w->ops->start(f, y, row, gamma, odd);
    kill_lane(y, 0);
    for (uint32_t i = f->small; i < f->lanes; i++)
        kill_lane(y, i);
    for (uint32_t j = 0; j < y->s; j++) {
        kill_lane(y, y->q[j]);
        f->stride[y->q[j]] = 0;
    }
    y->number = 1;
    assert(y->s > 0);
    y->count = (uint32_t)1 << (y->s - 1);
    set_c(w);
    return MPQS_FOUND;
}

/* Moves to the next polynomial. */
enum mpqs_status mpqs_poly_next(struct mpqs *w, bool *exhausted)
{
    struct mpqs_poly *y = &w->poly;
    if (y->number == y->count)
        return start(w, exhausted);
    uint32_t j = (uint32_t)__builtin_ctz(y->number++);
    uint16_t *const r[2] = {y->r1, y->r2};
    y->minus[j] = !y->minus[j];
    if (y->minus[j])
        mpz_submul_ui(y->b, y->part[j], 2);
    else
        mpz_addmul_ui(y->b, y->part[j], 2);
    w->ops->shift(&w->base, r, r, y->minus[j] ? y->down[j] : y->up[j]);
    w->tail.move = y->minus[j] ? w->tail.down[j] : w->tail.up[j];
    set_c(w);
    return MPQS_FOUND;
}
