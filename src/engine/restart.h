/*
 * restart: decides, before anything is written, whether a run begins, goes on, or is
 * refused, and opens its journal.
 */
#ifndef QUERN_ENGINE_RESTART_H
#define QUERN_ENGINE_RESTART_H

#include "base/qerr.h"
#include "base/qhash.h"
#include "core/job.h"
#include "engine/journal.h"

struct restart {
    struct journal *journal; /* NULL: this run cannot be resumed */
    struct qhash *hash;      /* of the output up to the journal's mark; with a journal,
                                unless      the output keeps its marks itself */
    bool complete;           /* --resume, and there is nothing left to do */
    bool resumed;            /* --resume, and there is */
};

/* Follows --output, --resume and --restart. Q_EUSAGE when it is refused, Q_ESTOP when
 * `interrupt` (or NULL) asked for that while the output was read. */
int restart_open(struct restart *r, const struct job *job,
                 const struct interrupt *interrupt, struct qerr *e);
void restart_close(struct restart *r);

#endif
