/*
 * The format is told byte by byte: as soon as the bytes so far begin no format the data
 * is plain, so that a number typed by hand never waits for a fourth byte.
 *
 * Decoding reads only when nothing that it has could give more. After every frame the
 * next bytes are held against the format again: the decoder's own complaint would not
 * tell damaged data from something that just follows it.
 */
#include "source/decompress.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { IN_BYTES = 1 << 17, SKIP_BYTES = 1 << 16 };

/* What would pass for plain data otherwise, and be counted as it stands. */
static const struct decoder refused_xz = {.name = "xz"},
                            refused_bzip2 = {.name = "bzip2"},
                            refused_lz4 = {.name = "lz4"},
                            refused_zip = {.name = "zip"};

static const struct format {
    const struct decoder *decoder;
    unsigned char magic[DECOMPRESS_HEAD], mask[DECOMPRESS_HEAD];
    size_t len;
} formats[] = {
    {&decoder_gzip, {0x1f, 0x8b}, {0xff, 0xff}, 2},
    {&decoder_zstd, {0x28, 0xb5, 0x2f, 0xfd}, {0xff, 0xff, 0xff, 0xff}, 4},
    /* A frame to be skipped, which pzstd begins with. */
    {&decoder_zstd, {0x50, 0x2a, 0x4d, 0x18}, {0xf0, 0xff, 0xff, 0xff}, 4},
    {&refused_xz, {0xfd, '7', 'z', 'X'}, {0xff, 0xff, 0xff, 0xff}, 4},
    {&refused_bzip2, {'B', 'Z', 'h', 0x30}, {0xff, 0xff, 0xff, 0xf0}, 4}, /* BZh9 */
    {&refused_lz4, {0x04, 0x22, 0x4d, 0x18}, {0xff, 0xff, 0xff, 0xff}, 4},
    {&refused_zip, {'P', 'K', 3, 4}, {0xff, 0xff, 0xff, 0xff}, 4},
};

enum { FORMATS = sizeof formats / sizeof *formats };

static bool begins(const struct format *f, const unsigned char *head, size_t len)
{
    for (size_t i = 0; i < len && i < f->len; i++)
        if ((head[i] & f->mask[i]) != f->magic[i])
            return false;
    return true;
}

/* The decoder of data that begins like this, or NULL; *open: more bytes may tell. */
static const struct decoder *find(const unsigned char *head, size_t len, bool *open)
{
    *open = false;
    for (size_t i = 0; i < FORMATS; i++) {
        if (!begins(&formats[i], head, len))
            continue;
        if (len >= formats[i].len)
            return formats[i].decoder;
        *open = true;
    }
    return NULL;
}

bool decompress_knows(const void *head, size_t len)
{
    bool open;
    return find(head, len, &open) != NULL;
}

void decompress_init(struct decompress *d, cut_read read, void *from, const char *name,
                     bool plain)
{
    *d =
        (struct decompress){.read = read, .from = from, .name = name, .decided = plain};
}

void decompress_release(struct decompress *d)
{
    if (d->state)
        d->decoder->close(d->state);
    free(d->in);
    d->state = NULL;
    d->in = NULL;
}

static int begin_decoding(struct decompress *d, const struct decoder *decoder,
                          struct qerr *e)
{
    if (!decoder->open)
        return qerr_set(e, Q_EINPUT,
                        "%s: it is compressed by %s; only gzip and zstd can be read",
                        d->name, decoder->name);
    d->in = malloc(IN_BYTES);
    if (!d->in)
        return qerr_nomem(e);
    int rc = decoder->open(&d->state, e);
    if (rc < 0)
        return rc;
    d->decoder = decoder;
    memcpy(d->in, d->head, d->head_len);
    d->end = d->head_len;
    d->head_len = 0;
    d->between = true;
    return 0;
}

/* Returns 0 when the format is known, or what `read` says. */
static int decide(struct decompress *d, bool wait, struct qerr *e)
{
    bool open = true;
    const struct decoder *decoder = find(d->head, d->head_len, &open);
    while (!decoder && open) {
        ssize_t n = d->read(d->from, (char *)d->head + d->head_len,
                            sizeof d->head - d->head_len, wait, e);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        d->head_len += (size_t)n;
        decoder = find(d->head, d->head_len, &open);
    }
    d->decided = true;
    return decoder ? begin_decoding(d, decoder, e) : 0;
}

static ssize_t read_plain(struct decompress *d, char *to, size_t n, bool wait,
                          struct qerr *e)
{
    if (d->head_len == 0)
        return d->read(d->from, to, n, wait, e);
    if (n > d->head_len)
        n = d->head_len;
    memcpy(to, d->head, n);
    d->head_len -= n;
    memmove(d->head, d->head + n, d->head_len);
    return (ssize_t)n;
}

/* --- decoding --- */

/* Reads more behind in[begin .. end). */
static ssize_t refill(struct decompress *d, bool wait, struct qerr *e)
{
    d->end -= d->begin;
    memmove(d->in, d->in + d->begin, d->end);
    d->begin = 0;
    assert(d->end < IN_BYTES);
    ssize_t n = d->read(d->from, (char *)d->in + d->end, IN_BYTES - d->end, wait, e);
    if (n > 0)
        d->end += (size_t)n;
    return n;
}

static int ends_early(const struct decompress *d, struct qerr *e)
{
    return qerr_set(e, Q_EINPUT, "%s: the %s data ends too early", d->name,
                    d->decoder->name);
}

/* Returns 1 when a frame begins, 0 at the end of the data, or what `read` says. */
static int next_frame(struct decompress *d, bool wait, struct qerr *e)
{
    for (;;) {
        while (d->decoder->padded && d->begin < d->end && d->in[d->begin] == 0)
            d->begin++;
        bool open;
        const struct decoder *found = find(d->in + d->begin, d->end - d->begin, &open);
        if (found == d->decoder) {
            d->between = false;
            return 1;
        }
        if (found || !open)
            return qerr_set(e, Q_EINPUT, "%s: something else follows the %s data",
                            d->name, d->decoder->name);
        ssize_t n = refill(d, wait, e);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return d->begin == d->end ? 0 : ends_early(d, e);
    }
}

static int check_ratio(const struct decompress *d, struct qerr *e)
{
    if (d->made <= DECOMPRESS_FREE || d->made / DECOMPRESS_RATIO <= d->used)
        return 0;
    return qerr_set(e, Q_EINPUT,
                    "%s: the %s data is a decompression bomb: it grows more than "
                    "%d-fold (if it is not, decompress it into a pipe)",
                    d->name, d->decoder->name, DECOMPRESS_RATIO);
}

/* One step. Returns how many bytes it gave, 0 when it needs input, or an error. */
static ssize_t decode(struct decompress *d, char *to, size_t n, struct qerr *e)
{
    struct decoder_io io = {d->in + d->begin, d->end - d->begin, to, n};
    const char *what = NULL;
    enum decoder_step step = d->decoder->step(d->state, &io, &what);
    d->used += d->end - d->begin - io.in_len;
    d->begin = d->end - io.in_len;
    d->made += n - io.out_len;
    d->full = step == DECODER_MORE && io.out_len == 0;
    d->between = step == DECODER_END;
    if (step == DECODER_BAD)
        d->bad = what;
    int rc = check_ratio(d, e);
    return rc < 0 ? rc : (ssize_t)(n - io.out_len);
}

static ssize_t read_decoded(struct decompress *d, char *to, size_t n, bool wait,
                            struct qerr *e)
{
    for (;;) {
        if (d->bad)
            return qerr_set(e, Q_EINPUT, "%s: the %s data is damaged: %s", d->name,
                            d->decoder->name, d->bad);
        ssize_t rc = 1;
        if (d->between)
            rc = next_frame(d, wait, e);
        else if (d->begin == d->end && !d->full)
            rc = (rc = refill(d, wait, e)) == 0 ? ends_early(d, e) : rc;
        if (rc <= 0)
            return rc;
        rc = decode(d, to, n, e);
        if (rc != 0)
            return rc;
    }
}

ssize_t decompress_read(void *decompress, char *to, size_t n, bool wait, struct qerr *e)
{
    struct decompress *d = decompress;
    int rc = d->decided ? 0 : decide(d, wait, e);
    if (rc < 0)
        return rc;
    return d->decoder ? read_decoded(d, to, n, wait, e) : read_plain(d, to, n, wait, e);
}

int decompress_skip(struct decompress *d, uint64_t n, struct qerr *e)
{
    char *room = malloc(SKIP_BYTES);
    if (!room)
        return qerr_nomem(e);
    ssize_t rc = 1;
    while (rc > 0 && n > 0) {
        rc = decompress_read(d, room, n < SKIP_BYTES ? (size_t)n : SKIP_BYTES, true, e);
        if (rc > 0)
            n -= (uint64_t)rc;
    }
    free(room);
    return rc < 0 ? (int)rc : 0;
}
