/*
 * Reading on from any position that a source has given finds exactly the tokens, or
 * integers, that were not read before it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "chunks.h"
#include "packed.h"
#include "source/cut.h"
#include "tree.h"

static struct tree tree;

/* Where a chunk ended, and how many bytes of tokens (as struct tokens writes them) and
 * tokens came before. */
struct stop {
    struct position at;
    size_t bytes, tokens;
};

struct stops {
    struct stop *list;
    size_t n;
};

static void stops_add(struct stops *s, struct position at, const struct tokens *t)
{
    s->list = realloc(s->list, (s->n + 1) * sizeof *s->list);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->list);
    s->list[s->n++] = (struct stop){at, t->text.len, t->n};
}

/* The tokens in `rest` are those of `all` behind the stop. */
static bool is_rest(const struct tokens *rest, const struct tokens *all,
                    const struct stop *from)
{
    return rest->n == all->n - from->tokens &&
           rest->text.len == all->text.len - from->bytes &&
           (rest->text.len == 0 ||
            memcmp(rest->text.data, all->text.data + from->bytes, rest->text.len) == 0);
}

/* --- texts --- */

static const char *const pieces[] = {"7",   "12345678901234567890", "x",  "a#b", "#",
                                     "##7", "# a comment, 8 9",     "-1", "1#"};
static const char *const gaps[] = {" ", "\n", "\r\n", "\n\n", "\t", " \v\f "};

static void add_token(struct qbuf *text, size_t len)
{
    char *to = qbuf_reserve(text, len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    memset(to, '1', len);
    text->len += len;
}

/* `longest`: of the tokens and comments that stand among the others now and then. */
static void random_text(struct qbuf *text, size_t len, size_t longest)
{
    qbuf_clear(text);
    if (unit_random() % 2)
        qbuf_puts(text, "\xef\xbb\xbf");
    while (text->len < len) {
        uint64_t kind = unit_random();
        if (kind % 64 == 0 && unit_random() % (longest / 2000 + 1) == 0) {
            qbuf_puts(text, kind & 64 ? "# c " : "");
            add_token(text, unit_random() % longest);
        } else {
            qbuf_puts(text, pieces[unit_random() % (sizeof pieces / sizeof *pieces)]);
        }
        qbuf_puts(text, gaps[unit_random() % (sizeof gaps / sizeof *gaps)]);
    }
    if (unit_random() % 2)
        text->len--;
}

/* The tokens of a text, found without the cutter. */
static void tokens_of(struct tokens *t, const struct qbuf *text)
{
    size_t mark = text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    tokens_read(t, text->data + mark, text->len - mark, false);
}

/* --- the cutter: chunks of any size --- */

struct memory {
    const struct qbuf *text;
    size_t at;
    size_t most; /* bytes a read gives */
};

static ssize_t memory_read(void *from, char *to, size_t n, bool wait, struct qerr *e)
{
    struct memory *m = from;
    (void)e;
    if (!wait && unit_random() % 2)
        return CUT_NOTHING_NOW;
    size_t left = m->text->len - m->at;
    n = n < m->most ? n : m->most;
    n = n < left ? n : left;
    memcpy(to, m->text->data + m->at, n);
    m->at += n;
    return (ssize_t)n;
}

/* Reads from `at` on; adds where the chunks ended. */
static void cut_all(const struct qbuf *text, size_t most, struct position at,
                    struct tokens *t, struct stops *stops)
{
    struct memory m = {text, at.offset, most};
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    struct cut cut;
    bool comment = at.state & POSITION_IN_COMMENT;
    cut_init(&cut, &at);
    while (cut_next(&cut, memory_read, &m, c, &e) > 0) {
        comment = chunk_check(c, comment, t);
        struct position end = chunk_position(c, c->len);
        CU_ASSERT_EQUAL(comment, (end.state & POSITION_IN_COMMENT) != 0);
        if (stops && c->len > 0)
            stops_add(stops, end, t);
    }
    CU_ASSERT_EQUAL(e.code, Q_OK);
    cut_release(&cut);
    chunk_unmake(c);
}

/* Every stop of one reading begins another. Returns the states seen. */
static unsigned check_cut(const struct qbuf *text, size_t most)
{
    struct tokens all = {QBUF_INIT, 0}, want = {QBUF_INIT, 0};
    struct stops stops = {NULL, 0};
    unsigned states = 0;
    tokens_of(&want, text);
    cut_all(text, most, (struct position){0, 0}, &all, &stops);
    CU_ASSERT(same_tokens(&all, &want));
    for (size_t i = 0; i < stops.n; i++) {
        struct tokens rest = {QBUF_INIT, 0};
        cut_all(text, most, stops.list[i].at, &rest, NULL);
        CU_ASSERT(is_rest(&rest, &all, &stops.list[i]));
        states |= 1u << stops.list[i].at.state;
        tokens_release(&rest);
    }
    free(stops.list);
    tokens_release(&all);
    tokens_release(&want);
    return states;
}

static void test_cut(void)
{
    struct qbuf text = QBUF_INIT;
    unsigned states = 0;
    for (uint64_t i = 0; i < 40 * unit_scale(); i++) {
        random_text(&text, unit_random() % 400, 100);
        states |= check_cut(&text, 1 + unit_random() % 50);
    }
    CU_ASSERT(states & 1u << POSITION_IN_COMMENT);
    qbuf_release(&text);
}

/* Chunks that end inside a token that is too long, inside a comment, and in both. */
static void test_long(void)
{
    struct qbuf text = QBUF_INIT;
    unsigned states = 0;
    for (int i = 0; i < 4; i++) {
        qbuf_clear(&text);
        qbuf_puts(&text, "7 8\n");
        qbuf_puts(&text, i % 2 ? "# " : "");
        add_token(&text, 5 * (size_t)TOKEN_MAX / 2);
        qbuf_puts(&text, i < 2 ? " #9\n10 11" : "\n9 # c");
        states |= check_cut(&text, CHUNK_TEXT);
    }
    CU_ASSERT(states & 1u << POSITION_SWALLOWING);
    CU_ASSERT(states & 1u << (POSITION_SWALLOWING | POSITION_IN_COMMENT));
    qbuf_release(&text);
}

/* --- files, as they are and compressed --- */

static struct input write_file(char *path, size_t size, const struct qbuf *data)
{
    snprintf(path, size, "%s/list", tree.root);
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f && fwrite(data->data, 1, data->len, f) == data->len &&
                    fclose(f) == 0);
    return (struct input){
        .kind = INPUT_FILE, .text = path, .name = path, .len = strlen(path)};
}

/* Reads an input from `at` on; adds where chunks ended, and where they may be cut. */
static void read_on(const struct source *source, const struct input *in,
                    struct position at, struct tokens *t, struct stops *stops)
{
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    void *state = NULL;
    bool comment = at.state & POSITION_IN_COMMENT;
    CU_ASSERT_EQUAL_FATAL(source->open(&state, NULL, in, &at, &e), 0);
    while (source->next(state, c, &e) > 0) {
        struct span span = {c, 0, c->len};
        uint64_t middle = c->len > 0 ? span_cut(&span, unit_random() % c->len) : 0;
        if (stops && middle > 0 && middle < c->len) {
            struct tokens part = {QBUF_INIT, t->n};
            qbuf_add(&part.text, t->text.data, t->text.len);
            tokens_read(&part, c->text, middle, c->comment);
            stops_add(stops, chunk_position(c, middle), &part);
            tokens_release(&part);
        }
        comment = chunk_check(c, comment, t);
        if (stops && c->len > 0)
            stops_add(stops, chunk_position(c, c->len), t);
    }
    CU_ASSERT_EQUAL(e.code, Q_OK);
    source->close(state);
    chunk_unmake(c);
}

static size_t check_source(const struct source *source, const struct input *in,
                           const struct qbuf *text)
{
    struct tokens all = {QBUF_INIT, 0}, want = {QBUF_INIT, 0};
    struct stops stops = {NULL, 0};
    tokens_of(&want, text);
    read_on(source, in, (struct position){0, 0}, &all, &stops);
    CU_ASSERT(same_tokens(&all, &want));
    for (size_t i = 0; i < stops.n; i++) {
        struct tokens rest = {QBUF_INIT, 0};
        read_on(source, in, stops.list[i].at, &rest, NULL);
        CU_ASSERT(is_rest(&rest, &all, &stops.list[i]));
        tokens_release(&rest);
    }
    size_t n = stops.n;
    free(stops.list);
    tokens_release(&all);
    tokens_release(&want);
    return n;
}

static void test_files(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    char path[200];
    for (uint64_t i = 0; i < 2 * unit_scale(); i++) {
        random_text(&text, 3000000, 3 * TOKEN_MAX);
        struct input in = write_file(path, sizeof path, &text);
        CU_ASSERT(check_source(&source_file, &in, &text) >= 3);
        for (enum pack_format f = PACK_GZIP; f <= PACK_ZSTD; f++) {
            size_t half = unit_random() % text.len;
            qbuf_clear(&data);
            pack(&data, f, text.data, half);
            pack(&data, f, text.data + half, text.len - half);
            in = write_file(path, sizeof path, &data);
            CU_ASSERT(check_source(&source_file, &in, &text) >= 3);
        }
    }
    qbuf_release(&text);
    qbuf_release(&data);
}

/* A plain file is not taken for a compressed one where reading goes on. */
static void test_disguise(void)
{
    struct qbuf text = QBUF_INIT;
    struct tokens t = {QBUF_INIT, 0};
    char path[200];
    qbuf_puts(&text, "7 8\n\x1f\x8b\x08 9\n");
    struct input in = write_file(path, sizeof path, &text);
    read_on(&source_file, &in, (struct position){4, 0}, &t, NULL);
    CU_ASSERT(t.n == 2 && t.text.len == 6 &&
              memcmp(t.text.data, "\x1f\x8b\x08 9 ", 6) == 0);
    tokens_release(&t);
    qbuf_release(&text);
}

/* Cut off, a compressed file fails where it failed before, and not earlier. */
static void test_cut_off(void)
{
    struct qbuf text = QBUF_INIT, data = QBUF_INIT;
    char path[200];
    for (int i = 0; i < 20000; i++)
        qbuf_printf(&text, "%" PRIu64 "\n", unit_random());
    pack(&data, PACK_GZIP, text.data, text.len);
    data.len -= data.len / 3;
    struct input in = write_file(path, sizeof path, &data);
    struct position at = {0, 0};
    for (int round = 0; round < 2; round++) {
        struct chunk *c = chunk_make();
        struct qerr e = QERR_INIT;
        void *state = NULL;
        CU_ASSERT_EQUAL_FATAL(source_file.open(&state, NULL, &in, &at, &e), 0);
        int rc;
        while ((rc = source_file.next(state, c, &e)) > 0) {
            CU_ASSERT_EQUAL(round, 0);
            at = chunk_position(c, c->len);
        }
        CU_ASSERT_EQUAL(rc, -Q_EINPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "the gzip data ends too early"));
        CU_ASSERT(at.offset > 0 && at.offset < text.len);
        source_file.close(state);
        chunk_unmake(c);
    }
    qbuf_release(&text);
    qbuf_release(&data);
}

/* --- literals and ranges --- */

static void test_literal(void)
{
    struct qbuf text = QBUF_INIT;
    for (int i = 0; i < 300000; i++)
        qbuf_printf(&text, "%" PRIu64 "\n", unit_random());
    char *copy = strdup(qbuf_cstr(&text));
    struct input in = {
        .kind = INPUT_LITERAL, .text = copy, .len = text.len, .name = "argument"};
    CU_ASSERT(check_source(&source_literal, &in, &text) >= 5);
    free(copy);
    qbuf_release(&text);
}

/* The range's integers, from an offset on, begin where the offset says. */
static void check_range(const char *range, uint64_t offset, const char *base,
                        uint64_t first, uint64_t count)
{
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    void *state = NULL;
    char text[200];
    snprintf(text, sizeof text, "%s", range);
    struct input in = {.kind = INPUT_RANGE, .text = text, .len = strlen(text)};
    CU_ASSERT_EQUAL_FATAL(
        source_range.open(&state, NULL, &in, &(struct position){offset, 0}, &e), 0);
    int rc = source_range.next(state, c, &e);
    CU_ASSERT_EQUAL(rc, count > 0);
    if (rc > 0) {
        CU_ASSERT_EQUAL(c->origin, offset);
        CU_ASSERT_EQUAL(c->first, first);
        CU_ASSERT_EQUAL(c->count, count);
        CU_ASSERT(c->len == strlen(base) && memcmp(c->text, base, c->len) == 0);
        CU_ASSERT_EQUAL(chunk_position(c, 1).offset, offset + 1);
        CU_ASSERT_EQUAL(chunk_position(c, count).state, 0);
        CU_ASSERT_EQUAL(source_range.next(state, c, &e), 0);
    }
    source_range.close(state);
    chunk_unmake(c);
}

static void test_range(void)
{
    check_range("10..19", 0, "", 10, 10);
    check_range("10..19", 1, "", 11, 9);
    check_range("10..19", 9, "", 19, 1);
    check_range("10..19", 10, "", 0, 0);
    check_range("18446744073709551606..18446744073709551625", 0, "18446744073709551606",
                0, 20);
    check_range("18446744073709551606..18446744073709551625", 15,
                "18446744073709551621", 0, 5);
    check_range("0..18446744073709551615", UINT64_MAX, "", UINT64_MAX, 1);
    /* More than one chunk stands for: the second begins where the first ended. */
    const uint64_t piece = UINT64_C(1) << 62;
    struct chunk *c = chunk_make();
    struct qerr e = QERR_INIT;
    void *state = NULL;
    char text[] = "5..18446744073709551615";
    struct input in = {.kind = INPUT_RANGE, .text = text, .len = strlen(text)};
    CU_ASSERT_EQUAL_FATAL(
        source_range.open(&state, NULL, &in, &(struct position){0, 0}, &e), 0);
    for (uint64_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(source_range.next(state, c, &e), 1);
        CU_ASSERT_EQUAL(c->origin, i * piece);
        CU_ASSERT_EQUAL(c->first, 5 + i * piece);
    }
    CU_ASSERT_EQUAL(source_range.next(state, c, &e), 0);
    source_range.close(state);
    chunk_unmake(c);
}

/* --- ident --- */

static int ident(const struct source *source, const struct input *in, struct qbuf *out)
{
    struct qerr e = QERR_INIT;
    qbuf_clear(out);
    int rc = source->ident(NULL, in, out, &e);
    CU_ASSERT_EQUAL(rc < 0 ? -rc : 0, (int)e.code);
    return rc;
}

static bool same_text(struct qbuf *a, struct qbuf *b)
{
    return strcmp(qbuf_cstr(a), qbuf_cstr(b)) == 0;
}

/* What is compared of a file: its size, and its time to the nanosecond. */
static void test_ident(void)
{
    struct qbuf text = QBUF_INIT, was = QBUF_INIT, is = QBUF_INIT;
    char path[200];
    qbuf_puts(&text, "7 8\n");
    struct input in = write_file(path, sizeof path, &text);
    struct timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 5},
                                {.tv_sec = 1000, .tv_nsec = 5}};
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
    CU_ASSERT_EQUAL(ident(&source_file, &in, &was), 0);
    CU_ASSERT(was.len > 0);
    CU_ASSERT_EQUAL(ident(&source_file, &in, &is), 0);
    CU_ASSERT(same_text(&was, &is));
    times[1].tv_nsec = 6;
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
    CU_ASSERT_EQUAL(ident(&source_file, &in, &is), 0);
    CU_ASSERT_FALSE(same_text(&was, &is));
    CU_ASSERT_EQUAL(truncate(path, 3), 0);
    times[1].tv_nsec = 5;
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
    CU_ASSERT_EQUAL(ident(&source_file, &in, &is), 0);
    CU_ASSERT_FALSE(same_text(&was, &is));

    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(ident(&source_file, &in, &is), -Q_EINPUT);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    CU_ASSERT_EQUAL(ident(&source_file, &in, &is), 1);
    CU_ASSERT_EQUAL(unlink(path), 0);
    in.kind = INPUT_STREAM;
    CU_ASSERT_EQUAL(ident(&source_file, &in, &is), 1);
    CU_ASSERT_EQUAL(ident(&source_literal, &in, &is), 0);
    CU_ASSERT_EQUAL(is.len, 0);
    CU_ASSERT_EQUAL(ident(&source_range, &in, &is), 0);
    CU_ASSERT_EQUAL(is.len, 0);
    qbuf_release(&text);
    qbuf_release(&was);
    qbuf_release(&is);
}

static void test_begin(void)
{
    tree_begin(&tree);
}

static void test_end(void)
{
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"chunks of any size", test_cut},
    {"tokens that are too long", test_long},
    {"a folder to work in", test_begin},
    {"files, plain and compressed", test_files},
    {"a plain file stays plain", test_disguise},
    {"a compressed file that is cut off", test_cut_off},
    {"literals", test_literal},
    {"ranges", test_range},
    {"what tells that an input has changed", test_ident},
    {"the folder goes", test_end},
};

UNIT_MAIN("resume_source", tests)
