#include "engine/ring.h"

#include <pthread.h>
#include <string.h>

#include "unit.h"

static struct ring *open_ring(unsigned chunks, size_t window, bool unordered)
{
    struct qerr e = QERR_INIT;
    struct ring_limits limits = {chunks, window, SIZE_MAX, unordered, NULL};
    struct ring *r = ring_new(&limits, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    return r;
}

static void put_text(struct ring *r, unsigned input, const char *text)
{
    struct qerr e = QERR_INIT;
    struct chunk *c = ring_chunk(r, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->kind = CHUNK_OF_TEXT;
    c->input = input;
    c->comment = c->has_hash = false;
    c->len = strlen(text);
    memcpy(c->text, text, c->len);
    CU_ASSERT_EQUAL(ring_put(r, c, &e), 0);
}

static void put_range(struct ring *r, uint64_t first, uint64_t count)
{
    struct qerr e = QERR_INIT;
    struct chunk *c = ring_chunk(r, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->kind = CHUNK_OF_RANGE;
    c->input = 0;
    c->len = 0;
    c->first = first;
    c->count = count;
    CU_ASSERT_EQUAL(ring_put(r, c, &e), 0);
}

static void end(struct ring *r)
{
    struct qerr none = QERR_INIT;
    ring_end(r, &none);
}

static const struct ring_want all = {UINT64_MAX, UINT64_MAX, 1};

/* Answers a slot with its own text, or the first `upto` bytes of it. */
static void answer(struct ring *r, struct ring_slot *s, uint64_t upto)
{
    part_clear(&s->part);
    qbuf_add(&s->part.out, s->span.chunk->text + s->span.begin, upto - s->span.begin);
    ring_done(r, s, upto);
}

static void take_equals(struct ring *r, const char *expected)
{
    bool in_order = false;
    struct ring_slot *s = ring_take(r, &in_order);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT(in_order);
    CU_ASSERT_EQUAL(s->part.out.len, strlen(expected));
    CU_ASSERT(memcmp(s->part.out.data, expected, strlen(expected)) == 0);
    ring_settle(r, s, in_order);
}

/* Parts come out in the order of the input whatever the order of the answers. */
static void test_order(void)
{
    struct ring *r = open_ring(4, 1 << 20, false);
    put_text(r, 0, "one ");
    put_text(r, 1, "two ");
    put_text(r, 2, "three ");
    end(r);
    struct ring_slot *a = ring_claim(r, &all), *b = ring_claim(r, &all);
    struct ring_slot *c = ring_claim(r, &all);
    CU_ASSERT(a && b && c);
    answer(r, c, 6);
    answer(r, a, 4);
    take_equals(r, "one ");
    answer(r, b, 4);
    CU_ASSERT_PTR_NULL(ring_claim(r, &all));
    take_equals(r, "two ");
    take_equals(r, "three ");
    bool in_order;
    CU_ASSERT_PTR_NULL(ring_take(r, &in_order));
    ring_free(r);
}

/* A rest goes back to its place and is claimed before anything younger. */
static void test_rest(void)
{
    struct ring *r = open_ring(4, 1 << 20, false);
    put_text(r, 0, "10 20 30 ");
    put_text(r, 0, "40 ");
    end(r);
    struct ring_slot *a = ring_claim(r, &all), *b = ring_claim(r, &all);
    answer(r, b, 3);
    answer(r, a, 3);
    a = ring_claim(r, &all);
    CU_ASSERT_EQUAL_FATAL(a->span.begin, 3);
    CU_ASSERT_EQUAL(a->span.end, 9);
    answer(r, a, 6);
    a = ring_claim(r, &all);
    answer(r, a, 9);
    CU_ASSERT_PTR_NULL(ring_claim(r, &all));
    take_equals(r, "10 ");
    take_equals(r, "20 ");
    take_equals(r, "30 ");
    take_equals(r, "40 ");
    ring_free(r);
}

/* A claim that comes back as it was is claimed again, also one of nothing at all: what
 * ends an input may be an empty text. */
static void test_unclaim(void)
{
    struct ring *r = open_ring(4, 1 << 20, false);
    put_text(r, 0, "10 ");
    put_text(r, 0, "");
    put_text(r, 0, "30 ");
    end(r);
    struct ring_slot *a = ring_try_claim(r, &all), *b = ring_try_claim(r, &all);
    struct ring_slot *c = ring_try_claim(r, &all);
    CU_ASSERT_FATAL(a && b && c);
    CU_ASSERT_PTR_NULL(ring_try_claim(r, &all));
    struct ring_look look;
    ring_look(r, &look);
    CU_ASSERT(look.ended && look.ready == 0);
    ring_unclaim(r, b);
    ring_unclaim(r, a);
    ring_look(r, &look);
    CU_ASSERT_EQUAL(look.ready, 3);
    answer(r, c, 3);
    a = ring_try_claim(r, &all);
    b = ring_try_claim(r, &all);
    CU_ASSERT_FATAL(a && b);
    CU_ASSERT(a->span.end == 3 && b->span.end == 0);
    answer(r, b, 0);
    answer(r, a, 3);
    take_equals(r, "10 ");
    take_equals(r, "");
    take_equals(r, "30 ");
    ring_free(r);
}

/* However many slots are finished behind a record that takes long, and whatever was
 * given back in between, who looks sees all that is READY, and it is claimed in order.
 */
static void test_look_behind_a_long_record(void)
{
    enum { SLOTS = 3000, EVERY = 100 };
    struct ring *r = open_ring(4, SIZE_MAX, false);
    struct ring_slot *back[SLOTS / EVERY];
    struct ring_want two = {2, 2, 1};
    struct ring_look look;
    size_t n = 0;
    put_range(r, 0, 3 * SLOTS);
    end(r);
    struct ring_slot *head = ring_claim(r, &two);
    for (unsigned i = 1; i < SLOTS; i++) {
        struct ring_slot *s = ring_claim(r, &two);
        CU_ASSERT_PTR_NOT_NULL_FATAL(s);
        if (i % EVERY == 0)
            back[n++] = s;
        else
            ring_done(r, s, s->span.end);
    }
    ring_look(r, &look);
    CU_ASSERT_EQUAL(look.ready, SLOTS);
    part_clear(&head->part);
    ring_done(r, head, 1); /* it gives back a rest, and is at the head again */
    struct ring_slot *rest = ring_claim(r, &two);
    CU_ASSERT_EQUAL(rest->span.begin, 1);
    for (size_t i = 0; i < n; i += 2) /* in any order */
        ring_unclaim(r, back[i]);
    for (size_t i = n; i-- > 0;)
        if (i % 2)
            ring_unclaim(r, back[i]);
    ring_unclaim(r, rest);
    ring_look(r, &look);
    CU_ASSERT_EQUAL(look.ready, SLOTS + 2 * n + 1);
    CU_ASSERT(ring_claim(r, &two) == rest);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT(ring_claim(r, &two) == back[i]);
    struct ring_slot *s = ring_claim(r, &two);
    CU_ASSERT_FATAL(s != NULL && s->span.begin == 2 * SLOTS);
    ring_look(r, &look);
    CU_ASSERT_EQUAL(look.ready, SLOTS - 2);
    ring_free(r);
}

/* A claim takes about what it asks for, behind a blank. */
static void test_pieces(void)
{
    struct ring *r = open_ring(4, 1 << 20, false);
    put_text(r, 0, "11 22 33 44 ");
    put_range(r, 5, 10);
    end(r);
    struct ring_want want = {4, 3, 1};
    uint64_t at = 0;
    while (at < 12) {
        struct ring_slot *s = ring_claim(r, &want);
        CU_ASSERT_PTR_NOT_NULL_FATAL(s);
        CU_ASSERT_EQUAL(s->span.begin, at);
        CU_ASSERT(s->span.end > at && s->span.end % 3 == 0);
        CU_ASSERT(s->span.end - at <= 6);
        at = s->span.end;
        answer(r, s, at);
    }
    uint64_t seen = 0;
    struct ring_slot *s;
    while ((s = ring_claim(r, &want)) != NULL) {
        CU_ASSERT_EQUAL(s->span.begin, seen);
        CU_ASSERT(s->span.end - seen <= 3);
        seen = s->span.end;
        part_clear(&s->part);
        ring_done(r, s, seen);
    }
    CU_ASSERT_EQUAL(seen, 10);
    ring_free(r);
}

/* Of a range each of several claimants gets its share, but for small change. */
static void test_shares(void)
{
    struct ring *r = open_ring(4, 1 << 20, false);
    put_range(r, 0, 1600);
    end(r);
    struct ring_want want = {1, 640, 2};
    struct ring_slot *s = ring_claim(r, &want);
    CU_ASSERT_FATAL(s != NULL && s->span.end == 640);
    answer(r, s, 640);
    uint64_t seen = 640, before = 640;
    while ((s = ring_claim(r, &want)) != NULL) {
        uint64_t got = s->span.end - seen, left = 1600 - seen;
        CU_ASSERT(got == (left + 1) / 2 || got == (left < 40 ? left : 40));
        CU_ASSERT(got <= before);
        before = got;
        seen = s->span.end;
        answer(r, s, seen);
    }
    CU_ASSERT_EQUAL(seen, 1600);
    ring_free(r);
}

static void *claim_in_thread(void *arg)
{
    return ring_claim(arg, &all);
}

/* Whether the thread has not ended in 50 ms. */
static bool still_waits(pthread_t thread)
{
    struct timespec soon;
    void *result;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 50000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_nsec -= 1000000000;
        soon.tv_sec++;
    }
    return pthread_timedjoin_np(thread, &result, &soon) != 0;
}

/* Finished parts behind an unfinished head fill the window; then claims wait, and go on
 * when the head is written. */
static void test_window(void)
{
    struct ring *r = open_ring(4, 200, false);
    put_text(r, 0, "1 ");
    put_text(r, 0, "2 ");
    put_text(r, 0, "3 ");
    end(r);
    struct ring_slot *head = ring_claim(r, &all), *second = ring_claim(r, &all);
    answer(r, second, 2); /* its buffer alone is above the window */
    pthread_t waiting;
    void *third = NULL;
    CU_ASSERT_EQUAL(pthread_create(&waiting, NULL, claim_in_thread, r), 0);
    CU_ASSERT(still_waits(waiting));
    answer(r, head, 2);
    take_equals(r, "1 ");
    take_equals(r, "2 ");
    CU_ASSERT_EQUAL(pthread_join(waiting, &third), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    answer(r, third, 2);
    take_equals(r, "3 ");
    ring_free(r);
}

/* The window is for what was rendered, not for the room that was made for it. */
static void test_window_is_used(void)
{
    enum { SLOTS = 1000, ROOM = 10000, SMALL = 10 };
    struct ring *r = open_ring(4, SLOTS * (sizeof(struct ring_slot) + SMALL), false);
    struct ring_want one = {1, 1, 1};
    put_range(r, 0, 10 * SLOTS);
    end(r);
    unsigned n = 0;
    (void)ring_claim(r, &one); /* takes long */
    for (struct ring_slot *s; (s = ring_try_claim(r, &one)) != NULL; n++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(qbuf_reserve(&s->part.out, ROOM));
        qbuf_puts(&s->part.out, "ten bytes.");
        ring_done(r, s, s->span.end);
    }
    CU_ASSERT(n > SLOTS * 9 / 10);
    ring_free(r);
}

static void *chunk_in_thread(void *arg)
{
    struct qerr e = QERR_INIT;
    return ring_chunk(arg, &e);
}

/* Long documents: not as many of them are in memory as there may be chunks. */
static void test_texts(void)
{
    enum { LONG = 3 * CHUNK_TEXT };
    struct qerr e = QERR_INIT;
    struct ring_limits limits = {.chunks = 100, .window = SIZE_MAX, .texts = 2 * LONG};
    struct ring *r = ring_new(&limits, &e);
    for (int i = 0; i < 2; i++) {
        struct chunk *c = ring_chunk(r, &e);
        CU_ASSERT_FATAL(c != NULL && chunk_grow(c, LONG, &e) == 0);
        c->kind = CHUNK_OF_TEXT;
        c->cut = CUT_NOWHERE;
        c->len = LONG;
        CU_ASSERT_EQUAL(ring_put(r, c, &e), 0);
    }
    pthread_t reader;
    void *third = NULL;
    CU_ASSERT_EQUAL(pthread_create(&reader, NULL, chunk_in_thread, r), 0);
    CU_ASSERT(still_waits(reader));
    struct ring_slot *a = ring_claim(r, &all), *b = ring_claim(r, &all);
    CU_ASSERT_FATAL(a && b);
    ring_done(r, b, LONG); /* its text is gone, whether it is written or not */
    CU_ASSERT_EQUAL(pthread_join(reader, &third), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    ring_drop(r, third);
    struct chunk *fourth = ring_chunk(r, &e); /* what was dropped does not count */
    CU_ASSERT_PTR_NOT_NULL_FATAL(fourth);
    ring_drop(r, fourth);
    ring_stop(r);
    ring_free(r);
}

/* On a stop the finished parts at the head still come out, the others do not. */
static void test_stop(void)
{
    struct ring *r = open_ring(4, 1 << 20, false);
    put_text(r, 0, "1 ");
    put_text(r, 0, "2 ");
    put_text(r, 0, "3 ");
    struct ring_slot *a = ring_claim(r, &all), *b = ring_claim(r, &all);
    struct ring_slot *c = ring_claim(r, &all);
    (void)b;
    answer(r, a, 2);
    answer(r, c, 2);
    ring_stop(r);
    CU_ASSERT_PTR_NULL(ring_claim(r, &all));
    struct qerr e = QERR_INIT;
    CU_ASSERT_PTR_NULL(ring_chunk(r, &e));
    CU_ASSERT_EQUAL(e.code, Q_OK);
    take_equals(r, "1 ");
    bool in_order;
    CU_ASSERT_PTR_NULL(ring_take(r, &in_order));
    ring_free(r);
}

/* Unordered: a finished part comes at once, and again in order for its lines; one with
 * a diagnostic waits for its turn. */
static void test_unordered(void)
{
    struct ring *r = open_ring(4, 1 << 20, true);
    put_text(r, 0, "1 ");
    put_text(r, 0, "2 ");
    put_text(r, 0, "x ");
    end(r);
    struct ring_slot *a = ring_claim(r, &all), *b = ring_claim(r, &all);
    struct ring_slot *c = ring_claim(r, &all);
    struct qerr e = QERR_INIT;
    part_clear(&c->part);
    struct bad_record bad = {.len = 1};
    CU_ASSERT_EQUAL(part_add_bad(&c->part, &bad, "not an integer", "x", &e), 0);
    ring_done(r, c, 2);
    part_clear(&b->part);
    b->part.lines = 7;
    ring_done(r, b, 2);
    bool in_order = true;
    struct ring_slot *s = ring_take(r, &in_order);
    CU_ASSERT(s == b && !in_order);
    ring_settle(r, s, in_order);
    answer(r, a, 2);
    s = ring_take(r, &in_order);
    CU_ASSERT(s == a && !in_order);
    ring_settle(r, s, in_order);
    s = ring_take(r, &in_order); /* a and b have become one */
    CU_ASSERT(s == a && in_order && s->state == SLOT_GONE);
    CU_ASSERT_EQUAL(s->part.lines, 7);
    ring_settle(r, s, in_order);
    s = ring_take(r, &in_order);
    CU_ASSERT(s == c && in_order && s->state == SLOT_DONE);
    ring_settle(r, s, in_order);
    CU_ASSERT_PTR_NULL(ring_take(r, &in_order));
    ring_free(r);
}

/* Behind a record that takes long, parts without a byte are held back too: a range has
 * no end, and slots cost memory. */
static void test_empty_parts(void)
{
    enum { SLOTS = 10 };
    struct ring *r = open_ring(4, SLOTS * sizeof(struct ring_slot), false);
    struct ring_want one = {1, 1, 1};
    put_range(r, 0, 1000);
    end(r);
    struct ring_slot *head = ring_claim(r, &one);
    for (unsigned i = 0; i < SLOTS; i++) {
        struct ring_slot *s = ring_claim(r, &one);
        CU_ASSERT_PTR_NOT_NULL_FATAL(s);
        part_release(&s->part);
        ring_done(r, s, s->span.end);
    }
    pthread_t waiting;
    void *next = NULL;
    CU_ASSERT_EQUAL(pthread_create(&waiting, NULL, claim_in_thread, r), 0);
    CU_ASSERT(still_waits(waiting));
    part_clear(&head->part);
    ring_done(r, head, head->span.end);
    bool in_order;
    for (unsigned i = 0; i <= SLOTS; i++)
        ring_settle(r, ring_take(r, &in_order), true);
    CU_ASSERT_EQUAL(pthread_join(waiting, &next), 0);
    CU_ASSERT_PTR_NOT_NULL(next);
    ring_free(r);
}

/* In an unordered run they go on, and what is left of them does not pile up. */
static void test_gone(void)
{
    enum { PIECES = 5000 };
    struct ring *r = open_ring(4, 4 * sizeof(struct ring_slot), true);
    struct ring_want one = {1, 1, 1};
    bool in_order;
    put_range(r, 0, PIECES);
    end(r);
    struct ring_slot *head = ring_claim(r, &one);
    struct ring_slot *held[2] = {NULL, NULL};
    for (unsigned i = 1; i < PIECES; i++) {
        struct ring_slot *s = ring_claim(r, &one);
        part_clear(&s->part);
        s->part.lines = i;
        if (held[i % 2]) { /* done out of order, so that gaps open and close */
            ring_done(r, held[i % 2], held[i % 2]->span.end);
            ring_settle(r, ring_take(r, &in_order), false);
        }
        held[i % 2] = s;
    }
    for (unsigned i = 0; i < 2; i++) {
        ring_done(r, held[i], held[i]->span.end);
        ring_settle(r, ring_take(r, &in_order), false);
    }
    part_clear(&head->part);
    ring_done(r, head, head->span.end);
    ring_settle(r, ring_take(r, &in_order), false);
    struct ring_slot *s = ring_take(r, &in_order);
    CU_ASSERT(s && in_order && s->state == SLOT_GONE);
    CU_ASSERT_EQUAL(s->part.lines, (uint64_t)PIECES * (PIECES - 1) / 2);
    ring_settle(r, s, in_order);
    CU_ASSERT_PTR_NULL(ring_take(r, &in_order));
    ring_free(r);
}

/* --- many threads --- */

enum { MANY = 20000 };

static void *many_reader(void *arg)
{
    struct ring *r = arg;
    struct qerr e = QERR_INIT;
    for (unsigned i = 0; i < MANY / 10; i++) {
        struct chunk *c = ring_chunk(r, &e);
        if (!c)
            break;
        c->kind = CHUNK_OF_RANGE;
        c->len = 0;
        c->first = (uint64_t)i * 10;
        c->count = 10;
        ring_put(r, c, &e);
    }
    end(r);
    return NULL;
}

static void *many_claimant(void *arg)
{
    struct ring *r = arg;
    struct ring_want want = {1, 7, 1};
    struct ring_slot *s;
    unsigned turn = 0;
    while ((s = ring_claim(r, &want)) != NULL) {
        uint64_t upto = s->span.begin + 1 + turn++ % (s->span.end - s->span.begin);
        part_clear(&s->part);
        for (uint64_t i = s->span.begin; i < upto; i++) {
            uint64_t v = s->span.chunk->first + i;
            qbuf_add(&s->part.out, &v, sizeof v);
        }
        ring_done(r, s, upto);
    }
    return NULL;
}

static void test_threads(void)
{
    struct ring *r = open_ring(3, 4096, false);
    pthread_t reader, claimants[4];
    pthread_create(&reader, NULL, many_reader, r);
    for (int i = 0; i < 4; i++)
        pthread_create(&claimants[i], NULL, many_claimant, r);
    uint64_t next = 0;
    bool in_order, right = true;
    struct ring_slot *s;
    while ((s = ring_take(r, &in_order)) != NULL) {
        for (size_t i = 0; i < s->part.out.len; i += sizeof next) {
            uint64_t v;
            memcpy(&v, s->part.out.data + i, sizeof v);
            right = right && in_order && v == next++;
        }
        ring_settle(r, s, in_order);
    }
    CU_ASSERT(right);
    CU_ASSERT_EQUAL(next, MANY);
    pthread_join(reader, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(claimants[i], NULL);
    ring_free(r);
}

static const struct unit_test tests[] = {
    {"parts come out in order", test_order},
    {"a rest goes back to its place", test_rest},
    {"claims given back", test_unclaim},
    {"all that is ready behind a long record", test_look_behind_a_long_record},
    {"long documents are bounded by their bytes", test_texts},
    {"claims cut slots to measure", test_pieces},
    {"shares of a range", test_shares},
    {"the window holds claims back", test_window},
    {"the window is for what was rendered", test_window_is_used},
    {"a stop commits the finished prefix", test_stop},
    {"unordered parts come at once", test_unordered},
    {"parts without a byte are held back", test_empty_parts},
    {"what is left of unordered parts is one", test_gone},
    {"many threads, every record once", test_threads},
};

UNIT_MAIN("ring", tests)
