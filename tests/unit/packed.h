/*
 * packed: text as gzip and zstd hold it, made by the libraries' compressors.
 */
#ifndef QUERN_TESTS_PACKED_H
#define QUERN_TESTS_PACKED_H

#include <zlib.h>
#include <zstd.h>

#include "base/qbuf.h"
#include "unit.h"

enum pack_format { PACK_GZIP, PACK_ZSTD };

/* Appends a member of gzip. `flush`: after every so many bytes what came can be read.
 */
static inline void pack_gzip(struct qbuf *out, const char *text, size_t len, int level,
                             size_t flush)
{
    z_stream z = {0};
    CU_ASSERT_EQUAL_FATAL(
        deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
        Z_OK);
    size_t at = 0;
    int rc = Z_OK;
    while (rc != Z_STREAM_END) {
        size_t n = flush > 0 && flush < len - at ? flush : len - at;
        size_t room = deflateBound(&z, (uLong)n) + 64;
        z.next_in = (z_const Bytef *)(text + at);
        z.avail_in = (uInt)n;
        z.next_out = (Bytef *)qbuf_reserve(out, room);
        z.avail_out = (uInt)room;
        CU_ASSERT_PTR_NOT_NULL_FATAL(z.next_out);
        at += n;
        rc = deflate(&z, at == len ? Z_FINISH : Z_SYNC_FLUSH);
        CU_ASSERT_FATAL(rc >= 0 && z.avail_in == 0);
        out->len += room - z.avail_out;
    }
    deflateEnd(&z);
}

/* Appends a frame of zstd with a checksum. */
static inline void pack_zstd(struct qbuf *out, const char *text, size_t len, int level,
                             size_t flush)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    size_t at = 0, rc = 1;
    while (rc != 0) {
        size_t n = flush > 0 && flush < len - at ? flush : len - at;
        size_t room = ZSTD_compressBound(n) + 64;
        ZSTD_inBuffer in = {text + at, n, 0};
        ZSTD_outBuffer to = {qbuf_reserve(out, room), room, 0};
        CU_ASSERT_PTR_NOT_NULL_FATAL(to.dst);
        at += n;
        rc = ZSTD_compressStream2(c, &to, &in, at == len ? ZSTD_e_end : ZSTD_e_flush);
        CU_ASSERT_FATAL(rc == 0 && in.pos == n);
        out->len += to.pos;
        rc = at < len;
    }
    ZSTD_freeCCtx(c);
}

static inline void pack(struct qbuf *out, enum pack_format format, const char *text,
                        size_t len)
{
    if (format == PACK_GZIP)
        pack_gzip(out, text, len, 6, 0);
    else
        pack_zstd(out, text, len, 3, 0);
}

#endif
