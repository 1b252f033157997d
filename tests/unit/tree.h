/*
 * tree: a made-up file system below a fresh folder, for code that takes a root; in
 * memory where that can be had, so that syncing it costs nothing.
 */
#ifndef QUERN_TESTS_TREE_H
#define QUERN_TESTS_TREE_H

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "unit.h"

struct tree {
    char root[64];
};

static inline void tree_begin(struct tree *t)
{
    snprintf(t->root, sizeof t->root, "/dev/shm/quern-tree-XXXXXX");
    if (mkdtemp(t->root))
        return;
    snprintf(t->root, sizeof t->root, "/tmp/quern-tree-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(t->root));
}

/* Makes the file at `path` (which begins with a slash), and the folders above it. */
static inline void tree_file(const struct tree *t, const char *path, const char *text)
{
    char full[4096];
    snprintf(full, sizeof full, "%s%s", t->root, path);
    for (char *slash = full + strlen(t->root) + 1; (slash = strchr(slash, '/'));
         slash++) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *f = fopen(full, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static inline int tree_remove(const char *path, const struct stat *s, int type,
                              struct FTW *at)
{
    (void)s;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void tree_end(struct tree *t)
{
    CU_ASSERT_EQUAL(nftw(t->root, tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
