#include "base/qhash.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

/* The library's state under our name. */
static XXH3_state_t *inner(const struct qhash *h)
{
    return (XXH3_state_t *)(uintptr_t)h;
}

struct qhash *qhash_new(struct qerr *e)
{
    XXH3_state_t *s = XXH3_createState();
    if (!s) {
        qerr_nomem(e);
        return NULL;
    }
    XXH3_128bits_reset(s);
    return (struct qhash *)s;
}

void qhash_free(struct qhash *h)
{
    XXH3_freeState(inner(h));
}

void qhash_add(struct qhash *h, const void *bytes, size_t n)
{
    if (n > 0)
        XXH3_128bits_update(inner(h), bytes, n);
}

void qhash_hex(const struct qhash *h, char hex[QHASH_HEX])
{
    XXH128_hash_t d = XXH3_128bits_digest(inner(h));
    snprintf(hex, QHASH_HEX, "%016" PRIx64 "%016" PRIx64, (uint64_t)d.high64,
             (uint64_t)d.low64);
}

uint64_t qhash_64(const void *bytes, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, n, seed);
}
