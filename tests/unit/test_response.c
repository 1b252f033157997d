/* What the header of an answer says. Dates are held against strptime's. */
#include "source/response.h"

#include <string.h>
#include <time.h>

#include "unit.h"

static struct response r;

static void read_lines(const char *text)
{
    response_init(&r);
    while (*text) {
        size_t n = strcspn(text, "\n") + 1;
        CU_ASSERT(response_line(&r, text, n));
        text += n;
    }
}

static void test_fields(void)
{
    read_lines(
        "HTTP/1.1 200 OK\r\nContent-Length: 123\r\nETAG: \"a b\"\r\n"
        "last-modified:Sun, 06 Nov 1994 08:49:37 GMT  \r\n"
        "Content-Encoding: GZIP\r\nAccept-Ranges: none\r\nRetry-After: 5\r\n\r\n");
    CU_ASSERT_EQUAL(r.status, 200);
    CU_ASSERT(r.has_length && r.length == 123);
    CU_ASSERT_STRING_EQUAL(r.etag, "\"a b\"");
    CU_ASSERT_STRING_EQUAL(r.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    CU_ASSERT(r.gzip && !r.other_coding && r.no_ranges);
    CU_ASSERT_STRING_EQUAL(response_validator(&r), "\"a b\"");
    read_lines("HTTP/2 404\r\n\r\n");
    CU_ASSERT(r.status == 404 && r.complete && !r.bad_length);
    read_lines("HTTP/1.1 200 OK\nContent-Length: 9223372036854775808\n");
    CU_ASSERT(r.bad_length && !r.has_length);
    read_lines("HTTP/1.1 xyz\r\n");
    CU_ASSERT_EQUAL(r.status, 0);
    read_lines("HTTP/1.1 200 OK\r\nContent-Length: 12x\r\nContent-Encoding: br\r\n");
    CU_ASSERT(!r.has_length && r.bad_length && r.other_coding);
    read_lines("HTTP/1.1 200 OK\r\nnonsense\r\n: x\r\n\r\n");
    CU_ASSERT_EQUAL(r.status, 200);
}

/* Only the last answer counts, but all headers count together. */
static void test_several_answers(void)
{
    read_lines("HTTP/1.1 100 Continue\r\nETag: \"x\"\r\nRetry-After: 7\r\n\r\n"
               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CU_ASSERT_EQUAL(r.status, 200);
    CU_ASSERT_STRING_EQUAL(r.etag, "");
    CU_ASSERT_STRING_EQUAL(r.retry_after, "");
    CU_ASSERT(r.has_length && r.length == 0);
    CU_ASSERT(r.complete);
    read_lines("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nETag: \"x\r\n");
    CU_ASSERT(!r.complete);
}

static void test_too_much(void)
{
    char line[1000];
    memset(line, 'x', sizeof line);
    response_init(&r);
    unsigned n = 0;
    while (response_line(&r, line, sizeof line))
        n++;
    CU_ASSERT_EQUAL(n, RESPONSE_HEADER_MAX / sizeof line);
    response_line(&r, "HTTP/1.1 200 OK\r\n", 17);
    CU_ASSERT_FALSE(response_line(&r, "a: b\r\n", 6));
}

static void test_validators(void)
{
    read_lines("HTTP/1.1 200 OK\nETag: W/\"x\"\nLast-Modified: y\n");
    CU_ASSERT_PTR_NULL(response_validator(&r));
    read_lines("HTTP/1.1 200 OK\nLast-Modified: y\n");
    CU_ASSERT_STRING_EQUAL(response_validator(&r), "y");
    read_lines("HTTP/1.1 200 OK\n");
    CU_ASSERT_PTR_NULL(response_validator(&r));
}

static void range(const char *value, bool has, bool unsatisfied, uint64_t first,
                  uint64_t last, bool has_total, uint64_t total)
{
    char text[200];
    snprintf(text, sizeof text, "HTTP/1.1 206 x\r\nContent-Range: %s\r\n", value);
    read_lines(text);
    CU_ASSERT_EQUAL(r.has_range, has);
    CU_ASSERT_EQUAL(r.range_unsatisfied, unsatisfied);
    if (has)
        CU_ASSERT(r.range_first == first && r.range_last == last);
    if (has || unsatisfied)
        CU_ASSERT_EQUAL(r.has_total, has_total);
    if ((has || unsatisfied) && has_total)
        CU_ASSERT_EQUAL(r.range_total, total);
}

static void test_ranges(void)
{
    range("bytes 5-9/10", true, false, 5, 9, true, 10);
    range("bytes 5-9/*", true, false, 5, 9, false, 0);
    range("bytes */10", false, true, 0, 0, true, 10);
    range("bytes 9-5/10", false, false, 0, 0, false, 0);
    range("bytes 5-10/10", false, false, 0, 0, false, 0);
    range("bytes 5-9/10x", false, false, 0, 0, false, 0);
    range("bytes 5-", false, false, 0, 0, false, 0);
    range("lines 5-9/10", false, false, 0, 0, false, 0);
    range("5-9/10", false, false, 0, 0, false, 0);
}

/* --- dates --- */

enum { NOW = 1700000000 }; /* in November 2023 */

static void test_dates(void)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                        "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    for (unsigned i = 0; i < 3000; i++) {
        /* Within 49 years of now, so that two digits tell the year. */
        time_t t = (time_t)(NOW - 1500000000 + (int64_t)(unit_random() % 3000000000u));
        struct tm tm;
        gmtime_r(&t, &tm);
        for (size_t k = 0; k < 3; k++) {
            char text[64];
            int64_t got = 0;
            strftime(text, sizeof text, forms[k], &tm);
            CU_ASSERT(response_date(text, NOW, &got));
            CU_ASSERT_EQUAL(got, (int64_t)t);
        }
    }
}

static void test_no_dates(void)
{
    static const char *const bad[] = {"",
                                      "5",
                                      "Sun",
                                      "Sun, ",
                                      "Sun, 06 Nov 1994",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 06 Nox 1994 08:49:37 GMT",
                                      "Sun, 32 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 GMT x",
                                      "Sun Nov  6 08:49:37",
                                      "1994-11-06T08:49:37Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t got = 7;
        CU_ASSERT_FALSE(response_date(bad[i], NOW, &got));
        CU_ASSERT_EQUAL(got, 7);
    }
}

static void retry(const char *after, const char *date, bool known, uint64_t seconds)
{
    uint64_t ns = 7;
    char text[300];
    snprintf(text, sizeof text, "HTTP/1.1 429 x\nRetry-After: %s\n%s%s\n", after,
             date ? "Date: " : "X: ", date ? date : "");
    read_lines(text);
    CU_ASSERT_EQUAL(response_retry_after(&r, NOW, &ns), known);
    CU_ASSERT_EQUAL(ns, known ? seconds * 1000000000u : 7);
}

static void test_retry_after(void)
{
    retry("5", NULL, true, 5);
    retry("0", NULL, true, 0);
    retry("-5", NULL, false, 0);
    retry("5.5", NULL, false, 0);
    retry("5 s", NULL, false, 0);
    retry("soon", NULL, false, 0);
    retry("", NULL, false, 0);
    /* 1700000000 is Tue, 14 Nov 2023 22:13:20 GMT */
    retry("Tue, 14 Nov 2023 22:13:30 GMT", NULL, true, 10);
    retry("Tue, 14 Nov 2023 22:13:10 GMT", NULL, false, 0);
    /* The server's own clock decides, however wrong it is. */
    retry("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:30 GMT", true, 7);
    retry("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", false, 0);
    retry("Tue, 14 Nov 2023 22:13:30 GMT", "nonsense", true, 10);
    uint64_t ns;
    read_lines("HTTP/1.1 429 x\nRetry-After: 99999999999999999999999\n");
    CU_ASSERT(response_retry_after(&r, NOW, &ns));
    CU_ASSERT_EQUAL(ns, UINT64_MAX);
}

/* --- names --- */

static void name(const char *value, const char *want)
{
    char text[1000];
    snprintf(text, sizeof text, "HTTP/1.1 200 x\nContent-Disposition: %s\n", value);
    read_lines(text);
    CU_ASSERT_STRING_EQUAL(r.disposition, want);
}

static void test_disposition(void)
{
    name("attachment", "");
    name("attachment; filename=a.txt", "a.txt");
    name("attachment; filename=\"a b.txt\"", "a b.txt");
    name("attachment; filename=\"a\\\"b; filename=x\"; y=z", "a\"b; filename=x");
    name("attachment; FILENAME*=UTF-8''%e2%82%ac.txt; filename=e.txt",
         "\xe2\x82\xac.txt");
    name("attachment; filename=e.txt; filename*=utf-8'en'a%20b", "a b");
    name("attachment; filename*=ISO-8859-1''%a3; filename=e.txt", "e.txt");
    name("attachment; filename=../../etc/passwd", "../../etc/passwd"); /* tamed later */
}

static const struct unit_test tests[] = {
    {"fields", test_fields},
    {"several answers", test_several_answers},
    {"too large a header", test_too_much},
    {"validators", test_validators},
    {"Content-Range", test_ranges},
    {"dates in three forms", test_dates},
    {"what is no date", test_no_dates},
    {"Retry-After", test_retry_after},
    {"names from Content-Disposition", test_disposition},
};

UNIT_MAIN("response", tests)
