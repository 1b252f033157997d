/*
 * trace: --trace: when each thread of each rank did what, in Chrome's trace-event
 * format, which Perfetto and chrome://tracing open. docs/formats.md describes it.
 */
#ifndef QUERN_CMD_TRACE_H
#define QUERN_CMD_TRACE_H

#include <stddef.h>

#include "base/qbuf.h"
#include "engine/stats.h"

/* ranks[0] gives the time 0. */
void trace_json(const struct rank_stats *ranks, size_t n, struct qbuf *out);

#endif
