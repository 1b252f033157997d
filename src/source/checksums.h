/*
 * checksums: what --checksum says: one SHA-256 for the one file, or a file of them as
 * sha256sum prints it. Read-only once made.
 */
#ifndef QUERN_SOURCE_CHECKSUMS_H
#define QUERN_SOURCE_CHECKSUMS_H

#include "base/qerr.h"

struct checksums;

int checksums_new(struct checksums **c, const char *text, struct qerr *e);
void checksums_free(struct checksums *c); /* NULL: nothing */

/* What a file of this name must have, in lower case; NULL: nothing is known of it. */
const char *checksums_of(const struct checksums *c, const char *name);

#endif
