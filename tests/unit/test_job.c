#include "core/job.h"

#include <string.h>

#include "unit.h"

static const struct qopt own[] = {
    {.name = "only", .kind = QOPT_CHOICE, .value = "prime|composite"},
    {.name = "with", .kind = QOPT_TEXT, .effect = QOPT_REPEAT, .value = "X"},
    {.name = NULL},
};
static const struct qopt shared[] = {
    {.name = "threads", .letter = 'j', .kind = QOPT_COUNT, .value = "N", .min = 1},
    {.name = "format", .kind = QOPT_CHOICE, .value = "text|jsonl", .fallback = "jsonl"},
    {.name = "limit", .kind = QOPT_DURATION, .value = "T", .fallback = "2s"},
    {.name = "quiet", .letter = 'q', .kind = QOPT_FLAG},
    {.name = "eager", .kind = QOPT_FLAG, .fallback = "yes"},
    {.name = NULL},
};

static struct job fresh(void)
{
    static const struct qopt *const tables[] = {own, NULL, shared};
    struct job j;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(job_init(&j, "prime", tables, 3, &e), 0);
    return j;
}

static int set(struct job *j, const char *name, const char *value)
{
    struct qerr e = QERR_INIT;
    return job_set(j, job_find(j, name), value, &e);
}

static void test_defaults(void)
{
    struct job j = fresh();
    CU_ASSERT_STRING_EQUAL(j.command, "prime");
    CU_ASSERT_EQUAL(j.nvalues, 7);
    CU_ASSERT_EQUAL(j.ninputs, 0);
    CU_ASSERT_EQUAL(job_count(&j, "threads"), 0);
    CU_ASSERT_PTR_NULL(job_word(&j, "only"));
    CU_ASSERT_STRING_EQUAL(job_word(&j, "format"), "jsonl");
    CU_ASSERT_EQUAL(job_count(&j, "format"), 1);
    CU_ASSERT_EQUAL(job_count(&j, "limit"), UINT64_C(2000000000));
    CU_ASSERT_FALSE(job_flag(&j, "quiet"));
    CU_ASSERT(job_flag(&j, "eager"));
    CU_ASSERT_FALSE(job_given(&j, "format"));
    job_release(&j);
    CU_ASSERT_EQUAL(j.nvalues, 0);
    CU_ASSERT_PTR_NULL(j.values);
}

static void test_no_tables(void)
{
    struct job j;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(job_init(&j, "info", NULL, 0, &e), 0);
    CU_ASSERT_EQUAL(j.nvalues, 0);
    CU_ASSERT_PTR_NULL(job_find(&j, "threads"));
    job_release(&j);
}

static void test_bad_default(void)
{
    static const struct qopt wrong[] = {
        {.name = "n", .kind = QOPT_COUNT, .fallback = "many"}, {.name = NULL}};
    static const struct qopt *const tables[] = {wrong};
    struct job j = {.command = "untouched"};
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(job_init(&j, "x", tables, 1, &e), -Q_EUSAGE);
    CU_ASSERT_STRING_EQUAL(j.command, "untouched");
    CU_ASSERT_STRING_EQUAL(e.text,
                           "default of an option: --n: 'many' is not an integer");
}

static void test_find(void)
{
    struct job j = fresh();
    CU_ASSERT_PTR_EQUAL(job_find(&j, "threads"), &shared[0]);
    CU_ASSERT_PTR_EQUAL(job_find(&j, "only"), &own[0]);
    CU_ASSERT_PTR_NULL(job_find(&j, "thread"));
    CU_ASSERT_PTR_NULL(job_find(&j, ""));
    CU_ASSERT_PTR_EQUAL(job_find_letter(&j, 'j'), &shared[0]);
    CU_ASSERT_PTR_EQUAL(job_find_letter(&j, 'q'), &shared[3]);
    CU_ASSERT_PTR_NULL(job_find_letter(&j, 'x'));
    CU_ASSERT_PTR_NULL(job_find_letter(&j, '\0')); /* rows without a letter */
    job_release(&j);
}

static void test_set(void)
{
    struct job j = fresh();
    char text[] = "8";
    CU_ASSERT_EQUAL(set(&j, "threads", text), 0);
    text[0] = '9'; /* the job has a copy */
    CU_ASSERT_STRING_EQUAL(job_word(&j, "threads"), "8");
    CU_ASSERT_EQUAL(job_count(&j, "threads"), 8);
    CU_ASSERT(job_given(&j, "threads"));

    CU_ASSERT_EQUAL(set(&j, "threads", "3"), 0); /* the last one holds */
    CU_ASSERT_EQUAL(job_count(&j, "threads"), 3);
    CU_ASSERT_STRING_EQUAL(job_word(&j, "threads"), "3");

    CU_ASSERT_EQUAL(set(&j, "threads", "0"), -Q_EUSAGE); /* and a bad one not */
    CU_ASSERT_EQUAL(job_count(&j, "threads"), 3);
    CU_ASSERT_STRING_EQUAL(job_word(&j, "threads"), "3");

    CU_ASSERT_EQUAL(set(&j, "eager", "no"), 0);
    CU_ASSERT_FALSE(job_flag(&j, "eager"));
    CU_ASSERT_EQUAL(set(&j, "only", "composite"), 0);
    CU_ASSERT_STRING_EQUAL(job_word(&j, "only"), "composite");
    CU_ASSERT_EQUAL(job_count(&j, "only"), 1);
    job_release(&j);
}

static void test_repeat(void)
{
    struct job j = fresh();
    static const char *const values[] = {"a", "b", "a", "c", "d"};
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(set(&j, "with", values[i]), 0);
    CU_ASSERT_EQUAL(set(&j, "with", ""), -Q_EUSAGE);
    CU_ASSERT_EQUAL(set(&j, "threads", "1"), 0);
    CU_ASSERT_EQUAL(set(&j, "threads", "2"), 0);
    const struct job_value *with = &j.values[1], *threads = &j.values[2];
    CU_ASSERT_EQUAL(with->count, 5);
    CU_ASSERT_EQUAL(threads->count, 1);
    for (size_t i = 0; i < with->count; i++)
        CU_ASSERT_STRING_EQUAL(with->texts[i], values[i]);
    CU_ASSERT_STRING_EQUAL(job_word(&j, "with"), "d");
    job_release(&j);
}

static void add(struct job *j, enum input_kind kind, const char *text)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(job_add_input(j, kind, text, &e), 0);
}

static void check_input(const struct job *j, size_t i, enum input_kind kind,
                        const char *text, const char *name)
{
    CU_ASSERT_FATAL(i < j->ninputs);
    const struct input *in = &j->inputs[i];
    CU_ASSERT_EQUAL(in->kind, kind);
    CU_ASSERT_STRING_EQUAL(in->text, text);
    CU_ASSERT_EQUAL(in->len, strlen(text));
    CU_ASSERT_STRING_EQUAL(in->name, name);
}

static void test_inputs(void)
{
    struct job j = fresh();
    add(&j, INPUT_LITERAL, "12");
    add(&j, INPUT_LITERAL, "3");
    add(&j, INPUT_FILE, "a.txt");
    add(&j, INPUT_LITERAL, "4");
    add(&j, INPUT_RANGE, "1..9");
    add(&j, INPUT_STREAM, "-");
    add(&j, INPUT_FILE, "");
    CU_ASSERT_EQUAL(j.ninputs, 6);
    check_input(&j, 0, INPUT_LITERAL, "12\n3\n", "argument");
    check_input(&j, 1, INPUT_FILE, "a.txt", "a.txt");
    check_input(&j, 2, INPUT_LITERAL, "4\n", "argument");
    check_input(&j, 3, INPUT_RANGE, "1..9", "argument");
    check_input(&j, 4, INPUT_STREAM, "-", "-");
    check_input(&j, 5, INPUT_FILE, "", "");
    job_release(&j);
    CU_ASSERT_EQUAL(j.ninputs, 0);
}

/* Many inputs, and many literals in one: the arrays grow, nothing is lost or moved. */
static void test_many_inputs(void)
{
    struct job j = fresh();
    char word[32];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(word, sizeof word, "file%u", i);
        add(&j, INPUT_FILE, word);
    }
    struct qbuf want = QBUF_INIT;
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(word, sizeof word, "%" PRIu64, unit_random() >> i % 60);
        add(&j, INPUT_LITERAL, word);
        qbuf_printf(&want, "%s\n", word);
    }
    CU_ASSERT_EQUAL(j.ninputs, 1001);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(word, sizeof word, "file%u", i);
        check_input(&j, i, INPUT_FILE, word, word);
    }
    check_input(&j, 1000, INPUT_LITERAL, qbuf_cstr(&want), "argument");
    qbuf_release(&want);
    job_release(&j);
}

/* What is said in another way is the same; what changes the result is not. */
static void test_identity(void)
{
    static const struct qopt rows[] = {
        {.name = "n", .kind = QOPT_COUNT, .effect = QOPT_RESULT, .fallback = "7"},
        {.name = "all", .kind = QOPT_FLAG, .effect = QOPT_RESULT},
        {.name = "fast", .kind = QOPT_FLAG},
        {.name = NULL}};
    static const struct qopt *const tables[] = {rows};
    static const char *const given[][3] = {{NULL, NULL, NULL},
                                           {"7", "no", "yes"},
                                           {"007", NULL, "no"},
                                           {"8", "no", "no"},
                                           {"7", "yes", "no"}};
    static const char *const wants[] = {"n = 7\n", "n = 7\n", "n = 7\n", "n = 8\n",
                                        "n = 7\nall = 1\n"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct job j;
        struct qerr e = QERR_INIT;
        struct qbuf got = QBUF_INIT, want = QBUF_INIT;
        CU_ASSERT_EQUAL_FATAL(job_init(&j, "x", tables, 1, &e), 0);
        for (size_t k = 0; k < 3; k++)
            if (given[i][k])
                CU_ASSERT_EQUAL(job_set(&j, &rows[k], given[i][k], &e), 0);
        job_add_input(&j, INPUT_FILE, "a\\b\nc", &e);
        job_identity(&j, &got);
        qbuf_printf(&want, "version = " QUERN_VERSION "\ncommand = x\n%s", wants[i]);
        qbuf_puts(&want, "file = a\\\\b\\nc\n");
        CU_ASSERT_STRING_EQUAL(qbuf_cstr(&got), qbuf_cstr(&want));
        qbuf_release(&got);
        qbuf_release(&want);
        job_release(&j);
    }
}

static const struct unit_test tests[] = {
    {"defaults", test_defaults},
    {"no tables", test_no_tables},
    {"a bad default", test_bad_default},
    {"find", test_find},
    {"set", test_set},
    {"repeat", test_repeat},
    {"inputs", test_inputs},
    {"many inputs", test_many_inputs},
    {"identity", test_identity},
};

UNIT_MAIN("job", tests)
