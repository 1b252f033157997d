/*
 * Nothing here tells when or where the program was built, so that two builds of the
 * same source with the same compiler are the same bytes.
 */
#include "cmd/info.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arith/big.h"
#include "arith/cpu.h"
#include "arith/factorbig.h"
#include "arith/helper.h"
#include "arith/primerange.h"
#include "cmd/help.h"
#include "engine/comm.h"
#include "engine/launcher.h"
#include "engine/placement.h"
#include "engine/world.h"

const char info_compiler[] =
#if defined(__clang__)
    __VERSION__; /* names clang itself */
#else
    "gcc " __VERSION__;
#endif

/* What the compiler's own macros tell of its flags. */
const char info_build[] =
#if defined(__OPTIMIZE__)
    "optimized"
#else
    "not optimized"
#endif
#if defined(__x86_64__)
    ", x86-64"
#elif defined(__aarch64__)
    ", aarch64"
#endif
#if defined(__AVX512F__)
    " with AVX-512"
#elif defined(__AVX2__)
    " with AVX2"
#elif defined(__x86_64__)
        " baseline"
#endif
#if defined(__SANITIZE_ADDRESS__)
    ", address sanitizer"
#endif
#if defined(__SANITIZE_THREAD__)
    ", thread sanitizer"
#endif
#if defined(QUERN_FAULT)
    ", fault injection"
#endif
    ;

static void put_build(struct qbuf *out)
{
    qbuf_printf(out, "version: %s\n", QUERN_VERSION);
    qbuf_printf(out, "compiler: %s\n", info_compiler);
    qbuf_printf(out, "build: %s\n", info_build);
    qbuf_printf(out, "gmp: %s\n", gmp_version);
    qbuf_printf(out, "ecm: %s\n", factorbig_library());
    const char *primesieve = primerange_library();
    qbuf_printf(out, "primesieve: %s\n",
                primesieve ? primesieve : "not found: ranges are tested, not sieved");
    qbuf_printf(out, "openmp: %d\n", _OPENMP);
    qbuf_puts(out, "mpi: ");
    comm_list(out);
    if (comm_library())
        qbuf_printf(out, "; in use: %s", comm_library());
    qbuf_putc(out, '\n');
}

static void put_placement(const struct placement *p, const struct cpus *cpus,
                          struct qbuf *out)
{
    qbuf_printf(out, "threads: %u (", p->threads);
    placement_explain(p, out);
    qbuf_puts(out, ")\naffinity: ");
    cpus_print(cpus, out);
    qbuf_puts(out, "\ncpu quota: ");
    if (p->quota_milli > 0)
        qbuf_printf(out, "%.2f\n", (double)p->quota_milli / 1000);
    else
        qbuf_puts(out, "none\n");
}

static void put_launcher(const struct launcher *l, struct qbuf *out)
{
    qbuf_printf(out, "launcher: %s", l->name ? l->name : "none");
    if (l->size > 1)
        qbuf_printf(out, ", %u processes", l->size);
    qbuf_putc(out, '\n');
}

/* The helper program lies in libexec/, beside the program in the build folder and
 * beside its bin/ when installed. Appends its path, or "not found". */
static void put_helper(struct qbuf *out)
{
    char path[HELPER_PATH];
    qbuf_printf(out, "helper: %s\n", helper_program(path) ? path : "not found");
}

void info_text(struct qbuf *out)
{
    struct placement_query q;
    struct placement p;
    struct launcher l;
    placement_query_process(&q);
    placement_weigh(&p, &q);
    launcher_find(&l, &q.env);
    put_build(out);
    qbuf_printf(out, "processor path: %s\n", cpu_path_name());
    put_placement(&p, &q.cpus, out);
    put_launcher(&l, out);
    put_helper(out);
}

/* A line for each rank. */
static int affinity_text(struct qbuf *out, struct qerr *e)
{
    struct world w;
    struct placement p;
    int rc = world_gather(&w, e);
    if (rc == 0) {
        struct placement_peers peers = world_peers(&w, 0);
        rc = placement_find(&p, 0, &peers, e);
    }
    if (rc == 0)
        rc = world_tell(&w, NULL, e);
    if (rc == 0 && w.size > 1) {
        rc = world_describe(&w, &p, out, e);
    } else if (rc == 0) {
        world_put_placement(&p, out);
        qbuf_putc(out, '\n');
    }
    world_release(&w);
    return rc;
}

int cmd_info(const struct job *job, struct ending *ending, struct qerr *e)
{
    (void)ending;
    if (job->ninputs != 1 || job->inputs[0].kind != INPUT_STREAM)
        return qerr_set(e, Q_EUSAGE, "info takes no INPUT");
    struct qbuf text = QBUF_INIT;
    int rc = 0;
    if (job_flag(job, "affinity"))
        rc = affinity_text(&text, e);
    else
        info_text(&text);
    if (rc == 0)
        rc = help_print(&text, e);
    qbuf_release(&text);
    return rc;
}
