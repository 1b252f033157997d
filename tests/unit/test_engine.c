#include "engine/engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "fake.h"
#include "tree.h"

extern const struct kernel kernel_prime, kernel_factor, kernel_sumsq;

static struct tree tree;

/* --- a run, and what came of it --- */

struct result {
    int rc;
    struct qerr e;
    struct engine_outcome outcome;
    struct qbuf out, said; /* standard output or -o, and standard error */
};

static void result_release(struct result *r)
{
    qbuf_release(&r->out);
    qbuf_release(&r->said);
}

static const char *path_to(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", tree.root, name);
    return path;
}

static void read_whole(const char *name, struct qbuf *to)
{
    FILE *f = fopen(path_to(name), "r");
    char buffer[4096];
    size_t n;
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0)
        qbuf_add(to, buffer, n);
    fclose(f);
    (void)qbuf_cstr(to);
}

/* Puts a file (or `fd`, if not -1) in the place of a standard file; returns the old
 * one. */
static int swap(int standard, const char *name, int fd)
{
    fflush(stdout);
    int saved = dup(standard);
    if (name)
        fd = open(path_to(name), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(saved >= 0 && fd >= 0);
    dup2(fd, standard);
    if (name)
        close(fd);
    return saved;
}

static void swap_back(int standard, int saved)
{
    dup2(saved, standard);
    close(saved);
}

/* What a job is made of; lists end with NULL. */
struct plan {
    const struct kernel *kernel;
    const char *options[6];
    struct {
        enum input_kind kind;
        const char
            *text; /* of a file: its name below the tree, unless it has a slash */
    } inputs[8];
    const char *output; /* NULL: the file "out" below the tree, which is read back */
    bool to_stdout;
};

static void plan_job(const struct plan *p, struct job *job)
{
    struct qerr e = QERR_INIT;
    job_make(job, p->kernel, p->options);
    for (int i = 0; p->inputs[i].text; i++) {
        const char *text = p->inputs[i].text;
        if (p->inputs[i].kind == INPUT_FILE && !strchr(text, '/'))
            text = path_to(text);
        CU_ASSERT_EQUAL_FATAL(job_add_input(job, p->inputs[i].kind, text, &e), 0);
    }
    const char *output = p->output ? p->output : path_to("out");
    if (!p->to_stdout)
        CU_ASSERT_EQUAL(job_set(job, job_find(job, "output"), output, &e), 0);
}

/* What the workers say they did is what the committer counted, when nothing was thrown
 * away; and they were busy within the run. */
static void check_meters(const struct result *r, bool serial)
{
    uint64_t records = 0, errors = 0;
    const struct meters *all = r->outcome.meters;
    if (!all || r->outcome.abandoned)
        return;
    for (unsigned i = 0; i < meters_count(all); i++) {
        const struct meter *m = meters_at(all, i);
        uint64_t here = hist_read(&m->left_ns) - hist_read(&m->joined_ns);
        CU_ASSERT(hist_read(&m->left_ns) > 0);
        CU_ASSERT(hist_read(&m->busy_ns) <= here);
        CU_ASSERT_EQUAL(hist_read(&m->task_ns.n), hist_read(&m->tasks));
        if (m->role == METER_WORKER) {
            records += hist_read(&m->records);
            errors += hist_read(&m->errors);
        }
    }
    const struct tally *t = &r->outcome.tally;
    if (r->rc == 0 && !t->halted && r->outcome.earlier == 0 && t->records > 0) {
        CU_ASSERT_EQUAL(records, t->records + t->bad);
        CU_ASSERT_EQUAL(errors, t->bad);
        CU_ASSERT_EQUAL(meters_count(all) == 1, serial);
    }
}

/* `chunk` 0: as the engine likes. */
static struct result run(const struct plan *p, bool serial, unsigned threads,
                         unsigned chunk)
{
    struct result r = {.e = QERR_INIT};
    static struct job job; /* threads left behind may still look at it */
    char text[32];
    struct qerr e = QERR_INIT;
    plan_job(p, &job);
    if (serial)
        CU_ASSERT_EQUAL(job_set(&job, job_find(&job, "engine"), "serial", &e), 0);
    CU_ASSERT_EQUAL(job_set(&job, job_find(&job, "restart"), "yes", &e), 0);
    snprintf(text, sizeof text, "%u", chunk);
    if (chunk > 0)
        CU_ASSERT_EQUAL(job_set(&job, job_find(&job, "chunk"), text, &e), 0);
    int saved = swap(STDERR_FILENO, "said", -1);
    r.rc = engine_run(&job, p->kernel, threads, NULL, &r.outcome, &r.e);
    check_meters(&r, serial);
    engine_outcome_release(&r.outcome);
    swap_back(STDERR_FILENO, saved);
    read_whole("said", &r.said);
    if (!p->output && !p->to_stdout)
        read_whole("out", &r.out);
    CU_ASSERT_EQUAL(r.rc, -(int)r.e.code);
    if (!r.outcome.abandoned)
        job_release(&job);
    return r;
}

static bool same(const struct qbuf *a, const struct qbuf *b, const char *what)
{
    size_t i = 0;
    while (i < a->len && i < b->len && a->data[i] == b->data[i])
        i++;
    if (i == a->len && i == b->len)
        return true;
    size_t at = i > 30 ? i - 30 : 0;
    printf("\n%s: %zu and %zu bytes, byte %zu: '%.60s' / '%.60s'\n", what, a->len,
           b->len, i, a->len > at ? a->data + at : "", b->len > at ? b->data + at : "");
    return false;
}

static bool same_tally(const struct tally *a, const struct tally *b)
{
    return a->records == b->records && a->bad == b->bad && a->halted == b->halted;
}

/* The parallel engine, at many widths and claim sizes, does as the serial one. Returns
 * the serial one's result. */
static struct result same_for_all(const struct plan *p)
{
    static const unsigned chunks[] = {0, 1, 50, 1000};
    static const unsigned threads[] = {1, 2, 3, 8};
    struct result want = run(p, true, 1, 0);
    CU_ASSERT(!want.outcome.abandoned);
    for (size_t c = 0; c < 4; c++) {
        for (size_t t = 0; t < 4; t++) {
            struct result got = run(p, false, threads[t], chunks[c]);
            CU_ASSERT_EQUAL(got.rc, want.rc);
            CU_ASSERT_STRING_EQUAL(got.e.text, want.e.text);
            CU_ASSERT(same(&got.out, &want.out, "output"));
            CU_ASSERT(same(&got.said, &want.said, "said"));
            CU_ASSERT(same_tally(&got.outcome.tally, &want.outcome.tally));
            result_release(&got);
        }
    }
    return want;
}

static void make_file(const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/%s", name);
    tree_file(&tree, path, text);
}

/* --- left behind: in children, before this process has threads of its own --- */

/* Runs in a child what leaves threads behind; true if it was done in less than two
 * seconds, with `abandoned` as it should be. */
static bool in_child(void (*body)(void), bool abandoned)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(99);
    }
    int status = 0;
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    CU_ASSERT(qclock_ns() - start < 5000000000u);
    int want = abandoned ? 21 : 20;
    if (WIFEXITED(status) && WEXITSTATUS(status) == want)
        return true;
    printf("\nthe child's status is %x\n", (unsigned)status);
    return false;
}

/* Ends a child: 20, and 1 more if threads were left behind; 10 if the halt is missing.
 */
static void child_end(const struct plan *p)
{
    struct result r = run(p, false, 3, 1);
    _exit(r.rc == 0 && r.outcome.tally.halted ? 20 + r.outcome.abandoned : 10);
}

static void deaf_kernel(void)
{
    struct plan p = {&kernel_fake, {"strict"}, {{INPUT_FILE, "deaf"}}, NULL, false};
    atomic_store(&fake_deaf_ms, 20000);
    child_end(&p);
}

/* Nobody ever writes to standard input, and nobody closes it. */
static void silent_stdin(void)
{
    struct plan p = {&kernel_fake,
                     {"strict"},
                     {{INPUT_LITERAL, "x"}, {INPUT_STREAM, "-"}},
                     NULL,
                     false};
    int ends[2];
    if (pipe(ends) != 0)
        _exit(9);
    dup2(ends[0], STDIN_FILENO);
    child_end(&p);
}

static void test_left_behind(void)
{
    make_file("deaf", "9313105295130943005 x 9313105295130943004 9313105295130943004");
    CU_ASSERT(in_child(deaf_kernel, true));
    CU_ASSERT(in_child(silent_stdin, true));
}

/* --- the same for all --- */

static void test_same(void)
{
    struct plan p = {&kernel_fake,
                     {NULL},
                     {{INPUT_FILE, "first"},
                      {INPUT_FILE, "empty"},
                      {INPUT_RANGE, "18446744073709551500..18446744073709551800"},
                      {INPUT_FILE, "second"},
                      {INPUT_LITERAL, "7 x"},
                      {INPUT_RANGE, "5..300"}},
                     NULL,
                     false};
    struct qbuf text = QBUF_INIT, good = QBUF_INIT;
    fake_text(&text, 700, 50);
    make_file("first", qbuf_cstr(&text));
    struct fake_answer first = fake_read(text.data, text.len);
    fake_text(&text, 100, 0);
    make_file("second", qbuf_cstr(&text));
    make_file("empty", "");
    struct fake_answer second = fake_read(text.data, text.len);
    qbuf_add(&good, first.good.data, first.good.len);
    for (int i = 0; i < 301; i++)
        qbuf_printf(&good, "18446744073709%06d\n", 551500 + i);
    qbuf_add(&good, second.good.data, second.good.len);
    qbuf_puts(&good, "7\n");
    for (int i = 5; i <= 300; i++)
        qbuf_printf(&good, "%d\n", i);
    struct result r = same_for_all(&p);
    CU_ASSERT_EQUAL(r.rc, 0);
    CU_ASSERT(same(&r.out, &good, "output"));
    CU_ASSERT_EQUAL(r.outcome.tally.records, first.records + second.records + 598);
    CU_ASSERT_EQUAL(r.outcome.tally.bad, first.nbad + 1);
    result_release(&r);
    fake_forget(&first);
    fake_forget(&second);
    qbuf_release(&text);
    qbuf_release(&good);
}

static void test_options(void)
{
    struct plan p = {&kernel_fake,
                     {NULL},
                     {{INPUT_FILE, "first"}, {INPUT_FILE, "second"}},
                     NULL,
                     false};
    static const char *const options[] = {"strict", "max-errors=5", "max-errors=1000",
                                          "format=jsonl"};
    struct qbuf text = QBUF_INIT;
    fake_text(&text, 600, 20);
    make_file("first", qbuf_cstr(&text));
    for (size_t i = 0; i < 4; i++) {
        p.options[0] = options[i];
        struct result r = same_for_all(&p);
        CU_ASSERT_EQUAL(r.rc, 0);
        CU_ASSERT_EQUAL(r.outcome.tally.halted, i < 2);
        result_release(&r);
    }
    qbuf_release(&text);
}

static void test_kernels(void)
{
    static const struct kernel *const kernels[] = {&kernel_prime, &kernel_factor,
                                                   &kernel_sumsq};
    struct plan p = {
        NULL, {NULL}, {{INPUT_FILE, "list"}, {INPUT_RANGE, "0..200"}}, NULL, false};
    struct qbuf text = QBUF_INIT;
    for (int i = 0; i < 300; i++)
        qbuf_printf(&text, i % 50 ? "%" PRIu64 "\n" : "%" PRIu64 "0123\n",
                    unit_random() >> 40);
    make_file("list", qbuf_cstr(&text));
    for (size_t i = 0; i < 3; i++) {
        p.kernel = kernels[i];
        struct result r = same_for_all(&p);
        CU_ASSERT_EQUAL(r.rc, 0);
        CU_ASSERT_EQUAL(r.outcome.tally.records, 501);
        result_release(&r);
    }
    p.kernel = &kernel_prime;
    p.options[0] = "count";
    struct result r = same_for_all(&p);
    CU_ASSERT_EQUAL(r.rc, 0);
    result_release(&r);
    qbuf_release(&text);
}

static void test_folds(void)
{
    struct plan p = {&kernel_fake, {NULL}, {{INPUT_FILE, "list"}}, NULL, false};
    struct qbuf text = QBUF_INIT;
    fake_folds = true;
    fake_text(&text, 500, 60);
    make_file("list", qbuf_cstr(&text));
    struct fake_answer want = fake_read(text.data, text.len);
    for (size_t i = 0; i + 1 < want.good.len; i++)
        if (want.good.data[i] == '\n')
            want.good.data[i] = ' ';
    struct result r = same_for_all(&p);
    CU_ASSERT(same(&r.out, &want.good, "total"));
    result_release(&r);
    /* The records in front of the bad one that ends the run, and no others. */
    for (size_t n = 0; n < 3; n++) {
        char option[32];
        snprintf(option, sizeof option, "max-errors=%zu", n);
        p.options[0] = option;
        r = same_for_all(&p);
        CU_ASSERT(r.outcome.tally.halted);
        CU_ASSERT_EQUAL(r.outcome.tally.records, want.bad[n].before);
        CU_ASSERT_EQUAL(r.out.len, want.bad[n].at > 0 ? want.bad[n].at : 1);
        CU_ASSERT(memcmp(r.out.data, want.good.data, want.bad[n].at - 1) == 0);
        result_release(&r);
    }
    fake_folds = false;
    fake_forget(&want);
    qbuf_release(&text);
}

/* --- unordered --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct qbuf *text)
{
    size_t n = 0;
    char **lines = malloc((text->len + 1) * sizeof *lines);
    struct qbuf sorted = QBUF_INIT;
    CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
    for (char *line = strtok(text->data, "\n"); line; line = strtok(NULL, "\n"))
        lines[n++] = line; /* style: allow banned: one thread, our own text */
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        qbuf_printf(&sorted, "%s\n", lines[i]);
    free(lines);
    qbuf_release(text);
    *text = sorted;
}

/* The same lines in another order; diagnostics with the same lines, in order. */
static void test_unordered(void)
{
    struct plan p = {&kernel_fake, {NULL}, {{INPUT_FILE, "list"}}, NULL, false};
    struct qbuf text = QBUF_INIT;
    fake_text(&text, 1000, 100);
    qbuf_printf(&text, "\n%" PRIu64 "\n", FAKE_COSTLY);
    make_file("list", qbuf_cstr(&text));
    struct result want = run(&p, true, 1, 0);
    sort_lines(&want.out);
    p.options[0] = "unordered";
    for (unsigned chunk = 1; chunk < 100000; chunk *= 10) {
        struct result got = run(&p, false, 3, chunk);
        sort_lines(&got.out);
        CU_ASSERT_EQUAL(got.rc, 0);
        CU_ASSERT(same(&got.out, &want.out, "sorted output"));
        CU_ASSERT(same(&got.said, &want.said, "said"));
        CU_ASSERT(same_tally(&got.outcome.tally, &want.outcome.tally));
        result_release(&got);
    }
    result_release(&want);
    qbuf_release(&text);
}

/* --- what goes wrong --- */

static bool is_prefix(const struct qbuf *out, const struct qbuf *of)
{
    return out->len <= of->len && (out->len == 0 || out->data[out->len - 1] == '\n') &&
           (out->len == 0 || memcmp(out->data, of->data, out->len) == 0);
}

/* A record on which the kernel fails: the error, and in front of it a correct prefix.
 */
static void test_kernel_error(void)
{
    struct plan p = {&kernel_fake, {NULL}, {{INPUT_FILE, "list"}}, NULL, false};
    struct qbuf text = QBUF_INIT;
    fake_text(&text, 600, 0);
    qbuf_puts(&text, "\n");
    struct fake_answer want = fake_read(text.data, text.len);
    qbuf_printf(&text, "%" PRIu64 "\n", FAKE_FAILS);
    for (int i = 0; i < 600; i++)
        qbuf_puts(&text, "7\n");
    make_file("list", qbuf_cstr(&text));
    for (unsigned threads = 0; threads < 5; threads++) {
        for (unsigned chunk = 1; chunk < 100000; chunk *= 10) {
            struct result r = run(&p, threads == 0, threads ? threads : 1, chunk);
            CU_ASSERT_EQUAL(r.rc, -Q_ECHECK);
            CU_ASSERT_STRING_EQUAL(r.e.text, "the kernel failed");
            CU_ASSERT(is_prefix(&r.out, &want.good));
            if (threads > 0 && chunk == 1)
                CU_ASSERT_EQUAL(r.out.len, want.good.len);
            CU_ASSERT(!r.outcome.abandoned);
            result_release(&r);
        }
    }
    fake_forget(&want);
    qbuf_release(&text);
}

/* Standard input that fails after some records: a terminal whose other side has gone.
 */
static int broken_stdin(const char *text)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CU_ASSERT_FATAL(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios raw;
    CU_ASSERT_EQUAL_FATAL(tcgetattr(slave, &raw), 0);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    CU_ASSERT_EQUAL(write(slave, text, strlen(text)), (ssize_t)strlen(text));
    close(slave);
    int saved = swap(STDIN_FILENO, NULL, master);
    close(master);
    return saved;
}

static void test_read_error(void)
{
    struct plan p = {&kernel_fake,
                     {NULL},
                     {{INPUT_LITERAL, "5"}, {INPUT_STREAM, "-"}, {INPUT_LITERAL, "6"}},
                     NULL,
                     false};
    for (unsigned threads = 0; threads < 4; threads++) {
        int saved = broken_stdin("7 8\n9\n10");
        struct result r = run(&p, threads == 0, threads ? threads : 1, threads % 2);
        swap_back(STDIN_FILENO, saved);
        CU_ASSERT_EQUAL(r.rc, -Q_EINPUT);
        CU_ASSERT_STRING_EQUAL(r.e.text, "read -: Input/output error");
        (void)qbuf_cstr(&r.out);
        CU_ASSERT_STRING_EQUAL(r.out.data, "5\n7\n8\n9\n");
        CU_ASSERT_EQUAL(r.outcome.tally.records, 4);
        result_release(&r);
    }
}

/* A fold has no result when an input could not be read to its end. */
static void test_read_error_fold(void)
{
    struct plan p = {&kernel_fake, {NULL}, {{INPUT_STREAM, "-"}}, NULL, false};
    fake_folds = true;
    for (unsigned threads = 0; threads < 3; threads++) {
        int saved = broken_stdin("7 8\n");
        struct result r = run(&p, threads == 0, threads ? threads : 1, 0);
        swap_back(STDIN_FILENO, saved);
        CU_ASSERT_EQUAL(r.rc, -Q_EINPUT);
        CU_ASSERT_EQUAL(r.out.len, 0);
        result_release(&r);
    }
    fake_folds = false;
}

/* --strict ends the run in front of an input that cannot be read, however far ahead the
 * reader is. */
static void test_halt_before_error(void)
{
    struct plan p = {&kernel_fake,
                     {"strict"},
                     {{INPUT_FILE, "list"}, {INPUT_FILE, "/proc/self/mem"}},
                     NULL,
                     false};
    struct qbuf text = QBUF_INIT;
    qbuf_printf(&text, "7\n%" PRIu64 "\nx\n8\n", FAKE_COSTLY);
    make_file("list", qbuf_cstr(&text));
    struct result r = same_for_all(&p);
    CU_ASSERT_EQUAL(r.rc, 0);
    CU_ASSERT(r.outcome.tally.halted);
    CU_ASSERT_EQUAL(r.outcome.tally.records, 2);
    result_release(&r);
    p.options[0] = NULL;
    r = same_for_all(&p);
    CU_ASSERT_EQUAL(r.rc, -Q_EINPUT);
    CU_ASSERT_EQUAL(r.outcome.tally.records, 3);
    result_release(&r);
    qbuf_release(&text);
}

/* What is wrong before the work begins leaves an old output alone. */
static void test_before(void)
{
    struct plan p = {&kernel_fake,
                     {NULL},
                     {{INPUT_LITERAL, "7"}, {INPUT_FILE, "missing"}},
                     NULL,
                     false};
    for (int serial = 0; serial < 2; serial++) {
        make_file("out", "old");
        struct result r = run(&p, serial, 2, 0);
        CU_ASSERT_EQUAL(r.rc, -Q_EINPUT);
        CU_ASSERT(r.out.len == 3 && memcmp(r.out.data, "old", 3) == 0);
        result_release(&r);
    }
    struct plan both = {
        &kernel_sumsq, {"total", "fold"}, {{INPUT_LITERAL, "7"}}, NULL, false};
    struct result r = run(&both, false, 2, 0);
    CU_ASSERT_EQUAL(r.rc, -Q_EUSAGE);
    CU_ASSERT(r.out.len == 3 && memcmp(r.out.data, "old", 3) == 0);
    result_release(&r);
}

static void test_full(void)
{
    struct plan p = {
        &kernel_fake, {NULL}, {{INPUT_RANGE, "1..100000000"}}, "/dev/full", false};
    for (unsigned threads = 0; threads < 4; threads++) {
        struct result r = run(&p, threads == 0, threads ? threads : 1, 0);
        CU_ASSERT_EQUAL(r.rc, -Q_EIO);
        CU_ASSERT_PTR_NOT_NULL(strstr(r.e.text, "No space left"));
        CU_ASSERT(!r.outcome.abandoned);
        result_release(&r);
    }
    p.output = path_to("missing/out");
    struct result r = run(&p, false, 2, 0);
    CU_ASSERT_EQUAL(r.rc, -Q_EIO);
    result_release(&r);
}

static void *read_a_little(void *arg)
{
    int fd = *(int *)arg;
    char buffer[10];
    ssize_t n = read(fd, buffer, sizeof buffer);
    close(fd);
    return n > 0 ? arg : NULL;
}

static void test_closed_pipe(void)
{
    struct plan p = {
        &kernel_fake, {NULL}, {{INPUT_RANGE, "1..1000000000"}}, NULL, true};
    for (unsigned threads = 0; threads < 4; threads++) {
        int ends[2];
        pthread_t thread;
        CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
        int saved = swap(STDOUT_FILENO, NULL, ends[1]);
        close(ends[1]);
        pthread_create(&thread, NULL, read_a_little, &ends[0]);
        struct result r = run(&p, threads == 0, threads ? threads : 1, 0);
        swap_back(STDOUT_FILENO, saved);
        pthread_join(thread, NULL);
        CU_ASSERT_EQUAL(r.rc, -Q_EPIPE);
        CU_ASSERT_EQUAL(r.said.len, 0);
        CU_ASSERT(!r.outcome.abandoned);
        result_release(&r);
    }
}

static void test_no_memory(void)
{
    struct plan p = {&kernel_fake, {NULL}, {{INPUT_RANGE, "1..100000"}}, NULL, false};
    atomic_store(&fake_attach_fails, true);
    for (unsigned threads = 0; threads < 4; threads++) {
        struct result r = run(&p, threads == 0, threads ? threads : 1, 0);
        CU_ASSERT_EQUAL(r.rc, -Q_ENOMEM);
        CU_ASSERT_EQUAL(r.out.len, 0);
        result_release(&r);
    }
    atomic_store(&fake_attach_fails, false);
}

/* The run ends while a record takes for ever: it sees the flag, and nobody waits. */
static void test_stop(void)
{
    struct plan p = {&kernel_fake, {"strict"}, {{INPUT_FILE, "slow"}}, NULL, false};
    make_file("slow",
              "9313105295130943005 x 9313105295130943003 9313105295130943003 7");
    atomic_store(&fake_met_slow, 0);
    for (int i = 0; i < 20; i++) {
        struct result r = run(&p, false, 4, 1);
        CU_ASSERT_EQUAL(r.rc, 0);
        CU_ASSERT(r.outcome.tally.halted);
        CU_ASSERT(!r.outcome.abandoned);
        CU_ASSERT(r.outcome.seconds < 2);
        CU_ASSERT_EQUAL(r.outcome.tally.records, 1);
        CU_ASSERT(r.out.len == 20 &&
                  memcmp(r.out.data, "9313105295130943005\n", 20) == 0);
        result_release(&r);
    }
    CU_ASSERT(atomic_load(&fake_met_slow) > 0);
    make_file("slow", "9313105295130943005 9313105295130943003 7");
    p.output = "/dev/full";
    struct result r = run(&p, false, 4, 1);
    CU_ASSERT_EQUAL(r.rc, -Q_EIO);
    CU_ASSERT(r.outcome.seconds < 2);
    result_release(&r);
}

/* --- */

static void test_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    tree_begin(&tree);
}

static void test_end(void)
{
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"a folder to work in", test_begin},
    {"who does not answer is left behind", test_left_behind},
    {"serial and parallel do the same", test_same},
    {"... with options", test_options},
    {"... with real kernels", test_kernels},
    {"... when folding", test_folds},
    {"unordered: the same lines", test_unordered},
    {"a kernel's error", test_kernel_error},
    {"a read error", test_read_error},
    {"a read error in a fold", test_read_error_fold},
    {"a halt in front of a read error", test_halt_before_error},
    {"errors before the work begins", test_before},
    {"a full disk", test_full},
    {"a closed pipe", test_closed_pipe},
    {"no memory for workers", test_no_memory},
    {"a stop while a record takes long", test_stop},
    {"the folder goes", test_end},
};

UNIT_MAIN("engine", tests)
