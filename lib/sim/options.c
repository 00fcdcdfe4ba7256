#include "sim/options_priv.h"

#include <string.h>

struct change search_change(enum change_kind kind, const struct object *o)
{
    return (struct change){.kind = kind,
                           .object = o->kind,
                           .ns = o->ns,
                           .name = o->name,
                           .part = "",
                           .item = "",
                           .resource = "",
                           .from_text = "",
                           .to_text = ""};
}

const struct object *search_object(const struct search *s, enum api_kind kind, const char *ns,
                                   const char *name)
{
    const struct api_set *set = what_if_objects(s->w);

    for (uint32_t i = api_set_count(set); i-- > 0;) {
        const struct object *o = api_set_at(set, i);
        if (o->kind == kind && !strcmp(o->name, name) && !strcmp(o->ns, ns))
            return o;
    }
    return NULL;
}

/* ---- runs --------------------------------------------------------------------------------------------------------------- */

bool search_run(struct search *s, const struct change *changes, uint32_t n, struct what_if_result *ret)
{
    struct change all[OPTIONS_DIALS_MAX + 4];

    *ret = (struct what_if_result){0};
    if (s->rc)
        return false;
    memcpy(all, s->prefix, s->nprefix * sizeof(*all));
    if (n)
        memcpy(all + s->nprefix, changes, n * sizeof(*all));
    s->rc = what_if_run(s->w, all, s->nprefix + n, ret, s->err);
    return !s->rc && ret->starts;
}

static const char *const *keys_of(struct search *s, const uint32_t *list, uint32_t n)
{
    const char **keys = ARENA_NEW(s->a, const char *, n + 1);

    for (uint32_t i = 0; i < n; i++)
        keys[i] = sim_at(what_if_base(s->w), list[i])->key;
    return keys;
}

static struct option *new_option(struct search *s)
{
    struct options *o = s->out;

    if (o->n == o->cap) {
        uint32_t cap = o->cap ? 2 * o->cap : 16;
        struct option *list = ARENA_NEW(s->a, struct option, cap);
        if (o->n)
            memcpy(list, o->list, o->n * sizeof(*list));
        o->list = list;
        o->cap = cap;
    }
    return &o->list[o->n++];
}

void search_keep(struct search *s, const struct change *changes, uint32_t n)
{
    struct what_if_result r;

    if (!search_run(s, changes, n, &r))
        return;
    struct change *all = ARENA_NEW(s->a, struct change, s->nprefix + n + 1);
    memcpy(all, s->prefix, s->nprefix * sizeof(*all));
    if (n)
        memcpy(all + s->nprefix, changes, n * sizeof(*all));
    *new_option(s) = (struct option){.changes = all,
                                     .nchanges = s->nprefix + n,
                                     .lost = keys_of(s, r.lost, r.nlost),
                                     .nlost = r.nlost,
                                     .gained = keys_of(s, r.gained, r.ngained),
                                     .ngained = r.ngained};
}

/* ---- dials -------------------------------------------------------------------------------------------------------------- */

/* Those that are turned at all. */
static uint32_t turned(const struct dial *dials, uint32_t n, struct change *ret)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < n; i++)
        if (dials[i].c.to != dials[i].c.from)
            ret[k++] = dials[i].c;
    return k;
}

static bool starts(struct search *s, const struct dial *dials, uint32_t n)
{
    struct change changes[OPTIONS_DIALS_MAX];
    struct what_if_result r;

    return search_run(s, changes, turned(dials, n, changes), &r);
}

/* Between a position that does and one that does not, the last that does. When runs come to their end (one is left for the proof), the
 * best one seen. */
static void bisect(struct search *s, struct dial *dials, uint32_t n, struct dial *d)
{
    int64_t good = d->c.to, bad = d->c.from;

    while (!s->rc && what_if_left(s->w) > 1) {
        int64_t steps = (good - bad) / d->unit;
        if (steps >= -1 && steps <= 1)
            break;
        d->c.to = bad + steps / 2 * d->unit;
        if (starts(s, dials, n))
            good = d->c.to;
        else
            bad = d->c.to;
    }
    d->c.to = good;
}

/* Turns one back as far as the others allow; false if it stays. */
static bool turn_back(struct search *s, struct dial *dials, uint32_t n, struct dial *d)
{
    int64_t was = d->c.to;

    if (n > 1) { /* alone and left out is the world as it is */
        d->c.to = d->c.from;
        if (starts(s, dials, n))
            return true;
        d->c.to = was;
    }
    bisect(s, dials, n, d);
    return d->c.to != was;
}

/* Is there still a step in it? */
static bool has_step(struct search *s, struct dial *dials, uint32_t n, struct dial *d)
{
    int64_t was = d->c.to, step = was > d->c.from ? -d->unit : d->unit;

    d->c.to = i64_sub(was, d->c.from) / d->unit == (step < 0 ? 1 : -1) ? d->c.from : was + step;
    bool ok = starts(s, dials, n);
    d->c.to = was;
    return ok;
}

enum { PASSES_MAX = 6 };

bool search_dials(struct search *s, struct dial *dials, uint32_t n)
{
    struct change changes[OPTIONS_DIALS_MAX];
    bool moved = true;

    n = n > OPTIONS_DIALS_MAX ? OPTIONS_DIALS_MAX : n;
    for (uint32_t i = 0; i < n; i++)
        dials[i].c.to = dials[i].easy;
    if (!n || !starts(s, dials, n))
        return false;
    for (int pass = 0; pass < PASSES_MAX && moved && (!pass || n > 1); pass++) {
        moved = false;
        for (uint32_t i = 0; i < n && what_if_left(s->w) > 3; i++) {
            struct dial *d = &dials[i];
            if (d->c.to != d->c.from && (!pass || has_step(s, dials, n, d)))
                moved |= turn_back(s, dials, n, d);
        }
    }
    search_keep(s, changes, turned(dials, n, changes));
    return true;
}

void search_each(struct search *s, struct dial *dials, uint32_t n)
{
    bool any = false;

    for (uint32_t i = 0; i < n; i++)
        any |= search_dials(s, &dials[i], 1);
    if (!any && n > 1)
        (void)search_dials(s, dials, n);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static void add_prefix(struct search *s, const struct object *o, enum change_kind kind, const char *from,
                       const char *to)
{
    struct change c = search_change(kind, o);

    c.to = 1;
    c.from_text = from;
    c.to_text = to;
    s->prefix[s->nprefix++] = c;
}

static const char *stop_name(enum stop_policy p)
{
    return p == STOP_HOLD ? "Hold" : "HoldAndDrain";
}

/* What stands in the way before any quota is looked at. */
static void find_prefix(struct search *s)
{
    if (!s->object->workload.active)
        add_prefix(s, s->object, CHANGE_ACTIVE, "false", "true");
    if (s->lq && s->lq->local_queue.stop != STOP_NONE)
        add_prefix(s, s->lq, CHANGE_RESUME, stop_name(s->lq->local_queue.stop), "None");
    if (s->cq && s->cq->cluster_queue.stop != STOP_NONE)
        add_prefix(s, s->cq, CHANGE_RESUME, stop_name(s->cq->cluster_queue.stop), "None");
}

int options_find(struct what_if *w, struct arena *a, struct options *ret, struct err *err)
{
    const struct sim_wl *t = what_if_target(w);
    struct search s = {.w = w, .a = a, .out = ret, .err = err, .target = t};

    *ret = (struct options){0};
    s.object = search_object(&s, API_WORKLOAD, t->fact->ns, t->fact->name);
    if (!s.object || sim_end(what_if_base(w)) != SIM_QUIESCENT)
        return 0;
    s.lq = search_object(&s, API_LOCAL_QUEUE, t->fact->ns, t->fact->queue);
    s.cq = s.lq ? search_object(&s, API_CLUSTER_QUEUE, "", s.lq->local_queue.cluster_queue) : NULL;
    find_prefix(&s);
    if (s.nprefix)
        search_keep(&s, NULL, 0);
    if (ret->n && s.prefix[s.nprefix - 1].kind == CHANGE_RESUME) {
        options_other_queue(&s, false);
    } else if (!ret->n) {
        options_workload(&s);
        options_queues(&s);
    }
    ret->exhausted = s.rc == ERR_LIMIT;
    return ret->exhausted ? 0 : s.rc;
}
