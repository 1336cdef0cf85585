/* An episode to look at: players play it with their most probable actions, and every position is
 * shown. */
#pragma once
#include "eval/line.h"

/* What is to be played. */
typedef struct ExhibitPlan {
  Contestant *const *team; /* (teams) who plays for each; one may play for several. Borrowed */
  AgonRng rng;             /* of the env, and of chance */
  /* Sees the first position (step 0) and that after every step, chance moves not counted; the last
   * one is the end. */
  Status (*shown)(void *context, const Position *position, uint32_t step);
  void *context;
} ExhibitPlan;

/* Plays the episode; the same plan is the same episode. *steps: how many it has. ERR_USAGE for an
 * env whose states cannot be copied, ERR_ENV, ERR_MEMORY, and what `shown` fails with. */
Status eval_exhibit(const Env *env, const ExhibitPlan *plan, uint32_t *steps);
