/*
 * wire: what ranks say to each other. Rank 0 has the input and the output; the others
 * compute for it.
 *
 *   HELLO   r -> 0   I am here: build, host, CPUs
 *   JOB     0 -> r   what is to be done, and what the rank must know of the others
 *   READY   r -> 0   so many threads; or why there are none
 *   WORK    0 -> r   tasks: an id and a span, the text of which is in the message or in
 *                    a file that the rank reads itself
 *   RESULT  r -> 0   of tasks: how far it is answered, and the part
 *   RECALL  0 -> r   give back what is not begun (as RESULTs that answer nothing)
 *   SHARD   0 -> r   with -o DIR/: keep what you render in a shard of your own
 *   SYNC    0 -> r   make it durable ...
 *   SYNCED  r -> 0   ... it is; or why not
 *   SIGNAL  r -> 0   the rank was sent a signal
 *   STATS   0 -> r   what have you done (with --stats, at the end) ...
 *   STATS   r -> 0   ... that
 *   BYE     0 -> r   drop everything and leave
 *   FIN     r -> 0   nothing comes behind this; without BYE: the rank has failed
 */
#ifndef QUERN_ENGINE_WIRE_H
#define QUERN_ENGINE_WIRE_H

#include "base/qwire.h"
#include "core/chunk.h"
#include "engine/part.h"

enum wire_tag {
    WIRE_HELLO = 1,
    WIRE_JOB,
    WIRE_READY,
    WIRE_WORK,
    WIRE_RESULT,
    WIRE_RECALL,
    WIRE_SHARD,
    WIRE_SYNC,
    WIRE_SYNCED,
    WIRE_SIGNAL,
    WIRE_STATS,
    WIRE_BYE,
    WIRE_FIN
};

/* A file as rank 0 sees it: another rank that sees another one must not read it. All
 * of them are 0 of what is no regular file, or not there. */
struct wire_file {
    uint64_t size, mtime_s, mtime_ns;
};

void wire_look(struct wire_file *f, const char *path);
void wire_look_fd(struct wire_file *f, int fd);
bool wire_same_file(const struct wire_file *a, const struct wire_file *b);
void wire_put_file(struct qbuf *b, const struct wire_file *f);
void wire_get_file(struct qwire *w, struct wire_file *f);

/* How many files a span stands for that whoever answers it opens himself: the documents
 * of a chunk of inputs, the one of a chunk of bytes. They are of inputs chunk->input +
 * wire_first_file on. */
static inline uint64_t wire_files(const struct span *span)
{
    enum chunk_kind kind = span->chunk->kind;
    return kind == CHUNK_OF_INPUTS  ? span->end - span->begin
           : kind == CHUNK_OF_BYTES ? 1
                                    : 0;
}

static inline uint64_t wire_first_file(const struct span *span)
{
    return span->chunk->kind == CHUNK_OF_INPUTS ? span->begin : 0;
}

/* `file`: the text travels as a place in it; NULL: as bytes. */
void wire_put_span(struct qbuf *b, const struct span *span,
                   const struct wire_file *file);

/* Into a chunk of its own (initialized with {0}, or used before), which the span then
 * covers whole, but for a range. *in_file says that its text is not here but at
 * c->origin of the input. */
int wire_get_span(struct qwire *w, struct chunk *c, struct span *span, bool *in_file,
                  struct wire_file *file, struct qerr *e);

void wire_put_part(struct qbuf *b, const struct part *part);

/* Into a part that is initialized. */
int wire_get_part(struct qwire *w, struct part *part, struct qerr *e);

#endif
