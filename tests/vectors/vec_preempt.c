/* Tables of the areas scheduler_preemption: who has to go, in which order, by which texts. */
#include "core/preempt_priv.h"
#include "core/reason.h"
#include "vec_entries.h"
#include "vec_records.h"

#include <math.h>
#include <string.h>

struct trial {
    struct vec *v;
    struct world *w;
    struct vec_records records;
    struct cluster_queue *cq;
    struct wl *incoming;
    const struct target *targets;
    uint32_t ntargets;
};

static bool trial_open(struct trial *t, struct vec *v, const struct fact_config *config,
                       const struct doc_node *admitted)
{
    *t = (struct trial){.v = v, .w = vec_world(v, config)};
    return t->w && vec_run_ops(v, t->w, VEC_NOW) &&
           vec_records_open(&t->records, v, t->w, admitted, VEC_NOW) && vec_settle(v, t->w);
}

static void trial_close(struct trial *t)
{
    vec_records_free(&t->records);
    world_free(t->w);
}

static bool trial_incoming(struct trial *t, const char *cq)
{
    struct object o;
    t->cq = vec_cq(t->v, t->w, cq);
    if (!t->cq || !vec_object(t->v, vec_find(t->v, "incoming"), &o))
        return false;
    t->incoming = vec_put_workload(t->v, t->w, &o.workload, VEC_NOW);
    return t->incoming != NULL;
}

/* ---- a prepared assignment --------------------------------------------------------------------------------------------------- */

static int64_t asked(const struct trial *t, uint32_t pod_set, const char *resource)
{
    const struct pod_set *ps = &t->incoming->pod_sets[pod_set];
    for (uint32_t i = 0; i < ps->shape->nreq; i++)
        if (strcmp(names_text(t->w->names, ps->shape->req[i].res), resource) == 0)
            return i64_mul(ps->shape->req[i].amount, ps->count);
    return 0;
}

static bool read_choice(struct trial *t, struct pod_set_choice *ps, const struct doc_node *n)
{
    const char *flavor = doc_str_or(n, "name", "");
    struct choice *c = &ps->choices[ps->nchoices++];
    uint32_t fr = world_find_pair(t->w, flavor, n->key);
    uint32_t col = fr == NONE ? TREE_NONE : tree_col(t->cq->tree, fr);
    if (col == TREE_NONE || names_id(t->w->names, n->key, &c->res) ||
        names_id(t->w->names, flavor, &c->flavor)) {
        vec_fail(t->v, "assignment", vec_text(t->v, n), "no such pair");
        return false;
    }
    c->fr = fr;
    c->col = col;
    c->amount = asked(t, ps->pod_set, n->key);
    c->mode = strcmp(doc_str_or(n, "mode", ""), "Preempt") == 0 ? MODE_PREEMPT : MODE_FIT;
    return true;
}

/* Flavors and modes are those of the case, amounts what the Workload asks for. */
static struct assignment *read_assignment(struct trial *t, const struct doc_node *pod_sets)
{
    uint32_t n = pod_sets ? pod_sets->n : 0, nchoices = 0;
    struct assignment *a = vec_alloc(t->v, sizeof(*a));
    a->pod_sets = vec_alloc(t->v, n * sizeof(*a->pod_sets));
    a->mode = MODE_PREEMPT;
    doc_foreach (p, pod_sets) {
        const struct doc_node *flavors = doc_field(p, "flavors");
        struct pod_set_choice *ps = &a->pod_sets[a->npod_sets++];
        ps->pod_set = p->index;
        ps->count = t->incoming->pod_sets[p->index].count;
        ps->choices = vec_alloc(t->v, (flavors ? flavors->n : 0) * sizeof(*ps->choices));
        doc_foreach (f, flavors)
            if (!read_choice(t, ps, f))
                return NULL;
        nchoices += ps->nchoices;
    }
    a->uses = vec_alloc(t->v, nchoices * sizeof(*a->uses));
    a->nuses = nchoices; /* room for the request; the search counts by choices */
    return a;
}

/* Apart from its caller, so that nothing alive across setjmp is kept in a register. */
static __attribute__((noinline)) bool search(struct trial *t, const struct assignment *a)
{
    jmp_buf bail;
    t->v->arena->bail = &bail;
    t->cq->tree->scratch = t->v->arena;
    if (setjmp(bail)) {
        vec_broken(t->v, "memory", NULL);
        return false;
    }
    t->targets = preempt_for(t->w, t->cq, t->incoming, t->v->arena, VEC_NOW, a, &t->ntargets);
    return true;
}

/* The search must leave the tree as it was. */
static bool trial_search(struct trial *t, const struct doc_node *pod_sets)
{
    const struct assignment *a = read_assignment(t, pod_sets);
    const struct tree *tree = t->cq->tree;
    size_t size = (size_t)tree->nnodes * tree->ncols * sizeof(*tree->cells);
    struct cell *before = vec_alloc(t->v, size);
    if (!a)
        return false;
    memcpy(before, tree->cells, size);
    if (!search(t, a))
        return false;
    vec_check(t->v, "the tree after the search", memcmp(before, tree->cells, size) == 0, "as before",
              "changed");
    return true;
}

/* ---- searches ------------------------------------------------------------------------------------------------------------------ */

static void apply(struct trial *t)
{
    uint32_t cq = world_cq_find(t->w, names_text(t->w->names, t->cq->name));
    for (uint32_t i = 0; i < t->ntargets; i++)
        if (!vec_record_preempt(&t->records, t->incoming, cq, &t->targets[i]))
            return;
    vec_records_check(&t->records, "wantWorkloads", vec_want(t->v, "wantWorkloads"));
}

static void classical(struct vec *v)
{
    struct trial t;
    struct fact_config config = {.requeue_by_creation = true}; /* the table sets no queue order */
    if (trial_open(&t, v, &config, vec_find(v, "admitted")) &&
        trial_incoming(&t, vec_str(v, vec_find(v, "targetCQ"))) &&
        trial_search(&t, doc_path(vec_find(v, "assignment"), "podSets"))) {
        vec_check_i64(v, "wantPreempted", vec_want(v, "wantPreempted"), t.ntargets);
        apply(&t);
    }
    trial_close(&t);
}

/* Somebody else changes the object while the eviction is written: that is tried again, with the same conditions. */
static void modified_concurrently(struct vec *v)
{
    struct trial t;
    struct fact_config config = {.requeue_by_creation = true};
    if (trial_open(&t, v, &config, vec_find(v, "workloads")) && trial_incoming(&t, "standalone") &&
        trial_search(&t, doc_path(vec_find(v, "assignment"), "podSets")))
        apply(&t);
    trial_close(&t);
}

static struct fact_config fair_config(const struct doc_node *strategies)
{
    struct fact_config c = {.fair_sharing = true, .requeue_by_creation = true};
    doc_foreach (s, strategies)
        if (c.nstrategies < 2)
            c.strategies[c.nstrategies++] =
                doc_is_text(s, "LessThanInitialShare") ? FAIR_INITIAL_SHARE : FAIR_FINAL_SHARE;
    return c;
}

static void fair(struct vec *v)
{
    struct trial t;
    struct fact_config config = fair_config(vec_find(v, "strategies"));
    const char *flavor = vec_str(v, vec_find(v, "assignmentFlavor"));
    const struct doc_node *assignment = vec_read(
        v, vec_printf(v, "[{\"name\":\"main\",\"flavors\":{\"cpu\":{\"name\":\"%s\",\"mode\":\"Preempt\"}}}]",
                      *flavor ? flavor : "default"));
    if (trial_open(&t, v, &config, v->objects) && trial_incoming(&t, vec_str(v, vec_find(v, "targetCQ"))) &&
        trial_search(&t, assignment)) {
        const char **got = vec_alloc(v, t.ntargets * sizeof(*got));
        for (uint32_t i = 0; i < t.ntargets; i++)
            got[i] = vec_printf(v, "%s:%s", t.targets[i].w->key, preempt_reason_text(t.targets[i].reason));
        vec_check_set(v, "wantPreempted", vec_want(v, "wantPreempted"), got, t.ntargets);
    }
    trial_close(&t);
}

/* ---- order of candidates ---------------------------------------------------------------------------------------------------------- */

/* Queues of no quota, by name. */
static bool put_bare_queue(struct vec *v, struct world *w, const char *name)
{
    struct err err;
    struct fact_cluster_queue f = {.name = name, .cohort = ""};
    if (world_cq_find(w, name) != NONE || world_put_cluster_queue(w, &f, VEC_NOW, &err) == 0)
        return true;
    vec_broken(v, name, &err);
    return false;
}

static bool read_candidate(struct vec *v, struct preempt_ctx *ctx, const struct doc_node *n, struct cand *ret)
{
    struct object o;
    const char *cq = doc_str_or(n, "clusterQueue", "");
    const struct doc_node *usage = doc_field(n, "localQueueFSUsage");
    if (!put_bare_queue(v, ctx->w, cq) || !vec_object(v, doc_field(n, "obj"), &o))
        return false;
    struct wl *wl = vec_put_workload(v, ctx->w, &o.workload, VEC_NOW);
    if (!wl)
        return false;
    cand_fill(ctx, ret, wl, world_cq_find(ctx->w, cq));
    if (usage)
        ret->lq_usage = vec_double(v, usage);
    return true;
}

static void candidates_in_order(struct vec *v)
{
    const struct doc_node *list = vec_find(v, "candidates");
    const char *own = vec_str(v, vec_find(v, "preemptorCq"));
    struct cand *cands = vec_alloc(v, list->n * sizeof(*cands));
    struct world *w = vec_world(v, NULL);
    bool ok = w && put_bare_queue(v, w, own);
    struct preempt_ctx ctx = {.w = w, .cq = ok ? vec_cq(v, w, own) : NULL, .now = VEC_NOW};
    doc_foreach (n, list)
        ok = ok && read_candidate(v, &ctx, n, &cands[n->index]);
    if (ok) {
        struct cand_seq seq;
        const char **got = vec_alloc(v, list->n * sizeof(*got));
        cand_seq_init(&seq, cands, list->n, gate_on(world_gates(w), GATE_ADMISSION_FAIR_SHARING));
        for (uint32_t i = 0; i < list->n; i++)
            got[i] = cand_seq_at(&seq, i)->w->name;
        vec_check_list(v, "wantCandidates", vec_want(v, "wantCandidates"), got, list->n);
    }
    world_free(w);
}

/* ---- small rules ---------------------------------------------------------------------------------------------------------------------- */

static struct wl *put_named(struct vec *v, struct world *w, const char *name)
{
    struct object o;
    return vec_object(v, vec_find(v, name), &o) ? vec_put_workload(v, w, &o.workload, VEC_NOW) : NULL;
}

static enum preempt_policy policy_of(const char *text)
{
    static const char *const texts[] = {[POLICY_NEVER] = "Never",
                                        [POLICY_LOWER_PRIORITY] = "LowerPriority",
                                        [POLICY_LOWER_OR_NEWER_EQUAL] = "LowerOrNewerEqualPriority",
                                        [POLICY_ANY] = "Any"};
    for (int i = POLICY_NEVER; i <= POLICY_ANY; i++)
        if (strcmp(texts[i], text) == 0)
            return (enum preempt_policy)i;
    return POLICY_NEVER;
}

static void satisfies(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct wl *preemptor = w ? put_named(v, w, "preemptor") : NULL,
              *candidate = w ? put_named(v, w, "candidate") : NULL;
    if (preemptor && candidate)
        vec_check_bool(v, "want", vec_want(v, "want"),
                       preempt_satisfies(side_of(w, preemptor), side_of(w, candidate),
                                         policy_of(vec_str(v, vec_find(v, "policy")))));
    world_free(w);
}

static void priority_info(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct wl *wl = w ? put_named(v, w, "wl") : NULL;
    if (wl) {
        vec_check_i64(v, "wantBase", vec_want(v, "wantBase"), wl->priority);
        vec_check_i64(v, "wantBoost", vec_want(v, "wantBoost"), wl->boost);
        vec_check_i64(v, "wantEffective", vec_want(v, "wantEffective"), wl_priority(wl));
    }
    world_free(w);
}

/* The message for a victim in another queue; both queues without cohort, as the paths of the case say. */
static void message(struct vec *v)
{
    const char *from = vec_str(v, vec_find(v, "preemptorPath")),
               *to = vec_str(v, vec_find(v, "preempteePath"));
    if (*from != '/' || *to != '/') {
        vec_skip(v, "we never preempt without a reason and two queues");
        return;
    }
    struct world *w = vec_world(v, NULL);
    if (w && put_bare_queue(v, w, from + 1) && put_bare_queue(v, w, to + 1) && vec_settle(v, w)) {
        struct wl *preemptor = put_named(v, w, "preemptor");
        struct target t = {preemptor, world_cq_find(w, to + 1), PREEMPT_IN_CQ};
        const char *reason = vec_str(v, vec_find(v, "reason"));
        for (int i = PREEMPT_IN_CQ; i <= PREEMPT_RECLAIM_WHILE_BORROWING; i++)
            if (strcmp(preempt_reason_text((enum preempt_reason)i), reason) == 0)
                t.reason = (enum preempt_reason)i;
        struct str s;
        str_init(&s, 0);
        if (preemptor)
            reason_preemption(&s, w, preemptor, world_cq_find(w, from + 1), &t);
        vec_check_str(v, "want", vec_want(v, "want"), str_text(&s));
        str_free(&s);
    }
    world_free(w);
}

/* The share of the queue that victims come from. */
static void share_of_target(struct vec *v)
{
    struct trial t;
    struct fact_config config = {.fair_sharing = true};
    if (trial_open(&t, v, &config, doc_field(v->shared, "objects"))) {
        const struct cluster_queue *b = vec_cq(v, t.w, "b");
        double share = b ? share_weighted(tree_share(b->tree, b->node)) : NAN;
        vec_check_str(v, "wantTargetOldShare", vec_want(v, "wantTargetOldShare"),
                      isinf(share) ? "+Inf" : vec_printf(v, "%g", share));
    }
    trial_close(&t);
}

static const struct vec_entry entries[] = {
    {"scheduler_preemption__TestPreemption", classical, NULL, 0},
    {"scheduler_preemption__TestHierarchicalPreemptions", classical, NULL, 0},
    {"scheduler_preemption__TestPreemptionWhenWorkloadModifiedConcurrently", modified_concurrently, NULL, 0},
    {"scheduler_preemption__TestFairPreemptions", fair, NULL, 0},
    {"scheduler_preemption__TestCandidatesOrdering", candidates_in_order, NULL, 0},
    {"scheduler_preemption_common__TestSatisfiesPreemptionPolicy", satisfies, NULL, 0},
    {"scheduler_preemption__TestPriorityInfo", priority_info, NULL, 0},
    {"scheduler_preemption__TestPreemptionMessage", message, NULL, 0},
    {"scheduler_preemption__TestRunSecondFsStrategyLog", share_of_target, NULL, 0},
    {"scheduler_preemption_fairsharing__TestMakeClusterQueueOrdering", vec_entries_turns, NULL, 0},
    {"scheduler_preemption__TestRunFirstFsStrategyLogging", NULL, "about the other program's log", 0},
    {"scheduler_preemption__TestFairPreemptionSkipsUnsatisfiableTournament", NULL,
     "counts the other program's evaluations", 0},
    {"scheduler_preemption__TestIssuePreemptionsSkipsDuplicate", NULL, "counts the other program's writes",
     0},
};

VEC_AREA(vec_area_preempt, entries);
