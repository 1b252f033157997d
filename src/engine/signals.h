/*
 * signals: INT, TERM, USR1 and USR2 as events for the main thread, beside the end of
 * the run. They are blocked in all threads that are started after signals_open, so that
 * no system call is interrupted and no handler runs. Those that were ignored before
 * stay so.
 */
#ifndef QUERN_ENGINE_SIGNALS_H
#define QUERN_ENGINE_SIGNALS_H

#include <signal.h>

#include "base/qerr.h"

struct signals {
    int signal_fd, done_fd;
    sigset_t old; /* the mask to go back to */
};

enum signals_event {
    SIGNALS_NOTHING = 0, /* the time is up */
    SIGNALS_DONE = -1    /* signals_done was called */
                         /* > 0: the number of a signal */
};

int signals_open(struct signals *s, struct qerr *e);
void signals_close(struct signals *s);

/* The same, but the signals stay blocked: what comes late must not change how a process
 * ends that has done its work. */
void signals_end(struct signals *s);

/* Waits for an event, at most `ms` milliseconds; -1: without limit. Main only. */
int signals_wait(struct signals *s, int ms);

/* In between, INT, TERM and USR1 do what they did before: for a call that may block and
 * that nothing is lost with. */
void signals_let(const struct signals *s);
void signals_hold(const struct signals *s);

/* The run has ended. Any thread, once. */
void signals_done(struct signals *s);

#endif
