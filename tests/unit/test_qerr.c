#include "base/qerr.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static void test_set(void)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(e.code, Q_OK);
    CU_ASSERT_STRING_EQUAL(e.text, "");
    CU_ASSERT_EQUAL(qerr_set(&e, Q_EINPUT, "line %d of %s", 7, "x"), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.code, Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, 0);
    CU_ASSERT_STRING_EQUAL(e.text, "line 7 of x");
}

static void test_first_wins(void)
{
    struct qerr e = QERR_INIT;
    qerr_set(&e, Q_EIO, "first");
    CU_ASSERT_EQUAL(qerr_set(&e, Q_EUSAGE, "second"), -Q_EIO);
    CU_ASSERT_EQUAL(qerr_sys(&e, Q_EINPUT, ENOENT, "third"), -Q_EIO);
    CU_ASSERT_EQUAL(qerr_nomem(&e), -Q_EIO);
    CU_ASSERT_EQUAL(e.code, Q_EIO);
    CU_ASSERT_EQUAL(e.sys, 0);
    CU_ASSERT_STRING_EQUAL(e.text, "first");
}

static void test_sys(void)
{
    struct qerr e = QERR_INIT;
    char want[sizeof e.text];
    snprintf(want, sizeof want, "open a.txt: %s", strerror(ENOENT));
    CU_ASSERT_EQUAL(qerr_sys(&e, Q_EINPUT, ENOENT, "open %s", "a.txt"), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, ENOENT);
    CU_ASSERT_STRING_EQUAL(e.text, want);
}

static void test_add(void)
{
    struct qerr e = QERR_INIT;
    qerr_sys(&e, Q_EIO, ENOSPC, "write");
    char want[sizeof e.text];
    snprintf(want, sizeof want, "job.txt line 7: write: %s", strerror(ENOSPC));
    CU_ASSERT_EQUAL(qerr_add(&e, "job.txt line %d", 7), -Q_EIO);
    CU_ASSERT_EQUAL(e.code, Q_EIO);
    CU_ASSERT_EQUAL(e.sys, ENOSPC);
    CU_ASSERT_STRING_EQUAL(e.text, want);
}

static void test_nomem(void)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(qerr_nomem(&e), -Q_ENOMEM);
    CU_ASSERT_STRING_EQUAL(e.text, "out of memory");
}

/* A text that is too long is cut; it stays terminated and its neighbours whole. */
static void test_truncation(void)
{
    struct {
        struct qerr e;
        char guard[8];
    } s = {QERR_INIT, "guarded"};
    char longer[2 * sizeof s.e.text];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';

    qerr_set(&s.e, Q_EIO, "%s", longer);
    CU_ASSERT_EQUAL(strlen(s.e.text), sizeof s.e.text - 1);
    CU_ASSERT_STRING_EQUAL(s.guard, "guarded");

    /* A prefix keeps its head and as much of the text as fits. */
    CU_ASSERT_EQUAL(qerr_add(&s.e, "context"), -Q_EIO);
    CU_ASSERT_EQUAL(strlen(s.e.text), sizeof s.e.text - 1);
    CU_ASSERT_EQUAL(memcmp(s.e.text, "context: xxx", 12), 0);

    /* One that fills everything leaves no room for the text. */
    CU_ASSERT_EQUAL(qerr_add(&s.e, "%s", longer), -Q_EIO);
    CU_ASSERT_EQUAL(strlen(s.e.text), sizeof s.e.text - 1);
    CU_ASSERT_EQUAL(strspn(s.e.text, "x"), sizeof s.e.text - 1);

    struct qerr sys = QERR_INIT;
    CU_ASSERT_EQUAL(qerr_sys(&sys, Q_EIO, EIO, "%s", longer), -Q_EIO);
    CU_ASSERT_EQUAL(strlen(sys.text), sizeof sys.text - 1);
    CU_ASSERT_EQUAL(sys.sys, EIO);
    CU_ASSERT_STRING_EQUAL(s.guard, "guarded");
}

static const struct unit_test tests[] = {
    {"set", test_set},     {"first error wins", test_first_wins},
    {"sys", test_sys},     {"add context", test_add},
    {"nomem", test_nomem}, {"truncation", test_truncation},
};

UNIT_MAIN("qerr", tests)
