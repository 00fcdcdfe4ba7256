/* Between the controller and its meter: what is to be counted of a Workload follows from two states of its object, one after the other, as
 * the API server had them; who changed it does not matter. A state that was not there (a Workload seen for the first time, after a start or
 * a change of leader) counts nothing. */
#ifndef SLUICE_RUN_METER_FEED_H
#define SLUICE_RUN_METER_FEED_H

#include "run/controller.h"
#include "run/meter.h"

struct doc_node;
struct record;
struct thing;

/* What only the driver knows; each may be NULL. Borrowed for the life of the controller. */
struct meter_feed_options {
    const char *version;
    const struct http_stats *(*http)(void *arg);
    uint64_t (*log_dropped)(void *arg);
    void *arg;
};

/* Begins to count. Once, before the first turn. The meter is the controller's: it goes with it. ERR_NOMEM. */
MUST_USE int meter_feed_start(struct controller *c, const struct meter_feed_options *o, struct meter **ret,
                              struct err *err);

/* ---- inside the controller ------------------------------------------------------------------------------------------------- */

struct meter_feed;

/* How a Workload's object was when it was looked at last; in its record, zeroed. */
struct meter_seen {
    when_ns evicted_at, ready_at; /* WHEN_NONE = it is not */
    uint32_t cluster_queue;       /* name id of its last admission */
    bool known : 1, reserved : 1, admitted : 1, finished : 1;
};

void meter_feed_end(struct controller *c);
/* Its object was taken: what happened since the last one is counted. */
void meter_feed_taken(struct record *r);
/* Its status is another one, whoever knows that: it is counted among those who wait, run or are through. */
void meter_feed_mark(struct record *r);
void meter_feed_gone(struct record *r);
void meter_feed_thing_gone(struct controller *c, const struct thing *t);
/* Does the selector of metrics.localQueueMetrics take this LocalQueue? */
bool meter_feed_takes(const struct controller *c, const struct doc_node *local_queue);

#endif
