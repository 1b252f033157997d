/*
 * job: what is to be done, resolved: a command, its inputs, and the values of all its
 * options. One text form (job_text) serves as job file, as message to other ranks, and
 * as the identity of a run that is resumed.
 *
 * A job knows the option tables it was made from (shared options and the command's
 * own); reading an option that no table has is a bug, not an error.
 */
#ifndef QUERN_CORE_JOB_H
#define QUERN_CORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qopt.h"
#include "base/qwire.h"

enum input_kind {
    INPUT_STREAM, /* "-": standard input */
    INPUT_FILE,
    INPUT_RANGE,   /* "A..B" */
    INPUT_LITERAL, /* records given as arguments, one a line in text */
    INPUT_URL      /* http:// or https:// */
};

struct input {
    enum input_kind kind;
    char *text;       /* the path, the URL, the range as "A..B" in plain decimal, or the
                         records, each ended by a newline; terminated */
    size_t len;       /* of text */
    const char *name; /* for people: the path, the URL (without a password), "-", or
                         "argument" */
    uint64_t first;   /* the number of its first line: 1; of records among the arguments
                         their place there, whatever the others are */
    unsigned list; /* which of the job's lists names it, from 1; 0: none does. Not sent
                      to other ranks */
    unsigned line; /* ... in that line */
};

enum { JOB_TABLES = 6 };

struct job {
    const char *command;                   /* borrowed */
    uint64_t nwords;                       /* inputs, each record counted */
    const struct qopt *tables[JOB_TABLES]; /* each ended by a NULL name; NULL: none */
    struct job_value *values;              /* in the order of the tables */
    size_t nvalues;
    struct input *inputs;
    size_t ninputs;
    char **lists; /* names of @FILEs */
    unsigned nlists;
    unsigned list, line; /* of the inputs that are added now */
};

struct job_value {
    const struct qopt *opt;
    char **texts;   /* as given; count > 1 only for QOPT_REPEAT */
    size_t count;   /* 0: not given, the default holds */
    uint64_t value; /* of the last text, or of the default */
};

/* `tables` holds up to JOB_TABLES borrowed tables. All options have their defaults. */
int job_init(struct job *j, const char *command, const struct qopt *const *tables,
             size_t ntables, struct qerr *e);
void job_release(struct job *j);

/* The row of an option by long name or by letter, or NULL. */
const struct qopt *job_find(const struct job *j, const char *name);
const struct qopt *job_find_letter(const struct job *j, char letter);

/* Sets an option from its text; a value given again replaces (or, QOPT_REPEAT, adds).
 * On failure the value is what it was. */
int job_set(struct job *j, const struct qopt *o, const char *text, struct qerr *e);

/* Appends an input; copies the text (of a literal: one record, without newline).
 * Literals that follow each other are joined. */
int job_add_input(struct job *j, enum input_kind kind, const char *text,
                  struct qerr *e);

/* The inputs that are added until job_end_list are of this list; j->line, from 1, is
 * whose line. */
int job_begin_list(struct job *j, const char *name, struct qerr *e);
void job_end_list(struct job *j);

/* Says in the error where the input was named, if a list did. Returns its code. */
int job_add_place(const struct job *j, const struct input *in, struct qerr *e);

/* Values. An option that was not given has its default; without one it is 0 or NULL. */
bool job_flag(const struct job *j, const char *name);
uint64_t job_count(const struct job *j, const char *name);   /* COUNT, SIZE, DURATION */
const char *job_word(const struct job *j, const char *name); /* TEXT, CHOICE */
bool job_given(const struct job *j, const char *name);

/* The i-th value of an option of QOPT_REPEAT; NULL behind the last. */
const char *job_word_at(const struct job *j, const char *name, size_t i);

/* Appends what a resumed run must have in common with the one it continues: the version
 * of the program, the command, the options that change the result (with their
 * defaults), the inputs. A "key = value" a line, always in the same order; backslash
 * and newline in a value are escaped as in C. */
void job_identity(const struct job *j, struct qbuf *out);

/* Everything but the tables, as a message to other ranks; and back, into a job that was
 * initialized with the same command and tables. */
void job_pack(const struct job *j, struct qbuf *out);
int job_unpack(struct job *j, struct qwire *from, struct qerr *e);

#endif
