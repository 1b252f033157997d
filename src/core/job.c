#include "core/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t count_rows(const struct qopt *table)
{
    size_t n = 0;
    while (table && table[n].name)
        n++;
    return n;
}

/* One value for every row, with the row's default. */
static int fill_values(struct job *j, struct qerr *e)
{
    struct job_value *v = j->values;
    for (size_t t = 0; t < JOB_TABLES; t++) {
        for (const struct qopt *o = j->tables[t]; o && o->name; o++, v++) {
            v->opt = o;
            if (o->fallback && qopt_parse(o, o->fallback, &v->value, e) < 0)
                return qerr_add(e, "default of an option");
        }
    }
    return 0;
}

int job_init(struct job *j, const char *command, const struct qopt *const *tables,
             size_t ntables, struct qerr *e)
{
    assert(ntables <= JOB_TABLES);
    struct job made = {.command = command};
    for (size_t t = 0; t < ntables; t++) {
        made.tables[t] = tables[t];
        made.nvalues += count_rows(tables[t]);
    }
    made.values = calloc(made.nvalues + 1, sizeof *made.values);
    if (!made.values)
        return qerr_nomem(e);
    int rc = fill_values(&made, e);
    if (rc < 0) {
        free(made.values);
        return rc;
    }
    *j = made;
    return 0;
}

void job_release(struct job *j)
{
    for (size_t i = 0; i < j->nvalues; i++) {
        for (size_t k = 0; k < j->values[i].count; k++)
            free(j->values[i].texts[k]);
        free(j->values[i].texts);
    }
    for (size_t i = 0; i < j->ninputs; i++)
        free(j->inputs[i].text);
    for (unsigned i = 0; i < j->nlists; i++)
        free(j->lists[i]);
    free(j->values);
    free(j->inputs);
    free(j->lists);
    *j = (struct job){0};
}

const struct qopt *job_find(const struct job *j, const char *name)
{
    for (size_t i = 0; i < j->nvalues; i++)
        if (strcmp(j->values[i].opt->name, name) == 0)
            return j->values[i].opt;
    return NULL;
}

const struct qopt *job_find_letter(const struct job *j, char letter)
{
    for (size_t i = 0; i < j->nvalues; i++)
        if (letter != '\0' && j->values[i].opt->letter == letter)
            return j->values[i].opt;
    return NULL;
}

static struct job_value *value_of(const struct job *j, const struct qopt *o)
{
    for (size_t i = 0; i < j->nvalues; i++)
        if (j->values[i].opt == o)
            return &j->values[i];
    assert(false && "the option is in none of the job's tables");
    return NULL;
}

int job_set(struct job *j, const struct qopt *o, const char *text, struct qerr *e)
{
    struct job_value *v = value_of(j, o);
    uint64_t value;
    int rc = qopt_parse(o, text, &value, e);
    if (rc < 0)
        return rc;

    bool add = v->count == 0 || (o->effect & QOPT_REPEAT);
    if (add) {
        char **texts = realloc(v->texts, (v->count + 1) * sizeof *texts);
        if (!texts)
            return qerr_nomem(e);
        v->texts = texts;
    }
    char *copy = strdup(text);
    if (!copy)
        return qerr_nomem(e);
    if (!add)
        free(v->texts[--v->count]);
    v->texts[v->count++] = copy;
    v->value = value;
    return 0;
}

/* Arrays grow when their length reaches a power of two, so that their capacity need not
 * be kept: it is the least power of two above the length. */
static bool is_full(size_t len)
{
    return (len & (len - 1)) == 0;
}

static size_t capacity(size_t len)
{
    size_t cap = 1;
    while (cap <= len)
        cap *= 2;
    return cap;
}

/* Makes room for `in->len + n` bytes of text and a terminator, and appends. */
static int append_text(struct input *in, const char *text, size_t n, char end,
                       struct qerr *e)
{
    size_t len = in->len + n + (end ? 1 : 0);
    if (!in->text || len >= capacity(in->len)) {
        char *grown = realloc(in->text, capacity(len));
        if (!grown)
            return qerr_nomem(e);
        in->text = grown;
    }
    memcpy(in->text + in->len, text, n);
    if (end)
        in->text[len - 1] = end;
    in->text[len] = '\0';
    in->len = len;
    return 0;
}

/* The name of a URL leaves out its user and password. It stands behind the text, in the
 * same memory. */
static int show_url(struct input *in, struct qerr *e)
{
    const char *host = strstr(in->text, "://");
    size_t head = host ? (size_t)(host + 3 - in->text) : 0;
    const char *at = memrchr(in->text + head, '@', strcspn(in->text + head, "/?#"));
    in->name = in->text;
    if (!at)
        return 0;
    size_t rest = (size_t)(at + 1 - in->text);
    char *grown = realloc(in->text, in->len + 1 + head + in->len - rest + 1);
    if (!grown)
        return qerr_nomem(e);
    in->text = grown;
    memcpy(grown + in->len + 1, grown, head);
    memcpy(grown + in->len + 1 + head, grown + rest, in->len - rest + 1);
    in->name = grown + in->len + 1;
    return 0;
}

int job_add_input(struct job *j, enum input_kind kind, const char *text, struct qerr *e)
{
    char end = kind == INPUT_LITERAL ? '\n' : '\0';
    j->nwords++;
    if (end && j->ninputs > 0 && j->inputs[j->ninputs - 1].kind == INPUT_LITERAL)
        return append_text(&j->inputs[j->ninputs - 1], text, strlen(text), end, e);

    if (is_full(j->ninputs)) {
        size_t cap = capacity(j->ninputs);
        struct input *grown = realloc(j->inputs, cap * sizeof *grown);
        if (!grown)
            return qerr_nomem(e);
        j->inputs = grown;
    }
    struct input in = {.kind = kind,
                       .name = "argument",
                       .list = j->list,
                       .line = j->line,
                       .first = end && j->list == 0 ? j->nwords : 1};
    int rc = append_text(&in, text, strlen(text), end, e);
    if (rc < 0)
        return rc;
    if (kind == INPUT_URL)
        rc = show_url(&in, e);
    if (rc < 0) {
        free(in.text);
        return rc;
    }
    if (kind == INPUT_FILE)
        in.name = in.text;
    else if (kind == INPUT_STREAM)
        in.name = "-";
    j->inputs[j->ninputs++] = in;
    return 0;
}

int job_begin_list(struct job *j, const char *name, struct qerr *e)
{
    char **grown = realloc(j->lists, (j->nlists + 1) * sizeof *grown);
    if (grown)
        j->lists = grown;
    if (!grown || !(grown[j->nlists] = strdup(name)))
        return qerr_nomem(e);
    j->list = ++j->nlists;
    j->line = 0;
    return 0;
}

void job_end_list(struct job *j)
{
    j->list = j->line = 0;
}

int job_add_place(const struct job *j, const struct input *in, struct qerr *e)
{
    return in->list > 0 ? qerr_add(e, "%s:%u", j->lists[in->list - 1], in->line)
                        : -(int)e->code;
}

static const struct job_value *value_named(const struct job *j, const char *name)
{
    const struct qopt *o = job_find(j, name);
    assert(o && "the option is in none of the job's tables");
    return value_of(j, o);
}

bool job_flag(const struct job *j, const char *name)
{
    return value_named(j, name)->value != 0;
}

uint64_t job_count(const struct job *j, const char *name)
{
    return value_named(j, name)->value;
}

const char *job_word(const struct job *j, const char *name)
{
    const struct job_value *v = value_named(j, name);
    return v->count > 0 ? v->texts[v->count - 1] : v->opt->fallback;
}

bool job_given(const struct job *j, const char *name)
{
    return value_named(j, name)->count > 0;
}

const char *job_word_at(const struct job *j, const char *name, size_t i)
{
    const struct job_value *v = value_named(j, name);
    return i < v->count ? v->texts[i] : NULL;
}

/* --- identity --- */

static void put_line(struct qbuf *out, const char *key, const char *value, size_t len)
{
    qbuf_puts(out, key);
    qbuf_puts(out, " = ");
    for (size_t i = 0; i < len; i++) {
        if (value[i] == '\n')
            qbuf_puts(out, "\\n");
        else if (value[i] == '\\')
            qbuf_puts(out, "\\\\");
        else
            qbuf_putc(out, value[i]);
    }
    qbuf_putc(out, '\n');
}

static void put_option(struct qbuf *out, const struct job_value *v)
{
    struct qbuf text = QBUF_INIT;
    const struct qopt *o = v->opt;
    bool unset = o->kind == QOPT_FLAG && !o->fallback && v->value == 0;
    if (unset) /* "no" in a job file is what it is when it is not given */
        return;
    if (o->kind == QOPT_TEXT || o->kind == QOPT_CHOICE) {
        for (size_t i = 0; i < v->count; i++)
            put_line(out, o->name, v->texts[i], strlen(v->texts[i]));
        if (v->count == 0 && o->fallback)
            put_line(out, o->name, o->fallback, strlen(o->fallback));
    } else if (v->count > 0 || o->fallback) {
        qbuf_putu(&text, v->value);
        put_line(out, o->name, qbuf_cstr(&text), text.len);
    }
    out->failed = out->failed || text.failed;
    qbuf_release(&text);
}

void job_identity(const struct job *j, struct qbuf *out)
{
    static const char *const kinds[] = {[INPUT_STREAM] = "stream",
                                        [INPUT_FILE] = "file",
                                        [INPUT_RANGE] = "range",
                                        [INPUT_LITERAL] = "literal",
                                        [INPUT_URL] = "url"};
    put_line(out, "version", QUERN_VERSION, strlen(QUERN_VERSION));
    put_line(out, "command", j->command, strlen(j->command));
    for (size_t i = 0; i < j->nvalues; i++)
        if (j->values[i].opt->effect & QOPT_RESULT)
            put_option(out, &j->values[i]);
    for (size_t i = 0; i < j->ninputs; i++) {
        const struct input *in = &j->inputs[i];
        const char *text = in->kind == INPUT_URL ? in->name : in->text;
        size_t len = in->kind == INPUT_URL ? strlen(in->name) : in->len;
        put_line(out, kinds[in->kind], text, len);
    }
}

/* --- between ranks --- */

void job_pack(const struct job *j, struct qbuf *out)
{
    size_t texts = 0;
    for (size_t i = 0; i < j->nvalues; i++)
        texts += j->values[i].count;
    qwire_put(out, texts);
    for (size_t i = 0; i < j->nvalues; i++)
        for (size_t k = 0; k < j->values[i].count; k++) {
            qwire_put_text(out, j->values[i].opt->name);
            qwire_put_text(out, j->values[i].texts[k]);
        }
    qwire_put(out, j->ninputs);
    for (size_t i = 0; i < j->ninputs; i++) {
        qwire_put(out, j->inputs[i].kind);
        qwire_put_text(out, j->inputs[i].text);
    }
}

static int unpack_input(struct job *j, enum input_kind kind, const char *text,
                        struct qerr *e)
{
    if (kind != INPUT_LITERAL)
        return job_add_input(j, kind, text, e);
    /* Records, each with its newline. */
    int rc = 0;
    while (rc == 0 && *text) {
        size_t n = strcspn(text, "\n");
        char *record = strndup(text, n);
        rc = record ? job_add_input(j, kind, record, e) : qerr_nomem(e);
        free(record);
        text += n + (text[n] == '\n');
    }
    return rc;
}

int job_unpack(struct job *j, struct qwire *from, struct qerr *e)
{
    int rc = 0;
    for (uint64_t n = qwire_get(from); n > 0 && rc == 0 && !from->bad; n--) {
        const struct qopt *o = job_find(j, qwire_get_text(from));
        const char *text = qwire_get_text(from);
        rc = o ? job_set(j, o, text, e) : 0;
        from->bad |= !o;
    }
    for (uint64_t n = qwire_get(from); n > 0 && rc == 0 && !from->bad; n--) {
        uint64_t kind = qwire_get(from);
        rc = unpack_input(j, (enum input_kind)kind, qwire_get_text(from), e);
    }
    if (rc == 0 && from->bad)
        rc = qerr_set(e, Q_ECHECK, "the job that rank 0 sent is damaged");
    return rc;
}
