/* The sink of databases: cells of every type, upserts, marks, names, errors; what is in
 * the database is asked of the library itself. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/options.h"
#include "sink/sink.h"
#include "tree.h"
#include "unit.h"

static struct tree tree;
static char path[300];
static struct job job;
static struct qerr e;
static struct rows rows;
static struct qbuf bytes;

static const char *const words[] = {"one", "two"};
static const struct column columns[] = {
    {"v", COLUMN_VALUE, NULL},
    {"i", COLUMN_INTEGER, NULL},
    {"w", COLUMN_WORD, words},
    {"odd \"name", COLUMN_VALUE, NULL},
};
static const struct schema schema = {.columns = columns, .ncolumns = 4};

static void set(const char *name, const char *value)
{
    CU_ASSERT_EQUAL_FATAL(job_set(&job, job_find(&job, name), value, &e), 0);
}

static void begin(const char *table, const char *key)
{
    const struct qopt *tables[] = {options_shared};
    e = (struct qerr)QERR_INIT;
    tree_begin(&tree);
    snprintf(path, sizeof path, "%s/out.db", tree.root);
    CU_ASSERT_EQUAL_FATAL(job_init(&job, "test", tables, 1, &e), 0);
    set("format", "sqlite");
    set("output", path);
    if (table)
        set("table", table);
    if (key)
        set("key", key);
    CU_ASSERT_EQUAL_FATAL(rows_init(&rows, &schema, &e), 0);
}

static void end(void)
{
    rows_release(&rows);
    qbuf_release(&bytes);
    job_release(&job);
    tree_end(&tree);
}

static struct sink_target target(bool journaled)
{
    return (struct sink_target){
        .path = path, .schema = &schema, .journaled = journaled, .job = &job};
}

/* Renders a row; its integer is the text, or none if that is "". */
static void put(enum value_type type, const char *v, const char *i, uint8_t w,
                const char *odd)
{
    rows_clear(&rows, NULL);
    rows_set_value(&rows, 0, 0, type, v, strlen(v));
    if (*i)
        rows_add_digits(&rows, 1, i, strlen(i));
    rows_end(&rows, 1, 0);
    rows.cells[2].word[0] = w;
    rows_set_value(&rows, 3, 0, VALUE_TEXT, odd, strlen(odd));
    rows.n = 1;
    sink_sqlite.render(&rows, 0, 1, &bytes);
}

/* The answer of a statement: cells with '|' between, rows with ';'. */
static const char *ask(const char *sql)
{
    static char answer[2000];
    sqlite3 *db;
    sqlite3_stmt *s;
    size_t n = 0;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    answer[0] = '\0';
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        snprintf(answer, sizeof answer, "%s", sqlite3_errmsg(db));
    while (sqlite3_step(s) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const char *text = (const char *)sqlite3_column_text(s, i);
            n += (size_t)snprintf(answer + n, sizeof answer - n, "%s%s",
                                  text ? text : "NULL",
                                  i + 1 < sqlite3_column_count(s) ? "|" : ";");
        }
    sqlite3_finalize(s);
    sqlite3_close(db);
    return answer;
}

static void write_all(bool journaled, const char *mark)
{
    void *state;
    struct sink_target t = target(journaled);
    CU_ASSERT_EQUAL_FATAL(sink_check(&sink_sqlite, &t, &e), 0);
    CU_ASSERT_EQUAL_FATAL(sink_sqlite.open(&state, &t, &e), 0);
    CU_ASSERT_EQUAL(sink_sqlite.write(state, bytes.data, bytes.len, &e), 0);
    if (mark)
        CU_ASSERT_EQUAL(sink_sqlite.mark(state, mark, &e), 0);
    CU_ASSERT_EQUAL(sink_sqlite.close(state, &e), 0);
    qbuf_clear(&bytes);
}

static void test_types(void)
{
    static const struct known {
        enum value_type type;
        const char *v, *i, *want; /* v, its type, i, its type */
    } table[] = {
        {VALUE_NULL, "", "", "NULL|null|NULL|null;"},
        {VALUE_BOOL, "true", "0", "1|integer|0|integer;"},
        {VALUE_BOOL, "false", "1", "0|integer|1|integer;"},
        {VALUE_INTEGER, "-9223372036854775808", "9223372036854775807",
         "-9223372036854775808|integer|9223372036854775807|integer;"},
        {VALUE_INTEGER, "-9223372036854775809", "9223372036854775808",
         "-9223372036854775809|text|9223372036854775808|text;"},
        {VALUE_INTEGER, "123456789012345678901234567890", "18446744073709551616",
         "123456789012345678901234567890|text|18446744073709551616|text;"},
        {VALUE_REAL, "0.5", "7", "0.5|real|7|integer;"},
        {VALUE_REAL, "1e3", "7", "1000.0|real|7|integer;"},
        {VALUE_REAL, "0.0e-5", "7", "0.0|real|7|integer;"},
        {VALUE_REAL, "0.30000000000000004", "7", "0.3|real|7|integer;"},
        {VALUE_REAL, "1.50000000000000000000000", "7", "1.5|real|7|integer;"},
        {VALUE_REAL, "0.12345678901234567", "7",
         "0.12345678901234567|text|7|integer;"}, /* ...566 */
        {VALUE_REAL, "9007199254740993.0", "7",
         "9007199254740993.0|text|7|integer;"}, /* 2^53 + 1 */
        {VALUE_REAL, "9007199254740992.0", "7", "9.00719925474099e+15|real|7|integer;"},
        {VALUE_REAL, "3e-324", "7", "3e-324|text|7|integer;"},
        {VALUE_REAL, "5e-324", "7", "4.94065645841247e-324|real|7|integer;"},
        {VALUE_REAL, "12345678901234567890.5", "7",
         "12345678901234567890.5|text|7|integer;"},
        {VALUE_REAL, "1e999", "7", "1e999|text|7|integer;"},
        {VALUE_REAL, "-1.5E+400", "7", "-1.5E+400|text|7|integer;"},
        {VALUE_REAL, "1e-999", "7", "1e-999|text|7|integer;"},
        {VALUE_TEXT, "12", "7", "12|text|7|integer;"},
        {VALUE_TEXT, "it's \"x\"; --", "7", "it's \"x\"; --|text|7|integer;"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        begin("t", NULL);
        put(table[i].type, table[i].v, table[i].i, 1, "é");
        write_all(false, NULL);
        CU_ASSERT_STRING_EQUAL(ask("SELECT v, typeof(v), i, typeof(i) FROM t"),
                               table[i].want);
        CU_ASSERT_STRING_EQUAL(ask("SELECT w, \"odd \"\"name\" FROM t"), "two|é;");
        end();
    }
}

static void test_upsert(void)
{
    begin("a \"b'; DROP TABLE x", "v");
    put(VALUE_INTEGER, "1", "10", 0, "a");
    put(VALUE_INTEGER, "2", "20", 0, "b");
    put(VALUE_INTEGER, "1", "11", 1, "c");
    write_all(true, "m 1");
    const char *all = "SELECT v, i, w FROM \"a \"\"b'; DROP TABLE x\" ORDER BY v";
    CU_ASSERT_STRING_EQUAL(ask(all), "1|11|two;2|20|one;");
    put(VALUE_INTEGER, "2", "21", 1, "b");
    put(VALUE_TEXT, "1", "5", 0, "a text is another key");
    write_all(true, "m 2");
    CU_ASSERT_STRING_EQUAL(ask(all), "1|11|two;2|21|two;1|5|one;");
    CU_ASSERT_STRING_EQUAL(ask("SELECT * FROM quern_marks"),
                           "a \"b'; DROP TABLE x|m 2;");
    end();
    /* All columns are the key: what is there stays. */
    begin("t", "v,i,w,odd \"name");
    for (int k = 0; k < 2; k++) {
        put(VALUE_INTEGER, "1", "10", 0, "a");
        put(VALUE_INTEGER, "1", "10", 1, "a");
        write_all(false, NULL);
    }
    CU_ASSERT_STRING_EQUAL(ask("SELECT count(*) FROM t"), "2;");
    end();
}

/* What is behind the last mark of a journaled run is not there. */
static void test_marks(void)
{
    void *state;
    struct qbuf mark = QBUF_INIT;
    begin("t", NULL);
    struct sink_target t = target(true);
    CU_ASSERT_EQUAL(sink_sqlite.recall(&job, &mark, &e), 0);
    CU_ASSERT(mark.len == 0 && access(path, F_OK) != 0);
    CU_ASSERT_EQUAL(sink_sqlite.forget(&job, &e), 0);
    CU_ASSERT_EQUAL_FATAL(sink_sqlite.open(&state, &t, &e), 0);
    put(VALUE_INTEGER, "1", "1", 0, "");
    CU_ASSERT_EQUAL(sink_sqlite.write(state, bytes.data, bytes.len, &e), 0);
    CU_ASSERT_EQUAL(sink_sqlite.mark(state, "m one", &e), 0);
    CU_ASSERT_EQUAL(sink_sqlite.mark(state, "m two", &e), 0);
    CU_ASSERT_EQUAL(sink_sqlite.write(state, bytes.data, bytes.len, &e), 0);
    CU_ASSERT_EQUAL(sink_sqlite.close(state, &e), 0);
    qbuf_clear(&bytes);
    CU_ASSERT_STRING_EQUAL(ask("SELECT count(*) FROM t"), "1;");
    CU_ASSERT_EQUAL(sink_sqlite.recall(&job, &mark, &e), 0);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&mark), "m two");
    CU_ASSERT_EQUAL(sink_sqlite.forget(&job, &e), 0);
    qbuf_clear(&mark);
    CU_ASSERT_EQUAL(sink_sqlite.recall(&job, &mark, &e), 0);
    CU_ASSERT_EQUAL(mark.len, 0);
    qbuf_release(&mark);
    end();
}

static void test_refused(void)
{
    static const struct known {
        const char *table, *key, *want;
    } table[] = {
        {NULL, NULL, "needs --table"}, {"quern_marks", NULL, "is taken"},
        {"t", "x", "no column 'x'"},   {"t", "v,", "not a list"},
        {"t", ",v", "not a list"},     {"t", "v,,i", "not a list"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        begin(table[i].table, table[i].key);
        struct sink_target t = target(true);
        CU_ASSERT_EQUAL(sink_check(&sink_sqlite, &t, &e), -Q_EUSAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, table[i].want));
        end();
    }
    begin("t", NULL);
    struct sink_target t = target(true);
    t.path = NULL;
    CU_ASSERT_EQUAL(sink_check(&sink_sqlite, &t, &e), -Q_EUSAGE);
    struct qerr f = QERR_INIT;
    CU_ASSERT_EQUAL(sink_check(&sink_csv, &t, &f), -Q_EUSAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "--table is for"));
    end();
}

static void test_errors(void)
{
    void *state;
    begin("t", "v");
    struct sink_target t = target(true);
    tree_file(&tree, "/out.db",
              "this is no database, and longer than a header is: "
              "a hundred bytes and some more of them, so that it shows");
    CU_ASSERT_EQUAL(sink_sqlite.forget(&job, &e), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "not a database"));
    struct qerr f = QERR_INIT;
    CU_ASSERT_EQUAL(sink_sqlite.open(&state, &t, &f), -Q_EIO);
    CU_ASSERT_EQUAL(unlink(path), 0);
    /* A table that was made otherwise. */
    (void)ask("CREATE TABLE t (v, i)");
    struct qerr g = QERR_INIT;
    CU_ASSERT_EQUAL(sink_sqlite.open(&state, &t, &g), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(g.text, "column"));
    CU_ASSERT_EQUAL(unlink(path), 0);
    /* A key without a value. */
    struct qerr h = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(sink_sqlite.open(&state, &t, &h), 0);
    put(VALUE_NULL, "", "1", 0, "");
    CU_ASSERT_EQUAL(sink_sqlite.write(state, bytes.data, bytes.len, &h), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.text, "NOT NULL"));
    CU_ASSERT_EQUAL(sink_sqlite.close(state, &h), 0);
    end();
}

/* A database that cannot be read may have marks: that is no fresh start. */
static void test_unread_marks(void)
{
    struct qbuf mark = QBUF_INIT;
    begin("t", NULL);
    write_all(true, "m one");
    /* Another table of that name; damage; a folder in the place of the file. */
    (void)ask("DROP TABLE quern_marks");
    (void)ask("CREATE TABLE quern_marks (\"table\", mark)");
    (void)ask("INSERT INTO quern_marks VALUES ('t', NULL)");
    CU_ASSERT_EQUAL(sink_sqlite.recall(&job, &mark, &e), 0);
    CU_ASSERT_EQUAL(mark.len, 0);
    FILE *f = fopen(path, "r+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fseek(f, 100, SEEK_SET), 0); /* the root of the schema */
    CU_ASSERT(fputs("garbage", f) >= 0 && fclose(f) == 0);
    CU_ASSERT_EQUAL(sink_sqlite.recall(&job, &mark, &e), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "malformed"));
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    struct qerr g = QERR_INIT;
    CU_ASSERT_EQUAL(sink_sqlite.recall(&job, &mark, &g), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(g.text, "unable to open"));
    CU_ASSERT_EQUAL(rmdir(path), 0);
    qbuf_release(&mark);
    end();
}

static const struct unit_test tests[] = {
    {"types", test_types},   {"upserts, and odd names", test_upsert},
    {"marks", test_marks},   {"what is refused", test_refused},
    {"errors", test_errors}, {"marks that cannot be read", test_unread_marks},
};

UNIT_MAIN("sqlite", tests)
