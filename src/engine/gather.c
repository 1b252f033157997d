/*
 * The monotonic clock is one for all processes of a kernel. Between hosts the answer
 * carries the time at which it was made; half of the round trip lies before it. The
 * error is at most that half: a few milliseconds, for who is asked looks only so often.
 */
#include "engine/gather.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/qclock.h"
#include "base/qwire.h"
#include "engine/comm.h"
#include "engine/wire.h"
#include "engine/world.h"

enum { PATIENCE_S = 2, NAP_NS = 200000 };

int64_t gather_offset(uint64_t asked_ns, uint64_t made_ns, uint64_t taken_ns)
{
    return (int64_t)(asked_ns + (taken_ns - asked_ns) / 2 - made_ns);
}

static int take(const struct comm_message *m, uint64_t asked_ns, struct rank_stats *s,
                struct qerr *e)
{
    uint64_t then, now = qclock_ns();
    char clock[STATS_CLOCK];
    if (m->body.len < sizeof then)
        return qerr_set(e, Q_ECHECK, "a rank's statistics are damaged");
    memcpy(&then, m->body.data, sizeof then);
    int rc = stats_unpack(s, m->body.data + sizeof then, m->body.len - sizeof then, e);
    if (rc < 0)
        return rc;
    stats_clock(clock);
    if (strcmp(clock, s->clock) != 0)
        s->offset_ns = gather_offset(asked_ns, then, now);
    return 0;
}

/* asked_ns of a rank: 0 when nothing more is expected of it. */
static unsigned ask_all(uint64_t *asked_ns)
{
    unsigned missing = 0;
    struct qerr ignored = QERR_INIT;
    for (unsigned i = 1; i < comm_size(); i++) {
        struct qbuf nothing = QBUF_INIT;
        uint64_t now = qclock_ns();
        if (world_has_left(i) || comm_send(i, WIRE_STATS, &nothing, &ignored) < 0)
            continue;
        asked_ns[i] = now;
        missing++;
    }
    return missing;
}

static int by_rank(const void *a, const void *b)
{
    const struct rank_stats *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

int gather_ask(struct rank_stats **stats, size_t *n, struct qerr *e)
{
    *stats = NULL;
    *n = 0;
    if (comm_size() == 1)
        return 0;
    const struct timespec nap = {0, NAP_NS};
    uint64_t until = qclock_ns() + PATIENCE_S * UINT64_C(1000000000);
    uint64_t *asked_ns = calloc(comm_size(), sizeof *asked_ns);
    *stats = calloc(comm_size(), sizeof **stats);
    if (!asked_ns || !*stats) {
        free(asked_ns);
        return qerr_nomem(e);
    }
    int rc = 0;
    unsigned missing = ask_all(asked_ns);
    while (rc == 0 && missing > 0 && qclock_ns() < until) {
        struct comm_message m;
        rc = comm_receive(&m, e);
        if (rc == 0)
            nanosleep(&nap, NULL);
        if (rc <= 0)
            continue;
        rc = 0;
        bool expected = asked_ns[m.from] > 0;
        if (m.tag == WIRE_STATS && expected) {
            rc = take(&m, asked_ns[m.from], &(*stats)[*n], e);
            *n += rc == 0;
        } else if (m.tag == WIRE_FIN) { /* if it has not answered, it is left out */
            world_take_fin(m.from);
        }
        if (expected && (m.tag == WIRE_STATS || m.tag == WIRE_FIN)) {
            asked_ns[m.from] = 0;
            missing--;
        }
        qbuf_release(&m.body); /* of other tags: late answers to what was called back */
    }
    free(asked_ns);
    qsort(*stats, *n, sizeof **stats, by_rank);
    return rc;
}

int gather_answer(const struct meters *all, bool events, struct qerr *e)
{
    struct rank_stats s;
    struct qbuf body = QBUF_INIT;
    int rc = stats_collect(&s, comm_rank(), all, events, e);
    if (rc < 0)
        return rc;
    uint64_t now = qclock_ns();
    qbuf_add(&body, &now, sizeof now);
    stats_pack(&s, &body);
    stats_release(&s);
    rc = qbuf_check(&body, e);
    if (rc < 0) {
        qbuf_release(&body);
        return rc;
    }
    return comm_send(0, WIRE_STATS, &body, e);
}
