/*
 * info: what this program is and what it finds around it, a "key: value" a line on
 * standard output.
 */
#ifndef QUERN_CMD_INFO_H
#define QUERN_CMD_INFO_H

#include "base/qbuf.h"
#include "base/qerr.h"
#include "cmd/command.h"
#include "core/job.h"

/* The command: `job` has options_info, and no INPUT but the standard one. */
int cmd_info(const struct job *job, struct ending *ending, struct qerr *e);

/* What compiled it, and how: as in "gcc 12.2.0" and "optimized, x86-64 baseline". */
extern const char info_compiler[], info_build[];

/* Its text. */
void info_text(struct qbuf *out);

#endif
