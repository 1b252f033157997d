/*
 * cache: bodies that were fetched before, in a folder that several runs may use at
 * once.
 *
 *   DIR/urls/KEY      what is known of a URL: its validators, and the SHA-256 of its
 * body DIR/bodies/SHA    bodies, named by what they hold DIR/new/...       bodies in
 * the making
 *
 * Both kinds of file are written elsewhere and renamed, and never changed, so that no
 * lock is needed. A body is believed only when its SHA-256 is what the name says;
 * whatever is damaged is as good as absent. Any thread.
 */
#ifndef QUERN_SOURCE_CACHE_H
#define QUERN_SOURCE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qerr.h"
#include "base/qsha256.h"
#include "source/response.h"

struct cache;

/* Makes the folder if it is not there. `salt` (n bytes): what besides the URL decides
 * what the server answers, the headers that are sent. It is kept only as a hash. */
struct cache *cache_open(const char *path, const char *salt, size_t n, struct qerr *e);
void cache_close(struct cache *c); /* NULL: nothing */

struct cache_entry {
    int fd; /* of the body, at its start; the caller's to close */
    uint64_t size;
    char sha256[QSHA256_HEX];
    char etag[RESPONSE_TEXT], last_modified[RESPONSE_TEXT]; /* "": not known */
    bool gzip;  /* it came coded, though that was not asked for, and is so still */
    bool older; /* nothing is known: the cache has it of another version */
};

/* False when there is no body of this URL, or it is damaged: then fd is -1. Reads the
 * body. */
bool cache_find(struct cache *c, const char *url, struct cache_entry *entry);

/* A body in the making. */
struct cache_body {
    int fd; /* to be written to */
    char name[64];
};

int cache_begin(struct cache *c, struct cache_body *b, struct qerr *e);

/* It is whole, has this SHA-256, and is what the URL stands for; r->gzip: in that
 * coding still. Closes it, as the next one does. */
int cache_store(struct cache *c, struct cache_body *b, const char *url,
                const struct response *r, const char *sha256, struct qerr *e);
void cache_drop(struct cache *c, struct cache_body *b);

#endif
