/*
 * Two passes. The first walks over all arguments, sets options, and keeps aside what is
 * none. The second makes inputs of these, since what an INPUT may be depends on options
 * that may stand behind it (--max-digits).
 *
 * What an INPUT is follows from its letters alone, never from what files exist, so that
 * a script means the same in every directory:
 *
 *   -                        standard input
 *   http://..., https://...  a URL
 *   @FILE                    a list of inputs
 *   digits                   an integer
 *   A..B                     a range; A and B as an integer or an expression
 *   an expression            what expr_is says
 *   all else                 a path
 *
 * Integers, ranges and expressions are for the commands on numbers only.
 */
#include "cmd/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/qlog.h"
#include "cmd/list.h"
#include "cmd/options.h"
#include "core/expr.h"
#include "core/urlglob.h"

/* Where the ".." of a range stands, or NULL when `s` is none. */
static const char *range_dots(const char *s)
{
    const char *dots = strstr(s, "..");
    if (!dots || !expr_is(s, (size_t)(dots - s)) ||
        !expr_is(dots + 2, strlen(dots + 2)))
        return NULL;
    return dots;
}

/* --- INPUTs --- */

/* An end of a range: appends its value in plain decimal. */
static int put_range_end(const struct job *job, const char *s, size_t len,
                         struct qbuf *out, struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE];
    const char *what;
    uint32_t max = (uint32_t)job_count(job, "max-digits");
    if (expr_eval(s, len, max, out, &what) == 0 || out->failed)
        return qbuf_check(out, e);
    return qerr_set(e, Q_EUSAGE, "the end '%s' of a range: %s",
                    qlog_token(token, s, len), what);
}

/* Two integers in plain decimal. */
static bool is_less(const char *a, size_t na, const char *b, size_t nb)
{
    return na != nb ? na < nb : memcmp(a, b, na) < 0;
}

static int add_range(struct job *job, const char *word, const char *dots,
                     struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    char token[QLOG_TOKEN_SIZE];
    int rc = put_range_end(job, word, (size_t)(dots - word), &text, e);
    if (rc < 0)
        goto release_text;
    size_t first = text.len;
    qbuf_puts(&text, "..");
    rc = put_range_end(job, dots + 2, strlen(dots + 2), &text, e);
    if (rc < 0)
        goto release_text;
    size_t last = first + 2;
    if (is_less(text.data + last, text.len - last, text.data, first))
        rc = qerr_set(e, Q_EUSAGE, "the range %s goes down: A..B wants A <= B",
                      qlog_token(token, word, strlen(word)));
    else
        rc = job_add_input(job, INPUT_RANGE, qbuf_cstr(&text), e);
release_text:
    qbuf_release(&text);
    return rc;
}

static void warn_shadowed(const char *word)
{
    if (access(word, F_OK) == 0)
        qlog_warn("%s is taken as a number; the file of that name is ./%s", word, word);
}

bool args_is_url(const char *word)
{
    return strncasecmp(word, "http://", 7) == 0 ||
           strncasecmp(word, "https://", 8) == 0;
}

/* A URL, or all those that its braces and brackets stand for. */
static int add_urls(struct job *job, const char *word, struct qerr *e)
{
    struct urlglob glob;
    struct qbuf url = QBUF_INIT;
    int rc = urlglob_open(&glob, word, job_flag(job, "globoff"), e);
    if (rc == 0 && urlglob_count(&glob) > ARGS_URLS_MAX)
        rc = qerr_set(e, Q_EUSAGE, "%.80s stands for more than %d URLs", word,
                      ARGS_URLS_MAX);
    while (rc == 0 && urlglob_next(&glob, &url)) {
        rc = qbuf_check(&url, e);
        if (rc == 0)
            rc = job_add_input(job, INPUT_URL, qbuf_cstr(&url), e);
    }
    qbuf_release(&url);
    return rc;
}

/* @FILE where FILE would do as well. */
static int add_list(struct job *job, const char *path, struct qerr *e)
{
    if (*path == '\0')
        return qerr_set(e, Q_EUSAGE, "@ wants the name of a file: @FILE");
    bool from_stdin = strcmp(path, "-") == 0;
    return job_add_input(job, from_stdin ? INPUT_STREAM : INPUT_FILE, path, e);
}

int args_add_input(struct job *job, const char *word, const struct args_words *are,
                   struct qerr *e)
{
    bool numbers = are->numbers;
    const char *dots = numbers ? range_dots(word) : NULL;
    if (dots || (numbers && expr_is(word, strlen(word)))) {
        warn_shadowed(word);
        return dots ? add_range(job, word, dots, e)
                    : job_add_input(job, INPUT_LITERAL, word, e);
    }
    if (strcmp(word, "-") == 0)
        return job_add_input(job, INPUT_STREAM, word, e);
    if (args_is_url(word))
        return add_urls(job, word, e);
    if (word[0] == '@')
        return are->lists ? add_list(job, word + 1, e)
                          : list_add_inputs(job, word + 1, are, e);
    return job_add_input(job, INPUT_FILE, word, e);
}

/* --- options --- */

struct walk {
    struct job *job;
    char **next; /* the argument behind the present one */
    char **end;
    struct qerr *e;
};

/* All long names that are not hidden, those of options_about last. */
struct names {
    const struct job *job;
    size_t i;
    const struct qopt *about;
};

static const char *next_name(void *state)
{
    struct names *at = state;
    while (at->i < at->job->nvalues) {
        const struct qopt *o = at->job->values[at->i++].opt;
        if (!(o->effect & QOPT_HIDDEN))
            return o->name;
    }
    return at->about->name ? at->about++->name : NULL;
}

static int unknown_long(const struct walk *w, const char *name, size_t len)
{
    char wrong[QLOG_TOKEN_SIZE];
    qlog_token(wrong, name, len);
    struct names names = {w->job, 0, options_about};
    const char *near = qopt_nearest(wrong, next_name, &names);
    if (near)
        return qerr_set(w->e, Q_EUSAGE, "unknown option --%s; did you mean --%s?",
                        wrong, near);
    return qerr_set(w->e, Q_EUSAGE, "unknown option --%s (quern %s --help lists them)",
                    wrong, w->job->command);
}

static int unknown_letter(const struct walk *w, const char *letter)
{
    char wrong[QLOG_TOKEN_SIZE];
    if (*letter == 'h')
        return qerr_set(w->e, Q_EUSAGE, "unknown option -h; did you mean --help?");
    if (*letter >= '0' && *letter <= '9')
        return qerr_set(w->e, Q_EUSAGE,
                        "unknown option -%c; integers are not negative, "
                        "and a file is given as ./-%c...",
                        *letter, *letter);
    return qerr_set(w->e, Q_EUSAGE, "unknown option -%s (quern %s --help lists them)",
                    qlog_token(wrong, letter, 1), w->job->command);
}

/* The answer to an option of options_about, or 0. */
static int about(const char *name, size_t len)
{
    for (int i = 0; options_about[i].name; i++)
        if (strlen(options_about[i].name) == len &&
            memcmp(options_about[i].name, name, len) == 0)
            return strcmp(options_about[i].name, "help") == 0 ? ARGS_HELP
                                                              : ARGS_VERSION;
    return 0;
}

/* The option's value is the next argument. */
static int set_from_next(struct walk *w, const struct qopt *o)
{
    if (w->next == w->end)
        return qerr_set(w->e, Q_EUSAGE, "--%s: its value (%s) is missing", o->name,
                        o->value);
    return job_set(w->job, o, *w->next++, w->e);
}

/* `arg` is what follows the "--". */
static int take_long(struct walk *w, const char *arg)
{
    size_t len = strcspn(arg, "=");
    const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
    const struct qopt *o = NULL;
    for (size_t i = 0; i < w->job->nvalues && !o; i++) {
        const char *name = w->job->values[i].opt->name;
        if (strlen(name) == len && memcmp(name, arg, len) == 0)
            o = w->job->values[i].opt;
    }
    int answer = o ? 0 : about(arg, len);
    if (!o && !answer)
        return unknown_long(w, arg, len);
    if (value && (answer || o->kind == QOPT_FLAG))
        return qerr_set(w->e, Q_EUSAGE, "--%.*s takes no value", (int)len, arg);
    if (answer)
        return answer;
    if (o->kind == QOPT_FLAG)
        return job_set(w->job, o, "yes", w->e);
    return value ? job_set(w->job, o, value, w->e) : set_from_next(w, o);
}

/* `arg` is what follows the '-': flags, the last letter possibly with a value. */
static int take_letters(struct walk *w, const char *arg)
{
    for (; *arg; arg++) {
        const struct qopt *o = job_find_letter(w->job, *arg);
        if (!o)
            return unknown_letter(w, arg);
        if (o->kind != QOPT_FLAG)
            return arg[1] ? job_set(w->job, o, arg + 1, w->e) : set_from_next(w, o);
        int rc = job_set(w->job, o, "yes", w->e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Sets all options and gathers the other arguments in `words`. */
static int take_options(struct walk *w, const char **words, size_t *nwords)
{
    int rc = 0;
    bool options = true;
    while (rc == 0 && w->next < w->end) {
        const char *arg = *w->next++;
        if (!options || arg[0] != '-' || arg[1] == '\0')
            words[(*nwords)++] = arg;
        else if (arg[1] != '-')
            rc = take_letters(w, arg + 1);
        else if (arg[2] != '\0')
            rc = take_long(w, arg + 2);
        else
            options = false;
    }
    return rc;
}

int args_options(struct job *job, int argc, char **argv, const char **words,
                 size_t *nwords, struct qerr *e)
{
    struct walk w = {job, argv, argv + argc, e};
    *nwords = 0;
    return take_options(&w, words, nwords);
}

static int operand_missing(const struct job *job, const struct qopt *o, struct qerr *e)
{
    return qerr_set(e, Q_EUSAGE, "%s: its %s is missing (quern %s %s [INPUT...])",
                    job->command, o->value, job->command, o->value);
}

int args_operand(struct job *job, const char *const *words, size_t nwords,
                 const struct args_words *are, struct qerr *e)
{
    if (!are->operand || job_given(job, are->operand))
        return 0;
    const struct qopt *o = job_find(job, are->operand);
    if (nwords == 0)
        return operand_missing(job, o, e);
    int rc = job_set(job, o, words[0], e);
    return rc < 0 ? rc : 1;
}

int args_parse(struct job *job, int argc, char **argv, const struct args_words *are,
               struct qerr *e)
{
    const char **words = calloc((size_t)argc + 1, sizeof *words);
    if (!words)
        return qerr_nomem(e);
    size_t nwords = 0;
    int rc = args_options(job, argc, argv, words, &nwords, e);
    int taken = rc == 0 ? args_operand(job, words, nwords, are, e) : 0;
    if (taken < 0)
        rc = taken;
    for (size_t i = (size_t)taken; rc == 0 && i < nwords; i++)
        rc = args_add_input(job, words[i], are, e);
    if (rc == 0 && nwords == (size_t)taken)
        rc = job_add_input(job, INPUT_STREAM, "-", e);
    free(words);
    return rc;
}
