/* Which kernels this process uses: the first of the list that the processor supports, or the one
 * that was named. */
#include "nn/kernels/openblas.h"
#include "nn/kernels/kernels.h"

#include <string.h>

#ifdef __x86_64__
extern const Kernels kernel_avx512, kernel_avx2;
extern const Bf16Kernels bf16_amx, bf16_avx512;
#endif
extern const Kernels kernel_plain;
extern const Bf16Kernels bf16_plain;

static const Kernels *chosen;

/* Best first. */
const Kernels *kernels_at(size_t index) {
  const Kernels *const all[] = {
#ifdef __x86_64__
      &kernel_avx512,
      &kernel_avx2,
#endif
      gemm_kernels(),
      &kernel_plain,
  };
  return index < COUNT_OF(all) ? all[index] : NULL;
}

/* The best this processor can run, unless one was chosen. */
const Kernels *kernels(void) {
  for (size_t i = 0; !chosen; i++)
    if (kernels_at(i)->supported()) chosen = kernels_at(i);
  return chosen;
}

/* For all ranks of a job, at start-up: other kernels round differently, so copies of weights would
 * come apart. */
Status kernels_choose(const char *name) {
  const Kernels *found = NULL;
  if (!strcmp(name, "auto")) {
    chosen = NULL;
    kernels();
    return OK;
  }
  for (size_t i = 0; kernels_at(i); i++)
    if (!strcmp(kernels_at(i)->name, name)) found = kernels_at(i);
  if (!found || !found->supported())
    return status_set(ERR_USAGE,
                      "kernels: this processor cannot run '%s'; use auto (it would take %s)", name,
                      kernels()->name);
  chosen = found;
  return OK;
}

static const Bf16Kernels *chosen_bf16;

/* Best first, plain C last. */
const Bf16Kernels *bf16_at(size_t index) {
  const Bf16Kernels *const all[] = {
#ifdef __x86_64__
      &bf16_amx,
      &bf16_avx512,
#endif
      &bf16_plain,
  };
  return index < COUNT_OF(all) ? all[index] : NULL;
}

/* NULL: float32 is as fast here. */
const Bf16Kernels *bf16_kernels(void) {
  if (chosen_bf16) return chosen_bf16;
  for (size_t i = 0; bf16_at(i + 1); i++) /* plain C gains nothing */
    if (bf16_at(i)->supported()) return chosen_bf16 = bf16_at(i);
  return NULL;
}

void bf16_choose(const Bf16Kernels *table) {
  chosen_bf16 = table;
}
