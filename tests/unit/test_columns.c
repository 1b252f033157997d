#include "core/columns.h"

#include <string.h>

#include "unit.h"

static const struct column columns[] = {
    {"n", COLUMN_RECORD, NULL},
    {"factors", COLUMN_INTEGERS, NULL},
    {"proof", COLUMN_WORD, NULL},
};
static const struct schema all = {.columns = columns, .ncolumns = 3};

static void chosen(const char *list, const uint8_t *want, size_t n)
{
    struct columns c;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL_FATAL(columns_choose(&c, &all, list, &e), 0);
    CU_ASSERT_EQUAL_FATAL(schema_nshown(&c.schema), n);
    CU_ASSERT_EQUAL(c.schema.ncolumns, 3);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL(schema_shown(&c.schema, i), want[i]);
}

static void test_choice(void)
{
    chosen("n", (const uint8_t[]){0}, 1);
    chosen("proof,n", (const uint8_t[]){2, 0}, 2);
    chosen("factors,proof,n", (const uint8_t[]){1, 2, 0}, 3);
    CU_ASSERT_EQUAL(schema_nshown(&all), 3);
    CU_ASSERT_EQUAL(schema_shown(&all, 2), 2);
}

static void refused(const char *list, const char *why)
{
    struct columns c;
    struct qerr e = QERR_INIT;
    CU_ASSERT_EQUAL(columns_choose(&c, &all, list, &e), -Q_EUSAGE);
    CU_ASSERT_STRING_EQUAL(e.text, why);
}

static void test_refused(void)
{
    refused("factor", "--columns: unknown 'factor'; did you mean 'factors'?");
    refused("n,prof", "--columns: unknown 'prof'; did you mean 'proof'?");
    refused("xyzzy", "--columns: unknown 'xyzzy'; there are n, factors, proof");
    refused("n,", "--columns: unknown ''; there are n, factors, proof");
    refused(",n", "--columns: unknown ''; there are n, factors, proof");
    refused("n,,proof", "--columns: unknown ''; there are n, factors, proof");
    refused("n,proof,n", "--columns: 'n' is there twice");
}

static const struct unit_test tests[] = {
    {"choice", test_choice},
    {"refused", test_refused},
};

UNIT_MAIN("columns", tests)
