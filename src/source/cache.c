#include "source/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct cache {
    int dir;
    char salt[QSHA256_HEX];
};

enum { PATH = 16 + QSHA256_HEX };

static const char version[] = "quern-cache 2";

static int hash_text(const char *a, size_t na, const char *b, char hex[QSHA256_HEX],
                     struct qerr *e)
{
    struct qsha256 *h = qsha256_new(e);
    if (!h)
        return -(int)e->code;
    qsha256_add(h, a, na);
    qsha256_add(h, b, strlen(b));
    qsha256_hex(h, hex);
    qsha256_free(h);
    return 0;
}

struct cache *cache_open(const char *path, const char *salt, size_t n, struct qerr *e)
{
    struct cache *c = calloc(1, sizeof *c);
    if (!c) {
        qerr_nomem(e);
        return NULL;
    }
    c->dir = -1;
    if (hash_text(salt, n, "", c->salt, e) < 0) {
        cache_close(c);
        return NULL;
    }
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        c->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    static const char *const folders[] = {"urls", "bodies", "new"};
    bool fine = c->dir >= 0;
    for (size_t i = 0; fine && i < 3; i++)
        fine = mkdirat(c->dir, folders[i], 0700) == 0 || errno == EEXIST;
    if (fine)
        return c;
    qerr_sys(e, Q_EIO, errno, "--cache: %s", path);
    cache_close(c);
    return NULL;
}

void cache_close(struct cache *c)
{
    if (!c)
        return;
    if (c->dir >= 0)
        close(c->dir);
    free(c);
}

/* --- what is known of a URL --- */

static int path_of_url(const struct cache *c, const char *url, char path[PATH],
                       struct qerr *e)
{
    char key[QSHA256_HEX];
    int rc = hash_text(c->salt, strlen(c->salt), url, key, e);
    snprintf(path, PATH, "urls/%s", rc == 0 ? key : "");
    return rc;
}

static bool take_line(FILE *f, const char *key, char *value, size_t size)
{
    char line[RESPONSE_TEXT + 64];
    size_t n = strlen(key);
    if (!fgets(line, sizeof line, f) || strncmp(line, key, n) != 0 || line[n] != ' ')
        return false;
    size_t end = strcspn(line, "\n");
    if (line[end] != '\n' || end - n - 1 >= size)
        return false;
    line[end] = '\0';
    snprintf(value, size, "%s", line + n + 1);
    return true;
}

static bool is_hex(const char *s)
{
    return strlen(s) == QSHA256_HEX - 1 &&
           strspn(s, "0123456789abcdef") == QSHA256_HEX - 1;
}

static bool read_entry(FILE *f, struct cache_entry *entry)
{
    char word[32], size[32], coding[16], end[8];
    if (!take_line(f, "quern-cache", word, sizeof word))
        return false;
    entry->older = strcmp(word, "2") != 0;
    if (entry->older || !take_line(f, "sha256", entry->sha256, sizeof entry->sha256) ||
        !take_line(f, "size", size, sizeof size) ||
        !take_line(f, "etag", entry->etag, sizeof entry->etag) ||
        !take_line(f, "last-modified", entry->last_modified,
                   sizeof entry->last_modified) ||
        !take_line(f, "coding", coding, sizeof coding) ||
        !take_line(f, "end", end, sizeof end) || !is_hex(entry->sha256))
        return false;
    entry->size = strtoull(size, NULL, 10);
    entry->gzip = strcmp(coding, "gzip") == 0;
    return true;
}

/* What is said of the body; it is not read, and fd is -1. */
static bool find_entry(const struct cache *c, const char *url,
                       struct cache_entry *entry)
{
    char path[PATH];
    struct qerr ignored = QERR_INIT;
    entry->fd = -1;
    entry->older = false;
    if (path_of_url(c, url, path, &ignored) < 0)
        return false;
    int fd = openat(c->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool fine = read_entry(f, entry);
    fclose(f);
    return fine;
}

bool cache_find(struct cache *c, const char *url, struct cache_entry *entry)
{
    char path[PATH], hex[QSHA256_HEX] = "";
    struct qerr ignored = QERR_INIT;
    struct stat st;
    if (!find_entry(c, url, entry))
        return false;
    snprintf(path, sizeof path, "bodies/%s", entry->sha256);
    int fd = openat(c->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    struct qsha256 *h = qsha256_new(&ignored);
    if (h && fstat(fd, &st) == 0 && (uint64_t)st.st_size == entry->size &&
        qsha256_add_file(h, fd, &ignored) == 0)
        qsha256_hex(h, hex);
    qsha256_free(h);
    entry->fd = fd;
    if (strcmp(hex, entry->sha256) == 0)
        return true;
    close(fd);
    entry->fd = -1;
    /* Damaged: out of the way, so that a good one may take its place. */
    (void)unlinkat(c->dir, path, 0);
    return false;
}

/* --- making them --- */

static int open_new(const struct cache *c, char name[64])
{
    uint64_t random = 0;
    int fd;
    do {
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            random++;
        snprintf(name, 64, "new/%ld.%016" PRIx64, (long)getpid(), random);
        fd = openat(c->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    } while (fd < 0 && errno == EEXIST);
    return fd;
}

int cache_begin(struct cache *c, struct cache_body *b, struct qerr *e)
{
    b->fd = open_new(c, b->name);
    return b->fd >= 0 ? 0 : qerr_sys(e, Q_EIO, errno, "--cache");
}

void cache_drop(struct cache *c, struct cache_body *b)
{
    if (b->fd < 0)
        return;
    close(b->fd);
    (void)unlinkat(c->dir, b->name, 0);
    b->fd = -1;
}

static int write_entry(struct cache *c, const char *url, const struct response *r,
                       const char *sha256, uint64_t size, struct qerr *e)
{
    char path[PATH], name[64];
    int rc = path_of_url(c, url, path, e);
    if (rc < 0)
        return rc;
    int fd = open_new(c, name);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return qerr_sys(e, Q_EIO, errno, "--cache");
    }
    fprintf(f,
            "%s\nsha256 %s\nsize %" PRIu64
            "\netag %s\nlast-modified %s\ncoding %s\nend 1\n",
            version, sha256, size, r->etag, r->last_modified,
            r->gzip ? "gzip" : "none");
    bool fine = fflush(f) == 0 && !ferror(f);
    fine = fclose(f) == 0 && fine;
    if (fine && renameat(c->dir, name, c->dir, path) == 0)
        return 0;
    int err = errno;
    (void)unlinkat(c->dir, name, 0);
    return qerr_sys(e, Q_EIO, err, "--cache");
}

int cache_store(struct cache *c, struct cache_body *b, const char *url,
                const struct response *r, const char *sha256, struct qerr *e)
{
    char path[PATH];
    struct stat st;
    snprintf(path, sizeof path, "bodies/%s", sha256);
    int err = fstat(b->fd, &st) != 0 ? errno : 0;
    if (err == 0 && renameat(c->dir, b->name, c->dir, path) != 0)
        err = errno;
    if (close(b->fd) != 0 && err == 0)
        err = errno;
    b->fd = -1;
    if (err != 0) {
        (void)unlinkat(c->dir, b->name, 0);
        return qerr_sys(e, Q_EIO, err, "--cache");
    }
    return write_entry(c, url, r, sha256, (uint64_t)st.st_size, e);
}
