#include "serve/metrics.h"

#include "base/mem.h"
#include "serve/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(p, size) mem_free(p)
#include <uthash.h>

const double METRICS_DEFAULT[11] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

struct metric_series {
    UT_hash_handle hh; /* in its family, by the values */
    LIST_ENTRY(metric_series) of_owner;
    struct owner *owner; /* NULL = nobody's */
    struct family *family;
    uint32_t held;     /* by metrics_hold: its value, then */
    bool forgotten;    /* kept for those who hold it, nowhere to be found */
    double value;      /* of a histogram: the sum */
    uint64_t *buckets; /* in this block: nbounds + 1, each for itself; NULL for others */
    uint32_t len;
    char *values; /* in this block: each with a NUL behind it */
};

/* Somebody who takes series along. */
struct owner {
    UT_hash_handle hh;
    LIST_HEAD(, metric_series) series;
    uint32_t len;
    char key[]; /* what it is, its names, each with a NUL behind it */
};

struct family {
    const struct metric *def;
    const double *bounds;
    uint32_t nbounds, nlabels;
    struct metric_series *series; /* uthash */
};

struct metrics {
    struct family *families; /* owned */
    uint32_t n;
    struct owner *owners; /* uthash */
    void *arg;
    struct metrics_stats stats;
};

struct metrics_out {
    struct metrics *m;
    struct str *text;
    const struct family *f;
    bool headed; /* its HELP and TYPE are there */
};

struct values {
    char p[METRICS_VALUES_MAX];
    uint32_t len;
};

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *s, bool colons)
{
    if (!*s || (*s >= '0' && *s <= '9'))
        return false;
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_' ||
              (colons && *s == ':')))
            return false;
    return true;
}

static int check_labels(const struct metric *d, uint32_t *ret_n, struct err *err)
{
    uint32_t n = 0;
    static const uint32_t named[METRIC_OWNERS] = {0, 1, 2, 1};

    while (n < METRICS_LABELS_MAX && d->labels[n]) {
        const char *l = d->labels[n];
        if (!is_name(l, false) || !strncmp(l, "__", 2) || (d->type == METRIC_HISTOGRAM && !strcmp(l, "le")))
            return err_set(err, ERR_INVALID, "%s: no name of a label: %s", d->name, l);
        for (uint32_t i = 0; i < n; i++)
            if (!strcmp(d->labels[i], l))
                return err_set(err, ERR_INVALID, "%s: label %s twice", d->name, l);
        n++;
    }
    if (n < named[d->owner])
        return err_set(err, ERR_INVALID, "%s: no label names its owner", d->name);
    *ret_n = n;
    return 0;
}

static int check_bounds(const struct family *f, struct err *err)
{
    const char *name = f->def->name;

    if (f->def->collect && f->def->type == METRIC_HISTOGRAM)
        return err_set(err, ERR_INVALID, "%s: a histogram holds series", name);
    if (f->nbounds > METRICS_BUCKETS_MAX)
        return err_set(err, ERR_INVALID, "%s: too many buckets", name);
    for (uint32_t i = 0; i < f->nbounds; i++)
        if (!isfinite(f->bounds[i]) || (i && f->bounds[i] <= f->bounds[i - 1]))
            return err_set(err, ERR_INVALID, "%s: bounds must rise", name);
    return 0;
}

static int take_family(struct metrics *m, const struct metric *d, struct err *err)
{
    struct family *f = &m->families[m->n];
    int rc;

    if (!is_name(d->name, true))
        return err_set(err, ERR_INVALID, "no name of a metric: %s", d->name);
    for (uint32_t i = 0; i < m->n; i++)
        if (!strcmp(m->families[i].def->name, d->name))
            return err_set(err, ERR_INVALID, "%s: twice", d->name);
    f->def = d;
    if (d->type == METRIC_HISTOGRAM) {
        f->bounds = d->bounds ? d->bounds : METRICS_DEFAULT;
        f->nbounds = d->bounds ? d->nbounds : 11;
    }
    rc = check_labels(d, &f->nlabels, err);
    if (!rc)
        rc = check_bounds(f, err);
    m->n += !rc;
    return rc;
}

struct metrics *metrics_new(const struct metric *table, uint32_t n, void *arg, struct err *err)
{
    struct metrics *m = mem_zalloc(1, sizeof(*m));

    if (m)
        m->families = mem_zalloc(n, sizeof(*m->families));
    if (!m || !m->families) {
        mem_free(m);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    m->arg = arg;
    for (uint32_t i = 0; i < n; i++)
        if (take_family(m, &table[i], err)) {
            metrics_free(m);
            return NULL;
        }
    return m;
}

/* ---- series ------------------------------------------------------------------------------------------------------------------ */

/* The values as one key. False when there are too many bytes of them. */
static bool join(const struct family *f, const char *const *values, struct values *ret)
{
    ret->len = 0;
    for (uint32_t i = 0; i < f->nlabels; i++) {
        const char *v = values[i] ? values[i] : "";
        size_t n = strlen(v) + 1;
        if (n > sizeof(ret->p) - ret->len)
            return false;
        memcpy(ret->p + ret->len, v, n);
        ret->len += (uint32_t)n;
    }
    return true;
}

static uint32_t owner_key(enum metric_owner kind, const char *first, const char *second, struct values *ret)
{
    size_t a = strlen(first) + 1, b = second ? strlen(second) + 1 : 0;

    if (a + b + 1 > sizeof(ret->p))
        return 0;
    ret->p[0] = (char)('0' + kind);
    memcpy(ret->p + 1, first, a);
    if (second)
        memcpy(ret->p + 1 + a, second, b);
    ret->len = (uint32_t)(1 + a + b);
    return ret->len;
}

/* Made if new; NULL when memory is short. */
static struct owner *owner_of(struct metrics *m, const struct family *f, const struct values *v)
{
    struct values key;
    struct owner *o;
    const char *second = f->def->owner == METRIC_LOCAL_QUEUE ? v->p + strlen(v->p) + 1 : NULL;

    if (!owner_key(f->def->owner, v->p, second, &key))
        return NULL;
    HASH_FIND(hh, m->owners, key.p, key.len, o);
    if (o)
        return o;
    o = mem_zalloc(1, sizeof(*o) + key.len);
    if (!o)
        return NULL;
    LIST_INIT(&o->series);
    o->len = key.len;
    memcpy(o->key, key.p, key.len);
    HASH_ADD(hh, m->owners, key[0], o->len, o);
    if (o->hh.tbl)
        return o;
    mem_free(o);
    return NULL;
}

static void drop_owner_if_idle(struct metrics *m, struct owner *o)
{
    if (!o || !LIST_EMPTY(&o->series))
        return;
    HASH_DEL(m->owners, o);
    mem_free(o);
}

/* Out of everything that finds it; those who hold it still may. */
static void remove_series(struct metrics *m, struct metric_series *s)
{
    struct owner *o = s->owner;

    HASH_DEL(s->family->series, s);
    m->stats.series--;
    if (o)
        LIST_REMOVE(s, of_owner);
    s->owner = NULL;
    drop_owner_if_idle(m, o);
    s->forgotten = true;
    if (!s->held)
        mem_free(s);
}

static struct metric_series *make_series(struct metrics *m, struct family *f, const struct values *v)
{
    size_t nbuckets = f->def->type == METRIC_HISTOGRAM ? f->nbounds + 1 : 0;
    struct metric_series *s = mem_zalloc(1, sizeof(*s) + nbuckets * sizeof(uint64_t) + v->len);
    bool owned = f->def->owner != METRIC_NOBODY;

    if (!s)
        return NULL;
    s->owner = owned ? owner_of(m, f, v) : NULL;
    if (owned && !s->owner) {
        mem_free(s);
        return NULL;
    }
    s->family = f;
    s->buckets = nbuckets ? (uint64_t *)(s + 1) : NULL;
    s->values = (char *)((uint64_t *)(s + 1) + nbuckets);
    s->len = v->len;
    memcpy(s->values, v->p, v->len);
    HASH_ADD_KEYPTR(hh, f->series, s->values, s->len, s);
    if (!s->hh.tbl) {
        drop_owner_if_idle(m, s->owner);
        mem_free(s);
        return NULL;
    }
    if (owned)
        LIST_INSERT_HEAD(&s->owner->series, s, of_owner);
    m->stats.series++;
    return s;
}

/* Made if new; NULL, and counted, when it cannot be. */
static struct metric_series *find(struct metrics *m, uint32_t family, const char *const *values)
{
    struct family *f = &m->families[family];
    struct metric_series *s = NULL;
    struct values v;

    if (!join(f, values, &v)) {
        m->stats.dropped_limit++;
        return NULL;
    }
    HASH_FIND(hh, f->series, v.p, v.len, s);
    if (s)
        return s;
    if (m->stats.series >= METRICS_SERIES_MAX || HASH_COUNT(f->series) >= METRICS_FAMILY_MAX) {
        m->stats.dropped_limit++;
        return NULL;
    }
    s = make_series(m, f, &v);
    m->stats.dropped_memory += !s;
    return s;
}

void metrics_add(struct metrics *m, uint32_t family, const char *const *values, double by)
{
    struct metric_series *s = m ? find(m, family, values) : NULL;

    if (s)
        s->value += by;
}

void metrics_set(struct metrics *m, uint32_t family, const char *const *values, double to)
{
    struct metric_series *s = m ? find(m, family, values) : NULL;

    if (s)
        s->value = to;
}

void metrics_observe(struct metrics *m, uint32_t family, const char *const *values, double v)
{
    struct metric_series *s = m && !isnan(v) ? find(m, family, values) : NULL;
    uint32_t i = 0;

    if (!s)
        return;
    while (i < s->family->nbounds && v > s->family->bounds[i])
        i++;
    s->buckets[i]++;
    s->value += v;
}

struct metric_series *metrics_hold(struct metrics *m, uint32_t family, const char *const *values)
{
    struct metric_series *s = m ? find(m, family, values) : NULL;

    if (s)
        s->value = ++s->held;
    return s;
}

void metrics_give_back(struct metrics *m, struct metric_series *s)
{
    if (!s)
        return;
    s->value = --s->held;
    if (s->held)
        return;
    if (s->forgotten)
        mem_free(s);
    else
        remove_series(m, s);
}

void metrics_forget(struct metrics *m, enum metric_owner owner, const char *first, const char *second)
{
    struct values key;
    struct owner *o = NULL;
    struct metric_series *s, *next;

    if (!m || !owner_key(owner, first, second, &key))
        return;
    HASH_FIND(hh, m->owners, key.p, key.len, o);
    if (!o)
        return;
    for (s = LIST_FIRST(&o->series); s; s = next) {
        next = LIST_NEXT(s, of_owner);
        remove_series(m, s); /* with the last one the owner goes */
    }
}

void metrics_clear(struct metrics *m, uint32_t family)
{
    struct metric_series *s, *next;

    if (!m)
        return;
    HASH_ITER (hh, m->families[family].series, s, next)
        remove_series(m, s);
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n; i++) {
        struct metric_series *s, *next;
        HASH_ITER (hh, m->families[i].series, s, next) {
            s->held = 0;
            remove_series(m, s);
        }
    }
    mem_free(m->families);
    mem_free(m);
}

struct metrics_stats metrics_stats(const struct metrics *m)
{
    return m->stats;
}

/* ---- text ---------------------------------------------------------------------------------------------------------------------- */

static void add_integer(struct str *out, int64_t v)
{
    char buf[24];
    char *p = buf + sizeof(buf);
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--p = '-';
    str_addn(out, p, (size_t)(buf + sizeof(buf) - p));
}

void metrics_number(struct str *out, double v)
{
    char buf[40];

    if (isnan(v))
        str_add(out, "NaN");
    else if (isinf(v))
        str_add(out, v > 0 ? "+Inf" : "-Inf");
    else if (fabs(v) < 0x1p53 && v == (double)(int64_t)v)
        add_integer(out, (int64_t)v);
    else {
        for (int digits = 15; digits <= 17; digits++) {
            (void)snprintf(buf, sizeof(buf), "%.*g", digits, v);
            if (strtod(buf, NULL) == v)
                break;
        }
        str_add(out, buf);
    }
}

/* What stands for the character at `p`; NULL: it stands for itself. A quote of HELP does. */
static const char *escape_of(const char *p, bool quotes)
{
    if (*p == '\\')
        return "\\\\";
    if (*p == '\n')
        return "\\n";
    if (*p == '"' && quotes)
        return "\\\"";
    return utf8_length((const unsigned char *)p) ? NULL : UTF8_REPLACEMENT;
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* `quotes`: of a label's value. Nearly all texts are plain, and there are many of them. */
static void add_escaped(struct str *out, const char *text, bool quotes)
{
    const char *from = text, *p = text;

    while (*p) {
        if (is_plain((unsigned char)*p)) {
            p++;
            continue;
        }
        const char *as = escape_of(p, quotes);
        size_t n = utf8_length((const unsigned char *)p);
        if (as) {
            str_addn(out, from, (size_t)(p - from));
            str_add(out, as);
            from = p + 1;
        }
        p += n ? n : 1;
    }
    str_addn(out, from, (size_t)(p - from));
}

static void add_head(struct metrics_out *o)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const struct metric *d = o->f->def;

    if (o->headed)
        return;
    o->headed = true;
    str_add(o->text, "# HELP ");
    str_add(o->text, d->name);
    str_addc(o->text, ' ');
    add_escaped(o->text, d->help, false);
    str_add(o->text, "\n# TYPE ");
    str_add(o->text, d->name);
    str_addc(o->text, ' ');
    str_add(o->text, types[d->type]);
    str_addc(o->text, '\n');
}

/* `{a="x",b="y"` without its end; true if anything was written. */
static bool add_label(struct metrics_out *o, bool open, const char *name, const char *value)
{
    str_addc(o->text, open ? ',' : '{');
    str_add(o->text, name);
    str_add(o->text, "=\"");
    add_escaped(o->text, value, true);
    str_addc(o->text, '"');
    return true;
}

static bool add_values(struct metrics_out *o, const char *suffix, const char *values)
{
    bool open = false;

    str_add(o->text, o->f->def->name);
    str_add(o->text, suffix);
    for (uint32_t i = 0; i < o->f->nlabels; i++) {
        open = add_label(o, open, o->f->def->labels[i], values);
        values += strlen(values) + 1;
    }
    return open;
}

static void add_end(struct metrics_out *o, bool open, double v)
{
    str_add(o->text, open ? "} " : " ");
    metrics_number(o->text, v);
    str_addc(o->text, '\n');
}

static void add_histogram(struct metrics_out *o, const struct metric_series *s)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i <= o->f->nbounds; i++) {
        bool open = add_values(o, "_bucket", s->values);
        count += s->buckets[i];
        str_add(o->text, open ? ",le=\"" : "{le=\"");
        metrics_number(o->text, i < o->f->nbounds ? o->f->bounds[i] : (double)INFINITY);
        str_addc(o->text, '"');
        add_end(o, true, (double)count);
    }
    add_end(o, add_values(o, "_sum", s->values), s->value);
    add_end(o, add_values(o, "_count", s->values), (double)count);
}

uint32_t metrics_family(const struct metrics_out *out)
{
    return (uint32_t)(out->f - out->m->families);
}

void metrics_sample(struct metrics_out *out, const char *const *values, double v)
{
    bool open = false;

    add_head(out);
    str_add(out->text, out->f->def->name);
    for (uint32_t i = 0; i < out->f->nlabels; i++)
        open = add_label(out, open, out->f->def->labels[i], values[i] ? values[i] : "");
    add_end(out, open, v);
}

int metrics_text(struct metrics *m, struct str *out, struct err *err)
{
    size_t before = out->len;

    for (uint32_t i = 0; i < m->n; i++) {
        const struct family *f = &m->families[i];
        struct metrics_out o = {.m = m, .text = out, .f = f};
        if (f->def->collect)
            f->def->collect(m->arg, &o);
        for (const struct metric_series *s = f->series; s; s = s->hh.next) {
            add_head(&o);
            if (s->buckets)
                add_histogram(&o, s);
            else
                add_end(&o, add_values(&o, "", s->values), s->value);
        }
    }
    if (str_failed(out))
        return err_set(err, ERR_NOMEM, "metrics: the text is too long");
    m->stats.texts++;
    m->stats.bytes = out->len - before;
    return 0;
}
