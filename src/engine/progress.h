/*
 * progress: what a run looks like from outside while it lasts: how far it is, when it
 * may be done, and the lines that say so. Pure functions of a state; monitor.c gathers
 * the state and shows the lines.
 *
 * The work that is left is counted in what its input is made of (bytes, integers,
 * documents), each kind at the price in kernel time that it has had so far. Where the
 * price of late differs from the price over the whole run, or a task is under way for
 * long, the time that is left is not one number but two.
 */
#ifndef QUERN_ENGINE_PROGRESS_H
#define QUERN_ENGINE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "core/meter.h"

/* --- when it will be done --- */

/* What has been seen at a moment of the run. */
struct progress_seen {
    double seconds; /* since the start */
    uint64_t records;
    uint64_t answered[METER_KINDS], busy_ns[METER_KINDS];
};

enum { PROGRESS_PAST = 10 }; /* moments kept, a second or more apart */

struct progress_eta {
    bool known;                /* how much there is in all */
    double total[METER_KINDS]; /* of this run */
    struct progress_seen past[PROGRESS_PAST];
    unsigned n;
};

/* Call it a few times a second, with what is seen now. */
void progress_remember(struct progress_eta *eta, const struct progress_seen *now);

/* The share of the input that is answered (0 ... 1), or -1 when it is not known. */
double progress_share(const struct progress_eta *eta, const struct progress_seen *now);

/* The seconds that are left, between *low and *high; false when nothing honest can be
 * said. `longest` is for how many seconds the oldest task is under way: who has
 * taken so long takes as long again, as far as anyone knows. */
bool progress_left(const struct progress_eta *eta, const struct progress_seen *now,
                   double longest, double *low, double *high);

/* Records a second, of late. */
double progress_rate(const struct progress_eta *eta, const struct progress_seen *now);

/* --- what it looks like --- */

struct progress {
    double seconds;
    uint64_t records, bad;
    uint64_t total;   /* records there are in all, or 0 */
    double share;     /* of the input; below 0: not known */
    double rate;      /* records a second */
    double low, high; /* seconds left; below 0: not known */

    uint64_t todo, fetched,
        failed; /* transfers: known of, ended, badly; todo 0: none */
    uint64_t inputs, inputs_answered; /* what became of them */
};

enum progress_look {
    PROGRESS_COLOUR = 1, /* the terminal shows colours */
    PROGRESS_UTF8 = 2    /* ... and letters beyond ASCII */
};

/* Appends one line without its end, at most `columns` wide: picture `tick` of the
 * spinner, and of the rest what there is room for. */
void progress_line(const struct progress *p, unsigned tick, unsigned columns,
                   unsigned look, struct qbuf *out);

/* Appends the same for a log. */
void progress_plain(const struct progress *p, struct qbuf *out);

/* --- what it came to --- */

struct progress_summary {
    uint64_t records, earlier, bad, unfinished; /* `earlier`: by the runs before */
    uint64_t transfers, retries, bytes;         /* of what was fetched; 0: nothing */
    double seconds, cpu_seconds;
    uint64_t peak_bytes;
    const char *digest; /* of the output so far, or NULL */
};

/* Takes over what was fetched. */
void progress_sum_fetched(struct progress_summary *s, const struct meter_fetch *from);

/* Appends "N records in S s (R a second), B bad, U unfinished; ...". */
void progress_sum_up(const struct progress_summary *s, struct qbuf *out);

#endif
