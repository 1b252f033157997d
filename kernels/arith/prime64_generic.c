/*
 * prime64_generic: prime64_batch in ordinary 64-bit arithmetic, for every processor.
 *
 * A block of numbers is thinned by the small primes, the survivors are tested to base 2
 * in groups of PRIME64_LANES side by side, and what passes goes to the Lucas test,
 * again in groups. One number alone waits for each product; a group pays only for the
 * multiplier.
 */
#include <string.h>

#include "arith/prime64_scalar.h"

enum { BLOCK = 512, LUCAS_LANES = 3 };

/* Numbers still in question and where in the block they came from. */
struct list {
    size_t len;
    uint64_t n[BLOCK + PRIME64_LANES];
    uint16_t at[BLOCK + PRIME64_LANES];
};

/* Of a group of `in` that passed base 2: answers those below 2^32, lists the rest. */
static void keep(struct list *out, const struct list *in, size_t from, const bool *pass,
                 uint8_t *prime)
{
    for (size_t j = 0; j < PRIME64_LANES && from + j < in->len; j++) {
        uint64_t n = in->n[from + j];
        bool small = n <= UINT32_MAX;
        prime[in->at[from + j]] =
            pass[j] && small && !prime64_is_pseudoprime((uint32_t)n);
        out->n[out->len] = n;
        out->at[out->len] = in->at[from + j];
        out->len += pass[j] && !small;
    }
}

/* Fills the last group with copies, so that groups are whole. */
static void pad(struct list *l)
{
    for (size_t j = 0; j < PRIME64_LANES; j++)
        l->n[l->len + j] = l->n[0];
}

static void test_block(const uint64_t *n, size_t count, uint8_t *prime)
{
    struct list open, probable;
    bool pass[PRIME64_LANES];
    open.len = probable.len = 0;
    for (size_t i = 0; i < count; i++) {
        prime[i] = n[i] < PRIME64_TINY && prime64_tiny(n[i]);
        open.n[open.len] = n[i];
        open.at[open.len] = (uint16_t)i;
        open.len += n[i] >= PRIME64_TINY && prime64_no_small_factor(n[i]);
    }
    if (open.len == 0)
        return;
    pad(&open);
    for (size_t i = 0; i < open.len; i += PRIME64_LANES) {
        prime64_base2(open.n + i, PRIME64_LANES, pass);
        keep(&probable, &open, i, pass, prime);
    }
    if (probable.len == 0)
        return;
    pad(&probable);
    for (size_t i = 0; i < probable.len; i += LUCAS_LANES) {
        uint32_t p[LUCAS_LANES];
        for (size_t j = 0; j < LUCAS_LANES; j++)
            p[j] = prime64_lucas_p(probable.n[i + j]);
        prime64_lucas(probable.n + i, p, LUCAS_LANES, pass);
        for (size_t j = 0; j < LUCAS_LANES && i + j < probable.len; j++)
            prime[probable.at[i + j]] = pass[j];
    }
}

void prime64_batch_generic(const uint64_t *n, size_t count, uint8_t *prime)
{
    for (size_t i = 0; i < count; i += BLOCK)
        test_block(n + i, count - i < BLOCK ? count - i : BLOCK, prime + i);
}
