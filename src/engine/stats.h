/*
 * stats: what a rank did, as plain data: collected from its meters when its threads
 * have left, sent to rank 0 as bytes, and there the stuff of --stats and --trace.
 *
 * Times are on the rank's own monotonic clock; adding offset_ns gives rank 0's.
 */
#ifndef QUERN_ENGINE_STATS_H
#define QUERN_ENGINE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "core/hist.h"
#include "core/meter.h"

struct thread_stats {
    enum meter_role role;
    unsigned index;
    uint64_t joined_ns, left_ns;
    uint64_t busy_ns, tasks, records, bytes, errors, retries, read_bytes;
    struct meter_event *events; /* owned; NULL without a trace */
    size_t nevents;
};

enum { STATS_HOST = 65, STATS_CLOCK = 65 };

struct rank_stats {
    unsigned rank;
    uint64_t pid;
    char host[STATS_HOST];
    char clock[STATS_CLOCK]; /* stats_clock */
    int64_t offset_ns;       /* 0 until someone who knows sets it */
    uint64_t start_ns, end_ns;
    uint64_t cpu_ns, peak_bytes; /* of the process: all its threads, and its helpers';
                                    the CPU time from the start of the run */
    struct hist chunk_ns, record_ns, fetch_ns;
    struct thread_stats *threads; /* owned */
    size_t nthreads;
};

/* CPU time of this process and of the helpers it has waited for, and the most memory
 * that one of them had. Any time. */
uint64_t stats_cpu_ns(void);
uint64_t stats_peak_bytes(void);

/* The CPU time since the run began: what a process took before that, to start MPI, is
 * no part of it. `all` may be NULL: the run has not begun. */
uint64_t stats_run_cpu_ns(const struct meters *all);

/* What is the same for all processes whose monotonic clocks are one: the kernel's boot,
 * whatever names containers give to its host. */
void stats_clock(char clock[STATS_CLOCK]);

/* Of this process. With `events` false threads may still be at work (its events are
 * then not looked at). */
int stats_collect(struct rank_stats *s, unsigned rank, const struct meters *all,
                  bool events, struct qerr *e);
void stats_release(struct rank_stats *s);

/* As bytes, for a process of the same build; and back. Q_ECHECK for bytes that are
 * none. */
void stats_pack(const struct rank_stats *s, struct qbuf *out);
int stats_unpack(struct rank_stats *s, const char *bytes, size_t len, struct qerr *e);

#endif
