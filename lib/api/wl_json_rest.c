#include "api/wl_json_priv.h"
#include "base/mem.h"

#include <string.h>

/* What a status may hold at most beside the known (the schema allows 16 conditions, 8 checks, 8 gates): a document that goes beyond is
 * none of an API server, and what is beyond is let go. */
enum { PARTS_MAX = 64, TEXT_MAX = 8 << 20 };

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

void wl_json_node(const struct doc_node *n, struct str *out)
{
    bool is_map = n->type == DOC_MAP;

    if (n->type == DOC_STRING) {
        str_add_json(out, n->text);
        return;
    }
    if (!is_map && n->type != DOC_LIST) {
        str_add(out, n->type == DOC_NULL ? "null" : n->text);
        return;
    }
    str_addc(out, is_map ? '{' : '[');
    doc_foreach (c, n) {
        if (c->index)
            str_addc(out, ',');
        if (is_map) {
            str_add_json(out, c->key);
            str_addc(out, ':');
        }
        wl_json_node(c, out);
    }
    str_addc(out, is_map ? '}' : ']');
}

/* ---- the parts of one document ------------------------------------------------------------------------------------------ */

/* The block in the making: texts lie in one string, and the parts say where each begins. */
struct draft {
    struct wl_json_part parts[PARTS_MAX];
    size_t name[PARTS_MAX], text[PARTS_MAX], more[PARTS_MAX];
    uint32_t n;
    struct str all;
};

static size_t begin(struct draft *d)
{
    return d->all.len;
}

static void end(struct draft *d)
{
    str_addn(&d->all, "", 1); /* the NUL as well */
}

static struct wl_json_part *add(struct draft *d, enum part_kind kind, const char *name)
{
    if (d->n == PARTS_MAX)
        return NULL;
    d->name[d->n] = begin(d);
    str_add(&d->all, name);
    end(d);
    d->parts[d->n] = (struct wl_json_part){.kind = kind};
    return &d->parts[d->n++];
}

static bool is_known_condition(const char *type)
{
    for (int t = 0; t < COND_TYPES; t++)
        if (strcmp(cond_type_name((enum cond_type)t), type) == 0)
            return true;
    return false;
}

static void add_condition(struct draft *d, const struct doc_node *c)
{
    const char *type = doc_str_or(c, "type", "");

    if (!*type || is_known_condition(type) || !add(d, PART_CONDITION, type))
        return;
    d->text[d->n - 1] = begin(d);
    wl_json_node(c, &d->all);
    end(d);
    d->more[d->n - 1] = begin(d);
    end(d);
}

static bool is_known_field(const char *key)
{
    static const char *const known[] = {"name",    "state",      "lastTransitionTime",
                                        "message", "retryCount", "requeueAfterSeconds"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], key) == 0)
            return true;
    return false;
}

static bool has_more_fields(const struct doc_node *check)
{
    doc_foreach (c, check)
        if (!is_known_field(c->key))
            return true;
    return false;
}

static void add_check(struct draft *d, const struct doc_node *check)
{
    const struct doc_node *updates = doc_field(check, "podSetUpdates");
    struct wl_json_part *p;

    if (!doc_is(check, DOC_MAP) || !has_more_fields(check))
        return;
    p = add(d, PART_CHECK, doc_str_or(check, "name", ""));
    if (!p)
        return;
    p->pending = strcmp(doc_str_or(check, "state", "Pending"), "Pending") == 0;
    d->text[d->n - 1] = begin(d);
    if (updates)
        wl_json_node(updates, &d->all);
    end(d);
    d->more[d->n - 1] = begin(d);
    doc_foreach (c, check) {
        if (is_known_field(c->key) || strcmp(c->key, "podSetUpdates") == 0)
            continue;
        str_addc(&d->all, ',');
        str_add_json(&d->all, c->key);
        str_addc(&d->all, ':');
        wl_json_node(c, &d->all);
    }
    end(d);
}

static void add_gate(struct draft *d, const struct doc_node *gate)
{
    struct wl_json_part *p = add(d, PART_GATE, doc_str_or(gate, "name", ""));

    if (!p)
        return;
    p->open = strcmp(doc_str_or(gate, "position", ""), "Open") == 0;
    d->text[d->n - 1] = begin(d);
    str_add(&d->all, doc_str_or(gate, "lastTransitionTime", ""));
    end(d);
    d->more[d->n - 1] = begin(d);
    end(d);
}

static struct wl_json_rest *block_of(const struct draft *d)
{
    size_t head = sizeof(struct wl_json_rest) + d->n * sizeof(struct wl_json_part), bytes = head + d->all.len;
    struct wl_json_rest *r = mem_alloc(bytes);

    if (!r)
        return NULL;
    char *text = (char *)r + head;
    *r = (struct wl_json_rest){.bytes = bytes, .n = d->n};
    if (d->all.len)
        memcpy(text, d->all.p, d->all.len);
    for (uint32_t i = 0; i < d->n; i++) {
        r->parts[i] = d->parts[i];
        r->parts[i].name = text + d->name[i];
        r->parts[i].text = text + d->text[i];
        r->parts[i].more = text + d->more[i];
    }
    return r;
}

static void add_all(struct draft *d, const struct doc_node *status)
{
    const struct doc_node *conditions = doc_field(status, "conditions"),
                          *checks = doc_field(status, "admissionChecks"),
                          *gates = doc_field(status, "preemptionGates");

    doc_foreach (c, conditions)
        add_condition(d, c);
    doc_foreach (c, checks)
        add_check(d, c);
    doc_foreach (c, gates)
        add_gate(d, c);
}

int wl_json_rest_read(const struct doc_node *status, struct wl_json_rest **ret)
{
    struct wl_json_rest *r = NULL,
                        flags = {.has_cluster_name = doc_field(status, "clusterName") != NULL,
                                 .has_nominated = doc_field(status, "nominatedClusterNames") != NULL,
                                 .has_unhealthy = doc_field(status, "unhealthyNodes") != NULL};
    struct draft d = {.n = 0};

    *ret = NULL;
    str_init(&d.all, TEXT_MAX);
    add_all(&d, status);
    if (d.n || flags.has_cluster_name || flags.has_nominated || flags.has_unhealthy)
        r = str_failed(&d.all) ? NULL : block_of(&d);
    else
        r = &flags;
    str_free(&d.all);
    if (!r)
        return ERR_NOMEM;
    if (r == &flags)
        return 0;
    r->has_cluster_name = flags.has_cluster_name;
    r->has_nominated = flags.has_nominated;
    r->has_unhealthy = flags.has_unhealthy;
    *ret = r;
    return 0;
}

void wl_json_rest_free(struct wl_json_rest *r)
{
    mem_free(r);
}

size_t wl_json_rest_bytes(const struct wl_json_rest *r)
{
    return r ? r->bytes : 0;
}

const struct wl_json_part *wl_json_check_part(const struct wl_json_rest *r, const char *name)
{
    for (uint32_t i = 0; r && i < r->n; i++)
        if (r->parts[i].kind == PART_CHECK && strcmp(r->parts[i].name, name) == 0)
            return &r->parts[i];
    return NULL;
}
