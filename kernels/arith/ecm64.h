/*
 * ecm64: the elliptic curve method (Lenstra 1987) for composites below 2^64, many
 * numbers in lockstep. Private to factor64.
 *
 * A plan is the program of one curve: bounds, addition chains, stage 2 pairs. An engine
 * is an arithmetic that runs a plan on `lanes` residues at once, each lane with a
 * number and a curve of its own. ecm64_run keeps the lanes of an engine busy with a
 * list of numbers.
 */
#ifndef QUERN_ARITH_ECM64_H
#define QUERN_ARITH_ECM64_H

#include <stddef.h>
#include <stdint.h>

enum {
    ECM64_LANES = 24,  /* most lanes of an engine */
    ECM64_CURVES = 64, /* curves that exist: 0 .. ECM64_CURVES - 1 */
    ECM64_WHOLE = 2,
    ECM64_STEPS = 640,
    ECM64_BABIES = 64,
    ECM64_POINTS = 72,
    ECM64_PAIRS = 1200,
    ECM64_WORK = 49152 /* bytes of an engine's work memory */
};

/* One step on a file of 8 points: to = 2 a, or to = a + b where a - b = +-diff. */
struct ecm64_step {
    uint8_t doubling, to, a, b, diff;
};

struct ecm64_plan {
    unsigned b1, b2, d;
    /* Stage 1: the point in register 0 times all prime powers up to b1, into `result`.
     * After steps mark[0] and mark[1] the coordinate Z is kept. */
    unsigned steps, result, mark[2];
    struct ecm64_step step[ECM64_STEPS];
    /* From 6Q in register 0 to dQ in register `giant`. */
    unsigned giant_steps, giant;
    struct ecm64_step giant_step[16];
    /* Stage 2: baby k is (3k + 1)Q or (3k + 2)Q (k even or odd), giant i is i*d*Q for
     * first..last. Those that are used have a place in the array of points. */
    unsigned babies, first, last, points, pairs;
    int16_t baby_place[ECM64_BABIES];
    int16_t giant_place[ECM64_POINTS];
    struct {
        uint8_t giant, baby;
    } pair[ECM64_PAIRS]; /* an even number of them */
};

/* Bounds: 5 <= b1 <= 251, b2 > b1, d a multiple of 6 whose primes are at most 13. False
 * if the plan does not fit. */
int ecm64_plan_make(struct ecm64_plan *plan, unsigned b1, unsigned b2, unsigned d);

/* Starting point (x : z) of a curve with (A + 2) / 4 = -a / b; all are below 2^52. */
struct ecm64_start {
    uint64_t x, z, a, b;
};
void ecm64_start_make(struct ecm64_start *start, unsigned curve);

/* Which residue of a lane: the product of stage 2, and Z at three points of stage 1. */
enum ecm64_residue {
    ECM64_STAGE2,
    ECM64_STAGE1,
    ECM64_MARK1,
    ECM64_MARK0,
    ECM64_RESIDUES
};

struct ecm64_engine {
    unsigned lanes, bits; /* for odd n < 2^bits */
    /* Gives a lane a number. */
    void (*number)(void *work, unsigned lane, uint64_t n);
    /* Runs a curve in every lane. */
    void (*run)(void *work, const struct ecm64_plan *plan,
                const struct ecm64_start *const *start);
    /* The residues of all lanes as integers: gcd(out[i], n) is what counts. */
    void (*residues)(const void *work, enum ecm64_residue which, uint64_t *out);
};

extern const struct ecm64_engine ecm64_scalar;
#ifdef __x86_64__
extern const struct ecm64_engine ecm64_avx2_52, ecm64_avx2_60, ecm64_avx2_63,
    ecm64_avx2_64;
#endif

struct ecm64_item {
    uint64_t n;      /* in: odd, composite, not a square */
    uint64_t factor; /* out: a proper factor, or 0 */
    uint8_t curve;   /* in/out: the next curve that n has not seen */
    uint8_t left;    /* in/out: curves it may still have in this run */
    uint8_t whole;   /* in/out: curves that found all primes of n at once; after
                      * ECM64_WHOLE of them n is left alone: its primes are small */
    uint16_t user;   /* the caller's */
};

/* Runs curves of a plan on items until each has a factor, or no curves left. */
void ecm64_run(const struct ecm64_engine *engine, const struct ecm64_plan *plan,
               const struct ecm64_start *starts, struct ecm64_item *item, size_t count);

#endif
