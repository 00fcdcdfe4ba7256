#include "cli/progress.h"

#include "cli/terminal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t monotonic_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct progress progress_start(const char *who, bool quiet)
{
    int64_t now = monotonic_ns();

    return (struct progress){who, now, now, !quiet && terminal_is(STDERR_FILENO), false};
}

void progress_tick(void *progress, const struct sim *s)
{
    struct progress *p = progress;
    char at[40];

    if (!p->on)
        return;
    int64_t now = monotonic_ns();
    if (now - p->began_ns < NS_PER_S || (p->shown && now - p->told_ns < NS_PER_S / 4))
        return;
    p->shown = true;
    p->told_ns = now;
    (void)fprintf(stderr, "\r%s: %llu cycles", p->who, (unsigned long long)sim_cycles(s));
    if (sim_time(s) > 0) { /* 1970: no time was given anywhere */
        when_print(sim_time(s), at, sizeof(at));
        (void)fprintf(stderr, ", at %s", at);
    }
    (void)fputc(' ', stderr);
}

/* Erases the line: every terminal knows this much of ANSI. */
void progress_end(struct progress *p)
{
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}
