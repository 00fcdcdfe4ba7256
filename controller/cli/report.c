#include "cli/report_priv.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static void on_cycle(void *arg, const struct cycle *c)
{
    struct report *r = arg;

    for (uint32_t i = 0; i < c->nevicted; i++) {
        uint32_t k = r->nevictions;
        if (mem_grow((void **)&r->evictions, &r->cap_evictions, k + 1, sizeof(*r->evictions))) {
            r->failed = true;
            return;
        }
        struct report_eviction *e = &r->evictions[r->nevictions++];
        *e = (struct report_eviction){sim_of(c->evicted[i])->index, sim_of(c->evicted_by[i]->w)->index,
                                      c->evicted_target[i]->reason, NONE};
        struct report_wl *by = &r->wls[e->preemptor], *victim = &r->wls[e->victim];
        if (by->first == NONE)
            by->first = k;
        else
            r->evictions[by->last].next_of_preemptor = k;
        by->last = k;
        victim->evicted_by = k;
        victim->nevicted++;
    }
}

struct report *report_new(struct sim *s)
{
    struct report *r = mem_zalloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->sim = s;
    r->wls = mem_zalloc(sim_count(s) + 1, sizeof(*r->wls));
    if (!r->wls) {
        mem_free(r);
        return NULL;
    }
    for (uint32_t i = 0; i < sim_count(s); i++)
        r->wls[i] = (struct report_wl){NONE, NONE, NONE, 0, 0, 0};
    sim_watch(s, &(struct sim_watcher){.arg = r, .cycle = on_cycle});
    return r;
}

void report_free(struct report *r)
{
    if (!r)
        return;
    mem_free(r->wls);
    mem_free(r->evictions);
    mem_free(r->refused);
    mem_free(r);
}

/* ---- the table of Workloads --------------------------------------------------------------------------------------------- */

static void put_summary(struct str *out, const struct report *r, const uint32_t *counts)
{
    const char *comma = "";
    unsigned long long cycles = sim_cycles(r->sim);
    char at[40];

    for (int i = 0; i < REPORT_STATES; i++) {
        if (!counts[i])
            continue;
        str_addf(out, "%s%u %s", comma, counts[i], report_state_name((enum report_state)i));
        comma = ", ";
    }
    str_addf(out, "%s%llu cycle%s", *comma ? "; " : "no Workloads; ", cycles, cycles == 1 ? "" : "s");
    if (sim_time(r->sim) > 0) { /* 1970: no time was given anywhere */
        when_print(sim_time(r->sim), at, sizeof(at));
        str_addf(out, ", the last at %s", at);
    }
    str_add(out, "\n");
    if (sim_end(r->sim) == SIM_RESTLESS)
        str_add(out, "It does not come to rest: evictions go on and on at this time, with nothing new from "
                     "outside.\n");
    if (sim_end(r->sim) == SIM_STOPPED)
        str_add(out, "Stopped at the maximum of cycles; something may still move.\n");
    if (sim_end(r->sim) == SIM_TIME_OVER)
        str_add(out, "Stopped at the end of the time that was asked for; something will still move.\n");
}

static enum table_style style_of(enum report_state state)
{
    return state == REPORT_ADMITTED   ? TABLE_GOOD
           : state == REPORT_WAITING  ? TABLE_WARN
           : state == REPORT_FINISHED ? TABLE_PLAIN
                                      : TABLE_BUSY;
}

static void put_number(struct table *t, bool known, long long v)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld", v);
    table_cell(t, known ? text : "-");
}

static void put_row(struct report *r, struct table *t, const struct sim_wl *sw, bool wide,
                    struct str *details)
{
    const char *queue = report_queue_of(sim_world(r->sim), sw);
    const struct report_wl *rw = &r->wls[sw->index];
    enum report_state state = report_state_of(sw);

    str_clear(details);
    report_details(details, r, sw);
    table_cell(t, sw->key);
    table_cell(t, *queue ? queue : "-");
    if (wide) {
        table_cell(t, *sw->fact->queue ? sw->fact->queue : "-");
        put_number(t, true, sw->fact->priority);
        put_number(t, rw->in_cq > 0, rw->in_cq);
    }
    table_styled(t, style_of(state), report_state_name(state));
    table_cell(t, str_text(details));
}

void report_heads(struct table *t, const char *const *heads, const char *const *wide_heads, bool wide)
{
    for (size_t i = 0; heads[i]; i++) {
        table_styled(t, TABLE_HEAD, heads[i]);
        if (!wide || strcmp(heads[i], "CLUSTERQUEUE") != 0)
            continue;
        for (size_t k = 0; wide_heads[k]; k++)
            table_styled(t, TABLE_HEAD, wide_heads[k]);
    }
}

static void put_workloads(struct report *r, struct report_style style, struct str *out)
{
    static const char *const heads[] = {"WORKLOAD", "CLUSTERQUEUE", "STATE", "DETAILS", NULL};
    static const char *const more[] = {"LOCALQUEUE", "PRIORITY", "PLACE", NULL};
    uint32_t counts[REPORT_STATES] = {0};
    struct table t;
    struct str details;

    table_init(&t, style.wide ? 7 : 4, style.width, style.colors);
    t.right[3] = t.right[4] = style.wide;
    t.spills = true;
    str_init(&details, 0);
    report_heads(&t, heads, more, style.wide);
    for (uint32_t i = 0; i < sim_count(r->sim); i++) {
        counts[report_state_of(sim_at(r->sim, i))]++;
        put_row(r, &t, sim_at(r->sim, i), style.wide, &details);
    }
    if (sim_count(r->sim)) {
        table_print(&t, out);
        str_add(out, "\n");
    }
    put_summary(out, r, counts);
    if (str_failed(&details))
        out->failed = true;
    str_free(&details);
    table_free(&t);
}

void report_print(struct report *r, struct report_style style, struct str *out)
{
    if (r->failed || report_places(r) || report_refusals(r))
        out->failed = true;
    put_workloads(r, style, out);
    str_add(out, "\n");
    report_queues(r, style, out);
}
