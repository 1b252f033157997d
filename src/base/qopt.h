/*
 * qopt: options as data. One table row is an option on the command line, a key in a job
 * file, a paragraph of --help and of the manual.
 *
 * A row says what kind of value is valid; parsing a value checks it against the row, so
 * that code that reads options never meets a bad one.
 */
#ifndef QUERN_BASE_QOPT_H
#define QUERN_BASE_QOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"

enum qopt_kind {
    QOPT_FLAG,    /* no value; "yes" or "no" in a job file */
    QOPT_TEXT,    /* any string but the empty one */
    QOPT_CHOICE,  /* one of choices, separated by '|' */
    QOPT_COUNT,   /* an integer between min and max */
    QOPT_SIZE,    /* bytes: an integer with an optional K, M, G (powers of 1024) */
    QOPT_DURATION /* seconds, or a number with ms, s, m, h; kept in nanoseconds */
};

enum qopt_effect {
    QOPT_RESULT = 1, /* it changes the output: a resumed run must have the same */
    QOPT_HIDDEN = 2, /* for tests: not in the help */
    QOPT_SECRET = 8, /* its value may be a secret: not in statistics and reports */
    QOPT_REPEAT = 4  /* may be given more than once; the values are kept in order */
};

struct qopt {
    const char *name; /* without "--" */
    char letter;      /* of the short form, or 0 */
    enum qopt_kind kind;
    unsigned effect;
    const char *value;    /* name of the value in the help; the choices of a CHOICE */
    const char *fallback; /* the default, in the form a user types it; NULL: unset */
    uint64_t min, max;    /* of a COUNT or SIZE; max 0: no limit */
    const char *help;
};

/* Checks `text` against the row and gives its value: a COUNT, a SIZE in bytes, a
 * DURATION in nanoseconds, a FLAG as 0 or 1, a CHOICE as its index, a TEXT as 0. */
int qopt_parse(const struct qopt *o, const char *text, uint64_t *value, struct qerr *e);

/* The name in a list of names nearest to `wrong`, or NULL when none is near enough to
 * be what was meant. `next` gives the names, NULL at the end. */
const char *qopt_nearest(const char *wrong, const char *(*next)(void *state),
                         void *state);

#endif
