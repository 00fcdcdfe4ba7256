#include "api/priority.h"

#include <string.h>

const struct fact_priority_class *priority_find(const struct fact_priority_class *classes, uint32_t n,
                                                const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(classes[i].name, name) == 0)
            return &classes[i];
    return NULL;
}

static bool comes_first(const struct fact_priority_class *a, const struct fact_priority_class *b)
{
    return a->value != b->value ? a->value < b->value : strcmp(a->name, b->name) < 0;
}

int priority_resolve(const struct fact_priority_class *classes, uint32_t n, const char *name,
                     const struct fact_priority_class **ret_class, struct err *err)
{
    const struct fact_priority_class *best = NULL;

    if (*name) {
        best = priority_find(classes, n, name);
        if (!best)
            return err_set(err, ERR_NOTFOUND, "priorityclasses.scheduling.k8s.io \"%s\" not found", name);
    }
    for (uint32_t i = 0; i < n && !*name; i++)
        if (classes[i].global_default && (!best || comes_first(&classes[i], best)))
            best = &classes[i];
    *ret_class = best;
    return 0;
}
