/*
 * remote: what a rank that is not 0 does in a run: it answers the tasks that rank 0
 * sends, with a team of workers of its own.
 */
#ifndef QUERN_ENGINE_REMOTE_H
#define QUERN_ENGINE_REMOTE_H

#include <stdbool.h>

#include "base/qerr.h"
#include "core/job.h"
#include "engine/placement.h"
#include "kernel.h"

/* Works for the job with the threads of `where` until rank 0 says BYE. What goes wrong
 * rank 0 is told; an error here is one of the messages between them. *abandoned: see
 * engine.h. Main thread only. */
int remote_serve(const struct job *job, const struct kernel *kernel,
                 const struct placement *where, bool *abandoned, struct qerr *e);

#endif
