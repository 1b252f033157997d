#include "engine/share.h"

enum {
    FIRST_BYTES = 64,
    GROWTH = 8,
    FIRST_OUT = 2, /* claims for each thread of a rank of which nothing is known */
    MOST_OUT = 64, /* ... and at most */
    MEMORY = 4     /* the average forgets three quarters after so many claims */
};

static const uint64_t MOST_INTEGERS = UINT64_C(1) << 32; /* of a range, in one claim */

void claim_init(struct claim *c, uint64_t fixed, uint64_t least)
{
    if (least == 0)
        least = 1;
    *c = (struct claim){.want = {FIRST_BYTES, least, 1}, .least = least};
    if (fixed > 0)
        *c = (struct claim){.want = {fixed, fixed, 1}, .fixed = true};
}

static uint64_t next_want(uint64_t want, uint64_t units, uint64_t spent_ns,
                          uint64_t aim_ns, uint64_t most)
{
    double per_unit = (double)spent_ns / (double)(units > 0 ? units : 1);
    double fit = per_unit > 0 ? (double)aim_ns / per_unit : (double)most;
    uint64_t limit = want > most / GROWTH ? most : want * GROWTH;
    uint64_t next = fit >= (double)limit ? limit : (uint64_t)fit;
    return next > 0 ? next : 1;
}

void claim_learn(struct claim *c, bool text, uint64_t units, uint64_t spent_ns,
                 uint64_t aim_ns)
{
    struct ring_want *w = &c->want;
    if (c->fixed)
        return;
    if (text)
        w->bytes = next_want(w->bytes, units, spent_ns, aim_ns, CHUNK_TEXT);
    else
        w->integers = next_want(w->integers, units, spent_ns, aim_ns, MOST_INTEGERS);
    if (w->integers < c->least)
        w->integers = c->least;
}

void share_learn(struct share *s, uint64_t spent_ns)
{
    if (spent_ns == 0)
        spent_ns = 1;
    s->slot_ns = s->slot_ns == 0
                     ? spent_ns
                     : s->slot_ns - s->slot_ns / MEMORY + spent_ns / MEMORY + 1;
}

unsigned share_most(const struct share *s)
{
    if (s->slot_ns == 0)
        return FIRST_OUT * s->threads;
    uint64_t each = UINT64_C(2) * BATCH_NS / s->slot_ns;
    if (each == 0)
        return s->threads + 1;
    return s->threads * (unsigned)(each < MOST_OUT ? each : MOST_OUT) + 1;
}

unsigned share_room(const struct share *s)
{
    unsigned most = share_most(s);
    if (s->threads == 0 || s->out >= most)
        return 0;
    return s->out <= most / 2 || s->out <= s->threads ? most - s->out : 0;
}

uint64_t share_due(uint64_t ready, unsigned threads, unsigned all)
{
    uint64_t due = ready / all * threads + ready % all * threads / all;
    return due > 0 ? due : 1;
}
