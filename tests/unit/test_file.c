#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/qclock.h"
#include "chunks.h"
#include "tree.h"

static struct tree tree;

static struct input file_input(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", tree.root, name);
    return (struct input){
        .kind = INPUT_FILE, .text = path, .name = path, .len = strlen(path)};
}

static const struct input stream_input = {
    .kind = INPUT_STREAM, .text = (char *)(uintptr_t) "-", .name = "-"};

/* Reads all of an input. Returns its last answer. */
static int read_all(const struct input *in, struct tokens *t, struct qerr *e)
{
    void *state = NULL;
    int rc = source_file.open(&state, NULL, in, &(struct position){0, 0}, e);
    if (rc < 0)
        return rc;
    rc = source_drain(&source_file, state, t, e);
    source_file.close(state);
    return rc;
}

/* Puts `fd` in the place of standard input; returns what was there. */
static int swap_stdin(int fd)
{
    int saved = dup(STDIN_FILENO);
    dup2(fd, STDIN_FILENO);
    return saved;
}

static void restore_stdin(int saved)
{
    dup2(saved, STDIN_FILENO);
    close(saved);
}

/* --- files --- */

static void check_file(const char *text, size_t len)
{
    char path[200];
    struct input in = file_input(path, sizeof path, "list");
    struct tokens got = {QBUF_INIT, 0}, want = {QBUF_INIT, 0};
    struct qerr e = QERR_INIT;
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f && fwrite(text, 1, len, f) == len && fclose(f) == 0);
    tokens_read(&want, text, len, false);
    CU_ASSERT_EQUAL(source_file.check(&in, &e), 0);
    CU_ASSERT_EQUAL(read_all(&in, &got, &e), 0);
    CU_ASSERT(same_tokens(&got, &want));
    tokens_release(&got);

    /* And as standard input, which stays open. */
    got = (struct tokens){QBUF_INIT, 0};
    int fd = open(path, O_RDONLY), saved = swap_stdin(fd);
    CU_ASSERT_EQUAL(source_file.check(&stream_input, &e), 0);
    CU_ASSERT_EQUAL(read_all(&stream_input, &got, &e), 0);
    CU_ASSERT(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    CU_ASSERT(same_tokens(&got, &want));
    restore_stdin(saved);
    close(fd);
    tokens_release(&got);
    tokens_release(&want);
}

static void test_files(void)
{
    struct qbuf text = QBUF_INIT;
    check_file("", 0);
    check_file("7", 1);
    check_file("7 8\n# c\n9", 9);
    for (uint64_t i = 0; i < 500000; i++)
        qbuf_printf(&text, i % 1000 ? "%" PRIu64 "\n" : "%" PRIu64 " # c 7\n", i);
    check_file(text.data, text.len);
    qbuf_release(&text);
}

static void test_refused(void)
{
    char path[200];
    struct tokens t = {QBUF_INIT, 0};
    struct input in = file_input(path, sizeof path, "missing");
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(source_file.check(&in, &e), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(read_all(&in, &t, &e), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, ENOENT);

    in = file_input(path, sizeof path, "");
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(source_file.check(&in, &e), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, EISDIR);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(read_all(&in, &t, &e), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, EISDIR);
    CU_ASSERT_EQUAL(t.n, 0);
}

/* Neither side of a FIFO notices a check: with nobody there it would hang, or end. */
static void test_fifo(void)
{
    char path[200];
    struct input in = file_input(path, sizeof path, "fifo");
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    CU_ASSERT_EQUAL(source_file.check(&in, &e), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    int writer = open(path, O_WRONLY);
    CU_ASSERT_EQUAL(write(writer, "7 8", 3), 3);
    CU_ASSERT_EQUAL(source_file.check(&in, &e), 0);
    struct tokens t = {QBUF_INIT, 0};
    void *state = NULL;
    CU_ASSERT_EQUAL_FATAL(
        source_file.open(&state, NULL, &in, &(struct position){0, 0}, &e), 0);
    close(reader);
    close(writer);
    CU_ASSERT_EQUAL(source_drain(&source_file, state, &t, &e), 0);
    CU_ASSERT_EQUAL(t.n, 2);
    source_file.close(state);
    tokens_release(&t);
}

/* --- streams --- */

/* What is in a pipe comes at once, though the pipe stays open; the rest when it comes.
 */
static void test_pipe(void)
{
    int ends[2];
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    void *state = NULL;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    int saved = swap_stdin(ends[0]);
    CU_ASSERT_EQUAL_FATAL(
        source_file.open(&state, NULL, &stream_input, &(struct position){0, 0}, &e), 0);
    CU_ASSERT_EQUAL(write(ends[1], "7\n8 12", 6), 6);
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL(source_file.next(state, c, &e), 1);
    CU_ASSERT(qclock_ns() - start < 1000000000);
    CU_ASSERT(c->len == 4 && memcmp(c->text, "7\n8 ", 4) == 0);
    CU_ASSERT_EQUAL(write(ends[1], "34\n", 3), 3);
    CU_ASSERT_EQUAL(source_file.next(state, c, &e), 1);
    CU_ASSERT(c->len == 5 && memcmp(c->text, "1234\n", 5) == 0);
    CU_ASSERT_EQUAL(write(ends[1], "5", 1), 1);
    close(ends[1]);
    CU_ASSERT_EQUAL(source_file.next(state, c, &e), 1);
    CU_ASSERT(c->len == 1 && c->text[0] == '5');
    CU_ASSERT_EQUAL(source_file.next(state, c, &e), 0);
    CU_ASSERT_EQUAL(source_file.next(state, c, &e), 0);
    source_file.close(state);
    restore_stdin(saved);
    close(ends[0]);
    chunk_unmake(c);
}

static void *drip(void *arg)
{
    static const char *const drops[] = {"7", "8 ", "9", "", "\n10 1", "1"};
    int fd = *(int *)arg;
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        if (write(fd, drops[i], strlen(drops[i])) < 0)
            break;
    }
    close(fd);
    return NULL;
}

/* A slow writer; also when somebody has left standard input in non-blocking mode. */
static void check_slow(int flags)
{
    static const char want[] = "78 9 10 11 ";
    int ends[2];
    pthread_t thread;
    struct tokens t = {QBUF_INIT, 0};
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, flags), 0);
    int saved = swap_stdin(ends[0]);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, drip, &ends[1]), 0);
    CU_ASSERT_EQUAL(read_all(&stream_input, &t, &e), 0);
    pthread_join(thread, NULL);
    CU_ASSERT(t.text.len == strlen(want) && memcmp(t.text.data, want, t.text.len) == 0);
    restore_stdin(saved);
    close(ends[0]);
    tokens_release(&t);
}

static void test_slow(void)
{
    check_slow(0);
}

static void test_non_blocking(void)
{
    check_slow(O_NONBLOCK);
}

/* A terminal whose other side has gone gives EIO: what came before is handed on. */
static void test_error(void)
{
    struct tokens t = {QBUF_INIT, 0};
    struct qerr e = QERR_INIT;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CU_ASSERT_FATAL(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios raw;
    CU_ASSERT_EQUAL_FATAL(tcgetattr(slave, &raw), 0);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    CU_ASSERT_EQUAL(write(slave, "7 8\n91", 6), 6);
    close(slave);
    int saved = swap_stdin(master);
    CU_ASSERT_EQUAL(read_all(&stream_input, &t, &e), -Q_EINPUT);
    CU_ASSERT_EQUAL(e.sys, EIO);
    CU_ASSERT(t.text.len == 4 && memcmp(t.text.data, "7 8 ", 4) == 0);
    restore_stdin(saved);
    close(master);
    tokens_release(&t);
}

static void test_begin(void)
{
    tree_begin(&tree);
}

static void test_end(void)
{
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"a folder to work in", test_begin},
    {"regular files, and as standard input", test_files},
    {"what cannot be read", test_refused},
    {"a FIFO is not opened to be checked", test_fifo},
    {"a pipe streams", test_pipe},
    {"a slow writer", test_slow},
    {"a non-blocking standard input", test_non_blocking},
    {"an error midway", test_error},
    {"the folder goes", test_end},
};

UNIT_MAIN("file", tests)
