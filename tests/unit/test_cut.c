#include "source/cut.h"

#include "chunks.h"

/* --- a stream that comes as it is told to --- */

struct stream {
    const char *text;
    size_t len, at;
    size_t step;     /* most bytes a read gives; 0: any number */
    bool hesitates;  /* says CUT_NOTHING_NOW when it may */
    size_t fails_at; /* here a read fails, ... */
    int failures;    /* ... so many times; then it goes on */
    bool hurt;       /* it has failed, and is not to be read again */
    bool impatient;  /* was made to wait although it had given a whole token */
};

static bool has_token(const struct stream *s, size_t from)
{
    for (size_t i = from; i < s->at; i++)
        if (is_space(s->text[i]))
            return true;
    return false;
}

/* What has been handed on so far, for `impatient`. */
static size_t handed_on;

static ssize_t stream_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct stream *s = from;
    CU_ASSERT_FATAL(n > 0);
    if (s->at == s->fails_at && s->failures > 0) {
        s->failures--;
        s->hurt = true;
        return qerr_set(e, Q_EINPUT, "broken");
    }
    if (s->hesitates && wait && has_token(s, handed_on))
        s->impatient = true;
    if (s->hesitates && !wait && unit_random() % 2)
        return CUT_NOTHING_NOW;
    size_t most = s->step ? s->step : 1 + unit_random() % 40;
    size_t end = s->at < s->fails_at && s->fails_at < s->len ? s->fails_at : s->len;
    size_t left = end - s->at;
    n = n < most ? n : most;
    n = n < left ? n : left;
    memcpy(to, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static struct stream stream_of(const char *text, size_t len, size_t step)
{
    return (struct stream){
        .text = text, .len = len, .step = step, .fails_at = SIZE_MAX};
}

/* Reads the stream to its end: tokens, and how many chunks. The bytes of all chunks are
 * those of the stream; every chunk but the last ends in white space. */
static int drain(struct stream *s, struct tokens *t, struct qbuf *bytes, size_t *chunks,
                 struct qerr *e)
{
    struct cut cut;
    struct chunk *c = chunk_make();
    bool comment = false, blank_end = true;
    int rc;
    cut_init(&cut, &(struct position){0, 0});
    handed_on = s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    *chunks = 0;
    while ((rc = cut_next(&cut, stream_read, s, c, e)) > 0) {
        if (c->len == 0)
            continue;
        CU_ASSERT(blank_end);
        comment = chunk_check(c, comment, t);
        blank_end = is_space(c->text[c->len - 1]) || c->len == CHUNK_TEXT;
        if (bytes)
            qbuf_add(bytes, c->text, c->len);
        handed_on += c->len;
        ++*chunks;
    }
    chunk_unmake(c);
    cut_release(&cut);
    return rc;
}

/* --- any read sizes give the same tokens --- */

static const char *const pieces[] = {
    "7",           "12345678901234567890", "x",  "a#b",      "#",
    "##",          "# a comment",          "-1", "\xff\xfe", "#c",
    "\xef\xbb\xbf"};
static const char *const gaps[] = {" ", "\n", "\r\n", "\n\n", "\t", " \v\f ", "\n"};

static void random_text(struct qbuf *text, size_t len)
{
    qbuf_clear(text);
    while (text->len < len) {
        qbuf_puts(text, pieces[unit_random() % (sizeof pieces / sizeof *pieces)]);
        qbuf_puts(text, gaps[unit_random() % (sizeof gaps / sizeof *gaps)]);
    }
    if (text->len > 0 && unit_random() % 2)
        text->len--;
}

static void check_stream(struct stream s, const char *text, size_t len)
{
    struct tokens got = {QBUF_INIT, 0}, want = {QBUF_INIT, 0};
    struct qbuf bytes = QBUF_INIT;
    struct qerr e = QERR_INIT;
    size_t chunks;
    CU_ASSERT_EQUAL(drain(&s, &got, &bytes, &chunks, &e), 0);
    tokens_read(&want, text, len, false);
    CU_ASSERT(same_tokens(&got, &want));
    CU_ASSERT_EQUAL(bytes.len, len);
    CU_ASSERT(bytes.len == len && (len == 0 || memcmp(bytes.data, text, len) == 0));
    CU_ASSERT(!s.impatient);
    CU_ASSERT_EQUAL(e.code, Q_OK);
    qbuf_release(&bytes);
    tokens_release(&got);
    tokens_release(&want);
}

static void test_sizes(void)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 4096, CHUNK_TEXT, 0};
    struct qbuf text = QBUF_INIT;
    for (uint64_t i = 0; i < 20 * unit_scale(); i++) {
        random_text(&text, unit_random() % 300);
        bool mark = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
        for (size_t k = 0; k < 16; k++) {
            struct stream s = stream_of(text.data, text.len, steps[k % 8]);
            s.hesitates = k >= 8;
            check_stream(s, text.data + (mark ? 3 : 0), text.len - (mark ? 3 : 0));
        }
    }
    qbuf_release(&text);
}

/* More than one chunk, comments across their borders. */
static void test_chunks(void)
{
    struct qbuf text = QBUF_INIT;
    for (int i = 0; i < 3; i++) {
        random_text(&text, 2500000);
        text.data[0] = '7';
        if (i == 2)
            memset(text.data + CHUNK_TEXT - 5000, '#', 10000);
        check_stream(stream_of(text.data, text.len, 0x10000), text.data, text.len);
        check_stream(stream_of(text.data, text.len, CHUNK_TEXT), text.data, text.len);
    }
    /* A comment of several chunks without a blank, then with nothing but blanks. */
    for (int i = 0; i < 2; i++) {
        memset(text.data, i ? ' ' : 'c', text.len);
        memcpy(text.data, "7 #", 3);
        memcpy(text.data + text.len - 4, "\n8 9", 4);
        struct stream s = stream_of(text.data, text.len, 0x10000);
        struct tokens got = {QBUF_INIT, 0};
        struct qerr e = QERR_INIT;
        size_t chunks;
        CU_ASSERT_EQUAL(drain(&s, &got, NULL, &chunks, &e), 0);
        CU_ASSERT_EQUAL(got.n, 3);
        CU_ASSERT(got.text.len == 6 && memcmp(got.text.data, "7 8 9 ", 6) == 0);
        CU_ASSERT(chunks >= 2);
        tokens_release(&got);
    }
    qbuf_release(&text);
}

/* --- the byte order mark --- */

static void check_mark(const char *text, const char *want)
{
    for (size_t step = 1; step < 6; step++) {
        for (int hesitates = 0; hesitates < 2; hesitates++) {
            struct stream s = stream_of(text, strlen(text), step);
            s.hesitates = hesitates;
            check_stream(s, want, strlen(want));
        }
    }
}

static void test_mark(void)
{
    check_mark("\xef\xbb\xbf"
               "7 8",
               "7 8");
    check_mark("\xef\xbb\xbf# 7\n8", "# 7\n8");
    check_mark("\xef\xbb\xbf", "");
    check_mark("\xef\xbb\xbf\n", "\n");
    check_mark("\xef\xbb\xbf\xef\xbb\xbf"
               "7",
               "\xef\xbb\xbf"
               "7");
    check_mark("7 \xef\xbb\xbf"
               "8",
               "7 \xef\xbb\xbf"
               "8");
    check_mark("\xef\xbb", "\xef\xbb");
    check_mark("\xef\xbb 7", "\xef\xbb 7");
    check_mark("7", "7");
    check_mark("", "");
}

/* --- tokens that are too long --- */

static void check_long(size_t length, const char *before, const char *behind)
{
    struct qbuf text = QBUF_INIT;
    struct tokens want = {QBUF_INIT, 0};
    qbuf_puts(&text, before);
    char *to = qbuf_reserve(&text, length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memset(to, '1', length);
    text.len += length;
    qbuf_puts(&text, behind);
    tokens_read(&want, text.data, text.len, false);
    static const size_t steps[] = {50021, CHUNK_TEXT};
    for (int i = 0; i < 4; i++) {
        struct stream s = stream_of(text.data, text.len, steps[i % 2]);
        struct tokens got = {QBUF_INIT, 0};
        struct qerr e = QERR_INIT;
        size_t chunks;
        s.hesitates = i >= 2;
        CU_ASSERT_EQUAL(drain(&s, &got, NULL, &chunks, &e), 0);
        CU_ASSERT(same_tokens(&got, &want));
        tokens_release(&got);
    }
    tokens_release(&want);
    qbuf_release(&text);
}

static void test_long(void)
{
    static const size_t lengths[] = {TOKEN_MAX - 1, TOKEN_MAX, TOKEN_MAX + 1,
                                     TOKEN_MAX + 2, 3 * TOKEN_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        check_long(lengths[i], "", "");
        check_long(lengths[i], "7 ", " 8");
        check_long(lengths[i], "7 8 9\n", "\n# c\n8\n");
    }
    check_long(3 * TOKEN_MAX, "7 # c\n", "#no comment\n8");
}

/* --- errors --- */

/* What came before the error is handed on, but for a token that it may have cut; then
 * the error comes, and again, though the stream could go on. */
static void check_error(size_t fails_at, const char *want)
{
    static const char text[] = "7 8 # c\n123456 9\n";
    for (size_t step = 1; step < 20; step++) {
        struct stream s = stream_of(text, strlen(text), step);
        struct cut cut;
        struct chunk *c = chunk_make();
        struct tokens got = {QBUF_INIT, 0}, expected = {QBUF_INIT, 0};
        struct qerr e = QERR_INIT;
        bool comment = false;
        int rc;
        s.fails_at = fails_at;
        s.failures = 1;
        s.hesitates = step % 2;
        cut_init(&cut, &(struct position){0, 0});
        while ((rc = cut_next(&cut, stream_read, &s, c, &e)) > 0)
            comment = chunk_check(c, comment, &got);
        CU_ASSERT_EQUAL(rc, -Q_EINPUT);
        CU_ASSERT_STRING_EQUAL(e.text, "broken");
        e = (struct qerr)QERR_INIT;
        CU_ASSERT_EQUAL(cut_next(&cut, stream_read, &s, c, &e), -Q_EINPUT);
        CU_ASSERT_STRING_EQUAL(e.text, "broken");
        tokens_read(&expected, want, strlen(want), false);
        CU_ASSERT(same_tokens(&got, &expected));
        tokens_release(&got);
        tokens_release(&expected);
        chunk_unmake(c);
        cut_release(&cut);
    }
}

static void test_errors(void)
{
    check_error(0, "");
    check_error(1, "");
    check_error(2, "7");
    check_error(3, "7");
    check_error(6, "7 8");
    check_error(11, "7 8");
    check_error(14, "7 8");
    check_error(15, "7 8 123456");
    check_error(17, "7 8 123456 9");
}

static const struct unit_test tests[] = {
    {"any read sizes give the same tokens", test_sizes},
    {"several chunks, comments across them", test_chunks},
    {"the byte order mark", test_mark},
    {"tokens that are too long", test_long},
    {"errors midway", test_errors},
};

UNIT_MAIN("cut", tests)
