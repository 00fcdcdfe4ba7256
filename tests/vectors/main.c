/* vectors [-v] [-t TABLE] DIR_OR_FILE...: runs recorded cases and says what differs. */
#include "vec.h"

#include "api/json.h"
#include "base/mem.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK ((size_t)1 << 20)

struct reason {
    const char *text; /* a constant */
    unsigned n;
};

struct run {
    bool verbose;
    const char *only; /* part of a table's name */
    unsigned passed, failed, skipped;
    struct reason reasons[100];
    size_t nreasons;
    struct arena file_arena, arena, scratch;
};

/* ---- one case ----------------------------------------------------------------------------------------------------------- */

static void count_skip(struct run *r, const char *reason)
{
    size_t i = 0;
    r->skipped++;
    while (i < r->nreasons && strcmp(r->reasons[i].text, reason) != 0)
        i++;
    if (i == sizeof(r->reasons) / sizeof(r->reasons[0]))
        return;
    if (i == r->nreasons)
        r->reasons[r->nreasons++].text = reason;
    r->reasons[i].n++;
}

static uint32_t add_gates(struct fact_gate *gates, uint32_t n, const struct doc_node *map)
{
    doc_foreach (c, map) {
        bool on = false;
        if (doc_bool(c, &on, NULL) == 0)
            gates[n++] = (struct fact_gate){c->key, on};
    }
    return n;
}

static void run_case(struct run *r, const char *table, const struct doc_node *root,
                     const struct doc_node *test)
{
    const struct vec_entry *e = vec_registry_find(table);
    const struct doc_node *all = doc_field(root, "gates"), *own = doc_field(test, "gates");
    struct vec v = {.file = table, .name = doc_str_or(test, "name", "?"), .test = test};
    v.shared = doc_field(root, "shared");
    v.input = doc_field(test, "input");
    v.fixtures = doc_field(test, "fixtures");
    v.objects = doc_field(test, "objects");
    v.ops = doc_field(test, "ops");
    v.want = doc_field(test, "want");
    v.got = doc_field(test, "got");
    v.arena = &r->arena;
    v.scratch = &r->scratch;
    struct fact_gate *gates = vec_alloc(&v, ((all ? all->n : 0) + (own ? own->n : 0)) * sizeof(*gates));
    v.gates = gates;
    v.ngates = add_gates(gates, add_gates(gates, 0, all), own);

    v.skip = e ? e->skip : vec_rule_table(table);
    if (!v.skip)
        v.skip = vec_rule(&v, e);
    if (!v.skip && (!e || !e->run))
        v.skip = "no handler";
    if (!v.skip)
        e->run(&v);
    if (!v.skip && !v.failed && !v.checks)
        vec_fail(&v, "handler", "a check", "none");
    if (v.failed)
        r->failed++;
    else if (v.skip)
        count_skip(r, v.skip);
    else
        r->passed++;
    if (r->verbose && !v.failed)
        printf("%s: %s: %s%s\n", table, v.name, v.skip ? "skipped: " : "passed", v.skip ? v.skip : "");
    arena_reset(&r->arena);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static char *load(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    char *text = NULL;
    if (!f)
        return NULL;
    if (fstat(fileno(f), &st) == 0)
        text = mem_alloc((size_t)st.st_size);
    if (text && fread(text, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
        mem_free(text);
        text = NULL;
    }
    *ret_len = text ? (size_t)st.st_size : 0;
    fclose(f);
    return text;
}

/* The tables are static in their names only: "<area>__<table>" of the path. */
static int run_file(struct run *r, const char *path)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char table[200];
    struct err err;
    size_t len;
    const struct doc_node *root = NULL;
    snprintf(table, sizeof(table), "%.*s", (int)(strlen(base) - strlen(".json")), base);
    if (r->only && !strstr(table, r->only))
        return 0;
    char *text = load(path, &len);
    if (!text) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    int rc = json_read(&r->file_arena, &r->scratch, text, len, 1, &root, &err);
    mem_free(text);
    if (rc) {
        fprintf(stderr, "%s: %s\n", path, err.text);
    } else {
        doc_foreach (c, doc_field(root, "cases"))
            run_case(r, table, root, c);
    }
    arena_reset(&r->file_arena);
    arena_reset(&r->scratch);
    return rc ? 1 : 0;
}

static int is_json(const struct dirent *d)
{
    size_t len = strlen(d->d_name);
    return len > 5 && strcmp(d->d_name + len - 5, ".json") == 0;
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* A directory may hold worlds beside tables: x.json with an x.yaml is a world. */
static int run_dir(struct run *r, const char *dir)
{
    struct dirent **names;
    char path[4096];
    int bad = 0, n = scandir(dir, &names, is_json, alphasort);
    if (n < 0) {
        fprintf(stderr, "%s: cannot be read\n", dir);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;
        snprintf(path, sizeof(path), "%s/%.*s.yaml", dir, (int)(strlen(name) - 5), name);
        if (!exists(path)) {
            snprintf(path, sizeof(path), "%s/%s", dir, name);
            bad |= run_file(r, path);
        }
        free(names[i]);
    }
    free(names);
    return bad;
}

static int by_count(const void *a, const void *b)
{
    const struct reason *x = a, *y = b;
    return (x->n < y->n) - (x->n > y->n);
}

int main(int argc, char **argv)
{
    static struct run r;
    int opt, bad = 0;
    while ((opt = getopt(argc, argv, "vt:")) != -1) {
        if (opt == 'v')
            r.verbose = true;
        else if (opt == 't')
            r.only = optarg;
        else
            return 2;
    }
    if (optind == argc) {
        fprintf(stderr, "usage: %s [-v] [-t TABLE] DIR_OR_FILE...\n", argv[0]);
        return 2;
    }
    arena_init(&r.file_arena, BLOCK);
    arena_init(&r.arena, BLOCK);
    arena_init(&r.scratch, BLOCK);
    for (int i = optind; i < argc; i++) {
        struct stat st;
        bool dir = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        bad |= dir ? run_dir(&r, argv[i]) : run_file(&r, argv[i]);
    }
    qsort(r.reasons, r.nreasons, sizeof(r.reasons[0]), by_count);
    for (size_t i = 0; i < r.nreasons; i++)
        printf("skipped %u: %s\n", r.reasons[i].n, r.reasons[i].text);
    printf("%u passed, %u failed, %u skipped\n", r.passed, r.failed, r.skipped);
    arena_free(&r.file_arena);
    arena_free(&r.arena);
    arena_free(&r.scratch);
    return bad || r.failed ? 1 : 0;
}
