#include "simulated/life_priv.h"

#include <stdio.h>
#include <string.h>

#define KUEUE "kueue.x-k8s.io/"

static const char *const spaces[] = {"ns-a", "ns-b", "ns-c"};

static void make(struct life *l, const char *kind, const char *ns, const struct val *object)
{
    if (!rest_create(l->store, "admin", resource_of_kind(kind), ns, object))
        life_broken(l, "the scene: %s cannot be made", kind);
}

static const char *word(struct life *l, const char *const *words, uint32_t n)
{
    return words[life_below(l, n)];
}

static const char *preemption(struct life *l)
{
    static const char *const within[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority"};
    static const char *const reclaim[] = {"Never", "LowerPriority", "Any"};
    const char *r = word(l, reclaim, 3);
    bool borrow = strcmp(r, "Never") != 0 && life_below(l, 3) == 0;
    return val_printf(&l->store->a,
                      "{\"withinClusterQueue\":\"%s\",\"reclaimWithinCohort\":\"%s\",\"borrowWithinCohort\":{"
                      "\"policy\":\"%s\"}}",
                      word(l, within, 3), r, borrow ? "LowerPriority" : "Never");
}

/* ", borrowingLimit" and ", lendingLimit" in a cohort. */
static const char *limits(struct life *l, int64_t nominal)
{
    struct arena *a = &l->store->a;
    const char *borrow = "", *lend = "";
    if (life_below(l, 3) == 0)
        borrow = val_printf(a, ",\"borrowingLimit\":\"%u\"", life_below(l, 12));
    if (life_below(l, 4) == 0)
        lend = val_printf(a, ",\"lendingLimit\":\"%lld\"", (long long)(nominal / 2));
    return val_printf(a, "%s%s", borrow, lend);
}

/* The resource groups: cpu in one or two flavors, sometimes gpu in one of its own. */
static const char *groups(struct life *l, struct scene_cq *cq, bool cohort)
{
    struct arena *a = &l->store->a;
    int64_t second = 4 + life_below(l, 12);
    cq->cpu = 8 + life_below(l, 16);
    cq->gpu = life_below(l, 3) == 0 ? 4 + life_below(l, 5) : 0;
    const char *one =
        val_printf(a, "{\"name\":\"plain\",\"resources\":[{\"name\":\"cpu\",\"nominalQuota\":\"%lld\"%s}]}",
                   (long long)cq->cpu, cohort ? limits(l, cq->cpu) : "");
    const char *two =
        life_below(l, 2)
            ? val_printf(
                  a, ",{\"name\":\"spot\",\"resources\":[{\"name\":\"cpu\",\"nominalQuota\":\"%lld\"%s}]}",
                  (long long)second, cohort ? limits(l, second) : "")
            : "";
    const char *gpu =
        cq->gpu ? val_printf(a,
                             ",{\"coveredResources\":[\"example.com/gpu\"],\"flavors\":[{\"name\":\"gpu\","
                             "\"resources\":[{\"name\":\"example.com/gpu\",\"nominalQuota\":\"%lld\"}]}]}",
                             (long long)cq->gpu)
                : "";
    return val_printf(a, "[{\"coveredResources\":[\"cpu\"],\"flavors\":[%s%s]}%s]", one, two, gpu);
}

static void make_queue(struct life *l, uint32_t i, uint32_t cohorts)
{
    static const char *const strategies[] = {"BestEffortFIFO", "BestEffortFIFO", "StrictFIFO"};
    struct scene *s = &l->scene;
    struct scene_cq *cq = &s->cqs[i];
    struct arena *a = &l->store->a;
    bool cohort = life_below(l, 5) != 0;
    snprintf(cq->name, sizeof(cq->name), "cq-%u", i);
    cq->nominal = groups(l, cq, cohort);
    cq->check = life_below(l, 4) == 0;
    const char *member = cohort ? val_printf(a, "\"cohortName\":\"team-%u\",", life_below(l, cohorts)) : "";
    const char *check =
        cq->check ? "\"admissionChecksStrategy\":{\"admissionChecks\":[{\"name\":\"check\"}]}," : "";
    const char *weight =
        l->scene.fair ? val_printf(a, "\"fairSharing\":{\"weight\":\"%u\"},", 1 + life_below(l, 3)) : "";
    make(l, "ClusterQueue", NULL,
         val_format(a,
                    "{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s%s%s\"namespaceSelector\":{},"
                    "\"queueingStrategy\":\"%s\","
                    "\"preemption\":%s,\"resourceGroups\":%s}}",
                    cq->name, member, check, weight, word(l, strategies, 3), preemption(l), cq->nominal));
}

static void make_local_queues(struct life *l)
{
    struct scene *s = &l->scene;
    struct arena *a = &l->store->a;
    s->nlqs = s->ncqs + life_below(l, MOST_LQS - s->ncqs);
    for (uint32_t i = 0; i < s->nlqs; i++) {
        struct scene_lq *q = &s->lqs[i];
        q->cq = i % s->ncqs;
        snprintf(q->ns, sizeof(q->ns), "%s", spaces[life_below(l, 3)]);
        snprintf(q->name, sizeof(q->name), "lq-%u", i);
        make(l, "LocalQueue", q->ns,
             val_format(a, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"clusterQueue\":\"%s\"}}", q->name,
                        s->cqs[q->cq].name));
    }
}

static void make_cohorts(struct life *l, uint32_t n)
{
    struct arena *a = &l->store->a;
    for (uint32_t i = 0; i < n; i++) {
        if (life_below(l, 2))
            continue; /* implicit */
        bool child = i > 0 && life_below(l, 2);
        make(l, "Cohort", NULL,
             val_format(a, "{\"metadata\":{\"name\":\"team-%u\"},\"spec\":{%s}}", i,
                        child ? "\"parentName\":\"team-0\"" : ""));
    }
}

static void make_basics(struct life *l)
{
    struct arena *a = &l->store->a;
    for (int i = 0; i < 3; i++)
        make(l, "Namespace", NULL, val_format(a, "{\"metadata\":{\"name\":\"%s\"}}", spaces[i]));
    make(l, "Namespace", NULL, val_format(a, "{\"metadata\":{\"name\":\"kueue-system\"}}"));
    make(l, "ResourceFlavor", NULL,
         val_format(a, "{\"metadata\":{\"name\":\"plain\"},\"spec\":{\"nodeLabels\":{\"example.com/"
                       "pool\":\"plain\"}}}"));
    make(l, "ResourceFlavor", NULL,
         val_format(
             a, "{\"metadata\":{\"name\":\"spot\"},\"spec\":{\"nodeLabels\":{\"example.com/pool\":\"spot\"},"
                "\"tolerations\":[{\"key\":\"spot\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}]}}"));
    make(l, "ResourceFlavor", NULL, val_format(a, "{\"metadata\":{\"name\":\"gpu\"},\"spec\":{}}"));
    make(l, "WorkloadPriorityClass", NULL, val_format(a, "{\"metadata\":{\"name\":\"low\"},\"value\":10}"));
    make(l, "WorkloadPriorityClass", NULL,
         val_format(a, "{\"metadata\":{\"name\":\"high\"},\"value\":1000}"));
    make(l, "AdmissionCheck", NULL,
         val_format(
             a, "{\"metadata\":{\"name\":\"check\"},\"spec\":{\"controllerName\":\"example.com/checks\"}}"));
    rest_patch(
        l->store, "checks", resource_of_kind("AdmissionCheck"), NULL, "check", "status",
        val_format(
            a,
            "{\"status\":{\"conditions\":[{\"type\":\"Active\",\"status\":\"True\",\"reason\":\"Active\","
            "\"message\":\"\",\"lastTransitionTime\":\"%s\"}]}}",
            store_time(l->store)));
}

void scene_make(struct life *l)
{
    struct scene *s = &l->scene;
    uint32_t cohorts = 1 + life_below(l, 3);
    s->ncqs = 3 + life_below(l, MOST_CQS - 3);
    s->fair = life_below(l, 4) == 0;
    s->wait = life_below(l, 3) == 0;
    s->policy = life_below(l, 4) != 0;
    make_basics(l);
    make_cohorts(l, cohorts);
    for (uint32_t i = 0; i < s->ncqs; i++)
        make_queue(l, i, cohorts);
    make_local_queues(l);
    s->config =
        val_printf(&l->store->a, "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n%s%s",
                   s->fair ? "fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare]}\n" : "",
                   s->wait ? "waitForPodsReady: {timeout: 20s, recoveryTimeout: 20s, requeuingStrategy: "
                             "{backoffBaseSeconds: 5, backoffMaxSeconds: 60}}\n"
                           : "");
}
