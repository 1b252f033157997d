/* completion: 'quern completion SHELL': what makes a shell complete quern's commands,
 * options and the values of options, made from the same tables that they are read with.
 */
#ifndef QUERN_CMD_COMPLETION_H
#define QUERN_CMD_COMPLETION_H

#include "base/qbuf.h"
#include "base/qerr.h"
#include "cmd/command.h"

extern const char completion_description[];

int cmd_completion(const struct job *job, struct ending *ending, struct qerr *e);

/* The two scripts. */
void completion_bash(struct qbuf *out);
void completion_zsh(struct qbuf *out);

#endif
