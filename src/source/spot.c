#include "source/spot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/decompress.h"

bool spot_can(const struct input *in, uint64_t *size)
{
    char head[DECOMPRESS_HEAD];
    struct stat st;
    if (in->kind != INPUT_FILE || stat(in->text, &st) != 0 || !S_ISREG(st.st_mode))
        return false; /* opening a FIFO has effects on its writer */
    int fd = open(in->text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = pread(fd, head, sizeof head, 0);
    bool can = n >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
               !decompress_knows(head, (size_t)n) && st.st_size > 0; /* /proc says 0 */
    close(fd);
    *size = can ? (uint64_t)st.st_size : 0;
    return can;
}

static int go_to(struct spot *s, const struct input *in, struct qerr *e)
{
    if (s->fd >= 0 && s->in == in)
        return 0;
    spot_close(s);
    s->fd = open(in->text, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return qerr_sys(e, Q_EINPUT, errno, "%s", in->name);
    s->in = in;
    (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

ssize_t spot_read(struct spot *s, const struct input *in, uint64_t offset, char *to,
                  size_t n, struct qerr *e)
{
    int rc = go_to(s, in, e);
    size_t done = 0;
    while (rc == 0 && done < n) {
        ssize_t got = pread(s->fd, to + done, n - done, (off_t)(offset + done));
        if (got == 0)
            break;
        if (got > 0)
            done += (size_t)got;
        else if (errno != EINTR)
            rc = qerr_sys(e, Q_EINPUT, errno, "read %s", in->name);
    }
    return rc < 0 ? rc : (ssize_t)done;
}

void spot_close(struct spot *s)
{
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct spot){.fd = -1};
}
