/* remote: what another rank keeps in memory between its tasks. */
#include "engine/remote.c" /* its parts, without the threads around them */

#include "unit.h"

/* A task that has been answered, with a text of so many bytes. */
static struct task *answered(struct remote *r, size_t bytes)
{
    struct qerr e = QERR_INIT;
    struct task *t = task_new(r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    if (t->chunk.room < bytes)
        CU_ASSERT_EQUAL_FATAL(chunk_grow(&t->chunk, bytes, &e), 0);
    qbuf_puts(&t->part.out, "an answer");
    return t;
}

static size_t spare_bytes(const struct remote *r)
{
    size_t bytes = 0, n = 0;
    for (const struct task *t = r->spare; t; t = t->next, n++)
        bytes += task_size(t);
    CU_ASSERT_EQUAL(n, r->nspare);
    CU_ASSERT_EQUAL(bytes, r->spare_bytes);
    return bytes;
}

static void release(struct remote *r)
{
    while (r->nspare > 0)
        task_free(task_new(r));
    CU_ASSERT_EQUAL(spare_bytes(r), 0);
}

/* Ordinary tasks are used again, as many as there are. */
static void test_spare_tasks(void)
{
    struct remote r = {.spare = NULL};
    struct task *tasks[2 * SPARE_TASKS];
    for (size_t i = 0; i < 2 * SPARE_TASKS; i++)
        tasks[i] = answered(&r, 1000);
    for (size_t i = 0; i < 2 * SPARE_TASKS; i++)
        task_spare(&r, tasks[i]);
    CU_ASSERT_EQUAL(r.nspare, SPARE_TASKS);
    CU_ASSERT(spare_bytes(&r) > SPARE_TASKS * 1000);
    struct task *t = answered(&r, 1000);
    CU_ASSERT_EQUAL(r.nspare, SPARE_TASKS - 1);
    CU_ASSERT_EQUAL(t->part.out.len, strlen("an answer"));
    task_free(t);
    release(&r);
}

/* Of long documents not more is kept than SPARE_BYTES, however few they are. */
static void test_spare_bytes(void)
{
    enum { LONG = 10 << 20, MANY = 20 };
    struct remote r = {.spare = NULL};
    struct task *tasks[MANY];
    for (size_t i = 0; i < MANY; i++)
        tasks[i] = answered(&r, LONG);
    for (size_t i = 0; i < MANY; i++)
        task_spare(&r, tasks[i]);
    CU_ASSERT(r.nspare > 0);
    CU_ASSERT(spare_bytes(&r) <= SPARE_BYTES);
    task_spare(&r, answered(&r, 2 * SPARE_BYTES));
    CU_ASSERT(spare_bytes(&r) <= SPARE_BYTES);
    release(&r);
}

static const struct unit_test tests[] = {
    {"tasks are used again", test_spare_tasks},
    {"long documents are not kept", test_spare_bytes},
};

UNIT_MAIN("remote", tests)
