/* A set of objects read from files, directories, standard input or buffers: YAML of several documents and JSON, single objects and
 * lists. A bad object spoils nothing else: it is reported, left out, and the others stay. */
#ifndef SLUICE_API_SET_H
#define SLUICE_API_SET_H

#include "api/objects.h"

struct api_set;

struct api_set *api_set_new(unsigned flags); /* enum api_flags; owned; NULL when memory is exhausted */
void api_set_free(struct api_set *s);

/* Reads a file, a directory (its *.yaml, *.yml and *.json by name, not deeper), or "-" for standard input. Bad objects and files that
 * do not parse are noted, not failures; ERR_IO when the path cannot be read, ERR_NOTFOUND when there is nothing in it, ERR_NOMEM. An object
 * that is there twice (same kind, namespace and name) is an error, unless API_NO_VALIDATE. */
MUST_USE int api_read_path(struct api_set *s, const char *path, struct err *err);
/* The same with a text that the caller holds; it is not needed afterwards. A name that ends in ".json" is read as JSON only. */
MUST_USE int api_read_buffer(struct api_set *s, const char *name, const char *text, size_t len,
                             struct err *err);

/* The objects in the order in which they were read; pointers stay valid until the set is freed. */
uint32_t api_set_count(const struct api_set *s);
const struct object *api_set_at(const struct api_set *s, uint32_t i);

/* Appends an object that somebody else holds: borrowed, with all it points to, until the set is freed. ERR_NOMEM. */
MUST_USE int api_set_add(struct api_set *s, const struct object *o, struct err *err);

/* For who makes objects out of others (lib/jobs): where objects live, and what the set was made with. */
struct arena *api_set_arena(struct api_set *s);
unsigned api_set_flags(const struct api_set *s);
/* Where notes about an object of the set go from now on; NULL afterwards. */
struct api_sink api_set_sink(struct api_set *s, const struct object *about);
/* Was a note lost because memory was exhausted? */
bool api_set_lost_note(const struct api_set *s);

/* Instead of keeping objects, hand each good one to `fn` and forget it afterwards: reading then takes the memory of one object. A
 * negative result of `fn` ends the reading and is returned. To be set before anything is read. */
typedef int api_object_fn(void *ctx, const struct object *o, struct err *err);
void api_set_stream(struct api_set *s, api_object_fn *fn, void *ctx);

/* Instead of reading objects, hand each document of the input to `fn`, lists uncut, and forget it afterwards. A negative result of `fn`
 * ends the reading and is returned. To be set before anything is read. */
typedef int api_document_fn(void *ctx, const char *file, const struct doc_node *root, struct err *err);
void api_set_documents(struct api_set *s, api_document_fn *fn, void *ctx);

/* "file:line: kind ns/name: field.path: text", in order. */
uint32_t api_set_errors(const struct api_set *s);
const char *api_set_error(const struct api_set *s, uint32_t i);
uint32_t api_set_warnings(const struct api_set *s);
const char *api_set_warning(const struct api_set *s, uint32_t i);

/* Kinds that were passed over: "batch/v1 Job" and how many. */
uint32_t api_set_passed_over(const struct api_set *s);
const char *api_set_passed_over_kind(const struct api_set *s, uint32_t i, uint32_t *ret_count);

#endif
