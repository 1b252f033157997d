/*
 * fetchconfig: what the options of a job say about fetching, checked. Read-only once
 * made, shared by all threads.
 */
#ifndef QUERN_SOURCE_FETCHCONFIG_H
#define QUERN_SOURCE_FETCHCONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qerr.h"
#include "core/job.h"
#include "source/checksums.h"
#include "source/judge.h"
#include "source/schedule.h"
#include "source/transfer.h"

/* What becomes of a file that is there already. */
enum fetch_existing {
    EXISTING_REFUSE,
    EXISTING_SKIP,
    EXISTING_REPLACE,
    EXISTING_CONTINUE
};

struct fetch_config {
    unsigned threads;
    struct schedule_limits limits;
    struct judge_policy policy;
    uint64_t seed; /* of the jitter */

    /* 0: none. */
    uint64_t timeout_ns, stall_ns, deadline_ns;
    uint64_t max_bytes, max_total;
    const char *max_bytes_of; /* the option that says so */

    unsigned max_redirs;
    bool allow_downgrade, compressed, spool, fail_fast;
    struct transfer_options transfer;
    struct qbuf headers; /* of --header, expanded; each ended by a zero byte. Secret */

    const char *cache; /* folder, or NULL */
    bool offline;

    /* Of commands that make files. */
    bool files;            /* FETCH_FILE is what is wanted, ... */
    const char *directory; /* ... into these; NULL: nowhere */
    enum fetch_existing existing;
    bool content_disposition;
    struct checksums *checksums; /* or NULL */
    bool hash;                   /* sha256 is wanted of every body */
};

#endif
