#include "api/set_priv.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Paths of an api_set: files, directories, standard input. */

#define STDIN_NAME "<stdin>"

struct paths {
    char **p;
    uint32_t n, cap;
};

struct file {
    FILE *f;
    const char *name;
};

static int read_some(void *ctx, char *buf, size_t cap, size_t *ret, struct err *err)
{
    const struct file *f = ctx;
    *ret = fread(buf, 1, cap, f->f);
    return *ret == 0 && ferror(f->f) ? err_set(err, ERR_IO, "%s: %s", f->name, strerror(errno)) : 0;
}

static int read_open(struct api_set *s, FILE *f, const char *name, struct err *err)
{
    struct file file = {f, name};
    struct source src;
    source_init(&src, read_some, &file);
    int rc = set_read_source(s, name, &src, err);
    source_free(&src);
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

static int read_path(struct api_set *s, const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return read_open(s, stdin, STDIN_NAME, err);
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return S_ISDIR(st.st_mode) ? read_dir(s, path, err) : read_file(s, path, err);
}

int api_read_path(struct api_set *s, const char *path, struct err *err)
{
    uint32_t documents = s->ndocuments, errors = s->errors.n;
    int rc = read_path(s, path, err);
    if (rc < 0 || s->ndocuments > documents || s->errors.n > errors)
        return rc;
    return err_set(err, ERR_NOTFOUND, "%s: there are no objects in it",
                   strcmp(path, "-") == 0 ? STDIN_NAME : path);
}
