/* --ledger FILE: what happens in a simulation or a replay is written to a ledger, as the controller would write it, so that
 * `sluice history` answers about a what-if as about the past. */
#ifndef SLUICE_CLI_KEEP_H
#define SLUICE_CLI_KEEP_H

#include "ledger/book.h"
#include "ledger/ledger.h"
#include "sim/replay.h"
#include "sim/sim.h"

struct keep {
    struct ledger *ledger; /* NULL = nothing is kept */
    struct book *book;
    struct world *world;
    struct rows rows;
    const struct sim *sim;
    uint64_t decision; /* the last id */
    when_ns now;
    bool quotas_told;
    bool failed;    /* nothing is written any more */
    struct err err; /* why */
};

/* Makes the file, which must not be there yet: histories are not mixed. `began` in virtual time. CLI_OK; CLI_BAD_INPUT after saying why on
 * stderr ("sluice COMMAND: "). */
int keep_open(struct keep *k, const char *command, const char *path, struct world *w, when_ns began);
void keep_sim(struct keep *k, struct sim *s);       /* from now on; before its first step */
void keep_replay(struct keep *k, struct replay *r); /* its loans; notes are handed on by keep_note */
void keep_note(struct keep *k, const struct replay_note *n);
/* Writes the rest; `ended` in virtual time. CLI_OK, also when nothing was kept; CLI_BAD_INPUT after saying why. */
int keep_close(struct keep *k, const char *command, when_ns ended);

#endif
