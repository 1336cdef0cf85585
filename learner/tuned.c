#include "learner/tuned.h"

void tuned_take(const double tuned[TUNABLES], LearnConfig *config) {
  double *const start[TUNABLES] = {
      [TUNE_RATE] = &config->rate,
      [TUNE_ENTROPY] = &config->entropy,
      [TUNE_VALUE_WEIGHT] = &config->value_weight,
      [TUNE_CLIP_NORM] = &config->clip_norm,
      [TUNE_LAMBDA] = &config->lambda,
      [TUNE_REFERENCE] = &config->reference,
  };
  double *const end[TUNABLES] = {
      [TUNE_RATE] = &config->rate_end,
      [TUNE_ENTROPY] = &config->entropy_end,
      [TUNE_REFERENCE] = &config->reference_end,
  };
  for (size_t k = 0; k < TUNABLES; k++) {
    if (tuned[k] <= 0) continue;
    *start[k] = tuned[k];
    if (end[k]) *end[k] = tuned[k];
  }
}
