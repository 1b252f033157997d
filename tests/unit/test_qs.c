/*
 * The helper as built, on numbers made of known primes; and in its place programs that
 * crash, hang, lie or babble, none of which may be believed or leave anything behind.
 */
#include "arith/qs.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qclock.h"
#include "unit.h"

static char scratch[] = "/tmp/test_qs.XXXXXX"; /* TMPDIR of every call */

static size_t entries(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void enter_scratch(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(scratch));
    setenv("TMPDIR", scratch, 1);
}

static void check_split(const char *digits, enum qs_status want)
{
    mpz_t n, f;
    mpz_init_set_str(n, digits, 10);
    mpz_init_set_ui(f, 77);
    CU_ASSERT_EQUAL(qs_split(f, n, NULL), want);
    if (want == QS_DONE) {
        CU_ASSERT_TRUE(mpz_cmp_ui(f, 1) > 0 && mpz_cmp(f, n) < 0);
        CU_ASSERT_TRUE(mpz_divisible_p(n, f));
    }
    CU_ASSERT_EQUAL(entries(scratch), 2); /* . and .. */
    mpz_clears(n, f, NULL);
}

static const char *two_primes = "32252534954313713423376502147614086756012835359797";

static void test_split(void)
{
    check_split("340282366920938463463374607431768211457", QS_DONE); /* F7 */
    check_split("147573952589676412927", QS_DONE);                   /* M67 */
    check_split(two_primes, QS_DONE);
    check_split("1000000000000000000000000000057", QS_FAILED); /* a prime */
}

/* Semiprimes of all sizes from 20 to 38 digits. */
static void test_sizes(void)
{
    mpz_t p, q, f;
    mpz_inits(p, q, f, NULL);
    for (unsigned bits = 34; bits < 64; bits += 3) {
        mpz_set_ui(p, unit_random() >> (64 - bits));
        mpz_setbit(p, bits - 1);
        mpz_nextprime(p, p);
        mpz_set_ui(q, unit_random() >> (64 - bits));
        mpz_setbit(q, bits - 1);
        mpz_nextprime(q, q);
        mpz_mul(q, q, p);
        CU_ASSERT_EQUAL(qs_split(f, q, NULL), QS_DONE);
        mpz_divexact(q, q, p);
        CU_ASSERT_TRUE(mpz_cmp(f, p) == 0 || mpz_cmp(f, q) == 0);
    }
    mpz_clears(p, q, f, NULL);
}

/* A shell script in the helper's place. */
static void with_helper(const char *script, enum qs_status want)
{
    char dir[] = "/tmp/test_qs_helper.XXXXXX";
    char path[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/quern-qs", dir);
    if (script) {
        FILE *file = fopen(path, "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fprintf(file, "#!/bin/sh\ncd \"$2\"; touch left; %s\n", script);
        fclose(file);
        chmod(path, 0700);
    }
    setenv("QUERN_LIBEXEC", dir, 1);
    check_split(two_primes, want);
    unsetenv("QUERN_LIBEXEC");
    unlink(path);
    rmdir(dir);
}

static void test_bad_helpers(void)
{
    with_helper(NULL, QS_FAILED);
    with_helper("kill -SEGV $$", QS_FAILED);
    with_helper("kill -KILL $$", QS_FAILED);
    with_helper("exit 0", QS_FAILED);
    with_helper("echo $1", QS_FAILED);
    with_helper("echo 3; echo 5", QS_FAILED);
    with_helper("echo 4899333042961763745708749", QS_FAILED);
    with_helper(
        "echo 4899333042961763745708749; echo 6583046033305848982578953; exit 1",
        QS_FAILED);
    with_helper("echo -1; echo; echo hello", QS_FAILED);
    with_helper("echo 0; echo 1", QS_FAILED);
    with_helper("exec yes", QS_FAILED);
    with_helper("echo 4899333042961763745708749; echo 6583046033305848982578953",
                QS_DONE);
}

static void *raise_later(void *stop)
{
    usleep(50000);
    atomic_store((atomic_bool *)stop, true);
    return NULL;
}

/* A sieve of a minute, stopped after 50 ms: back at once, nothing left behind. */
static void test_stop(void)
{
    atomic_bool stop = false;
    pthread_t thread;
    mpz_t n, f;
    mpz_init(f);
    mpz_init_set_str(n,
                     "50145053391010450826406018420480671905"
                     "640424637124253122163171123153713150931",
                     10);
    mpz_setbit(n, 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, raise_later, &stop), 0);
    uint64_t start = qclock_ns();
    enum qs_status status = qs_split(f, n, &stop);
    uint64_t took = qclock_ns() - start;
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(status, QS_STOPPED);
    CU_ASSERT_TRUE(took < 500000000u); /* ample: a busy machine */
    CU_ASSERT_EQUAL(entries(scratch), 2);
    mpz_clears(n, f, NULL);
}

static void test_limits(void)
{
    mpz_t n, f;
    mpz_inits(n, f, NULL);
    mpz_ui_pow_ui(n, 10, 5000);
    mpz_add_ui(n, n, 1);
    CU_ASSERT_EQUAL(qs_split(f, n, NULL), QS_FAILED);
    setenv("TMPDIR", "/nonexistent/directory", 1);
    mpz_set_str(n, two_primes, 10);
    CU_ASSERT_EQUAL(qs_split(f, n, NULL), QS_FAILED);
    setenv("TMPDIR", scratch, 1);
    mpz_clears(n, f, NULL);
}

static void *split_some(void *arg)
{
    bool *good = arg;
    mpz_t n, f;
    mpz_inits(n, f, NULL);
    mpz_set_str(n, "340282366920938463463374607431768211457", 10);
    *good = true;
    for (int i = 0; i < 5; i++)
        *good = *good && qs_split(f, n, NULL) == QS_DONE && mpz_divisible_p(n, f);
    mpz_clears(n, f, NULL);
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[3];
    bool good[3];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, split_some, &good[i]),
                              0);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_TRUE(good[i]);
    }
    CU_ASSERT_EQUAL(entries(scratch), 2);
}

static void leave_scratch(void)
{
    CU_ASSERT_EQUAL(rmdir(scratch), 0);
}

static const struct unit_test tests[] = {
    {"a directory for all", enter_scratch},
    {"split", test_split},
    {"sizes", test_sizes},
    {"helpers that fail or lie", test_bad_helpers},
    {"stop", test_stop},
    {"limits", test_limits},
    {"threads", test_threads},
    {"nothing left", leave_scratch},
};

UNIT_MAIN("qs", tests)
