/* Validation of objects as they are read (lib/api): paths and kinds of errors. */
#include "vec_faults.h"
#include "vec_world.h"

#include <stdio.h>
#include <string.h>

static void cluster_queue(struct vec *v)
{
    vec_faults_check(v, vec_find(v, "clusterQueue"));
}

static void cohort(struct vec *v)
{
    vec_faults_check(v, vec_find(v, "cohort"));
}

static void resource_flavor(struct vec *v)
{
    vec_faults_check(v, vec_find(v, "rf"));
}

/* Expectations as one text: each error found must be in it, and there must be as many. */
static void workload(struct vec *v)
{
    const char *want = doc_str_or(vec_want(v, "wantErr"), "error", "");
    static const char *const roots[] = {"spec.", "status.", "metadata."};
    struct vec_faults f;
    uint32_t n = 0;
    if (strstr(want, "metadata.annotations[") || strstr(want, "podSetUpdates")) {
        vec_skip(v, "rules for annotations and podSetUpdates come later");
        return;
    }
    if (!vec_faults_collect(v, vec_find(v, "workload"), &f))
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
    struct vec_faults f;
    if (object && vec_faults_collect(v, object, &f))
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

#define UPDATES "validation of changes comes later"

static const struct vec_entry entries[] = {
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
