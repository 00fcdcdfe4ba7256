#include "api/set.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Paths of an api_set: files, directories, standard input. */

struct paths {
    char **p;
    uint32_t n, cap;
};

/* All of a stream; *ret is the caller's. */
static int slurp(FILE *f, const char *name, char **ret, size_t *ret_len, struct err *err)
{
    char *buf = NULL;
    size_t len = 0, cap = 0;
    for (;;) {
        if (len == cap) {
            cap = cap ? cap * 2 : 64 << 10;
            char *grown = mem_realloc(buf, cap);
            if (!grown) {
                mem_free(buf);
                return err_set(err, ERR_NOMEM, "out of memory");
            }
            buf = grown;
        }
        size_t n = fread(buf + len, 1, cap - len, f);
        len += n;
        if (n == 0 || len > DOC_MAX_BYTES)
            break;
    }
    int rc = 0;
    if (ferror(f))
        rc = err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
    else if (len > DOC_MAX_BYTES)
        rc = err_set(err, ERR_LIMIT, "%s: larger than %zu MiB", name, DOC_MAX_BYTES >> 20);
    if (rc < 0) {
        mem_free(buf);
        return rc;
    }
    *ret = buf;
    *ret_len = len;
    return 0;
}

static int read_open(struct api_set *s, FILE *f, const char *name, struct err *err)
{
    char *text;
    size_t len;
    int rc = slurp(f, name, &text, &len, err);
    if (rc < 0)
        return rc;
    rc = api_read_buffer(s, name, text, len, err);
    mem_free(text);
    return rc;
}

static int read_file(struct api_set *s, const char *path, struct err *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    int rc = read_open(s, f, path, err);
    fclose(f);
    return rc;
}

/* ---- directories -------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void paths_drop(struct paths *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        mem_free(l->p[i]);
    mem_free(l->p);
}

/* "dir/name", the caller's. */
static char *joined(const char *dir, const char *name)
{
    size_t n = strlen(dir), m = strlen(name);
    bool slash = n == 0 || dir[n - 1] != '/';
    char *p = mem_alloc(n + slash + m + 1);
    if (!p)
        return NULL;
    memcpy(p, dir, n);
    if (slash)
        p[n] = '/';
    memcpy(p + n + slash, name, m + 1);
    return p;
}

static int list_dir(DIR *d, const char *dir, struct paths *ret, struct err *err)
{
    const struct dirent *e;
    while ((e = readdir(d))) {
        if (!is_wanted(e->d_name))
            continue;
        void *p = ret->p;
        if (mem_grow(&p, &ret->cap, ret->n + 1, sizeof(*ret->p)) < 0)
            return err_set(err, ERR_NOMEM, "out of memory");
        ret->p = p;
        char *path = joined(dir, e->d_name);
        if (!path)
            return err_set(err, ERR_NOMEM, "out of memory");
        ret->p[ret->n++] = path;
    }
    return 0;
}

static int read_dir(struct api_set *s, const char *path, struct err *err)
{
    DIR *d = opendir(path);
    if (!d)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    struct paths list = {0};
    int rc = list_dir(d, path, &list, err);
    closedir(d);
    if (rc == 0 && list.n)
        qsort(list.p, list.n, sizeof(*list.p), by_name);
    for (uint32_t i = 0; i < list.n && rc == 0; i++)
        rc = read_file(s, list.p[i], err);
    paths_drop(&list);
    return rc;
}

int api_read_path(struct api_set *s, const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return read_open(s, stdin, "<stdin>", err);
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return S_ISDIR(st.st_mode) ? read_dir(s, path, err) : read_file(s, path, err);
}
