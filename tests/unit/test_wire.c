/* wire: spans and parts between ranks. */
#include "engine/wire.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void make_chunk(struct chunk *c, const char *text)
{
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(chunk_init(c, &e), 0);
    c->kind = CHUNK_OF_TEXT;
    c->len = strlen(text);
    memcpy(c->text, text, c->len);
    c->input = 3;
    c->origin = 1000;
}

static int carry(const struct span *s, const struct wire_file *file, struct chunk *to,
                 struct span *got, bool *in_file, struct wire_file *seen)
{
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct qwire w;
    wire_put_span(&b, s, file);
    qwire_init(&w, &b);
    int rc = wire_get_span(&w, to, got, in_file, seen, &e);
    CU_ASSERT_EQUAL(w.left, 0);
    qbuf_release(&b);
    return rc;
}

static void test_text(void)
{
    struct chunk c, to = {.text = NULL};
    struct span got;
    struct wire_file seen;
    bool in_file = true;
    make_chunk(&c, "12 34 56\n78 90\n");
    c.comment = c.has_hash = true;
    c.cut = CUT_AT_LINES;
    c.state_after = POSITION_IN_COMMENT;
    strcpy(c.failed, "it broke");
    CU_ASSERT_EQUAL(carry(&(struct span){&c, 9, 12}, NULL, &to, &got, &in_file, &seen),
                    0);
    CU_ASSERT(!in_file && got.chunk == &to && got.begin == 0 && got.end == 3);
    CU_ASSERT(memcmp(to.text, "78 ", 3) == 0);
    CU_ASSERT(to.input == 3 && to.origin == 1009 && to.cut == CUT_AT_LINES);
    /* What is true of the chunk's ends is not of its middle. */
    CU_ASSERT(!to.comment && to.has_hash && to.failed[0] == '\0' &&
              to.state_after == 0);
    CU_ASSERT_EQUAL(
        carry(&(struct span){&c, 0, c.len}, NULL, &to, &got, &in_file, &seen), 0);
    CU_ASSERT(to.comment && strcmp(to.failed, "it broke") == 0);
    CU_ASSERT(to.state_after == POSITION_IN_COMMENT && to.len == c.len);
    chunk_release(&c);
    chunk_release(&to);
}

static void test_place_in_a_file(void)
{
    struct chunk c, to = {.text = NULL};
    struct span got;
    struct wire_file file = {10, 20, 30}, seen = {0, 0, 0};
    bool in_file = false;
    make_chunk(&c, "12 34 56\n78 90\n");
    CU_ASSERT_EQUAL(carry(&(struct span){&c, 9, 15}, &file, &to, &got, &in_file, &seen),
                    0);
    CU_ASSERT(in_file && to.origin == 1009 && to.len == 6 && got.end == 6);
    CU_ASSERT_TRUE(wire_same_file(&file, &seen));
    CU_ASSERT(to.room >= 6);
    seen.mtime_ns++;
    CU_ASSERT_FALSE(wire_same_file(&file, &seen));
    chunk_release(&c);
    chunk_release(&to);
}

static void test_range(void)
{
    struct chunk c, to = {.text = NULL};
    struct span got;
    struct wire_file seen;
    bool in_file;
    make_chunk(&c, "1000000000000000000000");
    c.kind = CHUNK_OF_RANGE;
    c.first = 5;
    c.count = 100;
    CU_ASSERT_EQUAL(carry(&(struct span){&c, 10, 20}, NULL, &to, &got, &in_file, &seen),
                    0);
    CU_ASSERT(to.kind == CHUNK_OF_RANGE && to.first == 5 && to.count == 100);
    CU_ASSERT(got.begin == 10 && got.end == 20 && to.len == 22);
    CU_ASSERT(memcmp(to.text, "1000000000000000000000", 22) == 0);
    chunk_release(&c);
    chunk_release(&to);
}

static void fill_part(struct part *p)
{
    struct qerr e = QERR_INIT;
    part_init(p);
    qbuf_puts(&p->out, "1: \n2: 2\n");
    qbuf_add(&p->fold, "f\0g", 3);
    struct bad_record bad = {.before = 1, .line = 2, .len = 3};
    CU_ASSERT_EQUAL(part_add_bad(p, &bad, "no number", "abc", &e), 0);
    bad.line = 9;
    CU_ASSERT_EQUAL(part_add_bad(p, &bad, "too long", "def", &e), 0);
    p->records = 11;
    p->unfinished = 12;
    p->probable = 13;
    p->lines = 14;
    p->busy_ns = 15;
    qerr_set(&p->err, Q_EIO, "it ends");
}

static void test_part(void)
{
    struct part p, got;
    struct qbuf b = QBUF_INIT;
    struct qerr e = QERR_INIT;
    struct qwire w;
    fill_part(&p);
    part_init(&got);
    qbuf_puts(&got.out, "old");
    wire_put_part(&b, &p);
    qwire_init(&w, &b);
    CU_ASSERT_EQUAL(wire_get_part(&w, &got, &e), 0);
    CU_ASSERT(got.out.len == p.out.len &&
              memcmp(got.out.data, p.out.data, p.out.len) == 0);
    CU_ASSERT(got.fold.len == 3 && memcmp(got.fold.data, "f\0g", 3) == 0);
    CU_ASSERT_EQUAL_FATAL(got.nbad, 2);
    CU_ASSERT_STRING_EQUAL(part_what(&got, &got.bad[1]), "too long");
    CU_ASSERT(got.bad[1].line == 9 && got.bad[0].at == p.out.len);
    CU_ASSERT(memcmp(got.tokens.data + got.bad[0].token, "abc", 3) == 0);
    CU_ASSERT(got.records == 11 && got.unfinished == 12 && got.probable == 13);
    CU_ASSERT(got.lines == 14 && got.busy_ns == 15);
    CU_ASSERT(got.err.code == Q_EIO && strcmp(got.err.text, "it ends") == 0);
    /* A message that is cut short is refused, wherever. */
    for (size_t len = 0; len < b.len; len++) {
        struct qbuf part = QBUF_INIT;
        e = (struct qerr)QERR_INIT;
        qbuf_add(&part, b.data, len);
        qwire_init(&w, &part);
        CU_ASSERT_EQUAL(wire_get_part(&w, &got, &e), -Q_ECHECK);
        qbuf_release(&part);
    }
    part_release(&p);
    part_release(&got);
    qbuf_release(&b);
}

static void test_look(void)
{
    struct wire_file f;
    wire_look(&f, "/dev/null");
    CU_ASSERT(f.size == 0 && f.mtime_s == 0);
    wire_look(&f, "/proc/self/exe");
    CU_ASSERT(f.size > 0);
    wire_look(&f, "/not/there");
    CU_ASSERT(f.size == 0 && f.mtime_s == 0 && f.mtime_ns == 0);
}

static const struct unit_test tests[] = {
    {"a text", test_text},           {"a place in a file", test_place_in_a_file},
    {"a range", test_range},         {"a part", test_part},
    {"how a file looks", test_look},
};

UNIT_MAIN("wire", tests)
