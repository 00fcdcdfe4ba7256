/* The commands of the program: one file each, and a row in the table of main.c. */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

enum {
    CLI_OK = 0,
    CLI_BAD_INPUT = 1, /* also: the system refused something */
    CLI_BAD_USAGE = 2,
};

struct cli_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

int cli_simulate(int argc, char **argv);

#endif
