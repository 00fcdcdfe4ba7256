/* The areas, each in files of its own. */
#include "vec.h"

#include <string.h>

extern const struct vec_area vec_area_resources, vec_area_util, vec_area_workload, vec_area_podset;
extern const struct vec_area vec_area_assign, vec_area_preempt, vec_area_schedule, vec_area_webhooks;
extern const struct vec_area vec_area_lifecycle, vec_area_controllers, vec_area_config, vec_area_jobs;
extern const struct vec_area vec_area_jobs_reconcile, vec_area_jobs_parts;
extern const struct vec_area vec_area_queue, vec_area_queue_view, vec_area_cache, vec_area_cache_tree;

static const struct vec_area *const areas[] = {
    &vec_area_resources,      &vec_area_queue,      &vec_area_queue_view, &vec_area_util,
    &vec_area_workload,       &vec_area_podset,     &vec_area_assign,     &vec_area_preempt,
    &vec_area_schedule,       &vec_area_webhooks,   &vec_area_lifecycle,  &vec_area_controllers,
    &vec_area_config,         &vec_area_cache,      &vec_area_cache_tree, &vec_area_jobs,
    &vec_area_jobs_reconcile, &vec_area_jobs_parts,
};

const struct vec_entry *vec_registry_find(const char *table)
{
    for (size_t a = 0; a < sizeof(areas) / sizeof(areas[0]); a++)
        for (size_t i = 0; i < areas[a]->n; i++)
            if (strcmp(areas[a]->entries[i].table, table) == 0)
                return &areas[a]->entries[i];
    return NULL;
}
