#include "engine/signals.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/qclock.h"
#include "unit.h"

static const int taken[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
enum { TAKEN = sizeof taken / sizeof *taken };

static bool is_blocked(int number)
{
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, number) == 1;
}

static void test_events(void)
{
    struct signals s;
    struct qerr e = QERR_INIT;
    for (int i = 0; i < TAKEN; i++)
        CU_ASSERT(!is_blocked(taken[i]));
    CU_ASSERT_EQUAL_FATAL(signals_open(&s, &e), 0);
    CU_ASSERT_EQUAL(signals_wait(&s, 0), SIGNALS_NOTHING);
    for (int i = 0; i < TAKEN; i++) {
        CU_ASSERT(is_blocked(taken[i]));
        kill(getpid(), taken[i]);
        CU_ASSERT_EQUAL(signals_wait(&s, 1000), taken[i]);
        CU_ASSERT_EQUAL(signals_wait(&s, 0), SIGNALS_NOTHING);
    }
    CU_ASSERT(!is_blocked(SIGQUIT) && !is_blocked(SIGSEGV) && !is_blocked(SIGCHLD));
    signals_done(&s);
    CU_ASSERT_EQUAL(signals_wait(&s, -1), SIGNALS_DONE);
    CU_ASSERT_EQUAL(signals_wait(&s, 0), SIGNALS_DONE); /* it stays the end */
    signals_close(&s);
    for (int i = 0; i < TAKEN; i++)
        CU_ASSERT(!is_blocked(taken[i]));
}

/* Two that wait at once are both told, each once. */
static void test_two(void)
{
    struct signals s;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(signals_open(&s, &e), 0);
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGUSR2);
    int first = signals_wait(&s, 1000), second = signals_wait(&s, 1000);
    CU_ASSERT((first == SIGTERM && second == SIGUSR2) ||
              (first == SIGUSR2 && second == SIGTERM));
    CU_ASSERT_EQUAL(signals_wait(&s, 0), SIGNALS_NOTHING);
    /* The end goes before a signal. */
    kill(getpid(), SIGINT);
    signals_done(&s);
    CU_ASSERT_EQUAL(signals_wait(&s, 0), SIGNALS_DONE);
    signals_close(&s); /* and SIGINT dies with it, not we */
    CU_ASSERT(!is_blocked(SIGINT));
}

static void test_time(void)
{
    struct signals s;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(signals_open(&s, &e), 0);
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL(signals_wait(&s, 50), SIGNALS_NOTHING);
    CU_ASSERT(qclock_ns() - start >= 49000000);
    signals_close(&s);
}

static void *end_it(void *arg)
{
    CU_ASSERT(is_blocked(SIGTERM)); /* as in all threads started since */
    usleep(20000);
    signals_done(arg);
    return NULL;
}

static void test_done_elsewhere(void)
{
    struct signals s;
    struct qerr e = QERR_INIT;
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(signals_open(&s, &e), 0);
    pthread_create(&thread, NULL, end_it, &s);
    CU_ASSERT_EQUAL(signals_wait(&s, -1), SIGNALS_DONE);
    pthread_join(thread, NULL);
    signals_close(&s);
}

/* nohup, and a shell's background jobs: what was ignored stays ignored. */
static void test_ignored(void)
{
    for (int i = 0; i < TAKEN; i++) {
        struct signals s;
        struct qerr e = QERR_INIT;
        signal(taken[i], SIG_IGN);
        CU_ASSERT_EQUAL_FATAL(signals_open(&s, &e), 0);
        kill(getpid(), taken[i]);
        CU_ASSERT_EQUAL(signals_wait(&s, 20), SIGNALS_NOTHING);
        kill(getpid(), taken[(i + 1) % TAKEN]);
        CU_ASSERT_EQUAL(signals_wait(&s, 1000), taken[(i + 1) % TAKEN]);
        signals_close(&s);
        signal(taken[i], SIG_DFL);
    }
}

/* In between they kill, but for USR2. */
static void test_let(void)
{
    for (int i = 0; i < TAKEN; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            struct signals s;
            struct qerr e = QERR_INIT;
            if (signals_open(&s, &e) != 0)
                _exit(2);
            signals_let(&s);
            kill(getpid(), taken[i]);
            signals_hold(&s);
            kill(getpid(), SIGTERM);
            _exit(is_blocked(SIGTERM) && signals_wait(&s, 100) > 0 ? 0 : 3);
        }
        CU_ASSERT(waitpid(child, &status, 0) == child);
        if (taken[i] == SIGUSR2)
            CU_ASSERT_EQUAL(status, 0)
        else
            CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == taken[i]);
    }
}

static const struct unit_test tests[] = {
    {"events", test_events},   {"two at once", test_two},
    {"no event", test_time},   {"the end, from another thread", test_done_elsewhere},
    {"ignored", test_ignored}, {"let through", test_let},
};

UNIT_MAIN("signals", tests)
