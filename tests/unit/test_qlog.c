#include "base/qlog.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "capture.h"
#include "unit.h"

static void test_kinds(void)
{
    struct capture c;
    char line[256];
    capture_begin(&c, STDERR_FILENO);
    qlog_error("open %s: %d", "a", 5);
    qlog_warn("w%d", 1);
    qlog_note("n");
    qlog_detail("never, unless verbose");
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_STRING_EQUAL(line, "quern: open a: 5\n");
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_STRING_EQUAL(line, "quern: warning: w1\n");
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_STRING_EQUAL(line, "quern: n\n");
    CU_ASSERT_FALSE(capture_next(&c, line, sizeof line));
    capture_end(&c);
}

/* Says one of each kind; `want` has the letters of those that come out. */
static void said_at(enum qlog_level level, const char *want)
{
    struct capture c;
    char line[256], got[16] = "";
    capture_begin(&c, STDERR_FILENO);
    qlog_set_level(level);
    qlog_error("E");
    qlog_warn("W");
    qlog_note("N");
    qlog_detail("D");
    qlog_set_level(QLOG_NORMAL);
    while (capture_next(&c, line, sizeof line) && strlen(got) < sizeof got - 1)
        got[strlen(got)] = line[strlen(line) - 2];
    capture_end(&c);
    CU_ASSERT_STRING_EQUAL(got, want);
}

static void test_levels(void)
{
    said_at(QLOG_QUIET, "EW");
    said_at(QLOG_NORMAL, "EWN");
    said_at(QLOG_VERBOSE, "EWND");
}

static void test_control_characters(void)
{
    struct capture c;
    char line[256];
    capture_begin(&c, STDERR_FILENO);
    qlog_error("%s", "a\nb\t\x1b[2J\x7f\\ \xc3\xa9");
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_STRING_EQUAL(line, "quern: a\\x0ab\\x09\\x1b[2J\\x7f\\ \xc3\xa9\n");
    CU_ASSERT_FALSE(capture_next(&c, line, sizeof line));
    capture_end(&c);
}

/* A line never exceeds what a pipe takes in one piece, whatever is said. */
static void test_long_lines(void)
{
    static char text[6000], line[8192];
    for (int control = 0; control < 2; control++) {
        for (size_t len = 900; len < sizeof text - 1; len += control ? 1 : 7) {
            memset(text, control ? '\n' : 'x', len);
            text[len] = '\0';
            struct capture c;
            capture_begin(&c, STDERR_FILENO);
            qlog_warn("%s", text);
            bool any = capture_next(&c, line, sizeof line);
            bool more = capture_next(&c, line + 5000, 3000);
            capture_end(&c);
            size_t n = strlen(line);
            size_t whole = strlen("quern: warning: \n") + len * (control ? 4 : 1);
            bool cut = strcmp(line + n - 4, "...\n") == 0;
            if (!any || more || n > 4096 || line[n - 1] != '\n' ||
                cut != (n != whole) || (cut && n < 4000)) {
                printf("\n  %zu bytes came out as %zu\n", len, n);
                CU_FAIL("a line of wrong length");
                return;
            }
            if (control && len > 1100)
                break;
        }
    }
}

enum { THREADS = 4, LINES = 50 };

static void *talk(void *arg)
{
    const char *letter = arg;
    for (int i = 0; i < LINES; i++)
        qlog_error("%.*s", 40, letter);
    return NULL;
}

/* One call is one write, also among threads. */
static void test_threads(void)
{
    static char letters[THREADS][41];
    pthread_t thread[THREADS];
    struct capture c;
    char line[256];
    int seen[THREADS] = {0};
    capture_begin(&c, STDERR_FILENO);
    for (int i = 0; i < THREADS; i++) {
        memset(letters[i], 'a' + i, 40);
        pthread_create(&thread[i], NULL, talk, letters[i]);
    }
    /* Read meanwhile: the socket holds fewer lines than are written. */
    for (int total = 0; total < THREADS * LINES;) {
        ssize_t n = recv(c.from, line, sizeof line - 1, 0);
        if (n <= 0)
            break;
        line[n] = '\0';
        total++;
        int who = line[7] - 'a';
        if (n == 48 && who >= 0 && who < THREADS &&
            strncmp(line + 7, letters[who], 40) == 0 && line[47] == '\n')
            seen[who]++;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    capture_end(&c);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(seen[i], LINES);
}

/* A stderr that cannot be written to is nobody's error. */
static void test_closed(void)
{
    int saved = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = ENOSPC;
    qlog_error("lost");
    int after = errno;
    dup2(saved, STDERR_FILENO);
    close(saved);
    CU_ASSERT_EQUAL(after, ENOSPC);
}

static void check_token(const char *token, size_t len, const char *want)
{
    char to[QLOG_TOKEN_SIZE];
    CU_ASSERT_PTR_EQUAL(qlog_token(to, token, len), to);
    CU_ASSERT_STRING_EQUAL(to, want);
}

static void test_token(void)
{
    check_token("", 0, "");
    check_token("12x", 3, "12x");
    check_token("12x", 2, "12");
    check_token("a\0b", 3, "a\\x00b");
    check_token(" ~\x7f\x1f\x80\xff\\", 7, " ~\\x7f\\x1f\\x80\\xff\\x5c");
    check_token("1234567890123456789012345678901234567890", 40,
                "1234567890123456789012345678901234567890");
    check_token("1234567890123456789012345678901234567890x", 41,
                "1234567890123456789012345678901234567890...");

    char controls[64], want[QLOG_TOKEN_SIZE] = "";
    memset(controls, 1, sizeof controls);
    for (int i = 0; i < QLOG_TOKEN_BYTES; i++)
        memcpy(want + 4 * i, "\\x01", 5);
    memcpy(want + QLOG_TOKEN_SIZE - 4, "...", 4);
    check_token(controls, sizeof controls, want); /* the longest there is */
}

/* A status line stays below what is said; what erases it goes to the end of the screen.
 */
static void test_status(void)
{
    static const char *const writes[] = {
        "one\r", "\r\033[Jtwo\r", "\r\033[Jquern: said\n",
        "two\r", "\r\033[J",      "quern: after\n",
    };
    struct capture c;
    char line[4096];
    capture_begin(&c, STDERR_FILENO);
    qlog_status(NULL); /* there is none: nothing to erase */
    qlog_status("one");
    qlog_status("two");
    qlog_error("said");
    qlog_status(NULL);
    qlog_status(NULL);
    qlog_error("after");
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        CU_ASSERT(capture_next(&c, line, sizeof line));
        CU_ASSERT_STRING_EQUAL(line, writes[i]);
    }
    CU_ASSERT(!capture_next(&c, line, sizeof line));
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    qlog_status(line);
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_EQUAL(strlen(line), QLOG_STATUS + 1);
    qlog_status(NULL);
    capture_end(&c);
}

static const struct unit_test tests[] = {
    {"kinds", test_kinds},
    {"levels", test_levels},
    {"control characters", test_control_characters},
    {"long lines", test_long_lines},
    {"threads", test_threads},
    {"closed stderr", test_closed},
    {"tokens", test_token},
    {"a status line", test_status},
};

UNIT_MAIN("qlog", tests)
