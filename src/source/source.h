/*
 * source: the contract between the reader and where records come from, and the table of
 * sources. Adding one is a file in source/ and a row in source.c.
 *
 * A source is opened, asked for chunks by one thread (the reader's) until it has no
 * more, and closed. `next` may block: nobody else waits in that thread. What the
 * sources of a run share (the pool that fetches URLs, ahead of their turn) is
 * `struct sources`.
 */
#ifndef QUERN_SOURCE_SOURCE_H
#define QUERN_SOURCE_SOURCE_H

#include "base/qbuf.h"
#include "base/qerr.h"
#include "core/chunk.h"
#include "core/job.h"

struct sources;
struct meters;

struct source {
    const char *name;

    /* Whether the input can be read, as far as can be told before the run starts. */
    int (*check)(const struct input *in, struct qerr *e);

    /* Opens it at a position that an earlier reading gave ({0, 0}: the start). `all` is
     * NULL where there are no URLs. */
    int (*open)(void **state, struct sources *all, const struct input *in,
                const struct position *at, struct qerr *e);

    /* Appends what tells whether the input has changed since an earlier run (besides
     * its own text: the size and time of a file). Returns 0; 1 when the input cannot be
     * read again from a position (a stream); or a negative qcode. */
    int (*ident)(const struct job *job, const struct input *in, struct qbuf *out,
                 struct qerr *e);

    /* Fills `c`, whose text has room for CHUNK_TEXT bytes between its pads. Returns 1,
     * or 0 at the end, or a negative qcode; data that came before an error has been
     * returned by then. */
    int (*next)(void *state, struct chunk *c, struct qerr *e);

    void (*close)(void *state);
};

/* What the sources of a run share, from before the reader starts until it has ended;
 * NULL when the job has no URLs, and no files about them. Its inputs are opened one
 * after the other, each at most once, with the `all` of that run. `whole`: nothing of a
 * URL's body is handed on before all of it has come. Opens the files of --report and
 * --failed, and leaves what is in them: it is not yet known whether there will be a
 * run. Waits for who reads them, if they are FIFOs. */
int sources_open(struct sources **all, const struct job *job, bool whole,
                 struct qerr *e);

/* Whether --report or --failed is asked for. */
bool sources_have_files(const struct job *job);

/* The run begins, or `goes_on`: then those files are kept. Transfers are entered in the
 * meters (NULL: none). NULL: nothing. */
int sources_begin(struct sources *all, bool goes_on, struct meters *meters,
                  struct qerr *e);

/* NULL: nothing. Frees it also when it fails: --report or --failed is not whole. */
int sources_close(struct sources *all, struct qerr *e);

/* The run ends: a source that waits for the network (in `open`, `next`) comes back at
 * once with -Q_ESTOP, and nothing is fetched any more. Any thread, any number of times.
 */
void sources_stop(struct sources *all); /* NULL: nothing */

/* How far the URLs are, at any time. Any thread. */
struct sources_counts {
    uint64_t urls; /* in all; 0: there are none */
    uint64_t active, done, failed, retries, bytes;
};
struct sources_counts sources_count(struct sources *all); /* NULL: none */

/* The source that reads an input of this kind. */
const struct source *source_for(enum input_kind kind);

extern const struct source source_file;    /* files and standard input */
extern const struct source source_literal; /* records given as arguments */
extern const struct source source_range;   /* A..B */
extern const struct source source_url;

#endif
