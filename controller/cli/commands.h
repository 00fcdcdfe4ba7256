/* The commands of the program and their options: one table, from which arguments are parsed and help, man page and shell completion
 * are made. A new command is a row in commands.c and a file that runs it. Everything here is constant. */
#ifndef SLUICE_CLI_COMMANDS_H
#define SLUICE_CLI_COMMANDS_H

#include "cli/cli.h"

#include <stdbool.h>

/* `--help` is an option of every command and stands in no list. */
struct cli_option {
    const char *name; /* long, without dashes; NULL ends a list */
    char letter;      /* short; 0 = none */
    const char *
        value; /* what its value is called ("PATH"); NULL = it takes none. PATH and FILE are completed as files */
    const char *words; /* the only values that it may have, separated by '|'; NULL = any */
    const char *help;
};

struct cli_text {
    const char *head, *text; /* head NULL ends a list */
};

enum { CLI_EXAMPLES = 3, CLI_EXITS_MAX = 5, CLI_OPTIONS_MAX = 24 };

struct cli_command {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;  /* one line */
    const char *about;    /* paragraphs, with an empty line between them */
    /* What the arguments that belong to no option may be: words separated by '|', "PATH" for files, "COMMAND" for names of commands;
     * NULL = there are none. */
    const char *arguments;
    bool more;                        /* the words are for the first argument; others may be anything */
    const struct cli_option *options; /* NULL = only --help */
    struct cli_text exits[CLI_EXITS_MAX];
    struct cli_text examples[CLI_EXAMPLES]; /* a command line, and what it does */
    int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_commands[]; /* name NULL ends */

const struct cli_command *cli_find(const char *name); /* NULL if unknown */
/* Calls `each` with each word of a list separated by '|'; ends early, and returns it, at a result other than 0. */
int cli_words(const char *words, int (*each)(const char *word, int len, void *arg), void *arg);
bool cli_word_known(const char *words, const char *word);

#endif
