/* Thin layer over Random123's Philox4x32-10; counter words: (block lo, block hi, episode, slot and purpose). */
#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

AgonRng rng_stream(uint64_t seed, uint32_t slot, uint32_t episode, RngPurpose purpose) {
  return (AgonRng){.key = seed, .stream = (slot & 0xffffffu) | ((uint32_t)purpose << 24), .episode = episode};
}

AgonRng rng_decision(uint64_t seed, uint32_t slot, uint32_t episode, uint32_t step, uint32_t agent) {
  AgonRng rng = rng_stream(seed, slot, episode, RNG_ACT);
  /* Agents from 256 on take the two bits below those of the others, whose streams stay what they were. */
  rng.counter = (uint64_t)step << 32 | (agent & 255u) << 24 | (agent >> 8 & 3u) << 22;
  return rng;
}

uint32_t rng_next(AgonRng *rng) {
  if (rng->left == 0 || rng->left > 4) {
    philox4x32_ctr_t counter = {{(uint32_t)rng->counter, (uint32_t)(rng->counter >> 32), rng->episode, rng->stream}};
    philox4x32_key_t key = {{(uint32_t)rng->key, (uint32_t)(rng->key >> 32)}};
    philox4x32_ctr_t block = philox4x32_R(10, counter, key);
    for (int i = 0; i < 4; i++) rng->block[i] = block.v[i];
    rng->counter++;
    rng->left = 4;
  }
  return rng->block[4 - rng->left--];
}

double rng_unit(AgonRng *rng) { return rng_next(rng) * (1.0 / 4294967296.0); }

double rng_normal(AgonRng *rng) {
  double radius = sqrt(-2.0 * log((rng_next(rng) + 1.0) * (1.0 / 4294967296.0)));
  return radius * cos(6.283185307179586 * rng_unit(rng));
}

uint32_t rng_below(AgonRng *rng, uint32_t bound) { return (uint32_t)(((uint64_t)rng_next(rng) * bound) >> 32); }

size_t rng_pick(AgonRng *rng, const double *weight, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += weight[i];
  double target = rng_unit(rng) * sum;
  size_t last = 0;
  for (size_t i = 0; i < count; i++) {
    if (weight[i] <= 0) continue;
    last = i;
    target -= weight[i];
    if (target < 0) return i;
  }
  return last;
}

AgonRandom rng_handle(AgonRng *rng) { return (AgonRandom){rng, rng_next}; }
