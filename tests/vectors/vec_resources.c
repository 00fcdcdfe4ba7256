/* Tables of the area resources. */
#include "vec.h"

static const struct vec_entry entries[] = {
    {"none", NULL, "no table", 0},
};

VEC_AREA(vec_area_resources, entries);
