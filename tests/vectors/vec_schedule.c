/* Tables of the area scheduler: cycles. */
#include "vec_cycle.h"
#include "vec_entries.h"

#include <string.h>

#define TOPOLOGY "topology-aware placement comes later"

/* One cycle of everything that the case holds. */
static void schedule(struct vec *v)
{
    struct vec_cycle c;
    struct fact_config config = {.fair_sharing = vec_bool(v, vec_find(v, "enableFairSharing"))};
    const struct doc_node *merged = doc_field(v->want, "wantWorkloadUseMergePatch");
    if (vec_cycle_open(&c, v, &config, vec_find(v, "workloads"), VEC_NOW)) {
        c.writes_fail = vec_find(v, "admissionError") != NULL;
        if (vec_cycle_run(&c)) {
            /* counts first: they are valid until the world changes */
            vec_cycle_check_counts(&c, vec_want(v, "wantSkippedPreemptions"),
                                   vec_want(v, "wantPreemptionTargetRecomputations"));
            vec_cycle_check_workloads(&c, "wantWorkloads", merged ? merged : vec_want(v, "wantWorkloads"));
            vec_cycle_check_admissions(&c, "wantAssignments", vec_want(v, "wantAssignments"));
            vec_cycle_check_left(&c, "wantLeft", vec_want(v, "wantLeft"), false);
            vec_cycle_check_left(&c, "wantInadmissibleLeft", vec_want(v, "wantInadmissibleLeft"), true);
            vec_cycle_check_events(&c, "wantEvents", vec_want(v, "wantEvents"));
        }
    }
    vec_cycle_close(&c);
}

static bool is_off(const struct vec *v, const char *gate)
{
    for (uint32_t i = 0; i < v->ngates; i++)
        if (strcmp(v->gates[i].name, gate) == 0)
            return !v->gates[i].on;
    return false;
}

/* Where the gate is off, flavors with a topology are as all others, and one cycle is as above. */
static void without_topology(struct vec *v)
{
    struct vec_cycle c;
    if (!is_off(v, "TopologyAwareScheduling")) {
        vec_skip(v, TOPOLOGY);
        return;
    }
    if (vec_cycle_open(&c, v, NULL, vec_find(v, "workloads"), VEC_NOW) && vec_cycle_run(&c)) {
        vec_cycle_check_workloads(&c, "wantWorkloads", vec_want(v, "wantWorkloads"));
        vec_cycle_check_left(&c, "wantLeft", vec_want(v, "wantLeft"), false);
        vec_cycle_check_left(&c, "wantInadmissibleLeft", vec_want(v, "wantInadmissibleLeft"), true);
        vec_cycle_check_events(&c, "wantEvents", vec_want(v, "wantEvents"));
    }
    vec_cycle_close(&c);
}

static void delete_workloads(struct vec_cycle *c, const struct doc_node *keys)
{
    doc_foreach (key, keys)
        for (uint32_t i = 0; i < c->records.n; i++) {
            struct vec_record *rec = &c->records.list[i];
            if (!rec->wl || strcmp(rec->wl->key, vec_str(c->v, key)) != 0)
                continue;
            world_del_workload(c->w, rec->wl, c->now);
            rec->wl = NULL;
        }
    world_flush(c->w, c->now);
}

/* Two cycles; in between, Workloads are deleted. The conditions are those after the first. */
static void twice(struct vec *v)
{
    struct vec_cycle c;
    if (vec_cycle_open(&c, v, NULL, vec_find(v, "workloads"), VEC_NOW) && vec_cycle_run(&c)) {
        vec_cycle_check_workloads(&c, "wantWorkloads", vec_want(v, "wantWorkloads"));
        delete_workloads(&c, vec_find(v, "deleteWorkloads"));
        if (vec_cycle_run(&c))
            vec_cycle_check_admissions(&c, "wantAdmissionsOnSecondSchedule",
                                       vec_want(v, "wantAdmissionsOnSecondSchedule"));
    }
    vec_cycle_close(&c);
}

/* Somebody else changes the object while the conditions are written: that is tried again, with the same conditions. */
static void modified_concurrently(struct vec *v)
{
    struct vec_cycle c;
    const struct doc_node *workload = vec_find(v, "workload");
    if (vec_cycle_open(&c, v, NULL, vec_list_of(v, workload), VEC_NOW) &&
        vec_put(v, c.w, vec_find(v, "ns"), VEC_NOW) && vec_cycle_run(&c)) {
        vec_cycle_check_workloads(&c, "wantWorkloads", vec_want(v, "wantWorkloads"));
        vec_cycle_check_events(&c, "wantEvents", vec_want(v, "wantEvents"));
    }
    vec_cycle_close(&c);
}

/* ---- admission fair sharing (4.9) --------------------------------------------------------------------------------------------- */

static struct fact_config afs_config(struct vec *v, const struct doc_node *n)
{
    return (struct fact_config){.afs = n != NULL,
                                .afs_half_life_ns = vec_duration(v, doc_field(n, "usageHalfLifeTime")),
                                .afs_sampling_ns = vec_duration(v, doc_field(n, "usageSamplingInterval"))};
}

/* The LocalQueues with what they have consumed, before anything else knows them. */
static bool put_consumed(struct vec *v, struct world *w, const struct doc_node *usage)
{
    doc_foreach (n, vec_find(v, "queues")) {
        struct object o;
        struct err err;
        if (!vec_object(v, n, &o))
            return false;
        o.local_queue.consumed = vec_amounts(v, doc_get(usage, o.name), &o.local_queue.nconsumed);
        o.local_queue.consumed_at = VEC_NOW;
        if (world_put_local_queue(w, &o.local_queue, VEC_NOW, &err)) {
            vec_broken(v, o.name, &err);
            return false;
        }
    }
    return true;
}

/* As many cycles as Workloads. A LocalQueue that is deleted from the API alone is still known here: nobody has seen it go. */
static void usage_based(struct vec *v)
{
    struct vec_cycle c;
    struct fact_config config = afs_config(v, vec_find(v, "afsConfig"));
    const struct doc_node *gate = doc_get(vec_find(v, "featureGates"), "AdmissionFairSharing");
    config.fair_sharing = vec_bool(v, gate);
    bool ok = vec_cycle_start(&c, v, &config, VEC_NOW) && put_consumed(v, c.w, vec_find(v, "initialUsage")) &&
              vec_cycle_fill(&c, vec_find(v, "workloads"));
    for (uint32_t i = 0; ok && i < c.records.n; i++)
        ok = vec_cycle_run(&c);
    if (ok)
        vec_cycle_check_workloads(&c, "wantWorkloads", vec_want(v, "wantWorkloads"));
    vec_cycle_close(&c);
}

/* One admission; afterwards its LocalQueue has a penalty or not. */
static void entry_penalty(struct vec *v)
{
    static const char quotas[] =
        "[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns\"}},"
        "{\"apiVersion\":\"kueue.x-k8s.io/"
        "v1beta2\",\"kind\":\"ResourceFlavor\",\"metadata\":{\"name\":\"default\"},"
        "\"spec\":{}},"
        "{\"apiVersion\":\"kueue.x-k8s.io/"
        "v1beta2\",\"kind\":\"LocalQueue\",\"metadata\":{\"namespace\":\"ns\","
        "\"name\":\"lq\"},\"spec\":{\"clusterQueue\":\"cq\"}},"
        "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":\"ClusterQueue\",\"metadata\":{\"name\":\"cq\"},"
        "\"spec\":{\"namespaceSelector\":{},\"admissionScope\":{\"admissionMode\":\"%s\"},\"resourceGroups\":"
        "[{"
        "\"coveredResources\":[\"cpu\"],\"flavors\":[{\"name\":\"default\",\"resources\":[{\"name\":\"cpu\","
        "\"nominalQuota\":\"10\"}]}]}]}}]";
    struct vec_cycle c;
    struct fact_config config = afs_config(v, vec_find(v, "afsConfig"));
    const char *text = vec_printf(v, quotas, vec_str(v, vec_find(v, "admissionMode")));
    if (vec_cycle_start(&c, v, &config, VEC_NOW) && vec_put_list(v, c.w, vec_read(v, text), VEC_NOW) &&
        vec_cycle_fill(&c, vec_list_of(v, vec_find(v, "wl"))) && vec_cycle_run(&c)) {
        vec_check(v, "quota", c.records.list[0].wl->cq != NONE, "held", "not held");
        vec_check_bool(v, "want", vec_want(v, "want"), afs_has_penalties(&c.w->local_queues[0].afs));
    }
    vec_cycle_close(&c);
}

static const struct vec_entry entries[] = {
    {"scheduler__TestSchedule", schedule, NULL, 0},
    {"scheduler__TestScheduleForFairSharing", schedule, NULL, 0},
    {"scheduler__TestScheduleRecomputePreemptionTargets", schedule, NULL, VEC_ANY_GATES},
    {"scheduler__TestLastSchedulingContext", twice, NULL, 0},
    {"scheduler__TestSchedulerWhenWorkloadModifiedConcurrently", modified_concurrently, NULL, 0},
    {"scheduler__TestScheduleForAFS", usage_based, NULL, 0},
    {"scheduler__TestShouldApplyEntryPenalty", entry_penalty, NULL, 0},
    {"scheduler__TestEntryOrdering", vec_entries_classical, NULL, 0},
    {"scheduler__TestEntryComparerLess", vec_entries_fair, NULL, 0},
    {"scheduler__TestLastAssignmentOutdated", vec_entries_outdated, NULL, 0},
    {"scheduler__TestResourcesToReserve", vec_entries_reserve, NULL, 0},
    {"scheduler__TestEntryMarkSkipped", vec_entries_skip, NULL, 0},
    {"scheduler__TestEntryMarkPreemptionOutcome", NULL,
     "how the writes of evictions end is known after our cycle", 0},
    {"scheduler__TestRequeueAndUpdate", vec_entries_requeue, NULL, 0},
    {"scheduler__TestScheduleForTAS", NULL, TOPOLOGY, 0},
    {"scheduler__TestScheduleForTASCohorts", NULL, TOPOLOGY, 0},
    {"scheduler__TestScheduleForTASPreemption", without_topology, NULL, VEC_ANY_CONTENT | VEC_ANY_GATES},
    {"scheduler__TestScheduleForTASWhenWorkloadModifiedConcurrently", NULL, TOPOLOGY, 0},
    {"scheduler__TestScheduleForPreserveFlavorScanProgress", NULL, TOPOLOGY, 0},
    {"scheduler__TestScheduleConcurrentAdmission", NULL, "concurrent admission comes later", 0},
};

VEC_AREA(vec_area_schedule, entries);
