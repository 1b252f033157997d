/* Rows out of documents: values, templates, complaints, long arrays. */
#include <string.h>

#include "calls.h"
#include "kernel.h"

extern const struct kernel kernel_extract;

static struct calls calls;

/* Runs the kernel on a document until it has no more; appends lines of text, and what
 * it refuses as "!LINE WHAT". */
static void run(const char *text, size_t len)
{
    char *memory = calloc(1, len + 2 * (size_t)CHUNK_PAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    memset(memory, '"', len + 2 * (size_t)CHUNK_PAD);
    memcpy(memory + CHUNK_PAD, text, len);
    struct kernel_text doc = {"doc", memory + CHUNK_PAD, len};
    struct kernel_call call = {.text = &doc,
                               .rows = &calls.rows,
                               .part = &calls.part,
                               .scratch = calls.scratch,
                               .stop = &calls.stop};
    do {
        size_t from = 0;
        rows_clear(&calls.rows, NULL);
        CU_ASSERT_EQUAL_FATAL(kernel_extract.run(calls.state, &call, &calls.e), 0);
        CU_ASSERT_EQUAL_FATAL(rows_check(&calls.rows, &calls.e), 0);
        CU_ASSERT_FATAL(calls.rows.n <= NUMBERS_BLOCK);
        for (size_t i = 0; i < calls.rows.nrefused; i++) {
            const struct refusal *r = &calls.rows.refused[i];
            calls.rows.schema->text(&calls.rows, from, r->row, &calls.text);
            qbuf_printf(&calls.text, "!%" PRIu64 " %s\n", r->line,
                        rows_what(&calls.rows, r));
            from = r->row + 1;
        }
        calls.rows.schema->text(&calls.rows, from, calls.rows.n, &calls.text);
    } while (call.more);
    free(memory);
}

struct known {
    const char *options[4];
    const char *text, *want;
};

static const struct known table[] = {
    {{"columns=a=/a,b=/b"}, "{\"a\":1,\"b\":\"x\"}", "1\tx\n"},
    {{"columns=/a,/b"}, "{\"a\":true,\"b\":null}", "true\t\n"},
    {{"columns=/a"}, "{\"a\":\"t\\tn\\n\\\\\"}", "t\\tn\\n\\\\\n"},
    {{"columns=/a"},
     "{\"a\":123456789012345678901234567890.50}",
     "123456789012345678901234567890.50\n"},
    {{"columns=/a"}, "{\"a\":9223372036854775808}", "9223372036854775808\n"},
    {{"columns=/a"}, "{\"a\":-9223372036854775808}", "-9223372036854775808\n"},
    {{"columns=/a"}, "{\"a\":-0}", "0\n"},
    {{"columns=/a"}, "{\"a\":1e999999}", "1e999999\n"},
    {{"columns=/a"}, "{\"a\":\"#1.5\",\"b\":2.5}", "#1.5\n"},
    {{"columns=x=/$k"}, "{\"$k\":0.10}", "0.10\n"},
    {{"columns=x=/a\\,b"}, "{\"a,b\":5}", "5\n"},
    {{"columns=x=/a=b"}, "{\"a=b\":5}", "5\n"},
    {{"columns=v="}, "7", "7\n"},
    {{"template=1 {/base} = {/rates/USD:.3} USD, {/rates/EUR:.3} EUR"},
     "{\"base\":\"USD\",\"rates\":{\"USD\":1,\"EUR\":0.9123}}",
     "1 USD = 1.0 USD, 0.912 EUR\n"},
    {{"template={{{/a}}}"}, "{\"a\":5}", "{5}\n"},
    {{"template={/a}{/a}{/a:.2}"}, "{\"a\":5.55}", "5.555.555.6\n"},
    {{"template={/a:b}"}, "{\"a:b\":5}", "5\n"},
    {{"template={}"}, "\"x\"", "x\n"},
    {{"each=/l", "template={}"}, "{\"l\":[1,2,\"x\"]}", "1\n2\nx\n"},
    {{"each=.", "columns=/a"},
     "[{\"a\":1},{},{\"a\":[]},{\"a\":4}]",
     "1\n!0 '/1/a' is not there\n!0 '/2/a' is an array\n4\n"},
    {{"each=/l", "columns=/a,/b"}, "{\"l\":[{\"a\":1}]}", "!0 '/l/0/b' is not there\n"},
    {{"each=/l", "columns=/a"}, "{\"l\":[]}", ""},
    {{"each=/l", "columns=/a"}, "{\"l\":{}}", "!0 '/l' is no array\n"},
    {{"each=/l", "columns=/a"}, "{}", "!0 '/l' is not there\n"},
    {{"columns=/a"}, "{\"a\":{}}", "!0 '/a' is an object\n"},
    {{"columns=/a"}, "{\"a\":\"x\\u0000y\"}", "!0 '/a' has a NUL in it\n"},
    {{"template={/a:.3}"}, "{\"a\":\"5\"}", "!0 '/a' is no number\n"},
    {{"template={/a:.3}"}, "{\"a\":null}", "!0 '/a' is no number\n"},
    {{"template={/a:.3}"}, "{\"a\":false}", "!0 '/a' is no number\n"},
    {{"columns=/a"}, "{\"a\":1}}", "!1 end of file expected near '}'\n"},
    {{"columns=/a"}, "{\"a\":1,\n\"a\":1.5}", "!2 duplicate object key near '\"a\"'\n"},
    {{"columns=/a"}, "", "!1 '[' or '{' expected near end of file\n"},
};

static void test_table(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        calls_begin(&calls, &kernel_extract, table[i].options);
        run(table[i].text, strlen(table[i].text));
        const char *got = qbuf_cstr(&calls.text);
        bool any = strcmp(table[i].text, "") == 0 && strncmp(got, "!1 ", 3) == 0;
        if (!any && strcmp(got, table[i].want) != 0)
            printf("%s: %s", table[i].text, got);
        CU_ASSERT(any || strcmp(got, table[i].want) == 0);
        calls_end(&calls);
    }
}

/* What is no JSON: a complaint each, nothing else. */
static void test_invalid(void)
{
    static const char *const bad[] = {"{",
                                      "[1,]",
                                      "{\"a\"}",
                                      "{'a':1}",
                                      "nul",
                                      "[1 2]",
                                      "{\"a\":01}",
                                      "{\"a\":1.}",
                                      "{\"a\":+1}",
                                      "{\"a\":.5}",
                                      "{1.5:2}",
                                      "\"\xff\"",
                                      "\"\xc3\x28\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"a\nb\"",
                                      "\"\\x\"",
                                      "\"\\ud800\"",
                                      "[1]\"",
                                      "1 1.5",
                                      "{\"a\":1.5,\"a\":1.5}",
                                      "\xfe\xff",
                                      "[NaN]",
                                      "[Infinity]",
                                      "/* c */ 1"};
    static const char *const options[] = {"template={/a}", NULL};
    calls_begin(&calls, &kernel_extract, options);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qbuf_clear(&calls.text);
        run(bad[i], strlen(bad[i]));
        const char *got = qbuf_cstr(&calls.text);
        CU_ASSERT_EQUAL(strncmp(got, "!1 ", 3), 0);
        CU_ASSERT_PTR_EQUAL(strchr(got, '\n'), got + strlen(got) - 1);
    }
    calls_end(&calls);
}

/* Deep documents are refused, not a stack overflow. */
static void test_deep(void)
{
    static const char *const options[] = {"columns=/a", NULL};
    const size_t n = 1000000;
    char *text = malloc(n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    calls_begin(&calls, &kernel_extract, options);
    memset(text, '[', n);
    run(text, n);
    CU_ASSERT_EQUAL(strncmp(qbuf_cstr(&calls.text), "!1 maximum parsing depth", 24), 0);
    calls_end(&calls);
    free(text);
}

/* More elements than a block has rows, some of them bad, on both sides of its end. */
static void test_long_array(void)
{
    static const char *const options[] = {"each=/l", "columns=/v", NULL};
    const size_t n = 3 * (size_t)NUMBERS_BLOCK + 17;
    struct qbuf text = QBUF_INIT, want = QBUF_INIT;
    qbuf_puts(&text, "{\"l\":[");
    for (size_t i = 0; i < n; i++) {
        bool bad = i % 1000 == 7 || i + 1 == NUMBERS_BLOCK || i == NUMBERS_BLOCK;
        qbuf_printf(&text, "%s{\"%c\":%zu.5}", i ? "," : "", bad ? 'w' : 'v', i);
        if (bad)
            qbuf_printf(&want, "!0 '/l/%zu/v' is not there\n", i);
        else
            qbuf_printf(&want, "%zu.5\n", i);
    }
    qbuf_puts(&text, "]}");
    calls_begin(&calls, &kernel_extract, options);
    run(text.data, text.len);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&calls.text), qbuf_cstr(&want));
    calls_end(&calls);
    qbuf_release(&text);
    qbuf_release(&want);
}

static void test_names(void)
{
    static const char *const options[] = {
        "template={/a/x} {/b/x} {/b/x:.2} {} {/c~1\"d} {/error}", NULL};
    static const char *const want[] = {"x",     "/b/x", "/b/x:2",
                                       "value", "c/_d", "/error"};
    calls_begin(&calls, &kernel_extract, options);
    const struct schema *s = calls.state->schema;
    CU_ASSERT_EQUAL_FATAL(s->ncolumns, 6);
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_STRING_EQUAL(s->columns[i].name, want[i]);
    calls_end(&calls);
    /* Columns that only the template uses are not shown. */
    static const char *const both[] = {"columns=a=/a", "template={/b} {/a}", NULL};
    calls_begin(&calls, &kernel_extract, both);
    CU_ASSERT(calls.state->schema->ncolumns == 2 && calls.state->schema->nshown == 1);
    run("{\"a\":1,\"b\":2}", 13);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&calls.text), "2 1\n");
    calls_end(&calls);
}

static void test_usage(void)
{
    static const char *const bad[] = {
        "columns=",          "columns=a",     "columns=a=b",      "columns=a=/a,a=/b",
        "columns=,",         "columns=a=/a,", "columns==/a",      "columns=a\"b=/a",
        "columns=error=/a",  "columns=a=/~",  "template=x",       "template={/a",
        "template=a}b",      "template={a}",  "template={/a:.0}", "template={/a:.41}",
        "template={/a:.99}", "each=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *options[] = {bad[i], NULL};
        struct job job;
        struct kernel_state *state;
        struct qerr e = QERR_INIT;
        if (strcmp(bad[i], "columns=") == 0)
            options[0] = NULL; /* the option is refused already; here: none */
        job_make(&job, &kernel_extract, options);
        CU_ASSERT_EQUAL(kernel_extract.open(&state, &job, &e), -Q_EUSAGE);
        job_release(&job);
    }
}

static const struct unit_test tests[] = {
    {"values, templates, complaints", test_table},
    {"what is no JSON", test_invalid},
    {"a deep document", test_deep},
    {"a long array", test_long_array},
    {"names of columns", test_names},
    {"wrong usage", test_usage},
};

UNIT_MAIN("kernel_extract", tests)
