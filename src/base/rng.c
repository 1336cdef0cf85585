/* A thin layer over Random123's Philox4x32-10, a block cipher over counters: the key is the run's
 * seed, the counter's four words are (block low, block high, episode, slot and purpose). So any
 * number of any stream can be had without the ones before it. */
#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

/* Slot and purpose share a word: 24 bits and 8. */
AgonRng rng_stream(uint64_t seed, uint32_t slot, uint32_t episode, RngPurpose purpose) {
  return (AgonRng){
      .key = seed, .stream = (slot & 0xffffffu) | ((uint32_t)purpose << 24), .episode = episode};
}

/* Step and agent make the block counter's upper bits, so that decisions never share a block. */
AgonRng rng_decision(uint64_t seed, uint32_t slot, uint32_t episode, uint32_t step,
                     uint32_t agent) {
  AgonRng rng = rng_stream(seed, slot, episode, RNG_ACT);
  /* Agents from 256 on take the two bits below those of the others, whose streams stay what they
   * were. */
  rng.counter = (uint64_t)step << 32 | (agent & 255u) << 24 | (agent >> 8 & 3u) << 22;
  return rng;
}

/* Each block gives four numbers. A handle whose `left` is out of range (memory that was never set,
 * say) draws a new one. */
uint32_t rng_next(AgonRng *rng) {
  if (rng->left == 0 || rng->left > 4) {
    philox4x32_ctr_t counter = {
        {(uint32_t)rng->counter, (uint32_t)(rng->counter >> 32), rng->episode, rng->stream}};
    philox4x32_key_t key = {{(uint32_t)rng->key, (uint32_t)(rng->key >> 32)}};
    philox4x32_ctr_t block = philox4x32_R(10, counter, key);
    for (int i = 0; i < 4; i++)
      rng->block[i] = block.v[i];
    rng->counter++;
    rng->left = 4;
  }
  return rng->block[4 - rng->left--];
}

/* One number of 32 bits, as a fraction. */
double rng_unit(AgonRng *rng) {
  return rng_next(rng) * (1.0 / 4294967296.0);
}

/* Box and Muller (1958), the cosine half. The 1 that is added keeps the logarithm finite. */
double rng_normal(AgonRng *rng) {
  double radius = sqrt(-2.0 * log((rng_next(rng) + 1.0) * (1.0 / 4294967296.0)));
  return radius * cos(6.283185307179586 * rng_unit(rng));
}

/* The upper half of a product: its bias, at most bound / 2^32, does not matter here, and it needs
 * no loop. */
uint32_t rng_below(AgonRng *rng, uint32_t bound) {
  return (uint32_t)(((uint64_t)rng_next(rng) * bound) >> 32);
}

/* Rounding may leave a little of the target at the end: then the last with a weight is it. */
size_t rng_pick(AgonRng *rng, const double *weight, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += weight[i];
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

/* What environments draw from. */
AgonRandom rng_handle(AgonRng *rng) {
  return (AgonRandom){rng, rng_next};
}
