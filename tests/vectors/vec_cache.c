/* Tables of the area cache_scheduler about objects and accounts: which queues are active, what holds quota, what status shows
 * (engine.md 3.6, 9.1, 11.1, 11.2). */
#include "vec_quota.h"

#include "core/lq_view.h"
#include "core/references.h"
#include "core/world_priv.h"

#include <string.h>

static uint32_t cq_index(struct script *s, const char *name)
{
    uint32_t i = world_cq_find(s->w, name);
    vec_check(s->v, name, i != NONE, "a ClusterQueue", "none");
    return i;
}

/* ---- a ClusterQueue as the tables show it ------------------------------------------------------------------- */

static const char *state_text(enum cq_state state)
{
    static const char *const text[] = {"active", "pending", "terminating"};
    return text[state];
}

static const char *policy_text(enum preempt_policy p)
{
    static const char *const text[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority", "Any"};
    return text[p];
}

static const char *fungibility_text(enum fungibility f)
{
    return f == FUNGIBILITY_MAY_STOP ? "MayStopSearch" : "TryNextFlavor";
}

/* Keys of Workloads that hold quota there. */
static void check_holders(struct script *s, const char *field, const struct doc_node *want, uint32_t cq)
{
    uint32_t n;
    struct wl *const *holders = world_cq_holders(s->w, cq, &n);
    const char **keys = vec_alloc(s->v, n * sizeof(*keys));
    const char **wanted = vec_alloc(s->v, (want ? want->n : 0) * sizeof(*wanted));
    for (uint32_t i = 0; i < n; i++)
        keys[i] = holders[i]->key;
    if (!doc_is(want, DOC_MAP)) {
        vec_check_set(s->v, field, want, keys, n);
        return;
    }
    vec_check(s->v, field, want->n == n, vec_printf(s->v, "%u", want->n), vec_printf(s->v, "%u", n));
    for (uint32_t i = 0; i < n; i++)
        vec_check(s->v, field, doc_get(want, keys[i]) != NULL, vec_text(s->v, want), keys[i]);
}

static void check_groups(struct script *s, const struct doc_node *want, const struct quotas *q)
{
    const char *names[32];
    vec_check(s->v, "resourceGroups", q->ngroups == want->n, vec_printf(s->v, "%u", want->n),
              vec_printf(s->v, "%u", q->ngroups));
    doc_foreach (c, want) {
        if (c->index >= q->ngroups)
            return;
        const struct group *g = &q->groups[c->index];
        for (uint32_t i = 0; i < g->nres; i++)
            names[i] = names_text(s->w->names, g->res[i]);
        vec_check_set(s->v, "coveredResources", doc_field(c, "coveredResources"), names, g->nres);
        for (uint32_t i = 0; i < g->nflavors; i++)
            names[i] = names_text(s->w->names, g->flavors[i]);
        vec_check_list(s->v, "flavors", doc_field(c, "flavors"), names, g->nflavors);
    }
}

static void add_admitted(const struct cq_use *u, void *arg)
{
    vec_quota_add(arg, u->flavor, u->resource, u->admitted);
}

static void check_admitted(struct script *s, const struct doc_node *want, uint32_t cq)
{
    struct str got;
    str_init(&got, 0);
    str_addc(&got, '{');
    world_cq_uses(s->w, cq, add_admitted, &got);
    str_addc(&got, '}');
    vec_quota_check_pairs(s->v, "admittedUsage", want, &got);
    str_free(&got);
}

static void check_checks(struct script *s, const struct doc_node *want, const struct cluster_queue *q)
{
    const char *names[32];
    for (uint32_t i = 0; i < q->nchecks; i++)
        names[i] = names_text(s->w->names, q->checks[i].name);
    vec_check(s->v, "admissionChecks", want->n == q->nchecks, "as many", "another number");
    for (uint32_t i = 0; i < q->nchecks; i++)
        vec_check(s->v, "admissionChecks", doc_get(want, names[i]) != NULL, vec_text(s->v, want), names[i]);
}

static void check_policies(struct script *s, const struct doc_node *want, const struct cluster_queue *q)
{
    const struct doc_node *p = doc_field(want, "preemption"), *f = doc_field(want, "flavorFungibility");
    struct vec *v = s->v;
    if (p) {
        vec_check_str(v, "within", doc_field(p, "withinClusterQueue"),
                      policy_text(q->preemption.within_cluster_queue));
        vec_check_str(v, "reclaim", doc_field(p, "reclaimWithinCohort"),
                      policy_text(q->preemption.reclaim_within_cohort));
    }
    if (f) {
        vec_check_str(v, "whenCanBorrow", doc_field(f, "whenCanBorrow"),
                      fungibility_text(q->when_can_borrow));
        vec_check_str(v, "whenCanPreempt", doc_field(f, "whenCanPreempt"),
                      fungibility_text(q->when_can_preempt));
    }
}

/* Every field that is given. `exact`: Workloads and admitted usage are given, or there are none. */
static void check_cq(struct script *s, const struct doc_node *want, bool exact)
{
    const char *name = want->key;
    uint32_t i = cq_index(s, name);
    if (i == NONE)
        return;
    const struct cluster_queue *q = s->w->cqs[i];
    struct vec *v = s->v;
    vec_check_double(v, "fairWeight", doc_field(want, "fairWeight"), q->weight);
    check_policies(s, want, q);
    if (doc_get(want, "status"))
        vec_check_str(v, "status", doc_get(want, "status"), state_text(world_cq(s->w, i).state));
    if (doc_get(want, "parent"))
        vec_check_str(v, "parent", doc_get(want, "parent"), world_cq(s->w, i).cohort);
    if (doc_get(want, "resourceGroups"))
        check_groups(s, doc_get(want, "resourceGroups"), &q->quotas);
    if (doc_get(want, "admissionChecks"))
        check_checks(s, doc_get(want, "admissionChecks"), q);
    if (doc_get(want, "resourceNode"))
        vec_quota_check_node(s, name, doc_get(want, "resourceNode"), vec_quota_find(s, name, false));
    if (exact) {
        vec_check_i64(v, vec_printf(v, "%s.allocatableResourceGeneration", name),
                      doc_field(want, "allocatableResourceGeneration"), world_cq(s->w, i).generation);
        check_holders(s, "workloads", doc_field(want, "workloads"), i);
    }
}

/* Names of existing ClusterQueues (of the snapshot only) against the keys of a map. */
static void check_cq_names(struct script *s, const char *field, const struct doc_node *want, bool in_snapshot)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < world_cq_count(s->w); i++) {
        struct cq_view q = world_cq(s->w, i);
        if (!q.exists || (in_snapshot && !q.in_snapshot))
            continue;
        n++;
        vec_check(s->v, field, doc_get(want, q.name) != NULL, vec_text(s->v, want), q.name);
    }
    vec_check(s->v, field, n == (want ? want->n : 0), vec_text(s->v, want), vec_printf(s->v, "%u", n));
}

/* Cohort -> ClusterQueues right below it. */
static void check_members(struct script *s, const struct doc_node *want)
{
    doc_foreach (c, want) {
        const char *got[16];
        uint32_t n = 0;
        for (uint32_t i = 0; i < world_cq_count(s->w); i++) {
            struct cq_view q = world_cq(s->w, i);
            if (q.exists && q.tree && n < 16 && q.tree->nodes[q.node].parent != TREE_NONE &&
                strcmp(names_text(s->w->names, q.tree->nodes[q.tree->nodes[q.node].parent].name), c->key) ==
                    0)
                got[n++] = q.name;
        }
        vec_check_set(s->v, vec_printf(s->v, "wantCohorts.%s", c->key), c, got, n);
    }
}

static void cq_operations(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (vec_put_list(v, s.w, vec_find(v, "clientObjects"), s.now) && script_run_all(&s, 0)) {
        const struct doc_node *want = vec_want(v, "wantClusterQueues");
        check_cq_names(&s, "wantClusterQueues", want, false);
        doc_foreach (c, want) {
            check_cq(&s, c, true);
            bool covered = doc_get(c, "admittedUsage") && s.w->cqs[world_cq_find(s.w, c->key)]->quotas.n;
            if (covered)
                check_admitted(&s, doc_get(c, "admittedUsage"), world_cq_find(s.w, c->key));
        }
        check_members(&s, vec_want(v, "wantCohorts"));
    }
    script_close(&s);
}

/* ---- snapshot --------------------------------------------------------------------------------------------------- */

static void check_cohorts(struct script *s, const struct doc_node *want)
{
    uint32_t n = 0;
    for (uint32_t t = 0; t < s->w->ntrees; t++)
        for (uint32_t i = 0; i < s->w->trees[t]->nnodes; i++)
            n += s->w->trees[t]->nodes[i].cq == TREE_NONE;
    vec_check(s->v, "cohorts", n == (want ? want->n : 0), vec_text(s->v, want), vec_printf(s->v, "%u", n));
    doc_foreach (c, want) {
        struct vec_quota_node node = vec_quota_find(s, c->key, true);
        if (doc_get(c, "resourceNode"))
            vec_quota_check_node(s, c->key, doc_get(c, "resourceNode"), node);
        if (node.tree && doc_get(c, "fairWeight"))
            vec_check_double(s->v, "fairWeight", doc_get(c, "fairWeight"),
                             node.tree->nodes[node.node].weight);
    }
}

static void check_flavors(struct script *s, const struct doc_node *want)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->w->nflavors; i++)
        n += s->w->flavors[i] != NULL;
    vec_check(s->v, "resourceFlavors", n == (want ? want->n : 0), vec_text(s->v, want),
              vec_printf(s->v, "%u", n));
    doc_foreach (c, want)
        vec_check(s->v, c->key, world_flavor(s->w, names_find(s->w->names, c->key)) != NULL, "a flavor",
                  "none");
}

static void snapshot(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        const struct doc_node *want = vec_want(v, "wantSnapshot");
        check_cq_names(&s, "clusterQueues", doc_field(want, "clusterQueues"), true);
        doc_foreach (c, doc_field(want, "clusterQueues"))
            check_cq(&s, c, true);
        check_cohorts(&s, doc_field(want, "cohorts"));
        check_flavors(&s, doc_field(want, "resourceFlavors"));
    }
    script_close(&s);
}

/* ---- accounts ------------------------------------------------------------------------------------------------------ */

static void workload_operations(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (vec_put_list(v, s.w, doc_field(v->shared, "setupObjects"), s.now) && script_run_all(&s, 0)) {
        const struct doc_node *want = vec_want(v, "wantResults");
        check_cq_names(&s, "wantResults", want, false);
        doc_foreach (c, want) {
            check_holders(&s, "workloads", doc_field(c, "workloads"), cq_index(&s, c->key));
            vec_quota_check(&s, "usedResources", doc_field(c, "usedResources"),
                            vec_quota_find(&s, c->key, false), VEC_USAGE);
        }
        const struct wl *d = script_find(&s, "/d");
        bool refused = d && d->marks.reserved && d->cq == NONE;
        vec_check(v, "wantError", refused == (*vec_str(v, vec_want(v, "wantError")) != '\0' && d != NULL),
                  vec_text(v, vec_want(v, "wantError")), refused ? "not accounted" : "accounted");
    }
    script_close(&s);
}

static void pods_ready(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0))
        vec_check_bool(v, "wantReady", vec_want(v, "wantReady"), s.w->nnot_ready == 0);
    script_close(&s);
}

static const char *text_of(const struct doc_node *n)
{
    const char *text = "";
    return doc_str(n, &text, NULL) ? "" : text;
}

/* The Workloads of the case have no status: that they hold quota is said by where they stand. */
static void is_added(struct vec *v)
{
    struct script s;
    struct object o;
    if (!script_open(&s, v, NULL))
        return;
    bool ok = true;
    doc_foreach (q, vec_find(v, "clusterQueues")) {
        ok = ok && script_add_cq(&s, q->key, STRATEGY_BEST_EFFORT_FIFO);
        doc_foreach (w, doc_field(q, "workloads")) {
            struct fact_condition reserved = {COND_QUOTA_RESERVED, STATUS_TRUE, "", "", s.now, 0};
            struct fact_admission admission = {q->key, NULL, 0};
            ok = ok && vec_object(v, doc_field(w, "obj"), &o);
            if (!ok)
                break;
            o.workload.conditions = &reserved;
            o.workload.nconditions = 1;
            o.workload.admission = &admission;
            ok = vec_put_object(v, s.w, &o, s.now);
        }
    }
    if (ok && vec_object(v, doc_path(vec_find(v, "workload"), "obj"), &o)) {
        const struct wl *wl = world_find_workload(s.w, o.ns, o.name);
        const char *cq = wl && wl->cq != NONE ? world_cq(s.w, wl->cq).name : "";
        const char *asked = text_of(doc_field(vec_find(v, "workload"), "clusterQueue"));
        vec_check_bool(v, "expected", vec_want(v, "expected"), strcmp(cq, asked) == 0);
    }
    script_close(&s);
}

/* ---- what status shows ------------------------------------------------------------------------------------------------ */

enum shown { SHOWN_RESERVED, SHOWN_ADMITTED };

/* [{name: flavor, resources: [{name, total, borrowed}]}] */
struct usage_list {
    struct vec *v;
    struct str out;
    enum shown shown;
    bool borrows; /* show what is borrowed */
    bool in_cohort;
    const char *flavor;
};

static const char *amount_text(struct vec *v, amount a, const char *resource)
{
    char text[64];
    amount_quantity_print(a, resource_is_cpu(resource), resource_is_binary(resource), text, sizeof(text));
    return vec_printf(v, "%s", text);
}

static void add_use(const struct cq_use *u, void *arg)
{
    struct usage_list *l = arg;
    amount total = l->shown == SHOWN_RESERVED ? u->reserved : u->admitted;
    if (!l->flavor || strcmp(l->flavor, u->flavor) != 0) {
        str_addf(&l->out, "%s{\"name\":\"%s\",\"resources\":[", l->flavor ? "]}," : "", u->flavor);
        l->flavor = u->flavor;
    } else {
        str_addc(&l->out, ',');
    }
    str_addf(&l->out, "{\"name\":\"%s\",\"total\":\"%s\"", u->resource,
             amount_text(l->v, total, u->resource));
    if (l->borrows) {
        amount borrowed = l->in_cohort ? amount_max(0, amount_sub(total, u->nominal)) : 0;
        str_addf(&l->out, ",\"borrowed\":\"%s\"", amount_text(l->v, borrowed, u->resource));
    }
    str_addc(&l->out, '}');
}

static struct usage_list usage_begin(struct vec *v, enum shown shown)
{
    struct usage_list l = {.v = v, .shown = shown};
    str_init(&l.out, 0);
    str_addc(&l.out, '[');
    return l;
}

static void usage_check(struct usage_list *l, const char *field)
{
    str_add(&l->out, l->flavor ? "]}]" : "]");
    vec_check_json(l->v, field, vec_want(l->v, field), &l->out, NULL);
    str_free(&l->out);
}

static void check_usage(struct script *s, const char *field, uint32_t cq, enum shown shown)
{
    struct usage_list l = usage_begin(s->v, shown);
    l.borrows = true;
    l.in_cohort = *world_cq(s->w, cq).cohort != '\0';
    world_cq_uses(s->w, cq, add_use, &l);
    usage_check(&l, field);
}

static void cq_usage(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        uint32_t i = cq_index(&s, "foo");
        struct cq_view q = world_cq(s.w, i);
        check_usage(&s, "wantReservedResources", i, SHOWN_RESERVED);
        check_usage(&s, "wantUsedResources", i, SHOWN_ADMITTED);
        vec_check_i64(v, "wantReservingWorkloads", vec_want(v, "wantReservingWorkloads"), q.nreserving);
        vec_check_i64(v, "wantAdmittedWorkloads", vec_want(v, "wantAdmittedWorkloads"), q.nadmitted);
    }
    script_close(&s);
}

static void lq_usage(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        struct usage_list l = usage_begin(v, SHOWN_RESERVED);
        lq_view_uses(s.w, "ns1", "test", add_use, &l);
        usage_check(&l, "wantUsage");
    }
    script_close(&s);
}

static void add_lq_reserved(const struct cq_use *u, void *arg)
{
    vec_quota_add(arg, u->flavor, u->resource, u->reserved);
}

static void check_lq_uses(struct script *s, const char *field, const struct doc_node *want,
                          const struct local_queue *q, void (*add)(const struct cq_use *u, void *arg))
{
    struct str got;
    str_init(&got, 0);
    str_addc(&got, '{');
    lq_view_uses(s->w, names_text(s->w->names, q->ns), names_text(s->w->names, q->name), add, &got);
    str_addc(&got, '}');
    vec_quota_check_pairs(s->v, field, want, &got);
    str_free(&got);
}

static void check_lq(struct script *s, const struct doc_node *want, const struct local_queue *q,
                     struct lq_view view)
{
    vec_check_i64(s->v, "reservingWorkloads", doc_field(want, "reservingWorkloads"), view.nreserving);
    vec_check_i64(s->v, "admittedWorkloads", doc_field(want, "admittedWorkloads"), view.nadmitted);
    check_lq_uses(s, "totalReserved", doc_field(want, "totalReserved"), q, add_lq_reserved);
    check_lq_uses(s, "admittedUsage", doc_field(want, "admittedUsage"), q, add_admitted);
}

/* Accounts exist for LocalQueues whose ClusterQueue exists. */
static void lq_operations(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        const struct doc_node *want = vec_want(v, "wantLocalQueues");
        uint32_t n = 0;
        for (uint32_t i = 0; i < s.w->lqs.n; i++) {
            const struct local_queue *q = &s.w->local_queues[i];
            const char *ns = names_text(s.w->names, q->ns), *name = names_text(s.w->names, q->name);
            struct lq_view view = lq_view(s.w, ns, name);
            const struct doc_node *w = doc_get(want, vec_printf(v, "%s/%s", ns, name));
            if (!view.exists || view.cq == NONE)
                continue;
            n++;
            vec_check(v, name, w != NULL, vec_text(v, want), name);
            check_lq(&s, w, q, view);
        }
        vec_check(v, "wantLocalQueues", n == want->n, vec_printf(v, "%u", want->n), vec_printf(v, "%u", n));
    }
    script_close(&s);
}

static void lq_found(struct vec *v)
{
    struct script s;
    struct object o;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0) && vec_object(v, vec_find(v, "getLq"), &o)) {
        struct lq_view view = lq_view(s.w, o.ns, o.name);
        bool found = view.exists && view.cq == world_cq_find(s.w, text_of(vec_find(v, "getCQReference")));
        vec_check_str(v, "wantErr", doc_field(vec_want(v, "wantErr"), "error"),
                      found ? "" : "queue not found");
        vec_check_str(v, "wantLq", doc_field(vec_want(v, "wantLq"), "key"),
                      found ? vec_printf(v, "%s/%s", o.ns, o.name) : "");
    }
    script_close(&s);
}

/* ---- activity (9.1) ------------------------------------------------------------------------------------------------------ */

static void check_active(struct script *s, const char *name)
{
    struct vec *v = s->v;
    struct str message;
    const char *reason = "";
    str_init(&message, 0);
    uint32_t i = world_cq_find(s->w, name);
    bool active = world_cq_active(s->w, i, &reason, &message);
    vec_check_str(v, "wantReason", vec_want(v, "wantReason"), reason);
    vec_check_str(v, "wantMessage", vec_want(v, "wantMessage"), str_text(&message));
    if (doc_get(v->want, "wantActive")) {
        bool terminating = i != NONE && world_cq(s->w, i).state == CQ_TERMINATING;
        vec_check_bool(v, "wantActive", vec_want(v, "wantActive"), active);
        vec_check_str(v, "wantStatus", vec_want(v, "wantStatus"), active ? "True" : "False");
        vec_check_bool(v, "wantTerminating", vec_want(v, "wantTerminating"), terminating);
    }
    str_free(&message);
}

/* Puts a ClusterQueue again as one that is being deleted. */
static bool terminate(struct script *s, const struct doc_node *cq)
{
    struct object o;
    if (!vec_object(s->v, cq, &o))
        return false;
    o.cluster_queue.deleting = true;
    return vec_put_object(s->v, s->w, &o, s->now) && script_settle(s);
}

static void readiness(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0) &&
        (!vec_bool(v, vec_find(v, "terminate")) || terminate(&s, doc_at(vec_find(v, "clusterQueues"), 0))))
        check_active(&s, text_of(vec_find(v, "clusterQueueName")));
    script_close(&s);
}

/* The topology exists; only the cohort or the policies change. */
static void readiness_tas(struct vec *v)
{
    struct script s;
    const struct doc_node *updated = vec_find(v, "updatedCq");
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0) && (!updated || vec_put(v, s.w, updated, s.now)) && script_settle(&s))
        check_active(&s, "cq");
    script_close(&s);
}

static bool put_checks(struct script *s)
{
    doc_foreach (c, vec_find(s->v, "admissionChecks")) {
        struct fact_admission_check f = {c->key, doc_str_or(c, "controller", ""),
                                         doc_bool_or(c, "active", false)};
        struct err err;
        if (world_put_check(s->w, &f, &err)) {
            vec_broken(s->v, c->key, &err);
            return false;
        }
    }
    return true;
}

static bool put_flavors(struct script *s)
{
    doc_foreach (c, vec_find(s->v, "flavors"))
        if (!vec_put(s->v, s->w, c, s->now))
            return false;
    return true;
}

/* The ClusterQueue exists in some state; then checks or flavors are as the case says. */
static void state_after(struct vec *v)
{
    struct script s;
    const struct doc_node *cq = vec_find(v, "cq"), *was = vec_find(v, "cqStatus");
    if (!was)
        was = vec_find(v, "curStatus");
    if (!script_open(&s, v, NULL))
        return;
    bool ok = vec_put(v, s.w, cq, s.now) && script_settle(&s);
    if (ok && doc_is_text(was, "terminating"))
        ok = terminate(&s, cq);
    if (ok && put_checks(&s) && put_flavors(&s) && vec_put(v, s.w, cq, s.now) && script_settle(&s)) {
        const char *name = doc_str_or(doc_field(cq, "metadata"), "name", "");
        uint32_t i = cq_index(&s, name);
        if (i != NONE)
            vec_check_str(v, "wantStatus", vec_want(v, "wantStatus"), state_text(world_cq(s.w, i).state));
        if (doc_get(v->want, "wantReason"))
            check_active(&s, name);
    }
    script_close(&s);
}

/* An update that changes no quota does not count as one (3.1). */
static void generation_after_update(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (vec_put_list(v, s.w, vec_find(v, "resourceFlavors"), s.now) &&
        vec_put(v, s.w, vec_find(v, "cq"), s.now) && script_settle(&s) &&
        vec_put(v, s.w, vec_find(v, "newcq"), s.now) && script_settle(&s))
        vec_check_i64(v, "wantLastAssignmentGeneration", vec_want(v, "wantLastAssignmentGeneration"),
                      world_cq(s.w, cq_index(&s, "eng-alpha")).generation);
    script_close(&s);
}

static void using_check(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        uint32_t cqs[16];
        const char *got[16];
        uint32_t n = references_of_check(s.w, text_of(vec_find(v, "check")), cqs, 16);
        for (uint32_t i = 0; i < n; i++)
            got[i] = world_cq(s.w, cqs[i]).name;
        vec_check_set(v, "wantInUseClusterQueueNames", vec_want(v, "wantInUseClusterQueueNames"), got, n);
    }
    script_close(&s);
}

#define TOPOLOGY "topology-aware placement comes later"

static const struct vec_entry entries[] = {
    {"cache_scheduler__TestCacheClusterQueueOperations", cq_operations, NULL, 0},
    {"cache_scheduler__TestSnapshot", snapshot, NULL, 0},
    {"cache_scheduler__TestCacheWorkloadOperations", workload_operations, NULL, 0},
    {"cache_scheduler__TestCachePodsReadyForAllAdmittedWorkloads", pods_ready, NULL, 0},
    {"cache_scheduler__TestIsAddedCheckWorkload", is_added, NULL, 0},
    {"cache_scheduler__TestClusterQueueUsage", cq_usage, NULL, 0},
    {"cache_scheduler__TestLocalQueueUsage", lq_usage, NULL, 0},
    {"cache_scheduler__TestCacheQueueOperations", lq_operations, NULL, 0},
    {"cache_scheduler__TestGetCacheLQ", lq_found, NULL, 0},
    {"cache_scheduler__TestClusterQueueReadiness", readiness, NULL, 0},
    {"cache_scheduler__TestClusterQueueReadinessWithTAS", readiness_tas, NULL, VEC_ANY_CONTENT},
    {"cache_scheduler__TestClusterQueueUpdateWithAdmissionCheck", state_after, NULL, VEC_ANY_CONTENT},
    {"cache_scheduler__TestClusterQueueUpdateWithFlavors", state_after, NULL, 0},
    {"cache_scheduler__TestClusterQueueUpdate", generation_after_update, NULL, 0},
    {"cache_scheduler__TestClusterQueuesUsingAdmissionChecks", using_check, NULL, 0},
    {"cache_scheduler__TestClusterQueuesForResources", NULL,
     "which queues a class of devices concerns: device requests (DRA) come later", 0},
    {"cache_scheduler__TestAddAssumedUsage", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestCompareDomainLevelValues", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestComputeAssumedUsageFromAssignment", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestCountPodsInAssignment", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestFindTopologyAssignments", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestFindTopologyAssignmentsMultiLayerReplacement", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestHasLevel", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestIsTopologyAssignmentStale", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestMergeTopologyAssignments", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestNewTopologyTree", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestNodesCacheFind", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestNodesCacheSync", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestNonTasUsageCacheIncrementalUpdates", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestPlaceSlicesOnDomainsBalanced", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestSelectOptimalDomainSetToFit", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestSelectOptimalDomainSetToFitStableTieBreak", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestSnapshotLog", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestSnapshotWithReusedTreeMatchesColdBuild", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestSortedDomains", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestSortedDomainsWithLeader", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestTruncateAssignment", NULL, TOPOLOGY, 0},
    {"cache_scheduler__TestUpdateCountsToMinimumGenericLogsLeafSummary", NULL, TOPOLOGY, 0},
};

VEC_AREA(vec_area_cache, entries);
