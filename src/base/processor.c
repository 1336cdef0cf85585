/* Compiled for the baseline in every build, as main.c is: this runs before it is known what else
 * may run. */
#include "base/processor.h"

#include <stdio.h>
#include <string.h>

/* Whether `word` stands in a text of words between spaces or tabs: "sse4_1" must not be found in
 * "sse4_10". */
static bool has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)); at += length) {
    bool begins = at == text || at[-1] == ' ' || at[-1] == '\t';
    if (begins && (!at[length] || strchr(" \t\n", at[length]))) return true;
  }
  return false;
}

/* Works on text, so that a test can ask about any processor by its line of /proc/cpuinfo. */
bool processor_lacks(const char *flags, const char *const *needs, char *lacking, size_t size) {
  size_t used = 0;
  lacking[0] = 0;
  for (; *needs; needs++) {
    if (has_word(flags, *needs)) continue;
    int wrote = snprintf(lacking + used, size - used, "%s%s", used ? ", " : "", *needs);
    used = used + (size_t)wrote < size ? used + (size_t)wrote : size - 1;
  }
  return used > 0;
}

/* All cores of a machine have the same flags as far as the compiler cares; the first core's are
 * read. */
bool processor_lacks_any(char *lacking, size_t size) {
  char line[8192];
  bool lacks = false;
  FILE *file = *processor_needs ? fopen("/proc/cpuinfo", "r") : NULL;
  if (!file) return false;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, "flags", 5))
      continue; /* processors that are not x86 have no such line, and nothing is asked of them */
    lacks = processor_lacks(line, processor_needs, lacking, size);
    break;
  }
  fclose(file);
  return lacks;
}
