#include "core/lines.h"

#include <stdbool.h>
#include <string.h>

#include "source/cut.h"
#include "unit.h"

/* --- a stream in small steps, cut into chunks, these into spans, these into lines ---
 */

struct stream {
    const char *text;
    size_t len, at;
};

static ssize_t stream_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct stream *s = from;
    (void)e;
    if (!wait && unit_random() % 4 == 0)
        return CUT_NOTHING_NOW;
    size_t most = 1 + unit_random() % 100;
    n = n < most ? n : most;
    n = n < s->len - s->at ? n : s->len - s->at;
    memcpy(to, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* What is to come out: each line without the white space around it and "NUMBER:" in
 * front, empty ones left out. */
static void expect(const char *text, size_t len, struct qbuf *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; number++) {
        size_t end = i;
        while (end < len && text[end] != '\n')
            end++;
        size_t from = i, to = end;
        while (from < to && strchr(" \t\v\f\r", text[from]))
            from++;
        while (to > from && strchr(" \t\v\f\r", text[to - 1]))
            to--;
        if (to > from) {
            qbuf_printf(out, "%" PRIu64 ":", number);
            qbuf_add(out, text + from, to - from);
            qbuf_putc(out, '\n');
        }
        i = end + 1;
    }
}

/* Takes the lines of a span, now and then putting some back; returns its newlines. */
static uint64_t take_span(const struct span *span, uint64_t number, struct qbuf *out)
{
    static struct lines b;
    struct lines_reader r;
    lines_open(&r, span);
    while (lines_next(&r, &b, 1 + unit_random() % 5)) {
        CU_ASSERT_FATAL(b.n >= 1 && b.n <= 5);
        size_t done = unit_random() % 3 ? b.n : unit_random() % (b.n + 1);
        lines_unread(&r, &b, done);
        CU_ASSERT_EQUAL(b.n, done);
        for (size_t i = 0; i < done; i++) {
            qbuf_printf(out, "%" PRIu64 ":", number + b.before[i]);
            qbuf_add(out, b.text[i], b.len[i]);
            qbuf_putc(out, '\n');
        }
    }
    CU_ASSERT_EQUAL(r.pos, span->end);
    return r.lines;
}

static void take_stream(struct stream *s, struct qbuf *out)
{
    struct cut cut;
    struct qerr e = QERR_INIT;
    char *memory = calloc(1, CHUNK_PAD + CHUNK_TEXT + CHUNK_PAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    struct chunk chunk = {.text = memory + CHUNK_PAD, .cut = CUT_AT_LINES};
    uint64_t number = 0;
    cut_init(&cut, &(struct position){0, 0});
    while (cut_next(&cut, stream_read, s, &chunk, &e) > 0) {
        CU_ASSERT_FALSE(chunk.has_hash || chunk.comment);
        CU_ASSERT(chunk.len == 0 || chunk.text[chunk.len - 1] == '\n' ||
                  s->at == s->len);
        struct span rest = {&chunk, 0, chunk.len};
        while (rest.begin < rest.end) {
            struct span piece = rest;
            piece.end = span_cut(&rest, unit_random() % 60);
            CU_ASSERT_FATAL(piece.end > piece.begin && piece.end <= rest.end);
            CU_ASSERT(piece.end == rest.end || chunk.text[piece.end - 1] == '\n');
            number += take_span(&piece, number, out);
            rest.begin = piece.end;
        }
    }
    CU_ASSERT_EQUAL(e.code, Q_OK);
    cut_release(&cut);
    free(memory);
}

static void test_random(void)
{
    static const char letters[] = "ab12#: \t\r\n\n\n";
    struct qbuf text = QBUF_INIT, want = QBUF_INIT, got = QBUF_INIT;
    for (uint64_t k = 0; k < 200 * unit_scale(); k++) {
        qbuf_clear(&text);
        qbuf_clear(&want);
        qbuf_clear(&got);
        size_t len = unit_random() % 600;
        for (size_t i = 0; i < len; i++)
            qbuf_putc(&text, letters[unit_random() % (sizeof letters - 1)]);
        struct stream s = {text.data, text.len, 0};
        expect(text.data, text.len, &want);
        take_stream(&s, &got);
        CU_ASSERT_EQUAL_FATAL(got.len, want.len);
        CU_ASSERT(got.len == 0 || memcmp(got.data, want.data, got.len) == 0);
    }
    qbuf_release(&text);
    qbuf_release(&want);
    qbuf_release(&got);
}

/* --- a line that is too long: it is seen to be, and its neighbours are whole --- */

static ssize_t whole_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct stream *s = from;
    (void)wait;
    (void)e;
    n = n < s->len - s->at ? n : s->len - s->at;
    memcpy(to, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void long_line(size_t long_len)
{
    struct qbuf text = QBUF_INIT;
    qbuf_puts(&text, "first line\n");
    for (size_t i = 0; i < long_len; i++)
        qbuf_putc(&text, i > 0 ? ' ' : 'x');
    text.data[text.len - 1] = 'x';
    qbuf_puts(&text, "\nlast line");
    struct stream s = {text.data, text.len, 0};
    struct cut cut;
    struct qerr e = QERR_INIT;
    char *memory = calloc(1, CHUNK_PAD + CHUNK_TEXT + CHUNK_PAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    struct chunk chunk = {.text = memory + CHUNK_PAD, .cut = CUT_AT_LINES};
    static struct lines b;
    size_t lens[4] = {0}, n = 0;
    uint64_t newlines = 0;
    cut_init(&cut, &(struct position){0, 0});
    while (cut_next(&cut, whole_read, &s, &chunk, &e) > 0) {
        struct lines_reader r;
        lines_open(&r, &(struct span){&chunk, 0, chunk.len});
        while (lines_next(&r, &b, LINES_BLOCK))
            for (size_t i = 0; i < b.n && n < 4; i++)
                lens[n++] = b.len[i];
        newlines += r.lines;
    }
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_EQUAL(lens[0], 10);
    if (long_len <= TOKEN_MAX)
        CU_ASSERT_EQUAL(lens[1], long_len);
    CU_ASSERT_EQUAL(lens[1] > TOKEN_MAX, long_len > TOKEN_MAX);
    CU_ASSERT_EQUAL(lens[2], 9);
    CU_ASSERT_EQUAL(newlines, 2);
    cut_release(&cut);
    qbuf_release(&text);
    free(memory);
}

static void test_long(void)
{
    long_line(TOKEN_MAX - 12);
    long_line(TOKEN_MAX - 1);
    long_line(TOKEN_MAX);
    long_line((size_t)TOKEN_MAX + 1);
    long_line((size_t)TOKEN_MAX + 2);
    long_line((size_t)3 * TOKEN_MAX + 5);
}

static const struct unit_test tests[] = {
    {"random texts", test_random},
    {"long lines", test_long},
};

UNIT_MAIN("lines", tests)
