/* A disk that fails when it is told to: an SQLite VFS above the real one. */
#ifndef SLUICE_TESTS_LEDGER_FAKE_H
#define SLUICE_TESTS_LEDGER_FAKE_H

#include <stdint.h>

/* Becomes the default of all files opened from now on. */
void fake_disk_install(void);
/* The n-th write or sync from now (1 = the next) and all later ones fail with this code of SQLite; 0 switches that off. */
void fake_disk_fail_after(uint64_t n, int code);
/* Writes and syncs since the start. */
uint64_t fake_disk_writes(void);

/* The n-th allocation of SQLite from now and all later ones fail; 0 switches that off. To be installed before SQLite is used at all. */
void fake_memory_install(void);
void fake_memory_fail_after(uint64_t n);
uint64_t fake_memory_count(void);

#endif
