/*
 * extent: how much there is of an input, as far as that can be told without reading it.
 * For progress only: a file may change while it is read.
 */
#ifndef QUERN_SOURCE_EXTENT_H
#define QUERN_SOURCE_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/chunk.h"
#include "core/job.h"

struct extent {
    enum chunk_kind kind; /* of its chunks */
    double units;         /* bytes or integers in all of them */
    uint64_t records;     /* how many, or 0 when that is not known */
};

/* False when it cannot be told: a stream, a URL, compressed data. Opens files. */
bool extent_of(const struct input *in, struct extent *x);

#endif
