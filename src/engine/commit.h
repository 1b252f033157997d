/*
 * commit: takes finished parts in the order of the input, writes them, says what was
 * bad, folds, counts. Everything that depends on order happens here, in one thread:
 * absolute line numbers, --strict and --max-errors, the diagnostics.
 */
#ifndef QUERN_ENGINE_COMMIT_H
#define QUERN_ENGINE_COMMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/qhash.h"
#include "core/chunk.h"
#include "core/job.h"
#include "engine/journal.h"
#include "engine/part.h"
#include "engine/shards.h"
#include "kernel.h"
#include "sink/sink.h"

/* What a run came to. */
struct tally {
    uint64_t records;    /* good ones, committed */
    uint64_t bad;        /* bad ones */
    uint64_t unfinished; /* good ones without a complete answer */
    uint64_t probable;   /* good ones said to be prime without proof */
    uint64_t busy_ns;    /* time in the kernel, all workers */
    bool halted;         /* --strict or --max-errors ended it */
};

struct restart;

struct commit {
    const struct job *job;
    const struct kernel *kernel;
    const struct kernel_state *state;
    const struct sink *sink;
    void *out_state;         /* the sink's; not used ... */
    struct shards *shards;   /* ... with -o DIR/ */
    bool timed;              /* rows have seconds; the result of a fold has none */
    struct journal *journal; /* NULL: none */
    struct qhash *hash;      /* of the output; NULL: nobody wants to know */
    struct qhash *own_hash;  /* the same, when there is no journal that has it */
    pthread_mutex_t hashing; /* of the hash, which others may ask for */
    uint64_t max_errors;     /* more bad records than that end the run */

    unsigned input;      /* the one the last part came from, ... */
    struct position at;  /* ... where it goes on, ... */
    uint64_t line;       /* ... and the line (document) that begins there */
    uint64_t input_ns;   /* time in the kernel for that input, in this run */
    bool input_failed;   /* it could not be read to its end */
    uint64_t out;        /* bytes of output (of the manifest) so far */
    uint64_t marked_ns;  /* when the last mark was made ... */
    uint64_t unmarked;   /* ... and the bytes written since */
    uint64_t mark_ns;    /* least time between marks */
    struct qbuf total;   /* of a kernel that folds */
    struct qbuf scratch; /* bytes and messages in the making */
    struct tally tally;
};

/* Opens the sink; writes its header, or goes on behind the mark of a journal. */
int commit_init(struct commit *c, const struct job *job, const struct kernel *kernel,
                const struct kernel_state *state, const struct sink *sink,
                const struct restart *restart, struct qerr *e);

/* The next part in order, from input number `input`, which goes on at `after`. When it
 * has an error of its own, that is returned once what stands in front of it is written.
 * With tally.halted set no further part may follow. */
int commit_part(struct commit *c, unsigned input, const struct position *after,
                const struct part *part, struct qerr *e);

/* A part out of order: it has no bad records. Its lines count when its turn comes. */
int commit_early(struct commit *c, const struct part *part, struct qerr *e);

/* Only the line count of a part that went out early. */
void commit_lines(struct commit *c, unsigned input, uint64_t lines);

/* All parts are in: writes the result of a fold. */
int commit_result(struct commit *c, struct qerr *e);

/* Journals how far the run is: `complete` when it has ended by itself. Called after the
 * last part, whatever ended the run. */
int commit_mark(struct commit *c, bool complete, struct qerr *e);

/* The XXH3-128 of the output so far; false when there is none. Any thread, from
 * commit_init to commit_release; in a commit of zeros, too. */
bool commit_digest(struct commit *c, char hex[QHASH_HEX]);

/* Says how many diagnostics were held back, closes the sink. The tally stays. */
int commit_release(struct commit *c, struct qerr *e);

#endif
