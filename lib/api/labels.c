#include "api/labels.h"

#include <stdbool.h>
#include <string.h>

enum { LABEL_MAX = 63, SUBDOMAIN_MAX = 253 };

#define TOO_LONG_63 "must be no more than 63 characters"
#define TOO_LONG_253 "must be no more than 253 characters"
#define BAD_NAME_PART                                                                                        \
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric "                                                                                          \
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "                  \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define BAD_QUALIFIED                                                                                        \
    "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end "     \
    "with an "                                                                                               \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "     \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. "       \
    "'example.com/MyName')"
#define BAD_VALUE                                                                                            \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "     \
    "must start "                                                                                            \
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "   \
    "validation "                                                                                            \
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define BAD_SUBDOMAIN                                                                                        \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "    \
    "must start "                                                                                            \
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "              \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define BAD_LABEL                                                                                            \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "  \
    "and end "                                                                                               \
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "           \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define BAD_1035_LABEL                                                                                       \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "  \
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "      \
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
#define BAD_C_IDENTIFIER                                                                                     \
    "a valid C identifier must start with alphabetic character or '_', followed by a string of "             \
    "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for "           \
    "validation is '[A-Za-z_][A-Za-z0-9_]*')"

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9] */
static bool is_name(const char *s, size_t len)
{
    if (len == 0 || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
            return false;
    }
    return true;
}

static bool is_dns_label(const char *s, size_t len)
{
    if (len == 0 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_lower_alnum(s[i]) && s[i] != '-')
            return false;
    }
    return true;
}

static bool is_subdomain(const char *s, size_t len)
{
    for (;;) {
        const char *dot = memchr(s, '.', len);
        size_t part = dot ? (size_t)(dot - s) : len;
        if (!is_dns_label(s, part))
            return false;
        if (!dot)
            return true;
        s += part + 1;
        len -= part + 1;
    }
}

const char *label_key_problem(const char *key)
{
    const char *slash = strchr(key, '/');
    const char *name = slash ? slash + 1 : key;
    if (slash && strchr(name, '/'))
        return BAD_QUALIFIED;
    if (slash == key)
        return "prefix part must be non-empty";
    if (slash && (size_t)(slash - key) > SUBDOMAIN_MAX)
        return "prefix part " TOO_LONG_253;
    if (slash && !is_subdomain(key, (size_t)(slash - key)))
        return "prefix part " BAD_SUBDOMAIN;
    if (!*name)
        return "name part must be non-empty";
    if (strlen(name) > LABEL_MAX)
        return "name part " TOO_LONG_63;
    return is_name(name, strlen(name)) ? NULL : BAD_NAME_PART;
}

const char *label_value_problem(const char *value)
{
    if (strlen(value) > LABEL_MAX)
        return TOO_LONG_63;
    return !*value || is_name(value, strlen(value)) ? NULL : BAD_VALUE;
}

const char *dns_subdomain_problem(const char *name)
{
    if (strlen(name) > SUBDOMAIN_MAX)
        return TOO_LONG_253;
    return is_subdomain(name, strlen(name)) ? NULL : BAD_SUBDOMAIN;
}

const char *dns_label_problem(const char *name)
{
    if (strlen(name) > LABEL_MAX)
        return TOO_LONG_63;
    return is_dns_label(name, strlen(name)) ? NULL : BAD_LABEL;
}

const char *dns_1035_label_problem(const char *name)
{
    if (strlen(name) > LABEL_MAX)
        return TOO_LONG_63;
    bool starts = name[0] >= 'a' && name[0] <= 'z';
    return starts && is_dns_label(name, strlen(name)) ? NULL : BAD_1035_LABEL;
}

const char *c_identifier_problem(const char *name)
{
    bool good = is_alnum(name[0]) ? name[0] > '9' : name[0] == '_';
    for (const char *p = name; good && *p; p++)
        good = is_alnum(*p) || *p == '_';
    return good ? NULL : BAD_C_IDENTIFIER;
}
