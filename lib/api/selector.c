#include "api/kinds.h"

#include "api/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Label selectors, required node affinity, taints and tolerations (engine.md 1.1, 1.2, 6.3, 6.4). */

enum { PROBLEM_MAX = 768 };

static const struct rd_word label_ops[] = {
    {"In", SEL_IN},
    {"NotIn", SEL_NOT_IN},
    {"Exists", SEL_EXISTS},
    {"DoesNotExist", SEL_NOT_EXISTS},
};
static const struct rd_word node_ops[] = {
    {"In", SEL_IN}, {"NotIn", SEL_NOT_IN}, {"Exists", SEL_EXISTS}, {"DoesNotExist", SEL_NOT_EXISTS},
    {"Gt", SEL_GT}, {"Lt", SEL_LT},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_integer(const char *s)
{
    char *end;
    if (!*s || strchr(" \t\n\v\f\r", *s))
        return false;
    errno = 0;
    strtoll(s, &end, 10);
    return !*end && errno == 0;
}

/* ["a","b"] */
static void print_values(const struct fact_expr *e, char *buf, size_t cap)
{
    size_t len = 0;
    for (uint32_t i = 0; i < e->nvalues && len + 1 < cap; i++) {
        int n = snprintf(buf + len, cap - len, "%s\"%s\"", i ? "," : "[", e->values[i]);
        len += n > 0 ? (size_t)n : 0;
    }
    if (len + 1 < cap)
        snprintf(buf + len, cap - len, "%s", e->nvalues ? "]" : "[]");
}

/* What is wrong with the number of values, NULL if nothing. */
static const char *values_problem(const struct fact_expr *e)
{
    switch (e->op) {
    case SEL_IN:
    case SEL_NOT_IN:
        return e->nvalues ? NULL : "for 'in', 'notin' operators, values set can't be empty";
    case SEL_EXISTS:
    case SEL_NOT_EXISTS:
        return e->nvalues ? "values set must be empty for exists and does not exist" : NULL;
    case SEL_GT:
    case SEL_LT:
        return e->nvalues == 1 ? NULL : "for 'Gt', 'Lt' operators, exactly one value is required";
    }
    return NULL;
}

/* Kubernetes' text about an expression that does not parse, with `path` in front; false when it is right. */
static bool expr_problem(const struct fact_expr *e, const char *path, char *buf, size_t cap)
{
    const char *why = label_key_problem(e->key);
    if (why) {
        snprintf(buf, cap, "%s.key: Invalid value: \"%.100s\": %s", path, e->key, why);
        return true;
    }
    why = values_problem(e);
    if (why) {
        char values[128];
        print_values(e, values, sizeof(values));
        snprintf(buf, cap, "%s.values: Invalid value: %s: %s", path, values, why);
        return true;
    }
    for (uint32_t i = 0; i < e->nvalues; i++) {
        why = (e->op == SEL_GT || e->op == SEL_LT) && !is_integer(e->values[i])
                  ? "for 'Gt', 'Lt' operators, the value must be an integer"
                  : label_value_problem(e->values[i]);
        if (why) {
            snprintf(buf, cap, "%s.values[%u]: Invalid value: \"%.100s\": %s", path, i, e->values[i], why);
            return true;
        }
    }
    return false;
}

/* ---- label selectors ---------------------------------------------------------------------------------------------------- */

static void read_label_expr(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct fact_expr *e = ret;
    rd_known(rd, n, "key operator values ");
    e->key = rd_name(rd, n, "key", label_key_problem, false);
    if (!doc_field(n, "operator"))
        rd_required(rd, n, "operator");
    e->op = (enum sel_op)RD_WORD(rd, n, "operator", label_ops, SEL_IN);
    e->values = rd_strings(rd, n, "values", &e->nvalues);
    if (!rd_validates(rd))
        return;
    bool in = e->op == SEL_IN || e->op == SEL_NOT_IN;
    if (in && !e->nvalues)
        rd_error_at(rd, n, "values", "Required value: must be specified when `operator` is 'In' or 'NotIn'");
    if (!in && e->nvalues)
        rd_error_at(rd, n, "values",
                    "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    const struct doc_node *values = doc_field(n, "values");
    doc_foreach (v, values) {
        const char *why = v->type == DOC_STRING ? label_value_problem(v->text) : NULL;
        if (why)
            rd_invalid(rd, v, why);
    }
}

/* matchLabels are In expressions with one value; they come first. */
static void add_match_labels(struct reader *rd, const struct doc_node *map, struct fact_expr *out)
{
    uint32_t n;
    const struct fact_label *labels = rd_labels_of(rd, map, &n);
    for (uint32_t i = 0; i < n; i++) {
        const char **value = ARENA_NEW(rd->arena, const char *, 1);
        *value = labels[i].value;
        out[i] = (struct fact_expr){.key = labels[i].key, .op = SEL_IN, .values = value, .nvalues = 1};
    }
    rd_check_labels(rd, map, false);
}

void read_selector(struct reader *rd, const struct doc_node *node, struct fact_selector *ret)
{
    *ret = (struct fact_selector){.is_null = true};
    if (!node || node->type == DOC_NULL)
        return;
    rd_known(rd, node, "matchLabels matchExpressions ");
    const struct doc_node *labels = rd_map(rd, node, "matchLabels"),
                          *list = rd_list(rd, node, "matchExpressions");
    uint32_t nlabels = labels ? labels->n : 0, nexprs = 0;
    const struct fact_expr *exprs = rd_items(rd, list, sizeof(*exprs), read_label_expr, &nexprs);
    struct fact_expr *out = ARENA_NEW(rd->arena, struct fact_expr, nlabels + nexprs + 1);
    add_match_labels(rd, labels, out);
    if (nexprs)
        memcpy(out + nlabels, exprs, nexprs * sizeof(*out));
    *ret = (struct fact_selector){.exprs = out, .nexprs = nlabels + nexprs};
}

/* ---- required node affinity --------------------------------------------------------------------------------------------- */

static bool node_op(const char *text, enum sel_op *ret)
{
    for (size_t i = 0; i < COUNT(node_ops); i++) {
        if (strcmp(node_ops[i].text, text) == 0) {
            *ret = (enum sel_op)node_ops[i].value;
            return true;
        }
    }
    return false;
}

/* An expression that does not parse is no error of the object: the engine refuses flavors with its text. */
static void read_node_expr(struct reader *rd, const struct doc_node *n, uint32_t term, struct fact_expr *e,
                           const char **error)
{
    char path[96], text[PROBLEM_MAX] = "";
    snprintf(path, sizeof(path), "nodeSelectorTerms[%u].matchExpressions[%u]", term, n->index);
    rd_known(rd, n, "key operator values ");
    e->key = rd_str(rd, n, "key");
    e->values = rd_strings(rd, n, "values", &e->nvalues);
    const char *op = rd_str(rd, n, "operator");
    bool bad = !node_op(op, &e->op);
    if (bad)
        snprintf(text, sizeof(text),
                 "%s.operator: Unsupported value: \"%.100s\": supported values: \"DoesNotExist\", "
                 "\"Exists\", \"Gt\", "
                 "\"In\", \"Lt\", \"NotIn\"",
                 path, op);
    else
        bad = expr_problem(e, path, text, sizeof(text));
    if (!bad || **error)
        return;
    size_t len = strlen(text);
    char *copy = arena_need(rd->arena, len + 1);
    memcpy(copy, text, len);
    *error = copy;
}

static void read_term(struct reader *rd, const struct doc_node *n, struct fact_term *ret, const char **error)
{
    rd_known(rd, n, "matchExpressions matchFields ");
    const struct doc_node *list = rd_list(rd, n, "matchExpressions");
    struct fact_expr *exprs = list && list->n ? ARENA_NEW(rd->arena, struct fact_expr, list->n) : NULL;
    doc_foreach (c, list) {
        if (c->type == DOC_MAP)
            read_node_expr(rd, c, n->index, &exprs[ret->nexprs++], error);
        else
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
    }
    ret->exprs = exprs;
}

void read_node_affinity(struct reader *rd, const struct doc_node *pod_spec, struct fact_pod *ret)
{
    const struct doc_node *affinity = rd_map(rd, rd_map(rd, pod_spec, "affinity"), "nodeAffinity");
    const struct doc_node *required = rd_map(rd, affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    ret->selector_error = "";
    ret->has_affinity = required != NULL;
    const struct doc_node *list = rd_list(rd, required, "nodeSelectorTerms");
    struct fact_term *terms = list && list->n ? ARENA_NEW(rd->arena, struct fact_term, list->n) : NULL;
    doc_foreach (c, list) {
        if (c->type == DOC_MAP)
            read_term(rd, c, &terms[ret->nterms++], &ret->selector_error);
        else
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
    }
    ret->terms = terms;
}

/* ---- taints, tolerations ------------------------------------------------------------------------------------------------ */

static const struct rd_word effects[] = {
    {"NoSchedule", EFFECT_NO_SCHEDULE},
    {"PreferNoSchedule", EFFECT_PREFER_NO_SCHEDULE},
    {"NoExecute", EFFECT_NO_EXECUTE},
    {"", EFFECT_ANY},
};

void read_taint_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct fact_taint *t = ret;
    rd_known(rd, n, "key value effect timeAdded ");
    t->key = rd_str(rd, n, "key");
    t->value = rd_str(rd, n, "value");
    t->effect = (enum taint_effect)rd_word(rd, n, "effect", effects, rd_validates(rd) ? 3 : 4, EFFECT_ANY);
}

void read_toleration_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    static const struct rd_word ops[] = {
        {"Equal", TOLERATE_EQUAL}, {"Exists", TOLERATE_EXISTS}, {"Lt", TOLERATE_LT},
        {"Gt", TOLERATE_GT},       {"", TOLERATE_EQUAL},
    };
    struct fact_toleration *t = ret;
    rd_known(rd, n, "key operator value effect tolerationSeconds ");
    t->key = rd_str(rd, n, "key");
    t->value = rd_str(rd, n, "value");
    t->op = (enum toleration_op)RD_WORD(rd, n, "operator", ops, TOLERATE_EQUAL);
    t->effect = (enum taint_effect)RD_WORD(rd, n, "effect", effects, EFFECT_ANY);
}

const struct fact_taint *read_taints(struct reader *rd, const struct doc_node *parent, const char *field,
                                     uint32_t *ret_n)
{
    return rd_items(rd, rd_list(rd, parent, field), sizeof(struct fact_taint), read_taint_item, ret_n);
}

const struct fact_toleration *read_tolerations(struct reader *rd, const struct doc_node *parent,
                                               const char *field, uint32_t *ret_n)
{
    return rd_items(rd, rd_list(rd, parent, field), sizeof(struct fact_toleration), read_toleration_item,
                    ret_n);
}
