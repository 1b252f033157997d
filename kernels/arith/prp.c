/*
 * Baillie and Wagstaff, "Lucas pseudoprimes", Math. Comp. 35 (1980), define both tests.
 *
 * Below 2^128 prime128.c does the same some ten times as fast.
 *
 * Strong: n - 1 = d * 2^s with d odd. If n is prime, a^d = 1, or a^(d * 2^r) = -1 for
 * some r < s. Up to PRP_SHORT bits the power is GMP's mpz_powm, which takes less than 2
 * ms there but cannot be stopped; above, squares and divisions, one by one.
 *
 * Lucas: let D be the first of 5, -7, 9, -11, ... with Jacobi symbol (D/n) = -1, P = 1,
 * Q = (1 - D) / 4, and U, V the Lucas sequences of P and Q. Let n + 1 = d * 2^s with d
 * odd. If n is prime, U_d = 0, or V_(d * 2^r) = 0 for some r < s. A square has no such
 * D. The walk from index k to 2k and 2k + 1 over the bits of d uses U_2k = U_k V_k V_2k
 * = V_k^2 - 2 Q^k U_(k+1) = (U_k + V_k) / 2         V_(k+1) = (D U_k + V_k) / 2
 */
#include "arith/prp.h"

#include "arith/stop.h"

enum {
    PRP_SHORT = 1024, /* bits */
    LUCAS_TRIES = 20, /* values of D before n is looked at as a square */
};

bool prp_power(mpz_t x, const mpz_t a, const mpz_t e, const mpz_t n,
               const atomic_bool *stop)
{
    bool small = mpz_size(a) <= 1; /* then one reduction is enough for both products */
    if (mpz_sizeinbase(n, 2) <= PRP_SHORT) {
        mpz_powm(x, a, e, n);
        return true;
    }
    mpz_set_ui(x, 1);
    for (mp_bitcnt_t i = mpz_sizeinbase(e, 2); i-- > 0;) {
        if (stop_raised(stop))
            return false;
        mpz_mul(x, x, x);
        if (mpz_tstbit(e, i)) {
            if (!small)
                mpz_tdiv_r(x, x, n);
            mpz_mul(x, x, a);
        }
        mpz_tdiv_r(x, x, n);
    }
    return true;
}

bool prp_strong(const mpz_t n, uint32_t a, const atomic_bool *stop)
{
    mpz_t last, d, x, base;
    mpz_inits(last, d, x, NULL);
    mpz_init_set_ui(base, a);
    mpz_sub_ui(last, n, 1);
    mp_bitcnt_t s = mpz_scan1(last, 0);
    mpz_tdiv_q_2exp(d, last, s);
    bool pass = prp_power(x, base, d, n, stop);
    if (pass) {
        pass = mpz_cmp_ui(x, 1) == 0 || mpz_cmp(x, last) == 0;
        for (mp_bitcnt_t r = 1; !pass && r < s && !stop_raised(stop); r++) {
            mpz_mul(x, x, x);
            mpz_tdiv_r(x, x, n);
            pass = mpz_cmp(x, last) == 0;
        }
    }
    mpz_clears(last, d, x, base, NULL);
    return pass;
}

/* Selfridge's D, or 0 if n is a square or shares a factor with some D: composite. */
static long find_d(const mpz_t n)
{
    for (long d = 5, tries = 0;; d = d > 0 ? -d - 2 : -d + 2, tries++) {
        int j = mpz_si_kronecker(d, n);
        if (j < 0)
            return d;
        if (j == 0 && mpz_cmpabs_ui(n, (unsigned long)(d > 0 ? d : -d)) != 0)
            return 0;
        if (tries == LUCAS_TRIES && mpz_perfect_square_p(n))
            return 0;
    }
}

/* The state of the walk: U_k, V_k and Q^k modulo n. */
struct lucas {
    mpz_t u, v, q, t;
    const __mpz_struct *n;
    long d;
};

/* k becomes 2k. */
static void lucas_double(struct lucas *l)
{
    mpz_mul(l->u, l->u, l->v);
    mpz_mod(l->u, l->u, l->n);
    mpz_mul(l->v, l->v, l->v);
    mpz_submul_ui(l->v, l->q, 2);
    mpz_mod(l->v, l->v, l->n);
    mpz_mul(l->q, l->q, l->q);
    mpz_mod(l->q, l->q, l->n);
}

/* x = x / 2 mod n for any x; the result is between -n and n. */
static void halve(mpz_t x, const mpz_t n)
{
    if (mpz_odd_p(x))
        mpz_add(x, x, n);
    mpz_tdiv_q_2exp(x, x, 1);
    mpz_tdiv_r(x, x, n);
}

/* k becomes k + 1. */
static void lucas_step(struct lucas *l)
{
    mpz_mul_si(l->t, l->u, l->d);
    mpz_add(l->t, l->t, l->v);
    halve(l->t, l->n);
    mpz_add(l->u, l->u, l->v);
    halve(l->u, l->n);
    mpz_swap(l->v, l->t);
    mpz_mul_si(l->q, l->q, (1 - l->d) / 4);
    mpz_tdiv_r(l->q, l->q, l->n);
}

bool prp_lucas(const mpz_t n, const atomic_bool *stop)
{
    struct lucas l = {.n = n, .d = find_d(n)};
    if (l.d == 0)
        return false;
    mpz_t d;
    mpz_inits(d, l.u, l.v, l.q, l.t, NULL);
    mpz_add_ui(d, n, 1);
    mp_bitcnt_t s = mpz_scan1(d, 0);
    mpz_tdiv_q_2exp(d, d, s);
    mpz_set_ui(l.u, 1);
    mpz_set_ui(l.v, 1);
    mpz_set_si(l.q, (1 - l.d) / 4);
    for (mp_bitcnt_t i = mpz_sizeinbase(d, 2) - 1; i-- > 0 && !stop_raised(stop);) {
        lucas_double(&l);
        if (mpz_tstbit(d, i))
            lucas_step(&l);
    }
    bool pass = mpz_divisible_p(l.u, n) || mpz_divisible_p(l.v, n);
    for (mp_bitcnt_t r = 1; !pass && r < s && !stop_raised(stop); r++) {
        lucas_double(&l);
        pass = mpz_divisible_p(l.v, n);
    }
    mpz_clears(d, l.u, l.v, l.q, l.t, NULL);
    return pass;
}
