#include "base/decimal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t decimal_shortest(double f, int *ret_exp)
{
    char text[40];
    for (int digits = 14; digits < 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits, f);
        if (strtod(text, NULL) == f)
            break;
    }
    uint64_t m = 0;
    const char *p = text;
    int after = 0;
    for (bool point = false; *p && *p != 'e'; p++) {
        if (*p < '0' || *p > '9') {
            point = true;
            continue;
        }
        m = m * 10 + (uint64_t)(*p - '0');
        after += point;
    }
    *ret_exp = (int)strtol(p + 1, NULL, 10) - after;
    for (; m && m % 10 == 0; m /= 10)
        ++*ret_exp;
    return m;
}
