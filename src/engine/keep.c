/*
 * Workers write side by side: each reserves its place first. A write that fails leaves
 * a hole that no manifest lists, and the bytes travel.
 */
#include "engine/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qbuf.h"
#include "base/qhash.h"
#include "engine/manifest.h"

void keep_init(struct keep *k)
{
    k->fd = -1;
    atomic_init(&k->reserved, 0);
}

/* Makes the name of a new shard durable. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder: EINVAL. */
    bool well = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        close(fd);
    return well;
}

bool keep_open(struct keep *k, const char *folder, unsigned attempt, unsigned rank,
               uint64_t inode)
{
    struct qbuf path = QBUF_INIT;
    struct stat st;
    manifest_shard_path(folder, attempt, 0, &path);
    if (stat(qbuf_cstr(&path), &st) == 0 && (uint64_t)st.st_ino == inode) {
        qbuf_clear(&path);
        manifest_shard_path(folder, attempt, rank, &path);
        k->fd = open(qbuf_cstr(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    qbuf_release(&path);
    if (k->fd >= 0 && !sync_folder(folder))
        keep_close(k);
    return k->fd >= 0;
}

void keep_part(struct keep *k, struct part *part)
{
    if (k->fd < 0 || part->nbad > 0 || part->out.len == 0 || part->out.failed ||
        part->out.len > EXTENT_MOST)
        return;
    uint64_t at = atomic_fetch_add(&k->reserved, part->out.len);
    for (size_t done = 0; done < part->out.len;) {
        ssize_t n = pwrite(k->fd, part->out.data + done, part->out.len - done,
                           (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0)
            done += (size_t)n;
    }
    part->kept_at = at;
    part->kept_len = part->out.len;
    part->kept_hash = qhash_64(part->out.data, part->out.len, 0);
    qbuf_clear(&part->out);
}

int keep_sync(const struct keep *k, struct qerr *e)
{
    if (k->fd >= 0 && fdatasync(k->fd) != 0)
        return qerr_sys(e, Q_EIO, errno, "sync a shard");
    return 0;
}

void keep_close(struct keep *k)
{
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}
