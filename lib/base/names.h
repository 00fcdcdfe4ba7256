/* Names as small integers: every string that the engine compares is interned once. Id 0 is the empty string. Ids are dense,
 * in order of first use, and live as long as the table. */
#ifndef SLUICE_BASE_NAMES_H
#define SLUICE_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct names;

struct names *names_new(void); /* owned; NULL when memory is exhausted */
void names_free(struct names *n);

/* The id of `s`, made if new. NULL counts as "". Returns 0 or ERR_NOMEM. */
int names_id(struct names *n, const char *s, uint32_t *ret_id) __attribute__((warn_unused_result));
int names_idn(struct names *n, const char *s, size_t len, uint32_t *ret_id)
    __attribute__((warn_unused_result));
/* The id of `s` if known, else UINT32_MAX. */
uint32_t names_find(const struct names *n, const char *s);
/* The text; borrowed, stable for the life of the table. An unknown id gives "". */
const char *names_text(const struct names *n, uint32_t id);
uint32_t names_count(const struct names *n);

#endif
