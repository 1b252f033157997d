/*
 * prime64_avx2: prime64_batch with AVX2 and FMA.
 *
 * Many numbers advance in lockstep, one to a lane, and several vectors side by side, so
 * that the work costs what the execution units can pass and not what a product takes. A
 * block goes through
 *
 *   sieve    the small primes, eight numbers at a time, with compaction;
 *   base 2   all survivors, in classes by size;
 *   Lucas    what passed: all primes and hardly anything else; below 2^32 a list takes
 *            its place (prime64_filter.c).
 *
 * Below 2^50 the arithmetic is doubles with FMA (prime64_avx2_doubles.c), above it is
 * limbs of 32 bits (prime64_avx2_limbs.c), cheaper below 2^63 than above.
 */
#include "arith/prime64_avx2.h"

#include "arith/prime64.h"

#if defined(__x86_64__)

/* What a list may hold, and room to fill its last group. */
enum { ROOM = PRIME64_BLOCK + PRIME64_PAD };

enum class { MID, HALF, FULL, CLASSES };

struct list {
    size_t len;
    uint64_t n[ROOM];
    uint16_t at[ROOM];
};

static void list_add(struct list *l, uint64_t n, uint16_t at, bool really)
{
    l->n[l->len] = n;
    l->at[l->len] = at;
    l->len += really;
}

/* Repeats the first number so that a whole group can be read at the end. */
static void list_pad(struct list *l)
{
    for (size_t j = 0; j < PRIME64_PAD; j++)
        l->n[l->len + j] = l->n[0];
}

/* Moves what is 2^32 or more to the lists. */
static void split(struct prime64_sieved *s, struct list *lists)
{
    size_t small = 0;
    for (size_t i = 0; i < s->len; i++) {
        uint32_t top = s->top[i], low = s->low[i], at = s->at[i];
        struct list *l = &lists[(top >> 18 != 0) + (top >> 31)];
        list_add(l, (uint64_t)top << 32 | low, (uint16_t)at, top != 0);
        s->low[small] = low;
        s->at[small] = at;
        small += top == 0;
    }
    s->len = small;
}

/* Answers numbers below 2^32. */
static void answer_small(struct prime64_sieved *s, uint8_t *prime)
{
    for (size_t j = 0; j < PRIME64_PAD; j++)
        s->low[s->len + j] = s->low[0];
    for (size_t i = 0; i < s->len; i += GROUP_BASE2_DOUBLES) {
        unsigned pass = prime64_avx2_base2_small(s->low + i);
        if (s->len - i < GROUP_BASE2_DOUBLES)
            pass &= (1u << (s->len - i)) - 1;
        for (; pass != 0; pass &= pass - 1) {
            size_t j = i + (unsigned)__builtin_ctz(pass);
            prime[s->at[j]] = !prime64_is_pseudoprime(s->low[j]);
        }
    }
}

/* Keeps what passes a base-2 test of `width` numbers at a time. */
static void keep_base2(struct list *l, unsigned (*test)(const uint64_t *), size_t width)
{
    size_t len = l->len;
    if (len == 0)
        return;
    list_pad(l);
    l->len = 0;
    for (size_t i = 0; i < len; i += width) {
        unsigned pass = test(l->n + i);
        if (len - i < width)
            pass &= (1u << (len - i)) - 1;
        for (; pass != 0; pass &= pass - 1) {
            size_t j = i + (unsigned)__builtin_ctz(pass);
            list_add(l, l->n[j], l->at[j], true);
        }
    }
}

/* Answers numbers that passed base 2. */
static void answer_lucas(struct list *l,
                         unsigned (*test)(const uint64_t *, const uint64_t *),
                         size_t width, uint8_t *prime)
{
    uint64_t p[PRIME64_PAD];
    if (l->len == 0)
        return;
    list_pad(l);
    for (size_t i = 0; i < l->len; i += width) {
        size_t todo = l->len - i < width ? l->len - i : width;
        for (size_t j = 0; j < width; j++)
            p[j] = j < todo ? prime64_lucas_p(l->n[i + j]) : 3;
        unsigned pass = test(l->n + i, p);
        for (size_t j = 0; j < todo; j++) {
            bool is_prime = pass >> j & 1;
            if (p[j] == 0)
                is_prime = false;
            else if (p[j] > PRIME64_AVX2_P_MAX)
                is_prime = prime64(l->n[i + j]);
            prime[l->at[i + j]] = is_prime;
        }
    }
}

static void test_block(const uint64_t *n, size_t count, uint8_t *prime)
{
    struct prime64_sieved sieved;
    struct list lists[CLASSES];
    prime64_avx2_sieve(n, count, prime, &sieved);
    if (sieved.small) {
        answer_small(&sieved, prime);
        return;
    }
    for (int c = 0; c < CLASSES; c++)
        lists[c].len = 0;
    split(&sieved, lists);
    answer_small(&sieved, prime);
    keep_base2(&lists[MID], prime64_avx2_base2_mid, GROUP_BASE2_DOUBLES);
    keep_base2(&lists[HALF], prime64_avx2_base2_half, GROUP_BASE2);
    keep_base2(&lists[FULL], prime64_avx2_base2_full, GROUP_BASE2);
    answer_lucas(&lists[MID], prime64_avx2_lucas_mid, GROUP_LUCAS_DOUBLES, prime);
    answer_lucas(&lists[HALF], prime64_avx2_lucas_half, GROUP_LUCAS, prime);
    answer_lucas(&lists[FULL], prime64_avx2_lucas_full, GROUP_LUCAS, prime);
}

void prime64_batch_avx2(const uint64_t *n, size_t count, uint8_t *prime)
{
    for (size_t i = 0; i < count; i += PRIME64_BLOCK)
        test_block(n + i, count - i < PRIME64_BLOCK ? count - i : PRIME64_BLOCK,
                   prime + i);
}

#endif
