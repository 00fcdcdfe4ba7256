/* Documents of any kind as text again, with what is v1beta1 as v1beta2 (api/v1beta1.h): the order of documents and of keys stays, what
 * is not ours passes through unchanged, only comments are lost. */
#ifndef SLUICE_API_CONVERT_H
#define SLUICE_API_CONVERT_H

#include "api/objects.h"
#include "base/str.h"

enum convert_format {
    CONVERT_YAML, /* documents with "---" between them */
    CONVERT_JSON, /* one value; of several documents a List, into which lists are emptied */
};
#define CONVERT_MAX_BYTES ((size_t)1 << 30) /* of text that is written */

struct convert {
    enum convert_format format;
    struct str out;              /* YAML; JSON: the first document by itself */
    struct str items;            /* JSON: all documents as items of a list */
    uint32_t ndocuments;         /* without empty ones */
    struct str errors, warnings; /* lines "file:line: Kind ns/name: path: text", each with its newline */
    const char *file;
    const struct doc_node *root; /* the document at hand */
};

void convert_init(struct convert *c, enum convert_format format);
void convert_free(struct convert *c);

/* Takes one document; an api_document_fn whose context is the struct convert. What cannot be converted is an error among
 * `errors`, and nothing of it is written. ERR_NOMEM, also when the output grows beyond its maximum. */
MUST_USE int convert_document(void *ctx, const char *file, const struct doc_node *root, struct err *err);

/* The whole text; borrowed. To be called once, after the last document. ERR_NOMEM. */
MUST_USE int convert_text(struct convert *c, const struct str **ret, struct err *err);

#endif
