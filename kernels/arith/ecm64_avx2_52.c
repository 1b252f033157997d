/*
 * The engine for n < 2^52: residues are doubles that hold integers, four in a vector.
 *
 * h + l = x * y exactly, by FMA (h rounded, l the error). With q = the integer nearest
 * to h / n, x * y - q n = (h - q n) + l; h - q n is one FMA, exact since it is small,
 * and so is the sum. Residues are about -n/2 .. n/2 and their sums are left as they
 * are.
 *
 * That is proved below 2^48 or so. Up to 2^52 a quotient may be off by more than one
 * and values may grow; a lane then loses its curve, if it ever happens, and nothing
 * else: a factor is a gcd with n, whatever the residue was. Residues that are no 63-bit
 * integers are taken for 0 factors found.
 */
#ifdef __x86_64__
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define EACH _Pragma("clang loop unroll(full)") for (int j = 0; j < K; j++)
#else
#pragma GCC target("avx2,fma")
#define EACH _Pragma("GCC unroll 8") for (int j = 0; j < K; j++)
#endif

#define INLINE static inline __attribute__((always_inline))
#define WORD __m256d
enum { K = 6, LANES = 24 };

struct modulus {
    __m256d n, inverse;
};

INLINE __m256d nearest(__m256d x)
{
    return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE __m256d mul(__m256d x, __m256d y, const struct modulus *m)
{
    __m256d h = _mm256_mul_pd(x, y);
    __m256d l = _mm256_fmsub_pd(x, y, h);
    __m256d q = nearest(_mm256_mul_pd(h, m->inverse));
    return _mm256_add_pd(_mm256_fnmadd_pd(q, m->n, h), l);
}

INLINE __m256d sqr(__m256d x, const struct modulus *m)
{
    return mul(x, x, m);
}

INLINE __m256d add(__m256d a, __m256d b, const struct modulus *m)
{
    (void)m;
    return _mm256_add_pd(a, b);
}

INLINE __m256d sub(__m256d a, __m256d b, const struct modulus *m)
{
    (void)m;
    return _mm256_sub_pd(a, b);
}

INLINE __m256d enter(const uint64_t *v, int j, const struct modulus *m)
{
    v += 4 * j;
    __m256d x = _mm256_set_pd((double)v[3], (double)v[2], (double)v[1], (double)v[0]);
    return _mm256_fnmadd_pd(nearest(_mm256_mul_pd(x, m->inverse)), m->n, x);
}

#include "arith/ecm64_core.h"

static void put(__m256d *v, unsigned lane, double value)
{
    memcpy((char *)v + 8 * (lane % 4), &value, 8);
}

static void number(void *work, unsigned lane, uint64_t n)
{
    struct work *w = work;
    put(&w->m[lane / 4].n, lane, (double)n);
    put(&w->m[lane / 4].inverse, lane, 1 / (double)n);
}

static void residues(const void *work, enum ecm64_residue which, uint64_t *out)
{
    const struct work *w = work;
    double r[LANES];
    memcpy(r, w->residue[which], sizeof r);
    for (unsigned i = 0; i < LANES; i++) {
        double x = fabs(r[i]);
        out[i] = x < 0x1p63 ? (uint64_t)x : 1; /* not a number is not less */
    }
}

const struct ecm64_engine ecm64_avx2_52 = {LANES, 52, number, run, residues};

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
