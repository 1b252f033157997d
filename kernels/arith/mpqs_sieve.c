/*
 * mpqs_sieve: one polynomial: sieve its blocks, divide out the candidates, store the
 * relations.
 *
 * A byte of the sieve starts at `start` and grows by log p at each position whose Q(x)
 * the prime p divides; where it reaches 128, Q(x) is likely to be smooth. The least
 * primes are not sieved at all; the threshold counts on their average instead (small
 * prime variation).
 *
 * The loops have no branch that depends on a root: every prime makes the number of hits
 * that any root has, and one more that may fall behind the block, into bytes that
 * nobody reads: for small primes simply behind it, for larger ones, which would soil
 * much of the cache, all into the first 64 bytes behind the block. A mispredicted
 * branch costs as much as a dozen hits. The dead root hits at MPQS_DEAD and beyond.
 */
#include <string.h>

#include "arith/mpqs_internal.h"

/* Hits of primes of index from..to-1, all up to block / 32: so many fours that none is
 * missing; up to 4p, that is block / 8, behind the block. */
static void hit_fours(const struct mpqs *w, uint32_t from, uint32_t to)
{
    const struct mpqs_base *f = &w->base;
    for (uint32_t i = from; i < to; i++) {
        size_t p = f->p[i];
        uint8_t log = f->log[i];
        uint8_t *x = w->sieve + w->poly.w1[i], *z = w->sieve + w->poly.w2[i];
        for (uint32_t n = f->hits[i] / 4 + 1; n; n--) {
            x[0] = (uint8_t)(x[0] + log);
            z[0] = (uint8_t)(z[0] + log);
            x[p] = (uint8_t)(x[p] + log);
            z[p] = (uint8_t)(z[p] + log);
            x[2 * p] = (uint8_t)(x[2 * p] + log);
            z[2 * p] = (uint8_t)(z[2 * p] + log);
            x[3 * p] = (uint8_t)(x[3 * p] + log);
            z[3 * p] = (uint8_t)(z[3 * p] + log);
            x += 4 * p;
            z += 4 * p;
        }
    }
}

/* Primes of index from..to-1, above block / 32: `sure` hits each, or hits[i] if that is
 * 0, and one more that goes behind the block if it is beyond. */
static inline __attribute__((always_inline)) void
hit_class(const struct mpqs *w, uint32_t from, uint32_t to, uint32_t sure)
{
    const struct mpqs_base *f = &w->base;
    uint32_t len = w->par.block;
    uint8_t *s = w->sieve;
    for (uint32_t i = from; i < to; i++) {
        uint32_t p = f->p[i], x = w->poly.w1[i], z = w->poly.w2[i];
        uint32_t n = sure ? sure : f->hits[i];
        uint8_t log = f->log[i];
        for (uint32_t j = n / 2; j; j--) {
            s[x] = (uint8_t)(s[x] + log);
            s[z] = (uint8_t)(s[z] + log);
            s[x + p] = (uint8_t)(s[x + p] + log);
            s[z + p] = (uint8_t)(s[z + p] + log);
            x += 2 * p;
            z += 2 * p;
        }
        if (n & 1) {
            s[x] = (uint8_t)(s[x] + log);
            s[z] = (uint8_t)(s[z] + log);
            x += p;
            z += p;
        }
        uint32_t beyond = len + i % 64; /* not one byte for all: they would queue */
        x = x < len ? x : beyond;
        z = z < len ? z : beyond;
        s[x] = (uint8_t)(s[x] + log);
        s[z] = (uint8_t)(s[z] + log);
    }
}

/* The tail in block j of the polynomial. */
static void sieve_tail(struct mpqs *w, uint32_t j)
{
    struct mpqs_tail *t = &w->tail;
    if (t->n == 0)
        return;
    if (j == 0)
        w->ops->tail_shift(w, t->r, t->r, t->move);
    else
        w->ops->tail_shift(w, t->later, t->current, t->stride);
    t->current = j ? t->later : t->r;
}

static void sieve_block(const struct mpqs *w)
{
    const uint32_t *end = w->base.end;
    memset(w->sieve, w->start, w->par.block);
    hit_fours(w, w->base.first, end[8]);
    hit_class(w, end[8], end[7], 0);
    hit_class(w, end[7], end[6], 7);
    hit_class(w, end[6], end[5], 6);
    hit_class(w, end[5], end[4], 5);
    hit_class(w, end[4], end[3], 4);
    hit_class(w, end[3], end[2], 3);
    hit_class(w, end[2], end[1], 2);
    hit_class(w, end[1], end[0], 1);
    hit_class(w, end[0], w->base.small, 0);
}

/* A candidate: 2ax + b, what is left of |Q(x)|, and the rows found so far. */
struct candidate {
    uint64_t value[MPQS_LIMBS], word[MPQS_LIMBS];
    uint32_t n; /* of words; the last is not 0 */
    uint32_t rows;
    uint16_t row[MPQS_ROWS_MAX];
};

/* Divides by p if that is exact: from the low word up, each quotient word is what makes
 * the rest divisible by 2^64; exact if no borrow is left (Jebelean 1993). */
static bool divide_words(struct candidate *v, uint64_t p, uint64_t inverse)
{
    uint64_t q[MPQS_LIMBS], borrow = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        uint64_t x = v->word[i] - borrow;
        uint64_t less = v->word[i] < borrow;
        q[i] = x * inverse;
        borrow = (uint64_t)(((uint128)q[i] * p) >> 64) + less;
    }
    if (borrow)
        return false;
    memcpy(v->word, q, v->n * sizeof q[0]);
    while (v->n > 1 && v->word[v->n - 1] == 0)
        v->n--;
    return true;
}

/* Takes prime i out as often as it divides. */
static inline void take_out(const struct mpqs_base *f, struct candidate *v, uint32_t i)
{
    uint64_t p = f->prime[i], inverse = f->inverse[i];
    while (v->n > 1) {
        if (!divide_words(v, p, inverse))
            return;
        v->row[v->rows++] = (uint16_t)(i + 1);
    }
    for (;;) {
        uint64_t q = v->word[0] * inverse;
        if (((uint128)q * p) >> 64)
            return;
        v->word[0] = q;
        v->row[v->rows++] = (uint16_t)(i + 1);
    }
}

static void take_twos(struct candidate *v)
{
    while (!(v->word[0] & 1)) {
        v->row[v->rows++] = 1;
        for (uint32_t i = 0; i < v->n; i++)
            v->word[i] = v->word[i] >> 1 | (i + 1 < v->n ? v->word[i + 1] << 63 : 0);
        if (v->n > 1 && v->word[v->n - 1] == 0)
            v->n--;
    }
}

static uint32_t set_words(uint64_t *word, uint32_t n, const mpz_t z)
{
    for (uint32_t i = 0; i < n; i++)
        word[i] = mpz_getlimbn(z, (mp_size_t)i);
    return (uint32_t)mpz_size(z);
}

/* |2ax + b|, |Q(x)|, its sign. False if Q(x) = 0. */
static bool evaluate_wide(struct mpqs *w, int64_t x, struct candidate *v)
{
    const struct mpqs_poly *y = &w->poly;
    mpz_mul_si(w->t0, y->a, x);
    mpz_add(w->t0, w->t0, y->b);
    mpz_mul_si(w->t1, y->a, x);
    mpz_add(w->t1, w->t1, w->t0);
    mpz_mul_si(w->t0, w->t0, x);
    mpz_add(w->t0, w->t0, y->c);
    set_words(v->value, MPQS_LIMBS, w->t1);
    v->n = set_words(v->word, MPQS_LIMBS, w->t0);
    if (mpz_sgn(w->t0) < 0)
        v->row[v->rows++] = 0;
    return v->n > 0 && v->n <= MPQS_LIMBS;
}

static bool evaluate(struct mpqs *w, int64_t x, struct candidate *v)
{
    const struct mpqs_poly *y = &w->poly;
    v->rows = 0;
    if (y->wide)
        return evaluate_wide(w, x, v);
    int128 t = y->a128 * x + y->b128, value = y->a128 * x + t, q = t * x + y->c128;
    if (q < 0) {
        q = -q;
        v->row[v->rows++] = 0;
    }
    if (value < 0)
        value = -value;
    v->value[0] = (uint64_t)value;
    v->value[1] = (uint64_t)(value >> 64);
    memset(v->value + 2, 0, sizeof v->value - 2 * sizeof v->value[0]);
    v->word[0] = (uint64_t)q;
    v->word[1] = (uint64_t)(q >> 64);
    v->n = v->word[1] ? 2 : 1;
    return q != 0;
}

/* The relation of position `at` of the current block, if it is one. False: no memory.
 */
static bool examine(struct mpqs *w, uint32_t at, int64_t origin)
{
    struct mpqs_poly *y = &w->poly;
    struct candidate v;
    if (!evaluate(w, origin + at, &v))
        return true;
    uint32_t n = w->ops->divisors(&w->base, y, at, w->divisor);
    take_twos(&v);
    for (uint32_t i = 0; i < n; i++)
        take_out(&w->base, &v, w->divisor[i]);
    n = w->tail.n ? w->ops->tail_divisors(&w->tail, at, w->divisor) : 0;
    for (uint32_t i = 0; i < n; i++)
        take_out(&w->base, &v, w->base.small + w->divisor[i]);
    for (uint32_t j = 0; j < y->s; j++)
        take_out(&w->base, &v, y->q[j]);
    if (v.n > 1 || v.word[0] > w->large_max)
        return true;
    v.row[v.rows++] = 1; /* 4a */
    v.row[v.rows++] = 1;
    for (uint32_t j = 0; j < y->s; j++)
        v.row[v.rows++] = (uint16_t)(y->q[j] + 1);
    return mpqs_store_add(&w->store, v.value, v.row, v.rows, (uint32_t)v.word[0]);
}

/* Sieves the current polynomial. False: no memory. */
bool mpqs_sieve_poly(struct mpqs *w)
{
    struct mpqs_poly *y = &w->poly;
    w->polys++;
    y->w1 = y->r1;
    y->w2 = y->r2;
    for (uint32_t j = 0; j < w->par.blocks; j++) {
        if (j) {
            uint16_t *const before[2] = {y->w1, y->w2};
            w->ops->shift(&w->base, y->later, before, w->base.stride);
            y->w1 = y->later[0];
            y->w2 = y->later[1];
        }
        sieve_block(w);
        sieve_tail(w, j);
        int64_t origin = (int64_t)j * w->par.block - w->m;
        uint32_t n = w->ops->scan(w->sieve, w->par.block, w->candidate);
        w->candidates += n;
        n = w->ops->filter(w, origin, w->candidate, n);
        w->examined += n;
        for (uint32_t i = 0; i < n; i++)
            if (!examine(w, w->candidate[i], origin))
                return false;
    }
    return true;
}
