#include "arith/multiplicative.h"

#include <flint/ulong_extras.h>
#include <stdbool.h>

#include "unit.h"

/* n > 0 from its factorization by FLINT. */
static void make(struct multiplicative *m, uint64_t n)
{
    n_factor_t f;
    mpz_t p;
    mpz_init(p);
    n_factor_init(&f);
    n_factor(&f, n, 1);
    multiplicative_clear(m);
    for (int i = 0; i < f.num; i++) {
        big_set(p, f.p[i]);
        multiplicative_add(m, p, (uint32_t)f.exp[i]);
    }
    mpz_clear(p);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    return b ? gcd(b, a % b) : a;
}

static bool is_prime(uint64_t n)
{
    for (uint64_t d = 2; d * d <= n; d++)
        if (n % d == 0)
            return false;
    return n > 1;
}

/* Every function by its definition. */
static void test_small(void)
{
    struct multiplicative m;
    multiplicative_init(&m);
    for (uint64_t n = 1; n <= 1500 * unit_scale() && n <= 20000; n++) {
        uint64_t omega = 0, bigomega = 0, phi = 0, sigma = 0, radical = 1;
        bool square = false;
        for (uint64_t d = 1; d <= n; d++) {
            phi += gcd(d, n) == 1;
            if (n % d != 0)
                continue;
            sigma += d;
            square = square || (d > 1 && n % (d * d) == 0);
            if (!is_prime(d))
                continue;
            omega++;
            radical *= d;
            for (uint64_t rest = n; rest % d == 0; rest /= d)
                bigomega++;
        }
        make(&m, n);
        CU_ASSERT_EQUAL(m.omega, omega);
        CU_ASSERT_EQUAL(m.bigomega, bigomega);
        CU_ASSERT_EQUAL(m.mu, square ? 0 : omega % 2 ? -1 : 1);
        CU_ASSERT_EQUAL(big_u64(m.phi), phi);
        CU_ASSERT_EQUAL(big_u64(m.sigma), sigma);
        CU_ASSERT_EQUAL(big_u64(m.radical), radical);
    }
    multiplicative_release(&m);
}

/* 64 bits: phi and mu by FLINT; sigma passes 2^64. */
static void test_words(void)
{
    struct multiplicative m;
    multiplicative_init(&m);
    for (uint64_t i = 0; i < 300 * unit_scale(); i++) {
        uint64_t n = (unit_random() >> unit_random() % 60) | 1;
        n *= unit_random() % 2 && n < UINT64_MAX / 12 ? 12 : 1;
        make(&m, n);
        CU_ASSERT_EQUAL(big_u64(m.phi), n_euler_phi(n));
        CU_ASSERT_EQUAL(m.mu, n_moebius_mu(n));
        CU_ASSERT(mpz_cmp_ui(m.sigma, n) >= 0);
    }
    make(&m, UINT64_C(18446744073709551600));
    CU_ASSERT_FALSE(big_fits(m.sigma));
    multiplicative_release(&m);
}

/* p^e of any size: sums and products, term by term. */
static void test_large(void)
{
    static const char *const primes[] = {"2", "3", "18446744073709551557",
                                         "170141183460469231731687303715884105727"};
    static const uint32_t exponents[] = {1, 2, 3, 64, 300};
    struct multiplicative m;
    mpz_t p, power, sigma, phi;
    multiplicative_init(&m);
    mpz_inits(p, power, sigma, phi, NULL);
    for (size_t i = 0; i < sizeof primes / sizeof *primes; i++) {
        for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
            uint32_t e = exponents[k];
            mpz_set_str(p, primes[i], 10);
            multiplicative_clear(&m);
            multiplicative_add(&m, p, e);
            mpz_set_ui(power, 1);
            mpz_set_ui(sigma, 1);
            for (uint32_t j = 0; j < e; j++) {
                mpz_set(phi, power);
                mpz_mul(power, power, p);
                mpz_add(sigma, sigma, power);
            }
            mpz_sub(phi, power, phi);
            CU_ASSERT_EQUAL(mpz_cmp(m.sigma, sigma), 0);
            CU_ASSERT_EQUAL(mpz_cmp(m.phi, phi), 0);
            CU_ASSERT_EQUAL(mpz_cmp(m.radical, p), 0);
            CU_ASSERT(m.omega == 1 && m.bigomega == e && m.mu == (e > 1 ? 0 : -1));
        }
    }
    mpz_clears(p, power, sigma, phi, NULL);
    multiplicative_release(&m);
}

static const struct unit_test tests[] = {
    {"by definition", test_small},
    {"64 bits", test_words},
    {"powers of any size", test_large},
};

UNIT_MAIN("multiplicative", tests)
