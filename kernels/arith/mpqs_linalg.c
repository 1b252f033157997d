/*
 * mpqs_linalg: from sets of relations to a factor.
 *
 * The matrix over GF(2) has a row for each prime that occurs to an odd power somewhere,
 * a column for each set. Reduced row echelon form, 64 columns to a word; a column
 * without a pivot then names a dependency: itself, and the pivot columns of the rows in
 * which it has a one. No history is kept.
 *
 * A dependency gives X^2 = Y^2 mod n; gcd(X - Y, n) is a proper factor at least every
 * second time.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/mpqs_internal.h"

/* Vectors of the compiler, for any processor; matrix_reduce is compiled once for each.
 */
#define LANES static inline __attribute__((always_inline))

typedef uint64_t words __attribute__((vector_size(32), may_alias, aligned(8)));
typedef uint8_t bytes __attribute__((vector_size(32), may_alias, aligned(1)));

struct matrix {
    uint32_t rows, cols;  /* rows: a multiple of 32 */
    uint32_t words;       /* words of a row: a multiple of 4 */
    uint64_t *bit;        /* rows * words */
    uint64_t *table;      /* 32 * words: sums of pivot rows */
    uint32_t *pivot;      /* of each column: row + 1, or 0 */
    uint8_t *strip, *mix; /* of each row, see strip_reduce */
    uint8_t *open;        /* 0xff, or 0 if a row is a pivot row */
};

static void matrix_release(struct matrix *m)
{
    free(m->bit);
    free(m->table);
    free(m->pivot);
    free(m->strip);
}

/* The relations of a set: the relation, and its mate if it has one. Returns how many.
 */
static uint32_t members(const struct mpqs_store *s, uint32_t set, uint32_t *rel)
{
    uint32_t i = s->set[set];
    rel[0] = i;
    rel[1] = s->rel[i].mate;
    return s->rel[i].large > 1 ? 2 : 1;
}

static bool matrix_build(struct matrix *m, const struct mpqs_store *s, uint32_t rows)
{
    m->cols = s->set_n;
    m->rows = (rows + 31) / 32 * 32;
    m->words = (m->cols + 255) / 256 * 4;
    m->bit = calloc((size_t)m->rows * m->words, sizeof *m->bit);
    m->table = calloc((size_t)32 * m->words, sizeof *m->table);
    m->pivot = calloc(m->cols, sizeof *m->pivot);
    m->strip = calloc(3 * (size_t)m->rows, 1);
    if (!m->bit || !m->table || !m->pivot || !m->strip)
        return false;
    m->mix = m->strip + m->rows;
    m->open = m->mix + m->rows;
    memset(m->open, 0xff, m->rows);
    for (uint32_t c = 0; c < m->cols; c++) {
        uint32_t rel[2], n = members(s, c, rel);
        for (uint32_t j = 0; j < n; j++) {
            const struct mpqs_relation *r = &s->rel[rel[j]];
            for (uint32_t i = r->rows; i < r->rows + r->nrows; i++)
                m->bit[(size_t)s->row[i] * m->words + c / 64] ^= (uint64_t)1 << c % 64;
        }
    }
    return true;
}

/* A row that is no pivot row and has bit b in its strip; m->rows if there is none. */
LANES uint32_t find_pivot(const struct matrix *m, uint32_t b)
{
    uint64_t mask = (uint64_t)0x0101010101010101u << b;
    for (uint32_t r = 0; r < m->rows; r += 8) {
        uint64_t s, o;
        memcpy(&s, m->strip + r, 8);
        memcpy(&o, m->open + r, 8);
        for (uint32_t i = 0; s & o & mask && i < 8; i++)
            if (m->strip[r + i] & m->open[r + i] & 1u << b)
                return r + i;
    }
    return m->rows;
}

/* strip ^= s, mix ^= x in the rows that have the bits of mask in their strip. */
LANES void strip_eliminate(struct matrix *m, uint8_t mask, uint8_t s, uint8_t x)
{
    for (uint32_t r = 0; r < m->rows; r += 32) {
        bytes *a = (bytes *)(m->strip + r), *b = (bytes *)(m->mix + r);
        bytes hit = (bytes)((*a & mask) != 0);
        *a ^= hit & s;
        *b ^= hit & x;
    }
}

/* Eliminates the 8 columns from `column` on, in the strips only: strip[r] are their
 * bits of row r as they become, mix[r] the pivots (bit i: top[i]) to be added to row r
 * for that. Returns the number of pivots. */
LANES uint32_t strip_reduce(struct matrix *m, uint32_t column, uint32_t *top)
{
    uint32_t found = 0, cols = m->cols - column < 8 ? m->cols - column : 8;
    for (uint32_t r = 0; r < m->rows; r++)
        m->strip[r] =
            (uint8_t)(m->bit[(size_t)r * m->words + column / 64] >> column % 64);
    memset(m->mix, 0, m->rows);
    for (uint32_t b = 0; b < cols; b++) {
        uint32_t r = find_pivot(m, b);
        if (r == m->rows)
            continue;
        uint8_t s = m->strip[r];
        m->strip[r] = 0; /* it stays */
        strip_eliminate(m, (uint8_t)(1u << b), s, m->mix[r] ^ (uint8_t)(1u << found));
        m->strip[r] = s;
        m->open[r] = 0;
        m->pivot[column + b] = r + 1;
        top[found++] = r;
    }
    return found;
}

/* to = a ^ b ^ c; n words, a multiple of 4. */
LANES void row_sum(uint64_t *to, const uint64_t *a, const uint64_t *b,
                   const uint64_t *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4)
        *(words *)(to + i) =
            *(const words *)(a + i) ^ *(const words *)(b + i) ^ *(const words *)(c + i);
}

/* Reduced row echelon form, but for the order of the rows. False if stopped. Eight
 * columns at a time: the sums of the first four and of the last four pivot rows in
 * tables, then two of them for each row (the method of the four Russians: Arlazarov et
 * al. 1970, Albrecht, Bard, Hart 2010). */
LANES bool matrix_reduce_lanes(struct matrix *m, const struct mpqs *w)
{
    for (uint32_t c = 0; c < m->cols; c += 8) {
        uint32_t top[8], skip = c / 256 * 4, len = m->words - skip;
        uint64_t *zero = m->table; /* never written */
        uint32_t n = strip_reduce(m, c, top);
        if (mpqs_stopped(w))
            return false;
        for (uint32_t k = 0; k < n; k += 4) {
            uint64_t *table = m->table + (size_t)k * 4 * m->words;
            for (uint32_t i = 1; i < 1u << (n - k < 4 ? n - k : 4); i++)
                row_sum(table + (size_t)i * m->words,
                        table + (size_t)(i & (i - 1)) * m->words,
                        m->bit +
                            (size_t)top[k + (uint32_t)__builtin_ctz(i)] * m->words +
                            skip,
                        zero, len);
        }
        for (uint32_t r = 0; r < m->rows; r++) {
            uint64_t *row = m->bit + (size_t)r * m->words + skip;
            if (m->mix[r])
                row_sum(row, row, m->table + (size_t)(m->mix[r] & 15) * m->words,
                        m->table + (size_t)(16 + (m->mix[r] >> 4)) * m->words, len);
        }
    }
    return true;
}

static bool matrix_reduce_generic(struct matrix *m, const struct mpqs *w)
{
    return matrix_reduce_lanes(m, w);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static bool matrix_reduce_avx2(struct matrix *m,
                                                               const struct mpqs *w)
{
    return matrix_reduce_lanes(m, w);
}
#endif

static bool matrix_reduce(struct matrix *m, const struct mpqs *w)
{
#if defined(__x86_64__)
    if (w->ops == &mpqs_ops_avx2)
        return matrix_reduce_avx2(m, w);
#endif
    return matrix_reduce_generic(m, w);
}

/* Small numbers are multiplied up to a word before they go into y. */
struct product {
    mpz_ptr y;
    uint64_t word;
};

static void product_mul(struct mpqs *w, struct product *p, uint64_t v)
{
    uint128 t = (uint128)p->word * v;
    if (!(t >> 64)) {
        p->word = (uint64_t)t;
        return;
    }
    mpz_mul_ui(p->y, p->y, p->word);
    mpz_tdiv_r(p->y, p->y, w->n);
    p->word = v;
}

/* Multiplies the values of a set into x, its large primes into p; adds its exponents.
 */
static void multiply_set(struct mpqs *w, uint32_t set, mpz_t x, struct product *p,
                         uint32_t *exponent)
{
    const struct mpqs_store *s = &w->store;
    uint32_t rel[2], n = members(s, set, rel);
    for (uint32_t j = 0; j < n; j++) {
        const struct mpqs_relation *r = &s->rel[rel[j]];
        for (uint32_t i = r->rows; i < r->rows + r->nrows; i++)
            exponent[s->row[i]]++;
        mpz_t value;
        mpz_mul(x, x,
                mpz_roinit_n(value, s->value + (size_t)rel[j] * s->limbs,
                             (mp_size_t)s->limbs));
        mpz_tdiv_r(x, x, w->n);
    }
    if (n == 2)
        product_mul(w, p, s->rel[rel[0]].large);
}

/* Whether the dependency of the free column `c` gives a proper factor, in f: x is the
 * product of the values, y that of the primes to half their exponents. */
static bool try_column(struct mpqs *w, const struct matrix *m, uint32_t c,
                       uint32_t *exponent, mpz_t f, mpz_t x, mpz_t y)
{
    struct product p = {y, 1};
    memset(exponent, 0, (w->base.n + 1) * sizeof *exponent);
    mpz_set_ui(x, 1);
    mpz_set_ui(y, 1);
    multiply_set(w, c, x, &p, exponent);
    for (uint32_t d = 0; d < m->cols; d++)
        if (m->pivot[d] &&
            m->bit[(size_t)(m->pivot[d] - 1) * m->words + c / 64] >> c % 64 & 1)
            multiply_set(w, d, x, &p, exponent);
    for (uint32_t i = 1; i <= w->base.n; i++)
        for (uint32_t e = exponent[i] / 2; e; e--)
            product_mul(w, &p, w->base.prime[i - 1]);
    mpz_mul_ui(y, y, p.word);
    mpz_sub(x, x, y);
    mpz_gcd(x, x, w->n);
    if (mpz_cmp_ui(x, 1) == 0 || mpz_cmp(x, w->n) == 0)
        return false;
    mpz_set(f, x);
    return true;
}

/* Looks for a factor in the sets of the store. */
enum mpqs_status mpqs_solve(struct mpqs *w, mpz_t f, bool *found)
{
    struct matrix m = {0};
    enum mpqs_status st = MPQS_NOMEM;
    uint32_t *exponent = malloc((w->base.n + 1) * sizeof *exponent);
    mpz_t x, y;
    mpz_inits(x, y, NULL);
    if (!exponent || !matrix_build(&m, &w->store, w->base.n + 1))
        goto release;
    st = MPQS_STOPPED;
    if (!matrix_reduce(&m, w))
        goto release;
    st = MPQS_FOUND;
    for (uint32_t c = 0; c < m.cols && !*found; c++) {
        if (m.pivot[c])
            continue;
        if (mpqs_stopped(w)) {
            st = MPQS_STOPPED;
            break;
        }
        *found = try_column(w, &m, c, exponent, f, x, y);
    }
release:
    mpz_clears(x, y, NULL);
    free(exponent);
    matrix_release(&m);
    return st;
}
