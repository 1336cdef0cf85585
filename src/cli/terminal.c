#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The first of the three that is set decides, as in setlocale. A terminal that calls itself dumb
 * gets no more than ASCII. */
bool terminal_unicode(void) {
  const char *names[] = {getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")};
  const char *kind = getenv("TERM");
  if (kind && !strcmp(kind, "dumb")) return false;
  for (int i = 0; i < 3; i++)
    if (names[i] && *names[i])
      return strstr(names[i], "UTF-8") || strstr(names[i], "utf8") || strstr(names[i], "UTF8");
  return false;
}

/* A window's own size comes before COLUMNS, which may be that of another terminal. */
size_t terminal_width(void) {
  enum { USUAL = 80, LEAST = 40, MOST = 200 };
  struct winsize size;
  const char *columns = getenv("COLUMNS");
  long width = columns ? strtol(columns, NULL, 10) : 0;
  if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0) width = size.ws_col;
  if (width <= 0) return USUAL;
  return width < LEAST ? LEAST : width > MOST ? MOST : (size_t)width;
}

/* Whether the text's own line end at `at` is meant as one, rather than put there to keep lines of
 * source short. */
static bool is_line_end(const char *text, const char *at) {
  const char before = at > text ? at[-1] : ' ';
  return at[1] == '\n' || at[1] == ' ' || before == '\n' || strchr(".:}", before) != NULL;
}

/* Ends a line and indents the next. Returns the columns that are used of it. */
static size_t new_line(FILE *out, size_t indent) {
  fprintf(out, "\n%*s", (int)indent, "");
  return indent;
}

/* Several spaces between words are kept: some texts align what they list. A word that is longer
 * than a line is not broken. */
void print_wrapped(FILE *out, const char *text, size_t used, size_t indent, size_t width) {
  size_t spaces = 0; /* before the next word */
  for (const char *at = text; *at;) {
    if (*at == '\n') {
      const bool ends = is_line_end(text, at++);
      if (ends) used = new_line(out, indent);
      spaces = ends ? 0 : 1;
      continue;
    }
    if (*at == ' ') {
      spaces++;
      at++;
      continue;
    }
    const size_t size = strcspn(at, " \n");
    if (used + spaces + size > width && used > indent) {
      used = new_line(out, indent);
      spaces = 0;
    }
    used += (size_t)fprintf(out, "%*s%.*s", (int)spaces, "", (int)size, at);
    spaces = 0;
    at += size;
  }
}

/* The left column is `at` columns wide, the space behind it included. */
void print_row(FILE *out, const char *left, size_t at, const char *text, size_t width) {
  size_t used = (size_t)fprintf(out, "%s", left);
  if (used + 1 > at) used = new_line(out, at);
  fprintf(out, "%*s", (int)(at - used), "");
  print_wrapped(out, text, at, at, width);
  fputc('\n', out);
}
