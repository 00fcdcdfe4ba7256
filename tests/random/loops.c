#include "random/loops.h"

#include "base/str.h"
#include "random/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept {
    struct plan p;
    uint64_t seed;
    int size;
};

struct loops {
    struct kept at[LOOPS_KEPT + 1];
    int n;
};

struct loops *loops_new(void)
{
    return calloc(1, sizeof(struct loops));
}

void loops_free(struct loops *l)
{
    free(l);
}

static bool is_loop(const struct plan *p)
{
    struct life_result r;
    life_run(p, dice_of_seed(1), &(struct life_options){.only_settle = true}, &r);
    bool loop = r.ok && !r.settled;
    life_free(&r);
    return loop;
}

/* ---- smaller ------------------------------------------------------------------------------------------------------------------ */

static bool drop_workload(struct plan *p, int i)
{
    if (i >= p->nworkloads || !p->workloads[i].exists)
        return false;
    p->workloads[i].exists = false;
    return true;
}

static bool drop_pod_set(struct plan *p, int i)
{
    if (i >= p->nworkloads || !p->workloads[i].exists || p->workloads[i].npod_sets < 2)
        return false;
    p->workloads[i].npod_sets--;
    return true;
}

static bool drop_cq(struct plan *p, int i)
{
    if (i >= p->ncqs || !p->cqs[i].exists)
        return false;
    p->cqs[i].exists = false;
    for (int k = 0; k < p->nlqs; k++)
        if (p->lqs[k].cq == i)
            p->lqs[k].exists = false;
    for (int k = 0; k < p->nworkloads; k++)
        if (p->lqs[p->workloads[k].lq].cq == i)
            p->workloads[k].exists = false;
    return true;
}

static bool drop_lq(struct plan *p, int i)
{
    if (i >= p->nlqs || !p->lqs[i].exists)
        return false;
    p->lqs[i].exists = false;
    for (int k = 0; k < p->nworkloads; k++)
        if (p->workloads[k].lq == i)
            p->workloads[k].exists = false;
    return true;
}

static bool drop_cohort(struct plan *p, int i)
{
    if (i >= p->ncohorts || !p->cohorts[i].object)
        return false;
    p->cohorts[i].object = p->cohorts[i].quotas = false;
    p->cohorts[i].parent = PLAN_NO;
    p->cohorts[i].weight = 0;
    return true;
}

static bool drop_quotas(struct plan *p, int i)
{
    if (i >= p->ncohorts || !p->cohorts[i].quotas)
        return false;
    p->cohorts[i].quotas = false;
    return true;
}

/* A resource that no quota names: 0 asks nothing of it. */
static bool drop_resource(struct plan *p, int i)
{
    if (i >= p->nres || p->nres < 2)
        return false;
    int res = p->res[i], from = i;
    for (int c = 0; c < p->ncqs; c++)
        if (p->cqs[c].ngroups != 1)
            return false;
    p->nres--;
    for (; from < p->nres; from++)
        p->res[from] = p->res[from + 1];
    for (int c = 0; c < p->ncqs + p->ncohorts; c++) {
        struct plan_group *g = c < p->ncqs ? &p->cqs[c].groups[0] : &p->cohorts[c - p->ncqs].group;
        g->nres--;
        for (int r = i; r < g->nres; r++) {
            g->res[r] = g->res[r + 1];
            for (int f = 0; f < g->nflavors; f++)
                g->quotas[f][r] = g->quotas[f][r + 1];
        }
    }
    for (int k = 0; k < p->nworkloads; k++)
        for (int s = 0; s < PLAN_POD_SETS; s++) {
            p->workloads[k].pod_sets[s].req[res] = 0;
            p->workloads[k].pod_sets[s].flavor[res] = PLAN_NO;
        }
    return true;
}

static bool drop_setting(struct plan *p, int i)
{
    switch (i) {
    case 0:
        p->ngates = 0;
        return true;
    case 1:
        p->afs = false;
        return true;
    case 2:
        p->block_admission = p->by_creation = p->ignore_undeclared = false;
        return true;
    case 3:
        for (int f = 0; f < p->nflavors; f++)
            p->flavors[f].labelled = p->flavors[f].tainted = false;
        return true;
    case 4:
        for (int k = 0; k < p->nworkloads; k++)
            for (int s = 0; s < PLAN_POD_SETS; s++) {
                p->workloads[k].closed_gate = false;
                p->workloads[k].pod_sets[s].selector = PLAN_NO;
                p->workloads[k].pod_sets[s].affinity = 0;
                p->workloads[k].pod_sets[s].min_count = 0;
                p->workloads[k].pod_sets[s].tolerates = false;
            }
        return true;
    case 5:
        p->fair = false;
        return true;
    case 6:
        p->strategies = 0;
        return true;
    default:
        return false;
    }
}

static bool pass(struct plan *p, bool (*drop)(struct plan *p, int i))
{
    bool any = false;
    for (int i = 0; i < PLAN_WORKLOADS; i++) {
        struct plan q = *p;
        bool dropped = drop(&q, i);
        plan_tidy(&q);
        if (!dropped || memcmp(&q, p, sizeof q) == 0 || !is_loop(&q))
            continue;
        *p = q;
        any = true;
    }
    return any;
}

static void shrink(struct plan *p)
{
    static bool (*const drops[])(struct plan *, int) = {
        drop_setting, drop_cq, drop_workload, drop_lq, drop_pod_set, drop_cohort, drop_resource, drop_quotas};
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++)
            again |= pass(p, drops[i]);
    }
}

/* ---- the smallest ------------------------------------------------------------------------------------------------------------- */

static int count_workloads(const struct plan *p)
{
    int n = 0;
    for (int i = 0; i < p->nworkloads; i++)
        n += p->workloads[i].exists;
    return n;
}

static int count_cqs(const struct plan *p)
{
    int n = 0;
    for (int i = 0; i < p->ncqs; i++)
        n += p->cqs[i].exists;
    return n;
}

/* Two worlds of one kind teach the same: the ten are to differ. */
static bool same_kind(const struct plan *a, const struct plan *b)
{
    return a->fair == b->fair && a->strategies == b->strategies && a->nres == b->nres &&
           count_workloads(a) == count_workloads(b) && count_cqs(a) == count_cqs(b);
}

void loops_offer(struct loops *l, uint64_t seed, const struct plan *p)
{
    struct kept k = {*p, seed, 0};
    if (!is_loop(&k.p)) /* it settles with other dice: writes that failed were part of it */
        return;
    shrink(&k.p);
    k.size = plan_size(&k.p);
    int at = 0;
    for (int i = 0; i < l->n; i++)
        if (same_kind(&l->at[i].p, &k.p)) {
            if (l->at[i].size <= k.size)
                return;
            memmove(&l->at[i], &l->at[i + 1], (size_t)(l->n - i - 1) * sizeof k);
            l->n--;
        }
    while (at < l->n && l->at[at].size <= k.size)
        at++;
    memmove(&l->at[at + 1], &l->at[at], (size_t)(l->n - at) * sizeof k);
    l->at[at] = k;
    if (l->n < LOOPS_KEPT)
        l->n++;
}

/* ---- files --------------------------------------------------------------------------------------------------------------------- */

static bool write_file(const char *dir, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        return false;
    }
    bool ok = fputs(text, f) >= 0;
    return fclose(f) == 0 && ok;
}

static void describe(struct str *out, int i, const struct kept *k)
{
    static const char *const strategies[] = {"both strategies", "LessThanOrEqualToFinalShare",
                                             "LessThanInitialShare", "both strategies"};
    str_addf(out, "| loop-%02d.yaml | %llu | %s | %d | %d | %d |\n", i, (unsigned long long)k->seed,
             k->p.fair ? strategies[k->p.strategies] : "classical", count_cqs(&k->p), count_workloads(&k->p),
             k->size);
}

bool loops_write(const struct loops *l, const char *dir)
{
    struct str readme, world;
    bool ok = true;
    str_init(&readme, 0);
    str_init(&world, 0);
    str_add(&readme,
            "# Worlds that never settle\n\n"
            "Kueue's own rules go in circles in these: Workloads are admitted, evicted by one another and "
            "admitted again, for\n"
            "ever, though nothing new happens. They are the smallest of their kind among random worlds "
            "(`random-worlds --keep`),\n"
            "with everything taken out that the circle does not need. Each stops after 40 cycles when "
            "simulated.\n\n"
            "| world | seed | preemption | ClusterQueues | Workloads | size |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < l->n && ok; i++) {
        char name[32];
        snprintf(name, sizeof name, "loop-%02d.yaml", i + 1);
        str_clear(&world);
        plan_write(&l->at[i].p, 40, &world);
        describe(&readme, i + 1, &l->at[i]);
        ok = write_file(dir, name, str_text(&world));
    }
    ok = ok && write_file(dir, "README.md", str_text(&readme));
    str_free(&readme);
    str_free(&world);
    return ok;
}
