/*
 * sink: the contract between the engine and where results go, and the table of sinks,
 * one for each --format. Adding one is a file in sink/ and a row in sink.c.
 *
 * `header`, `render` and `bad` are pure and run in the workers (`bad` in the
 * committer); they make bytes. The others are called by one thread, in order: open,
 * write..., close.
 */
#ifndef QUERN_SINK_SINK_H
#define QUERN_SINK_SINK_H

#include <stdbool.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "core/job.h"
#include "core/rows.h"

/* Where an output goes. All borrowed, until the sink is closed. */
struct sink_target {
    const char *path; /* NULL: standard output */
    uint64_t keep;    /* of a file that is there so many bytes stay; the rest is cut */
    const struct schema *schema;
    bool timed;
    bool journaled; /* marks will be made */
    const struct job *job;
};

struct sink {
    const char *name; /* as in --format */

    /* Its bytes may also be written as shards in a folder: then only the functions that
     * make bytes are called. */
    bool shards;

    /* NULL, or whether it can be opened as far as options tell; before anything is
     * written. */
    int (*check)(const struct sink_target *target, struct qerr *e);

    /* What stands in front of all rows, or NULL. */
    void (*header)(const struct schema *schema, bool timed, struct qbuf *out);

    /* Rows [from, to) that are kept. */
    void (*render)(const struct rows *rows, size_t from, size_t to, struct qbuf *out);

    /* The row of a bad record; NULL if the format has none. */
    void (*bad)(const struct schema *schema, bool timed, const char *error,
                struct qbuf *out);

    int (*open)(void **state, const struct sink_target *target, struct qerr *e);
    int (*write)(void *state, const char *bytes, size_t n, struct qerr *e);

    /* Makes durable what is written. `mark` (or NULL) is how far the run is: an output
     * that is no plain file keeps it, together with what is written; the journal has
     * it, too. */
    int (*mark)(void *state, const char *mark, struct qerr *e);

    /* Of an output that keeps marks, before it is opened: appends the last one, or
     * nothing when there is none; and forgets it, for a run that begins. NULL: the
     * output is a plain file, of which a run knows the bytes. */
    int (*recall)(const struct job *job, struct qbuf *mark, struct qerr *e);
    int (*forget)(const struct job *job, struct qerr *e);

    /* Frees the state, also when it fails. */
    int (*close)(void *state, struct qerr *e);
};

/* The sink of a --format, or NULL. */
const struct sink *sink_for(const char *format);

/* Checks the target, and refuses options that are for another sink. */
int sink_check(const struct sink *sink, const struct sink_target *target,
               struct qerr *e);

extern const struct sink sink_text;
extern const struct sink sink_tsv;
extern const struct sink sink_csv;
extern const struct sink sink_jsonl;
extern const struct sink sink_sqlite;

#endif
