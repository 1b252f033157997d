/*
 * prime64_parts: what all paths of prime64 share: tables of small primes, the choice of
 * the Lucas parameter, and the paths themselves. Private to prime64; the theory is at
 * the top of prime64.c.
 */
#ifndef QUERN_ARITH_PRIME64_PARTS_H
#define QUERN_ARITH_PRIME64_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRIME64_INLINE static inline __attribute__((always_inline))

#ifdef __clang__
#define PRIME64_UNROLL _Pragma("unroll")
#else
#define PRIME64_UNROLL _Pragma("GCC unroll 16")
#endif

enum { PRIME64_TINY = 4096 }; /* below, prime64_tiny answers */

/* Bit i of word i / 64: is 2 i + 1 prime? */
extern const uint64_t prime64_odd_primes[PRIME64_TINY / 128];

PRIME64_INLINE bool prime64_tiny(uint64_t n)
{
    if (n % 2 == 0)
        return n == 2;
    return prime64_odd_primes[n / 128] >> (n / 2 % 64) & 1;
}

/* Is n < 2^32 without a prime factor below 64 composite, although it passes base 2?
 * (prime64_filter.c) */
enum { PRIME64_FILTER_BITS = 1 << 15, PRIME64_PSEUDOPRIMES = 3054 };
extern const uint32_t prime64_pseudoprimes[PRIME64_PSEUDOPRIMES]; /* ascending */
extern const uint64_t prime64_filter[PRIME64_FILTER_BITS / 64];
bool prime64_is_listed(uint32_t n);

PRIME64_INLINE bool prime64_is_pseudoprime(uint32_t n)
{
    uint32_t hash = n * 0x976699cdu / (UINT32_MAX / PRIME64_FILTER_BITS + 1);
    return (prime64_filter[hash / 64] >> hash % 64 & 1) && prime64_is_listed(n);
}

/* The least P >= 3 with Jacobi symbol (P^2 - 4 | n) = -1; 0 if n is a square or a
 * symbol before it is 0, so that n is composite. n is odd, at least PRIME64_TINY and
 * has no prime factor below 64. */
uint32_t prime64_lucas_p(uint64_t n);

/* Does V_k = v at k = (n + 1) >> bit, bit >= 1, end the Lucas test well? With
 * n + 1 = 2^s d: V_d = +-2, or V at d 2^r is 0 for some 0 <= r < s - 1. */
PRIME64_INLINE bool prime64_lucas_hit(uint64_t v, uint64_t two, uint64_t n,
                                      unsigned bit)
{
    unsigned s = (unsigned)__builtin_ctzll(n + 1);
    bool end = bit == s && (v == two || v == n - two);
    return end || (bit <= s && bit >= 2 && v == 0);
}

/* The paths. prime64_batch chooses one. */
void prime64_batch_generic(const uint64_t *n, size_t count, uint8_t *prime);
#if defined(__x86_64__)
void prime64_batch_avx2(const uint64_t *n, size_t count, uint8_t *prime);
#endif

#endif
