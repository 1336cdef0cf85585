/* What is learned from instead of the env's own rewards: what an agent added to its team, what its
 * team and others got, how unequally. Only learners see it: returns stay those of the env, in all
 * that is reported, paid off and rated. Configuration: `rewards.*`. */
#pragma once
#include "base/option.h"
#include "env/env.h"
#include "play/play.h"

enum { DIFFERENCE_NONE, DIFFERENCE_IDLE, DIFFERENCE_WITHOUT };
enum { SOCIAL_SELFISH, SOCIAL_SHARED, SOCIAL_INEQUITY };

typedef struct RewardsConfig {
  int difference; /* DIFFERENCE_... */
  double shaping; /* weight of the env's potential; the learner's, which has the discount */
  double team;    /* share of the team's mean reward */
  int social;     /* SOCIAL_... */
  double alpha, beta, smoothing; /* of SOCIAL_INEQUITY */
  char matrix[OPTION_TEXT];      /* between teams; "": none */
} RewardsConfig;

extern const Option rewards_options[];
extern const size_t rewards_option_count;

/* ERR_USAGE, in a sentence, where this env cannot be learned from so, or keys exclude each
 * other. */
Status rewards_check(const Env *env, const RewardsConfig *config);

typedef struct Rewards Rewards;
/* Of a configuration that fits (rewards_check). *out is NULL where the env's own rewards are what
 * is learned from. env is borrowed. */
Status rewards_create(const Env *env, const RewardsConfig *config, Rewards **out);
/* Accepts NULL. */
void rewards_destroy(Rewards *rewards);
/* Whether a slot keeps what agents earned before (PlaySlot.earned). */
bool rewards_remember(const Rewards *rewards);
/* Before a step, whose actions are made and clipped: what the team of each agent that acts and is
 * recorded gets in a copy of it in which the agent idles, or is not there, to others (agents).
 * Copies have the slot's random numbers. Without rewards.difference nothing. ERR_ENV if a copy
 * fails. */
Status rewards_compare(Rewards *rewards, const PlaySlot *slot, const uint8_t *flags,
                       const AgonAction *actions, float *others);
/* After it: what is learned of the env's own rewards; flags are those before the step. Borrowed
 * until the next call. */
const float *rewards_learned(Rewards *rewards, PlaySlot *slot, const uint8_t *flags,
                             const float *others, const float *reward);
