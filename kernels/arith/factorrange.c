/*
 * A segment is SEGMENT consecutive integers, each with SLOTS places for its odd primes.
 * The primes below SMALL walk over the segment, each followed by its powers: a multiple
 * of p^k gets p for the k-th time. So every list ascends, with repetition. Larger
 * primes hit a segment less than once: they walk over a window of many segments, once,
 * and leave what they hit in a bucket for each segment, ascending again.
 *
 * All primes up to `bound` are sieved, so what is left of an integer when its list is
 * divided out is 1, or a prime if it is below (bound + 1)^2. Up to 2^50 it always is:
 * bound is the square root of the window's last integer, if that is at most TABLE.
 * Further up
 * the rest goes to factor64_batch, which has less to do with it than with the whole:
 * the sieve makes it 25 times faster at 10^15, and still 2.3 times at 10^19.
 *
 * A list of more than SLOTS primes is not kept: factor64 does that integer. They are
 * about one in a million.
 */
#include "arith/factorrange.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "arith/factor64.h"
#include "arith/primerange.h"

enum {
    FEWEST = 64, /* integers that are worth a sieve, and one more for each ... */
    WORTH = 512, /* ... so many integers that there are below the bound; ... */
    FIRST_FEWEST = 40000, /* ... and these for the table, the first time: 15 ms */
    SEGMENT = FACTORRANGE_BLOCK,
    SLOTS = 16,
    FILLED = 8, /* slots that are 1 when empty */
    SMALL = 4096,
    TABLE = 1 << 25,    /* primes below this are sieved */
    PRIMES = 2063689,   /* so many: pi(2^25) */
    SEGMENTS = 512,     /* in a window, at most */
    NEAR_SEGMENTS = 64, /* and below NEAR, where few primes are large */
    NEAR = 1 << 18,
    BUCKET = 3584 /* primes between 2^12 and 2^25 hit 3006 of 4096 integers, with
                     a deviation of 55 */
};

/* The odd primes below TABLE, ascending, then 0. */
static uint32_t *table;
static size_t small_primes; /* of them are below SMALL */
static pthread_once_t table_once = PTHREAD_ONCE_INIT;
static atomic_bool table_made; /* or being made */

static void make_table(void)
{
    enum { PIECE = 4096 };
    uint64_t piece[PIECE];
    atomic_store(&table_made, true);
    struct primerange *primes = primerange_new();
    uint32_t *t = malloc((PRIMES + 1) * sizeof *t);
    size_t n = 0, found;
    uint64_t at = 3;
    while (primes && t && at < TABLE) {
        uint64_t done =
            primerange_list(primes, at, TABLE - at, 0, piece, PIECE, &found);
        if (done == 0 || found > PRIMES - n)
            break;
        for (size_t i = 0; i < found; i++)
            t[n++] = (uint32_t)piece[i];
        at += done;
    }
    primerange_free(primes);
    if (!t || at < TABLE) {
        free(t);
        return;
    }
    t[n] = 0;
    while (t[small_primes] < SMALL)
        small_primes++;
    table = t;
}

/* An integer that a large prime divides: its place in the segment. */
struct hit {
    uint32_t prime, at;
};

struct factorrange {
    /* The window: segments [0, segments) from base on. 0: there is none. */
    uint64_t base, bound;
    size_t segments;
    size_t current; /* the segment that is sieved; SEGMENTS: none */
    uint32_t hits[SEGMENTS];
    struct hit *bucket; /* SEGMENTS times BUCKET; NULL until needed */

    uint8_t count[SEGMENT];
    uint32_t slot[SEGMENT][SLOTS] __attribute__((aligned(64)));

    uint64_t rest[SEGMENT]; /* of an integer, without its list */
    uint64_t hard[SEGMENT], factors[SEGMENT * FACTOR64_MAX];
    uint32_t ends[SEGMENT];
};

struct factorrange *factorrange_new(void)
{
    pthread_once(&table_once, make_table);
    if (!table)
        return NULL;
    struct factorrange *r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64);
    if (!r)
        return NULL;
    r->segments = 0;
    r->bucket = NULL;
    return r;
}

void factorrange_free(struct factorrange *r)
{
    if (r)
        free(r->bucket);
    free(r);
}

static uint64_t square_root(uint64_t n)
{
    uint64_t low = 0, high = UINT32_MAX;
    while (low < high) {
        uint64_t mid = low + (high - low + 1) / 2;
        if (mid * mid <= n)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* --- the window --- */

static void hit(struct factorrange *r, uint32_t p, uint64_t at)
{
    size_t segment = (size_t)(at / SEGMENT);
    uint32_t n = r->hits[segment];
    if (n < BUCKET)
        r->bucket[segment * BUCKET + n] = (struct hit){p, (uint32_t)(at % SEGMENT)};
    r->hits[segment] = n + (n <= BUCKET);
}

/* p divides `quotient`, too: the integer gets it again. */
static void hit_again(struct factorrange *r, uint32_t p, uint64_t at, uint64_t quotient)
{
    for (; quotient > 0 && quotient % p == 0; quotient /= p)
        hit(r, p, at);
}

/* p walks over the window. The multiple of p^2 among its multiples, there is at most
 * one (SMALL^2 is more than a window), is p times the first multiple of p that is not
 * below `quotient`. */
static void walk(struct factorrange *r, uint32_t p, uint64_t size)
{
    uint64_t quotient = r->base / p, over = r->base - quotient * p;
    uint64_t at = over ? p - over : 0;
    if (at >= size)
        return;
    quotient += over > 0;
    uint64_t past = quotient % p;
    uint64_t square = past ? at + (p - past) * p : at;
    for (; at < size; at += p) {
        hit(r, p, at);
        if (at == square)
            hit_again(r, p, at, (r->base + at) / p);
    }
}

/* Begins a window at `base`; it ends before 2^64. */
static bool open_window(struct factorrange *r, uint64_t base)
{
    uint64_t segments = (UINT64_MAX - base) / SEGMENT + 1;
    uint64_t most = square_root(base) < NEAR ? NEAR_SEGMENTS : SEGMENTS;
    r->segments = (size_t)(segments < most ? segments : most);
    r->current = SEGMENTS;
    r->base = base;
    uint64_t size = r->segments * (uint64_t)SEGMENT;
    uint64_t last = size - 1 < UINT64_MAX - base ? base + size - 1 : UINT64_MAX;
    uint64_t bound = square_root(last);
    r->bound = bound < TABLE ? bound : TABLE;
    memset(r->hits, 0, sizeof r->hits);
    if (r->bound < SMALL)
        return true;
    if (!r->bucket)
        r->bucket = malloc(sizeof *r->bucket * SEGMENTS * BUCKET);
    if (!r->bucket) {
        r->segments = 0;
        return false;
    }
    for (size_t i = small_primes; table[i] && table[i] <= r->bound; i++)
        walk(r, table[i], size);
    return true;
}

/* --- a segment --- */

static inline void add(struct factorrange *r, size_t i, uint32_t p)
{
    unsigned n = r->count[i]++;
    r->slot[i][n % SLOTS] = p;
}

/* p and its powers; stops at a power of which the segment has no multiple. */
static void walk_small(struct factorrange *r, uint32_t p, uint64_t first)
{
    for (uint64_t power = p;;) {
        uint64_t over = first % power;
        uint64_t at = over ? power - over : 0;
        if (at >= SEGMENT)
            return;
        for (; at < SEGMENT; at += power)
            add(r, at, p);
        if (__builtin_mul_overflow(power, p, &power))
            return;
    }
}

static void sieve(struct factorrange *r, size_t segment)
{
    uint64_t first = r->base + segment * (uint64_t)SEGMENT;
    memset(r->count, 0, sizeof r->count);
    for (size_t i = 0; i < SEGMENT; i++)
        for (size_t k = 0; k < FILLED; k++)
            r->slot[i][k] = 1;
    for (size_t i = 0; i < small_primes && table[i] <= r->bound; i++)
        walk_small(r, table[i], first);
    const struct hit *bucket = r->bucket + segment * BUCKET;
    for (size_t i = 0; i < r->hits[segment]; i++)
        add(r, bucket[i].at, bucket[i].prime);
    r->current = segment;
}

/* --- the factors --- */

static inline uint64_t list_product(const struct factorrange *r, size_t i)
{
    const uint32_t *s = r->slot[i];
    uint64_t product = ((uint64_t)s[0] * s[1]) * ((uint64_t)s[2] * s[3]);
    if (r->count[i] > 4) {
        product *= ((uint64_t)s[4] * s[5]) * ((uint64_t)s[6] * s[7]);
        for (size_t k = FILLED; k < r->count[i]; k++)
            product *= s[k];
    }
    return product;
}

/* What the lists leave of n integers; those that may be composite are gathered in
 * hard[] and solved. False if something does not check. */
static bool divide(struct factorrange *r, uint64_t first, size_t from, size_t n)
{
    uint64_t prime_below = (r->bound + 1) * (r->bound + 1);
    size_t hard = 0;
    for (size_t k = 0; k < n; k++) {
        uint64_t v = first + k, rest;
        if (v < 2 || r->count[from + k] > SLOTS) {
            r->rest[k] = 0;
            continue;
        }
        uint64_t odd = v >> __builtin_ctzll(v), product = list_product(r, from + k);
        rest = odd / product;
        if (rest * product != odd)
            return false;
        r->rest[k] = rest;
        if (rest >= prime_below)
            r->hard[hard++] = rest;
    }
    return hard == 0 || factor64_batch(r->hard, hard, r->factors, r->ends, 0);
}

/* Writes the twos and the list of integer v to `to`, and returns how many. More may be
 * overwritten, but no more than FACTOR64_MAX. */
static inline size_t put_list(const struct factorrange *r, size_t i, uint64_t v,
                              uint64_t *to)
{
    size_t twos = (size_t)__builtin_ctzll(v), n = r->count[i];
    for (size_t k = 0; k < 4; k++)
        to[k] = 2;
    for (size_t k = 4; k < twos; k++)
        to[k] = 2;
    to += twos;
    for (size_t k = 0; k < 4; k++)
        to[k] = r->slot[i][k];
    for (size_t k = 4; k < n; k++)
        to[k] = r->slot[i][k];
    return twos + n;
}

static bool put_factors(struct factorrange *r, uint64_t first, size_t from, size_t n,
                        uint64_t *p, uint32_t *end, uint32_t base)
{
    uint64_t prime_below = (r->bound + 1) * (r->bound + 1);
    const uint64_t *factor = r->factors;
    size_t used = 0, hard = 0;
    for (size_t k = 0; k < n; k++) {
        uint64_t v = first + k, rest = r->rest[k];
        if (rest == 0) { /* 0, 1, or too long a list */
            int found = factor64(v, p + used);
            if (found < 0)
                return false;
            used += (size_t)found;
        } else {
            used += put_list(r, from + k, v, p + used);
            if (rest < prime_below) {
                p[used] = rest;
                used += rest > 1;
            } else {
                for (const uint64_t *stop = r->factors + r->ends[hard++];
                     factor < stop;)
                    p[used++] = *factor++;
            }
        }
        end[k] = base + (uint32_t)used;
    }
    return true;
}

bool factorrange_pays(const struct factorrange *r, uint64_t first, uint64_t count)
{
    if (r && r->segments > 0 && first >= r->base &&
        first - r->base < r->segments * (uint64_t)SEGMENT)
        return true;
    uint64_t bound = square_root(first);
    uint64_t start = atomic_load(&table_made) ? 0 : FIRST_FEWEST;
    return count >= FEWEST + start + (bound < TABLE ? bound : TABLE) / WORTH;
}

int factorrange(struct factorrange *r, uint64_t first, uint64_t count, uint64_t *p,
                uint32_t *end, uint32_t base)
{
    if (r->segments == 0 || first < r->base ||
        first - r->base >= r->segments * (uint64_t)SEGMENT)
        if (!open_window(r, first))
            return 0;
    size_t segment = (size_t)((first - r->base) / SEGMENT);
    size_t from = (size_t)((first - r->base) % SEGMENT);
    size_t n = count < SEGMENT - from ? (size_t)count : SEGMENT - from;
    if (r->hits[segment] > BUCKET) {
        for (size_t k = 0; k < n; k++)
            r->hard[k] = first + k;
        return factor64_batch(r->hard, n, p, end, base) ? (int)n : -1;
    }
    if (r->current != segment)
        sieve(r, segment);
    if (!divide(r, first, from, n) || !put_factors(r, first, from, n, p, end, base))
        return -1;
    return (int)n;
}
