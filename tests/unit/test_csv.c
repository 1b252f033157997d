#include <string.h>

#include "sink/sink.h"
#include "unit.h"

static const char *const words[] = {"", "odd", "even"};
static const struct column columns[] = {
    {"n", COLUMN_RECORD, NULL},
    {"kind", COLUMN_WORD, words},
    {"one", COLUMN_INTEGER, NULL},
    {"many", COLUMN_INTEGERS, NULL},
};
static const struct schema schema = {.columns = columns, .ncolumns = 4, .text = NULL};
static const struct column total_columns[] = {{"total", COLUMN_INTEGER, NULL}};
static const struct schema total_schema = {
    .columns = total_columns, .ncolumns = 1, .text = NULL};
static const struct schema no_schema = {.columns = NULL, .ncolumns = 0, .text = NULL};

static bool is(const struct qbuf *got, const char *want)
{
    if (!got->failed && got->len == strlen(want) &&
        memcmp(got->data ? got->data : "", want, got->len) == 0)
        return true;
    printf("\ngot  '%.*s'\nwant '%s'\n", (int)got->len, got->data ? got->data : "",
           want);
    return false;
}

/* --- headers --- */

static void header_is(const struct sink *sink, const struct schema *s, bool timed,
                      const char *want)
{
    struct qbuf out = QBUF_INIT;
    sink->header(s, timed, &out);
    CU_ASSERT(is(&out, want));
    qbuf_release(&out);
}

static void test_header(void)
{
    header_is(&sink_csv, &schema, false, "n,kind,one,many,error\r\n");
    header_is(&sink_csv, &schema, true, "n,kind,one,many,seconds,error\r\n");
    header_is(&sink_tsv, &schema, false, "n\tkind\tone\tmany\terror\n");
    header_is(&sink_tsv, &schema, true, "n\tkind\tone\tmany\tseconds\terror\n");
    header_is(&sink_csv, &total_schema, false, "total,error\r\n");
    header_is(&sink_tsv, &total_schema, false, "total\terror\n");
    header_is(&sink_csv, &no_schema, false, "");
    CU_ASSERT_PTR_EQUAL(sink_for("csv"), &sink_csv);
    CU_ASSERT_PTR_EQUAL(sink_for("tsv"), &sink_tsv);
}

/* --- rows --- */

static const char digits[3][NUMBERS_PAD + 48] = {
    "7", "0", "340282366920938463463374607431768211456"};

/* 7 odd 5 [1 18446744073709551616 3]; 0 (no word) - []; 2^128 even 2^64 [2]. */
static void fill(struct rows *rows, struct numbers *in)
{
    static const char big[] = "18446744073709551616";
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(rows, &schema, &e), 0);
    numbers_init(in);
    in->n = 3;
    for (size_t i = 0; i < 3; i++) {
        in->digits[i] = digits[i];
        in->len[i] = (uint32_t)strlen(digits[i]);
    }
    rows_clear(rows, in);
    rows_add(rows, 2, 5);
    rows_add(rows, 3, 1);
    rows_add_digits(rows, 3, big, sizeof big - 1);
    rows_add(rows, 3, 3);
    rows_end(rows, 2, 0);
    rows_end(rows, 3, 0);
    rows_end(rows, 2, 1);
    rows_end(rows, 3, 1);
    rows_add_digits(rows, 2, big, sizeof big - 1);
    rows_add(rows, 3, 2);
    rows_end(rows, 2, 2);
    rows_end(rows, 3, 2);
    for (uint8_t i = 0; i < 3; i++)
        rows->cells[1].word[i] = (uint8_t)(i == 0 ? 1 : i == 1 ? 0 : 2);
    rows->n = 3;
}

static void test_rows(void)
{
    struct numbers *in = malloc(sizeof *in);
    struct rows rows;
    struct qbuf out = QBUF_INIT;
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    fill(&rows, in);
    sink_csv.render(&rows, 0, 3, &out);
    CU_ASSERT(is(&out, "7,odd,5,1 18446744073709551616 3,\r\n0,,,,\r\n"
                       "340282366920938463463374607431768211456,even,"
                       "18446744073709551616,2,\r\n"));
    qbuf_clear(&out);
    sink_tsv.render(&rows, 0, 3, &out);
    CU_ASSERT(is(&out, "7\todd\t5\t1 18446744073709551616 3\t\n0\t\t\t\t\n"
                       "340282366920938463463374607431768211456\teven\t"
                       "18446744073709551616\t2\t\n"));

    /* A part of them, and of these only what is kept. */
    qbuf_clear(&out);
    rows.keep = memcpy(rows.keep_store, "\1\0\1", 3);
    sink_csv.render(&rows, 1, 3, &out);
    CU_ASSERT(is(&out, "340282366920938463463374607431768211456,even,"
                       "18446744073709551616,2,\r\n"));

    /* With a time. */
    qbuf_clear(&out);
    rows.timed = true;
    rows.seconds = 1.5;
    sink_csv.render(&rows, 0, 1, &out);
    sink_tsv.render(&rows, 0, 1, &out);
    CU_ASSERT(is(&out, "7,odd,5,1 18446744073709551616 3,1.500000,\r\n"
                       "7\todd\t5\t1 18446744073709551616 3\t1.500000\t\n"));
    qbuf_release(&out);
    rows_release(&rows);
    numbers_release(in);
    free(in);
}

/* The result of a fold is a row like any other. */
static void test_total(void)
{
    struct qerr e = QERR_INIT;
    struct rows rows;
    struct qbuf out = QBUF_INIT;
    CU_ASSERT_EQUAL_FATAL(rows_init(&rows, &total_schema, &e), 0);
    rows_clear(&rows, NULL);
    rows_add(&rows, 0, 42);
    rows_end(&rows, 0, 0);
    rows.n = 1;
    sink_csv.render(&rows, 0, 1, &out);
    sink_tsv.render(&rows, 0, 1, &out);
    CU_ASSERT(is(&out, "42,\r\n42\t\n"));
    qbuf_release(&out);
    rows_release(&rows);
}

/* --- bad records --- */

static void bad_is(const struct sink *sink, bool timed, const char *error,
                   const char *want)
{
    struct qbuf out = QBUF_INIT;
    sink->bad(&schema, timed, error, &out);
    CU_ASSERT(is(&out, want));
    qbuf_release(&out);
}

static void test_bad(void)
{
    bad_is(&sink_csv, false, "in:2: what", ",,,,in:2: what\r\n");
    bad_is(&sink_csv, true, "in:2: what", ",,,,,in:2: what\r\n");
    bad_is(&sink_csv, false, "a,b:2: what", ",,,,\"a,b:2: what\"\r\n");
    bad_is(&sink_csv, false, "say \"x\"", ",,,,\"say \"\"x\"\"\"\r\n");
    bad_is(&sink_csv, false, "a\nb", ",,,,\"a\nb\"\r\n");
    bad_is(&sink_csv, false, "a\rb", ",,,,\"a\rb\"\r\n");
    bad_is(&sink_csv, false, "tab\t\\", ",,,,tab\t\\\r\n");
    bad_is(&sink_tsv, false, "in:2: what", "\t\t\t\tin:2: what\n");
    bad_is(&sink_tsv, true, "a,\"b", "\t\t\t\t\ta,\"b\n");
    bad_is(&sink_tsv, false, "a\tb\nc\rd\\", "\t\t\t\ta\\tb\\nc\\rd\\\\\n");
}

/* Reads the last field of a csv line as RFC 4180 says; false if it is not well formed.
 */
static bool read_csv(const struct qbuf *line, size_t skip, struct qbuf *field)
{
    size_t i = skip, end = line->len;
    qbuf_clear(field);
    if (end < 2 || memcmp(line->data + end - 2, "\r\n", 2) != 0)
        return false;
    end -= 2;
    if (i == end || line->data[i] != '"') {
        qbuf_add(field, line->data + i, end - i);
        return !memchr(field->data ? field->data : "", '"', field->len) &&
               !memchr(field->data ? field->data : "", ',', field->len) &&
               !memchr(field->data ? field->data : "", '\n', field->len) &&
               !memchr(field->data ? field->data : "", '\r', field->len);
    }
    for (i++; i < end; i++) {
        if (line->data[i] == '"' && i + 1 == end)
            return true;
        if (line->data[i] == '"' && line->data[++i] != '"')
            return false;
        qbuf_putc(field, line->data[i]);
    }
    return false;
}

static bool read_tsv(const struct qbuf *line, size_t skip, struct qbuf *field)
{
    qbuf_clear(field);
    for (size_t i = skip; i + 1 < line->len; i++) {
        char c = line->data[i];
        if (c == '\t' || c == '\n' || c == '\r')
            return false;
        if (c == '\\') {
            c = line->data[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        qbuf_putc(field, c);
    }
    return line->len > 0 && line->data[line->len - 1] == '\n';
}

static void test_any_text(void)
{
    static const char letters[] = "ab,\"\r\n\t\\ tnr";
    struct qbuf line = QBUF_INIT, field = QBUF_INIT;
    for (uint64_t k = 0; k < 2000 * unit_scale(); k++) {
        char text[16] = "";
        size_t len = unit_random() % sizeof text;
        for (size_t i = 0; i < len; i++)
            text[i] = letters[unit_random() % (sizeof letters - 1)];
        qbuf_clear(&line);
        sink_csv.bad(&schema, false, text, &line);
        CU_ASSERT(read_csv(&line, 4, &field) && is(&field, text));
        qbuf_clear(&line);
        sink_tsv.bad(&schema, false, text, &line);
        CU_ASSERT(read_tsv(&line, 4, &field) && is(&field, text));
    }
    qbuf_release(&line);
    qbuf_release(&field);
}

static const struct unit_test tests[] = {
    {"header", test_header},          {"rows", test_rows},
    {"result of a fold", test_total}, {"bad records", test_bad},
    {"any text", test_any_text},
};

UNIT_MAIN("csv", tests)
