/* What main does first, by itself: install.sh links it with the needs of another processor. */
#include "base/processor.h"

#include <stdio.h>

int main(void) {
  char lacking[64];
  if (!processor_lacks_any(lacking, sizeof lacking)) return 0;
  puts(lacking);
  return 2;
}
