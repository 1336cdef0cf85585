/* Episodes of an env in which one team plays: there is nobody to beat, so a player is judged by what it earns. */
#pragma once
#include "eval/eval.h"

typedef struct SoloPlan {
  uint64_t seed;
  uint64_t episodes; /* each draws from (seed, its number): all players meet the same chance and openings */
  uint32_t openings; /* random steps before the player takes over */
} SoloPlan;

typedef struct SoloScore {
  uint64_t episodes;
  double mean, deviation; /* of the team's return in an episode */
  double low, high;       /* 95 % interval of the mean, by Student's t; NAN: cannot be told */
  double least, most;
  double length;     /* mean env steps */
  double metric[16]; /* means of the env's metrics */
  bool drew;         /* false: nothing was random, so all episodes are one */
} SoloScore;

/* ERR_USAGE unless the env has one team. */
Status eval_solo(const Env *env, Contestant *player, const SoloPlan *plan, SoloScore *out);
