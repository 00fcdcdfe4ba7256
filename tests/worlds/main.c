/* worlds DIR_OR_FILE...: runs recorded worlds in process and compares the traces. A world is NNNN.yaml with NNNN.json beside it. One
 * line for each world that differs: file, where, field, expected, got. Exit status 0 when none did. */
#include "api/json.h"
#include "api/set.h"
#include "base/mem.h"
#include "core/tree.h"
#include "sim/trace.h"
#include "worlds/compare.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A world that Kueue's rules never bring to rest would run for ever; recorded ones need some hundred cycles at most. */
enum { CYCLES_AT_ONCE_MAX = 20000, TRACE_MAX = 1 << 30 };

static struct {
    bool verbose, print_trace;
    unsigned passed, failed, skipped, exact;
    unsigned messages, messages_wrong;
} run;

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    struct str s;
    char buf[65536];
    size_t n;

    if (!f)
        return NULL;
    str_init(&s, TRACE_MAX);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        str_addn(&s, buf, n);
    (void)fclose(f);
    *ret_len = s.len;
    char *text = s.len ? str_take(&s) : mem_strdup("");
    str_free(&s);
    return text;
}

static char *with_suffix(const char *path, size_t stem, const char *suffix)
{
    struct str s;

    str_init(&s, 0);
    str_addn(&s, path, stem);
    str_add(&s, suffix);
    char *out = str_take(&s);
    str_free(&s);
    return out;
}

/* ---- one world ---------------------------------------------------------------------------------------------------------- */

struct one {
    const char *path;
    struct api_set *objects;
    struct sim *sim;
    struct str trace;
    struct arena arena, scratch;
};

static uint32_t tree_of(void *arg, const char *cluster_queue)
{
    const struct world *w = sim_world(arg);
    uint32_t cq = world_cq_find(w, cluster_queue);
    const struct tree *t = cq == NONE ? NULL : world_cq(w, cq).tree, *u;

    for (uint32_t i = 0; (u = world_tree(w, i)); i++)
        if (u == t)
            return i;
    return UINT32_MAX;
}

static int read_world(struct one *o, const char *text, size_t len, struct err *err)
{
    o->objects = api_set_new(API_NO_VALIDATE); /* recorded objects may be broken on purpose */
    if (!o->objects)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = api_read_buffer(o->objects, o->path, text, len, err);
    if (!rc && api_set_errors(o->objects))
        rc = err_set(err, ERR_INVALID, "%s", api_set_error(o->objects, 0));
    return rc;
}

/* The trace of the world into o->trace. */
static int run_world(struct one *o, const char *name, const char *text, size_t len, struct err *err)
{
    struct sim_options opt = {.max_cycles = sim_max_cycles_of(text, len),
                              .max_cycles_at_once = CYCLES_AT_ONCE_MAX};
    int rc = read_world(o, text, len, err);

    if (!rc)
        rc = sim_new(o->objects, &opt, &o->sim, err);
    if (rc)
        return rc;
    struct trace *t = trace_new(o->sim, name);
    if (!t)
        return err_set(err, ERR_NOMEM, "out of memory");
    rc = sim_run(o->sim, err);
    if (!rc)
        trace_print(t, &o->trace);
    if (!rc && str_failed(&o->trace))
        rc = err_set(err, ERR_NOMEM, "out of memory for the trace");
    trace_free(t);
    return rc;
}

static void report(const struct one *o, const struct compare *c)
{
    run.messages += c->nmessages;
    run.messages_wrong += c->nmessages_wrong;
    if (!c->differs) {
        run.passed++;
    } else {
        run.failed++;
        printf("%s: %s: %s: expected %s, got %s\n", o->path, str_text(&c->where), str_text(&c->field),
               str_text(&c->want), str_text(&c->got));
    }
    if (run.verbose && c->messages.len)
        printf("%s:\n%s", o->path, str_text(&c->messages));
}

static int compare_world(struct one *o, const char *expected, size_t len, struct err *err)
{
    const struct doc_node *want, *got;
    struct compare c;
    int rc = json_read(&o->arena, &o->scratch, expected, len, 1, &want, err);

    if (rc)
        return err_prefix(err, "expected trace: ");
    rc = json_read(&o->arena, &o->scratch, str_text(&o->trace), o->trace.len, 1, &got, err);
    if (rc)
        return err_prefix(err, "our trace: ");
    compare_init(&c);
    c.verbose = run.verbose;
    if (sim_fair_sharing(o->sim)) {
        c.tree_of = tree_of;
        c.arg = o->sim;
    }
    compare_traces(&c, want, got);
    report(o, &c);
    run.exact += o->trace.len == len && !memcmp(str_text(&o->trace), expected, len);
    compare_free(&c);
    return 0;
}

static void do_world(const char *path, size_t stem)
{
    struct one o = {.path = path};
    struct err err = {0};
    size_t len = 0, expected_len = 0;
    const char *slash = strrchr(path, '/');
    size_t dir = slash ? (size_t)(slash - path) + 1 : 0;
    char *json = with_suffix(path, stem, ".json"), *name = with_suffix(path + dir, stem - dir, "");
    char *text = read_file(path, &len), *expected = json ? read_file(json, &expected_len) : NULL;

    arena_init(&o.arena, 65536);
    arena_init(&o.scratch, 65536);
    str_init(&o.trace, TRACE_MAX);
    if (!text || !expected || !name) {
        printf("%s: skipped: %s\n", path, text ? "no expected trace beside it" : "cannot be read");
        run.skipped++;
    } else {
        int rc = run_world(&o, name, text, len, &err);
        if (!rc)
            rc = compare_world(&o, expected, expected_len, &err);
        if (rc) {
            printf("%s: %s\n", path, err.text);
            run.failed++;
        }
        if (run.print_trace)
            (void)fputs(str_text(&o.trace), stdout);
    }
    sim_free(o.sim);
    api_set_free(o.objects);
    str_free(&o.trace);
    arena_free(&o.arena);
    arena_free(&o.scratch);
    mem_free(json);
    mem_free(name);
    mem_free(text);
    mem_free(expected);
}

/* ---- many --------------------------------------------------------------------------------------------------------------- */

static size_t stem_of(const char *path)
{
    size_t n = strlen(path);

    return n > 5 && !strcmp(path + n - 5, ".yaml") ? n - 5 : 0;
}

static int only_worlds(const struct dirent *e)
{
    return stem_of(e->d_name) > 0;
}

static int do_dir(const char *dir)
{
    struct dirent **list;
    int n = scandir(dir, &list, only_worlds, alphasort);

    if (n < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        struct str path;
        struct stat st;
        str_init(&path, 0);
        str_addf(&path, "%s/%s", dir, list[i]->d_name);
        char *json = with_suffix(str_text(&path), stem_of(str_text(&path)), ".json");
        if (json && !stat(json, &st))
            do_world(str_text(&path), stem_of(str_text(&path)));
        mem_free(json);
        str_free(&path);
        free(list[i]); /* scandir's own memory */
    }
    free(list);
    return 0;
}

static int do_path(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return -1;
    if (S_ISDIR(st.st_mode))
        return do_dir(path);
    if (!stem_of(path))
        return -1;
    do_world(path, stem_of(path));
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"verbose", no_argument, NULL, 'v'}, {"trace", no_argument, NULL, 't'}, {0}};
    int opt;

    while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
        if (opt == 'v') {
            run.verbose = true;
        } else if (opt == 't') {
            run.print_trace = true;
        } else {
            (void)fprintf(stderr, "usage: worlds [-v] [--trace] DIR_OR_FILE...\n");
            return 2;
        }
    }
    for (int i = optind; i < argc; i++) {
        if (do_path(argv[i])) {
            (void)fprintf(stderr, "worlds: %s: neither a directory nor a .yaml file\n", argv[i]);
            return 2;
        }
    }
    if (run.verbose)
        printf("messages: %u of %u differ; %u traces are the same byte for byte\n", run.messages_wrong,
               run.messages, run.exact);
    printf("%u passed, %u failed, %u skipped\n", run.passed, run.failed, run.skipped);
    return run.failed || !run.passed;
}
