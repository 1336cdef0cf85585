/* Episodes of an env in which one team plays: there is nobody to beat, so a player is judged by
 * what it earns. */
#pragma once
#include "eval/eval.h"
#include "play/measures.h"

/* What is to be played. */
typedef struct SoloPlan {
  uint64_t seed;
  /* each draws from (seed, its number): all players meet the same chance and openings */
  uint64_t episodes;
  uint32_t openings; /* random steps before the player takes over */
  uint64_t recorded; /* the first so many are written down for `played` */
  Status (*played)(void *context, const GameText *game); /* may be NULL; by their numbers' order */
  void *context;
} SoloPlan;

/* What a player earned, over all episodes. */
typedef struct SoloScore {
  uint64_t episodes;
  double mean, deviation; /* of the team's return in an episode */
  double low, high;       /* 95 % interval of the mean, by Student's t; NAN: cannot be told */
  double least, most;
  double length;           /* mean env steps */
  double metric[MEASURES]; /* means of what is measured (play/measures.h) */
  bool drew;               /* false: nothing was random, so all episodes are one */
} SoloScore;

/* The env's random stream in an episode, of which replays begin. */
AgonRng solo_stream(uint64_t seed, uint64_t episode);
/* Plays the plan's episodes. ERR_USAGE unless the env has one team and there is an episode to play;
 * ERR_ENV, ERR_MEMORY. */
Status eval_solo(const Env *env, Contestant *player, const SoloPlan *plan, SoloScore *out);
