#include "cmd/help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "capture.h"
#include "cmd/options.h"
#include "unit.h"

static const struct qopt own[] = {
    {.name = "only",
     .kind = QOPT_CHOICE,
     .value = "prime|composite",
     .help =
         "print just these numbers, and of a number that is not one of them nothing "
         "at all, not even an empty line"},
    {.name = "secret", .kind = QOPT_FLAG, .effect = QOPT_HIDDEN, .help = "hidden help"},
    {.name = "count", .letter = 'c', .kind = QOPT_FLAG, .help = "count them"},
    {.name = NULL},
};

static const struct help_topic topics[] = {
    {.name = "prime",
     .summary = "tell primes from composites",
     .description =
         "A first paragraph that is\nbroken at odd places and is longer than a "
         "line of the terminal can be, so that it is filled.\n\nA second "
         "one.\n  kept    as it is\nA third.",
     .inputs = true,
     .numbers = true,
     .shared = true,
     .options = own},
    {.name = "a-long-name-of-a-command",
     .summary =
         "something with a summary that does not fit into what is left of the line "
         "behind such a name",
     .inputs = true,
     .shared = true},
    {.name = "info", .summary = "what there is", .description = ""},
};

/* The text of one help; no line may be longer than 80 columns, or end in blanks. */
static const char *text_of(const struct help_topic *t, struct qbuf *out)
{
    qbuf_clear(out);
    if (t)
        help_of_command(t, out);
    else
        help_of_program(topics, 3, out);
    const char *text = qbuf_cstr(out);
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        if (n > 80 || (n > 0 && line[n - 1] == ' ') || line[n] != '\n') {
            printf("\n  '%.*s'\n", (int)n, line);
            CU_FAIL("a line of wrong shape");
        }
        line += n + 1;
    }
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        printf("\n  missing: '%s' in\n%s\n", part, text);
        CU_FAIL("a part is missing");
    }
}

static void lacks(const char *text, const char *part)
{
    CU_ASSERT_PTR_NULL(strstr(text, part));
}

static void test_program(void)
{
    struct qbuf b = QBUF_INIT;
    const char *text = text_of(NULL, &b);
    has(text, "Usage: quern COMMAND [OPTION...] [INPUT...]\n");
    has(text, "\n  prime   tell primes from composites\n");
    has(text, "\n  info    what there is\n");
    has(text, "\n  a-long-name-of-a-command\n"
              "          something with a summary");
    has(text, "quern COMMAND --help");
    has(text, "quern --version");
    qbuf_release(&b);
}

static void test_command(void)
{
    struct qbuf b = QBUF_INIT;
    const char *text = text_of(&topics[0], &b);
    CU_ASSERT_EQUAL(strncmp(text, "Usage: quern prime [OPTION...] [INPUT...]\n\n", 43),
                    0);
    has(text,
        "\nA first paragraph that is broken at odd places and is longer than a line "
        "of the\nterminal can be, so that it is filled.\n\nA second one.\n  kept    "
        "as it is\nA third.\n");
    has(text, "\nINPUT:\n");
    has(text, "  A..B  ");
    has(text,
        "\nOptions of prime:\n"
        "      --only=prime|composite\n"
        "                          print just these numbers, and of a number that "
        "is not\n"
        "                          one of them nothing at all, not even an empty "
        "line\n"
        "  -c, --count             count them\n"
        "\nOptions:\n");
    lacks(text, "secret");
    lacks(text, "hidden help");
    has(text, "\nExit status:\n  0    done\n");
    qbuf_release(&b);
}

/* Whether the text has this part, however its lines are broken. */
static void has_filled(const char *text, const char *part)
{
    struct qbuf b = QBUF_INIT;
    for (const char *c = text; *c; c++)
        if ((*c != ' ' && *c != '\n') || (b.len > 0 && b.data[b.len - 1] != ' '))
            qbuf_putc(&b, *c == '\n' ? ' ' : *c);
    has(qbuf_cstr(&b), part);
    qbuf_release(&b);
}

/* Each option that is not hidden is there with its value and its default; no other. */
static void check_table(const char *text, const struct qopt *table, bool there)
{
    for (const struct qopt *o = table; o->name; o++) {
        char head[128];
        snprintf(head, sizeof head, "%c%c%c --%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
                 o->kind == QOPT_FLAG ? "" : "=", o->kind == QOPT_FLAG ? "" : o->value);
        if (!there || (o->effect & QOPT_HIDDEN)) {
            lacks(text, head);
            continue;
        }
        has(text, head);
        char tail[256];
        snprintf(tail, sizeof tail, "%s%s%s%s ", o->help,
                 o->fallback ? " (default: " : "", o->fallback ? o->fallback : "",
                 o->fallback ? ")" : "");
        has_filled(text, tail);
    }
}

static void test_tables(void)
{
    struct qbuf b = QBUF_INIT;
    const char *text = text_of(&topics[0], &b);
    check_table(text, options_shared, true);
    check_table(text, options_numbers, true);
    check_table(text, options_about, true);
    text = text_of(&topics[1], &b); /* not on numbers */
    check_table(text, options_shared, true);
    check_table(text, options_numbers, false);
    check_table(text, options_about, true);
    has(text, "something with a summary"); /* for want of a description */
    has(text, "[INPUT...]");
    lacks(text, "A..B");
    lacks(text, "Options of");
    text = text_of(&topics[2], &b);
    has(text, "Usage: quern info [OPTION...]\n\nwhat there is\n\nOptions:\n");
    check_table(text, options_shared, false);
    check_table(text, options_about, true);
    lacks(text, "INPUT");
    qbuf_release(&b);
}

static void test_version(void)
{
    struct qbuf b = QBUF_INIT;
    help_version(&b);
    const char *text = qbuf_cstr(&b);
    size_t line = strcspn(text, "\n");
    CU_ASSERT_EQUAL(strncmp(text, "quern " QUERN_VERSION "\n", line + 1), 0);
    CU_ASSERT_STRING_EQUAL(text + line + 1, "+openmp +gmp +ecm +curl +sqlite -mpi\n");
    qbuf_release(&b);
}

/* help_print with standard output replaced by `fd`. */
static int print_to(int fd, const struct qbuf *text, struct qerr *e)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    int rc = help_print(text, e);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    return rc;
}

static void test_print(void)
{
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct capture c;
    char line[64];
    qbuf_puts(&b, "text\n");
    capture_begin(&c, STDOUT_FILENO);
    CU_ASSERT_EQUAL(help_print(&b, &e), 0);
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_STRING_EQUAL(line, "text\n");
    CU_ASSERT_FALSE(capture_next(&c, line, sizeof line));
    capture_end(&c);

    CU_ASSERT_EQUAL(print_to(open("/dev/full", O_WRONLY), &b, &e), -Q_EIO);
    CU_ASSERT_EQUAL(e.sys, ENOSPC);

    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(print_to(ends[1], &b, &e), -Q_EPIPE);
    signal(SIGPIPE, SIG_DFL);

    b.failed = true;
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(help_print(&b, &e), -Q_ENOMEM);
    qbuf_release(&b);
}

static const struct unit_test tests[] = {
    {"program", test_program}, {"command", test_command}, {"tables", test_tables},
    {"version", test_version}, {"print", test_print},
};

UNIT_MAIN("help", tests)
