/* What all commands of the program share: exit statuses, and their entry points. One file a command, one row in cli/commands.c. */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

/* Exit statuses; cli_worse says which of two counts. */
enum {
    CLI_OK = 0,
    CLI_BAD_INPUT = 1, /* also: the system refused something */
    CLI_BAD_USAGE = 2,
    CLI_WAITING = 3, /* simulate: all went well, and some Workloads wait */
    CLI_EFFECTS = 4, /* diff: all went well, and the change makes a difference */
};

/* The one to exit with: wrong usage, then bad input, then effects, then waiting. */
int cli_worse(int a, int b);

/* argv[0] is the command's name; the result is the exit status. */
int cli_simulate(int argc, char **argv);
int cli_history(int argc, char **argv);
int cli_replay(int argc, char **argv);
int cli_convert(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_diff(int argc, char **argv);
int cli_policies(int argc, char **argv);
int cli_controller(int argc, char **argv);
int cli_uninstall(int argc, char **argv);
int cli_help(int argc, char **argv);
int cli_man(int argc, char **argv);
int cli_completion(int argc, char **argv);

#endif
