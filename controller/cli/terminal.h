/* What the program writes to: a terminal with a width and perhaps colours, or a file. */
#ifndef SLUICE_CLI_TERMINAL_H
#define SLUICE_CLI_TERMINAL_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Columns of the terminal behind a file descriptor, at least TERMINAL_WIDTH_MIN; 0 when it is no terminal. */
enum { TERMINAL_WIDTH_MIN = 80 };
uint32_t terminal_width(int fd);
/* On a terminal that is not called "dumb", and NO_COLOR is unset or empty (no-color.org). */
bool terminal_colors(int fd);
bool terminal_is(int fd);
/* All of `out` to stdout, flushed. CLI_OK; CLI_BAD_INPUT, after saying why on stderr, when that fails or `out` has failed. */
int terminal_put(const char *command, const struct str *out);

#endif
