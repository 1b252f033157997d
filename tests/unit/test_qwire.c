/* qwire: what is put is what is got, and nothing is read behind the end. */
#include <string.h>

#include "base/qwire.h"
#include "unit.h"

static void test_there_and_back(void)
{
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT, got = QERR_INIT;
    struct qwire w;
    size_t n;
    qerr_set(&e, Q_EINPUT, "no such thing");
    qwire_put(&b, 0);
    qwire_put(&b, UINT64_MAX);
    qwire_put_text(&b, "text");
    qwire_put_text(&b, NULL);
    qwire_put_bytes(&b, "a\0b", 3);
    qwire_put_bytes(&b, NULL, 0);
    qwire_put_error(&b, &e);
    qwire_init(&w, &b);
    CU_ASSERT_EQUAL(qwire_get(&w), 0);
    CU_ASSERT_EQUAL(qwire_get(&w), UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(qwire_get_text(&w), "text");
    CU_ASSERT_STRING_EQUAL(qwire_get_text(&w), "");
    const char *bytes = qwire_get_bytes(&w, &n);
    CU_ASSERT(n == 3 && memcmp(bytes, "a\0b", 3) == 0);
    (void)qwire_get_bytes(&w, &n);
    CU_ASSERT_EQUAL(n, 0);
    qwire_get_error(&w, &got);
    CU_ASSERT_EQUAL(got.code, Q_EINPUT);
    CU_ASSERT_STRING_EQUAL(got.text, "no such thing");
    CU_ASSERT(!w.bad && w.left == 0);
    qbuf_release(&b);
}

/* Every prefix of a message reads without passing its end. */
static void test_cut_short(void)
{
    struct qbuf whole = QBUF_INIT;
    struct qerr e = QERR_INIT;
    qwire_put(&whole, 7);
    qwire_put_text(&whole, "seven");
    qwire_put_error(&whole, &e);
    for (size_t len = 0; len < whole.len; len++) {
        struct qbuf part = QBUF_INIT;
        struct qwire w;
        qbuf_add(&part, whole.data, len);
        qwire_init(&w, &part);
        (void)qwire_get(&w);
        CU_ASSERT_PTR_NOT_NULL(qwire_get_text(&w));
        qwire_get_error(&w, &e);
        CU_ASSERT(w.bad && w.left == 0);
        qbuf_release(&part);
    }
    qbuf_release(&whole);
}

static void test_lies(void)
{
    struct qbuf b = QBUF_INIT;
    struct qwire w;
    size_t n;
    qwire_put(&b, UINT64_MAX); /* a length */
    qbuf_puts(&b, "abc");
    qwire_init(&w, &b);
    (void)qwire_get_bytes(&w, &n);
    CU_ASSERT(w.bad && n == 0);
    qbuf_clear(&b);
    qwire_put_bytes(&b, "abc", 3); /* a text without its end */
    qwire_init(&w, &b);
    CU_ASSERT_STRING_EQUAL(qwire_get_text(&w), "");
    CU_ASSERT_TRUE(w.bad);
    qbuf_release(&b);
}

static const struct unit_test tests[] = {
    {"there and back", test_there_and_back},
    {"cut short", test_cut_short},
    {"lies", test_lies},
};

UNIT_MAIN("qwire", tests)
