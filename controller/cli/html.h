/* Text in a page of HTML. */
#ifndef SLUICE_CLI_HTML_H
#define SLUICE_CLI_HTML_H

#include "base/str.h"

/* Text from outside, for between tags, in quoted attributes and in SVG: markup is escaped; bytes that are no UTF-8 and control characters
 * become U+FFFD. */
void html_text(struct str *out, const char *text);
/* The first `max` characters of it, and an ellipsis when there are more. */
void html_short(struct str *out, const char *text, uint32_t max);
/* A name from outside within a sentence: isolated, so that its direction of writing is its own. */
void html_name(struct str *out, const char *name);
/* "1,234,567": whole from 100 on, with `digits` behind the point below that. */
void html_number(struct str *out, double v, int digits);

#endif
