/*
 * /proc/self/cgroup says which group of each hierarchy the process is in, and
 * /proc/self/mountinfo where the hierarchies are mounted (proc(5), cgroups(7)). A quota
 * binds all groups below it, so every level from the process's group up to the mount
 * point is read and the least counts. What lies above the mount point (in a container)
 * cannot be seen.
 *
 *   version 2: cpu.max              "MICROSECONDS PERIOD" or "max PERIOD"
 *              memory.max           BYTES or "max"
 *   version 1: cpu.cfs_quota_us, cpu.cfs_period_us            -1: no quota
 *              memory.limit_in_bytes                 no limit: nearly 2^63
 *
 * What cannot be read or understood is no limit.
 */
#include "base/qcgroup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 64 };

/* What is limited. */
struct resource {
    const char *controller;
    uint64_t (*limit_of)(const char *dir, bool v2); /* that DIR itself sets; 0: none */
};

/* One hierarchy that may hold limits: where it is, and the group in it. */
struct hierarchy {
    const struct resource *resource;
    bool v2;
    char group[PATH_BYTES]; /* as /proc/self/cgroup has it; "" when not there */
};

/* The first line of DIR/NAME, "" when there is none. */
static void read_line(const char *dir, const char *name, char line[LINE_BYTES])
{
    char path[PATH_BYTES + LINE_BYTES];
    line[0] = '\0';
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
    if (!f)
        return;
    if (!fgets(line, LINE_BYTES, f))
        line[0] = '\0';
    fclose(f);
}

/* In thousandths of a CPU. */
static uint64_t quota_of(const char *dir, bool v2)
{
    char line[LINE_BYTES], period_line[LINE_BYTES];
    int64_t quota = 0, period = 0;
    if (v2) {
        read_line(dir, "cpu.max", line);
        if (sscanf(line, "%15" SCNd64 " %15" SCNd64, &quota, &period) != 2)
            return 0;
    } else {
        read_line(dir, "cpu.cfs_quota_us", line);
        read_line(dir, "cpu.cfs_period_us", period_line);
        if (sscanf(line, "%15" SCNd64, &quota) != 1 ||
            sscanf(period_line, "%15" SCNd64, &period) != 1)
            return 0;
    }
    if (quota <= 0 || period <= 0)
        return 0;
    uint64_t milli = (uint64_t)quota * 1000 / (uint64_t)period;
    return milli > 0 ? milli : 1;
}

/* In bytes. */
static uint64_t memory_of(const char *dir, bool v2)
{
    char line[LINE_BYTES];
    uint64_t limit = 0;
    read_line(dir, v2 ? "memory.max" : "memory.limit_in_bytes", line);
    return sscanf(line, "%19" SCNu64, &limit) == 1 && limit < UINT64_C(1) << 62 ? limit
                                                                                : 0;
}

static uint64_t tighter(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* Whether `item` is one of a list separated by commas. */
static bool has_item(const char *list, const char *item)
{
    size_t len = strlen(item);
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        if (n == len && memcmp(at, item, n) == 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

/* The group as seen from a mount that shows the part of the hierarchy below `top`. */
static const char *below(const char *group, const char *top)
{
    size_t n = strcmp(top, "/") == 0 ? 0 : strlen(top);
    if (strncmp(group, top, n) != 0 || (group[n] != '/' && group[n] != '\0'))
        return "";
    /* A group outside of the namespace of the process has ".." in its path. */
    return strcmp(group + n, "/") == 0 || strstr(group, "/..") ? "" : group + n;
}

/* The least limit of the group and of all above it in one mount. */
static uint64_t limit_in_mount(const char *root, const char *mount, const char *top,
                               const struct hierarchy *h)
{
    char dir[PATH_BYTES];
    int n = snprintf(dir, sizeof dir, "%s%s%s", root, mount, below(h->group, top));
    if (n < 0 || (size_t)n >= sizeof dir)
        return 0;
    size_t end = strlen(root) + strlen(mount);
    uint64_t least = h->resource->limit_of(dir, h->v2);
    while (strlen(dir) > end) {
        *strrchr(dir, '/') = '\0';
        least = tighter(least, h->resource->limit_of(dir, h->v2));
    }
    return least;
}

static FILE *open_proc(const char *root, const char *name)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/proc/self/%s", root, name);
    return n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
}

/* Finds the groups of this process: lines "ID:CONTROLLERS:PATH". */
static void find_groups(const char *root, struct hierarchy *v1, struct hierarchy *v2)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *f = open_proc(root, "cgroup");
    while (f && getline(&line, &cap, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        bool unified = controllers[1] == '\0';
        if (unified || has_item(controllers + 1, v1->resource->controller))
            snprintf(unified ? v2->group : v1->group, PATH_BYTES, "%s", path);
    }
    free(line);
    if (f)
        fclose(f);
}

/* What a line of mountinfo says of a mount; all point into the line. */
struct mount {
    const char *top, *point, *type, *options;
};

/* "ID PARENT DEVICE TOP POINT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS" */
static bool split_mount(char *line, struct mount *m)
{
    enum { TOP = 3, POINT, DASH, TYPE, SOURCE, SUPER, WORDS };
    const char *word[WORDS] = {NULL};
    int n = 0;
    char *rest = NULL;
    for (char *w = strtok_r(line, " \n", &rest); w && n < WORDS;
         w = strtok_r(NULL, " \n", &rest))
        if (n != DASH || strcmp(w, "-") == 0)
            word[n++] = w;
    *m = (struct mount){word[TOP], word[POINT], word[TYPE], word[SUPER]};
    return m->options != NULL;
}

static uint64_t find_limit(const char *root, const struct resource *resource)
{
    struct hierarchy v1 = {.resource = resource};
    struct hierarchy v2 = {.resource = resource, .v2 = true};
    find_groups(root, &v1, &v2);

    uint64_t least = 0;
    char *line = NULL;
    size_t cap = 0;
    FILE *f = open_proc(root, "mountinfo");
    while (f && getline(&line, &cap, f) > 0) {
        struct mount m;
        if (!strstr(line, "cgroup") || !split_mount(line, &m))
            continue;
        const struct hierarchy *h = NULL;
        if (strcmp(m.type, "cgroup2") == 0)
            h = &v2;
        else if (strcmp(m.type, "cgroup") == 0 &&
                 has_item(m.options, resource->controller))
            h = &v1;
        if (h && h->group[0])
            least = tighter(least, limit_in_mount(root, m.point, m.top, h));
    }
    free(line);
    if (f)
        fclose(f);
    return least;
}

uint64_t qcgroup_cpu_milli(const char *root)
{
    static const struct resource cpu = {"cpu", quota_of};
    return find_limit(root, &cpu);
}

uint64_t qcgroup_memory(const char *root)
{
    static const struct resource memory = {"memory", memory_of};
    return find_limit(root, &memory);
}
