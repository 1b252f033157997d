#include "source/coding.h"

#include <stdlib.h>

#include "source/decoder.h"

enum { ROOM = 1 << 16 };

struct coding {
    void *state; /* the decoder's */
    bool bounded;
    bool between; /* no member has begun, or the last one is complete */
    uint64_t used, made;
    char room[ROOM];
};

struct coding *coding_new(bool bounded, struct qerr *e)
{
    struct coding *c = malloc(sizeof *c);
    if (!c) {
        qerr_nomem(e);
        return NULL;
    }
    c->bounded = bounded;
    c->between = true;
    c->used = c->made = 0;
    if (decoder_gzip.open(&c->state, e) < 0) {
        free(c);
        return NULL;
    }
    return c;
}

void coding_free(struct coding *c)
{
    if (c)
        decoder_gzip.close(c->state);
    free(c);
}

static bool is_bomb(const struct coding *c)
{
    return c->bounded && c->made > CODING_FREE && c->made / CODING_RATIO > c->used;
}

enum coding_state coding_push(struct coding *c, const char *bytes, size_t n,
                              bool (*put)(void *to, const char *bytes, size_t n),
                              void *to, const char **what)
{
    struct decoder_io io = {(const unsigned char *)bytes, n, c->room, ROOM};
    bool full = false; /* the last step filled its room: there may be more */
    while (io.in_len > 0 || full) {
        size_t before = io.in_len;
        io.out = c->room;
        io.out_len = ROOM;
        enum decoder_step step = decoder_gzip.step(c->state, &io, what);
        size_t got = ROOM - io.out_len;
        c->used += before - io.in_len;
        c->made += got;
        if (got > 0 && !put(to, c->room, got))
            return CODING_REFUSED;
        if (step == DECODER_BAD)
            return CODING_DAMAGED;
        if (is_bomb(c))
            return CODING_BOMB;
        c->between = step == DECODER_END;
        full = step == DECODER_MORE && io.out_len == 0;
    }
    return CODING_FINE;
}

bool coding_is_complete(const struct coding *c)
{
    return c->between;
}
