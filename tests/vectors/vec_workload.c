/* Tables of the area workload. */
#include "vec.h"

static const struct vec_entry entries[] = {
    {"none", NULL, "no table", 0},
};

VEC_AREA(vec_area_workload, entries);
