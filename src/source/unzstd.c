/*
 * Zstandard (RFC 8878). The window is what decoding costs in memory: at most 128 MiB,
 * as the program zstd has it without --long. Frames that are to be skipped give
 * nothing.
 */
#include <zstd.h>

#include "source/decoder.h"

enum { WINDOW_LOG = 27 };

static int unzstd_open(void **state, struct qerr *e)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    if (!z ||
        ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG))) {
        ZSTD_freeDStream(z);
        return qerr_nomem(e);
    }
    *state = z;
    return 0;
}

static enum decoder_step unzstd_step(void *state, struct decoder_io *io,
                                     const char **what)
{
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t rc = ZSTD_decompressStream(state, &out, &in);
    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    if (!ZSTD_isError(rc))
        return rc == 0 ? DECODER_END : DECODER_MORE;
    *what = ZSTD_getErrorName(rc);
    return DECODER_BAD;
}

static void unzstd_close(void *state)
{
    ZSTD_freeDStream(state);
}

const struct decoder decoder_zstd = {
    .name = "zstd",
    .open = unzstd_open,
    .step = unzstd_step,
    .close = unzstd_close,
};
