#include "engine/part.h"

#include <string.h>

#include "unit.h"

static void test_bad(void)
{
    struct part p;
    struct qerr e = QERR_INIT;
    char token[2 * TOKEN_KEPT];
    memset(token, 'x', sizeof token);
    part_init(&p);
    for (uint32_t i = 0; i < 1000; i++) {
        qbuf_puts(&p.out, "7\n");
        struct bad_record bad = {.before = i, .line = 3 * i, .len = i};
        bad.len = i < sizeof token ? i : sizeof token;
        token[0] = (char)('a' + i % 26);
        CU_ASSERT_EQUAL(part_add_bad(&p, &bad, "what", token, &e), 0);
    }
    CU_ASSERT_EQUAL(p.nbad, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        const struct bad_record *bad = &p.bad[i];
        CU_ASSERT_EQUAL(bad->at, 2 * (size_t)i + 2);
        CU_ASSERT_EQUAL(bad->before, i);
        CU_ASSERT_EQUAL(bad->line, 3 * i);
        CU_ASSERT_EQUAL(bad->len, i < TOKEN_KEPT ? i : (uint32_t)TOKEN_KEPT);
        CU_ASSERT(bad->token + bad->len <= p.tokens.len);
        if (i > 0)
            CU_ASSERT_EQUAL(p.tokens.data[bad->token], 'a' + (int)(i % 26));
    }
    part_release(&p);
}

static void test_clear(void)
{
    struct part p;
    struct qerr e = QERR_INIT;
    struct bad_record bad = {.len = 1};
    part_init(&p);
    CU_ASSERT_EQUAL(part_size(&p), 0);
    qbuf_puts(&p.out, "out");
    qbuf_puts(&p.fold, "fold");
    CU_ASSERT_EQUAL(part_add_bad(&p, &bad, "what", "x", &e), 0);
    p.records = p.unfinished = p.probable = p.lines = p.busy_ns = 7;
    qerr_set(&p.err, Q_ECHECK, "broken");
    p.out.failed = true;
    size_t size = part_size(&p);
    CU_ASSERT(size >= 3 + 4 + 1 + sizeof bad);
    part_clear(&p);
    CU_ASSERT_EQUAL(part_size(&p), size);
    CU_ASSERT(p.out.len == 0 && p.fold.len == 0 && p.tokens.len == 0 && p.nbad == 0);
    CU_ASSERT(!p.out.failed);
    CU_ASSERT(p.records == 0 && p.unfinished == 0 && p.probable == 0 && p.lines == 0);
    CU_ASSERT(p.busy_ns == 0 && p.err.code == Q_OK);
    part_release(&p);
    CU_ASSERT_EQUAL(part_size(&p), 0);
}

static void test_trim(void)
{
    struct part p;
    part_init(&p);
    CU_ASSERT_PTR_NOT_NULL(qbuf_reserve(&p.out, 10000));
    qbuf_puts(&p.out, "out");
    part_trim(&p);
    CU_ASSERT_EQUAL(part_size(&p), 3);
    CU_ASSERT(memcmp(p.out.data, "out", 3) == 0);
    qbuf_puts(&p.out, "put"); /* it can grow again */
    CU_ASSERT(p.out.len == 6 && memcmp(p.out.data, "output", 6) == 0);
    size_t size = part_size(&p);
    part_trim(&p); /* that would be little */
    CU_ASSERT_EQUAL(part_size(&p), size);
    part_release(&p);
}

static const struct unit_test tests[] = {
    {"bad records and their tokens", test_bad},
    {"cleared, it keeps its memory", test_clear},
    {"trimmed, it keeps what is in it", test_trim},
};

UNIT_MAIN("part", tests)
