/*
 * list: @FILE, a file that names inputs, one a line, each as it would be given as an
 * argument. Empty lines and lines that begin with # are nothing; white space around a
 * line does not count (a name that begins with it is given as "./ name").
 */
#ifndef QUERN_CMD_LIST_H
#define QUERN_CMD_LIST_H

#include "base/qerr.h"
#include "cmd/args.h"
#include "core/job.h"

/* Adds the inputs that the list `path` names; "-" is standard input. What is wrong in
 * a line is an error that begins with "path:line: ". */
int list_add_inputs(struct job *job, const char *path, const struct args_words *are,
                    struct qerr *e);

#endif
