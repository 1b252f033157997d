/*
 * decoder: the contract between decompress and the formats it knows. A format is a
 * file and a row of the table in decompress.c. Used by one thread.
 */
#ifndef QUERN_SOURCE_DECODER_H
#define QUERN_SOURCE_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/qerr.h"

/* What is left to read, and what is left to fill. */
struct decoder_io {
    const unsigned char *in;
    size_t in_len;
    char *out;
    size_t out_len;
};

enum decoder_step {
    DECODER_MORE, /* all input is used, or all room is filled */
    DECODER_END,  /* a frame (a member of gzip) is complete; the next step begins one */
    DECODER_BAD   /* the data is damaged; not to be called again */
};

struct decoder {
    const char *name; /* as in "the gzip data" */
    bool padded;      /* zero bytes may follow a frame */

    int (*open)(void **state, struct qerr *e); /* NULL: this format is refused */

    /* Decodes as far as input and room go, and moves both ends of `io` on. With
     * DECODER_BAD what came before may have been put out, and *what says what is wrong
     * (a static string). */
    enum decoder_step (*step)(void *state, struct decoder_io *io, const char **what);

    void (*close)(void *state);
};

extern const struct decoder decoder_gzip;
extern const struct decoder decoder_zstd;

#endif
