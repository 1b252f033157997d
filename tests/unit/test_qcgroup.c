#include "base/qcgroup.h"

#include "tree.h"
#include "unit.h"

#define V2_MOUNT "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define V1_MOUNT                                                                       \
    "25 20 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                \
    "26 20 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:1 - cgroup cgroup "    \
    "rw,cpu,cpuacct\n"                                                                 \
    "27 20 0:24 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

static struct tree tree;

static void begin(const char *cgroup, const char *mountinfo)
{
    tree_begin(&tree);
    tree_file(&tree, "/proc/self/cgroup", cgroup);
    tree_file(&tree, "/proc/self/mountinfo", mountinfo);
}

static void file(const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof full, "/sys/fs/cgroup%s", path);
    tree_file(&tree, full, text);
}

static void check(uint64_t want)
{
    uint64_t got = qcgroup_cpu_milli(tree.root);
    if (got != want) {
        printf("\n  %" PRIu64 ", not %" PRIu64 "\n", got, want);
        CU_FAIL("another quota");
    }
}

static void end(uint64_t want)
{
    check(want);
    tree_end(&tree);
}

static void test_nothing(void)
{
    tree_begin(&tree);
    check(0);
    tree_file(&tree, "/proc/self/cgroup", "");
    check(0);
    tree_file(&tree, "/proc/self/mountinfo", V2_MOUNT V1_MOUNT);
    check(0);
    tree_file(&tree, "/proc/self/cgroup", "junk\n\n:\n::\n1:cpu\n");
    check(0);
    tree_file(&tree, "/proc/self/mountinfo", "cgroup\ncgroup - cgroup2\n - - - \n\n");
    tree_file(&tree, "/proc/self/cgroup", "0::/\n");
    end(0);
}

static void test_v2(void)
{
    begin("0::/job/step\n", V2_MOUNT);
    check(0); /* no file at all */
    file("/job/step/cpu.max", "max 100000\n");
    check(0);
    file("/job/step/cpu.max", "150000 100000\n");
    check(1500);
    file("/job/cpu.max", "400000 100000\n");
    check(1500);
    file("/job/cpu.max", "50000 50000\n"); /* a group above is tighter */
    check(1000);
    file("/cpu.max", "25000 100000\n"); /* and the top of the mount */
    check(250);
    file("/cpu.max", "1 1000000\n"); /* never rounded to "none" */
    check(1);
    file("/cpu.max", "max 100000\n");
    file("/other/cpu.max", "1000 100000\n"); /* not above the process */
    end(1000);
}

static void test_v2_values(void)
{
    begin("0::/\n", V2_MOUNT);
    static const char *const none[] = {"",         "max",       "max max",  "100000",
                                       "0 100000", "-1 100000", "100000 0", "x y"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        file("/cpu.max", none[i]);
        check(0);
    }
    file("/cpu.max", "12800000 100000");
    end(128000);
}

static void test_v1(void)
{
    begin("12:memory:/m\n4:cpu,cpuacct:/slurm/job_7\n3:cpuset:/c\n", V1_MOUNT);
    /* Mounts and groups of other controllers do not count. */
    file("/cpuset/slurm/job_7/cpu.cfs_quota_us", "10000\n");
    file("/cpuset/slurm/job_7/cpu.cfs_period_us", "100000\n");
    file("/cpu,cpuacct/c/cpu.cfs_quota_us", "10000\n");
    file("/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    check(0);
    file("/cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us", "-1\n");
    file("/cpu,cpuacct/slurm/job_7/cpu.cfs_period_us", "100000\n");
    check(0);
    file("/cpu,cpuacct/slurm/cpu.cfs_quota_us", "300000\n");
    check(0); /* no period */
    file("/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
    check(3000);
    file("/cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us", "200000\n");
    end(2000);
}

/* Both versions at once: the unified one without the cpu controller. */
static void test_mixed(void)
{
    begin("1:cpu:/a\n0::/b\n",
          "40 1 0:9 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n"
          "41 1 0:8 / /sys/fs/cgroup/cpu rw - cgroup none rw,cpu\n");
    file("/cpu/a/cpu.cfs_quota_us", "700000\n");
    file("/cpu/a/cpu.cfs_period_us", "100000\n");
    check(7000);
    file("/unified/b/cpu.max", "500000 100000\n");
    end(5000);
}

/* A container sees its own group at the mount point, but its full path in the list. */
static void test_container(void)
{
    begin("0::/docker/abc\n",
          "30 25 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    file("/cpu.max", "100000 100000\n");
    check(1000);
    tree_file(&tree, "/proc/self/cgroup", "0::/docker/abc/sub\n");
    file("/sub/cpu.max", "50000 100000\n");
    check(500);
    /* Another group whose name begins alike is not this one. */
    tree_file(&tree, "/proc/self/cgroup", "0::/docker/abcd/sub\n");
    check(1000);
    /* Outside of the namespace: only the mount point is known. */
    tree_file(&tree, "/proc/self/mountinfo", V2_MOUNT);
    tree_file(&tree, "/proc/self/cgroup", "0::/../sub\n");
    file("/../sub/cpu.max", "10000 100000\n");
    end(1000);
}

static void test_memory(void)
{
    begin("0::/job/step\n", V2_MOUNT);
    CU_ASSERT_EQUAL(qcgroup_memory(tree.root), 0);
    file("/job/step/memory.max", "max\n");
    CU_ASSERT_EQUAL(qcgroup_memory(tree.root), 0);
    file("/job/memory.max", "4294967296\n");
    file("/memory.max", "8589934592\n");
    CU_ASSERT_EQUAL(qcgroup_memory(tree.root), UINT64_C(4294967296));
    file("/job/step/memory.max", "1073741824\n");
    CU_ASSERT_EQUAL(qcgroup_memory(tree.root), 1073741824);
    tree_end(&tree);
    begin("12:memory:/m\n4:cpu,cpuacct:/slurm/job_7\n3:cpuset:/c\n", V1_MOUNT);
    file("/memory/memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    CU_ASSERT_EQUAL(qcgroup_memory(tree.root), 0);
    file("/memory/m/memory.limit_in_bytes", "123456789012\n");
    CU_ASSERT_EQUAL(qcgroup_memory(tree.root), UINT64_C(123456789012));
    tree_end(&tree);
}

static void test_this_machine(void)
{
    CU_ASSERT_EQUAL(qcgroup_memory(""), qcgroup_memory(""));
    uint64_t first = qcgroup_cpu_milli("");
    CU_ASSERT_EQUAL(qcgroup_cpu_milli(""), first);
    CU_ASSERT(first < UINT64_C(100000000));
}

static const struct unit_test tests[] = {
    {"nothing there", test_nothing},
    {"version 2", test_v2},
    {"values of version 2", test_v2_values},
    {"version 1", test_v1},
    {"both versions", test_mixed},
    {"containers", test_container},
    {"memory", test_memory},
    {"this machine", test_this_machine},
};

UNIT_MAIN("qcgroup", tests)
