/* Objects before and after, and the worlds that they make. */
#include "sim/policy_priv.h"

#include "base/mem.h"
#include "jobs/expand.h"

#include <stdlib.h>
#include <string.h>

const char *policy_area_name(enum policy_area a)
{
    static const char *const names[] = {"added", "removed", "quota", "limit", "weight", "tree", "setting"};

    return names[a];
}

const char *policy_move_name(enum policy_move_kind k)
{
    static const char *const names[] = {"evicted", "restarted", "waits", "starts", "spared", "elsewhere"};

    return names[k];
}

bool policy_pair_loses_borrowing(const struct policy_pair *p)
{
    return p->before.may_borrow > 0 && p->after.may_borrow <= 0;
}

bool policy_diff_any(const struct policy_diff *d)
{
    return d->nchanges || d->npairs || d->nmoves;
}

/* ---- the arena ---------------------------------------------------------------------------------------------------------- */

void policy_grow(struct arena *a, void *list, uint32_t n, uint32_t *cap, size_t size)
{
    void *old;

    if (n < *cap)
        return;
    *cap = *cap ? 2 * *cap : 8;
    void *to = arena_need(a, *cap * size);
    memcpy(&old, list, sizeof(old));
    if (n)
        memcpy(to, old, n * size);
    memcpy(list, &to, sizeof(to));
}

const char *policy_copy(struct arena *a, const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(ARENA_NEW(a, char, n), text, n);
}

const char *policy_take(struct arena *a, struct str *s)
{
    if (str_failed(s))
        longjmp(*a->bail, 1);
    const char *to = policy_copy(a, str_text(s));
    str_clear(s);
    return to;
}

/* ---- objects side by side ----------------------------------------------------------------------------------------------- */

int policy_compare_objects(const struct object *a, const struct object *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int c = strcmp(a->ns, b->ns);
    return c ? c : strcmp(a->name, b->name);
}

struct listed {
    const struct object *o;
    uint32_t place;
};

/* Of objects that are there twice the last one counts, of configurations the first, as in the simulation. */
static int compare_listed(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int c = policy_compare_objects(x->o, y->o);

    if (c)
        return c;
    bool later = x->place > y->place;
    return (x->o->kind == API_CONFIG) == later ? 1 : -1;
}

struct list {
    struct listed *at;
    uint32_t n;
};

/* All kinds, each object once, by kind, namespace and name. */
static struct list list_objects(struct arena *a, const struct api_set *set)
{
    struct list l = {ARENA_NEW(a, struct listed, api_set_count(set) + 1), 0};
    uint32_t n = 0;

    for (uint32_t i = 0; i < api_set_count(set); i++)
        l.at[l.n++] = (struct listed){api_set_at(set, i), i};
    if (l.n > 1)
        qsort(l.at, l.n, sizeof(*l.at), compare_listed);
    for (uint32_t i = 0; i < l.n; i++)
        if (!i || policy_compare_objects(l.at[i].o, l.at[i - 1].o) != 0)
            l.at[n++] = l.at[i];
    l.n = n;
    return l;
}

static int compare_key(const void *a, const void *b)
{
    return policy_compare_objects(((const struct listed *)a)->o, ((const struct listed *)b)->o);
}

static bool list_has(const struct list *l, const struct object *o)
{
    const struct listed key = {o, 0};

    return l->n && bsearch(&key, l->at, l->n, sizeof(*l->at), compare_key);
}

/* ---- fields side by side ------------------------------------------------------------------------------------------------ */

static void add_change(struct policy_diff *d, const struct object *o, const struct policy_field *f,
                       const char *from, const char *to)
{
    policy_grow(&d->mem, &d->changes, d->nchanges, &d->cap_changes, sizeof(*d->changes));
    d->changes[d->nchanges++] =
        (struct policy_change){f->area, o->kind, o->ns, o->name, f->path, f->flavor, f->resource, from, to};
}

/* The field of that path; `*hint` is where it is when both have the same fields in the same order. */
static const struct policy_field *field_named(const struct policy_fields *f, const char *path, uint32_t *hint)
{
    for (uint32_t k = 0; k < f->n; k++) {
        uint32_t i = (*hint + k) % f->n;
        if (!strcmp(f->list[i].path, path)) {
            *hint = i + 1;
            return &f->list[i];
        }
    }
    return NULL;
}

static void compare_fields(struct policy_diff *d, const struct object *o, const struct policy_fields *before,
                           const struct policy_fields *after)
{
    uint32_t hint = 0;

    for (uint32_t i = 0; i < before->n; i++) {
        const struct policy_field *was = &before->list[i], *is = field_named(after, was->path, &hint);
        const char *to = is ? is->value : "";
        if (strcmp(was->value, to) != 0)
            add_change(d, o, was, was->value, to);
    }
    hint = 0;
    for (uint32_t i = 0; i < after->n; i++) {
        const struct policy_field *is = &after->list[i];
        if (!field_named(before, is->path, &hint) && *is->value)
            add_change(d, o, is, "", is->value);
    }
}

/* An object that comes or goes, with what it brings or takes away. */
static void whole_object(struct policy_diff *d, struct policy_fields *f, const struct object *o, bool added)
{
    const struct policy_field whole = {"", "", "", "", added ? POLICY_ADDED : POLICY_REMOVED};

    add_change(d, o, &whole, "", "");
    policy_fields_read(f, o);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct policy_field *field = &f->list[i];
        bool told = field->area != POLICY_SETTING && *field->value;
        if (told && !(field->area == POLICY_WEIGHT && !strcmp(field->value, "1"))) /* the default */
            add_change(d, o, field, added ? "" : field->value, added ? field->value : "");
    }
}

/* `x` and `y` are scratch. */
static void compare_objects(struct policy_diff *d, const struct list *before, const struct list *after,
                            struct policy_fields *x, struct policy_fields *y)
{
    uint32_t i = 0, k = 0;

    while (i < before->n || k < after->n) {
        int c = i == before->n  ? 1
                : k == after->n ? -1
                                : policy_compare_objects(before->at[i].o, after->at[k].o);
        const struct object *o = c <= 0 ? before->at[i].o : after->at[k].o;
        if (!policy_is_kind(o->kind)) {
            /* Workloads and jobs are no policy */
        } else if (c) {
            whole_object(d, x, o, c > 0);
        } else {
            policy_fields_read(x, before->at[i].o);
            policy_fields_read(y, after->at[k].o);
            compare_fields(d, o, x, y);
        }
        i += c <= 0;
        k += c >= 0;
    }
}

/* ---- both worlds -------------------------------------------------------------------------------------------------------- */

struct sides {
    const struct api_set *before, *after, *state;
    struct list of_before, of_after;
    struct policy_world was, is;
    struct policy_fields x, y;
};

/* Namespaces are seldom written down beside queues. One that is not there is taken as there, with the label that all have: without it
 * every Workload would wait, before and after, and nothing would be compared. */
static int add_namespace(struct api_set *set, const char *ns, struct err *err)
{
    struct arena *a = api_set_arena(set);
    struct object *o = arena_alloc(a, sizeof(*o));
    struct fact_label *label = arena_alloc(a, sizeof(*label));

    if (!o || !label)
        return err_set(err, ERR_NOMEM, "out of memory for a namespace");
    *label = (struct fact_label){"kubernetes.io/metadata.name", ns};
    *o = (struct object){.kind = API_NAMESPACE, .file = "", .ns = "", .name = ns};
    o->name_space = (struct fact_namespace){ns, label, 1};
    return api_set_add(set, o, err);
}

static int add_namespaces(struct api_set *set, struct err *err)
{
    uint32_t n = api_set_count(set), known = 0;
    const char **names = mem_zalloc(n + 1, sizeof(*names));
    int rc = names ? 0 : err_set(err, ERR_NOMEM, "out of memory for namespaces");

    for (uint32_t i = 0; i < n && !rc; i++)
        if (api_set_at(set, i)->kind == API_NAMESPACE)
            names[known++] = api_set_at(set, i)->name;
    for (uint32_t i = 0; i < n && !rc; i++) {
        const struct object *o = api_set_at(set, i);
        uint32_t k = 0;
        if (o->kind != API_LOCAL_QUEUE)
            continue;
        while (k < known && strcmp(names[k], o->ns) != 0)
            k++;
        if (k < known)
            continue;
        names[known++] = o->ns;
        rc = add_namespace(set, o->ns, err);
    }
    mem_free(names);
    return rc;
}

static int join(const struct list *own, const struct list *other, const struct api_set *state,
                struct api_set **ret, struct err *err)
{
    int rc = 0;

    *ret = api_set_new(0);
    if (!*ret)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < own->n && !rc; i++)
        rc = api_set_add(*ret, own->at[i].o, err);
    for (uint32_t i = 0; state && i < api_set_count(state) && !rc; i++) {
        const struct object *o = api_set_at(state, i);
        if (!list_has(own, o) && !list_has(other, o))
            rc = api_set_add(*ret, o, err);
    }
    if (!rc)
        rc = add_namespaces(*ret, err);
    if (!rc)
        rc = job_expand(*ret, err);
    if (!rc && api_set_errors(*ret))
        rc = err_set(err, ERR_INVALID, "%s", api_set_error(*ret, 0));
    return rc;
}

int policy_join(const struct api_set *own, const struct api_set *other, const struct api_set *state,
                struct api_set **ret, struct err *err)
{
    struct arena a;
    jmp_buf bail;
    int rc;

    *ret = NULL;
    arena_init(&a, 65536);
    if (setjmp(bail)) {
        rc = err_set(err, ERR_NOMEM, "out of memory for objects");
    } else {
        a.bail = &bail;
        const struct list x = list_objects(&a, own), y = list_objects(&a, other);
        rc = join(&x, &y, state, ret, err);
    }
    arena_free(&a);
    if (rc) {
        api_set_free(*ret);
        *ret = NULL;
    }
    return rc;
}

static int make_world(const struct sides *s, bool after, struct policy_world *w, struct err *err)
{
    const struct list *own = after ? &s->of_after : &s->of_before,
                      *other = after ? &s->of_before : &s->of_after;
    int rc = join(own, other, s->state, &w->objects, err);

    if (!rc)
        rc = policy_world_load(w, err);
    return rc ? rc : policy_world_run(w, err);
}

static int find_faults(struct policy_diff *d, struct sides *s, struct err *err)
{
    struct policy_lint before = {0};
    int rc = policy_lint_find(&d->lint, &d->mem, s->is.objects, s->is.sim, s->is.released, err);

    if (!rc)
        rc = policy_lint_find(&before, &d->mem, s->was.objects, s->was.sim, s->was.released, err);
    policy_lint_mark_old(&d->lint, &before);
    return rc;
}

static int compare(struct policy_diff *d, struct sides *s, struct err *err)
{
    jmp_buf bail;

    if (setjmp(bail))
        return err_set(err, ERR_NOMEM, "out of memory for a comparison");
    d->mem.bail = &bail;
    s->of_before = list_objects(&d->mem, s->before);
    s->of_after = list_objects(&d->mem, s->after);
    compare_objects(d, &s->of_before, &s->of_after, &s->x, &s->y);
    int rc = make_world(s, false, &s->was, err);
    if (!rc)
        rc = make_world(s, true, &s->is, err);
    if (!rc) {
        d->nworkloads = sim_count(s->is.sim);
        d->rest_before = sim_end(s->was.sim) == SIM_QUIESCENT;
        d->rest_after = sim_end(s->is.sim) == SIM_QUIESCENT;
        policy_pairs(d, &s->was, &s->is);
        policy_moves(d, &s->was, &s->is);
        rc = find_faults(d, s, err);
    }
    d->mem.bail = NULL;
    return rc;
}

int policy_diff_new(const struct api_set *before, const struct api_set *after, const struct api_set *state,
                    struct policy_diff **ret, struct err *err)
{
    struct sides s = {.before = before, .after = after, .state = state};
    struct policy_diff *d = mem_zalloc(1, sizeof(*d));

    *ret = NULL;
    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    arena_init(&d->mem, 65536);
    policy_fields_init(&s.x, &d->mem);
    policy_fields_init(&s.y, &d->mem);
    int rc = compare(d, &s, err);
    policy_fields_free(&s.x);
    policy_fields_free(&s.y);
    policy_world_free(&s.was);
    policy_world_free(&s.is);
    if (rc)
        policy_diff_free(d);
    else
        *ret = d;
    return rc;
}

void policy_diff_free(struct policy_diff *d)
{
    if (!d)
        return;
    arena_free(&d->mem);
    mem_free(d);
}
