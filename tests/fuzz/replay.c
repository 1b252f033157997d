/*
 * replay: calls a fuzz target with each file of the folders that are its arguments. The
 * name is printed in front of the call, so that the last one is that of a crash.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { FILE_BYTES = 1 << 20 };

static unsigned passed, failed;

static void replay_file(const char *path)
{
    char *bytes = malloc(FILE_BYTES);
    FILE *file = fopen(path, "rb");
    printf("# %s\n", path);
    fflush(stdout);
    if (bytes && file) {
        size_t n = fread(bytes, 1, FILE_BYTES, file);
        char *input = exact_copy(bytes, n);
        LLVMFuzzerTestOneInput((const uint8_t *)input, n);
        free(input);
        passed++;
    } else {
        perror(path);
        failed++;
    }
    if (file)
        fclose(file);
    free(bytes);
}

static void replay(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    if (n < 0) {
        perror(folder);
        failed++;
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            replay_file(path);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
