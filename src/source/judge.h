/*
 * judge: what a try that has ended means for its job. Pure: the try and the policy in,
 * a verdict out.
 */
#ifndef QUERN_SOURCE_JUDGE_H
#define QUERN_SOURCE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/qerr.h"
#include "source/fetch.h"
#include "source/response.h"
#include "source/transfer.h"

enum {
    JUDGE_LIMITED_TRIES = 20
}; /* tries that may end with a 429, besides the others */

struct judge_policy {
    unsigned tries;
    uint64_t max_retry_after_ns;
    uint64_t statuses[1000 / 64 + 1]; /* a bit for each that may pass */
};

/* "408,429,500-504" */
int judge_statuses(const char *list, struct judge_policy *policy, struct qerr *e);

struct judge_try {
    enum transfer_end end;
    const char *error;           /* of the end, or why the try was broken off */
    enum fetch_class broken_off; /* by us: the class, else FETCH_OK */
    bool may_pass;               /* ... and another try may do better */
    const struct response *response;
    bool conditional;         /* a 304 was asked for */
    bool spared;              /* a request without an answer has been sent again */
    bool used;                /* its connection had been used before */
    unsigned failed, limited; /* tries that have ended, with this one: of either kind */
    int64_t now;              /* wall clock, for Retry-After with a date */
};

enum judge_what {
    JUDGE_DONE,     /* a success: 2xx, or 304 where it was asked for */
    JUDGE_REDIRECT, /* the answer leads elsewhere */
    JUDGE_RETRY,
    JUDGE_FAIL
};

struct judge_verdict {
    enum judge_what what;
    enum fetch_class class; /* RETRY: what it would be as a failure */
    char error[FETCH_ERROR];
    bool spares;       /* RETRY: this one does not count */
    bool at_once;      /* ... and there is no wait */
    bool shuts;        /* RETRY, FAIL: the origin wants to be left alone */
    bool has_after;    /* the server has named a time */
    uint64_t after_ns; /* from now */
};

/* Whether this end counts as limited (a 429), not as failed. */
bool judge_is_limited(const struct judge_try *t);

void judge(const struct judge_policy *policy, const struct judge_try *t,
           struct judge_verdict *v);

#endif
