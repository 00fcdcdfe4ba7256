#include "core/assign.h"

#include "core/world_priv.h"

#include <string.h>

/* A pod set on its way through the flavors, or a group of pod sets that get the same ones (6.2). */
struct walk {
    const struct assign_ctx *ctx;
    struct assignment *out;
    struct pod_set_choice *ps;  /* of a group: its requests added up */
    const struct pod_set *spec; /* the first of the group */
    uint32_t *members;          /* indexes of its pod sets in the Workload */
    uint32_t nmembers;
};

int32_t pod_set_count(const struct world *w, const struct pod_set *ps)
{
    if (!gate_on(&w->gates, GATE_RECLAIMABLE_PODS))
        return ps->count;
    return ps->count - (ps->reclaimable < ps->count ? ps->reclaimable : ps->count);
}

/* ---- reasons and attempts ------------------------------------------------------------------------------------------------- */

static void *grow(struct arena *a, void *old, uint32_t *cap, uint32_t n, size_t size)
{
    if (n < *cap)
        return old;
    uint32_t want = *cap ? 2 * *cap : 8;
    void *p = arena_need(a, want * size);
    if (n)
        memcpy(p, old, n * size);
    *cap = want;
    return p;
}

static void add_reason(struct walk *k, struct reason r)
{
    struct pod_set_choice *ps = k->ps;
    ps->reasons = grow(k->ctx->a, ps->reasons, &ps->cap_reasons, ps->nreasons, sizeof *ps->reasons);
    ps->reasons[ps->nreasons++] = r;
}

static struct attempt *add_attempt(struct walk *k, uint32_t group, uint32_t flavor)
{
    struct pod_set_choice *ps = k->ps;
    ps->attempts = grow(k->ctx->a, ps->attempts, &ps->cap_attempts, ps->nattempts, sizeof *ps->attempts);
    struct attempt *t = &ps->attempts[ps->nattempts++];
    *t =
        (struct attempt){.group = group, .flavor = flavor, .mode = MODE_NO_FIT, .first_reason = ps->nreasons};
    return t;
}

static void drop_reasons(struct pod_set_choice *ps, uint32_t from)
{
    for (uint32_t i = from; i < ps->nreasons; i++)
        ps->reasons[i].dropped = true;
}

static uint32_t severity(enum wait_reason r)
{
    switch (r) {
    case WAIT_NO_MATCHING_FLAVOR:
        return 4;
    case WAIT_EXCEEDS_MAX_QUOTA:
        return 3;
    case WAIT_FOR_QUOTA:
        return 2;
    case WAIT_TOPOLOGY_PLACEMENT:
        return 1;
    default:
        return 0;
    }
}

static enum wait_reason more_severe(enum wait_reason a, enum wait_reason b)
{
    return severity(b) > severity(a) ? b : a;
}

/* ---- which flavor is better (6.3) ------------------------------------------------------------------------------------------- */

bool assign_preferred(struct granular a, struct granular b, enum fungibility_preference p)
{
    if (a.pm == PM_NO_FIT)
        return false;
    if (b.pm == PM_NO_FIT)
        return true;
    if ((a.pm == PM_NO_VICTIMS) != (b.pm == PM_NO_VICTIMS))
        return b.pm == PM_NO_VICTIMS;
    if (p == PREFER_PREEMPTION)
        return a.level != b.level ? a.level < b.level : a.pm > b.pm;
    return a.pm != b.pm ? a.pm > b.pm : a.level < b.level;
}

static bool keep_scanning(const struct cluster_queue *cq, struct granular m)
{
    if (m.pm == PM_NO_FIT || m.pm == PM_NO_VICTIMS)
        return true;
    if ((m.pm == PM_PREEMPT || m.pm == PM_RECLAIM) && cq->when_can_preempt == FUNGIBILITY_TRY_NEXT)
        return true;
    return m.level != 0 && cq->when_can_borrow == FUNGIBILITY_TRY_NEXT;
}

static enum mode mode_of(enum preempt_mode pm)
{
    switch (pm) {
    case PM_NO_FIT:
        return MODE_NO_FIT;
    case PM_FIT:
        return MODE_FIT;
    default:
        return MODE_PREEMPT;
    }
}

/* ---- does the flavor match (6.4) ---------------------------------------------------------------------------------------------- */

static bool only_tas_flavors(const struct world *w, const struct cluster_queue *cq)
{
    bool any = false;
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t f = 0; f < cq->quotas.groups[g].nflavors; f++) {
            const struct flavor *fl = world_flavor(w, cq->quotas.groups[g].flavors[f]);
            if (!fl || !fl->fact.topology[0])
                return false;
            any = true;
        }
    return any;
}

static bool topology_mismatch(const struct walk *k, const struct shape *shape, const struct flavor *f,
                              enum reason_kind *ret)
{
    if (!gate_on(&k->ctx->w->gates, GATE_TAS))
        return false;
    bool wants = shape->wants_topology, has = f->fact.topology[0] != '\0';
    if (!wants && !has)
        return false;
    if (!has)
        *ret = REASON_NO_TAS;
    else if (!wants && !only_tas_flavors(k->ctx->w, k->ctx->cq))
        *ret = REASON_TAS_ONLY;
    else
        *ret = REASON_TAS_UNKNOWN;
    return true;
}

/* True if it matches the shape; else the reason is added. */
static bool flavor_matches_shape(struct walk *k, const struct flavor *f, struct shape *shape)
{
    struct reason r = {.flavor = f->name};
    if (topology_mismatch(k, shape, f, &r.kind)) {
        add_reason(k, r);
        return false;
    }
    r.match = shape_match(shape, f);
    switch ((enum match_kind)r.match.kind) {
    case MATCH_OK:
        return true;
    case MATCH_TAINT:
        r.kind = REASON_TAINT;
        break;
    case MATCH_AFFINITY:
        r.kind = REASON_AFFINITY;
        break;
    case MATCH_ERROR:
        r.kind = REASON_SELECTOR;
        k->ps->error = true;
        break;
    }
    add_reason(k, r);
    return false;
}

/* The same for all pod sets of the group; the first that it does not match gives the reason. */
static bool flavor_matches(struct walk *k, uint32_t name)
{
    const struct flavor *f = world_flavor(k->ctx->w, name);
    if (!f) {
        add_reason(k, (struct reason){.kind = REASON_FLAVOR_UNKNOWN, .flavor = name});
        return false;
    }
    for (uint32_t m = 0; m < k->nmembers; m++)
        if (!flavor_matches_shape(k, f, k->ctx->wl->pod_sets[k->members[m]].shape))
            return false;
    return true;
}

static bool is_member(const struct walk *k, uint32_t pod_set)
{
    for (uint32_t m = 0; m < k->nmembers; m++)
        if (k->members[m] == pod_set)
            return true;
    return false;
}

/* Was the flavor nominated for this resource by no pod set of the group (6.5 "nomination mapping")? */
static bool is_pinned_out(const struct walk *k, uint32_t flavor, uint32_t res)
{
    const struct assignment *pin = k->ctx->pinned;
    if (!pin)
        return false;
    for (uint32_t i = 0; i < pin->npod_sets; i++) {
        const struct pod_set_choice *ps = &pin->pod_sets[i];
        if (!is_member(k, ps->pod_set))
            continue;
        for (uint32_t c = 0; c < ps->nchoices; c++)
            if (ps->choices[c].res == res && ps->choices[c].flavor == flavor)
                return false;
    }
    return true;
}

/* ---- does the quota suffice (6.5) ------------------------------------------------------------------------------------------------ */

static int64_t used_so_far(const struct assignment *a, uint32_t fr)
{
    for (uint32_t i = 0; i < a->nuses; i++)
        if (a->uses[i].fr == fr)
            return a->uses[i].amount;
    return 0;
}

struct quota_answer {
    struct granular g;
    enum possibility possibility;
    enum wait_reason wait;
};

static bool can_preempt_while_borrowing(const struct world *w, const struct cluster_queue *cq)
{
    const struct fact_preemption *p = &cq->preemption;
    if (p->borrow_within_cohort && p->borrow_policy != POLICY_NEVER)
        return true;
    return w->fair_sharing && p->reclaim_within_cohort != POLICY_NEVER;
}

static enum preempt_mode mode_of_possibility(enum possibility p)
{
    switch (p) {
    case POSSIBILITY_PREEMPT:
        return PM_PREEMPT;
    case POSSIBILITY_RECLAIM:
        return PM_RECLAIM;
    default:
        return PM_NO_VICTIMS;
    }
}

static struct quota_answer quota_mode(struct walk *k, const struct choice *c, uint32_t flavor, uint32_t fr,
                                      uint32_t col)
{
    const struct assign_ctx *ctx = k->ctx;
    const struct tree *t = ctx->cq->tree;
    uint32_t node = ctx->cq->node;
    const struct cell *cell = tree_cell(t, node, col);
    amount before = used_so_far(k->out, fr), val = amount_add(before, c->amount);
    struct reason r = {.res = c->res, .flavor = flavor};
    if (val > cell->potential) {
        r.kind = REASON_MAX_CAPACITY;
        r.a = before;
        r.b = c->amount;
        r.c = cell->potential;
        add_reason(k, r);
        return (struct quota_answer){{PM_NO_FIT, 0}, POSSIBILITY_NONE, WAIT_EXCEEDS_MAX_QUOTA};
    }
    struct tree_level lv = tree_borrow_level(t, node, col, val);
    amount fit = tree_fit(t, node, col);
    if (val <= fit)
        return (struct quota_answer){{PM_FIT, lv.level}, POSSIBILITY_NONE, WAIT_NONE};
    r.kind = REASON_INSUFFICIENT;
    r.a = amount_sub(val, fit);
    add_reason(k, r);
    if (cell->nominal >= val || lv.may_reclaim || can_preempt_while_borrowing(ctx->w, ctx->cq)) {
        struct oracle_answer o = ctx->oracle(ctx, fr, col, val);
        return (struct quota_answer){{mode_of_possibility(o.possibility), o.level}, o.possibility, WAIT_NONE};
    }
    return (struct quota_answer){{PM_NO_FIT, lv.level}, POSSIBILITY_NONE, WAIT_FOR_QUOTA};
}

/* ---- one resource group (6.3 pickFlavor) --------------------------------------------------------------------------------------------- */

static const struct group *group_of(const struct cluster_queue *cq, uint32_t res, uint32_t *ret_index,
                                    uint32_t *ret_pos)
{
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t i = 0; i < cq->quotas.groups[g].nres; i++)
            if (cq->quotas.groups[g].res[i] == res) {
                *ret_index = g;
                *ret_pos = i;
                return &cq->quotas.groups[g];
            }
    return NULL;
}

static uint32_t pos_in_group(const struct group *g, uint32_t res)
{
    for (uint32_t i = 0; i < g->nres; i++)
        if (g->res[i] == res)
            return i;
    return NONE;
}

/* Where the scan of the last cycle ended for this resource, plus one (6.6). */
static uint32_t resume_index(const struct walk *k, uint32_t res)
{
    const struct wl *wl = k->ctx->wl;
    if (!wl->scan.present || !gate_on(&k->ctx->w->gates, GATE_FLAVOR_FUNGIBILITY))
        return 0;
    for (uint32_t i = 0; i < k->spec->nslots; i++)
        if (wl->slots[k->spec->first + i].res == res)
            return (uint32_t)(wl->tried[k->spec->first + i] + 1);
    return 0;
}

/* The best flavor found: its index in the group and, for each choice of the pod set, mode and level. */
struct best {
    uint32_t flavor;
    struct granular mode;
    struct granular *each; /* by choice; pm PM_NO_FIT = not recorded */
};

/* Tries one flavor for all resources of the group that the pod set asks for. */
static struct granular try_flavor(struct walk *k, const struct group *g, uint32_t gi, uint32_t f,
                                  struct granular *each)
{
    struct granular mode = {PM_FIT, 0};
    struct attempt *t = add_attempt(k, gi, g->flavors[f]);
    uint32_t ti = k->ps->nattempts - 1, first = t->first_reason;
    enum possibility least = POSSIBILITY_NONE;
    enum wait_reason wait = WAIT_NONE;
    for (uint32_t c = 0; c < k->ps->nchoices; c++) {
        each[c].pm = PM_NO_FIT;
        uint32_t pos = pos_in_group(g, k->ps->choices[c].res);
        if (pos == NONE)
            continue;
        uint64_t at = (uint64_t)f * g->nres + pos;
        struct quota_answer q = quota_mode(k, &k->ps->choices[c], g->flavors[f], g->fr[at], g->col[at]);
        if (q.possibility != POSSIBILITY_NONE && (least == POSSIBILITY_NONE || q.possibility < least))
            least = q.possibility;
        wait = more_severe(wait, q.wait);
        if (assign_preferred(mode, q.g, k->ctx->cq->preference))
            mode = q.g;
        if (mode.pm != PM_NO_FIT)
            each[c] = q.g;
    }
    t = &k->ps->attempts[ti];
    t->mode = mode_of(mode.pm);
    t->level = mode.level;
    t->possibility = least;
    t->wait = mode.pm == PM_NO_FIT ? wait : WAIT_NONE;
    t->nreasons = k->ps->nreasons - first;
    return mode;
}

static void take_best(struct walk *k, const struct group *g, const struct best *b, int32_t tried)
{
    for (uint32_t c = 0; c < k->ps->nchoices; c++) {
        struct choice *ch = &k->ps->choices[c];
        uint32_t pos = pos_in_group(g, ch->res);
        if (pos == NONE || b->each[c].pm == PM_NO_FIT)
            continue;
        uint64_t at = (uint64_t)b->flavor * g->nres + pos;
        ch->flavor = g->flavors[b->flavor];
        ch->fr = g->fr[at];
        ch->col = g->col[at];
        ch->pmode = b->each[c].pm;
        ch->mode = mode_of(b->each[c].pm);
        ch->level = b->each[c].level;
        ch->tried = tried;
    }
}

static void note_mismatch(struct walk *k, uint32_t gi, uint32_t flavor, uint32_t first)
{
    struct attempt *t = add_attempt(k, gi, flavor);
    t->first_reason = first;
    t->nreasons = k->ps->nreasons - first;
    t->wait = WAIT_NO_MATCHING_FLAVOR;
}

/* 6.3: decides the flavor of a resource group, starting from resource `res`. False if the pod set fails here. */
static bool pick_flavor(struct walk *k, const struct group *g, uint32_t gi, uint32_t res)
{
    bool fungible = gate_on(&k->ctx->w->gates, GATE_FLAVOR_FUNGIBILITY);
    struct granular *try = ARENA_NEW(k->ctx->a, struct granular, k->ps->nchoices);
    struct best best = {
        NONE, {PM_NO_FIT, UINT32_MAX}, ARENA_NEW(k->ctx->a, struct granular, k->ps->nchoices)};
    uint32_t first_reason = k->ps->nreasons, attempted = NONE;
    uint32_t start = resume_index(k, res);
    for (uint32_t f = start < g->nflavors ? start : 0; f < g->nflavors; f++) {
        attempted = f;
        uint32_t first = k->ps->nreasons;
        if (is_pinned_out(k, g->flavors[f], res)) {
            add_reason(k, (struct reason){.kind = REASON_PINNED, .flavor = g->flavors[f], .res = res});
            continue;
        }
        if (!flavor_matches(k, g->flavors[f])) {
            if (k->ps->error)
                return false;
            note_mismatch(k, gi, g->flavors[f], first);
            continue;
        }
        struct granular m = try_flavor(k, g, gi, f, try);
        bool stop = fungible ? !keep_scanning(k->ctx->cq, m) : m.pm == PM_FIT;
        bool better = fungible ? assign_preferred(m, best.mode, k->ctx->cq->preference) : m.pm > best.mode.pm;
        if (stop || better) {
            struct granular *swap = best.each;
            best = (struct best){f, m, try};
            try = swap;
        }
        if (stop)
            break;
    }
    if (best.flavor == NONE)
        return false;
    take_best(k, g, &best, !fungible || attempted == g->nflavors - 1 ? -1 : (int32_t)attempted);
    if (best.mode.pm == PM_FIT)
        drop_reasons(k->ps, first_reason);
    return true;
}

/* ---- one pod set, or one group (6.2) ------------------------------------------------------------------------------------------------------------------ */

static int64_t scaled(const struct pod_set *ps, int64_t per_pod, int32_t full, int32_t count)
{
    int64_t total = i64_mul(per_pod, full);
    if (count == full || full == 0 || ps->shape->wants_topology)
        return total;
    return i64_mul(total / full, count);
}

static bool covers(const struct cluster_queue *cq, uint32_t res)
{
    uint32_t g, pos;
    return group_of(cq, res, &g, &pos) != NULL;
}

/* What the pod set asks for, in the order of 6.2; the implicit `pods` in its place. */
static void list_requests(struct walk *k, int32_t full)
{
    const struct shape *s = k->spec->shape;
    struct names *names = k->ctx->w->names;
    struct pod_set_choice *ps = k->ps;
    uint32_t pods = k->ctx->w->pods;
    bool add_pods = covers(k->ctx->cq, pods);
    ps->choices = ARENA_NEW(k->ctx->a, struct choice, s->nreq + 1);
    for (uint32_t i = 0; i < s->nreq; i++) {
        if (s->req[i].res == pods && add_pods)
            continue;
        if (add_pods && requests_order("pods", names_text(names, s->req[i].res)) < 0) {
            ps->choices[ps->nchoices++] = (struct choice){.res = pods, .amount = ps->count};
            add_pods = false;
        }
        ps->choices[ps->nchoices++] = (struct choice){
            .res = s->req[i].res, .amount = scaled(k->spec, s->req[i].amount, full, ps->count)};
    }
    if (add_pods)
        ps->choices[ps->nchoices++] = (struct choice){.res = pods, .amount = ps->count};
    for (uint32_t c = 0; c < ps->nchoices; c++) {
        ps->choices[c].flavor = ps->choices[c].fr = ps->choices[c].col = NONE;
        ps->choices[c].tried = -1;
    }
}

static bool fail_pod_set(struct walk *k, uint32_t keep_from)
{
    for (uint32_t i = 0; i < keep_from; i++)
        k->ps->reasons[i].dropped = true;
    for (uint32_t c = 0; c < k->ps->nchoices; c++)
        k->ps->choices[c].flavor = k->ps->choices[c].fr = k->ps->choices[c].col = NONE;
    return false;
}

/* Finds flavors for all resources; false if the pod set fails. */
static bool choose_flavors(struct walk *k)
{
    struct pod_set_choice *ps = k->ps;
    for (uint32_t c = 0; c < ps->nchoices; c++) {
        uint32_t gi, pos, res = ps->choices[c].res, first = ps->nreasons;
        const struct group *g = group_of(k->ctx->cq, res, &gi, &pos);
        if (!g) {
            if (ps->choices[c].amount == 0 || k->ctx->w->ignore_undeclared)
                continue;
            add_reason(k, (struct reason){.kind = REASON_RESOURCE_UNAVAILABLE, .res = res});
            return fail_pod_set(k, first);
        }
        if (ps->choices[c].flavor != NONE)
            continue;
        if (!pick_flavor(k, g, gi, res))
            return fail_pod_set(k, first);
    }
    return true;
}

static void add_use(struct assignment *out, const struct choice *c)
{
    for (uint32_t i = 0; i < out->nuses; i++)
        if (out->uses[i].fr == c->fr) {
            out->uses[i].amount = amount_add(out->uses[i].amount, c->amount);
            return;
        }
    out->uses[out->nuses++] = (struct use){c->fr, c->col, c->amount};
}

static enum mode pod_set_mode(const struct pod_set_choice *ps)
{
    if (ps->error)
        return MODE_NO_FIT;
    bool reasons = false, flavors = false;
    for (uint32_t i = 0; i < ps->nreasons; i++)
        reasons |= !ps->reasons[i].dropped;
    if (!reasons)
        return MODE_FIT;
    enum mode m = MODE_FIT;
    for (uint32_t c = 0; c < ps->nchoices; c++)
        if (ps->choices[c].flavor != NONE) {
            flavors = true;
            if (ps->choices[c].mode < m)
                m = ps->choices[c].mode;
        }
    return flavors ? m : MODE_NO_FIT;
}

static void open_member(struct walk *k, struct pod_set_choice *ps, uint32_t i, const int32_t *counts)
{
    k->spec = &k->ctx->wl->pod_sets[i];
    k->ps = ps;
    int32_t full = pod_set_count(k->ctx->w, k->spec);
    *ps = (struct pod_set_choice){.pod_set = i, .count = counts && full ? counts[i] : full};
    list_requests(k, full);
}

/* Adds the requests of one pod set to those of its group, in the order of 6.2. */
static void add_requests(const struct walk *k, struct pod_set_choice *all, const struct pod_set_choice *ps)
{
    const struct names *names = k->ctx->w->names;
    for (uint32_t c = 0; c < ps->nchoices; c++) {
        uint32_t at = 0;
        while (at < all->nchoices && all->choices[at].res != ps->choices[c].res &&
               requests_order(names_text(names, all->choices[at].res),
                              names_text(names, ps->choices[c].res)) < 0)
            at++;
        if (at < all->nchoices && all->choices[at].res == ps->choices[c].res) {
            all->choices[at].amount = i64_add(all->choices[at].amount, ps->choices[c].amount);
            continue;
        }
        memmove(&all->choices[at + 1], &all->choices[at], (all->nchoices - at) * sizeof *all->choices);
        all->choices[at] = ps->choices[c];
        all->nchoices++;
    }
}

/* The pod set takes the flavors of its group for what it asks for; reasons and attempts are the group's. */
static void take_from_group(struct pod_set_choice *ps, const struct pod_set_choice *all)
{
    for (uint32_t c = 0; c < ps->nchoices; c++)
        for (uint32_t i = 0; i < all->nchoices; i++)
            if (all->choices[i].res == ps->choices[c].res) {
                int64_t own = ps->choices[c].amount;
                ps->choices[c] = all->choices[i];
                ps->choices[c].amount = own;
            }
    ps->reasons = all->reasons;
    ps->nreasons = all->nreasons;
    ps->attempts = all->attempts;
    ps->nattempts = all->nattempts;
    ps->error = all->error;
}

/* Adds the pod set to the assignment; false if it asks for something and got nothing. */
static bool close_member(struct walk *k, const struct pod_set_choice *ps)
{
    struct assignment *out = k->out;
    bool some = false;
    for (uint32_t c = 0; c < ps->nchoices; c++) {
        const struct choice *ch = &ps->choices[c];
        if (ch->flavor == NONE)
            continue;
        some = true;
        if (ch->level > out->borrowing)
            out->borrowing = ch->level;
        add_use(out, ch);
    }
    out->npod_sets++;
    enum mode m = pod_set_mode(ps);
    if (m < out->mode)
        out->mode = m;
    return some || ps->nchoices == 0;
}

/* The pod sets of the group that begins with this one; none if an earlier one is of the group. */
static void list_members(struct walk *k, uint32_t first)
{
    const struct wl *wl = k->ctx->wl;
    uint32_t group = wl->pod_sets[first].topology_group;
    k->nmembers = 0;
    for (uint32_t i = 0; group && i < first; i++)
        if (wl->pod_sets[i].topology_group == group)
            return;
    for (uint32_t i = first; i < wl->npod_sets; i++)
        if (i == first || (group && wl->pod_sets[i].topology_group == group))
            k->members[k->nmembers++] = i;
}

static bool assign_group(struct walk *k, const int32_t *counts)
{
    struct pod_set_choice *member = &k->out->pod_sets[k->out->npod_sets], all = {0};
    uint32_t nchoices = 0;
    for (uint32_t m = 0; m < k->nmembers; m++) {
        open_member(k, &member[m], k->members[m], counts);
        nchoices += member[m].nchoices;
    }
    if (k->nmembers > 1) {
        all.choices = ARENA_NEW(k->ctx->a, struct choice, nchoices);
        for (uint32_t m = 0; m < k->nmembers; m++)
            add_requests(k, &all, &member[m]);
        k->ps = &all;
    }
    k->spec = &k->ctx->wl->pod_sets[k->members[0]];
    bool ok = choose_flavors(k);
    for (uint32_t m = 0; m < k->nmembers; m++) {
        if (k->nmembers > 1)
            take_from_group(&member[m], &all);
        ok &= close_member(k, &member[m]);
    }
    return ok;
}

struct assignment *assign(const struct assign_ctx *ctx, const int32_t *counts)
{
    const struct wl *wl = ctx->wl;
    struct assignment *out = ARENA_NEW(ctx->a, struct assignment, 1);
    uint32_t most = 0;
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        most += wl->pod_sets[i].shape->nreq + 1;
    out->pod_sets = ARENA_NEW(ctx->a, struct pod_set_choice, wl->npod_sets);
    out->uses = ARENA_NEW(ctx->a, struct use, most);
    out->mode = wl->npod_sets ? MODE_FIT : MODE_NO_FIT;
    out->has_scan = true;
    struct walk k = {.ctx = ctx, .out = out, .members = ARENA_NEW(ctx->a, uint32_t, wl->npod_sets)};
    for (uint32_t i = 0; i < wl->npod_sets; i++) {
        list_members(&k, i);
        if (k.nmembers && !assign_group(&k, counts))
            break;
    }
    return out;
}

/* ---- what follows from an assignment -------------------------------------------------------------------------------------------------------- */

static enum wait_reason pod_set_no_fit_reason(const struct pod_set_choice *ps)
{
    if (!ps->nattempts)
        return WAIT_NO_MATCHING_FLAVOR;
    enum wait_reason worst = WAIT_NONE;
    for (uint32_t i = 0; i < ps->nattempts; i++) {
        uint32_t group = ps->attempts[i].group;
        bool first = true, any = false;
        enum wait_reason least = WAIT_NONE;
        for (uint32_t j = 0; j < ps->nattempts; j++) {
            const struct attempt *t = &ps->attempts[j];
            if (t->group != group)
                continue;
            if (j < i)
                first = false;
            if (t->mode != MODE_NO_FIT)
                continue;
            if (!any || severity(t->wait) < severity(least))
                least = t->wait;
            any = true;
        }
        if (first && any)
            worst = more_severe(worst, least);
    }
    return worst;
}

enum wait_reason assign_no_fit_reason(const struct assignment *a)
{
    enum wait_reason worst = WAIT_NONE;
    for (uint32_t i = 0; i < a->npod_sets; i++)
        if (pod_set_mode(&a->pod_sets[i]) == MODE_NO_FIT)
            worst = more_severe(worst, pod_set_no_fit_reason(&a->pod_sets[i]));
    return worst;
}

void assign_keep_scan(const struct assign_ctx *ctx, const struct assignment *a)
{
    struct wl *wl = ctx->wl;
    wl->scan.present = a != NULL;
    if (!a)
        return;
    wl->scan.generation = ctx->cq->generation;
    wl->scan.cycle = ctx->w->cycle_number;
    memcpy(wl->scan.class, wl->class, sizeof wl->class);
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        wl->pod_sets[i].nslots = 0;
    for (uint32_t i = 0; i < a->npod_sets; i++) {
        const struct pod_set_choice *c = &a->pod_sets[i];
        struct pod_set *ps = &wl->pod_sets[c->pod_set];
        for (uint32_t j = 0; j < c->nchoices && j < ps->cap; j++) {
            wl->slots[ps->first + j] = (struct slot){c->choices[j].res, NONE, c->choices[j].amount};
            wl->tried[ps->first + j] = (int16_t)(c->choices[j].flavor == NONE ? -1 : c->choices[j].tried);
            ps->nslots = j + 1;
        }
    }
}
