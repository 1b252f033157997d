/*
 * mpqs_tail: the primes of the factor base above 2^15, in 32-bit lanes.
 *
 * They are larger than a block, so a root hits a block at most once. For each block all
 * roots are moved (to the next polynomial, or to the next block: that is the same work)
 * and those that fall below `block` hit at once; there is no list of hits. What is done
 * once for each a is here; the passes over all roots are in the lanes of each
 * processor.
 */
#include <stdlib.h>

#include "arith/mpqs_internal.h"

/* x y / 2^32 mod p; one of them below p. See mpqs_generic.c. */
static uint32_t mul(uint32_t x, uint32_t y, uint32_t p, uint32_t ni)
{
    uint64_t t = (uint64_t)x * y;
    uint32_t m = (uint32_t)t * ni;
    uint32_t hi = (uint32_t)(t >> 32), sub = (uint32_t)(((uint64_t)m * p) >> 32);
    return hi < sub ? hi - sub + p : hi - sub;
}

static uint32_t add(uint32_t x, uint32_t y, uint32_t p)
{
    return x + y >= p ? x + y - p : x + y;
}

static uint32_t inverse_of(uint32_t x, uint32_t p)
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

static void carve(struct mpqs_tail *t, struct mpqs_carver *c, size_t n)
{
    size_t lane = (n + MPQS_LANES) * sizeof(uint32_t);
    t->p = mpqs_carve(c, lane);
    t->ni = mpqs_carve(c, lane);
    t->one = mpqs_carve(c, lane);
    t->square = mpqs_carve(c, lane);
    t->sqrt = mpqs_carve(c, lane);
    t->middle = mpqs_carve(c, lane);
    t->stride = mpqs_carve(c, lane);
    t->zero = mpqs_carve(c, lane);
    t->log = mpqs_carve(c, n + MPQS_LANES);
    for (int k = 0; k < 2; k++) {
        t->r[k] = mpqs_carve(c, lane);
        t->later[k] = mpqs_carve(c, lane);
    }
    for (uint32_t j = 0; j < MPQS_A_MAX; j++) {
        t->up[j] = mpqs_carve(c, lane);
        t->down[j] = mpqs_carve(c, lane);
    }
    t->inverse = mpqs_carve(c, MPQS_POOL * lane);
}

/* Room for n primes. False: no memory. */
bool mpqs_tail_reserve(struct mpqs_tail *t, uint32_t n)
{
    struct mpqs_carver c = {NULL, 0};
    t->n = n;
    t->lanes = (n + MPQS_LANES - 1) / MPQS_LANES * MPQS_LANES;
    if (n == 0)
        return true;
    carve(t, &c, n);
    if (c.size > t->arena_size) {
        free(t->arena);
        t->arena_size = 0;
        t->arena = aligned_alloc(64, c.size);
        if (!t->arena)
            return false;
        t->arena_size = c.size;
    }
    c = (struct mpqs_carver){t->arena, 0};
    carve(t, &c, n);
    return true;
}

static void fill_lane(const struct mpqs *w, uint32_t i)
{
    const struct mpqs_tail *t = &w->tail;
    const struct mpqs_base *f = &w->base;
    bool dead = i >= t->n;
    uint32_t at = f->small + i, p = dead ? MPQS_TAIL_DEAD : f->prime[at];
    uint64_t one = ((uint64_t)1 << 32) % p;
    t->p[i] = p;
    t->ni[i] = dead ? 0 : (uint32_t)f->inverse[at];
    t->one[i] = (uint32_t)one;
    t->square[i] = (uint32_t)(one * one % p);
    t->sqrt[i] = dead ? 0 : f->root[at];
    t->middle[i] = w->m % p;
    t->stride[i] = dead ? 0 : w->par.block % p;
    t->zero[i] = 0;
    t->log[i] = f->log[f->small + i / MPQS_LANES * MPQS_LANES];
}

/* Column i of the inverses, by one inversion (Montgomery's trick). */
static void fill_inverses(struct mpqs_tail *t, uint32_t i, const uint16_t *q,
                          uint32_t n)
{
    uint32_t p = t->p[i], ni = t->ni[i], square = t->square[i], all = 1;
    for (uint32_t j = 0; j < n; j++) {
        t->inverse[(size_t)j * t->lanes + i] = all;
        all = mul(mul(q[j], square, p, ni), all, p, ni);
    }
    all = mul(inverse_of(all, p), square, p, ni);
    for (uint32_t j = n; j--;) {
        uint32_t *at = &t->inverse[(size_t)j * t->lanes + i];
        *at = mul(all, mul(*at, square, p, ni), p, ni);
        all = mul(mul(q[j], square, p, ni), all, p, ni);
    }
}

/* Fills the tail from the factor base; the primes q[0..n) may be in a. False: stopped.
 */
bool mpqs_tail_fill(struct mpqs *w, const uint16_t *q, uint32_t n)
{
    struct mpqs_tail *t = &w->tail;
    for (uint32_t i = 0; i < t->lanes; i++) {
        fill_lane(w, i);
        if (i % 1024 == 0 && mpqs_stopped(w))
            return false;
        if (i < t->n)
            fill_inverses(t, i, q, n);
        for (uint32_t j = 0; j < n && i >= t->n; j++)
            t->inverse[(size_t)j * t->lanes + i] = 0;
    }
    return true;
}

/* Lanes without a prime. */
void mpqs_tail_kill(struct mpqs_tail *t, uint32_t s)
{
    for (uint32_t i = t->n; i < t->lanes; i++) {
        t->r[0][i] = t->r[1][i] = MPQS_TAIL_DEAD;
        for (uint32_t j = 0; j < s; j++)
            t->up[j][i] = t->down[j][i] = 0;
    }
}

void mpqs_tail_start_generic(struct mpqs_tail *t, uint32_t s, const uint32_t *in_pool,
                             const uint16_t *gamma, bool odd)
{
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t p = t->p[i], ni = t->ni[i], sum = 0, ainv = t->one[i];
        for (uint32_t j = 0; j < s; j++) {
            uint32_t inv = t->inverse[(size_t)in_pool[j] * t->lanes + i];
            uint32_t d = mul(gamma[j], inv, p, ni);
            ainv = mul(ainv, inv, p, ni);
            if (j == 0 && odd)
                d = add(d, 1, p);
            t->up[j][i] = d;
            t->down[j][i] = d ? p - d : 0;
            sum = add(sum, d, p);
        }
        uint32_t h = mul(t->sqrt[i], ainv, p, ni);
        uint32_t u = add(h, p - sum, p), v = add(p - h, p - sum, p);
        v = v == p ? 0 : v;
        u = (u & 1 ? u + p : u) / 2;
        v = (v & 1 ? v + p : v) / 2;
        t->r[0][i] = add(u, t->middle[i], p);
        t->r[1][i] = add(v, t->middle[i], p);
    }
}
