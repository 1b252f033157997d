/*
 * keep: the shard of a rank other than 0 (-o DIR/, see shards.h). What its workers
 * render stays in a file of its own, and only where it is goes to rank 0.
 */
#ifndef QUERN_ENGINE_KEEP_H
#define QUERN_ENGINE_KEEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/qerr.h"
#include "engine/part.h"

struct keep {
    int fd;                        /* -1: nothing is kept here */
    atomic_uint_fast64_t reserved; /* bytes of the shard that somebody writes */
};

void keep_init(struct keep *k);

/* Makes the shard of this rank, if the folder is the one that rank 0 sees: there
 * `inode` is the number of rank 0's shard. False when it is not, or cannot be written.
 */
bool keep_open(struct keep *k, const char *folder, unsigned attempt, unsigned rank,
               uint64_t inode);

/* Moves the part's bytes into the shard, if it can. Not those of a part with bad
 * records: rows for them go in between, which rank 0 makes. Any thread. */
void keep_part(struct keep *k, struct part *part);

/* Makes durable what keep_part has moved. */
int keep_sync(const struct keep *k, struct qerr *e);

void keep_close(struct keep *k);

#endif
