/*
 * Montgomery curves with Suyama's parametrisation (Montgomery 1987; Zimmermann and
 * Dodson, "20 years of ECM", 2006): for an integer sigma, u = sigma^2 - 5, v = 4 sigma,
 * x : z = u^3 : v^3, a24 = (v - u)^3 (3u + v) / (16 u^3 v). One inversion makes both z
 * = 1 and a24 an integer; then a ladder step is 10 products.
 *
 * Stage 1 multiplies the point by lcm(1..200). Stage 2 looks for one more prime below
 * about GIANTS * STEP, as m * STEP +- j with j prime to STEP. All such j are taken,
 * prime or not: a table of primes would save less than it costs. Since x(P) = x(-P), a
 * product x_m z_j - x_j z_m tells of both signs.
 */
#include "arith/ecm128.h"

#include "arith/mont128.h"

enum {
    STEP = 210,
    BABIES = 24, /* j below STEP / 2 and prime to it */
    GIANTS = 36,
    POINTS = BABIES + GIANTS,
    FIRST_SIGMA = 6
};

/* lcm(1..200), 298 bits, least limb first. */
static const uint64_t multiplier[] = {0x064e6985891f4380u, 0xab93ce2634fd7397u,
                                      0x00617d3dab7b913fu, 0xdf5d994ff1574617u,
                                      0x000002a637d13b11u};

struct point {
    uint128 x, z;
};

struct curve {
    uint128 n, one, a24;
    uint64_t ni;
};

static uint128 mul(const struct curve *c, uint128 a, uint128 b)
{
    return mont128_mul(a, b, c->n, c->ni);
}

static uint128 sqr(const struct curve *c, uint128 a)
{
    return mont128_sqr(a, c->n, c->ni);
}

static struct point point_double(const struct curve *c, struct point p)
{
    uint128 s = sqr(c, mont128_add(p.x, p.z, c->n));
    uint128 d = sqr(c, mont128_sub(p.x, p.z, c->n));
    uint128 t = mont128_sub(s, d, c->n);
    uint128 w = mont128_add(d, mul(c, c->a24, t), c->n);
    return (struct point){mul(c, s, d), mul(c, t, w)};
}

/* The sum of p and q up to the factor that the difference p - q brings: x and z of the
 * result are to be multiplied by the difference's z and x. */
static struct point add_raw(const struct curve *c, struct point p, struct point q)
{
    uint128 a = mul(c, mont128_sub(p.x, p.z, c->n), mont128_add(q.x, q.z, c->n));
    uint128 b = mul(c, mont128_add(p.x, p.z, c->n), mont128_sub(q.x, q.z, c->n));
    return (struct point){sqr(c, mont128_add(a, b, c->n)),
                          sqr(c, mont128_sub(a, b, c->n))};
}

static struct point point_add(const struct curve *c, struct point p, struct point q,
                              struct point difference)
{
    struct point r = add_raw(c, p, q);
    return (struct point){mul(c, r.x, difference.z), mul(c, r.z, difference.x)};
}

/* The form of v, and back. */
static uint128 from_mpz(const struct curve *c, const mpz_t v, uint128 r2)
{
    uint128 x = (uint128)mpz_getlimbn(v, 1) << 64 | mpz_getlimbn(v, 0);
    return mont128_mul(x, r2, c->n, c->ni);
}

static void to_mpz(const struct curve *c, mpz_t v, uint128 x)
{
    x = mont128_reduce(0, (uint64_t)(x >> 64), (uint64_t)x, c->n, c->ni);
    uint64_t limbs[2] = {(uint64_t)x, (uint64_t)(x >> 64)};
    big_set_limbs(v, limbs, 2);
}

/* The curve of a sigma, and its point with z = 1. False if an inverse does not exist.
 */
static bool choose(struct curve *c, struct point *p, uint64_t sigma, const mpz_t n,
                   uint128 r2, mpz_t t)
{
    uint128 s = mont128_small(sigma, c->one, c->n);
    uint128 v = mont128_small(4 * sigma, c->one, c->n);
    uint128 u = mont128_sub(sqr(c, s), mont128_small(5, c->one, c->n), c->n);
    uint128 u3 = mul(c, sqr(c, u), u), v3 = mul(c, sqr(c, v), v);
    uint128 den = mul(c, mul(c, u3, v), mont128_small(16, c->one, c->n));
    to_mpz(c, t, mul(c, den, v3));
    if (!mpz_invert(t, t, n))
        return false;
    uint128 inverse = from_mpz(c, t, r2); /* of den * v^3 */
    uint128 w = mont128_sub(v, u, c->n);
    uint128 num =
        mul(c, mul(c, sqr(c, w), w),
            mont128_add(mont128_add(u, u, c->n), mont128_add(u, v, c->n), c->n));
    c->a24 = mul(c, mul(c, num, v3), inverse);
    *p = (struct point){mul(c, mul(c, u3, den), inverse), c->one};
    return true;
}

/* p times the multiplier: the ladder holds k p and (k+1) p, whose difference is p. */
static struct point stage1(const struct curve *c, struct point p)
{
    int limbs = sizeof multiplier / sizeof multiplier[0];
    int i = 64 * limbs - 2 - __builtin_clzll(multiplier[limbs - 1]);
    struct point a = p, b = point_double(c, p);
    for (; i >= 0; i--) {
        struct point sum = add_raw(c, a, b);
        sum.z = mul(c, sum.z, p.x); /* p.z is 1 */
        if (multiplier[i / 64] >> (i % 64) & 1) {
            a = sum;
            b = point_double(c, b);
        } else {
            a = point_double(c, a);
            b = sum;
        }
    }
    return a;
}

/* Odd multiples of q that are prime to STEP, below STEP / 2, to p; and STEP * q. */
static void make_babies(const struct curve *c, struct point q, struct point *p,
                        struct point *step)
{
    struct point two = point_double(c, q), last = q, now = q;
    for (int j = 1, count = 0; j <= STEP / 2; j += 2) {
        if (j % 3 && j % 5 && j % 7)
            p[count++] = now;
        struct point next =
            j == 1 ? point_add(c, two, q, q) : point_add(c, now, two, last);
        last = now;
        now = next;
    }
    *step = point_double(c, last); /* last is STEP / 2 * q */
}

/* Gives all points the same z, the product of theirs, by prefix and suffix products,
 * and leaves the x that go with it in x[]. */
static void make_common(const struct curve *c, const struct point *p, uint128 *x)
{
    uint128 run = c->one;
    for (int i = 0; i < POINTS; i++) {
        x[i] = mul(c, p[i].x, run);
        run = mul(c, run, p[i].z);
    }
    run = c->one;
    for (int i = POINTS; i-- > 0;) {
        x[i] = mul(c, x[i], run);
        run = mul(c, run, p[i].z);
    }
}

/* The product of x(m STEP q) - x(j q) over all m and j. */
static uint128 stage2(const struct curve *c, struct point q)
{
    struct point p[POINTS];
    uint128 x[POINTS], even = c->one, odd = c->one;
    struct point step;
    make_babies(c, q, p, &step);
    p[BABIES] = step;
    p[BABIES + 1] = point_double(c, step);
    for (int i = BABIES + 2; i < POINTS; i++)
        p[i] = point_add(c, p[i - 1], step, p[i - 2]);
    make_common(c, p, x);
    for (int i = BABIES; i < POINTS; i++)
        for (int k = 0; k < BABIES; k += 2) { /* two chains hide each other's latency */
            even = mul(c, even, mont128_sub(x[i], x[k], c->n));
            odd = mul(c, odd, mont128_sub(x[i], x[k + 1], c->n));
        }
    return mul(c, even, odd);
}

/* gcd(x, n) in f: whether it is a proper divisor. */
static bool is_factor(const struct curve *c, mpz_t f, uint128 x, const mpz_t n)
{
    to_mpz(c, f, x);
    mpz_gcd(f, f, n);
    return mpz_cmp_ui(f, 1) > 0 && mpz_cmp(f, n) < 0;
}

bool ecm128(mpz_t f, const mpz_t n, int *curve, int end, const atomic_bool *stop)
{
    struct curve c;
    c.n = (uint128)mpz_getlimbn(n, 1) << 64 | mpz_getlimbn(n, 0);
    c.ni = mont64_inverse((uint64_t)c.n);
    c.one = mont128_one(c.n);
    uint128 r2 = c.one;
    for (int i = 0; i < 128; i++)
        r2 = mont128_add(r2, r2, c.n);
    bool found = false;
    mpz_t t;
    mpz_init(t);
    while (*curve < end && !found) {
        struct point p;
        if (stop && atomic_load_explicit(stop, memory_order_relaxed))
            break;
        uint64_t sigma = FIRST_SIGMA + (uint64_t)(*curve)++;
        if (!choose(&c, &p, sigma, n, r2, t))
            continue;
        p = stage1(&c, p);
        found = is_factor(&c, t, p.z, n) || is_factor(&c, t, stage2(&c, p), n);
    }
    if (found)
        mpz_set(f, t);
    mpz_clear(t);
    return found;
}
