/* report: 'quern report FILE...': a page about runs, from what --stats, --trace and
 * bench wrote. */
#ifndef QUERN_CMD_REPORT_H
#define QUERN_CMD_REPORT_H

#include "base/qerr.h"
#include "base/qopt.h"
#include "cmd/command.h"

extern const char report_description[];
extern const struct qopt options_report[];

int cmd_report(const struct job *job, struct ending *ending, struct qerr *e);

#endif
