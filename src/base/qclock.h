/* qclock: the one clock of the program. */
#ifndef QUERN_BASE_QCLOCK_H
#define QUERN_BASE_QCLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds on the monotonic clock. About 25 ns a call. */
static inline uint64_t qclock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The moment `ns` from now on that clock, as pthread_cond_timedwait wants it; at most
 * some centuries from now. */
static inline struct timespec qclock_after(uint64_t ns)
{
    enum { SECOND = 1000000000 };
    uint64_t until;
    if (__builtin_add_overflow(qclock_ns(), ns, &until))
        until = UINT64_MAX;
    return (struct timespec){.tv_sec = (time_t)(until / SECOND),
                             .tv_nsec = (long)(until % SECOND)};
}

#endif
