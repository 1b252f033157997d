#include <jansson.h>

#include "calls.h"
#include "sink/sink.h"

extern const struct kernel kernel_prime, kernel_factor, kernel_sumsq;

/* --- reading it back --- */

/* The lines of the text as objects; each ends in a newline, and there is nothing else.
 */
static json_t *read_back(const struct qbuf *text)
{
    json_t *list = json_array();
    for (size_t at = 0; at < text->len;) {
        const char *end = memchr(text->data + at, '\n', text->len - at);
        CU_ASSERT_PTR_NOT_NULL_FATAL(end);
        size_t len = (size_t)(end - text->data) - at;
        json_t *row = json_loadb(text->data + at, len, JSON_REJECT_DUPLICATES, NULL);
        CU_ASSERT_FATAL(row && json_is_object(row));
        json_array_append_new(list, row);
        at += len + 1;
    }
    return list;
}

/* The keys of an object are these, in this order ("a,b,c"). */
static bool has_keys(json_t *row, const char *want)
{
    char keys[200] = "";
    const char *key;
    json_t *value;
    json_object_foreach(row, key, value)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), ",%s", key);
    return strcmp(keys + 1, want) == 0;
}

static bool is_string(json_t *row, const char *key, const char *want)
{
    const char *got = json_string_value(json_object_get(row, key));
    return got && strcmp(got, want) == 0;
}

static json_t *run(struct calls *c, const struct records *r)
{
    qbuf_clear(&c->text);
    calls_block(c, r, 0, r->n);
    CU_ASSERT_EQUAL_FATAL(calls_run(c, UINT64_MAX), 0);
    sink_jsonl.render(&c->rows, 0, c->rows.n, &c->text);
    return read_back(&c->text);
}

/* --- rows --- */

static void test_prime(void)
{
    static const char *const want[][3] = {
        {"0", "neither", ""},
        {"7", "prime", "deterministic-64"},
        {"9", "composite", ""},
        {"36893488147419103363", "prime", "mr13"},
        {"170141183460469231731687303715884105727", "probable", "bpsw"}};
    struct calls c;
    struct records r = records_new(5);
    calls_begin(&c, &kernel_prime, NULL);
    for (size_t i = 0; i < 5; i++)
        records_add(&r, want[i][0]);
    json_t *rows = run(&c, &r);
    CU_ASSERT_EQUAL_FATAL(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++) {
        json_t *row = json_array_get(rows, i);
        CU_ASSERT(has_keys(row, "n,class,proof,error"));
        CU_ASSERT(is_string(row, "n", want[i][0]));
        CU_ASSERT(is_string(row, "class", want[i][1]));
        CU_ASSERT(is_string(row, "proof", want[i][2]));
        CU_ASSERT(is_string(row, "error", ""));
    }
    json_decref(rows);
    records_free(&r);
    calls_end(&c);
}

/* A list of factors multiplies back; it is empty for 0 and 1. */
static void test_factor(void)
{
    struct calls c;
    struct records r = records_new(300);
    calls_begin(&c, &kernel_factor, NULL);
    records_add(&r, "1361129467683753853853498429727072845824"); /* 2^130 */
    records_add(&r, "0");
    records_add(&r, "1");
    while (r.n < 300)
        records_add_u64(&r, 2 + (unit_random() >> 40));
    json_t *rows = run(&c, &r);
    CU_ASSERT_EQUAL_FATAL(json_array_size(rows), 300);
    for (size_t i = 0; i < 300; i++) {
        json_t *row = json_array_get(rows, i);
        json_t *list = json_object_get(row, "factors");
        CU_ASSERT(has_keys(row, "n,factors,cofactor,proof,error"));
        CU_ASSERT(is_string(row, "n", r.digits[i]));
        CU_ASSERT(is_string(row, "cofactor", ""));
        CU_ASSERT_FATAL(json_is_array(list));
        uint64_t product = 1;
        for (size_t k = 0; k < json_array_size(list); k++) {
            const char *p = json_string_value(json_array_get(list, k));
            CU_ASSERT_PTR_NOT_NULL_FATAL(p);
            product *= strtoull(p, NULL, 10);
        }
        if (i >= 3)
            CU_ASSERT_EQUAL(product, strtoull(r.digits[i], NULL, 10));
        if (i < 3)
            CU_ASSERT_EQUAL(json_array_size(list), i == 0 ? 130 : 0);
    }
    json_decref(rows);
    records_free(&r);
    calls_end(&c);
}

/* Rows from the middle of a block, and those that are kept. */
static void test_some(void)
{
    static const char *const only[] = {"only=prime", NULL};
    struct calls c;
    struct records r = records_new(200);
    calls_begin(&c, &kernel_prime, only);
    for (uint64_t v = 0; v < 200; v++)
        records_add_u64(&r, v);
    json_decref(run(&c, &r));
    qbuf_clear(&c.text);
    sink_jsonl.render(&c.rows, 90, 110, &c.text);
    json_t *rows = read_back(&c.text);
    static const char *const primes[] = {"97", "101", "103", "107", "109"};
    CU_ASSERT_EQUAL(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT(is_string(json_array_get(rows, i), "n", primes[i]));
    json_decref(rows);
    records_free(&r);
    calls_end(&c);
}

static void test_timing(void)
{
    struct calls c;
    struct records r = records_new(1);
    calls_begin(&c, &kernel_sumsq, NULL);
    records_add(&r, "18446744073709551616");
    json_decref(run(&c, &r));
    qbuf_clear(&c.text);
    c.rows.timed = true;
    c.rows.seconds = 1.25;
    sink_jsonl.render(&c.rows, 0, 1, &c.text);
    sink_jsonl.bad(c.state->schema, true, "what", &c.text);
    json_t *rows = read_back(&c.text);
    CU_ASSERT_EQUAL_FATAL(json_array_size(rows), 2);
    json_t *good = json_array_get(rows, 0), *bad = json_array_get(rows, 1);
    CU_ASSERT(has_keys(good, "n,sumsq,seconds,error"));
    CU_ASSERT(is_string(good, "seconds", "1.250000"));
    CU_ASSERT(is_string(good, "sumsq",
                        "2092367245128893587775121957608752906972172301784412323840"));
    CU_ASSERT(has_keys(bad, "n,sumsq,seconds,error"));
    CU_ASSERT(is_string(bad, "seconds", ""));
    json_decref(rows);
    records_free(&r);
    calls_end(&c);
}

/* The result of a fold is a row like any other. */
static void test_fold(void)
{
    struct calls c;
    struct qbuf total = QBUF_INIT;
    calls_begin(&c, &kernel_sumsq, (const char *const[]){"fold", NULL});
    rows_clear(&c.rows, NULL);
    CU_ASSERT_EQUAL(kernel_sumsq.fold(c.state, &total, "42", 2, &c.e), 0);
    CU_ASSERT_EQUAL(kernel_sumsq.result(c.state, &total, &c.rows, &c.e), 0);
    sink_jsonl.render(&c.rows, 0, 1, &c.text);
    CU_ASSERT(same_text(&c.text, "{\"fold\":\"42\",\"error\":\"\"}\n", 25));
    qbuf_release(&total);
    calls_end(&c);
}

/* --- bad records: what users name and write, in a JSON string --- */

static void check_bad(const char *error, const char *want)
{
    struct calls c;
    calls_begin(&c, &kernel_factor, NULL);
    sink_jsonl.bad(c.state->schema, false, error, &c.text);
    CU_ASSERT(!c.text.failed);
    json_t *rows = read_back(&c.text);
    CU_ASSERT_EQUAL_FATAL(json_array_size(rows), 1);
    json_t *row = json_array_get(rows, 0);
    CU_ASSERT(has_keys(row, "n,factors,cofactor,proof,error"));
    CU_ASSERT(is_string(row, "n", ""));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(row, "factors")), 0);
    CU_ASSERT(is_string(row, "error", want));
    for (size_t i = 0; i < c.text.len; i++)
        CU_ASSERT((unsigned char)c.text.data[i] < 0x7f);
    json_decref(rows);
    calls_end(&c);
}

static void test_bad(void)
{
    check_bad("a.txt:7: negative", "a.txt:7: negative");
    check_bad("", "");
    check_bad("quote\" back\\ tab\t line\n bell\x07:1: x",
              "quote\" back\\ tab\t line\n bell\x07:1: x");
    check_bad("z\xc3\xa4hl \xf0\x9f\x8e\x89:1: x", "z\xc3\xa4hl \xf0\x9f\x8e\x89:1: x");
    /* A file's name need not be UTF-8: its bytes are told, and nothing is lost. */
    check_bad("z\xe4hl:1: x", "z\\xe4hl:1: x");
    check_bad("\xff\xfe:1: x", "\\xff\\xfe:1: x");
    check_bad("cut \xc3:1: x", "cut \\xc3:1: x");
}

static const struct unit_test tests[] = {
    {"words and integers", test_prime},  {"lists", test_factor},
    {"some of the rows", test_some},     {"--timing", test_timing},
    {"the result of a fold", test_fold}, {"bad records", test_bad},
};

UNIT_MAIN("jsonl", tests)
