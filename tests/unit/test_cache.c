/* Bodies in a cache: found by URL and headers, believed only when they are what their
 * name says, and replaced whole. The sum is FIPS 180-4's of "abc". */
#include "source/cache.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"
#include "unit.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
static const char url[] = "http://localhost/abc";

static struct tree tree;
static struct qerr e;

static struct cache *open_cache(const char *salt)
{
    char path[200];
    snprintf(path, sizeof path, "%s/cache", tree.root);
    struct cache *c = cache_open(path, salt, strlen(salt), &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static struct cache *begin(void)
{
    e = (struct qerr)QERR_INIT;
    tree_begin(&tree);
    return open_cache("");
}

static void end(struct cache *c)
{
    cache_close(c);
    tree_end(&tree);
}

/* "abc" is what the URL stands for. */
static void store(struct cache *c, const char *etag, bool gzip)
{
    struct cache_body b;
    struct response r;
    response_init(&r);
    snprintf(r.etag, sizeof r.etag, "%s", etag);
    snprintf(r.last_modified, sizeof r.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    r.gzip = gzip;
    CU_ASSERT_EQUAL_FATAL(cache_begin(c, &b, &e), 0);
    CU_ASSERT_EQUAL(write(b.fd, "abc", 3), 3);
    CU_ASSERT_EQUAL(cache_store(c, &b, url, &r, ABC, &e), 0);
}

/* The cache has it, as it was stored. */
/* Whether there is a whole body, in the coding it came in or not. */
static bool finds_coded(struct cache *c, bool coded)
{
    struct cache_entry entry;
    bool found = cache_find(c, url, &entry);
    if (found)
        close(entry.fd);
    return found && entry.gzip == coded;
}

static bool finds(struct cache *c, const char *etag)
{
    struct cache_entry entry;
    char text[8] = "";
    if (!cache_find(c, url, &entry))
        return false;
    CU_ASSERT(read(entry.fd, text, sizeof text) == 3 && strcmp(text, "abc") == 0);
    CU_ASSERT_EQUAL(entry.size, 3);
    CU_ASSERT_STRING_EQUAL(entry.sha256, ABC);
    CU_ASSERT_STRING_EQUAL(entry.etag, etag);
    CU_ASSERT_STRING_EQUAL(entry.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    close(entry.fd);
    return true;
}

/* How many files there are in a folder of the cache; the path of one of them. */
static int files_in(const char *folder, char path[400])
{
    char command[400];
    int n = 0;
    snprintf(command, sizeof command, "find %s/cache/%s -type f", tree.root, folder);
    FILE *f = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while (fgets(path, 400, f)) {
        path[strcspn(path, "\n")] = '\0';
        n++;
    }
    pclose(f);
    return n;
}

static void test_find(void)
{
    struct cache *c = begin();
    struct cache_entry entry;
    char path[400];
    CU_ASSERT(!finds(c, "") && !cache_find(c, url, &entry) && entry.fd == -1);
    store(c, "\"one\"", false);
    CU_ASSERT(finds(c, "\"one\""));
    CU_ASSERT(finds_coded(c, false));
    CU_ASSERT(!cache_find(c, "http://localhost/abd", &entry));
    store(c, "\"two\"", true); /* takes its place */
    CU_ASSERT(finds(c, "\"two\""));
    CU_ASSERT(finds_coded(c, true));
    CU_ASSERT(files_in("bodies", path) == 1 && files_in("urls", path) == 1 &&
              files_in("new", path) == 0);
    end(c);
}

/* Other headers, another answer; the same for another run. */
static void test_salt(void)
{
    struct cache *c = begin(), *same = open_cache(""), *other = open_cache("X-Key: 1");
    char path[400];
    store(c, "", false);
    CU_ASSERT(finds(c, "") && finds(same, "") && !finds(other, ""));
    store(other, "\"o\"", false);
    CU_ASSERT(finds(c, "") && finds(other, "\"o\""));
    CU_ASSERT_EQUAL(files_in("bodies", path), 1); /* what is the same is kept once */
    cache_close(same);
    cache_close(other);
    end(c);
}

static void test_drop(void)
{
    struct cache *c = begin();
    struct cache_body a, b;
    char path[400];
    CU_ASSERT_EQUAL_FATAL(cache_begin(c, &a, &e), 0);
    CU_ASSERT_EQUAL_FATAL(cache_begin(c, &b, &e), 0);
    CU_ASSERT_EQUAL(files_in("new", path), 2);
    cache_drop(c, &a);
    cache_drop(c, &a); /* nothing */
    cache_drop(c, &b);
    CU_ASSERT_EQUAL(files_in("new", path), 0);
    end(c);
}

static void spoil(const char *path, const char *text)
{
    FILE *f = fopen(path, "r+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fputs(text, f) >= 0 && fclose(f) == 0);
}

/* What is damaged is as good as absent, and a good one takes its place. */
static void test_damage(void)
{
    struct cache *c = begin();
    struct cache_entry entry;
    char path[400];
    store(c, "", false);
    CU_ASSERT_EQUAL_FATAL(files_in("bodies", path), 1);
    spoil(path, "abd");
    CU_ASSERT(!finds(c, "") && files_in("bodies", path) == 0);
    store(c, "", false);
    CU_ASSERT(finds(c, ""));
    CU_ASSERT_EQUAL_FATAL(files_in("bodies", path), 1);
    spoil(path, "abcd");
    CU_ASSERT(!finds(c, ""));
    store(c, "", false);
    CU_ASSERT_EQUAL_FATAL(files_in("urls", path), 1);
    for (off_t size = 0; size < 150; size++) { /* a torn one says nothing */
        store(c, "", false);
        CU_ASSERT(truncate(path, size) == 0 && !cache_find(c, url, &entry));
    }
    store(c, "", false);
    spoil(path, "quern-cache 1\n"); /* of another version */
    CU_ASSERT(!finds(c, ""));
    store(c, "", false);
    CU_ASSERT(unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
    CU_ASSERT(!finds(c, ""));
    store(c, "", false);
    CU_ASSERT(finds(c, ""));
    end(c);
}

static void test_no_folder(void)
{
    struct cache *c = begin();
    end(c);
    CU_ASSERT_PTR_NULL(cache_open("/dev/null/cache", "", 0, &e));
    CU_ASSERT(e.code == Q_EIO && strstr(e.text, "/dev/null/cache"));
    cache_close(NULL);
}

static const struct unit_test tests[] = {
    {"store and find", test_find}, {"headers", test_salt},
    {"dropped", test_drop},        {"damage", test_damage},
    {"no folder", test_no_folder},
};

UNIT_MAIN("cache", tests)
