/* outputs: the files that a run writes: no two are one, and none is an input. */
#ifndef QUERN_CMD_OUTPUTS_H
#define QUERN_CMD_OUTPUTS_H

#include "base/qerr.h"
#include "core/job.h"

/* Q_EUSAGE when one file has two roles; Q_EIO when statistics or a trace, which are
 * written at the end, cannot be. Warns of --stats-format alone. Nothing is opened. */
int outputs_check(const struct job *job, struct qerr *e);

#endif
