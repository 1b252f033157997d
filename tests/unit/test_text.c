#include "calls.h"
#include "sink/sink.h"

extern const struct kernel kernel_prime;

static void test_table(void)
{
    CU_ASSERT(sink_for("text") == &sink_text);
    CU_ASSERT(sink_for("jsonl") == &sink_jsonl);
    CU_ASSERT_PTR_NULL(sink_for(""));
    CU_ASSERT_PTR_NULL(sink_for("Text"));
    CU_ASSERT_PTR_NULL(sink_text.bad);
    CU_ASSERT_PTR_NULL(sink_text.header);
}

static void check(const char *const *options, bool timed, const char *want)
{
    struct calls c;
    struct records r = records_new(2);
    calls_begin(&c, &kernel_prime, options);
    records_add(&r, "6");
    records_add(&r, "7");
    for (size_t i = 0; i < 2; i++) {
        calls_block(&c, &r, i, i + 1);
        CU_ASSERT_EQUAL(calls_run(&c, UINT64_MAX), 0);
        c.rows.timed = timed;
        c.rows.seconds = 0.0123456789;
        sink_text.render(&c.rows, 0, 1, &c.text);
    }
    CU_ASSERT(same_text(&c.text, want, strlen(want)));
    records_free(&r);
    calls_end(&c);
}

/* A row that is not kept has no line, and so no seconds. */
static void test_seconds(void)
{
    static const char *const only[] = {"only=prime", NULL};
    check(NULL, false, "6 composite\n7 prime\n");
    check(NULL, true, "6 composite\t0.012346\n7 prime\t0.012346\n");
    check(only, false, "7\n");
    check(only, true, "7\t0.012346\n");
}

static const struct unit_test tests[] = {
    {"the table of sinks", test_table},
    {"--timing appends the seconds", test_seconds},
};

UNIT_MAIN("text", tests)
