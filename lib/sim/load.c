/* Objects into a world and records: configuration, what holds quota from the start, what will arrive. */
#include "sim/sim_priv.h"

#include "base/mem.h"
#include "sim/put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- configuration ------------------------------------------------------------------------------------------------------ */

static int put_config(struct sim *s, const struct api_set *objects, struct err *err)
{
    for (uint32_t i = 0; i < api_set_count(objects); i++) {
        const struct object *o = api_set_at(objects, i);
        if (o->kind != API_CONFIG)
            continue;
        s->fair_sharing = o->config.fair_sharing;
        return world_configure(s->w, &o->config, err);
    }
    return 0;
}

/* The model cluster has a controller for every check whose status says nothing. */
static int put_check(struct sim *s, const struct object *o, struct err *err)
{
    struct fact_admission_check copy = o->admission_check;

    if (s->opt.models && !doc_field(doc_field(o->doc, "status"), "conditions"))
        copy.active = true;
    return world_put_check(s->w, &copy, err);
}

/* Records of Workloads come later; spec.priority says what their priority classes say. */
static int put(struct sim *s, const struct object *o, when_ns now, struct err *err)
{
    return o->kind == API_ADMISSION_CHECK ? put_check(s, o, err) : put_object(s->w, o, now, err);
}

/* ---- records ------------------------------------------------------------------------------------------------------------ */

static int bad_annotation(const struct object *o, const char *name, const char *value, const char *why,
                          struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "%s:%u: Workload %s/%s: metadata.annotations[%s]: Invalid value: \"%s\": %s", o->file,
                   o->line, o->ns, o->name, name, value, why);
}

static int read_seconds(const struct object *o, const char *name, int64_t dflt, int64_t *ret, struct err *err)
{
    const char *text = object_annotation(o, name);
    char *end;

    *ret = dflt;
    if (!text)
        return 0;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < 0 || v > INT64_MAX / NS_PER_S / 8)
        return bad_annotation(o, name, text, "must be a number of seconds", err);
    *ret = v;
    return 0;
}

/* The arrival stays WHEN_NONE without an annotation. */
static int read_annotations(const struct object *o, struct sim_wl *sw, struct err *err)
{
    const char *text = object_annotation(o, "sim/arrive-at");

    if (text && when_parse(text, strlen(text), &sw->arrival, NULL))
        return bad_annotation(o, "sim/arrive-at", text, "must be an RFC 3339 time", err);
    int rc = read_seconds(o, "sim/run-seconds", -1, &sw->run_s, err);
    return rc ? rc : read_seconds(o, "sim/stop-seconds", 0, &sw->stop_s, err);
}

/* Files written by hand have neither uid nor creation: they count as created when they arrive, or at the start, in the order in which
 * they were read. */
static const struct fact_workload *fact_with_defaults(struct sim *s, const struct fact_workload *f,
                                                      when_ns arrival, uint32_t i)
{
    struct fact_workload *copy;
    struct str uid;

    if (*f->uid && f->created != WHEN_NONE)
        return f;
    copy = arena_alloc(&s->arena, sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *f;
    if (copy->created == WHEN_NONE)
        copy->created = arrival == WHEN_NONE ? s->opt.start : arrival;
    if (*copy->uid)
        return copy;
    str_init(&uid, 64);
    str_addf(&uid, "sim-%010u", i);
    copy->uid = str_failed(&uid) ? NULL : arena_strndup(&s->arena, str_text(&uid), uid.len);
    str_free(&uid);
    return copy->uid ? copy : NULL;
}

static const char *key_of(struct sim *s, const struct fact_workload *f)
{
    struct str key;

    str_init(&key, 0);
    str_addf(&key, "%s/%s", f->ns, f->name);
    const char *ret = str_failed(&key) ? NULL : arena_strndup(&s->arena, str_text(&key), key.len);
    str_free(&key);
    return ret;
}

static bool fact_is(const struct fact_workload *f, enum cond_type t)
{
    for (uint32_t i = 0; i < f->nconditions; i++)
        if (f->conditions[i].type == t && f->conditions[i].status == STATUS_TRUE)
            return true;
    return false;
}

static int read_record(struct sim *s, const struct object *o, uint32_t i, struct sim_wl *sw, struct err *err)
{
    *sw = (struct sim_wl){
        .finish_at = WHEN_NONE, .release_at = WHEN_NONE, .look_at = WHEN_NONE, .admitted_at = WHEN_NONE};
    sw->arrival = WHEN_NONE;
    status_init(&sw->status);
    int rc = read_annotations(o, sw, err);
    if (rc)
        return rc;
    sw->fact = fact_with_defaults(s, &o->workload, sw->arrival, i);
    sw->key = sw->fact ? key_of(s, sw->fact) : NULL;
    if (!sw->key)
        return err_set(err, ERR_NOMEM, "out of memory for Workload %s/%s", o->ns, o->name);
    if (sw->arrival == WHEN_NONE)
        sw->arrival = sw->fact->created;
    sw->holder = fact_is(sw->fact, COND_QUOTA_RESERVED) && sw->fact->admission;
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct sim_wl *)a)->key, ((const struct sim_wl *)b)->key);
}

static int compare_arrivals(const void *a, const void *b)
{
    const struct sim_wl *x = *(const struct sim_wl *const *)a, *y = *(const struct sim_wl *const *)b;

    if (x->arrival != y->arrival)
        return x->arrival < y->arrival ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static uint32_t count_workloads(const struct api_set *objects)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < api_set_count(objects); i++)
        n += api_set_at(objects, i)->kind == API_WORKLOAD;
    return n;
}

/* An object that is there twice: the last one counts, as with two `kubectl apply`. `sort` is not stable, so uid says which is last. */
static int read_records(struct sim *s, const struct api_set *objects, struct err *err)
{
    uint32_t n = count_workloads(objects), k = 0;

    s->wls = mem_zalloc(n + 1, sizeof(*s->wls));
    s->arrivals = mem_zalloc(n + 1, sizeof(*s->arrivals));
    s->list = mem_zalloc(n + 1, sizeof(*s->list));
    if (!s->wls || !s->arrivals || !s->list)
        return err_set(err, ERR_NOMEM, "out of memory for %u Workloads", n);
    for (uint32_t i = 0; i < api_set_count(objects); i++) {
        const struct object *o = api_set_at(objects, i);
        if (o->kind != API_WORKLOAD)
            continue;
        int rc = read_record(s, o, k, &s->wls[k], err);
        if (rc)
            return rc;
        s->nwls = ++k;
    }
    qsort(s->wls, s->nwls, sizeof(*s->wls), compare_keys);
    for (uint32_t i = 0; i < s->nwls; i++) {
        s->wls[i].index = i;
        if (i && !strcmp(s->wls[i].key, s->wls[i - 1].key))
            return err_set(err, ERR_EXISTS, "Workload %s is there twice", s->wls[i].key);
        if (!s->wls[i].holder && !fact_is(s->wls[i].fact, COND_FINISHED))
            s->arrivals[s->narrivals++] = &s->wls[i];
    }
    qsort(s->arrivals, s->narrivals, sizeof(*s->arrivals), compare_arrivals);
    return 0;
}

static void later(when_ns *t, when_ns other)
{
    if (other != WHEN_NONE && (*t == WHEN_NONE || other > *t))
        *t = other;
}

/* Without a start given: the newest creation, so that what was written by hand comes after all that exists. */
static when_ns default_start(const struct api_set *objects)
{
    when_ns start = WHEN_NONE;

    for (uint32_t i = 0; i < api_set_count(objects); i++) {
        const struct object *o = api_set_at(objects, i);
        if (o->kind == API_WORKLOAD)
            later(&start, o->workload.created);
    }
    return start == WHEN_NONE ? 0 : start;
}

static bool is_story(const struct object *o)
{
    for (uint32_t i = 0; i < o->nannotations; i++)
        if (!strncmp(o->annotations[i].key, "sim/", 4))
            return true;
    return false;
}

/* When a gathered world begins; WHEN_NONE = at the first arrival. */
static when_ns default_begin(const struct api_set *objects)
{
    when_ns begin = WHEN_NONE;

    for (uint32_t i = 0; i < api_set_count(objects); i++) {
        const struct object *o = api_set_at(objects, i);
        if (o->kind == API_LOCAL_QUEUE)
            later(&begin, o->local_queue.consumed_at);
        if (o->kind != API_WORKLOAD)
            continue;
        if (is_story(o))
            return WHEN_NONE;
        later(&begin, o->workload.created);
        for (uint32_t k = 0; k < o->workload.nconditions; k++)
            later(&begin, o->workload.conditions[k].since);
    }
    return begin == WHEN_NONE ? 0 : begin;
}

static void gather(struct sim *s)
{
    when_ns begin = s->opt.begin;

    for (uint32_t i = 0; begin != WHEN_NONE && i < s->nwls; i++)
        if (s->wls[i].arrival < begin)
            s->wls[i].arrival = begin;
    qsort(s->arrivals, s->narrivals, sizeof(*s->arrivals), compare_arrivals);
}

int sim_load(struct sim *s, const struct api_set *objects, struct err *err)
{
    int rc = put_config(s, objects, err);

    if (s->opt.start == WHEN_NONE)
        s->opt.start = default_start(objects);
    if (s->opt.gathers && s->opt.begin == WHEN_NONE)
        s->opt.begin = default_begin(objects);
    if (!rc)
        rc = read_records(s, objects, err);
    if (rc)
        return rc;
    if (s->opt.gathers)
        gather(s);
    s->now = s->narrivals ? s->arrivals[0]->arrival : s->opt.start;
    if (s->opt.gathers && s->opt.begin != WHEN_NONE)
        s->now = s->opt.begin;
    s->began = s->now;
    for (uint32_t i = 0; i < api_set_count(objects) && !rc; i++)
        rc = put(s, api_set_at(objects, i), s->now, err);
    if (!rc)
        rc = world_settle(s->w, err);
    s->observability = gate_on(world_gates(s->w), GATE_OBSERVABILITY);
    s->explicit_status = gate_on(world_gates(s->w), GATE_EXPLICIT_STATUS);
    cluster_configure(s, objects);
    for (uint32_t i = 0; i < s->nwls && !rc; i++) {
        if (s->wls[i].holder)
            rc = record_arrive(s, &s->wls[i], err);
        else if (fact_is(s->wls[i].fact, COND_FINISHED) &&
                 status_from_fact(&s->wls[i].status, s->wls[i].fact))
            rc = err_set(err, ERR_NOMEM, "out of memory for Workload %s", s->wls[i].key);
    }
    (void)world_flush(s->w, s->now);
    return rc;
}
