#include "cmd/bench.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/benchdoc.h"
#include "cmd/benchrun.h"
#include "tree.h"
#include "unit.h"

/* --- the grid --- */

static void test_lists(void)
{
    unsigned widths[4], modes;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(bench_widths("1,2,16", widths, 4, &e), 3);
    CU_ASSERT_EQUAL(widths[2], 16);
    CU_ASSERT_EQUAL(bench_widths("2,1,2,1", widths, 4, &e), 2); /* each once */
    CU_ASSERT_EQUAL(widths[0], 2);
    CU_ASSERT_EQUAL(widths[1], 1);
    CU_ASSERT_EQUAL(bench_modes("threads,serial", &modes, &e), 0);
    CU_ASSERT_EQUAL(modes, 1u << BENCH_THREADS | 1u << BENCH_SERIAL);
    static const char *const bad[] = {"",  ",",   "0",    "1,",        "1,,2",
                                      "x", "1 2", "4097", "1,2,3,4,5", "-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (struct qerr)QERR_INIT;
        CU_ASSERT_EQUAL(bench_widths(bad[i], widths, 4, &e), -Q_EUSAGE);
    }
    static const char *const bad_modes[] = {"", "thread", "threads,", "threads serial"};
    for (size_t i = 0; i < 4; i++) {
        e = (struct qerr)QERR_INIT;
        CU_ASSERT_EQUAL(bench_modes(bad_modes[i], &modes, &e), -Q_EUSAGE);
    }
}

static void test_order(void)
{
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(bench_order(i, 5, 0), i);
        CU_ASSERT_EQUAL(bench_order(i, 5, 1), 4 - i);
    }
}

/* --- what is measured --- */

static int take(struct bench_target *t, const char *line, struct qerr *e)
{
    static char copy[512];
    char *argv[32];
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    *e = (struct qerr)QERR_INIT;
    return bench_target_take(t, argc, argv, e);
}

/* The arguments of a call behind the program, as one line. */
static const char *line_of(const struct bench_target *t, const struct bench_call *call)
{
    static struct qbuf b;
    struct wordlist argv = {NULL, 0, 0};
    struct qerr e = QERR_INIT;
    qbuf_clear(&b);
    CU_ASSERT_EQUAL(bench_target_argv(t, call, &argv, &e), 0);
    for (size_t i = 1; i < argv.n; i++)
        qbuf_printf(&b, "%s%s", i > 1 ? " " : "", argv.at[i]);
    wordlist_release(&argv);
    return qbuf_cstr(&b);
}

static void test_command(void)
{
    struct bench_target t;
    struct qerr e;
    CU_ASSERT_EQUAL_FATAL(take(&t, "factor 12 -j 3 --method trial 1..9 --timing", &e),
                          0);
    CU_ASSERT(t.timed && !t.urls && !t.files && !t.unordered);
    struct bench_call call = {.mode = BENCH_THREADS, .width = 4, .times = 1};
    CU_ASSERT_STRING_EQUAL(line_of(&t, &call),
                           "factor -j 3 --method trial --timing --threads=4 "
                           "--progress=never -- 12 1..9");
    call = (struct bench_call){
        .mode = BENCH_SERIAL, .width = 1, .times = 2, .stats = "s", .trace = "t"};
    CU_ASSERT_STRING_EQUAL(
        line_of(&t, &call),
        "factor -j 3 --method trial --timing --engine=serial "
        "--threads=1 --progress=never --stats=s --trace=t -- 12 1..9 "
        "12 1..9");
    CU_ASSERT_PTR_NULL(bench_target_lacks(&t, BENCH_THREADS));
    CU_ASSERT_PTR_NOT_NULL(bench_target_lacks(&t, BENCH_EVENT));
    bench_target_release(&t);
}

static void test_fetch(void)
{
    struct bench_target t;
    struct qerr e;
    CU_ASSERT_EQUAL_FATAL(take(&t, "fetch http://h/[1-5] --tries 1", &e), 0);
    CU_ASSERT(t.urls && t.files);
    CU_ASSERT_PTR_NULL(bench_target_lacks(&t, BENCH_EVENT));
    CU_ASSERT_EQUAL(bench_target_processes(&t, BENCH_THREADS, 3), 1);
    CU_ASSERT_EQUAL(bench_target_processes(&t, BENCH_PROCESSES, 3), 3);
    struct bench_call call = {
        .mode = BENCH_EVENT, .width = 7, .times = 1, .folder = "f"};
    CU_ASSERT_STRING_EQUAL(line_of(&t, &call), "fetch --tries 1 --workers=7 "
                                               "--fetch-threads=1 --output-dir=f/0 "
                                               "--progress=never -- http://h/[1-5]");
    call = (struct bench_call){
        .mode = BENCH_PROCESSES, .width = 3, .times = 1, .process = 1, .folder = "f"};
    CU_ASSERT_STRING_EQUAL(
        line_of(&t, &call),
        "fetch --tries 1 --workers=1 --fetch-threads=1 "
        "--output-dir=f/1 --globoff --progress=never -- http://h/2 http://h/5");
    bench_target_release(&t);
    CU_ASSERT_EQUAL_FATAL(take(&t, "fetch --globoff http://h/{1,2} http://h/{3}", &e),
                          0);
    call = (struct bench_call){
        .mode = BENCH_PROCESSES, .width = 2, .times = 1, .process = 1, .folder = "f"};
    CU_ASSERT_PTR_NOT_NULL(strstr(line_of(&t, &call), " -- http://h/{3}"));
    bench_target_release(&t);
}

static void test_jobfile(void)
{
    struct tree tree;
    struct bench_target t;
    struct qerr e;
    char line[256];
    tree_begin(&tree);
    tree_file(&tree, "/a.job",
              "[job]\ncommand = prime\ninput = 1..${n}\ninput = 7\n[set]\nn = 5\n");
    snprintf(line, sizeof line, "run %s/a.job --set n=6 -v", tree.root);
    CU_ASSERT_EQUAL_FATAL(take(&t, line, &e), 0);
    struct bench_call call = {.mode = BENCH_THREADS, .width = 2, .times = 1};
    snprintf(line, sizeof line,
             "run %s/a.job --set n=6 -v --threads=2 --progress=never -- 1..6 7",
             tree.root);
    CU_ASSERT_STRING_EQUAL(line_of(&t, &call), line);
    bench_target_release(&t);
    snprintf(line, sizeof line, "%s/a.job 8 9", tree.root);
    CU_ASSERT_EQUAL_FATAL(take(&t, line, &e), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(line_of(&t, &call), "--progress=never -- 8 9"));
    bench_target_release(&t);
    snprintf(line, sizeof line, "%s/a.job --max-digits 20 20 21", tree.root);
    CU_ASSERT_EQUAL_FATAL(take(&t, line, &e), 0);
    snprintf(line, sizeof line,
             "run %s/a.job --max-digits 20 --threads=2 --progress=never -- 20 21",
             tree.root);
    CU_ASSERT_STRING_EQUAL(line_of(&t, &call), line);
    bench_target_release(&t);
    tree_end(&tree);
}

/* The arguments of ranks, with an mpirun that says `version` of itself. */
static void check_mpirun(const char *version, bool open)
{
    struct tree tree;
    struct bench_target t;
    struct qerr e;
    struct wordlist argv = {NULL, 0, 0};
    char path[512];
    const char *before = getenv("PATH");
    char *kept = strdup(before ? before : "");
    tree_begin(&tree);
    snprintf(path, sizeof path, "#!/bin/sh\necho '%s'\n", version);
    tree_file(&tree, "/mpirun", path);
    snprintf(path, sizeof path, "%s/mpirun", tree.root);
    chmod(path, 0700);
    snprintf(path, sizeof path, "%s:%.400s", tree.root, kept);
    setenv("PATH", path, 1);
    CU_ASSERT_EQUAL_FATAL(take(&t, "prime 7", &e), 0);
    CU_ASSERT_EQUAL(t.open_mpi, open);
    struct bench_call call = {.mode = BENCH_PROCESSES, .width = 2, .times = 1};
    CU_ASSERT_EQUAL(bench_target_argv(&t, &call, &argv, &e), 0);
    bool told = false;
    for (size_t i = 0; i < argv.n; i++)
        told = told || strcmp(argv.at[i], "--oversubscribe") == 0;
    CU_ASSERT_EQUAL(told, open);
    wordlist_release(&argv);
    bench_target_release(&t);
    setenv("PATH", kept, 1);
    free(kept);
    tree_end(&tree);
}

static void test_mpirun(void)
{
    check_mpirun("mpirun (Open MPI) 4.1.4", true);
    check_mpirun("HYDRA build details:", false);
}

static void test_refused(void)
{
    static const char *const lines[] = {"",
                                        "info",
                                        "factor",
                                        "factor -",
                                        "prime -o x 7",
                                        "bench 7",
                                        "missing",
                                        "prime --help",
                                        "prime 7 --stats x",
                                        "prime --x 7",
                                        "prime 7 --stats-format prom",
                                        "prime 7 --timing --format csv"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct bench_target t;
        struct qerr e;
        CU_ASSERT(take(&t, lines[i], &e) < 0);
        CU_ASSERT(strlen(e.text) > 10);
    }
}

/* --- what comes out --- */

static void digest_of(const struct tree *tree, enum bench_compare how, const char *text,
                      char hex[QHASH_HEX])
{
    struct qerr e = QERR_INIT;
    tree_file(tree, "/out.0", text);
    CU_ASSERT_EQUAL(bench_digest(tree->root, 1, how, hex, &e), 0);
}

static void test_digest(void)
{
    struct tree tree;
    char a[QHASH_HEX], b[QHASH_HEX];
    tree_begin(&tree);
    digest_of(&tree, BENCH_BYTES, "1\n2\n", a);
    digest_of(&tree, BENCH_BYTES, "2\n1\n", b);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    digest_of(&tree, BENCH_LINES, "1\n2\n2\n", a);
    digest_of(&tree, BENCH_LINES, "2\n1\n2\n", b);
    CU_ASSERT_STRING_EQUAL(a, b);
    digest_of(&tree, BENCH_LINES, "2\n1\n", b);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    digest_of(&tree, BENCH_TIMED, "7 prime\t0.1\n8\t2\n", a);
    digest_of(&tree, BENCH_TIMED, "7 prime\t0.25\n8\t1\n", b);
    CU_ASSERT_STRING_EQUAL(a, b);
    digest_of(&tree, BENCH_TIMED, "7 primf\t0.25\n8\t1\n", b);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    digest_of(&tree, BENCH_FETCHED,
              "ok\t200\t5\t0.1\t-\thttp://a\nok\t200\t6\t0.2\tb\tu\n", a);
    digest_of(&tree, BENCH_FETCHED, "ok\t200\t6\t9.9\t-\tu\nok\t200\t5\t3\tx\thttp://a",
              b);
    CU_ASSERT_STRING_EQUAL(a, b);
    digest_of(&tree, BENCH_FETCHED, "ok\t200\t6\t9.9\t-\tu\nok\t200\t4\t3\tx\thttp://a",
              b);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    digest_of(&tree, BENCH_FETCHED, "\n\t\n\t\t\t\nnone", a);
    tree_file(&tree, "/files/0/a", "x");
    digest_of(&tree, BENCH_FILES, "", a);
    tree_file(&tree, "/files/0/b", "y");
    digest_of(&tree, BENCH_FILES, "", b);
    CU_ASSERT_STRING_NOT_EQUAL(a, b);
    tree_end(&tree);
}

/* The output may be larger than the memory. */
static void test_long_output(void)
{
    enum { MIB = 1 << 20, LONG = 256 };
    struct tree tree;
    struct rusage before, after;
    struct qerr e = QERR_INIT;
    char path[96], hex[QHASH_HEX];
    tree_begin(&tree);
    tree_file(&tree, "/out.0", "1\n");
    tree_file(&tree, "/files/0/a", "1\n");
    snprintf(path, sizeof path, "%s/out.0", tree.root);
    CU_ASSERT_EQUAL(truncate(path, LONG * (off_t)MIB), 0);
    snprintf(path, sizeof path, "%s/files/0/a", tree.root);
    CU_ASSERT_EQUAL(truncate(path, LONG * (off_t)MIB), 0);
    getrusage(RUSAGE_SELF, &before);
    CU_ASSERT_EQUAL(bench_digest(tree.root, 1, BENCH_BYTES, hex, &e), 0);
    CU_ASSERT_EQUAL(bench_digest(tree.root, 1, BENCH_FILES, hex, &e), 0);
    getrusage(RUSAGE_SELF, &after);
    CU_ASSERT(after.ru_maxrss - before.ru_maxrss < LONG * 1024 / 4);
    tree_end(&tree);
}

static void test_execute(void)
{
    struct tree tree;
    struct wordlist argvs[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    struct bench_time time;
    struct qerr e = QERR_INIT;
    tree_begin(&tree);
    for (int i = 0; i < 2; i++) {
        wordlist_add(&argvs[i], "sh", &e);
        wordlist_add(&argvs[i], "-c", &e);
        wordlist_add(&argvs[i], "sleep 0.2; echo out; exit $0", &e);
    }
    wordlist_add(&argvs[0], "1", &e);
    wordlist_add(&argvs[1], "0", &e);
    CU_ASSERT_EQUAL(bench_execute(argvs, 2, 1, tree.root, &time, &e), 0);
    CU_ASSERT_EQUAL(time.status, 1);
    CU_ASSERT_EQUAL(bench_execute(argvs, 2, 0, tree.root, &time, &e), -Q_EINPUT);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT(time.seconds >= 0.2 && time.cpu_seconds < time.seconds);
    CU_ASSERT(time.peak_bytes > 100000);
    wordlist_release(&argvs[0]);
    wordlist_add(&argvs[0], "sh", &e);
    wordlist_add(&argvs[0], "-c", &e);
    wordlist_add(&argvs[0], "echo one >&2; echo why >&2; exit 5", &e);
    CU_ASSERT_EQUAL(bench_execute(argvs, 1, 1, tree.root, &time, &e), -Q_EINPUT);
    CU_ASSERT_STRING_EQUAL(e.text, "a run ended with status 5: why");
    wordlist_release(&argvs[0]);
    wordlist_release(&argvs[1]);
    tree_end(&tree);
}

/* A signal ends all that run, not only the one that is waited for. */
static void test_stop(void)
{
    struct tree tree;
    struct wordlist argvs[3] = {{NULL, 0, 0}};
    struct bench_time time;
    struct qerr e = QERR_INIT;
    struct sigaction old, action = {.sa_handler = SIG_DFL};
    char line[128];
    tree_begin(&tree);
    for (int i = 0; i < 3; i++) {
        wordlist_add(&argvs[i], "sleep", &e);
        wordlist_add(&argvs[i], "20", &e);
    }
    wordlist_release(&argvs[2]);
    snprintf(line, sizeof line, "sleep 0.3; kill -TERM %ld; exec sleep 20",
             (long)getpid());
    wordlist_add(&argvs[2], "sh", &e);
    wordlist_add(&argvs[2], "-c", &e);
    wordlist_add(&argvs[2], line, &e);
    sigaction(SIGTERM, &action, &old);
    bench_catch();
    CU_ASSERT_EQUAL(bench_execute(argvs, 3, 0, tree.root, &time, &e), -Q_ESTOP);
    CU_ASSERT_EQUAL(bench_caught(), SIGTERM);
    CU_ASSERT(time.seconds < 10);
    sigaction(SIGTERM, &old, NULL);
    for (int i = 0; i < 3; i++)
        wordlist_release(&argvs[i]);
    tree_end(&tree);
}

/* --- what it says --- */

static struct bench_doc doc;

static void make(bool weak)
{
    static const double base[] = {4, 4.4, 2.2};
    doc = (struct bench_doc){
        .n = 3, .repeat = 3, .warmup = 1, .weak = weak, .same = true};
    qbuf_puts(&doc.command, "quern prime 7");
    qbuf_puts(&doc.again, "quern bench prime 7");
    (void)qbuf_cstr(&doc.command);
    (void)qbuf_cstr(&doc.again);
    doc.missing[BENCH_EVENT] = "no URLs";
    for (unsigned i = 0; i < 3; i++) {
        struct bench_cell *c = &doc.cells[i];
        *c = (struct bench_cell){.mode = i == 0 ? BENCH_SERIAL : BENCH_THREADS,
                                 .width = i == 2 ? 2 : 1,
                                 .n = 3,
                                 .digest = "abc"};
        for (unsigned k = 0; k < 3; k++) {
            c->seconds[k] = base[i] + 0.1 * ((k + 1) % 3);
            c->cpu[k] = 3;
        }
    }
    bench_doc_finish(&doc);
}

static void test_scaling(void)
{
    make(false);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[0].median, 4.1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[0].min, 4, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[0].max, 4.2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[0].speedup, 1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[2].speedup, 4.1 / 2.3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[2].efficiency, 4.1 / 4.6, 1e-9);
    bench_doc_release(&doc);
    make(true);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[2].speedup, 2 * 4.1 / 2.3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[2].efficiency, 4.1 / 2.3, 1e-9);
    bench_doc_release(&doc);
}

/* Without the serial loop, or when it failed, the narrowest. */
static void test_base(void)
{
    struct qbuf b = QBUF_INIT;
    make(false);
    doc.cells[0].n = 0;
    snprintf(doc.cells[0].why, sizeof doc.cells[0].why, "it fell");
    doc.cells[1].mode = BENCH_PROCESSES;
    doc.cells[1].width = 4;
    bench_doc_finish(&doc);
    CU_ASSERT_PTR_EQUAL(doc.base, &doc.cells[2]);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[1].speedup, 2.3 / 4.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(doc.cells[1].efficiency, 2.3 / 4.5 / 2, 1e-9);
    bench_doc_table(&doc, &b);
    CU_ASSERT_PTR_NOT_NULL(strstr(qbuf_cstr(&b), "\n# base: threads 2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(b.data, "\n# failed: serial, width 1: it fell\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(b.data, "\nserial          1    0          - "));
    qbuf_release(&b);
    bench_doc_release(&doc);
}

static void test_forms(void)
{
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    make(false);
    bench_doc_table(&doc, &b);
    CU_ASSERT_PTR_NOT_NULL(strstr(qbuf_cstr(&b), "\n# left out: event: no URLs\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        qbuf_cstr(&b), "\nthreads         2    3   2.200000   2.300000   2.400000 "
                       "   1.783   89.1   3.000000\n"));
    qbuf_clear(&b);
    bench_doc_csv(&doc, &b);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        qbuf_cstr(&b), "\r\nthreads,2,1,2.300000,3.000000,0,1.7826,0.8913,abc\r\n"));
    qbuf_clear(&b);
    bench_doc_json(&doc, &b);
    struct qjson *j = qjson_parse(b.data, b.len, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    const struct qjson *cells = qjson_get(j, "cells");
    CU_ASSERT_EQUAL(qjson_size(cells), 3);
    CU_ASSERT_DOUBLE_EQUAL(qjson_number(qjson_get(qjson_at(cells, 2), "median"), 0),
                           2.3, 1e-9);
    CU_ASSERT(qjson_is_true(qjson_get(j, "same_bytes")));
    qjson_free(j);
    qbuf_release(&b);
    bench_doc_release(&doc);
}

static const struct unit_test tests[] = {
    {"lists of modes and widths", test_lists},
    {"to and fro", test_order},
    {"a command", test_command},
    {"fetch", test_fetch},
    {"a job file", test_jobfile},
    {"the options of mpirun", test_mpirun},
    {"what cannot be measured", test_refused},
    {"comparing outputs", test_digest},
    {"comparing a long output", test_long_output},
    {"running processes", test_execute},
    {"a signal", test_stop},
    {"speed-up and efficiency", test_scaling},
    {"one base for all", test_base},
    {"table, CSV, JSON", test_forms},
};
UNIT_MAIN("bench", tests)
