/* Files that the build puts into the program (deploy/embed.cmake), so that it needs none of them
 * where it runs. */
#pragma once
#include <stddef.h>

typedef struct Embedded {
  const char *name; /* without folders; NULL: behind the last */
  const char *text; /* its bytes, and a 0 behind them */
  size_t size;      /* of its bytes */
} Embedded;
