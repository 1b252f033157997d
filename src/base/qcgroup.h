/*
 * qcgroup: how much CPU time and memory the control groups of this process leave it.
 * Containers and batch systems limit a job this way without narrowing its affinity
 * mask.
 *
 * `root` is put in front of every path that is read: "" for this machine, the top of a
 * made-up tree in tests. Versions 1 and 2, also mixed.
 */
#ifndef QUERN_BASE_QCGROUP_H
#define QUERN_BASE_QCGROUP_H

#include <stdint.h>

/* The tightest CPU quota in thousandths of a CPU (1500: one and a half), or 0 when
 * there is none or it cannot be told. */
uint64_t qcgroup_cpu_milli(const char *root);

/* The tightest limit of memory in bytes, or 0 as above. */
uint64_t qcgroup_memory(const char *root);

#endif
