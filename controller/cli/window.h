/* Lengths of time and the window of a trace, as people write them. */
#ifndef SLUICE_CLI_WINDOW_H
#define SLUICE_CLI_WINDOW_H

#include "sim/tally.h"

/* "49d", "12h30m", "90s", or a plain number of seconds. False: it is none. */
bool window_length(const char *text, int64_t *ret);
/* Begin and end, each a date, or a length of time from the trace's beginning: day 0 of its clock, or the first submission where times are dates.
 * NULL leaves that side open. The trace is opened when that is needed. An exit status, after saying why in the name of `command`. */
int window_read(const char *command, const char *trace, const char *from, const char *to, struct window *ret);

#endif
