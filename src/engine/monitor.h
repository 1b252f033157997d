/*
 * monitor: shows on standard error how far a run is: on a terminal a line that moves,
 * in a log a line now and then. Main's, but for monitor_end.
 *
 * Where the answers themselves go to the terminal there is no moving line: they are the
 * sign of life, and would run into it.
 */
#ifndef QUERN_ENGINE_MONITOR_H
#define QUERN_ENGINE_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/progress.h"

struct run;

enum monitor_mode { MONITOR_OFF, MONITOR_LINE, MONITOR_LOG };

struct monitor {
    enum monitor_mode mode;
    unsigned look; /* of enum progress_look */
    uint64_t every_ns, due_ns;
    unsigned tick;
    uint64_t total; /* records, or 0 */
    struct progress_eta eta;
    pthread_mutex_t lock; /* of `ended`, and of drawing */
    bool ended;
};

/* How a monitor shows itself, from what is asked for and where the output goes. */
struct monitor_place {
    const char *when; /* --progress */
    bool quiet;
    bool terminal; /* standard error is one, and understands escapes */
    bool mixed;    /* answers go to that terminal, too */
};
enum monitor_mode monitor_mode(const struct monitor_place *p);

/* The same for this process: `mixed` when its answers go to standard output. And what
 * the terminal can show (enum progress_look), how wide it is, and whether this process
 * is the one that it belongs to now. */
enum monitor_mode monitor_mode_here(const char *when, bool quiet, bool to_stdout);
unsigned monitor_look(void);
unsigned monitor_columns(void);
bool monitor_in_front(void);

/* How often it shows itself, with that --heartbeat; 0: never. */
uint64_t monitor_every_ns(enum monitor_mode mode, uint64_t heartbeat_ns);

/* Before the threads start. */
void monitor_open(struct run *r);

/* When it wants to be called (qclock_ns), or UINT64_MAX; and being called. */
uint64_t monitor_due(const struct run *r);
void monitor_show(struct run *r);

/* What there is to say when someone asks (USR2): the summary so far. */
void monitor_tell(struct run *r);

/* Nothing is shown any more, and the line is gone. Any thread, also again. */
void monitor_end(struct run *r);

void monitor_close(struct run *r);

#endif
