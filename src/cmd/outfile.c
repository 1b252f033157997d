#include "cmd/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that a file is in, as a path to copy from: its length, 0 for ".". */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* There, and not a regular file. A link is not: to put a file in its place would cut
 * it.
 */
static bool is_special(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int outfile_check(const char *path, struct qerr *e)
{
    struct stat st;
    struct qbuf folder = QBUF_INIT;
    qbuf_add(&folder, path, folder_length(path));
    if (folder.len == 0)
        qbuf_putc(&folder, '.');
    int rc = 0;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        rc = qerr_sys(e, Q_EIO, EISDIR, "%s", path);
    else if (is_special(path) ? access(path, W_OK) != 0
                              : access(qbuf_cstr(&folder), W_OK | X_OK) != 0)
        rc = qerr_sys(e, Q_EIO, errno, "%s", path);
    qbuf_release(&folder);
    return rc;
}

static int put(int fd, const char *path, const struct qbuf *text, struct qerr *e)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(fd, text->data + done, text->len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno != EINTR)
            return qerr_sys(e, Q_EIO, errno, "write %s", path);
    }
    return 0;
}

static int write_special(const char *path, const struct qbuf *text, struct qerr *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return qerr_sys(e, Q_EIO, errno, "%s", path);
    int rc = put(fd, path, text, e);
    if (close(fd) != 0 && rc == 0)
        rc = qerr_sys(e, Q_EIO, errno, "write %s", path);
    return rc;
}

/* That of the file whose place is taken; else what a file made by open would have. */
static mode_t mode_for(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return st.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static int write_beside(char *temporary, const char *path, const struct qbuf *text,
                        struct qerr *e)
{
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return qerr_sys(e, Q_EIO, errno, "%s", path);
    int rc = put(fd, path, text, e);
    if (rc == 0 && fchmod(fd, mode_for(path)) != 0)
        rc = qerr_sys(e, Q_EIO, errno, "%s", path);
    if (close(fd) != 0 && rc == 0)
        rc = qerr_sys(e, Q_EIO, errno, "write %s", path);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = qerr_sys(e, Q_EIO, errno, "%s", path);
    if (rc < 0)
        unlink(temporary);
    return rc;
}

int outfile_write(const char *path, const struct qbuf *text, struct qerr *e)
{
    int rc = qbuf_check(text, e);
    if (rc < 0)
        return rc;
    if (is_special(path))
        return write_special(path, text, e);
    struct qbuf temporary = QBUF_INIT;
    qbuf_add(&temporary, path, folder_length(path));
    qbuf_puts(&temporary, ".quern-XXXXXX");
    (void)qbuf_cstr(&temporary);
    rc = qbuf_check(&temporary, e);
    if (rc == 0)
        rc = write_beside(temporary.data, path, text, e);
    qbuf_release(&temporary);
    return rc;
}

int outfile_read(const char *path, size_t most, struct qbuf *text, struct qerr *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return qerr_sys(e, Q_EINPUT, errno, "%s", path);
    char *room;
    size_t n = 1, got = 0;
    while (n > 0 && got <= most && (room = qbuf_reserve(text, 65536)) != NULL) {
        n = fread(room, 1, 65536, f);
        text->len += n;
        got += n;
    }
    int rc = qbuf_check(text, e);
    if (rc == 0 && ferror(f))
        rc = qerr_sys(e, Q_EINPUT, errno, "read %s", path);
    else if (rc == 0 && got > most)
        rc = qerr_set(e, Q_EINPUT, "%s: larger than %zu MiB", path, most >> 20);
    fclose(f);
    return rc;
}

/* --- where paths lead --- */

enum { LINKS = 40 };

/* Of what is not there yet: its folder's name without links, and its own. */
static char *name_of_new(const char *path)
{
    size_t n = folder_length(path);
    char *folder = strndup(n > 0 ? path : ".", n > 0 ? n : 1);
    char *real = folder ? realpath(folder, NULL) : NULL, *name = NULL;
    if (real &&
        asprintf(&name, "%s/%s", strcmp(real, "/") == 0 ? "" : real, path + n) < 0)
        name = NULL;
    free(folder);
    free(real);
    return name;
}

/* What a link says, seen from where it stands; NULL when the path is no link. */
static char *follow(const char *path)
{
    char to[PATH_MAX], *next = NULL;
    ssize_t n = readlink(path, to, sizeof to - 1);
    if (n <= 0)
        return NULL;
    to[n] = '\0';
    size_t folder = to[0] == '/' ? 0 : folder_length(path);
    return asprintf(&next, "%.*s%s", (int)folder, path, to) < 0 ? NULL : next;
}

/* Links may lead to what is not there yet. */
static char *name_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    char *at = strndup(path, n), *name = NULL;
    for (int i = 0; at && !name && i < LINKS; i++) {
        char *next = NULL;
        if ((name = realpath(at, NULL)) == NULL && (next = follow(at)) == NULL)
            name = name_of_new(at);
        free(at);
        at = next;
    }
    free(at);
    return name;
}

static void note_file(struct outfile_place *place, const struct stat *st)
{
    place->is_file = S_ISREG(st->st_mode);
    place->device = st->st_dev;
    place->inode = st->st_ino;
    if (place->is_file || S_ISDIR(st->st_mode))
        return;
    free(place->name);
    place->name = NULL;
}

void outfile_find(const char *path, struct outfile_place *place)
{
    struct stat st;
    *place = (struct outfile_place){.name = path ? name_of(path) : NULL};
    if ((path ? stat(path, &st) : fstat(STDOUT_FILENO, &st)) == 0)
        note_file(place, &st);
}

void outfile_place_release(struct outfile_place *place)
{
    free(place->name);
    place->name = NULL;
}

bool outfile_is_same(const struct outfile_place *a, const struct outfile_place *b)
{
    if (a->is_file && b->is_file && a->device == b->device && a->inode == b->inode)
        return true;
    return a->name && b->name && strcmp(a->name, b->name) == 0;
}

bool outfile_is_at(const struct outfile_place *place, const char *path)
{
    struct outfile_place other;
    outfile_find(path, &other);
    bool same = outfile_is_same(place, &other);
    outfile_place_release(&other);
    return same;
}

bool outfile_is_stdin(const struct outfile_place *place)
{
    struct stat st;
    return place->is_file && fstat(STDIN_FILENO, &st) == 0 &&
           st.st_dev == place->device && st.st_ino == place->inode;
}

bool outfile_is_in(const struct outfile_place *place,
                   const struct outfile_place *folder)
{
    size_t n = folder->name ? strlen(folder->name) : 0;
    return n > 0 && place->name && strncmp(place->name, folder->name, n) == 0 &&
           place->name[n] == '/';
}
