/* The kinds that the simulated API server serves (engine.md 1, kubernetes.md 3). */
#ifndef SLUICE_TESTS_SIMULATED_RESOURCE_H
#define SLUICE_TESTS_SIMULATED_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct resource {
    const char *group; /* "" for the core */
    const char *version, *plural, *kind;
    bool namespaced;
    bool status;     /* has a status subresource */
    bool generation; /* counts changes of what is wanted */
    bool
        custom; /* of a CustomResourceDefinition: its lists name the kind in each item; an update needs a version */
    bool unconditional; /* an update may leave the version out */
    bool optional;      /* absent unless asked for */
};

enum { RESOURCE_MAX = 40 };

size_t resource_count(void);
const struct resource *resource_at(size_t i);
size_t resource_index(const struct resource *r);
/* NULL when there is none. The texts need not end with NUL. */
const struct resource *resource_find(const char *group, size_t group_len, const char *version,
                                     size_t version_len, const char *plural, size_t plural_len);
const struct resource *resource_of_kind(const char *kind); /* for tests: the first of this kind */

#endif
