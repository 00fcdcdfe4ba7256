#include "core/assign.h"

#include "core/assign_priv.h"

#include <string.h>

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

void walk_reason(struct walk *k, struct reason r)
{
    struct pod_set_choice *ps = k->ps;
    ps->reasons = grow(k->ctx->a, ps->reasons, &ps->cap_reasons, ps->nreasons, sizeof *ps->reasons);
    ps->reasons[ps->nreasons++] = r;
}

struct attempt *walk_attempt(struct walk *k, uint32_t group, uint32_t flavor)
{
    struct pod_set_choice *ps = k->ps;
    ps->attempts = grow(k->ctx->a, ps->attempts, &ps->cap_attempts, ps->nattempts, sizeof *ps->attempts);
    struct attempt *t = &ps->attempts[ps->nattempts++];
    *t =
        (struct attempt){.group = group, .flavor = flavor, .mode = MODE_NO_FIT, .first_reason = ps->nreasons};
    return t;
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

enum wait_reason reason_more_severe(enum wait_reason a, enum wait_reason b)
{
    return severity(b) > severity(a) ? b : a;
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
    uint32_t g;
    return pick_group(cq, res, &g) != NULL;
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
        uint32_t gi, res = ps->choices[c].res, first = ps->nreasons;
        const struct group *g = pick_group(k->ctx->cq, res, &gi);
        if (!g) {
            if (ps->choices[c].amount == 0 || k->ctx->w->ignore_undeclared) /* 2.7 */
                continue;
            walk_reason(k, (struct reason){.kind = REASON_RESOURCE_UNAVAILABLE, .res = res});
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
            worst = reason_more_severe(worst, least);
    }
    return worst;
}

enum wait_reason assign_no_fit_reason(const struct assignment *a)
{
    enum wait_reason worst = WAIT_NONE;
    for (uint32_t i = 0; i < a->npod_sets; i++)
        if (pod_set_mode(&a->pod_sets[i]) == MODE_NO_FIT)
            worst = reason_more_severe(worst, pod_set_no_fit_reason(&a->pod_sets[i]));
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
