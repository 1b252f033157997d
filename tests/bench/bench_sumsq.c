/*
 * bench_sumsq: how many squares sumsq_loop adds in a cycle of the core, below 2^32, on
 * the thread's CPU clock: the median of the rounds. The sum is checked by the closed
 * form in GMP.
 *
 * A cycle is what one addition takes in a chain in which each needs the one before it:
 * that is so on every processor this runs on, and unlike a time stamp counter it
 * follows the frequency of the core. Chain and loop alternate.
 */
#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "arith/sumsq.h"
#include "bench.h"

static const uint64_t cycles = 200000000, squares = 400000000;

static double run_chain(uint64_t step)
{
    uint64_t x = step;
    double start = bench_seconds();
    for (uint64_t i = 0; i < cycles / 16; i++) {
        /* The compiler may not put two additions together. */
        for (int k = 0; k < 16; k++) {
            x += step;
            __asm__ volatile("" : "+r"(x));
        }
    }
    double seconds = bench_seconds() - start;
    return x == step * (1 + cycles / 16 * 16) ? seconds : 0;
}

/* Whether s is (n-1) n (2n-1) / 6. */
static bool right(const uint64_t s[SUMSQ_LIMBS], uint64_t n)
{
    mpz_t want, got;
    mpz_init_set_ui(want, n - 1);
    mpz_init(got);
    mpz_mul_ui(want, want, n);
    mpz_mul_ui(want, want, 2 * n - 1);
    mpz_divexact_ui(want, want, 6);
    mpz_import(got, SUMSQ_LIMBS, -1, sizeof *s, 0, 0, s);
    bool same = mpz_cmp(want, got) == 0;
    mpz_clear(want);
    mpz_clear(got);
    return same;
}

int main(void)
{
    double loop[BENCH_ROUNDS], chain[BENCH_ROUNDS];
    for (int r = 0; r < BENCH_ROUNDS; r++) {
        uint64_t s[SUMSQ_LIMBS];
        volatile uint64_t step = 3; /* not a constant to the compiler */
        chain[r] = run_chain(step);
        double start = bench_seconds();
        bool done = sumsq_loop(s, squares, NULL);
        loop[r] = bench_seconds() - start;
        if (!done || !right(s, squares) || chain[r] <= 0) {
            printf("sumsq: WRONG\n");
            return 1;
        }
    }
    double per_cycle = bench_median(chain) / (double)cycles;
    double per_square = bench_median(loop) / (double)squares;
    printf("sumsq: %.2f squares a cycle, %.2f ns each, %.2f GHz\n",
           per_cycle / per_square, 1e9 * per_square, 1e-9 / per_cycle);
    return 0;
}
