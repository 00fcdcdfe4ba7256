#include "core/admission.h"

#include "core/world_priv.h"

#include <string.h>

static bool comes_before(const struct names *names, uint32_t a, uint32_t b)
{
    return strcmp(names_text(names, a), names_text(names, b)) < 0;
}

/* The slot with the next resource name after `after` (NULL at first) that has a flavor; NULL ends. */
static const struct slot *next_slot(const struct names *names, const struct wl *wl, const struct pod_set *ps,
                                    const struct slot *after)
{
    const struct slot *best = NULL;

    for (uint32_t k = 0; k < ps->nslots; k++) {
        const struct slot *s = &wl->slots[ps->first + k];
        if (s->fr != NONE && (!after || comes_before(names, after->res, s->res)) &&
            (!best || comes_before(names, s->res, best->res)))
            best = s;
    }
    return best;
}

/* 2.2: the quantity is what its own text says. */
static struct quantity usage_of(const char *resource, amount v)
{
    char text[64];
    struct quantity q;
    size_t n =
        amount_quantity_print(v, resource_is_cpu(resource), resource_is_binary(resource), text, sizeof(text));

    return quantity_parse(text, n, &q, NULL) ? quantity_from_i64(v) : q;
}

static int read_pod_set(const struct world *w, const struct wl *wl, const struct pod_set *ps, struct arena *a,
                        struct fact_assignment *ret)
{
    const struct names *names = world_names(w);
    struct fact_flavor_ref *flavors = arena_alloc(a, (ps->nslots + 1) * sizeof(*flavors));
    struct fact_amount *usage = arena_alloc(a, (ps->nslots + 1) * sizeof(*usage));
    uint32_t n = 0;

    if (!flavors || !usage)
        return ERR_NOMEM;
    for (const struct slot *s = next_slot(names, wl, ps, NULL); s; s = next_slot(names, wl, ps, s)) {
        const char *resource = names_text(names, s->res);
        flavors[n] = (struct fact_flavor_ref){resource, world_pair(w, s->fr).flavor};
        usage[n++] = (struct fact_amount){resource, usage_of(resource, s->amount)};
    }
    *ret = (struct fact_assignment){.pod_set = names_text(names, ps->name),
                                    .flavors = flavors,
                                    .nflavors = n,
                                    .usage = usage,
                                    .nusage = n,
                                    .count = ps->assigned};
    return 0;
}

int admission_of(const struct world *w, const struct wl *wl, struct arena *a,
                 const struct fact_admission **ret)
{
    *ret = NULL;
    if (wl->cq == NONE || !wl->admission)
        return 0;
    struct fact_admission *f = arena_alloc(a, sizeof(*f));
    struct fact_assignment *pod_sets = arena_alloc(a, (wl->npod_sets + 1) * sizeof(*pod_sets));
    if (!f || !pod_sets)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        if (read_pod_set(w, wl, &wl->pod_sets[i], a, &pod_sets[i]))
            return ERR_NOMEM;
    *f = (struct fact_admission){names_text(world_names(w), wl->admission), pod_sets, wl->npod_sets};
    *ret = f;
    return 0;
}

/* ---- what a pending one asks for ------------------------------------------------------------------------------------------- */

static const struct req *next_req(const struct names *names, const struct shape *shape,
                                  const struct req *after)
{
    const struct req *best = NULL;

    for (uint32_t k = 0; k < shape->nreq; k++) {
        const struct req *r = &shape->req[k];
        if ((!after || comes_before(names, after->res, r->res)) &&
            (!best || comes_before(names, r->res, best->res)))
            best = r;
    }
    return best;
}

static int read_asked(const struct world *w, const struct pod_set *ps, struct arena *a,
                      struct fact_assignment *ret)
{
    const struct names *names = world_names(w);
    struct fact_amount *usage = arena_alloc(a, (ps->shape->nreq + 1) * sizeof(*usage));
    uint32_t n = 0;

    if (!usage)
        return ERR_NOMEM;
    for (const struct req *r = next_req(names, ps->shape, NULL); r; r = next_req(names, ps->shape, r)) {
        const char *resource = names_text(names, r->res);
        usage[n++] =
            (struct fact_amount){resource, usage_of(resource, i64_mul(r->amount, pod_set_count(w, ps)))};
    }
    *ret = (struct fact_assignment){
        .pod_set = names_text(names, ps->name), .usage = usage, .nusage = n, .count = ps->count};
    return 0;
}

int admission_asked(const struct world *w, const struct wl *wl, struct arena *a,
                    const struct fact_assignment **ret, uint32_t *ret_n)
{
    struct fact_assignment *asked = arena_alloc(a, (wl->npod_sets + 1) * sizeof(*asked));

    *ret = NULL;
    *ret_n = 0;
    if (!asked)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        if (read_asked(w, &wl->pod_sets[i], a, &asked[i]))
            return ERR_NOMEM;
    *ret = asked;
    *ret_n = wl->npod_sets;
    return 0;
}
