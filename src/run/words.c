#include "run/words.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

json_t *json_words(const char *text) {
  json_t *words = json_string(text);
  if (words) return words;
  char *copy = strdup(text);
  if (!copy) return NULL;
  text_mend(copy);
  words = json_string(copy);
  free(copy);
  return words;
}
