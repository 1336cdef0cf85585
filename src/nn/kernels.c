/* Which kernels this process uses: the first of the list that the processor supports, or the one that was named. */
#include "nn/gemm.h"
#include "nn/kernel.h"

#include <string.h>

#ifdef __x86_64__
extern const Kernels kernel_avx512, kernel_avx2;
#endif
extern const Kernels kernel_plain;

static const Kernels *chosen;

const Kernels *kernels_at(size_t index) {
  const Kernels *const all[] = {
#ifdef __x86_64__
      &kernel_avx512, &kernel_avx2,
#endif
      gemm_kernels(), &kernel_plain,
  };
  return index < COUNT_OF(all) ? all[index] : NULL;
}

const Kernels *kernels(void) {
  for (size_t i = 0; !chosen; i++)
    if (kernels_at(i)->supported()) chosen = kernels_at(i);
  return chosen;
}

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
    return status_set(ERR_USAGE, "kernels: this processor cannot run '%s'; use auto (it would take %s)", name,
                      kernels()->name);
  chosen = found;
  return OK;
}
