#include "source/extent.h"

#include <string.h>

#include "tree.h"
#include "unit.h"

static bool extent(enum input_kind kind, const char *text, struct extent *x)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", text);
    struct input in = {.kind = kind, .text = copy, .len = strlen(copy), .name = copy};
    return extent_of(&in, x);
}

static void test_ranges(void)
{
    static const struct {
        const char *text;
        double units;
        uint64_t records;
    } rows[] = {
        {"5..5", 1, 1},
        {"0..999999", 1e6, 1000000},
        {"99..100", 2, 2},
        {"18446744073709551615..18446744073709551616", 2, 2},
        {"1000000000000000000000000000000000000001.."
         "1000000000000000000000000000000000001000",
         1000, 1000},
        {"0..1000000000000000000000000", 1e24, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct extent x;
        CU_ASSERT_FATAL(extent(INPUT_RANGE, rows[i].text, &x));
        CU_ASSERT_EQUAL(x.kind, CHUNK_OF_RANGE);
        CU_ASSERT_DOUBLE_EQUAL(x.units, rows[i].units, rows[i].units * 1e-9);
        CU_ASSERT_EQUAL(x.records, rows[i].records);
    }
}

static void test_others(void)
{
    struct tree tree;
    struct extent x;
    char path[256];
    tree_begin(&tree);
    CU_ASSERT(extent(INPUT_LITERAL, "7\n2^61-1\n", &x));
    CU_ASSERT_EQUAL(x.units, 9);
    CU_ASSERT_EQUAL(x.records, 2);
    CU_ASSERT(!extent(INPUT_STREAM, "-", &x));
    CU_ASSERT(!extent(INPUT_FILE, "/dev/null", &x));
    CU_ASSERT(!extent(INPUT_FILE, tree.root, &x));
    tree_file(&tree, "/plain", "12\n13\n");
    snprintf(path, sizeof path, "%s/plain", tree.root);
    CU_ASSERT(extent(INPUT_FILE, path, &x));
    CU_ASSERT_EQUAL(x.kind, CHUNK_OF_TEXT);
    CU_ASSERT_EQUAL(x.units, 6);
    CU_ASSERT_EQUAL(x.records, 0);
    tree_file(&tree, "/packed", "\x1f\x8b\x08\x01");
    snprintf(path, sizeof path, "%s/packed", tree.root);
    CU_ASSERT(!extent(INPUT_FILE, path, &x));
    snprintf(path, sizeof path, "%s/missing", tree.root);
    CU_ASSERT(!extent(INPUT_FILE, path, &x));
    tree_end(&tree);
}

static const struct unit_test tests[] = {
    {"ranges", test_ranges},
    {"all else", test_others},
};
UNIT_MAIN("extent", tests)
