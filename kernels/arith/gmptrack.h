/*
 * gmptrack: memory that a library takes through GMP and forgets to give back.
 *
 * libecm 7.0.5 loses four integers of the size of n with every curve: gigabytes in a
 * day. Between begin and end, what the calling thread allocates through GMP and does
 * not free is freed at the end. So nothing allocated in between may be used after it,
 * and whoever calls a library that keeps results in static variables must not use this.
 */
#ifndef QUERN_ARITH_GMPTRACK_H
#define QUERN_ARITH_GMPTRACK_H

#include <stddef.h>

void gmptrack_begin(void);

/* Frees what is left and returns how many blocks that were. */
size_t gmptrack_end(void);

#endif
