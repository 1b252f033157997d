/*
 * factor64_path: the ways a block can be computed, for factor64 and its test. The
 * answers are the same on every path.
 */
#ifndef QUERN_ARITH_FACTOR64_PATH_H
#define QUERN_ARITH_FACTOR64_PATH_H

#include <stdbool.h>

#include "arith/ecm64.h"
#include "arith/factor64_hart.h"
#include "arith/factor64_trial.h"

struct factor64_path {
    void (*trial)(struct trial *t, const uint64_t *n, size_t count);
    uint64_t (*hart)(uint64_t n);
    /* The best engines below 2^52, 2^60, 2^63 and 2^64. */
    const struct ecm64_engine *engine[4];
};

extern const struct factor64_path factor64_generic;

/* NULL where the processor has no AVX2. */
const struct factor64_path *factor64_avx2(void);

/* factor64_batch on a given path. */
bool factor64_batch_by(const struct factor64_path *path, const uint64_t *n,
                       size_t count, uint64_t *p, uint32_t *end, uint32_t base);

#endif
