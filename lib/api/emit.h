/* Documents as text, for people and for `kubectl apply`: what is written reads as the same document again (doc_equal). Comments,
 * anchors and the choice of quotes are not part of a document. */
#ifndef SLUICE_API_EMIT_H
#define SLUICE_API_EMIT_H

#include "api/doc.h"
#include "base/str.h"

/* Appends one YAML document without markers, in block style. Text is quoted when a reader of YAML 1.1 would take it for something
 * else. ERR_NOMEM, also when `out` is full. */
MUST_USE int emit_yaml(const struct doc_node *n, struct str *out, struct err *err);

/* Appends a JSON value, indented by four spaces, without a newline at the end. Numbers of YAML that JSON does not know (0x1f, +1, .5)
 * are written as JSON numbers of the same value, infinities and NaN as text. `level` is the indentation of the lines that follow the
 * first. A failure shows in str_failed(out). */
void emit_json(const struct doc_node *n, uint32_t level, struct str *out);

#endif
