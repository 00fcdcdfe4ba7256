/* Inside lib/api: an api_set and what its files need of each other. set.c keeps objects and notes, intake.c makes documents of texts,
 * files.c finds the texts. */
#ifndef SLUICE_API_SET_PRIV_H
#define SLUICE_API_SET_PRIV_H

#include "api/set.h"
#include "api/source.h"
#include "base/names.h"

struct texts {
    char **p;
    uint32_t n, cap;
};

struct passed {
    char *kind;
    uint32_t count;
};

struct api_set {
    unsigned flags;
    struct arena arena;   /* documents and their facts */
    struct arena scratch; /* cJSON's trees */
    struct arena facts;   /* API_COMPACT: facts without documents */
    struct names *names;  /* and their texts */
    uint32_t in_arena;    /* objects that need the arena */
    struct names *keys;   /* "kind/namespace/name" of the objects; NULL: objects may be there twice */
    const struct object **by_key;
    uint32_t by_key_cap;
    uint32_t ndocuments; /* that were read, and items of lists; without empty ones */
    const struct object **objects;
    uint32_t nobjects, objects_cap;
    struct texts errors, warnings;
    struct passed *passed;
    uint32_t npassed, passed_cap;
    api_object_fn *stream;
    void *stream_ctx;
    api_document_fn *document;
    void *document_ctx;
    bool no_memory; /* a note could not be kept */
    /* what is being read */
    const char *file;
    const char *kind, *ns, *name;
};

/* A note at a place of the file at hand; `path` "" for none. */
void set_note(struct api_set *s, bool is_error, uint32_t line, const char *path, const char *text);
/* An error text that begins with "line N: " becomes "file:N: ...". */
void set_note_parse_error(struct api_set *s, const char *text);

/* One whole document. */
MUST_USE int set_take_document(struct api_set *s, const struct doc_node *root, struct err *err);
/* One item of a list of which `list` is known so far (apiVersion, kind). */
MUST_USE int set_take_item(struct api_set *s, const struct doc_node *list, const struct doc_node *item,
                           struct err *err);
/* Can the kind of the item be told from what is known of its list? */
bool set_knows_item(const struct doc_node *list, const struct doc_node *item);
/* Is it a list by its kind ("List", "WorkloadList")? */
bool set_is_list(const struct doc_node *root);
/* A note could not be kept: ERR_NOMEM. */
MUST_USE int set_check(const struct api_set *s, struct err *err);

/* intake.c: all of a text. `name` is told in notes; with the suffix ".json" the text is one JSON value. */
MUST_USE int set_read_source(struct api_set *s, const char *name, struct source *src, struct err *err);

#endif
