#include "engine/journal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree.h"

static struct tree tree;
static const char identity[] = "version = 1\ncommand = prime\nrange = 1..9\n";

static const char *path_to(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", tree.root, name);
    return path;
}

static void read_file(const char *name, struct qbuf *to)
{
    FILE *f = fopen(path_to(name), "r");
    char buffer[4096];
    size_t n;
    qbuf_clear(to);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0)
        qbuf_add(to, buffer, n);
    fclose(f);
}

static void write_file(const char *name, const char *bytes, size_t n)
{
    FILE *f = fopen(path_to(name), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* --- marks --- */

static void hash_of(const char *text, char hex[QHASH_HEX])
{
    struct qerr e = QERR_INIT;
    struct qhash *h = qhash_new(&e);
    qhash_add(h, text, strlen(text));
    qhash_hex(h, hex);
    qhash_free(h);
}

/* The k-th mark: each field tells it apart. */
static struct mark mark_of(unsigned k, const char *output)
{
    struct mark m = {.input = k,
                     .at = {UINT64_MAX - k, k % 3},
                     .line = k + 1,
                     .out = strlen(output),
                     .records = 10 * k,
                     .bad = 20 * k,
                     .unfinished = 30 * k,
                     .probable = UINT64_MAX / (k + 1),
                     .fold = QBUF_INIT};
    hash_of(output, m.digest);
    for (unsigned i = 0; i < k; i++)
        qbuf_putc(&m.fold, (char)(i * 85 + k));
    return m;
}

static bool marks_equal(const struct mark *a, const struct mark *b)
{
    return a->input == b->input && a->at.offset == b->at.offset &&
           a->at.state == b->at.state && a->line == b->line && a->out == b->out &&
           a->records == b->records && a->bad == b->bad &&
           a->unfinished == b->unfinished && a->probable == b->probable &&
           strcmp(a->digest, b->digest) == 0 && a->fold.len == b->fold.len &&
           (a->fold.len == 0 || memcmp(a->fold.data, b->fold.data, a->fold.len) == 0);
}

/* The journal of "out" with marks 1 to n, the last one complete or not; the output is
 * the same in all of them. */
static const char output[] = "7 prime\n8 composite\n";

static void make_journal(unsigned n, bool complete)
{
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    unlink(path_to("out.quern"));
    write_file("out", output, sizeof output - 1);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_status(j), JOURNAL_NONE);
    CU_ASSERT_EQUAL(journal_mark(j)->line, 0);
    CU_ASSERT_EQUAL_FATAL(journal_begin(j, identity, &e), 0);
    for (unsigned k = 1; k <= n; k++) {
        struct mark m = mark_of(k, output);
        CU_ASSERT_EQUAL(journal_append(j, &m, complete && k == n, &e), 0);
        qbuf_release(&m.fold);
    }
    journal_close(j);
}

/* Opens it: the status must be `status`, and the mark the k-th (0: none). */
static bool opens_as(enum journal_status status, unsigned k)
{
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    if (journal_open(&j, path_to("out"), &e) != 0) {
        printf("\n%s\n", e.text);
        return false;
    }
    struct mark want = mark_of(k, output);
    const struct mark *got = journal_mark(j);
    bool ok = journal_status(j) == status &&
              (k == 0 ? got->line == 0 : marks_equal(got, &want));
    if (!ok)
        printf("\nstatus %d, mark of line %" PRIu64 "\n", (int)journal_status(j),
               got->line);
    qbuf_release(&want.fold);
    journal_close(j);
    return ok;
}

static bool is_refused(const char *why)
{
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    int rc = journal_open(&j, path_to("out"), &e);
    bool ok = rc == -Q_EUSAGE && strstr(e.text, why) && !j;
    if (!ok)
        printf("\n%d, not '%s': %s\n", rc, why, e.text);
    journal_close(j);
    return ok;
}

static void test_round_trip(void)
{
    make_journal(0, false);
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 0));
    for (unsigned n = 1; n <= 40; n += 13) {
        make_journal(n, false);
        CU_ASSERT(opens_as(JOURNAL_UNFINISHED, n));
        make_journal(n, true);
        CU_ASSERT(opens_as(JOURNAL_COMPLETE, n));
    }
}

/* Appending to what was opened, and beginning again. */
static void test_go_on(void)
{
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    make_journal(2, false);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_continue(j, &e), 0);
    for (unsigned k = 3; k <= 4; k++) {
        struct mark m = mark_of(k, output);
        CU_ASSERT_EQUAL(journal_append(j, &m, k == 4, &e), 0);
        qbuf_release(&m.fold);
    }
    journal_close(j);
    CU_ASSERT(opens_as(JOURNAL_COMPLETE, 4));

    struct qbuf other = QBUF_INIT;
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_begin(j, "command = factor\n", &e), 0);
    CU_ASSERT_EQUAL(journal_mark(j)->line, 0);
    journal_close(j);
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 0));
    read_file("out", &other);
    CU_ASSERT_EQUAL(other.len, sizeof output - 1); /* it is the sink that cuts it */
    qbuf_release(&other);
}

/* --- damage --- */

/* Where line `number` (from 0) begins; with the number of lines: the end. */
static size_t line_at(const struct qbuf *text, unsigned number)
{
    size_t at = 0;
    while (number-- > 0)
        at = (size_t)((char *)memchr(text->data + at, '\n', text->len - at) -
                      text->data) +
             1;
    return at;
}

enum { HEAD_LINES = 5 }; /* format, three j, b */

/* The file ends anywhere: what is whole holds. */
static void test_torn(void)
{
    struct qbuf text = QBUF_INIT;
    make_journal(3, true);
    read_file("out.quern", &text);
    size_t head = line_at(&text, HEAD_LINES);
    for (size_t len = 0; len < text.len; len++) {
        write_file("out.quern", text.data, len);
        unsigned marks = 0;
        while (marks < 3 && len >= line_at(&text, HEAD_LINES + marks + 1))
            marks++;
        bool ok = opens_as(len < head ? JOURNAL_NONE : JOURNAL_UNFINISHED, marks);
        CU_ASSERT(ok);
        if (!ok)
            printf("cut to %zu of %zu\n", len, text.len);
    }
    qbuf_release(&text);
}

/* ... and going on behind a torn line leaves nothing of it. */
static void test_torn_and_on(void)
{
    struct qbuf text = QBUF_INIT;
    make_journal(3, false);
    read_file("out.quern", &text);
    for (size_t len = line_at(&text, HEAD_LINES + 2); len < text.len; len++) {
        struct qerr e = QERR_INIT;
        struct journal *j = NULL;
        struct mark m = mark_of(1, output); /* shorter than what is torn */
        write_file("out.quern", text.data, len);
        CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
        CU_ASSERT_EQUAL(journal_continue(j, &e), 0);
        CU_ASSERT_EQUAL(journal_append(j, &m, true, &e), 0);
        qbuf_release(&m.fold);
        journal_close(j);
        CU_ASSERT(opens_as(JOURNAL_COMPLETE, 1));
    }
    qbuf_release(&text);
}

/* A bit flips: in the last line it is as if torn, further up it is refused. The first
 * line may become another format's, or another version's. */
static void test_flipped(void)
{
    struct qbuf text = QBUF_INIT;
    make_journal(3, false);
    read_file("out.quern", &text);
    size_t second = line_at(&text, 1), last = line_at(&text, HEAD_LINES + 2);
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        char *byte = &text.data[bit / 8];
        *byte = (char)(*byte ^ (1 << bit % 8));
        write_file("out.quern", text.data, text.len);
        *byte = (char)(*byte ^ (1 << bit % 8));
        bool ok = true;
        if (bit / 8 >= last)
            ok = opens_as(JOURNAL_UNFINISHED, 2);
        else if (bit / 8 == last - 1) /* the newline: one invalid line, the last */
            ok = opens_as(JOURNAL_UNFINISHED, 1);
        else if (bit / 8 >= second)
            ok = is_refused("is damaged in line");
        else if (bit / 8 >= sizeof "quern-journal 1" - 1)
            ok = is_refused("is damaged in line 1");
        else if (bit / 8 == sizeof "quern-journal 1" - 2)
            ok = opens_as(JOURNAL_FOREIGN, 0);
        else
            ok = is_refused("is not a journal of quern");
        CU_ASSERT(ok);
        if (!ok)
            printf("bit %zu of byte %zu\n", bit % 8, bit / 8);
    }
    qbuf_release(&text);
}

/* A whole line is lost, doubled, or two change places. */
static void test_lines_moved(void)
{
    struct qbuf text = QBUF_INIT, made = QBUF_INIT;
    make_journal(3, false);
    read_file("out.quern", &text);
    for (unsigned i = 0; i < HEAD_LINES + 2; i++) {
        size_t from = line_at(&text, i), to = line_at(&text, i + 1);
        size_t after = line_at(&text, i + 2);
        qbuf_clear(&made); /* lost */
        qbuf_add(&made, text.data, from);
        qbuf_add(&made, text.data + to, text.len - to);
        write_file("out.quern", made.data, made.len);
        if (i == HEAD_LINES + 1) /* the last is invalid then: torn */
            CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 1))
        else
            CU_ASSERT(is_refused(i == 0 ? "not a journal" : "damaged in line"));
        qbuf_clear(&made); /* exchanged */
        qbuf_add(&made, text.data, from);
        qbuf_add(&made, text.data + to, after - to);
        qbuf_add(&made, text.data + from, to - from);
        qbuf_add(&made, text.data + after, text.len - after);
        write_file("out.quern", made.data, made.len);
        CU_ASSERT(is_refused(i == 0 ? "not a journal" : "damaged in line"));
        qbuf_clear(&made); /* doubled */
        qbuf_add(&made, text.data, to);
        qbuf_add(&made, text.data + from, text.len - from);
        write_file("out.quern", made.data, made.len);
        CU_ASSERT(is_refused("damaged in line"));
    }
    qbuf_release(&text);
    qbuf_release(&made);
}

/* Appends lines that are sealed as they ought to be. */
static void write_sealed(const char *const *lines)
{
    struct qbuf text = QBUF_INIT;
    uint64_t chain = 0;
    for (; *lines; lines++) {
        chain = qhash_64(*lines, strlen(*lines), chain);
        qbuf_printf(&text, "%s %016" PRIx64 "\n", *lines, chain);
    }
    write_file("out.quern", text.data, text.len);
    qbuf_release(&text);
}

#define HEX "99aa06d3014798d86001c324468d497f"

/* Lines with a right checksum that no version of this format has. */
static void test_nonsense(void)
{
    static const char good[] = "m 0 9 0 2 20 " HEX " 1 2 3 4 fold:";
    static const char *const bad[] = {"",
                                      "x",
                                      "b",
                                      "j late = yes",
                                      "m",
                                      "m 0 9 0 2 20",
                                      "m 0 9 0 2 20 " HEX " 1 2 3 4",
                                      "m 0 9 0 2 20 " HEX "0 1 2 3 4 fold:",
                                      "m 0 9 0 2 20 99aa 1 2 3 4 fold:",
                                      "m 0 9 0 2 20 " HEX " 1 2 3 4 fold:0",
                                      "m 0 9 0 2 20 " HEX " 1 2 3 4 fold:0g",
                                      "m 0 9 0 2 20 " HEX " 1 2 3 4 fold:00 ",
                                      "m x 9 0 2 20 " HEX " 1 2 3 4 fold:"};
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    write_sealed((const char *const[]){"quern-journal 1", "j a = b", "b", good, NULL});
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_status(j), JOURNAL_UNFINISHED);
    CU_ASSERT_EQUAL(journal_mark(j)->at.offset, 9);
    CU_ASSERT_EQUAL(journal_mark(j)->probable, 4);
    journal_close(j);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_sealed((const char *const[]){"quern-journal 1", "j a = b", "b", bad[i],
                                           good, NULL});
        CU_ASSERT(is_refused("is damaged in line 4"));
    }
    write_sealed((const char *const[]){"quern-journal 1", "j a = b", good, NULL});
    CU_ASSERT(is_refused("is damaged in line 3")); /* the job is not all said */
    static const char end[] = "e 0 9 0 2 20 " HEX " 1 2 3 4 fold:";
    write_sealed((const char *const[]){"quern-journal 1", "b", end, good, NULL});
    CU_ASSERT(is_refused("is damaged in line 4"));
    static const char *const no_journal[] = {
        "7 prime\n", "quern", "quern-journal\n", "\n", " quern-journal 1", "x"};
    for (size_t i = 0; i < 6; i++) {
        write_file("out.quern", no_journal[i], strlen(no_journal[i]));
        if (i == 1) /* what is torn of a first line */
            CU_ASSERT(opens_as(JOURNAL_NONE, 0))
        else
            CU_ASSERT(is_refused("is not a journal of quern"));
    }
    static const char *const foreign[] = {"quern-journal 2\n", "quern-journal 0",
                                          "quern-journal 10\n",
                                          "quern-journal 12 0123456789abcdef\nz\n"};
    for (size_t i = 0; i < 4; i++) {
        write_file("out.quern", foreign[i], strlen(foreign[i]));
        CU_ASSERT(opens_as(JOURNAL_FOREIGN, 0))
    }
    /* What is torn or damaged of our own is not of another version. */
    write_file("out.quern", "quern-journal 10", strlen("quern-journal 10"));
    CU_ASSERT(opens_as(JOURNAL_NONE, 0));
}

/* --- the job --- */

static void test_job(void)
{
    static const char *const others[] = {
        "version = 2\ncommand = prime\nrange = 1..9\n",
        "version = 1\ncommand = prime\nrange = 1..8\n",
        "version = 1\ncommand = prime\nrange = 1..90\n",
        "version = 1\ncommand = prime\n",
        "version = 1\ncommand = prime\nrange = 1..9\nonly = prime\n",
        "version = 1\ncommand = factor\nrange = 1..9\n",
        ""};
    static const char *const said[] = {"'version = 1', this one 'version = 2'",
                                       "'range = 1..9', this one 'range = 1..8'",
                                       "'range = 1..9', this one 'range = 1..90'",
                                       "this one has no 'range = 1..9'",
                                       "this one has 'only = prime'",
                                       "'command = prime', this one 'command = factor'",
                                       "this one has no 'version = 1'"};
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    make_journal(1, false);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_check_job(j, identity, &e), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct qerr why = QERR_INIT;
        CU_ASSERT_EQUAL(journal_check_job(j, others[i], &why), -Q_EUSAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(why.text, said[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "out.quern is of another job"));
    }
    journal_close(j);
}

/* --- the output --- */

static int check_output(const char *text, size_t len, const struct interrupt *interrupt,
                        struct qerr *e)
{
    struct journal *j = NULL;
    struct qhash *h = qhash_new(e);
    char hex[QHASH_HEX];
    write_file("out", text, len);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), e), 0);
    int rc = journal_check_output(j, h, interrupt, e);
    qhash_hex(h, hex);
    if (rc == 0) /* the hash can go on */
        CU_ASSERT_STRING_EQUAL(hex, journal_mark(j)->digest);
    qhash_free(h);
    journal_close(j);
    return rc;
}

static bool output_refused(const char *text, size_t len, const char *why)
{
    struct qerr e = QERR_INIT;
    int rc = check_output(text, len, NULL, &e);
    if (rc == -Q_EUSAGE && strstr(e.text, why))
        return true;
    printf("\n%d, not '%s': %s\n", rc, why, e.text);
    return false;
}

static void test_output(void)
{
    static const char longer[] = "7 prime\n8 composite\n9 comp";
    const size_t n = sizeof output - 1;
    struct qerr e = QERR_INIT;
    char edited[sizeof output];
    for (int complete = 0; complete <= 1; complete++) {
        make_journal(2, complete);
        CU_ASSERT_EQUAL(check_output(output, n, NULL, &e), 0);
        for (size_t len = 0; len < n; len++)
            CU_ASSERT(output_refused(output, len, "is shorter than"));
        for (size_t i = 0; i < n; i++) {
            memcpy(edited, output, sizeof output);
            edited[i] ^= 1;
            CU_ASSERT(output_refused(edited, n, "has been changed since"));
        }
        if (complete)
            CU_ASSERT(output_refused(longer, sizeof longer - 1, "is longer than"))
        else
            CU_ASSERT_EQUAL(check_output(longer, sizeof longer - 1, NULL, &e), 0);
        struct journal *j = NULL;
        struct qerr gone = QERR_INIT;
        unlink(path_to("out"));
        CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
        CU_ASSERT_EQUAL(journal_check_output(j, NULL, NULL, &gone), -Q_EUSAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(gone.text, "is gone"));
        journal_close(j);
    }
}

static bool third_time(void *state)
{
    return ++*(int *)state == 3;
}

/* Much output takes long to read, and a signal may come. */
static void test_interrupted(void)
{
    enum { MUCH = 5 << 20 };
    char *much = calloc(1, MUCH + 1);
    int asked = 0;
    struct interrupt interrupt = {third_time, &asked};
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(much);
    memset(much, 'x', MUCH);
    make_journal(0, false);
    struct mark m = mark_of(1, much);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_continue(j, &e), 0);
    CU_ASSERT_EQUAL(journal_append(j, &m, false, &e), 0);
    qbuf_release(&m.fold);
    journal_close(j);
    CU_ASSERT_EQUAL(check_output(much, MUCH, NULL, &e), 0);
    CU_ASSERT_EQUAL(check_output(much, MUCH, &interrupt, &e), -Q_ESTOP);
    CU_ASSERT_EQUAL(asked, 3);
    free(much);
}

/* --- the lock --- */

/* A child that holds the journal until `go` is closed, and for `ms` more. */
static pid_t hold(int *go, unsigned ms)
{
    int ready[2], wait[2];
    char byte = 0;
    CU_ASSERT_FATAL(pipe(ready) == 0 && pipe(wait) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct qerr e = QERR_INIT;
        struct journal *j = NULL;
        close(wait[1]);
        if (journal_open(&j, path_to("out"), &e) != 0 || write(ready[1], "r", 1) != 1)
            _exit(1);
        ssize_t n = read(wait[0], &byte, 1);
        usleep(ms * 1000);
        _exit(n == 0 ? 0 : 1);
    }
    close(ready[1]);
    close(wait[0]);
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *go = wait[1];
    return child;
}

static void test_lock(void)
{
    int go, status;
    make_journal(1, false);
    pid_t child = hold(&go, 0);
    CU_ASSERT(is_refused("another run is writing"));
    close(go);
    CU_ASSERT(waitpid(child, &status, 0) == child && status == 0);
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 1));

    /* One on its way out is waited for, also when it was killed. */
    child = hold(&go, 100);
    close(go);
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 1));
    waitpid(child, &status, 0);
    child = hold(&go, 0);
    kill(child, SIGKILL);
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 1));
    waitpid(child, &status, 0);
    close(go);
}

/* The one who held it removes it: the lock on a file without a name is worth nothing.
 */
static void test_lock_removed(void)
{
    int go, status;
    make_journal(1, true);
    pid_t child = hold(&go, 100);
    CU_ASSERT_EQUAL(unlink(path_to("out.quern")), 0);
    close(go);
    make_journal(3, false); /* another file of that name */
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 3));
    waitpid(child, &status, 0);

    make_journal(1, true);
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    child = fork();
    if (child == 0) {
        if (journal_open(&j, path_to("out"), &e) != 0)
            _exit(1);
        usleep(150000);
        _exit(journal_remove(j, &e) == 0 ? 0 : 1);
    }
    usleep(50000);
    CU_ASSERT(opens_as(JOURNAL_NONE, 0));
    CU_ASSERT(waitpid(child, &status, 0) == child && status == 0);
    CU_ASSERT_EQUAL(access(path_to("out.quern"), F_OK), -1);
}

/* Two that find no journal: one of them begins. */
static void test_begin_twice(void)
{
    struct qerr e = QERR_INIT;
    struct journal *a = NULL, *b = NULL;
    unlink(path_to("out.quern"));
    CU_ASSERT_EQUAL_FATAL(journal_open(&a, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL_FATAL(journal_open(&b, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_begin(a, identity, &e), 0);
    CU_ASSERT_EQUAL(journal_begin(b, identity, &e), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "another run is writing"));
    journal_close(b);
    journal_close(a);
    CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 0));
}

/* --- what cannot be done --- */

static void test_refused(void)
{
    struct qerr e = QERR_INIT;
    struct journal *j = NULL;
    unlink(path_to("out.quern"));
    CU_ASSERT_EQUAL(mkdir(path_to("out.quern"), 0700), 0);
    CU_ASSERT_EQUAL(journal_open(&j, path_to("out"), &e), -Q_EIO);
    CU_ASSERT_EQUAL(e.sys, EISDIR);
    rmdir(path_to("out.quern"));
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("missing/out"), &e), 0);
    CU_ASSERT_EQUAL(journal_begin(j, identity, &e), -Q_EIO);
    journal_close(j);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_remove(j, &e), 0); /* there is none */
    journal_close(j);
    make_journal(1, true);
    CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
    CU_ASSERT_EQUAL(journal_remove(j, &e), 0);
    CU_ASSERT_EQUAL(journal_remove(j, &e), 0); /* somebody else was faster */
    journal_close(j);
    CU_ASSERT(opens_as(JOURNAL_NONE, 0));
}

/* No room for a line, or for a part of it: an error, and what was there holds. */
static void test_full(void)
{
    struct rlimit old, now;
    struct qbuf text = QBUF_INIT;
    make_journal(2, false);
    read_file("out.quern", &text);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    now = old;
    for (size_t room = 0; room < 120; room += 7) {
        struct qerr e = QERR_INIT;
        struct journal *j = NULL;
        struct mark m = mark_of(3, output);
        CU_ASSERT_EQUAL_FATAL(journal_open(&j, path_to("out"), &e), 0);
        CU_ASSERT_EQUAL(journal_continue(j, &e), 0);
        now.rlim_cur = text.len + room;
        setrlimit(RLIMIT_FSIZE, &now);
        int rc = journal_append(j, &m, false, &e);
        setrlimit(RLIMIT_FSIZE, &old);
        CU_ASSERT_EQUAL(rc, -Q_EIO);
        CU_ASSERT_EQUAL(e.sys, EFBIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "out.quern"));
        qbuf_release(&m.fold);
        journal_close(j);
        CU_ASSERT(opens_as(JOURNAL_UNFINISHED, 2));
    }
    qbuf_release(&text);
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
    {"what is written is read", test_round_trip},
    {"going on, beginning again", test_go_on},
    {"cut off anywhere", test_torn},
    {"going on behind a torn line", test_torn_and_on},
    {"a flipped bit", test_flipped},
    {"lines lost, doubled, exchanged", test_lines_moved},
    {"sealed nonsense", test_nonsense},
    {"another job", test_job},
    {"the output is not what it was", test_output},
    {"a stop while the output is read", test_interrupted},
    {"held by another", test_lock},
    {"removed by who held it", test_lock_removed},
    {"two begin", test_begin_twice},
    {"what cannot be opened or removed", test_refused},
    {"no room", test_full},
    {"the folder goes", test_end},
};

UNIT_MAIN("journal", tests)
