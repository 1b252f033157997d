/*
 * Lines of the manifest wait in memory until the bytes they speak of are durable. That
 * is at a mark; a run without a journal has no marks, and then at every MiB of lines.
 */
#include "engine/shards.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qfault.h"
#include "base/qhash.h"

enum {
    PIECE_BYTES = 4 << 20, /* of an extent: what `quern cat` holds in memory */
    WAITING_BYTES = 1 << 20,
    LOCK_TRIES = 25,
    LOCK_NAP_US = 20000
};

struct shards {
    char *folder;
    int manifest, shard; /* descriptors */
    unsigned attempt;
    uint64_t chunks, bytes; /* in the manifest, and waiting */
    uint64_t at;            /* where the shard ends */
    struct qbuf waiting;    /* lines ... */
    bool others;            /* ... of which some speak of other ranks' shards */
    int (*sync)(void *ctx, struct qerr *e);
    void *ctx;
};

/* --- the folder --- */

/* ATTEMPT.RANK: the attempt, or 0 when the name is no shard's. */
static unsigned attempt_of(const char *name)
{
    unsigned attempt, rank;
    int end = 0;
    if (sscanf(name, "%9u.%9u%n", &attempt, &rank, &end) != 2 || name[end] != '\0' ||
        name[0] == '+' || name[0] == '-' || name[0] == ' ')
        return 0;
    return attempt;
}

static bool is_ours(const char *name)
{
    return strcmp(name, "manifest") == 0 || strcmp(name, ".quern") == 0 ||
           attempt_of(name) > 0;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int sync_folder(const char *path, struct qerr *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        rc = qerr_sys(e, Q_EIO, errno, "sync %s", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Makes the name of a new folder durable. */
static int sync_parent(const char *folder, struct qerr *e)
{
    struct qbuf path = QBUF_INIT;
    qbuf_printf(&path, "%s..", folder);
    int rc = qbuf_check(&path, e);
    if (rc == 0)
        rc = sync_folder(qbuf_cstr(&path), e);
    qbuf_release(&path);
    return rc;
}

int shards_prepare(const char *folder, struct qerr *e)
{
    if (mkdir(folder, 0777) == 0)
        return sync_parent(folder, e);
    DIR *d = errno == EEXIST ? opendir(folder) : NULL;
    if (!d)
        return qerr_sys(e, Q_EIO, errno, "%s", folder);
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL;)
        if (!is_dot(entry->d_name) && !is_ours(entry->d_name))
            rc = qerr_set(e, Q_EUSAGE,
                          "%s holds other files ('%.80s'): name a new folder", folder,
                          entry->d_name);
    closedir(d);
    return rc;
}

/* The highest attempt there is a shard of; with `clear` they are removed. */
static int look_at_shards(const struct shards *s, bool clear, unsigned *highest,
                          struct qerr *e)
{
    DIR *d = opendir(s->folder);
    if (!d)
        return qerr_sys(e, Q_EIO, errno, "%s", s->folder);
    int rc = 0;
    *highest = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL;) {
        unsigned attempt = attempt_of(entry->d_name);
        if (attempt > 0 && clear && unlinkat(dirfd(d), entry->d_name, 0) != 0)
            rc = qerr_sys(e, Q_EIO, errno, "remove %s%s", s->folder, entry->d_name);
        else if (attempt > *highest && !clear)
            *highest = attempt;
    }
    closedir(d);
    return rc;
}

/* --- opening --- */

static int open_file(struct qbuf *path, int flags, struct qerr *e)
{
    int rc = qbuf_check(path, e);
    if (rc < 0)
        return rc;
    int fd = open(qbuf_cstr(path), flags | O_CREAT | O_CLOEXEC, 0666);
    return fd >= 0 ? fd : qerr_sys(e, Q_EIO, errno, "%s", qbuf_cstr(path));
}

static int lock(const struct shards *s, struct qerr *e)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(s->manifest, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return 0;
        usleep(LOCK_NAP_US);
    }
    return qerr_set(e, Q_EUSAGE, "another run is writing %s", s->folder);
}

/* Counts what is kept, and looks whether it is there. */
static int take_up(struct shards *s, uint64_t keep, struct qerr *e)
{
    struct manifest *m;
    struct shard_extent x;
    int rc = manifest_open(&m, s->folder, keep, e);
    if (rc < 0)
        return rc;
    while ((rc = manifest_next(m, &x, e)) > 0 && (rc = manifest_check(m, &x, e)) == 0)
        ;
    s->chunks = manifest_chunks(m);
    s->bytes = manifest_bytes(m);
    manifest_close(m);
    return rc;
}

static int open_all(struct shards *s, uint64_t keep, struct qerr *e)
{
    unsigned highest = 0;
    struct qbuf path = QBUF_INIT;
    manifest_path(s->folder, &path);
    s->manifest = open_file(&path, O_WRONLY, e);
    int rc = s->manifest < 0 ? s->manifest : lock(s, e);
    if (rc == 0 && keep > 0)
        rc = take_up(s, keep, e);
    if (rc == 0 && (ftruncate(s->manifest, (off_t)keep) != 0 ||
                    lseek(s->manifest, (off_t)keep, SEEK_SET) < 0))
        rc = qerr_sys(e, Q_EIO, errno, "%smanifest", s->folder);
    if (rc == 0)
        rc = look_at_shards(s, keep == 0, &highest, e);
    if (rc == 0) {
        s->attempt = highest + 1;
        qbuf_clear(&path);
        manifest_shard_path(s->folder, s->attempt, 0, &path);
        s->shard = open_file(&path, O_WRONLY | O_EXCL, e);
        rc = s->shard < 0 ? s->shard : 0;
    }
    if (rc == 0)
        rc = sync_folder(s->folder, e);
    qbuf_release(&path);
    return rc;
}

int shards_open(struct shards **shards, const char *folder, uint64_t keep,
                struct qerr *e)
{
    struct shards *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->manifest = s->shard = -1;
    s->folder = strdup(folder);
    int rc = s->folder ? open_all(s, keep, e) : qerr_nomem(e);
    if (rc < 0) {
        struct qerr ignored = QERR_INIT;
        (void)shards_close(s, &ignored);
        return rc;
    }
    *shards = s;
    return 0;
}

/* --- writing --- */

static int write_all(int fd, const char *bytes, size_t n, const char *folder,
                     struct qerr *e)
{
    bool dies = n > 0 && qfault_here("write"); /* and leaves half of it */
    while (n > 0) {
        ssize_t done = write(fd, bytes, dies ? n / 2 : n);
        if (dies)
            qfault_die();
        if (done < 0 && errno != EINTR)
            return qerr_sys(e, Q_EIO, errno, "write %s", folder);
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

/* A line is in `said` from `from` on: it waits. */
static int say(struct shards *s, const struct qbuf *said, size_t from, struct qerr *e)
{
    int rc = qbuf_check(said, e);
    if (rc == 0) {
        qbuf_add(&s->waiting, said->data + from, said->len - from);
        rc = qbuf_check(&s->waiting, e);
    }
    return rc;
}

int shards_begin(struct shards *s, struct qbuf *said, struct qerr *e)
{
    size_t from = said->len;
    manifest_put_begin(said);
    return say(s, said, from, e);
}

int shards_put(struct shards *s, const char *bytes, size_t n, struct qbuf *said,
               struct qerr *e)
{
    int rc = 0;
    while (n > 0 && rc == 0) {
        size_t piece = n < PIECE_BYTES ? n : PIECE_BYTES, from = said->len;
        struct shard_extent x = {.attempt = s->attempt,
                                 .rank = 0,
                                 .offset = s->at,
                                 .len = piece,
                                 .hash = qhash_64(bytes, piece, 0)};
        rc = write_all(s->shard, bytes, piece, s->folder, e);
        if (rc == 0) {
            s->at += piece;
            s->bytes += piece;
            manifest_put_extent(++s->chunks, &x, said);
            rc = say(s, said, from, e);
        }
        bytes += piece;
        n -= piece;
    }
    if (rc == 0 && s->waiting.len >= WAITING_BYTES)
        rc = shards_mark(s, e);
    return rc;
}

int shards_refer(struct shards *s, const struct shard_extent *x, struct qbuf *said,
                 struct qerr *e)
{
    size_t from = said->len;
    struct shard_extent own = *x;
    own.attempt = s->attempt;
    s->bytes += x->len;
    s->others = true;
    manifest_put_extent(++s->chunks, &own, said);
    int rc = say(s, said, from, e);
    if (rc == 0 && s->waiting.len >= WAITING_BYTES)
        rc = shards_mark(s, e);
    return rc;
}

unsigned shards_attempt(const struct shards *s)
{
    return s->attempt;
}

uint64_t shards_inode(const struct shards *s)
{
    struct stat st;
    return fstat(s->shard, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

void shards_set_others(struct shards *s, int (*sync)(void *ctx, struct qerr *e),
                       void *ctx)
{
    s->sync = sync;
    s->ctx = ctx;
}

int shards_end(struct shards *s, struct qbuf *said, struct qerr *e)
{
    size_t from = said->len;
    manifest_put_end(s->chunks, s->bytes, said);
    return say(s, said, from, e);
}

int shards_mark(struct shards *s, struct qerr *e)
{
    if (fdatasync(s->shard) != 0)
        return qerr_sys(e, Q_EIO, errno, "sync a shard of %s", s->folder);
    int rc = s->others && s->sync ? s->sync(s->ctx, e) : 0;
    if (rc < 0)
        return rc;
    s->others = false;
    rc = write_all(s->manifest, s->waiting.data, s->waiting.len, s->folder, e);
    qbuf_clear(&s->waiting);
    if (rc == 0 && fdatasync(s->manifest) != 0)
        rc = qerr_sys(e, Q_EIO, errno, "sync %smanifest", s->folder);
    return rc;
}

int shards_close(struct shards *s, struct qerr *e)
{
    int rc = 0;
    if (s->shard >= 0 && s->waiting.len > 0 && !s->others)
        rc = shards_mark(s, e);
    if (s->shard >= 0 && close(s->shard) != 0 && rc == 0)
        rc = qerr_sys(e, Q_EIO, errno, "close a shard of %s", s->folder);
    if (s->manifest >= 0 && close(s->manifest) != 0 && rc == 0)
        rc = qerr_sys(e, Q_EIO, errno, "close %smanifest", s->folder);
    qbuf_release(&s->waiting);
    free(s->folder);
    free(s);
    return rc;
}
