#include "source/fetchconfig.h"

#include "jobs.h"
#include "source/fetch.h"
#include "unit.h"

extern const struct kernel kernel_factor, kernel_extract, kernel_lineprod;

static const uint64_t SECOND = 1000000000;

static struct job job;

static void drop(struct fetch_config *c)
{
    fetch_config_free(c);
    job_release(&job);
}

static struct fetch_config *make(const struct kernel *kernel, const char *option)
{
    const char *const options[] = {kernel == &kernel_extract ? "columns=a=/a" : option,
                                   kernel == &kernel_extract ? option : NULL, NULL};
    struct fetch_config *c = NULL;
    struct qerr e = QERR_INIT;
    job_make(&job, kernel, options);
    CU_ASSERT_EQUAL_FATAL(fetch_config_new(&c, &job, &e), 0);
    return c;
}

/* Answers of an API are short; what else is fetched may take long. */
static void test_timeout(void)
{
    const struct {
        const struct kernel *kernel;
        const char *option;
        uint64_t want;
    } table[] = {{&kernel_factor, NULL, 0},
                 {&kernel_lineprod, NULL, 0},
                 {&kernel_extract, NULL, 60 * SECOND},
                 {&kernel_extract, "timeout=90s", 90 * SECOND},
                 {&kernel_factor, "timeout=5s", 5 * SECOND}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fetch_config *c = make(table[i].kernel, table[i].option);
        CU_ASSERT_EQUAL(c->timeout_ns, table[i].want);
        drop(c);
    }
}

/* A document's limit holds while it is fetched. */
static void test_size(void)
{
    const struct {
        const struct kernel *kernel;
        const char *option;
        uint64_t want;
        const char *of;
    } table[] = {{&kernel_factor, NULL, 0, "--max-bytes"},
                 {&kernel_factor, "max-bytes=5000", 5000, "--max-bytes"},
                 {&kernel_lineprod, NULL, 16 << 20, "--max-document"},
                 {&kernel_extract, NULL, 16 << 20, "--max-document"},
                 {&kernel_extract, "max-document=1000", 1000, "--max-document"},
                 {&kernel_extract, "max-bytes=5000", 5000, "--max-bytes"},
                 {&kernel_extract, "max-bytes=17M", 16 << 20, "--max-document"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fetch_config *c = make(table[i].kernel, table[i].option);
        CU_ASSERT_EQUAL(c->max_bytes, table[i].want);
        CU_ASSERT_STRING_EQUAL(c->max_bytes_of, table[i].of);
        drop(c);
    }
}

static const struct unit_test tests[] = {
    {"limits of time", test_timeout},
    {"limits of size", test_size},
};

UNIT_MAIN("fetchconfig", tests)
