/*
 * lineprod: multiply two lines of each document; or only add the products up.
 *
 * A line is found by counting newlines, so no more of a document is looked at than up
 * to the farther of the two. The state of a part is the decimal text of its sum.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/big.h"
#include "arith/decimal.h"
#include "kernel.h"

enum { COL_PRODUCT, COL_INPUT };

struct lineprod_state {
    struct kernel_state head;
    uint64_t line[2]; /* from 1 */
};

struct lineprod_scratch {
    mpz_t factor, product, sum;
    struct qbuf digits;
};

static void text_products(const struct rows *rows, size_t from, size_t to,
                          struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        const struct value *name = &rows->cells[COL_INPUT].value[i];
        rows_put_integers(rows, COL_PRODUCT, i, &at, " ", out);
        qbuf_putc(out, ' ');
        qbuf_add(out, rows_text(rows, name), name->len);
        qbuf_putc(out, '\n');
    }
}

static void text_sum(const struct rows *rows, size_t from, size_t to, struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        rows_put_integers(rows, 0, i, &at, " ", out);
        qbuf_putc(out, '\n');
    }
}

static const struct column product_columns[] = {
    {"product", COLUMN_INTEGER, NULL},
    {"input", COLUMN_VALUE, NULL},
};
static const struct column sum_columns[] = {{"fold", COLUMN_INTEGER, NULL}};
static const struct schema product_schema = {
    .columns = product_columns, .ncolumns = 2, .text = text_products};
static const struct schema sum_schema = {
    .columns = sum_columns, .ncolumns = 1, .text = text_sum};

static const struct qopt lineprod_options[] = {
    {.name = "lines",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "A,B",
     .help = "the two lines, counted from 1; instead of the first argument"},
    {.name = "fold",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "print only the sum of all products, the bare number"},
    {.name = NULL},
};

/* The number of a line at *s, and *s behind it. */
static bool read_line_number(const char **s, uint64_t *line)
{
    char padded[DECIMAL_U64 + 8] = {0};
    size_t len = strspn(*s, "0123456789");
    if (len > DECIMAL_U64)
        return false;
    memcpy(padded, *s, len);
    *s += len;
    return decimal_parse(padded, len, line) && *line > 0;
}

static bool read_lines(const char *s, uint64_t line[2])
{
    return read_line_number(&s, &line[0]) && *s++ == ',' &&
           read_line_number(&s, &line[1]) && *s == '\0';
}

static int lineprod_open(struct kernel_state **state, const struct job *job,
                         struct qerr *e)
{
    struct lineprod_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    if (!read_lines(job_word(job, "lines"), s->line)) {
        free(s);
        return qerr_set(e, Q_EUSAGE,
                        "'%.40s' is not A,B: two numbers of lines, from 1, as in 3,17",
                        job_word(job, "lines"));
    }
    s->head.folds = job_flag(job, "fold");
    s->head.schema = s->head.folds ? &sum_schema : &product_schema;
    *state = &s->head;
    return 0;
}

static void lineprod_close(struct kernel_state *state)
{
    free(state);
}

static int lineprod_attach(const struct kernel_state *state, void **scratch,
                           struct qerr *e)
{
    (void)state;
    struct lineprod_scratch *w = calloc(1, sizeof *w);
    if (!w)
        return qerr_nomem(e);
    mpz_init(w->factor);
    mpz_init(w->product);
    mpz_init(w->sum);
    *scratch = w;
    return 0;
}

static void lineprod_detach(void *scratch)
{
    struct lineprod_scratch *w = scratch;
    if (!w)
        return;
    mpz_clear(w->factor);
    mpz_clear(w->product);
    mpz_clear(w->sum);
    qbuf_release(&w->digits);
    free(w);
}

/* --- a document --- */

struct line {
    const char *text; /* NULL: it is not there */
    size_t len;       /* without the white space around it */
};

static struct line make_line(const char *from, const char *to)
{
    while (to > from && chunk_is_space(to[-1]))
        to--;
    while (from < to && chunk_is_space(*from))
        from++;
    return (struct line){from, (size_t)(to - from)};
}

/* Finds the lines with these numbers. */
static void find_lines(const struct kernel_text *doc, const uint64_t number[2],
                       struct line found[2])
{
    const char *at = doc->text, *end = doc->text + doc->len;
    uint64_t last = number[0] > number[1] ? number[0] : number[1];
    found[0] = found[1] = (struct line){NULL, 0};
    for (uint64_t n = 1; at < end && n <= last; n++) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        const char *to = nl ? nl : end;
        for (int i = 0; i < 2; i++)
            if (number[i] == n)
                found[i] = make_line(at, to);
        at = nl ? nl + 1 : end;
    }
}

/* How many digits stand at s: the text of a sum has nothing behind it that may be read,
 * as a document has, so this is done byte by byte. */
static size_t count_digits(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && s[n] >= '0' && s[n] <= '9')
        n++;
    return n;
}

/* Reads a signed integer of any size. False when it is none; *nomem: or when memory ran
 * out. */
static bool read_integer(mpz_t z, const struct line *l, bool *nomem)
{
    size_t sign = l->len > 0 && (*l->text == '-' || *l->text == '+');
    size_t digits = count_digits(l->text + sign, l->len - sign);
    if (digits == 0 || sign + digits != l->len)
        return false;
    if (!big_parse(z, l->text + sign, digits)) {
        *nomem = true;
        return false;
    }
    if (*l->text == '-')
        mpz_neg(z, z);
    return true;
}

static void refuse(struct rows *rows, uint64_t number, const struct line *l)
{
    const char *what = !l->text      ? "there is no such line"
                       : l->len == 0 ? "the line is empty"
                                     : "not an integer";
    rows_refuse_at(rows, 0, number, what, l->len > 0 ? l->text : "", l->len);
}

/* The product in w->product. False: it is refused, or (rows->failed) memory ran out. */
static bool multiply(const struct lineprod_state *s, struct lineprod_scratch *w,
                     const struct kernel_text *doc, struct rows *rows)
{
    struct line found[2];
    find_lines(doc, s->line, found);
    mpz_set_ui(w->product, 1);
    for (int i = 0; i < 2; i++) {
        bool nomem = false;
        if (!found[i].text || !read_integer(w->factor, &found[i], &nomem)) {
            if (nomem)
                rows->failed = true;
            else
                refuse(rows, s->line[i], &found[i]);
            return false;
        }
        mpz_mul(w->product, w->product, w->factor);
    }
    return true;
}

/* Appends z in decimal, a sign first if it is negative; z is |z| from then on. */
static void print(struct qbuf *to, mpz_t z)
{
    if (mpz_sgn(z) < 0)
        qbuf_putc(to, '-');
    mpz_abs(z, z);
    char *room = qbuf_reserve(to, big_print_size(z));
    if (room)
        to->len += big_print(room, z);
}

/* *z += the integer in text[0..len). */
static int add_text(mpz_t z, mpz_t tmp, const char *text, size_t len, struct qerr *e)
{
    bool nomem = false;
    if (!read_integer(tmp, &(struct line){text, len}, &nomem))
        return nomem ? qerr_nomem(e) : qerr_set(e, Q_ECHECK, "a part is not a sum");
    mpz_add(z, z, tmp);
    return 0;
}

/* Adds z to the sum that `total` holds as text. */
static int add_to(struct qbuf *total, mpz_t z, mpz_t tmp, struct qerr *e)
{
    int rc = total->len > 0 ? add_text(z, tmp, total->data, total->len, e) : 0;
    qbuf_clear(total);
    if (rc == 0)
        print(total, z);
    return rc < 0 ? rc : qbuf_check(total, e);
}

static int lineprod_run(const struct kernel_state *state, struct kernel_call *call,
                        struct qerr *e)
{
    const struct lineprod_state *s = (const struct lineprod_state *)state;
    struct lineprod_scratch *w = call->scratch;
    struct rows *rows = call->rows;
    rows->n = 1;
    bool right = multiply(s, w, call->text, rows);
    if (state->folds)
        return right ? add_to(call->part, w->product, w->sum, e) : 0;
    qbuf_clear(&w->digits);
    if (right)
        print(&w->digits, w->product);
    rows->failed = rows->failed || w->digits.failed;
    if (right && !rows->failed)
        rows_add_digits(rows, COL_PRODUCT, w->digits.data, w->digits.len);
    rows_end(rows, COL_PRODUCT, 0);
    const char *name = call->text->name;
    rows_set_value(rows, COL_INPUT, 0, VALUE_TEXT, name, strlen(name));
    return 0;
}

static int lineprod_fold(const struct kernel_state *state, struct qbuf *total,
                         const char *part, size_t len, struct qerr *e)
{
    (void)state;
    mpz_t sum, tmp;
    mpz_init(sum);
    mpz_init(tmp);
    int rc = add_text(sum, tmp, part, len, e);
    if (rc == 0)
        rc = add_to(total, sum, tmp, e);
    mpz_clear(sum);
    mpz_clear(tmp);
    return rc;
}

static int lineprod_result(const struct kernel_state *state, const struct qbuf *total,
                           struct rows *rows, struct qerr *e)
{
    (void)state;
    (void)e;
    rows_set_sum(rows, total->data, total->len);
    return 0;
}

const struct kernel kernel_lineprod = {
    .name = "lineprod",
    .summary = "multiply two lines of each file",
    .description =
        "Reads each INPUT as a text and multiplies the integers on its lines A and B, "
        "counted from 1. Prints 'PRODUCT INPUT' for each, exact at any size. The "
        "integers may have a sign and white space around them. An INPUT without such "
        "a line, or with something else on it, is a bad record.",
    .options = lineprod_options,
    .operand = "lines",
    .accepts = ACCEPT_DOCUMENTS,
    .open = lineprod_open,
    .close = lineprod_close,
    .attach = lineprod_attach,
    .detach = lineprod_detach,
    .run = lineprod_run,
    .fold = lineprod_fold,
    .result = lineprod_result,
};
