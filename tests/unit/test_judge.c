/* What tries come to. */
#include "source/judge.h"

#include <string.h>

#include "unit.h"

#define SECOND UINT64_C(1000000000)

static struct judge_policy policy;
static struct response response;
static struct judge_verdict v;

static void set_policy(void)
{
    struct qerr e = QERR_INIT;
    policy = (struct judge_policy){.tries = 3, .max_retry_after_ns = 300 * SECOND};
    CU_ASSERT_EQUAL_FATAL(
        judge_statuses("408,425,429,500,502-504,520-524", &policy, &e), 0);
}

static void judge_answer(int status, const char *retry_after, unsigned failed,
                         unsigned limited)
{
    struct judge_try t = {.end = TRANSFER_OK,
                          .error = "",
                          .response = &response,
                          .failed = failed,
                          .limited = limited,
                          .now = 1700000000};
    response_init(&response);
    response.status = status;
    if (retry_after)
        snprintf(response.retry_after, sizeof response.retry_after, "%s", retry_after);
    judge(&policy, &t, &v);
}

static void test_statuses(void)
{
    static const int may_pass[] = {408, 425, 429, 500, 502, 503,
                                   504, 520, 521, 522, 523, 524};
    static const int never[] = {100, 300, 304, 305, 400, 401, 403, 404,
                                410, 451, 501, 505, 519, 525, 999, 0};
    set_policy();
    for (int status = 200; status < 300; status++) {
        judge_answer(status, NULL, 1, 0);
        CU_ASSERT_EQUAL(v.what, JUDGE_DONE);
    }
    for (size_t i = 0; i < sizeof may_pass / sizeof *may_pass; i++) {
        judge_answer(may_pass[i], NULL, 1, 1);
        CU_ASSERT_EQUAL(v.what, JUDGE_RETRY);
        CU_ASSERT_EQUAL(v.class, FETCH_HTTP);
        CU_ASSERT_EQUAL(v.shuts, may_pass[i] == 429);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        judge_answer(never[i], NULL, 1, 0);
        CU_ASSERT_EQUAL(v.what, JUDGE_FAIL);
        CU_ASSERT_EQUAL(v.class, FETCH_HTTP);
    }
    static const int elsewhere[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        judge_answer(elsewhere[i], NULL, 1, 0);
        CU_ASSERT_EQUAL(v.what, JUDGE_REDIRECT);
    }
}

static void test_lists(void)
{
    static const char *const bad[] = {"",     "x",    "5",       "5000",
                                      "500,", ",500", "504-500", "500-",
                                      "500 ", "99",   "none,500"};
    struct qerr e = QERR_INIT;
    set_policy();
    CU_ASSERT_EQUAL(judge_statuses("none", &policy, &e), 0);
    judge_answer(503, NULL, 1, 0);
    CU_ASSERT_EQUAL(v.what, JUDGE_FAIL);
    CU_ASSERT_EQUAL(judge_statuses("404", &policy, &e), 0);
    judge_answer(404, NULL, 1, 0);
    CU_ASSERT_EQUAL(v.what, JUDGE_RETRY);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct qerr)QERR_INIT;
        CU_ASSERT_EQUAL(judge_statuses(bad[i], &policy, &e), -Q_EUSAGE);
    }
}

static void test_304(void)
{
    struct judge_try t = {
        .end = TRANSFER_OK, .response = &response, .conditional = true};
    set_policy();
    response_init(&response);
    response.status = 304;
    judge(&policy, &t, &v);
    CU_ASSERT_EQUAL(v.what, JUDGE_DONE);
}

/* A 429 has a budget of its own. */
static void test_budgets(void)
{
    set_policy();
    judge_answer(503, NULL, 2, 0);
    CU_ASSERT_EQUAL(v.what, JUDGE_RETRY);
    judge_answer(503, NULL, 3, 0);
    CU_ASSERT_EQUAL(v.what, JUDGE_FAIL);
    judge_answer(429, NULL, 0, JUDGE_LIMITED_TRIES - 1);
    CU_ASSERT_EQUAL(v.what, JUDGE_RETRY);
    judge_answer(429, NULL, 0, JUDGE_LIMITED_TRIES);
    CU_ASSERT_EQUAL(v.what, JUDGE_FAIL);
    CU_ASSERT_EQUAL(v.class, FETCH_RATELIMITED);
    policy.tries = 1; /* one try is one try */
    judge_answer(429, NULL, 0, 1);
    CU_ASSERT_EQUAL(v.what, JUDGE_FAIL);
    CU_ASSERT_EQUAL(v.class, FETCH_HTTP);
}

static void test_retry_after(void)
{
    set_policy();
    judge_answer(429, "7", 0, 1);
    CU_ASSERT(v.what == JUDGE_RETRY && v.shuts && v.has_after);
    CU_ASSERT_EQUAL(v.after_ns, 7 * SECOND);
    judge_answer(503, "7", 1, 0);
    CU_ASSERT(v.what == JUDGE_RETRY && v.shuts);
    judge_answer(500, "7", 1, 0);
    CU_ASSERT(v.what == JUDGE_RETRY && !v.shuts);
    judge_answer(429, "nonsense", 0, 1);
    CU_ASSERT(v.what == JUDGE_RETRY && v.shuts && !v.has_after);
    judge_answer(429, "301", 0, 1);
    CU_ASSERT(v.what == JUDGE_FAIL && v.class == FETCH_RATELIMITED && v.shuts);
    judge_answer(404, "301", 0, 1);
    CU_ASSERT(v.what == JUDGE_FAIL && v.class == FETCH_HTTP);
}

static void judge_end(enum transfer_end end, int status, enum fetch_class class,
                      bool again)
{
    struct judge_try t = {
        .end = end, .error = "why", .response = &response, .spared = true, .failed = 1};
    response_init(&response);
    response.status = status;
    judge(&policy, &t, &v);
    CU_ASSERT_EQUAL(v.what, again ? JUDGE_RETRY : JUDGE_FAIL);
    CU_ASSERT_EQUAL(v.class, class);
    bool early =
        class == FETCH_CONNECT && end != TRANSFER_CONNECT && end != TRANSFER_DENIED;
    CU_ASSERT_STRING_EQUAL(
        v.error, early ? "the connection ended before there was an answer" : "why");
    CU_ASSERT(!v.spares);
    /* The first time that there is no answer costs nothing, even the last try. */
    t.spared = false;
    t.failed = policy.tries;
    judge(&policy, &t, &v);
    CU_ASSERT_EQUAL(v.spares, early);
    CU_ASSERT_EQUAL(v.what, early ? JUDGE_RETRY : JUDGE_FAIL);
    /* At once, when it may have been an old connection. */
    CU_ASSERT(!v.at_once);
    t.used = true;
    judge(&policy, &t, &v);
    CU_ASSERT_EQUAL(v.at_once, early);
}

static void test_ends(void)
{
    set_policy();
    judge_end(TRANSFER_DNS, 0, FETCH_DNS, true);
    judge_end(TRANSFER_CONNECT, 0, FETCH_CONNECT, true);
    judge_end(TRANSFER_DENIED, 0, FETCH_CONNECT, false);
    judge_end(TRANSFER_TLS, 0, FETCH_TLS, true);
    judge_end(TRANSFER_CERTIFICATE, 0, FETCH_TLS, false);
    judge_end(TRANSFER_TIMEOUT, 0, FETCH_TIMEOUT, true);
    judge_end(TRANSFER_TRUNCATED, 200, FETCH_TRUNCATED, true);
    judge_end(TRANSFER_EMPTY, 0, FETCH_CONNECT, true);
    judge_end(TRANSFER_BROKEN, 0, FETCH_CONNECT, true);
    judge_end(TRANSFER_BROKEN, 200, FETCH_TRUNCATED, true);
    judge_end(TRANSFER_STREAM, 200, FETCH_TRUNCATED, true);
    judge_end(TRANSFER_PROTOCOL, 0, FETCH_PROTOCOL, false);
    judge_end(TRANSFER_URL, 0, FETCH_USAGE, false);
    judge_end(TRANSFER_LOCAL, 0, FETCH_LOCAL, false);
}

static void test_broken_off(void)
{
    struct judge_try t = {.end = TRANSFER_REFUSED,
                          .error = "too long",
                          .broken_off = FETCH_TIMEOUT,
                          .may_pass = true,
                          .response = &response,
                          .failed = 1};
    set_policy();
    response_init(&response);
    judge(&policy, &t, &v);
    CU_ASSERT(v.what == JUDGE_RETRY && v.class == FETCH_TIMEOUT);
    t.may_pass = false;
    judge(&policy, &t, &v);
    CU_ASSERT(v.what == JUDGE_FAIL && v.class == FETCH_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(v.error, "too long");
}

static const struct unit_test tests[] = {
    {"statuses", test_statuses},
    {"lists of statuses", test_lists},
    {"304", test_304},
    {"budgets of tries", test_budgets},
    {"Retry-After", test_retry_after},
    {"ends of a transfer", test_ends},
    {"what was broken off", test_broken_off},
};

UNIT_MAIN("judge", tests)
