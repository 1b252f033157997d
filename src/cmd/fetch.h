/*
 * fetch: 'quern fetch': URLs into files, one line of output for each.
 */
#ifndef QUERN_CMD_FETCH_H
#define QUERN_CMD_FETCH_H

#include "base/qerr.h"
#include "cmd/command.h"
#include "core/job.h"

extern const char fetch_description[];

/* The command. An input of the job is a URL (INPUT_URL), or a list of them
 * (INPUT_FILE, INPUT_STREAM). Main thread only; takes over INT, TERM, USR1 and USR2 as
 * long as it runs. */
int cmd_fetch(const struct job *job, struct ending *ending, struct qerr *e);

#endif
