#include "source/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_COST = 64 }; /* of a piece besides its bytes: itself, and malloc's */

void body_init(struct body *b)
{
    *b = (struct body){.file = -1};
}

bool body_has_room(const struct body_pool *pool, const struct body *b, size_t n,
                   bool oldest)
{
    if (pool->used + n + PIECE_COST <= BODY_POOL)
        return true;
    /* One piece, however large, always fits into a reserve that is empty. */
    return oldest && (b->held == 0 || b->held + n <= BODY_RESERVE);
}

struct piece *piece_new(const char *bytes, size_t n)
{
    struct piece *p = malloc(sizeof *p + n);
    if (!p)
        return NULL;
    p->next = NULL;
    p->len = n;
    p->off = 0;
    memcpy(p->data, bytes, n);
    return p;
}

void body_put(struct body_pool *pool, struct body *b, struct piece *p)
{
    if (b->tail)
        b->tail->next = p;
    else
        b->head = p;
    b->tail = p;
    b->received += p->len;
    b->held += p->len + PIECE_COST;
    pool->used += p->len + PIECE_COST;
}

const char *body_peek(const struct body *b, size_t *n)
{
    if (!b->head)
        return NULL;
    *n = b->head->len - b->head->off;
    return b->head->data + b->head->off;
}

struct piece *body_drop(struct body_pool *pool, struct body *b, size_t n)
{
    struct piece *p = b->head;
    p->off += n;
    b->taken += n;
    if (p->off < p->len)
        return NULL;
    b->head = p->next;
    if (!b->head)
        b->tail = NULL;
    b->held -= p->len + PIECE_COST;
    pool->used -= p->len + PIECE_COST;
    return p;
}

struct piece *body_clear(struct body_pool *pool, struct body *b)
{
    struct piece *all = b->head;
    pool->used -= b->held;
    b->head = b->tail = NULL;
    b->held = 0;
    b->received = b->taken = 0;
    if (b->file >= 0 && ftruncate(b->file, 0) == 0)
        (void)lseek(b->file, 0, SEEK_SET);
    return all;
}

void piece_free_all(struct piece *p)
{
    while (p) {
        struct piece *next = p->next;
        free(p);
        p = next;
    }
}

static int open_file(struct qerr *e)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    if (!dir || !*dir)
        dir = "/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    /* Not every file system has O_TMPFILE. */
    int n = snprintf(path, sizeof path, "%s/quern.XXXXXX", dir);
    fd = n > 0 && (size_t)n < sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd < 0)
        return qerr_sys(e, Q_EIO, errno, "a temporary file in %s", dir);
    unlink(path);
    return fd;
}

static int write_all(int fd, const char *bytes, size_t n, struct qerr *e)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return qerr_sys(e, Q_EIO, errno, "write a temporary file");
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

int body_write(struct body *b, const char *bytes, size_t n, struct qerr *e)
{
    if (b->file < 0 && (b->file = open_file(e)) < 0) {
        b->file = -1;
        return -(int)e->code;
    }
    int rc = write_all(b->file, bytes, n, e);
    if (rc == 0)
        b->received += n;
    return rc;
}

ssize_t body_read(struct body *b, char *to, size_t n, struct qerr *e)
{
    ssize_t got;
    while ((got = pread(b->file, to, n, (off_t)b->taken)) < 0)
        if (errno != EINTR)
            return qerr_sys(e, Q_EIO, errno, "read a temporary file");
    b->taken += (uint64_t)got;
    return got;
}
