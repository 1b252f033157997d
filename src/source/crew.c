/*
 * A thread is busy while it does not sleep: it computes, or waits for a disk.
 *
 * Whether one more would help cannot be known: where the server or a network is as fast
 * as these threads, or has to share their CPUs, two are as busy together as one was
 * alone, and get no more done. So one more is tried, and if it brings nothing the next
 * try waits twice as long.
 *
 * A job that goes to another thread may need a new connection there. That pays when it
 * is one of many; and so the few large bodies of a short run stay with all threads.
 */
#include "source/crew.h"

enum {
    WINDOW_NS = 20000000,
    IDLE = 10,  /* percent of one thread: that nothing is saved on */
    FULL = 95,  /* percent of each: all are busy */
    GAIN = 105, /* percent: no more than this can be done by one thread less */
    PATIENCE_LEAST = 2,
    PATIENCE_MOST = 64
};

void crew_init(struct crew *c, unsigned least, unsigned most, uint64_t cost,
               uint64_t now_ns)
{
    *c = (struct crew){.least = least,
                       .most = most,
                       .cost = cost,
                       .n = most,
                       .since_ns = now_ns,
                       .patience = PATIENCE_LEAST};
}

bool crew_is_due(const struct crew *c, uint64_t now_ns)
{
    return c->most > c->least && now_ns >= c->since_ns + WINDOW_NS;
}

bool crew_look(struct crew *c, uint64_t now_ns, uint64_t slept_ns, uint64_t ended)
{
    unsigned before = c->n;
    uint64_t window = now_ns - c->since_ns, slept = slept_ns - c->slept_ns;
    uint64_t all = window * c->most;
    uint64_t busy = all > slept ? (all - slept) * 100 / window : 0; /* percent */
    c->since_ns = now_ns;
    c->slept_ns = slept_ns;
    if (busy < IDLE)
        return false;
    unsigned enough = (unsigned)((busy + GAIN - 1) / GAIN);
    if (enough < c->least)
        enough = c->least;
    c->full = busy >= (uint64_t)c->n * FULL ? c->full + 1 : 0;
    if (enough < c->n && ended - c->ended >= c->cost) {
        c->n = enough;
        c->full = 0;
        if (c->patience < PATIENCE_MOST)
            c->patience *= 2;
    } else if (c->tried && enough == c->n) { /* it is of use */
        c->patience = PATIENCE_LEAST;
    }
    c->tried = c->full >= c->patience && c->n < c->most;
    if (c->tried) {
        c->n++;
        c->full = 0;
    }
    if (c->n != before)
        c->ended = ended;
    return c->n != before;
}
