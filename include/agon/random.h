/* agon/random.h - the random numbers that an environment may use.
 *
 * Plain data: a counter-based stream (Philox4x32-10) keyed by (run, slot, episode, purpose). It is
 * saved and copied with the episode, so that a copy goes on as the original does. The host passes
 * it together with the function that advances it. C11 and C++17 clean.
 */
#ifndef AGON_RANDOM_H
#define AGON_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AgonRng {
  uint64_t key;     /* run seed */
  uint32_t stream;  /* slot and purpose */
  uint32_t episode; /* episode number in the slot */
  uint64_t counter; /* blocks drawn so far */
  uint32_t block[4];
  uint32_t left; /* numbers of `block` not yet handed out, 0..4 */
  uint32_t pad;
} AgonRng;

typedef struct AgonRandom {
  AgonRng *rng;
  uint32_t (*next)(AgonRng *rng); /* uniform over 0 .. 2^32-1 */
} AgonRandom;

/* Uniform integer in 0..bound-1 (bound >= 1), without modulo bias beyond 2^-32 * bound. */
static inline uint32_t agon_random_below(const AgonRandom *random, uint32_t bound) {
  return (uint32_t)(((uint64_t)random->next(random->rng) * bound) >> 32);
}

/* Uniform real in [0, 1). */
static inline double agon_random_unit(const AgonRandom *random) {
  return random->next(random->rng) * (1.0 / 4294967296.0);
}

/* Uniform over 0 .. 2^64-1: a seed for whatever has random numbers of its own. */
static inline uint64_t agon_random_seed(const AgonRandom *random) {
  uint64_t high = random->next(random->rng);
  return high << 32 | random->next(random->rng);
}

#ifdef __cplusplus
}
#endif
#endif
