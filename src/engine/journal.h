/*
 * journal: what makes a run restartable. FILE.quern beside the output FILE says what is
 * being done, and how far it is: which part of the input is settled, and where the
 * output that belongs to it ends. docs/formats.md describes the format. Of a folder
 * DIR/ of shards it is DIR/.quern, and what is called the output here is DIR/manifest.
 *
 * The journal is locked (flock) from journal_open to journal_close. A mark is appended
 * only when the output in front of it is durable. All calls come from one thread at a
 * time.
 */
#ifndef QUERN_ENGINE_JOURNAL_H
#define QUERN_ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qhash.h"
#include "core/chunk.h"

/* How far a run is. */
struct mark {
    unsigned input;         /* the one that the last settled part came from ... */
    struct position at;     /* ... and where it goes on */
    uint64_t line;          /* number of the line that begins there, from 1 */
    uint64_t out;           /* bytes of output that belong to what is settled ... */
    char digest[QHASH_HEX]; /* ... and their XXH3-128 */
    uint64_t records, bad, unfinished, probable; /* settled so far */
    struct qbuf fold; /* of a kernel that folds: the total so far */
};

enum journal_status {
    JOURNAL_NONE,       /* there is none, or nothing was settled before it was lost */
    JOURNAL_UNFINISHED, /* a run that can be continued */
    JOURNAL_COMPLETE,   /* a run that ended by itself */
    JOURNAL_FOREIGN     /* of another version of the format */
};

struct journal;

/* Opens and locks the journal of output `path` and reads it; makes no file where there
 * is none. Refuses (Q_EUSAGE) what another run holds, what is not a journal, and what
 * is damaged before its end. */
int journal_open(struct journal **j, const char *path, struct qerr *e);

/* The same for a run that begins in any case (--restart): what the journal says, and
 * whether it is whole, does not matter, and the status is JOURNAL_NONE. */
int journal_open_anew(struct journal **j, const char *path, struct qerr *e);

enum journal_status journal_status(const struct journal *j);

/* The last mark; its line is 0 where there is none yet. */
const struct mark *journal_mark(const struct journal *j);

/* Refuses (Q_EUSAGE), saying what differs, when the journal is of another job. */
int journal_check_job(const struct journal *j, const char *identity, struct qerr *e);

/* Asked every now and then while something takes long: whether to give up (Q_ESTOP). */
struct interrupt {
    bool (*asked)(void *state);
    void *state;
};

/* A mark as a line of the journal has it; `complete`: nothing comes behind it. */
void journal_put_mark(const struct mark *m, bool complete, struct qbuf *text);

/* For an output that keeps its marks itself: `text` is the last one, or "". What it
 * holds is as far as that mark, which may be one further than the journal's, and
 * becomes the journal's. Refuses (Q_EUSAGE) when there is none, or another behind an
 * end. */
int journal_adopt(struct journal *j, const char *text, struct qerr *e);

/* Refuses (Q_EUSAGE) an output that does not begin with the bytes that the last mark
 * stands behind, or of a complete run is not just these. `hash` takes them in, to go on
 * with. `interrupt` may be NULL. */
int journal_check_output(const struct journal *j, struct qhash *hash,
                         const struct interrupt *interrupt, struct qerr *e);

/* Begins a new journal for the job, in place of what was there, and makes the output if
 * it is not there. Refuses (Q_EUSAGE) when another run has begun one in the meantime.
 */
int journal_begin(struct journal *j, const char *identity, struct qerr *e);

/* Goes on behind the last mark: cuts off a torn record. */
int journal_continue(struct journal *j, struct qerr *e);

/* Appends a mark (complete: the last one of a run that ended by itself) and makes it
 * durable. */
int journal_append(struct journal *j, const struct mark *m, bool complete,
                   struct qerr *e);

/* Removes the file: the output is written by a run that has no journal. */
int journal_remove(struct journal *j, struct qerr *e);

void journal_close(struct journal *j);

#endif
