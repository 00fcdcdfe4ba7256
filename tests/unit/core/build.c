#include "build.h"

#include "core/loans.h"
#include "core/reason.h"
#include "core/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words of a line -------------------------------------------------------------------------------------------------------- */

/* Facts point into this until the next fact is built. */
static char pool[1 << 14];
static size_t used;

static void *take(size_t size)
{
    used = (used + 15) & ~(size_t)15;
    void *p = pool + used;
    used += size;
    ck_assert_uint_le(used, sizeof pool);
    memset(p, 0, size);
    return p;
}

static char *text_of(const char *s, size_t n)
{
    char *p = take(n + 1);
    memcpy(p, s, n);
    return p;
}

/* Cuts *s at the next of `sep`; the part without blanks around it, NULL at the end. */
static char *cut(const char **s, const char *sep)
{
    const char *p = *s + strspn(*s, " ");
    if (!*p)
        return NULL;
    size_t n = strcspn(p, sep);
    *s = p[n] ? p + n + 1 : p + n;
    while (n && p[n - 1] == ' ')
        n--;
    return text_of(p, n);
}

/* "k=v" becomes "k" and "v". */
static char *split(char *word, char sep)
{
    char *at = strchr(word, sep);
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

struct quantity build_qty(const char *text)
{
    struct quantity q;
    ck_assert_int_eq(quantity_parse(text, strlen(text), &q, NULL), 0);
    return q;
}

static struct fact_label *labels_of(const char *text, uint32_t *ret_n)
{
    struct fact_label *v = take(8 * sizeof *v);
    char *word;
    *ret_n = 0;
    while (text && (word = cut(&text, " "))) {
        v[*ret_n].value = split(word, '=');
        v[(*ret_n)++].key = word;
    }
    return v;
}

/* ---- configuration ------------------------------------------------------------------------------------------------------------ */

struct world *build_world(void)
{
    struct world *w = world_new();
    struct fact_namespace ns = {.name = "ns"};
    ck_assert_ptr_nonnull(w);
    ck_assert_int_eq(world_put_namespace(w, &ns, NULL), 0);
    build_flavor(w, "f", NULL, NULL);
    build_flavor(w, "g", NULL, NULL);
    return w;
}

void build_put_config(struct world *w, const char *gates, struct fact_config c)
{
    struct fact_gate v[8];
    char *word;
    used = 0;
    while ((word = cut(&gates, " "))) {
        v[c.ngates].on = !split(word, '=');
        v[c.ngates++].name = word;
    }
    c.gates = v;
    ck_assert_int_eq(world_configure(w, &c, NULL), 0);
}

static enum taint_effect effect_of(const char *text)
{
    if (!text)
        return EFFECT_ANY;
    return strcmp(text, "NoExecute") == 0    ? EFFECT_NO_EXECUTE
           : strcmp(text, "NoSchedule") == 0 ? EFFECT_NO_SCHEDULE
                                             : EFFECT_PREFER_NO_SCHEDULE;
}

void build_flavor(struct world *w, const char *name, const char *labels, const char *taints)
{
    struct fact_flavor f = {.name = name, .topology = ""};
    struct fact_taint *t = (used = 0, take(8 * sizeof *t));
    char *word;
    f.labels = labels_of(labels, &f.nlabels);
    while (taints && (word = cut(&taints, " "))) {
        t[f.ntaints].effect = effect_of(split(word, ':'));
        t[f.ntaints].value = split(word, '=');
        t[f.ntaints++].key = word;
    }
    f.taints = t;
    ck_assert_int_eq(world_put_flavor(w, &f, NULL), 0);
}

/* "4+2-1" */
static struct fact_quota quota_of(char *word)
{
    struct fact_quota q = {0};
    char *lending = split(word, '-'), *borrowing = split(word, '+');
    q.nominal = build_qty(word);
    if ((q.has_borrowing = borrowing != NULL))
        q.borrowing = build_qty(borrowing);
    if ((q.has_lending = lending != NULL))
        q.lending = build_qty(lending);
    return q;
}

static void read_group(const char *line, struct fact_resource_group *g)
{
    const char **resources = take(4 * sizeof *resources);
    struct fact_flavor_quotas *flavors = take(8 * sizeof *flavors);
    const char *names = cut(&line, ":"), *flavor;
    char *word;
    while ((word = cut(&names, ",")))
        resources[g->nresources++] = word;
    while ((flavor = cut(&line, ";"))) {
        struct fact_quota *q = take(4 * sizeof *q);
        flavors[g->nflavors].flavor = cut(&flavor, " ");
        flavors[g->nflavors++].quotas = q;
        while ((word = cut(&flavor, " ")))
            *q++ = quota_of(word);
    }
    g->resources = resources;
    g->flavors = flavors;
}

struct fact_resource_group *build_groups(const char *quotas, uint32_t *ret_n)
{
    used = 0;
    struct fact_resource_group *v = take(4 * sizeof *v);
    char *line;
    *ret_n = 0;
    while ((line = cut(&quotas, "|")))
        read_group(line, &v[(*ret_n)++]);
    return v;
}

void build_put_cohort(struct world *w, const char *quotas, struct fact_cohort f)
{
    f.groups = build_groups(quotas, &f.ngroups);
    ck_assert_int_eq(world_put_cohort(w, &f, NULL), 0);
}

void build_put_cq(struct world *w, const char *quotas, struct fact_cluster_queue f)
{
    f.groups = build_groups(quotas, &f.ngroups);
    if (f.strategy == STRATEGY_UNSET)
        f.strategy = STRATEGY_BEST_EFFORT_FIFO;
    ck_assert_int_eq(world_put_cluster_queue(w, &f, NOW, NULL), 0);
    build_lq(w, f.name, f.name);
}

void build_put_lq(struct world *w, struct fact_local_queue f)
{
    ck_assert_int_eq(world_put_local_queue(w, &f, NOW, NULL), 0);
}

/* ---- Workloads ------------------------------------------------------------------------------------------------------------------- */

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

/* "NAME: COUNT>MIN RESOURCE=QUANTITY ..." */
static void read_pod_set(const char *line, struct fact_pod_set *ps, struct fact_amount *req, uint32_t *ret_n)
{
    char *word, *value;
    *ps = (struct fact_pod_set){.name = "main", .count = 1, .topology = "", .topology_group = ""};
    *ret_n = 0;
    while ((word = cut(&line, " "))) {
        if (word[strlen(word) - 1] == ':') {
            word[strlen(word) - 1] = '\0';
            ps->name = word;
        } else if (!(value = split(word, '='))) {
            char *min = split(word, '>');
            ps->count = (int32_t)strtol(word, NULL, 10);
            ps->min_count = min ? (int32_t)strtol(min, NULL, 10) : 0;
        } else {
            req[(*ret_n)++] = (struct fact_amount){word, build_qty(value)};
        }
    }
}

static void read_pod(const struct job *j, struct fact_pod_set *ps, struct fact_amount *req, uint32_t nreq)
{
    struct fact_container *c = take(sizeof *c);
    struct fact_toleration *t = take(4 * sizeof *t);
    const char *tolerations = j->tolerations;
    char *word, *digest = take(256);
    *c = (struct fact_container){.name = "c", .requests = req, .nrequests = nreq};
    ps->pod = (struct fact_pod){.containers = c, .ncontainers = 1, .runtime_class = "", .digest = digest};
    ps->pod.selector = labels_of(j->selector, &ps->pod.nselector);
    ps->pod.tolerations = t;
    ps->pod.selector_error = or_empty(j->selector_error);
    while (tolerations && (word = cut(&tolerations, " "))) {
        char *value = split(word, '=');
        t[ps->pod.ntolerations++] = (struct fact_toleration){
            word, or_empty(value), value ? TOLERATE_EQUAL : TOLERATE_EXISTS, EFFECT_ANY};
    }
    ps->wants_topology = j->topology;
    ps->wants_devices = j->devices;
    ps->pod.digest_len = (uint32_t)snprintf(digest, 256, "%s/%s/%s", or_empty(j->selector),
                                            or_empty(j->tolerations), or_empty(j->selector_error));
}

static void read_assignment(const struct job *j, const struct fact_pod_set *ps, const struct fact_amount *req,
                            uint32_t nreq, struct fact_assignment *a)
{
    struct fact_flavor_ref *flavors = take(8 * sizeof *flavors);
    struct fact_amount *use = take(8 * sizeof *use);
    const char *held = j->held;
    char *word, *flavor;
    *a = (struct fact_assignment){.pod_set = ps->name, .flavors = flavors, .usage = use, .count = ps->count};
    if (strchr(held, '=')) {
        while ((word = cut(&held, " "))) {
            flavor = split(word, '=');
            flavors[a->nflavors++] = (struct fact_flavor_ref){word, flavor};
        }
    }
    for (uint32_t i = 0; i < nreq; i++) {
        use[a->nusage++] =
            (struct fact_amount){req[i].resource, quantity_mul(req[i].q, quantity_from_i64(ps->count))};
        if (!strchr(j->held, '='))
            flavors[a->nflavors++] = (struct fact_flavor_ref){req[i].resource, j->held};
    }
}

static void add_condition(struct fact_workload *f, enum cond_type type, bool yes, const char *reason, int at)
{
    struct fact_condition *c = (struct fact_condition *)f->conditions + f->nconditions++;
    *c = (struct fact_condition){type, yes ? STATUS_TRUE : STATUS_FALSE, reason, "", AT(at), 0};
}

static void read_conditions(const struct job *j, struct fact_workload *f)
{
    f->conditions = take(8 * sizeof *f->conditions);
    if (j->held)
        add_condition(f, COND_QUOTA_RESERVED, true, "QuotaReserved", j->since);
    if (j->on_hold)
        add_condition(f, COND_QUOTA_RESERVED, false, j->on_hold, 0);
    if (j->held && !j->reserved_only)
        add_condition(f, COND_ADMITTED, true, "Admitted", j->since);
    if (j->ready)
        add_condition(f, COND_PODS_READY, true, "PodsReady", j->since);
    if (j->evicted)
        add_condition(f, COND_EVICTED, true, j->evicted, j->evicted_at);
    if (j->preempted)
        add_condition(f, COND_PREEMPTED, true, j->preempted, j->evicted_at);
    if (j->requeued_false)
        add_condition(f, COND_REQUEUED, false, "ClusterQueueStopped", 0);
    if (j->replacement)
        add_condition(f, COND_WAITING_FOR_REPLACEMENT, true, "Waiting", 0);
    if (j->finished)
        add_condition(f, COND_FINISHED, true, "Succeeded", 0);
}

static void read_status(const struct job *j, struct fact_workload *f)
{
    static const struct fact_check_state failed = {.name = "check", .message = "", .state = CHECK_RETRY};
    struct fact_reclaimable *r = take(sizeof *r);
    read_conditions(j, f);
    f->requeue_at = j->requeue_at ? AT(j->requeue_at) : WHEN_NONE;
    if (j->failed_check) {
        f->checks = &failed;
        f->nchecks = 1;
    }
    if (j->reclaimed) {
        *r = (struct fact_reclaimable){f->pod_sets[0].name, j->reclaimed};
        f->reclaimable = r;
        f->nreclaimable = 1;
    }
}

const struct fact_workload *build_fact(const struct job *j)
{
    used = 0;
    struct fact_workload *f = take(sizeof *f);
    struct fact_pod_set *ps = take(4 * sizeof *ps);
    struct fact_admission *admission = take(sizeof *admission);
    struct fact_assignment *a = take(4 * sizeof *a);
    const char *pods = j->pods;
    char *line;
    *f = (struct fact_workload){.ns = j->ns ? j->ns : "ns",
                                .name = j->name,
                                .uid = j->uid ? j->uid : j->name,
                                .generation = j->generation ? j->generation : 1,
                                .created = AT(j->created),
                                .queue = j->queue,
                                .priority_class = or_empty(j->priority_class),
                                .priority = j->priority,
                                .active = !j->inactive,
                                .gated_by = or_empty(j->gated_by),
                                .priority_boost = or_empty(j->boost),
                                .job_uid = or_empty(j->job_uid),
                                .has_closed_gate = j->closed_gate,
                                .pod_sets = ps};
    while ((line = cut(&pods, ";"))) {
        struct fact_amount *req = take(4 * sizeof *req);
        uint32_t n;
        read_pod_set(line, &ps[f->npod_sets], req, &n);
        read_pod(j, &ps[f->npod_sets], req, n);
        if (j->held)
            read_assignment(j, &ps[f->npod_sets], req, n, &a[f->npod_sets]);
        f->npod_sets++;
    }
    *admission = (struct fact_admission){j->cq ? j->cq : j->queue, a, f->npod_sets};
    f->admission = j->held ? admission : NULL;
    read_status(j, f);
    return f;
}

struct wl *build_put_job(struct world *w, const struct job *j)
{
    struct wl *wl;
    ck_assert_int_eq(world_put_workload(w, build_fact(j), NOW, &wl, NULL), 0);
    return wl;
}

void build_hold(struct world *w, const char *text)
{
    char name[24], queue[24], cpu[24], pods[32];
    int i = 0, priority, n;
    while (sscanf(text, " %23[^:]:%23[^:]:%23[^:]:%d%n", name, queue, cpu, &priority, &n) == 4) {
        bool evicted = name[0] == '!';
        snprintf(pods, sizeof pods, "cpu=%s", cpu);
        build_job(w, name + evicted, queue, pods, .held = "f", .priority = priority, .since = i++,
                  .evicted = evicted ? "Preempted" : NULL);
        text += n;
    }
}

void build_finish(struct world *w, struct wl *wl)
{
    struct marks m = wl->marks;
    m.finished = true;
    world_put_marks(w, wl, &m, NOW);
}

void build_release(struct world *w, struct wl *wl)
{
    struct marks m = wl->marks;
    m.reserved = m.admitted = false;
    world_put_marks(w, wl, &m, NOW);
}

/* ---- answers ----------------------------------------------------------------------------------------------------------------------- */

static const struct cycle *last;

/* One of 8 texts in turn. */
static struct str *answer(void)
{
    static struct str texts[8];
    static unsigned turn;
    struct str *s = &texts[turn++ % 8];
    str_free(s);
    str_init(s, 0);
    return s;
}

/* The text out of the counted memory, so that tests may look at what is alive. */
static const char *finish(struct str *s)
{
    static char copies[8][4096];
    static unsigned turn;
    char *to = copies[turn++ % 8];
    snprintf(to, sizeof copies[0], "%s", str_text(s));
    str_free(s);
    return to;
}

static void print_pod_set(struct str *s, struct world *w, const struct wl *wl, const struct pod_set_choice *c)
{
    const char *name = names_text(world_names(w), wl->pod_sets[c->pod_set].name);
    bool main = strcmp(name, "main") == 0;
    if (!main)
        str_addf(s, " %s", name);
    if (c->count != wl->pod_sets[c->pod_set].count)
        str_addf(s, "%s%d", main ? " *" : "*", c->count);
    for (uint32_t i = 0; i < c->nchoices; i++)
        if (c->choices[i].flavor != NONE)
            str_addf(s, " %s=%s", names_text(world_names(w), c->choices[i].res),
                     names_text(world_names(w), c->choices[i].flavor));
}

static void print_decision(struct str *s, struct world *w, const struct decision *d)
{
    str_addf(s, "%s%s %s", s->len ? "; " : "", d->w->name, outcome_text(d->outcome));
    for (uint32_t i = 0; d->a && d->a->mode != MODE_NO_FIT && i < d->a->npod_sets; i++)
        print_pod_set(s, w, d->w, &d->a->pod_sets[i]);
    for (uint32_t i = 0; i < d->ntargets; i++)
        str_addf(s, " -%s(%s)", d->targets[i].w->name, preempt_reason_text(d->targets[i].reason));
}

const char *build_cycle(struct world *w)
{
    struct str *s = answer();
    (void)world_flush(w, NOW);
    ck_assert_int_eq(world_cycle(w, NOW, &last, NULL), 0);
    for (uint32_t i = 0; last && i < last->ndecisions; i++)
        print_decision(s, w, &last->decisions[i]);
    return finish(s);
}

const struct cycle *build_last(void)
{
    return last;
}

const char *build_waits(void)
{
    struct str *s = answer();
    for (uint32_t i = 0; last && i < last->ndecisions; i++) {
        const struct decision *d = &last->decisions[i];
        if (d->outcome != OUTCOME_ADMITTED)
            str_addf(s, "%s%s %s %s", s->len ? "; " : "", d->w->name, wait_reason_text(d->wait),
                     requeue_reason_text(d->requeue));
    }
    return finish(s);
}

const char *build_message(struct world *w, const char *name)
{
    struct str *s = answer();
    for (uint32_t i = 0; last && i < last->ndecisions; i++)
        if (strcmp(last->decisions[i].w->name, name) == 0)
            reason_message(s, w, &last->decisions[i]);
    return finish(s);
}

const char *build_queue(struct world *w, const char *cq)
{
    struct str *s = answer();
    uint32_t i = world_cq_find(w, cq);
    for (int inadmissible = 0; inadmissible < 2; inadmissible++) {
        for (struct wl *x = world_pending_first(w, i, inadmissible); x; x = world_pending_next(x))
            str_addf(s, "%s%s", s->len ? " " : "", x->name);
        if (!inadmissible)
            str_add(s, s->len ? " |" : "|");
    }
    return finish(s);
}

amount build_usage(struct world *w, const char *node, const char *flavor, const char *resource)
{
    const struct tree *t;
    ck_assert_int_eq(world_settle(w, NULL), 0);
    uint32_t name = names_find(world_names(w), node), fr = world_find_pair(w, flavor, resource);
    for (uint32_t i = 0; (t = world_tree(w, i)); i++)
        for (uint32_t n = 0; n < t->nnodes; n++)
            if (t->nodes[n].name == name)
                return tree_cell(t, n, tree_col(t, fr))->usage;
    ck_abort_msg("no node %s", node);
    return 0;
}

const char *build_loans(struct world *w)
{
    struct str *s = answer();
    const struct loan *const *v;
    struct loan_filter all = {.fr = LOANS_ANY, .borrower = LOANS_ANY};
    uint32_t n;
    ck_assert_int_eq(loans_list(w->loans, &all, &v, &n, NULL), 0);
    for (uint32_t i = 0; i < n; i++) {
        const char *lender =
            v[i]->lender.name ? names_text(w->names, v[i]->lender.name) : loan_kind_name(v[i]->lender.kind);
        str_addf(s, "%s%s lends %s ", s->len ? "; " : "", lender, names_text(w->names, v[i]->borrower));
        reason_amount(s, w, w->pairs.at[v[i]->fr].b, v[i]->amount);
    }
    return finish(s);
}

int build_run(struct Suite *s)
{
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
