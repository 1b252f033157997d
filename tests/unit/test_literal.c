#include "chunks.h"

static void check(const char *text)
{
    struct input in = {.kind = INPUT_LITERAL, .text = (char *)(uintptr_t)text};
    struct tokens got = {QBUF_INIT, 0}, want = {QBUF_INIT, 0};
    struct qerr e = QERR_INIT;
    void *state = NULL;
    in.len = strlen(text);
    CU_ASSERT_EQUAL(source_literal.check(&in, &e), 0);
    CU_ASSERT_EQUAL_FATAL(
        source_literal.open(&state, NULL, &in, &(struct position){0, 0}, &e), 0);
    CU_ASSERT_EQUAL(source_drain(&source_literal, state, &got, &e), 0);
    source_literal.close(state);
    tokens_read(&want, text, in.len, false);
    CU_ASSERT(same_tokens(&got, &want));
    tokens_release(&got);
    tokens_release(&want);
}

static void test_records(void)
{
    check("");
    check("7\n");
    check("7\n7/2\n\n# 8\n9\n");
    check("360");
}

/* More arguments than a chunk holds, and one that is too long. */
static void test_many(void)
{
    struct qbuf text = QBUF_INIT;
    for (uint64_t i = 0; i < 400000; i++)
        qbuf_printf(&text, "%" PRIu64 "\n", i);
    check(qbuf_cstr(&text));
    qbuf_clear(&text);
    for (size_t i = 0; i <= TOKEN_MAX; i++)
        qbuf_putc(&text, '1');
    qbuf_puts(&text, "\n8\n");
    check(qbuf_cstr(&text));
    qbuf_release(&text);
}

static void test_table(void)
{
    CU_ASSERT(source_for(INPUT_LITERAL) == &source_literal);
    CU_ASSERT(source_for(INPUT_RANGE) == &source_range);
    CU_ASSERT(source_for(INPUT_FILE) == &source_file);
    CU_ASSERT(source_for(INPUT_STREAM) == &source_file);
}

static const struct unit_test tests[] = {
    {"records given as arguments", test_records},
    {"more than a chunk of them", test_many},
    {"the table of sources", test_table},
};

UNIT_MAIN("literal", tests)
