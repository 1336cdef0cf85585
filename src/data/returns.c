#include "data/returns.h"

#include <math.h>

void returns_gae(const float *reward, const float *discount, const float *value, float bootstrap, float lambda,
                 size_t n, float *advantage) {
  float next_value = bootstrap, next = 0;
  for (size_t t = n; t-- > 0;) {
    float delta = reward[t] + discount[t] * next_value - value[t];
    next = advantage[t] = delta + discount[t] * lambda * next;
    next_value = value[t];
  }
}

void returns_lambda(const float *reward, const float *discount, const float *next_value, float lambda, size_t n,
                    float *target) {
  float next = n ? next_value[n - 1] : 0;
  for (size_t t = n; t-- > 0;)
    next = target[t] = reward[t] + discount[t] * ((1 - lambda) * next_value[t] + lambda * next);
}

static float clipped(float log_rho, float limit) {
  float rho = expf(log_rho);
  return rho < limit ? rho : limit;
}

void returns_vtrace(const float *reward, const float *discount, const float *value, float bootstrap,
                    const float *log_rho, float clip_rho, float clip_pg, float lambda, size_t n, float *vs,
                    float *advantage) {
  float correction = 0, next_value = bootstrap, next_vs = bootstrap;
  for (size_t t = n; t-- > 0;) {
    float delta = clipped(log_rho[t], clip_rho) * (reward[t] + discount[t] * next_value - value[t]);
    advantage[t] = clipped(log_rho[t], clip_pg) * (reward[t] + discount[t] * next_vs - value[t]);
    correction = delta + discount[t] * lambda * clipped(log_rho[t], 1.0f) * correction;
    next_vs = vs[t] = value[t] + correction;
    next_value = value[t];
  }
}

void returns_upgo(const float *reward, const float *discount, const float *value, float bootstrap, const float *log_rho,
                  size_t n, float *advantage) {
  float next_value = bootstrap, next_return = bootstrap; /* what G_{t+1} would be, and v_{t+1} */
  float next_q = bootstrap;                              /* q_{t+1} = r_{t+1} + d_{t+1} v_{t+2} */
  for (size_t t = n; t-- > 0;) {
    float target = reward[t] + discount[t] * (next_q >= next_value ? next_return : next_value);
    advantage[t] = clipped(log_rho[t], 1.0f) * (target - value[t]);
    next_q = reward[t] + discount[t] * next_value;
    next_return = target;
    next_value = value[t];
  }
}
