/*
 * Pollard's rho in Brent's form (Brent 1980, "An improved Monte Carlo factorization
 * algorithm"): x <- x^2 + c, compared with a saved point whose distance doubles. The
 * differences are multiplied together and one gcd is taken for GCD_EVERY of them. When
 * that gcd is n itself, the steps since the last gcd are walked again one by one; when
 * a single step gives n (both primes close their cycles at once), the next c is tried.
 * If every c has failed, trial division ends it: this function has no way to return
 * without a factor.
 *
 * Constants and starting points are Montgomery residues read as they are: which
 * integers they stand for does not matter, so no conversion is needed.
 */
#include "arith/factor64_rho.h"

#include <math.h>
#include <stdbool.h>

#include "arith/factor64_gcd.h"
#include "arith/mont64.h"

enum {
    GCD_EVERY = 64,
    CONSTANTS = 64 /* polynomials tried before trial division */
};

uint64_t factor64_square_root(uint64_t n)
{
    /* Squares are 0, 1, 4, 9, 16, 17, 25, 33, 36, 41, 49, 57 mod 64. */
    if ((0x0202021202030213u >> (n & 63) & 1) == 0)
        return 0;
    /* The double is wrong by less than one: its neighbours are looked at too. */
    uint64_t r = (uint64_t)sqrt((double)n);
    for (uint64_t s = r ? r - 1 : 0; s <= r + 1 && s <= UINT32_MAX; s++)
        if (s * s == n)
            return s;
    return 0;
}

uint64_t factor64_cube_root(uint64_t n)
{
    const uint64_t largest = 2642245; /* its cube is below 2^64, the next is not */
    uint64_t r = (uint64_t)cbrt((double)n);
    for (uint64_t s = r ? r - 1 : 0; s <= r + 1 && s <= largest; s++)
        if (s * s * s == n)
            return s;
    return 0;
}

static inline uint64_t step(uint64_t x, uint64_t c, uint64_t n, uint64_t ni)
{
    return mont64_add(mont64_mul(x, x, n, ni), c, n);
}

/* One walk with constant c: a proper factor, or 0. */
static uint64_t walk(uint64_t n, uint64_t ni, uint64_t c)
{
    uint64_t y = 2 % n, x = y, saved = y, product = 1, g = 1;

    for (uint64_t r = 1; g == 1; r *= 2) {
        x = y;
        for (uint64_t i = 0; i < r; i++)
            y = step(y, c, n, ni);
        for (uint64_t k = 0; k < r && g == 1; k += GCD_EVERY) {
            uint64_t stop = r - k < GCD_EVERY ? r - k : GCD_EVERY;
            saved = y;
            for (uint64_t i = 0; i < stop; i++) {
                y = step(y, c, n, ni);
                product = mont64_mul(product, mont64_sub(x, y, n), n, ni);
            }
            g = factor64_gcd(product, n);
        }
    }
    if (g == n)
        do {
            saved = step(saved, c, n, ni);
            g = factor64_gcd(mont64_sub(x, saved, n), n);
        } while (g == 1);
    return g == n ? 0 : g;
}

static uint64_t trial(uint64_t n)
{
    uint64_t d = 3;
    while (n % d != 0)
        d += 2;
    return d;
}

uint64_t factor64_rho(uint64_t n)
{
    uint64_t r = factor64_square_root(n);
    if (r == 0)
        r = factor64_cube_root(n);
    if (r != 0)
        return r;
    uint64_t ni = mont64_inverse(n);
    for (uint64_t c = 1; c <= CONSTANTS; c++) {
        uint64_t g = walk(n, ni, c % n);
        if (g != 0)
            return g;
    }
    return trial(n);
}
