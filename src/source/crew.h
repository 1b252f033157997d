/*
 * crew: how many of the threads that fetch are to take new jobs. Plain data; the time
 * is an argument. The fetch pool locks.
 *
 * Threads that share what one can do cost more than it: each is woken for an answer or
 * two, where one alone finds many at once. So as many work as are busy all the time,
 * and the others sleep.
 */
#ifndef QUERN_SOURCE_CREW_H
#define QUERN_SOURCE_CREW_H

#include <stdbool.h>
#include <stdint.h>

struct crew {
    unsigned least, most; /* bounds of `n` */
    uint64_t cost;        /* jobs that must end before one thread less pays */
    unsigned n;           /* that take jobs: the first n threads */
    uint64_t since_ns;    /* when the window began, and ... */
    uint64_t slept_ns;    /* ... how long all `most` had slept until then, together */
    uint64_t ended;       /* jobs, when `n` was last changed */
    bool tried;           /* the last of them joined when the window began */
    unsigned full;        /* windows in a row in which all n were busy */
    unsigned patience; /* how many of these there must be before one more takes jobs */
};

/* All of them take jobs at first. */
void crew_init(struct crew *c, unsigned least, unsigned most, uint64_t cost,
               uint64_t now_ns);

/* Whether it is time to look. */
bool crew_is_due(const struct crew *c, uint64_t now_ns);

/* Until now all threads together have slept for `slept_ns`, and `ended` jobs have
 * ended. True when `n` is another one. */
bool crew_look(struct crew *c, uint64_t now_ns, uint64_t slept_ns, uint64_t ended);

#endif
