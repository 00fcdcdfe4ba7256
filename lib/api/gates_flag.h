/* Feature gates on a command line: "NameA=true,NameB=false". */
#ifndef SLUICE_API_GATES_FLAG_H
#define SLUICE_API_GATES_FLAG_H

#include "base/arena.h"
#include "base/err.h"
#include "core/facts.h"

/* The gates that count: those of the flag, or those of the file when the flag is "". Names of the flag go to `a`; those of the file are
 * borrowed. ERR_INVALID when both give some (as Kueue has it), for an unknown gate, and for gates that do not go together; ERR_NOMEM. */
MUST_USE int gates_flag(const char *flag, const struct fact_config *file, struct arena *a,
                        const struct fact_gate **ret, uint32_t *ret_n, struct err *err);

#endif
