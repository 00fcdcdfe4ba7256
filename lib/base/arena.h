/* An arena: memory that lives until the next reset. A cycle allocates from one; resetting keeps the blocks, so that a steady
 * state allocates nothing from the system. */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *first, *cur; /* blocks in order; everything after cur is free */
    size_t used;                     /* bytes used in cur */
    size_t block_size;               /* least size of a new block */
    jmp_buf *bail; /* where arena_need jumps when memory is exhausted; owned by the caller */
};

struct arena_mark {
    struct arena_block *block;
    size_t used;
};

void arena_init(struct arena *a, size_t block_size);
void arena_free(struct arena *a);

/* `size` bytes aligned for any type; NULL when memory is exhausted. */
void *arena_alloc(struct arena *a, size_t size);
/* As arena_alloc, zeroed; on exhaustion it does not return but jumps to a->bail, which must be set. */
void *arena_need(struct arena *a, size_t size);
#define ARENA_NEW(a, type, n) ((type *)arena_need((a), sizeof(type) * (size_t)(n)))
char *arena_strndup(struct arena *a, const char *s, size_t n); /* NULL when memory is exhausted */

/* Forgets everything; keeps the blocks. */
void arena_reset(struct arena *a);
/* Forgets everything allocated after the mark. */
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);

#endif
