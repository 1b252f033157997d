/* A coding that is taken off as a body comes: the same bytes however it is cut, and
 * nothing that is damaged, cut off, or a bomb. zlib's own compressor packs. */
#include "source/coding.h"

#include <string.h>

#include "packed.h"
#include "unit.h"

static struct qbuf out;
static bool bounded = true;
static size_t most = SIZE_MAX; /* that `put` takes in all */

static bool put(void *to, const char *bytes, size_t n)
{
    CU_ASSERT_PTR_EQUAL(to, &out);
    if (out.len + n > most)
        return false;
    qbuf_add(&out, bytes, n);
    return true;
}

/* Pushes the bytes, `step` at a time; *complete: whether they may end there. */
static enum coding_state push(const struct qbuf *packed, size_t step, bool *complete)
{
    struct qerr e = QERR_INIT;
    struct coding *c = coding_new(bounded, &e);
    enum coding_state state = CODING_FINE;
    const char *what = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    qbuf_clear(&out);
    for (size_t at = 0; at < packed->len && state == CODING_FINE; at += step) {
        size_t n = step < packed->len - at ? step : packed->len - at;
        state = coding_push(c, packed->data + at, n, put, &out, &what);
    }
    if (state == CODING_DAMAGED)
        CU_ASSERT_PTR_NOT_NULL(what);
    *complete = coding_is_complete(c);
    coding_free(c);
    return state;
}

static void gives(const struct qbuf *packed, size_t step, const struct qbuf *want)
{
    bool complete;
    CU_ASSERT_EQUAL(push(packed, step, &complete), CODING_FINE);
    CU_ASSERT(complete && out.len == want->len &&
              (want->len == 0 || memcmp(out.data, want->data, out.len) == 0));
}

static void test_cuts(void)
{
    struct qbuf text = QBUF_INIT, packed = QBUF_INIT, none = QBUF_INIT;
    for (int i = 0; i < 40000; i++)
        qbuf_printf(&text, "%" PRIu64 "\n", unit_random() % 1000);
    pack_gzip(&packed, text.data, text.len / 2, 6, 0);
    pack_gzip(&packed, text.data + text.len / 2, text.len - text.len / 2, 1, 1000);
    for (size_t step = 1; step < 2 * packed.len; step = 3 * step + 1)
        gives(&packed, step, &text);
    gives(&none, 1, &none); /* a body of no bytes is no damage */
    qbuf_clear(&packed);
    pack_gzip(&packed, "", 0, 6, 0);
    gives(&packed, 1, &none);
    qbuf_release(&text);
    qbuf_release(&packed);
}

/* Any end before the end is one too early; what came is right as far as it goes. */
static void test_cut_off(void)
{
    static const char text[] = "so much for that, and that, and that";
    struct qbuf packed = QBUF_INIT;
    bool complete;
    pack_gzip(&packed, text, sizeof text, 6, 0);
    for (size_t len = packed.len; len-- > 1;) {
        struct qbuf part = {.data = packed.data, .len = len};
        CU_ASSERT_EQUAL(push(&part, 7, &complete), CODING_FINE);
        CU_ASSERT(!complete && out.len <= sizeof text &&
                  (out.len == 0 || memcmp(out.data, text, out.len) == 0));
    }
    qbuf_release(&packed);
}

static void test_damage(void)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct qbuf packed = QBUF_INIT, plain = QBUF_INIT;
    bool complete;
    pack_gzip(&packed, text, sizeof text, 6, 0);
    /* Of the check sum and the length at its end, every bit matters. */
    for (size_t bit = (packed.len - 8) * 8; bit < packed.len * 8; bit++) {
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ (1 << bit % 8));
        CU_ASSERT_EQUAL(push(&packed, 5, &complete), CODING_DAMAGED);
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ (1 << bit % 8));
    }
    qbuf_puts(&plain, "this is no gzip");
    CU_ASSERT_EQUAL(push(&plain, 100, &complete), CODING_DAMAGED);
    qbuf_puts(&packed, "more behind it");
    CU_ASSERT_EQUAL(push(&packed, 100, &complete), CODING_DAMAGED);
    qbuf_release(&packed);
    qbuf_release(&plain);
}

/* Sixteen MiB of zeros are packed to a thousandth; text is not, however long. */
static void test_bomb(void)
{
    enum { MANY = 16 << 20 };
    struct qbuf packed = QBUF_INIT, zeros = QBUF_INIT;
    bool complete;
    CU_ASSERT_PTR_NOT_NULL_FATAL(qbuf_reserve(&zeros, MANY));
    memset(zeros.data, 0, MANY);
    zeros.len = MANY;
    pack_gzip(&packed, zeros.data, zeros.len, 9, 0);
    CU_ASSERT(packed.len < MANY / CODING_RATIO);
    CU_ASSERT_EQUAL(push(&packed, 1000, &complete), CODING_BOMB);
    CU_ASSERT(out.len < 3 * CODING_FREE);
    bounded = false;
    gives(&packed, 1000, &zeros);
    bounded = true;
    zeros.len = CODING_FREE;
    qbuf_clear(&packed);
    pack_gzip(&packed, zeros.data, zeros.len, 9, 0);
    gives(&packed, 100, &zeros);
    most = 70000; /* who takes the bytes may have had enough */
    CU_ASSERT_EQUAL(push(&packed, 100, &complete), CODING_REFUSED);
    CU_ASSERT(out.len <= most);
    most = SIZE_MAX;
    qbuf_release(&packed);
    qbuf_release(&zeros);
    qbuf_release(&out);
}

static const struct unit_test tests[] = {
    {"cuts", test_cuts},
    {"cut off", test_cut_off},
    {"damage", test_damage},
    {"bombs, and refusals", test_bomb},
};

UNIT_MAIN("coding", tests)
