/*
 * The body of an engine, written over any arithmetic. The file that includes it defines
 *
 *     K               vectors that run in lockstep, enough to cover the latency of mul
 *     WORD            a vector of residues
 *     struct modulus  what mul and the others need of the numbers
 *     mul, sqr, add, sub (residues, const struct modulus *)
 *     enter(integers below 2^52, const struct modulus *)   integers to residues
 *     EACH            a loop over j = 0 .. K - 1, unrolled
 *
 * Points (X : Z) are on Montgomery curves (Montgomery 1987, "Speeding the Pollard and
 * elliptic curve methods", section 10). Their sum x + z and difference x - z are kept
 * beside them in stage 1, since every point is used twice on average.
 *
 * The formulas never branch on a value, so all lanes do the same steps. A wrong value,
 * for example of a lane without a number, does no harm: a result only counts as the gcd
 * with n. (check-headers: template)
 */
#ifndef QUERN_ARITH_ECM64_CORE_H
#define QUERN_ARITH_ECM64_CORE_H

#include <string.h>

#include "arith/ecm64.h"

struct point {
    WORD x[K], z[K], s[K], d[K];
};

struct work {
    struct modulus m[K];
    WORD a[K], b[K]; /* of the curve: (A + 2) / 4 = -a / b */
    WORD residue[ECM64_RESIDUES][K];
    struct point r[8];
    WORD x[ECM64_POINTS][K], z[ECM64_POINTS][K], prefix[ECM64_POINTS][K];
};
_Static_assert(sizeof(struct work) <= ECM64_WORK, "ECM64_WORK is too small");

static inline void sides(struct point *p, const struct modulus *m)
{
    EACH p->s[j] = add(p->x[j], p->z[j], m + j);
    EACH p->d[j] = sub(p->x[j], p->z[j], m + j);
}

/* o = p + q where p - q = +-diff. o may be any of them. */
static __attribute__((noinline)) void point_add(struct point *o, const struct point *p,
                                                const struct point *q,
                                                const struct point *diff,
                                                const struct modulus *m)
{
    WORD u[K], v[K], s[K];
    EACH u[j] = mul(p->d[j], q->s[j], m + j);
    EACH v[j] = mul(p->s[j], q->d[j], m + j);
    EACH s[j] = add(u[j], v[j], m + j);
    EACH v[j] = sub(u[j], v[j], m + j);
    EACH s[j] = sqr(s[j], m + j);
    EACH v[j] = sqr(v[j], m + j);
    EACH s[j] = mul(s[j], diff->z[j], m + j);
    EACH v[j] = mul(v[j], diff->x[j], m + j);
    EACH o->x[j] = s[j];
    EACH o->z[j] = v[j];
    sides(o, m);
}

/* o = 2p, scaled by b: 4xz * (b (x - z)^2 - a * 4xz) stands for 4xz * ((x - z)^2 +
 * ...). */
static __attribute__((noinline)) void
point_double(struct point *o, const struct point *p, const struct work *w)
{
    const struct modulus *m = w->m;
    WORD s[K], d[K], t[K];
    EACH s[j] = sqr(p->s[j], m + j);
    EACH d[j] = sqr(p->d[j], m + j);
    EACH t[j] = sub(s[j], d[j], m + j);
    EACH d[j] = mul(d[j], w->b[j], m + j);
    EACH o->x[j] = mul(s[j], d[j], m + j);
    EACH s[j] = mul(t[j], w->a[j], m + j);
    EACH s[j] = sub(d[j], s[j], m + j);
    EACH o->z[j] = mul(t[j], s[j], m + j);
    sides(o, m);
}

static inline void program(struct work *w, const struct ecm64_step *step,
                           unsigned first, unsigned end)
{
    struct point *r = w->r;
    for (unsigned i = first; i < end; i++) {
        const struct ecm64_step *p = step + i;
        if (p->doubling)
            point_double(r + p->to, r + p->a, w);
        else
            point_add(r + p->to, r + p->a, r + p->b, r + p->diff, w->m);
    }
}

/* The starting points into register 0. */
static void start_curves(struct work *w, const struct ecm64_start *const *start)
{
    _Alignas(64) uint64_t x[LANES], z[LANES], a[LANES], b[LANES];
    for (unsigned i = 0; i < LANES; i++) {
        x[i] = start[i]->x;
        z[i] = start[i]->z;
        a[i] = start[i]->a;
        b[i] = start[i]->b;
    }
    EACH w->r[0].x[j] = enter(x, j, w->m + j);
    EACH w->r[0].z[j] = enter(z, j, w->m + j);
    EACH w->a[j] = enter(a, j, w->m + j);
    EACH w->b[j] = enter(b, j, w->m + j);
    sides(&w->r[0], w->m);
}

static void stage1(struct work *w, const struct ecm64_plan *plan)
{
    program(w, plan->step, 0, plan->mark[0]);
    memcpy(w->residue[ECM64_MARK0], w->r[plan->step[plan->mark[0] - 1].to].z,
           sizeof w->residue[0]);
    program(w, plan->step, plan->mark[0], plan->mark[1]);
    memcpy(w->residue[ECM64_MARK1], w->r[plan->step[plan->mark[1] - 1].to].z,
           sizeof w->residue[0]);
    program(w, plan->step, plan->mark[1], plan->steps);
    memcpy(w->residue[ECM64_STAGE1], w->r[plan->result].z, sizeof w->residue[0]);
}

static inline void place(struct work *w, int at, const struct point *p)
{
    if (at >= 0) {
        memcpy(w->x[at], p->x, sizeof p->x);
        memcpy(w->z[at], p->z, sizeof p->z);
    }
}

/* The points jQ, j = 1, 5, 7, 11, ... ; register 0 becomes 6Q. */
static void babies(struct work *w, const struct ecm64_plan *plan)
{
    const struct modulus *m = w->m;
    struct point ring[4], two, *six = &w->r[0];
    ring[0] = w->r[plan->result];
    point_double(&two, &ring[0], w);
    point_add(six, &two, &ring[0], &ring[0], m); /* 3 */
    point_add(&ring[1], &two, six, &ring[0], m); /* 5 */
    point_double(six, six, w);
    point_add(&ring[2], six, &ring[0], &ring[1], m); /* 7 */
    point_add(&ring[3], six, &ring[1], &ring[0], m); /* 11 */
    for (unsigned k = 0; k < plan->babies; k++) {
        struct point *p = &ring[k & 3];
        if (k >= 4)
            point_add(p, &ring[(k + 2) & 3], six, p, m);
        place(w, plan->baby_place[k], p);
    }
}

/* The points i*d*Q, from 6Q in register 0. */
static void giants(struct work *w, const struct ecm64_plan *plan)
{
    struct point a, b, *last = &a, *next = &b;
    program(w, plan->giant_step, 0, plan->giant_steps);
    const struct point *g = &w->r[plan->giant];
    a = *g;
    point_double(&b, g, w);
    for (unsigned i = 1; i <= plan->last; i++) {
        place(w, plan->giant_place[i], last);
        point_add(last, next, g, last, w->m);
        struct point *t = last;
        last = next;
        next = t;
    }
}

/* Multiplies every x by the product of all other z: one common denominator. */
static void common_z(struct work *w, unsigned n)
{
    const struct modulus *m = w->m;
    WORD suffix[K], t[K];
    EACH w->prefix[0][j] = w->z[0][j];
    for (unsigned i = 1; i < n; i++)
        EACH w->prefix[i][j] = mul(w->prefix[i - 1][j], w->z[i][j], m + j);
    EACH suffix[j] = w->z[n - 1][j];
    EACH w->x[n - 1][j] = mul(w->x[n - 1][j], w->prefix[n - 2][j], m + j);
    for (unsigned i = n - 2; i > 0; i--) {
        EACH t[j] = mul(w->prefix[i - 1][j], suffix[j], m + j);
        EACH w->x[i][j] = mul(w->x[i][j], t[j], m + j);
        EACH suffix[j] = mul(suffix[j], w->z[i][j], m + j);
    }
    EACH w->x[0][j] = mul(w->x[0][j], suffix[j], m + j);
}

static void stage2(struct work *w, const struct ecm64_plan *plan)
{
    const struct modulus *m = w->m;
    WORD u[K], v[K], s[K], t[K];
    babies(w, plan);
    giants(w, plan);
    common_z(w, plan->points);
    EACH u[j] = v[j] = w->prefix[plan->points - 1][j];
    for (unsigned i = 0; i < plan->pairs; i += 2) {
        const WORD *a = w->x[plan->pair[i].giant], *b = w->x[plan->pair[i].baby];
        const WORD *c = w->x[plan->pair[i + 1].giant],
                   *d = w->x[plan->pair[i + 1].baby];
        EACH s[j] = sub(a[j], b[j], m + j);
        EACH t[j] = sub(c[j], d[j], m + j);
        EACH u[j] = mul(u[j], s[j], m + j);
        EACH v[j] = mul(v[j], t[j], m + j);
    }
    EACH w->residue[ECM64_STAGE2][j] = mul(u[j], v[j], m + j);
}

static void run(void *work, const struct ecm64_plan *plan,
                const struct ecm64_start *const *start)
{
    struct work *w = work;
    start_curves(w, start);
    stage1(w, plan);
    stage2(w, plan);
}

#endif
