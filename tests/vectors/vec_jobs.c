/* What Kueue makes of jobs: names, pod sets, topology requests, what can be reclaimed (jobs/). */
#include "vec_world.h"

#include "jobs/name.h"
#include "jobs/podsets.h"
#include "jobs/reclaim.h"
#include "jobs/topology.h"

#include <string.h>

static struct gates gates_of(struct vec *v)
{
    struct gates g = gates_default();
    struct err err;
    for (uint32_t i = 0; i < v->ngates; i++) {
        if (gates_set(&g, v->gates[i].name, v->gates[i].on, &err) < 0)
            vec_broken(v, v->gates[i].name, &err);
    }
    return g;
}

/* ---- pod sets ----------------------------------------------------------------------------------------------------------- */

struct pod_sets {
    struct vec *v;
    const struct job_kind *kind;
    const struct doc_node *result;
};

static void make_pod_sets(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct pod_sets *p = ret;
    struct gates g = gates_of(p->v);
    struct job_pods_options opt = {.topology = gate_named(&g, "TopologyAwareScheduling"),
                                   .multi_layer = gate_named(&g, "TASMultiLayerTopology"),
                                   .partial = true};
    p->result = job_pod_sets(rd, p->kind, job, &opt);
}

/* Without the rules of the webhook, as the code that the table is about. */
static void check_pod_sets(struct vec *v, enum api_kind kind, const char *input)
{
    const struct doc_node *job = vec_find(v, input);
    struct err err;
    struct reader rd = {.arena = v->arena, .flags = API_LENIENT, .root = job, .err = &err};
    struct pod_sets p = {.v = v, .kind = job_kind_of(kind)};
    if (rd_run(&rd, make_pod_sets, job, &p) < 0)
        vec_broken(v, input, &err);
    else
        vec_check_doc(v, "wantPodSets", vec_want(v, "wantPodSets"), p.result, NULL);
}

static void run_batch_pod_sets(struct vec *v)
{
    check_pod_sets(v, API_JOB, "job");
}

static void run_job_set_pod_sets(struct vec *v)
{
    check_pod_sets(v, API_JOB_SET, "jobSet");
}

/* ---- what can be reclaimed ---------------------------------------------------------------------------------------------- */

static void make_reclaimable(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct pod_sets *p = ret;
    p->result = job_reclaimable_pods(rd->arena, p->kind, job);
}

static void check_reclaimable(struct vec *v, enum api_kind kind, const char *input)
{
    const struct doc_node *job = vec_find(v, input);
    struct err err;
    struct reader rd = {.arena = v->arena, .root = job, .err = &err};
    struct pod_sets p = {.v = v, .kind = job_kind_of(kind)};
    if (rd_run(&rd, make_reclaimable, job, &p) < 0)
        vec_broken(v, input, &err);
    else
        vec_check_doc(v, "want", vec_want(v, "want"), p.result, NULL);
}

static void run_batch_reclaimable(struct vec *v)
{
    check_reclaimable(v, API_JOB, "job");
}

static void run_job_set_reclaimable(struct vec *v)
{
    check_reclaimable(v, API_JOB_SET, "jobSet");
}

static void run_terminal_indexes(struct vec *v)
{
    const char *completed = vec_str(v, vec_find(v, "completedIndexes")),
               *failed = vec_str(v, vec_find(v, "failedIndexes"));
    int64_t limit = vec_i64(v, vec_find(v, "completions"));
    vec_check_i64(v, "want", vec_want(v, "want"), reclaim_indexes(completed, failed, limit));
}

/* ---- topology requests -------------------------------------------------------------------------------------------------- */

static void make_request(struct reader *rd, const struct doc_node *input, void *ret)
{
    struct pod_sets *p = ret;
    struct vec *v = p->v;
    struct gates g = gates_of(v);
    const char *index = vec_str(v, vec_find(v, "podIndexLabel")),
               *group = vec_str(v, vec_find(v, "subGroupIndexLabel"));
    struct job_topology t = {.annotations = doc_path(input, "meta.annotations"),
                             .index_label = *index ? index : NULL,
                             .group_label = *group ? group : NULL,
                             .groups = (int32_t)vec_i64(v, vec_find(v, "subGroupCount")),
                             .multi_layer = gate_named(&g, "TASMultiLayerTopology")};
    p->result = job_topology_request(rd, &t);
}

static void run_topology_request(struct vec *v)
{
    struct err err;
    struct reader rd = {.arena = v->arena, .flags = API_LENIENT, .root = v->input, .err = &err};
    struct pod_sets p = {.v = v};
    int rc = rd_run(&rd, make_request, v->input, &p);
    vec_check_bool(v, "wantErr", NULL, (rc < 0) != (doc_field(v->want, "wantErr") != NULL));
    if (rc == 0)
        vec_check_doc(v, "wantReq", vec_want(v, "wantReq"), p.result, NULL);
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

struct naming {
    struct vec *v;
    const char *extra, *result;
};

static void make_name(struct reader *rd, const struct doc_node *input, void *ret)
{
    struct naming *n = ret;
    const struct doc_node *gvk = doc_field(input, "ownerGVK");
    struct gates g = gates_of(n->v);
    n->result = job_name(rd->arena, doc_str_or(gvk, "group", ""), doc_str_or(gvk, "kind", ""),
                         doc_str_or(input, "ownerName", ""), doc_str_or(input, "ownerUID", ""), n->extra,
                         gate_named(&g, "ShortWorkloadNames") ? JOB_NAME_SHORT_MAX : JOB_NAME_MAX);
}

static const char *name_of(struct vec *v, const char *extra)
{
    struct err err;
    struct reader rd = {.arena = v->arena, .root = v->input, .err = &err};
    struct naming n = {.v = v, .extra = extra, .result = ""};
    if (rd_run(&rd, make_name, v->input, &n) < 0)
        vec_broken(v, "name", &err);
    return n.result;
}

static void run_name(struct vec *v)
{
    const char *first = vec_str(v, vec_find(v, "extra1")), *second = vec_str(v, vec_find(v, "extra2"));
    const char *name = name_of(v, vec_str(v, vec_find(v, "extra"))),
               *prefix = doc_str_or(v->want, "wantPrefix", "");
    if (doc_get(v->want, "wantEqual"))
        vec_check_bool(v, "wantEqual", vec_want(v, "wantEqual"),
                       strcmp(name_of(v, first), name_of(v, second)) == 0);
    if (*doc_str_or(v->want, "want", ""))
        vec_check_str(v, "want", vec_want(v, "want"), name);
    if (*prefix)
        vec_check(v, "wantPrefix", strncmp(name, prefix, strlen(prefix)) == 0, prefix, name);
    if (!doc_first(v->want)) /* the readable part of a name does not depend on what is hashed */
        vec_check(v, "prefix", strncmp(name_of(v, "1"), name, strlen(name) - 5) == 0, name, name_of(v, "1"));
}

static const struct vec_entry entries[] = {
    {"controller_jobs_job__TestPodSets", run_batch_pod_sets, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobs_jobset__TestPodSets", run_job_set_pod_sets, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobs_job__TestReclaimablePods", run_batch_reclaimable, NULL, VEC_ANY_CONTENT},
    {"controller_jobs_jobset__TestReclaimablePods", run_job_set_reclaimable, NULL, VEC_ANY_CONTENT},
    {"controller_jobs_job__TestTerminalIndexesCount", run_terminal_indexes, NULL, VEC_ANY_CONTENT},
    {"controller_jobframework__TestPodSetTopologyRequestBuilder", run_topology_request, NULL,
     VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobframework__TestGenerateWorkloadNameWithExtra", run_name, NULL,
     VEC_ANY_GATES | VEC_ANY_CONTENT},
};

VEC_AREA(vec_area_jobs, entries);
