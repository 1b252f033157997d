/*
 * All names are looked up from the folder's descriptor, never through a link at their
 * end: a part is made with O_EXCL and O_NOFOLLOW, and what is taken up must be a
 * regular file.
 */
#include "source/partfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    int fd;
    bool unnamed; /* files may be made in it that get a name later */
    char *path;
    pthread_mutex_t lock; /* of the names */
    void *names;          /* tree of struct claim */
};

/* A name that is claimed. */
struct claim {
    const char *name; /* in `text`, or of who looks for one */
    uint64_t next;    /* the number to try for the next file that would have it */
    char text[];
};

/* --- names --- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The last segment of the path of a URL: [*begin, *end). */
static void last_segment(const char *url, const char **begin, const char **end)
{
    const char *s = strstr(url, "://");
    s = s ? s + 3 : url;
    const char *stop = s + strcspn(s, "?#");
    const char *slash = memchr(s, '/', (size_t)(stop - s));
    *begin = *end = stop;
    if (!slash)
        return;
    *begin = (const char *)memrchr(s, '/', (size_t)(stop - s)) + 1;
}

/* Cuts to PARTFILE_NAME_BYTES and keeps a short extension; not within a character of
 * UTF-8.
 */
static size_t shorten(char *name, size_t n)
{
    char ext[24] = "";
    if (n <= PARTFILE_NAME_BYTES)
        return n;
    name[n] = '\0';
    const char *dot = strrchr(name, '.');
    if (dot && dot > name && strlen(dot) < sizeof ext)
        snprintf(ext, sizeof ext, "%s", dot);
    size_t keep = PARTFILE_NAME_BYTES - strlen(ext);
    while (keep > 0 && ((unsigned char)name[keep] & 0xc0) == 0x80)
        keep--;
    memcpy(name + keep, ext, strlen(ext) + 1);
    return keep + strlen(ext);
}

/* Control bytes, slashes and dots at the start have no place in a name. */
static void make_harmless(char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
            name[i] = '_';
    for (size_t i = 0; i < n && name[i] == '.'; i++)
        name[i] = '_';
}

void partfile_name(char name[PARTFILE_NAME], const char *url, const char *wanted)
{
    enum { LONG = 4096 };
    char text[LONG];
    const char *s = wanted, *end = wanted ? wanted + strlen(wanted) : NULL;
    size_t n = 0;
    if (!wanted)
        last_segment(url, &s, &end);
    for (; s < end && n < LONG - 1; s++) {
        bool coded =
            !wanted && *s == '%' && end - s > 2 && hex(s[1]) >= 0 && hex(s[2]) >= 0;
        text[n++] = coded ? (char)(hex(s[1]) * 16 + hex(s[2])) : *s;
        s += coded ? 2 : 0;
    }
    make_harmless(text, n);
    n = shorten(text, n);
    text[n] = '\0';
    snprintf(name, PARTFILE_NAME, "%.*s", PARTFILE_NAME - 1, n > 0 ? text : "index");
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* The claim of a name, or NULL. With the lock. */
static struct claim *find_claim(struct folder *f, const char *name)
{
    const struct claim key = {.name = name};
    struct claim *const *found = tfind(&key, &f->names, compare_claims);
    return found ? *found : NULL;
}

/* With the lock. */
static bool add_claim(struct folder *f, const char *name)
{
    size_t size = strlen(name) + 1;
    struct claim *c = malloc(sizeof *c + size);
    if (!c)
        return false;
    memcpy(c->text, name, size);
    c->name = c->text;
    c->next = 2;
    if (tsearch(c, &f->names, compare_claims))
        return true;
    free(c);
    return false;
}

int folder_claim(struct folder *f, char name[PARTFILE_NAME], struct qerr *e)
{
    char tried[PARTFILE_NAME];
    snprintf(tried, sizeof tried, "%s", name);
    pthread_mutex_lock(&f->lock);
    struct claim *first = find_claim(f, name);
    for (bool taken = first; taken; taken = find_claim(f, tried))
        snprintf(tried, sizeof tried, "%.*s.%" PRIu64, PARTFILE_NAME - 24, name,
                 first->next++);
    bool added = add_claim(f, tried);
    pthread_mutex_unlock(&f->lock);
    if (!added)
        return qerr_nomem(e);
    memcpy(name, tried, sizeof tried);
    return 0;
}

/* Whether a file without a name can get one, for what this process may do: a name that
 * is there is the last thing that is found wrong. */
static bool can_be_unnamed(int dir)
{
    int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool can = linkat(fd, "", dir, ".", AT_EMPTY_PATH) != 0 && errno == EEXIST;
    close(fd);
    return can;
}

struct folder *folder_open(const char *path, struct qerr *e)
{
    struct folder *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path))) {
        free(f);
        qerr_nomem(e);
        return NULL;
    }
    pthread_mutex_init(&f->lock, NULL);
    f->fd = mkdir(path, 0777) == 0 || errno == EEXIST
                ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                : -1;
    if (f->fd >= 0) {
        f->unnamed = can_be_unnamed(f->fd);
        return f;
    }
    qerr_sys(e, Q_EIO, errno, "%s", path);
    folder_close(f);
    return NULL;
}

void folder_close(struct folder *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    tdestroy(f->names, free);
    pthread_mutex_destroy(&f->lock);
    free(f->path);
    free(f);
}

void folder_path(const struct folder *f, const char *name, struct qbuf *out)
{
    size_t n = strlen(f->path);
    if (strcmp(f->path, ".") != 0) {
        qbuf_puts(out, f->path);
        if (n > 0 && f->path[n - 1] != '/')
            qbuf_putc(out, '/');
    }
    qbuf_puts(out, name);
}

bool folder_has(const struct folder *f, const char *name, uint64_t *size)
{
    struct stat st;
    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

int folder_hash(const struct folder *f, const char *name, struct qsha256 *h,
                struct qerr *e)
{
    int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return qerr_sys(e, Q_EIO, errno, "%s", name);
    int rc = qsha256_add_file(h, fd, e);
    close(fd);
    return rc;
}

/* --- parts --- */

enum { HIDDEN = PARTFILE_NAME + 16 };

static const char *hidden(char path[HIDDEN], const struct partfile *p,
                          const char *ending)
{
    snprintf(path, HIDDEN, ".%s.%s", p->name, ending);
    return path;
}

void partfile_init(struct partfile *p, struct folder *f, const char *name)
{
    p->folder = f;
    p->fd = -1;
    p->noted = p->unnamed = false;
    snprintf(p->name, sizeof p->name, "%s", name ? name : "");
}

/* Opens the part and locks it, so that no other run writes it or gives it its name
 * meanwhile. Between the two the other run may have done so. */
static int open_locked(struct partfile *p, int flags)
{
    char path[HIDDEN];
    struct stat mine, there;
    int dir = p->folder->fd;
    hidden(path, p, "part");
    for (;;) {
        int fd = openat(dir, path, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                        0666);
        if (fd < 0)
            return -errno;
        int err = flock(fd, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
        if (err == 0 && flags & O_EXCL)
            return fd;
        if (err == 0 && fstat(fd, &mine) == 0 && S_ISREG(mine.st_mode)) {
            if (fstatat(dir, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                there.st_ino == mine.st_ino && there.st_dev == mine.st_dev)
                return fd;
        } else if (err == 0) {
            err = EEXIST;
        }
        close(fd);
        if (err != 0)
            return -err;
    }
}

int partfile_create(struct partfile *p, struct qerr *e)
{
    char side[HIDDEN];
    int fd = open_locked(p, O_CREAT | O_EXCL);
    if (fd == -EEXIST) { /* what an earlier run left */
        fd = open_locked(p, O_CREAT);
        if (fd >= 0 && ftruncate(fd, 0) != 0) {
            close(fd);
            fd = -EIO;
        }
        (void)unlinkat(p->folder->fd, hidden(side, p, "resume"), 0);
    }
    if (fd == -EWOULDBLOCK)
        return qerr_set(e, Q_EIO, "%s: another run is writing it", p->name);
    if (fd < 0)
        return qerr_sys(e, Q_EIO, -fd, ".%s.part", p->name);
    p->fd = fd;
    return 0;
}

/* What the side file says holds no more. */
static void drop_side(struct partfile *p)
{
    char path[HIDDEN];
    if (p->noted)
        (void)unlinkat(p->folder->fd, hidden(path, p, "resume"), 0);
    p->noted = false;
}

int partfile_write(struct partfile *p, const char *bytes, size_t n, struct qerr *e)
{
    while (n > 0) {
        ssize_t done = write(p->fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return qerr_sys(e, Q_EIO, errno, "write %s", p->name);
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

/* A file that nobody sees needs no name of its own and no lock; -1: it needs both. What
 * an earlier run left is dropped only by a part. */
static int open_unnamed(const struct partfile *p)
{
    char path[HIDDEN];
    uint64_t size;
    if (!p->folder->unnamed || folder_has(p->folder, hidden(path, p, "part"), &size))
        return -1;
    return openat(p->folder->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
}

int partfile_restart(struct partfile *p, bool whole, struct qerr *e)
{
    if (p->unnamed) {
        close(p->fd);
        p->fd = -1;
        p->unnamed = false;
    }
    if (p->fd < 0 && whole) {
        p->fd = open_unnamed(p);
        p->unnamed = p->fd >= 0;
        if (p->unnamed)
            return 0;
    }
    if (p->fd < 0)
        return partfile_create(p, e);
    drop_side(p);
    if (ftruncate(p->fd, 0) == 0 && lseek(p->fd, 0, SEEK_SET) == 0)
        return 0;
    return qerr_sys(e, Q_EIO, errno, "%s", p->name);
}

/* Gives the part its name. Returns 0 or what errno says. */
static int rename_part(const struct partfile *p, bool replace)
{
    char path[HIDDEN];
    int dir = p->folder->fd;
    int err = 0;
    hidden(path, p, "part");
    if (renameat2(dir, path, dir, p->name, replace ? 0 : RENAME_NOREPLACE) != 0)
        err = errno;
    if (err == EINVAL && !replace) /* a file system without RENAME_NOREPLACE */
        err = linkat(dir, path, dir, p->name, 0) != 0 ? errno
              : unlinkat(dir, path, 0) != 0           ? errno
                                                      : 0;
    if (err != 0)
        (void)unlinkat(dir, path, 0);
    return err;
}

int partfile_commit(struct partfile *p, bool replace, struct qerr *e)
{
    int dir = p->folder->fd;
    int err = !p->unnamed ? rename_part(p, replace)
              : linkat(p->fd, "", dir, p->name, AT_EMPTY_PATH) != 0 ? errno
                                                                    : 0;
    drop_side(p);
    if (close(p->fd) != 0 && err == 0) { /* a late report that bytes were lost */
        err = errno;
        (void)unlinkat(dir, p->name, 0);
    }
    p->fd = -1;
    p->unnamed = false;
    return err == 0 ? 0 : qerr_sys(e, Q_EIO, err, "%s", p->name);
}

/* --- what is left for another run --- */

static void write_side(struct partfile *p, const char *url, const char *validator,
                       uint64_t total)
{
    char path[HIDDEN];
    int dir = p->folder->fd;
    hidden(path, p, "resume");
    (void)unlinkat(dir, path, 0);
    int fd =
        openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return;
    }
    fprintf(f, "url %s\nvalidator %s\ntotal %" PRIu64 "\nend\n", url, validator, total);
    p->noted = fclose(f) == 0;
}

void partfile_note(struct partfile *p, const char *url, const char *validator,
                   uint64_t total)
{
    write_side(p, url, validator, total);
}

void partfile_leave(struct partfile *p, const char *url, const char *validator,
                    uint64_t total)
{
    char path[HIDDEN];
    if (p->fd < 0)
        return;
    struct stat st;
    bool keep = !p->unnamed && validator && *validator && fstat(p->fd, &st) == 0 &&
                st.st_size > 0;
    if (keep) {
        write_side(p, url, validator, total);
    } else if (!p->unnamed) {
        drop_side(p);
        (void)unlinkat(p->folder->fd, hidden(path, p, "part"), 0);
    }
    close(p->fd); /* only now is it another run's */
    p->fd = -1;
    p->unnamed = false;
}

/* A line "key value" of the side file. */
static bool take_line(FILE *f, const char *key, char *value, size_t size)
{
    char *line = NULL;
    size_t cap = 0, n = strlen(key);
    ssize_t len = getline(&line, &cap, f);
    bool fine = len > 0 && line[len - 1] == '\n';
    if (fine) {
        line[--len] = '\0';
        fine = strncmp(line, key, n) == 0 && (line[n] == ' ' || line[n] == '\0') &&
               strlen(line + n) <= size;
        if (fine)
            snprintf(value, size, "%s", line[n] ? line + n + 1 : "");
    }
    free(line);
    return fine;
}

static bool read_side(const struct partfile *p, const char *url, char *validator,
                      size_t size, uint64_t *total)
{
    char path[HIDDEN], number[32], end[8];
    int fd = openat(p->folder->fd, hidden(path, p, "resume"),
                    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    size_t room = strlen(url) + 2;
    char *seen = malloc(room);
    bool fine = seen && take_line(f, "url", seen, room) && strcmp(seen, url) == 0 &&
                take_line(f, "validator", validator, size) && *validator &&
                take_line(f, "total", number, sizeof number) &&
                take_line(f, "end", end, sizeof end);
    if (fine)
        *total = strtoull(number, NULL, 10);
    free(seen);
    fclose(f);
    return fine;
}

int64_t partfile_take_up(struct partfile *p, const char *url, char *validator,
                         size_t size, uint64_t *total)
{
    struct stat st;
    if (!read_side(p, url, validator, size, total))
        return -1;
    int fd = open_locked(p, 0);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || st.st_size == 0 ||
        (*total > 0 && (uint64_t)st.st_size > *total) ||
        lseek(fd, 0, SEEK_END) != st.st_size) {
        close(fd);
        return -1;
    }
    p->fd = fd;
    p->noted = true;
    return (int64_t)st.st_size;
}
