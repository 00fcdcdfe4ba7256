/* Workloads: totals, marks, validation, order in the queue, transitions of their status. */
#include "vec_status.h"

#include "core/assign.h"
#include "core/cycle.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/requeue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct doc_node *arg(const struct vec *v, const char *key)
{
    const struct doc_node *n = doc_field(vec_find(v, "args"), key);
    return n ? n : vec_find(v, key);
}

/* ---- totals (2.4-2.6) --------------------------------------------------------------------------------------------------- */

static void read_options(struct vec *v, struct fact_config *c)
{
    doc_foreach (o, vec_find(v, "infoOptions")) {
        const struct doc_node *sets = doc_field(o, "sets");
        const struct doc_node *prefixes = doc_field(sets, "excludedResourcePrefixes");
        const struct doc_node *transforms = doc_field(sets, "resourceTransformations");
        struct err err;
        if (prefixes) {
            const char **p = vec_alloc(v, prefixes->n * sizeof(*p));
            doc_foreach (c1, prefixes)
                p[c->nexclude_prefixes++] = vec_str(v, c1);
            c->exclude_prefixes = p;
        }
        if (transforms) {
            struct doc_node list = *transforms; /* keyed by input here, a list in the Configuration */
            list.type = DOC_LIST;
            if (api_read_transformations(&list, v->arena, API_LENIENT, &c->transformations,
                                         &c->ntransformations, &err))
                vec_broken(v, "transformations", &err);
        }
    }
}

static void print_flavors(const struct world *w, const struct wl *wl, const struct pod_set *ps, struct str *s)
{
    const char *comma = "";
    str_add(s, ",\"flavors\":{");
    for (uint32_t i = 0; wl->marks.reserved && i < ps->nslots; i++) {
        const struct slot *slot = &wl->slots[ps->first + i];
        if (slot->fr == NONE)
            continue;
        struct pair_names p = world_pair(w, slot->fr);
        str_addf(s, "%s\"%s\":\"%s\"", comma, p.resource, p.flavor);
        comma = ",";
    }
    str_addc(s, '}');
}

static void check_total_requests(struct vec *v, const char *field, const struct doc_node *want,
                                 struct world *w, const struct wl *wl)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '[');
    for (uint32_t i = 0; i < wl->npod_sets; i++) {
        const struct pod_set *ps = &wl->pod_sets[i];
        str_addf(&s, "%s{\"name\":\"%s\",\"count\":%d,\"requests\":", i ? "," : "",
                 names_text(world_names(w), ps->name),
                 wl->marks.reserved ? ps->assigned : pod_set_count(w, ps));
        vec_pod_set_totals(v, w, wl, i, &s);
        print_flavors(w, wl, ps, &s);
        str_addc(&s, '}');
    }
    str_addc(&s, ']');
    vec_check_json(v, field, want, &s, NULL);
    str_free(&s);
}

static void new_info(struct vec *v)
{
    struct fact_config config = {0};
    struct object o;
    struct wl *wl = NULL;
    read_options(v, &config);
    struct world *w = vec_world(v, &config);
    if (w && vec_object(v, vec_find(v, "workload"), &o))
        wl = vec_put_workload(v, w, &o.workload, VEC_NOW);
    if (wl)
        check_total_requests(v, "wantInfo.totalRequests", doc_field(vec_want(v, "wantInfo"), "totalRequests"),
                             w, wl);
    world_free(w);
}

static void rebuild(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct object before, after;
    struct wl *wl = NULL;
    if (w && vec_object(v, vec_find(v, "initial"), &before) &&
        vec_object(v, vec_find(v, "updated"), &after) && vec_put_workload(v, w, &before.workload, VEC_NOW))
        wl = vec_put_workload(v, w, &after.workload, VEC_NOW);
    if (wl)
        check_total_requests(v, "wantRequests", vec_want(v, "wantRequests"), w, wl);
    world_free(w);
}

/* Requests of each pod set of a Workload as one text. */
static const char *pod_requests(struct vec *v, const struct requests *r, struct names *names,
                                const struct object *o)
{
    struct str s;
    str_init(&s, 0);
    for (uint32_t i = 0; i < o->workload.npod_sets; i++) {
        const struct req *req = NULL;
        uint32_t n = 0;
        struct err err;
        if (requests_of_pod(r, o->workload.ns, &o->workload.pod_sets[i].pod, v->arena, &req, &n, &err))
            vec_broken(v, "requests", &err);
        str_addf(&s, "%s:", o->workload.pod_sets[i].name);
        for (uint32_t k = 0; k < n; k++)
            str_addf(&s, " %s=%" PRId64, names_text(names, req[k].res), req[k].amount);
        str_add(&s, "; ");
    }
    const char *text = vec_printf(v, "%s", str_text(&s));
    str_free(&s);
    return text;
}

/* Our adjustment of a template (2.5) is not kept: the wanted template, unadjusted, must ask for the same. */
static void adjust(struct vec *v)
{
    struct names *names = names_new();
    struct requests *r = requests_new(names), *plain = requests_new(names);
    struct object given, want, limits;
    struct err err;
    doc_foreach (c, vec_find(v, "limitranges")) {
        if (vec_object(v, c, &limits) && requests_put_limit_range(r, &limits.limit_range, &err))
            vec_broken(v, "a LimitRange", &err);
    }
    if (vec_object(v, vec_find(v, "wl"), &given) && vec_object(v, vec_want(v, "wantWl"), &want)) {
        const char *a = pod_requests(v, plain, names, &want), *b = pod_requests(v, r, names, &given);
        vec_check(v, "wantWl", strcmp(a, b) == 0, a, b);
    }
    requests_free(plain);
    requests_free(r);
    names_free(names);
}

/* ---- usage by flavor and resource --------------------------------------------------------------------------------------- */

/* Any of the texts, once each. */
struct texts {
    const char **v;
    uint32_t n;
};

static void add_text(struct texts *t, const char *s)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (strcmp(t->v[i], s) == 0)
            return;
    t->v[t->n++] = s;
}

/* A ClusterQueue with one group that covers everything named. */
static bool put_queue_for(struct vec *v, struct world *w, const struct doc_node *totals)
{
    uint32_t most = 1;
    doc_foreach (t, totals)
        most += doc_field(t, "requests")->n;
    struct texts resources = {vec_alloc(v, most * sizeof(char *)), 0};
    struct texts flavors = {vec_alloc(v, most * sizeof(char *)), 0};
    doc_foreach (t, totals)
        doc_foreach (f, doc_field(t, "flavors")) {
            add_text(&resources, f->key);
            add_text(&flavors, f->text);
        }
    struct fact_flavor_quotas *quotas = vec_alloc(v, most * sizeof(*quotas));
    for (uint32_t i = 0; i < flavors.n; i++)
        quotas[i] = (struct fact_flavor_quotas){flavors.v[i], vec_alloc(v, most * sizeof(struct fact_quota))};
    struct fact_resource_group group = {resources.v, resources.n, quotas, flavors.n};
    struct fact_cluster_queue cq = {
        .name = "cq", .cohort = "", .groups = &group, .ngroups = flavors.n ? 1 : 0};
    struct err err;
    if (world_put_cluster_queue(w, &cq, VEC_NOW, &err) == 0)
        return true;
    vec_broken(v, "a ClusterQueue", &err);
    return false;
}

static struct wl *put_holder(struct vec *v, struct world *w, const struct doc_node *totals)
{
    uint32_t n = totals ? totals->n : 0;
    struct fact_pod_set *sets = vec_alloc(v, n * sizeof(*sets));
    struct fact_assignment *as = vec_alloc(v, n * sizeof(*as));
    doc_foreach (t, totals) {
        const struct doc_node *flavors = doc_field(t, "flavors");
        struct fact_flavor_ref *refs = vec_alloc(v, (flavors ? flavors->n : 0) * sizeof(*refs));
        struct fact_assignment *a = &as[t->index];
        sets[t->index] = vec_pod_set(vec_printf(v, "ps%u", t->index), 1, NULL, 0);
        *a = (struct fact_assignment){.pod_set = sets[t->index].name, .flavors = refs, .count = 1};
        a->usage = vec_requests(v, doc_field(t, "requests"), &a->nusage);
        doc_foreach (f, flavors)
            refs[a->nflavors++] = (struct fact_flavor_ref){f->key, f->text};
    }
    struct fact_admission admission = {.cluster_queue = "cq", .pod_sets = as, .npod_sets = n};
    struct fact_condition reserved = {COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", "", VEC_NOW, 0};
    struct fact_workload f = vec_workload(sets, n);
    f.admission = &admission;
    f.conditions = &reserved;
    f.nconditions = 1;
    return vec_put_workload(v, w, &f, VEC_NOW);
}

static void check_usage(struct vec *v, const struct world *w, const struct wl *wl)
{
    struct cq_view cq = world_cq(w, world_cq_find(w, "cq"));
    const struct names *names = world_names(w);
    const char *comma = "";
    struct str s;
    str_init(&s, 0);
    str_add(&s, "{\"assigned\":[");
    for (uint32_t c = 0; cq.tree && c < cq.tree->ncols; c++) {
        struct pair_names p = world_pair(w, cq.tree->fr[c]);
        amount used = tree_cell(cq.tree, cq.node, c)->usage;
        if (used)
            str_addf(&s, "%s{\"flavor\":\"%s\",\"resource\":\"%s\",\"value\":%" PRId64 "}", comma, p.flavor,
                     p.resource, used);
        comma = used ? "," : comma;
    }
    str_add(&s, "],\"unassigned\":{");
    comma = "";
    for (uint32_t i = 0; wl->npod_sets == 1 && i < wl->pod_sets[0].nslots; i++) {
        const struct slot *slot = &wl->slots[wl->pod_sets[0].first + i];
        if (slot->fr == NONE)
            str_addf(&s, "%s\"%s\":%" PRId64, comma, names_text(names, slot->res), slot->amount);
        comma = slot->fr == NONE ? "," : comma;
    }
    str_add(&s, "}}");
    vec_check_json(v, "want", vec_want(v, "want"), &s, &(struct vec_compare){.sets = true});
    str_free(&s);
}

static void resource_usage(struct vec *v)
{
    const struct doc_node *totals = doc_field(vec_find(v, "info"), "totalRequests");
    struct world *w = vec_world(v, NULL);
    struct wl *wl = w && put_queue_for(v, w, totals) ? put_holder(v, w, totals) : NULL;
    struct err err;
    if (wl && world_settle(w, &err))
        vec_broken(v, "settling", &err);
    else if (wl)
        check_usage(v, w, wl);
    world_free(w);
}

/* ---- scheduling equivalence, flavor scan -------------------------------------------------------------------------------- */

static void scheduling_hash(struct vec *v)
{
    struct object a, b;
    if (!vec_find(v, "wl1")) {
        vec_skip(v, "device requests (DRA) come later");
        return;
    }
    struct world *w = vec_world(v, NULL);
    if (w && vec_object(v, vec_find(v, "wl1"), &a) && vec_object(v, vec_find(v, "wl2"), &b)) {
        struct wl *x = vec_put_workload(v, w, &a.workload, VEC_NOW),
                  *y = vec_put_workload(v, w, &b.workload, VEC_NOW);
        if (x && y)
            vec_check_bool(v, "wantSame", vec_want(v, "wantSame"),
                           memcmp(x->class, y->class, sizeof(x->class)) == 0);
    }
    world_free(w);
}

static void pending_flavors(struct vec *v)
{
    const struct doc_node *list = doc_field(vec_find(v, "state"), "lastTriedFlavorIdx");
    uint32_t n = list ? list->n : 0, total = 0;
    doc_foreach (m, list)
        total += m->n;
    struct wl wl = {.npod_sets = n, .scan = {.present = list != NULL}};
    wl.pod_sets = vec_alloc(v, n * sizeof(*wl.pod_sets));
    wl.tried = vec_alloc(v, total * sizeof(*wl.tried));
    total = 0;
    doc_foreach (m, list) {
        wl.pod_sets[m->index].first = total;
        wl.pod_sets[m->index].nslots = m->n;
        doc_foreach (c, m)
            wl.tried[total++] = (int16_t)vec_i64(v, c);
    }
    vec_check_bool(v, "wantPendingFlavors", vec_want(v, "wantPendingFlavors"), wl_scan_unfinished(&wl));
}

/* ---- order, marks ------------------------------------------------------------------------------------------------------- */

static void queue_order_time(struct vec *v)
{
    struct object o;
    if (!vec_object(v, vec_find(v, "wl"), &o))
        return;
    struct marks m = marks_of_fact(&o.workload);
    doc_foreach (c, vec_want(v, "want")) {
        const char *by = doc_str_or(doc_field(c, "key"), "podsReadyRequeuingTimestamp", "");
        when_ns got = wl_queue_time(&m, o.workload.created, strcmp(by, "Creation") == 0, true);
        vec_check_when(v, by, doc_field(c, "value"), got);
    }
}

static void is_on_hold(struct vec *v)
{
    struct object o;
    if (vec_object(v, vec_find(v, "wl"), &o))
        vec_check_bool(v, "want", vec_want(v, "want"), marks_of_fact(&o.workload).on_hold);
}

static void evicted_by_timeout(struct vec *v)
{
    struct object o;
    if (!vec_object(v, vec_find(v, "workload"), &o))
        return;
    struct marks m = marks_of_fact(&o.workload);
    vec_check_bool(v, "wantEvictedByTimeout", vec_want(v, "wantEvictedByTimeout"),
                   m.evicted && m.evict_reason == EVICT_PODS_READY_TIMEOUT);
}

static void asks_for_topology(struct vec *v)
{
    const struct fact_pod_set *sets;
    uint32_t n;
    bool asks = false;
    struct err err;
    if (api_read_pod_sets(vec_find(v, "podSets"), v->arena, API_LENIENT, &sets, &n, &err)) {
        vec_broken(v, "pod sets", &err);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        asks = asks || sets[i].wants_topology;
    vec_check_bool(v, "want", vec_want(v, "want"), asks);
}

static void limit_reclaimable(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct object o;
    struct wl *wl = NULL;
    if (w && vec_object(v, vec_find(v, "wl"), &o))
        wl = vec_put_workload(v, w, &o.workload, VEC_NOW);
    for (uint32_t i = 0; wl && i < wl->npod_sets; i++)
        vec_check_i64(v, "reclaimable", NULL, wl->pod_sets[i].count - pod_set_count(w, &wl->pod_sets[i]));
    world_free(w);
}

/* ---- validation (2.8) --------------------------------------------------------------------------------------------------- */

static void check_validation(struct vec *v, const char *prefix, const struct doc_node *workload,
                             const struct doc_node *limits)
{
    struct names *names = names_new();
    struct requests *r = requests_new(names);
    struct object o, l;
    struct str text;
    struct err err;
    str_init(&text, 0);
    if (limits && vec_object(v, limits, &l) && requests_put_limit_range(r, &l.limit_range, &err))
        vec_broken(v, "a LimitRange", &err);
    if (!v->failed && vec_object(v, workload, &o)) {
        if (requests_validate(r, o.workload.ns, o.workload.pod_sets, o.workload.npod_sets, &text, &err))
            vec_broken(v, "validation", &err);
        const char *want = vec_invalid_text(v, prefix, vec_want(v, "wantError"));
        vec_check(v, "wantError", strcmp(want, str_text(&text)) == 0, want,
                  vec_printf(v, "%s", str_text(&text)));
    }
    str_free(&text);
    requests_free(r);
    names_free(names);
}

static void validate_resources(struct vec *v)
{
    check_validation(v, "resources validation failed: ", doc_field(vec_find(v, "workloadInfo"), "obj"), NULL);
}

static void validate_limits(struct vec *v)
{
    check_validation(v, "resources didn't satisfy LimitRange constraints: ", vec_find(v, "workload"),
                     vec_find(v, "limitRange"));
}

/* ---- admission checks (5.7, 10.4) --------------------------------------------------------------------------------------- */

static void filter_checks(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct object o;
    struct wl *wl = NULL;
    if (w && vec_put(v, w, vec_find(v, "cq"), VEC_NOW) && vec_object(v, vec_find(v, "wl"), &o))
        wl = vec_put_workload(v, w, &o.workload, VEC_NOW);
    if (wl) {
        uint32_t ids[16], n = world_required_checks(w, wl, ids, 16);
        const char *got[16];
        for (uint32_t i = 0; i < n && i < 16; i++)
            got[i] = names_text(world_names(w), ids[i]);
        vec_check_set(v, "wantAdmissionChecks", vec_want(v, "wantAdmissionChecks"), got, n);
    }
    world_free(w);
}

/* ---- transitions of the record (5.7, 10.2-10.5) ------------------------------------------------------------------------- */

static void set_condition(struct vec *v)
{
    struct object o;
    struct status s;
    if (vec_find(v, "err")) {
        vec_skip(v, "an error of the API server");
        return;
    }
    if (!vec_object(v, doc_at(v->objects, 0), &o))
        return;
    if (vec_status(v, &o.workload, &s)) {
        const char *type = vec_str(v, vec_find(v, "condType")),
                   *status = vec_str(v, vec_find(v, "condStatus"));
        bool changed, is_true = strcmp(status, "True") == 0;
        int t = 0;
        while (t < COND_TYPES && strcmp(cond_type_name(t), type) != 0)
            t++;
        if (status_set(&s, t, is_true ? STATUS_TRUE : STATUS_FALSE, vec_str(v, vec_find(v, "reason")),
                       vec_str(v, vec_find(v, "message")), VEC_NOW, o.workload.generation, &changed))
            vec_broken(v, "a condition", NULL);
        vec_check_conditions(v, "wantStatus.conditions", doc_field(vec_want(v, "wantStatus"), "conditions"),
                             &s);
    }
    status_free(&s);
}

static void finish(struct vec *v)
{
    struct object o;
    struct status s;
    bool changed;
    if (!vec_object(v, arg(v, "wl"), &o))
        return;
    if (vec_status(v, &o.workload, &s)) {
        if (status_set(&s, COND_FINISHED, STATUS_TRUE, vec_str(v, arg(v, "reason")),
                       vec_str(v, arg(v, "message")), vec_when(v, vec_find(v, "now")), o.workload.generation,
                       &changed))
            vec_broken(v, "a condition", NULL);
        const struct doc_node *want = doc_path(vec_want(v, "want"), "wl.status.conditions");
        vec_check_conditions(v, "want.wl.status.conditions", want, &s);
    }
    status_free(&s);
}

static void reserve(struct vec *v)
{
    struct object o;
    struct status s;
    if (!vec_object(v, arg(v, "workload"), &o))
        return;
    if (vec_status(v, &o.workload, &s)) {
        if (status_reserve(&s, doc_str_or(arg(v, "admission"), "clusterQueue", ""), false, true, false,
                           vec_when(v, vec_find(v, "testClock")), o.workload.generation))
            vec_broken(v, "a reservation", NULL);
        vec_check_conditions(v, "want.status.conditions", doc_path(vec_want(v, "want"), "status.conditions"),
                             &s);
    }
    status_free(&s);
}

static bool gate_given(const struct vec *v, const char *name, bool dflt)
{
    for (uint32_t i = 0; i < v->ngates; i++)
        if (strcmp(v->gates[i].name, name) == 0)
            dflt = v->gates[i].on;
    return dflt;
}

static bool read_status_parts(struct vec *v, struct fact_workload *f)
{
    struct err err;
    if (api_read_conditions(vec_find(v, "conditions"), v->arena, API_LENIENT, &f->conditions, &f->nconditions,
                            &err) ||
        api_read_check_states(vec_find(v, "checkStates"), v->arena, API_LENIENT, &f->checks, &f->nchecks,
                              &err)) {
        vec_broken(v, "a status", &err);
        return false;
    }
    return true;
}

static void sync_admitted(struct vec *v)
{
    struct fact_workload f = vec_workload(NULL, 0);
    struct status s;
    bool changed = false;
    if (!read_status_parts(v, &f))
        return;
    if (vec_status(v, &f, &s)) {
        if (status_sync_admitted(&s, gate_given(v, "UnadmittedWorkloadsObservability", true), false,
                                 vec_when(v, vec_find(v, "testTime")), 1, &changed))
            vec_broken(v, "syncing", NULL);
        vec_check_bool(v, "wantChange", vec_want(v, "wantChange"), changed);
        const struct doc_node *past = vec_want(v, "wantAdmittedTime");
        if (vec_i64(v, past) > 0) /* the table gives the time only where it checks it */
            vec_check_i64(v, "wantAdmittedTime", past, s.accumulated_s);
        /* The observed list has the messages as well. */
        const struct doc_node *seen = doc_field(v->got, "wantConditions");
        vec_check_conditions(v, "wantConditions", seen ? seen : vec_want(v, "wantConditions"), &s);
    }
    status_free(&s);
}

static void requeue_state(struct vec *v)
{
    struct object o;
    struct status s;
    if (!vec_object(v, vec_find(v, "workload"), &o))
        return;
    if (vec_status(v, &o.workload, &s)) {
        bool changed = requeue_later(&s, vec_when(v, vec_find(v, "waitUntil")),
                                     vec_bool(v, vec_find(v, "incrementCount")));
        vec_check_bool(v, "wantUpdated", vec_want(v, "wantUpdated"), changed);
        vec_check_i64(v, "wantCount", vec_want(v, "wantCount"), s.requeue_count);
        vec_check_when(v, "wantRequeueAt", vec_want(v, "wantRequeueAt"), s.requeue_at);
    }
    status_free(&s);
}

/* Runs the life cycle once over a status; the world knows the Workload only. */
static bool run_lifecycle(struct vec *v, const struct fact_workload *f, when_ns now, struct status *s)
{
    struct world *w = vec_world(v, NULL);
    struct wl *wl = w ? vec_put_workload(v, w, f, now) : NULL;
    struct err err;
    bool ok = false;
    if (wl && vec_status(v, f, s)) {
        struct lifecycle l = lifecycle_of(w, wl, f->gated_by, now);
        struct lifecycle_result r;
        ok = lifecycle_run(&l, s, &r, &err) == 0;
        if (!ok)
            vec_broken(v, "life cycle", &err);
    }
    world_free(w);
    return ok;
}

static void max_retry_time(struct vec *v)
{
    static const char before_all[] = "2025-01-01T12:00:00Z";
    struct fact_workload f = vec_workload(NULL, 0);
    struct status s;
    when_ns now;
    status_init(&s);
    if (when_parse(before_all, strlen(before_all), &now, NULL))
        vec_broken(v, "a time", NULL);
    if (!v->failed && read_status_parts(v, &f) && run_lifecycle(v, &f, now, &s))
        vec_check_when(v, "wantRetryTime", vec_want(v, "wantRetryTime"), s.requeue_at);
    status_free(&s);
}

/* Whoever was evicted by its deactivation is not evicted again. */
static void evicted_by_deactivation(struct vec *v)
{
    struct object o;
    struct status s;
    status_init(&s);
    if (vec_object(v, vec_find(v, "workload"), &o)) {
        struct fact_workload f = o.workload;
        when_ns then = f.nconditions ? f.conditions[0].since : 0, now = then + NS_PER_S;
        f.active = false;
        if (run_lifecycle(v, &f, now, &s))
            vec_check_bool(v, "want", vec_want(v, "want"), s.cond[COND_EVICTED].since == then);
    }
    status_free(&s);
}

/* ---- transitions in the world (10.11) ----------------------------------------------------------------------------------- */

static struct fact_workload in_state(struct vec *v, const char *state, const struct fact_pod_set *ps)
{
    static const struct fact_flavor_ref flavor = {"cpu", "default"};
    static const struct fact_assignment as = {
        .pod_set = "main", .flavors = &flavor, .nflavors = 1, .count = 1};
    static const struct fact_admission admission = {.cluster_queue = "cq", .pod_sets = &as, .npod_sets = 1};
    static const enum cond_type types[] = {COND_QUOTA_RESERVED, COND_ADMITTED, COND_FINISHED};
    struct fact_condition *c = vec_alloc(v, 3 * sizeof(*c));
    struct fact_workload f = vec_workload(ps, 1);
    f.nconditions = strcmp(state, "quotaReserved") == 0 ? 1 : strcmp(state, "admitted") == 0 ? 2 : 3;
    for (int i = 0; i < 3; i++)
        c[i] = (struct fact_condition){types[i], STATUS_TRUE, "ByTest", "", VEC_NOW, 0};
    f.conditions = c;
    f.admission = &admission;
    if (strcmp(state, "pending") == 0) {
        f.nconditions = 0;
        f.admission = NULL;
    }
    return f;
}

/* A queue "lq" in namespace "ns" of a ClusterQueue "cq" with room. */
static bool put_queues(struct vec *v, struct world *w)
{
    static const char *const cpu = "cpu";
    const struct fact_quota quota = {.nominal = quantity_from_i64(10)};
    const struct fact_flavor_quotas quotas = {"default", &quota};
    const struct fact_resource_group group = {&cpu, 1, &quotas, 1};
    const struct fact_cluster_queue cq = {.name = "cq", .cohort = "", .groups = &group, .ngroups = 1};
    const struct fact_local_queue lq = {
        .ns = "ns", .name = "lq", .cluster_queue = "cq", .consumed_at = WHEN_NONE};
    const struct fact_flavor flavor = {.name = "default", .topology = ""};
    struct err err;
    if (world_put_flavor(w, &flavor, &err) == 0 && world_put_cluster_queue(w, &cq, VEC_NOW, &err) == 0 &&
        world_put_local_queue(w, &lq, VEC_NOW, &err) == 0)
        return true;
    vec_broken(v, "queues", &err);
    return false;
}

/* ---- what counts as a change of a waiting Workload (4.4) ---------------------------------------------------------------- */

static struct fact_workload with_reclaimable(struct vec *v, const struct fact_pod_set *sets, uint32_t n,
                                             const struct doc_node *list)
{
    struct fact_workload f = vec_workload(sets, n);
    struct fact_reclaimable *r = vec_alloc(v, (list ? list->n : 0) * sizeof(*r));
    doc_foreach (c, list)
        r[f.nreclaimable++] =
            (struct fact_reclaimable){doc_str_or(c, "name", ""), (int32_t)doc_i64_or(c, "count", 0)};
    f.reclaimable = r;
    return f;
}

/* A Workload that did not fit waits until something about it changes: other reclaimable pods do. */
static void reclaimable_equal(struct vec *v)
{
    struct fact_amount much = {"cpu", quantity_from_i64(100)};
    struct fact_container c = {.name = "c", .requests = &much, .nrequests = 1};
    struct fact_pod_set sets[3] = {vec_pod_set("rp1", 9, &c, 1), vec_pod_set("rp2", 9, &c, 1),
                                   vec_pod_set("rp3", 9, &c, 1)};
    struct fact_workload before = with_reclaimable(v, sets, 3, vec_find(v, "a"));
    struct fact_workload after = with_reclaimable(v, sets, 3, vec_find(v, "b"));
    const struct cycle *cycle;
    struct fact_namespace ns = {.name = "ns"};
    struct world *w = vec_world(v, NULL);
    struct err err;
    if (w && put_queues(v, w) && world_put_namespace(w, &ns, &err) == 0) {
        struct wl *wl = vec_put_workload(v, w, &before, VEC_NOW);
        if (!wl || world_cycle(w, VEC_NOW, &cycle, &err) || wl->bucket != BUCKET_INADMISSIBLE)
            vec_broken(v, "a cycle", NULL);
        else if (vec_put_workload(v, w, &after, VEC_NOW))
            vec_check_bool(v, "wantResult", vec_want(v, "wantResult"), wl->bucket == BUCKET_INADMISSIBLE);
    }
    world_free(w);
}

static bool holds(const struct world *w)
{
    const struct wl *wl = world_find_workload(w, "ns", "wl");
    return wl && wl->cq != NONE;
}

/* From holding quota to waiting in the queue. */
static void back_to_pending(struct vec *v)
{
    struct fact_pod_set ps = vec_pod_set("main", 1, NULL, 0);
    struct fact_workload prev = in_state(v, vec_str(v, vec_find(v, "prev")), &ps);
    struct fact_workload next = in_state(v, vec_str(v, vec_find(v, "new")), &ps);
    struct world *w = vec_world(v, NULL);
    struct err err;
    if (w && put_queues(v, w)) {
        if (world_put_workload(w, &prev, VEC_NOW, NULL, &err))
            vec_broken(v, "the Workload before", &err);
        bool held = holds(w);
        if (world_put_workload(w, &next, VEC_NOW, NULL, &err))
            vec_broken(v, "the Workload after", &err);
        const struct wl *wl = world_find_workload(w, "ns", "wl");
        bool waits = wl && wl->cq == NONE && wl->bucket != BUCKET_NONE;
        vec_check_bool(v, "want", vec_want(v, "want"), held && waits);
    }
    world_free(w);
}

#define COUNTS "counts of pod sets as maps: bookkeeping of another program"
#define TOPOLOGY "topology-aware placement comes later"
#define DEVICES "device requests (DRA) come later"

static const struct vec_entry entries[] = {
    {"workload__TestAdjustResources", adjust, NULL, 0},
    {"workload__TestAdmissionChecksForWorkload", NULL, "the checks of the ClusterQueue are not in the file",
     0},
    {"workload__TestApplyPodSetCounts", NULL, COUNTS, 0},
    {"workload__TestAssignmentClusterQueueState", pending_flavors, NULL, 0},
    {"workload__TestCalcLocalQueueFSUsage", NULL, "the usage is not in the file", 0},
    {"workload__TestExtractPodSetCounts", NULL, COUNTS, 0},
    {"workload__TestExtractPodSetCountsFromWorkload", NULL, COUNTS, 0},
    {"workload__TestFilterChecksForAdmission", filter_checks, NULL, 0},
    {"workload__TestFromQuotaReservedOrAdmittedToPending", back_to_pending, NULL, 0},
    {"workload__TestGetMaxRetryTime", max_retry_time, NULL, 0},
    {"workload__TestGetQueueOrderTimestamp", queue_order_time, NULL, 0},
    {"workload__TestIsExplicitlyRequestingTAS", asks_for_topology, NULL, VEC_ANY_CONTENT},
    {"workload__TestIsOnHold", is_on_hold, NULL, 0},
    {"workload__TestLimitReclaimablePodsToPodSetSizes", limit_reclaimable, NULL, 0},
    {"workload__TestNeedsSecondPass", NULL, TOPOLOGY, 0},
    {"workload__TestNewInfo", new_info, NULL, 0},
    {"workload__TestPodSetsCounts_HasFewerReplicasThan", NULL, COUNTS, 0},
    {"workload__TestReclaimablePodsAreEqual", reclaimable_equal, NULL, 0},
    {"workload__TestResourceUsage", resource_usage, NULL, 0},
    {"workload__TestSchedulingHash", scheduling_hash, NULL, 0},
    {"workload__TestSetConditionAndUpdate", set_condition, NULL, 0},
    {"workload__TestSetQuotaReservation", reserve, NULL, 0},
    {"workload__TestSetRequeueState", requeue_state, NULL, 0},
    {"workload__TestShouldSkipClusterNomination", NULL, "MultiKueue comes later", 0},
    {"workload__TestSyncAdmittedCondition", sync_admitted, NULL, 0},
    {"workload__TestUpdateWithRebuild", rebuild, NULL, 0},
    {"workload__TestUsedNodes", NULL, TOPOLOGY, 0},
    {"workload__TestValidateLimitRange", validate_limits, NULL, 0},
    {"workload__TestValidateResources", validate_resources, NULL, 0},
    {"workload__TestWithPreprocessedDRAResources", NULL, DEVICES, 0},
    {"workload__TestWithPreprocessedDRAResourcesReplacesExtendedResources", NULL, DEVICES, 0},
    {"workload__TestWorkloadPriorityClassChanged", NULL,
     "which changes another program passes over: ours compares what it would write", 0},
    {"workload_evict__TestIsEvictedByDeactivation", evicted_by_deactivation, NULL, 0},
    {"workload_evict__TestIsEvictedByPodsReadyTimeout", evicted_by_timeout, NULL, 0},
    {"workload_finish__TestFinish", finish, NULL, 0},
};

VEC_AREA(vec_area_workload, entries);
