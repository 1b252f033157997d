#include "base/qopt.h"

#include <string.h>

#include "unit.h"

static const struct qopt flag = {.name = "f", .kind = QOPT_FLAG};
static const struct qopt text = {.name = "t", .kind = QOPT_TEXT};
static const struct qopt choice = {
    .name = "c", .kind = QOPT_CHOICE, .value = "ab|b|abc"};
static const struct qopt count = {.name = "n", .kind = QOPT_COUNT};
static const struct qopt limited = {
    .name = "l", .kind = QOPT_COUNT, .min = 3, .max = 12};
static const struct qopt least = {.name = "m", .kind = QOPT_COUNT, .min = 2};
static const struct qopt size = {.name = "s", .kind = QOPT_SIZE};
static const struct qopt small = {
    .name = "z", .kind = QOPT_SIZE, .min = 1, .max = 2048};
static const struct qopt duration = {.name = "d", .kind = QOPT_DURATION};

static void accept(const struct qopt *o, const char *s, uint64_t want)
{
    struct qerr e = QERR_INIT;
    uint64_t v = want + 1;
    if (qopt_parse(o, s, &v, &e) != 0 || v != want || e.code != Q_OK) {
        printf("\n  --%s %s: %" PRIu64 ", not %" PRIu64 " (%s)\n", o->name, s, v, want,
               e.text);
        CU_FAIL("refused, or another value");
    }
}

/* Refused with exactly this text, and the value untouched. */
static void refuse(const struct qopt *o, const char *s, const char *want)
{
    struct qerr e = QERR_INIT;
    uint64_t v = 4711;
    CU_ASSERT_EQUAL(qopt_parse(o, s, &v, &e), -Q_EUSAGE);
    CU_ASSERT_EQUAL(v, 4711);
    if (want)
        CU_ASSERT_STRING_EQUAL(e.text, want);
}

static void test_flag_text_choice(void)
{
    accept(&flag, "yes", 1);
    accept(&flag, "no", 0);
    refuse(&flag, "", NULL);
    refuse(&flag, "Yes", "--f: 'Yes' is neither yes nor no");
    accept(&text, "any thing", 0);
    refuse(&text, "", "--t: the value is empty");
    accept(&choice, "ab", 0);
    accept(&choice, "b", 1);
    accept(&choice, "abc", 2);
    refuse(&choice, "a", "--c: 'a' is not one of ab|b|abc");
    refuse(&choice, "", NULL);
    refuse(&choice, "ab|b", NULL);
    refuse(&choice, "abcd", NULL);
}

static void test_count(void)
{
    accept(&count, "0", 0);
    accept(&count, "007", 7);
    accept(&count, "18446744073709551615", UINT64_MAX);
    refuse(&count, "18446744073709551616", NULL);
    refuse(&count, "36893488147419103232", NULL); /* 2^65: 0 when it wraps */
    refuse(&count, "184467440737095516150", NULL);
    static const char *const bad[] = {"",  " ",   "-1",  "+1", "1 ",    " 1",      "1.",
                                      "x", "0x1", "1e3", "1K", "1,000", "\xd9\xa1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(&count, bad[i], NULL);
    refuse(&count, "1x", "--n: '1x' is not an integer");
    accept(&limited, "3", 3);
    accept(&limited, "12", 12);
    refuse(&limited, "2", "--l: '2' is not an integer from 3 to 12");
    refuse(&limited, "13", "--l: '13' is not an integer from 3 to 12");
    accept(&least, "2", 2);
    accept(&least, "18446744073709551615", UINT64_MAX);
    refuse(&least, "1", "--m: '1' is not an integer of at least 2");
}

static void test_size(void)
{
    accept(&size, "0", 0);
    accept(&size, "5", 5);
    accept(&size, "1K", 1024);
    accept(&size, "3M", 3145728);
    accept(&size, "2G", UINT64_C(2147483648));
    accept(&size, "17179869183G", UINT64_C(18446744072635809792)); /* 2^64 - 2^30 */
    refuse(&size, "17179869184G", NULL);                           /* 2^64 */
    refuse(&size, "18014398509481984K", NULL);
    static const char *const bad[] = {"",   "K",    "1KB", "1 K",
                                      "1T", "1.5K", "-1K", "1k "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(&size, bad[i], NULL);
    accept(&small, "2K", 2048);
    refuse(&small, "0",
           "--z: '0' is not a size from 1 to 2048 (bytes, or with K, M, G)");
    refuse(&small, "2049", NULL);
    refuse(&small, "3K", NULL);
}

static void test_duration(void)
{
    accept(&duration, "0", 0);
    accept(&duration, "500ms", 500000000);
    accept(&duration, "3s", UINT64_C(3000000000));
    accept(&duration, "7", UINT64_C(7000000000));
    accept(&duration, "2m", UINT64_C(120000000000));
    accept(&duration, "1h", UINT64_C(3600000000000));
    accept(&duration, "1.5s", UINT64_C(1500000000));
    accept(&duration, "1.5", UINT64_C(1500000000));
    accept(&duration, "0.25h", UINT64_C(900000000000));
    accept(&duration, "1.50ms", 1500000);
    accept(&duration, "0.000000001", 1);
    accept(&duration, "0.0000000019", 1); /* below a nanosecond: dropped */
    accept(&duration, "18446744073s", UINT64_C(18446744073000000000));
    accept(&duration, "18446744073.709551615", UINT64_MAX);
    refuse(&duration, "18446744073.709551616", NULL);
    refuse(&duration, "18446744074", NULL);
    refuse(&duration, "5124096h", NULL);
    static const char *const bad[] = {"",   "s",   "ms",  ".5",   "1.", "1.s", "-1",
                                      "1S", "1 s", "1sm", "1h2m", "1d", "inf", "1.5.5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(&duration, bad[i], NULL);
    refuse(&duration, "1x",
           "--d: '1x' is not a duration (seconds, or with ms, s, m, h)");
}

/* What a wrong value shows of itself is escaped and cut. */
static void test_token(void)
{
    refuse(&count, "a\nb\x1b", "--n: 'a\\x0ab\\x1b' is not an integer");
    char longer[1000];
    memset(longer, '9', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    refuse(&count, longer,
           "--n: '9999999999999999999999999999999999999999...' is not an integer");
}

static const char *next_name(void *state)
{
    const char *const **at = state;
    return **at ? *(*at)++ : NULL;
}

static const char *nearest_of(const char *const *names, const char *wrong)
{
    const char *found = qopt_nearest(wrong, next_name, &names);
    return found ? found : "";
}

static const char *nearest(const char *wrong)
{
    static const char *const names[] = {"threads", "output", "format", "unordered",
                                        "timing",  "strict", "only",   NULL};
    return nearest_of(names, wrong);
}

static void test_nearest(void)
{
    CU_ASSERT_STRING_EQUAL(nearest("thread"), "threads"); /* one dropped */
    CU_ASSERT_STRING_EQUAL(nearest("treads"), "threads");
    CU_ASSERT_STRING_EQUAL(nearest("outputt"), "output"); /* one added */
    CU_ASSERT_STRING_EQUAL(nearest("farmat"), "format");  /* one changed */
    CU_ASSERT_STRING_EQUAL(nearest("fromat"), "format");  /* two swapped */
    CU_ASSERT_STRING_EQUAL(nearest("onyl"), "only");
    CU_ASSERT_STRING_EQUAL(nearest("unordred"), "unordered");
    CU_ASSERT_STRING_EQUAL(nearest("uno"), "unordered"); /* the beginning */
    CU_ASSERT_STRING_EQUAL(nearest("format"), "format");
    CU_ASSERT_STRING_EQUAL(nearest("un"), ""); /* too short to tell */
    CU_ASSERT_STRING_EQUAL(nearest("prove"), "");
    CU_ASSERT_STRING_EQUAL(nearest("jobs"), "");
    CU_ASSERT_STRING_EQUAL(nearest(""), "");
    CU_ASSERT_STRING_EQUAL(nearest("x"), "");
    /* Two wrong letters in four to seven, one in three; a swap is one. */
    CU_ASSERT_STRING_EQUAL(nearest("xformatx"), "format");
    CU_ASSERT_STRING_EQUAL(nearest("formxy"), "format");
    CU_ASSERT_STRING_EQUAL(nearest("forxyz"), "");
    static const char *const cat[] = {"cat", NULL};
    CU_ASSERT_STRING_EQUAL(nearest_of(cat, "cta"), "cat");
    CU_ASSERT_STRING_EQUAL(nearest_of(cat, "cxa"), "");
    CU_ASSERT_STRING_EQUAL(nearest_of(cat, "ctx"), "");
    CU_ASSERT_STRING_EQUAL(nearest_of(cat + 1, "cat"), "");
    /* Longer than any name; and than the table of distances. */
    CU_ASSERT_STRING_EQUAL(nearest("threadsthreadsthreadsthreadsthreads"), "");
    CU_ASSERT_STRING_EQUAL(nearest("thirtytwo-letters-and-no-option-x"), "");
}

static const struct unit_test tests[] = {
    {"flag, text, choice", test_flag_text_choice},
    {"count", test_count},
    {"size", test_size},
    {"duration", test_duration},
    {"wrong values are escaped", test_token},
    {"nearest", test_nearest},
};

UNIT_MAIN("qopt", tests)
