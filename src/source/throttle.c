/*
 * The bucket is kept as one instant (the generic cell rate algorithm): full_ns is when
 * it will be full. A token is there when no more than burst - 1 are missing, that is
 * when now >= full_ns - span_ns; taking one moves full_ns on by an interval, from now
 * if it was full. All in integers, so nothing drifts.
 */
#include "source/throttle.h"

#include <stdlib.h>
#include <string.h>

enum { MS = 1000000, SECOND = 1000000000 };

int rate_parse(const char *text, struct rate *rate, struct qerr *e)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/h", 3600}};
    char *end;
    /* strtod knows more forms of numbers than are wanted here. */
    size_t digits = strspn(text, "0123456789.");
    double n = digits > 0 ? strtod(text, &end) : 0;
    if (digits > 0 && end == text + digits && n > 0)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(end, units[i].name) == 0) {
                double interval = units[i].seconds * SECOND / n;
                if (interval > 1e18)
                    break;
                rate->interval_ns = (uint64_t)interval;
                rate->interval_ns += (double)rate->interval_ns < interval;
                return 0;
            }
    return qerr_set(
        e, Q_EUSAGE,
        "'%.40s' is no rate: a number above 0, alone (a second) or with /s, "
        "/m, /h",
        text);
}

void bucket_init(struct bucket *b, struct rate rate, uint64_t burst)
{
    uint64_t more = burst > 0 ? burst - 1 : 0;
    uint64_t most = rate.interval_ns > 0 ? (UINT64_MAX >> 2) / rate.interval_ns : more;
    *b = (struct bucket){.interval_ns = rate.interval_ns,
                         .span_ns = rate.interval_ns * (more < most ? more : most)};
}

uint64_t bucket_ready(const struct bucket *b)
{
    return b->full_ns > b->span_ns ? b->full_ns - b->span_ns : 0;
}

void bucket_take(struct bucket *b, uint64_t now_ns)
{
    if (b->full_ns < now_ns)
        b->full_ns = now_ns;
    b->full_ns += b->interval_ns;
}

void bucket_drain(struct bucket *b, uint64_t now_ns)
{
    uint64_t empty = now_ns + b->interval_ns + b->span_ns;
    if (b->interval_ns > 0 && b->full_ns < empty)
        b->full_ns = empty;
}

void gate_init(struct gate *g, unsigned most)
{
    *g = (struct gate){.cap = most, .most = most};
}

void gate_shut(struct gate *g, uint64_t now_ns, uint64_t until_ns)
{
    if (!gate_is_shut(g, now_ns)) {
        g->cap = g->cap > 1 ? g->cap / 2 : 1;
        g->streak = 0;
    }
    if (until_ns > g->until_ns)
        g->until_ns = until_ns;
}

void gate_succeeded(struct gate *g)
{
    if (g->cap < g->most && ++g->streak >= GATE_STREAK) {
        g->cap++;
        g->streak = 0;
    }
}

/* --- backoff --- */

/* SplitMix64 (Steele, Lea, Flood 2014): one step of it as a hash. */
static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* `most` times a number in [0, 1) that is fixed by seed, job and try. */
static uint64_t share(uint64_t most, uint64_t seed, uint64_t job, unsigned tries)
{
    double u = (double)(mix(mix(mix(seed) ^ job) ^ tries) >> 11) * 0x1p-53;
    return (uint64_t)(u * (double)most);
}

uint64_t backoff_wait(uint64_t seed, uint64_t job, unsigned tries)
{
    static const uint64_t first = 500 * UINT64_C(1000000),
                          most = 60 * UINT64_C(1000000000);
    unsigned doublings = tries > 0 ? tries - 1 : 0;
    uint64_t b = doublings < 7 ? first << doublings : most; /* 2^7 x 0.5 s > 60 s */
    if (b > most)
        b = most;
    return b / 2 + share(b / 2, seed, job, tries);
}

uint64_t backoff_wait_after(uint64_t seed, uint64_t job, unsigned tries,
                            uint64_t after_ns)
{
    uint64_t own = backoff_wait(seed, job, tries);
    uint64_t spread = after_ns / 10 < SECOND ? after_ns / 10 : SECOND;
    uint64_t late = share(spread, seed, job, tries);
    uint64_t theirs = after_ns > UINT64_MAX - late ? UINT64_MAX : after_ns + late;
    return own > theirs ? own : theirs;
}
