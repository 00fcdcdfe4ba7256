/* What stands for what when a trace meets queues: a tenant is a LocalQueue, a GPU some units of a resource, a type of GPU a node label. Read from
 * YAML:
 *
 *     resource: nvidia.com/gpu      # what GPUs are called in the quotas; this is the default
 *     unitsPerGpu: 1                # 1000 where quotas count thousandths; 1 is the default, of cpu, whose units are thousandths, 1000
 *     namespace: default            # of LocalQueues that are given without one; this is the default
 *     tenants: {physics: team-a/main, biology: main}
 *     gpuTypeLabel: example.com/gpu # jobs that name a type select nodes by this label; default: types count for nothing
 *     gpuTypes: {A100: a100-80gb}   # value of the label; default: the type itself
 *
 * A tenant that is not listed stands for the LocalQueue of its own name ("namespace/name", or a name in the default namespace). */
#ifndef SLUICE_SIM_MAPPING_H
#define SLUICE_SIM_MAPPING_H

#include "base/err.h"

#include <stdint.h>

struct mapping;

/* The defaults; owned; NULL when memory is exhausted. */
struct mapping *mapping_new(void);
void mapping_free(struct mapping *m);
/* Reads a text over the defaults. ERR_INVALID ("line N: ..."), ERR_NOMEM: `m` is of no more use. */
MUST_USE int mapping_read(struct mapping *m, const char *text, uint64_t len, struct err *err);

const char *mapping_resource(const struct mapping *m);
int64_t mapping_units(const struct mapping *m);          /* of one GPU, 1..1000000 */
const char *mapping_type_label(const struct mapping *m); /* "" = none */
const char *mapping_type(const struct mapping *m, const char *gpu_type, uint32_t len); /* NULL: itself */
/* Namespace and name; *ret_ns_len bytes of *ret_ns are the namespace. Borrowed from `m` or `tenant`. */
void mapping_queue(const struct mapping *m, const char *tenant, const char **ret_ns, uint32_t *ret_ns_len,
                   const char **ret_name);

#endif
