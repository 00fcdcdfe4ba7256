/* What always holds, whatever goes wrong. */
#include "simulated/life_priv.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_S =
        420, /* so long may a job run without quota while things go wrong: a watch that is dead, a controller that is away */
    CALM_GRACE_S = 60,  /* and so long once all is well */
    SETTLE_S = 240,     /* until what went wrong before the calm is noticed */
    START_GRACE_S = 60, /* a start may be that far behind the admission that it follows */
    RENEW_DEADLINE_S = 10,
    MOST_IDS = 1 << 16,
};

/* Of a Job: what its Workload is allowed. */
struct permit {
    bool admitted;         /* a Workload of it is */
    bool idle;             /* it does not run */
    int64_t admitted_at;   /* mono: was last; INT64_MIN = never */
    int64_t without_since; /* mono: runs without; -1 = does not */
};

struct laws {
    struct sink sink;
    struct life *l;
    uint64_t ids; /* decisions so far */
    uint8_t what[MOST_IDS];
    int64_t safe_at[MOST_IDS]; /* mono: when the ledger has it */
    bool ended[MOST_IDS];
    uint64_t decided[SINK_WHATS], outcome[SINK_WHATS][SINK_OUTCOMES], unknown[SINK_WHATS];
    uint64_t shown, overtaken; /* admissions in the API objects; those that are evicted in the same write */
    int64_t last_write;        /* mono: of anything but the Lease and events */
    char last_write_path[160];
};

/* ---- what is known of a Workload --------------------------------------------------------------------------------------- */

static const char *owner_uid(const struct val *wl)
{
    const struct val *owners = val_path(wl, "metadata.ownerReferences");
    return owners && owners->n ? val_text(owners->m[0].v, "uid", "") : "";
}

/* Of a Workload: what was found out about it, so that not all of them are read again and again. */
struct claim {
    const char *uid, *owner; /* its own and its job's */
    bool accounted;
    bool victim; /* its eviction was decided */
};

static struct claim *claim_of(struct laws *w, const struct version *v)
{
    struct claim *c = v->entry->law;
    const char *uid = val_text(v->object, "metadata.uid", "");
    if (c && strcmp(c->uid, uid) == 0)
        return c;
    c = v->entry->law = val_alloc(&w->l->store->a, sizeof(*c));
    *c = (struct claim){.uid = uid, .owner = owner_uid(v->object)};
    return c;
}

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

static void turn_later(void *arg)
{
    (void)arg; /* the loop turns after each event */
}

static uint64_t decide(struct sink *s, const struct sink_decision *d)
{
    struct laws *w = (struct laws *)s;
    uint64_t id = ++w->ids;
    if (id >= MOST_IDS) {
        life_broken(w->l, "decides without end");
        w->ids = id = 1;
    }
    int64_t wait = life_below(w->l, 3) ? 0 : life_between(w->l, 0, 400 * NS_PER_MS);
    w->what[id] = (uint8_t)d->what;
    w->ended[id] = false;
    w->safe_at[id] = w->l->clock.mono + wait;
    w->decided[d->what]++;
    struct entry *e = store_find(w->l->store, resource_of_kind("Workload"), d->ns, d->name);
    if (e && d->what == SINK_EVICT)
        claim_of(w, e->newest)->victim = true;
    vclock_after(&w->l->clock, wait, turn_later, NULL);
    life_say(w->l, "decision %llu: %s %s/%s: %s", (unsigned long long)id, sink_what_name(d->what), d->ns,
             d->name, d->reason ? d->reason : "");
    return id;
}

static bool committed(struct sink *s, uint64_t id)
{
    struct laws *w = (struct laws *)s;
    if (id == 0 || id > w->ids) {
        life_broken(w->l, "asks for a decision that was never made");
        return true;
    }
    return w->l->clock.mono >= w->safe_at[id];
}

static void ended(struct sink *s, uint64_t id, enum sink_outcome o)
{
    struct laws *w = (struct laws *)s;
    if (w->l->ending)
        return;
    if (id == 0 || id > w->ids || w->ended[id]) {
        life_broken(w->l, "decision %llu ends (%s) and was not open", (unsigned long long)id,
                    sink_outcome_name(o));
        return;
    }
    w->ended[id] = true;
    w->outcome[w->what[id]][o]++;
    life_say(w->l, "decision %llu: %s", (unsigned long long)id, sink_outcome_name(o));
}

struct sink *laws_sink(struct laws *w)
{
    return &w->sink;
}

void laws_crashed(struct laws *w)
{
    for (uint64_t id = 1; id <= w->ids; id++)
        if (!w->ended[id]) {
            w->ended[id] = true;
            w->unknown[w->what[id]]++;
        }
}

static bool job_finished(const struct val *job)
{
    return life_condition(job, "Complete") || life_condition(job, "Failed");
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

/* Engine.md 3.6. */
static bool is_accounted(const struct val *wl)
{
    const struct val *active = val_path(wl, "spec.active");
    return life_condition(wl, "QuotaReserved") && !life_condition(wl, "Finished") &&
           !(active && !val_true(wl, "spec.active"));
}

static void check_single(struct laws *w, const struct version *v)
{
    const struct claim *mine = claim_of(w, v);
    for (struct entry *e = *mine->owner ? store_first(w->l->store, v->entry->resource) : NULL; e;
         e = store_next(e)) {
        const struct claim *c = e->law;
        if (c && c != mine && c->accounted && strcmp(c->owner, mine->owner) == 0)
            life_broken(w->l, "one job, two Workloads with quota: %s and %s", v->entry->key, e->key);
    }
}

static struct permit *permit_of(struct laws *w, struct entry *job)
{
    struct permit *p = job->law;
    if (!p) {
        p = job->law = val_alloc(&w->l->store->a, sizeof(*p));
        *p = (struct permit){.idle = true, .admitted_at = INT64_MIN, .without_since = -1};
    }
    return p;
}

/* The Job that a Workload says it is of; NULL when it is none or gone. */
static struct entry *job_of(struct laws *w, const struct version *v)
{
    const struct val *owners = val_path(v->object, "metadata.ownerReferences");
    const struct val *o = owners && owners->n ? owners->m[0].v : NULL;
    struct entry *e =
        o ? store_find(w->l->store, resource_of_kind("Job"), v->entry->ns, val_text(o, "name", "")) : NULL;
    return e && strcmp(val_text(e->newest->object, "metadata.uid", ""), val_text(o, "uid", "")) == 0 ? e
                                                                                                     : NULL;
}

/* Victims count as gone for whoever comes after them in the same cycle (5.5): what is evicted, or is about to be, may be given to others
 * before it has gone. Nothing else may. */
static void charge_victims(struct laws *w, int sign)
{
    for (struct entry *e = store_first(w->l->store, resource_of_kind("Workload")); e; e = store_next(e)) {
        const struct claim *c = e->newest->deleted ? NULL : claim_of(w, e->newest);
        if (c && c->accounted && (c->victim || life_condition(e->newest->object, "Evicted")))
            quota_charge(w->l->quota, e->newest->object, sign);
    }
}

static void on_reserved(struct laws *w, const struct version *v)
{
    struct str why;
    str_init(&why, 0);
    bool ours = strcmp(w->l->store->actor, "controller") == 0;
    if (ours && !quota_fits(w->l->quota, v->object, &why)) {
        str_clear(&why);
        charge_victims(w, -1);
        if (!quota_fits(w->l->quota, v->object, &why))
            life_broken(w->l, "%s is admitted: %s", v->entry->key, str_text(&why));
        charge_victims(w, 1);
    }
    str_free(&why);
    check_single(w, v);
}

static void update_permit(struct laws *w, struct permit *p)
{
    int64_t now = w->l->clock.mono;
    if (p->idle || p->admitted)
        p->without_since = -1;
    else if (p->without_since < 0)
        p->without_since = now;
}

static void follow_permit(struct laws *w, const struct version *v)
{
    struct entry *job = job_of(w, v);
    if (!job)
        return;
    struct permit *p = permit_of(w, job);
    p->admitted = !v->deleted && life_condition(v->object, "Admitted") && is_accounted(v->object);
    if (p->admitted || (v->older && life_condition(v->older->object, "Admitted")))
        p->admitted_at = w->l->clock.mono;
    update_permit(w, p);
}

static void count_commits(struct laws *w, const struct val *old, const struct val *now)
{
    struct life *l = w->l;
    if (!life_condition(old, "QuotaReserved") && life_condition(now, "QuotaReserved")) {
        w->shown++;
        w->overtaken += life_condition(now, "Evicted");
        l->r->admissions++;
    }
    l->r->evictions += !life_condition(old, "Evicted") && life_condition(now, "Evicted");
}

static void on_workload(struct laws *w, const struct version *v)
{
    struct life *l = w->l;
    const struct val *old = v->older && !v->older->deleted ? v->older->object : NULL;
    struct claim *claim = claim_of(w, v);
    bool was = claim->accounted, is = !v->deleted && is_accounted(v->object);
    claim->accounted = is;
    claim->victim = claim->victim && is;
    l->r->workloads += !old;
    if (was)
        quota_charge(l->quota, old, -1);
    if (is)
        quota_charge(l->quota, v->object, 1);
    if (is != was)
        life_say(l, "%s %s quota in %s", v->entry->key, is ? "takes" : "gives back",
                 val_text(is ? v->object : old, "status.admission.clusterQueue", "?"));
    if (is && !was)
        on_reserved(w, v);
    if (strcmp(l->store->actor, "controller") == 0)
        count_commits(w, old, v->object);
    l->r->finished += !life_condition(old, "Finished") && life_condition(v->object, "Finished");
    if (old && life_condition(old, "Finished") && !life_condition(v->object, "Finished"))
        life_broken(l, "%s was finished and is not any more", v->entry->key);
    const struct val *finished = val_find(val_path(v->object, "status.conditions"), "type", "Finished");
    const char *reason = val_text(finished, "reason", "");
    if (strcmp(reason, "FailedToStart") == 0 || strcmp(reason, "OutOfSync") == 0)
        life_broken(l, "%s is finished: %s: %s", v->entry->key, reason, val_text(finished, "message", ""));
    follow_permit(w, v);
}

/* ---- Jobs --------------------------------------------------------------------------------------------------------------- */

static void on_job(struct laws *w, const struct version *v)
{
    struct life *l = w->l;
    const struct val *old = v->older && !v->older->deleted ? v->older->object : NULL;
    if (!old)
        v->entry->law = NULL; /* another of the same name */
    struct permit *p = permit_of(w, v->entry);
    p->idle = v->deleted || val_true(v->object, "spec.suspend") || job_finished(v->object);
    bool started = old && val_true(old, "spec.suspend") && !val_true(v->object, "spec.suspend");
    if (started && strcmp(l->store->actor, "controller") == 0 &&
        (p->admitted_at == INT64_MIN ||
         (!p->admitted && p->admitted_at < l->clock.mono - START_GRACE_S * NS_PER_S)))
        life_broken(l, "%s is started and has no admitted Workload", v->entry->key);
    update_permit(w, p);
}

void laws_sweep(struct life *l)
{
    int64_t now = l->clock.mono;
    bool settled = now > l->calm_at + SETTLE_S * NS_PER_S;
    int64_t grace = (settled ? CALM_GRACE_S : GRACE_S) * NS_PER_S;
    for (struct entry *e = store_first(l->store, resource_of_kind("Job")); e; e = store_next(e)) {
        const struct permit *p = e->law;
        if (p && !e->newest->deleted && p->without_since >= 0 && now - p->without_since > grace &&
            !val_path(e->newest->object, "metadata.deletionTimestamp"))
            life_broken(l, "%s runs for %lld s without an admitted Workload", e->key,
                        (long long)((now - p->without_since) / NS_PER_S));
    }
}

/* ---- requests ----------------------------------------------------------------------------------------------------------- */

static void follow_lease(struct life *l, const struct simserver_request *r, const struct answer *a)
{
    const char *holder = val_text(r->body, "spec.holderIdentity", "");
    if (a->code == 200 || a->code == 201)
        l->renew_started = strcmp(holder, l->identity) == 0 ? r->started : -1;
}

/* kubernetes.md 3.13 (a). */
static void check_fence(struct life *l, const struct simserver_request *r)
{
    if (l->renew_started >= 0 && r->started - l->renew_started <= RENEW_DEADLINE_S * NS_PER_S)
        return;
    life_broken(l, "writes %s and does not lead: renewed %lld ms before", r->route->path,
                l->renew_started < 0 ? -1 : (long long)((r->started - l->renew_started) / NS_PER_MS));
}

static bool is_mistake(const struct answer *a)
{
    return a->code == 400 || a->code == 405 || a->code == 413 || a->code == 415 || a->code == 422 ||
           a->code == 403;
}

void laws_request(void *arg, const struct simserver_request *r, const struct answer *a)
{
    struct life *l = arg;
    struct laws *w = l->laws;
    const char *kind = r->route->resource ? r->route->resource->kind : "";
    if (l->o->verbose && r->verb != KUBE_GET && strcmp(kind, "Lease") != 0) {
        struct str s;
        str_init(&s, 0);
        if (r->body)
            val_print(r->body, &s);
        life_say(l, "%d %s -> %d%s %s", (int)r->verb, r->route->path, a->code,
                 r->changed ? "" : " (nothing changed)", str_text(&s));
        str_free(&s);
    }
    if (is_mistake(a))
        life_broken(l, "a bad request: %s: %.*s", r->route->path, (int)a->len, a->body ? a->body : "");
    if (r->verb == KUBE_GET || !r->route->resource)
        return;
    if (strcmp(kind, "Lease") == 0) {
        follow_lease(l, r, a);
        return;
    }
    check_fence(l, r);
    l->r->writes++;
    l->r->idle_writes += a->code == 200 && !r->changed;
    if (strcmp(kind, "Event") != 0) {
        w->last_write = l->clock.mono;
        snprintf(w->last_write_path, sizeof(w->last_write_path), "%s", r->route->path);
    }
}

static void on_change(void *arg, const struct version *v)
{
    struct laws *w = arg;
    const char *kind = v->entry->resource->kind;
    if (strcmp(kind, "Workload") == 0)
        on_workload(w, v);
    else if (strcmp(kind, "Job") == 0)
        on_job(w, v);
    else if (strcmp(kind, "ClusterQueue") == 0 || strcmp(kind, "Cohort") == 0)
        quota_configured(w->l->quota, v);
}

struct laws *laws_new(struct life *l)
{
    struct laws *w = mem_zalloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->l = l;
    w->sink = (struct sink){.decide = decide, .committed = committed, .outcome = ended};
    store_hook(l->store, on_change, w);
    return w;
}

void laws_free(struct laws *w)
{
    mem_free(w);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------ */

static bool is_given_up(const struct val *wl)
{
    return val_path(wl, "spec.active") && !val_true(wl, "spec.active");
}

static bool job_given_up(struct life *l, const struct entry *job)
{
    const char *uid = val_text(job->newest->object, "metadata.uid", "");
    for (struct entry *e = store_first(l->store, resource_of_kind("Workload")); e; e = store_next(e))
        if (!e->newest->deleted && is_given_up(e->newest->object) &&
            strcmp(owner_uid(e->newest->object), uid) == 0)
            return true;
    return false;
}

static bool not_over(struct str *why, const struct entry *e)
{
    if (why) {
        const struct val *status = val_get(e->newest->object, "status");
        str_addf(why, "%s %s is not over: ", e->resource->kind, e->key);
        if (status)
            val_print(status, why);
    }
    return false;
}

bool laws_over(struct life *l, struct str *why)
{
    for (struct entry *e = store_first(l->store, resource_of_kind("Job")); e; e = store_next(e)) {
        const struct val *o = e->newest->object;
        if (!e->newest->deleted && !job_finished(o) && !job_given_up(l, e))
            return not_over(why, e);
    }
    for (struct entry *e = store_first(l->store, resource_of_kind("Workload")); e; e = store_next(e)) {
        const struct val *o = e->newest->object;
        if (!e->newest->deleted && !life_condition(o, "Finished") && !is_given_up(o))
            return not_over(why, e);
    }
    return true;
}

static void check_usage(struct life *l, const struct entry *e, const char *field)
{
    const struct val *flavors = val_path(e->newest->object, field);
    for (uint32_t i = 0; flavors && i < flavors->n; i++) {
        const struct val *list = val_get(flavors->m[i].v, "resources");
        for (uint32_t k = 0; list && k < list->n; k++)
            if (strcmp(val_text(list->m[k].v, "total", "0"), "0") != 0)
                life_broken(l, "%s %s: %s of a queue in which nothing runs: %s of %s", e->resource->kind,
                            e->key, field, val_text(list->m[k].v, "total", "?"),
                            val_text(list->m[k].v, "name", "?"));
    }
}

static void check_queue(struct life *l, const struct entry *e)
{
    static const char *const zero[] = {"status.pendingWorkloads", "status.reservingWorkloads",
                                       "status.admittedWorkloads"};
    const struct val *o = e->newest->object;
    for (int i = 0; i < 3; i++)
        if (val_number(o, zero[i], 0) != 0)
            life_broken(l, "%s %s: %s is %lld, and all is over", e->resource->kind, e->key, zero[i],
                        (long long)val_number(o, zero[i], 0));
    if (!life_condition(o, "Active"))
        life_broken(l, "%s %s is not active at the end", e->resource->kind, e->key);
    check_usage(l, e, "status.flavorsReservation");
    check_usage(l, e, "status.flavorsUsage");
}

/* An admission that its eviction overtook before it was written may count or not. */
static void check_decisions(struct laws *w)
{
    const uint64_t *o = w->outcome[SINK_ADMIT];
    uint64_t maybe = o[SINK_LOST] + w->unknown[SINK_ADMIT], published = o[SINK_PUBLISHED];
    if (published > w->shown || w->shown - w->overtaken > published + maybe)
        life_broken(w->l,
                    "the API shows %llu admissions (%llu evicted at once), the sink %llu and %llu that "
                    "nobody knows of",
                    (unsigned long long)w->shown, (unsigned long long)w->overtaken,
                    (unsigned long long)published, (unsigned long long)maybe);
    for (uint64_t id = 1; id <= w->ids; id++)
        if (!w->ended[id]) {
            life_broken(w->l, "decision %llu (%s) has no end", (unsigned long long)id,
                        sink_what_name((enum sink_what)w->what[id]));
            return;
        }
}

void laws_end(struct life *l)
{
    static const char *const kinds[] = {"ClusterQueue", "LocalQueue"};
    for (int k = 0; k < 2; k++)
        for (struct entry *e = store_first(l->store, resource_of_kind(kinds[k])); e; e = store_next(e))
            if (!e->newest->deleted)
                check_queue(l, e);
    check_decisions(l->laws);
    if (l->clock.mono - l->laws->last_write < 30 * NS_PER_S)
        life_broken(l, "all is over, and it still writes: %s", l->laws->last_write_path);
    for (struct entry *e = store_first(l->store, resource_of_kind("Workload")); e; e = store_next(e)) {
        bool created = !e->newest->deleted;
        l->r->given_up += created && is_given_up(e->newest->object);
    }
}
