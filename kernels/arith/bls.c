/*
 * Let F be a divisor of n - 1 whose prime factors q are known and proved. If for each q
 * there is an a with
 *
 *     a^(n-1) = 1 mod n   and   gcd(a^((n-1)/q) - 1, n) = 1
 *
 * then every prime factor of n is 1 modulo F: modulo such a factor p the order of a
 * divides n - 1 but not (n-1)/q, so the full power of q that is in F divides p - 1.
 *
 * If F >= sqrt(n), n has no prime factor up to its root, and is prime. If F^3 > n, at
 * most two prime factors fit: a composite n is (xF + 1)(yF + 1) = xy F^2 + (x+y) F + 1.
 * Here xy < F, and so x + y < F as well (x + y = F would need xy = F - 1, n = F^3 + 1).
 * So xy and x + y are the digits c2 and c1 of n to the base F, and c1^2 - 4 c2 =
 * (x-y)^2 is a square. Conversely, when it is a square, n is composite or F >= sqrt(n).
 * (Crandall and Pomerance, Prime Numbers, theorem 4.1.5.)
 *
 * The primes of F are taken from the smallest on, until F is large enough. Those above
 * the proved range are proved in the same way, DEPTH levels down; each is at most half
 * of its n - 1, mostly far less.
 *
 * One a serves all q at once: from z = a^((n-1)/Q), Q their product, a binary tree over
 * the primes raises z on each way down to the product of the primes that are not below;
 * at the leaf of q it is a^((n-1)/q). That costs little more than one power in all.
 */
#include "arith/bls.h"

#include <stdlib.h>

#include "arith/factorbig.h"
#include "arith/primebig.h"
#include "arith/prp.h"
#include "arith/stop.h"

enum {
    DEPTH = 12, /* of proofs within proofs */
    LARGEST_FIRST = 20000,
    TRIES = 40 /* values of a */
};

struct proof {
    const __mpz_struct *n;
    mpz_t *q;   /* the primes of F without repetition, some of factorbig's */
    bool *open; /* q[i] has no witness yet */
    size_t count;
    mpz_t last, f, differences;
    const atomic_bool *stop;
    int depth;
    bool composite;
};

static enum bls_status prove(const mpz_t n, int depth, const atomic_bool *stop);

/* --- witnesses --- */

/* x = z^(q[from] ... q[to-1]). */
static bool raise(struct proof *p, mpz_t x, const mpz_t z, size_t from, size_t to)
{
    mpz_t e;
    mpz_init_set_ui(e, 1);
    for (size_t i = from; i < to; i++)
        mpz_mul(e, e, p->q[i]);
    bool ok = prp_power(x, z, e, p->n, p->stop);
    mpz_clear(e);
    return ok;
}

/* At the leaf of q[i], x = a^((n-1)/q). */
static bool leaf(struct proof *p, const mpz_t x, size_t i)
{
    mpz_t one;
    mpz_init(one);
    bool ok = prp_power(one, x, p->q[i], p->n, p->stop);
    if (ok && mpz_cmp_ui(one, 1) != 0)
        p->composite = true;
    if (ok && p->open[i] && mpz_cmp_ui(x, 1) != 0) {
        p->open[i] = false;
        mpz_sub_ui(one, x, 1);
        mpz_mul(p->differences, p->differences, one);
        mpz_tdiv_r(p->differences, p->differences, p->n);
    }
    mpz_clear(one);
    return ok;
}

/* z = a^((n-1) / (q[from] ... q[to-1])). */
static bool descend(struct proof *p, const mpz_t z, size_t from, size_t to)
{
    if (to - from == 1)
        return leaf(p, z, from);
    size_t middle = from + (to - from) / 2;
    mpz_t x;
    mpz_init(x);
    bool ok = raise(p, x, z, middle, to) && descend(p, x, from, middle) &&
              raise(p, x, z, from, middle) && descend(p, x, middle, to);
    mpz_clear(x);
    return ok;
}

static bool any_open(const struct proof *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->open[i])
            return true;
    return false;
}

/* The least prime a with (a / n) = -1 serves for q = 2. It may be far away: the primes
 * up to k are all squares modulo k! + 1. When there seems to be none, a = 2. */
static void first_base(mpz_t a, const mpz_t n)
{
    mpz_set_ui(a, 2);
    while (mpz_jacobi(a, n) > 0 && mpz_cmp_ui(a, LARGEST_FIRST) < 0)
        mpz_nextprime(a, a);
}

/* Seeks an a for each q among the primes. What is left open is no proof of anything. */
static enum bls_status find_witnesses(struct proof *p)
{
    mpz_t a, e, z;
    mpz_inits(e, z, NULL);
    mpz_init(a);
    first_base(a, p->n);
    mpz_set(e, p->last);
    for (size_t i = 0; i < p->count; i++)
        mpz_divexact(e, e, p->q[i]);
    bool ok = true;
    for (int i = 0; ok && i < TRIES && !p->composite && any_open(p); i++) {
        ok = prp_power(z, a, e, p->n, p->stop) && descend(p, z, 0, p->count);
        mpz_nextprime(a, a);
    }
    /* No difference is 0 modulo n: a common factor is a proper one. */
    mpz_gcd(e, p->differences, p->n);
    enum bls_status status = !ok                                     ? BLS_STOPPED
                             : p->composite || mpz_cmp_ui(e, 1) != 0 ? BLS_COMPOSITE
                             : any_open(p)                           ? BLS_UNKNOWN
                                                                     : BLS_PRIME;
    mpz_clears(a, e, z, NULL);
    return status;
}

/* --- F --- */

static enum bls_status is_proved(const struct proof *p, const mpz_t q)
{
    enum prime_class class;
    enum prime_proof why;
    if (!primebig_until(q, p->stop, &class, &why))
        return BLS_STOPPED;
    if (class == CLASS_PRIME)
        return BLS_PRIME;
    if (class != CLASS_PROBABLE || p->depth == DEPTH)
        return BLS_UNKNOWN;
    return prove(q, p->depth + 1, p->stop);
}

/* Chooses primes from those found, ascending, until F is `enough`. False if stopped. */
static bool choose(struct proof *p, const struct factorbig *some, const mpz_t enough)
{
    for (size_t i = 0, next; i < some->n && mpz_cmp(p->f, enough) < 0; i = next) {
        for (next = i + 1; next < some->n && mpz_cmp(some->p[next], some->p[i]) == 0;)
            next++;
        enum bls_status got = is_proved(p, some->p[i]);
        if (got == BLS_STOPPED)
            return false;
        if (got != BLS_PRIME)
            continue;
        mpz_set(p->q[p->count], some->p[i]);
        p->open[p->count++] = true;
        for (size_t k = i; k < next; k++)
            mpz_mul(p->f, p->f, some->p[k]);
    }
    return true;
}

/* Given that all prime factors of n are 1 modulo F, and F^3 > n. */
static enum bls_status conclude(const struct proof *p)
{
    mpz_t c1, c2;
    mpz_inits(c1, c2, NULL);
    enum bls_status status = BLS_PRIME;
    mpz_mul(c2, p->f, p->f);
    if (mpz_cmp(c2, p->n) < 0) {
        mpz_tdiv_q(c2, p->last, p->f);
        mpz_tdiv_qr(c2, c1, c2, p->f);
        mpz_mul(c1, c1, c1);
        mpz_submul_ui(c1, c2, 4);
        if (mpz_sgn(c1) >= 0 && mpz_perfect_square_p(c1))
            status = BLS_COMPOSITE;
    }
    mpz_clears(c1, c2, NULL);
    return status;
}

static enum bls_status prove_by(struct proof *p, const struct factorbig *some,
                                const mpz_t enough)
{
    if (!choose(p, some, enough))
        return BLS_STOPPED;
    if (mpz_cmp(p->f, enough) < 0)
        return BLS_UNKNOWN;
    enum bls_status status = find_witnesses(p);
    return status == BLS_PRIME ? conclude(p) : status;
}

static enum bls_status prove(const mpz_t n, int depth, const atomic_bool *stop)
{
    struct factorbig some;
    struct proof p = {.n = n, .stop = stop, .depth = depth};
    mpz_t enough; /* the least F with F^3 > n */
    mpz_inits(enough, p.last, NULL);
    mpz_init_set_ui(p.f, 1);
    mpz_init_set_ui(p.differences, 1);
    mpz_root(enough, n, 3);
    mpz_add_ui(enough, enough, 1);
    mpz_sub_ui(p.last, n, 1);
    factorbig_init(&some);
    enum bls_status status = BLS_STOPPED;
    enum factorbig_status got = factorbig_some(&some, p.last, enough, stop);
    if (!stop_raised(stop) && (got == FACTORBIG_DONE || got == FACTORBIG_UNFINISHED)) {
        p.q = malloc((some.n + 1) * sizeof *p.q);
        p.open = malloc((some.n + 1) * sizeof *p.open);
        for (size_t i = 0; p.q && i < some.n; i++)
            mpz_init(p.q[i]);
        if (p.q && p.open)
            status = prove_by(&p, &some, enough);
        for (size_t i = 0; p.q && i < some.n; i++)
            mpz_clear(p.q[i]);
        free(p.q);
        free(p.open);
    }
    factorbig_release(&some);
    mpz_clears(enough, p.last, p.f, p.differences, NULL);
    return status;
}

enum bls_status bls(const mpz_t n, const atomic_bool *stop)
{
    return prove(n, 0, stop);
}
