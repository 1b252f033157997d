/*
 * Trial division of eight numbers at a time.
 *
 * Primes come in groups with a product m < 2^32. One Montgomery step on 32-bit halves,
 * n = high * 2^32 + low, gives c = high - (low * m^-1 mod 2^32) * m / 2^32, which is
 * n * 2^-32 mod m up to a multiple of m, in 32 bits. p divides n exactly if it divides
 * c, that is, if c * p^-1 mod 2^32 <= (2^32 - 1) / p: one product and one comparison
 * for eight numbers. AVX2 compares signed integers only, so c is biased by 2^31; the
 * bias survives the product because p^-1 is odd. Below 2^32 n itself serves as c.
 *
 * Which primes divide which numbers is hard to guess, and a wrong guess costs as much
 * as ten primes. So nothing is decided before all primes are done: each leaves one
 * byte, a bit for each of the eight numbers; these are turned into one bit for each
 * prime.
 */
#ifdef __x86_64__
#include "arith/factor64_trial.h"

#include <immintrin.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

enum {
    GROUPS = 64,
    WORDS = (TRIAL_PRIMES + 63) / 64 /* of 64 bits, one for each prime */
};

static struct group {
    uint32_t m, inverse; /* the product and its inverse mod 2^32 */
    unsigned first, end; /* primes of the table */
} groups[GROUPS];
static unsigned group_count;
/* Of each prime, in every lane: p^-1 mod 2^32, and (2^32 - 1) / p - 2^31. */
static _Alignas(32) int32_t inverses[TRIAL_PRIMES][8], limits[TRIAL_PRIMES][8];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_groups(void)
{
    for (unsigned k = 0; k < TRIAL_PRIMES;) {
        struct group *g = &groups[group_count++];
        uint64_t m = 1, inverse = 1;
        g->first = k;
        for (; k < TRIAL_PRIMES && m * trial_primes[k].p <= UINT32_MAX; k++) {
            m *= trial_primes[k].p;
            inverse *= trial_primes[k].inverse;
            for (unsigned lane = 0; lane < 8; lane++) {
                inverses[k][lane] = (int32_t)(uint32_t)trial_primes[k].inverse;
                limits[k][lane] = (int32_t)(trial_primes[k].limit >> 32 ^ 0x80000000);
            }
        }
        g->m = (uint32_t)m;
        g->inverse = (uint32_t)inverse;
        g->end = k;
    }
}

/* Eight numbers as low and high halves. */
struct eight {
    __m256i low, high;
};

static inline struct eight load_eight(const uint64_t *v)
{
    __m256 a = _mm256_loadu_ps((const float *)(const void *)v);
    __m256 b = _mm256_loadu_ps((const float *)(const void *)(v + 4));
    __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
    __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
    return (struct eight){_mm256_permute4x64_epi64(low, 0xd8), /* 0 1 4 5 2 3 6 7 */
                          _mm256_permute4x64_epi64(high, 0xd8)};
}

static inline __m256i group_residue(struct eight n, const struct group *g)
{
    __m256i m = _mm256_set1_epi32((int)g->m);
    __m256i q = _mm256_mullo_epi32(n.low, _mm256_set1_epi32((int)g->inverse));
    __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(q, m), 32);
    __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(q, 32), m);
    __m256i sub = _mm256_blend_epi32(even, odd, 0xaa);
    __m256i enough = _mm256_cmpeq_epi32(_mm256_max_epu32(n.high, sub), n.high);
    __m256i c = _mm256_sub_epi32(n.high, sub);
    return _mm256_add_epi32(c, _mm256_andnot_si256(enough, m));
}

/* Notes in miss[k], for each prime k in [first, end), the lanes that it does not
 * divide; c as above, biased. */
static inline void try_primes(__m256i c, unsigned first, unsigned end, uint8_t *miss)
{
#pragma GCC unroll 4
    for (unsigned k = first; k < end; k++) {
        __m256i q = _mm256_mullo_epi32(c, *(const __m256i *)(const void *)inverses[k]);
        __m256i out = _mm256_cmpgt_epi32(q, *(const __m256i *)(const void *)limits[k]);
        miss[k] = (uint8_t)_mm256_movemask_ps(_mm256_castsi256_ps(out));
    }
}

static inline void try_all(struct eight n, uint8_t *miss)
{
    const __m256i bias = _mm256_set1_epi32(INT32_MIN);
    if (_mm256_testz_si256(n.high, n.high)) {
        try_primes(_mm256_xor_si256(n.low, bias), 0, TRIAL_PRIMES, miss);
        return;
    }
    for (const struct group *g = groups; g < groups + group_count; g++)
        try_primes(_mm256_xor_si256(group_residue(n, g), bias), g->first, g->end, miss);
}

/* Turns misses into hits: bit k of hits[i] says that prime k divides number i. */
static inline void turn(const uint8_t *miss, uint64_t (*hits)[WORDS])
{
    for (unsigned w = 0; w < WORDS; w++) {
        const __m256i *from = (const __m256i *)(const void *)(miss + (size_t)64 * w);
        __m256i a = _mm256_loadu_si256(from), b = _mm256_loadu_si256(from + 1);
        for (unsigned i = 8; i-- > 0;) {
            uint32_t low = (uint32_t)_mm256_movemask_epi8(a);
            uint32_t high = (uint32_t)_mm256_movemask_epi8(b);
            hits[i][w] = ~(low | (uint64_t)high << 32);
            a = _mm256_add_epi8(a, a);
            b = _mm256_add_epi8(b, b);
        }
    }
}

void trial_avx2(struct trial *t, const uint64_t *n, size_t count)
{
    uint8_t *stream = t->stream;
    uint8_t miss[64 * WORDS];
    memset(miss, 0xff, sizeof miss);
    pthread_once(&once, make_groups);
    for (size_t i = 0; i < count; i += 8) {
        uint64_t v[8], hits[8][WORDS];
        size_t m = count - i < 8 ? count - i : 8;
        for (size_t j = 0; j < 8; j++)
            v[j] = j < m && n[i + j] ? n[i + j] : 1;
        try_all(load_eight(v), miss);
        turn(miss, hits);
        for (size_t j = 0; j < m; j++) {
            const uint8_t *begin = stream;
            unsigned twos = (unsigned)__builtin_ctzll(v[j]);
            uint64_t rest = v[j] >> twos;
            for (unsigned w = 0; w < WORDS; w++)
                for (uint64_t left = hits[j][w]; left; left &= left - 1)
                    rest = trial_divide(rest, 64 * w + (unsigned)__builtin_ctzll(left),
                                        &stream);
            t->rest[i + j] = rest;
            t->twos[i + j] = (uint8_t)twos;
            t->bytes[i + j] = (uint8_t)(stream - begin);
        }
    }
    memset(stream, 0, TRIAL_AHEAD);
}

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
