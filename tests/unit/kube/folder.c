#include "folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char path[64];

void folder_make(void)
{
    (void)snprintf(path, sizeof(path), "/tmp/sluice-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

void folder_remove(void)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -r %s", path);
    ck_assert_int_eq(system(command), 0);
}

const char *folder(void)
{
    return path;
}

const char *in_folder(const char *name)
{
    static char paths[4][160];
    static int n;

    n = (n + 1) % 4;
    (void)snprintf(paths[n], sizeof(paths[n]), "%s/%s", path, name);
    return paths[n];
}

void folder_put(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}
