/* Inside of the explanation. */
#ifndef SLUICE_SIM_EXPLAIN_PRIV_H
#define SLUICE_SIM_EXPLAIN_PRIV_H

#include "sim/explain.h"

const char *explain_text(struct explain *e, const struct str *s); /* a copy in the explanation */
/* explain_view.c: the world at rest as the Workload sees it. ERR_NOMEM. */
MUST_USE int explain_view(struct explain *e, struct err *err);

#endif
