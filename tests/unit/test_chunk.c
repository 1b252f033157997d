#include "unit.h"

#include "core/chunk.h"

#include <string.h>

static bool may_cut(const struct chunk *c, const struct span *s, uint64_t at,
                    bool lines)
{
    char before = c->text[at - 1];
    return at == s->end || before == '\n' || (!lines && memchr(" \t\v\f\r", before, 5));
}

/* The contract, place by place. Returns the cut. */
static uint64_t check_cut(const struct chunk *c, uint64_t begin, uint64_t end,
                          uint64_t want)
{
    const struct span s = {c, begin, end};
    bool lines = c->has_hash || c->comment;
    uint64_t cut = span_cut(&s, want);
    CU_ASSERT_FATAL(cut > begin && cut <= end);
    CU_ASSERT(may_cut(c, &s, cut, lines));
    if (want >= end - begin) {
        CU_ASSERT_EQUAL(cut, end);
        return cut;
    }
    /* Not much longer than wanted, nor less than half, if another place is there. */
    if (want == 0)
        want = 1;
    for (uint64_t at = begin + want + 1; at < cut; at++)
        CU_ASSERT(!may_cut(c, &s, at, lines));
    if (cut > begin + want)
        for (uint64_t at = begin + want; at > begin + want / 2; at--)
            CU_ASSERT(!may_cut(c, &s, at, lines));
    CU_ASSERT(2 * (cut - begin) >= want);
    return cut;
}

static char *soup(size_t len, unsigned blanks)
{
    char *text = malloc(len + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < len; i++)
        text[i] = unit_random() % 100 < blanks
                      ? "\n \t\v\f\r"[unit_random() % 6]
                      : "0123456789#x\0\x85\xa0"[unit_random() % 15];
    return text;
}

static void cut_text(void)
{
    for (uint64_t round = 0; round < 300 * unit_scale(); round++) {
        size_t len = 1 + unit_random() % 400;
        char *text = soup(len, (unsigned)(round % 7) * 6);
        const struct chunk c = {.kind = CHUNK_OF_TEXT,
                                .text = text,
                                .len = len,
                                .comment = round % 3 == 1,
                                .has_hash = round % 3 == 2};
        for (uint64_t want = 0; want < len + 3; want++) {
            uint64_t begin = 0;
            while (begin < len)
                begin = check_cut(&c, begin, len, want);
            /* Also parts of parts. */
            uint64_t end = check_cut(&c, 0, len, unit_random() % len);
            check_cut(&c, 0, end, want);
            check_cut(&c, unit_random() % end, end, want);
        }
        check_cut(&c, 0, len, UINT64_MAX);
        free(text);
    }
}

static void cut_range(void)
{
    const struct chunk c = {.kind = CHUNK_OF_RANGE, .first = 5, .count = UINT64_MAX};
    struct span s = {&c, 0, UINT64_MAX};
    CU_ASSERT_EQUAL(span_cut(&s, 0), 1);
    CU_ASSERT_EQUAL(span_cut(&s, 1), 1);
    CU_ASSERT_EQUAL(span_cut(&s, 1000), 1000);
    CU_ASSERT_EQUAL(span_cut(&s, UINT64_MAX), UINT64_MAX);
    s.begin = UINT64_MAX - 10;
    CU_ASSERT_EQUAL(span_cut(&s, 9), UINT64_MAX - 1);
    CU_ASSERT_EQUAL(span_cut(&s, 10), UINT64_MAX);
    CU_ASSERT_EQUAL(span_cut(&s, 11), UINT64_MAX);
    CU_ASSERT_EQUAL(span_cut(&s, UINT64_MAX), UINT64_MAX);
    CU_ASSERT_EQUAL(chunk_size(&c), UINT64_MAX);
}

/* Cutting up a large chunk into the smallest pieces reads it a few times, not once for
 * each piece: a quadratic walk would take 2^40 steps here. */
static void cut_is_linear(void)
{
    for (int kind = 0; kind < 4; kind++) {
        size_t len = CHUNK_TEXT;
        char *text = malloc(len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        memset(text, kind == 0 ? '\n' : '7', len);
        for (size_t i = 0; kind >= 2 && i < len; i += kind == 2 ? 8 : 300)
            text[i] = '\n';
        const struct chunk c = {
            .kind = CHUNK_OF_TEXT, .text = text, .len = len, .has_hash = kind % 2};
        for (uint64_t want = 1; want < len; want *= 16) {
            struct span s = {&c, 0, len};
            uint64_t pieces = 0;
            while (s.begin < s.end) {
                s.begin = span_cut(&s, want);
                pieces++;
            }
            CU_ASSERT_EQUAL(s.begin, len);
            CU_ASSERT(pieces <= 2 * len / want + 1);
            CU_ASSERT(kind != 1 || pieces == 1);
        }
        free(text);
    }
}

static void white_space(void)
{
    for (int byte = 0; byte < 256; byte++)
        CU_ASSERT_EQUAL(chunk_is_space((char)byte),
                        byte != 0 && strchr(" \t\n\v\f\r", byte) != NULL);
}

/* Where a journal would go on: in a comment only at the ends of a chunk. */
static void positions(void)
{
    struct chunk c = {.kind = CHUNK_OF_TEXT, .len = 10, .origin = 1000};
    for (unsigned begin = 0; begin < 2; begin++) {
        for (unsigned state = 0; state < 4; state++) {
            c.comment = begin;
            c.state_after = state;
            struct position first = chunk_position(&c, 0), mid = chunk_position(&c, 5);
            struct position last = chunk_position(&c, 10);
            CU_ASSERT_EQUAL(first.offset, 1000);
            CU_ASSERT_EQUAL(first.state, begin ? POSITION_IN_COMMENT : 0);
            CU_ASSERT(mid.offset == 1005 && mid.state == 0);
            CU_ASSERT(last.offset == 1010 && last.state == state);
        }
    }
}

static const struct unit_test tests[] = {
    {"positions in the input", positions},
    {"white space", white_space},
    {"text is cut behind blanks or lines", cut_text},
    {"a range is cut anywhere", cut_range},
    {"small pieces do not cost more", cut_is_linear},
};

UNIT_MAIN("chunk", tests)
