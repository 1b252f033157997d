/*
 * mpqs_base: the multiplier and the factor base.
 *
 * Multiplier: k * n instead of n lets small primes into the factor base. The score of k
 * is the expected number of bits that primes below 128 take out of a value, less half a
 * bit for each bit of k, since values grow with sqrt(k n) (Knuth and Schroeppel;
 * Silverman 1987). Only k n = 1 mod 4 is used, for which Q(x) needs no factor 4; k n =
 * 1 mod 8 makes every value even, with 2 bits expected.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/mpqs_internal.h"

/* log2(1 + f) = f + 0.3444 f (1 - f) to 0.01. */
uint32_t mpqs_log2(double x)
{
    uint32_t e = 0;
    while (x >= 65536.0) {
        x *= 1.0 / 65536.0;
        e += 16;
    }
    while (x >= 2.0) {
        x *= 0.5;
        e++;
    }
    double f = x - 1.0;
    return e * 256 + (uint32_t)(256.0 * (f + 0.3444 * f * (1.0 - f)));
}

void *mpqs_carve(struct mpqs_carver *c, size_t bytes)
{
    void *p = c->at ? c->at + c->size : NULL;
    c->size += (bytes + 63) / 64 * 64;
    return p;
}

static void primes_carve(struct mpqs_primes *t, struct mpqs_carver *c, size_t n)
{
    size_t lane = (n + MPQS_LANES) * sizeof(uint16_t);
    t->prime = mpqs_carve(c, n * sizeof *t->prime);
    t->generator = mpqs_carve(c, n * sizeof *t->generator);
    t->twos = mpqs_carve(c, n);
    t->p = mpqs_carve(c, lane);
    t->ni = mpqs_carve(c, lane);
    t->quotients = mpqs_carve(c, lane);
    t->one = mpqs_carve(c, lane);
    t->square = mpqs_carve(c, lane);
    t->half = mpqs_carve(c, lane);
    t->power = mpqs_carve(c, lane);
    t->root = mpqs_carve(c, lane);
}

/* Lane i for an odd p below 2^15. */
static void primes_lane(struct mpqs_primes *t, uint32_t i, uint32_t p)
{
    t->p[i] = (uint16_t)p;
    t->ni[i] = (uint16_t)mont64_inverse(p);
    t->quotients[i] = (uint16_t)(p == MPQS_DEAD ? 0 : 32767 / p + 1);
    t->one[i] = (uint16_t)(65536 % p);
    t->square[i] = (uint16_t)((uint32_t)t->one[i] * t->one[i] % p);
    t->half[i] = (uint16_t)((p - 1) >> __builtin_ctz(p - 1) >> 1);
}

static void square_classes(struct mpqs_primes *t)
{
    for (uint32_t i = 1; i <= MPQS_SCORED; i++) {
        uint32_t p = t->prime[i];
        memset(t->square_class[i], 0, p);
        for (uint32_t x = 1; x <= p / 2; x++)
            t->square_class[i][x * x % p] = 2;
        t->square_class[i][0] = 1;
    }
}

/* At least n primes; sets limit to n. */
bool mpqs_primes_grow(struct mpqs_primes *t, uint32_t n)
{
    t->limit = n;
    if (t->n >= n)
        return true;
    /* There are limit / 8 primes below 2^11 ... 2^13, limit / 16 up to 2^21. */
    uint32_t limit = 2048;
    while (limit / (limit <= 8192 ? 8 : 16) < n)
        limit *= 2;
    struct mpqs_carver c = {NULL, 0};
    primes_carve(t, &c, limit / 4); /* more than there are */
    uint8_t *composite = calloc(limit, 1);
    free(t->arena);
    t->n = t->small = 0;
    t->arena = composite ? aligned_alloc(64, c.size) : NULL;
    if (!t->arena) {
        free(composite);
        return false;
    }
    memset(t->arena, 0, c.size);
    c = (struct mpqs_carver){t->arena, 0};
    primes_carve(t, &c, limit / 4);
    for (uint32_t i = 2; i < limit; i++) {
        if (composite[i])
            continue;
        t->prime[t->n] = i;
        t->twos[t->n] = (uint8_t)__builtin_ctz(i - 1);
        if (i < MPQS_SMALL)
            primes_lane(t, t->small++, i == 2 ? MPQS_DEAD : i);
        t->n++;
        for (uint32_t j = i; (uint64_t)i * j < limit; j++)
            composite[i * j] = 1;
    }
    free(composite);
    t->lanes = (t->small + MPQS_LANES - 1) / MPQS_LANES * MPQS_LANES;
    for (uint32_t i = t->small; i < t->lanes; i++)
        primes_lane(t, i, MPQS_DEAD);
    square_classes(t);
    return true;
}

static const uint8_t multipliers[] = {1,  3,  5,  7,  11, 13, 15, 17, 19, 21, 23,
                                      29, 31, 33, 35, 37, 39, 41, 43, 47, 51, 53,
                                      55, 57, 59, 61, 65, 67, 69, 71, 73};
enum { MULTIPLIERS = sizeof multipliers };

/* Sets k, kn to the multiplier of the given rank, 0 the best. */
void mpqs_multiplier(struct mpqs *w, uint32_t rank)
{
    int32_t score[MULTIPLIERS];
    uint32_t n8 = (uint32_t)mpz_fdiv_ui(w->n, 8);
    for (uint32_t i = 0; i < MULTIPLIERS; i++) {
        uint32_t r = n8 * multipliers[i] % 8;
        score[i] = r == 1 ? 512 : r == 5 ? 0 : -100000;
        score[i] -= (int32_t)mpqs_log2(multipliers[i]) / 2;
    }
    for (uint32_t i = 1; i <= MPQS_SCORED; i++) {
        uint32_t p = w->primes.prime[i], r = (uint32_t)mpz_fdiv_ui(w->n, p);
        uint32_t weight = mpqs_log2(p) / (p - 1);
        for (uint32_t j = 0; j < MULTIPLIERS; j++)
            score[j] +=
                (int32_t)(weight * w->primes.square_class[i][multipliers[j] * r % p]);
    }
    uint32_t best = 0;
    for (uint32_t i = 1; i < MULTIPLIERS; i++)
        if (score[i] > score[best])
            best = i;
    for (; rank; rank--) {
        score[best] -= 200000;
        for (uint32_t i = 0; i < MULTIPLIERS; i++)
            if (score[i] > score[best])
                best = i;
    }
    w->k = multipliers[best];
    mpz_mul_ui(w->kn, w->n, w->k);
}

static uint32_t power(uint32_t a, uint32_t e, uint32_t p)
{
    uint64_t r = 1, x = a;
    for (; e; e >>= 1) {
        if (e & 1)
            r = r * x % p;
        x = x * x % p;
    }
    return (uint32_t)r;
}

/* z^odd for the least z that is no square. */
static uint32_t generator(struct mpqs_primes *t, uint32_t i)
{
    uint32_t p = t->prime[i], z = 2;
    if (t->generator[i] == 0) {
        while (power(z, (p - 1) / 2, p) != p - 1)
            z++;
        t->generator[i] = power(z, (p - 1) >> t->twos[i], p);
    }
    return t->generator[i];
}

/* A square root mod prime i of v, where r = v^((odd + 1) / 2), t = v^odd; 0 if there is
 * none (Tonelli, Shanks). */
static uint32_t square_root(struct mpqs_primes *s, uint32_t i, uint64_t r, uint64_t t)
{
    uint32_t p = s->prime[i], e = s->twos[i];
    if (t == 1)
        return (uint32_t)r;
    if (e == 1)
        return 0;
    uint64_t c = generator(s, i);
    while (t != 1) { /* r^2 = v t, t of order 2^j, c of order 2^e */
        uint32_t j = 0;
        for (uint64_t u = t; u != 1; u = u * u % p)
            if (++j == e)
                return 0;
        for (; e > j + 1; e--)
            c = c * c % p;
        r = r * c % p;
        c = c * c % p;
        t = t * c % p;
        e = j;
    }
    return (uint32_t)r;
}

/* A square root of kn mod prime i; 0 if that is 0, p if there is none. */
static uint32_t root_of(struct mpqs *w, uint32_t i)
{
    struct mpqs_primes *t = &w->primes;
    uint32_t p = t->prime[i], root;
    if (i < t->small) {
        if (t->root[i] == 0)
            return 0;
        root = square_root(t, i, t->root[i], t->power[i]);
    } else {
        uint64_t v = mpz_fdiv_ui(w->kn, p);
        if (v == 0)
            return 0;
        uint64_t x = power((uint32_t)v, (p - 1) >> t->twos[i] >> 1, p), r = x * v % p;
        root = square_root(t, i, r, r * x % p);
    }
    return root ? root : p;
}

static void fill_lane(struct mpqs *w, uint32_t i, uint32_t from)
{
    struct mpqs_base *f = &w->base;
    const struct mpqs_primes *t = &w->primes;
    uint32_t p = t->p[from];
    f->p[i] = (uint16_t)p;
    f->ni[i] = t->ni[from];
    f->quotients[i] = t->quotients[from];
    f->one[i] = t->one[from];
    f->square[i] = t->square[from];
    f->sqrt[i] = (uint16_t)f->root[i];
    f->middle[i] = (uint16_t)(w->m % p);
    f->stride[i] = (uint16_t)(w->par.block % p);
}

static void fill_dead(struct mpqs *w, uint32_t i)
{
    w->base.root[i] = 0;
    fill_lane(w, i, 0);
    w->base.stride[i] = 0;
}

static void powers(struct mpqs *w)
{
    uint16_t digit[(MPQS_BITS + 8) / 16 + 4] = {0};
    uint32_t n = 0;
    for (; n < mpz_size(w->kn) * 4; n++)
        digit[n] = (uint16_t)(mpz_getlimbn(w->kn, n / 4) >> n % 4 * 16);
    while (n > 1 && digit[n - 1] == 0)
        n--;
    w->ops->powers(&w->primes, digit, n);
}

/* Fills the base up to par.primes, or with less if the first `limit` primes have no
 * more; returns a prime that divides n, or 0. */
uint32_t mpqs_base_fill(struct mpqs *w)
{
    struct mpqs_base *f = &w->base;
    const struct mpqs_primes *t = &w->primes;
    powers(w);
    f->prime[0] = 2;
    f->inverse[0] = 0;
    f->n = f->small = 1;
    for (uint32_t i = 1; f->n < w->par.primes && i < t->limit; i++) {
        uint32_t p = t->prime[i], root = root_of(w, i);
        if (root == p)
            continue;
        if (root == 0 && mpz_divisible_ui_p(w->n, p))
            return p;
        f->prime[f->n] = p;
        f->inverse[f->n] = mont64_inverse(p);
        f->root[f->n] = root;
        if (p < MPQS_SMALL)
            fill_lane(w, f->small++, i);
        f->n++;
    }
    f->lanes = (f->small + MPQS_LANES - 1) / MPQS_LANES * MPQS_LANES;
    fill_dead(w, 0);
    for (uint32_t i = f->small; i < f->lanes; i++)
        fill_dead(w, i);
    return 0;
}
