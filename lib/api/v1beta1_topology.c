#include "api/v1beta1_topology.h"

#include <string.h>

/* A column: what all domains have at one level, or their counts. */
struct column {
    const struct doc_node **cells;
    uint32_t n;
};

static bool all_same(const struct column *c)
{
    for (uint32_t i = 1; i < c->n; i++) {
        if (strcmp(c->cells[i]->text, c->cells[0]->text) != 0)
            return false;
    }
    return true;
}

/* The longest end that all have. */
static size_t common_suffix(const struct column *c)
{
    const char *first = c->cells[0]->text;
    size_t len = strlen(first), common = len;
    for (uint32_t i = 1; i < c->n; i++) {
        const char *text = c->cells[i]->text;
        size_t n = strlen(text), k = 0;
        while (k < common && k < n && text[n - 1 - k] == first[len - 1 - k])
            k++;
        common = k;
    }
    return common;
}

/* The longest beginning that all have, outside of the suffix. */
static size_t common_prefix(const struct column *c, size_t suffix)
{
    const char *first = c->cells[0]->text;
    size_t common = strlen(first) - suffix;
    for (uint32_t i = 1; i < c->n; i++) {
        const char *text = c->cells[i]->text;
        size_t n = strlen(text) - suffix, k = 0;
        while (k < common && k < n && text[k] == first[k])
            k++;
        common = k;
    }
    return common;
}

static const char *part(struct arena *a, const char *text, size_t len)
{
    return make_format(a, "%.*s", (int)len, text);
}

static struct doc_node *values_of(struct arena *a, uint32_t line, const struct column *c)
{
    struct make values = make_map(a, line);
    if (all_same(c)) {
        make_put_copy(&values, "universal", c->cells[0]);
        return values.node;
    }
    const char *first = c->cells[0]->text;
    size_t suffix = common_suffix(c), prefix = common_prefix(c, suffix);
    struct make individual = make_map(a, line), roots = make_list(a, line);
    if (prefix)
        make_put_text(&individual, "prefix", part(a, first, prefix));
    if (suffix)
        make_put_text(&individual, "suffix", first + strlen(first) - suffix);
    for (uint32_t i = 0; i < c->n; i++) {
        const char *text = c->cells[i]->text;
        make_put_text(&roots, NULL, part(a, text + prefix, strlen(text) - prefix - suffix));
    }
    make_put(&individual, "roots", roots.node);
    make_put(&values, "individual", individual.node);
    return values.node;
}

static struct doc_node *counts_of(struct arena *a, uint32_t line, const struct column *c)
{
    struct make counts = make_map(a, line);
    if (all_same(c)) {
        make_put_copy(&counts, "universal", c->cells[0]);
        return counts.node;
    }
    struct make individual = make_list(a, line);
    for (uint32_t i = 0; i < c->n; i++)
        make_put_copy(&individual, NULL, c->cells[i]);
    make_put(&counts, "individual", individual.node);
    return counts.node;
}

/* Every domain has as many values as there are levels, all texts, and a count. */
static bool well_formed(struct reader *rd, const struct doc_node *domains, uint32_t nlevels)
{
    uint32_t before = rd->errors;
    doc_foreach (d, domains) {
        const struct doc_node *values = rd_list(rd, d, "values");
        int32_t count;
        if (d->type != DOC_MAP)
            rd_error(rd, d, "must be a map, not a %s", doc_type_name(d->type));
        else if (!rd_i32(rd, d, "count", &count))
            rd_required(rd, d, "count");
        if ((values ? values->n : 0) != nlevels)
            rd_error(rd, d, "Invalid value: must have one value for each of the %u levels", nlevels);
        doc_foreach (v, values) {
            if (v->type != DOC_STRING)
                rd_error(rd, v, "must be a string, not a %s", doc_type_name(v->type));
        }
    }
    return rd->errors == before;
}

static struct doc_node *slice_of(struct reader *rd, const struct doc_node *domains, uint32_t nlevels)
{
    struct arena *a = rd->arena;
    uint32_t line = domains->line, n = domains->n;
    struct make slice = make_map(a, line), levels = make_list(a, line);
    /* The domains side by side, so that a level is one step in each. */
    const struct doc_node **cursor = ARENA_NEW(a, const struct doc_node *, n);
    struct column c = {.cells = ARENA_NEW(a, const struct doc_node *, n), .n = n};
    uint32_t i = 0;
    doc_foreach (d, domains)
        cursor[i++] = doc_first(doc_field(d, "values"));
    make_put_int(&slice, "domainCount", n);
    for (uint32_t level = 0; level < nlevels; level++) {
        for (i = 0; i < n; i++) {
            c.cells[i] = cursor[i];
            cursor[i] = cursor[i]->next;
        }
        make_put(&levels, NULL, values_of(a, line, &c));
    }
    make_put(&slice, "valuesPerLevel", levels.node);
    i = 0;
    doc_foreach (d, domains)
        c.cells[i++] = doc_field(d, "count");
    make_put(&slice, "podCounts", counts_of(a, line, &c));
    return slice.node;
}

struct doc_node *v1beta1_topology(struct reader *rd, const struct doc_node *assignment)
{
    const struct doc_node *domains = doc_get(assignment, "domains"),
                          *levels = doc_field(assignment, "levels");
    if (!domains || (domains->type != DOC_LIST && domains->type != DOC_NULL))
        return make_copy(rd->arena, assignment);
    uint32_t nlevels = doc_is(levels, DOC_LIST) ? levels->n : 0;
    struct make out = make_map(rd->arena, assignment->line);
    if (doc_get(assignment, "slices"))
        rd_error(rd, domains, "Forbidden: becomes slices in v1beta2, which is there too");
    doc_foreach (c, assignment) {
        if (c != domains) {
            make_put_copy(&out, NULL, c);
        } else if (domains->n && well_formed(rd, domains, nlevels)) {
            struct make slices = make_list(rd->arena, c->line);
            make_put(&slices, NULL, slice_of(rd, domains, nlevels));
            make_put(&out, "slices", slices.node);
        }
    }
    return out.node;
}
