/*
 * sqlite: rows into a table of an SQLite database (--table), by upsert where there is a
 * --key.
 *
 * Workers render rows to records of typed cells, so that all that costs time but the
 * database itself is done by all cores; the committer takes the records apart and
 * executes one prepared statement for each. A transaction lasts from one mark of the
 * journal to the next, and the mark is a row of it (table quern_marks): whatever moment
 * a run is killed at, the database holds the rows of whole marks, and knows of which.
 *
 * A record is, for each column that is shown, a letter and what it says:
 *   0  nothing    i  an integer, 8 bytes    r  a double, 8 bytes    t  a length, 8
 * bytes, and so many bytes of text in the byte order of the machine, as it goes from
 * one thread to another. Columns have no type in the table, so that each value keeps
 * its own; an integer beyond 64 bits is text.
 *
 * The library is loaded when it is used: most runs do without.
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qfault.h"
#include "sink/sink.h"

enum { TRANSACTION_NS = 1000000000 };

/* --- the library --- */

#define FUNCTIONS(F)                                                                   \
    F(open_v2)                                                                         \
    F(close)                                                                           \
    F(errmsg)                                                                          \
    F(busy_timeout)                                                                    \
    F(exec)                                                                            \
    F(prepare_v2)                                                                      \
    F(bind_null)                                                                       \
    F(bind_int64)                                                                      \
    F(bind_double)                                                                     \
    F(bind_text)                                                                       \
    F(bind_text64)                                                                     \
    F(step)                                                                            \
    F(reset)                                                                           \
    F(finalize)                                                                        \
    F(column_text)

static struct {
#define POINTER(name) __typeof__(sqlite3_##name) *name;
    FUNCTIONS(POINTER)
#undef POINTER
} lite; /* written by `load`, before anything is opened */

static int load(struct qerr *e)
{
    static bool loaded;
    if (loaded)
        return 0;
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return qerr_set(e, Q_EUSAGE, "--format sqlite needs SQLite: %s", dlerror());
        /* POSIX has it that a function's address fits into a void pointer. */
#define FIND(name)                                                                     \
    *(void **)&lite.name = dlsym(library, "sqlite3_" #name);                           \
    if (!lite.name)                                                                    \
        return qerr_set(e, Q_EUSAGE, "this libsqlite3.so.0 has no sqlite3_" #name);
    FUNCTIONS(FIND)
#undef FIND
    loaded = true;
    return 0;
}

/* --- rendering, in the workers --- */

static void put_text(const char *text, size_t len, struct qbuf *out)
{
    uint64_t n = len;
    qbuf_putc(out, 't');
    qbuf_add(out, &n, sizeof n);
    qbuf_add(out, text, len);
}

static void put_integer(int64_t v, struct qbuf *out)
{
    qbuf_putc(out, 'i');
    qbuf_add(out, &v, sizeof v);
}

static void put_real(double v, struct qbuf *out)
{
    qbuf_putc(out, 'r');
    qbuf_add(out, &v, sizeof v);
}

/* An integer in decimal; nothing, where there is none. */
static void put_digits(const char *text, size_t len, struct qbuf *out)
{
    int64_t v = 0;
    bool negative = len > 0 && *text == '-', fits = len > negative;
    for (size_t i = negative; fits && i < len; i++)
        fits =
            !__builtin_mul_overflow(v, 10, &v) &&
            !__builtin_sub_overflow(v, text[i] - '0', &v); /* -2^63 has no positive */
    if (fits && !negative)
        fits = !__builtin_sub_overflow(0, v, &v);
    if (len == 0)
        qbuf_putc(out, '0');
    else if (fits)
        put_integer(v, out);
    else
        put_text(text, len, out);
}

/* The digits of a number without its sign, point and exponent, and without zeros in
 * front and behind; NULL: more than `most`. */
static const char *take_digits(const char *text, size_t len, char *digits, size_t most)
{
    size_t n = 0, end = 0;
    for (size_t i = 0; i < len && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] < '0' || text[i] > '9' || (text[i] == '0' && n == 0))
            continue;
        if (n < most)
            digits[n] = text[i];
        n++;
        end = text[i] != '0' ? n : end;
    }
    if (end > most)
        return NULL;
    digits[end] = '\0';
    return digits;
}

/* A number with a point or an exponent. One that would come back as another is text:
 * too large or too small for a double, or of more digits than it keeps. */
static void put_number(const char *text, size_t len, struct qbuf *out)
{
    enum { DIGITS = 17 };
    char number[64], digits[DIGITS + 1], back[DIGITS + 1];
    bool kept = len < sizeof number && take_digits(text, len, digits, DIGITS);
    double v = 0;
    if (kept) {
        memcpy(number, text, len);
        number[len] = '\0';
        v = strtod(number, NULL);
        kept = isfinite(v);
    }
    if (kept && *digits) {
        int n = snprintf(number, sizeof number, "%.*e", (int)strlen(digits) - 1, v);
        take_digits(number, (size_t)n, back, DIGITS);
        kept = strcmp(digits, back) == 0;
    }
    if (kept)
        put_real(v, out);
    else
        put_text(text, len, out);
}

static void put_value(const struct rows *rows, const struct value *v, struct qbuf *out)
{
    const char *text = rows_text(rows, v);
    switch (v->type) {
    case VALUE_NULL:
        qbuf_putc(out, '0');
        break;
    case VALUE_BOOL:
        put_integer(*text == 't', out);
        break;
    case VALUE_INTEGER:
        put_digits(text, v->len, out);
        break;
    case VALUE_REAL:
        put_number(text, v->len, out);
        break;
    case VALUE_TEXT:
        put_text(text, v->len, out);
        break;
    }
}

static void put_cell(const struct rows *rows, unsigned column, size_t row,
                     struct rows_cursor *at, struct qbuf *scratch, struct qbuf *out)
{
    const struct column *c = &rows->schema->columns[column];
    const char *word;
    qbuf_clear(scratch);
    switch (c->type) {
    case COLUMN_RECORD:
        rows_put_record(rows, row, scratch);
        put_digits(scratch->data, scratch->len, out);
        break;
    case COLUMN_WORD:
        word = c->words[rows->cells[column].word[row]];
        put_text(word, strlen(word), out);
        break;
    case COLUMN_INTEGER:
        rows_put_integers(rows, column, row, at, " ", scratch);
        put_digits(scratch->data, scratch->len, out);
        break;
    case COLUMN_INTEGERS:
        rows_put_integers(rows, column, row, at, " ", scratch);
        put_text(scratch->data, scratch->len, out);
        break;
    case COLUMN_VALUE:
        put_value(rows, &rows->cells[column].value[row], out);
        break;
    }
    out->failed = out->failed || scratch->failed;
}

static void sqlite_render(const struct rows *rows, size_t from, size_t to,
                          struct qbuf *out)
{
    struct rows_cursor at[ROWS_COLUMNS] = {{0, 0}};
    struct qbuf scratch = QBUF_INIT;
    for (size_t row = from; row < to; row++) {
        if (!rows_kept(rows, row))
            continue;
        for (size_t i = 0; i < schema_nshown(rows->schema); i++) {
            unsigned column = schema_shown(rows->schema, i);
            put_cell(rows, column, row, &at[column], &scratch, out);
        }
        if (rows->timed)
            put_real(rows->seconds, out);
    }
    qbuf_release(&scratch);
}

/* --- the database --- */

struct database {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *insert, *mark;
    size_t ncells;
    bool open;         /* a transaction is, ... */
    uint64_t since_ns; /* ... since then */
};

static int complain(const struct database *d, enum qcode code, struct qerr *e)
{
    return qerr_set(e, code, "%s: %s", d->path, lite.errmsg(d->db));
}

static int execute(struct database *d, const char *sql, struct qerr *e)
{
    return lite.exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                : complain(d, Q_EIO, e);
}

static void disconnect(struct database *d)
{
    lite.finalize(d->insert);
    lite.finalize(d->mark);
    lite.close(d->db);
    *d = (struct database){.db = NULL};
}

static int connect_to(struct database *d, const char *path, int flags, struct qerr *e)
{
    enum { PATIENCE_MS = 5000 };
    *d = (struct database){.path = path};
    int rc = load(e);
    if (rc < 0)
        return rc;
    if (lite.open_v2(path, &d->db, flags, NULL) != SQLITE_OK) {
        rc = complain(d, Q_EIO, e);
        lite.close(d->db);
        return rc;
    }
    lite.busy_timeout(d->db, PATIENCE_MS);
    return 0;
}

/* "name", with quotes in it doubled. */
static void put_name(const char *name, size_t len, struct qbuf *sql)
{
    qbuf_putc(sql, '"');
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '"')
            qbuf_putc(sql, '"');
        qbuf_putc(sql, name[i]);
    }
    qbuf_putc(sql, '"');
}

static const char *column_name(const struct sink_target *t, size_t i)
{
    size_t n = schema_nshown(t->schema);
    return i < n ? t->schema->columns[schema_shown(t->schema, i)].name : "seconds";
}

static size_t count_columns(const struct sink_target *t)
{
    return schema_nshown(t->schema) + (t->timed ? 1 : 0);
}

/* The columns of --key, one after the other; NULL behind the last. */
static const char *next_key(const char **list, size_t *len)
{
    const char *key = *list;
    if (!key || !*key)
        return NULL;
    *len = strcspn(key, ",");
    *list = key + *len + (key[*len] == ',');
    return key;
}

static bool is_key(const char *keys, const char *name)
{
    size_t len;
    const char *key;
    while ((key = next_key(&keys, &len)))
        if (strlen(name) == len && memcmp(name, key, len) == 0)
            return true;
    return false;
}

static int check_keys(const struct sink_target *t, const char *keys, struct qerr *e)
{
    size_t len;
    const char *key;
    if (keys && (strstr(keys, ",,") || *keys == ',' || keys[strlen(keys) - 1] == ','))
        return qerr_set(e, Q_EUSAGE, "--key: '%.60s' is not a list of columns", keys);
    while ((key = next_key(&keys, &len))) {
        bool found = false;
        for (size_t i = 0; !found && i < count_columns(t); i++)
            found = strlen(column_name(t, i)) == len &&
                    memcmp(column_name(t, i), key, len) == 0;
        if (!found)
            return qerr_set(e, Q_EUSAGE, "--key: there is no column '%.*s'",
                            (int)(len < 60 ? len : 60), key);
    }
    return 0;
}

/* SQLite takes names for the same that differ in the case of ASCII letters only. */
static int check_names(const struct sink_target *t, const char *table, struct qerr *e)
{
    if (strcasecmp(table, "quern_marks") == 0 || strncasecmp(table, "sqlite_", 7) == 0)
        return qerr_set(e, Q_EUSAGE, "--table: %.60s is taken", table);
    for (size_t i = 1; i < count_columns(t); i++)
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(column_name(t, i), column_name(t, k)) == 0)
                return qerr_set(e, Q_EUSAGE,
                                "--format sqlite: the columns %.60s and %.60s are "
                                "one to SQLite",
                                column_name(t, k), column_name(t, i));
    return 0;
}

static void put_keys(const char *keys, struct qbuf *sql)
{
    size_t len;
    const char *key;
    for (bool first = true; (key = next_key(&keys, &len)); first = false) {
        qbuf_puts(sql, first ? "" : ", ");
        put_name(key, len, sql);
    }
}

static int make_table(struct database *d, const struct sink_target *t,
                      const char *table, const char *keys, struct qerr *e)
{
    struct qbuf sql = QBUF_INIT;
    qbuf_puts(&sql, "CREATE TABLE IF NOT EXISTS ");
    put_name(table, strlen(table), &sql);
    for (size_t i = 0; i < count_columns(t); i++) {
        const char *name = column_name(t, i);
        qbuf_puts(&sql, i == 0 ? " (" : ", ");
        put_name(name, strlen(name), &sql);
        qbuf_puts(&sql, is_key(keys, name) ? " NOT NULL" : "");
    }
    if (keys) {
        qbuf_puts(&sql, ", PRIMARY KEY (");
        put_keys(keys, &sql);
        qbuf_putc(&sql, ')');
    }
    qbuf_putc(&sql, ')');
    int rc = execute(d, qbuf_cstr(&sql), e);
    if (rc == 0 && t->journaled)
        rc = execute(d,
                     "CREATE TABLE IF NOT EXISTS quern_marks "
                     "(\"table\" PRIMARY KEY, mark)",
                     e);
    qbuf_release(&sql);
    return rc;
}

static void put_insert(const struct sink_target *t, const char *table, const char *keys,
                       struct qbuf *sql)
{
    size_t n = count_columns(t), others = 0;
    qbuf_puts(sql, "INSERT INTO ");
    put_name(table, strlen(table), sql);
    for (size_t i = 0; i < n; i++) {
        qbuf_puts(sql, i == 0 ? " (" : ", ");
        put_name(column_name(t, i), strlen(column_name(t, i)), sql);
    }
    qbuf_puts(sql, ") VALUES (?");
    for (size_t i = 1; i < n; i++)
        qbuf_puts(sql, ", ?");
    qbuf_putc(sql, ')');
    if (!keys)
        return;
    qbuf_puts(sql, " ON CONFLICT (");
    put_keys(keys, sql);
    qbuf_puts(sql, ") DO ");
    for (size_t i = 0; i < n; i++) {
        const char *name = column_name(t, i);
        if (is_key(keys, name))
            continue;
        qbuf_puts(sql, others++ == 0 ? "UPDATE SET " : ", ");
        put_name(name, strlen(name), sql);
        qbuf_puts(sql, " = excluded.");
        put_name(name, strlen(name), sql);
    }
    if (others == 0)
        qbuf_puts(sql, "NOTHING");
}

static int prepare(struct database *d, const char *sql, sqlite3_stmt **made,
                   struct qerr *e)
{
    return lite.prepare_v2(d->db, sql, -1, made, NULL) == SQLITE_OK
               ? 0
               : complain(d, Q_EIO, e);
}

static int prepare_all(struct database *d, const struct sink_target *t, struct qerr *e)
{
    const char *table = job_word(t->job, "table"), *keys = job_word(t->job, "key");
    struct qbuf sql = QBUF_INIT;
    int rc = make_table(d, t, table, keys, e);
    put_insert(t, table, keys, &sql);
    if (rc == 0)
        rc = qbuf_check(&sql, e);
    if (rc == 0)
        rc = prepare(d, qbuf_cstr(&sql), &d->insert, e);
    if (rc == 0 && t->journaled)
        rc =
            prepare(d, "INSERT OR REPLACE INTO quern_marks VALUES (?, ?)", &d->mark, e);
    if (rc == 0 && t->journaled)
        lite.bind_text(d->mark, 1, table, -1, SQLITE_STATIC);
    qbuf_release(&sql);
    return rc;
}

/* A table that is there must take the rows. What else may be wrong with the file shows
 * when it is opened. */
static int check_table(const struct sink_target *t, const char *table, struct qerr *e)
{
    struct qbuf sql = QBUF_INIT;
    struct qerr ignored = QERR_INIT;
    struct database d;
    sqlite3_stmt *made = NULL;
    struct stat st;
    int rc = 0;
    if (stat(t->path, &st) != 0 || !S_ISREG(st.st_mode) ||
        connect_to(&d, t->path, SQLITE_OPEN_READONLY, &ignored) < 0)
        return 0;
    qbuf_puts(&sql, "SELECT 1 FROM ");
    put_name(table, strlen(table), &sql);
    bool there = prepare(&d, qbuf_cstr(&sql), &made, &ignored) == 0;
    lite.finalize(made);
    qbuf_clear(&sql);
    put_insert(t, table, job_word(t->job, "key"), &sql);
    if (there && prepare(&d, qbuf_cstr(&sql), &made, &ignored) < 0)
        rc = qerr_set(e, Q_EUSAGE,
                      "%s: its table %.60s has other columns or another key: %s",
                      t->path, table, lite.errmsg(d.db));
    lite.finalize(there ? made : NULL);
    qbuf_release(&sql);
    lite.close(d.db);
    return rc;
}

static int sqlite_check(const struct sink_target *t, struct qerr *e)
{
    const char *table = job_word(t->job, "table");
    if (!t->path)
        return qerr_set(e, Q_EUSAGE, "--format sqlite needs -o FILE");
    if (*t->path && t->path[strlen(t->path) - 1] == '/')
        return qerr_set(e, Q_EUSAGE,
                        "--format sqlite is written to one file, not to %s", t->path);
    if (!table)
        return qerr_set(e, Q_EUSAGE, "--format sqlite needs --table NAME");
    if (count_columns(t) == 0)
        return qerr_set(e, Q_EUSAGE, "--format sqlite: this command has no rows");
    int rc = check_names(t, table, e);
    if (rc == 0)
        rc = check_keys(t, job_word(t->job, "key"), e);
    return rc < 0 ? rc : check_table(t, table, e);
}

static int sqlite_open(void **state, const struct sink_target *t, struct qerr *e)
{
    struct database *d = malloc(sizeof *d);
    if (!d)
        return qerr_nomem(e);
    int rc = connect_to(d, t->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
    if (rc == 0) {
        d->ncells = count_columns(t);
        rc = prepare_all(d, t, e);
        if (rc < 0)
            disconnect(d);
    }
    if (rc < 0)
        free(d);
    else
        *state = d;
    return rc;
}

/* --- writing --- */

/* Binds the cell at *at, and moves *at behind it. */
static int bind_cell(struct database *d, int i, const char **at)
{
    int64_t integer;
    double real;
    uint64_t len;
    char letter = *(*at)++;
    const char *bytes = *at;
    switch (letter) {
    case 'i':
        memcpy(&integer, bytes, sizeof integer);
        *at += sizeof integer;
        return lite.bind_int64(d->insert, i, integer);
    case 'r':
        memcpy(&real, bytes, sizeof real);
        *at += sizeof real;
        return lite.bind_double(d->insert, i, real);
    case 't':
        memcpy(&len, bytes, sizeof len);
        *at += sizeof len + len;
        return lite.bind_text64(d->insert, i, bytes + sizeof len, len, SQLITE_STATIC,
                                SQLITE_UTF8);
    default:
        return lite.bind_null(d->insert, i);
    }
}

static int begin(struct database *d, struct qerr *e)
{
    if (d->open)
        return 0;
    int rc = execute(d, "BEGIN IMMEDIATE", e);
    d->open = rc == 0;
    d->since_ns = qclock_ns();
    return rc;
}

static int end(struct database *d, struct qerr *e)
{
    int rc = d->open ? execute(d, "COMMIT", e) : 0;
    d->open = d->open && rc < 0;
    return rc;
}

static int sqlite_write(void *state, const char *bytes, size_t n, struct qerr *e)
{
    struct database *d = state;
    const char *at = bytes;
    int rc = begin(d, e);
    while (rc == 0 && at < bytes + n) {
        int bad = SQLITE_OK;
        for (size_t i = 0; i < d->ncells && bad == SQLITE_OK; i++)
            bad = bind_cell(d, (int)i + 1, &at);
        if (bad != SQLITE_OK || lite.step(d->insert) != SQLITE_DONE)
            rc = complain(d, Q_EIO, e);
        lite.reset(d->insert);
        if (rc == 0 && qfault_here("row"))
            qfault_die();
    }
    /* Without a journal nobody else ends a transaction, and others wait for it. */
    if (rc == 0 && !d->mark && qclock_ns() - d->since_ns >= TRANSACTION_NS)
        rc = end(d, e);
    return rc;
}

static int sqlite_mark(void *state, const char *mark, struct qerr *e)
{
    struct database *d = state;
    int rc = 0;
    if (d->mark && mark) {
        rc = begin(d, e);
        if (rc == 0 &&
            (lite.bind_text(d->mark, 2, mark, -1, SQLITE_TRANSIENT) != SQLITE_OK ||
             lite.step(d->mark) != SQLITE_DONE))
            rc = complain(d, Q_EIO, e);
        lite.reset(d->mark);
    }
    if (rc == 0 && qfault_here("transaction"))
        qfault_die();
    return rc < 0 ? rc : end(d, e);
}

/* Rows behind the last mark stay, if there are no marks; else they belong to what is
 * not settled. */
static int sqlite_close(void *state, struct qerr *e)
{
    struct database *d = state;
    int rc = d->mark ? 0 : end(d, e);
    disconnect(d);
    free(d);
    return rc;
}

/* --- marks of former runs --- */

/* One row of marks at most: its answer, if it is wanted. */
static int step_mark(struct database *d, sqlite3_stmt *s, const char *table,
                     struct qbuf *answer, struct qerr *e)
{
    if (lite.bind_text(s, 1, table, -1, SQLITE_STATIC) != SQLITE_OK)
        return complain(d, Q_EIO, e);
    int step = lite.step(s);
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        return complain(d, Q_EIO, e);
    const void *text = step == SQLITE_ROW ? lite.column_text(s, 0) : NULL;
    if (answer && text)
        qbuf_puts(answer, text);
    return 0;
}

/* Runs a statement with the table's name as its parameter; appends its answer, if any.
 * A database without marks, or none at all, has none; one that cannot be read might
 * have. */
static int with_marks(const struct job *job, const char *sql, struct qbuf *answer,
                      struct qerr *e)
{
    struct database d;
    const char *table = job_word(job, "table"), *path = job_word(job, "output");
    if (!table)
        return qerr_set(e, Q_EUSAGE, "--format sqlite needs --table NAME");
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return load(e);
    int rc = connect_to(&d, path, SQLITE_OPEN_READWRITE, e);
    if (rc < 0)
        return rc;
    sqlite3_stmt *s = NULL;
    int prepared = lite.prepare_v2(d.db, sql, -1, &s, NULL);
    if (prepared == SQLITE_OK)
        rc = step_mark(&d, s, table, answer, e);
    else if (prepared != SQLITE_ERROR) /* that is: no such table */
        rc = complain(&d, Q_EIO, e);
    lite.finalize(s);
    disconnect(&d);
    return rc;
}

static int sqlite_recall(const struct job *job, struct qbuf *mark, struct qerr *e)
{
    return with_marks(job, "SELECT mark FROM quern_marks WHERE \"table\" = ?", mark, e);
}

static int sqlite_forget(const struct job *job, struct qerr *e)
{
    return with_marks(job, "DELETE FROM quern_marks WHERE \"table\" = ?", NULL, e);
}

const struct sink sink_sqlite = {
    .name = "sqlite",
    .check = sqlite_check,
    .render = sqlite_render,
    .open = sqlite_open,
    .write = sqlite_write,
    .mark = sqlite_mark,
    .recall = sqlite_recall,
    .forget = sqlite_forget,
    .close = sqlite_close,
};
