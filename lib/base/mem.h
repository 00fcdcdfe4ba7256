/* Memory: the only door to malloc for lib/ and controller/. It counts calls (benches assert that a steady state cycle makes
 * none) and can be told to fail (out-of-memory tests). Not thread safe: the counters belong to the thread that owns the world. */
#ifndef SLUICE_BASE_MEM_H
#define SLUICE_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* As malloc/calloc/realloc; NULL when memory is exhausted or a failure was asked for. Size 0 gives a unique pointer. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t count, size_t size);
void *mem_realloc(void *p, size_t size);
void mem_free(void *p);
/* A copy of `n` bytes plus a terminating NUL; NULL when memory is exhausted. */
char *mem_strndup(const char *s, size_t n);
char *mem_strdup(const char *s);

/* Number of successful allocations (realloc included) since the program started. */
uint64_t mem_count(void);
/* Number of blocks allocated and not freed. */
int64_t mem_live(void);
/* The n-th allocation from now (1 = the next) and all later ones fail; 0 switches the failures off. For tests. */
void mem_fail_after(uint64_t n);

/* Makes room for at least `need` items of `size` bytes in a growing array: doubles `*cap`. On failure ERR_NOMEM and nothing changed. */
int mem_grow(void **array, uint32_t *cap, uint32_t need, size_t size) __attribute__((warn_unused_result));

#endif
