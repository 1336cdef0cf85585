#include "nn/adam.h"

#include "nn/kernels/kernels.h"

#include <math.h>

/* L2, summed in double. */
double gradient_norm(const float *gradient, size_t count) {
  return sqrt(kernels()->square_sum(gradient, count));
}

/* The moments start at 0, so that they are too small at first: correct1 and correct2 make up for
 * it. */
void adam_step(const Adam *adam, float *params, float *m, float *v, const float *gradient,
               size_t count, uint64_t step, float rate, float scale) {
  const AdamStep s = {.beta1 = adam->beta1,
                      .beta2 = adam->beta2,
                      .epsilon = adam->epsilon,
                      .rate = rate,
                      .scale = scale,
                      .correct1 = (float)(1.0 / (1.0 - pow(adam->beta1, (double)step))),
                      .correct2 = (float)(1.0 / (1.0 - pow(adam->beta2, (double)step)))};
  kernels()->adam(params, m, v, gradient, count, &s);
}
