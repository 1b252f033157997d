/*
 * quern-qs: FLINT's work on one integer, for kernels/arith/helper.c.
 *
 *     quern-qs [--prove] N                  in a private temporary directory of its own
 *     quern-qs [--prove] N DIRECTORY PID    in DIRECTORY, as a child of process PID
 *
 * Without --prove its prime factors by the quadratic sieve, in decimal, one a line,
 * with repetition; N is at least 2 and at most 120 digits; "-" reads it from standard
 * input. With --prove the word "prime", "composite" or "unknown", by the test of
 * Adleman, Pomerance, Rumely, Cohen and Lenstra; at most 2000 digits. Status 0; 2 for
 * wrong usage; 3 when no directory can be used. FLINT ends the process in its own ways.
 *
 * FLINT keeps its relations in a file in the working directory, hence the directory. As
 * a child the program dies with its parent, and the parent removes the directory.
 */
#include <dirent.h>
#include <flint/aprcl.h>
#include <flint/flint.h>
#include <flint/fmpz.h>
#include <flint/fmpz_factor.h>
#include <flint/qsieve.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_DIGITS = 120, PROVE_DIGITS = 2000, STATUS_USAGE = 2, STATUS_DIRECTORY = 3 };

/* Dies when process `parent` does, also if it already has; leaves no core file. */
static void tie_to_parent(const char *parent)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != (pid_t)strtol(parent, NULL, 10))
        _exit(STATUS_USAGE);
}

static bool read_number(fmpz_t n, const char *text, size_t digits)
{
    char line[PROVE_DIGITS + 2];
    if (strcmp(text, "-") == 0) {
        if (!fgets(line, sizeof line, stdin))
            return false;
        line[strcspn(line, "\n")] = '\0';
        text = line;
    }
    size_t len = strlen(text);
    if (len == 0 || len > digits || strspn(text, "0123456789") != len)
        return false;
    return fmpz_set_str(n, text, 10) == 0 && fmpz_cmp_ui(n, 1) > 0;
}

/* Makes a directory of our own and goes there; its path is left in `path`. */
static bool enter_own(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int len = snprintf(path, size, "%s/quern-qs.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return len > 0 && (size_t)len < size && mkdtemp(path) && chdir(path) == 0;
}

static void remove_own(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(path);
}

static void print_factors(const fmpz_t n)
{
    fmpz_factor_t f;
    fmpz_factor_init(f);
    if (fmpz_is_probabprime(n))
        _fmpz_factor_append(f, n, 1);
    else if (fmpz_bits(n) <= 64)
        fmpz_factor(f, n);
    else
        qsieve_factor(f, n);
    for (slong i = 0; i < f->num; i++)
        for (ulong k = 0; k < f->exp[i]; k++) {
            fmpz_print(f->p + i);
            putchar('\n');
        }
    fmpz_factor_clear(f);
}

/* The configuration is the one that FLINT's own aprcl_is_prime_jacobi makes; that one
 * does not tell "unknown" from "composite". */
static void print_verdict(const fmpz_t n)
{
    aprcl_config config;
    aprcl_config_jacobi_init(config, n);
    switch (_aprcl_is_prime_jacobi(n, config)) {
    case PRIME:
        puts("prime");
        break;
    case COMPOSITE:
        puts("composite");
        break;
    default:
        puts("unknown");
    }
    aprcl_config_jacobi_clear(config);
}

int main(int argc, char **argv)
{
    char own[4096] = "";
    bool prove = argc > 1 && strcmp(argv[1], "--prove") == 0;
    size_t digits = prove ? PROVE_DIGITS : MAX_DIGITS;
    fmpz_t n;
    fmpz_init(n);
    argc -= prove;
    argv += prove;
    if (argc == 4)
        tie_to_parent(argv[3]);
    if ((argc != 2 && argc != 4) || !read_number(n, argv[1], digits)) {
        fputs("usage: quern-qs [--prove] N [DIRECTORY PID]\n", stderr);
        return STATUS_USAGE;
    }
    if (argc == 4 ? chdir(argv[2]) != 0 : !enter_own(own, sizeof own)) {
        perror("quern-qs: directory");
        return STATUS_DIRECTORY;
    }
    flint_set_num_threads(1);
    if (prove)
        print_verdict(n);
    else
        print_factors(n);
    fmpz_clear(n);
    if (*own)
        remove_own(own);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : STATUS_DIRECTORY;
}
