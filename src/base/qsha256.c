/*
 * libcrypto is heavy and most runs need none of it, so it is opened by name, once, by
 * whoever comes first. It does not fail once a context is there, but for the memory of
 * a copy, and then the digest is empty, which is nobody's.
 */
#include "base/qsha256.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct qsha256 {
    EVP_MD_CTX *context;
};

static struct {
    __typeof__(EVP_MD_CTX_new) *create;
    __typeof__(EVP_MD_CTX_free) *destroy;
    __typeof__(EVP_MD_CTX_copy_ex) *copy;
    __typeof__(EVP_sha256) *sha256;
    __typeof__(EVP_DigestInit_ex) *init;
    __typeof__(EVP_DigestUpdate) *update;
    __typeof__(EVP_DigestFinal_ex) *final;
} crypto;
static bool loaded;

static void load(void)
{
    static const struct {
        const char *name;
        void *pointer;
    } wanted[] = {
        {"EVP_MD_CTX_new", &crypto.create},    {"EVP_MD_CTX_free", &crypto.destroy},
        {"EVP_MD_CTX_copy_ex", &crypto.copy},  {"EVP_sha256", &crypto.sha256},
        {"EVP_DigestInit_ex", &crypto.init},   {"EVP_DigestUpdate", &crypto.update},
        {"EVP_DigestFinal_ex", &crypto.final},
    };
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < sizeof wanted / sizeof *wanted; i++) {
        void *found = dlsym(library, wanted[i].name);
        if (!found)
            return;
        *(void **)wanted[i].pointer = found;
    }
    loaded = library != NULL;
}

struct qsha256 *qsha256_new(struct qerr *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!loaded) {
        qerr_set(e, Q_EUSAGE, "SHA-256 needs OpenSSL's libcrypto.so.3");
        return NULL;
    }
    struct qsha256 *h = calloc(1, sizeof *h);
    if (h)
        h->context = crypto.create();
    if (!h || !h->context) {
        free(h);
        qerr_nomem(e);
        return NULL;
    }
    qsha256_restart(h);
    return h;
}

void qsha256_free(struct qsha256 *h)
{
    if (h)
        crypto.destroy(h->context);
    free(h);
}

void qsha256_restart(struct qsha256 *h)
{
    crypto.init(h->context, crypto.sha256(), NULL);
}

void qsha256_add(struct qsha256 *h, const void *bytes, size_t n)
{
    crypto.update(h->context, bytes, n);
}

void qsha256_hex(const struct qsha256 *h, char hex[QSHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *copy = crypto.create();
    if (copy && crypto.copy(copy, h->context) == 1)
        crypto.final(copy, digest, &n);
    crypto.destroy(copy);
    hex[0] = '\0';
    for (unsigned i = 0; i < n; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
}

int qsha256_add_file(struct qsha256 *h, int fd, struct qerr *e)
{
    enum { BYTES = 1 << 17 };
    char *room = malloc(BYTES);
    off_t at = 0;
    ssize_t n;
    if (!room)
        return qerr_nomem(e);
    while ((n = pread(fd, room, BYTES, at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        qsha256_add(h, room, (size_t)n);
        at += n;
    }
    int err = errno;
    free(room);
    return n < 0 ? qerr_sys(e, Q_EIO, err, "read") : 0;
}
