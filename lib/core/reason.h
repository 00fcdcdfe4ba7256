/* Texts of decisions: every message that people and programs read is rendered here from the decision's data (engine.md 5.5, 6.7, 7.7,
 * 11.4). Texts are API: they are exact. Nothing is parsed back. */
#ifndef SLUICE_CORE_REASON_H
#define SLUICE_CORE_REASON_H

#include "base/str.h"
#include "core/cycle.h"

/* Message of QuotaReserved=False of a decision, with the suffixes of 5.5 step 10. */
void reason_message(struct str *out, const struct world *w, const struct decision *d);
/* The reason of QuotaReserved=False beside it, as gate UnadmittedWorkloadsObservability has it (5.9). */
const char *reason_wait(const struct world *w, enum wait_reason r);
/* 6.7: the assignment's message alone; empty when everything fits. */
void reason_assignment(struct str *out, const struct world *w, const struct wl *wl,
                       const struct assignment *a);
/* One reason. */
void reason_print(struct str *out, const struct world *w, const struct reason *r);
/* 6.7: "Flavors considered: ..." of the QuotaReserved event; empty when there is nothing to say. */
void reason_flavors_considered(struct str *out, const struct world *w, const struct wl *wl,
                               const struct assignment *a);
/* 7.7: message M of the victim's Preempted and Evicted conditions. */
void reason_preemption(struct str *out, const struct world *w, const struct wl *preemptor,
                       uint32_t preemptor_cq, const struct target *t);
/* 7.7: the events on the victim (after M) and on the preemptor. */
void reason_preempted_event(struct str *out, const struct world *w, const struct wl *preemptor,
                            uint32_t preemptor_cq, const struct target *t);
void reason_preemptor_event(struct str *out, const struct world *w, const struct wl *preemptor,
                            const struct target *t);
/* An amount of a resource as messages write it (2.2). */
void reason_amount(struct str *out, const struct world *w, uint32_t res, amount v);

const char *outcome_text(enum outcome o); /* as in recorded worlds: "admitted", "noCandidates", ... */
const char *mode_text(enum mode m);       /* "Fit", "Preempt", ... */

#endif
