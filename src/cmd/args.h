/*
 * args: a command line becomes a job. Called once, by the command, before any thread.
 */
#ifndef QUERN_CMD_ARGS_H
#define QUERN_CMD_ARGS_H

#include <stdbool.h>

#include "base/qerr.h"
#include "core/job.h"

enum args_answer {
    ARGS_RUN = 0,     /* the job is filled: run it */
    ARGS_HELP = 1,    /* --help was met: print the command's help */
    ARGS_VERSION = 2, /* --version was met */
};

/* What the arguments that are no options are. */
struct args_words {
    bool numbers; /* an INPUT may be an integer, a range or an expression (the job
                     then has options_numbers) */
    bool lists;   /* an INPUT that is no URL names a list of URLs, which is left to the
                     command: it becomes an INPUT_FILE or INPUT_STREAM */
    const char *operand; /* the option that the first of them stands for, when it is not
                            given; or NULL: all are INPUTs */
};

enum { ARGS_URLS_MAX = 1000000 }; /* that one argument may stand for */

/* Whether an argument is a URL. */
bool args_is_url(const char *word);

/* Fills the values and inputs of `job` (fresh from job_init) from the arguments behind
 * the command word. Without an INPUT standard input is the input.
 * Returns an args_answer or a negative qcode; unless it is ARGS_RUN the job is filled
 * only in part. Says on stderr when an existing file is not read because its name is a
 * number. */
int args_parse(struct job *job, int argc, char **argv, const struct args_words *are,
               struct qerr *e);

/* Its three parts, for INPUTs that may come from elsewhere. The first sets the options;
 * `words` (room for argc) gets the other arguments, `nwords` is their number. */
int args_options(struct job *job, int argc, char **argv, const char **words,
                 size_t *nwords, struct qerr *e);

/* The second sets the operand, if there is one to set, to words[0], which is then no
 * INPUT: returns how many words are not (0 or 1), or a negative qcode. */
int args_operand(struct job *job, const char *const *words, size_t nwords,
                 const struct args_words *are, struct qerr *e);

/* The third adds one INPUT. What it may be depends on the job's options. A list
 * (@FILE) is read, and its inputs are added. */
int args_add_input(struct job *job, const char *word, const struct args_words *are,
                   struct qerr *e);

#endif
