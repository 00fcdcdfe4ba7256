/* Days, weeks and months of UTC. */
#ifndef SLUICE_LEDGER_PERIOD_H
#define SLUICE_LEDGER_PERIOD_H

#include "base/when.h"

enum period { PERIOD_ALL, PERIOD_DAY, PERIOD_WEEK /* from Monday */, PERIOD_MONTH };

/* The beginning of the one that holds `t`, and of the next one. PERIOD_ALL: INT64_MIN + 1 and INT64_MAX. Times next to the ends of what a
 * when_ns can hold are clamped. */
when_ns period_begin(enum period p, when_ns t);
when_ns period_next(enum period p, when_ns begin);

#endif
