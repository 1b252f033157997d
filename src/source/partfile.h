/*
 * partfile: files that are complete or absent. folder: where they go, and under which
 * names.
 *
 * A body is written to .NAME.part and gets its name when it is known to be good. What
 * is left of one that could be gone on with stays, with a side file .NAME.resume that
 * says what it is a part of. A body that comes in one piece needs no part.
 *
 * A folder may be used from any thread; a part file by one at a time.
 */
#ifndef QUERN_SOURCE_PARTFILE_H
#define QUERN_SOURCE_PARTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qsha256.h"

enum { PARTFILE_NAME = 256, PARTFILE_NAME_BYTES = 200 };

struct folder;

/* Makes the folder if it is not there. */
struct folder *folder_open(const char *path, struct qerr *e);
void folder_close(struct folder *f);

/* The name of the file of a URL: the last segment of its path, decoded, made harmless;
 * or `wanted`, made harmless. Pure. */
void partfile_name(char name[PARTFILE_NAME], const char *url, const char *wanted);

/* Claims a name for one job: it, or name.2, name.3, ... when it is taken. Names of
 * earlier claims count, files that are there do not. */
int folder_claim(struct folder *f, char name[PARTFILE_NAME], struct qerr *e);

/* The path of a file for people; appended to `out`. */
void folder_path(const struct folder *f, const char *name, struct qbuf *out);

/* Whether a file of that name is there; *size is its length. */
bool folder_has(const struct folder *f, const char *name, uint64_t *size);

/* Adds what the file of that name holds. */
int folder_hash(const struct folder *f, const char *name, struct qsha256 *h,
                struct qerr *e);

struct partfile {
    struct folder *folder; /* NULL: none */
    char name[PARTFILE_NAME];
    int fd;       /* -1: not open */
    bool noted;   /* there is a side file */
    bool unnamed; /* it has no name, not even .NAME.part */
};

void partfile_init(struct partfile *p, struct folder *f, const char *name);

/* Opens an empty part; what an earlier run left of it is dropped. */
int partfile_create(struct partfile *p, struct qerr *e);

/* Takes up what an earlier run left: returns its length, or -1 when there is none, or
 * it is of another URL or has no validator (it is then as good as absent). */
int64_t partfile_take_up(struct partfile *p, const char *url, char *validator,
                         size_t size, uint64_t *total);

int partfile_write(struct partfile *p, const char *bytes, size_t n, struct qerr *e);

/* Drops all that was written, and opens an empty part if none is open. `whole`: all
 * that will be written is there already, and it is not to replace a file; where the
 * file system lets it, nobody then sees it, or finds it later, before it has its name.
 */
int partfile_restart(struct partfile *p, bool whole, struct qerr *e);

/* Says in a side file what it is a part of, in case this run is killed. */
void partfile_note(struct partfile *p, const char *url, const char *validator,
                   uint64_t total);

/* It is whole: gives it its name. Unless `replace`, a file of that name is an error. */
int partfile_commit(struct partfile *p, bool replace, struct qerr *e);

/* It ends here. `validator`: it may be gone on with later, of `url` (whose body has
 * `total` bytes, 0: not known); NULL: it goes. */
void partfile_leave(struct partfile *p, const char *url, const char *validator,
                    uint64_t total);

#endif
