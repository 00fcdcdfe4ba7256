#include "lifecycle/notice.h"

#include "base/mem.h"

#include <string.h>

enum { NOTE_MAX = 1024 };

/* Cut as the top of the specification says, and further back to where a character begins: a half one would be refused. */
static char *note_copy(const char *note)
{
    static const char tail[] = " ...";
    size_t n = strlen(note), keep = NOTE_MAX - (sizeof(tail) - 1);

    if (n <= NOTE_MAX)
        return mem_strndup(note, n);
    while (keep && ((unsigned char)note[keep] & 0xc0) == 0x80)
        keep--;
    char *copy = mem_alloc(keep + sizeof(tail));
    if (copy) {
        memcpy(copy, note, keep);
        memcpy(copy + keep, tail, sizeof(tail));
    }
    return copy;
}

int notices_add(struct notices *list, bool warning, const char *reason, const char *note)
{
    if (mem_grow((void **)&list->v, &list->cap, list->n + 1, sizeof(*list->v)))
        return ERR_NOMEM;
    struct notice next = {warning, mem_strdup(reason), note_copy(note)};
    if (!next.reason || !next.note) {
        mem_free(next.reason);
        mem_free(next.note);
        return ERR_NOMEM;
    }
    list->v[list->n++] = next;
    return 0;
}

void notices_cut(struct notices *list, uint32_t n)
{
    while (list->n > n) {
        list->n--;
        mem_free(list->v[list->n].reason);
        mem_free(list->v[list->n].note);
    }
}

void notices_free(struct notices *list)
{
    notices_cut(list, 0);
    mem_free(list->v);
    *list = (struct notices){0};
}
