/* JSON text to a document. The grammar is cJSON's (the only place that knows of it); what cJSON lets pass or loses is added here:
 * a line for each node, the numbers' own text, and refusal of duplicate keys, of anything behind the value, of control characters,
 * NUL and bad UTF-8 in strings, and of numbers that JSON does not know ("01", "1."). */
#ifndef SLUICE_API_JSON_H
#define SLUICE_API_JSON_H

#include "api/doc.h"

/* Reads one JSON value. `first_line` is the line at which the text begins in its input (1 if it is the input). The tree lives in
 * `a`; `scratch` (another arena) is used and rewound. On failure ERR_INVALID, ERR_LIMIT (size, depth) or ERR_NOMEM, the text begins
 * with "line N: ", and `a` may have grown. */
MUST_USE int json_read(struct arena *a, struct arena *scratch, const char *text, size_t len,
                       uint32_t first_line, const struct doc_node **ret, struct err *err);

#endif
