/* Validation of objects as they are read (lib/api): paths and kinds of errors. */
#include "vec_faults.h"
#include "vec_world.h"

#include <stdio.h>
#include <string.h>

static void cluster_queue(struct vec *v)
{
    vec_faults_check(v, NULL, vec_find(v, "clusterQueue"));
}

static void cohort(struct vec *v)
{
    vec_faults_check(v, NULL, vec_find(v, "cohort"));
}

static void resource_flavor(struct vec *v)
{
    vec_faults_check(v, NULL, vec_find(v, "rf"));
}

static void workload(struct vec *v)
{
    vec_faults_check_text(v, NULL, vec_find(v, "workload"));
}

/* ---- changes ------------------------------------------------------------------------------------------------------------ */

static void cluster_queue_update(struct vec *v)
{
    vec_faults_check(v, vec_find(v, "oldClusterQueue"), vec_find(v, "newClusterQueue"));
}

static void workload_update(struct vec *v)
{
    vec_faults_check_text(v, vec_find(v, "before"), vec_find(v, "after"));
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
    if (object && vec_faults_collect(v, NULL, object, &f))
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

#define ANY (VEC_ANY_GATES | VEC_ANY_CONTENT)

static const struct vec_entry entries[] = {
    {"webhooks__TestValidateClusterQueue", cluster_queue, NULL, ANY},
    {"webhooks__TestValidateClusterQueueUpdate", cluster_queue_update, NULL, ANY},
    {"webhooks__TestValidateCohort", cohort, NULL, ANY},
    {"webhooks__TestValidateFlavorResourceCombinations", combinations, NULL, ANY},
    {"webhooks__TestValidateResourceFlavor", resource_flavor, NULL, ANY},
    {"webhooks__TestValidateTotalCoveredResources", total_resources, NULL, ANY},
    {"webhooks__TestValidateTotalFlavors", total_flavors, NULL, ANY},
    {"webhooks__TestValidateWorkload", workload, NULL, ANY},
    {"webhooks__TestValidateWorkloadUpdate", workload_update, NULL, ANY},
};

VEC_AREA(vec_area_webhooks, entries);
