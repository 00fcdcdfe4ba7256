#include "vec_quota.h"

#include "core/world_priv.h"

#include <inttypes.h>

struct vec_quota_node vec_quota_find(struct script *s, const char *name, bool cohort)
{
    uint32_t id = names_find(s->w->names, name);
    for (uint32_t i = 0; i < s->w->ntrees; i++)
        for (uint32_t n = 0; n < s->w->trees[i]->nnodes; n++) {
            const struct tree_node *node = &s->w->trees[i]->nodes[n];
            if (node->name == id && (node->cq == TREE_NONE) == cohort)
                return (struct vec_quota_node){s->w->trees[i], n};
        }
    return (struct vec_quota_node){NULL, TREE_NONE};
}

static void add_amount(struct str *out, amount v)
{
    if (v == AMOUNT_UNLIMITED)
        str_add(out, "\"unlimited\"");
    else
        str_addf(out, "%" PRId64, v);
}

static void add_key(struct str *out, const char *flavor, const char *resource)
{
    if (out->len > 1)
        str_addc(out, ',');
    str_addf(out, "\"%s/%s\":", flavor, resource);
}

void vec_quota_add(struct str *out, const char *flavor, const char *resource, amount v)
{
    add_key(out, flavor, resource);
    add_amount(out, v);
}

static void add_quota(struct str *out, const struct cell *c)
{
    str_addf(out, "{\"nominal\":");
    add_amount(out, c->nominal);
    if (c->has_borrowing) {
        str_add(out, ",\"borrowingLimit\":");
        add_amount(out, c->borrowing);
    }
    if (c->has_lending) {
        str_add(out, ",\"lendingLimit\":");
        add_amount(out, c->lending);
    }
    str_addc(out, '}');
}

static void add_cell(struct script *s, struct str *out, struct vec_quota_node n, uint32_t col,
                     enum vec_quota_kind kind)
{
    const struct cell *c = tree_cell(n.tree, n.node, col);
    struct pair_names p = world_pair(s->w, n.tree->fr[col]);
    if ((kind == VEC_QUOTAS && !c->own) || (kind == VEC_TREE_QUOTA && !c->declared))
        return;
    add_key(out, p.flavor, p.resource);
    if (kind == VEC_QUOTAS)
        add_quota(out, c);
    else if (kind == VEC_TREE_QUOTA)
        add_amount(out, c->quota);
    else if (kind == VEC_USAGE)
        add_amount(out, c->usage);
    else if (kind == VEC_AVAILABLE)
        add_amount(out, tree_fit(n.tree, n.node, col));
    else
        add_amount(out, c->potential);
}

void vec_quota_check_pairs(struct vec *v, const char *field, const struct doc_node *want,
                           const struct str *got)
{
    struct str out;
    str_init(&out, 0);
    str_addc(&out, '{');
    doc_foreach (c, want) {
        add_key(&out, vec_str(v, doc_field(c, "flavor")), vec_str(v, doc_field(c, "resource")));
        str_add(&out, doc_get(c, "value") ? vec_text(v, doc_get(c, "value")) : "0");
    }
    str_addc(&out, '}');
    const struct doc_node *map = vec_read(v, str_text(&out));
    if (map)
        vec_check_json(v, field, map, got, NULL);
    str_free(&out);
}

void vec_quota_check(struct script *s, const char *field, const struct doc_node *want,
                     struct vec_quota_node n, enum vec_quota_kind kind)
{
    struct str got;
    str_init(&got, 0);
    str_addc(&got, '{');
    for (uint32_t col = 0; n.tree && col < n.tree->ncols; col++)
        add_cell(s, &got, n, col, kind);
    str_addc(&got, '}');
    vec_quota_check_pairs(s->v, field, want, &got);
    str_free(&got);
}

void vec_quota_check_node(struct script *s, const char *field, const struct doc_node *want,
                          struct vec_quota_node n)
{
    static const struct {
        const char *key;
        enum vec_quota_kind kind;
    } parts[] = {{"quotas", VEC_QUOTAS}, {"subtreeQuota", VEC_TREE_QUOTA}, {"usage", VEC_USAGE}};
    vec_check(s->v, field, n.tree != NULL, "a node", "none");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (doc_get(want, parts[i].key))
            vec_quota_check(s, vec_printf(s->v, "%s.%s", field, parts[i].key), doc_get(want, parts[i].key), n,
                            parts[i].kind);
}

uint32_t vec_quota_column(struct script *s, const struct tree *t, const struct doc_node *entry)
{
    uint32_t fr = world_find_pair(s->w, vec_str(s->v, doc_field(entry, "flavor")),
                                  vec_str(s->v, doc_field(entry, "resource")));
    return fr == NONE ? TREE_NONE : tree_col(t, fr);
}

void vec_quota_charge(struct script *s, struct vec_quota_node n, const struct doc_node *list)
{
    doc_foreach (c, list) {
        uint32_t col = n.tree ? vec_quota_column(s, n.tree, c) : TREE_NONE;
        if (col == TREE_NONE)
            vec_broken(s->v, vec_text(s->v, c), NULL);
        else
            tree_charge(n.tree, n.node, col, vec_i64(s->v, doc_field(c, "value")));
    }
}
