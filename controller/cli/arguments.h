/* Arguments of a command, read by its row of the table (cli/commands.h). */
#ifndef SLUICE_CLI_ARGUMENTS_H
#define SLUICE_CLI_ARGUMENTS_H

#include "cli/commands.h"

/* Gets each option by its long name (value NULL when it takes none) and, with option "", each other argument. CLI_OK, or CLI_BAD_USAGE
 * after saying why (cli_bad_usage). */
typedef int cli_take_fn(void *ctx, const char *option, const char *value);

/* Hands everything to `take`: options in their order, then the other arguments. What is not in the row (options, words, values) is
 * refused here. CLI_BAD_USAGE, after saying why on stderr, or CLI_OK. *ret_done: `--help` was asked for and printed. */
int cli_arguments(const struct cli_command *c, int argc, char **argv, cli_take_fn *take, void *ctx,
                  bool *ret_done);

/* "sluice COMMAND: WHAT" and where to find help, on stderr; CLI_BAD_USAGE. */
int cli_bad_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
