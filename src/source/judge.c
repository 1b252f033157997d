#include "source/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the list of statuses --- */

static const char *take_status(const char *s, unsigned *status)
{
    unsigned v = 0, n = 0;
    for (; *s >= '0' && *s <= '9' && n < 3; s++, n++)
        v = v * 10 + (unsigned)(*s - '0');
    *status = v;
    return n == 3 && v >= 100 ? s : NULL;
}

int judge_statuses(const char *list, struct judge_policy *policy, struct qerr *e)
{
    memset(policy->statuses, 0, sizeof policy->statuses);
    if (strcmp(list, "none") == 0)
        return 0;
    for (const char *s = list;; s++) {
        unsigned first, last;
        s = take_status(s, &first);
        last = first;
        if (s && *s == '-')
            s = take_status(s + 1, &last);
        if (!s || last < first || (*s != ',' && *s != '\0'))
            return qerr_set(e, Q_EUSAGE,
                            "'%.60s' is no list of statuses, as in 429,500-504 (or "
                            "none)",
                            list);
        for (unsigned v = first; v <= last; v++)
            policy->statuses[v / 64] |= UINT64_C(1) << v % 64;
        if (*s == '\0')
            return 0;
    }
}

static bool passes(const struct judge_policy *p, int status)
{
    return status > 0 && status < 1000 &&
           (p->statuses[status / 64] >> (status % 64) & 1) != 0;
}

/* --- what the ends of a transfer mean --- */

static const struct end {
    enum fetch_class class;
    bool retry;
} ends[] = {
    [TRANSFER_OK] = {FETCH_OK, false},
    [TRANSFER_DNS] = {FETCH_DNS, true},
    [TRANSFER_CONNECT] = {FETCH_CONNECT, true},
    [TRANSFER_DENIED] = {FETCH_CONNECT, false},
    [TRANSFER_TLS] = {FETCH_TLS, true},
    [TRANSFER_CERTIFICATE] = {FETCH_TLS, false},
    [TRANSFER_TIMEOUT] = {FETCH_TIMEOUT, true},
    [TRANSFER_TRUNCATED] = {FETCH_TRUNCATED, true},
    [TRANSFER_EMPTY] = {FETCH_CONNECT, true},
    [TRANSFER_BROKEN] = {FETCH_TRUNCATED, true},
    [TRANSFER_STREAM] = {FETCH_TRUNCATED, true},
    [TRANSFER_PROTOCOL] = {FETCH_PROTOCOL, false},
    [TRANSFER_URL] = {FETCH_USAGE, false},
    [TRANSFER_REFUSED] = {FETCH_LOCAL, false},
    [TRANSFER_LOCAL] = {FETCH_LOCAL, false},
};

bool judge_is_limited(const struct judge_try *t)
{
    return t->broken_off == FETCH_OK && t->end == TRANSFER_OK &&
           t->response->status == 429;
}

static bool leads_elsewhere(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* The server has answered, and the answer is whole. */
static void judge_status(const struct judge_policy *p, const struct judge_try *t,
                         struct judge_verdict *v)
{
    int status = t->response->status;
    if ((status >= 200 && status < 300) || (status == 304 && t->conditional)) {
        v->what = JUDGE_DONE;
        return;
    }
    if (leads_elsewhere(status)) {
        v->what = JUDGE_REDIRECT;
        return;
    }
    v->class = FETCH_HTTP;
    snprintf(v->error, sizeof v->error, "the server answered with status %d", status);
    v->what = passes(p, status) ? JUDGE_RETRY : JUDGE_FAIL;
    v->has_after = response_retry_after(t->response, t->now, &v->after_ns);
    v->shuts = status == 429 || (status == 503 && v->has_after);
    if (v->what == JUDGE_RETRY && v->has_after && v->after_ns > p->max_retry_after_ns) {
        v->what = JUDGE_FAIL;
        v->class = FETCH_RATELIMITED;
        snprintf(v->error, sizeof v->error,
                 "status %d: the server wants a wait of %.0f s (--max-retry-after)",
                 status, (double)v->after_ns * 1e-9);
    }
}

/* It broke before an answer was whole. Where a connection had been used before, it may
 * be that the server was about to close it, so the request is sent again; and since
 * nobody can know which connection it will be, it is sent again once in any case, on a
 * new connection. So how a URL ends, and at which try, does not depend on what
 * connections were there. */
static void judge_end(const struct judge_try *t, struct judge_verdict *v)
{
    v->class = ends[t->end].class;
    if (v->class == FETCH_TRUNCATED && t->response->status == 0)
        v->class = FETCH_CONNECT;
    v->what = ends[t->end].retry ? JUDGE_RETRY : JUDGE_FAIL;
    bool unanswered = t->response->status == 0 && v->class == FETCH_CONNECT &&
                      (t->end == TRANSFER_EMPTY || t->end == TRANSFER_BROKEN ||
                       t->end == TRANSFER_STREAM);
    v->spares = unanswered && !t->spared;
    v->at_once = v->spares && t->used;
    snprintf(v->error, sizeof v->error, "%s",
             unanswered ? "the connection ended before there was an answer" : t->error);
}

void judge(const struct judge_policy *p, const struct judge_try *t,
           struct judge_verdict *v)
{
    *v = (struct judge_verdict){.what = JUDGE_FAIL, .class = FETCH_OK};
    if (t->broken_off != FETCH_OK) {
        v->class = t->broken_off;
        v->what = t->may_pass ? JUDGE_RETRY : JUDGE_FAIL;
        snprintf(v->error, sizeof v->error, "%s", t->error);
    } else if (t->end == TRANSFER_OK) {
        judge_status(p, t, v);
    } else {
        judge_end(t, v);
    }
    if (v->what != JUDGE_RETRY || v->spares)
        return;
    bool limited = judge_is_limited(t);
    if (limited && t->limited >= JUDGE_LIMITED_TRIES) {
        v->what = JUDGE_FAIL;
        v->class = FETCH_RATELIMITED;
    } else if (t->failed >= p->tries || p->tries == 1) {
        v->what = JUDGE_FAIL;
    }
}
