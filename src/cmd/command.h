/*
 * command: the table of commands, and the way from argv to an exit status.
 */
#ifndef QUERN_CMD_COMMAND_H
#define QUERN_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/qerr.h"
#include "cmd/args.h"
#include "core/job.h"
#include "kernel.h"

/* What the process ends with. */
struct ending {
    int status;     /* the exit status of DESIGN.md */
    bool abandoned; /* threads are left behind: leave with _exit */
};

struct command {
    const char *name;
    const char *summary;
    const struct kernel *kernel; /* what it runs on the records, or NULL and ... */
    /* ... what it does instead; 'run' has neither */
    int (*run)(const struct job *job, struct ending *ending, struct qerr *e);
    /* Instead, for one that reads its command line itself (args_answer) */
    int (*take)(int argc, char **argv, struct ending *ending, struct qerr *e);
    const char *description;    /* NULL: the summary, or the kernel's */
    const char *operands;       /* without a kernel: what follows its word, or NULL */
    const struct qopt *options; /* without a kernel: its own, or NULL */
    bool fetches;               /* without a kernel: options_fetch hold, and an INPUT
                                   that is no URL is a list of them */
};

/* Row `i` of the table, or NULL behind the last. */
const struct command *command_at(size_t i);

/* The row of that name, or NULL. */
const struct command *command_find(const char *name);

/* The option tables of a command, into `tables` (JOB_TABLES of them): how many. */
size_t command_tables(const struct command *c, const struct qopt **tables);

/* What its arguments are that are no options. */
struct args_words command_words(const struct command *c);

/* The exit status that an error makes. */
int command_status(const struct qerr *e);

/* Does what the command line says. Errors come back in `e`, for main to print; the
 * ending is set in any case. */
void command_main(int argc, char **argv, struct ending *ending, struct qerr *e);

/* The last thing to do, when the error is printed: ranks leave together, with the
 * status of rank 0. The first to have left with one that is not 0 makes mpirun end the
 * others. */
void command_leave(struct ending *ending);

#endif
