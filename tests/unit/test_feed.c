/* The chunks of a job: which there are, in which order, and what becomes of failures.
 */
#include "engine/feed.h"

#include <string.h>
#include <unistd.h>

#include "chunks.h"
#include "cmd/options.h"
#include "tree.h"
#include "unit.h"

static struct tree tree;
static struct job job;
static struct chunk chunk;
static struct qerr err;

static void begin(const char *const *names)
{
    const struct qopt *tables[] = {options_documents, options_shared};
    err = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(job_init(&job, "test", tables, 2, &err), 0);
    CU_ASSERT_EQUAL_FATAL(chunk_init(&chunk, &err), 0);
    for (; *names; names++) {
        char path[300];
        snprintf(path, sizeof path, "%s%s", tree.root, *names);
        if (strcmp(*names, "-") == 0)
            job_add_input(&job, INPUT_STREAM, "-", &err);
        else
            job_add_input(&job, INPUT_FILE, path, &err);
    }
}

static void end(void)
{
    job_release(&job);
    chunk_release(&chunk);
}

/* One line for each chunk: its input, kind, place, size, end and failure. */
static void draw(enum accepts accepts, unsigned input, struct position at,
                 struct qbuf *out)
{
    static const char kinds[] = {[CHUNK_OF_TEXT] = 't',
                                 [CHUNK_OF_RANGE] = 'r',
                                 [CHUNK_OF_INPUTS] = 'i',
                                 [CHUNK_OF_BYTES] = 'b'};
    struct feed f;
    int rc;
    qbuf_clear(out);
    feed_init(&f, &job, NULL, accepts, input, &at);
    while ((rc = feed_next(&f, &chunk, &err)) > 0)
        qbuf_printf(out, "%u%c%" PRIu64 "+%" PRIu64 "%s%s ", chunk.input,
                    kinds[chunk.kind], chunk.origin, chunk_size(&chunk),
                    chunk.state_after & POSITION_AT_END ? "." : "",
                    chunk.failed[0] ? "!" : "");
    CU_ASSERT_EQUAL(rc, -(int)err.code);
    feed_release(&f);
    (void)qbuf_cstr(out);
}

static void test_kinds(void)
{
    static const char *const names[] = {"/a", "/empty", "/none", "/c", NULL};
    struct qbuf out = QBUF_INIT;
    const struct position start = {0, 0};
    tree_begin(&tree);
    tree_file(&tree, "/a", "1 2 3\n");
    tree_file(&tree, "/empty", "");
    tree_file(&tree, "/c", "45\n");
    begin(names);
    draw(ACCEPT_DOCUMENTS, 0, start, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "0i0+4 ");
    draw(ACCEPT_DOCUMENTS, 0, (struct position){2, 0}, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "2i0+2 ");
    draw(ACCEPT_STREAM, 0, start, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "0b0+6. 1t0+0. 2t0+0.! 3b0+3. ");
    CU_ASSERT_EQUAL(err.code, Q_OK);
    draw(ACCEPT_STREAM, 0, (struct position){4, 0}, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "0b4+2. 1t0+0. 2t0+0.! 3b0+3. ");
    draw(ACCEPT_STREAM, 2, (struct position){0, POSITION_AT_END}, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "3b0+3. ");
    draw(ACCEPT_NUMBERS, 0, start, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "0t0+6 ");
    CU_ASSERT_EQUAL(err.code, Q_EINPUT);
    end();
    tree_end(&tree);
    qbuf_release(&out);
}

/* Compressed files are read in order, and their damage is a failure. */
static void test_compressed(void)
{
    static const char *const names[] = {"/bad", NULL};
    struct qbuf out = QBUF_INIT;
    tree_begin(&tree);
    tree_file(&tree, "/bad", "\x1f\x8b\x08\x01\x01\x01");
    begin(names);
    draw(ACCEPT_STREAM, 0, (struct position){0, 0}, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "0t0+0.! ");
    CU_ASSERT_PTR_NOT_NULL(strstr(chunk.failed, "gzip"));
    end();
    tree_end(&tree);
    qbuf_release(&out);
}

static void test_documents(void)
{
    static const char *const names[] = {"/a", "/none", "/long", "/bom", NULL};
    tree_begin(&tree);
    tree_file(&tree, "/a", "1 2 3");
    tree_file(&tree, "/long", "0123456789");
    tree_file(&tree, "/bom", "\xef\xbb\xbf{}");
    begin(names);
    const struct qopt *most = job_find(&job, "max-document");
    CU_ASSERT_EQUAL_FATAL(job_set(&job, most, "9", &err), 0);
    CU_ASSERT_EQUAL(feed_document(&job, 0, &chunk, &err), 0);
    CU_ASSERT(chunk.len == 5 && memcmp(chunk.text, "1 2 3", 5) == 0);
    CU_ASSERT_STRING_EQUAL(chunk.failed, "");
    CU_ASSERT_EQUAL(feed_document(&job, 1, &chunk, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(chunk.failed, "No such file"));
    CU_ASSERT_EQUAL(feed_document(&job, 2, &chunk, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(chunk.failed, "--max-document"));
    CU_ASSERT_EQUAL(chunk.len, 0);
    CU_ASSERT_EQUAL(job_set(&job, most, "10", &err), 0);
    CU_ASSERT_EQUAL(feed_document(&job, 2, &chunk, &err), 0);
    CU_ASSERT(chunk.len == 10 && !chunk.failed[0]);
    CU_ASSERT_EQUAL(feed_document(&job, 3, &chunk, &err), 0);
    CU_ASSERT(chunk.len == 2 && memcmp(chunk.text, "{}", 2) == 0);
    CU_ASSERT_EQUAL(err.code, Q_OK);
    end();
    tree_end(&tree);
}

/* A document larger than a chunk is read whole. */
static void test_large(void)
{
    static const char *const names[] = {"/large", NULL};
    const size_t n = 5 * (size_t)CHUNK_TEXT;
    tree_begin(&tree);
    char *text = malloc(n + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i * 7 % 26);
    text[n] = '\0';
    tree_file(&tree, "/large", text);
    begin(names);
    CU_ASSERT_EQUAL(feed_document(&job, 0, &chunk, &err), 0);
    CU_ASSERT(chunk.len == n && memcmp(chunk.text, text, n) == 0);
    CU_ASSERT(chunk.room >= n && chunk.room <= 17u << 20);
    end();
    free(text);
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"what a kernel accepts", test_kinds},
    {"compressed streams", test_compressed},
    {"documents", test_documents},
    {"a large document", test_large},
};

UNIT_MAIN("feed", tests)
