/* Rounding, against a table and against the C library on numbers that are exact in
 * binary. */
#include "arith/signif.h"

#include <string.h>

#include "unit.h"

struct known {
    const char *text;
    unsigned digits;
    const char *want;
};

static const struct known table[] = {
    {"1", 3, "1.0"},
    {"0", 3, "0.0"},
    {"-0.000e5", 3, "0.0"},
    {"0.912345", 3, "0.912"},
    {"0.9125", 3, "0.912"},
    {"0.9135", 3, "0.914"},
    {"0.91250000000000000000000000000000000000000000000000000000001", 3, "0.913"},
    {"-2.5", 1, "-2.0"},
    {"3.5", 1, "4.0"},
    {"9.995", 3, "10.0"},
    {"9.994", 3, "9.99"},
    {"99950", 3, "100000.0"},
    {"99949", 3, "99900.0"},
    {"1234.5", 3, "1230.0"},
    {"1234.5", 5, "1234.5"},
    {"123456789012345678901", 3, "123000000000000000000.0"},
    {"1234567890123456789012", 3, "1.23e+21"},
    {"1e21", 3, "1.0e+21"},
    {"1e20", 3, "100000000000000000000.0"},
    {"0.00000123456", 3, "0.00000123"},
    {"0.000000123456", 3, "1.23e-07"},
    {"1E-400", 2, "1.0e-400"},
    {"1e-99999999999999999999", 2, "1.0e-1000000000"},
    {"12e+2", 1, "1000.0"},
    {"0.0012e3", 2, "1.2"},
    {"999999999999999999999999999999999999999999", 40, "1.0e+42"},
    {"1234567890123456789012345678901234567890", 40,
     "1.23456789012345678901234567890123456789e+39"},
    {"0.1234567890123456789012345678901234567891", 40,
     "0.1234567890123456789012345678901234567891"},
};

static void test_table(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char got[SIGNIF_ROOM + 1];
        size_t n =
            signif_print(got, table[i].text, strlen(table[i].text), table[i].digits);
        CU_ASSERT_FATAL(n <= SIGNIF_ROOM);
        got[n] = '\0';
        CU_ASSERT_STRING_EQUAL(got, table[i].want);
    }
}

/* Quarters of integers below 2^50 are exact in binary, so printf rounds them exactly,
 * ties to even as we do. */
static void test_printf(void)
{
    for (uint64_t i = 0; i < 100000 * unit_scale(); i++) {
        uint64_t quarters = unit_random() >> (14 + unit_random() % 50);
        unsigned digits = 1 + (unsigned)(unit_random() % 17);
        char text[64], want[64], got[SIGNIF_ROOM + 1];
        snprintf(text, sizeof text, "%" PRIu64 ".%02" PRIu64, quarters / 4,
                 quarters % 4 * 25);
        size_t n = signif_print(got, text, strlen(text), digits);
        got[n] = '\0';
        snprintf(want, sizeof want, "%.*e", (int)digits - 1, (double)quarters / 4);
        CU_ASSERT_EQUAL_FATAL(strtod(got, NULL), strtod(want, NULL));
        CU_ASSERT_PTR_NOT_NULL_FATAL(strchr(got, '.'));
    }
}

static const struct unit_test tests[] = {
    {"known values", test_table},
    {"as printf rounds", test_printf},
};

UNIT_MAIN("signif", tests)
