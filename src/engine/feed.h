/*
 * feed: the inputs of a job as one sequence of chunks, as its kernel wants them. It
 * hides which source an input has, where reading begins in a resumed run, and what
 * becomes of an input that ends in a failure. Used by one thread.
 */
#ifndef QUERN_ENGINE_FEED_H
#define QUERN_ENGINE_FEED_H

#include <stdbool.h>

#include "base/qerr.h"
#include "core/chunk.h"
#include "core/job.h"
#include "kernel.h"
#include "source/source.h"

struct feed {
    const struct job *job;
    struct sources *sources; /* or NULL: there are no URLs */
    enum accepts accepts;
    unsigned input;              /* the next one, or the one that is open */
    struct position at;          /* where to open it */
    const struct source *source; /* of the one that is open, or NULL */
    void *state;
};

/* Begins at position `at` of an input, as an earlier run left it ({0, 0}: its start).
 */
void feed_init(struct feed *f, const struct job *job, struct sources *sources,
               enum accepts accepts, unsigned input, const struct position *at);

/* Fills `c`, with its input: 1, 0 behind the last input, or a negative qcode; what came
 * before an error has been handed on by then. Streams, documents and URLs that cannot
 * be read to their end give a chunk that has failed, not an error; behind every stream
 * comes a chunk at its end, mostly empty. May block; -Q_ESTOP when sources_stop woke
 * it. */
int feed_next(struct feed *f, struct chunk *c, struct qerr *e);

void feed_release(struct feed *f);

/* Reads a document, input number `input`, as a text into `c`, which may have failed
 * then. Any thread. Errors are those of memory. */
int feed_document(const struct job *job, unsigned input, struct chunk *c,
                  struct qerr *e);

#endif
