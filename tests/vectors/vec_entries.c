/* Tables about one entry of a cycle: its order among others, its scan position, what it reserves; and whose turn it is to give up a
 * Workload. Each sets the stage that the case describes and lets one step of the engine run. */
#include "vec_entries.h"
#include "core/cycle_priv.h"
#include "core/reason.h"
#include "core/turns.h"
#include "vec_records.h"

#include <string.h>

/* Memory of one step: ends the step with a failure when it is exhausted. */
#define STEP(v, bail)                                                                                        \
    jmp_buf bail;                                                                                            \
    (v)->arena->bail = &bail;                                                                                \
    if (setjmp(bail)) {                                                                                      \
        vec_broken((v), "memory", NULL);                                                                     \
        return;                                                                                              \
    }

static struct entry *new_entry(struct vec *v, struct wl *wl, struct cluster_queue *cq)
{
    struct entry *e = vec_alloc(v, sizeof(*e));
    e->cq = cq;
    e->d.w = wl;
    e->a = vec_alloc(v, sizeof(*e->a));
    return e;
}

/* ---- order ---------------------------------------------------------------------------------------------------------------------- */

/* {obj, assignment: {borrowing}, isPreemptor} */
static bool read_entry(struct vec *v, struct world *w, const struct doc_node *n, struct entry *ret)
{
    struct object o;
    struct wl *wl =
        vec_object(v, doc_field(n, "obj"), &o) ? vec_put_workload(v, w, &o.workload, VEC_NOW) : NULL;
    if (!wl)
        return false;
    struct preempt_side side = side_of(w, wl);
    struct entry *e = new_entry(v, wl, w->cqs[0]);
    e->a->borrowing = (uint32_t)doc_i64_or(doc_field(n, "assignment"), "borrowing", 0);
    e->priority = side.priority;
    e->queue_time = side.queue_time;
    e->preemptor = gate_on(world_gates(w), GATE_PREEMPTORS_FIRST) && vec_bool(v, doc_field(n, "isPreemptor"));
    *ret = *e;
    return true;
}

static struct world *world_with_queue(struct vec *v, const struct fact_config *config)
{
    struct world *w = vec_world(v, config);
    struct err err;
    struct fact_cluster_queue cq = {.name = "cq", .cohort = ""};
    if (w && world_put_cluster_queue(w, &cq, VEC_NOW, &err)) {
        vec_broken(v, "a ClusterQueue", &err);
        world_free(w);
        return NULL;
    }
    return w;
}

static void sort_and_check(struct vec *v, struct run *r)
{
    STEP(v, bail)
    r->a = v->arena;
    order_classical(r);
    const char **got = vec_alloc(v, r->nentries * sizeof(*got));
    for (uint32_t i = 0; i < r->nentries; i++)
        got[i] = r->order[i]->d.w->name;
    vec_check_list(v, "wantOrder", vec_want(v, "wantOrder"), got, r->nentries);
}

void vec_entries_classical(struct vec *v)
{
    const struct doc_node *list = vec_find(v, "input");
    const char *by = doc_str_or(vec_find(v, "workloadOrdering"), "podsReadyRequeuingTimestamp", "");
    struct fact_config config = {.requeue_by_creation = strcmp(by, "Eviction") != 0};
    struct world *w = world_with_queue(v, &config);
    struct run r = {.w = w, .now = VEC_NOW, .nentries = list->n};
    bool ok = w != NULL;
    r.entries = vec_alloc(v, list->n * sizeof(*r.entries));
    r.order = vec_alloc(v, list->n * sizeof(struct entry *));
    doc_foreach (n, list)
        ok = ok && read_entry(v, w, n, &r.entries[n->index]);
    if (ok)
        sort_and_check(v, &r);
    world_free(w);
}

static bool has_pair(const struct doc_node *list, const struct doc_node *pair)
{
    doc_foreach (p, list)
        if (strcmp(doc_str_or(p, "flavor", ""), doc_str_or(pair, "flavor", "")) == 0 &&
            strcmp(doc_str_or(p, "resource", ""), doc_str_or(pair, "resource", "")) == 0)
            return true;
    return false;
}

/* The share that the case gives for this Workload below the cohort. */
static void read_share(struct vec *v, struct entry *e)
{
    e->shares = vec_alloc(v, sizeof(*e->shares));
    e->borrows = vec_alloc(v, sizeof(*e->borrows));
    doc_foreach (n, vec_find(v, "drsValues")) {
        const struct doc_node *value = doc_field(n, "value");
        if (!doc_is_text(doc_path(n, "key.workloadKey"), e->d.w->key))
            continue;
        e->shares[0] = (struct share){.weight = vec_double(v, doc_field(value, "fairWeight")),
                                      .ratio = vec_double(v, doc_field(value, "unweightedRatio")),
                                      .borrowing = vec_bool(v, doc_field(value, "borrowing"))};
        doc_foreach (p, doc_field(value, "borrowedFRs"))
            e->borrows[0] |= has_pair(doc_get(vec_find(v, "requestedFRs"), e->d.w->key), p);
    }
}

void vec_entries_fair(struct vec *v)
{
    struct world *w = world_with_queue(v, NULL);
    struct entry a, b;
    if (w && read_entry(v, w, vec_find(v, "a"), &a) && read_entry(v, w, vec_find(v, "b"), &b)) {
        read_share(v, &a);
        read_share(v, &b);
        vec_check_bool(v, "wantLess", vec_want(v, "wantLess"), order_fair_less(w, &a, &b, 0));
    }
    world_free(w);
}

/* ---- scan position (6.6) ------------------------------------------------------------------------------------------------------------ */

static uint64_t class_of(const struct doc_node *n, const char *key)
{
    uint64_t c = 0;
    for (const char *s = doc_str_or(n, key, ""); *s; s++)
        c = c * 31 + (unsigned char)*s;
    return c;
}

void vec_entries_outdated(struct vec *v)
{
    const struct doc_node *args = vec_find(v, "args"), *last = doc_field(args, "last");
    struct world *w = world_with_queue(v, NULL);
    struct fact_workload f = vec_workload(NULL, 0);
    struct wl *wl = w ? vec_put_workload(v, w, &f, VEC_NOW) : NULL;
    if (wl) {
        struct run r = {.w = w, .now = VEC_NOW};
        const struct entry *e = new_entry(v, wl, w->cqs[0]);
        w->cycle_number = (uint64_t)doc_i64_or(args, "currentSchedulingCycle", 0);
        w->cqs[0]->generation = doc_i64_or(args, "currentCQGeneration", 0);
        wl->class[0] = class_of(args, "currentSchedulingHash");
        wl->class[1] = 0;
        wl->scan = (struct scan){.present = true,
                                 .generation = doc_i64_or(last, "clusterQueueGeneration", 0),
                                 .cycle = (uint64_t)doc_i64_or(last, "schedulingCycle", 0),
                                 .class = {class_of(last, "schedulingHash"), 0}};
        vec_check_bool(v, "want", vec_want(v, "want"), cycle_scan_outdated(&r, e));
    }
    world_free(w);
}

/* ---- one entry processed (5.5) -------------------------------------------------------------------------------------------------------- */

struct stage {
    struct world *w;
    struct cluster_queue *cq;
    struct entry *e;
    struct run r;
};

static void process(struct vec *v, struct stage *s)
{
    STEP(v, bail)
    struct tree *t = s->cq->tree;
    s->r = (struct run){.w = s->w, .a = v->arena, .now = VEC_NOW, .entries = s->e, .nentries = 1};
    s->w->cycle = (struct cycle){.skips = vec_alloc(v, sizeof(struct cq_count))};
    t->scratch = v->arena;
    (void)tree_begin(t);
    cycle_process(&s->r, s->e);
}

/* [{flavor, resource, value}] as the usage of the entry's assignment. */
static bool read_uses(struct vec *v, struct stage *s, const struct doc_node *list)
{
    struct assignment *a = s->e->a;
    a->uses = vec_alloc(v, list->n * sizeof(*a->uses));
    doc_foreach (u, list) {
        uint32_t fr = world_find_pair(s->w, doc_str_or(u, "flavor", ""), doc_str_or(u, "resource", ""));
        uint32_t col = fr == NONE ? TREE_NONE : tree_col(s->cq->tree, fr);
        if (col == TREE_NONE) {
            vec_fail(v, "usage", vec_text(v, u), "no such pair");
            return false;
        }
        a->uses[a->nuses++] = (struct use){fr, col, vec_i64(v, doc_get(u, "value"))};
    }
    return true;
}

static bool stage_open(struct vec *v, struct stage *s, const struct doc_node *uses, enum mode mode)
{
    struct fact_workload f = vec_workload(NULL, 0);
    struct wl *wl = vec_put_workload(v, s->w, &f, VEC_NOW);
    s->cq = vec_cq(v, s->w, "cq");
    if (!wl || !s->cq || !vec_settle(v, s->w))
        return false;
    s->e = new_entry(v, wl, s->cq);
    s->e->a->mode = mode;
    s->e->d.message = MESSAGE_ASSIGNMENT;
    return read_uses(v, s, uses);
}

/* An entry without victims: what it keeps for itself is what the queue is charged with afterwards. */
void vec_entries_reserve(struct vec *v)
{
    struct stage s = {.w = vec_world(v, NULL)};
    if (s.w && vec_run_ops(v, s.w, VEC_NOW) &&
        stage_open(v, &s, vec_find(v, "assignmentUsage"), MODE_PREEMPT)) {
        struct tree *t = s.cq->tree;
        amount *before = vec_alloc(v, t->ncols * sizeof(*before));
        for (uint32_t c = 0; c < t->ncols; c++)
            before[c] = tree_cell(t, s.cq->node, c)->usage;
        process(v, &s);
        struct str got;
        str_init(&got, 0);
        for (uint32_t c = 0; c < t->ncols; c++) {
            struct pair_names p = world_pair(s.w, t->fr[c]);
            amount kept = tree_cell(t, s.cq->node, c)->usage - before[c];
            if (kept)
                str_addf(&got, "%c{\"flavor\":\"%s\",\"resource\":\"%s\",\"value\":%lld}",
                         got.len ? ',' : '[', p.flavor, p.resource, (long long)kept);
        }
        str_add(&got, got.len ? "]" : "[]");
        vec_check_json(v, "wantReserved", vec_want(v, "wantReserved"), &got,
                       &(struct vec_compare){.sets = true});
        str_free(&got);
    }
    world_free(s.w);
}

/* An entry that fitted when it was nominated and does not any more: its queue has nothing left. */
void vec_entries_skip(struct vec *v)
{
    static const char text[] =
        "[{\"apiVersion\":\"kueue.x-k8s.io/"
        "v1beta2\",\"kind\":\"ClusterQueue\",\"metadata\":{\"name\":\"cq\"},"
        "\"spec\":{\"resourceGroups\":[{\"coveredResources\":[\"cpu\"],\"flavors\":[{\"name\":\"default\","
        "\"resources\":[{\"name\":\"cpu\",\"nominalQuota\":\"0\"}]}]}]}}]";
    struct stage s = {.w = vec_world(v, NULL)};
    if (s.w && vec_put_list(v, s.w, vec_read(v, text), VEC_NOW) && vec_settle(v, s.w) &&
        stage_open(v, &s, vec_read(v, "[{\"flavor\":\"default\",\"resource\":\"cpu\",\"value\":1}]"),
                   MODE_FIT)) {
        struct str message;
        str_init(&message, 0);
        s.e->d.w->scan.present = true;
        process(v, &s);
        reason_message(&message, s.w, &s.e->d);
        vec_check_str(v, "skipped", vec_want(v, "skipped"), outcome_text(s.e->d.outcome));
        vec_check_str(v, "want", vec_want(v, "want"), str_text(&message));
        vec_check_bool(v, "wantLastAssignmentNil", vec_want(v, "wantLastAssignmentNil"),
                       !s.e->d.w->scan.present);
        str_free(&message);
    }
    world_free(s.w);
}

/* A head goes back to its queue; the texts are those of the case. */
static int turn_down(struct vec_records *r, struct status *s, struct decision *d, const char *reason,
                     const char *message)
{
    const struct gates *g = world_gates(r->w);
    bool changed;
    int rc = status_unreserve(s, reason, message, gate_on(g, GATE_OBSERVABILITY),
                              gate_on(g, GATE_EXPLICIT_STATUS), r->now, 0);
    if (!rc && d->outcome == OUTCOME_GATED)
        rc = status_set(s, COND_BLOCKED_ON_GATES, STATUS_TRUE, "PreemptionGated", message, r->now, 0,
                        &changed);
    return rc;
}

static void check_queue(struct vec *v, struct world *w, const char *field, bool inadmissible)
{
    const char *got[8];
    uint32_t n = 0;
    for (struct wl *wl = world_pending_first(w, 0, inadmissible); wl && n < 8; wl = world_pending_next(wl))
        got[n++] = wl->key;
    vec_check_set(v, field, doc_get(vec_want(v, field), "cq"), got, n);
}

void vec_entries_requeue(struct vec *v)
{
    static const char *const unchecked[] = {"lastTransitionTime", NULL};
    const struct doc_node *e = vec_find(v, "e");
    struct vec_records r = {0};
    struct world *w = vec_world(v, NULL);
    if (w && vec_put_list(v, w, doc_field(v->shared, "objects"), VEC_NOW) &&
        vec_put(v, w, vec_find(v, "cq"), VEC_NOW) && vec_put(v, w, vec_find(v, "q1"), VEC_NOW) &&
        vec_records_open(&r, v, w, vec_list_of(v, doc_field(e, "obj")), VEC_NOW) && vec_settle(v, w)) {
        struct decision d = {.w = pending_pop(&w->cqs[0]->pending), .cq = 0};
        d.outcome = doc_is_text(doc_field(e, "status"), "skipped") ? OUTCOME_SKIPPED : OUTCOME_GATED;
        struct str got;
        str_init(&got, 0);
        vec_check(v, "head", d.w == r.list[0].wl, "the Workload", "another");
        cycle_requeue(w, &d, w->cqs[0], VEC_NOW);
        if (turn_down(&r, &r.list[0].status, &d, doc_str_or(e, "quotaReservedReason", ""),
                      doc_str_or(e, "inadmissibleMsg", "")))
            vec_broken(v, "conditions", NULL);
        vec_print_conditions(&r.list[0].status, &got);
        vec_check_json(v, "wantStatus", doc_field(vec_want(v, "wantStatus"), "conditions"), &got,
                       &(struct vec_compare){.ignore = unchecked, .sets = true});
        check_queue(v, w, "wantWorkloads", false);
        check_queue(v, w, "wantInadmissible", true);
        str_free(&got);
    }
    vec_records_free(&r);
    world_free(w);
}

/* ---- whose turn it is (8.3) -------------------------------------------------------------------------------------------------------------- */

static void offer(struct vec *v, struct world *w, struct turns *u, const struct preempt_ctx *ctx,
                  const char *name)
{
    struct cluster_queue *cq = vec_cq(v, w, name);
    if (!cq)
        return;
    struct cand *c = vec_alloc(v, cq->nholders * sizeof(*c));
    for (uint32_t i = 0; i < cq->nholders; i++)
        cand_fill(ctx, &c[i], cq->holders[i], cq->holders[i]->cq);
    cand_seq_init(&u->offers[cq->node].seq, c, cq->nholders, false);
}

/* After each turn the caller takes the candidate, or drops the queue. */
static void take_turns(struct vec *v, struct world *w, struct cluster_queue *own)
{
    STEP(v, bail)
    struct turns u;
    struct preempt_ctx ctx = {.w = w, .cq = own, .now = VEC_NOW};
    const struct doc_node *actions = vec_find(v, "actions");
    const char *got[100];
    uint32_t n = 0, node;
    turns_init(&u, own->tree, own->node, v->arena);
    doc_foreach (c, vec_find(v, "candidateCQs"))
        offer(v, w, &u, &ctx, vec_str(v, c));
    while (n < 100 && (node = turns_next(&u)) != NONE) {
        bool drop = doc_is_text(doc_at(actions, n), "drop");
        got[n++] = names_text(w->names, own->tree->nodes[node].name);
        if (drop)
            u.pruned[node] = true;
        else
            u.offers[node].next++;
    }
    vec_check_list(v, "wantOrder", vec_want(v, "wantOrder"), got, n);
}

void vec_entries_turns(struct vec *v)
{
    struct fact_config config = {.fair_sharing = true};
    struct world *w = vec_world(v, &config);
    if (w && vec_run_ops(v, w, VEC_NOW) && vec_put_list(v, w, vec_find(v, "admitted"), VEC_NOW) &&
        vec_settle(v, w)) {
        struct cluster_queue *own = vec_cq(v, w, vec_str(v, vec_find(v, "preemptorCQ")));
        if (own)
            take_turns(v, w, own);
    }
    world_free(w);
}
