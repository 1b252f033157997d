#include "cmd/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/options.h"
#include "engine/comm.h"

enum { COLUMNS = 80, OPTION_INDENT = 26, SUMMARY_INDENT = 10 };

static void put_blanks(struct qbuf *out, size_t n)
{
    qbuf_printf(out, "%*s", (int)n, "");
}

/* Fills lines with the words of text[0..len), beginning at column `at`; later lines
 * begin at `indent`. Ends the last line. */
static void put_filled(struct qbuf *out, const char *text, size_t len, size_t at,
                       size_t indent)
{
    bool first = true;
    for (size_t i = 0; i < len;) {
        size_t n = 0;
        while (i + n < len && text[i + n] != ' ' && text[i + n] != '\n')
            n++;
        if (n > 0) {
            bool fits = at + n + (first ? 0 : 1) <= COLUMNS;
            if (!first && !fits) {
                qbuf_putc(out, '\n');
                put_blanks(out, indent);
                at = indent;
            } else if (!first) {
                qbuf_putc(out, ' ');
                at++;
            }
            qbuf_add(out, text + i, n);
            at += n;
            first = false;
        }
        i += n + 1;
    }
    qbuf_putc(out, '\n');
}

/* Paragraphs between empty lines are filled; lines that begin with a blank are kept. */
static void put_paragraphs(struct qbuf *out, const char *text)
{
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (line == 0 || *text == ' ') {
            qbuf_add(out, text, line);
            qbuf_putc(out, '\n');
            text += line + (text[line] == '\n');
            continue;
        }
        size_t len = line;
        while (text[len] == '\n' && text[len + 1] && !strchr("\n ", text[len + 1]))
            len += 1 + strcspn(text + len + 1, "\n");
        put_filled(out, text, len, 0, 0);
        text += len + (text[len] == '\n');
    }
}

/* A head in the left column and a text filled in the right one, at `indent`. */
static void put_pair(struct qbuf *out, const char *head, const char *text,
                     size_t indent)
{
    size_t n = strlen(head);
    qbuf_puts(out, head);
    if (n + 2 > indent) {
        qbuf_putc(out, '\n');
        n = 0;
    }
    put_blanks(out, indent - n);
    put_filled(out, text, strlen(text), indent, indent);
}

static void put_option(struct qbuf *out, const struct qopt *o)
{
    char head[COLUMNS], text[512];
    char letter[] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c,", o->letter);
    snprintf(head, sizeof head, "  %s%s--%s%s%s", letter, o->letter ? " " : "", o->name,
             o->kind == QOPT_FLAG ? "" : "=", o->kind == QOPT_FLAG ? "" : o->value);
    snprintf(text, sizeof text, "%s%s%s%s", o->help, o->fallback ? " (default: " : "",
             o->fallback ? o->fallback : "", o->fallback ? ")" : "");
    put_pair(out, head, text, OPTION_INDENT);
}

static void put_options(struct qbuf *out, const struct qopt *table)
{
    for (const struct qopt *o = table; o && o->name; o++)
        if (!(o->effect & QOPT_HIDDEN))
            put_option(out, o);
}

static const char inputs_numbers[] =
    "\nINPUT:\n"
    "  -                       standard input; also when there is no INPUT\n"
    "  12345                   an integer\n"
    "  2^61-1                  an expression: + - * / ^ ! # ( ) and 1e9\n"
    "  A..B                    all integers from A to B, both included\n"
    "  http://..., https://... a URL, or many: {a,b} [1-100]\n"
    "  @FILE                   the inputs that FILE names, one a line\n"
    "  PATH                    all else is a file; say ./12 for a file named 12\n"
    "A file holds integers and expressions between white space; # begins a comment.\n"
    "It may be compressed by gzip or zstd.\n";

static const char inputs_lists[] =
    "\nINPUT:\n"
    "  http://..., https://... a URL, or many: {a,b} [1-100]\n"
    "  FILE, @FILE             a list of URLs, one a line, each perhaps with a tab "
    "and\n"
    "                          the name of its file\n"
    "  -                       a list from standard input; also when there is no "
    "INPUT\n";

static const char inputs_other[] =
    "\nINPUT:\n"
    "  -                       standard input; also when there is no INPUT\n"
    "  http://..., https://... a URL, or many: {a,b} [1-100]\n"
    "  @FILE                   the inputs that FILE names, one a line\n"
    "  PATH                    a file; it may be compressed by gzip or zstd\n";

static const char statuses[] =
    "\nExit status:\n"
    "  0    done\n"
    "  1    done, but some records were bad or could not be finished\n"
    "  2    wrong usage\n"
    "  3    an input cannot be read, or the output cannot be written\n"
    "  4    verify found a wrong line; or an internal check failed: please report it\n"
    "  75   stopped by a signal or --time-limit; --resume goes on\n"
    "  124  stopped by --time-limit, and cannot go on\n"
    "  141  the reader of standard output went away\n"
    "  128 + N when signal N stopped it, and it cannot go on\n";

void help_of_command(const struct help_topic *t, struct qbuf *out)
{
    qbuf_printf(out, "Usage: quern %s [OPTION...]%s%s%s\n\n", t->name,
                t->operands ? " " : "", t->operands ? t->operands : "",
                t->inputs ? " [INPUT...]" : "");
    bool described = t->description && *t->description;
    put_paragraphs(out, described ? t->description : t->summary);
    if (t->inputs)
        qbuf_puts(out, t->lists     ? inputs_lists
                       : t->numbers ? inputs_numbers
                                    : inputs_other);
    if (t->options && t->options->name) {
        qbuf_printf(out, "\nOptions of %s:\n", t->name);
        put_options(out, t->options);
        if (t->lists)
            put_options(out, options_fetch);
    }
    qbuf_puts(out, "\nOptions:\n");
    if (t->numbers || t->lines)
        put_options(out, options_numbers);
    if (t->numbers)
        put_options(out, options_columns);
    if (t->documents)
        put_options(out, options_documents);
    if (t->shared)
        put_options(out, options_shared);
    put_options(out, options_about);
    if (t->shared)
        qbuf_puts(out,
                  "\nFor URLs the options of fetch from --workers on hold too: see "
                  "'quern fetch\n--help'.\n");
    qbuf_puts(out, statuses);
}

void help_of_program(const struct help_topic *topics, size_t n, struct qbuf *out)
{
    qbuf_puts(out, "Usage: quern COMMAND [OPTION...] [INPUT...]\n\n");
    put_paragraphs(out, "quern grinds integers in bulk, on all the cores it is given, "
                        "and prints one answer for each, in order.");
    qbuf_puts(out, "\nCommands:\n");
    for (size_t i = 0; i < n; i++) {
        char head[COLUMNS];
        snprintf(head, sizeof head, "  %s", topics[i].name);
        put_pair(out, head, topics[i].summary, SUMMARY_INDENT);
    }
    qbuf_puts(out,
              "\nExamples:\n"
              "  quern factor 360 18446744073709551617 numbers.txt\n"
              "  quern prime --count 1..1000000\n"
              "  quern run jobs/primes20.job\n"
              "\n"
              "quern COMMAND --help tells the options of a command, quern info what "
              "this\nprogram finds on this machine, quern --version what is built "
              "in.\n");
}

void help_version(struct qbuf *out)
{
    qbuf_printf(out, "quern %s\n+openmp +gmp +ecm +curl +sqlite %cmpi\n", QUERN_VERSION,
                comm_library() ? '+' : '-');
}

int help_print(const struct qbuf *text, struct qerr *e)
{
    int rc = qbuf_check(text, e);
    for (size_t done = 0; rc == 0 && done < text->len;) {
        ssize_t n = write(STDOUT_FILENO, text->data + done, text->len - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EPIPE)
            rc = qerr_set(e, Q_EPIPE, "standard output is closed");
        else if (errno != EINTR)
            rc = qerr_sys(e, Q_EIO, errno, "write standard output");
    }
    return rc;
}
