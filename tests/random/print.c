#include "core/cycle.h"
#include "core/reason.h"
#include "core/world_priv.h"
#include "random/life_priv.h"

static void print_assignment(struct str *out, const struct world *w, const struct decision *d)
{
    for (uint32_t i = 0; i < d->a->npod_sets; i++) {
        const struct pod_set_choice *c = &d->a->pod_sets[i];
        str_addf(out, " [%d", c->count);
        for (uint32_t k = 0; k < c->nchoices; k++)
            str_addf(out, " %s=%s", names_text(w->names, c->choices[k].res),
                     c->choices[k].flavor == NONE ? "-" : names_text(w->names, c->choices[k].flavor));
        str_addc(out, ']');
    }
}

void life_print(const struct world *w, const struct cycle *c, struct str *out)
{
    str_add(out, "cycle\n");
    for (uint32_t i = 0; i < c->ndecisions; i++) {
        const struct decision *d = &c->decisions[i];
        str_addf(out, "  %s %s %s", d->w->key,
                 d->cq == NONE ? "-" : names_text(w->names, w->cqs[d->cq]->name), outcome_text(d->outcome));
        if (d->a)
            print_assignment(out, w, d);
        for (uint32_t k = 0; k < d->ntargets; k++)
            str_addf(out, " >%s:%s", d->targets[k].w->key, preempt_reason_text(d->targets[k].reason));
        str_addf(out, " %s/%s ", wait_reason_text(d->wait), requeue_reason_text(d->requeue));
        if (d->outcome != OUTCOME_ADMITTED)
            reason_message(out, w, d);
        str_addc(out, '\n');
    }
    for (uint32_t i = 0; i < c->nevicted; i++) {
        str_addf(out, "  evicts %s: ", c->evicted[i]->key);
        reason_preemption(out, w, c->evicted_by[i]->w, c->evicted_by[i]->cq, c->evicted_target[i]);
        str_addc(out, '\n');
    }
}
