#include "cmd/args.h"

#include <string.h>
#include <sys/stat.h>

#include "capture.h"
#include "cmd/options.h"
#include "unit.h"

static const struct qopt own[] = {
    {.name = "only", .kind = QOPT_CHOICE, .value = "prime|composite"},
    {.name = "exponents", .letter = 'h', .kind = QOPT_FLAG},
    {.name = NULL},
};

/* The job and the outcome of one command line, whose words are separated by blanks ('_'
 * stands for an empty word). */
static struct job job;
static struct qerr err;

static int parse_with(const struct qopt *first, bool numbers, const char *line)
{
    static char copy[4096];
    char *argv[64];
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    char *rest = NULL;
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = strcmp(w, "_") == 0 ? w + 1 : w;
    const struct qopt *tables[] = {first, options_shared, options_fetch,
                                   options_numbers};
    err = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(job_init(&job, "prime", tables, numbers ? 4 : 3, &err), 0);
    int rc =
        args_parse(&job, argc, argv, &(struct args_words){.numbers = numbers}, &err);
    CU_ASSERT_EQUAL(rc < 0 ? -rc : 0, (int)err.code);
    return rc;
}

static int parse(const char *line)
{
    return parse_with(NULL, true, line);
}

static void refuse(const char *line, const char *want)
{
    CU_ASSERT_EQUAL(parse(line), -Q_EUSAGE);
    CU_ASSERT_STRING_EQUAL(err.text, want);
    job_release(&job);
}

/* All inputs as "k:text" with a blank behind each; newlines as ';'. */
static const char *inputs(void)
{
    static char all[4096];
    all[0] = '\0';
    for (size_t i = 0; i < job.ninputs; i++) {
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%c:%s ", "-frlu"[job.inputs[i].kind],
                 job.inputs[i].text);
    }
    for (char *c = all; *c; c++)
        if (*c == '\n')
            *c = ';';
    return all;
}

static void check_inputs(bool numbers, const char *line, const char *want)
{
    CU_ASSERT_EQUAL(parse_with(NULL, numbers, line), 0);
    CU_ASSERT_STRING_EQUAL(inputs(), want);
    job_release(&job);
}

static void test_forms(void)
{
    CU_ASSERT_EQUAL(parse("-j4 --output=a=b --format jsonl --quiet -v"), 0);
    CU_ASSERT_EQUAL(job_count(&job, "threads"), 4);
    CU_ASSERT_STRING_EQUAL(job_word(&job, "output"), "a=b");
    CU_ASSERT_STRING_EQUAL(job_word(&job, "format"), "jsonl");
    CU_ASSERT(job_flag(&job, "quiet"));
    CU_ASSERT(job_flag(&job, "verbose"));
    CU_ASSERT_FALSE(job_flag(&job, "strict"));
    job_release(&job);

    CU_ASSERT_EQUAL(parse("-qvj 3 -o -"), 0); /* a cluster whose last has a value */
    CU_ASSERT(job_flag(&job, "quiet"));
    CU_ASSERT(job_flag(&job, "verbose"));
    CU_ASSERT_EQUAL(job_count(&job, "threads"), 3);
    CU_ASSERT_STRING_EQUAL(job_word(&job, "output"), "-");
    job_release(&job);

    /* What follows is the value, whatever it looks like; the last value holds. */
    CU_ASSERT_EQUAL(parse("-o --quiet -qj2 -j 5 --threads=6"), 0);
    CU_ASSERT_STRING_EQUAL(job_word(&job, "output"), "--quiet");
    CU_ASSERT_EQUAL(job_count(&job, "threads"), 6);
    job_release(&job);

    CU_ASSERT_EQUAL(parse_with(own, true, "-h --only=prime"), 0);
    CU_ASSERT(job_flag(&job, "exponents"));
    job_release(&job);
}

static void test_defaults(void)
{
    CU_ASSERT_EQUAL(parse(""), 0);
    CU_ASSERT_EQUAL(job_count(&job, "max-digits"), 10000);
    CU_ASSERT_STRING_EQUAL(job_word(&job, "format"), "text");
    CU_ASSERT_STRING_EQUAL(job_word(&job, "engine"), "threads");
    CU_ASSERT_PTR_NULL(job_word(&job, "output"));
    CU_ASSERT_FALSE(job_given(&job, "max-errors"));
    CU_ASSERT_STRING_EQUAL(inputs(), "-:- ");
    job_release(&job);
    CU_ASSERT_EQUAL(parse("--engine=serial --chunk 1K --max-errors=0"), 0);
    CU_ASSERT_EQUAL(job_count(&job, "chunk"), 1024);
    job_release(&job);
}

static void test_refusals(void)
{
    refuse("--thread=4", "unknown option --thread; did you mean --threads?");
    refuse("--hlep", "unknown option --hlep; did you mean --help?");
    refuse("--xyzzy", "unknown option --xyzzy (quern prime --help lists them)");
    refuse("--engin=serial", /* what is hidden stays so */
           "unknown option --engin (quern prime --help lists them)");
    refuse("--=5", "unknown option -- (quern prime --help lists them)");
    refuse("-x", "unknown option -x (quern prime --help lists them)");
    refuse("-qx", "unknown option -x (quern prime --help lists them)");
    refuse("-h", "unknown option -h; did you mean --help?");
    refuse("-7", "unknown option -7; integers are not negative, and a file is given as "
                 "./-7...");
    refuse("--threads", "--threads: its value (N) is missing");
    refuse("-j", "--threads: its value (N) is missing");
    refuse("-qj", "--threads: its value (N) is missing");
    refuse("--quiet=yes", "--quiet takes no value");
    refuse("--help=yes", "--help takes no value");
    refuse("-j0", "--threads: '0' is not an integer from 1 to 4096");
    refuse("-j=4", "--threads: '=4' is not an integer from 1 to 4096");
    refuse("--threads=", "--threads: '' is not an integer from 1 to 4096");
    refuse("--format=xml", "--format: 'xml' is not one of text|tsv|csv|jsonl|sqlite");
    refuse("--output=", "--output: the value is empty");
    refuse("-o _", "--output: the value is empty");
    refuse("--max-digits=1000001",
           "--max-digits: '1000001' is not an integer from 1 to 1000000");
    /* Part of a name is no name. */
    refuse("--quie", "unknown option --quie; did you mean --quiet?");
    /* Of the commands that are not on numbers, --max-digits is none. */
    CU_ASSERT_EQUAL(parse_with(NULL, false, "--max-digits=3"), -Q_EUSAGE);
    job_release(&job);
    /* The first thing that is wrong is told. */
    refuse("5..1 --bogus --threads", "unknown option --bogus (quern prime --help lists "
                                     "them)");
}

static void test_about(void)
{
    CU_ASSERT_EQUAL(parse("12 --help --bogus"), ARGS_HELP);
    job_release(&job);
    CU_ASSERT_EQUAL(parse("--version"), ARGS_VERSION);
    job_release(&job);
    CU_ASSERT_EQUAL(parse("-- --help"), ARGS_RUN);
    CU_ASSERT_STRING_EQUAL(inputs(), "f:--help ");
    job_release(&job);
    CU_ASSERT_EQUAL(parse("-o --help"), ARGS_RUN);
    job_release(&job);
}

static void test_inputs(void)
{
    check_inputs(true, "12 a.txt 007 8 -", "l:12; f:a.txt l:007;8; -:- ");
    check_inputs(true, "1 -q 2 --threads 3 4", "l:1;2;4; "); /* options do not divide */
    check_inputs(true, "-- 12 -5 -- -", "l:12; f:-5 f:-- -:- ");
    check_inputs(true, "--", "-:- ");
    /* Expressions, also wrong ones: the reader of records tells what is wrong. */
    check_inputs(true, "2^64+1 (1+2)*3 7/2 5! 10# 1e12 1-2 (",
                 "l:2^64+1;(1+2)*3;7/2;5!;"
                 "10#;1e12;1-2;(; ");
    /* All else is a path. */
    check_inputs(true, "./12 +5 12a 1.5 0x10 1,000 e5 ^2 #1 )1",
                 "f:./12 f:+5 f:12a f:1.5 f:0x10 f:1,000 f:e5 f:^2 f:#1 f:)1 ");
    /* Without numbers a number is a path as well. */
    check_inputs(false, "12 1..5 2^3 -", "f:12 f:1..5 f:2^3 -:- ");
    check_inputs(true, "http:/x https:x ftp://x", "f:http:/x f:https:x f:ftp://x ");
    check_inputs(true, "http://h/x HTTPS://h/[1-2]{a,b}",
                 "u:http://h/x u:HTTPS://h/1a u:HTTPS://h/1b u:HTTPS://h/2a "
                 "u:HTTPS://h/2b ");
    check_inputs(true, "http://[::1]/[1-2] --globoff", "u:http://[::1]/[1-2] ");
    check_inputs(true, "http://[::1]:80/[1-2]",
                 "u:http://[::1]:80/1 u:http://[::1]:80/2 ");
}

static void test_input_refusals(void)
{
    refuse("http://h/{x", "braces or brackets that make no sense in 'http://h/{x' "
                          "(--globoff takes it as it is)");
    refuse("http://h/[0-999]/[0-9999]",
           "http://h/[0-999]/[0-9999] stands for more than 1000000 URLs");
    refuse("@", "@ wants the name of a file: @FILE");
}

static void test_ranges(void)
{
    check_inputs(true, "1..9", "r:1..9 ");
    check_inputs(true, "0..0 5..5 000..0012", "r:0..0 r:5..5 r:0..12 ");
    check_inputs(true, "9..10 009..10", "r:9..10 r:9..10 ");
    check_inputs(true, "18446744073709551615..18446744073709551616",
                 "r:18446744073709551615..18446744073709551616 ");
    check_inputs(
        true, "99999999999999999999999999999998..99999999999999999999999999999999",
        "r:99999999999999999999999999999998..99999999999999999999999999999999 ");
    refuse("2..1", "the range 2..1 goes down: A..B wants A <= B");
    refuse("10..9", "the range 10..9 goes down: A..B wants A <= B");
    refuse("100..0099", "the range 100..0099 goes down: A..B wants A <= B");
    refuse(
        "18446744073709551616..18446744073709551615",
        "the range 18446744073709551616..184467440737095516... goes down: A..B wants "
        "A <= B");
    /* Ends that are expressions, exact and in decimal. */
    check_inputs(true, "1e6..1e6+1000", "r:1000000..1001000 ");
    check_inputs(true, "2^64-10..2^64",
                 "r:18446744073709551606..18446744073709551616 ");
    check_inputs(true, "(1+2)*3..5! 3#..(10^3-1)/9 2^2^3..2^9",
                 "r:9..120 r:6..111 r:256..512 ");
    refuse("2^3..7", "the range 2^3..7 goes down: A..B wants A <= B");
    refuse("1..7/2", "the end '7/2' of a range: division is not exact");
    refuse("1-2..3", "the end '1-2' of a range: negative");
    refuse("(..3", "the end '(' of a range: not an integer");
    refuse("1..2^", "the end '2^' of a range: not an integer");
    /* Not of the form A..B: paths. */
    check_inputs(true, "1.. ..5 1...5 1..x 1..5..9 .. a..b 1..-2",
                 "f:1.. f:..5 f:1...5 f:1..x f:1..5..9 f:.. f:a..b f:1..-2 ");
}

/* --max-digits holds for the whole line, also for what stands before it; leading zeros
 * do not count. */
static void test_range_digits(void)
{
    check_inputs(true, "1..999 --max-digits 3", "r:1..999 ");
    check_inputs(true, "00001..999 --max-digits 3", "r:1..999 ");
    refuse("1..1000 --max-digits 3",
           "the end '1000' of a range: more digits than --max-digits allows");
    refuse("1..10^3 --max-digits 3",
           "the end '10^3' of a range: more digits than --max-digits allows");
    check_inputs(true, "1..10^3-1 --max-digits 3", "r:1..999 ");
}

/* A file that a number hides is warned of, and the number taken. */
static void test_shadowed(void)
{
    char folder[] = "/tmp/quern-args-XXXXXX", line[256];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
    static const char *const names[] = {"12", "1..5", "2^3", "plain"};
    for (size_t i = 0; i < 4; i++)
        fclose(fopen(names[i], "w"));
    struct capture c;
    capture_begin(&c, STDERR_FILENO);
    check_inputs(true, "12 13 1..5 2^3 ./12 plain",
                 "l:12;13; r:1..5 l:2^3; f:./12 f:plain ");
    check_inputs(false, "12", "f:12 ");
    for (size_t i = 0; i < 3; i++) {
        char want[256];
        snprintf(want, sizeof want,
                 "quern: warning: %s is taken as a number; the file of that name is "
                 "./%s\n",
                 names[i], names[i]);
        CU_ASSERT(capture_next(&c, line, sizeof line));
        CU_ASSERT_STRING_EQUAL(line, want);
    }
    CU_ASSERT_FALSE(capture_next(&c, line, sizeof line));
    capture_end(&c);
    for (size_t i = 0; i < 4; i++)
        remove(names[i]);
    CU_ASSERT_EQUAL(chdir("/"), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/* --- lists --- */

/* Parses "FILE @FILE" for a list with these bytes; %s in `want` is the file's name. */
static void check_list(bool numbers, const char *text, size_t len, int rc,
                       const char *want)
{
    static char line[200], expected[4096];
    char path[] = "/tmp/quern-list-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    close(fd);
    snprintf(line, sizeof line, "a @%s b", path);
    const char *name = strstr(want, "%s");
    if (name)
        snprintf(expected, sizeof expected, "%.*s%s%s", (int)(name - want), want, path,
                 name + 2);
    else
        snprintf(expected, sizeof expected, "%s", want);
    CU_ASSERT_EQUAL(parse_with(NULL, numbers, line), rc);
    const char *got = rc < 0 ? err.text : inputs();
    CU_ASSERT_STRING_EQUAL(got, expected);
    if (strcmp(got, expected) != 0)
        printf("got '%s', expected '%s'\n", got, expected);
    job_release(&job);
    remove(path);
}

static void list(const char *text, const char *want)
{
    check_list(true, text, strlen(text), 0, want);
}

static void refuse_list(const char *text, const char *want)
{
    check_list(true, text, strlen(text), -Q_EUSAGE, want);
}

static void test_lists(void)
{
    list("", "f:a f:b ");
    list("x\ny", "f:a f:x f:y f:b ");
    list("12\n7/2\n1..2^3\n-\n./12\n", "f:a l:12;7/2; r:1..8 -:- f:./12 f:b ");
    list("\n  \n#12\n  # x\r\n12 # 13\r\n\r\nx#\r\n", "f:a f:12 # 13 f:x# f:b ");
    list("\xef\xbb\xbf"
         "12\n\tname with blanks \n ./ x\n./#x",
         "f:a l:12; f:name with blanks f:./ x f:./#x f:b ");
    list("http://h/{1,2}", "f:a u:http://h/1 u:http://h/2 f:b ");
    list("--threads\n-5\n", "f:a f:--threads f:-5 f:b "); /* no options in there */
    check_list(false, "12\n1..5\n", 8, 0, "f:a f:12 f:1..5 f:b ");

    refuse_list("1\n\n9..1\n", "%s:3: the range 9..1 goes down: A..B wants A <= B");
    refuse_list("@x", "%s:1: @x: a list cannot name a list (for the file of that name "
                      "say ./@x)");
    refuse_list("x\n\nhttp://[h", "%s:3: braces or brackets that make no sense in "
                                  "'http://[h' (--globoff takes it as it is)");
    check_list(true, "x\n\0y\n", 5, -Q_EUSAGE,
               "%s:2: a zero byte is in no name of an input");
    CU_ASSERT_EQUAL(parse("@/nonexistent/x"), -Q_EINPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "/nonexistent/x: No such file or directory");
    job_release(&job);
    CU_ASSERT_EQUAL(parse("@/tmp"), -Q_EINPUT);
    CU_ASSERT_STRING_EQUAL(err.text, "read /tmp: Is a directory");
    job_release(&job);
}

/* Every row can be shown and has a default that it accepts; no name or letter is there
 * twice in the job of any command. */
static void test_tables(void)
{
    const struct qopt *tables[] = {options_shared, options_numbers, options_about};
    for (size_t t = 0; t < 3; t++) {
        for (const struct qopt *o = tables[t]; o->name; o++) {
            struct qerr e = QERR_INIT;
            uint64_t v;
            CU_ASSERT_PTR_NOT_NULL(o->help);
            CU_ASSERT(o->kind == QOPT_FLAG || o->value != NULL);
            CU_ASSERT(!o->fallback || qopt_parse(o, o->fallback, &v, &e) == 0);
            for (size_t u = 0; u < 3; u++)
                for (const struct qopt *p = tables[u]; p->name; p++)
                    CU_ASSERT(o == p || (strcmp(o->name, p->name) != 0 &&
                                         (!o->letter || o->letter != p->letter)));
        }
    }
}

static const struct unit_test tests[] = {
    {"forms of options", test_forms},  {"defaults", test_defaults},
    {"refusals", test_refusals},       {"help and version", test_about},
    {"inputs", test_inputs},           {"refused inputs", test_input_refusals},
    {"ranges", test_ranges},           {"digits of ranges", test_range_digits},
    {"shadowed files", test_shadowed}, {"lists", test_lists},
    {"tables", test_tables},
};

UNIT_MAIN("args", tests)
