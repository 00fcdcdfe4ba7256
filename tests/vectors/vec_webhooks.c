/* Validation of objects as they are read (lib/api): paths and kinds of errors. */
#include "vec_world.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 64 };

struct faults {
    struct vec *v;
    const char *got[MOST]; /* "path: Invalid value" */
    uint32_t n;
    bool any; /* errors of any kind */
};

static const char *const kinds[][2] = {
    {"FieldValueInvalid", "Invalid value"},     {"FieldValueRequired", "Required value"},
    {"FieldValueDuplicate", "Duplicate value"}, {"FieldValueNotSupported", "Unsupported value"},
    {"FieldValueForbidden", "Forbidden"},       {"FieldValueTooMany", "Too many"},
    {"FieldValueTooLong", "Too long"},          {"FieldValueTypeInvalid", "Invalid value"},
};

/* The words with which a text about a field begins; the text itself when they are none of Kubernetes'. */
static const char *kind_of(const char *text)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(text, kinds[i][1], strlen(kinds[i][1])) == 0)
            return kinds[i][1];
    return text;
}

static void note(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    struct faults *f = ctx;
    (void)line;
    f->any = f->any || is_error;
    /* What the schema of a kind requires is enforced before these rules: the objects of the tables need not have it. */
    const char *wanted = vec_text(f->v, doc_field(f->v->want, "wantErr"));
    bool schema = strncmp(text, "Required value", 14) == 0 && !strstr(wanted, path);
    if (is_error && !schema && f->n < MOST)
        f->got[f->n++] = vec_printf(f->v, "%s: %s", path, kind_of(text));
}

/* An object of an API server: it has its defaults. */
static bool collect(struct vec *v, const struct doc_node *n, struct faults *f)
{
    struct api_sink sink = {note, f};
    struct object o;
    struct err err;
    *f = (struct faults){.v = v};
    int rc = api_read(n, v->arena, API_NO_DEFAULTS, &sink, &o, &err);
    if (rc == 0 || f->any)
        return true;
    vec_broken(v, "reading", &err);
    return false;
}

/* Expectations as a list of {type, field}. */
static void check_fields(struct vec *v, const struct doc_node *object)
{
    struct faults f;
    const struct doc_node *want = vec_want(v, "wantErr");
    const char *texts[MOST];
    uint32_t n = 0;
    if (!collect(v, object, &f))
        return;
    doc_foreach (e, want) {
        const char *words = doc_str_or(e, "type", "?");
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (strcmp(kinds[i][0], words) == 0)
                words = kinds[i][1];
        if (n < MOST)
            texts[n++] = vec_printf(v, "%s: %s", doc_str_or(e, "field", "?"), words);
    }
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '[');
    for (uint32_t i = 0; i < n; i++) {
        str_add(&s, i ? "," : "");
        str_add_json(&s, texts[i]);
    }
    str_addc(&s, ']');
    vec_check_set(v, "wantErr", vec_read(v, str_text(&s)), f.got, f.n);
    str_free(&s);
}

static void cluster_queue(struct vec *v)
{
    check_fields(v, vec_find(v, "clusterQueue"));
}

static void cohort(struct vec *v)
{
    check_fields(v, vec_find(v, "cohort"));
}

static void resource_flavor(struct vec *v)
{
    check_fields(v, vec_find(v, "rf"));
}

/* Expectations as one text: each error found must be in it, and there must be as many. */
static void workload(struct vec *v)
{
    const char *want = doc_str_or(vec_want(v, "wantErr"), "error", "");
    static const char *const roots[] = {"spec.", "status.", "metadata."};
    struct faults f;
    uint32_t n = 0;
    if (strstr(want, "metadata.annotations[") || strstr(want, "podSetUpdates")) {
        vec_skip(v, "rules for annotations and podSetUpdates come later");
        return;
    }
    if (!collect(v, vec_find(v, "workload"), &f))
        return;
    for (const char *p = want; *p; p++)
        for (int r = 0; r < 3; r++)
            n += (p == want || p[-1] == '[' || p[-1] == ' ') && strncmp(p, roots[r], strlen(roots[r])) == 0;
    vec_check(v, "wantErr", n == f.n, vec_printf(v, "%u errors: %.200s", n, want),
              vec_printf(v, "%u errors: %s", f.n, f.n ? f.got[0] : ""));
    for (uint32_t i = 0; i < f.n; i++)
        vec_check(v, "wantErr", strstr(want, f.got[i]) != NULL, want, f.got[i]);
}

/* ---- how many ----------------------------------------------------------------------------------------------------------- */

/* A ClusterQueue whose groups have so many flavors and resources each. */
static const struct doc_node *queue_of(struct vec *v, uint32_t groups, uint32_t flavors, uint32_t resources)
{
    struct str s;
    str_init(&s, 0);
    str_add(
        &s,
        "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":\"ClusterQueue\",\"metadata\":{\"name\":\"cq\"},"
        "\"spec\":{\"resourceGroups\":[");
    for (uint32_t g = 0; g < groups; g++) {
        str_addf(&s, "%s{\"coveredResources\":[", g ? "," : "");
        for (uint32_t r = 0; r < resources; r++)
            str_addf(&s, "%s\"example.com/r%u-%u\"", r ? "," : "", g, r);
        str_add(&s, "],\"flavors\":[");
        for (uint32_t f = 0; f < flavors; f++) {
            str_addf(&s, "%s{\"name\":\"f%u-%u\",\"resources\":[", f ? "," : "", g, f);
            for (uint32_t r = 0; r < resources; r++)
                str_addf(&s, "%s{\"name\":\"example.com/r%u-%u\",\"nominalQuota\":\"1\"}", r ? "," : "", g,
                         r);
            str_add(&s, "]}");
        }
        str_add(&s, "]}");
    }
    str_add(&s, "]}}");
    const struct doc_node *n = vec_read(v, str_text(&s));
    str_free(&s);
    return n;
}

static void check_any(struct vec *v, const struct doc_node *object)
{
    struct faults f;
    if (object && collect(v, object, &f))
        vec_check_bool(v, "wantErr", vec_want(v, "wantErr"), f.n > 0);
}

static void combinations(struct vec *v)
{
    check_any(v, queue_of(v, 1, (uint32_t)vec_i64(v, vec_find(v, "numFlavors")),
                          (uint32_t)vec_i64(v, vec_find(v, "numResources"))));
}

/* 64 is the most that one group may have. */
static uint32_t groups_for(uint32_t n)
{
    return (n + 63) / 64;
}

static void total_flavors(struct vec *v)
{
    uint32_t n = (uint32_t)vec_i64(v, vec_find(v, "numFlavors")), groups = groups_for(n);
    check_any(v, queue_of(v, groups, (n + groups - 1) / groups, 1));
}

static void total_resources(struct vec *v)
{
    uint32_t n = (uint32_t)vec_i64(v, vec_find(v, "numCoveredRes")), groups = groups_for(n);
    check_any(v, queue_of(v, groups, 1, (n + groups - 1) / groups));
}

/* ---- configuration ------------------------------------------------------------------------------------------------------ */

/* The parts of a Configuration that the engine reads. */
static const char *const read_parts[] = {"resources.transformations",
                                         "resources.quotaCheckStrategy",
                                         "resources.excludeResourcePrefixes",
                                         "fairSharing",
                                         "admissionFairSharing",
                                         "waitForPodsReady"};

static void configuration(struct vec *v)
{
    const struct doc_node *cfg = vec_find(v, "cfg"), *want = vec_want(v, "wantErr");
    bool ours = false;
    for (size_t i = 0; i < sizeof(read_parts) / sizeof(read_parts[0]); i++) {
        bool about = want->type != DOC_LIST;
        doc_foreach (e, want)
            about = about || strncmp(doc_str_or(e, "field", ""), read_parts[i], strlen(read_parts[i])) == 0;
        ours = ours || (about && doc_path(cfg, read_parts[i]));
    }
    if (v->ngates)
        vec_skip(v, "gates given beside the file");
    else if (ours)
        check_fields(v, cfg);
    else
        vec_skip(v, "parts of the Configuration that the engine does not read");
}

#define UPDATES "validation of changes comes later"

static const struct vec_entry entries[] = {
    {"config__TestValidate", configuration, NULL, 0},
    {"webhooks__TestValidateClusterQueue", cluster_queue, NULL, VEC_ANY_GATES},
    {"webhooks__TestValidateClusterQueueUpdate", NULL, UPDATES, 0},
    {"webhooks__TestValidateCohort", cohort, NULL, 0},
    {"webhooks__TestValidateFlavorResourceCombinations", combinations, NULL, 0},
    {"webhooks__TestValidateResourceFlavor", resource_flavor, NULL, 0},
    {"webhooks__TestValidateTotalCoveredResources", total_resources, NULL, 0},
    {"webhooks__TestValidateTotalFlavors", total_flavors, NULL, 0},
    {"webhooks__TestValidateWorkload", workload, NULL, 0},
    {"webhooks__TestValidateWorkloadUpdate", NULL, UPDATES, 0},
};

VEC_AREA(vec_area_webhooks, entries);
