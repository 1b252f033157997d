/*
 * cgroup: how much CPU time the control groups of this process leave it. Containers and
 * batch systems limit a job this way without narrowing its affinity mask.
 */
#ifndef QUERN_ENGINE_CGROUP_H
#define QUERN_ENGINE_CGROUP_H

#include <stdint.h>

/* The tightest CPU quota in thousandths of a CPU (1500: one and a half), or 0 when
 * there is none or it cannot be told. `root` is put in front of every path that is
 * read: "" for this machine, the top of a made-up tree in tests. Versions 1 and 2, also
 * mixed. */
uint64_t cgroup_quota_milli(const char *root);

#endif
