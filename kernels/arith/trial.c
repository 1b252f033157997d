/*
 * A search goes on from the divisor where the last one ended, so that a number is
 * passed over once however many factors it has.
 */
#include "arith/trial.h"

#include "arith/stop.h"

enum { POLL = 1 << 16 }; /* divisions between looks at the stop flag */

/* The first divisor of n among d, d + 2, ..., for odd d, up to the square root of n; n
 * itself if there is none (or when stopped). */
static uint64_t search(uint64_t n, uint64_t d, const atomic_bool *stop)
{
    while (d <= UINT32_MAX && d * d <= n && !stop_raised(stop))
        for (uint32_t i = 0; i < POLL && d <= UINT32_MAX && d * d <= n; i++, d += 2)
            if (n % d == 0)
                return d;
    return n;
}

bool trial_prime64(uint64_t n, const atomic_bool *stop)
{
    if (n < 4 || n % 2 == 0)
        return n == 2 || n == 3;
    return search(n, 3, stop) == n;
}

/* The prime factors of odd n > 0 that has none below d. */
static int odd_factors(uint64_t n, uint64_t d, uint64_t *p, const atomic_bool *stop)
{
    int count = 0;
    for (; n > 1; n /= d) {
        d = search(n, d, stop);
        p[count++] = d;
    }
    return count;
}

int trial_factor64(uint64_t n, uint64_t *p, const atomic_bool *stop)
{
    int count = 0;
    if (n == 0)
        return 0;
    for (; n % 2 == 0; n /= 2)
        p[count++] = 2;
    return count + odd_factors(n, 3, p + count, stop);
}

/* The first divisor among d, d + 2, ..., up to the square root of n; 0 if there is none
 * (or when stopped). */
static uint64_t search_big(const mpz_t n, uint64_t d, const atomic_bool *stop)
{
    mpz_t root;
    mpz_init(root);
    mpz_sqrt(root, n);
    uint64_t last = big_fits(root) ? big_u64(root) : UINT64_MAX - 1;
    mpz_clear(root);
    while (d <= last && !stop_raised(stop))
        for (uint32_t i = 0; i < POLL / 8 && d <= last; i++, d += 2)
            if (mpz_divisible_ui_p(n, d))
                return d;
    return 0;
}

bool trial_prime(const mpz_t n, const atomic_bool *stop)
{
    if (big_fits(n))
        return trial_prime64(big_u64(n), stop);
    return mpz_odd_p(n) && search_big(n, 3, stop) == 0;
}

/* Adds a prime with what it rests on. The division has proved it; the words for a proof
 * have none for that, so it is named as the fast method would. */
static bool add_prime(struct factorbig *f, const mpz_t p)
{
    enum prime_proof proof;
    primebig(p, &proof);
    return factorbig_add(f, p, proof);
}

/* Takes factors out of n until it is odd and below 2^64; returns the odd number below
 * which it then has none. 0 when memory ran out. */
static uint64_t take_factors(struct factorbig *f, mpz_t n, const atomic_bool *stop)
{
    mpz_t p;
    mpz_init(p);
    bool ok = true;
    uint64_t d = 3;
    while (ok && mpz_sgn(n) > 0 && mpz_even_p(n)) {
        mpz_set_ui(p, 2);
        ok = add_prime(f, p);
        mpz_tdiv_q_2exp(n, n, 1);
    }
    while (ok && !big_fits(n) && !stop_raised(stop)) {
        uint64_t found = search_big(n, d, stop);
        if (found)
            mpz_set_ui(p, d = found);
        else
            mpz_set(p, n);
        if (stop_raised(stop))
            break;
        ok = add_prime(f, p);
        mpz_divexact(n, n, p);
    }
    mpz_clear(p);
    return ok ? d : 0;
}

enum factorbig_status trial_factor(struct factorbig *f, const mpz_t n,
                                   const atomic_bool *stop)
{
    factorbig_clear(f);
    mpz_t left, p;
    mpz_init_set(left, n);
    mpz_init(p);
    uint64_t small[FACTOR64_MAX];
    uint64_t d = take_factors(f, left, stop);
    bool ok = d != 0;
    int count = 0;
    if (ok && mpz_sgn(left) > 0 && !stop_raised(stop))
        count = odd_factors(big_u64(left), d, small, stop);
    for (int i = 0; ok && i < count && !stop_raised(stop); i++) {
        mpz_set_ui(p, small[i]);
        ok = add_prime(f, p);
    }
    mpz_clears(left, p, NULL);
    if (stop_raised(stop))
        return factorbig_break_off(f, n);
    return ok ? factorbig_finish(f, n) : FACTORBIG_NOMEM;
}
