/* Binary floating point to decimal: for factors that are applied exactly (engine.md 4.9). */
#ifndef SLUICE_BASE_DECIMAL_H
#define SLUICE_BASE_DECIMAL_H

#include <stdint.h>

/* The shortest decimal that reads back as `f` (finite, >= 0): f = result * 10^*ret_exp, no trailing zero. Independent of the locale
 * as long as nobody sets LC_NUMERIC. */
uint64_t decimal_shortest(double f, int *ret_exp);

#endif
