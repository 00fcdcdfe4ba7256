#include "vec_records.h"

#include "core/reason.h"

#include <string.h>

bool vec_records_open(struct vec_records *r, struct vec *v, struct world *w, const struct doc_node *list,
                      when_ns now)
{
    uint32_t n = list ? list->n : 0;
    *r = (struct vec_records){v, w, now, vec_alloc(v, n * sizeof(*r->list)), 0};
    doc_foreach (node, list) {
        struct vec_record *rec = &r->list[r->n];
        struct err err;
        if (!vec_object(v, node, &rec->o))
            return false;
        r->n++;
        if (!vec_status(v, &rec->o.workload, &rec->status))
            return false;
        if (world_put_workload(w, &rec->o.workload, now, &rec->wl, &err)) {
            vec_broken(v, rec->o.name, &err);
            return false;
        }
    }
    return true;
}

void vec_records_free(struct vec_records *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        status_free(&r->list[i].status);
    r->n = 0;
}

struct vec_record *vec_record_of(struct vec_records *r, const struct wl *wl)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->list[i].wl == wl)
            return &r->list[i];
    return NULL;
}

struct vec_record *vec_record_named(struct vec_records *r, const struct doc_node *object)
{
    const struct doc_node *meta = doc_field(object, "metadata");
    const char *ns = doc_str_or(meta, "namespace", ""), *name = doc_str_or(meta, "name", "");
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->list[i].o.ns, ns) == 0 && strcmp(r->list[i].o.name, name) == 0)
            return &r->list[i];
    return NULL;
}

bool vec_record_preempt(struct vec_records *r, const struct wl *preemptor, uint32_t preemptor_cq,
                        const struct target *t)
{
    struct vec_record *rec = vec_record_of(r, t->w);
    if (!rec) {
        vec_fail(r->v, "target", "a Workload of the case", t->w->key);
        return false;
    }
    if (rec->status.cond[COND_EVICTED].status == STATUS_TRUE)
        return true;
    struct str message;
    str_init(&message, 0);
    reason_preemption(&message, r->w, preemptor, preemptor_cq, t);
    int rc = status_preempt(&rec->status, preempt_reason_text(t->reason), str_text(&message), r->now,
                            rec->o.workload.generation);
    str_free(&message);
    if (rc)
        vec_broken(r->v, "an eviction", NULL);
    return rc == 0;
}

static void check_evictions(struct vec *v, const char *field, const struct doc_node *want,
                            const struct status *s)
{
    struct str text;
    str_init(&text, 0);
    str_addc(&text, '[');
    for (uint32_t i = 0; i < s->nevictions; i++) {
        str_add(&text, i ? ",{\"reason\":" : "{\"reason\":");
        str_add_json(&text, s->evictions[i].reason);
        str_add(&text, ",\"underlyingCause\":");
        str_add_json(&text, s->evictions[i].cause);
        str_addf(&text, ",\"count\":%d}", s->evictions[i].count);
    }
    str_addc(&text, ']');
    vec_check_json(v, field, want, &text, &(struct vec_compare){.sets = true});
    str_free(&text);
}

void vec_records_check(struct vec_records *r, const char *field, const struct doc_node *want)
{
    vec_check(r->v, field, (want ? want->n : 0) == r->n, vec_printf(r->v, "%u Workloads", want ? want->n : 0),
              vec_printf(r->v, "%u", r->n));
    doc_foreach (n, want) {
        struct vec_record *rec = vec_record_named(r, n);
        const struct doc_node *status = doc_field(n, "status");
        if (!rec) {
            vec_fail(r->v, field, vec_text(r->v, doc_field(n, "metadata")), "no such Workload");
            continue;
        }
        vec_check_conditions(r->v, vec_printf(r->v, "%s: %s/%s: conditions", field, rec->o.ns, rec->o.name),
                             doc_field(status, "conditions"), &rec->status);
        check_evictions(r->v, vec_printf(r->v, "%s: %s/%s: evictions", field, rec->o.ns, rec->o.name),
                        doc_path(status, "schedulingStats.evictions"), &rec->status);
    }
}
