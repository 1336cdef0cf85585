#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>

/* The first of the three that is set decides, as in setlocale. A terminal that calls itself dumb gets no more than
 * ASCII. */
bool terminal_unicode(void) {
  const char *names[] = {getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")}, *kind = getenv("TERM");
  if (kind && !strcmp(kind, "dumb")) return false;
  for (int i = 0; i < 3; i++)
    if (names[i] && *names[i]) return strstr(names[i], "UTF-8") || strstr(names[i], "utf8") || strstr(names[i], "UTF8");
  return false;
}
