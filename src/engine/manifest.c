/*
 * One shard is held open: the extents of one follow each other mostly. A last line
 * without its newline was torn by a crash and does not count; all others must be right.
 */
#include "engine/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qhash.h"

static const char format_line[] = "quern-manifest 1";

struct manifest {
    FILE *file;
    char *folder, *line;
    size_t room;
    uint64_t left; /* bytes that may be read */
    uint64_t number, chunks, bytes;
    bool complete;
    struct shard_extent of; /* the shard that is open, if fd is not -1 */
    int fd;
};

bool manifest_is_for(const char *path)
{
    size_t n = path ? strlen(path) : 0;
    return n > 0 && path[n - 1] == '/';
}

void manifest_path(const char *folder, struct qbuf *out)
{
    qbuf_printf(out, "%smanifest", folder);
}

void manifest_shard_path(const char *folder, unsigned attempt, unsigned rank,
                         struct qbuf *out)
{
    qbuf_printf(out, "%s%u.%u", folder, attempt, rank);
}

void manifest_put_begin(struct qbuf *out)
{
    qbuf_printf(out, "%s\n", format_line);
}

void manifest_put_extent(uint64_t chunk, const struct shard_extent *x, struct qbuf *out)
{
    qbuf_printf(out, "c %" PRIu64 " %u.%u %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n",
                chunk, x->attempt, x->rank, x->offset, x->len, x->hash);
}

void manifest_put_end(uint64_t chunks, uint64_t bytes, struct qbuf *out)
{
    qbuf_printf(out, "e %" PRIu64 " %" PRIu64 "\n", chunks, bytes);
}

/* --- reading --- */

int manifest_open(struct manifest **manifest, const char *folder, uint64_t most,
                  struct qerr *e)
{
    struct qbuf path = QBUF_INIT;
    struct manifest *m = calloc(1, sizeof *m);
    if (!m)
        return qerr_nomem(e);
    m->fd = -1;
    m->left = most;
    m->folder = strdup(folder);
    manifest_path(folder, &path);
    int rc = m->folder ? qbuf_check(&path, e) : qerr_nomem(e);
    if (rc == 0 && !(m->file = fopen(qbuf_cstr(&path), "re")))
        rc = qerr_sys(e, Q_EINPUT, errno, "%s", qbuf_cstr(&path));
    qbuf_release(&path);
    if (rc < 0)
        manifest_close(m);
    else
        *manifest = m;
    return rc;
}

void manifest_close(struct manifest *m)
{
    if (!m)
        return;
    if (m->file)
        fclose(m->file);
    if (m->fd >= 0)
        close(m->fd);
    free(m->line);
    free(m->folder);
    free(m);
}

static int damaged(const struct manifest *m, struct qerr *e)
{
    return qerr_set(e, Q_EINPUT, "%smanifest is damaged in line %" PRIu64, m->folder,
                    m->number);
}

/* The next whole line, without its newline: 1, or 0 when there is none. */
static int read_line(struct manifest *m, struct qerr *e)
{
    errno = 0;
    ssize_t n = m->left > 0 ? getline(&m->line, &m->room, m->file) : -1;
    if (n < 0 && m->left > 0 && !feof(m->file))
        return errno == ENOMEM
                   ? qerr_nomem(e)
                   : qerr_sys(e, Q_EINPUT, errno, "read %smanifest", m->folder);
    if (n <= 0 || (uint64_t)n > m->left || m->line[n - 1] != '\n')
        return 0;
    m->left -= (uint64_t)n;
    m->line[n - 1] = '\0';
    m->number++;
    return 1;
}

static bool read_extent(const char *line, uint64_t *chunk, struct shard_extent *x)
{
    int end = 0;
    return sscanf(line, "c %" SCNu64 " %u.%u %" SCNu64 " %" SCNu64 " %" SCNx64 "%n",
                  chunk, &x->attempt, &x->rank, &x->offset, &x->len, &x->hash,
                  &end) == 6 &&
           line[end] == '\0' && x->len > 0 && x->len <= EXTENT_MOST &&
           x->offset <= INT64_MAX - x->len;
}

/* Whether it is the last line of a run that ended, and right. */
static bool read_end(const struct manifest *m, const char *line)
{
    uint64_t chunks, bytes;
    int end = 0;
    return sscanf(line, "e %" SCNu64 " %" SCNu64 "%n", &chunks, &bytes, &end) == 2 &&
           line[end] == '\0' && chunks == m->chunks && bytes == m->bytes;
}

int manifest_next(struct manifest *m, struct shard_extent *x, struct qerr *e)
{
    uint64_t chunk;
    int rc = read_line(m, e);
    if (rc > 0 && m->number == 1) {
        if (strcmp(m->line, format_line) != 0)
            return qerr_set(e, Q_EINPUT, "%smanifest is not a manifest of this version",
                            m->folder);
        rc = read_line(m, e);
    }
    if (rc <= 0)
        return rc;
    if (m->complete)
        return damaged(m, e);
    if (read_end(m, m->line)) {
        m->complete = true;
        rc = read_line(m, e);
        return rc > 0 ? damaged(m, e) : rc;
    }
    if (!read_extent(m->line, &chunk, x) || chunk != m->chunks + 1)
        return damaged(m, e);
    m->chunks++;
    m->bytes += x->len;
    return 1;
}

bool manifest_is_complete(const struct manifest *m)
{
    return m->complete;
}

uint64_t manifest_chunks(const struct manifest *m)
{
    return m->chunks;
}

uint64_t manifest_bytes(const struct manifest *m)
{
    return m->bytes;
}

/* Opens the shard of the extent, if it is not open. */
static int open_shard(struct manifest *m, const struct shard_extent *x, struct qerr *e)
{
    if (m->fd >= 0 && m->of.attempt == x->attempt && m->of.rank == x->rank)
        return 0;
    if (m->fd >= 0)
        close(m->fd);
    struct qbuf path = QBUF_INIT;
    manifest_shard_path(m->folder, x->attempt, x->rank, &path);
    int rc = qbuf_check(&path, e);
    m->fd = rc == 0 ? open(qbuf_cstr(&path), O_RDONLY | O_CLOEXEC) : -1;
    if (rc == 0 && m->fd < 0)
        rc = qerr_sys(e, Q_EINPUT, errno, "%s", qbuf_cstr(&path));
    m->of = *x;
    qbuf_release(&path);
    return rc;
}

int manifest_read(struct manifest *m, const struct shard_extent *x, struct qbuf *bytes,
                  struct qerr *e)
{
    qbuf_clear(bytes);
    char *to = qbuf_reserve(bytes, (size_t)x->len);
    int rc = to ? open_shard(m, x, e) : qerr_nomem(e);
    while (rc == 0 && bytes->len < x->len) {
        ssize_t n = pread(m->fd, to + bytes->len, (size_t)x->len - bytes->len,
                          (off_t)(x->offset + bytes->len));
        if (n < 0 && errno != EINTR)
            rc = qerr_sys(e, Q_EINPUT, errno, "read %s%u.%u", m->folder, x->attempt,
                          x->rank);
        else if (n == 0)
            rc = qerr_set(e, Q_EINPUT, "%s%u.%u is shorter than the manifest says",
                          m->folder, x->attempt, x->rank);
        else if (n > 0)
            bytes->len += (size_t)n;
    }
    if (rc == 0 && qhash_64(bytes->data, bytes->len, 0) != x->hash)
        rc = qerr_set(e, Q_EINPUT,
                      "%s%u.%u has been changed since the manifest was written",
                      m->folder, x->attempt, x->rank);
    return rc;
}

int manifest_check(struct manifest *m, const struct shard_extent *x, struct qerr *e)
{
    struct stat st;
    struct qerr why = QERR_INIT;
    if (open_shard(m, x, &why) < 0 || fstat(m->fd, &st) != 0)
        return qerr_set(e, Q_EUSAGE, "%s%u.%u is gone, but the journal is not",
                        m->folder, x->attempt, x->rank);
    if ((uint64_t)st.st_size < x->offset + x->len)
        return qerr_set(e, Q_EUSAGE, "%s%u.%u is shorter than the manifest says",
                        m->folder, x->attempt, x->rank);
    return 0;
}
