/*
 * inih reads the lines. It is set up so that a value is what stands on its line: no
 * comments behind values (a value may hold a ';'), no values that go on in the next
 * line. It gets its lines from read_line, which does what inih would leave undone: it
 * counts lines for messages, refuses a line that inih would cut, a NUL, and a section
 * that is not ours (inih tells only of sections that have keys, and overlooks what
 * stands behind the ']').
 *
 * First the whole file is read, then variables are put in, since [set] may stand behind
 * [job]. What was put in is not looked at again, so that there are no loops.
 */
#include "core/jobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/qlog.h"

enum { LINE_BYTES = 1 << 16, FILE_BYTES = 1 << 20 };

static const char blanks[] = " \t\r\v\f";
static const char in_names[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/* --- lists --- */

static void list_release(struct jobfile_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->at[i].key);
        free(l->at[i].value);
    }
    free(l->at);
    *l = (struct jobfile_list){NULL, 0};
}

static int list_append(struct jobfile_list *l, const char *key, size_t len,
                       const char *value, unsigned line, struct qerr *e)
{
    struct jobfile_entry *grown = realloc(l->at, (l->n + 1) * sizeof *grown);
    if (!grown)
        return qerr_nomem(e);
    l->at = grown;
    struct jobfile_entry made = {strndup(key, len), strdup(value), line};
    if (!made.key || !made.value) {
        free(made.key);
        free(made.value);
        return qerr_nomem(e);
    }
    l->at[l->n++] = made;
    return 0;
}

static struct jobfile_entry *list_find(const struct jobfile_list *l, const char *key,
                                       size_t len)
{
    for (size_t i = 0; i < l->n; i++)
        if (strlen(l->at[i].key) == len && memcmp(l->at[i].key, key, len) == 0)
            return &l->at[i];
    return NULL;
}

/* Names for qopt_nearest: those of a job's options, then those of a list. */
struct names {
    const struct job *job;
    const struct jobfile_list *list;
    const char *const *words;
    size_t i, k;
};

static const char *next_name(void *state)
{
    struct names *at = state;
    while (at->job && at->i < at->job->nvalues) {
        const struct qopt *o = at->job->values[at->i++].opt;
        if (!(o->effect & QOPT_HIDDEN))
            return o->name;
    }
    if (at->list)
        return at->k < at->list->n ? at->list->at[at->k++].key : NULL;
    return at->words && at->words[at->k] ? at->words[at->k++] : NULL;
}

/* --- reading lines --- */

struct reading {
    struct jobfile *f;
    const char *text, *end; /* what is left */
    unsigned line;          /* number of the one that inih has */
    unsigned job_line;      /* of [job], 0: not met */
    unsigned set_line;
    struct qerr *e;
};

static int complain(const struct reading *r)
{
    return qerr_add(r->e, "%s:%u", r->f->name, r->line);
}

static int twice(const struct reading *r, const char *what, unsigned first)
{
    qerr_set(r->e, Q_EUSAGE, "%s is given twice (first in line %u)", what, first);
    return complain(r);
}

/* A line that begins with '[': text[0..len). */
static int check_section(struct reading *r, const char *text, size_t len)
{
    while (len > 0 && strchr(blanks, text[len - 1]))
        len--;
    bool job = len == 5 && memcmp(text, "[job]", 5) == 0;
    bool set = len == 5 && memcmp(text, "[set]", 5) == 0;
    unsigned *line = job ? &r->job_line : &r->set_line;
    if (!job && !set) {
        char token[QLOG_TOKEN_SIZE];
        qerr_set(r->e, Q_EUSAGE, "unknown section '%s'; there are [job] and [set]",
                 qlog_token(token, text, len));
        return complain(r);
    }
    if (*line)
        return twice(r, job ? "[job]" : "[set]", *line);
    *line = r->line;
    return 0;
}

static int check_line(struct reading *r, const char *text, size_t len, size_t size)
{
    if (memchr(text, '\0', len)) {
        qerr_set(r->e, Q_EUSAGE, "a NUL byte: this is not a text file");
        return complain(r);
    }
    if (len + 2 > size) {
        qerr_set(r->e, Q_EUSAGE, "the line is longer than %zu bytes", size - 2);
        return complain(r);
    }
    return len > 0 && *text == '[' ? check_section(r, text, len) : 0;
}

/* What inih calls to have its next line. */
static char *read_line(char *to, int size, void *state)
{
    struct reading *r = state;
    if (r->text == r->end || r->e->code != Q_OK)
        return NULL;
    r->line++;
    const char *newline = memchr(r->text, '\n', (size_t)(r->end - r->text));
    const char *stop = newline ? newline : r->end;
    const char *from = r->text;
    while (from < stop && *from && strchr(blanks, *from))
        from++;
    size_t len = (size_t)(stop - from);
    if (check_line(r, from, len, (size_t)size) < 0)
        return NULL;
    memcpy(to, from, len);
    to[len] = '\n';
    to[len + 1] = '\0';
    r->text = newline ? newline + 1 : r->end;
    return to;
}

static bool is_name(const char *s, size_t len)
{
    return len > 0 && strspn(s, in_names) >= len;
}

static int take_set(struct reading *r, const char *key, const char *value)
{
    char token[QLOG_TOKEN_SIZE];
    const struct jobfile_entry *old = list_find(&r->f->set, key, strlen(key));
    if (!is_name(key, strlen(key)))
        qerr_set(r->e, Q_EUSAGE, "'%s' is not a name (letters, digits, _ and -)",
                 qlog_token(token, key, strlen(key)));
    else if (old)
        qerr_set(r->e, Q_EUSAGE, "'%s' is set twice (first in line %u)",
                 qlog_token(token, key, strlen(key)), old->line);
    else
        return list_append(&r->f->set, key, strlen(key), value, r->line, r->e);
    return complain(r);
}

/* What inih calls for a line with a key; 0 ends the reading. */
static int take_key(void *state, const char *section, const char *key,
                    const char *value)
{
    struct reading *r = state;
    if (strcmp(section, "set") == 0)
        return take_set(r, key, value) == 0;
    if (strcmp(section, "job") == 0)
        return list_append(&r->f->job, key, strlen(key), value, r->line, r->e) == 0;
    qerr_set(r->e, Q_EUSAGE, "a key in front of [job]");
    complain(r);
    return 0;
}

/* What Debian's inih has as variables, and others fix when they build the library. */
static void set_up_inih(void)
{
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    ini_allow_no_value = false;
    ini_stop_on_first_error = true;
    ini_start_comment_prefixes = ";#";
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = LINE_BYTES;
}

static int read_lines(struct reading *r)
{
    static const char bom[] = "\xEF\xBB\xBF";
    if (r->end - r->text >= 3 && memcmp(r->text, bom, 3) == 0)
        r->text += 3;
    set_up_inih();
    int rc = ini_parse_stream(read_line, r, take_key, r);
    if (r->e->code != Q_OK)
        return -(int)r->e->code;
    if (rc == -2)
        return qerr_nomem(r->e);
    if (rc != 0) {
        qerr_set(r->e, Q_EUSAGE, "neither a [section] nor 'key = value'");
        return complain(r);
    }
    return 0;
}

/* --- variables --- */

/* "here": the folder of the job file, so that it can name files beside it. A "here" of
 * [set] stands in front of it, and is found first. */
static int set_here(struct jobfile *f, struct qerr *e)
{
    const char *slash = strrchr(f->name, '/');
    size_t len = slash ? (size_t)(slash - f->name) : 1;
    char *folder = strndup(slash ? f->name : ".", len);
    int rc = folder ? list_append(&f->set, "here", 4, len ? folder : "/", 0, e)
                    : qerr_nomem(e);
    free(folder);
    return rc;
}

static int unset_name(const struct jobfile *f, const struct jobfile_entry *at,
                      const char *name, size_t len, struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE];
    qlog_token(token, name, len);
    struct names names = {.list = &f->set};
    const char *near = qopt_nearest(token, next_name, &names);
    if (near)
        qerr_set(e, Q_EUSAGE, "${%s} is not set; did you mean ${%s}?", token, near);
    else
        qerr_set(e, Q_EUSAGE, "${%s} is not set (--set %s=VALUE, or a line in [set])",
                 token, token);
    return qerr_add(e, "%s:%u", f->name, at->line);
}

/* Appends `value` with each ${name} replaced; "$$" stands for one '$'. */
static int put_expanded(const struct jobfile *f, const struct jobfile_entry *at,
                        struct qbuf *out, struct qerr *e)
{
    for (const char *s = at->value; *s; s++) {
        if (s[0] == '$' && s[1] == '$') {
            qbuf_putc(out, *s++);
        } else if (s[0] == '$' && s[1] == '{') {
            size_t len = strcspn(s + 2, "}");
            if (s[2 + len] != '}') {
                qerr_set(e, Q_EUSAGE, "'${' without its '}' ('$${' stands for '${')");
                return qerr_add(e, "%s:%u", f->name, at->line);
            }
            const struct jobfile_entry *set = list_find(&f->set, s + 2, len);
            if (!set)
                return unset_name(f, at, s + 2, len, e);
            qbuf_puts(out, set->value);
            s += 2 + len;
        } else {
            qbuf_putc(out, *s);
        }
    }
    return qbuf_check(out, e);
}

static int expand(struct jobfile *f, struct qerr *e)
{
    int rc = 0;
    struct qbuf text = QBUF_INIT;
    for (size_t i = 0; rc == 0 && i < f->job.n; i++) {
        struct jobfile_entry *at = &f->job.at[i];
        qbuf_clear(&text);
        rc = put_expanded(f, at, &text, e);
        char *copy = rc == 0 ? strdup(qbuf_cstr(&text)) : NULL;
        if (copy) {
            free(at->value);
            at->value = copy;
        } else if (rc == 0) {
            rc = qerr_nomem(e);
        }
    }
    qbuf_release(&text);
    return rc;
}

/* Whether some value of [job] names the variable. */
static bool is_used(const struct jobfile *f, const char *name, size_t len)
{
    for (size_t i = 0; i < f->job.n; i++)
        for (const char *s = strstr(f->job.at[i].value, "${"); s; s = strstr(s, "${")) {
            s += 2;
            if (strncmp(s, name, len) == 0 && s[len] == '}')
                return true;
        }
    return false;
}

/* One --set of the command line. */
static int set_one(struct jobfile *f, const char *word, struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE];
    size_t len = strcspn(word, "=");
    if (word[len] != '=' || !is_name(word, len))
        return qerr_set(e, Q_EUSAGE, "--set: '%s' is not name=value",
                        qlog_token(token, word, strlen(word)));
    const struct jobfile_entry *old = list_find(&f->set, word, len);
    if (!old && !is_used(f, word, len)) {
        qlog_token(token, word, len);
        struct names names = {.list = &f->set};
        const char *near = qopt_nearest(token, next_name, &names);
        return qerr_set(e, Q_EUSAGE, "--set: %s has no ${%s}%s%s%s", f->name, token,
                        near ? "; did you mean ${" : "", near ? near : "",
                        near ? "}?" : "");
    }
    if (!old)
        return list_append(&f->set, word, len, word + len + 1, 0, e);
    char *copy = strdup(word + len + 1);
    if (!copy)
        return qerr_nomem(e);
    free(f->set.at[old - f->set.at].value);
    f->set.at[old - f->set.at].value = copy;
    return 0;
}

/* --- the whole --- */

/* One [job] with one command. */
static int check_command(struct reading *r)
{
    const struct jobfile_entry *command = NULL;
    if (!r->job_line)
        return qerr_set(r->e, Q_EUSAGE, "%s: there is no section [job]", r->f->name);
    for (size_t i = 0; i < r->f->job.n; i++) {
        const struct jobfile_entry *at = &r->f->job.at[i];
        if (strcmp(at->key, "command") != 0)
            continue;
        r->line = at->line;
        if (command)
            return twice(r, "the key 'command'", command->line);
        command = at;
    }
    if (command)
        return 0;
    r->line = r->job_line;
    qerr_set(r->e, Q_EUSAGE, "[job] has no command");
    return complain(r);
}

int jobfile_parse(struct jobfile *f, const char *name, const char *text, size_t len,
                  const char *const *sets, size_t nsets, struct qerr *e)
{
    struct jobfile made = {.name = strdup(name)};
    if (!made.name)
        return qerr_nomem(e);
    struct reading r = {.f = &made, .text = text, .end = text + len, .e = e};
    int rc = read_lines(&r);
    if (rc == 0)
        rc = check_command(&r);
    if (rc == 0)
        rc = set_here(&made, e);
    for (size_t i = 0; rc == 0 && i < nsets; i++)
        rc = set_one(&made, sets[i], e);
    if (rc == 0)
        rc = expand(&made, e);
    if (rc == 0)
        *f = made;
    else
        jobfile_release(&made);
    return rc;
}

/* The file's bytes, FILE_BYTES and one more at most. */
static int slurp(const char *path, struct qbuf *text, struct qerr *e)
{
    int rc = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return qerr_sys(e, Q_EINPUT, errno, "open %s", path);
    while (rc == 0 && text->len <= FILE_BYTES) {
        char *to = qbuf_reserve(text, LINE_BYTES);
        ssize_t n = to ? read(fd, to, LINE_BYTES) : 0;
        if (!to)
            rc = qerr_nomem(e);
        else if (n < 0 && errno != EINTR)
            rc = qerr_sys(e, Q_EINPUT, errno, "read %s", path);
        else if (n == 0)
            break;
        else if (n > 0)
            text->len += (size_t)n;
    }
    close(fd);
    return rc;
}

int jobfile_read(struct jobfile *f, const char *path, const char *const *sets,
                 size_t nsets, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    int rc = slurp(path, &text, e);
    if (rc == 0 && text.len > FILE_BYTES)
        rc = qerr_set(e, Q_EUSAGE, "%s: larger than 1 MiB: this is no job file", path);
    if (rc == 0)
        rc = jobfile_parse(f, path, text.data ? text.data : "", text.len, sets, nsets,
                           e);
    qbuf_release(&text);
    return rc;
}

void jobfile_release(struct jobfile *f)
{
    list_release(&f->job);
    list_release(&f->set);
    free(f->name);
    *f = (struct jobfile){0};
}

const struct jobfile_entry *jobfile_command(const struct jobfile *f)
{
    return list_find(&f->job, "command", strlen("command"));
}

const struct jobfile_entry *jobfile_input(const struct jobfile *f,
                                          const struct jobfile_entry *last)
{
    for (size_t i = last ? (size_t)(last - f->job.at) + 1 : 0; i < f->job.n; i++)
        if (strcmp(f->job.at[i].key, "input") == 0)
            return &f->job.at[i];
    return NULL;
}

/* --- options --- */

static int unknown_key(const struct job *job, const char *key, struct qerr *e)
{
    static const char *const words[] = {"command", "input", NULL};
    char token[QLOG_TOKEN_SIZE];
    qlog_token(token, key, strlen(key));
    struct names names = {.job = job, .words = words};
    const char *near = qopt_nearest(token, next_name, &names);
    if (near)
        return qerr_set(e, Q_EUSAGE, "unknown key '%s'; did you mean '%s'?", token,
                        near);
    return qerr_set(e, Q_EUSAGE, "unknown key '%s' (quern %s --help lists options)",
                    token, job->command);
}

static int set_option(const struct jobfile *f, const struct jobfile_entry *at,
                      struct job *job, struct qerr *e)
{
    const struct qopt *o = job_find(job, at->key);
    if (!o)
        return unknown_key(job, at->key, e);
    if (job_given(job, at->key) && !(o->effect & QOPT_REPEAT))
        return qerr_set(e, Q_EUSAGE, "the key '%s' is given twice (first in line %u)",
                        at->key, list_find(&f->job, at->key, strlen(at->key))->line);
    return job_set(job, o, at->value, e);
}

int jobfile_options(const struct jobfile *f, struct job *job, struct qerr *e)
{
    for (size_t i = 0; i < f->job.n; i++) {
        const struct jobfile_entry *at = &f->job.at[i];
        if (strcmp(at->key, "command") == 0 || strcmp(at->key, "input") == 0)
            continue;
        if (set_option(f, at, job, e) < 0)
            return qerr_add(e, "%s:%u", f->name, at->line);
    }
    return 0;
}
