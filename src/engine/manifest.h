/*
 * manifest: what makes one output of the shards in a folder (-o DIR/). DIR/manifest
 * lists, in order, where the bytes are; docs/formats.md describes the format. Here are
 * its names and lines, and reading it; shards.h writes it.
 */
#ifndef QUERN_ENGINE_MANIFEST_H
#define QUERN_ENGINE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"

/* Some bytes of a shard. */
struct shard_extent {
    unsigned attempt, rank; /* the shard ATTEMPT.RANK */
    uint64_t offset, len;
    uint64_t hash; /* XXH3-64 */
};

enum { EXTENT_MOST = 1 << 30 }; /* bytes */

/* Whether that -o names a folder of shards: it ends in a slash. */
bool manifest_is_for(const char *path);

/* Appends the path of a file of the folder: its manifest, or a shard. */
void manifest_path(const char *folder, struct qbuf *out);
void manifest_shard_path(const char *folder, unsigned attempt, unsigned rank,
                         struct qbuf *out);

/* The lines: the first, that of extent number `chunk` (from 1), and the last. */
void manifest_put_begin(struct qbuf *out);
void manifest_put_extent(uint64_t chunk, const struct shard_extent *x,
                         struct qbuf *out);
void manifest_put_end(uint64_t chunks, uint64_t bytes, struct qbuf *out);

/* --- reading --- */

struct manifest;

/* Reads up to `most` bytes of the manifest of a folder. Q_EINPUT when there is none. */
int manifest_open(struct manifest **m, const char *folder, uint64_t most,
                  struct qerr *e);

/* The next extent: 1, or 0 behind the last whole line; Q_EINPUT when a line is none. */
int manifest_next(struct manifest *m, struct shard_extent *x, struct qerr *e);

/* Behind the last: whether the run that wrote it ended by itself. */
bool manifest_is_complete(const struct manifest *m);

/* Extents and bytes so far. */
uint64_t manifest_chunks(const struct manifest *m);
uint64_t manifest_bytes(const struct manifest *m);

/* Reads an extent into `bytes`. Q_EINPUT when the shard is gone, shorter, or holds
 * something else. */
int manifest_read(struct manifest *m, const struct shard_extent *x, struct qbuf *bytes,
                  struct qerr *e);

/* Whether the shard reaches to the extent's end; else Q_EUSAGE. */
int manifest_check(struct manifest *m, const struct shard_extent *x, struct qerr *e);

void manifest_close(struct manifest *m);

#endif
