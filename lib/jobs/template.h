/* Pod templates of a job as what a start adds and a stop takes out again (around.md 1.0.5, 1.0.6): to lifecycle/podinfo.h and back into
 * the document. The arena's bail must be set where nothing else is said. */
#ifndef SLUICE_JOBS_TEMPLATE_H
#define SLUICE_JOBS_TEMPLATE_H

#include "api/make.h"
#include "jobs/kind.h"
#include "lifecycle/podinfo.h"

/* The five parts of a template ({metadata, spec}). ERR_INVALID: something has no such form. */
MUST_USE int template_info(const struct doc_node *template, struct arena *a, struct podinfo *ret,
                           struct err *err);
/* The parts as an update of an admission check has them: labels, annotations, nodeSelector, tolerations. */
MUST_USE int template_update(const struct doc_node *update, struct arena *a, struct podinfo *ret,
                             struct err *err);

/* The template with these parts; what it has already keeps its own words. */
struct doc_node *template_with(struct arena *a, const struct doc_node *template, const struct podinfo *p);

/* The template with the parts of `source`, in its words, but with these labels. */
struct doc_node *template_like(struct arena *a, const struct doc_node *template,
                               const struct doc_node *source, const struct podinfo_labels *labels);

/* A pod set's place in the job. */
struct template_place {
    const struct job_pods *row;
    const struct doc_node *list;     /* the list of items; NULL = the job is the item */
    const struct doc_node *item;     /* below which the row's paths are */
    const struct doc_node *template; /* may be NULL */
    uint32_t i;                      /* in the list */
};

/* Places in order of the pod sets; in the arena. */
struct template_place *template_places(struct arena *a, const struct job_kind *k, const struct doc_node *job,
                                       uint32_t *ret_n);
/* The job with another template at one of its places. */
struct doc_node *template_put(struct arena *a, const struct doc_node *job, const struct template_place *place,
                              struct doc_node *template);

#endif
