/* Documents whose numbers are kept: what is rewritten, and that it means the same. */
#include "core/exact.h"

#include <string.h>

#include "base/qjson.h"
#include "core/chunk.h"
#include "unit.h"

struct known {
    const char *text, *want; /* want NULL: it stays */
};

static const struct known table[] = {
    {"", NULL},
    {"{\"a\":[1,-2,0,999999999999999999],\"b\":\"x\"}", NULL},
    {"1000000000000000000", "\"#1000000000000000000\""},
    {"-1000000000000000000", "\"#-1000000000000000000\""},
    {"-0", "\"#-0\""},
    {"[0.5,1e3,1E+3,2.5e-7]", "[\"#0.5\",\"#1e3\",\"#1E+3\",\"#2.5e-7\"]"},
    {"{ \"k\" : 1.5 }", "{ \"k\" : \"#1.5\" }"},
    {"\"#a\"", "\"$#a\""},
    {"\"$a\"", "\"$$a\""},
    {"\"a#\"", NULL},
    {"{\"#k\":\"$v\"}", "{\"$#k\":\"$$v\"}"},
    {"\"\\u0023a\"", "\"$\\u0023a\""},
    {"\"\\u0024a\"", "\"$\\u0024a\""},
    {"\"\\u0025a\"", NULL},
    {"\"a\\\"#1.5\"", NULL},
    {"\"\\\\\",1.5", "\"\\\\\",\"#1.5\""},
    {"\"1.5\"", NULL},
    /* What is no JSON must not become it. */
    {"{1.5:2}", NULL},
    {"{1.5 :2}", NULL},
    {"01.5", "0\"#1.5\""},
    {"1.", NULL},
    {"1.5x", NULL},
    {"1e", NULL},
    {"1e+", NULL},
    {"+1.5", "+\"#1.5\""},
    {".5", NULL},
    {"1.5.5", NULL},
    {"--1.5", "-\"#-1.5\""},
    {"\"abc", NULL},
    {"\"abc\\", NULL},
    {"-", NULL},
};

static void test_table(void)
{
    struct qbuf out = QBUF_INIT;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[200] = {0};
        size_t len = strlen(table[i].text);
        memcpy(text, table[i].text, len);
        memset(text + len, '1', CHUNK_PAD); /* not to be looked at */
        bool changed = exact_rewrite(text, len, &out);
        CU_ASSERT_EQUAL(changed, table[i].want != NULL);
        if (changed && table[i].want)
            CU_ASSERT_STRING_EQUAL(qbuf_cstr(&out), table[i].want);
        if (!changed)
            CU_ASSERT_EQUAL(out.len, 0);
    }
    qbuf_release(&out);
}

static void check_back(const char *text, bool number, const char *want)
{
    size_t len = strlen(text);
    CU_ASSERT_EQUAL(exact_number(&text, &len), number);
    CU_ASSERT(len == strlen(want) && memcmp(text, want, len) == 0);
}

static void test_back(void)
{
    check_back("#1.5", true, "1.5");
    check_back("$#1.5", false, "#1.5");
    check_back("$$", false, "$");
    check_back("a", false, "a");
    check_back("", false, "");
    CU_ASSERT(exact_is_marked("#", 1) && exact_is_marked("$x", 2));
    CU_ASSERT_FALSE(exact_is_marked("", 0) || exact_is_marked("x#", 2));
}

/* Random texts: valid before exactly if valid afterwards, but for numbers that the
 * library cannot hold. */
static void test_validity(void)
{
    static const char *const bits[] = {
        "1", ".5", "-",  "e2", "{", "}",  "[", "]",    ",",     ":",     "\"",
        "#", "$",  "\\", " ",  "a", "\n", "0", "true", "\"a\"", "\"#\"", "null"};
    struct qbuf text = QBUF_INIT, out = QBUF_INIT;
    unsigned valid = 0;
    for (uint64_t i = 0; i < 300000 * unit_scale(); i++) {
        struct qerr e = QERR_INIT, f = QERR_INIT;
        uint64_t line;
        qbuf_clear(&text);
        for (uint64_t n = 1 + unit_random() % 9; n > 0; n--)
            qbuf_puts(&text, bits[unit_random() % (sizeof bits / sizeof *bits)]);
        size_t len = text.len;
        qbuf_add(&text,
                 "                                                                ",
                 CHUNK_PAD);
        bool changed = exact_rewrite(text.data, len, &out);
        struct qjson *was = qjson_document(text.data, len, &line, &e);
        struct qjson *is =
            changed ? qjson_document(out.data, out.len, &line, &f) : NULL;
        if (changed)
            CU_ASSERT_EQUAL_FATAL(was != NULL, is != NULL);
        valid += changed && was;
        qjson_free(was);
        qjson_free(is);
    }
    CU_ASSERT(valid > 1000);
    qbuf_release(&text);
    qbuf_release(&out);
}

static const struct unit_test tests[] = {
    {"what is rewritten", test_table},
    {"and back", test_back},
    {"what is no JSON stays none", test_validity},
};

UNIT_MAIN("exact", tests)
