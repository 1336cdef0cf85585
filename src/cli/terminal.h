/* What the terminal and its locale can show. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* Whether the locale is UTF-8 and the terminal shows it: else pictures are drawn in ASCII. */
bool terminal_unicode(void);
/* Columns of the terminal that standard output is, or COLUMNS; 80 where neither says. At least
 * 40. */
size_t terminal_width(void);
/* Words of `text` in lines of at most `width` columns; `used` of the first are taken already, the
 * others begin with `indent` spaces. A line end in the text stays one after the end of a sentence
 * or before another one or a space, else it is a space. No end of line after the last word. */
void print_wrapped(FILE *out, const char *text, size_t used, size_t indent, size_t width);
/* A row of two columns, the second from `at` on, wrapped. Where the left text is too long it has
 * its own line. */
void print_row(FILE *out, const char *left, size_t at, const char *text, size_t width);
