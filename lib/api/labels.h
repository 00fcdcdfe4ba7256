/* The syntax of Kubernetes names: label keys and values, DNS names. Each function returns NULL when the text is right, else
 * Kubernetes' own sentence about what is wrong. */
#ifndef SLUICE_API_LABELS_H
#define SLUICE_API_LABELS_H

const char *label_key_problem(const char *key);       /* "qualified name": [prefix/]name */
const char *label_value_problem(const char *value);   /* at most 63 characters, may be empty */
const char *dns_subdomain_problem(const char *name);  /* RFC 1123, at most 253 characters */
const char *dns_label_problem(const char *name);      /* RFC 1123, at most 63 characters */
const char *dns_1035_label_problem(const char *name); /* RFC 1035, at most 63 characters: names of Services */
const char *c_identifier_problem(const char *name);

#endif
