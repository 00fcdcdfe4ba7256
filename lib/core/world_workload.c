/* Workloads in the world: reading a fact into the small form, and the transitions of engine.md 10.11. */
#include "core/world_priv.h"

#include "base/mem.h"

#include <string.h>

/* ---- identity ---------------------------------------------------------------------------------------------------------------- */

#define KEY_MAX 600 /* two DNS names of 253 characters and the slash, with room to spare */

/* "ns/name"; its length, or 0 when it is too long. `key` holds KEY_MAX bytes. */
static size_t write_key(char *key, const char *ns, const char *name)
{
    size_t a = strlen(ns), b = strlen(name);
    if (a + b + 2 > KEY_MAX)
        return 0;
    memcpy(key, ns, a);
    key[a] = '/';
    memcpy(key + a + 1, name, b + 1);
    return a + 1 + b;
}

struct wl *world_find_workload(const struct world *w, const char *ns, const char *name)
{
    char key[KEY_MAX];
    struct wl *wl;
    size_t n = write_key(key, ns, name);
    if (!n)
        return NULL;
    HASH_FIND(hh, w->workloads, key, (unsigned)n, wl);
    return wl;
}

struct wl *world_first_workload(const struct world *w)
{
    return w->workloads;
}

static void drop_shapes(struct world *w, struct pod_set *ps, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (ps[i].shape)
            shapes_drop(w->shapes, ps[i].shape);
}

void workload_discard(struct world *w, struct wl *wl)
{
    HASH_DEL(w->workloads, wl);
    drop_shapes(w, wl->pod_sets, wl->npod_sets);
    mem_free(wl->pod_sets);
    mem_free(wl->invalid);
    mem_free(wl->key);
    mem_free(wl);
}

/* key, uid and job_uid in one block. */
static struct wl *new_workload(struct world *w, const struct fact_workload *f)
{
    char key_text[KEY_MAX];
    size_t key = write_key(key_text, f->ns, f->name) + 1, uid = strlen(f->uid) + 1,
           job = strlen(f->job_uid) + 1;
    struct wl *wl = mem_zalloc(1, sizeof *wl);
    char *text = mem_alloc(key + uid + job);
    if (!wl || !text || key == 1) {
        mem_free(wl);
        mem_free(text);
        return NULL;
    }
    memcpy(text, key_text, key);
    memcpy(text + key, f->uid, uid);
    memcpy(text + key + uid, f->job_uid, job);
    wl->key = text;
    wl->name = text + strlen(f->ns) + 1;
    wl->uid = text + key;
    wl->job_uid = text + key + uid;
    wl->lq = wl->cq = wl->pending_cq = NONE;
    HASH_ADD_KEYPTR(hh, w->workloads, wl->key, (unsigned)(key - 1), wl);
    if (!wl->hh.tbl) { /* HASH_NONFATAL_OOM */
        mem_free(text);
        mem_free(wl);
        return NULL;
    }
    return wl;
}

/* ---- the fact in small ---------------------------------------------------------------------------------------------------------- */

/* What is read before anything of the old state is touched. */
struct reading {
    struct pod_set *pod_sets; /* the block */
    struct slot *slots;
    int16_t *tried;
    uint32_t nslots;
    char *invalid;
    uint32_t ns, queue, priority_class, admission;
    struct marks marks;
    uint64_t class[2];
    int32_t boost;
};

static const struct fact_assignment *assignment_of(const struct fact_workload *f, const char *pod_set)
{
    for (uint32_t i = 0; f->admission && i < f->admission->npod_sets; i++)
        if (strcmp(f->admission->pod_sets[i].pod_set, pod_set) == 0)
            return &f->admission->pod_sets[i];
    return NULL;
}

static int32_t reclaimable_of(const struct fact_workload *f, const char *pod_set)
{
    for (uint32_t i = 0; i < f->nreclaimable; i++)
        if (strcmp(f->reclaimable[i].pod_set, pod_set) == 0)
            return f->reclaimable[i].count;
    return 0;
}

static int add_slot(struct world *w, struct reading *r, struct pod_set *ps, const char *resource,
                    const char *flavor, int64_t total)
{
    uint32_t res, fl, fr = NONE;
    if (names_id(w->names, resource, &res))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < ps->nslots; i++)
        if (r->slots[ps->first + i].res == res)
            return 0;
    if (flavor && (names_id(w->names, flavor, &fl) || pairs_id(&w->pairs, fl, res, &fr)))
        return ERR_NOMEM;
    r->slots[ps->first + ps->nslots++] = (struct slot){res, fr, total};
    return 0;
}

/* 2.4, admitted: what the admission says, less what is reclaimable. */
static int read_assignment(struct world *w, struct reading *r, struct pod_set *ps,
                           const struct fact_assignment *a)
{
    int32_t count = a->count < 0 ? ps->count : a->count, after = pod_set_count(w, ps);
    bool scale = after < count;
    for (uint32_t i = 0; i < a->nusage; i++) {
        int64_t v = quantity_request(a->usage[i].q, resource_is_cpu(a->usage[i].resource));
        if (scale)
            v = i64_mul(v / count, after);
        const char *flavor = NULL;
        for (uint32_t k = 0; k < a->nflavors; k++)
            if (strcmp(a->flavors[k].resource, a->usage[i].resource) == 0)
                flavor = a->flavors[k].flavor;
        if (add_slot(w, r, ps, a->usage[i].resource, flavor, v))
            return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < a->nflavors; i++)
        if (add_slot(w, r, ps, a->flavors[i].resource, a->flavors[i].flavor, 0))
            return ERR_NOMEM;
    ps->assigned = scale ? after : count;
    return 0;
}

static int read_pod_set(struct world *w, struct reading *r, const struct fact_workload *f, uint32_t i)
{
    const struct fact_pod_set *fp = &f->pod_sets[i];
    struct pod_set *ps = &r->pod_sets[i];
    const struct fact_assignment *a = assignment_of(f, fp->name);
    ps->count = fp->count;
    ps->min_count = fp->min_count;
    ps->reclaimable = reclaimable_of(f, fp->name);
    ps->first = r->nslots;
    r->nslots += ps->cap;
    if (names_id(w->names, fp->name, &ps->name) ||
        names_id(w->names, fp->topology_group, &ps->topology_group))
        return ERR_NOMEM;
    return a && r->marks.reserved ? read_assignment(w, r, ps, a) : 0;
}

/* One block: pod sets, slots, tried. Slots for the larger of what is asked (with `pods`) and what is held. */
static int read_pod_sets(struct world *w, struct reading *r, const struct fact_workload *f, struct err *err)
{
    uint32_t n = f->npod_sets, total = 0;
    struct pod_set *tmp = arena_alloc(&w->input, (n + 1) * sizeof *tmp);
    if (!tmp)
        return ERR_NOMEM;
    memset(tmp, 0, n * sizeof *tmp);
    int rc = 0;
    for (uint32_t i = 0; i < n && !rc; i++) {
        const struct req *req;
        uint32_t nreq;
        const struct fact_assignment *a = assignment_of(f, f->pod_sets[i].name);
        rc = requests_of_pod(w->requests, f->ns, &f->pod_sets[i].pod, &w->input, &req, &nreq, err);
        if (!rc)
            rc = shapes_take(w->shapes, &f->pod_sets[i], req, nreq, &tmp[i].shape, err);
        uint32_t held = a ? a->nusage + a->nflavors : 0;
        tmp[i].cap = !rc && nreq + 1 > held ? nreq + 1 : held;
        total += tmp[i].cap;
    }
    char *block =
        rc ? NULL : mem_zalloc(1, n * sizeof *tmp + total * (sizeof(struct slot) + sizeof(int16_t)) + 1);
    if (!block) {
        drop_shapes(w, tmp, n);
        return rc ? rc : ERR_NOMEM;
    }
    memcpy(block, tmp, n * sizeof *tmp);
    r->pod_sets = (struct pod_set *)block;
    r->slots = (struct slot *)(block + n * sizeof *tmp);
    r->tried = (int16_t *)(block + n * sizeof *tmp + total * sizeof(struct slot));
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = read_pod_set(w, r, f, i);
    return rc;
}

static void mix(uint64_t class[2], uint64_t v)
{
    for (int i = 0; i < 2; i++) {
        uint64_t x = (class[i] ^ v) * (i ? UINT64_C(0xff51afd7ed558ccd) : UINT64_C(0x9e3779b97f4a7c15));
        class[i] = x ^ (x >> 29);
    }
}

/* 4.10. Pod sets of equal shape share the shape's id, so ids stand for contents. */
static void classify(const struct world *w, const struct fact_workload *f, struct reading *r)
{
    r->class[0] = r->class[1] = 0;
    if (!gate_on(&w->gates, GATE_EQUIVALENCE_HASHING))
        return;
    mix(r->class, (uint64_t)((int64_t)f->priority + r->boost));
    for (uint32_t i = 0; i < f->npod_sets; i++) {
        const struct pod_set *ps = &r->pod_sets[i];
        mix(r->class, (uint64_t)ps->name << 32 | ps->shape->id);
        mix(r->class, (uint64_t)(uint32_t)pod_set_count(w, ps) << 32 | (uint32_t)ps->min_count);
    }
}

static int read_invalid(struct world *w, const struct fact_workload *f, struct reading *r, struct err *err)
{
    struct str text;
    str_init(&text, 0);
    int rc = requests_validate(w->requests, f->ns, f->pod_sets, f->npod_sets, &text, err);
    if (!rc && text.len) {
        r->invalid = str_take(&text);
        rc = r->invalid ? 0 : ERR_NOMEM;
    }
    str_free(&text);
    return rc;
}

static int read_fact(struct world *w, const struct fact_workload *f, struct reading *r, struct err *err)
{
    *r = (struct reading){.marks = marks_of_fact(f)};
    arena_reset(&w->input);
    if (!gate_on(&w->gates, GATE_ADMISSION_GATED_BY))
        r->marks.gated = false;
    r->boost = gate_on(&w->gates, GATE_PRIORITY_BOOST) ? wl_boost(f->priority_boost) : 0;
    int rc = read_pod_sets(w, r, f, err);
    if (!rc)
        rc = read_invalid(w, f, r, err);
    if (!rc && (names_id(w->names, f->ns, &r->ns) || names_id(w->names, f->queue, &r->queue) ||
                names_id(w->names, f->priority_class, &r->priority_class) ||
                names_id(w->names, f->admission ? f->admission->cluster_queue : "", &r->admission)))
        rc = ERR_NOMEM;
    if (rc) {
        drop_shapes(w, r->pod_sets, r->pod_sets ? f->npod_sets : 0);
        mem_free(r->pod_sets);
        mem_free(r->invalid);
        return rc;
    }
    classify(w, f, r);
    return 0;
}

/* ---- transitions (10.11) --------------------------------------------------------------------------------------------------------------- */

/* "changed" of 4.4, for a Workload in the inadmissible list. */
static bool has_changed(const struct wl *wl, const struct fact_workload *f, const struct reading *r)
{
    const struct marks *a = &wl->marks, *b = &r->marks;
    if ((wl->evaluated && f->generation != wl->evaluated) || wl->boost != r->boost ||
        wl->priority != f->priority || wl->queue != r->queue || wl->priority_class != r->priority_class ||
        a->active != b->active || wl->npod_sets != f->npod_sets)
        return true;
    if (a->evicted_digest != b->evicted_digest || a->requeued_digest != b->requeued_digest ||
        a->closed_gate != b->closed_gate)
        return true;
    for (uint32_t i = 0; i < wl->npod_sets; i++) {
        const struct pod_set *x = &wl->pod_sets[i], *y = &r->pod_sets[i];
        if (x->name != y->name || x->count != y->count || x->min_count != y->min_count ||
            x->reclaimable != y->reclaimable || x->shape->id != y->shape->id)
            return true;
    }
    return false;
}

static bool is_gone(const struct marks *m)
{
    return m->finished || !m->active;
}

/* Scan progress survives an update of the same shape (4.4 step 4, 6.6). */
static void carry_scan(const struct world *w, struct wl *wl, struct reading *r, uint32_t npod_sets)
{
    bool same = wl->npod_sets == npod_sets && wl->class[0] == r->class[0] && wl->class[1] == r->class[1];
    if (!wl->scan.present || !same || r->marks.reserved || !gate_on(&w->gates, GATE_PRESERVE_SCAN)) {
        wl->scan.present = false;
        return;
    }
    for (uint32_t i = 0; i < npod_sets; i++) {
        struct pod_set *to = &r->pod_sets[i];
        const struct pod_set *from = &wl->pod_sets[i];
        to->nslots = from->nslots < to->cap ? from->nslots : to->cap;
        memcpy(r->slots + to->first, wl->slots + from->first, to->nslots * sizeof *r->slots);
        memcpy(r->tried + to->first, wl->tried + from->first, to->nslots * sizeof *r->tried);
    }
}

static void take_reading(struct world *w, struct wl *wl, const struct fact_workload *f, struct reading *r)
{
    carry_scan(w, wl, r, f->npod_sets);
    drop_shapes(w, wl->pod_sets, wl->npod_sets);
    mem_free(wl->pod_sets);
    mem_free(wl->invalid);
    wl->pod_sets = r->pod_sets;
    wl->slots = r->slots;
    wl->tried = r->tried;
    wl->npod_sets = f->npod_sets;
    wl->nslots = r->nslots;
    wl->invalid = r->invalid;
    wl->ns = r->ns;
    wl->queue = r->queue;
    wl->priority_class = r->priority_class;
    wl->admission = r->marks.reserved ? r->admission : 0;
    wl->priority = f->priority;
    wl->boost = r->boost;
    wl->generation = f->generation;
    wl->created = f->created;
    wl->marks = r->marks;
    memcpy(wl->class, r->class, sizeof wl->class);
    wl->wants_topology = wl->wants_devices = false;
    for (uint32_t i = 0; i < wl->npod_sets; i++) {
        wl->wants_topology |= wl->pod_sets[i].shape->wants_topology;
        wl->wants_devices |= wl->pod_sets[i].shape->wants_devices;
        shape_reserve(wl->pod_sets[i].shape, w->nflavors);
    }
}

/* After marks, admission and slots are new: where does it belong now? `was` is the bucket it was lifted from, `held` whether it was
 * accounted (it is taken out already). */
static int settle_workload(struct world *w, struct wl *wl, enum bucket was, bool held, bool was_gone,
                           bool changed, when_ns now)
{
    const struct marks *m = &wl->marks;
    if (is_gone(m)) {
        queueing_delete(w, wl);
        /* 4.9: deactivated, it keeps the record as long as its reservation */
        if (m->finished || !m->reserved)
            fairness_drop(w, wl);
        if (!was_gone)
            queueing_notify(w, wl);
        return 0;
    }
    if (m->reserved) {
        queueing_delete(w, wl);
        uint32_t cq = idmap_get(&w->cq_of, wl->admission);
        if (cq != NONE && w->cqs[cq]->exists)
            return accounts_add(w, wl, cq);
        w->strays = true;
        return 0;
    }
    if (m->on_hold) {
        queueing_delete(w, wl);
        return 0;
    }
    bool later = m->requeue_at != WHEN_NONE && m->requeue_at > now; /* its backoff timer brings it back */
    if (!held || !later)
        queueing_enqueue(w, wl, was, changed, now);
    if (held)
        queueing_notify(w, wl);
    return 0;
}

/* Takes it out of bucket and account, so that its keys and slots may change. */
static enum bucket lift(struct world *w, struct wl *wl, bool *ret_held)
{
    enum bucket was = wl->bucket;
    if (was != BUCKET_NONE)
        pending_lift(&w->cqs[wl->pending_cq]->pending, wl);
    *ret_held = wl->cq != NONE;
    accounts_remove(w, wl);
    return was;
}

/* An admitted Workload whose reclaimable pods or priority changed frees or moves something (4.7 event 5). */
static bool frees_something(const struct wl *wl, const struct fact_workload *f, const struct reading *r)
{
    bool priority =
        wl->priority != f->priority || wl->boost != r->boost || wl->priority_class != r->priority_class;
    bool reclaim = false;
    for (uint32_t i = 0; i < wl->npod_sets && i < f->npod_sets; i++)
        reclaim |= wl->pod_sets[i].reclaimable != r->pod_sets[i].reclaimable;
    return wl->cq != NONE && r->marks.reserved && (priority || (reclaim && r->marks.admitted));
}

/* Room in the ClusterQueue where it will hold quota, made while failing is still harmless. */
static int room_to_hold(const struct world *w, const struct reading *r)
{
    uint32_t cq = r->marks.reserved ? idmap_get(&w->cq_of, r->admission) : NONE;
    return cq == NONE || !w->cqs[cq]->exists ? 0 : accounts_reserve(w->cqs[cq], 1);
}

/* What is under way against a holder; it outlasts updates of the object in which nothing of it shows yet (7.7). */
struct pursuit {
    bool expected;
    uint32_t reclaimed_by;
};

/* Taken before the holder is lifted: when it goes on holding, it gives nothing back, and no loan ends. */
static struct pursuit take_pursuit(struct wl *wl, const struct marks *m)
{
    if (wl->cq == NONE || !m->reserved || is_gone(m))
        return (struct pursuit){false, 0};
    struct pursuit p = {wl->expected && !m->evicted, wl->reclaimed_by};
    wl->reclaimed_by = 0;
    return p;
}

static void resume_pursuit(struct wl *wl, struct pursuit p)
{
    wl->expected = wl->cq != NONE && p.expected;
    wl->reclaimed_by = wl->cq != NONE ? p.reclaimed_by : 0;
}

int world_put_workload(struct world *w, const struct fact_workload *f, when_ns now, struct wl **ret_w,
                       struct err *err)
{
    struct reading r;
    struct wl *known = world_find_workload(w, f->ns, f->name);
    /* With another uid it was deleted and made anew under the same name. */
    struct wl *wl = known && strcmp(known->uid, f->uid) == 0 ? known : NULL;
    if (ret_w)
        *ret_w = NULL;
    int rc = read_fact(w, f, &r, err);
    if (rc)
        return err_set(err, rc, "out of memory for Workload %s/%s", f->ns, f->name);
    bool fresh = !wl;
    if (room_to_hold(w, &r) || (fresh && !(wl = new_workload(w, f)))) {
        drop_shapes(w, r.pod_sets, f->npod_sets);
        mem_free(r.pod_sets);
        mem_free(r.invalid);
        return err_set(err, ERR_NOMEM, "out of memory for Workload %s/%s", f->ns, f->name);
    }
    if (known && fresh)
        world_del_workload(w, known, now);
    bool changed = fresh || has_changed(wl, f, &r), was_gone = fresh || is_gone(&wl->marks);
    bool notify = !fresh && frees_something(wl, f, &r), held, admitted = wl->marks.admitted;
    struct pursuit pursuit = take_pursuit(wl, &r.marks);
    enum bucket was = lift(w, wl, &held);
    take_reading(w, wl, f, &r);
    rc = settle_workload(w, wl, was, held, was_gone, changed, now);
    resume_pursuit(wl, pursuit);
    if (!rc && !fresh && wl->marks.admitted &&
        !admitted) /* 4.9: being seen for the first time is no transition */
        fairness_admitted(w, wl, now);
    if (notify)
        queueing_notify(w, wl);
    if (ret_w)
        *ret_w = wl;
    return rc;
}

/* Slots speak of the pending Workload from here on. */
static void forget_reservation(struct wl *wl)
{
    wl->admission = 0;
    wl->scan.present = false;
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        wl->pod_sets[i].nslots = 0;
}

void world_put_marks(struct world *w, struct wl *wl, const struct marks *marks, when_ns now)
{
    bool held = wl->cq != NONE, was_gone = is_gone(&wl->marks), admitted = wl->marks.admitted;
    bool changed = wl->marks.evicted_digest != marks->evicted_digest ||
                   wl->marks.requeued_digest != marks->requeued_digest ||
                   wl->marks.closed_gate != marks->closed_gate;
    if (held && marks->reserved && !is_gone(marks)) {
        w->nnot_ready += wl->marks.pods_ready - marks->pods_ready;
        wl->marks = *marks;
        if (marks->evicted)
            wl->expected = false;
        w->cqs[wl->cq]->generation++; /* an update of a cached Workload (3.1) */
    } else {
        enum bucket was = lift(w, wl, &held);
        wl->marks = *marks;
        if (wl->admission && (marks->finished || !marks->reserved))
            forget_reservation(wl);
        (void)settle_workload(w, wl, was, held, was_gone, changed, now);
    }
    if (marks->admitted && !admitted)
        fairness_admitted(w, wl, now);
}

void world_del_workload(struct world *w, struct wl *wl, when_ns now)
{
    (void)now;
    bool held;
    (void)lift(w, wl, &held);
    queueing_delete(w, wl);
    fairness_drop(w, wl);
    queueing_notify(w, wl);
    workload_discard(w, wl);
}

void world_forget_admission(struct world *w, struct wl *wl, when_ns now)
{
    struct cluster_queue *cq = world_queue_of(w, wl);
    bool held;
    fairness_drop(w, wl);
    (void)lift(w, wl, &held);
    forget_reservation(wl);
    wl->marks.reserved = wl->marks.admitted = false;
    if (!cq) {
        queueing_delete(w, wl);
        w->strays = true;
    } else if (queueing_admissible(w, wl)) {
        struct requeue r = {.reason = REQUEUE_FAILED_AFTER_NOMINATION};
        wl->pending_cq = idmap_get(&w->cq_of, cq->name);
        wl->in_items = true;
        queueing_refresh(w, cq, wl);
        (void)pending_requeue(&cq->pending, wl, r, now);
    }
}

void world_forget_preemption(struct wl *wl)
{
    wl->expected = false;
}
