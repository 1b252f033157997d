/* URLs as inputs, without a network: all that can be had comes from a cache, and what
 * is not in it fails. The sums are FIPS 180-4's of "abc", and sha256sum's of the
 * numbers. */
#include "source/source.h"

#include <string.h>
#include <unistd.h>

#include "chunks.h"
#include "jobs.h"
#include "source/cache.h"
#include "tree.h"
#include "unit.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NUMBERS "57f82fd447500fd3cf0255d593e2afec518061cd8b9bc2d195153e494dc0c396"

extern const struct kernel kernel_prime;

static struct tree tree;
static struct job job;
static struct sources *all;
static struct qerr e;
static char failed[200], report[200];

static void keep(const char *url, const char *text, const char *sha256)
{
    char path[200];
    struct cache_body b;
    struct response r;
    response_init(&r);
    snprintf(path, sizeof path, "%s/cache", tree.root);
    struct cache *c = cache_open(path, "", 0, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL_FATAL(cache_begin(c, &b, &e), 0);
    CU_ASSERT_EQUAL(write(b.fd, text, strlen(text)), (ssize_t)strlen(text));
    CU_ASSERT_EQUAL(cache_store(c, &b, url, &r, sha256, &e), 0);
    cache_close(c);
}

/* A job for these URLs, and its sources. */
static void begin(const char *const *urls)
{
    char cache[200], say_failed[220], say_report[220];
    e = (struct qerr)QERR_INIT;
    tree_begin(&tree);
    keep("http://localhost/abc", "abc", ABC);
    keep("http://me:secret@localhost/n", "11 12\n13\n", NUMBERS);
    snprintf(cache, sizeof cache, "cache=%s/cache", tree.root);
    snprintf(failed, sizeof failed, "%s/failed", tree.root);
    snprintf(report, sizeof report, "%s/report", tree.root);
    snprintf(say_failed, sizeof say_failed, "failed=%s", failed);
    snprintf(say_report, sizeof say_report, "report=%s", report);
    job_make(&job, &kernel_prime,
             (const char *const[]){"offline", cache, say_failed, say_report, NULL});
    for (; *urls; urls++)
        CU_ASSERT_EQUAL_FATAL(job_add_input(&job, INPUT_URL, *urls, &e), 0);
    CU_ASSERT_EQUAL_FATAL(sources_open(&all, &job, false, &e), 0);
    CU_ASSERT_EQUAL_FATAL(sources_begin(all, false, NULL, &e), 0);
}

static void end(void)
{
    job_release(&job);
    tree_end(&tree);
}

/* Reads input `i` from `offset` on to its end; its text, or why it failed. */
static const char *read_input(size_t i, uint64_t offset)
{
    static char text[1000];
    const struct position at = {.offset = offset};
    struct qerr why = QERR_INIT;
    struct chunk *c = chunk_make();
    void *state = NULL;
    size_t n = 0;
    int rc = source_url.open(&state, all, &job.inputs[i], &at, &why);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    c->cut = CUT_AT_BLANKS;
    while ((rc = source_url.next(state, c, &why)) > 0) {
        CU_ASSERT_EQUAL(c->origin, offset + n);
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s", (int)c->len, c->text);
    }
    text[n] = '\0';
    if (rc < 0)
        snprintf(text, sizeof text, "%s", why.text);
    source_url.close(state);
    chunk_unmake(c);
    return text;
}

static const char *text_of(const char *path)
{
    static char text[4000];
    FILE *f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

/* In order; what fails is an error of its own, and names neither itself nor secrets. */
static void test_read(void)
{
    begin((const char *const[]){"http://localhost/abc", "http://localhost/none",
                                "http://me:secret@localhost/n", "http:///", NULL});
    CU_ASSERT_EQUAL(sources_count(all).urls, 4);
    CU_ASSERT_STRING_EQUAL(read_input(0, 0), "abc");
    CU_ASSERT_STRING_EQUAL(read_input(1, 0),
                           "local: it is not in the cache (--offline)");
    CU_ASSERT_STRING_EQUAL(read_input(2, 0), "11 12\n13\n");
    CU_ASSERT_STRING_EQUAL(read_input(3, 0), "usage: this is no URL");
    CU_ASSERT_EQUAL(sources_count(all).failed, 2);
    CU_ASSERT_STRING_EQUAL(job.inputs[2].name, "http://localhost/n");
    CU_ASSERT_EQUAL(sources_close(all, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of(failed), "http://localhost/none\nhttp:///\n");
    const char *said = text_of(report);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "\"class\":\"usage\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ABC));
    CU_ASSERT_PTR_NULL(strstr(said, "secret"));
    end();
}

/* A resumed run begins at some input, and within it. */
static void test_resumed(void)
{
    begin((const char *const[]){"http://localhost/abc", "http://localhost/none",
                                "http://me:secret@localhost/n", NULL});
    CU_ASSERT_STRING_EQUAL(read_input(2, 6), "13\n");
    CU_ASSERT_EQUAL(sources_close(all, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of(failed), "");
    end();
}

static void test_ident(void)
{
    struct qbuf out = QBUF_INIT;
    begin((const char *const[]){"http://localhost/abc", "http://localhost/none", NULL});
    CU_ASSERT_EQUAL(source_url.ident(&job, &job.inputs[0], &out, &e), 0);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&out), "sha256 " ABC);
    qbuf_clear(&out);
    CU_ASSERT_EQUAL(source_url.ident(&job, &job.inputs[1], &out, &e), 0);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&out), "sha256 none");
    CU_ASSERT_EQUAL(job_set(&job, job_find(&job, "offline"), "no", &e), 0);
    CU_ASSERT_EQUAL(source_url.ident(&job, &job.inputs[0], &out, &e), 1);
    qbuf_release(&out);
    CU_ASSERT_EQUAL(sources_close(all, &e), 0);
    end();
}

/* A run that ends: who reads comes back, and those that nobody saw are not told of. */
static void test_stop(void)
{
    struct qerr why = QERR_INIT;
    const struct position at = {0, 0};
    void *state = NULL;
    struct chunk *c = chunk_make();
    begin((const char *const[]){"http://localhost/abc", "http://localhost/none", NULL});
    CU_ASSERT_EQUAL_FATAL(source_url.open(&state, all, &job.inputs[0], &at, &why), 0);
    sources_stop(all);
    sources_stop(all);
    CU_ASSERT_EQUAL(source_url.next(state, c, &why), -Q_ESTOP);
    source_url.close(state);
    CU_ASSERT_EQUAL(source_url.open(&state, all, &job.inputs[1], &at, &why), 0);
    source_url.close(state);
    CU_ASSERT_EQUAL(sources_close(all, &e), 0);
    chunk_unmake(c);
    end();
}

/* Nothing to share, and files that cannot be made or written. */
static void test_sources(void)
{
    CU_ASSERT_EQUAL(sources_close(NULL, &e), 0);
    sources_stop(NULL);
    CU_ASSERT_EQUAL(sources_count(NULL).urls, 0);
    begin((const char *const[]){NULL});
    CU_ASSERT_EQUAL(sources_count(all).urls, 0);
    sources_stop(all);
    CU_ASSERT_EQUAL(sources_close(all, &e), 0);
    CU_ASSERT_EQUAL(access(failed, F_OK), 0);
    CU_ASSERT_EQUAL(job_add_input(&job, INPUT_URL, "http://localhost/none", &e), 0);
    CU_ASSERT_EQUAL(job_set(&job, job_find(&job, "failed"), "/dev/full", &e), 0);
    CU_ASSERT_EQUAL_FATAL(sources_open(&all, &job, true, &e), 0);
    CU_ASSERT_EQUAL_FATAL(sources_begin(all, false, NULL, &e), 0);
    (void)read_input(0, 0);
    CU_ASSERT_EQUAL(sources_close(all, &e), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/dev/full"));
    struct qerr f = QERR_INIT;
    CU_ASSERT_EQUAL(job_set(&job, job_find(&job, "report"), "/no/such/r", &f), 0);
    CU_ASSERT_EQUAL(sources_open(&all, &job, true, &f), -Q_EIO);
    CU_ASSERT_PTR_NULL(all);
    end();
}

static const struct unit_test tests[] = {
    {"read in order", test_read}, {"resumed", test_resumed}, {"identity", test_ident},
    {"stopped", test_stop},       {"files", test_sources},
};

UNIT_MAIN("url", tests)
