#include "cli/terminal.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is(int fd)
{
    return isatty(fd) == 1;
}

uint32_t terminal_width(int fd)
{
    struct winsize size;

    if (!terminal_is(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col < TERMINAL_WIDTH_MIN)
        return TERMINAL_WIDTH_MIN;
    return size.ws_col;
}

bool terminal_colors(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return terminal_is(fd) && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

int terminal_put(const char *command, const struct str *out)
{
    if (str_failed(out)) {
        (void)fprintf(stderr, "sluice %s: out of memory for the output\n", command);
        return CLI_BAD_INPUT;
    }
    if (fwrite(str_text(out), 1, out->len, stdout) != out->len || fflush(stdout)) {
        (void)fprintf(stderr, "sluice %s: cannot write the output\n", command);
        return CLI_BAD_INPUT;
    }
    return CLI_OK;
}
