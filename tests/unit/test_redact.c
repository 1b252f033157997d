#include "cmd/redact.h"

#include "unit.h"

static void check(const char *before, const char *word, const char *shown)
{
    struct qbuf b = QBUF_INIT;
    redact_argument(before, word, &b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), shown);
    qbuf_release(&b);
}

static void test_options(void)
{
    check("fetch", "--header=A: s3cret", "--header=(hidden)");
    check("--header", "A: s3cret", "(hidden)");
    check("--header", "--header", "(hidden)");
    check("--proxy", "me:pw@host", "(hidden)");
    check("-q", "--proxy=me:pw@host", "--proxy=(hidden)");
    check("--proxy", "", "(hidden)");
    check("A: s3cret", "--header", "--header");
    check("--no-proxy", "host", "host");
    check("--head", "x", "x");
    check(NULL, "--headers=x", "--headers=x");
    check(NULL, "--=x", "--=x");
    check(NULL, "", "");
}

static void test_urls(void)
{
    check(NULL, "http://me:pw@host/a@b", "http://host/a@b");
    check(NULL, "http://me:p@w@host", "http://host");
    check(NULL, "http://host/?u=a@b", "http://host/?u=a@b");
    check("--set", "base=https://me@h/", "base=https://h/");
    check(NULL, "http://a:b@c/,http://d:e@f/", "http://c/,http://f/");
    check(NULL, "me@host", "me@host");
    check(NULL, "x://", "x://");
}

static void test_quotes(void)
{
    static const char *const words[][2] = {
        {"--a=b", "--a=b"}, {"", "''"}, {"a b", "'a b'"}, {"it's", "'it'\\''s'"}};
    for (size_t i = 0; i < 4; i++) {
        struct qbuf b = QBUF_INIT;
        redact_quote(words[i][0], &b);
        CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), words[i][1]);
        qbuf_release(&b);
    }
}

static const struct unit_test tests[] = {
    {"options", test_options},
    {"words for a shell", test_quotes},
    {"names and passwords in URLs", test_urls},
};
UNIT_MAIN("redact", tests)
