/* Reading at any place. */
#include "source/spot.h"

#include <string.h>
#include <unistd.h>

#include "tree.h"
#include "unit.h"

static struct tree tree;

static struct input input_of(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s%s", tree.root, name);
    return (struct input){
        .kind = INPUT_FILE, .text = path, .len = strlen(path), .name = path};
}

static void test_can(void)
{
    char path[300];
    uint64_t size = 7;
    tree_begin(&tree);
    tree_file(&tree, "/plain", "0123456789");
    tree_file(&tree, "/empty", "");
    tree_file(&tree, "/gz", "\x1f\x8b and so on");
    struct input in = input_of(path, sizeof path, "/plain");
    CU_ASSERT(spot_can(&in, &size) && size == 10);
    in = input_of(path, sizeof path, "/empty");
    CU_ASSERT_FALSE(spot_can(&in, &size));
    in = input_of(path, sizeof path, "/gz");
    CU_ASSERT_FALSE(spot_can(&in, &size));
    in = input_of(path, sizeof path, "/none");
    CU_ASSERT_FALSE(spot_can(&in, &size));
    in = input_of(path, sizeof path, "");
    CU_ASSERT_FALSE(spot_can(&in, &size));
    in.kind = INPUT_STREAM;
    CU_ASSERT_FALSE(spot_can(&in, &size));
    tree_end(&tree);
}

static void test_read(void)
{
    char a[300], b[300], got[16];
    struct qerr e = QERR_INIT;
    struct spot s = {.fd = -1};
    tree_begin(&tree);
    tree_file(&tree, "/a", "0123456789");
    tree_file(&tree, "/b", "abcdef");
    struct input ina = input_of(a, sizeof a, "/a"), inb = input_of(b, sizeof b, "/b");
    CU_ASSERT(spot_read(&s, &ina, 3, got, 4, &e) == 4 && memcmp(got, "3456", 4) == 0);
    CU_ASSERT(spot_read(&s, &ina, 8, got, 4, &e) == 2 && memcmp(got, "89", 2) == 0);
    CU_ASSERT(spot_read(&s, &inb, 0, got, 6, &e) == 6 && memcmp(got, "abcdef", 6) == 0);
    CU_ASSERT_EQUAL(spot_read(&s, &ina, 10, got, 4, &e), 0);
    CU_ASSERT_EQUAL(unlink(b), 0);
    CU_ASSERT_EQUAL(spot_read(&s, &inb, 0, got, 1, &e), -Q_EINPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, b));
    spot_close(&s);
    spot_close(&s);
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"what can be read at any place", test_can},
    {"places of two files", test_read},
};

UNIT_MAIN("spot", tests)
