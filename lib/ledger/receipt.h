/* The receipt of a preemption: what an eviction that a cycle decided does to the shares of both queues, and what work it throws away. */
#ifndef SLUICE_LEDGER_RECEIPT_H
#define SLUICE_LEDGER_RECEIPT_H

#include "core/cycle.h"
#include "core/world.h"
#include "ledger/rows.h"

/* Adds the receipt of the i-th eviction of the cycle, and a row of loss for each pair, under the id of its decision. To be called right after
 * the cycle, before statuses follow: the victim still holds its quota. Shares are those of the two ClusterQueues with and without the
 * victim's use, and without and with the preemptor's request; unknown (NAN) where a tree is deeper than RECEIPT_DEPTH_MAX. Work lost is all
 * since the admission: what a job saved in checkpoints, nobody here knows. The world is as before when it returns. */
enum { RECEIPT_DEPTH_MAX = 32, RECEIPT_PAIRS_MAX = 64 };
void receipt_add(struct rows *r, uint64_t decision, struct world *w, const struct cycle *c, uint32_t i,
                 when_ns now);

/* amount x time in amount-seconds, rounded down; saturates. */
int64_t receipt_work(amount a, int64_t ns);

#endif
