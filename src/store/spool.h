/* A file without a name, in which bytes wait for being written elsewhere that are too many for
 * memory: what learners keep of experience, on its way into a checkpoint. It goes with the process,
 * however that ends. */
#pragma once
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Spool Spool;

/* Some of its bytes. */
typedef struct SpoolPart {
  uint64_t at;
  size_t size;
} SpoolPart;

/* An empty one, on the disk that `folder` is on; *out is the caller's (spool_close). ERR_IO,
 * ERR_MEMORY. */
Status spool_open(const char *folder, Spool **out);
/* Accepts NULL. */
void spool_close(Spool *spool);
/* Appends bytes; *out is where they lie. ERR_IO; then they are not there. */
Status spool_add(Spool *spool, const void *bytes, size_t size, SpoolPart *out);
/* Copies `size` bytes, from byte `from` on of those of all the parts one behind another, which must
 * be there. ERR_IO. */
Status spool_read(const Spool *spool, const SpoolPart *part, size_t parts, uint64_t from, void *out,
                  size_t size);
/* Lets go of all. */
void spool_clear(Spool *spool);
