/* Configuration of acting: `actors.*`. */
#pragma once
#include "base/option.h"

typedef struct ActorConfig {
  int64_t slots;
  int64_t lanes;
  int64_t lane_episodes;
  int64_t unroll; /* env steps per slot and tick */
  double eval_share;
  int64_t openings;
  int64_t cache;
  int64_t chunk;
} ActorConfig;

extern const Option actor_options[];
extern const size_t actor_option_count;
