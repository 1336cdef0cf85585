/* An agent as C. */
#pragma once
#include "export/export.h"

/* Characters that a number of a matrix may take. */
enum { EXPORT_SHORT = 3, EXPORT_LONG = 4, EXPORT_EXACT = 5 };

/* STEM.c and STEM.h, whose functions begin with STEM. digits: see above. The caller frees both, on
 * failure too. ERR_MEMORY. */
Status export_c(const AgentFile *file, const char *stem, uint32_t digits, Bytes *source,
                Bytes *header);
/* The block as such a file holds it: block has room for file->parameters. ERR_MEMORY. */
Status export_rounded(const AgentFile *file, uint32_t digits, float *block);
