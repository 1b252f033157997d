/*
 * help: --help and --version, made from the same tables that the command line is read
 * with, so that they cannot differ. 80 columns.
 */
#ifndef QUERN_CMD_HELP_H
#define QUERN_CMD_HELP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qopt.h"

/* What is said of a command. All borrowed. */
struct help_topic {
    const char *name;
    const char *summary;        /* one line, for the list of commands */
    const char *description;    /* paragraphs between empty lines; they are filled anew,
                                    but a line that begins with a blank stays as it is;
                                    NULL or "": the summary */
    const char *operands;       /* what stands behind the options, or NULL */
    bool inputs;                /* it takes [INPUT...], behind the operands */
    bool lists;                 /* an INPUT that is no URL is a list of URLs:
                                   options_fetch are its own, too */
    bool numbers;               /* an INPUT may be a number: options_numbers and
                                   options_columns hold */
    bool lines;                 /* its records are lines of numbers: the first hold */
    bool documents;             /* its records are documents: options_documents hold */
    bool shared;                /* options_shared hold */
    const struct qopt *options; /* its own, or NULL */
};

/* quern --help; `topics` are the commands in the order of the table. */
void help_of_program(const struct help_topic *topics, size_t n, struct qbuf *out);

/* quern COMMAND --help */
void help_of_command(const struct help_topic *topic, struct qbuf *out);

/* quern --version: the version, then what is built in. */
void help_version(struct qbuf *out);

/* Writes a finished text to standard output. */
int help_print(const struct qbuf *text, struct qerr *e);

#endif
