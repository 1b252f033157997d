#include "base/qbuf.h"

#include <string.h>

#include "unit.h"

/* Sanitizers end the process on an allocation that malloc just refuses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REFUSES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REFUSES 0
#endif
#endif
#ifndef REFUSES
#define REFUSES 1
#endif

static void check(const struct qbuf *b)
{
    CU_ASSERT(b->len <= b->cap);
    CU_ASSERT(b->data != NULL || b->cap == 0);
}

static void test_append(void)
{
    struct qbuf b;
    qbuf_init(&b);
    check(&b);
    CU_ASSERT_EQUAL(b.len, 0);
    qbuf_add(&b, "ab\0c", 4);
    qbuf_puts(&b, "de");
    qbuf_putc(&b, 'f');
    qbuf_add(&b, NULL, 0);
    check(&b);
    CU_ASSERT_EQUAL(b.len, 7);
    CU_ASSERT_EQUAL(memcmp(b.data, "ab\0cdef", 7), 0);
    qbuf_release(&b);
    CU_ASSERT_PTR_NULL(b.data);
    CU_ASSERT_EQUAL(b.len, 0);
    CU_ASSERT_EQUAL(b.cap, 0);
}

static void test_print(void)
{
    struct qbuf b = QBUF_INIT;
    qbuf_putu(&b, 0);
    qbuf_putc(&b, ' ');
    qbuf_putu(&b, UINT64_MAX);
    qbuf_printf(&b, " %s=%d", "n", -5);
    check(&b);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), "0 18446744073709551615 n=-5");
    CU_ASSERT_EQUAL(b.len, strlen("0 18446744073709551615 n=-5"));
    qbuf_release(&b);
}

/* The terminator of cstr and printf does not count, at every length around the growth
 * of the memory. */
static void test_growth(void)
{
    struct qbuf b = QBUF_INIT, formatted = QBUF_INIT;
    char model[2000];
    for (size_t i = 0; i < sizeof model - 1; i++) {
        model[i] = (char)('a' + i % 26);
        qbuf_putc(&b, model[i]);
        qbuf_printf(&formatted, "%c", model[i]);
        if (b.len != i + 1 || b.len > b.cap || formatted.len != i + 1) {
            CU_FAIL("length");
            break;
        }
    }
    model[sizeof model - 1] = '\0';
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), model);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&formatted), model);
    CU_ASSERT_EQUAL(b.len, sizeof model - 1);
    qbuf_release(&b);
    qbuf_release(&formatted);
}

static void test_cstr_of_nothing(void)
{
    struct qbuf b = QBUF_INIT;
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&b), "");
    CU_ASSERT_EQUAL(b.len, 0);
    qbuf_release(&b);
}

static void test_reserve(void)
{
    struct qbuf b = QBUF_INIT;
    qbuf_puts(&b, "head");
    char *to = qbuf_reserve(&b, 1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    CU_ASSERT_PTR_EQUAL(to, b.data + 4);
    CU_ASSERT_EQUAL(b.len, 4);
    CU_ASSERT(b.cap - b.len >= 1000);
    memset(to, 'x', 1000);
    b.len += 1000;
    CU_ASSERT_EQUAL(memcmp(b.data, "headx", 5), 0);

    size_t cap = b.cap;
    qbuf_clear(&b);
    CU_ASSERT_EQUAL(b.len, 0);
    CU_ASSERT_EQUAL(b.cap, cap);
    qbuf_release(&b);
}

/* After a failure nothing is added, it is reported, and clear forgets it. */
static void check_sticky(struct qbuf *b)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT(b->failed);
    CU_ASSERT_PTR_NULL(qbuf_reserve(b, 1));
    qbuf_add(b, "x", 1);
    qbuf_puts(b, "x");
    qbuf_putc(b, 'x');
    qbuf_putu(b, 1);
    qbuf_printf(b, "%d", 1);
    CU_ASSERT_EQUAL(b->len, 3);
    CU_ASSERT_EQUAL(memcmp(b->data, "abc", 3), 0);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(b), "");
    CU_ASSERT_EQUAL(qbuf_check(b, &e), -Q_ENOMEM);
    CU_ASSERT_EQUAL(e.code, Q_ENOMEM);

    qbuf_clear(b);
    struct qerr none = QERR_INIT;
    CU_ASSERT_EQUAL(qbuf_check(b, &none), 0);
    CU_ASSERT_EQUAL(none.code, Q_OK);
    qbuf_puts(b, "again");
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(b), "again");
}

static void test_failure(void)
{
    struct qbuf b = QBUF_INIT;
    qbuf_puts(&b, "abc");
    CU_ASSERT_PTR_NULL(qbuf_reserve(&b, SIZE_MAX)); /* len + n wraps around */
    check_sticky(&b);
    qbuf_release(&b);
#if REFUSES
    qbuf_puts(&b, "abc");
    CU_ASSERT_PTR_NULL(qbuf_reserve(&b, SIZE_MAX - 64)); /* malloc refuses */
    check_sticky(&b);
    qbuf_release(&b);
#endif
}

static const struct unit_test tests[] = {
    {"append", test_append},   {"print", test_print},
    {"growth", test_growth},   {"cstr of nothing", test_cstr_of_nothing},
    {"reserve", test_reserve}, {"failure is sticky", test_failure},
};

UNIT_MAIN("qbuf", tests)
