/*
 * part: what a worker makes of a span: rendered bytes, diagnostics, counts. It travels
 * from the worker to the committer (also from one rank to another), which writes
 * it in the order of the input. Line numbers are relative to the span, because only the
 * committer knows how many lines came before. Nothing in it points anywhere: offsets
 * lead into its own buffers.
 */
#ifndef QUERN_ENGINE_PART_H
#define QUERN_ENGINE_PART_H

#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "base/qlog.h"

/* Bytes kept of a bad token: what a diagnostic shows, and one to tell that it goes on.
 */
enum { TOKEN_KEPT = QLOG_TOKEN_BYTES + 1 };

struct bad_record {
    size_t at;       /* offset in `out` of the row it would have been */
    uint64_t before; /* good records of the part in front of it */
    uint64_t line;   /* newlines, or documents, of the span in front of it */
    uint64_t inside; /* the line inside its document, from 1; 0: no certain one */
    enum { BAD_AT_LINE, BAD_DOCUMENT, BAD_INPUT } place; /* what is said to be bad */
    size_t what;  /* offset in `tokens` of a terminated string */
    size_t token; /* offset in `tokens`, too */
    uint32_t len; /* bytes kept there, at most TOKEN_KEPT; 0: no token is shown */
};

struct part {
    struct qbuf out;    /* rendered rows */
    struct qbuf fold;   /* the part's state, when the kernel folds */
    struct qbuf tokens; /* of the bad records, and what is wrong with them */
    struct bad_record *bad;
    size_t nbad, bad_cap;
    /* With -o DIR/, instead of `out`: its bytes are in the shard of another rank. */
    unsigned kept_by;
    uint64_t kept_at, kept_len, kept_hash; /* len 0: they are not */
    uint64_t records;                      /* good ones */
    uint64_t unfinished;                   /* of them */
    uint64_t probable;                     /* of them */
    uint64_t lines;   /* newlines, or documents, in what was answered */
    uint64_t busy_ns; /* time spent in the kernel */
    struct qerr err;  /* what ended the work here, if anything did */
};

void part_init(struct part *p);
void part_release(struct part *p);

/* Empties it and keeps the memory. */
void part_clear(struct part *p);

/* Gives back the memory of what is rendered that is not in use, if it is much. */
void part_trim(struct part *p);

/* Bytes of memory it holds. */
size_t part_size(const struct part *p);

/* Adds a diagnostic at the end of what is rendered so far. Of `token` bad->len bytes
 * are there. */
int part_add_bad(struct part *p, const struct bad_record *bad, const char *what,
                 const char *token, struct qerr *e);

/* What is wrong with it. */
static inline const char *part_what(const struct part *p, const struct bad_record *bad)
{
    return p->tokens.data + bad->what;
}

#endif
