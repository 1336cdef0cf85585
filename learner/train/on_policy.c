/* What several algorithms' targets are made of. */
#include "data/returns.h"
#include "learner/algos/algo.h"

float bootstrap_of(const Unroll *unroll, const float *value) {
  return unroll->end == END_TERMINATED ? 0 : value[unroll->first + unroll->rows];
}

void targets_gae(Update *update) {
  Batch *batch = update->batch;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t at = unroll->first, n = unroll->rows;
    returns_gae(batch->reward + at, update->discount + at, batch->value + at, bootstrap_of(unroll, batch->value),
                (float)update->config->lambda, n, update->advantage + at);
    for (size_t t = 0; t < n; t++) update->target[at + t] = update->advantage[at + t] + batch->value[at + t];
  }
}
