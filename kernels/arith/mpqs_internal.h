/*
 * mpqs_internal: what the files of the quadratic sieve share. mpqs.c says how the whole
 * works; nobody else includes this header but the sieve's own test and benchmark.
 *
 * Notation: k the multiplier, kn = k * n = 1 mod 4. A polynomial is
 *     Q(x) = a x^2 + b x + c,  b^2 - 4 a c = kn,  so  (2 a x + b)^2 = 4 a Q(x)  mod n.
 * a is a product of s primes of the factor base. x runs over [-m, m), m = half of
 * blocks * block; position i of block j is x = j * block + i - m.
 */
#ifndef QUERN_ARITH_MPQS_INTERNAL_H
#define QUERN_ARITH_MPQS_INTERNAL_H

#include "arith/mont64.h"
#include "arith/mpqs.h"

__extension__ typedef __int128 int128;

enum {
    MPQS_LIMBS = 3,              /* words of 64 bits that hold any 2ax + b and Q(x) */
    MPQS_BLOCK_MAX = 32768,      /* bytes of sieve at a time: fits every L1 */
    MPQS_SMALL = 32768,          /* primes below are held in 16 bits, roots and all */
    MPQS_LANES = 64,             /* arrays of 16-bit lanes are padded to this many */
    MPQS_A_MAX = 18,             /* most primes in a */
    MPQS_POOL = 64,              /* primes of the factor base that may divide a */
    MPQS_SCORED = 30,            /* odd primes that multipliers are scored by */
    MPQS_DEAD = 0x7fff,          /* the root of a prime that has none (it divides a) */
    MPQS_TAIL_DEAD = 0x7fffffff, /* the same in the tail */
    MPQS_ROWS_MAX = 64 * MPQS_LIMBS + MPQS_A_MAX + 4 /* rows of a relation, at most:
        the bits of |Q(x)|, the sign, and 4a */
};

/* What is chosen by the size of n. */
struct mpqs_params {
    uint32_t primes;    /* in the factor base */
    uint32_t block;     /* positions in a block: a multiple of 64, <= MPQS_BLOCK_MAX */
    uint32_t blocks;    /* of a polynomial */
    uint32_t large;     /* large primes go up to this multiple of the largest prime */
    uint32_t skip;      /* primes below are left out of the sieve */
    uint32_t slack;     /* tenths of a bit that the primes not sieved may bring */
    uint32_t tolerance; /* tenths of a bit that may be missing then */
    uint32_t a_prime;   /* size that the primes of a should have */
};

/* Primes and what depends on them alone, kept from one n to the next. The 16-bit arrays
 * hold lanes of those below MPQS_SMALL; lane 0, for 2, and those behind the last are
 * dead. p - 1 = odd * 2^twos. */
struct mpqs_primes {
    uint32_t n, small, lanes;
    uint32_t limit; /* of those that this n looks at, whatever there is */
    uint32_t *prime;
    uint32_t *generator; /* of the group of order 2^twos mod p; 0: not computed yet */
    uint8_t *twos;
    uint16_t *p, *ni, *quotients, *one, *square; /* as in mpqs_base */
    uint16_t *half;                              /* (odd - 1) / 2 */
    uint16_t *power, *root;                      /* results of `powers` */
    void *arena;
    uint8_t square_class[MPQS_SCORED + 1][128]; /* of prime i: 1 for 0, 2 for squares */
};

/* The factor base: 2 first, then the odd primes with kn a square modulo them (zero
 * too), ascending. The 16-bit arrays hold the primes below MPQS_SMALL; lane 0 stands
 * for the prime 2 and is dead, so are the lanes from `small` up to `lanes`. */
struct mpqs_base {
    uint32_t n, small, lanes;
    uint32_t first;  /* first index that is sieved */
    uint32_t end[9]; /* of primes to block / 32 (8), to block / (i + 1) (i < 8) */
    uint32_t *prime;
    uint64_t *inverse; /* prime^-1 mod 2^64 (0 for 2) */
    uint8_t *log;      /* in units of the sieve */
    uint32_t *root;    /* a square root of kn */
    uint16_t *p;
    uint16_t *ni;        /* p^-1 mod 2^16 */
    uint16_t *quotients; /* multiples of p below 2^15; 0 in dead lanes */
    uint16_t *one;       /* 2^16 mod p */
    uint16_t *square;    /* 2^32 mod p */
    uint16_t *sqrt;      /* = root */
    uint16_t *middle;    /* m mod p */
    uint16_t *stride;    /* block mod p */
    uint16_t *hits;      /* floor(block / p): that many every root has in a block */
    uint16_t *unsieved;  /* the log of primes that are not sieved, else 0 */
};

struct mpqs_poly {
    mpz_t target; /* the ideal a: sqrt(kn / 2) / m */
    double goal;  /* the same */
    mpz_t a, b, c;
    bool wide;                 /* a, b, c do not fit the following */
    int128 a128, b128, c128;   /* mod 2^128 */
    mpz_t part[MPQS_A_MAX];    /* B_j: b is the sum of +-B_j */
    uint32_t s, q[MPQS_A_MAX]; /* a = product of prime[q[j]] */
    bool minus[MPQS_A_MAX];
    uint32_t number, count; /* polynomials of this a: used, available */
    uint32_t pool, pool_n;  /* indices that may be in q: pool .. pool + pool_n - 1 */
    uint64_t random;
    uint64_t *used; /* products mod 2^64 of the a so far */
    uint32_t used_n, used_cap;
    uint16_t *inverse;          /* pool_n rows: q^-1 * 2^16 mod p */
    uint16_t *up[MPQS_A_MAX];   /* B_j / a mod p: what roots move by */
    uint16_t *down[MPQS_A_MAX]; /* the negatives */
    uint16_t *r1, *r2;          /* roots as positions in block 0, below p */
    uint16_t *w1, *w2;          /* the same in the current block */
    uint16_t *later[2];         /* room for those of later blocks */
};

/* The primes of the factor base above 2^15; names as above. */
struct mpqs_tail {
    uint32_t n, lanes;
    uint32_t *p, *ni, *one, *square, *sqrt, *middle, *stride;
    uint8_t *log;      /* the same for MPQS_LANES primes */
    uint32_t *inverse; /* rows: q^-1 * 2^32 mod p */
    uint32_t *up[MPQS_A_MAX], *down[MPQS_A_MAX];
    uint32_t *zero;           /* no move */
    uint32_t *r[2];           /* roots in block 0 of the polynomial before `move` */
    uint32_t *later[2];       /* room for those of later blocks */
    uint32_t *const *current; /* r or later: those of the current block */
    const uint32_t *move;     /* to the current polynomial: subtract */
    void *arena;
    size_t arena_size;
};

/* A relation: value^2 = product of rows (a list of row numbers with repetition: 0 the
 * sign, i + 1 prime i) * large, mod n. */
struct mpqs_relation {
    uint32_t rows, nrows; /* where in the store */
    uint32_t large;       /* 1, or a prime above the factor base */
    uint32_t mate; /* with large > 1: the first relation with the same, or itself */
};

struct mpqs_table {
    uint32_t *slot; /* index + 1 of a relation, or 0 */
    uint32_t mask;
};

struct mpqs_store {
    struct mpqs_relation *rel;
    uint32_t n, cap;
    uint64_t *value; /* limbs words each */
    uint32_t limbs;
    uint16_t *row;
    uint32_t row_n, row_cap;
    struct mpqs_table by_value, by_large;
    uint32_t *set; /* relations with large = 1 or a mate: what the matrix is made of */
    uint32_t set_n;
    uint8_t *seen; /* rows that occur in sets */
    uint32_t seen_n, seen_cap;
};

/* What is done in lanes, for one processor. All give the same results. */
struct mpqs_ops {
    /* For the lanes of t below t->limit, with v of `digits` digits of 16 bits, low
     * first: root = v^((odd + 1) / 2), power = v^odd, mod p. */
    void (*powers)(struct mpqs_primes *t, const uint16_t *v, uint32_t digits);
    /* Row j (of f->lanes) = q[j]^-1 * 2^16 mod p, 0 where p = q[j], for the n primes q.
     */
    void (*inverses)(const struct mpqs_base *f, const uint16_t *q, uint32_t n,
                     uint16_t *row);
    /* Roots r1, r2 and moves up, down of the first polynomial of an a. inv[j] are rows
     * made by `inverses`, gamma[j] = B_j / (a / q_j) mod q_j; B_0 is a more if `odd`.
     */
    void (*start)(const struct mpqs_base *f, struct mpqs_poly *y, uint16_t *const *inv,
                  const uint16_t *gamma, bool odd);
    /* The same for the tail: s primes in a, whose rows of inverses are in_pool[j]. */
    void (*tail_start)(struct mpqs_tail *t, uint32_t s, const uint32_t *in_pool,
                       const uint16_t *gamma, bool odd);
    /* to = from - move mod p, for both roots. */
    void (*shift)(const struct mpqs_base *f, uint16_t *const to[2],
                  uint16_t *const from[2], const uint16_t *move);
    /* The same for the tail; and hits of all roots below the block. */
    void (*tail_shift)(struct mpqs *w, uint32_t *const to[2], uint32_t *const from[2],
                       const uint32_t *move);
    /* Positions in sieve[0..len) with the top bit set; returns how many. */
    uint32_t (*scan)(const uint8_t *sieve, uint32_t len, uint16_t *out);
    /* Keeps those of the candidates at[0..n) of the current block that with the primes
     * not sieved reach w->keep; `origin` is x of position 0. Returns how many. */
    uint32_t (*filter)(const struct mpqs *w, int64_t origin, uint16_t *at, uint32_t n);
    /* Indices of primes with a root at position `at`; returns how many. */
    uint32_t (*divisors)(const struct mpqs_base *f, const struct mpqs_poly *y,
                         uint32_t at, uint16_t *out);
    /* The same for the tail (indices from 0). */
    uint32_t (*tail_divisors)(const struct mpqs_tail *t, uint32_t at, uint16_t *out);
};

extern const struct mpqs_ops mpqs_ops_generic;
#if defined(__x86_64__)
extern const struct mpqs_ops mpqs_ops_avx2;
#endif

struct mpqs {
    mpz_t n, kn, t0, t1;
    uint32_t k, m;
    struct mpqs_params par;
    const struct mpqs_ops *ops;
    const atomic_bool *stop;
    struct mpqs_primes primes;
    struct mpqs_base base;
    struct mpqs_tail tail;
    struct mpqs_poly poly;
    struct mpqs_store store;
    uint32_t large_max; /* largest cofactor of a partial relation */
    uint8_t start;      /* what a sieve byte begins with */
    uint32_t bit;       /* units * 256 in a bit */
    uint32_t keep;      /* what a candidate must have with the primes not sieved */
    uint8_t *sieve;
    uint16_t *candidate; /* room for a block of them */
    uint16_t *divisor;
    void *arena; /* the arrays above but the store's */
    size_t arena_size;
    uint64_t polys, candidates, examined; /* counts, for the benchmark */
};

/* What the power of 2 in Q(x) adds to a sieve byte. */
static inline uint32_t mpqs_twos(const struct mpqs *w, int64_t x)
{
    uint64_t u = (uint64_t)x, a = (uint64_t)w->poly.a128;
    uint64_t q = (a * u + (uint64_t)w->poly.b128) * u + (uint64_t)w->poly.c128;
    return ((uint32_t)__builtin_ctzll(q | (uint64_t)1 << 63) * w->bit) >> 8;
}

static inline bool mpqs_stopped(const struct mpqs *w)
{
    return atomic_load_explicit(w->stop, memory_order_relaxed);
}

/* mpqs.c */
enum mpqs_status mpqs_split_with(struct mpqs *w, mpz_t f, const mpz_t n,
                                 const atomic_bool *stop,
                                 const struct mpqs_params *par);
struct mpqs_params mpqs_params_for(size_t bits);
void mpqs_use(struct mpqs *w, const struct mpqs_ops *ops);

/* mpqs_base.c: the multiplier and the factor base. */

/* Places arrays one after the other in lines of 64 bytes; with `at` NULL it counts
 * only. */
struct mpqs_carver {
    uint8_t *at;
    size_t size;
};

void *mpqs_carve(struct mpqs_carver *c, size_t bytes);
uint32_t mpqs_log2(double x); /* 256 log2(x), x >= 1, to 3 units */
bool mpqs_primes_grow(struct mpqs_primes *t, uint32_t n);
void mpqs_multiplier(struct mpqs *w, uint32_t rank);
uint32_t mpqs_base_fill(struct mpqs *w);

/* mpqs_poly.c */
bool mpqs_poly_begin(struct mpqs *w); /* false: stopped */
enum mpqs_status mpqs_poly_next(struct mpqs *w, bool *exhausted);

/* mpqs_tail.c */
bool mpqs_tail_reserve(struct mpqs_tail *t, uint32_t n);
bool mpqs_tail_fill(struct mpqs *w, const uint16_t *q, uint32_t n);
void mpqs_tail_kill(struct mpqs_tail *t, uint32_t s);
void mpqs_tail_start_generic(struct mpqs_tail *t, uint32_t s, const uint32_t *in_pool,
                             const uint16_t *gamma, bool odd);

/* mpqs_sieve.c */
bool mpqs_sieve_poly(struct mpqs *w);

/* mpqs_store.c */
void mpqs_store_clear(struct mpqs_store *s, uint32_t limbs);
void mpqs_store_release(struct mpqs_store *s);
bool mpqs_store_add(struct mpqs_store *s, const uint64_t *value, const uint16_t *row,
                    uint32_t nrows, uint32_t large);

/* mpqs_linalg.c */
enum mpqs_status mpqs_solve(struct mpqs *w, mpz_t f, bool *found);

#endif
