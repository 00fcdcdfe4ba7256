#include "kube/lease_record.h"

#include "api/json.h"
#include "api/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_BYTES = 32 << 10 };

void lease_record_init(struct lease_record *r)
{
    *r = (struct lease_record){0};
    str_init(&r->meta, KEEP_BYTES);
    str_init(&r->spec, KEEP_BYTES);
}

void lease_record_free(struct lease_record *r)
{
    str_free(&r->meta);
    str_free(&r->spec);
}

static void put(char *to, size_t cap, const struct doc_node *map, const char *key)
{
    snprintf(to, cap, "%s", doc_str_or(map, key, ""));
}

/* A PUT replaces everything, so what is not ours is handed back as it came. */
static void keep(struct str *s, const char *json, size_t len, const char *part, const char *const *fields)
{
    for (; *fields; fields++) {
        struct scan_piece p;
        char path[64];
        snprintf(path, sizeof(path), "%s.%s", part, *fields);
        if (!scan_find(json, len, 1, path, &p))
            continue;
        str_addf(s, ",\"%s\":", *fields);
        str_addn(s, p.text, p.len);
    }
}

static void take(struct lease_record *r, const struct doc_node *n)
{
    const struct doc_node *meta = doc_field(n, "metadata"), *spec = doc_field(n, "spec");

    put(r->holder, sizeof(r->holder), spec, "holderIdentity");
    put(r->acquired, sizeof(r->acquired), spec, "acquireTime");
    put(r->renewed, sizeof(r->renewed), spec, "renewTime");
    put(r->version, sizeof(r->version), meta, "resourceVersion");
    r->duration_s = doc_i64_or(spec, "leaseDurationSeconds", 0);
    r->transitions = doc_i64_or(spec, "leaseTransitions", 0);
    r->strategy = doc_str_or(spec, "strategy", "")[0] != '\0';
}

int lease_record_read(struct lease_record *r, const char *json, size_t len, struct err *err)
{
    static const char *const of_meta[] = {"labels", "annotations", "ownerReferences", "finalizers", NULL};
    static const char *const of_spec[] = {"strategy", "preferredHolder", NULL};
    struct lease_record fresh;
    struct arena a, scratch;
    const struct doc_node *n;
    int rc;

    lease_record_init(&fresh);
    arena_init(&a, 4096);
    arena_init(&scratch, 4096);
    rc = json_read(&a, &scratch, json, len, 1, &n, err);
    if (rc == 0 && !doc_is_text(doc_field(n, "kind"), "Lease"))
        rc = err_set(err, ERR_INVALID, "the answer is no Lease");
    if (rc == 0) {
        take(&fresh, n);
        keep(&fresh.meta, json, len, "metadata", of_meta);
        keep(&fresh.spec, json, len, "spec", of_spec);
        if (str_failed(&fresh.meta) || str_failed(&fresh.spec))
            rc = err_set(err, ERR_NOMEM, "no room for the fields of a Lease");
    }
    if (rc == 0) {
        lease_record_free(r);
        *r = fresh;
    } else {
        lease_record_free(&fresh);
    }
    arena_free(&a);
    arena_free(&scratch);
    return rc;
}

bool lease_record_same(const struct lease_record *a, const struct lease_record *b)
{
    return strcmp(a->holder, b->holder) == 0 && a->duration_s == b->duration_s &&
           a->transitions == b->transitions && strcmp(a->acquired, b->acquired) == 0 &&
           strcmp(a->renewed, b->renewed) == 0;
}

static void add(struct str *s, const char *before, const char *text)
{
    str_add(s, before);
    str_add_json(s, text);
}

void lease_record_print(const struct lease_record *r, const char *ns, const char *name, struct str *ret)
{
    add(ret, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":", name);
    add(ret, ",\"namespace\":", ns);
    if (r->version[0])
        add(ret, ",\"resourceVersion\":", r->version);
    str_add(ret, str_text(&r->meta));
    add(ret, "},\"spec\":{\"holderIdentity\":", r->holder);
    str_addf(ret, ",\"leaseDurationSeconds\":%" PRId64, r->duration_s);
    if (r->acquired[0])
        add(ret, ",\"acquireTime\":", r->acquired);
    add(ret, ",\"renewTime\":", r->renewed);
    str_addf(ret, ",\"leaseTransitions\":%" PRId64, r->transitions);
    str_add(ret, str_text(&r->spec));
    str_add(ret, "}}");
}
