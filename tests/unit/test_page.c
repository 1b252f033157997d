#include "cmd/page.h"

#include <string.h>

#include "cmd/svg.h"
#include "unit.h"

static struct qjson *parse(const char *text)
{
    struct qerr e = QERR_INIT;
    struct qjson *doc = qjson_parse(text, strlen(text), &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    return doc;
}

/* Every tag that is opened is closed, in order: what an XML reader would check, but for
 * the few that HTML leaves open. */
static bool is_balanced(const char *html)
{
    char open[64][16];
    unsigned depth = 0;
    while ((html = strchr(html, '<')) != NULL) {
        char name[16] = "";
        bool closing = html[1] == '/';
        sscanf(html + 1 + closing, "%15[a-z0-9]", name);
        const char *end = strchr(html, '>');
        if (!end)
            return false;
        bool empty = end[-1] == '/' || html[1] == '!' || strcmp(name, "meta") == 0 ||
                     strcmp(name, "link") == 0;
        if (closing && (depth == 0 || strcmp(open[--depth], name) != 0))
            return false;
        if (!closing && !empty && depth < 64)
            memcpy(open[depth++], name, sizeof name);
        html = end;
    }
    return depth == 0;
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;
    for (; (text = strstr(text, word)) != NULL; text++)
        n++;
    return n;
}

static const char stats_text[] =
    "{\"schema\":\"quern-stats\",\"version\":1,\"quern\":{\"version\":\"0\"},"
    "\"host\":{\"cpu\":\"<b>&\"},\"run\":{\"command\":\"prime\",\"inputs\":"
    "[\"<script>alert(1)</script>\"],\"seconds\":1.5},\"totals\":{\"records\":10},"
    "\"latency\":{\"record\":{\"count\":10,\"p50\":0.001,\"buckets\":"
    "[[0.001,0.0011,9],[0.1,0.11,1]]}},\"ranks\":[{\"rank\":0,\"threads\":["
    "{\"role\":\"worker\",\"index\":0,\"busy\":1,\"wait\":0.4,\"idle\":0.1}]}]}";

static const char trace_text[] =
    "{\"traceEvents\":[{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":0,\"tid\":0,"
    "\"args\":{\"name\":\"worker 0\"}},{\"ph\":\"X\",\"name\":\"chunk\",\"pid\":0,"
    "\"tid\":0,\"ts\":0,\"dur\":500,\"args\":{\"busy_us\":500}},{\"ph\":\"X\",\"name\":"
    "\"wait\",\"pid\":0,\"tid\":0,\"ts\":500,\"dur\":500}]}";

static void test_runs(void)
{
    struct qjson *stats = parse(stats_text), *trace = parse(trace_text);
    struct page_item items[2] = {{"a.json", stats, trace}, {"b\"<.json", stats, NULL}};
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(page_make(NULL, items, 2, &b, &e), 0);
    const char *html = qbuf_cstr(&b);
    CU_ASSERT(is_balanced(html));
    CU_ASSERT_EQUAL(count(html, "<script"), 0);
    CU_ASSERT_EQUAL(count(html, "<b>"), 0);
    CU_ASSERT_EQUAL(count(html, "http"), count(html, "http://www.w3.org/2000/svg"));
    CU_ASSERT_EQUAL(count(html, "<svg"), 5); /* times, latencies, 2 threads, timeline */
    CU_ASSERT_EQUAL(count(html, "role=\"img\""), 5);
    CU_ASSERT_EQUAL(count(html, "<svg"), count(html, "<desc>"));
    CU_ASSERT(count(html, "<table") >= 4);
    qbuf_release(&b);
    qjson_free(stats);
    qjson_free(trace);
}

/* Statistics of a run of `threads` workers, and its trace: each is busy half the time.
 */
static struct qjson *many_threads(bool trace, unsigned threads)
{
    struct qbuf b = QBUF_INIT;
    qbuf_puts(&b, trace ? "{\"traceEvents\":["
                        : "{\"run\":{\"command\":\"prime\",\"ninputs\":3,\"options\":{"
                          "\"count\":\"yes\",\"only\":\"a b\"},\"inputs\":[\"n.txt\"]},"
                          "\"latency\":{\"record\":{\"count\":1}},"
                          "\"ranks\":[{\"threads\":[");
    for (unsigned i = 0; i < threads && !trace; i++)
        qbuf_printf(&b, "%s{\"role\":\"worker\",\"index\":%u,\"busy\":1}",
                    i > 0 ? "," : "", i);
    for (unsigned i = 0; i < threads && trace; i++)
        qbuf_printf(
            &b,
            "%s{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":0,\"tid\":%u,"
            "\"args\":{\"name\":\"worker %u\"}},{\"ph\":\"X\",\"pid\":0,\"tid\":%u,"
            "\"ts\":%u,\"dur\":500,\"args\":{\"busy_us\":500}}",
            i > 0 ? "," : "", i, i, i, i % 2 * 500);
    qbuf_puts(&b, trace ? "]}" : "]}]}");
    struct qjson *doc = parse(qbuf_cstr(&b));
    qbuf_release(&b);
    return doc;
}

/* Nothing is left out without a word: not threads, not runs. */
static void test_many(void)
{
    struct qjson *stats = many_threads(false, 100), *trace = many_threads(true, 100);
    struct page_item items[6] = {{"1", stats, trace}, {"2", stats, NULL},
                                 {"3", stats, NULL},  {"4", stats, NULL},
                                 {"5", stats, NULL},  {"6", stats, NULL}};
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct timeline t;
    CU_ASSERT_EQUAL(timeline_read(&t, trace, &e), 0);
    CU_ASSERT_EQUAL(t.n, 100);
    CU_ASSERT_DOUBLE_EQUAL(timeline_use(&t, 10), 0.5, 1e-6);
    timeline_release(&t);
    CU_ASSERT_EQUAL(page_make(NULL, items, 6, &b, &e), 0);
    const char *html = qbuf_cstr(&b);
    CU_ASSERT(is_balanced(html));
    CU_ASSERT_EQUAL(count(html, "<th scope=\"row\">worker 99</th>"), 7);
    CU_ASSERT_EQUAL(count(html, "52 more threads are not drawn; the table has all"), 6);
    CU_ASSERT_EQUAL(count(html, "36 more threads are not drawn; the table has all"), 1);
    CU_ASSERT_EQUAL(count(html, "2 more runs are not drawn; the table has all"), 1);
    CU_ASSERT_EQUAL(count(html, "<th scope=\"row\">6</th>"), 2);
    CU_ASSERT_EQUAL(count(html, "quern prime --count '--only=a b' n.txt # and 2 more"),
                    6);
    qbuf_release(&b);
    qjson_free(stats);
    qjson_free(trace);
}

/* Where something is cut, no letter is. */
static void test_letters(void)
{
    struct qjson *stats =
        parse("{\"run\":{\"command\":\"x\"},\"ranks\":[{\"threads\":[{"
              "\"role\":\"worker\"}]}]}");
    char name[400], to[8];
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    for (size_t shift = 0; shift < 3; shift++) {
        size_t len = 0;
        for (; len < shift; len++)
            name[len] = 'a';
        for (; len + 4 < sizeof name; len += 3)
            memcpy(name + len, "\u20ac", 4);
        struct page_item items[2] = {{name, stats, NULL}, {"b", stats, NULL}};
        qbuf_clear(&b);
        CU_ASSERT_EQUAL(page_make(NULL, items, 2, &b, &e), 0);
        for (const char *at = qbuf_cstr(&b); (at = strchr(at, '\xe2')) != NULL; at++)
            CU_ASSERT(strncmp(at, "\u20ac", 3) == 0);
    }
    qbuf_clear(&b);
    svg_text("b\xe9"
             "d<\u20ac\xe2\x82",
             &b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), "b\ufffdd&lt;\u20ac\ufffd\ufffd");
    svg_print(to, sizeof to, "%s", "1234567");
    CU_ASSERT_STRING_EQUAL(to, "1234567");
    svg_print(to, sizeof to, "%s", "123\u20ac4567");
    CU_ASSERT_STRING_EQUAL(to, "123...");
    qbuf_release(&b);
    qjson_free(stats);
}

/* Files with nothing of what is expected are shown as empty, not run into. */
static void test_emptiness(void)
{
    struct qjson *empty = parse("{}"), *bench = parse("{\"cells\":[{},{}]}");
    struct page_item item = {"x", empty, empty};
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(page_make(bench, &item, 1, &b, &e), 0);
    CU_ASSERT(is_balanced(qbuf_cstr(&b)));
    CU_ASSERT_EQUAL(count(qbuf_cstr(&b), "nan"), 0);
    CU_ASSERT_EQUAL(count(qbuf_cstr(&b), "inf"), 0);
    qbuf_release(&b);
    qjson_free(empty);
    qjson_free(bench);
}

static void test_timeline(void)
{
    struct qjson *trace = parse(trace_text);
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct timeline t, again;
    CU_ASSERT_EQUAL(timeline_read(&t, trace, &e), 0);
    CU_ASSERT_EQUAL_FATAL(t.n, 1);
    CU_ASSERT_DOUBLE_EQUAL(t.seconds, 0.001, 1e-12);
    CU_ASSERT(t.rows[0].worker);
    for (size_t k = 0; k < TIMELINE_BINS; k++) {
        CU_ASSERT_DOUBLE_EQUAL(t.rows[0].busy[k], k < TIMELINE_BINS / 2 ? 1 : 0, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL(timeline_use(&t, k), t.rows[0].busy[k], 1e-12);
    }
    struct qjson_writer w = QJSON_WRITER(&b);
    timeline_put(&t, NULL, &w);
    struct qjson *own = qjson_parse(b.data, b.len, &e);
    CU_ASSERT_EQUAL(timeline_read(&again, own, &e), 0);
    CU_ASSERT_EQUAL(again.n, 1);
    CU_ASSERT_STRING_EQUAL(again.rows[0].name, "worker 0");
    CU_ASSERT_DOUBLE_EQUAL(again.rows[0].busy[3], 1, 1e-3);
    timeline_release(&t);
    timeline_release(&again);
    qjson_free(trace);
    qjson_free(own);
    qbuf_release(&b);
}

static void test_times(void)
{
    char to[SVG_TIME];
    CU_ASSERT_STRING_EQUAL(svg_time(to, 12.345), "12.3 s");
    CU_ASSERT_STRING_EQUAL(svg_time(to, 0.9999), "1.00 s");
    CU_ASSERT_STRING_EQUAL(svg_time(to, 0.00123), "1.23 ms");
    CU_ASSERT_STRING_EQUAL(svg_time(to, 123e-6), "123 \u00b5s");
    CU_ASSERT_STRING_EQUAL(svg_time(to, 0), "0.00 ns");
    CU_ASSERT_STRING_EQUAL(svg_time(to, 4000), "4000 s");
}

/* The ideal is a line from 0 to the widest; a curve on it has the same points. */
static void check_ideal(const struct svg_curve *curve, double slope)
{
    struct svg_chart chart = {"t", "w", "x", "y"};
    struct qbuf b = QBUF_INIT;
    double x1, y1, x2, y2, px, py;
    svg_curves(&chart, curve, 1, slope, &b);
    const char *points = strstr(qbuf_cstr(&b), "points=\"");
    const char *ideal = strstr(qbuf_cstr(&b), "class=\"ideal\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(points);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ideal);
    while (strncmp(ideal, "<line", 5) != 0)
        ideal--;
    CU_ASSERT_EQUAL(sscanf(points, "points=\"%*f,%*f %lf,%lf", &px, &py), 2);
    CU_ASSERT_EQUAL(sscanf(ideal, "<line x1=\"%lf\" y1=\"%lf\" x2=\"%lf\" y2=\"%lf\"",
                           &x1, &y1, &x2, &y2),
                    4);
    CU_ASSERT_DOUBLE_EQUAL(px, x2, 0.11);
    CU_ASSERT_DOUBLE_EQUAL(py, y2, 0.11);
    CU_ASSERT(y2 < y1 && x2 > x1);
    CU_ASSERT(is_balanced(qbuf_cstr(&b)));
    qbuf_release(&b);
}

static void test_curves(void)
{
    check_ideal(
        &(struct svg_curve){.name = "threads", .n = 2, .x = {1, 4}, .y = {1, 4}}, 1);
    check_ideal(
        &(struct svg_curve){.name = "threads", .n = 2, .x = {2, 4}, .y = {1, 2}},
        0.5); /* against two threads: four are ideal at 2 */
}

static const struct unit_test tests[] = {
    {"runs side by side", test_runs},
    {"of nothing", test_emptiness},
    {"a timeline", test_timeline},
    {"times", test_times},
    {"curves", test_curves},
    {"more than is drawn", test_many},
    {"letters stay whole", test_letters},
};
UNIT_MAIN("page", tests)
