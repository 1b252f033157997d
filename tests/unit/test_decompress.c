#include "source/decompress.h"

#include <string.h>

#include "packed.h"

/* --- a stream that comes as it is told to --- */

struct stream {
    const char *data;
    size_t len, at;
    size_t step;    /* most bytes a read gives; 0: any number */
    bool hesitates; /* says CUT_NOTHING_NOW when it may */
    size_t pause;   /* nothing comes beyond this until someone waits */
};

static ssize_t stream_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct stream *s = from;
    (void)e;
    CU_ASSERT_FATAL(n > 0);
    if (!wait && (s->at >= s->pause || (s->hesitates && unit_random() % 2)))
        return CUT_NOTHING_NOW;
    size_t most = s->step ? s->step : 1 + unit_random() % 300;
    size_t end = s->at < s->pause && s->pause < s->len ? s->pause : s->len;
    size_t left = end - s->at;
    n = n < most ? n : most;
    n = n < left ? n : left;
    memcpy(to, s->data + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static struct stream stream_of(const struct qbuf *data, size_t step)
{
    return (struct stream){
        .data = data->data, .len = data->len, .step = step, .pause = SIZE_MAX};
}

/* Reads all, `room` bytes at a time (0: any number). Returns the last answer, which
 * is given again if it is an error. */
static ssize_t drain(struct stream *s, size_t room, struct qbuf *out, struct qerr *e)
{
    static char to[1 << 20];
    struct decompress d;
    ssize_t n;
    decompress_init(&d, stream_read, s, "list", false);
    do {
        size_t want = room ? room : 1 + unit_random() % 300;
        n = decompress_read(&d, to, want, !s->hesitates || unit_random() % 2, e);
        CU_ASSERT_FATAL(n <= (ssize_t)want);
        if (n > 0 && out)
            qbuf_add(out, to, (size_t)n);
    } while (n > 0 || n == CUT_NOTHING_NOW);
    struct qerr again = QERR_INIT;
    CU_ASSERT_EQUAL(decompress_read(&d, to, 1, true, &again), n);
    CU_ASSERT_STRING_EQUAL(again.text, e->text);
    decompress_release(&d);
    return n;
}

static bool same_bytes(const struct qbuf *got, const char *want, size_t len)
{
    return got->len == len && (len == 0 || memcmp(got->data, want, len) == 0);
}

/* All ways of reading `data` give `text`. */
static void check(const struct qbuf *data, const char *text, size_t len)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 4096, 0},
                        rooms[] = {0, 1 << 20, 1, 5};
    for (size_t i = 0; i < 14; i++) {
        struct qbuf out = QBUF_INIT;
        struct qerr e = QERR_INIT;
        struct stream s = stream_of(data, steps[i % 7]);
        s.hesitates = i >= 7;
        CU_ASSERT_EQUAL(drain(&s, rooms[i % 4], &out, &e), 0);
        CU_ASSERT_EQUAL(e.code, Q_OK);
        CU_ASSERT(same_bytes(&out, text, len));
        qbuf_release(&out);
    }
}

/* `data` gives an error that says `want`, and before it the bytes of `text`: all of
 * them, or (`part`) some from the start. Returns how many. */
static size_t check_bad(const struct qbuf *data, const char *text, size_t len,
                        bool part, const char *want)
{
    struct qbuf out = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct stream s = stream_of(data, 64);
    CU_ASSERT_EQUAL(drain(&s, 0, &out, &e), -Q_EINPUT);
    if (!strstr(e.text, want))
        printf("'%s' where '%s' is expected\n", e.text, want);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, want));
    CU_ASSERT_EQUAL(strncmp(e.text, "list: ", 6), 0);
    CU_ASSERT(out.len <= len);
    CU_ASSERT(same_bytes(&out, text, part ? out.len : len));
    size_t got = out.len;
    qbuf_release(&out);
    return got;
}

static void numbers(struct qbuf *text, size_t len)
{
    qbuf_clear(text);
    while (text->len < len)
        qbuf_printf(text, "%" PRIu64 "\n", unit_random() >> unit_random() % 60);
}

/* --- what is compressed --- */

static void test_round(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    for (uint64_t i = 0; i < 12 * unit_scale(); i++) {
        numbers(&text, i == 0 ? 0 : unit_random() % 3000);
        size_t half = text.len / 2;
        for (int level = 0; level <= 9; level += 3) {
            qbuf_clear(&data);
            pack_gzip(&data, text.data, text.len, level, 0);
            check(&data, text.data, text.len);
            qbuf_clear(&data);
            pack_zstd(&data, text.data, text.len, level, 0);
            check(&data, text.data, text.len);
        }
        for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) { /* members */
            qbuf_clear(&data);
            pack(&data, f, text.data, half);
            pack(&data, f, "", 0);
            pack(&data, f, text.data + half, text.len - half);
            check(&data, text.data, text.len);
        }
    }
    qbuf_release(&text);
    qbuf_release(&data);
}

static void test_large(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    numbers(&text, 3000000);
    for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) {
        qbuf_clear(&data);
        pack(&data, f, text.data, text.len);
        for (size_t step = 4096; step < 1 << 20; step *= 16) {
            struct qbuf out = QBUF_INIT;
            struct qerr e = QERR_INIT;
            struct stream s = stream_of(&data, step);
            CU_ASSERT_EQUAL(drain(&s, 1 << 20, &out, &e), 0);
            CU_ASSERT(same_bytes(&out, text.data, text.len));
            qbuf_release(&out);
        }
    }
    qbuf_release(&text);
    qbuf_release(&data);
}

/* Zero bytes behind members of gzip; frames that zstd skips. */
static void test_between(void)
{
    struct qbuf data = QBUF_INIT;
    char zeros[700] = {0};
    pack(&data, PACK_GZIP, "7 8\n", 4);
    qbuf_add(&data, zeros, 1);
    check(&data, "7 8\n", 4);
    qbuf_add(&data, zeros, sizeof zeros);
    check(&data, "7 8\n", 4);
    pack(&data, PACK_GZIP, "9\n", 2);
    qbuf_add(&data, zeros, 3);
    check(&data, "7 8\n9\n", 6);

    static const char skipped[] = "\x53\x2a\x4d\x18\x05\0\0\0hello";
    qbuf_clear(&data);
    qbuf_add(&data, skipped, sizeof skipped - 1);
    check(&data, "", 0);
    pack(&data, PACK_ZSTD, "7 8\n", 4);
    qbuf_add(&data, skipped, sizeof skipped - 1);
    pack(&data, PACK_ZSTD, "9\n", 2);
    check(&data, "7 8\n9\n", 6);
    qbuf_release(&data);
}

/* --- what is not --- */

static void test_plain(void)
{
    static const char *const texts[] = {
        "",         "7",      "7 8\n",     "\x1f",        "\x1f 7",
        "\x1f\x8c", "(",      "(1+2)*3\n", "(\xb5/",      "(\xb5/x",
        "P",        "PQRS 7", "P*M",       "_*M\x17 8\n", "\xef\xbb\xbf 7"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct qbuf data = QBUF_INIT;
        qbuf_puts(&data, texts[i]);
        check(&data, texts[i], strlen(texts[i]));
        CU_ASSERT_FALSE(decompress_knows(texts[i], strlen(texts[i])));
        qbuf_release(&data);
    }
    CU_ASSERT(decompress_knows("\x1f\x8b", 2));
    CU_ASSERT(decompress_knows("\x1f\x8b\x08x", 4));
    CU_ASSERT(decompress_knows("\x28\xb5\x2f\xfd", 4));
    CU_ASSERT_FALSE(decompress_knows("\x28\xb5\x2f\xfd", 3));
    CU_ASSERT(decompress_knows("\x5f\x2a\x4d\x18", 4));
}

/* Told that it is plain, it does not look. */
static void test_told(void)
{
    struct qbuf data = QBUF_INIT;
    struct decompress d;
    struct qerr e = QERR_INIT;
    char to[100];
    pack(&data, PACK_GZIP, "7\n", 2);
    struct stream s = stream_of(&data, 100);
    decompress_init(&d, stream_read, &s, "list", true);
    CU_ASSERT_EQUAL(decompress_read(&d, to, 100, true, &e), (ssize_t)data.len);
    CU_ASSERT_EQUAL(memcmp(to, data.data, data.len), 0);
    decompress_release(&d);
    qbuf_release(&data);
}

/* --- damage --- */

/* Cut off anywhere: all that came in whole blocks before, then an error. */
static void test_cut_off(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    numbers(&text, 600);
    for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) {
        size_t magic = f == PACK_GZIP ? 2 : 4, flush = 200, last = 0;
        qbuf_clear(&data);
        if (f == PACK_GZIP)
            pack_gzip(&data, text.data, text.len, 6, flush);
        else
            pack_zstd(&data, text.data, text.len, 3, flush);
        for (size_t len = magic; len < data.len; len++) {
            struct qbuf head = {data.data, len, len, false};
            size_t got = check_bad(&head, text.data, text.len, true,
                                   f == PACK_GZIP ? "the gzip data ends too early"
                                                  : "the zstd data ends too early");
            CU_ASSERT(got >= last);
            last = got;
        }
        CU_ASSERT_EQUAL(last, text.len); /* only the checksum was not whole */
        size_t whole = data.len;         /* also in a later frame, even in its magic */
        pack(&data, f, "", 0);
        for (size_t len = whole + 1; len < data.len; len++) {
            struct qbuf head = {data.data, len, len, false};
            check_bad(&head, text.data, text.len, false, "data ends too early");
        }
    }
    qbuf_release(&text);
    qbuf_release(&data);
}

/* Any byte changed: an error, or it did not matter. */
static void test_damaged(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    size_t errors = 0, cases = 0;
    numbers(&text, 500);
    for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) {
        qbuf_clear(&data);
        pack(&data, f, text.data, text.len);
        for (size_t i = f == PACK_GZIP ? 2 : 4; i < data.len; i++) {
            for (unsigned bit = 1; bit < 256; bit *= 2, cases++) {
                struct qbuf out = QBUF_INIT;
                struct qerr e = QERR_INIT;
                struct stream s = stream_of(&data, 64);
                data.data[i] = (char)(data.data[i] ^ (char)bit);
                ssize_t rc = drain(&s, 1000, &out, &e);
                data.data[i] = (char)(data.data[i] ^ (char)bit);
                CU_ASSERT(rc == -Q_EINPUT || rc == 0);
                CU_ASSERT(rc < 0 || same_bytes(&out, text.data, text.len));
                errors += rc < 0;
                qbuf_release(&out);
            }
        }
    }
    CU_ASSERT(errors > cases * 9 / 10);
    qbuf_clear(&data);
    pack(&data, PACK_GZIP, text.data, text.len);
    data.data[data.len - 8] ^= 1;
    check_bad(&data, text.data, text.len, false, "the gzip data is damaged: ");
    qbuf_release(&text);
    qbuf_release(&data);
}

static void test_garbage(void)
{
    static const char *const garbage[] = {"7\n", "x", "\x1f x", "\x1f\x8c", "\xff"};
    for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) {
        for (size_t i = 0; i <= sizeof garbage / sizeof *garbage; i++) {
            struct qbuf data = QBUF_INIT;
            pack(&data, f, "7 8\n", 4);
            if (i < sizeof garbage / sizeof *garbage)
                qbuf_puts(&data, garbage[i]);
            else /* a frame of the other format */
                pack(&data, f == PACK_GZIP ? PACK_ZSTD : PACK_GZIP, "9\n", 2);
            check_bad(&data, "7 8\n", 4, false,
                      f == PACK_GZIP ? "something else follows the gzip data"
                                     : "something else follows the zstd data");
            qbuf_release(&data);
        }
    }
    struct qbuf data = QBUF_INIT; /* zero bytes are padding of gzip only */
    pack(&data, PACK_ZSTD, "7 8\n", 4);
    qbuf_putc(&data, '\0');
    check_bad(&data, "7 8\n", 4, false, "something else follows the zstd data");
    qbuf_clear(&data);
    pack(&data, PACK_GZIP, "7 8\n", 4);
    qbuf_add(&data, "\0\0x", 3);
    check_bad(&data, "7 8\n", 4, false, "something else follows the gzip data");
    qbuf_release(&data);
}

/* A frame by hand (RFC 8878, 3.1.1): its window is 2^(10 + exponent), its only block
 * holds one byte as it is. */
static void test_window(void)
{
    for (int exponent = 16; exponent <= 21; exponent++) {
        const char frame[] = {'\x28', '\xb5', '\x2f', '\xfd', 0, (char)(exponent << 3),
                              '\x09', 0,      0,      '7'};
        struct qbuf data = QBUF_INIT;
        qbuf_add(&data, frame, sizeof frame);
        if (exponent <= 17)
            check(&data, "7", 1);
        else
            check_bad(&data, "", 0, false, "the zstd data is damaged: Frame requires");
        qbuf_release(&data);
    }
}

/* --- bombs --- */

/* Repeats a frame of `size` equal bytes until `total` bytes come out. */
static ssize_t explode(uint64_t total, struct qerr *e)
{
    static char bytes[1 << 24];
    struct qbuf data = QBUF_INIT;
    memset(bytes, '7', sizeof bytes);
    for (uint64_t made = 0; made < total; made += sizeof bytes)
        pack_zstd(&data, bytes, sizeof bytes, 1, 0);
    struct stream s = stream_of(&data, 1 << 20);
    ssize_t rc = drain(&s, 1 << 20, NULL, e);
    qbuf_release(&data);
    return rc;
}

static void test_bomb(void)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(explode(1 << 26, &e), 0);
    CU_ASSERT_EQUAL(explode(UINT64_C(5) << 28, &e), -Q_EINPUT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e.text, "list: the zstd data is a decompression bomb"));
}

/* --- streaming --- */

/* What a writer has flushed can be read although nothing more comes. */
static void test_flushed(void)
{
    static const char text[] = "7 8 9\n12345678901234567890\n";
    for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) {
        struct qbuf data = QBUF_INIT, head = QBUF_INIT;
        size_t len = sizeof text - 1;
        if (f == PACK_GZIP)
            pack_gzip(&data, text, len, 6, 6);
        else
            pack_zstd(&data, text, len, 3, 6);
        /* How many bytes the first flush made: those that the first six bytes need. */
        size_t first = 0;
        for (bool found = false; !found; first++) {
            struct qerr e = QERR_INIT;
            struct qbuf part = {data.data, first + 1, first + 1, false};
            struct stream s = stream_of(&part, 0);
            qbuf_clear(&head);
            drain(&s, 1000, &head, &e);
            found = same_bytes(&head, text, 6);
        }
        CU_ASSERT(first < data.len);
        struct decompress d;
        struct qerr e = QERR_INIT;
        char to[100];
        struct stream s = stream_of(&data, 0);
        s.pause = first;
        decompress_init(&d, stream_read, &s, "list", false);
        qbuf_clear(&head);
        ssize_t n;
        while ((n = decompress_read(&d, to, sizeof to, false, &e)) > 0)
            qbuf_add(&head, to, (size_t)n);
        CU_ASSERT_EQUAL(n, CUT_NOTHING_NOW);
        CU_ASSERT(same_bytes(&head, text, 6));
        while ((n = decompress_read(&d, to, sizeof to, true, &e)) > 0)
            qbuf_add(&head, to, (size_t)n);
        CU_ASSERT_EQUAL(n, 0);
        CU_ASSERT(same_bytes(&head, text, len));
        decompress_release(&d);
        qbuf_release(&data);
        qbuf_release(&head);
    }
}

/* The bytes of a number typed by hand are handed on before more come. */
static void test_typed(void)
{
    struct qbuf data = QBUF_INIT;
    struct decompress d;
    struct qerr e = QERR_INIT;
    char to[100];
    qbuf_puts(&data, "7\n8\n");
    struct stream s = stream_of(&data, 100);
    s.pause = 2;
    decompress_init(&d, stream_read, &s, "list", false);
    CU_ASSERT_EQUAL(decompress_read(&d, to, sizeof to, false, &e), 2);
    CU_ASSERT_EQUAL(decompress_read(&d, to, sizeof to, false, &e), CUT_NOTHING_NOW);
    CU_ASSERT_EQUAL(decompress_read(&d, to, sizeof to, true, &e), 2);
    decompress_release(&d);
    qbuf_release(&data);
}

static void test_skip(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    numbers(&text, 200000);
    for (int f = -1; f <= PACK_ZSTD; f++) {
        qbuf_clear(&data);
        if (f < 0)
            qbuf_add(&data, text.data, text.len);
        else
            pack(&data, (enum pack_format)f, text.data, text.len);
        for (int i = 0; i < 20; i++) {
            size_t skip = i == 0 ? 0 : i == 1 ? text.len : unit_random() % text.len;
            struct decompress d;
            struct qerr e = QERR_INIT;
            char byte;
            struct stream s = stream_of(&data, 4096);
            decompress_init(&d, stream_read, &s, "list", false);
            CU_ASSERT_EQUAL(decompress_skip(&d, skip, &e), 0);
            CU_ASSERT_EQUAL(decompress_read(&d, &byte, 1, true, &e), skip < text.len);
            CU_ASSERT(skip == text.len || byte == text.data[skip]);
            CU_ASSERT_EQUAL(decompress_skip(&d, text.len, &e),
                            0); /* more than there is */
            CU_ASSERT_EQUAL(decompress_read(&d, &byte, 1, true, &e), 0);
            decompress_release(&d);
        }
    }
    data.len /= 2;
    struct decompress d;
    struct qerr e = QERR_INIT;
    struct stream s = stream_of(&data, 4096);
    decompress_init(&d, stream_read, &s, "list", false);
    CU_ASSERT_EQUAL(decompress_skip(&d, text.len, &e), -Q_EINPUT);
    decompress_release(&d);
    qbuf_release(&text);
    qbuf_release(&data);
}

static const struct unit_test tests[] = {
    {"any read sizes give the text", test_round},
    {"megabytes", test_large},
    {"padding and skipped frames", test_between},
    {"plain data passes through", test_plain},
    {"data that is said to be plain", test_told},
    {"data that is cut off", test_cut_off},
    {"data with a wrong bit", test_damaged},
    {"something else behind the data", test_garbage},
    {"zstd windows", test_window},
    {"decompression bombs", test_bomb},
    {"flushed data comes at once", test_flushed},
    {"typed data comes at once", test_typed},
    {"skipping", test_skip},
};

UNIT_MAIN("decompress", tests)
