/* Whether this processor can run the program at all. Kernels are chosen at run time, but with
 * -DAGON_NATIVE=ON everything else is compiled for the processor of the machine that built it, and
 * an older one would end it by SIGILL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* What the compiler was allowed to use beyond the baseline, in the words of /proc/cpuinfo; NULL
 * behind the last. */
extern const char *const processor_needs[];

/* Writes those of `needs` that are not among the words of `flags` to `lacking` (", " between them,
 * cut at `size`). Returns whether there are any. */
bool processor_lacks(const char *flags, const char *const *needs, char *lacking, size_t size);
/* The same of this program on this processor; false where the system does not say what the
 * processor can do. */
bool processor_lacks_any(char *lacking, size_t size);
