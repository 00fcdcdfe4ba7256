/* Inside lib/api: the parts of a Configuration (around.md 7.5). Unlike elsewhere, a field that nobody knows is an error: Kueue decodes
 * the file strictly. */
#ifndef SLUICE_API_CONFIG_H
#define SLUICE_API_CONFIG_H

#include "api/kinds.h"
#include "api/settings.h"
#include "core/gates.h"

#define CONFIG_NOT_NEGATIVE "must be greater than or equal to 0"

/* `known` as in rd_known. */
void config_known(struct reader *rd, const struct doc_node *map, const char *known);
/* A duration: must not be negative, or (`zero_allowed` false) must be positive. */
void config_check_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t ns,
                           bool zero_allowed);
/* The field's duration, checked as above; `dflt` when it is absent. */
int64_t config_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t dflt);
const char *config_str(struct reader *rd, const struct doc_node *parent, const char *field, const char *dflt);
int32_t config_i32(struct reader *rd, const struct doc_node *parent, const char *field, int32_t dflt);

/* config_gates.c: the gates as the file sets them. */
struct gates config_gates(struct reader *rd, const struct doc_node *root, struct fact_config *c);
/* config_manager.c: what the manager process needs. */
void config_manager(struct reader *rd, const struct doc_node *root, struct settings *s);
/* config_jobs.c: integrations, namespaces, retention, MultiKueue. */
void config_jobs(struct reader *rd, const struct doc_node *root, const struct gates *g, struct settings *s);
void config_multikueue(struct reader *rd, const struct doc_node *root, const struct gates *g,
                       struct settings *s);
/* config_devices.c */
void config_devices(struct reader *rd, const struct doc_node *resources, const struct gates *g,
                    struct settings *s);

#endif
