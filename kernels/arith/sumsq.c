/*
 * Closed form: one of n-1 and n is even, so h = (n-1) n / 2 fits 128 bits, and
 * S = h (2n-1) / 3 = (2 h n - h) / 3 fits 192 at every step (2 h n < n^3 < 2^192).
 *
 * Loop: the integers are taken in blocks. While the squares of a whole block add up to
 * less than 2^64, one 64-bit sum does; while single squares are below 2^64, their
 * halves are summed apart; above that, 128-bit squares go to a three-limb sum. The
 * first two are written so that compilers turn them into 32 x 32 -> 64-bit vector
 * products; with AVX2, sumsq_avx2.c has a faster loop for both.
 */
#include "arith/sumsq.h"

#include "arith/cpu.h"
#include "arith/stop.h"
#include "arith/sumsq_avx2.h"

enum { BLOCK = 1 << 18 }; /* integers between looks at the stop flag: < 1 ms */

/* BLOCK squares of integers below NARROW add up to less than NARROW^2 * BLOCK = 2^64.
 */
static const uint64_t NARROW = 1u << 23;

static void add128(uint64_t s[SUMSQ_LIMBS], uint128 v)
{
    uint128 t = (uint128)s[0] + (uint64_t)v;
    s[0] = (uint64_t)t;
    t = (t >> 64) + s[1] + (uint64_t)(v >> 64);
    s[1] = (uint64_t)t;
    s[2] += (uint64_t)(t >> 64);
}

void sumsq_closed(uint64_t s[SUMSQ_LIMBS], uint64_t n)
{
    s[0] = s[1] = s[2] = 0;
    if (n < 2)
        return;
    uint64_t even = n % 2 ? n - 1 : n, odd = n % 2 ? n : n - 1;
    uint128 h = (uint128)(even / 2) * odd;
    mp_limb_t half[2] = {(uint64_t)h, (uint64_t)(h >> 64)};
    s[2] = mpn_mul_1(s, half, 2, n);
    mpn_lshift(s, s, SUMSQ_LIMBS, 1);
    mpn_sub(s, s, SUMSQ_LIMBS, half, 2);
    mpn_divexact_by3(s, s, SUMSQ_LIMBS);
}

void sumsq_closed_big(mpz_t s, const mpz_t n)
{
    mpz_t last, odd;
    mpz_inits(last, odd, NULL);
    if (mpz_cmp_ui(n, 2) >= 0) {
        mpz_sub_ui(last, n, 1);
        mpz_mul_2exp(odd, n, 1);
        mpz_sub_ui(odd, odd, 1);
        mpz_mul(last, last, n);
        mpz_mul(last, last, odd);
        mpz_divexact_ui(last, last, 6);
    }
    mpz_swap(s, last);
    mpz_clears(last, odd, NULL);
}

/* Sum of (first + i)^2 for i < count, in which all squares together are below 2^64. */
static uint64_t sum_narrow(uint32_t first, uint32_t count)
{
    uint64_t sum = 0;
#pragma omp simd reduction(+ : sum)
    for (uint32_t i = 0; i < count; i++) {
        uint64_t x = first + i;
        sum += x * x;
    }
    return sum;
}

/* The same where each square is below 2^64: first + count <= 2^32. */
static uint128 sum_split(uint32_t first, uint32_t count)
{
    uint64_t low = 0, high = 0;
#pragma omp simd reduction(+ : low, high)
    for (uint32_t i = 0; i < count; i++) {
        uint64_t x = first + i; /* below 2^32 */
        uint64_t square = x * x;
        low += (uint32_t)square;
        high += square >> 32;
    }
    return ((uint128)high << 32) + low;
}

/* The same for any first, count of 64 bits, added to s. */
static void sum_wide(uint64_t s[SUMSQ_LIMBS], uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        add128(s, (uint128)(first + i) * (first + i));
}

/* The same where each square is below 2^64, by the variant that runs here. */
static uint128 sum_single(enum cpu_path path, uint64_t first, uint64_t end)
{
    uint32_t from = (uint32_t)first, count = (uint32_t)(end - first);
#if defined(__x86_64__)
    if (path == CPU_AVX2)
        return sumsq_avx2(from, count);
#else
    (void)path;
#endif
    return end <= NARROW ? sum_narrow(from, count) : sum_split(from, count);
}

bool sumsq_loop(uint64_t s[SUMSQ_LIMBS], uint64_t n, const atomic_bool *stop)
{
    enum cpu_path path = cpu_path();
    uint64_t sum[SUMSQ_LIMBS] = {0, 0, 0};
    for (uint64_t i = 0; i < n;) {
        if (stop_raised(stop))
            return false;
        uint64_t end = n - i > BLOCK ? i + BLOCK : n;
        if (end <= UINT64_C(1) << 32)
            add128(sum, sum_single(path, i, end));
        else
            sum_wide(sum, i, end - i);
        i = end;
    }
    for (int i = 0; i < SUMSQ_LIMBS; i++)
        s[i] = sum[i];
    return true;
}

bool sumsq_loop_big(mpz_t s, const mpz_t n, const atomic_bool *stop)
{
    uint64_t start[SUMSQ_LIMBS];
    if (!sumsq_loop(start, big_fits(n) ? big_u64(n) : UINT64_MAX, stop))
        return false;
    mpz_t sum, x;
    mpz_inits(sum, x, NULL);
    big_set_limbs(sum, start, SUMSQ_LIMBS);
    big_set(x, UINT64_MAX);
    uint32_t since = 0;
    bool go = true;
    for (; go && mpz_cmp(x, n) < 0; mpz_add_ui(x, x, 1)) {
        mpz_addmul(sum, x, x);
        go = ++since % (1 << 12) != 0 || !stop_raised(stop);
    }
    if (go)
        mpz_swap(s, sum);
    mpz_clears(sum, x, NULL);
    return go;
}

size_t sumsq_print(char *to, uint64_t n)
{
    uint64_t s[SUMSQ_LIMBS];
    sumsq_closed(s, n);
    return big_print_limbs(to, s, SUMSQ_LIMBS);
}

void sumsq_total_init(struct sumsq_total *t)
{
    mpz_init(t->big);
    sumsq_total_clear(t);
}

void sumsq_total_release(struct sumsq_total *t)
{
    mpz_clear(t->big);
}

void sumsq_total_clear(struct sumsq_total *t)
{
    for (int i = 0; i < 4; i++)
        t->w[i] = 0;
    mpz_set_ui(t->big, 0);
}

void sumsq_total_add(struct sumsq_total *t, const uint64_t s[SUMSQ_LIMBS])
{
    mpn_add(t->w, t->w, 4, s, SUMSQ_LIMBS);
}

void sumsq_total_add_big(struct sumsq_total *t, const mpz_t s)
{
    mpz_add(t->big, t->big, s);
}

void sumsq_total_squares(struct sumsq_total *t, const uint64_t *x, size_t n)
{
    /* The halves of the squares apart: two chains of carries that do not meet. */
    uint128 low = 0, high = 0;
    for (size_t i = 0; i < n; i++) {
        uint128 square = (uint128)x[i] * x[i];
        low += (uint64_t)square;
        high += (uint64_t)(square >> 64);
    }
    high += low >> 64;
    const uint64_t s[SUMSQ_LIMBS] = {(uint64_t)low, (uint64_t)high,
                                     (uint64_t)(high >> 64)};
    sumsq_total_add(t, s);
}

void sumsq_total_square_big(struct sumsq_total *t, const mpz_t x)
{
    mpz_addmul(t->big, x, x);
}

void sumsq_total_value(const struct sumsq_total *t, mpz_t value)
{
    mpz_t small;
    mpz_init(small);
    big_set_limbs(small, t->w, 4);
    mpz_add(value, t->big, small);
    mpz_clear(small);
}

bool sumsq_total_add_digits(struct sumsq_total *t, const char *digits, size_t len)
{
    mpz_t part;
    mpz_init(part);
    bool ok = big_parse(part, digits, len);
    if (ok)
        mpz_add(t->big, t->big, part);
    mpz_clear(part);
    return ok;
}
