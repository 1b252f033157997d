/*
 * Above 2^128 (below, prime128.c answers) composites are many and cheap to find out: a
 * small factor ends most of them, the strong test to base 2 practically all others.
 * What is left passes the Lucas test as well, which completes BPSW (Baillie and
 * Wagstaff 1980; Pomerance, Selfridge and Wagstaff 1980), or is composite.
 */
#include "arith/primebig.h"

#include "arith/prime128.h"
#include "arith/prp.h"
#include "arith/stop.h"

/* Product of the primes 3..53, and whether one of them divides r. */
static const uint64_t primorial = 16294579238595022365u;

static bool has_tiny_factor(uint64_t r)
{
    return r % 3 == 0 || r % 5 == 0 || r % 7 == 0 || r % 11 == 0 || r % 13 == 0 ||
           r % 17 == 0 || r % 19 == 0 || r % 23 == 0 || r % 29 == 0 || r % 31 == 0 ||
           r % 37 == 0 || r % 41 == 0 || r % 43 == 0 || r % 47 == 0 || r % 53 == 0;
}

/* Whether n >= 2^128 has a small factor. How far it pays to look grows with the cost of
 * the strong test that it may save. */
static bool has_small_factor(const mpz_t n)
{
    if (mpz_even_p(n) || has_tiny_factor(mpz_fdiv_ui(n, primorial)))
        return true;
    size_t bits = mpz_sizeinbase(n, 2);
    uint32_t limit = bits <= 256    ? 0
                     : bits <= 1024 ? 1000
                     : bits <= 8192 ? 20000
                                    : 100000;
    return big_divisor(n, 59, limit) != 0;
}

static void test128(const mpz_t n, enum prime_class *class, enum prime_proof *proof)
{
    uint128 v = (uint128)mpz_getlimbn(n, 1) << 64 | mpz_getlimbn(n, 0);
    uint8_t c, why;
    prime128_batch(&v, 1, &c, &why);
    *class = (enum prime_class)c;
    *proof = (enum prime_proof)why;
}

bool primebig_until(const mpz_t n, const atomic_bool *stop, enum prime_class *class,
                    enum prime_proof *proof)
{
    enum prime_class c = CLASS_COMPOSITE;
    enum prime_proof why = PROOF_NONE;
    if (mpz_size(n) <= 2) {
        test128(n, &c, &why);
    } else if (!has_small_factor(n) && prp_strong(n, 2, stop) && prp_lucas(n, stop)) {
        c = CLASS_PROBABLE;
        why = PROOF_BPSW;
    }
    if (stop_raised(stop))
        return false;
    *class = c;
    *proof = why;
    return true;
}

enum prime_class primebig(const mpz_t n, enum prime_proof *proof)
{
    enum prime_class c = CLASS_NEITHER;
    primebig_until(n, NULL, &c, proof);
    return c;
}
