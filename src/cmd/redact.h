/*
 * redact: what a run was told, as statistics, tables and reports may repeat it: without
 * what may be a secret. That is the value of an option marked QOPT_SECRET, and what
 * stands in front of the host of a URL.
 */
#ifndef QUERN_CMD_REDACT_H
#define QUERN_CMD_REDACT_H

#include "base/qbuf.h"
#include "base/qopt.h"

/* Appends a text, such as an INPUT, without the names and passwords of its URLs. */
void redact_text(const char *text, struct qbuf *out);

/* Appends the value of an option. */
void redact_value(const struct qopt *o, const char *value, struct qbuf *out);

/* Appends an argument of a command line of any command. `before` is the argument in
 * front of it, or NULL: "--header" makes a secret of what follows. */
void redact_argument(const char *before, const char *word, struct qbuf *out);

/* Appends a word as a shell would need it. */
void redact_quote(const char *word, struct qbuf *out);

#endif
