/* The Configuration file (lib/api): its rules, feature gates, waitForPodsReady. */
#include "vec_faults.h"

#include "api/gates_flag.h"
#include "api/set.h"

#include <string.h>

/* Nodes know their parents, from which paths are made: a child of another parent is a copy. */
static struct doc_node *copy(struct vec *v, const struct doc_node *n)
{
    struct doc_node *ret = vec_alloc(v, sizeof(*ret)), *last = NULL;
    *ret = *n;
    ret->n = 0;
    ret->first = ret->next = ret->parent = NULL;
    doc_foreach (c, n)
        doc_append(ret, &last, copy(v, c));
    return ret;
}

/* The Configuration of the case with its gates, which the tables give beside it, as `featureGates`. */
static const struct doc_node *with_gates(struct vec *v, const struct doc_node *cfg)
{
    if (!v->ngates || !doc_is(cfg, DOC_MAP))
        return cfg;
    struct doc_node *root = vec_alloc(v, sizeof(*root)), *map = vec_alloc(v, sizeof(*map)), *last = NULL;
    *root = (struct doc_node){.type = DOC_MAP, .text = "", .line = cfg->line};
    *map = (struct doc_node){.type = DOC_MAP, .text = "", .key = "featureGates", .line = cfg->line};
    doc_foreach (c, cfg)
        doc_append(root, &last, copy(v, c));
    doc_append(root, &last, map);
    last = NULL;
    for (uint32_t i = 0; i < v->ngates; i++) {
        struct doc_node *gate = vec_alloc(v, sizeof(*gate));
        *gate = (struct doc_node){
            .type = DOC_BOOL, .key = v->gates[i].name, .text = v->gates[i].on ? "true" : "false"};
        doc_append(map, &last, gate);
    }
    return root;
}

static void validate(struct vec *v, const char *prefix)
{
    struct vec_faults f;
    if (vec_faults_collect(v, NULL, with_gates(v, vec_find(v, "cfg")), &f))
        vec_faults_compare(v, &f, prefix);
}

static void whole(struct vec *v)
{
    validate(v, "");
}

static void devices(struct vec *v)
{
    validate(v, "resources.deviceClassMappings");
}

/* ---- custom labels ------------------------------------------------------------------------------------------------------ */

struct details {
    struct vec *v;
    const char *got[VEC_FAULTS_MAX];
    uint32_t n;
};

static void note_detail(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    struct details *d = ctx;
    const char *many = strstr(text, "too many custom labels");
    (void)line;
    if (is_error && many && strcmp(path, "metrics.customLabels") == 0 && d->n < VEC_FAULTS_MAX)
        d->got[d->n++] = vec_printf(d->v, "%s", many);
}

/* 9 labels of Cohorts, 10 of LocalQueues, 5 of Workloads: the input of the case is in its expectation only. */
static void label_details(struct vec *v)
{
    static const struct {
        const char *kind;
        int n;
    } kinds[] = {{"Cohort", 9}, {"LocalQueue", 10}, {"Workload", 5}};
    struct details d = {.v = v};
    struct api_sink sink = {note_detail, &d};
    struct object o;
    struct str s;
    str_init(&s, 0);
    str_add(&s, "{\"metrics\":{\"customLabels\":[{\"name\":\"first\"}");
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < kinds[k].n; i++)
            str_addf(&s, ",{\"name\":\"l%d_%d\",\"sourceKind\":\"%s\",\"trackedValues\":[\"a\"]}", k, i,
                     kinds[k].kind);
    str_add(&s, "]}}");
    const struct doc_node *n = vec_read(v, str_text(&s));
    str_free(&s);
    if (n && api_read_as(API_CONFIG, n, v->arena, API_NO_DEFAULTS, &sink, &o, NULL) == 0)
        vec_fail(v, "wantDetails", "errors", "none");
    vec_check_list(v, "wantDetails", vec_want(v, "wantDetails"), d.got, d.n);
    vec_check_i64(v, "len(gotDetails)", vec_want(v, "len(gotDetails)"), d.n);
}

static void custom_labels(struct vec *v)
{
    if (vec_find(v, "cfg"))
        validate(v, "metrics");
    else
        label_details(v);
}

/* ---- gates and waitForPodsReady ----------------------------------------------------------------------------------------- */

static void check_gates(struct vec *v, int rc, const struct err *err)
{
    const struct doc_node *want = doc_at(vec_want(v, "wantErr"), 0);
    const char *detail = doc_str_or(want, "detail", "");
    vec_check(v, "wantErr", (rc < 0) == (want != NULL), want ? "an error" : "none",
              rc < 0 ? err->text : "none");
    if (rc < 0 && *detail)
        vec_check(v, "detail", strstr(err->text, detail) != NULL, detail, err->text);
}

static void feature_gates(struct vec *v)
{
    const struct doc_node *map = vec_find(v, "featureGateMap");
    const char *flag = vec_str(v, vec_find(v, "featureGatesCLI"));
    struct fact_gate *list = vec_alloc(v, ((map ? map->n : 0) + 1) * sizeof(*list));
    struct fact_config file = {.gates = list};
    const struct fact_gate *gates;
    struct err err = {0};
    uint32_t n;
    doc_foreach (c, map) {
        bool on = false;
        if (doc_bool(c, &on, NULL) == 0)
            list[file.ngates++] = (struct fact_gate){c->key, on};
    }
    int rc = gates_flag(flag, &file, v->arena, &gates, &n, &err);
    if (rc == 0)
        rc = gates_consistent(gates, n, &err);
    check_gates(v, rc, &err);
}

static void wait_enabled(struct vec *v)
{
    struct object o;
    struct err err;
    if (api_read(with_gates(v, vec_find(v, "cfg")), v->arena, API_LENIENT, NULL, &o, &err))
        vec_broken(v, "reading", &err);
    else
        vec_check_bool(v, "want", vec_want(v, "want"), o.settings->wait.enabled);
}

#define CACHES "what the other program keeps in its caches"
#define ANY (VEC_ANY_GATES | VEC_ANY_CONTENT)

static const struct vec_entry entries[] = {
    {"config__TestConfigureClusterProfileCacheWithClient", NULL, CACHES, 0},
    {"config__TestDefaultTransformStripsManagedFields", NULL, CACHES, 0},
    {"config__TestLoadAndValidateFeatureGates", feature_gates, NULL, ANY},
    {"config__TestValidate", whole, NULL, ANY},
    {"config__TestValidateCustomLabels", custom_labels, NULL, ANY},
    {"config__TestValidateDeviceClassMappings", devices, NULL, ANY},
    {"config__TestWaitForPodsReadyIsEnabled", wait_enabled, NULL, ANY},
};

VEC_AREA(vec_area_config, entries);
