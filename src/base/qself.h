/*
 * qself: files that belong to this program and lie beside it: in libexec/ in the build
 * folder, in libexec/quern/ beside bin/ when installed, or where QUERN_LIBEXEC says.
 */
#ifndef QUERN_BASE_QSELF_H
#define QUERN_BASE_QSELF_H

#include <stdbool.h>

#include "base/qerr.h"

enum { QSELF_PATH = 4096, QSELF_BUILD = 17 };

/* The path of the file of that name, if it can be read. */
bool qself_find(const char *name, char path[QSELF_PATH]);

/* What tells this build from others: a hash of the program, in hexadecimal. */
int qself_build(char build[QSELF_BUILD], struct qerr *e);

#endif
