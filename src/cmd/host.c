#include "cmd/host.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "arith/big.h"
#include "arith/cpu.h"
#include "arith/factorbig.h"
#include "cmd/info.h"
#include "engine/comm.h"

/* The value of the first line of that key, as in "model name : Intel ...". */
static void find_cpu(char to[HOST_TEXT])
{
    char line[512];
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && !*to && fgets(line, sizeof line, f)) {
        const char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        snprintf(to, HOST_TEXT, "%s", value + 2);
        to[strcspn(to, "\n")] = '\0';
    }
    if (f)
        fclose(f);
}

void host_find(struct host *h)
{
    struct utsname u;
    *h = (struct host){.cpus = 0};
    if (uname(&u) == 0) {
        snprintf(h->name, sizeof h->name, "%s", u.nodename);
        snprintf(h->os, sizeof h->os, "%s %s", u.sysname, u.release);
        snprintf(h->machine, sizeof h->machine, "%s", u.machine);
    }
    find_cpu(h->cpu);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    h->cpus = cpus > 0 ? (unsigned)cpus : 0;
    h->memory_bytes = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

void host_put_build(struct qjson_writer *w)
{
    qjson_object(w, "quern");
    qjson_string(w, "version", QUERN_VERSION);
    qjson_string(w, "compiler", info_compiler);
    qjson_string(w, "build", info_build);
    qjson_string(w, "gmp", gmp_version);
    qjson_string(w, "ecm", factorbig_library());
    qjson_string(w, "mpi", comm_library());
    qjson_string(w, "processor_path", cpu_path_name());
    qjson_end(w);
}

void host_put(const struct host *h, struct qjson_writer *w)
{
    qjson_object(w, "host");
    qjson_string(w, "name", h->name);
    qjson_string(w, "os", h->os);
    qjson_string(w, "machine", h->machine);
    qjson_string(w, "cpu", h->cpu);
    qjson_count(w, "cpus", h->cpus);
    qjson_count(w, "memory_bytes", h->memory_bytes);
    qjson_end(w);
}

void host_time(char to[HOST_TIME])
{
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(to, HOST_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
