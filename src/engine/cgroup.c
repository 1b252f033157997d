/*
 * /proc/self/cgroup says which group of each hierarchy the process is in, and
 * /proc/self/mountinfo where the hierarchies are mounted (proc(5), cgroups(7)). A quota
 * binds all groups below it, so every level from the process's group up to the mount
 * point is read and the least counts. What lies above the mount point (in a container)
 * cannot be seen.
 *
 *   version 2: cpu.max              "MICROSECONDS PERIOD" or "max PERIOD"
 *   version 1: cpu.cfs_quota_us, cpu.cfs_period_us            -1: no quota
 *
 * What cannot be read or understood is no limit.
 */
#include "engine/cgroup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 64 };

/* One hierarchy that may hold quotas: where it is, and the group in it. */
struct hierarchy {
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

/* The quota that DIR itself sets, in thousandths of a CPU, or 0. */
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

/* The least quota of the group and of all above it in one mount. */
static uint64_t quota_in_mount(const char *root, const char *mount, const char *top,
                               const struct hierarchy *h)
{
    char dir[PATH_BYTES];
    int n = snprintf(dir, sizeof dir, "%s%s%s", root, mount, below(h->group, top));
    if (n < 0 || (size_t)n >= sizeof dir)
        return 0;
    size_t end = strlen(root) + strlen(mount);
    uint64_t least = quota_of(dir, h->v2);
    while (strlen(dir) > end) {
        *strrchr(dir, '/') = '\0';
        least = tighter(least, quota_of(dir, h->v2));
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
        if (unified || has_item(controllers + 1, "cpu"))
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

uint64_t cgroup_quota_milli(const char *root)
{
    struct hierarchy v1 = {.v2 = false}, v2 = {.v2 = true};
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
        else if (strcmp(m.type, "cgroup") == 0 && has_item(m.options, "cpu"))
            h = &v1;
        if (h && h->group[0])
            least = tighter(least, quota_in_mount(root, m.point, m.top, h));
    }
    free(line);
    if (f)
        fclose(f);
    return least;
}
