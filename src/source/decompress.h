/*
 * decompress: a layer between a source's `read` and the cutter. Data that begins as
 * gzip or zstd does (its first bytes, not its name) is decompressed on the way; all
 * else passes through. Memory is constant, and what has come is handed on at once.
 *
 * What begins as another well-known format does is an error (Q_EINPUT), too.
 *
 * Members of gzip and frames of zstd may follow each other; zero bytes behind gzip are
 * padding. Data that is damaged or ends too early, or is followed by something else, is
 * an error (Q_EINPUT) that names the input; all that came before it is handed on first.
 *
 * So is a decompression bomb: more than DECOMPRESS_FREE bytes that are more than
 * DECOMPRESS_RATIO times what they were decompressed from. Consecutive integers,
 * the most regular of lists, reach 50 (zstd -19).
 */
#ifndef QUERN_SOURCE_DECOMPRESS_H
#define QUERN_SOURCE_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/qerr.h"
#include "source/cut.h"
#include "source/decoder.h"

enum {
    DECOMPRESS_FREE = 1 << 30,
    DECOMPRESS_RATIO = 200,
    DECOMPRESS_HEAD = 4 /* bytes that tell the format */
};

struct decompress {
    cut_read read;
    void *from;
    const char *name; /* of the input, borrowed */

    bool decided; /* the format is known */
    unsigned char head[DECOMPRESS_HEAD];
    size_t head_len; /* bytes read but not handed on, while undecided or plain */

    const struct decoder *decoder; /* NULL: plain */
    void *state;                   /* the decoder's */
    unsigned char *in;             /* in[begin .. end) is to be decoded */
    size_t begin, end;
    bool between;        /* a frame begins next */
    bool full;           /* the last step filled its room: there may be more */
    const char *bad;     /* the data is damaged: what the decoder said */
    uint64_t used, made; /* bytes decoded, bytes they gave */
};

/* Whether data that begins with these bytes (DECOMPRESS_HEAD, if there are as many) is
 * compressed. */
bool decompress_knows(const void *head, size_t len);

/* `plain`: the format is not looked for. */
void decompress_init(struct decompress *d, cut_read read, void *from, const char *name,
                     bool plain);
void decompress_release(struct decompress *d);

/* The cut_read of a struct decompress. */
ssize_t decompress_read(void *decompress, char *to, size_t n, bool wait,
                        struct qerr *e);

/* Reads and drops `n` bytes, or all there are. */
int decompress_skip(struct decompress *d, uint64_t n, struct qerr *e);

#endif
