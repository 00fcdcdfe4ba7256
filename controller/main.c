#include "cli/commands.h"
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const struct cli_command *c = cli_find(word);

    if (c)
        return c->run(argc - 1, argv + 1);
    if (!strcmp(word, "--version")) {
        printf("sluice %s\n", SLUICE_VERSION);
        return CLI_OK;
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        return help_print_overview();
    (void)fprintf(stderr, *word ? "sluice: unknown command \"%s\"\n" : "sluice: no command%s\n", word);
    (void)fprintf(stderr, "Try `sluice --help`.\n");
    return CLI_BAD_USAGE;
}
