#include "kube/watch_page.h"

#include <string.h>

enum state {
    BEGIN,     /* before the brace */
    FIRST_KEY, /* a key or the end */
    KEY,
    COLON,
    VALUE,
    FIELD_END,  /* a comma or the end */
    FIRST_ITEM, /* an item or the end of the items */
    ITEM,
    ITEM_END, /* a comma or the end of the items */
    DONE,
};

void watch_page_init(struct watch_page *p)
{
    *p = (struct watch_page){0};
    framer_init(&p->keep);
}

void watch_page_free(struct watch_page *p)
{
    framer_free(&p->keep);
}

void watch_page_clear(struct watch_page *p)
{
    framer_clear(&p->keep);
    p->state = BEGIN;
    p->cut = (struct scan_cut){0};
}

void watch_page_push(struct watch_page *p, const char *data, size_t len)
{
    framer_push(&p->keep, data, len);
}

bool watch_page_done(const struct watch_page *p)
{
    return p->state == DONE;
}

/* The value that goes on at keep.p: 1 when it ended, 0 when it goes on beyond the piece. */
static int take_value(struct watch_page *p, const char **ret, size_t *ret_len)
{
    struct framer *f = &p->keep;
    const char *behind = scan_cut(&p->cut, f->p, f->end);
    const char *stop = behind ? behind : f->end;
    size_t len = (size_t)(stop - f->p);

    *ret = f->p;
    *ret_len = len;
    f->p = stop;
    if (len > FRAMER_MAX)
        return ERR_LIMIT;
    if (f->len || !behind) {
        int rc = framer_keep(f, *ret, len);
        if (rc)
            return rc;
    }
    if (!behind)
        return 0;
    p->cut = (struct scan_cut){0};
    if (f->len) {
        *ret = f->buf;
        *ret_len = f->len;
        f->given = true;
    }
    return 1;
}

/* What was given from the buffer is not needed any more. */
static void drop_given(struct watch_page *p)
{
    const char *at = p->keep.p, *end = p->keep.end;

    if (!p->keep.given)
        return;
    framer_clear(&p->keep);
    framer_push(&p->keep, at, (size_t)(end - at));
}

static int take_key(struct watch_page *p)
{
    const char *text;
    size_t len;
    int rc = take_value(p, &text, &len);

    if (rc <= 0)
        return rc;
    if (len < 2 || text[0] != '"')
        return ERR_INVALID;
    len = len - 2 < SCAN_KEY_MAX - 1 ? len - 2 : SCAN_KEY_MAX - 1;
    memcpy(p->key, text + 1, len);
    p->key[len] = '\0';
    drop_given(p);
    p->state = COLON;
    return 0;
}

/* What a bracket, colon or comma leads to; -1 when it does not belong here. */
static int after_mark(const struct watch_page *p, char ch)
{
    switch (p->state) {
    case BEGIN:
        return ch == '{' ? FIRST_KEY : -1;
    case COLON:
        return ch == ':' ? VALUE : -1;
    case VALUE:
        return ch == '[' && strcmp(p->key, "items") == 0 ? FIRST_ITEM : -1;
    case FIRST_KEY:
        return ch == '}' ? DONE : -1;
    case FIELD_END:
        return ch == ',' ? KEY : ch == '}' ? DONE : -1;
    case FIRST_ITEM:
        return ch == ']' ? FIELD_END : -1;
    case ITEM_END:
        return ch == ',' ? ITEM : ch == ']' ? FIELD_END : -1;
    default:
        return -1;
    }
}

static bool begins_value(const struct watch_page *p, char ch)
{
    switch (p->state) {
    case FIRST_KEY:
    case KEY:
        return ch == '"';
    case VALUE:
    case FIRST_ITEM:
    case ITEM:
        return !strchr(",:]}", ch);
    default:
        return false;
    }
}

/* The value at keep.p: 1 and the part when it is complete. */
static int value(struct watch_page *p, struct watch_page_part *ret)
{
    if (p->state == FIRST_KEY || p->state == KEY) {
        p->state = KEY;
        return take_key(p);
    }
    bool item = p->state != VALUE;
    p->state = item ? ITEM : VALUE;
    int rc = take_value(p, &ret->text, &ret->len);
    if (rc <= 0)
        return rc;
    ret->kind = item ? WATCH_PAGE_ITEM : WATCH_PAGE_FIELD;
    memcpy(ret->key, item ? "" : p->key, item ? 1 : sizeof(ret->key));
    p->state = item ? ITEM_END : FIELD_END;
    return 1;
}

int watch_page_next(struct watch_page *p, struct watch_page_part *ret)
{
    drop_given(p);
    while (p->keep.p < p->keep.end) {
        char ch = *p->keep.p;
        int rc = 0;
        if (!p->cut.begun && ch && strchr(" \t\r\n", ch)) {
            p->keep.p++;
            continue;
        }
        int next = p->cut.begun ? -1 : after_mark(p, ch);
        if (next >= 0) {
            p->keep.p++;
            p->state = next;
        } else if (p->cut.begun || (ch && begins_value(p, ch))) {
            rc = value(p, ret);
        } else {
            rc = ERR_INVALID;
        }
        if (rc)
            return rc;
    }
    return 0;
}
