/*
 * ring: the one place for order, back-pressure and the memory bound.
 *
 * The reader puts chunks in; claimants (workers, other ranks) take spans of them,
 * answer, and give the parts back in any order; the committer takes the parts out in
 * the order of the input. All calls block as long as they must and may come from
 * different threads; one mutex guards everything, held for a few hundred instructions.
 *
 * A slot is a span with its part:
 *
 *   READY  waits to be claimed                       span: ring
 *   BUSY   a claimant works on it                    span, part: that claimant
 *   DONE   answered, waits to be written             part: ring, then the committer
 *   GONE   written out of order, waits for those     nobody
 *          before it (unordered runs only);
 *          neighbours become one
 *
 * Slots stand in a list in the order of the input. A claim cuts a slot in two when it
 * is larger than what was asked for; a claimant that gives back less than it took
 * leaves the rest as a READY slot at the same place. So spans are divisible without end
 * and a few hard records spread over all cores.
 */
#ifndef QUERN_ENGINE_RING_H
#define QUERN_ENGINE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qerr.h"
#include "core/chunk.h"
#include "core/meter.h"
#include "engine/part.h"

struct ring;

struct ring_limits {
    unsigned chunks; /* chunks in memory; the reader waits for one to be free */
    size_t window;   /* bytes of slots that wait for an unfinished one before them */
    size_t texts;    /* bytes in these chunks at which the reader waits, too: documents
                        are not cut, and one may be as long as it likes */
    bool unordered;  /* parts without diagnostics may be taken at once */
    struct meters *meters; /* are told what is answered; or NULL */
};

struct ring_slot {
    /* The claimant's while BUSY. */
    struct span span;
    struct part part;

    /* The ring's. */
    unsigned input; /* of the chunk, which may be in use again when the part is taken */
    struct position after; /* in the input, behind what is answered (DONE) */
    uint64_t chunk;        /* its number: with span.begin, the place in the order */
    struct ring_slot *prev, *next; /* in the order of the input */
    struct ring_slot *queued; /* next of those that are READY, or, when DONE, in the
                                 queue of parts to take at once */
    enum { SLOT_READY, SLOT_BUSY, SLOT_DONE, SLOT_GONE } state;
};

struct ring *ring_new(const struct ring_limits *limits, struct qerr *e);

/* Only when no thread uses it any more. */
void ring_free(struct ring *r);

/* --- the reader --- */

/* An empty chunk to fill, or NULL when the run stops or memory ran out (then in e). */
struct chunk *ring_chunk(struct ring *r, struct qerr *e);

/* Hands the chunk on. */
int ring_put(struct ring *r, struct chunk *c, struct qerr *e);

/* Gives a chunk back unused. */
void ring_drop(struct ring *r, struct chunk *c);

/* No more chunks come; `err` is why, when it is not simply the end. */
void ring_end(struct ring *r, const struct qerr *err);

/* --- claimants --- */

/* How much a claimant asks for, by the kind of the chunk that is next. Of a range it
 * leaves their shares to the other claimants, where it is one `among` several: near the
 * end it gets less, down to 1/16 of what it asks for. */
struct ring_want {
    uint64_t bytes, integers;
    unsigned among;
};

/* How many claimants can be of use: `most`, or fewer when all input is in and holds
 * fewer records. Waits for the first chunk, and then a millisecond for the end: to
 * start (and end) a team of threads for a single number would take longer than the
 * work. */
unsigned ring_width(struct ring *r, unsigned most);

/* The first READY slot, cut down to about `want`; NULL when none will come any more. */
struct ring_slot *ring_claim(struct ring *r, const struct ring_want *want);

/* The same without waiting: NULL when there is none now. */
struct ring_slot *ring_try_claim(struct ring *r, const struct ring_want *want);

/* Gives a claim back as it was, for others. */
void ring_unclaim(struct ring *r, struct ring_slot *s);

/* What a claimant that hands work on to others wants to know. */
struct ring_look {
    uint64_t ready;   /* bytes of text, or else integers or documents, that are READY;
                         whichever the first READY slot has */
    bool ended;       /* no chunks come any more */
    unsigned waiting; /* claimants that found nothing */
};

void ring_look(struct ring *r, struct ring_look *look);

/* The slot is answered up to position `upto` of its span (all, or up to a record). */
void ring_done(struct ring *r, struct ring_slot *s, uint64_t upto);

/* --- the committer --- */

/* The next part to write; NULL when all are written, or on a stop when the finished
 * ones at the head are. *in_order says whether all before it are settled; an
 * out-of-order part has no diagnostics, and comes a second time, in order, with `part`
 * empty but for `lines` (see ring_settle). */
struct ring_slot *ring_take(struct ring *r, bool *in_order);

/* The part is written. Out of order: the slot waits as GONE; else it is free again. */
void ring_settle(struct ring *r, struct ring_slot *s, bool in_order);

/* --- anyone --- */

/* Claims cease, the reader and everyone waiting wakes up. */
void ring_stop(struct ring *r);
bool ring_stopped(struct ring *r);

/* The reader's error, once ring_take has said NULL; Q_OK if there was none. */
struct qerr ring_error(struct ring *r);

#endif
