/* What the tests of the ledger share: a directory of its own for each test, and questions in SQL. */
#ifndef SLUICE_TESTS_LEDGER_BUILD_H
#define SLUICE_TESTS_LEDGER_BUILD_H

#include "ledger/ledger.h"

#include <stdint.h>

void build_dir(void);         /* made anew, empty */
void build_dir_gone(void);    /* and all in it */
const char *build_path(void); /* of the ledger in it */
const char *build_file(const char *name);

struct ledger *build_open(when_ns now);
/* The first column of the first row as a number, or as a text that is valid until the next call; of the ledger's file. */
int64_t build_ask(const char *sql);
const char *build_text(const char *sql);
void build_exec(const char *sql); /* as another program would */

/* Rows of one interval. */
void build_usage(struct rows *r, const char *uid, when_ns began, when_ns ended, amount v);
void build_loan(struct rows *r, const char *borrower, const char *lender, when_ns began, when_ns ended,
                amount v);
void build_decision(struct rows *r, uint64_t id, const char *uid, const char *what, when_ns at);

#endif
