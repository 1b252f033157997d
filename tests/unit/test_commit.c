#include "engine/commit.h"
#include "engine/restart.h"

#include "capture.h"
#include "fake.h"
#include "tree.h"

/* --- a sink that keeps what is written, and can be full --- */

static struct qbuf written;
static size_t room = SIZE_MAX; /* bytes until a write fails */
static int opens, closes;
static bool open_fails, close_fails;

static void note_header(const struct schema *schema, bool timed, struct qbuf *out)
{
    qbuf_printf(out, "[%s%s]\n", schema->columns[0].name, timed ? ",seconds" : "");
}

static void note_render(const struct rows *rows, size_t from, size_t to,
                        struct qbuf *out)
{
    rows->schema->text(rows, from, to, out);
}

static void note_bad(const struct schema *schema, bool timed, const char *error,
                     struct qbuf *out)
{
    (void)schema;
    qbuf_printf(out, "(%s%s)\n", error, timed ? ",timed" : "");
}

static int note_open(void **state, const struct sink_target *target, struct qerr *e)
{
    const char *path = target->path;
    CU_ASSERT_EQUAL(target->keep, 0);
    *state = &written;
    opens++;
    return open_fails ? qerr_set(e, Q_EIO, "%s", path ? path : "stdout") : 0;
}

static int note_write(void *state, const char *bytes, size_t n, struct qerr *e)
{
    CU_ASSERT(state == &written && n > 0);
    size_t fit = n < room ? n : room;
    qbuf_add(&written, bytes, fit);
    room -= fit;
    return fit < n ? qerr_set(e, Q_EIO, "full") : 0;
}

static int note_close(void *state, struct qerr *e)
{
    CU_ASSERT(state == &written);
    closes++;
    return close_fails ? qerr_set(e, Q_EIO, "close") : 0;
}

static const struct sink sink_note = {.name = "note",
                                      .header = note_header,
                                      .render = note_render,
                                      .bad = note_bad,
                                      .open = note_open,
                                      .write = note_write,
                                      .close = note_close};

/* The same without rows for bad records and without a header, as text. */
static const struct sink sink_plain = {.name = "plain",
                                       .render = note_render,
                                       .open = note_open,
                                       .write = note_write,
                                       .close = note_close};

/* --- a run's committer --- */

static const struct restart no_restart; /* no journal */
static const struct position nowhere;   /* which only a journal asks for */

struct run {
    struct job job;
    struct kernel_state *state;
    struct commit commit;
    struct part part;
    struct qerr e;
};

static void run_begin(struct run *r, const struct sink *sink,
                      const char *const *options)
{
    *r = (struct run){.e = QERR_INIT};
    qbuf_clear(&written);
    room = SIZE_MAX;
    opens = closes = 0;
    open_fails = close_fails = false;
    job_make(&r->job, &kernel_fake, options);
    CU_ASSERT_EQUAL(job_add_input(&r->job, INPUT_FILE, "a.txt", &r->e), 0);
    CU_ASSERT_EQUAL(job_add_input(&r->job, INPUT_FILE, "b.txt", &r->e), 0);
    CU_ASSERT_EQUAL(job_add_input(&r->job, INPUT_STREAM, "-", &r->e), 0);
    CU_ASSERT_EQUAL_FATAL(kernel_fake.open(&r->state, &r->job, &r->e), 0);
    CU_ASSERT_EQUAL_FATAL(commit_init(&r->commit, &r->job, &kernel_fake, r->state, sink,
                                      &no_restart, &r->e),
                          0);
    part_init(&r->part);
}

static void run_end(struct run *r)
{
    CU_ASSERT_EQUAL(commit_release(&r->commit, &r->e), 0);
    CU_ASSERT_EQUAL(closes, 1);
    part_release(&r->part);
    kernel_fake.close(r->state);
    job_release(&r->job);
    qbuf_release(&written);
}

static bool wrote(const char *want)
{
    if (written.len == strlen(want) &&
        (written.len == 0 || memcmp(written.data, want, written.len) == 0))
        return true;
    printf("\ngot  '%.*s'\nwant '%s'\n", (int)written.len, written.data, want);
    return false;
}

/* A part from a little language: a good record for each digit, a bad one for each
 * letter (its token), a newline for each '/'. */
static void make_part(struct run *r, const char *script)
{
    struct part *p = &r->part;
    part_clear(p);
    for (const char *c = script; *c; c++) {
        struct bad_record bad = {.before = p->records, .line = p->lines, .len = 1};
        if (*c == '/') {
            p->lines++;
        } else if (*c >= '0' && *c <= '9') {
            qbuf_printf(&p->out, "%c\n", *c);
            p->records++;
        } else {
            CU_ASSERT_EQUAL(part_add_bad(p, &bad, "not an integer", c, &r->e), 0);
        }
    }
}

static int commit_script(struct run *r, unsigned input, const char *script)
{
    make_part(r, script);
    return commit_part(&r->commit, input, &nowhere, &r->part, &r->e);
}

/* The next line on stderr is `want` (NULL: there is none). */
static bool said(struct capture *c, const char *want)
{
    char got[500];
    bool any = capture_next(c, got, sizeof got);
    if (any ? want && strcmp(got, want) == 0 : !want)
        return true;
    printf("\nsaid '%s', not '%s'\n", any ? got : "nothing", want ? want : "nothing");
    return false;
}

/* --- tests --- */

static void test_lines(void)
{
    struct run r;
    struct capture c;
    run_begin(&r, &sink_note, NULL);
    capture_begin(&c, STDERR_FILENO);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "1/2/x3/"), 0);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "yz//"), 0);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "4u"), 0);
    CU_ASSERT_EQUAL(commit_script(&r, 1, "/5v"), 0);
    CU_ASSERT_EQUAL(commit_script(&r, 2, "w\x01"), 0);
    CU_ASSERT_EQUAL(commit_result(&r.commit, &r.e), 0);
    CU_ASSERT(said(&c, "quern: a.txt:3: not an integer: 'x'\n"));
    CU_ASSERT(said(&c, "quern: a.txt:4: not an integer: 'y'\n"));
    CU_ASSERT(said(&c, "quern: a.txt:4: not an integer: 'z'\n"));
    CU_ASSERT(said(&c, "quern: a.txt:6: not an integer: 'u'\n"));
    CU_ASSERT(said(&c, "quern: b.txt:2: not an integer: 'v'\n"));
    CU_ASSERT(said(&c, "quern: -:1: not an integer: 'w'\n"));
    CU_ASSERT(said(&c, "quern: -:1: not an integer: '\\x01'\n"));
    CU_ASSERT(said(&c, NULL));
    capture_end(&c);
    CU_ASSERT(
        wrote("[n]\n1\n2\n(a.txt:3: not an integer)\n3\n(a.txt:4: not an integer)\n"
              "(a.txt:4: not an integer)\n4\n(a.txt:6: not an integer)\n5\n"
              "(b.txt:2: not an integer)\n(-:1: not an integer)\n"
              "(-:1: not an integer)\n"));
    CU_ASSERT_EQUAL(r.commit.tally.records, 5);
    CU_ASSERT_EQUAL(r.commit.tally.bad, 7);
    CU_ASSERT(!r.commit.tally.halted);
    run_end(&r);
}

/* A format without rows for bad records. */
static void test_plain(void)
{
    struct run r;
    struct capture c;
    run_begin(&r, &sink_plain, NULL);
    capture_begin(&c, STDERR_FILENO);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "x1y2/3z"), 0);
    capture_end(&c);
    CU_ASSERT(wrote("1\n2\n3\n"));
    run_end(&r);
}

/* Twenty are shown, then a count at the end. */
static void test_many(void)
{
    for (unsigned n = 19; n <= 22; n++) {
        struct run r;
        struct capture c;
        char line[100];
        run_begin(&r, &sink_plain, NULL);
        capture_begin(&c, STDERR_FILENO);
        for (unsigned i = 0; i < n; i++)
            CU_ASSERT_EQUAL(commit_script(&r, 0, "x/"), 0);
        for (unsigned i = 1; i <= n && i <= 20; i++) {
            snprintf(line, sizeof line, "quern: a.txt:%u: not an integer: 'x'\n", i);
            CU_ASSERT(said(&c, line));
        }
        CU_ASSERT(said(&c, NULL));
        CU_ASSERT_EQUAL(r.commit.tally.bad, n);
        run_end(&r);
        snprintf(line, sizeof line, "quern: %u more bad records\n", n - 20);
        CU_ASSERT(said(&c, n > 20 ? line : NULL));
        CU_ASSERT(said(&c, NULL));
        capture_end(&c);
    }
}

/* --strict and --max-errors: what stands in front of the one too many is written, and
 * it is said; nothing behind it. */
static void check_halt(const char *option, const char *script, const char *want,
                       uint64_t records, uint64_t bad)
{
    struct run r;
    struct capture c;
    run_begin(&r, &sink_note, (const char *const[]){option, NULL});
    capture_begin(&c, STDERR_FILENO);
    CU_ASSERT_EQUAL(commit_script(&r, 0, script), 0);
    capture_end(&c);
    CU_ASSERT(wrote(want));
    CU_ASSERT_EQUAL(r.commit.tally.records, records);
    CU_ASSERT_EQUAL(r.commit.tally.bad, bad);
    CU_ASSERT_EQUAL(r.commit.tally.halted, records < 5);
    run_end(&r);
}

static void test_halt(void)
{
    static const char script[] = "12/x3/y4z5";
    check_halt("strict", script, "[n]\n1\n2\n(a.txt:2: not an integer)\n", 2, 1);
    check_halt("max-errors=0", script, "[n]\n1\n2\n(a.txt:2: not an integer)\n", 2, 1);
    check_halt("max-errors=1", script,
               "[n]\n1\n2\n(a.txt:2: not an integer)\n3\n(a.txt:3: not an integer)\n",
               3, 2);
    check_halt("max-errors=3", script,
               "[n]\n1\n2\n(a.txt:2: not an integer)\n3\n(a.txt:3: not an integer)\n4\n"
               "(a.txt:3: not an integer)\n5\n",
               5, 3);
    check_halt("strict", "x", "[n]\n(a.txt:1: not an integer)\n", 0, 1);
    check_halt("timing", "1x2345",
               "[n,seconds]\n1\n(a.txt:1: not an integer,timed)\n2\n3\n"
               "4\n5\n",
               5, 1);
}

/* Parts out of order have their lines counted when their turn comes. */
static void test_early(void)
{
    struct run r;
    struct capture c;
    run_begin(&r, &sink_plain, NULL);
    capture_begin(&c, STDERR_FILENO);
    make_part(&r, "2///");
    r.part.unfinished = 1;
    r.part.probable = 2;
    r.part.busy_ns = 3;
    CU_ASSERT_EQUAL(commit_early(&r.commit, &r.part, &r.e), 0);
    make_part(&r, "9/");
    CU_ASSERT_EQUAL(commit_early(&r.commit, &r.part, &r.e), 0);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "1/"), 0);
    commit_lines(&r.commit, 0, 3);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "3/x"), 0);
    commit_lines(&r.commit, 1, 1);
    CU_ASSERT_EQUAL(commit_script(&r, 1, "4/y"), 0);
    CU_ASSERT(said(&c, "quern: a.txt:6: not an integer: 'x'\n"));
    CU_ASSERT(said(&c, "quern: b.txt:3: not an integer: 'y'\n"));
    capture_end(&c);
    CU_ASSERT(wrote("2\n9\n1\n3\n4\n"));
    CU_ASSERT_EQUAL(r.commit.tally.records, 5);
    CU_ASSERT_EQUAL(r.commit.tally.unfinished, 1);
    CU_ASSERT_EQUAL(r.commit.tally.probable, 2);
    CU_ASSERT_EQUAL(r.commit.tally.busy_ns, 3);
    run_end(&r);
}

static int commit_folded(struct run *r, const char *fold, const char *script)
{
    make_part(r, script);
    qbuf_clear(&r->part.out);
    qbuf_puts(&r->part.fold, fold);
    return commit_part(&r->commit, 0, &nowhere, &r->part, &r->e);
}

/* Parts are folded in order; a bad record is a row, and the result comes at the end.
 */
static void test_fold(void)
{
    struct run r;
    struct capture c;
    fake_folds = true;
    run_begin(&r, &sink_note, NULL);
    capture_begin(&c, STDERR_FILENO);
    CU_ASSERT_EQUAL(commit_folded(&r, "1 2 ", "12"), 0);
    CU_ASSERT_EQUAL(commit_folded(&r, "", "/x"), 0);
    CU_ASSERT_EQUAL(commit_folded(&r, "18446744073709551616 ", "3"), 0);
    make_part(&r, "4");
    qbuf_clear(&r.part.out);
    qbuf_puts(&r.part.fold, "4 ");
    CU_ASSERT_EQUAL(commit_early(&r.commit, &r.part, &r.e), 0);
    CU_ASSERT(wrote("[total]\n(a.txt:2: not an integer)\n"));
    CU_ASSERT_EQUAL(commit_result(&r.commit, &r.e), 0);
    CU_ASSERT(said(&c, "quern: a.txt:2: not an integer: 'x'\n"));
    CU_ASSERT(said(&c, NULL));
    capture_end(&c);
    CU_ASSERT(
        wrote("[total]\n(a.txt:2: not an integer)\n1 2 18446744073709551616 4\n"));
    run_end(&r);

    run_begin(&r, &sink_note, NULL);
    CU_ASSERT_EQUAL(commit_result(&r.commit, &r.e), 0);
    CU_ASSERT(wrote("[total]\n\n"));
    run_end(&r);
    fake_folds = false;
}

/* A part's own error comes when what is in front of it is written. */
static void test_error(void)
{
    struct run r;
    struct capture c;
    run_begin(&r, &sink_plain, NULL);
    capture_begin(&c, STDERR_FILENO);
    make_part(&r, "1x2");
    qerr_set(&r.part.err, Q_ECHECK, "broken");
    CU_ASSERT_EQUAL(commit_part(&r.commit, 0, &nowhere, &r.part, &r.e), -Q_ECHECK);
    CU_ASSERT_STRING_EQUAL(r.e.text, "broken");
    CU_ASSERT(wrote("1\n2\n"));
    capture_end(&c);
    run_end(&r);

    /* But not when the run ended in front of it. */
    run_begin(&r, &sink_plain, (const char *const[]){"strict", NULL});
    capture_begin(&c, STDERR_FILENO);
    make_part(&r, "1x2");
    qerr_set(&r.part.err, Q_ECHECK, "broken");
    CU_ASSERT_EQUAL(commit_part(&r.commit, 0, &nowhere, &r.part, &r.e), 0);
    CU_ASSERT(r.commit.tally.halted);
    CU_ASSERT(wrote("1\n"));
    capture_end(&c);
    run_end(&r);
}

/* Rows without memory are not written, in whole or in part. */
static void test_no_memory(void)
{
    struct run r;
    run_begin(&r, &sink_plain, NULL);
    make_part(&r, "12");
    r.part.out.failed = true;
    CU_ASSERT_EQUAL(commit_part(&r.commit, 0, &nowhere, &r.part, &r.e), -Q_ENOMEM);
    CU_ASSERT(wrote(""));
    r.e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(commit_early(&r.commit, &r.part, &r.e), -Q_ENOMEM);
    CU_ASSERT(wrote(""));
    run_end(&r);
}

static void test_full(void)
{
    struct run r;
    run_begin(&r, &sink_plain, NULL);
    room = 3;
    CU_ASSERT_EQUAL(commit_script(&r, 0, "1"), 0);
    CU_ASSERT_EQUAL(commit_script(&r, 0, "23"), -Q_EIO);
    CU_ASSERT_STRING_EQUAL(r.e.text, "full");
    CU_ASSERT(wrote("1\n2"));
    run_end(&r);
}

/* What fails at the start has closed what it opened; a failing close is an error. */
static void test_open_and_close(void)
{
    struct run r;
    struct commit c;
    run_begin(&r, &sink_note, NULL);
    open_fails = true;
    CU_ASSERT_EQUAL(
        commit_init(&c, &r.job, &kernel_fake, r.state, &sink_note, &no_restart, &r.e),
        -Q_EIO);
    CU_ASSERT_EQUAL(closes, 0);
    open_fails = false;
    r.e = (struct qerr)QERR_INIT;
    room = 2;
    CU_ASSERT_EQUAL(
        commit_init(&c, &r.job, &kernel_fake, r.state, &sink_note, &no_restart, &r.e),
        -Q_EIO);
    CU_ASSERT_EQUAL(closes, 1);
    closes = 0;
    r.e = (struct qerr)QERR_INIT;
    close_fails = true;
    CU_ASSERT_EQUAL(commit_release(&r.commit, &r.e), -Q_EIO);
    CU_ASSERT_STRING_EQUAL(r.e.text, "close");
    part_release(&r.part);
    kernel_fake.close(r.state);
    job_release(&r.job);
    qbuf_release(&written);
}

/* --- marks --- */

static struct tree tree;
static char note[400]; /* what happened, in order */
static bool mark_fails;

/* The journal's size, when the sink is told to be durable. */
static off_t journal_size(void)
{
    struct stat st;
    char path[100];
    snprintf(path, sizeof path, "%s/out.quern", tree.root);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static int note_mark(void *state, const char *mark, struct qerr *e)
{
    CU_ASSERT(*mark == 'm' || *mark == 'e');
    static off_t last;
    off_t now = journal_size();
    CU_ASSERT(state == &written && now >= 0);
    size_t at = strlen(note);
    snprintf(note + at, sizeof note - at, "%s%zu;", now > last ? "+" : "=",
             written.len);
    last = now;
    return mark_fails ? qerr_set(e, Q_EIO, "sync") : 0;
}

static const struct sink sink_durable = {.name = "durable",
                                         .header = note_header,
                                         .render = note_render,
                                         .open = note_open,
                                         .write = note_write,
                                         .mark = note_mark,
                                         .close = note_close};

static void begin_journaled(struct run *r, struct restart *restart)
{
    char option[100];
    struct qerr e = QERR_INIT;
    run_begin(r, &sink_plain, NULL);
    commit_release(&r->commit, &e);
    snprintf(option, sizeof option, "%s/out", tree.root);
    CU_ASSERT_EQUAL_FATAL(journal_open(&restart->journal, option, &e), 0);
    CU_ASSERT_EQUAL_FATAL(journal_begin(restart->journal, "a = b\n", &e), 0);
    restart->hash = qhash_new(&e);
    CU_ASSERT_EQUAL_FATAL(commit_init(&r->commit, &r->job, &kernel_fake, r->state,
                                      &sink_durable, restart, &r->e),
                          0);
    note[0] = '\0';
    closes = 0;
    mark_fails = false;
}

static void end_journaled(struct run *r, struct restart *restart)
{
    restart_close(restart);
    run_end(r);
    char path[100];
    snprintf(path, sizeof path, "%s/out.quern", tree.root);
    CU_ASSERT_EQUAL(unlink(path), 0);
}

/* At most one mark a second; all of the output is made durable, and only then is the
 * journal written: at each mark it has what the mark before put there, and no more. */
static void test_mark_order(void)
{
    struct run r;
    struct restart restart = {.journal = NULL};
    struct position after = {1, 0};
    tree_begin(&tree);
    begin_journaled(&r, &restart);
    r.commit.marked_ns = qclock_ns();
    for (int i = 0; i < 100; i++) {
        make_part(&r, "1/");
        CU_ASSERT_EQUAL(commit_part(&r.commit, 0, &after, &r.part, &r.e), 0);
    }
    CU_ASSERT_STRING_EQUAL(note, ""); /* not yet */
    r.commit.marked_ns -= 2000000000;
    off_t before = journal_size();
    for (int i = 0; i < 3; i++) {
        make_part(&r, "2x/");
        after.offset++;
        CU_ASSERT_EQUAL(commit_part(&r.commit, 1, &after, &r.part, &r.e), 0);
    }
    CU_ASSERT_STRING_EQUAL(note, "+206;"); /* [n]\n, and a hundred lines and one */
    CU_ASSERT(journal_size() > before);
    r.commit.unmarked += 64 << 20; /* much was written since */
    make_part(&r, "3/");
    CU_ASSERT_EQUAL(commit_part(&r.commit, 1, &after, &r.part, &r.e), 0);
    CU_ASSERT_STRING_EQUAL(note, "+206;+212;");
    CU_ASSERT_EQUAL(commit_mark(&r.commit, true, &r.e), 0);
    CU_ASSERT_STRING_EQUAL(note, "+206;+212;+212;");
    CU_ASSERT_EQUAL(r.commit.out, 212);
    end_journaled(&r, &restart);
    tree_end(&tree);
}

/* What cannot be made durable is not journaled. */
static void test_mark_fails(void)
{
    struct run r;
    struct restart restart = {.journal = NULL};
    tree_begin(&tree);
    begin_journaled(&r, &restart);
    off_t before = journal_size();
    mark_fails = true;
    r.commit.marked_ns -= 2000000000;
    CU_ASSERT_EQUAL(commit_script(&r, 0, "1/"), -Q_EIO);
    CU_ASSERT_STRING_EQUAL(r.e.text, "sync");
    CU_ASSERT_EQUAL(journal_size(), before);
    end_journaled(&r, &restart);
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"absolute line numbers, rows in their places", test_lines},
    {"a format without bad rows", test_plain},
    {"twenty diagnostics and a count", test_many},
    {"--strict and --max-errors", test_halt},
    {"early parts", test_early},
    {"folds", test_fold},
    {"a part's own error", test_error},
    {"rows without memory", test_no_memory},
    {"a full disk", test_full},
    {"opening and closing", test_open_and_close},
    {"marks come behind what they stand for", test_mark_order},
    {"a mark that fails", test_mark_fails},
};

UNIT_MAIN("commit", tests)
