/* Adam (Kingma & Ba 2015, algorithm 1) over a flat block, with global-norm clipping. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct Adam {
  float beta1;
  float beta2;
  float epsilon;
} Adam;

double gradient_norm(const float *gradient, size_t count);
/* One step (counted from 1): m, v (count) are the moments; the gradient is multiplied by `scale`
 * first. */
void adam_step(const Adam *adam, float *params, float *m, float *v, const float *gradient,
               size_t count, uint64_t step, float rate, float scale);
