/*
 * outfile: files that are written whole at the end of a run: statistics, traces,
 * reports. Who reads FILE sees the old one or the new one, never half of it, and who
 * may read it stays the same; what is not a regular file (a FIFO, a link, /dev/stderr)
 * is simply written to.
 */
#ifndef QUERN_CMD_OUTFILE_H
#define QUERN_CMD_OUTFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/qbuf.h"
#include "base/qerr.h"

/* Whether FILE can be written, as far as can be told in advance. */
int outfile_check(const char *path, struct qerr *e);

int outfile_write(const char *path, const struct qbuf *text, struct qerr *e);

/* Reads a whole file of up to `most` bytes; appends it. Q_EINPUT when it cannot be. */
int outfile_read(const char *path, size_t most, struct qbuf *text, struct qerr *e);

/* Where a path leads, whether there is a file yet or not. */
struct outfile_place {
    char *name;   /* without links, or NULL: unknown, or standard output; owned */
    bool is_file; /* a regular file is there: */
    dev_t device; /* ... this one */
    ino_t inode;
};

/* `path` NULL is standard output. What cannot be told (no such folder, no memory) is
 * the same as nothing. */
void outfile_find(const char *path, struct outfile_place *place);
void outfile_place_release(struct outfile_place *place);

/* Whether two names are of one file. What is there and is no regular file (/dev/null,
 * a terminal) may be written to by many. */
bool outfile_is_same(const struct outfile_place *a, const struct outfile_place *b);
bool outfile_is_at(const struct outfile_place *place, const char *path);
bool outfile_is_stdin(const struct outfile_place *place);

/* Whether it is in that folder, at any depth. */
bool outfile_is_in(const struct outfile_place *place,
                   const struct outfile_place *folder);

#endif
