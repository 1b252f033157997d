/*
 * qerr: errors as values.
 *
 * Every function that can fail takes a `struct qerr *` last and returns 0 or a negative
 * enum qcode. The first error wins: setting an error that is already set does nothing,
 * so cleanup code may fail without hiding the cause. Callers may put context in front
 * (qerr_add), never replace. No function here allocates. Only main prints an error.
 */
#ifndef QUERN_BASE_QERR_H
#define QUERN_BASE_QERR_H

enum qcode {
    Q_OK = 0,
    Q_EUSAGE, /* the user asked for something that is not there: exit status 2 */
    Q_EINPUT, /* an input cannot be read: exit status 3 */
    Q_EIO,    /* the output cannot be written: exit status 3 */
    Q_ENOMEM, /* memory ran out: exit status 3 */
    Q_ECHECK, /* an internal check failed; never ignored: exit status 4 */
    Q_EPIPE,  /* the reader of stdout has gone: exit status 141, silently */
    Q_ESTOP   /* stopped on request: exit status 75, 124 or 128 + signal */
};

struct qerr {
    enum qcode code;
    int sys; /* errno at the failure, or 0 */
    char text[256];
};

#define QERR_INIT                                                                      \
    {                                                                                  \
        Q_OK, 0, ""                                                                    \
    }

/* Sets code and text (printf format) unless `e` already holds an error. Returns -code.
 */
int qerr_set(struct qerr *e, enum qcode code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, and appends ": " and the message of errno value `sys`. Returns -code. */
int qerr_sys(struct qerr *e, enum qcode code, int sys, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the text of an error that is set. Returns -code. */
int qerr_add(struct qerr *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Out of memory, in the house's words. Returns -code. */
static inline int qerr_nomem(struct qerr *e)
{
    int rc = qerr_set(e, Q_ENOMEM, "out of memory");
    if (rc >= 0) /* so that an analyzer sees that no caller goes on with NULL */
        __builtin_unreachable();
    return rc;
}

#endif
