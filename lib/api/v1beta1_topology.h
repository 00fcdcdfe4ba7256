/* Part of v1beta1: topologyAssignment, whose domains (one a line) became slices (one column a level). */
#ifndef SLUICE_API_V1BETA1_TOPOLOGY_H
#define SLUICE_API_V1BETA1_TOPOLOGY_H

#include "api/make.h"
#include "api/reader.h"

/* A topologyAssignment of v1beta2 from one of v1beta1 ({levels, domains: [{values, count}]} becomes {levels, slices}); what is not of
 * that form is copied. Errors are noted. */
struct doc_node *v1beta1_topology(struct reader *rd, const struct doc_node *assignment);

#endif
