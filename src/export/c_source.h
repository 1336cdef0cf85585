/* An agent as C. */
#pragma once
#include "export/rounding.h"

/* STEM.c and STEM.h, whose functions begin with STEM. block: the numbers as export_rounded has made
 * them for as many digits. The caller frees both, on failure too. ERR_MEMORY. */
Status export_c(const AgentFile *file, const float *block, uint32_t digits, const char *stem,
                Bytes *source, Bytes *header);
