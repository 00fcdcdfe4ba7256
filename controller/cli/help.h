/* Help in words, from the table of commands. */
#ifndef SLUICE_CLI_HELP_H
#define SLUICE_CLI_HELP_H

#include "base/str.h"
#include "cli/commands.h"

/* `text` broken into lines of at most `width` columns, each after `indent` spaces; paragraphs (empty lines) and lines that begin with
 * a space are kept. The first line begins at column `at` of a line already begun. Ends with a newline. */
void help_wrap(struct str *out, const char *text, uint32_t at, uint32_t indent, uint32_t width);

void help_overview(struct str *out, uint32_t width);
void help_command(struct str *out, const struct cli_command *c, uint32_t width);
/* To stdout, as wide as the terminal (80 columns elsewhere, 100 at most). CLI_OK or CLI_BAD_INPUT. */
int help_print_command(const struct cli_command *c);
int help_print_overview(void);

#endif
