/* What a process has said last. */
#include "sweep/records.h"

#include <stdio.h>
#include <string.h>

/* agon says in one line what was wrong; a launcher says more behind it. So the last line of agon's
 * counts, and where there is none the last of all. */
void last_words(const char *log, char *out, size_t size) {
  enum { TAIL = 8192 };
  char text[TAIL + 1];
  snprintf(out, size, "its log is empty");
  FILE *file = fopen(log, "r");
  if (!file) return;
  if (!fseek(file, 0, SEEK_END)) {
    const long end = ftell(file);
    fseek(file, end > TAIL ? end - TAIL : 0, SEEK_SET);
  }
  const size_t length = fread(text, 1, TAIL, file);
  fclose(file);
  text[length] = 0;
  bool ours = false;
  char *rest = text;
  for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
    const bool agon = !strncmp(line, "agon", 4) && !strstr(line, ": warning: ");
    if (ours && !agon) continue;
    ours = agon;
    snprintf(out, size, "%s", line);
  }
  for (char *at = out; *at; at++) /* it goes into JSON */
    if (*at < ' ' || *at > '~') *at = '?';
}
