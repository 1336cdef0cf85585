#include "data/returns.h"

#include <math.h>

/* What each step adds by itself comes first, in loops that vectorise; the recurrence is left with
 * one multiply-add a step. */
void returns_gae(const float *restrict reward, const float *restrict discount,
                 const float *restrict value, float bootstrap, float lambda, size_t n,
                 float *restrict advantage) {
  if (n == 0) return;
  for (size_t t = 0; t + 1 < n; t++)
    advantage[t] = reward[t] + discount[t] * value[t + 1] - value[t];
  advantage[n - 1] = reward[n - 1] + discount[n - 1] * bootstrap - value[n - 1];
  for (size_t t = n - 1; t-- > 0;)
    advantage[t] += discount[t] * lambda * advantage[t + 1];
}

/* TD(lambda) targets, from the end: each step mixes the next state's value with the target behind
 * it. */
void returns_lambda(const float *reward, const float *discount, const float *next_value,
                    float lambda, size_t n, float *target) {
  float next = n ? next_value[n - 1] : 0;
  for (size_t t = n; t-- > 0;)
    next = target[t] = reward[t] + discount[t] * ((1 - lambda) * next_value[t] + lambda * next);
}

static inline float least(float a, float b) {
  return a < b ? a : b;
}

/* V-trace (Espeholt et al., arXiv 1802.01561, eq. 1): vs - value obeys a recurrence, run from the
 * end. rho is the ratio of the learner's to the actor's probability, clipped. */
void returns_vtrace(const float *reward, const float *discount, const float *value, float bootstrap,
                    const float *log_rho, float clip_rho, float clip_pg, float lambda, size_t n,
                    float *vs, float *advantage) {
  float correction = 0; /* vs - value of the step after this one */
  float next_value = bootstrap;
  float next_vs = bootstrap;
  for (size_t t = n; t-- > 0;) {
    float rho = expf(log_rho[t]);
    float delta = least(rho, clip_rho) * (reward[t] + discount[t] * next_value - value[t]);
    advantage[t] = least(rho, clip_pg) * (reward[t] + discount[t] * next_vs - value[t]);
    correction = delta + discount[t] * lambda * least(rho, 1.0f) * correction;
    next_vs = vs[t] = value[t] + correction;
    next_value = value[t];
  }
}

void returns_upgo(const float *reward, const float *discount, const float *value, float bootstrap,
                  const float *log_rho, size_t n, float *advantage) {
  float next_value = bootstrap;  /* v_{t+1} */
  float next_return = bootstrap; /* what G_{t+1} would be */
  float next_q = bootstrap;      /* q_{t+1} = r_{t+1} + d_{t+1} v_{t+2} */
  for (size_t t = n; t-- > 0;) {
    float target = reward[t] + discount[t] * (next_q >= next_value ? next_return : next_value);
    advantage[t] = least(expf(log_rho[t]), 1.0f) * (target - value[t]);
    next_q = reward[t] + discount[t] * next_value;
    next_return = target;
    next_value = value[t];
  }
}
