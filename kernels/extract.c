/*
 * extract: rows of columns out of JSON documents.
 *
 * A column is a JSON pointer, and perhaps a number of significant digits. --columns
 * names them; a --template uses some, which it adds if they are not there (hidden, when
 * the columns are named). A document gives one row, or with --each one for each element
 * of an array; a long array is given out in blocks, with the parsed document kept
 * between the calls.
 *
 * Numbers keep the digits of the document: see core/exact.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arith/signif.h"
#include "base/qjson.h"
#include "core/exact.h"
#include "core/pointer.h"
#include "kernel.h"

enum { PIECES = 2 * ROWS_COLUMNS + 1, LOOK_AT_STOP = 256 };

struct item {
    struct pointer pointer;
    unsigned digits; /* significant ones; 0: as the document has it */
    bool key;        /* of rows in a database: it must not be null */
    char name[SCHEMA_NAME + 1];
};

/* A part of the template: literal text, then, unless it is the last, a column. */
struct piece {
    size_t at, len;
    size_t column;
};

struct extract_state {
    struct kernel_state head;
    struct schema schema; /* its address leads to the rest: see state_of */
    struct column columns[ROWS_COLUMNS];
    uint8_t shown[ROWS_COLUMNS];
    struct item items[ROWS_COLUMNS];
    bool each; /* a row for each element of the array at ... */
    struct pointer array;
    struct qbuf literals;
    struct piece pieces[PIECES];
    size_t npieces; /* 0: no template */
};

struct extract_scratch {
    struct qbuf exact; /* the document, rewritten, if `marked` */
    struct qbuf what;  /* a complaint in the making */
    struct qjson *doc; /* NULL: none is at work */
    bool marked;
    const struct qjson *array; /* of --each */
    size_t next, count;        /* elements (or the one document) done, and in all */
};

/* --- options --- */

static const struct qopt extract_options[] = {
    {.name = "columns",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "LIST",
     .help = "the columns: NAME=POINTER, with commas between, as in id=/id,name=/name"},
    {.name = "template",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "TEXT",
     .help = "a row of text: {POINTER} stands for a value, {POINTER:.3} for a number "
             "of three significant digits, {{ and }} for braces"},
    {.name = "each",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "POINTER",
     .help =
         "a row for each element of this array (. is the document itself); the other "
         "pointers then begin at the element"},
    {.name = NULL},
};

static const struct extract_state *state_of(const struct rows *rows)
{
    const char *schema = (const char *)rows->schema;
    return (const struct extract_state *)(const void *)(schema -
                                                        offsetof(struct extract_state,
                                                                 schema));
}

/* A name that needs no care in any format. */
static bool is_name(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] < ' ' || s[i] > '~' || strchr("\"\\", s[i]))
            return false;
    return len > 0 && len <= SCHEMA_NAME;
}

static bool has_name(const struct extract_state *s, const char *name)
{
    for (size_t i = 0; i < s->schema.ncolumns; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return true;
    return strcmp(name, "error") == 0 || strcmp(name, "seconds") == 0;
}

/* The name of a column that has none: the last key of its pointer, or all of it. */
static void make_name(const struct extract_state *s, struct item *item)
{
    size_t len;
    const char *key = pointer_last(&item->pointer, &len);
    const char *text = item->pointer.text;
    snprintf(item->name, sizeof item->name, "%.*s", (int)len, len > 0 ? key : "value");
    if (len == 0)
        snprintf(item->name, sizeof item->name, "value");
    if (has_name(s, item->name))
        snprintf(item->name, sizeof item->name, "%.*s", SCHEMA_NAME, text);
    for (unsigned i = 2; has_name(s, item->name); i++)
        snprintf(item->name, sizeof item->name, "%.*s:%u", SCHEMA_NAME - 12, text, i);
    for (char *c = item->name; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
            *c = '_';
}

/* Adds the column that is being made in items[ncolumns]. */
static int add_column(struct extract_state *s, struct qerr *e)
{
    size_t i = s->schema.ncolumns;
    if (i == ROWS_COLUMNS - 1)
        return qerr_set(e, Q_EUSAGE, "more than %d columns", ROWS_COLUMNS - 1);
    s->columns[i] = (struct column){s->items[i].name, COLUMN_VALUE, NULL};
    s->schema.ncolumns++;
    return 0;
}

/* --- --columns --- */

/* NAME=POINTER in text[0..len), or only POINTER. */
static int take_column(struct extract_state *s, const char *text, size_t len,
                       struct qerr *e)
{
    struct item *item = &s->items[s->schema.ncolumns];
    const char *equals = *text == '/' ? NULL : memchr(text, '=', len);
    size_t name = equals ? (size_t)(equals - text) : 0, skip = equals ? name + 1 : 0;
    *item = (struct item){.digits = 0};
    if (len == 0 || (!equals && *text != '/'))
        return qerr_set(e, Q_EUSAGE, "--columns: '%.*s' is not NAME=POINTER",
                        (int)(len < 40 ? len : 40), text);
    if (equals && !is_name(text, name))
        return qerr_set(e, Q_EUSAGE,
                        "--columns: a name has 1 to %d letters of ASCII, without "
                        "quotes and backslashes",
                        SCHEMA_NAME);
    int rc = pointer_parse(&item->pointer, text + skip, len - skip, e);
    if (rc < 0)
        return qerr_add(e, "--columns");
    if (!equals)
        make_name(s, item);
    else
        snprintf(item->name, sizeof item->name, "%.*s", (int)name, text);
    if (equals && has_name(s, item->name))
        return qerr_set(e, Q_EUSAGE, "--columns: '%s' is there twice, or taken",
                        item->name);
    return add_column(s, e);
}

/* A comma in a pointer is written \, and a backslash \\. */
static int take_columns(struct extract_state *s, const char *list, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    int rc = 0;
    for (;; list++) {
        if (*list == '\\' && (list[1] == ',' || list[1] == '\\')) {
            qbuf_putc(&text, *++list);
        } else if (*list != ',' && *list) {
            qbuf_putc(&text, *list);
        } else {
            rc = qbuf_check(&text, e);
            if (rc == 0)
                rc = take_column(s, qbuf_cstr(&text), text.len, e);
            qbuf_clear(&text);
            if (rc < 0 || !*list)
                break;
        }
    }
    qbuf_release(&text);
    s->schema.nshown = s->schema.ncolumns;
    return rc;
}

/* --- --template --- */

/* ":.N" at the end of a field: N, and the length without it. */
static unsigned take_digits(const char *field, size_t *len)
{
    size_t n = *len, digits = 0;
    while (n > 0 && digits < 2 && field[n - 1] >= '0' && field[n - 1] <= '9') {
        n--;
        digits++;
    }
    if (digits == 0 || n < 2 || field[n - 1] != '.' || field[n - 2] != ':')
        return 0;
    unsigned value = (unsigned)(field[n] - '0');
    if (digits == 2)
        value = 10 * value + (unsigned)(field[n + 1] - '0');
    *len = n - 2;
    return value;
}

/* The column for the field in braces. */
static int take_field(struct extract_state *s, const char *field, size_t len,
                      size_t *column, struct qerr *e)
{
    size_t given = len;
    struct item *item = &s->items[s->schema.ncolumns];
    *item = (struct item){.digits = take_digits(field, &len)};
    if (len < given && (item->digits == 0 || item->digits > SIGNIF_DIGITS))
        return qerr_set(e, Q_EUSAGE, "--template: from 1 to %d significant digits",
                        SIGNIF_DIGITS);
    int rc = pointer_parse(&item->pointer, field, len, e);
    if (rc < 0)
        return qerr_add(e, "--template");
    for (*column = 0; *column < s->schema.ncolumns; (*column)++) {
        const struct item *old = &s->items[*column];
        if (old->digits == item->digits &&
            strcmp(old->pointer.text, item->pointer.text) == 0)
            return 0;
    }
    make_name(s, item);
    return add_column(s, e);
}

static int take_template(struct extract_state *s, const char *text, struct qerr *e)
{
    size_t begin = 0;
    int rc = 0;
    for (; rc == 0 && *text; text++) {
        const char *end = strchr(text, '}');
        if ((*text == '{' || *text == '}') && text[1] == *text) {
            qbuf_putc(&s->literals, *text++);
        } else if (*text == '}' || (*text == '{' && !end)) {
            rc = qerr_set(
                e, Q_EUSAGE,
                "--template: a %c without the other brace (%c%c stands for %c)", *text,
                *text, *text, *text);
        } else if (*text == '{') {
            struct piece *p = &s->pieces[s->npieces];
            if (++s->npieces == PIECES)
                return qerr_set(e, Q_EUSAGE, "--template: too many fields");
            *p = (struct piece){.at = begin, .len = s->literals.len - begin};
            begin = s->literals.len;
            rc = take_field(s, text + 1, (size_t)(end - text - 1), &p->column, e);
            text = end;
        } else {
            qbuf_putc(&s->literals, *text);
        }
    }
    s->pieces[s->npieces++] =
        (struct piece){.at = begin, .len = s->literals.len - begin};
    (void)qbuf_cstr(&s->literals); /* there is something to point at */
    return rc < 0 ? rc : qbuf_check(&s->literals, e);
}

/* --- text --- */

static void put_text(const struct rows *rows, size_t column, size_t row,
                     struct qbuf *out)
{
    const struct value *v = &rows->cells[column].value[row];
    rows_put_escaped(rows_text(rows, v), v->len, out);
}

static void text_columns(const struct rows *rows, size_t from, size_t to,
                         struct qbuf *out)
{
    for (size_t row = from; row < to; row++) {
        for (size_t i = 0; i < schema_nshown(rows->schema); i++) {
            if (i > 0)
                qbuf_putc(out, '\t');
            put_text(rows, schema_shown(rows->schema, i), row, out);
        }
        qbuf_putc(out, '\n');
    }
}

static void text_template(const struct rows *rows, size_t from, size_t to,
                          struct qbuf *out)
{
    const struct extract_state *s = state_of(rows);
    for (size_t row = from; row < to; row++) {
        for (size_t i = 0; i < s->npieces; i++) {
            qbuf_add(out, s->literals.data + s->pieces[i].at, s->pieces[i].len);
            if (i + 1 < s->npieces)
                put_text(rows, s->pieces[i].column, row, out);
        }
        qbuf_putc(out, '\n');
    }
}

/* --- the frame --- */

static void extract_close(struct kernel_state *state)
{
    struct extract_state *s = (struct extract_state *)state;
    qbuf_release(&s->literals);
    free(s);
}

/* Marks the columns of --key, a list with commas between. */
static void take_keys(struct extract_state *s, const char *list)
{
    while (list && *list) {
        size_t len = strcspn(list, ",");
        for (size_t i = 0; i < s->schema.ncolumns; i++)
            if (strlen(s->items[i].name) == len &&
                memcmp(s->items[i].name, list, len) == 0)
                s->items[i].key = true;
        list += len + (list[len] == ',');
    }
}

static int set_up(struct extract_state *s, const struct job *job, struct qerr *e)
{
    const char *each = job_word(job, "each");
    bool columns = job_given(job, "columns"), template = job_given(job, "template");
    int rc = columns || template
                 ? 0
                 : qerr_set(e, Q_EUSAGE, "extract needs --columns or --template");
    if (rc == 0 && columns)
        rc = take_columns(s, job_word(job, "columns"), e);
    if (rc == 0 && template)
        rc = take_template(s, job_word(job, "template"), e);
    if (rc == 0 && each) {
        bool whole = strcmp(each, ".") == 0;
        s->each = true;
        rc = pointer_parse(&s->array, each, whole ? 0 : strlen(each), e);
        if (rc < 0)
            qerr_add(e, "--each");
    }
    if (rc == 0)
        take_keys(s, job_word(job, "key"));
    for (size_t i = 0; i < s->schema.nshown; i++)
        s->shown[i] = (uint8_t)i;
    s->schema.shown = columns ? s->shown : NULL;
    s->schema.text = template ? text_template : text_columns;
    if (rc == 0 && s->schema.ncolumns == 0)
        rc = qerr_set(e, Q_EUSAGE, "--template: it has no {POINTER}");
    return rc;
}

static int extract_open(struct kernel_state **state, const struct job *job,
                        struct qerr *e)
{
    struct extract_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->schema.columns = s->columns;
    s->head.schema = &s->schema;
    int rc = set_up(s, job, e);
    if (rc < 0) {
        extract_close(&s->head);
        return rc;
    }
    *state = &s->head;
    return 0;
}

static int extract_attach(const struct kernel_state *state, void **scratch,
                          struct qerr *e)
{
    (void)state;
    *scratch = calloc(1, sizeof(struct extract_scratch));
    return *scratch ? 0 : qerr_nomem(e);
}

static void extract_detach(void *scratch)
{
    struct extract_scratch *w = scratch;
    if (!w)
        return;
    qjson_free(w->doc);
    qbuf_release(&w->exact);
    qbuf_release(&w->what);
    free(w);
}

/* --- a row --- */

struct row {
    const struct extract_state *s;
    struct extract_scratch *w;
    struct rows *rows;
    size_t at;
};

/* "'/users/3/email' is not there": of the element, if there is one, and the column. */
static void complain(struct row *r, const char *pointer, bool element, const char *what)
{
    struct qbuf *text = &r->w->what;
    qbuf_clear(text);
    qbuf_putc(text, '\'');
    if (element)
        qbuf_printf(text, "%s/%zu", r->s->array.text, r->w->next);
    qbuf_printf(text, "%s' %s", pointer, what);
    rows_refuse(r->rows, r->at, qbuf_cstr(text), "", 0);
    r->rows->failed = r->rows->failed || text->failed;
}

static const char *put_number(struct row *r, size_t column, const char *text,
                              size_t len)
{
    const struct item *item = &r->s->items[column];
    char rounded[SIGNIF_ROOM];
    bool integer =
        !memchr(text, '.', len) && !memchr(text, 'e', len) && !memchr(text, 'E', len);
    if (item->digits > 0) {
        len = signif_print(rounded, text, len, item->digits);
        rows_set_value(r->rows, (unsigned)column, r->at, VALUE_REAL, rounded, len);
        return NULL;
    }
    if (integer && len == 2 && memcmp(text, "-0", 2) == 0) {
        text++;
        len--;
    }
    rows_set_value(r->rows, (unsigned)column, r->at,
                   integer ? VALUE_INTEGER : VALUE_REAL, text, len);
    return NULL;
}

static const char *put_string(struct row *r, size_t column, const struct qjson *v)
{
    size_t len;
    const char *text = qjson_bytes(v, &len);
    if (r->w->marked && exact_number(&text, &len))
        return put_number(r, column, text, len);
    if (r->s->items[column].digits > 0)
        return "is no number";
    if (memchr(text, '\0', len))
        return "has a NUL in it";
    rows_set_value(r->rows, (unsigned)column, r->at, VALUE_TEXT, text, len);
    return NULL;
}

/* Fills a cell. Returns what is wrong with its value, or NULL. */
static const char *put_value(struct row *r, size_t column, const struct qjson *v)
{
    char digits[24];
    if (!v)
        return "is not there";
    switch (qjson_kind(v)) {
    case QJSON_ARRAY:
        return "is an array";
    case QJSON_OBJECT:
        return "is an object";
    case QJSON_STRING:
        return put_string(r, column, v);
    case QJSON_INTEGER:
        snprintf(digits, sizeof digits, "%" PRId64, qjson_integer(v));
        return put_number(r, column, digits, strlen(digits));
    case QJSON_REAL: /* has been rewritten to a string */
        return "is no exact number";
    case QJSON_BOOL:
    case QJSON_NULL:
        break;
    }
    if (r->s->items[column].digits > 0)
        return "is no number";
    if (qjson_kind(v) == QJSON_NULL && r->s->items[column].key)
        return "is null, but a key";
    const char *word = qjson_kind(v) == QJSON_NULL ? ""
                       : qjson_is_true(v)          ? "true"
                                                   : "false";
    rows_set_value(r->rows, (unsigned)column, r->at, *word ? VALUE_BOOL : VALUE_NULL,
                   word, strlen(word));
    return NULL;
}

/* Fills the row from an element, or refuses it: the first column that is wrong is why.
 */
static void fill_row(struct row *r, const struct qjson *element)
{
    bool refused = false;
    for (size_t i = 0; i < r->s->schema.ncolumns; i++) {
        const struct pointer *p = &r->s->items[i].pointer;
        const char *what =
            refused ? "" : put_value(r, i, pointer_find(p, element, r->w->marked));
        if (what)
            rows_set_value(r->rows, (unsigned)i, r->at, VALUE_NULL, "", 0);
        if (what && !refused)
            complain(r, p->text, r->s->each, what);
        refused = refused || what;
    }
    r->rows->n = r->at + 1;
}

/* The only row, which there is not. */
static void refuse_document(struct row *r, uint64_t line, const char *what)
{
    for (size_t i = 0; i < r->s->schema.ncolumns; i++)
        rows_set_value(r->rows, (unsigned)i, 0, VALUE_NULL, "", 0);
    rows_refuse_at(r->rows, 0, line, what, "", 0);
    r->rows->n = 1;
}

/* --- a document --- */

static void drop_document(struct extract_scratch *w)
{
    qjson_free(w->doc);
    w->doc = NULL;
}

/* Parses it. False when it is refused, or (then in e) memory ran out. */
static bool take_up(struct row *r, const struct kernel_text *text, struct qerr *e)
{
    struct extract_scratch *w = r->w;
    struct qerr why = QERR_INIT, plain = QERR_INIT;
    uint64_t line = 0;
    w->marked = exact_rewrite(text->text, text->len, &w->exact);
    if (qbuf_check(&w->exact, e) < 0)
        return false;
    w->doc = w->marked ? qjson_document(w->exact.data, w->exact.len, &line, &why)
                       : qjson_document(text->text, text->len, &line, &why);
    if (!w->doc && why.code != Q_EINPUT) {
        *e = why;
        return false;
    }
    if (!w->doc) {
        /* Its words should be about the document as it is. */
        struct qjson *again =
            w->marked ? qjson_document(text->text, text->len, &line, &plain) : NULL;
        qjson_free(again);
        refuse_document(r, line, plain.code == Q_EINPUT ? plain.text : why.text);
        return false;
    }
    w->next = 0;
    w->count = 1;
    w->array = NULL;
    if (!r->s->each)
        return true;
    w->array = pointer_find(&r->s->array, w->doc, w->marked);
    if (w->array && qjson_kind(w->array) == QJSON_ARRAY) {
        w->count = qjson_size(w->array);
        return true;
    }
    for (size_t i = 0; i < r->s->schema.ncolumns; i++)
        rows_set_value(r->rows, (unsigned)i, 0, VALUE_NULL, "", 0);
    complain(r, r->s->array.text, false, w->array ? "is no array" : "is not there");
    r->rows->n = 1;
    drop_document(w);
    return false;
}

static int extract_run(const struct kernel_state *state, struct kernel_call *call,
                       struct qerr *e)
{
    struct extract_scratch *w = call->scratch;
    struct row r = {(const struct extract_state *)state, w, call->rows, 0};
    if (!w->doc && !take_up(&r, call->text, e))
        return -(int)e->code;
    for (; w->next < w->count && r.at < NUMBERS_BLOCK; w->next++, r.at++) {
        fill_row(&r, w->array ? qjson_at(w->array, w->next) : w->doc);
        if (r.at % LOOK_AT_STOP == 0 && kernel_stopped(call))
            w->next = w->count - 1;
    }
    call->more = w->next < w->count;
    if (!call->more)
        drop_document(w);
    return 0;
}

const struct kernel kernel_extract = {
    .name = "extract",
    .summary = "rows of columns out of JSON documents",
    .description =
        "Reads each INPUT as a JSON document and prints a row for it, or with --each a "
        "row for each element of an array: the values that --columns names, with tabs "
        "between, or the text of --template. A POINTER is one of RFC 6901: /rates/USD. "
        "Numbers keep the digits of the document. A row with a value that is not "
        "there, "
        "or is no single value, is a bad record, and so is what is not valid JSON.",
    .options = extract_options,
    .accepts = ACCEPT_DOCUMENTS,
    .open = extract_open,
    .close = extract_close,
    .attach = extract_attach,
    .detach = extract_detach,
    .run = extract_run,
};
