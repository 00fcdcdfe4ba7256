/* Which priority has an object that names a class, or none (engine.md 1.6). */
#ifndef SLUICE_API_PRIORITY_H
#define SLUICE_API_PRIORITY_H

#include "api/objects.h"

/* The class of that name; NULL if there is none. Works for both kinds of class. */
const struct fact_priority_class *priority_find(const struct fact_priority_class *classes, uint32_t n,
                                                const char *name);

/* PriorityClasses only: the class named or, for "", the cluster's default: of several the one with the lowest value (ties by name).
 * ERR_NOTFOUND when the class named does not exist; NULL in *ret_class when there is no default (priority 0). */
MUST_USE int priority_resolve(const struct fact_priority_class *classes, uint32_t n, const char *name,
                              const struct fact_priority_class **ret_class, struct err *err);

#endif
