#include "api/gates_flag.h"

#include "core/gates.h"

#include <string.h>

static int bad(struct err *err, const char *word, size_t len, const char *why)
{
    return err_set(err, ERR_INVALID, "--feature-gates: Invalid value: \"%.*s\": %s",
                   (int)(len < 100 ? len : 100), word, why);
}

/* "Name=true". */
static int parse_one(const char *word, size_t len, struct arena *a, struct fact_gate *ret, struct err *err)
{
    const char *eq = memchr(word, '=', len);
    if (!eq)
        return bad(err, word, len, "must be NAME=true or NAME=false");
    size_t rest = len - (size_t)(eq + 1 - word);
    bool on = rest == 4 && memcmp(eq + 1, "true", 4) == 0;
    if (!on && (rest != 5 || memcmp(eq + 1, "false", 5) != 0))
        return bad(err, word, len, "must be NAME=true or NAME=false");
    const char *name = arena_strndup(a, word, (size_t)(eq - word));
    if (!name)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!gate_known(name))
        return bad(err, word, len, "there is no such feature gate");
    *ret = (struct fact_gate){.name = name, .on = on};
    return 0;
}

static int parse_flag(const char *flag, struct arena *a, struct fact_gate *out, uint32_t *ret_n,
                      struct err *err)
{
    uint32_t n = 0;
    for (const char *p = flag; *p;) {
        size_t len = strcspn(p, ",");
        int rc = len ? parse_one(p, len, a, &out[n], err) : 0;
        if (rc < 0)
            return rc;
        n += len > 0;
        p += len + (p[len] == ',');
    }
    *ret_n = n;
    return gates_consistent(out, n, err);
}

int gates_flag(const char *flag, const struct fact_config *file, struct arena *a,
               const struct fact_gate **ret, uint32_t *ret_n, struct err *err)
{
    if (!*flag) {
        *ret = file->gates;
        *ret_n = file->ngates;
        return 0;
    }
    if (file->ngates)
        return err_set(
            err, ERR_INVALID,
            "featureGates: Invalid value: feature gates for CLI and configuration cannot both specified");
    size_t most = 1;
    for (const char *p = flag; *p; p++)
        most += *p == ',';
    struct fact_gate *out = arena_alloc(a, most * sizeof(*out));
    if (!out)
        return err_set(err, ERR_NOMEM, "out of memory");
    uint32_t count = 0;
    int rc = parse_flag(flag, a, out, &count, err);
    if (rc < 0)
        return rc;
    *ret = out;
    *ret_n = count;
    return 0;
}
