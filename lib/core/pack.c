#include "core/pack.h"

#include <string.h>

enum { PACK_ALIGN = 16 }; /* __int128 inside a quantity needs it */

void *pack_take(struct pack *p, size_t size)
{
    size_t at = p->used;

    p->used += (size + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
    return p->base ? p->base + at : NULL;
}

void *pack_copy(struct pack *p, const void *src, size_t size)
{
    void *dst = pack_take(p, size);

    if (dst && size)
        memcpy(dst, src, size);
    return dst;
}

const char *pack_text(struct pack *p, const char *text)
{
    if (!text || !*text)
        return p->base ? "" : NULL; /* most texts of a fact are unset: they cost nothing */
    return pack_copy(p, text, strlen(text) + 1);
}

const struct fact_label *pack_labels(struct pack *p, const struct fact_label *src, uint32_t n)
{
    struct fact_label *dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        struct fact_label copy = {pack_text(p, src[i].key), pack_text(p, src[i].value)};
        if (dst)
            dst[i] = copy;
    }
    return dst;
}

const struct fact_taint *pack_taints(struct pack *p, const struct fact_taint *src, uint32_t n)
{
    struct fact_taint *dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        struct fact_taint copy = {pack_text(p, src[i].key), pack_text(p, src[i].value), src[i].effect};
        if (dst)
            dst[i] = copy;
    }
    return dst;
}

const struct fact_toleration *pack_tolerations(struct pack *p, const struct fact_toleration *src, uint32_t n)
{
    struct fact_toleration *dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        struct fact_toleration copy = src[i];
        copy.key = pack_text(p, src[i].key);
        copy.value = pack_text(p, src[i].value);
        if (dst)
            dst[i] = copy;
    }
    return dst;
}

static const char *const *pack_values(struct pack *p, const char *const *src, uint32_t n)
{
    const char **dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        const char *copy = pack_text(p, src[i]);
        if (dst)
            dst[i] = copy;
    }
    return dst;
}

const struct fact_expr *pack_exprs(struct pack *p, const struct fact_expr *src, uint32_t n)
{
    struct fact_expr *dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        struct fact_expr copy = src[i];
        copy.key = pack_text(p, src[i].key);
        copy.values = pack_values(p, src[i].values, src[i].nvalues);
        if (dst)
            dst[i] = copy;
    }
    return dst;
}

const struct fact_term *pack_terms(struct pack *p, const struct fact_term *src, uint32_t n)
{
    struct fact_term *dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        struct fact_term copy = {pack_exprs(p, src[i].exprs, src[i].nexprs), src[i].nexprs};
        if (dst)
            dst[i] = copy;
    }
    return dst;
}
