#include "cmd/list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/qbuf.h"
#include "base/qlog.h"
#include "core/chunk.h"

enum { LINE_MAX_BYTES = TOKEN_MAX + 2 };

/* Reads a line without its end. Returns 1, 0 at the end of the file, or an error. */
static int read_line(FILE *f, const char *path, struct qbuf *line, struct qerr *e)
{
    int c;
    qbuf_clear(line);
    while ((c = getc_unlocked(f)) != EOF && c != '\n') {
        if (c == '\0')
            return qerr_set(e, Q_EUSAGE, "a zero byte is in no name of an input");
        if (line->len == LINE_MAX_BYTES)
            return qerr_set(e, Q_EUSAGE, "the line is too long");
        qbuf_putc(line, (char)c);
    }
    if (ferror(f))
        return qerr_sys(e, Q_EINPUT, errno, "read %s", path);
    int rc = qbuf_check(line, e);
    return rc < 0 ? rc : c != EOF || line->len > 0;
}

/* The word of a line: without the white space around it, and, in the first line,
 * without a byte order mark. */
static const char *word_of(struct qbuf *line, bool first)
{
    size_t begin =
        first && line->len >= 3 && memcmp(line->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (line->len > begin && chunk_is_space(line->data[line->len - 1]))
        line->len--;
    while (begin < line->len && chunk_is_space(line->data[begin]))
        begin++;
    const char *text = qbuf_cstr(line);
    return line->failed ? text : text + begin;
}

static int add_word(struct job *job, const char *word, bool from_stdin,
                    const struct args_words *are, struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE];
    if (*word == '\0' || *word == '#')
        return 0;
    if (*word == '@')
        return qerr_set(e, Q_EUSAGE,
                        "%s: a list cannot name a list (for the file of that name say "
                        "./%s)",
                        qlog_token(token, word, strlen(word)), token);
    if (from_stdin && strcmp(word, "-") == 0)
        return qerr_set(e, Q_EUSAGE, "-: standard input is the list already");
    return args_add_input(job, word, are, e);
}

static int read_list(struct job *job, FILE *f, const char *path,
                     const struct args_words *are, struct qerr *e)
{
    struct qbuf line = QBUF_INIT;
    int rc = job_begin_list(job, path, e);
    if (rc < 0)
        return rc;
    for (job->line = 1; (rc = read_line(f, path, &line, e)) > 0; job->line++) {
        const char *word = word_of(&line, job->line == 1);
        rc = line.failed ? qbuf_check(&line, e)
                         : add_word(job, word, f == stdin, are, e);
        if (rc < 0)
            break;
    }
    if (rc < 0 && e->code == Q_EUSAGE)
        qerr_add(e, "%s:%u", path, job->line);
    job_end_list(job);
    qbuf_release(&line);
    return rc;
}

int list_add_inputs(struct job *job, const char *path, const struct args_words *are,
                    struct qerr *e)
{
    if (*path == '\0')
        return qerr_set(e, Q_EUSAGE, "@ wants the name of a file: @FILE");
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *f = from_stdin ? stdin : fopen(path, "re");
    if (!f)
        return qerr_sys(e, Q_EINPUT, errno, "%s", path);
    int rc = read_list(job, f, path, are, e);
    if (!from_stdin)
        fclose(f);
    return rc;
}
