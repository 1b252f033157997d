/*
 * stop: the flag by which a caller in another thread ends long work. May be NULL.
 */
#ifndef QUERN_ARITH_STOP_H
#define QUERN_ARITH_STOP_H

#include <stdatomic.h>
#include <stdbool.h>

static inline bool stop_raised(const atomic_bool *stop)
{
    return stop && atomic_load_explicit(stop, memory_order_relaxed);
}

#endif
