/*
 * Small divisors first. What is left goes on a list of parts; a part is a prime, a
 * perfect power (its root goes back on the list), below 2^64 (factor64), or is split in
 * two by ECM or a sieve, or is left over.
 *
 * ECM (Lenstra 1987, by GMP-ECM) goes through levels of growing bounds, and the size of
 * the part says how many curves of each level come before the sieve. The curves of a
 * level are what finds nearly all factors of its size; the numbers for parts that a
 * sieve can take are such that ECM costs a hard number about 15 % more than the sieve
 * alone. When a curve finds f, the cofactor goes on at the curve where the part was:
 * the curves done have searched it too. f begins anew, as several factors may be in it.
 *
 * Who needs only some of the factors (a proof by n - 1) names how large their product
 * is to be; then the effort is small, and nothing goes to a sieve that takes longer
 * than some milliseconds.
 *
 * Nothing up to FACTORBIG_SURE digits may fail. So when the sieve's helper program is
 * not there or fails, ECM goes on with growing bounds without end.
 */
#include "arith/factorbig.h"

#include <ecm.h>
#include <stdlib.h>
#include <string.h>

#include "arith/ecm128.h"
#include "arith/factor64.h"
#include "arith/gmptrack.h"
#include "arith/mpqs.h"
#include "arith/qs.h"
#include "arith/stop.h"

enum { LEVELS = 6 };

/* Stage 1 bounds: for factors of about 10, 12, 15, 20, 25 and 30 digits. */
static const double level_b1[LEVELS] = {200, 500, 2000, 11000, 50000, 250000};

/* Curves of each level for parts of at most so many digits. */
struct plan {
    size_t digits;
    int curves[LEVELS];
};

static const struct plan plans[] = {
    {30, {1, 0, 0, 0, 0, 0}}, /* at 128 bits and below, level 0 is ecm128 */
    {33, {3, 0, 0, 0, 0, 0}},        {36, {6, 0, 0, 0, 0, 0}},
    {40, {8, 0, 0, 0, 0, 0}},        {45, {6, 0, 1, 0, 0, 0}},
    {50, {4, 0, 2, 0, 0, 0}},        {55, {4, 0, 6, 0, 0, 0}},
    {60, {4, 0, 12, 0, 0, 0}},       {65, {4, 0, 20, 6, 0, 0}},
    {70, {4, 0, 25, 20, 0, 0}},      {75, {4, 0, 25, 50, 10, 0}},
    {80, {4, 0, 25, 74, 60, 0}},     {84, {4, 0, 25, 74, 150, 0}},
    {130, {4, 0, 25, 74, 214, 430}}, {200, {4, 0, 25, 74, 214, 60}},
    {400, {4, 0, 25, 74, 100, 0}},   {1000, {4, 0, 25, 50, 0, 0}},
    {3000, {4, 0, 25, 0, 0, 0}},     {12000, {4, 2, 0, 0, 0, 0}},
    {SIZE_MAX, {0, 0, 0, 0, 0, 0}},
};

/* The same when some factors are enough, for parts of more than SOME_BITS bits; smaller
 * ones are split as ever. Less than a tenth of the time of an APR-CL proof. */
static const struct plan plans_some[] = {
    {80, {6, 0, 0, 0, 0, 0}},       {150, {10, 0, 2, 0, 0, 0}},
    {1000, {10, 0, 8, 0, 0, 0}},    {3000, {4, 0, 0, 0, 0, 0}},
    {SIZE_MAX, {0, 0, 0, 0, 0, 0}},
};
enum { SOME_BITS = 128 };

struct part {
    mpz_t v;
    size_t times; /* how often it is in n */
    int level;    /* of ECM: where it stands ... */
    int curve;    /* ... and how many curves of this level are done */
};

struct work {
    struct factorbig *f;
    struct part *parts; /* parts[0..cap) are initialised */
    size_t n, cap;
    mpz_t divisor, quotient;
    const __mpz_struct *enough; /* product of primes that will do; NULL: all of them */
    const atomic_bool *stop;
    enum factorbig_status status; /* DONE as long as nothing is wrong */
};

/* What became of a try to split a part. */
enum split { SPLIT, NOT_SPLIT, ENDED };

/* ---- the result ---- */

const char *factorbig_library(void)
{
    return ecm_version();
}

void factorbig_init(struct factorbig *f)
{
    f->p = NULL;
    f->n = f->cap = 0;
    f->proof = PROOF_NONE;
    f->sieve = NULL;
    mpz_init_set_ui(f->cofactor, 1);
}

void factorbig_release(struct factorbig *f)
{
    for (size_t i = 0; i < f->cap; i++)
        mpz_clear(f->p[i]);
    free(f->p);
    mpz_clear(f->cofactor);
    mpqs_free(f->sieve);
}

void factorbig_clear(struct factorbig *f)
{
    f->n = 0;
    f->proof = PROOF_NONE;
    mpz_set_ui(f->cofactor, 1);
}

bool factorbig_add(struct factorbig *f, const mpz_t p, enum prime_proof proof)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 16;
        mpz_t *grown = realloc(f->p, cap * sizeof *grown);
        if (!grown)
            return false;
        f->p = grown;
        while (f->cap < cap)
            mpz_init(f->p[f->cap++]);
    }
    mpz_set(f->p[f->n++], p);
    if (proof > f->proof)
        f->proof = proof;
    return true;
}

static void sort(mpz_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && mpz_cmp(p[k - 1], p[k]) > 0; k--)
            mpz_swap(p[k - 1], p[k]);
}

/* What a test build is told to do. */
static bool is_told(const char *what)
{
#ifdef QUERN_FAULT
    const char *fault = getenv("QUERN_FAULT");
    return fault && strcmp(fault, what) == 0;
#else
    (void)what;
    return false;
#endif
}

/* Spoils a factor, to show that it would be seen. */
static void spoil(struct factorbig *f)
{
    if (is_told("factorbig") && f->n > 0)
        mpz_add_ui(f->p[0], f->p[0], 2);
}

enum factorbig_status factorbig_finish(struct factorbig *f, const mpz_t n)
{
    spoil(f);
    sort(f->p, f->n);
    if (mpz_cmp_ui(n, 2) < 0)
        return f->n == 0 ? FACTORBIG_DONE : FACTORBIG_WRONG;
    mpz_t product;
    mpz_init_set(product, f->cofactor);
    for (size_t i = 0; i < f->n; i++)
        mpz_mul(product, product, f->p[i]);
    bool right = mpz_cmp(product, n) == 0;
    mpz_clear(product);
    if (!right)
        return FACTORBIG_WRONG;
    return mpz_cmp_ui(f->cofactor, 1) == 0 ? FACTORBIG_DONE : FACTORBIG_UNFINISHED;
}

enum factorbig_status factorbig_break_off(struct factorbig *f, const mpz_t n)
{
    mpz_set(f->cofactor, n);
    for (size_t i = 0; i < f->n; i++) {
        if (!mpz_divisible_p(f->cofactor, f->p[i]))
            return FACTORBIG_WRONG;
        mpz_divexact(f->cofactor, f->cofactor, f->p[i]);
    }
    enum factorbig_status status = factorbig_finish(f, n);
    return status == FACTORBIG_WRONG ? status : FACTORBIG_STOPPED;
}

/* ---- the parts ---- */

static bool fail(struct work *w, enum factorbig_status status)
{
    if (w->status == FACTORBIG_DONE)
        w->status = status;
    return false;
}

static void push(struct work *w, const mpz_t v, size_t times, int level, int curve)
{
    if (mpz_cmp_ui(v, 1) == 0)
        return;
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 8;
        struct part *grown = realloc(w->parts, cap * sizeof *grown);
        if (!grown) {
            fail(w, FACTORBIG_NOMEM);
            return;
        }
        w->parts = grown;
        while (w->cap < cap)
            mpz_init(w->parts[w->cap++].v);
    }
    struct part *part = &w->parts[w->n++];
    mpz_set(part->v, v);
    part->times = times;
    part->level = level;
    part->curve = curve;
}

static void add_prime(struct work *w, const mpz_t p, size_t times,
                      enum prime_proof proof)
{
    while (times-- > 0)
        if (!factorbig_add(w->f, p, proof))
            fail(w, FACTORBIG_NOMEM);
}

static void add_small(struct work *w, uint64_t n, size_t times)
{
    uint64_t p[FACTOR64_MAX];
    int count = factor64(n, p);
    if (count < 0)
        fail(w, FACTORBIG_WRONG);
    for (int i = 0; i < count; i++) {
        big_set(w->divisor, p[i]);
        add_prime(w, w->divisor, times, PROOF_DETERMINISTIC_64);
    }
}

static void leave_over(struct work *w, const struct part *part)
{
    for (size_t i = 0; i < part->times; i++)
        mpz_mul(w->f->cofactor, w->f->cofactor, part->v);
}

/* ---- ECM ---- */

/* GMP-ECM asks a function without arguments whether to stop. */
static _Thread_local const atomic_bool *ecm_stop;

static int ecm_is_stopped(void)
{
    return stop_raised(ecm_stop);
}

/* SplitMix64 over the limbs of n and the number of the curve: its sigma, 32 bits. */
static unsigned long curve_sigma(const mpz_t n, double b1, int curve)
{
    uint64_t h = (uint64_t)b1 * 4096 + (uint64_t)curve;
    for (size_t i = 0; i <= mpz_size(n); i++) {
        h += 0x9e3779b97f4a7c15u ^ mpz_getlimbn(n, (mp_size_t)i);
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
        h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
        h ^= h >> 31;
    }
    return (h >> 32) | 16;
}

/* One curve on n: whether it found a divisor, to f; f may be n. Parametrisation 1 is
 * faster, 0 can be stopped within stage 1. f lives on, so it gets its memory before the
 * library's own is tracked. */
static bool run_curve(mpz_t f, const mpz_t n, double b1, int curve,
                      const atomic_bool *stop)
{
    ecm_params params;
    mpz_realloc2(f, mpz_sizeinbase(n, 2) + 64);
    mpz_set(f, n);
    gmptrack_begin();
    ecm_init(params);
    params->param = mpz_size(n) <= 6 && b1 <= 11000 ? 1 : 0;
    mpz_set_ui(params->sigma, curve_sigma(n, b1, curve));
    params->stop_asap = ecm_is_stopped;
    ecm_stop = stop;
    int found = ecm_factor(f, f, b1, params);
    ecm_stop = NULL;
    ecm_clear(params);
    gmptrack_end();
    return found > 0 && mpz_cmp_ui(f, 1) > 0 && mpz_divisible_p(n, f);
}

/* One curve, and when all factors fall into it at once, again with smaller bounds. */
static bool run_split(mpz_t f, const mpz_t n, double b1, int curve,
                      const atomic_bool *stop)
{
    while (run_curve(f, n, b1, curve, stop)) {
        if (mpz_cmp(f, n) < 0)
            return true;
        b1 /= 2;
        if (b1 < 10)
            return false;
    }
    return false;
}

static enum split try_ecm(struct work *w, struct part *part, const struct plan *plan)
{
    if (mpz_size(part->v) <= 2 && part->level == 0 &&
        ecm128(w->divisor, part->v, &part->curve, plan->curves[0], w->stop))
        return SPLIT;
    for (; part->level < LEVELS; part->level++, part->curve = 0)
        while (part->curve < plan->curves[part->level]) {
            if (stop_raised(w->stop))
                return ENDED;
            part->curve++;
            if (run_split(w->divisor, part->v, level_b1[part->level], part->curve,
                          w->stop))
                return SPLIT;
        }
    return NOT_SPLIT;
}

/* Bounds grow by a tenth of a per cent a curve: from 10-digit factors to 30-digit ones
 * within some 7,000 curves, and on. Every prime is found sooner or later. */
static enum split ecm_endless(struct work *w, const struct part *part)
{
    double b1 = 200;
    for (int curve = 1 << 20; !stop_raised(w->stop); curve++, b1 *= 1.001)
        if (run_split(w->divisor, part->v, b1, curve, w->stop))
            return SPLIT;
    return ENDED;
}

/* ---- the ways to split ---- */

/* The sieve in this process. It fails for want of memory only; then the helper's turn
 * comes, which has an address space of its own. */
static enum split try_own_sieve(struct work *w, const struct part *part)
{
    static const atomic_bool never = false;
    if (!w->f->sieve)
        w->f->sieve = mpqs_new();
    if (w->f->sieve)
        switch (
            mpqs_split(w->f->sieve, w->divisor, part->v, w->stop ? w->stop : &never)) {
        case MPQS_FOUND:
            return SPLIT;
        case MPQS_STOPPED:
            return ENDED;
        case MPQS_NOMEM:
        case MPQS_UNSUITED:
            break;
        }
    return NOT_SPLIT;
}

static enum split try_helper(struct work *w, const struct part *part)
{
    switch (qs_split(w->divisor, part->v, w->stop)) {
    case QS_DONE:
        return SPLIT;
    case QS_STOPPED:
        return ENDED;
    case QS_FAILED:
        break;
    }
    return NOT_SPLIT;
}

/* The methods whose time does not depend on the size of the factors. */
static enum split try_sieves(struct work *w, const struct part *part)
{
    enum split got = NOT_SPLIT;
    if (mpz_sizeinbase(part->v, 2) > MPQS_BITS)
        return got;
    if (!is_told("helper"))
        got = try_own_sieve(w, part);
    if (got == NOT_SPLIT)
        got = try_helper(w, part);
    return got;
}

static void split(struct work *w, struct part *part)
{
    size_t digits = mpz_sizeinbase(part->v, 10);
    bool quick = w->enough && mpz_sizeinbase(part->v, 2) > SOME_BITS;
    const struct plan *plan = quick ? plans_some : plans;
    while (plan->digits < digits)
        plan++;
    enum split got = try_ecm(w, part, plan);
    if (got == NOT_SPLIT && !quick)
        got = try_sieves(w, part);
    if (got == NOT_SPLIT && !quick && digits <= FACTORBIG_SURE)
        got = ecm_endless(w, part);
    if (got == ENDED) {
        fail(w, FACTORBIG_STOPPED);
    } else if (got == NOT_SPLIT) {
        leave_over(w, part);
    } else {
        mpz_divexact(w->quotient, part->v, w->divisor);
        push(w, w->quotient, part->times, part->level, part->curve);
        push(w, w->divisor, part->times, 0, 0);
    }
}

/* If v = r^k with the largest k > 1: k, and r in place of v. Else 1. */
static size_t take_root(mpz_t v)
{
    size_t times = 1;
    mpz_t root;
    if (!mpz_perfect_power_p(v))
        return 1;
    mpz_init(root);
    for (unsigned long k = 2; k <= mpz_sizeinbase(v, 2);)
        if (mpz_root(root, v, k)) {
            mpz_swap(v, root);
            times *= k;
        } else {
            k++;
        }
    mpz_clear(root);
    return times;
}

static void solve(struct work *w, struct part *part)
{
    enum prime_class class;
    enum prime_proof proof;
    if (big_fits(part->v)) {
        add_small(w, big_u64(part->v), part->times);
    } else if (!primebig_until(part->v, w->stop, &class, &proof)) {
        fail(w, FACTORBIG_STOPPED);
    } else if (class != CLASS_COMPOSITE) {
        add_prime(w, part->v, part->times, proof);
    } else {
        size_t power = take_root(part->v);
        if (power > 1)
            push(w, part->v, part->times * power, 0, 0);
        else
            split(w, part);
    }
}

/* How far small divisors are sought: a pass over n is cheaper than curves up to here.
 */
static uint32_t small_limit(const mpz_t n)
{
    size_t bits = mpz_sizeinbase(n, 2);
    return bits <= 128 ? 1 << 10 : bits <= 512 ? 1 << 14 : 1 << 20;
}

/* Adds the small prime divisors of n; what is left of n goes on the list. */
static void take_small(struct work *w, mpz_t n)
{
    uint32_t limit = small_limit(n), d = 0;
    while (!big_fits(n) && (d = big_divisor(n, d, limit)) != 0) {
        if (stop_raised(w->stop)) {
            fail(w, FACTORBIG_STOPPED);
            return;
        }
        big_set(w->divisor, d);
        size_t times = mpz_remove(n, n, w->divisor);
        add_prime(w, w->divisor, times, PROOF_DETERMINISTIC_64);
    }
    push(w, n, 1, 0, 0);
}

/* Whether the primes found so far multiply to what will do. */
static bool is_enough(const struct work *w)
{
    if (!w->enough)
        return false;
    mpz_t product;
    mpz_init_set_ui(product, 1);
    for (size_t i = 0; i < w->f->n; i++)
        mpz_mul(product, product, w->f->p[i]);
    bool enough = mpz_cmp(product, w->enough) >= 0;
    mpz_clear(product);
    return enough;
}

/* The parts one by one. Each is moved out of the list, which may grow meanwhile. */
static void take_parts(struct work *w)
{
    struct part part;
    mpz_init(part.v);
    while (w->n > 0 && w->status == FACTORBIG_DONE) {
        struct part *last = &w->parts[--w->n];
        mpz_swap(part.v, last->v);
        part.times = last->times;
        part.level = last->level;
        part.curve = last->curve;
        if (is_enough(w))
            leave_over(w, &part);
        else
            solve(w, &part);
    }
    mpz_clear(part.v);
}

static enum factorbig_status factor(struct factorbig *f, const mpz_t n,
                                    const __mpz_struct *enough, const atomic_bool *stop)
{
    struct work w = {.f = f, .enough = enough, .stop = stop, .status = FACTORBIG_DONE};
    factorbig_clear(f);
    if (mpz_cmp_ui(n, 2) < 0)
        return FACTORBIG_DONE;
    mpz_t left;
    mpz_init_set(left, n);
    mpz_inits(w.divisor, w.quotient, NULL);
    take_small(&w, left);
    take_parts(&w);
    for (size_t i = 0; i < w.cap; i++)
        mpz_clear(w.parts[i].v);
    free(w.parts);
    mpz_clears(left, w.divisor, w.quotient, NULL);
    if (stop_raised(stop))
        return factorbig_break_off(f, n);
    return w.status == FACTORBIG_DONE ? factorbig_finish(f, n) : w.status;
}

enum factorbig_status factorbig(struct factorbig *f, const mpz_t n,
                                const atomic_bool *stop)
{
    return factor(f, n, NULL, stop);
}

enum factorbig_status factorbig_some(struct factorbig *f, const mpz_t n,
                                     const mpz_t enough, const atomic_bool *stop)
{
    return factor(f, n, enough, stop);
}
