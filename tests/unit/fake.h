/*
 * fake: a kernel that is only there to be run by the engine, and the reading of an
 * input that says what must come out. It prints each record; some records misbehave:
 *
 *   FAKE_FAILS       the kernel fails
 *   FAKE_UNFINISHED  is a row that counts as unfinished
 *   FAKE_SLOW        takes until the stop flag is set, and is unfinished then
 *   FAKE_DEAF        sleeps for fake_deaf_ms, and looks at nothing
 *   FAKE_COSTLY      takes two milliseconds
 *
 * With fake_folds set it folds: a total is the text of all records in order, so that a
 * part that is lost, doubled or out of order shows.
 */
#ifndef QUERN_TESTS_FAKE_H
#define QUERN_TESTS_FAKE_H

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/qclock.h"
#include "jobs.h"
#include "unit.h"

static const uint64_t FAKE_FAILS = UINT64_C(9313105295130943001);
static const uint64_t FAKE_UNFINISHED = UINT64_C(9313105295130943002);
static const uint64_t FAKE_SLOW = UINT64_C(9313105295130943003);
static const uint64_t FAKE_DEAF = UINT64_C(9313105295130943004);
static const uint64_t FAKE_COSTLY = UINT64_C(9313105295130943005);

static bool fake_folds;
static atomic_uint fake_deaf_ms;
static atomic_bool fake_attach_fails;
static atomic_uint fake_met_slow; /* how many FAKE_SLOW are, or were, at work */

static const struct column fake_columns[] = {{"n", COLUMN_RECORD, NULL}};
static const struct schema fake_schema = {
    .columns = fake_columns, .ncolumns = 1, .text = rows_put_records};

static void fake_put_total(const struct rows *rows, size_t from, size_t to,
                           struct qbuf *out)
{
    struct rows_cursor at = {0, 0};
    for (size_t i = from; i < to; i++) {
        rows_put_integers(rows, 0, i, &at, " ", out);
        qbuf_putc(out, '\n');
    }
}

static const struct column fake_total_columns[] = {{"total", COLUMN_INTEGERS, NULL}};
static const struct schema fake_total_schema = {
    .columns = fake_total_columns, .ncolumns = 1, .text = fake_put_total};

static int fake_open(struct kernel_state **state, const struct job *job, struct qerr *e)
{
    (void)job;
    *state = calloc(1, sizeof **state);
    if (!*state)
        return qerr_nomem(e);
    (*state)->folds = fake_folds;
    (*state)->schema = fake_folds ? &fake_total_schema : &fake_schema;
    return 0;
}

static void fake_close(struct kernel_state *state)
{
    free(state);
}

static int fake_attach(const struct kernel_state *state, void **scratch, struct qerr *e)
{
    (void)state;
    *scratch = NULL;
    return atomic_load(&fake_attach_fails) ? qerr_nomem(e) : 0;
}

static void fake_detach(void *scratch)
{
    CU_ASSERT_PTR_NULL(scratch);
}

static void fake_sleep(unsigned ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

/* One record. False: it has failed. */
static bool fake_work(const struct kernel_call *call, uint64_t v)
{
    if (v == FAKE_UNFINISHED)
        call->rows->unfinished++;
    if (v == FAKE_DEAF)
        fake_sleep(atomic_load(&fake_deaf_ms));
    if (v == FAKE_COSTLY)
        fake_sleep(2);
    if (v == FAKE_SLOW) {
        atomic_fetch_add(&fake_met_slow, 1);
        while (!kernel_stopped(call))
            fake_sleep(1);
        call->rows->unfinished++;
    }
    return v != FAKE_FAILS;
}

static void fake_put_record(const struct numbers *in, size_t i, struct qbuf *out)
{
    if (in->digits[i])
        qbuf_add(out, in->digits[i], in->len[i]);
    else
        qbuf_putu(out, in->v[i]);
    qbuf_putc(out, ' ');
}

static int fake_run(const struct kernel_state *state, struct kernel_call *call,
                    struct qerr *e)
{
    const struct numbers *in = call->in;
    size_t i = 0;
    while (i < in->n) {
        if (!fake_work(call, in->v[i]))
            return qerr_set(e, Q_ECHECK, "the kernel failed");
        if (state->folds)
            fake_put_record(in, i, call->part);
        i++;
        if (kernel_stopped(call) || qclock_ns() >= call->deadline_ns)
            break;
    }
    call->rows->n = i;
    return 0;
}

static int fake_fold(const struct kernel_state *state, struct qbuf *total,
                     const char *part, size_t len, struct qerr *e)
{
    CU_ASSERT(state->folds);
    qbuf_add(total, part, len);
    return qbuf_check(total, e);
}

static int fake_result(const struct kernel_state *state, const struct qbuf *total,
                       struct rows *rows, struct qerr *e)
{
    (void)state;
    (void)e;
    for (size_t from = 0, i = 0; i < total->len; i++) {
        if (total->data[i] != ' ')
            continue;
        rows_add_digits(rows, 0, total->data + from, i - from);
        from = i + 1;
    }
    rows_end(rows, 0, 0);
    rows->n = 1;
    return 0;
}

static const struct kernel kernel_fake = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .attach = fake_attach,
    .detach = fake_detach,
    .run = fake_run,
    .fold = fake_fold,
    .result = fake_result,
};

/* --- what must come out --- */

struct fake_bad {
    uint64_t line;   /* from 1 */
    uint64_t before; /* good records in front of it */
    size_t at;       /* offset in `good` */
    const char *what;
    char token[64]; /* its first bytes */
};

enum { FAKE_BADS = 20000 };

/* The reading of a text: the good records, a line each, and the bad ones. */
struct fake_answer {
    struct qbuf good;
    uint64_t records, lines;
    size_t nbad;
    struct fake_bad *bad;
};

static inline void fake_judge(struct fake_answer *a, const char *token, size_t len,
                              uint64_t line)
{
    size_t sign = *token == '+' || *token == '-', digits = sign;
    while (digits < len && token[digits] >= '0' && token[digits] <= '9')
        digits++;
    const char *what = NULL;
    if (digits < len || len == sign)
        what = "not an integer";
    else if (*token == '-')
        what = "negative";
    if (what) {
        CU_ASSERT_FATAL(a->nbad < FAKE_BADS);
        struct fake_bad *bad = &a->bad[a->nbad++];
        *bad = (struct fake_bad){
            .line = line, .before = a->records, .at = a->good.len, .what = what};
        snprintf(bad->token, sizeof bad->token, "%.*s", (int)len, token);
        return;
    }
    while (sign < len - 1 && token[sign] == '0')
        sign++;
    qbuf_add(&a->good, token + sign, len - sign);
    qbuf_putc(&a->good, '\n');
    a->records++;
}

static inline struct fake_answer fake_read(const char *text, size_t len)
{
    struct fake_answer a = {.good = QBUF_INIT,
                            .bad = malloc(FAKE_BADS * sizeof *a.bad)};
    CU_ASSERT_FATAL(a.bad != NULL);
    for (size_t i = 0, token = SIZE_MAX; i <= len; i++) {
        bool blank = i == len || strchr(" \t\n\v\f\r", text[i]) != NULL;
        if (token != SIZE_MAX && blank) {
            fake_judge(&a, text + token, i - token, a.lines + 1);
            token = SIZE_MAX;
        } else if (token == SIZE_MAX && !blank) {
            if (text[i] == '#')
                while (i < len && text[i] != '\n')
                    i++;
            else
                token = i;
        }
        a.lines += i < len && text[i] == '\n';
    }
    return a;
}

static inline void fake_forget(struct fake_answer *a)
{
    qbuf_release(&a->good);
    free(a->bad);
}

/* A text of `n` tokens: numbers of all sizes, comments, and now and then a bad record.
 */
static inline void fake_text(struct qbuf *text, size_t n, unsigned bad_in)
{
    static const char *const bad[] = {"x", "-7", "q7", "1,000", "+", "12a", "\\\x01"};
    static const char *const gaps[] = {" ", "\n", "\n", "\r\n", "\n\n", "\t# 7 c\n"};
    qbuf_clear(text);
    for (size_t i = 0; i < n; i++) {
        if (bad_in > 0 && unit_random() % bad_in == 0)
            qbuf_puts(text, bad[unit_random() % (sizeof bad / sizeof *bad)]);
        else if (unit_random() % 8 == 0)
            qbuf_printf(text, "+00%" PRIu64 "%020" PRIu64, unit_random(),
                        unit_random());
        else
            qbuf_putu(text, unit_random() >> unit_random() % 64);
        qbuf_puts(text, gaps[unit_random() % (sizeof gaps / sizeof *gaps)]);
    }
    if (unit_random() % 2 && text->len > 0)
        text->len--;
    (void)qbuf_cstr(text);
}

#endif
