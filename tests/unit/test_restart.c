#include "engine/restart.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "fake.h"
#include "tree.h"

static struct tree tree;

static const char *path_to(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", tree.root, name);
    return path;
}

/* --- the journal that is found --- */

enum found { NONE, TORN, BEGUN, MARKED, COMPLETE, FOREIGN, DAMAGED, FOUNDS };

static const char output[] = "7 prime\n";

struct input_plan {
    enum input_kind kind;
    const char *text; /* of a file: its name below the tree */
};

static const struct input_plan a_range = {INPUT_RANGE, "1..9"};

static void make_job(struct job *job, const char *const *options,
                     const struct input_plan *in)
{
    struct qerr e = QERR_INIT;
    job_make(job, &kernel_fake, options);
    const char *text = in->kind == INPUT_FILE ? path_to(in->text) : in->text;
    CU_ASSERT_EQUAL_FATAL(job_add_input(job, in->kind, text, &e), 0);
    if (!job_given(job, "output"))
        CU_ASSERT_EQUAL(job_set(job, job_find(job, "output"), path_to("out"), &e), 0);
}

static void append(struct journal *j, bool complete)
{
    struct qerr e = QERR_INIT;
    struct qhash *h = qhash_new(&e);
    struct mark m = {.line = 2, .out = sizeof output - 1, .records = 1, .bad = 3};
    qhash_add(h, output, sizeof output - 1);
    qhash_hex(h, m.digest);
    qhash_free(h);
    CU_ASSERT_EQUAL(journal_append(j, &m, complete, &e), 0);
}

/* Leaves what an earlier run of the job on `in` would have left. */
static void leave(enum found found, const struct input_plan *in)
{
    struct qerr e = QERR_INIT;
    struct job job;
    struct restart r;
    unlink(path_to("out"));
    unlink(path_to("out.quern"));
    if (found == TORN)
        tree_file(&tree, "/out.quern", "quern-journal 1 00");
    if (found == FOREIGN)
        tree_file(&tree, "/out.quern", "quern-journal 9 00\n");
    if (found == DAMAGED)
        tree_file(&tree, "/out.quern", "quern-journal 1 00\nb 00\n");
    if (found == BEGUN || found == MARKED || found == COMPLETE) {
        make_job(&job, NULL, in);
        CU_ASSERT_EQUAL_FATAL(restart_open(&r, &job, NULL, &e), 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(r.journal);
        if (found != BEGUN)
            append(r.journal, found == COMPLETE);
        restart_close(&r);
        job_release(&job);
    }
    tree_file(&tree, "/out", output);
}

/* --- what is done about it --- */

enum verdict { BEGINS, GOES_ON, IS_DONE, REFUSES, NO_JOURNAL, FAILS };

static enum verdict judge(int rc, const struct restart *r)
{
    if (rc < 0)
        return rc == -Q_EUSAGE ? REFUSES : FAILS;
    if (!r->journal)
        return NO_JOURNAL;
    return r->complete                          ? IS_DONE
           : journal_mark(r->journal)->line > 0 ? GOES_ON
                                                : BEGINS;
}

static enum verdict decide(const char *const *options, const struct input_plan *in,
                           struct qerr *e)
{
    struct job job;
    struct restart r;
    *e = (struct qerr)QERR_INIT;
    make_job(&job, options, in);
    int rc = restart_open(&r, &job, NULL, e);
    enum verdict v = judge(rc, &r);
    if (rc < 0)
        CU_ASSERT(!r.journal && !r.hash);
    restart_close(&r);
    job_release(&job);
    return v;
}

static const char *const plain[] = {NULL};
static const char *const resume[] = {"resume", NULL};
static const char *const restart[] = {"restart", NULL};

/* The table at the top of restart.c. */
static void test_table(void)
{
    static const enum verdict want[FOUNDS][3] = {
        [NONE] = {BEGINS, BEGINS, BEGINS},      [TORN] = {BEGINS, BEGINS, BEGINS},
        [BEGUN] = {REFUSES, BEGINS, BEGINS},    [MARKED] = {REFUSES, GOES_ON, BEGINS},
        [COMPLETE] = {BEGINS, IS_DONE, BEGINS}, [FOREIGN] = {REFUSES, REFUSES, BEGINS},
        [DAMAGED] = {REFUSES, REFUSES, BEGINS}};
    static const char *const *const options[] = {plain, resume, restart};
    struct qerr e;
    for (int found = 0; found < FOUNDS; found++)
        for (int i = 0; i < 3; i++) {
            leave((enum found)found, &a_range);
            enum verdict v = decide(options[i], &a_range, &e);
            CU_ASSERT_EQUAL(v, want[found][i]);
            if (v != want[found][i])
                printf("\ncase %d, %d: %d: %s\n", found, i, (int)v, e.text);
        }
    leave(MARKED, &a_range);
    CU_ASSERT_EQUAL(decide(plain, &a_range, &e), REFUSES);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "belongs to an unfinished run"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "--resume"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "--restart"));
    leave(FOREIGN, &a_range);
    CU_ASSERT_EQUAL(decide(resume, &a_range, &e), REFUSES);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "another version"));
}

/* What was refused is as it was. */
static void test_refused_is_untouched(void)
{
    struct qerr e;
    for (int i = 0; i < 3; i++) {
        leave(i == 2 ? FOREIGN : MARKED, &a_range);
        struct input_plan other = {INPUT_RANGE, "1..8"};
        CU_ASSERT_EQUAL(decide(i == 1 ? resume : plain, i == 1 ? &other : &a_range, &e),
                        REFUSES);
        CU_ASSERT_EQUAL(decide(resume, &a_range, &e), i == 2 ? REFUSES : GOES_ON);
        struct stat st;
        CU_ASSERT(stat(path_to("out"), &st) == 0 && st.st_size == sizeof output - 1);
    }
}

static void test_options(void)
{
    static const char *const result[] = {"format=jsonl", "strict",
                                         "max-errors=5", "timing",
                                         "max-digits=7", "time-per-item=1s"};
    static const char *const other[] = {"threads=7", "time-limit=1h", "verbose",
                                        "quiet",     "engine=serial", "chunk=77"};
    struct qerr e;
    for (int i = 0; i < 6; i++) {
        leave(MARKED, &a_range);
        const char *const changed[] = {"resume", result[i], NULL};
        CU_ASSERT_EQUAL(decide(changed, &a_range, &e), REFUSES);
        char said[32];
        snprintf(said, sizeof said, "%.*s = ", (int)strcspn(result[i], "="), result[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, said));
        const char *const same[] = {"resume", other[i], NULL};
        CU_ASSERT_EQUAL(decide(same, &a_range, &e), GOES_ON);
    }
    static const char *const both[] = {"resume", "restart", NULL};
    CU_ASSERT_EQUAL(decide(both, &a_range, &e), REFUSES);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "exclude each other"));
}

/* Another size, another time, another file. */
static void test_input(void)
{
    struct input_plan in = {INPUT_FILE, "in"}, twin = {INPUT_FILE, "twin"};
    struct timespec times[2] = {{1000000000, 5}, {1000000000, 5}};
    struct qerr e;
    tree_file(&tree, "/in", "7\n");
    tree_file(&tree, "/twin", "7\n");
    utimensat(AT_FDCWD, path_to("in"), times, 0);
    utimensat(AT_FDCWD, path_to("twin"), times, 0);
    leave(MARKED, &in);
    CU_ASSERT_EQUAL(decide(resume, &in, &e), GOES_ON);
    CU_ASSERT_EQUAL(decide(resume, &twin, &e), REFUSES);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "twin'"));
    times[1].tv_nsec = 6;
    utimensat(AT_FDCWD, path_to("in"), times, 0);
    CU_ASSERT_EQUAL(decide(resume, &in, &e), REFUSES);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e.text, "input 1 = size 2 time 1000000000.000000006"));
    tree_file(&tree, "/in", "7\n8\n");
    times[1].tv_nsec = 5;
    utimensat(AT_FDCWD, path_to("in"), times, 0);
    CU_ASSERT_EQUAL(decide(resume, &in, &e), REFUSES);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "input 1 = size 4 time"));
    unlink(path_to("in"));
    CU_ASSERT_EQUAL(decide(resume, &in, &e), FAILS);
}

/* What cannot be resumed says so when it is asked for, leaves no journal, and does not
 * take the place of an unfinished run. */
static void check_streaming(const char *const *options, const struct input_plan *in,
                            const char *said)
{
    static const enum verdict want[FOUNDS] = {
        [NONE] = NO_JOURNAL, [TORN] = NO_JOURNAL,     [BEGUN] = REFUSES,
        [MARKED] = REFUSES,  [COMPLETE] = NO_JOURNAL, [FOREIGN] = REFUSES,
        [DAMAGED] = REFUSES};
    struct qerr e;
    for (int found = 0; found < FOUNDS; found++) {
        leave((enum found)found, &a_range);
        struct capture c;
        char line[300];
        capture_begin(&c, STDERR_FILENO);
        enum verdict v = decide(options, in, &e);
        bool spoke = capture_next(&c, line, sizeof line);
        capture_end(&c);
        CU_ASSERT_EQUAL(v, want[found]);
        CU_ASSERT_EQUAL(spoke, said && found != DAMAGED);
        if (spoke && said)
            CU_ASSERT_PTR_NOT_NULL(strstr(line, said));
        CU_ASSERT_EQUAL(access(path_to("out.quern"), F_OK), v == NO_JOURNAL ? -1 : 0);
    }
}

static void test_streams(void)
{
    struct input_plan in = {INPUT_STREAM, "-"}, fifo = {INPUT_FILE, "fifo"};
    static const char *const unordered[] = {"unordered", NULL};
    static const char *const unordered_resume[] = {"unordered", "resume", NULL};
    struct qerr e;
    CU_ASSERT_EQUAL(mkfifo(path_to("fifo"), 0600), 0);
    check_streaming(plain, &in, NULL);
    check_streaming(resume, &in, "cannot be resumed: its input is a stream");
    check_streaming(resume, &fifo, "cannot be resumed: its input is a stream");
    check_streaming(unordered, &a_range, NULL);
    check_streaming(unordered_resume, &a_range, "order of its output");
    leave(MARKED, &a_range);
    CU_ASSERT_EQUAL(decide(restart, &in, &e), NO_JOURNAL);
    CU_ASSERT_EQUAL(access(path_to("out.quern"), F_OK), -1);
}

/* What is no regular file, or a regular file by another name, is not journaled. */
static void test_not_regular(void)
{
    static const char *const outputs[] = {"output=/dev/null", "output=/dev/full",
                                          "output=/dev/stdout", "output=/dev/fd/1",
                                          "output=/proc/self/fd/1"};
    struct qerr e;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    tree_file(&tree, "/stdout", "");
    FILE *f = fopen(path_to("stdout"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (int i = 0; i < 5; i++) {
        const char *const options[] = {outputs[i], NULL};
        const char *const resumed[] = {outputs[i], "resume", NULL};
        struct capture c;
        char line[300], file[64];
        snprintf(file, sizeof file, "%s.quern", outputs[i] + strlen("output="));
        int there = access(file, F_OK); /* where a worse program ran before */
        dup2(fileno(f), STDOUT_FILENO);
        enum verdict v = decide(options, &a_range, &e);
        capture_begin(&c, STDERR_FILENO);
        enum verdict w = decide(resumed, &a_range, &e);
        bool spoke = capture_next(&c, line, sizeof line);
        capture_end(&c);
        dup2(saved, STDOUT_FILENO);
        CU_ASSERT(v == NO_JOURNAL && w == NO_JOURNAL);
        CU_ASSERT(spoke && strstr(line, "is not a regular file"));
        CU_ASSERT_EQUAL(access(file, F_OK), there);
    }
    fclose(f);
    close(saved);
}

static void test_no_output(void)
{
    struct qerr e = QERR_INIT;
    struct job job;
    struct restart r;
    job_make(&job, &kernel_fake, resume);
    CU_ASSERT_EQUAL(job_add_input(&job, INPUT_RANGE, "1..9", &e), 0);
    CU_ASSERT_EQUAL(restart_open(&r, &job, NULL, &e), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "--resume needs -o FILE"));
    job_release(&job);
    e = (struct qerr)QERR_INIT;
    job_make(&job, &kernel_fake, NULL);
    CU_ASSERT_EQUAL(job_add_input(&job, INPUT_RANGE, "1..9", &e), 0);
    CU_ASSERT_EQUAL(restart_open(&r, &job, NULL, &e), 0);
    CU_ASSERT(!r.journal && !r.complete);
    restart_close(&r);
    job_release(&job);
}

/* Where the output cannot be made, no journal is. */
static void test_impossible(void)
{
    struct qerr e;
    char option[100];
    snprintf(option, sizeof option, "output=%s", path_to("missing/out"));
    const char *const options[] = {option, NULL};
    CU_ASSERT_EQUAL(decide(options, &a_range, &e), FAILS);
    CU_ASSERT_EQUAL(e.code, Q_EIO);
}

/* The output of an earlier run is kept until the new journal says what comes. */
static void test_begin_keeps_output(void)
{
    struct qerr e;
    struct stat st;
    leave(COMPLETE, &a_range);
    CU_ASSERT_EQUAL(decide(plain, &a_range, &e), BEGINS);
    CU_ASSERT(stat(path_to("out"), &st) == 0 && st.st_size == sizeof output - 1);
    CU_ASSERT_EQUAL(decide(plain, &a_range, &e), REFUSES); /* it is the new one's */
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
    {"the table", test_table},
    {"a refusal changes nothing", test_refused_is_untouched},
    {"options", test_options},
    {"inputs", test_input},
    {"what cannot be resumed", test_streams},
    {"what is no regular file", test_not_regular},
    {"no -o", test_no_output},
    {"an output that cannot be", test_impossible},
    {"a beginning keeps the output", test_begin_keeps_output},
    {"the folder goes", test_end},
};

UNIT_MAIN("restart", tests)
