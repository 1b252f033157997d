/* host: what this machine is, and what this program was made with, for reports. */
#ifndef QUERN_CMD_HOST_H
#define QUERN_CMD_HOST_H

#include <stdint.h>

#include "base/qjson.h"

enum { HOST_TEXT = 128 };

struct host {
    char name[HOST_TEXT];
    char os[2 * HOST_TEXT]; /* "Linux 6.1.0" */
    char machine[HOST_TEXT];
    char cpu[HOST_TEXT]; /* the processor's own name; "" when not told */
    unsigned cpus;       /* on line */
    uint64_t memory_bytes;
};

void host_find(struct host *h);

/* Objects "quern" (version, compiler, build, libraries, processor path) and "host". */
void host_put_build(struct qjson_writer *w);
void host_put(const struct host *h, struct qjson_writer *w);

/* Now, as 2026-11-27T01:02:03Z. */
enum { HOST_TIME = 24 };
void host_time(char to[HOST_TIME]);

#endif
