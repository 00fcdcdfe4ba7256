/* Tables of the area cache_scheduler that are arithmetic on the quota tree (engine.md 3, 8.1). */
#include "vec_quota.h"

#include "core/preempt_priv.h"
#include "core/world_priv.h"

#include <math.h>
#include <string.h>

/* ---- ancestors ------------------------------------------------------------------------------------------------ */

/* Names from a node up to the root; the node itself when it is a cohort. */
static void check_ancestors(struct script *s, struct vec_quota_node n, bool without_root)
{
    const char *got[16];
    uint32_t count = 0;
    for (uint32_t i = n.node; n.tree && i != TREE_NONE && count < 16; i = n.tree->nodes[i].parent) {
        bool root = n.tree->nodes[i].parent == TREE_NONE;
        if (n.tree->nodes[i].cq == TREE_NONE && !(root && without_root))
            got[count++] = names_text(s->w->names, n.tree->nodes[i].name);
    }
    vec_check_list(s->v, "wantAncestors", vec_want(s->v, "wantAncestors"), got, count);
}

/* A cohort that exists and stands in no tree has a cycle above it (9.7). */
static const char *cycle_error(struct script *s, const char *name)
{
    uint32_t i = idmap_get(&s->w->cohort_of, names_find(s->w->names, name));
    bool there = i != NONE && s->w->cohorts[i].object;
    return there && !vec_quota_find(s, name, true).tree ? "cohort has a cycle" : "";
}

static void cohort_ancestors(struct vec *v)
{
    struct script s;
    const char *name = vec_str(v, vec_find(v, "cohortName"));
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        vec_check_str(v, "wantErr", doc_field(vec_want(v, "wantErr"), "error"), cycle_error(&s, name));
        check_ancestors(&s, *name ? vec_quota_find(&s, name, true) : (struct vec_quota_node){NULL, TREE_NONE},
                        false);
    }
    script_close(&s);
}

static void cq_ancestors(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0) && vec_put(v, s.w, vec_find(v, "cq"), s.now) && script_settle(&s)) {
        check_ancestors(&s, vec_quota_find(&s, "cq", false), true);
        vec_check(v, "wantErr", vec_want(v, "wantErr")->type == DOC_NULL, "an error", "none");
    }
    script_close(&s);
}

static void workload_ancestors(struct vec *v)
{
    struct script s;
    struct object o = {0};
    const struct doc_node *wl = vec_find(v, "wl");
    struct vec_quota_node n = {NULL, TREE_NONE};
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0) && (!wl || vec_object(v, wl, &o))) {
        if (wl && o.workload.admission)
            n = vec_quota_find(&s, o.workload.admission->cluster_queue, false);
        check_ancestors(&s, n, false);
        vec_check(v, "wantErr", vec_want(v, "wantErr")->type == DOC_NULL, "an error", "none");
    }
    script_close(&s);
}

/* ---- available, shares --------------------------------------------------------------------------------------------- */

static void check_each(struct script *s, const char *field, enum vec_quota_kind kind)
{
    doc_foreach (c, vec_want(s->v, field))
        vec_quota_check(s, vec_printf(s->v, "%s.%s", field, c->key), c, vec_quota_find(s, c->key, false),
                        kind);
}

static void available(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        check_each(&s, "wantPotentiallyAvailable", VEC_POTENTIAL);
        check_each(&s, "wantPotentiallyAvailable", VEC_AVAILABLE); /* nothing is used yet */
        doc_foreach (u, vec_find(v, "usage"))
            vec_quota_charge(&s, vec_quota_find(&s, u->key, false), u);
        check_each(&s, "wantAvailable", VEC_AVAILABLE);
        check_each(&s, "wantPotentiallyAvailable", VEC_POTENTIAL);
    }
    script_close(&s);
}

static void check_share(struct script *s, const struct doc_node *want)
{
    const char *name = vec_str(s->v, doc_field(want, "name"));
    struct vec_quota_node n = vec_quota_find(s, name, vec_bool(s->v, doc_field(want, "nodeType")));
    vec_check(s->v, name, n.tree != NULL, "a node", "none");
    if (!n.tree)
        return;
    struct share share = tree_share(n.tree, n.node);
    vec_check_i64(s->v, vec_printf(s->v, "%s.drValue", name), doc_field(want, "drValue"),
                  share_status(share));
    vec_check_str(s->v, vec_printf(s->v, "%s.drName", name), doc_field(want, "drName"),
                  names_text(s->w->names, share.dominant));
    vec_check_bool(s->v, vec_printf(s->v, "%s.borrowing", name), doc_field(want, "borrowing"),
                   share.borrowing);
}

static void dominant_share(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        uint32_t nodes = 0;
        vec_quota_charge(&s, vec_quota_find(&s, "cq", false), vec_find(v, "flvResQ"));
        doc_foreach (c, vec_want(v, "want"))
            check_share(&s, c);
        for (uint32_t i = 0; i < s.w->ntrees; i++)
            nodes += s.w->trees[i]->nnodes;
        vec_check(v, "nodes", nodes == vec_want(v, "want")->n, "as many as are wanted",
                  vec_printf(v, "%u", nodes));
    }
    script_close(&s);
}

static void borrowing_on(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        struct vec_quota_node n = vec_quota_find(&s, "cq", false);
        uint32_t cols[8], ncols = 0;
        doc_foreach (c, vec_find(v, "requestedFRs"))
            if (ncols < 8)
                cols[ncols++] = vec_quota_column(&s, n.tree, c);
        vec_check_bool(v, "wantBorrowing", vec_want(v, "wantBorrowing"),
                       tree_share(n.tree, n.node).borrowing);
        vec_check_bool(v, "wantBorrowingOnRequested", vec_want(v, "wantBorrowingOnRequested"),
                       tree_borrowing_on(n.tree, n.node, cols, ncols));
    }
    script_close(&s);
}

static void weighted_share(struct vec *v)
{
    const struct doc_node *drs = vec_find(v, "drs");
    double got = share_weighted((struct share){.weight = vec_double(v, doc_field(drs, "fairWeight")),
                                               .ratio = vec_double(v, doc_field(drs, "unweightedRatio"))});
    vec_check_str(v, "want", vec_want(v, "want"), isinf(got) ? "+Inf" : vec_printf(v, "%g", got));
}

/* ---- cohorts that come, go and form cycles --------------------------------------------------------------------------- */

static const struct {
    const char *want, *cohort;
} watched[] = {
    {"wantResource", "cohort"}, {"wantRoot", "root"}, {"wantRoot1", "root1"}, {"wantRoot2", "root2"}};

/* `got` holds what came of the last call where that differs from what was there before it. */
static void cohort_cycles(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    bool ok = script_run_all(&s, 1);
    for (int after = 0; ok && after < 2; after++) {
        for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
            const struct doc_node *want = doc_get(v->want, watched[i].want),
                                  *got = doc_get(v->got, watched[i].want);
            if (want && (after || got))
                vec_quota_check_node(&s, watched[i].want, after && got ? got : want,
                                     vec_quota_find(&s, watched[i].cohort, true));
        }
        struct doc_node last = *doc_at(v->ops, v->ops->n - 1);
        struct doc_node list = {.type = DOC_LIST, .text = "", .n = 1, .first = &last};
        last.index = 0;
        ok = after || script_run(&s, &list);
    }
    script_close(&s);
}

static void check_cohorts(struct script *s, const char *field)
{
    doc_foreach (c, vec_want(s->v, field))
        vec_quota_check(s, vec_printf(s->v, "%s.%s", field, c->key), c, vec_quota_find(s, c->key, true),
                        VEC_TREE_QUOTA);
}

static void delete_cohort(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 1)) {
        check_cohorts(&s, "wantBefore");
        world_del_cohort(s.w, vec_str(v, vec_find(v, "deleteName")));
        if (script_settle(&s))
            check_cohorts(&s, "wantAfter");
    }
    script_close(&s);
}

/* ---- what the metrics of cohorts report ---------------------------------------------------------------------------- */

/* Is there a cohort whose tree quota is this, in the units of the metrics (whole cores)? */
static bool has_quota(struct script *s, const char *cohort, const char *flavor, const char *resource,
                      int64_t want)
{
    struct vec_quota_node n = vec_quota_find(s, cohort, true);
    uint32_t fr = world_find_pair(s->w, flavor, resource),
             col = n.tree && fr != NONE ? tree_col(n.tree, fr) : TREE_NONE;
    amount unit = resource_is_cpu(resource) ? 1000 : 1;
    return col != TREE_NONE && tree_cell(n.tree, n.node, col)->quota == want * unit;
}

/* The values stand in the order in which they were asked for: "want", "want#2", ... */
static const struct {
    const char *table, *cohort, *flavor, *resource, *value;
    bool got; /* among the values got */
} quota_metrics[] = {
    {"cache_scheduler__TestRecordCohortMetrics_Guards", "record-left", "flavor1", "cpu", "want", false},
    {"cache_scheduler__TestRecordCohortMetrics_Guards", "record-root", "flavor1", "cpu", "want#2", true},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "ch1", "default", "cpu",
     "want", false},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "ch2", "default", "cpu",
     "want", true},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "ch3", "flavor1", "cpu",
     "want#2", true},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "ch3", "flavor1",
     "nvidia.com/gpu", "want#3", true},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "root", "default", "cpu",
     "want#4", true},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "root", "flavor1", "cpu",
     "want#5", true},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", "root", "flavor1",
     "nvidia.com/gpu", "want#6", true},
};

static void cohort_metrics(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    bool ok = script_run_all(&s, 0);
    for (size_t i = 0; ok && i < sizeof(quota_metrics) / sizeof(quota_metrics[0]); i++) {
        if (strcmp(quota_metrics[i].table, v->file) != 0)
            continue;
        const struct doc_node *want =
            doc_get(quota_metrics[i].got ? v->got : v->want, quota_metrics[i].value);
        vec_check(v, quota_metrics[i].cohort,
                  want && has_quota(&s, quota_metrics[i].cohort, quota_metrics[i].flavor,
                                    quota_metrics[i].resource, vec_i64(v, want)),
                  vec_text(v, want), "another quota");
    }
    script_close(&s);
}

/* ---- simulated removal -------------------------------------------------------------------------------------------------- */

static void move_workloads(struct script *s, const char *list, bool away)
{
    struct preempt_ctx ctx = {.w = s->w};
    doc_foreach (c, vec_find(s->v, list)) {
        struct wl *wl = script_find(s, vec_str(s->v, c));
        if (!wl || wl->cq == NONE)
            vec_broken(s->v, vec_str(s->v, c), NULL);
        else if (away)
            take_away(&ctx, wl);
        else
            put_back(&ctx, wl);
    }
}

static void check_nodes(struct script *s, const struct doc_node *want, bool cohort)
{
    doc_foreach (c, want)
        vec_quota_check_node(s, c->key, doc_field(c, "resourceNode"), vec_quota_find(s, c->key, cohort));
}

/* Workloads of the API server are known before the queues are made. */
static void add_remove(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (vec_put_list(v, s.w, doc_field(v->shared, "setupObjects"), s.now) && script_run_all(&s, 0)) {
        const struct doc_node *want = vec_want(v, "want");
        move_workloads(&s, "remove", true);
        move_workloads(&s, "add", false);
        check_nodes(&s, doc_field(want, "clusterQueues"), false);
        check_nodes(&s, doc_field(want, "cohorts"), true);
    }
    script_close(&s);
}

static const struct vec_entry entries[] = {
    {"cache_scheduler__TestAncestors", cohort_ancestors, NULL, 0},
    {"cache_scheduler__TestClusterQueueAncestors", cq_ancestors, NULL, 0},
    {"cache_scheduler__TestWorkloadAncestors", workload_ancestors, NULL, 0},
    {"cache_scheduler__TestAvailable", available, NULL, 0},
    {"cache_scheduler__TestDominantResourceShare", dominant_share, NULL, 0},
    {"cache_scheduler__TestIsBorrowingOn", borrowing_on, NULL, 0},
    {"cache_scheduler__TestPreciseWeightedShareSerialized", weighted_share, NULL, 0},
    {"cache_scheduler__TestCohortCycles", cohort_cycles, NULL, 0},
    {"cache_scheduler__TestDeleteCohortUpdatesAncestorSubtreeQuota", delete_cohort, NULL, 0},
    {"cache_scheduler__TestRecordCohortMetrics_Guards", cohort_metrics, NULL, 0},
    {"cache_scheduler__TestRecordCohortMetrics_QuotaHierarchyLikeIntegration", cohort_metrics, NULL, 0},
    {"cache_scheduler__TestSnapshotAddRemoveWorkload", add_remove, NULL, 0},
    {"cache_scheduler__TestSnapshotAddRemoveWorkloadWithLendingLimit", add_remove, NULL, 0},
};

VEC_AREA(vec_area_cache_tree, entries);
