#include "nn/adam.h"

#include <math.h>

double gradient_norm(const float *gradient, size_t count) {
  double sum[8] = {0};
  for (size_t i = 0; i < count; i++) sum[i & 7] += (double)gradient[i] * gradient[i];
  return sqrt(((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7])));
}

void adam_step(const Adam *adam, float *restrict params, float *restrict m, float *restrict v,
               const float *restrict gradient, size_t count, uint64_t step, float rate, float scale) {
  float b1 = adam->beta1, b2 = adam->beta2, epsilon = adam->epsilon;
  float correct1 = (float)(1.0 / (1.0 - pow(b1, (double)step))),
        correct2 = (float)(1.0 / (1.0 - pow(b2, (double)step)));
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i] * scale;
    m[i] = b1 * m[i] + (1 - b1) * g;
    v[i] = b2 * v[i] + (1 - b2) * g * g;
    params[i] -= rate * (m[i] * correct1) / (sqrtf(v[i] * correct2) + epsilon);
  }
}
