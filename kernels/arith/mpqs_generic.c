/*
 * mpqs_generic: the lanes of the quadratic sieve in portable C.
 *
 * Products mod p are Montgomery's with R = 2^16 and the positive inverse: hi(xy) -
 * hi(mp) with m = lo(xy) / p mod R, plus p if negative. One factor must be below p, the
 * other may be any 16-bit number; the result is below p. p = MPQS_DEAD in dead lanes is
 * odd too.
 */
#include <string.h>

#include "arith/mpqs_internal.h"

static uint16_t mul(uint32_t x, uint32_t y, uint32_t p, uint32_t ni)
{
    uint32_t t = x * y;
    uint32_t m = (uint16_t)(t * ni);
    uint32_t hi = t >> 16, sub = (m * p) >> 16;
    return (uint16_t)(hi < sub ? hi - sub + p : hi - sub);
}

static void powers_generic(struct mpqs_primes *t, const uint16_t *v, uint32_t digits)
{
    for (uint32_t i = 0; i < t->lanes && i < t->limit; i++) {
        uint32_t p = t->p[i], ni = t->ni[i], square = t->square[i], x = 0;
        for (uint32_t j = digits; j--;) {
            x = (uint32_t)mul(x, square, p, ni) + mul(v[j], square, p, ni);
            x = x >= p ? x - p : x;
        }
        uint32_t r = t->one[i];
        for (uint32_t bit = 1u << 14; bit; bit >>= 1) {
            r = mul(r, r, p, ni);
            if (t->half[i] & bit)
                r = mul(r, x, p, ni);
        }
        x = mul(x, r, p, ni);
        t->power[i] = mul(mul(x, r, p, ni), 1, p, ni);
        t->root[i] = mul(x, 1, p, ni);
    }
}

/* x^-1 mod p, 0 if there is none: extended Euclid on numbers below 2^15. */
static uint32_t inverse_of(uint32_t x, uint32_t p)
{
    int32_t u = 1, v = 0, a = (int32_t)(x % p), b = (int32_t)p;
    while (a > 1) {
        int32_t t = b / a, r = b - t * a, z = v - t * u;
        b = a;
        v = u;
        a = r;
        u = z;
    }
    if (a == 0)
        return 0;
    return (uint32_t)(u < 0 ? u + (int32_t)p : u);
}

/* One inversion for all q (Montgomery's trick): row j first holds q_0 ... q_(j-1). */
static void inverses_generic(const struct mpqs_base *f, const uint16_t *q, uint32_t n,
                             uint16_t *row)
{
    for (uint32_t i = 0; i < f->lanes; i++) {
        uint32_t p = f->p[i], ni = f->ni[i], all = 1;
        for (uint32_t j = 0; j < n; j++) {
            row[(size_t)j * f->lanes + i] = (uint16_t)all;
            if (q[j] != p)
                all = mul(mul(q[j], f->square[i], p, ni), all, p, ni);
        }
        all = mul(inverse_of(all, p), f->square[i], p, ni);
        for (uint32_t j = n; j--;) {
            uint16_t *at = row + (size_t)j * f->lanes + i;
            *at = q[j] == p ? 0 : mul(all, mul(*at, f->square[i], p, ni), p, ni);
            if (q[j] != p)
                all = mul(mul(q[j], f->square[i], p, ni), all, p, ni);
        }
    }
}

static void start_generic(const struct mpqs_base *f, struct mpqs_poly *y,
                          uint16_t *const *inv, const uint16_t *gamma, bool odd)
{
    for (uint32_t i = 0; i < f->lanes; i++) {
        uint32_t p = f->p[i], ni = f->ni[i], sum = 0, ainv = f->one[i];
        for (uint32_t j = 0; j < y->s; j++) {
            uint32_t d = mul(gamma[j], inv[j][i], p, ni);
            ainv = mul(ainv, inv[j][i], p, ni);
            if (j == 0 && odd)
                d = d + 1 == p ? 0 : d + 1;
            y->up[j][i] = (uint16_t)d;
            y->down[j][i] = (uint16_t)(d ? p - d : 0);
            sum = sum + d >= p ? sum + d - p : sum + d;
        }
        uint32_t h = mul(f->sqrt[i], ainv, p, ni); /* sqrt(kn) / a */
        uint32_t u = h >= sum ? h - sum : h - sum + p;
        uint32_t v = h + sum;
        v = v >= p ? v - p : v;
        v = v ? p - v : 0;
        u = (u & 1 ? u + p : u) / 2 + f->middle[i];
        v = (v & 1 ? v + p : v) / 2 + f->middle[i];
        y->r1[i] = (uint16_t)(u >= p ? u - p : u);
        y->r2[i] = (uint16_t)(v >= p ? v - p : v);
    }
}

/* Vectors of the compiler: SSE2, NEON, or words. */
typedef uint16_t lanes8 __attribute__((vector_size(16), may_alias));
typedef int16_t signed8 __attribute__((vector_size(16), may_alias));

static inline lanes8 load(const uint16_t *p)
{
    return *(const lanes8 *)p;
}

static void shift_generic(const struct mpqs_base *f, uint16_t *const to[2],
                          uint16_t *const from[2], const uint16_t *move)
{
    for (int k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < f->lanes; i += 8) {
            lanes8 r = load(from[k] + i) - load(move + i);
            lanes8 negative = (lanes8)((signed8)r >> 15);
            *(lanes8 *)(to[k] + i) = r + (load(f->p + i) & negative);
        }
    }
}

/* Without branches: a root beyond the block hits one of 64 bytes behind it. */
static void tail_shift_generic(struct mpqs *w, uint32_t *const to[2],
                               uint32_t *const from[2], const uint32_t *move)
{
    const struct mpqs_tail *t = &w->tail;
    for (int k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < t->lanes; i++) {
            uint32_t d = move[i], r = from[k][i];
            to[k][i] = r = r >= d ? r - d : r - d + t->p[i];
            uint32_t beyond = w->par.block + i % 64;
            r = r < beyond ? r : beyond;
            w->sieve[r] = (uint8_t)(w->sieve[r] + t->log[i]);
        }
    }
}

static uint32_t scan_generic(const uint8_t *sieve, uint32_t len, uint16_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < len; i += 32) {
        uint64_t v[4];
        memcpy(v, sieve + i, sizeof v);
        if (!((v[0] | v[1] | v[2] | v[3]) & 0x8080808080808080u))
            continue;
        for (uint32_t j = i; j < i + 32; j += 8)
            for (uint32_t k = j; v[(j - i) / 8] & 0x8080808080808080u && k < j + 8; k++)
                if (sieve[k] & 0x80)
                    out[n++] = (uint16_t)k;
    }
    return n;
}

/* All ones in the lanes from i on that have a root at `at`: at - root is k p exactly if
 * its product with p^-1 mod 2^16 is k, below `quotients`. A negative difference is
 * above 2^15 mod 2^16, so its k, if it has one, is not. */
static inline lanes8 has_root(const struct mpqs_base *f, const struct mpqs_poly *y,
                              uint32_t at, uint32_t i)
{
    lanes8 ni = load(f->ni + i), most = load(f->quotients + i);
    lanes8 u = ((uint16_t)at - load(y->w1 + i)) * ni;
    lanes8 v = ((uint16_t)at - load(y->w2 + i)) * ni;
    return (lanes8)((u < most) | (v < most));
}

static uint32_t filter_generic(const struct mpqs *w, int64_t origin, uint16_t *at,
                               uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t sum = w->sieve[at[k]] + mpqs_twos(w, origin + at[k]);
        lanes8 add = {0};
        for (uint32_t i = 0; i < w->base.first; i += 8)
            add += has_root(&w->base, &w->poly, at[k], i) & load(w->base.unsieved + i);
        for (int j = 0; j < 8; j++)
            sum += add[j];
        at[kept] = at[k];
        kept += sum >= w->keep;
    }
    return kept;
}

static uint32_t divisors_generic(const struct mpqs_base *f, const struct mpqs_poly *y,
                                 uint32_t at, uint16_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->lanes; i += 8) {
        lanes8 hit = has_root(f, y, at, i);
        uint64_t half[2];
        memcpy(half, &hit, sizeof half);
        for (uint32_t j = 0; (half[0] | half[1]) && j < 8; j++)
            if (hit[j])
                out[n++] = (uint16_t)(i + j);
    }
    return n;
}

static uint32_t tail_divisors_generic(const struct mpqs_tail *t, uint32_t at,
                                      uint16_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->current[0][i] == at || t->current[1][i] == at)
            out[n++] = (uint16_t)i;
    return n;
}

const struct mpqs_ops mpqs_ops_generic = {
    .powers = powers_generic,
    .inverses = inverses_generic,
    .start = start_generic,
    .tail_start = mpqs_tail_start_generic,
    .shift = shift_generic,
    .tail_shift = tail_shift_generic,
    .scan = scan_generic,
    .filter = filter_generic,
    .divisors = divisors_generic,
    .tail_divisors = tail_divisors_generic,
};
