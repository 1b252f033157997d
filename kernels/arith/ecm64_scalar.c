/* The portable engine: Montgomery arithmetic on three numbers at once, which is where
 * the latency of the multiplier is covered and the registers still suffice. */
#include <stdint.h>

#include "arith/mont64.h"

enum { K = 3, LANES = 3 };
#define WORD uint64_t
#define EACH for (int j = 0; j < K; j++)

struct modulus {
    uint64_t n, inverse, square; /* square is the form of 2^64 */
};

static inline uint64_t mul(uint64_t a, uint64_t b, const struct modulus *m)
{
    return mont64_mul(a, b, m->n, m->inverse);
}

static inline uint64_t sqr(uint64_t a, const struct modulus *m)
{
    return mont64_mul(a, a, m->n, m->inverse);
}

static inline uint64_t add(uint64_t a, uint64_t b, const struct modulus *m)
{
    return mont64_add(a, b, m->n);
}

static inline uint64_t sub(uint64_t a, uint64_t b, const struct modulus *m)
{
    return mont64_sub(a, b, m->n);
}

static inline uint64_t enter(const uint64_t *v, int j, const struct modulus *m)
{
    return mul(v[j], m->square, m);
}

#include "arith/ecm64_core.h"
#include "arith/ecm64_lane.h"

static void number(void *work, unsigned lane, uint64_t n)
{
    struct work *w = work;
    struct modulus *m = &w->m[lane];
    m->n = n;
    m->inverse = mont64_inverse(n);
    m->square = lane_square(n, m->inverse);
}

static void residues(const void *work, enum ecm64_residue which, uint64_t *out)
{
    const struct work *w = work;
    EACH out[j] = w->residue[which][j];
}

const struct ecm64_engine ecm64_scalar = {LANES, 64, number, run, residues};
