#include "core/urlglob.h"

#include <string.h>

#include "unit.h"

/* All URLs that the pattern stands for, with a blank behind each. */
static void check(const char *url, bool literal, const char *want)
{
    struct urlglob g;
    struct qerr e = QERR_INIT;
    struct qbuf one = QBUF_INIT, all = QBUF_INIT;
    uint64_t n = 0;
    CU_ASSERT_EQUAL_FATAL(urlglob_open(&g, url, literal, &e), 0);
    uint64_t count = urlglob_count(&g);
    for (; urlglob_next(&g, &one); n++)
        qbuf_printf(&all, "%s ", qbuf_cstr(&one));
    CU_ASSERT_FALSE(urlglob_next(&g, &one));
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&all), want);
    CU_ASSERT_EQUAL(n, count);
    qbuf_release(&one);
    qbuf_release(&all);
}

static void test_patterns(void)
{
    check("http://h/x", false, "http://h/x ");
    check("http://h/{a,bc,}", false, "http://h/a http://h/bc http://h/ ");
    check("http://h/{a}", false, "http://h/a ");
    check("http://h/[1-3]", false, "http://h/1 http://h/2 http://h/3 ");
    check("h[8-11]", false, "h8 h9 h10 h11 ");
    check("h[08-11]", false, "h08 h09 h10 h11 ");
    check("h[0-2]", false, "h0 h1 h2 ");
    check("h[0-10:5]", false, "h0 h5 h10 ");
    check("h[0-9:5]", false, "h0 h5 ");
    check("h[a-e:2]", false, "ha hc he ");
    check("h[A-C]", false, "hA hB hC ");
    check("{a,b}[1-2]{x,y}", false, "a1x a1y a2x a2y b1x b1y b2x b2y ");
}

static void test_no_patterns(void)
{
    check("http://[::1]:80/{a,b}", false, "http://[::1]:80/a http://[::1]:80/b ");
    check("http://[fe80::1%2]/", false, "http://[fe80::1%2]/ ");
    check("h\\{a\\,b\\}\\[1-2\\]", false, "h{a,b}[1-2] ");
    check("h{a\\,b,c\\}}", false, "ha,b hc} ");
    check("h\\x", false, "h\\x ");
    check("h{a,b}[1-2]\\{", true, "h{a,b}[1-2]\\{ ");
    check("h{", true, "h{ ");
}

static void test_bad(void)
{
    static const char *const bad[] = {"h{",        "h}",     "h[",      "h]",
                                      "h[]",       "h[1]",   "h[3-1]",  "h[1-3:0]",
                                      "h[a-Z]",    "h[a-]",  "h{a{b}}", "h{a[1-2]}",
                                      "h[1-3:2x]", "h[b-a]", "h[-1-2]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct urlglob g;
        struct qerr e = QERR_INIT;
        CU_ASSERT_EQUAL(urlglob_open(&g, bad[i], false, &e), -Q_EUSAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i]));
    }
    char many[200] = "";
    for (int i = 0; i < 40; i++)
        strncat(many, "{a}", sizeof many - strlen(many) - 1);
    struct urlglob g;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(urlglob_open(&g, many, false, &e), -Q_EUSAGE);
}

static void test_count(void)
{
    struct urlglob g;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(urlglob_open(&g, "[0-9999999999][0-9999999999]{a,b}", false, &e),
                    0);
    CU_ASSERT_EQUAL(urlglob_count(&g), UINT64_MAX);
}

static const struct unit_test tests[] = {
    {"patterns", test_patterns},
    {"what is none", test_no_patterns},
    {"what makes no sense", test_bad},
    {"how many", test_count},
};

UNIT_MAIN("urlglob", tests)
