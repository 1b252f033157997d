/*
 * cat: 'quern cat DIR/': the one ordered output out of the shards of -o DIR/.
 */
#ifndef QUERN_CMD_CAT_H
#define QUERN_CMD_CAT_H

#include "base/qerr.h"
#include "cmd/command.h"
#include "core/job.h"

extern const char cat_description[];

/* The command; each input of the job is a folder (INPUT_FILE). */
int cmd_cat(const struct job *job, struct ending *ending, struct qerr *e);

#endif
