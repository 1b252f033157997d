#include "base/qself.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qhash.h"

static const char self[] = "/proc/self/exe";

bool qself_find(const char *name, char path[QSELF_PATH])
{
    static const char *const places[] = {"libexec", "../libexec/quern", "../libexec"};
    const char *named = getenv("QUERN_LIBEXEC");
    char folder[QSELF_PATH];
    if (named && *named) {
        int n = snprintf(path, QSELF_PATH, "%s/%s", named, name);
        return n > 0 && n < QSELF_PATH && access(path, R_OK) == 0;
    }
    ssize_t len = readlink(self, folder, sizeof folder - 1);
    if (len <= 0)
        return false;
    folder[len] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return false;
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int n = snprintf(path, QSELF_PATH, "%s/%s/%s", folder, places[i], name);
        if (n > 0 && n < QSELF_PATH && access(path, R_OK) == 0)
            return true;
    }
    return false;
}

int qself_build(char build[QSELF_BUILD], struct qerr *e)
{
    struct stat st;
    int fd = open(self, O_RDONLY | O_CLOEXEC);
    void *image = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int err = errno;
    if (fd >= 0)
        close(fd);
    if (image == MAP_FAILED)
        return qerr_sys(e, Q_EIO, err, "read %s", self);
    snprintf(build, QSELF_BUILD, "%016" PRIx64, qhash_64(image, (size_t)st.st_size, 0));
    munmap(image, (size_t)st.st_size);
    return 0;
}
