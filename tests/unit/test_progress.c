#include "engine/progress.h"

#include <math.h>
#include <string.h>

#include "engine/monitor.h"
#include "unit.h"

/* Columns of a line: escapes take none, a letter of UTF-8 one. */
static unsigned columns_of(const char *s)
{
    unsigned n = 0;
    for (; *s; s++) {
        if (*s == '\033') {
            s += strcspn(s, "m");
            continue;
        }
        n += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return n;
}

static const char *line(const struct progress *p, unsigned columns, unsigned look)
{
    static struct qbuf b;
    qbuf_clear(&b);
    progress_line(p, 0, columns, look, &b);
    return qbuf_cstr(&b);
}

static const struct progress some = {.seconds = 10,
                                     .records = 12345678,
                                     .bad = 3,
                                     .total = 100000000,
                                     .share = 0.12345681,
                                     .rate = 1234567,
                                     .low = 71,
                                     .high = 72};

static void test_line(void)
{
    CU_ASSERT_STRING_EQUAL(
        line(&some, 79, 0),
        "| 12.3M/100M  12% ####..............................  1.23M/s  "
        "ETA 1m12s  3 bad");
    CU_ASSERT_STRING_EQUAL(line(&some, 39, 0), "| 12.3M/100M  12%  ETA 1m12s  3 bad");
    CU_ASSERT_STRING_EQUAL(line(&some, 30, 0), "| 12.3M/100M  12%  ETA 1m12s");
    CU_ASSERT_STRING_EQUAL(line(&some, 12, 0), "| 12.3M/100M");
    CU_ASSERT_STRING_EQUAL(line(&some, 5, 0), "|");
    CU_ASSERT_STRING_EQUAL(line(&some, 0, 0), "");
    struct progress unwritten = {.records = 0, .total = 1000, .share = 1, .low = -1};
    CU_ASSERT_STRING_EQUAL(line(&unwritten, 20, 0), "| 0/1000  99%  0/s");
    unwritten.records = 999;
    unwritten.bad = 1;
    CU_ASSERT_STRING_EQUAL(line(&unwritten, 35, 0), "| 1000/1000  100%  0/s  1 bad");
    struct progress stream = {
        .seconds = 3700, .records = 99999, .share = -1, .rate = 0.25, .low = -1};
    CU_ASSERT_STRING_EQUAL(line(&stream, 79, 0), "| 99999 done  0.2/s  1h01m");
}

/* Never wider than it may be, and of the width that was asked for when it has a bar. */
static void test_widths(void)
{
    struct progress fetching = some;
    fetching.todo = 160;
    fetching.fetched = 40;
    fetching.failed = 2;
    fetching.inputs = 160;
    fetching.inputs_answered = 12;
    for (unsigned look = 0; look < 4; look++) {
        for (unsigned columns = 0; columns < 220; columns++) {
            CU_ASSERT(columns_of(line(&some, columns, look)) <= columns);
            CU_ASSERT(columns_of(line(&fetching, columns, look)) <= columns);
        }
    }
    CU_ASSERT_EQUAL(columns_of(line(&some, 79, PROGRESS_UTF8)), 79);
}

static void test_colours(void)
{
    CU_ASSERT_PTR_NULL(strchr(line(&some, 100, PROGRESS_UTF8), '\033'));
    CU_ASSERT_PTR_NOT_NULL(strstr(line(&some, 100, PROGRESS_COLOUR), "\033[31m3 bad"));
    for (const char *s = line(&some, 100, PROGRESS_COLOUR); *s; s++)
        CU_ASSERT((unsigned char)*s < 0x80);
    CU_ASSERT_PTR_NOT_NULL(strstr(line(&some, 100, PROGRESS_UTF8), "\u2501\u2500"));
}

static void test_two_bars(void)
{
    struct progress p = {.seconds = 4,
                         .records = 12,
                         .share = -1,
                         .rate = 3,
                         .low = -1,
                         .todo = 160,
                         .fetched = 40,
                         .failed = 2,
                         .inputs = 160,
                         .inputs_answered = 20};
    CU_ASSERT_STRING_EQUAL(line(&p, 79, 0), "| TODO 120 ###############.....  DONE 20 "
                                            "###.................  "
                                            "3/s  2 failed");
    CU_ASSERT_STRING_EQUAL(line(&p, 39, 0), "| TODO 120  DONE 20  3/s  2 failed");
}

static void test_plain(void)
{
    struct qbuf b = QBUF_INIT;
    progress_plain(&some, &b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b),
                           "12345681 of 100000000 records in 10s, 12%, 1.23M a "
                           "second, ETA 1m12s, 3 bad");
    qbuf_clear(&b);
    struct progress p = {.seconds = 30,
                         .records = 7,
                         .share = -1,
                         .rate = 1,
                         .low = 60,
                         .high = 240,
                         .todo = 9,
                         .fetched = 8,
                         .failed = 1,
                         .inputs = 9,
                         .inputs_answered = 6};
    progress_plain(&p, &b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b),
                           "7 records in 30s, 1 a second, ETA 1m00s-4m00s, 8 of 9 "
                           "fetched, 1 failed, 6 of 9 inputs done, 0 bad");
    qbuf_release(&b);
}

/* --- when it will be done --- */

static struct progress_seen at(double seconds, uint64_t answered, double busy)
{
    return (struct progress_seen){.seconds = seconds,
                                  .records = answered,
                                  .answered = {answered},
                                  .busy_ns = {(uint64_t)(busy * 1e9)}};
}

static void test_even_work(void)
{
    struct progress_eta eta = {.known = true, .total = {1000}};
    double low, high;
    struct progress_seen s = at(0.5, 5, 1);
    CU_ASSERT(!progress_left(&eta, &s, 0, &low, &high)); /* too soon */
    for (int i = 1; i < 100; i++) {
        s = at(i, (uint64_t)i * 10, 2.0 * i); /* two workers */
        progress_remember(&eta, &s);
        CU_ASSERT_FATAL(progress_left(&eta, &s, 0, &low, &high));
        CU_ASSERT_DOUBLE_EQUAL(low, 100 - i, 0.01);
        CU_ASSERT_DOUBLE_EQUAL(high, 100 - i, 0.01);
        CU_ASSERT_DOUBLE_EQUAL(progress_share(&eta, &s), i / 100.0, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(progress_rate(&eta, &s), 10, 0.01);
    }
    CU_ASSERT(eta.n <= PROGRESS_PAST);
}

/* What has become dearer shows in the far end. */
static void test_dearer_work(void)
{
    struct progress_eta eta = {.known = true, .total = {1000}};
    double low, high;
    struct progress_seen s = at(0, 0, 0);
    for (int i = 1; i <= 50; i++) {
        s = at(i, (uint64_t)i * 10, i);
        progress_remember(&eta, &s);
    }
    for (int i = 1; i <= 20; i++) {
        s = at(50 + i, 500 + (uint64_t)i, 50 + i);
        progress_remember(&eta, &s);
    }
    CU_ASSERT_FATAL(progress_left(&eta, &s, 0, &low, &high));
    CU_ASSERT_DOUBLE_EQUAL(high, 480, 1);
    CU_ASSERT_DOUBLE_EQUAL(low, 70 * 480 / 520.0, 1);
    CU_ASSERT_FATAL(progress_left(&eta, &s, 10000, &low, &high));
    CU_ASSERT_EQUAL(high, 10000);
}

/* Plays a run of `seconds` on one worker, whose records take times in the proportions
 * of `cost`. Returns for what share of its moments, between two of them (shares of the
 * seconds), the truth is more than twice or less than half of what is shown. */
enum { RECORDS = 2000, LATE = 10 };
static double wrong(const double cost[RECORDS], double seconds, double from, double to)
{
    struct progress_eta eta = {.known = true, .total = {RECORDS}};
    double sum = 0, next = 0, low, high;
    unsigned answered = 0, seen = 0, off = 0;
    for (unsigned i = 0; i < RECORDS; i++)
        sum += cost[i];
    for (int tenths = 1; tenths < 10 * (seconds - 1); tenths++) {
        double t = tenths / 10.0;
        while (answered < RECORDS && next + cost[answered] * seconds / sum <= t)
            next += cost[answered++] * seconds / sum;
        struct progress_seen s = at(t, answered, next);
        progress_remember(&eta, &s);
        if (t < from * seconds || t > to * seconds)
            continue;
        seen++;
        off += !progress_left(&eta, &s, t - next, &low, &high) ||
               seconds - t < low / 2 || seconds - t > high * 2;
    }
    return (double)off / seen;
}

/* Many records, of which few take most of the time (Pareto's, with an exponent of 1.5);
 * and work that changes its price. What is a hundred times as dear in its second half
 * is told right from a fifth of the time on. When it is a tenth of the first half's
 * price nobody can know it before that half is over, and some moments have passed. */
static void test_heavy_tails(void)
{
    static double cost[RECORDS];
    static const double lengths[] = {30, 120, 600};
    uint64_t seed = 1;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        for (unsigned i = 0; i < RECORDS; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            cost[i] = pow((double)((seed >> 32) + 1) / 4294967296.0, -1 / 1.5);
        }
        CU_ASSERT(wrong(cost, lengths[k], 0.2, 1) < 0.05);
        for (unsigned i = 0; i < RECORDS; i++)
            cost[i] = i < RECORDS / 2 ? 1 : 100;
        CU_ASSERT_EQUAL(wrong(cost, lengths[k], 0.2, 1), 0);
        for (unsigned i = 0; i < RECORDS; i++)
            cost[i] = i < RECORDS / 2 ? 10 : 1;
        double known = 10 / 11.0 + LATE / lengths[k];
        if (known < 0.97)
            CU_ASSERT_EQUAL(wrong(cost, lengths[k], known, 1), 0);
    }
}

static void test_kinds(void)
{
    struct progress_eta eta = {.known = true, .total = {1000, 50}};
    double low, high;
    struct progress_seen s = at(10, 1000, 10);
    CU_ASSERT(progress_share(&eta, &s) < 0);
    /* Nothing is known of what a number of the range costs. */
    CU_ASSERT(!progress_left(&eta, &s, 0, &low, &high));
    s.seconds = 20;
    s.answered[1] = 10;
    s.busy_ns[1] = 10000000000;
    CU_ASSERT_FATAL(progress_left(&eta, &s, 0, &low, &high));
    CU_ASSERT_DOUBLE_EQUAL(high, 40, 0.1);
    eta.known = false;
    CU_ASSERT(!progress_left(&eta, &s, 0, &low, &high));
    CU_ASSERT(progress_share(&eta, &s) < 0);
}

static void test_summary(void)
{
    struct qbuf b = QBUF_INIT;
    struct progress_summary s = {.records = 1000,
                                 .earlier = 500,
                                 .bad = 1,
                                 .unfinished = 2,
                                 .seconds = 2,
                                 .cpu_seconds = 3.5,
                                 .peak_bytes = 3 << 19,
                                 .digest = "abc"};
    progress_sum_up(&s, &b);
    CU_ASSERT_STRING_EQUAL(
        qbuf_cstr(&b), "1000 records in 2.000 s (250 a second), 1 bad, 2 unfinished; "
                       "peak 1.5 MiB, CPU 175 %; xxh3 abc");
    qbuf_clear(&b);
    struct meter_fetch fetched = {.done = 5, .retries = 3, .bytes = 3 << 20};
    progress_sum_fetched(&s, &fetched);
    progress_sum_up(&s, &b);
    CU_ASSERT_STRING_EQUAL(
        qbuf_cstr(&b),
        "1000 records in 2.000 s (250 a second), 1 bad, 2 unfinished; fetched 5 URLs, "
        "3.0 MiB, 3 retries; peak 1.5 MiB, CPU 175 %; xxh3 abc");
    qbuf_release(&b);
}

static void test_modes(void)
{
    static const struct {
        struct monitor_place place;
        enum monitor_mode mode;
    } rows[] = {
        {{"auto", false, true, false}, MONITOR_LINE},
        {{"auto", false, true, true}, MONITOR_OFF},
        {{"auto", false, false, false}, MONITOR_LOG},
        {{"auto", true, true, false}, MONITOR_OFF},
        {{"auto", true, false, false}, MONITOR_OFF},
        {{"never", false, true, false}, MONITOR_OFF},
        {{"never", false, false, false}, MONITOR_OFF},
        {{"always", true, true, false}, MONITOR_LINE},
        {{"always", true, true, true}, MONITOR_LOG},
        {{"always", false, false, true}, MONITOR_LOG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_EQUAL(monitor_mode(&rows[i].place), rows[i].mode);
}

static const struct unit_test tests[] = {
    {"the line", test_line},
    {"of any width", test_widths},
    {"colours and letters", test_colours},
    {"two bars", test_two_bars},
    {"for a log", test_plain},
    {"even work", test_even_work},
    {"work that becomes dearer", test_dearer_work},
    {"heavy tails, and prices that change", test_heavy_tails},
    {"bytes and integers", test_kinds},
    {"the summary", test_summary},
    {"who gets which", test_modes},
};
UNIT_MAIN("progress", tests)
