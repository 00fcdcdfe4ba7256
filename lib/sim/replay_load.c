/* Queues into a replay, and jobs into Workloads. */
#include "sim/replay_priv.h"

#include "base/mem.h"
#include "sim/put.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

static int put_namespace_of(struct world *w, const char *ns, struct err *err)
{
    const struct fact_label label = {"kubernetes.io/metadata.name", ns};
    const struct fact_namespace f = {ns, &label, 1};

    return world_put_namespace(w, &f, err);
}

/* Without admission fair sharing, whose consumption falls as time passes, a cycle depends on what has happened only. */
static int put_objects(struct replay *r, const struct api_set *objects, struct err *err)
{
    const struct object *config = NULL;
    int rc = 0;

    r->plain = true;
    if (r->opt.every_search)
        world_search_all(r->w);
    for (uint32_t i = 0; i < api_set_count(objects) && !rc; i++) {
        const struct object *o = api_set_at(objects, i);
        if (o->kind != API_CONFIG)
            continue;
        config = o;
        r->plain = !o->config.afs;
        rc = world_configure(r->w, &o->config, err);
        break;
    }
    if (!rc)
        rc = ready_configure(r, config, err);
    for (uint32_t i = 0; i < api_set_count(objects) && !rc; i++)
        if (api_set_at(objects, i)->kind == API_LOCAL_QUEUE)
            rc = put_namespace_of(r->w, api_set_at(objects, i)->ns, err);
    for (uint32_t i = 0; i < api_set_count(objects) && !rc; i++) {
        const struct object *o = api_set_at(objects, i);
        rc = put_object(r->w, o, 0, err);
    }
    return rc ? rc : world_settle(r->w, err);
}

/* ---- groups ------------------------------------------------------------------------------------------------------------- */

static int start_group(struct replay_group *g, const char *name)
{
    *g = (struct replay_group){.first_submit = WHEN_NONE, .last_finish = WHEN_NONE, .name = mem_strdup(name)};
    return g->name ? 0 : ERR_NOMEM;
}

struct use_arg {
    struct replay *r;
    uint32_t cq;
    uint32_t cap;
    bool failed;
};

static void take_use(const struct cq_use *u, void *arg)
{
    struct use_arg *a = arg;
    struct replay *r = a->r;

    if (strcmp(u->resource, mapping_resource(r->opt.map)) != 0 || a->failed)
        return;
    if (mem_grow((void **)&r->held, &a->cap, r->nheld + 1, sizeof(*r->held))) {
        a->failed = true;
        return;
    }
    r->held[r->nheld++] =
        (struct held){.fr = u->fr, .cq = a->cq, .nominal = u->nominal, .since = INT64_MIN + 1};
    r->res.queues[a->cq].nominal = amount_add(r->res.queues[a->cq].nominal, u->nominal);
}

/* All quota there is, that of cohorts too. */
static amount capacity(const struct replay *r)
{
    const char *gpu = mapping_resource(r->opt.map);
    const struct tree *t;
    amount sum = 0;

    for (uint32_t i = 0; (t = world_tree(r->w, i)); i++)
        for (uint32_t c = 0; c < t->ncols; c++)
            for (uint32_t n = 0; n < t->nnodes && !strcmp(world_pair(r->w, t->fr[c]).resource, gpu); n++)
                sum = amount_add(sum, tree_cell(t, n, c)->nominal);
    return sum;
}

static int start_queues(struct replay *r, struct err *err)
{
    uint32_t n = world_cq_count(r->w);
    struct use_arg arg = {.r = r};

    r->res.queues = mem_zalloc(n + 1, sizeof(*r->res.queues));
    r->queues = mem_zalloc(n + 1, sizeof(*r->queues));
    r->held_at = mem_zalloc(n + 2, sizeof(*r->held_at));
    if (!r->res.queues || !r->queues || !r->held_at)
        return no_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        if (start_group(&r->res.queues[i], world_cq(r->w, i).name))
            return no_memory(err);
        r->res.nqueues = r->nqueues = i + 1;
        r->queues[i] = (struct level){.since = INT64_MIN + 1, .g = &r->res.queues[i]};
        arg.cq = i;
        world_cq_uses(r->w, i, take_use, &arg);
        r->held_at[i + 1] = r->nheld;
    }
    return arg.failed ? no_memory(err) : 0;
}

int replay_load(struct replay *r, const struct api_set *objects, struct err *err)
{
    static const char *const sizes[REPLAY_SIZES] = {"1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65+"};
    int rc = put_objects(r, objects, err);

    if (rc)
        return rc;
    if (names_id(world_names(r->w), mapping_resource(r->opt.map), &r->gpu) ||
        start_group(&r->res.total, "all"))
        return no_memory(err);
    for (int i = 0; i < REPLAY_SIZES; i++)
        if (start_group(&r->res.sizes[i], sizes[i]))
            return no_memory(err);
    rc = start_queues(r, err);
    r->res.total.nominal = capacity(r);
    r->total = (struct level){.since = INT64_MIN + 1, .g = &r->res.total};
    if (!rc && !r->nheld)
        rc = err_set(err, ERR_NOTFOUND, "no ClusterQueue has a quota of %s", mapping_resource(r->opt.map));
    return rc ? rc : share_load(r, err);
}

/* ---- tenants ------------------------------------------------------------------------------------------------------------ */

static int find_place(struct replay *r, const struct job *j, struct tenant_place *p, struct err *err)
{
    const char *ns, *name, *cq;
    uint32_t ns_len;
    enum stop_policy stop;

    mapping_queue(r->opt.map, j->tenant, &ns, &ns_len, &name);
    *p = (struct tenant_place){mem_strndup(ns, ns_len), mem_strdup(name), NONE};
    if (!p->ns || !p->queue)
        return no_memory(err);
    if (world_lq(r->w, p->ns, p->queue, &cq, &stop) != LQ_MISSING)
        p->cq = world_cq_find(r->w, cq);
    if (p->cq == NONE)
        return err_set(
            err, ERR_NOTFOUND,
            "tenant \"%s\" of line %llu of the trace stands for LocalQueue %s/%s, which is not among the "
            "queues, or whose ClusterQueue is not: a mapping says which it is (--mapping)",
            j->tenant, (unsigned long long)j->line, p->ns, p->queue);
    return 0;
}

static int tenant_of(struct replay *r, const struct job *j, uint32_t *ret, struct err *err)
{
    uint32_t id;

    if (names_id(r->tenant_names, j->tenant, &id))
        return no_memory(err);
    *ret = id - 1; /* 0 is the empty name, which no tenant has */
    if (*ret < r->ntenants)
        return 0;
    struct replay_group *old = r->res.tenants;
    if (mem_grow((void **)&r->res.tenants, &r->cap_tenant_groups, r->ntenants + 1, sizeof(*r->res.tenants)) ||
        mem_grow((void **)&r->tenants, &r->cap_tenants, r->ntenants + 1, sizeof(*r->tenants)) ||
        mem_grow((void **)&r->places, &r->cap_places, r->ntenants + 1, sizeof(*r->places)))
        return no_memory(err);
    for (uint32_t i = 0; i < r->ntenants && old != r->res.tenants; i++)
        r->tenants[i].g = &r->res.tenants[i];
    if (start_group(&r->res.tenants[*ret], j->tenant))
        return no_memory(err);
    r->tenants[*ret] = (struct level){.since = INT64_MIN + 1, .g = &r->res.tenants[*ret]};
    r->places[*ret] = (struct tenant_place){0};
    r->res.ntenants = ++r->ntenants;
    return find_place(r, j, &r->places[*ret], err);
}

/* ---- jobs --------------------------------------------------------------------------------------------------------------- */

static uint16_t size_of(int64_t gpus_milli)
{
    uint16_t size = 0;

    for (int64_t top = 1000; size + 1 < REPLAY_SIZES && gpus_milli > top; top *= 2)
        size++;
    return size;
}

/* What the largest job may ask for that its queue can ever give. */
static bool is_possible(const struct replay *r, uint32_t cq, int64_t units)
{
    const struct cq_view v = world_cq(r->w, cq);

    for (uint32_t i = r->held_at[cq]; i < r->held_at[cq + 1]; i++) {
        uint32_t col = tree_col(v.tree, r->held[i].fr);
        if (col != TREE_NONE && tree_cell(v.tree, v.node, col)->potential >= units)
            return true;
    }
    return false;
}

enum { TYPES_MAX = 16 };

/* "A|B": either, by the node label that the mapping names. The texts lie in r->text. */
static uint32_t split_types(struct replay *r, const char *types, const char **ret)
{
    uint32_t at[TYPES_MAX], n = 0;

    str_clear(&r->text);
    for (const char *p = types; *p && n < TYPES_MAX;) {
        const char *bar = strchr(p, '|');
        uint32_t len = (uint32_t)(bar ? bar - p : (ptrdiff_t)strlen(p));
        const char *name = mapping_type(r->opt.map, p, len);
        at[n++] = (uint32_t)r->text.len;
        str_addn(&r->text, name ? name : p, name ? strlen(name) : len);
        str_addn(&r->text, "", 1);
        p += len + (bar ? 1 : 0);
    }
    for (uint32_t i = 0; i < n; i++)
        ret[i] = str_text(&r->text) + at[i];
    return n;
}

/* Units as the engine counts them: thousandths of cpu, wholes of everything else (engine.md 2.1). */
static struct quantity quantity_of_units(const char *resource, int64_t units)
{
    struct quantity q = quantity_from_i64(units);

    if (resource_is_cpu(resource))
        q.exp10 -= 3;
    return q;
}

/* The Workload of a job: one pod set of equal pods. `name` and `uid` are texts that the caller holds. */
static int put_workload(struct replay *r, const struct job *j, struct live *l, int64_t per_pod,
                        const char *name, const char *uid, struct err *err)
{
    const struct tenant_place *p = &r->places[l->tenant];
    const struct fact_amount ask = {mapping_resource(r->opt.map),
                                    quantity_of_units(mapping_resource(r->opt.map), per_pod)};
    const struct fact_container c = {.name = "main", .requests = &ask, .nrequests = 1};
    const char *types[TYPES_MAX], *label = mapping_type_label(r->opt.map);
    uint32_t ntypes = *label ? split_types(r, j->gpu_type, types) : 0;
    const struct fact_expr expr = {label, SEL_IN, types, ntypes};
    const struct fact_term term = {&expr, 1};

    str_clear(&r->digest);
    str_addn(&r->digest, (const char *)&per_pod, sizeof(per_pod));
    str_add(&r->digest, ntypes ? j->gpu_type : "");
    if (str_failed(&r->digest) || str_failed(&r->text))
        return no_memory(err);
    const struct fact_pod_set ps = {.name = "main",
                                    .count = j->pods,
                                    .pod = {.containers = &c,
                                            .ncontainers = 1,
                                            .runtime_class = "",
                                            .has_affinity = ntypes > 0,
                                            .terms = &term,
                                            .nterms = ntypes ? 1 : 0,
                                            .digest = str_text(&r->digest),
                                            .digest_len = (uint32_t)r->digest.len,
                                            .selector_error = ""},
                                    .topology = "",
                                    .topology_group = ""};
    const struct fact_workload f = {.ns = p->ns,
                                    .name = name,
                                    .uid = uid,
                                    .generation = 1,
                                    .created = j->submit,
                                    .queue = p->queue,
                                    .priority_class = "",
                                    .priority = j->priority,
                                    .active = true,
                                    .gated_by = "",
                                    .priority_boost = "",
                                    .job_uid = "",
                                    .pod_sets = &ps,
                                    .npod_sets = 1,
                                    .requeue_at = WHEN_NONE};
    return world_put_workload(r->w, &f, r->now, &l->wl, err);
}

enum { UID_BYTES = 20 };

/* Padded with zeros: uids are in the order of arrival, which settles ties. */
static void write_uid(char uid[UID_BYTES + 1], uint64_t number)
{
    uid[UID_BYTES] = 0;
    for (int i = UID_BYTES; i-- > 0; number /= 10)
        uid[i] = (char)('0' + number % 10);
}

static int make_live(struct replay *r, const struct job *j, uint32_t tenant, int64_t per_pod, struct err *err)
{
    struct live *l = mem_zalloc(1, sizeof(*l));
    char uid[UID_BYTES + 1], other[JOBS_TEXT_MAX * 2 + 32];

    if (!l)
        return no_memory(err);
    *l = (struct live){.number = r->res.arrived,
                       .submit = j->submit,
                       .since = j->submit,
                       .due = WHEN_NONE,
                       .need = WHEN_NONE,
                       .run_ns = j->run_ns,
                       .left_ns = j->run_ns,
                       .units = per_pod * j->pods,
                       .home = r->places[tenant].cq,
                       .held = NONE,
                       .size = size_of(j->gpus_milli),
                       .measured = replay_in_window(r, j->submit),
                       .tenant = tenant};
    const char *slash = strchr(j->id, '/'),
               *name = slash ? slash + 1 : j->id; /* of a Workload: without namespace */
    write_uid(uid, l->number);
    if (world_find_workload(r->w, r->places[tenant].ns, name)) {
        (void)snprintf(other, sizeof(other), "%s-%llu", name, (unsigned long long)l->number);
        name = other;
    }
    int rc = put_workload(r, j, l, per_pod, name, uid, err);
    if (rc) {
        mem_free(l);
        return rc;
    }
    l->wl->user = l;
    r->nlive++;
    r->nmeasured += l->measured;
    account_arrived(r, l);
    struct wl *wl = l->wl;
    if (wl->bucket == BUCKET_ACTIVE && world_pending_first(r->w, l->home, false) == wl)
        r->changed = true; /* it is a head; anybody else only stands behind one */
    if (r->note)
        r->note(r->note_arg, &(struct replay_note){.event = REPLAY_ARRIVED,
                                                   .wl = wl,
                                                   .at = r->now,
                                                   .job = wl->name,
                                                   .queue = r->res.queues[l->home].name,
                                                   .units = l->units});
    return 0;
}

int replay_arrive(struct replay *r, const struct job *j, struct err *err)
{
    int64_t units = mapping_units(r->opt.map);
    uint32_t tenant = 0;
    wide milli = (wide)j->gpus_milli * units, pods = (wide)j->pods * 1000;
    wide per_pod = (milli + pods - 1) / pods;
    int rc = tenant_of(r, j, &tenant, err);

    if (rc)
        return rc;
    if (!per_pod) {
        r->res.no_gpu++;
        return 0;
    }
    r->res.rounded += per_pod * pods != milli;
    if (r->opt.skip_impossible && !is_possible(r, r->places[tenant].cq, (int64_t)(per_pod * j->pods))) {
        r->res.impossible++;
        return 0;
    }
    return make_live(r, j, tenant, (int64_t)per_pod, err);
}
