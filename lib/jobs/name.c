#include "jobs/name.h"

#include "api/make.h"
#include "base/sha1.h"

#include <string.h>

enum { HASH_LEN = 5 };

static void lower(char *s)
{
    for (; *s; s++) {
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
    }
}

const char *job_name(struct arena *a, const char *group, const char *kind, const char *owner, const char *uid,
                     const char *extra, size_t max)
{
    char digest[SHA1_HEX + 1];
    const char *hashed =
        make_format(a, "%s\n%s\n%s\n%s%s%s", kind, group, owner, uid, *extra ? "\n" : "", extra);
    sha1_hex(hashed, strlen(hashed), digest);
    char *prefix = ARENA_NEW(a, char, strlen(kind) + 1);
    memcpy(prefix, kind, strlen(kind));
    lower(prefix);
    const char *readable = make_format(a, "%s-%s", prefix, owner);
    return make_format(a, "%.*s-%.*s", (int)(max - 1 - HASH_LEN), readable, HASH_LEN, digest);
}
