/* runtime.h, compiled for an instruction set. */
#pragma once
#include "libagon/model.h"

typedef struct RunOps {
  size_t (*packed)(const Model *m); /* floats of one copy */
  void (*pack)(const Model *m, float *to);
  size_t (*scratch)(const Model *m);
  size_t (*chunk)(const Model *m);
  int (*act)(const Model *m, const float *packed, float *scratch, size_t *source,
             const ModelRows *rows, ModelFault *fault);
} RunOps;

extern const RunOps run_plain, run_avx2, run_avx512;
/* The fastest that this processor has. */
const RunOps *run_ops(void);
