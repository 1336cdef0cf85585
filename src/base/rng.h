/* Counter-based random streams (Philox4x32-10, Salmon et al., SC 2011, from the Random123 library).
 * A stream is named, never seeded from time or rank: (run seed, slot, episode, purpose). */
#pragma once
#include "agon/random.h"

#include <stddef.h>

typedef enum RngPurpose {
  RNG_ENV = 1,   /* the env's own draws and chance moves */
  RNG_ACT = 2,   /* sampling of actions, by decision */
  RNG_MATCH = 3, /* matchmaking; the slot number is the lane's */
  RNG_INIT = 4,  /* initial weights; the slot number is the player's */
  RNG_BATCH = 5, /* shuffling of minibatches; the slot number is the player's */
  RNG_EVAL = 6,  /* evaluation matches */
  RNG_TEST = 7,
  RNG_REPLAY = 8, /* draws from replay; the slot number is the player's */
  RNG_NOISE = 9,  /* what losses draw; the slot number is the player's, the episode its steps */
  RNG_TUNE =
      11, /* a player's first numbers; the slot number is its name's, the episode the number's */
  RNG_SWEEP = 10 /* a sweep's draws; the slot number is the key's, the episode the sample's */
} RngPurpose;

/* The beginning of a stream; slot < 2^24. */
AgonRng rng_stream(uint64_t seed, uint32_t slot, uint32_t episode, RngPurpose purpose);
/* The part of a stream that one decision draws from, with room for 2^22 blocks: agent < 1024. What
 * is drawn for a decision never depends on which others were drawn before. */
AgonRng rng_decision(uint64_t seed, uint32_t slot, uint32_t episode, uint32_t step, uint32_t agent);
/* The next 32 random bits. */
uint32_t rng_next(AgonRng *rng);
/* Uniform in [0, 1), in steps of 2^-32. */
double rng_unit(AgonRng *rng);
/* Standard normal. */
double rng_normal(AgonRng *rng);
/* Uniform in 0 .. bound - 1. */
uint32_t rng_below(AgonRng *rng, uint32_t bound);
/* An index drawn in proportion to weight[0 .. count - 1]: none negative, not all zero. */
size_t rng_pick(AgonRng *rng, const double *weight, size_t count);
/* The stream as environments see it; it draws from `rng`, which must outlive it. */
AgonRandom rng_handle(AgonRng *rng);
