#include "api/kinds.h"

#include <string.h>

/* LimitRange (engine.md 2.5, 2.8): its Container and Pod items; other types say nothing about Workloads. */

static const struct fact_amount *find(const struct fact_amount *list, uint32_t n, const char *resource)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(list[i].resource, resource) == 0)
            return &list[i];
    }
    return NULL;
}

/* Adds to `list` what `more` has and it lacks. */
static void fill(struct reader *rd, const struct fact_amount **list, uint32_t *n,
                 const struct fact_amount *more, uint32_t nmore)
{
    struct fact_amount *out = ARENA_NEW(rd->arena, struct fact_amount, *n + nmore + 1);
    uint32_t k = *n;
    if (*n)
        memcpy(out, *list, *n * sizeof(*out));
    for (uint32_t i = 0; i < nmore; i++) {
        if (!find(*list, *n, more[i].resource))
            out[k++] = more[i];
    }
    *list = out;
    *n = k;
}

/* What the API server fills in for containers: a limit from max, a request from the limit, a request from min. */
static void default_container(struct reader *rd, struct fact_limit_item *it)
{
    fill(rd, &it->defaults, &it->ndefaults, it->max, it->nmax);
    fill(rd, &it->default_requests, &it->ndefault_requests, it->defaults, it->ndefaults);
    fill(rd, &it->default_requests, &it->ndefault_requests, it->min, it->nmin);
}

static void read_item(struct reader *rd, const struct doc_node *n, struct fact_limit_item *ret)
{
    rd_known(rd, n, "type max min default defaultRequest maxLimitRequestRatio ");
    ret->max = rd_amounts(rd, n, "max", &ret->nmax);
    ret->min = rd_amounts(rd, n, "min", &ret->nmin);
    ret->defaults = rd_amounts(rd, n, "default", &ret->ndefaults);
    ret->default_requests = rd_amounts(rd, n, "defaultRequest", &ret->ndefault_requests);
    if (ret->type == LIMIT_CONTAINER && rd_defaults(rd))
        default_container(rd, ret);
}

const struct fact_limit_item *read_limit_items(struct reader *rd, const struct doc_node *list,
                                               uint32_t *ret_n)
{
    struct fact_limit_item *out =
        list && list->n ? ARENA_NEW(rd->arena, struct fact_limit_item, list->n) : NULL;
    uint32_t n = 0;
    doc_foreach (c, list) {
        if (c->type != DOC_MAP) {
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
            continue;
        }
        const char *type = rd_name(rd, c, "type", NULL, false);
        bool container = strcmp(type, "Container") == 0;
        if (!container && strcmp(type, "Pod") != 0)
            continue;
        out[n].type = container ? LIMIT_CONTAINER : LIMIT_POD;
        read_item(rd, c, &out[n++]);
    }
    *ret_n = n;
    return out;
}
