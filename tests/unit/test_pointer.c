/* JSON pointers: the examples of RFC 6901, and others. */
#include "core/pointer.h"

#include <string.h>

#include "unit.h"

static const char rfc[] =
    "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, "
    "\"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, "
    "\"m~n\": 8, \"#x\": 9, \"$#x\": 10, \"o\": {\"p\": [[11]]}}";

struct known {
    const char *pointer;
    int64_t
        value; /* an integer; -1: an array or an object; -2: nothing; -3: a string */
};

static const struct known table[] = {
    {"", -1},
    {"/foo", -1},
    {"/foo/0", -3},
    {"/foo/1", -3},
    {"/foo/2", -2},
    {"/foo/00", -2},
    {"/foo/-", -2},
    {"/foo/0/x", -2},
    {"/foo/+1", -2},
    {"/", 0},
    {"/a~1b", 1},
    {"/c%d", 2},
    {"/e^f", 3},
    {"/g|h", 4},
    {"/i\\j", 5},
    {"/k\"l", 6},
    {"/ ", 7},
    {"/m~0n", 8},
    {"/#x", 9},
    {"/$#x", 10},
    {"/o/p/0/0", 11},
    {"/o/p/0/1", -2},
    {"/o/q", -2},
    {"/m~0n/0", -2},
    {"/foo/99999999999999999999", -2},
    {"/foo/", -2},
};

static void test_rfc(void)
{
    struct qerr e = QERR_INIT;
    uint64_t line;
    struct qjson *doc = qjson_document(rfc, sizeof rfc - 1, &line, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static struct pointer p;
        CU_ASSERT_EQUAL_FATAL(
            pointer_parse(&p, table[i].pointer, strlen(table[i].pointer), &e), 0);
        CU_ASSERT_STRING_EQUAL(p.text, table[i].pointer);
        const struct qjson *v = pointer_find(&p, doc, false);
        int64_t want = table[i].value;
        CU_ASSERT_EQUAL_FATAL(v == NULL, want == -2);
        if (!v)
            continue;
        enum qjson_kind kind = qjson_kind(v);
        CU_ASSERT_EQUAL(kind == QJSON_STRING, want == -3);
        CU_ASSERT_EQUAL(kind == QJSON_ARRAY || kind == QJSON_OBJECT, want == -1);
        if (want >= 0)
            CU_ASSERT(kind == QJSON_INTEGER && qjson_integer(v) == want);
    }
    qjson_free(doc);
}

/* In a rewritten document keys with '#' and '$' have one '$' more. */
static void test_marked(void)
{
    static const char text[] = "{\"$#x\": 1, \"$$x\": 2, \"x\": 3}";
    static struct pointer p;
    struct qerr e = QERR_INIT;
    uint64_t line;
    struct qjson *doc = qjson_document(text, sizeof text - 1, &line, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    static const char *const pointers[] = {"/#x", "/$x", "/x"};
    for (int i = 0; i < 3; i++) {
        pointer_parse(&p, pointers[i], strlen(pointers[i]), &e);
        const struct qjson *v = pointer_find(&p, doc, true);
        CU_ASSERT(v && qjson_integer(v) == i + 1);
    }
    pointer_parse(&p, "/$#x", 4, &e);
    CU_ASSERT_PTR_NULL(pointer_find(&p, doc, true));
    qjson_free(doc);
}

static void test_refused(void)
{
    static const char *const bad[] = {"a", "~", "/~", "/~2", "/a~", "#/a", " /a"};
    static struct pointer p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct qerr e = QERR_INIT;
        CU_ASSERT_EQUAL(pointer_parse(&p, bad[i], strlen(bad[i]), &e), -Q_EUSAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "JSON pointer"));
    }
    char text[POINTER_MAX + 2];
    struct qerr e = QERR_INIT;
    memset(text, '/', sizeof text);
    CU_ASSERT_EQUAL(pointer_parse(&p, text, POINTER_STEPS, &e), 0);
    CU_ASSERT_EQUAL(pointer_parse(&p, text, POINTER_STEPS + 1, &e), -Q_EUSAGE);
    memset(text + 1, 'a', sizeof text - 1);
    struct qerr f = QERR_INIT;
    CU_ASSERT_EQUAL(pointer_parse(&p, text, POINTER_MAX, &f), 0);
    CU_ASSERT_EQUAL(pointer_parse(&p, text, POINTER_MAX + 1, &f), -Q_EUSAGE);
}

static void test_last(void)
{
    static struct pointer p;
    struct qerr e = QERR_INIT;
    size_t len;
    pointer_parse(&p, "/a/b~1c", 7, &e);
    const char *last = pointer_last(&p, &len);
    CU_ASSERT(len == 3 && memcmp(last, "b/c", 3) == 0);
    pointer_parse(&p, "", 0, &e);
    (void)pointer_last(&p, &len);
    CU_ASSERT_EQUAL(len, 0);
}

static const struct unit_test tests[] = {
    {"those of the RFC", test_rfc},
    {"rewritten documents", test_marked},
    {"what is none", test_refused},
    {"the last key", test_last},
};

UNIT_MAIN("pointer", tests)
