/* Feature gates (engine.md 12): Kueue's names and defaults, with their dependencies. */
#ifndef SLUICE_CORE_GATES_H
#define SLUICE_CORE_GATES_H

#include "core/facts.h"

/* The gates that the engine itself asks for. */
enum gate {
    GATE_PARTIAL_ADMISSION,
    GATE_FLAVOR_FUNGIBILITY,
    GATE_DISABLE_WAIT_FOR_PODS_READY,
    GATE_PRIORITY_SORTING,
    GATE_FAIR_WITHIN_NOMINAL,
    GATE_FAIR_PRIORITIZE_NON_BORROWING,
    GATE_TAS,
    GATE_ADMISSION_FAIR_SHARING,
    GATE_RECLAIMABLE_PODS,
    GATE_EQUIVALENCE_HASHING,
    GATE_ORCHESTRATED_PREEMPTION,
    GATE_PRIORITY_BOOST,
    GATE_ADMISSION_GATED_BY,
    GATE_CONCURRENT_ADMISSION,
    GATE_QUOTA_CHECK_STRATEGY,
    GATE_OBSERVABILITY,
    GATE_EXPLICIT_STATUS,
    GATE_PREEMPTORS_FIRST,
    GATE_PRESERVE_SCAN,
    GATE_RECOMPUTE_ON_OVERLAP,
    GATES_USED
};

struct gates {
    uint64_t on[2]; /* one bit a row of the table */
};

struct gates gates_default(void);
/* Switches one gate; enabling enables what it needs, disabling disables what needs it. ERR_NOTFOUND for an unknown name, ERR_STATE
 * for one that is locked. */
MUST_USE int gates_set(struct gates *g, const char *name, bool on, struct err *err);
bool gate_on(const struct gates *g, enum gate gate);
/* Is there a gate of this name? */
bool gate_known(const char *name);
/* How a gate of any name stands; false for an unknown one. */
bool gate_named(const struct gates *g, const char *name);
/* Settings as a Configuration gives them, where nothing follows anything: each is put over the defaults as it is, and a gate that is on
 * while one that it needs is off is an error (ERR_INVALID; the text names all of them, as Kueue's does). Unknown names are passed over. */
MUST_USE int gates_consistent(const struct fact_gate *list, uint32_t n, struct err *err);

#endif
