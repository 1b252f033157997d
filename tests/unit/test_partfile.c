/* Names of files, and files that are complete or absent. */
#include "source/partfile.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tree.h"

static struct tree tree;
static struct folder *folder;
static struct qerr e;

static void begin(void)
{
    char path[200];
    e = (struct qerr)QERR_INIT;
    tree_begin(&tree);
    snprintf(path, sizeof path, "%s/out", tree.root);
    folder = folder_open(path, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
}

static void finish(void)
{
    folder_close(folder);
    tree_end(&tree);
}

/* The text of a file of the folder; NULL: there is none. */
static const char *text_of(const char *name)
{
    static char text[1000];
    char path[400];
    snprintf(path, sizeof path, "%s/out/%s", tree.root, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void name(const char *url, const char *wanted, const char *want)
{
    char got[PARTFILE_NAME];
    partfile_name(got, url, wanted);
    CU_ASSERT_STRING_EQUAL(got, want);
}

static void test_names(void)
{
    name("http://h/a/b.txt", NULL, "b.txt");
    name("http://h/a/b.txt?x=/y#z", NULL, "b.txt");
    name("http://h/a%20b%2ec", NULL, "a b.c");
    name("http://h/", NULL, "index");
    name("http://h", NULL, "index");
    name("http://h?x/y", NULL, "index");
    name("http://h/a/", NULL, "index");
    name("http://h/..", NULL, "__");
    name("http://h/%2e%2e%2fetc%2fpasswd", NULL, "___etc_passwd");
    name("http://h/.bashrc", NULL, "_bashrc");
    name("http://h/a%00b%0ac%7f", NULL, "a_b_c_");
    name("http://h/100%", NULL, "100%");
    name("http://h/%zz", NULL, "%zz");
    name("http://h/x", "../up", "___up");
    name("http://h/x", "a%20b", "a%20b");
    name("http://h/x", "", "index");
}

static void test_long_names(void)
{
    char url[1000] = "http://h/", got[PARTFILE_NAME];
    for (int i = 0; i < 300; i++)
        strcat(url, "x");
    strcat(url, ".tar");
    partfile_name(got, url, NULL);
    CU_ASSERT_EQUAL(strlen(got), PARTFILE_NAME_BYTES);
    CU_ASSERT_STRING_EQUAL(got + strlen(got) - 5, "x.tar");
    /* Not within a character. */
    strcpy(url, "http://h/");
    for (int i = 0; i < 150; i++)
        strcat(url, "%c3%a9");
    partfile_name(got, url, NULL);
    CU_ASSERT(strlen(got) <= PARTFILE_NAME_BYTES && strlen(got) % 2 == 0);
}

static void claim(const char *wanted, const char *want)
{
    char got[PARTFILE_NAME];
    snprintf(got, sizeof got, "%s", wanted);
    CU_ASSERT_EQUAL(folder_claim(folder, got, &e), 0);
    CU_ASSERT_STRING_EQUAL(got, want);
}

static void test_claims(void)
{
    begin();
    claim("a", "a");
    claim("a", "a.2");
    claim("a", "a.3");
    claim("a.2", "a.2.2");
    claim("b", "b");
    claim("c.2", "c.2");
    claim("c", "c");
    claim("c", "c.3");
    claim("c", "c.4");
    finish();
}

/* A list of .../N/index.html: what a name costs does not grow with their number. When
 * each of them looked through all before it, this took minutes. */
static void test_many_claims(void)
{
    enum { MANY = 50000, SECONDS = 10 };
    char got[PARTFILE_NAME], want[PARTFILE_NAME];
    begin();
    clock_t start = clock();
    for (int i = 1; i <= MANY; i++) {
        snprintf(got, sizeof got, "index.html");
        CU_ASSERT_EQUAL(folder_claim(folder, got, &e), 0);
    }
    CU_ASSERT((double)(clock() - start) / CLOCKS_PER_SEC < SECONDS);
    snprintf(want, sizeof want, "index.html.%d", MANY);
    CU_ASSERT_STRING_EQUAL(got, want);
    finish();
}

static void test_commit(void)
{
    struct partfile p;
    begin();
    partfile_init(&p, folder, "x");
    CU_ASSERT_EQUAL(partfile_create(&p, &e), 0);
    CU_ASSERT_EQUAL(partfile_write(&p, "hello", 5, &e), 0);
    CU_ASSERT_PTR_NULL(text_of("x"));
    CU_ASSERT_STRING_EQUAL(text_of(".x.part"), "hello");
    CU_ASSERT_EQUAL(partfile_restart(&p, false, &e), 0);
    CU_ASSERT_EQUAL(partfile_write(&p, "world", 5, &e), 0);
    CU_ASSERT_EQUAL(partfile_commit(&p, false, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of("x"), "world");
    CU_ASSERT_PTR_NULL(text_of(".x.part"));

    /* Once more: only if it may be replaced. */
    CU_ASSERT_EQUAL(partfile_create(&p, &e), 0);
    CU_ASSERT(partfile_commit(&p, false, &e) < 0);
    CU_ASSERT_STRING_EQUAL(text_of("x"), "world");
    CU_ASSERT_PTR_NULL(text_of(".x.part"));
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(partfile_create(&p, &e), 0);
    CU_ASSERT_EQUAL(partfile_commit(&p, true, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of("x"), "");
    finish();
}

static void test_leave(void)
{
    struct partfile p;
    char validator[200];
    uint64_t total = 0;
    begin();
    partfile_init(&p, folder, "x");
    CU_ASSERT_EQUAL(partfile_take_up(&p, "u", validator, sizeof validator, &total), -1);
    partfile_create(&p, &e);
    partfile_write(&p, "hel", 3, &e);
    partfile_leave(&p, "http://h/x", "\"tag\"", 5);
    CU_ASSERT_PTR_NOT_NULL(text_of(".x.resume"));

    CU_ASSERT_EQUAL(
        partfile_take_up(&p, "http://h/other", validator, sizeof validator, &total),
        -1);
    CU_ASSERT_EQUAL(
        partfile_take_up(&p, "http://h/x", validator, sizeof validator, &total), 3);
    CU_ASSERT_STRING_EQUAL(validator, "\"tag\"");
    CU_ASSERT_EQUAL(total, 5);
    partfile_write(&p, "lo", 2, &e);
    CU_ASSERT_EQUAL(partfile_commit(&p, false, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of("x"), "hello");
    CU_ASSERT_PTR_NULL(text_of(".x.resume"));

    partfile_create(&p, &e); /* without a validator nothing stays */
    partfile_write(&p, "hel", 3, &e);
    partfile_leave(&p, "http://h/x", "", 5);
    CU_ASSERT_PTR_NULL(text_of(".x.part"));
    CU_ASSERT_EQUAL(e.code, Q_OK);
    finish();
}

/* Side files that lie. */
static void test_bad_leftovers(void)
{
    static const char *const sides[] = {
        "",
        "url http://h/x\n",
        "url http://h/x\nvalidator \ntotal 5\nend\n",
        "url http://h/x\nvalidator \"t\"\ntotal 2\nend\n", /* the part is longer */
        "url http://h/x\nvalidator \"t\"\ntotal 5\n",
        "url http://h/x\nvalidator \"t\"\ntotal 5\nend"};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        struct partfile p;
        char validator[200];
        uint64_t total = 0;
        begin();
        tree_file(&tree, "/out/.x.part", "hel");
        tree_file(&tree, "/out/.x.resume", sides[i]);
        partfile_init(&p, folder, "x");
        CU_ASSERT_EQUAL(
            partfile_take_up(&p, "http://h/x", validator, sizeof validator, &total),
            -1);
        CU_ASSERT_EQUAL(partfile_create(&p, &e), 0); /* begins anew */
        CU_ASSERT_STRING_EQUAL(text_of(".x.part"), "");
        CU_ASSERT_PTR_NULL(text_of(".x.resume"));
        partfile_leave(&p, "u", NULL, 0);
        finish();
    }
}

/* A part is nobody's link, and one run's at a time. */
static void test_others(void)
{
    struct partfile p, other;
    char path[200];
    begin();
    tree_file(&tree, "/secret", "secret");
    snprintf(path, sizeof path, "%s/out/.x.part", tree.root);
    CU_ASSERT_EQUAL(symlink("../secret", path), 0);
    partfile_init(&p, folder, "x");
    CU_ASSERT(partfile_create(&p, &e) < 0);
    CU_ASSERT_EQUAL(p.fd, -1);
    unlink(path);

    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(partfile_create(&p, &e), 0);
    partfile_init(&other, folder, "x");
    CU_ASSERT_EQUAL(partfile_create(&other, &e), -Q_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "another run"));
    partfile_leave(&p, "u", NULL, 0);
    e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(partfile_create(&other, &e), 0);
    partfile_leave(&other, "u", NULL, 0);
    finish();
}

/* A body that is there as a whole: it has no name but its own, and stands in nobody's
 * way. */
static void test_whole(void)
{
    struct partfile p, other;
    begin();
    partfile_init(&p, folder, "x");
    partfile_init(&other, folder, "x");
    CU_ASSERT_EQUAL(partfile_restart(&p, true, &e), 0);
    CU_ASSERT_EQUAL(partfile_write(&p, "hello", 5, &e), 0);
    CU_ASSERT_PTR_NULL(text_of("x"));
    CU_ASSERT(!p.unnamed || !text_of(".x.part"));
    if (p.unnamed) { /* where the file system can do it */
        CU_ASSERT_EQUAL(partfile_restart(&other, true, &e), 0);
        CU_ASSERT_EQUAL(partfile_write(&other, "other", 5, &e), 0);
    }
    CU_ASSERT_EQUAL(partfile_commit(&p, false, &e), 0);
    CU_ASSERT(p.fd == -1 && !p.unnamed);
    if (other.unnamed) {
        CU_ASSERT_EQUAL(partfile_commit(&other, false, &e), -Q_EIO);
        e = (struct qerr)QERR_INIT;
    }
    CU_ASSERT_STRING_EQUAL(text_of("x"), "hello");
    CU_ASSERT_PTR_NULL(text_of(".x.part"));

    /* Given up, nothing stays of it, whatever is known of it. */
    partfile_init(&p, folder, "y");
    CU_ASSERT_EQUAL(partfile_restart(&p, true, &e), 0);
    CU_ASSERT_EQUAL(partfile_write(&p, "hello", 5, &e), 0);
    bool unnamed = p.unnamed;
    partfile_leave(&p, "http://h/y", "\"tag\"", 5);
    CU_ASSERT(!unnamed || (!text_of(".y.part") && !text_of(".y.resume")));

    /* Another try brings one that is not whole: it begins anew, as a part. */
    partfile_init(&p, folder, "z");
    CU_ASSERT_EQUAL(partfile_restart(&p, true, &e), 0);
    CU_ASSERT_EQUAL(partfile_write(&p, "hello", 5, &e), 0);
    CU_ASSERT_EQUAL(partfile_restart(&p, false, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of(".z.part"), "");
    partfile_leave(&p, "u", NULL, 0);
    finish();
}

/* What an earlier run left goes, too. */
static void test_whole_leftover(void)
{
    struct partfile p;
    begin();
    tree_file(&tree, "/out/.x.part", "hel");
    tree_file(&tree, "/out/.x.resume", "");
    partfile_init(&p, folder, "x");
    CU_ASSERT_EQUAL(partfile_restart(&p, true, &e), 0);
    CU_ASSERT_EQUAL(partfile_write(&p, "hello", 5, &e), 0);
    CU_ASSERT_EQUAL(partfile_commit(&p, false, &e), 0);
    CU_ASSERT_STRING_EQUAL(text_of("x"), "hello");
    CU_ASSERT(!text_of(".x.part") && !text_of(".x.resume"));
    finish();
}

static void test_full(void)
{
    struct partfile p;
    begin();
    partfile_init(&p, folder, "x");
    p.fd = open("/dev/full", O_WRONLY);
    CU_ASSERT_EQUAL(partfile_write(&p, "x", 1, &e), -Q_EIO);
    partfile_leave(&p, "u", NULL, 0);
    finish();
}

static const struct unit_test tests[] = {
    {"whole", test_whole},
    {"whole, leftovers", test_whole_leftover},
    {"names", test_names},
    {"long names", test_long_names},
    {"equal names", test_claims},
    {"many equal names", test_many_claims},
    {"a file appears whole", test_commit},
    {"what is left can be gone on with", test_leave},
    {"leftovers that lie", test_bad_leftovers},
    {"links, and other runs", test_others},
    {"a full disk", test_full},
};

UNIT_MAIN("partfile", tests)
