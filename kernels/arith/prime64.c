/*
 * prime64: how a 64-bit integer is proved prime.
 *
 * 1. Below 4096 a table of bits answers.
 * 2. Division by the small primes. For odd p, n is a multiple of p exactly when
 *    n * p^-1 mod 2^64 <= (2^64 - 1) / p: multiplication by p^-1 permutes the residues
 * and sends k p to k.
 * 3. The Euler-Jacobi test to base 2: 2^((n-1)/2) = (2|n) mod n, where the Jacobi
 * symbol (2|n) is +1 for n = 1, 7 and -1 for n = 3, 5 mod 8. Primes pass (Euler's
 * criterion). We compute the inverse, 2^-((n-1)/2), for dividing by 2^f is a short
 * Montgomery step (prime64_shift): digits of several bits are taken in one such step
 * and no doubling is ever needed. A composite that passes is a Fermat pseudoprime to
 * base 2.
 * 4. The almost extra strong Lucas test: with Q = 1 and the least P >= 3 such that
 *    D = P^2 - 4 has (D|n) = -1, and n + 1 = 2^s d, d odd: V_d = +-2, or V_(d 2^r) = 0
 * for some 0 <= r < s - 1. For a prime n the root a of x^2 - P x + 1 lies in the field
 * of n^2 elements with a^(n+1) = norm = 1, and V_k = a^k + a^-k. Going down from n + 1
 * by square roots, a^k stays 1 as far as d (V_d = 2), or first becomes -1, at k = d
 *    (V_d = -2) or at an even k, where V_(k/2) = 0; k <= (n + 1) / 2 gives r < s - 1.
 *    Only V is computed: V_2k = V_k^2 - 2, V_(2k+1) = V_k V_(k+1) - P.
 *
 *    Below 2^32 a list of the composites that pass 3 takes its place:
 * prime64_filter.c.
 *
 * That 3 and 4 together are a proof below 2^64 was established by exhaustion: J.
 * Feitsma and W. Galway listed all 118,968,378 Fermat pseudoprimes to base 2 below 2^64
 * (2009, 2013), and D. Jacobsen ("Pseudoprime statistics, tables, and data",
 * ntheory.org/pseudoprimes.html, 2013) checked that none is a pseudoprime to any of the
 * standard, strong, extra strong, or almost extra strong Lucas tests, the last with
 * exactly these parameters. On the tests: Baillie and Wagstaff, Lucas pseudoprimes,
 * Math. Comp. 35 (1980); Grantham, Frobenius pseudoprimes, Math. Comp. 70 (2001).
 */
#include "arith/prime64.h"

#include <math.h>

#include "arith/cpu.h"
#include "arith/prime64_scalar.h"

const uint64_t prime64_odd_primes[PRIME64_TINY / 128] = {
    0x816d129a64b4cb6eu, 0x2196820d864a4c32u, 0xa48961205a0434c9u, 0x4a2882d129861144u,
    0x0834992132424030u, 0x148a48844225064bu, 0x0b40b4086c304205u, 0x65048928125108a0u,
    0x80124496804c3098u, 0xc02104c941124221u, 0x0804490000982d32u, 0x220825b082689681u,
    0x9004265940a28948u, 0x6900924430434006u, 0x12410da408088210u, 0x086122d22400c060u,
    0x0110d301821b0484u, 0x14916022c044a002u, 0x092094d204a6400cu, 0x4ca2100800522094u,
    0xa48b081051018200u, 0x034c108144309a25u, 0x2084490880522502u, 0x241140a218003250u,
    0x0a41a00101840128u, 0x2926000836004512u, 0x10100480c0618283u, 0xc20c26584822006du,
    0x4520582024894810u, 0x10c0250219002488u, 0x802832ca01140868u, 0x60901300264b0400u,
};

/* The Jacobi symbol (a|n), n odd. */
static int jacobi(uint64_t a, uint64_t n)
{
    int sign = 1;
    for (a %= n; a != 0;) {
        unsigned twos = (unsigned)__builtin_ctzll(a);
        a >>= twos;
        if ((twos & 1) && ((n + 2) & 4))
            sign = -sign;
        if (a & n & 2)
            sign = -sign;
        uint64_t r = n % a;
        n = a;
        a = r;
    }
    return n == 1 ? sign : 0;
}

static bool is_square(uint64_t n)
{
    uint64_t r = (uint64_t)sqrt((double)n); /* off by one at most */
    for (uint64_t s = r - 1; s <= r + 1; s++)
        if (s <= UINT32_MAX && s * s == n)
            return true;
    return false;
}

/* P = 3, 4, 5, 6, 9, 11, 15 have D = 5, 12, 21, 32, 77, 117, 221, whose symbols follow
 * from those of n to 3, 5, 7, 11, 13, 17 and (2|n) by reciprocity. In this order, as
 * long as no symbol was -1, those of the P between, products of the same primes, are 1.
 * One n in 128 needs more. */
uint32_t prime64_lucas_p(uint64_t n)
{
    enum { NOT_3 = 1 << 2, NOT_5 = 1 << 2 | 1 << 3, NOT_7 = 1 << 3 | 1 << 5 | 1 << 6 };
    enum { NOT_11 = 1 << 2 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 }; /* non-residues */
    enum { NOT_13 = 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 11 };
    enum { NOT_17 = 1 << 3 | 7 << 5 | 7 << 10 | 1 << 14 }; /* 3 5 6 7 10 11 12 14 */
    unsigned r = (unsigned)(n % 255255); /* 3 * 5 * 7 * 11 * 13 * 17 */
    unsigned flip = n >> 1 & 1;          /* (q|n) = -(n|q) if q = n = 3 mod 4 */
    unsigned minus = NOT_5 >> r % 5 & 1;
    minus |= ((NOT_3 >> r % 3 & 1) ^ flip) << 1;
    minus |= ((NOT_7 >> r % 7 & 1) ^ flip) << 2; /* (21|n) = (3|n)(7|n), if (3|n) = 1 */
    minus |= (unsigned)((n + 2) >> 2 & 1) << 3;
    minus |= ((NOT_11 >> r % 11 & 1) ^ flip) << 4;  /* (77|n) = (7|n)(11|n) */
    minus |= ((unsigned)NOT_13 >> r % 13 & 1) << 5; /* 117 = 13 * 3^2 */
    minus |= ((unsigned)NOT_17 >> r % 17 & 1) << 6; /* 221 = 13 * 17 */
    if (minus != 0)
        return 0xfb96543u >> 4 * __builtin_ctz(minus) & 15; /* 3, 4, 5, 6, 9, 11, 15 */
    for (uint32_t p = 16;; p++) {
        if (p == 21 && is_square(n))
            return 0;
        int symbol = jacobi(p * p - 4, n);
        if (symbol != 1)
            return symbol == 0 ? 0 : p;
    }
}

bool prime64(uint64_t n)
{
    bool pass;
    if (n < PRIME64_TINY)
        return prime64_tiny(n);
    if (!prime64_no_small_factor(n))
        return false;
    prime64_base2(&n, 1, &pass);
    if (!pass)
        return false;
    if (n <= UINT32_MAX)
        return !prime64_is_pseudoprime((uint32_t)n);
    uint32_t p = prime64_lucas_p(n);
    prime64_lucas(&n, &p, 1, &pass);
    return pass;
}

void prime64_batch(const uint64_t *n, size_t count, uint8_t *prime)
{
#if defined(__x86_64__)
    if (cpu_path() == CPU_AVX2) {
        prime64_batch_avx2(n, count, prime);
        return;
    }
#endif
    prime64_batch_generic(n, count, prime);
}
