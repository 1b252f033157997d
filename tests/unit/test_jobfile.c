#include "core/jobfile.h"

#include <string.h>
#include <unistd.h>

#include "unit.h"

static const struct qopt own[] = {
    {.name = "only", .kind = QOPT_CHOICE, .value = "prime|composite"},
    {.name = "count", .kind = QOPT_FLAG},
    {.name = "threads", .kind = QOPT_COUNT, .value = "N", .min = 1, .max = 99},
    {.name = "output", .kind = QOPT_TEXT, .value = "FILE"},
    {.name = "limit", .kind = QOPT_DURATION, .value = "T"},
    {.name = "header", .kind = QOPT_TEXT, .value = "H", .effect = QOPT_REPEAT},
    {.name = "secret", .kind = QOPT_TEXT, .value = "S", .effect = QOPT_HIDDEN},
    {.name = NULL},
};

static struct jobfile file;
static struct job job;
static struct qerr err;

static int parse_bytes(const char *text, size_t len, const char *const *sets,
                       size_t nsets)
{
    /* An exact copy on the heap: a sanitizer sees each byte that is read beyond. */
    char *copy = malloc(len + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    char *exact = copy + 1;
    memcpy(exact, text, len);
    err = (struct qerr)QERR_INIT;
    int rc = jobfile_parse(&file, "dir/x.job", exact, len, sets, nsets, &err);
    CU_ASSERT_EQUAL(-rc, (int)err.code);
    free(copy);
    return rc;
}

/* Parses, and fills `job`: 0, or the code of the first error. */
static int take(const char *text, const char *set)
{
    int rc = parse_bytes(text, strlen(text), &set, set ? 1 : 0);
    if (rc < 0)
        return rc;
    const struct qopt *const tables[] = {own};
    CU_ASSERT_EQUAL_FATAL(job_init(&job, "prime", tables, 1, &err), 0);
    rc = jobfile_options(&file, &job, &err);
    CU_ASSERT_EQUAL(-rc, (int)err.code);
    return rc;
}

static void drop(void)
{
    job_release(&job);
    jobfile_release(&file);
}

/* The text is refused with exactly this message. */
static void refuses(const char *text, const char *set, const char *message)
{
    int rc = take(text, set);
    CU_ASSERT_EQUAL(rc, -Q_EUSAGE);
    CU_ASSERT_STRING_EQUAL(err.text, message);
    if (strcmp(err.text, message) != 0)
        printf("\n  got: %s\n", err.text);
    drop();
}

/* A key of [job] has this value after reading. */
static void gives(const char *text, const char *set, const char *key, const char *value)
{
    CU_ASSERT_EQUAL(take(text, set), 0);
    const char *got = NULL;
    for (size_t i = 0; err.code == Q_OK && i < file.job.n; i++)
        if (strcmp(file.job.at[i].key, key) == 0)
            got = file.job.at[i].value;
    CU_ASSERT_PTR_NOT_NULL(got);
    if (!got || strcmp(got, value) != 0)
        printf("\n  got: %s %s\n", got ? got : "(nothing)", err.text);
    CU_ASSERT(got && strcmp(got, value) == 0);
    drop();
}

static void test_plain(void)
{
    int rc = take("# a comment\n"
                  "; another\n"
                  "\n"
                  "[set]\n"
                  "n = 7\n"
                  "[job]\n"
                  "threads = ${n}\n"
                  "count = yes\n"
                  "input = a.txt\n"
                  "command = prime\n"
                  "input = b ${n}.txt\n"
                  "limit=2m\n"
                  "  output  =   out put ; #1  \n",
                  NULL);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    CU_ASSERT_STRING_EQUAL(jobfile_command(&file)->value, "prime");
    CU_ASSERT_EQUAL(jobfile_command(&file)->line, 10);
    CU_ASSERT_EQUAL(job_count(&job, "threads"), 7);
    CU_ASSERT(job_flag(&job, "count"));
    CU_ASSERT_EQUAL(job_count(&job, "limit"), UINT64_C(120000000000));
    CU_ASSERT_STRING_EQUAL(job_word(&job, "output"), "out put ; #1");
    CU_ASSERT_FALSE(job_given(&job, "only"));
    const struct jobfile_entry *in = jobfile_input(&file, NULL);
    CU_ASSERT_STRING_EQUAL(in->value, "a.txt");
    in = jobfile_input(&file, in);
    CU_ASSERT_STRING_EQUAL(in->value, "b 7.txt");
    CU_ASSERT_EQUAL(in->line, 11);
    CU_ASSERT_PTR_NULL(jobfile_input(&file, in));
    CU_ASSERT_EQUAL(job.ninputs, 0);
    drop();
}

#define J "[job]\ncommand = prime\n"

static void test_lines(void)
{
    gives("\xEF\xBB\xBF[job]\ncommand = prime", NULL, "command", "prime");
    gives("[job]\r\ncommand = prime\r\noutput = x\r\n", NULL, "output", "x");
    gives("[job]\ncommand: prime", NULL, "command", "prime");
    gives("[job]  \ncommand = a = b", NULL, "command", "a = b");
    gives(J "output = x\n   \t\n\tthreads = 5", NULL, "threads", "5");
    gives(J "output = http://h/#a;b ;c", NULL, "output", "http://h/#a;b ;c");
    gives(J "secret = s", NULL, "secret", "s");
    refuses(J "output = x\n  y", NULL,
            "dir/x.job:4: neither a [section] nor 'key = value'");
    refuses(J "count\n\n\nthreads = 2", NULL,
            "dir/x.job:3: neither a [section] nor 'key = value'");
    refuses(J "count", NULL, "dir/x.job:3: neither a [section] nor 'key = value'");
}

/* Lines of any length up to 64 KiB come through whole, longer ones are refused. */
static void test_long_lines(void)
{
    static const size_t lengths[] = {190, 200, 201, 4096, 65525, 65526, 65527, 70000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t head = strlen(J "output = "), n = lengths[i];
        char *text = malloc(head + n + 1), *value;
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        memcpy(text, J "output = ", head);
        value = text + head;
        memset(value, 'x', n);
        value[n - 1] = 'y';
        value[n] = '\0';
        if (n + strlen("output = ") <= 65534)
            gives(text, NULL, "output", value);
        else
            refuses(text, NULL, "dir/x.job:3: the line is longer than 65534 bytes");
        free(text);
    }
}

static void test_nul(void)
{
    static const char text[] = J "output = a\0b\n";
    CU_ASSERT_EQUAL(parse_bytes(text, sizeof text - 1, NULL, 0), -Q_EUSAGE);
    CU_ASSERT_STRING_EQUAL(err.text,
                           "dir/x.job:3: a NUL byte: this is not a text file");
}

static void test_sections(void)
{
    refuses("", NULL, "dir/x.job: there is no section [job]");
    refuses("# nothing\n", NULL, "dir/x.job: there is no section [job]");
    refuses("\n[set]\na = 1\n", NULL, "dir/x.job: there is no section [job]");
    refuses("\n[job]\nthreads = 1\n", NULL, "dir/x.job:2: [job] has no command");
    refuses("threads = 1\n[job]", NULL, "dir/x.job:1: a key in front of [job]");
    refuses(J "[jbo]\n", NULL,
            "dir/x.job:3: unknown section '[jbo]'; there are [job] and [set]");
    refuses("[job\ncommand = prime\n", NULL,
            "dir/x.job:1: unknown section '[job'; there are [job] and [set]");
    refuses("[job] x\ncommand = prime\n", NULL,
            "dir/x.job:1: unknown section '[job] x'; there are [job] and [set]");
    refuses("[set] x\n", NULL,
            "dir/x.job:1: unknown section '[set] x'; there are [job] and [set]");
    refuses(J "[set]\n[job]\n", NULL,
            "dir/x.job:4: [job] is given twice (first in line 1)");
    refuses("[set]\n\n[set]\n", NULL,
            "dir/x.job:3: [set] is given twice (first in line 1)");
}

static void test_keys(void)
{
    refuses(J "\nthread = 2", NULL,
            "dir/x.job:4: unknown key 'thread'; did you mean 'threads'?");
    refuses("[job]\nthread = 2\ncommand = prime", NULL,
            "dir/x.job:2: unknown key 'thread'; did you mean 'threads'?");
    refuses(J "imput = 2", NULL,
            "dir/x.job:3: unknown key 'imput'; did you mean 'input'?");
    refuses(J "frobnicate = 2", NULL,
            "dir/x.job:3: unknown key 'frobnicate' (quern prime --help lists options)");
    refuses(J "secre = 2", NULL, /* what is hidden is not suggested */
            "dir/x.job:3: unknown key 'secre' (quern prime --help lists options)");
    refuses(J "set = a=b", NULL,
            "dir/x.job:3: unknown key 'set' (quern prime --help lists options)");
    refuses(J "= 2", NULL,
            "dir/x.job:3: unknown key '' (quern prime --help lists options)");
    refuses(J "threads = 2\n\nthreads = 3", NULL,
            "dir/x.job:5: the key 'threads' is given twice (first in line 3)");
    refuses(J "count = no\ncount = no", NULL,
            "dir/x.job:4: the key 'count' is given twice (first in line 3)");
    refuses(J "command = prime\n\n\n", NULL,
            "dir/x.job:3: the key 'command' is given twice (first in line 2)");
    refuses(J "threads = 100", NULL,
            "dir/x.job:3: --threads: '100' is not an integer from 1 to 99");
    refuses(J "count = true", NULL,
            "dir/x.job:3: --count: 'true' is neither yes nor no");
    refuses(J "output =", NULL, "dir/x.job:3: --output: the value is empty");
    gives(J "header = a\nheader = b", NULL, "header", "b");
}

#define S "[set]\nname = v\n" J

static void test_variables(void)
{
    gives(S "output = ${name}", NULL, "output", "v");
    gives(J "output = ${name}\n[set]\nname = w", NULL, "output", "w");
    gives(S "output = a${name}${name}b", NULL, "output", "avvb");
    gives(S "output = ${name}", "name=${name}", "output", "${name}");
    gives(S "output = ${name}", "name=a=b", "output", "a=b");
    gives(J "output = ${any}", "any=5", "output", "5");
    gives(S "output = x${name}", "name=", "output", "x");
    gives(S "output = $$${name}$$", NULL, "output", "$v$");
    gives(S "output = $name $ ${name} $", NULL, "output", "$name $ v $");
    gives(S "output = $${name}", NULL, "output", "${name}");
    gives(J "output = ${here}/y", NULL, "output", "dir/y");
    gives(J "output = ${here}", "here=h", "output", "h");
    gives("[set]\nhere = i\n" J "output = ${here}", NULL, "output", "i");
    gives("[set]\nhere = i\n" J "output = ${here}", "here=j", "output", "j");
    refuses(J "output = ${any}", "an=5", "--set: dir/x.job has no ${an}");
    gives("[job]\ncommand = ${c}\n", "c=sumsq", "command", "sumsq");
    refuses(S "output = ${nmae}", NULL,
            "dir/x.job:5: ${nmae} is not set; did you mean ${name}?");
    refuses(J "output = ${zzz}", NULL,
            "dir/x.job:3: ${zzz} is not set (--set zzz=VALUE, or a line in [set])");
    refuses(S "output = ${name", NULL,
            "dir/x.job:5: '${' without its '}' ('$${' stands for '${')");
    refuses(S "output = ${}", NULL,
            "dir/x.job:5: ${} is not set (--set =VALUE, or a line in [set])");
    refuses("[set]\na b = 1\n" J, NULL,
            "dir/x.job:2: 'a b' is not a name (letters, digits, _ and -)");
    refuses("[set]\n= 1\n" J, NULL,
            "dir/x.job:2: '' is not a name (letters, digits, _ and -)");
    refuses("[set]\na = 1\na = 1\n" J, NULL,
            "dir/x.job:3: 'a' is set twice (first in line 2)");
    refuses(S "output = ${name}", "nane=1",
            "--set: dir/x.job has no ${nane}; did you mean ${name}?");
    refuses(S "output = ${name}", "other=1", "--set: dir/x.job has no ${other}");
    refuses(S, "name", "--set: 'name' is not name=value");
    refuses(S, "=x", "--set: '=x' is not name=value");
    refuses(S, "a b=x", "--set: 'a b=x' is not name=value");
}

/* Where the file lies: its folder in front of its last slash. */
static void test_here(void)
{
    static const char *const cases[][2] = {
        {"x.job", "."}, {"/x.job", "/"}, {"a/b/x.job", "a/b"}, {"./x.job", "."}};
    static const char text[] = J "output = ${here}";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (struct qerr)QERR_INIT;
        CU_ASSERT_EQUAL_FATAL(
            jobfile_parse(&file, cases[i][0], text, sizeof text - 1, NULL, 0, &err), 0);
        CU_ASSERT_STRING_EQUAL(file.job.at[1].value, cases[i][1]);
        jobfile_release(&file);
    }
}

static void test_read(void)
{
    char path[] = "/tmp/test_jobfile.XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, J, strlen(J)), (ssize_t)strlen(J));
    err = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(jobfile_read(&file, path, NULL, 0, &err), 0);
    CU_ASSERT_STRING_EQUAL(file.name, path);
    CU_ASSERT_STRING_EQUAL(jobfile_command(&file)->value, "prime");
    jobfile_release(&file);

    CU_ASSERT_EQUAL(ftruncate(fd, (1 << 20) + 1), 0);
    CU_ASSERT_EQUAL(jobfile_read(&file, path, NULL, 0, &err), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "larger than 1 MiB: this is no job file"));
    close(fd);
    unlink(path);

    err = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(jobfile_read(&file, path, NULL, 0, &err), -Q_EINPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "No such file"));
    err = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(jobfile_read(&file, "/tmp", NULL, 0, &err), -Q_EINPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "read /tmp: Is a directory");
}

/* --- random jobs, written as files and read back --- */

static void put_blanks(struct qbuf *out)
{
    for (uint64_t n = unit_random() % 3; n > 0; n--)
        qbuf_putc(out, " \t"[unit_random() % 2]);
}

/* A value that does not begin or end in a blank. */
static void random_value(char *to, size_t most)
{
    static const char letters[] = "ab7 =:;#[]${}\\\"'\t\xC3\xA9";
    size_t n = 1 + unit_random() % most;
    for (size_t i = 0; i < n; i++) {
        bool edge = i == 0 || i == n - 1;
        do
            to[i] = letters[unit_random() % (sizeof letters - 1)];
        while (edge && (to[i] == ' ' || to[i] == '\t'));
    }
    to[n] = '\0';
}

static void put_line(struct qbuf *out, const char *key, const char *value)
{
    put_blanks(out);
    qbuf_puts(out, key);
    put_blanks(out);
    qbuf_putc(out, unit_random() % 8 ? '=' : ':');
    put_blanks(out);
    for (; *value; value++) {
        qbuf_putc(out, *value);
        if (*value == '$')
            qbuf_putc(out, '$');
    }
    put_blanks(out);
    qbuf_puts(out, unit_random() % 2 ? "\n" : "\r\n");
    if (unit_random() % 8 == 0)
        qbuf_puts(out, unit_random() % 2 ? "\n" : "  # a = b\n");
}

static void one_round_trip(void)
{
    static const char *const keys[] = {"input", "header"};
    char values[12][64];
    size_t which[12], n = unit_random() % 12, at = unit_random() % 13;
    struct qbuf text = QBUF_INIT;
    qbuf_puts(&text, unit_random() % 2 ? "[job]\n" : "\n [job] \n");
    for (size_t i = 0; i <= n; i++) {
        if (i == (at < n ? at : n))
            put_line(&text, "command", "prime");
        if (i == n)
            break;
        which[i] = unit_random() % 2;
        random_value(values[i], sizeof values[i] - 1);
        put_line(&text, keys[which[i]], values[i]);
    }
    CU_ASSERT_EQUAL_FATAL(take(qbuf_cstr(&text), NULL), 0);
    const struct jobfile_entry *in = jobfile_input(&file, NULL);
    const struct job_value *headers = &job.values[5];
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (which[i] == 1) {
            CU_ASSERT_FATAL(k < headers->count);
            CU_ASSERT_STRING_EQUAL(headers->texts[k++], values[i]);
        } else {
            CU_ASSERT_PTR_NOT_NULL_FATAL(in);
            CU_ASSERT_STRING_EQUAL(in->value, values[i]);
            in = jobfile_input(&file, in);
        }
    }
    CU_ASSERT_PTR_NULL(in);
    CU_ASSERT_EQUAL(k, headers->count);
    drop();
    qbuf_release(&text);
}

static void test_round_trip(void)
{
    for (uint64_t i = 0; i < 2000 * unit_scale(); i++)
        one_round_trip();
}

/* Noise is refused or read, and never read beyond its end. */
static void test_noise(void)
{
    static const char *const words[] = {
        "[job]", "[set]", "\n",      "command", " = ", "prime", "${",           "}",
        "name",  "$$",    "[",       "]",       ";",   "#",     "\xEF\xBB\xBF", "\r",
        " ",     "here",  "threads", "7"};
    for (uint64_t i = 0; i < 5000 * unit_scale(); i++) {
        struct qbuf text = QBUF_INIT;
        if (unit_random() % 2)
            qbuf_puts(&text, J);
        for (uint64_t n = unit_random() % 24; n > 0; n--)
            qbuf_puts(&text, words[unit_random() % (sizeof words / sizeof *words)]);
        int rc = parse_bytes(text.len ? text.data : "", text.len, NULL, 0);
        if (rc == 0) {
            CU_ASSERT_PTR_NOT_NULL(jobfile_command(&file));
            jobfile_release(&file);
        } else {
            CU_ASSERT_EQUAL(rc, -Q_EUSAGE);
            CU_ASSERT_EQUAL(strncmp(err.text, "dir/x.job:", 10), 0);
        }
        qbuf_release(&text);
    }
}

static const struct unit_test tests[] = {
    {"a whole file", test_plain},
    {"lines", test_lines},
    {"long lines", test_long_lines},
    {"NUL bytes", test_nul},
    {"sections", test_sections},
    {"keys", test_keys},
    {"variables", test_variables},
    {"the folder", test_here},
    {"files", test_read},
    {"random jobs", test_round_trip},
    {"noise", test_noise},
};
UNIT_MAIN("jobfile", tests)
