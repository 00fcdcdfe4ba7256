/* sluice completion bash|zsh: what a shell completes, from the table of commands. */
#include "cli/arguments.h"
#include "cli/terminal.h"

#include <string.h>

static int put_word(const char *word, int len, void *arg)
{
    str_addf(arg, " %.*s", len, word);
    return 0;
}

static void put_words(struct str *out, const char *words)
{
    (void)cli_words(words, put_word, out);
}

static void put_commands(struct str *out)
{
    for (const struct cli_command *c = cli_commands; c->name; c++)
        str_addf(out, " %s", c->name);
}

static bool is_file(const char *value)
{
    return !strcmp(value, "PATH") || !strcmp(value, "FILE");
}

/* ---- bash --------------------------------------------------------------------------------------------------------------- */

/* After an option that takes a value. */
static void bash_value(struct str *out, const struct cli_option *o)
{
    str_add(out, "        ");
    if (o->letter)
        str_addf(out, "-%c|", o->letter);
    str_addf(out, "--%s) ", o->name);
    if (o->words) {
        str_add(out, "COMPREPLY=($(compgen -W \"");
        put_words(out, o->words);
        str_add(out, "\" -- \"$cur\")); ");
    } else if (is_file(o->value)) {
        str_add(out, "_sluice_files \"$cur\"; ");
    }
    str_add(out, "return ;;\n");
}

static void bash_rest(struct str *out, const struct cli_command *c)
{
    if (!c->arguments)
        return;
    if (is_file(c->arguments)) {
        str_add(out, "        *) _sluice_files \"$cur\" ;;\n");
        return;
    }
    str_add(out, "        *) COMPREPLY=($(compgen -W \"");
    if (!strcmp(c->arguments, "COMMAND"))
        put_commands(out);
    else
        put_words(out, c->arguments);
    str_add(out, "\" -- \"$cur\")) ;;\n");
}

static void bash_command(struct str *out, const struct cli_command *c)
{
    bool values = false;

    for (const struct cli_option *o = c->options; o && o->name; o++)
        values = values || o->value;
    str_addf(out, "    %s)\n", c->name);
    if (values) {
        str_add(out, "        case $prev in\n");
        for (const struct cli_option *o = c->options; o && o->name; o++)
            if (o->value)
                bash_value(out, o);
        str_add(out, "        esac\n");
    }
    str_add(out, "        case $cur in\n        -*) COMPREPLY=($(compgen -W \"");
    for (const struct cli_option *o = c->options; o && o->name; o++) {
        if (o->letter)
            str_addf(out, " -%c", o->letter);
        str_addf(out, " --%s", o->name);
    }
    str_add(out, " --help\" -- \"$cur\")) ;;\n");
    bash_rest(out, c);
    str_add(out, "        esac ;;\n");
}

static void put_bash(struct str *out)
{
    str_add(out, "# bash completion for sluice\n"
                 "_sluice_files() {\n"
                 "    compopt -o filenames 2>/dev/null\n"
                 "    mapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
                 "}\n"
                 "_sluice() {\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                 "    COMPREPLY=()\n"
                 "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
                 "        COMPREPLY=($(compgen -W \"");
    put_commands(out);
    str_add(out, " --help --version\" -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        bash_command(out, c);
    str_add(out, "    esac\n}\ncomplete -F _sluice sluice\n");
}

/* ---- zsh ---------------------------------------------------------------------------------------------------------------- */

/* Within single quotes, where [ ] : have a meaning too. Only the first clause of a help text: it is one line on a screen. */
static void zsh_text(struct str *out, const char *text)
{
    for (const char *p = text; *p && *p != ';' && *p != '\n'; p++) {
        if (*p == '\'')
            str_add(out, "'\\''");
        else if (*p == '[' || *p == ']' || *p == ':' || *p == '\\')
            str_addf(out, "\\%c", *p);
        else
            str_addc(out, *p);
    }
}

static void zsh_action(struct str *out, const char *value, const char *words)
{
    str_addf(out, ":%s:", value);
    if (words) {
        str_addc(out, '(');
        put_words(out, words);
        str_addc(out, ')');
    } else if (is_file(value)) {
        str_add(out, "_files");
    }
}

static void zsh_option(struct str *out, const struct cli_option *o)
{
    str_add(out, " \\\n            ");
    if (o->letter)
        str_addf(out, "'*'{-%c,--%s}'[", o->letter, o->name);
    else
        str_addf(out, "'*--%s[", o->name);
    zsh_text(out, o->help);
    str_addc(out, ']');
    if (o->value)
        zsh_action(out, o->value, o->words);
    str_addc(out, '\'');
}

static void zsh_command(struct str *out, const struct cli_command *c)
{
    str_addf(out, "    %s)\n        _arguments", c->name);
    for (const struct cli_option *o = c->options; o && o->name; o++)
        zsh_option(out, o);
    str_add(out, " \\\n            '(-h --help)'{-h,--help}'[print help]'");
    if (c->arguments && !strcmp(c->arguments, "COMMAND"))
        str_add(out, " \\\n            '*:command:($names)'");
    else if (c->arguments) {
        str_add(out, " \\\n            '*");
        zsh_action(out, is_file(c->arguments) ? c->arguments : "word",
                   is_file(c->arguments) ? NULL : c->arguments);
        str_addc(out, '\'');
    }
    str_add(out, " ;;\n");
}

static void put_zsh(struct str *out)
{
    str_add(out, "#compdef sluice\n_sluice() {\n    local -a commands\n    local names='");
    put_commands(out);
    str_add(out, "'\n    commands=(\n");
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        str_addf(out, "        '%s:", c->name);
        zsh_text(out, c->summary);
        str_add(out, "'\n");
    }
    str_add(out, "    )\n"
                 "    if (( CURRENT == 2 )); then\n"
                 "        _describe command commands\n"
                 "        return\n"
                 "    fi\n"
                 "    local command=$words[2]\n"
                 "    shift words\n"
                 "    (( CURRENT-- ))\n"
                 "    case $command in\n");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        zsh_command(out, c);
    str_add(out,
            "    esac\n}\n"
            "if [ \"$funcstack[1]\" = _sluice ]; then _sluice \"$@\"; else compdef _sluice sluice; fi\n");
}

/* ---- the command -------------------------------------------------------------------------------------------------------- */

static int take(void *ctx, const char *option, const char *value)
{
    const char **shell = ctx;

    (void)option;
    if (*shell)
        return cli_bad_usage("completion", "one shell at a time: %s", value);
    *shell = value;
    return CLI_OK;
}

int cli_completion(int argc, char **argv)
{
    const char *shell = NULL;
    struct str out;
    bool done;
    int rc = cli_arguments(cli_find("completion"), argc, argv, take, &shell, &done);

    if (rc || done)
        return rc;
    if (!shell)
        return cli_bad_usage("completion", "which shell: bash or zsh?");
    str_init(&out, 0);
    if (!strcmp(shell, "bash"))
        put_bash(&out);
    else
        put_zsh(&out);
    rc = terminal_put("completion", &out);
    str_free(&out);
    return rc;
}
