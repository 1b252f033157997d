/*
 * jobfile: a command line kept in a file. docs/formats.md describes the format. Here it
 * is read, and its variables are put in; what a command or an INPUT means is for
 * the caller. Not thread safe (inih is set up in global variables).
 *
 * Errors in the text are Q_EUSAGE and begin with "NAME:LINE: ".
 */
#ifndef QUERN_CORE_JOBFILE_H
#define QUERN_CORE_JOBFILE_H

#include <stddef.h>

#include "base/qerr.h"
#include "core/job.h"

struct jobfile_entry {
    char *key, *value; /* as written, without the blanks around them */
    unsigned line;
};

struct jobfile_list {
    struct jobfile_entry *at;
    size_t n;
};

struct jobfile {
    char *name; /* the path, for messages */
    /* Valid after jobfile_parse: the section [job], variables put in, in the order of
     * the file, with its one "command". */
    struct jobfile_list job;
    struct jobfile_list set; /* the section [set], and "here" */
};

/* Reads a job file from memory. `sets` are "name=value", each in place of a default
 * from [set]. `f` is to be released only when this returns 0. */
int jobfile_parse(struct jobfile *f, const char *name, const char *text, size_t len,
                  const char *const *sets, size_t nsets, struct qerr *e);

/* The same from a file: Q_EINPUT when it cannot be read. */
int jobfile_read(struct jobfile *f, const char *path, const char *const *sets,
                 size_t nsets, struct qerr *e);

void jobfile_release(struct jobfile *f);

/* Its command. */
const struct jobfile_entry *jobfile_command(const struct jobfile *f);

/* Sets the options of `job` (fresh from job_init) to what the file says. */
int jobfile_options(const struct jobfile *f, struct job *job, struct qerr *e);

/* Goes through its inputs: the first one when `last` is NULL, NULL at the end. */
const struct jobfile_entry *jobfile_input(const struct jobfile *f,
                                          const struct jobfile_entry *last);

#endif
