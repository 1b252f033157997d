/*
 * spot: reading a file at any place, by any thread, without those who read it in order.
 * For files that need no decoding: a reader of its own is all that a thread (or another
 * machine that sees the file) needs.
 */
#ifndef QUERN_SOURCE_SPOT_H
#define QUERN_SOURCE_SPOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/qerr.h"
#include "core/job.h"

/* Whether the input is a regular file that is not compressed, and how many bytes it has
 * now. False also when it cannot be read: who opens it in order will say why. */
bool spot_can(const struct input *in, uint64_t *size);

/* A reader, at one file at a time. {.fd = -1} is at none. */
struct spot {
    int fd;
    const struct input *in;
};

/* Reads n bytes at `offset`, opening the file first if the reader is at another one.
 * Fewer only at the end of the file. */
ssize_t spot_read(struct spot *s, const struct input *in, uint64_t offset, char *to,
                  size_t n, struct qerr *e);
void spot_close(struct spot *s);

#endif
