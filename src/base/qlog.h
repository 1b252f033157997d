/*
 * qlog: talk on stderr. Every line begins with "quern: " and leaves in one write(2) of
 * at most 4096 bytes, so that lines of several threads (and, into a pipe, of several
 * processes) never mix. Control characters are escaped: one call is one line.
 *
 * On a terminal there may be a status line besides: it stays below all that is said
 * until it is replaced or erased.
 *
 * What is said depends on the level, which main sets once, before any thread starts:
 * errors and warnings always, notes unless quiet, details only when verbose. Failure to
 * write is ignored, and errno is kept.
 */
#ifndef QUERN_BASE_QLOG_H
#define QUERN_BASE_QLOG_H

#include <stddef.h>

enum qlog_level { QLOG_QUIET, QLOG_NORMAL, QLOG_VERBOSE };

void qlog_set_level(enum qlog_level level);
enum qlog_level qlog_level(void);

void qlog_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void qlog_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void qlog_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void qlog_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

enum { QLOG_STATUS = 1024 };

/* Shows `line` (no control characters but escapes that set colours; cut at QLOG_STATUS
 * bytes) as the status line, in place of the one before; NULL erases it. For terminals
 * that understand ANSI escapes only. Any thread. */
void qlog_status(const char *line);

enum {
    QLOG_TOKEN_BYTES = 40,                      /* of a token are shown */
    QLOG_TOKEN_SIZE = 4 * QLOG_TOKEN_BYTES + 4, /* room that qlog_token needs */
};

/* Writes a token of somebody's data for people: what is not printable ASCII, and the
 * backslash, as \xHH, and "..." for what lies beyond QLOG_TOKEN_BYTES. Returns `to`. */
const char *qlog_token(char to[QLOG_TOKEN_SIZE], const char *token, size_t len);

#endif
