/* Tables of the area scheduler_flavorassigner: assign() with an oracle that answers what the case says. */
#include "core/reason.h"
#include "vec_ops.h"

#include <string.h>

#define TOPOLOGY "topology-aware placement comes later"

struct trial {
    struct vec *v;
    struct world *w;
    struct cluster_queue *cq;
    struct wl *wl;
    const struct doc_node
        *answers; /* [{flavor, resource, value: {preemptionPossiblity, borrowingAfterSimulation}}] */
    struct assign_ctx ctx;
    struct assignment *a;
};

static const char *const possibility_texts[] = {"", "NoCandidates", "Preempt", "Reclaim"};

static struct oracle_answer answer(const struct assign_ctx *ctx, uint32_t fr, uint32_t col, amount val)
{
    const struct trial *t = ctx->oracle_arg;
    struct pair_names p = world_pair(t->w, fr);
    (void)col;
    (void)val;
    doc_foreach (n, t->answers) {
        const struct doc_node *value = doc_field(n, "value");
        if (strcmp(doc_str_or(n, "flavor", ""), p.flavor) != 0 ||
            strcmp(doc_str_or(n, "resource", ""), p.resource) != 0)
            continue;
        const char *text = doc_str_or(value, "preemptionPossiblity", "");
        struct oracle_answer a = {POSSIBILITY_NONE,
                                  (uint32_t)doc_i64_or(value, "borrowingAfterSimulation", 0)};
        for (int i = POSSIBILITY_NO_CANDIDATES; i <= POSSIBILITY_RECLAIM; i++)
            if (strcmp(possibility_texts[i], text) == 0)
                a.possibility = (enum possibility)i;
        return a;
    }
    return (struct oracle_answer){POSSIBILITY_PREEMPT, 0};
}

/* ---- a trial -------------------------------------------------------------------------------------------------------------- */

static bool trial_open(struct trial *t, struct vec *v, const struct fact_config *config, bool ops)
{
    *t = (struct trial){.v = v, .w = vec_world(v, config), .answers = vec_find(v, "simulationResult")};
    return t->w && (!ops || vec_run_ops(v, t->w, VEC_NOW));
}

static void trial_close(struct trial *t)
{
    world_free(t->w);
}

static bool trial_workload(struct trial *t, const struct doc_node *pod_sets,
                           const struct doc_node *reclaimable)
{
    struct vec *v = t->v;
    struct err err;
    const struct fact_pod_set *ps = NULL;
    uint32_t n = 0, nr = reclaimable ? reclaimable->n : 0;
    if (api_read_pod_sets(pod_sets, v->arena, API_LENIENT, &ps, &n, &err)) {
        vec_broken(v, "pod sets", &err);
        return false;
    }
    struct fact_reclaimable *r = vec_alloc(v, nr * sizeof(*r));
    doc_foreach (c, reclaimable)
        r[c->index] =
            (struct fact_reclaimable){doc_str_or(c, "name", ""), (int32_t)doc_i64_or(c, "count", 0)};
    struct fact_workload f = vec_workload(ps, n);
    f.reclaimable = r;
    f.nreclaimable = nr;
    t->wl = vec_put_workload(v, t->w, &f, VEC_NOW);
    return t->wl != NULL;
}

/* `counts` may be NULL. */
static bool trial_assign(struct trial *t, const char *cq, const int32_t *counts)
{
    jmp_buf bail;
    t->cq = vec_cq(t->v, t->w, cq);
    if (!t->cq)
        return false;
    t->v->arena->bail = &bail;
    if (setjmp(bail)) {
        vec_broken(t->v, "memory", NULL);
        return false;
    }
    t->ctx = (struct assign_ctx){.w = t->w,
                                 .cq = t->cq,
                                 .wl = t->wl,
                                 .a = t->v->arena,
                                 .now = VEC_NOW,
                                 .oracle = answer,
                                 .oracle_arg = t};
    t->a = assign(&t->ctx, counts);
    return true;
}

/* ---- an assignment as JSON -------------------------------------------------------------------------------------------------- */

static const char *name(const struct trial *t, uint32_t id)
{
    return names_text(t->w->names, id);
}

static void comma(struct str *s)
{
    char last = s->len ? str_text(s)[s->len - 1] : '{';
    if (last != '{' && last != '[')
        str_addc(s, ',');
}

static void add_field(struct str *s, const char *key, const char *value)
{
    comma(s);
    str_add_json(s, key);
    str_addc(s, ':');
    str_add_json(s, value);
}

/* Reasons [first, first+n); those dropped only of attempts. */
static void add_reasons(struct str *s, const struct trial *t, const struct pod_set_choice *ps, uint32_t first,
                        uint32_t n, bool all)
{
    str_addc(s, '[');
    for (uint32_t i = first; i < first + n; i++) {
        if (ps->reasons[i].dropped && !all)
            continue;
        struct str text;
        str_init(&text, 0);
        reason_print(&text, t->w, &ps->reasons[i]);
        comma(s);
        str_add_json(s, str_text(&text));
        str_free(&text);
    }
    str_addc(s, ']');
}

static void add_attempt(struct str *s, const struct trial *t, const struct pod_set_choice *ps,
                        const struct attempt *at)
{
    comma(s);
    str_addc(s, '{');
    add_field(s, "flavor", name(t, at->flavor));
    add_field(s, "mode", mode_text(at->mode));
    add_field(s, "preemptionPossibility", possibility_texts[at->possibility]);
    add_field(s, "noFitReason", wait_reason_text(at->wait));
    str_addf(s, ",\"borrow\":%u,\"reasons\":", at->level);
    add_reasons(s, t, ps, at->first_reason, at->nreasons, true);
    str_addc(s, '}');
}

static void add_choices(struct str *s, const struct trial *t, const struct pod_set_choice *ps, bool levels)
{
    str_add(s, ",\"flavors\":{");
    for (uint32_t i = 0; i < ps->nchoices; i++) {
        const struct choice *c = &ps->choices[i];
        if (c->flavor == NONE)
            continue;
        comma(s);
        str_add_json(s, name(t, c->res));
        str_add(s, ":{");
        add_field(s, "name", name(t, c->flavor));
        add_field(s, "mode", mode_text(c->mode));
        str_addf(s, ",\"triedFlavorIdx\":%d", c->tried);
        if (levels)
            str_addf(s, ",\"borrow\":%u", c->level);
        str_addc(s, '}');
    }
    str_add(s, "},\"requests\":{");
    for (uint32_t i = 0; i < ps->nchoices; i++) {
        struct str text;
        str_init(&text, 0);
        reason_amount(&text, t->w, ps->choices[i].res, ps->choices[i].amount);
        add_field(s, name(t, ps->choices[i].res), str_text(&text));
        str_free(&text);
    }
    str_addc(s, '}');
}

static void add_pod_set(struct str *s, const struct trial *t, const struct pod_set_choice *ps, bool levels)
{
    comma(s);
    str_addc(s, '{');
    add_field(s, "name", name(t, t->wl->pod_sets[ps->pod_set].name));
    str_addf(s, ",\"count\":%d", ps->count);
    add_choices(s, t, ps, levels);
    str_add(s, ",\"status\":{\"reasons\":");
    add_reasons(s, t, ps, 0, ps->nreasons, false);
    str_add(s, "},\"flavorAssignmentAttempts\":[");
    for (uint32_t i = 0; i < ps->nattempts; i++)
        add_attempt(s, t, ps, &ps->attempts[i]);
    str_add(s, "]}");
}

static void add_uses(struct str *s, const struct trial *t)
{
    for (uint32_t i = 0; i < t->a->nuses; i++) {
        struct pair_names p = world_pair(t->w, t->a->uses[i].fr);
        comma(s);
        str_addc(s, '{');
        add_field(s, "flavor", p.flavor);
        add_field(s, "resource", p.resource);
        str_addf(s, ",\"value\":%lld}", (long long)t->a->uses[i].amount);
    }
}

static void add_usage(struct str *s, const struct trial *t)
{
    str_add(s, "],\"usage\":{\"quota\":{\"assigned\":[");
    add_uses(s, t);
    str_addf(s, "]}},\"borrowing\":%u", t->a->borrowing);
}

static void add_scan(struct str *s, const struct trial *t)
{
    str_add(s, ",\"lastState\":{\"lastTriedFlavorIdx\":[");
    for (uint32_t i = 0; i < t->a->npod_sets; i++) {
        comma(s);
        str_addc(s, '{');
        for (uint32_t c = 0; c < t->a->pod_sets[i].nchoices; c++) {
            const struct choice *ch = &t->a->pod_sets[i].choices[c];
            if (ch->flavor == NONE)
                continue;
            comma(s);
            str_add_json(s, name(t, ch->res));
            str_addf(s, ":%d", ch->tried);
        }
        str_addc(s, '}');
    }
    str_add(s, "]}");
    add_field(s, "representativeMode", mode_text(t->a->mode));
}

static void print_assignment(struct str *s, const struct trial *t, bool details)
{
    str_add(s, "{\"podSets\":[");
    for (uint32_t i = 0; i < t->a->npod_sets; i++)
        add_pod_set(s, t, &t->a->pod_sets[i], details);
    add_usage(s, t);
    if (t->a->mode == MODE_NO_FIT)
        add_field(s, "noFitReason", wait_reason_text(assign_no_fit_reason(t->a)));
    if (details)
        add_scan(s, t);
    str_addc(s, '}');
}

/* Opaque, or of parts that we do not have. */
static const char *const not_compared[] = {
    "schedulingHash", "clusterQueueGeneration", "quotaCheckStrategy", "tas", "unassigned", NULL,
};

static const char *const not_attempts[] = {"flavorAssignmentAttempts", NULL};

static void check_assignment(struct trial *t)
{
    struct vec *v = t->v;
    /* the table's own attempts are not what was observed: those are in `got` */
    struct vec_compare rules = {.ignore = not_compared, .sets = true},
                       own = {.ignore = not_attempts, .sets = true};
    const struct doc_node *full = doc_field(v->got, "wantAssignment");
    struct str s;
    str_init(&s, 0);
    print_assignment(&s, t, false);
    vec_check_json(v, "wantAssignment", vec_want(v, "wantAssignment"), &s, &own);
    if (full) {
        str_clear(&s);
        print_assignment(&s, t, true);
        vec_check_json(v, "wantAssignment (all of it)", full, &s, &rules);
    }
    str_free(&s);
    vec_check_str(v, "wantRepMode", vec_want(v, "wantRepMode"), mode_text(t->a->mode));
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------ */

static void assign_flavors(struct vec *v)
{
    struct trial t;
    struct fact_config config = {.fair_sharing = vec_bool(v, vec_find(v, "enableFairSharing"))};
    const struct doc_node *second = vec_find(v, "secondaryClusterQueue");
    if (vec_find(v, "preemptWorkloadSlice")) {
        vec_skip(v, "elastic workload slices come later");
        return;
    }
    if (trial_open(&t, v, &config, true) && vec_put(v, t.w, second, VEC_NOW) && vec_settle(v, t.w) &&
        vec_charge(v, t.w, "test-clusterqueue", vec_find(v, "clusterQueueUsage")) &&
        (!second || vec_charge(v, t.w, doc_str_or(doc_field(second, "metadata"), "name", ""),
                               vec_find(v, "secondaryClusterQueueUsage"))) &&
        trial_workload(&t, vec_find(v, "wlPods"), vec_find(v, "wlReclaimablePods")) &&
        trial_assign(&t, "test-clusterqueue", NULL))
        check_assignment(&t);
    trial_close(&t);
}

/* {resource: flavor} of the first pod set. */
static void check_flavors(struct trial *t, const struct doc_node *want)
{
    const struct pod_set_choice *ps = &t->a->pod_sets[0];
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    for (uint32_t c = 0; c < ps->nchoices; c++)
        if (ps->choices[c].flavor != NONE)
            add_field(&s, name(t, ps->choices[c].res), name(t, ps->choices[c].flavor));
    str_addc(&s, '}');
    vec_check_json(t->v, "wantAssigment", want, &s, NULL);
    str_free(&s);
}

static void two_queues(struct vec *v)
{
    struct trial t;
    if (trial_open(&t, v, NULL, true) &&
        vec_charge(v, t.w, "test-clusterqueue", vec_find(v, "testClusterQueueUsage")) &&
        vec_charge(v, t.w, "other-clusterqueue", vec_find(v, "otherClusterQueueUsage")) &&
        trial_workload(&t, vec_list_of(v, vec_find(v, "workloadRequests")), NULL) &&
        trial_assign(&t, "test-clusterqueue", NULL)) {
        vec_check_str(v, "wantMode", vec_want(v, "wantMode"), mode_text(t.a->mode));
        check_flavors(&t, vec_want(v, "wantAssigment"));
    }
    trial_close(&t);
}

/* {flavor: granular reason}: of the flavors that were tried and that the table names; it does not name all, and some that are not. */
static void check_attempts(struct trial *t)
{
    const struct doc_node *want = vec_want(t->v, "wantFlavorAttempts");
    const struct pod_set_choice *ps = &t->a->pod_sets[0];
    for (uint32_t i = 0; i < ps->nattempts; i++) {
        const struct doc_node *n = doc_get(want, name(t, ps->attempts[i].flavor));
        if (n)
            vec_check_str(t->v, "wantFlavorAttempts", n, wait_reason_text(ps->attempts[i].wait));
    }
}

static void no_fit_reason(struct vec *v)
{
    struct trial t;
    const struct doc_node *cq = vec_find(v, "cq");
    const char *skip = vec_find(v, "replaceWl")        ? "elastic workload slices come later"
                       : vec_find(v, "allowedFlavors") ? "concurrent admission comes later"
                       : vec_find(v, "topologies") && doc_field(vec_find(v, "podSet"), "topologyRequest")
                           ? TOPOLOGY
                           : NULL;
    if (skip) {
        vec_skip(v, skip);
        return;
    }
    const char *name = doc_str_or(doc_field(cq, "metadata"), "name", "");
    bool ok = trial_open(&t, v, NULL, true) && vec_charge(v, t.w, name, vec_find(v, "cqUsage"));
    doc_foreach (sibling, vec_find(v, "siblingCQUsage"))
        ok = ok && vec_charge(v, t.w, sibling->key, sibling);
    if (ok && trial_workload(&t, vec_list_of(v, vec_find(v, "podSet")), NULL) &&
        trial_assign(&t, name, NULL)) {
        bool fails = t.a->mode == MODE_NO_FIT;
        vec_check_str(v, "wantNoFitReason", vec_want(v, "wantNoFitReason"),
                      fails ? wait_reason_text(assign_no_fit_reason(t.a)) : "");
        check_attempts(&t);
    }
    trial_close(&t);
}

/* The calls of the case with flavors that have no topology. */
static bool put_without_topology(struct trial *t)
{
    doc_foreach (op, t->v->ops) {
        const struct doc_node *n = doc_first(doc_field(op, "args"));
        struct object o;
        if (!n)
            continue;
        if (!vec_object(t->v, n, &o))
            return false;
        if (o.kind == API_FLAVOR)
            o.flavor.topology = "";
        if (o.kind != API_TOPOLOGY && !vec_put_object(t->v, t->w, &o, VEC_NOW))
            return false;
    }
    return vec_settle(t->v, t->w);
}

static const struct doc_node *pod_set_of_cpu(struct vec *v)
{
    return vec_read(
        v, vec_printf(v,
                      "[{\"name\": \"main\", \"count\": 1, \"template\": {\"spec\": {\"containers\": "
                      "[{\"name\": \"c\", \"resources\": {\"requests\": {\"cpu\": \"%s\"}}}]}}}]",
                      vec_str(v, vec_find(v, "request"))));
}

/* Where the scan of the flavors ended, as far as quota decides it. */
static void last_tried(struct vec *v)
{
    struct trial t;
    const char *mode = vec_str(v, vec_want(v, "wantMode"));
    if (vec_find(v, "nodeUsage") || (strcmp(mode, "Fit") != 0 && !vec_find(v, "simulationResult"))) {
        vec_skip(v, TOPOLOGY);
        return;
    }
    if (trial_open(&t, v, NULL, false) && put_without_topology(&t) &&
        vec_charge(v, t.w, "cq", vec_find(v, "clusterQueueUsage")) &&
        trial_workload(&t, pod_set_of_cpu(v), NULL) && trial_assign(&t, "cq", NULL)) {
        vec_check_str(v, "wantMode", vec_want(v, "wantMode"), mode_text(t.a->mode));
        vec_check_i64(v, "wantTriedFlavorIdx", vec_want(v, "wantTriedFlavorIdx"),
                      t.a->pod_sets[0].choices[0].tried);
    }
    trial_close(&t);
}

/* A queue that gives the flavor of each resource that the case names; the usage of the Workload at the counts of the case. */
static void total_requests(struct vec *v)
{
    static const char queue[] =
        "[{\"apiVersion\":\"kueue.x-k8s.io/"
        "v1beta2\",\"kind\":\"ResourceFlavor\",\"metadata\":{\"name\":\"default\"},"
        "\"spec\":{}},"
        "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":\"ClusterQueue\",\"metadata\":{\"name\":\"cq\"},"
        "\"spec\":{\"resourceGroups\":[{\"coveredResources\":[\"cpu\",\"memory\"],\"flavors\":[{\"name\":"
        "\"default\","
        "\"resources\":[{\"name\":\"cpu\",\"nominalQuota\":\"100\"},{\"name\":\"memory\",\"nominalQuota\":"
        "\"1Ti\"}"
        "]}]}]}}]";
    struct trial t;
    const struct doc_node *list = doc_path(vec_find(v, "fields"), "podSets");
    int32_t *counts = vec_alloc(v, list->n * sizeof(*counts));
    doc_foreach (p, list)
        counts[p->index] = (int32_t)doc_i64_or(p, "count", 0);
    if (trial_open(&t, v, NULL, false) && vec_put_list(v, t.w, vec_read(v, queue), VEC_NOW) &&
        vec_settle(v, t.w) &&
        trial_workload(&t, doc_path(vec_find(v, "args"), "wl.obj.spec.podSets"), NULL) &&
        trial_assign(&t, "cq", counts)) {
        struct str s;
        str_init(&s, 0);
        str_addc(&s, '[');
        add_uses(&s, &t);
        str_addc(&s, ']');
        vec_check_json(v, "want", vec_want(v, "want"), &s, &(struct vec_compare){.sets = true});
        str_free(&s);
    }
    trial_close(&t);
}

static enum fungibility_preference preference_of(const struct doc_node *config)
{
    const char *p = doc_str_or(config, "preference", "");
    if (strcmp(p, "PreemptionOverBorrowing") == 0)
        return PREFER_PREEMPTION;
    return *p ? PREFER_BORROWING : PREFER_UNSET;
}

static struct granular granular_of(const struct doc_node *n)
{
    return (struct granular){(enum preempt_mode)doc_i64_or(n, "preemptionMode", 0),
                             (uint32_t)doc_i64_or(n, "borrowingLevel", 0)};
}

static void is_preferred(struct vec *v)
{
    vec_check_bool(v, "wantPreferred", vec_want(v, "wantPreferred"),
                   assign_preferred(granular_of(vec_find(v, "a")), granular_of(vec_find(v, "b")),
                                    preference_of(vec_find(v, "config"))));
}

struct limit {
    uint32_t n;
    int64_t most, found;
};

static bool within_limit(const int32_t *counts, void *arg)
{
    struct limit *l = arg;
    int64_t total = 0;
    for (uint32_t i = 0; i < l->n; i++)
        total += counts[i];
    return total <= l->most;
}

static void search(struct vec *v)
{
    const struct doc_node *list = vec_find(v, "podSets");
    struct limit l = {list ? list->n : 0, vec_i64(v, vec_find(v, "countLimit")), 0};
    int32_t *full = vec_alloc(v, l.n * sizeof(*full)), *min = vec_alloc(v, l.n * sizeof(*min));
    int32_t *counts = vec_alloc(v, l.n * sizeof(*counts));
    doc_foreach (ps, list) {
        full[ps->index] = (int32_t)doc_i64_or(ps, "count", 0);
        min[ps->index] = (int32_t)doc_i64_or(ps, "minCount", 0);
    }
    bool found = partial_search(full, min, l.n, counts, within_limit, &l);
    for (uint32_t i = 0; found && i < l.n; i++)
        l.found += counts[i];
    vec_check_bool(v, "wantFound", vec_want(v, "wantFound"), found);
    vec_check_i64(v, "wantCount", vec_want(v, "wantCount"), l.found);
}

static const struct vec_entry entries[] = {
    {"scheduler_flavorassigner__TestAssignFlavors", assign_flavors, NULL, VEC_ANY_CONTENT},
    {"scheduler_flavorassigner__TestDeletedFlavors", assign_flavors, NULL, 0},
    {"scheduler_flavorassigner__TestHierarchical", two_queues, NULL, 0},
    {"scheduler_flavorassigner__TestReclaimBeforePriorityPreemption", two_queues, NULL, 0},
    {"scheduler_flavorassigner__TestIsNoFitDueToCapacityAndLimits", no_fit_reason, NULL, VEC_ANY_CONTENT},
    {"scheduler_flavorassigner__TestAssignment_TotalRequestsFor", total_requests, NULL, 0},
    {"scheduler_flavorassigner__TestFlavorScanRecordsLastTriedFlavorIdx", last_tried, NULL,
     VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"scheduler_flavorassigner__TestIsPreferred", is_preferred, NULL, 0},
    {"scheduler_flavorassigner__TestSearch", search, NULL, 0},
    {"scheduler_flavorassigner__TestAssignment_ComputeTASNetUsage", NULL, TOPOLOGY, 0},
    {"scheduler_flavorassigner__TestWorkloadsTopologyRequests_ElasticJobsValidation", NULL, TOPOLOGY, 0},
    {"scheduler_flavorassigner__TestWorkloadsTopologyRequests_ErrorBranches", NULL, TOPOLOGY, 0},
    {"scheduler_flavorassigner__TestWorkloadsTopologyRequests_ZeroCountPodSetSkipped", NULL, TOPOLOGY, 0},
    {"scheduler_flavorassigner__TestAssignFlavors_LeaderWorkerSetTASFlavor", NULL, TOPOLOGY, 0},
    {"scheduler_flavorassigner__TestAssignFlavorsWithAllowedFlavors", NULL,
     "concurrent admission comes later", 0},
};

VEC_AREA(vec_area_assign, entries);
