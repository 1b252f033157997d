/* gzip (RFC 1952) by zlib, which checks the length and CRC of every member. */
#include <stdlib.h>
#include <zlib.h>

#include "source/decoder.h"

enum {
    GZIP_ONLY = 16, /* added to the window bits: a gzip header, not one of zlib */
    PIECE = 1 << 30 /* zlib counts in unsigned int */
};

static int gunzip_open(void **state, struct qerr *e)
{
    z_stream *z = calloc(1, sizeof *z);
    if (!z || inflateInit2(z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(z);
        return qerr_nomem(e);
    }
    *state = z;
    return 0;
}

static unsigned piece(size_t n)
{
    return n < PIECE ? (unsigned)n : PIECE;
}

static enum decoder_step gunzip_step(void *state, struct decoder_io *io,
                                     const char **what)
{
    z_stream *z = state;
    unsigned in = piece(io->in_len), out = piece(io->out_len);
    z->next_in = (z_const Bytef *)io->in;
    z->avail_in = in;
    z->next_out = (Bytef *)io->out;
    z->avail_out = out;
    int rc = inflate(z, Z_NO_FLUSH);
    io->in += in - z->avail_in;
    io->in_len -= in - z->avail_in;
    io->out += out - z->avail_out;
    io->out_len -= out - z->avail_out;
    if (rc == Z_OK || rc == Z_BUF_ERROR) /* the latter: nothing to do */
        return DECODER_MORE;
    if (rc == Z_STREAM_END && inflateReset(z) == Z_OK)
        return DECODER_END;
    *what = rc == Z_MEM_ERROR ? "out of memory" : z->msg ? z->msg : "cannot be decoded";
    return DECODER_BAD;
}

static void gunzip_close(void *state)
{
    inflateEnd(state);
    free(state);
}

const struct decoder decoder_gzip = {
    .name = "gzip",
    .padded = true,
    .open = gunzip_open,
    .step = gunzip_step,
    .close = gunzip_close,
};
