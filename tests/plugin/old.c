/* A plug-in of ABI 1, as its header began: must be refused before anything else of it is read. */
#include <stdint.h>

typedef struct Table1 {
  uint32_t abi, struct_size;
  const char *name, *summary;
} Table1;

static const Table1 table = {1, 240, "old", "a table of the first ABI"};

const void *agon_env(void);
const void *agon_env(void) { return &table; }
