/*
 * fuzz_jobfile: job files. Input: the file. If it begins with "#set ", the words that
 * follow in that line, a comment, are given as --set.
 *
 * What is accepted must be what a slow reading finds, and, written out with "$$" for a
 * '$', it must be read as the same again.
 */
#include <stdbool.h>

#include "cmd/options.h"
#include "core/job.h"
#include "core/jobfile.h"
#include "fuzz.h"

static const char name[] = "dir/x.job";

enum { SETS = 8, LINE_BYTES = 60000 };

/* Cuts the first line up into words, in place. */
static size_t take_sets(char *line, const char *sets[SETS])
{
    static const char blanks[] = " \t\r\v\f";
    size_t n = 0;
    if (strncmp(line, "#set ", 5) != 0)
        return 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line + 5; n < SETS && *(at += strspn(at, blanks));) {
        sets[n++] = at;
        at += strcspn(at, blanks);
        if (*at)
            *at++ = '\0';
    }
    return n;
}

/* An error has a text, and says where it is unless it is about --set. */
static void check_error(int rc, const struct qerr *e)
{
    CLAIM(rc == -(int)e->code && *e->text);
    CLAIM(rc == -Q_EUSAGE);
    CLAIM(strncmp(e->text, name, strlen(name)) == 0 ||
          strncmp(e->text, "--set: ", 7) == 0);
    for (const char *s = e->text; *s; s++)
        CLAIM((unsigned char)*s >= ' ' && *s != 127);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether the texts are the same but for blanks around them. */
static bool same_text(const char *a, const char *b)
{
    while (is_blank(*a))
        a++;
    while (is_blank(*b))
        b++;
    size_t m = strlen(a), n = strlen(b);
    while (m > 0 && is_blank(a[m - 1]))
        m--;
    while (n > 0 && is_blank(b[n - 1]))
        n--;
    return m == n && memcmp(a, b, m) == 0;
}

static char *trim(char *s)
{
    while (is_blank(*s))
        s++;
    for (size_t n = strlen(s); n > 0 && is_blank(s[n - 1]);)
        s[--n] = '\0';
    return s;
}

/* Reads an accepted text again, line by line: the same keys must stand in the same
 * lines, and values without variables must be the same. */
static void check_lines(const struct jobfile *f, const char *text, size_t size)
{
    char *copy = malloc(size + 1), *next = copy;
    size_t n = 0;
    bool in_job = false;
    CLAIM(copy);
    memcpy(copy, text, size);
    copy[size] = '\0';
    CLAIM(strlen(copy) == size);
    if (strncmp(copy, "\xef\xbb\xbf", 3) == 0)
        next += 3;
    for (unsigned line = 1; next; line++) {
        char *at = trim(strsep(&next, "\n"));
        if (*at == '[')
            in_job = strncmp(at, "[job]", 5) == 0;
        char *sign = strpbrk(at, "=:");
        if (!in_job || !sign || *at == '[' || *at == ';' || *at == '#')
            continue;
        *sign = '\0';
        CLAIM(n < f->job.n);
        const struct jobfile_entry *entry = &f->job.at[n++];
        CLAIM(entry->line == line && strcmp(entry->key, trim(at)) == 0);
        char *value = trim(sign + 1);
        CLAIM(strchr(value, '$') || strcmp(entry->value, value) == 0);
    }
    CLAIM(n == f->job.n);
    free(copy);
}

static void check_again(const struct jobfile *f)
{
    struct qbuf text = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct jobfile again;
    qbuf_puts(&text, "[job]\n");
    for (size_t i = 0; i < f->job.n; i++) {
        const struct jobfile_entry *at = &f->job.at[i];
        size_t from = text.len;
        qbuf_printf(&text, "%s =", at->key);
        for (const char *s = at->value; *s; s++) {
            qbuf_puts(&text, *s == '$' ? "$" : "");
            qbuf_putc(&text, *s);
        }
        qbuf_putc(&text, '\n');
        if (text.len - from > LINE_BYTES) {
            qbuf_release(&text);
            return;
        }
    }
    CLAIM(!text.failed);
    CLAIM(jobfile_parse(&again, name, text.data, text.len, NULL, 0, &e) == 0);
    CLAIM(again.job.n == f->job.n);
    for (size_t i = 0; i < f->job.n; i++) {
        CLAIM(strcmp(again.job.at[i].key, f->job.at[i].key) == 0);
        CLAIM(same_text(again.job.at[i].value, f->job.at[i].value));
    }
    jobfile_release(&again);
    qbuf_release(&text);
}

static void check_options(const struct jobfile *f)
{
    static const struct qopt *const tables[] = {options_numbers, options_shared};
    struct qerr e = QERR_INIT;
    struct job job;
    struct qbuf identity = QBUF_INIT;
    CLAIM(job_init(&job, "prime", tables, 2, &e) == 0); /* the caller knows it */
    int rc = jobfile_options(f, &job, &e);
    if (rc != 0) {
        check_error(rc, &e);
    } else {
        uint64_t digits = job_count(&job, "max-digits");
        CLAIM(digits >= 1 && digits <= 1000000);
        job_identity(&job, &identity);
        CLAIM(!identity.failed);
    }
    qbuf_release(&identity);
    job_release(&job);
}

static void check_jobfile(const struct jobfile *f)
{
    unsigned line = 0, commands = 0;
    size_t inputs = 0;
    for (size_t i = 0; i < f->job.n; i++) {
        CLAIM(f->job.at[i].line > line);
        line = f->job.at[i].line;
        commands += strcmp(f->job.at[i].key, "command") == 0;
        inputs += strcmp(f->job.at[i].key, "input") == 0;
    }
    CLAIM(commands == 1 && strcmp(jobfile_command(f)->key, "command") == 0);
    const struct jobfile_entry *at = NULL;
    while ((at = jobfile_input(f, at)) != NULL)
        inputs--;
    CLAIM(inputs == 0);
    check_again(f);
    check_options(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *sets[SETS];
    char *line = malloc(size + 1), *text = exact_copy(data, size);
    struct qerr e = QERR_INIT;
    struct jobfile f;
    CLAIM(line);
    if (size > 0)
        memcpy(line, data, size);
    line[size] = '\0';
    size_t nsets = take_sets(line, sets);
    int rc = jobfile_parse(&f, name, text, size, sets, nsets, &e);
    if (rc == 0) {
        check_lines(&f, text, size);
        check_jobfile(&f);
        jobfile_release(&f);
    } else {
        check_error(rc, &e);
    }
    free(text);
    free(line);
    return 0;
}
