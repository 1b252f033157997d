/* Bodies between fetcher and reader: the order of bytes, what the pool counts, and the
 * room that the oldest always has. */
#include "source/body.h"

#include <string.h>
#include <unistd.h>

#include "base/qbuf.h"
#include "unit.h"

static struct body_pool pool;

static void put(struct body *b, const char *bytes, size_t n)
{
    struct piece *p = piece_new(bytes, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    body_put(&pool, b, p);
}

/* Reads `n` bytes at most; what came goes to `out`. */
static void take(struct body *b, size_t n, struct qbuf *out)
{
    size_t there = 0;
    const char *bytes = body_peek(b, &there);
    if (!bytes)
        return;
    if (n > there)
        n = there;
    qbuf_add(out, bytes, n);
    free(body_drop(&pool, b, n));
}

static void test_pieces(void)
{
    struct body b;
    struct qbuf out = QBUF_INIT;
    size_t n;
    pool.used = 0;
    body_init(&b);
    CU_ASSERT(b.file == -1 && !body_peek(&b, &n));
    put(&b, "hello", 5);
    put(&b, " ", 1);
    put(&b, "world", 5);
    CU_ASSERT_EQUAL(b.received, 11);
    CU_ASSERT(b.held == pool.used && pool.used >= 11);
    for (int i = 0; i < 20; i++)
        take(&b, 2, &out);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&out), "hello world");
    CU_ASSERT_EQUAL(b.taken, 11);
    CU_ASSERT(b.held == 0 && pool.used == 0 && !b.head && !b.tail);
    put(&b, "!", 1); /* behind an empty list */
    take(&b, 1, &out);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&out), "hello world!");
    qbuf_release(&out);
}

/* A pool for all, and a reserve for the oldest. */
static void test_room(void)
{
    enum { BIG = 1 << 20 };
    static char bytes[BIG];
    struct body many, oldest;
    body_init(&many);
    body_init(&oldest);
    pool.used = 0;
    while (body_has_room(&pool, &many, BIG, false))
        put(&many, bytes, BIG);
    while (body_has_room(&pool, &many, 1, false))
        put(&many, bytes, 1);
    CU_ASSERT(pool.used <= BODY_POOL && pool.used + BIG > BODY_POOL);
    CU_ASSERT(!body_has_room(&pool, &oldest, BIG, false));
    CU_ASSERT(body_has_room(&pool, &oldest, BIG, true)); /* one piece, however large */
    put(&oldest, bytes, BIG);
    CU_ASSERT(!body_has_room(&pool, &oldest, 1, true));
    free(body_drop(&pool, &oldest, BIG));
    while (body_has_room(&pool, &oldest, BODY_RESERVE / 8, true))
        put(&oldest, bytes, BODY_RESERVE / 8);
    CU_ASSERT(oldest.received - BIG >= BODY_RESERVE / 2);
    CU_ASSERT(oldest.held <= BODY_RESERVE);
    piece_free_all(body_clear(&pool, &many));
    piece_free_all(body_clear(&pool, &oldest));
    CU_ASSERT_EQUAL(pool.used, 0);
    CU_ASSERT(oldest.received == 0 && oldest.taken == 0);
}

static void read_is(struct body *b, const char *want)
{
    struct qerr e = QERR_INIT;
    char got[64];
    size_t n = 0;
    ssize_t more;
    while ((more = body_read(b, got + n, 3, &e)) > 0)
        n += (size_t)more;
    CU_ASSERT_EQUAL(more, 0);
    CU_ASSERT(n == strlen(want) && memcmp(got, want, n) == 0);
}

/* In a file: read from its start while it is there, forgotten, written again. */
static void test_file(void)
{
    struct qerr e = QERR_INIT;
    struct body b;
    pool.used = 0;
    body_init(&b);
    CU_ASSERT_EQUAL_FATAL(body_write(&b, "one ", 4, &e), 0);
    CU_ASSERT_EQUAL(body_write(&b, "two", 3, &e), 0);
    CU_ASSERT(b.received == 7 && pool.used == 0);
    read_is(&b, "one two");
    CU_ASSERT_EQUAL(b.taken, 7);
    CU_ASSERT_PTR_NULL(body_clear(&pool, &b));
    CU_ASSERT(b.file >= 0 && b.received == 0);
    CU_ASSERT_EQUAL(body_write(&b, "three", 5, &e), 0);
    read_is(&b, "three");
    close(b.file);
}

/* The folder for it is not there. */
static void test_no_file(void)
{
    struct qerr e = QERR_INIT;
    struct body b;
    body_init(&b);
    CU_ASSERT_EQUAL(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    CU_ASSERT_EQUAL(body_write(&b, "x", 1, &e), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nowhere/at/all"));
    CU_ASSERT(b.file == -1 && b.received == 0);
    CU_ASSERT_EQUAL(unsetenv("TMPDIR"), 0);
}

static const struct unit_test tests[] = {
    {"pieces", test_pieces},
    {"room", test_room},
    {"a file", test_file},
    {"no file", test_no_file},
};

UNIT_MAIN("body", tests)
