#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "0.0.0"
#endif

static const struct cli_command commands[] = {
    {"simulate", "who would get quota in a world that is given as files", cli_simulate},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *to)
{
    (void)fprintf(to, "usage: sluice COMMAND [OPTION...]\n       sluice --help | --version\n\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(to, "\n`sluice COMMAND --help` says more.\n");
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (!strcmp(word, "--version")) {
        printf("sluice %s\n", SLUICE_VERSION);
        return CLI_OK;
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
        usage(stdout);
        return CLI_OK;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(word, commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    if (*word)
        (void)fprintf(stderr, "sluice: unknown command \"%s\"\n", word);
    usage(stderr);
    return CLI_BAD_USAGE;
}
