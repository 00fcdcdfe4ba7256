/* The tables of a ledger file, and how older files become new ones. `PRAGMA user_version` counts the steps that a file has gone through;
 * lib/ledger/README.md describes the result. A step that has been shipped never changes. */
#ifndef SLUICE_LEDGER_SCHEMA_H
#define SLUICE_LEDGER_SCHEMA_H

#include "base/err.h"

#include <stdint.h>

struct sqlite3;

enum { SCHEMA_ID = 0x536c7563 /* PRAGMA application_id: "Sluc" */ };

extern const char *const schema_steps[]; /* SQL of each step; NULL ends */

/* Brings a file up to date: each step in a transaction with its number, so a fault leaves a whole version. ERR_STATE: the file comes from a
 * newer program. ERR_INVALID: it is a database, but not a ledger. ERR_IO: SQLite's own complaint; its code is still that of the
 * connection, which is of no more use: closing it takes the half step back. */
MUST_USE int schema_migrate(struct sqlite3 *db, const char *const *steps, struct err *err);
/* Only looks: the file's version is that of `steps`. ERR_STATE: newer, or older and to be migrated by a writer first. */
MUST_USE int schema_check(struct sqlite3 *db, const char *const *steps, struct err *err);

#endif
