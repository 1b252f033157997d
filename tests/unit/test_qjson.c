#include "base/qjson.h"

#include <math.h>
#include <string.h>

#include "unit.h"

static void test_layout(void)
{
    struct qbuf b = QBUF_INIT;
    struct qjson_writer w = QJSON_WRITER(&b);
    qjson_object(&w, NULL);
    qjson_string(&w, "name", "a \"quoted\" \\ word");
    qjson_string(&w, "none", NULL);
    qjson_array(&w, "list");
    w.flat = true;
    qjson_count(&w, NULL, UINT64_MAX);
    qjson_bool(&w, NULL, true);
    qjson_end(&w);
    qjson_object(&w, "empty");
    qjson_end(&w);
    qjson_real(&w, "real", 1.5, 6);
    qjson_end(&w);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), "{\n"
                                          " \"name\": \"a \\\"quoted\\\" \\\\ word\",\n"
                                          " \"none\": null,\n"
                                          " \"list\": [18446744073709551615,true],\n"
                                          " \"empty\": {},\n"
                                          " \"real\": 1.5\n"
                                          "}\n");
    qbuf_release(&b);
}

static const char *real(double v, int decimals)
{
    static struct qbuf b;
    struct qjson_writer w = QJSON_WRITER(&b);
    qbuf_clear(&b);
    qjson_real(&w, NULL, v, decimals);
    return qbuf_cstr(&b);
}

static void test_reals(void)
{
    CU_ASSERT_STRING_EQUAL(real(0, 3), "0");
    CU_ASSERT_STRING_EQUAL(real(100, 3), "100");
    CU_ASSERT_STRING_EQUAL(real(100, 0), "100");
    CU_ASSERT_STRING_EQUAL(real(-0.25, 3), "-0.25");
    CU_ASSERT_STRING_EQUAL(real(1.0 / 3, 3), "0.333");
    CU_ASSERT_STRING_EQUAL(real(1.0 / 0.0, 3), "null");
    CU_ASSERT_STRING_EQUAL(real(NAN, 3), "null");
}

static const char *milli(int64_t v)
{
    static struct qbuf b;
    struct qjson_writer w = QJSON_WRITER(&b);
    qbuf_clear(&b);
    qjson_milli(&w, NULL, v);
    return qbuf_cstr(&b);
}

static void test_thousandths(void)
{
    CU_ASSERT_STRING_EQUAL(milli(0), "0");
    CU_ASSERT_STRING_EQUAL(milli(1), "0.001");
    CU_ASSERT_STRING_EQUAL(milli(10), "0.01");
    CU_ASSERT_STRING_EQUAL(milli(1100), "1.1");
    CU_ASSERT_STRING_EQUAL(milli(-12000), "-12");
    CU_ASSERT_STRING_EQUAL(milli(-1), "-0.001");
    CU_ASSERT_STRING_EQUAL(milli(INT64_MAX), "9223372036854775.807");
    CU_ASSERT_STRING_EQUAL(milli(INT64_MIN), "-9223372036854775.808");
    for (int v = -5000; v < 5000; v += 7) /* as the library's printf has it */
        CU_ASSERT_EQUAL(strcmp(milli(v), real(v / 1000.0, 3)), 0);
}

static void test_strings(void)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"tab\there", "\"tab\\there\""},
        {"caf\xc3\xa9", "\"caf\\u00E9\""},
        {"bad \xff byte", "\"bad \\\\xff byte\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct qbuf b = QBUF_INIT;
        qjson_quote(rows[i].text, &b);
        CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), rows[i].json);
        qbuf_release(&b);
    }
}

static void test_reading(void)
{
    static const char text[] =
        "{\"b\": {\"c\": {\"d\": 2.5}}, \"a\": [1, \"two\", true], \"z\": null}";
    struct qerr e = QERR_INIT;
    struct qjson *doc = qjson_parse(text, strlen(text), &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    CU_ASSERT_EQUAL(qjson_number(qjson_get(doc, "b.c.d"), 0), 2.5);
    CU_ASSERT_PTR_NULL(qjson_get(doc, "b.x.d"));
    CU_ASSERT_PTR_NULL(qjson_get(doc, "a.d"));
    const struct qjson *a = qjson_get(doc, "a");
    CU_ASSERT_EQUAL(qjson_size(a), 3);
    CU_ASSERT_EQUAL(qjson_number(qjson_at(a, 0), 0), 1);
    CU_ASSERT_STRING_EQUAL(qjson_text(qjson_at(a, 1), ""), "two");
    CU_ASSERT(qjson_is_true(qjson_at(a, 2)));
    CU_ASSERT_PTR_NULL(qjson_at(a, 3));
    CU_ASSERT_EQUAL(qjson_size(doc), 3);
    CU_ASSERT_STRING_EQUAL(qjson_key(doc, 0), "b");
    CU_ASSERT_STRING_EQUAL(qjson_key(doc, 2), "z");
    CU_ASSERT_PTR_EQUAL(qjson_at(doc, 1), a);
    CU_ASSERT_PTR_NULL(qjson_key(doc, 3));
    CU_ASSERT_PTR_NULL(qjson_key(a, 0));
    qjson_free(doc);
}

static void test_nothing(void)
{
    CU_ASSERT_PTR_NULL(qjson_get(NULL, "a"));
    CU_ASSERT_EQUAL(qjson_size(NULL), 0);
    CU_ASSERT_PTR_NULL(qjson_at(NULL, 0));
    CU_ASSERT_PTR_NULL(qjson_key(NULL, 0));
    CU_ASSERT_STRING_EQUAL(qjson_text(NULL, "x"), "x");
    CU_ASSERT_EQUAL(qjson_number(NULL, 7), 7);
    CU_ASSERT(!qjson_is_true(NULL));
    qjson_free(NULL);
}

static void test_refused(void)
{
    static const char *const texts[] = {"", "{", "{\"a\": 1,}", "[1] x",
                                        "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct qerr e = QERR_INIT;
        CU_ASSERT_PTR_NULL(qjson_parse(texts[i], strlen(texts[i]), &e));
        CU_ASSERT_EQUAL(e.code, Q_EINPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "line "));
    }
}

static const struct unit_test tests[] = {
    {"objects, arrays, flat and not", test_layout},
    {"numbers with a point", test_reals},
    {"thousandths", test_thousandths},
    {"strings of any bytes", test_strings},
    {"reading", test_reading},
    {"reading what is not there", test_nothing},
    {"what is no JSON", test_refused},
};
UNIT_MAIN("qjson", tests)
