/*
 * shards: the output of a run as a folder (-o DIR/): bytes go into shards, one for each
 * rank and attempt, and DIR/manifest says in which order (manifest.h).
 *
 * To the journal the manifest is the output: it is what grows in order, what a mark
 * counts and proves, and what is cut when a run goes on. Each attempt writes new
 * shards; what a killed one wrote behind its last mark stays there, and nobody's.
 *
 * Called by the committer.
 */
#ifndef QUERN_ENGINE_SHARDS_H
#define QUERN_ENGINE_SHARDS_H

#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "engine/manifest.h"

struct shards;

/* Before a journal is looked for: makes the folder, or refuses (Q_EUSAGE) one that
 * holds other things than such an output. */
int shards_prepare(const char *folder, struct qerr *e);

/* Goes on behind `keep` bytes of the manifest, which exist; with 0 begins anew, and
 * what an earlier run left goes. Refuses (Q_EUSAGE) while another run writes there, and
 * when shards are shorter than the manifest says. */
int shards_open(struct shards **s, const char *folder, uint64_t keep, struct qerr *e);

/* Each of these appends what the manifest will say of it to `said`. */
int shards_begin(struct shards *s, struct qbuf *said, struct qerr *e);
int shards_put(struct shards *s, const char *bytes, size_t n, struct qbuf *said,
               struct qerr *e);
/* Some bytes that another rank has in its shard of this attempt. */
int shards_refer(struct shards *s, const struct shard_extent *x, struct qbuf *said,
                 struct qerr *e);
int shards_end(struct shards *s, struct qbuf *said, struct qerr *e);

/* This attempt, and the inode of its shard. */
unsigned shards_attempt(const struct shards *s);
uint64_t shards_inode(const struct shards *s);

/* How to make durable what others have in theirs; NULL: nobody has anything. */
void shards_set_others(struct shards *s, int (*sync)(void *ctx, struct qerr *e),
                       void *ctx);

/* Makes the shards, and then what the manifest says of them, durable. */
int shards_mark(struct shards *s, struct qerr *e);

/* Writes what is not yet in the manifest, if the shards of others do not matter to it.
 */
int shards_close(struct shards *s, struct qerr *e);

#endif
