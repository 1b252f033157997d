/* SHA-256 against the examples of FIPS 180-2, and sha256sum's word for the rest. */
#include "base/qsha256.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static void check(const char *text, unsigned times, const char *want)
{
    struct qerr e = QERR_INIT;
    char hex[QSHA256_HEX];
    struct qsha256 *h = qsha256_new(&e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    qsha256_add(h, "dropped", 7);
    qsha256_restart(h);
    for (unsigned i = 0; i < times; i++)
        qsha256_add(h, text, strlen(text));
    qsha256_hex(h, hex);
    CU_ASSERT_STRING_EQUAL(hex, want);
    qsha256_hex(h, hex); /* asking changes nothing */
    CU_ASSERT_STRING_EQUAL(hex, want);
    qsha256_free(h);
}

static void test_examples(void)
{
    check("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("aaaaaaaaaa", 100000,
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_file(void)
{
    struct qerr e = QERR_INIT;
    char path[] = "/tmp/quern-sha-XXXXXX", hex[QSHA256_HEX];
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, "abc", 3) == 3);
    struct qsha256 *h = qsha256_new(&e);
    CU_ASSERT_EQUAL(qsha256_add_file(h, fd, &e), 0);
    qsha256_hex(h, hex);
    CU_ASSERT_STRING_EQUAL(
        hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    close(fd);
    CU_ASSERT_EQUAL(qsha256_add_file(h, -1, &e), -Q_EIO);
    qsha256_free(h);
    unlink(path);
}

static const struct unit_test tests[] = {
    {"published examples", test_examples},
    {"a file", test_file},
};

UNIT_MAIN("qsha256", tests)
