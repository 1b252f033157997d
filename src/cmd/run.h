/*
 * run: 'quern run JOBFILE': what is on its command line, and how the job file and the
 * rest of the command line together fill a job.
 */
#ifndef QUERN_CMD_RUN_H
#define QUERN_CMD_RUN_H

#include "base/qerr.h"
#include "cmd/args.h"
#include "core/job.h"
#include "core/jobfile.h"

extern const char run_description[];

struct run_order {
    struct jobfile file;
    char **args; /* the arguments that are for the file's command; owned, not they */
    int nargs;
};

/* Tells the arguments behind 'run' apart and reads the job file. Returns an
 * args_answer or a negative qcode; the order is to be released only when it is
 * ARGS_RUN. */
int run_order_take(struct run_order *o, int argc, char **argv, struct qerr *e);
void run_order_release(struct run_order *o);

/* Fills a job (fresh from job_init, for the file's command): the command line's
 * options go before the file's, and its INPUTs take the place of the file's. Without
 * any, standard input is the input. `are` as in args_parse, and so the result. */
int run_order_fill(const struct run_order *o, struct job *job,
                   const struct args_words *are, struct qerr *e);

#endif
