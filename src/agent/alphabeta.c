/* Alpha-beta search of a few plies, for turn-based perfect-information zero-sum games of two
 * without chance: a plain, strong yardstick that knows the rules and nothing else. A leaf that is
 * not decided is worth 0; among equally good moves it chooses at random. The played move's value is
 * exact within the depth. */
#include "agent/builtin.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STATE = 512, MOST_CHOICES = 64 };

/* The search depth is all that it knows. */
typedef struct AlphaBeta {
  BuiltinPolicy base;
  int depth;
} AlphaBeta;

/* Two players in turn, what one wins the other loses, nothing hidden or random, and small enough
 * for arrays on the stack. */
static bool supports(const Env *env) {
  uint32_t needed = AGON_ZERO_SUM | AGON_PERFECT_INFORMATION | AGON_ENUMERATES_CHANCE;
  return (env->spec.flags & needed) == needed && !(env->spec.flags & AGON_SIMULTANEOUS) &&
         env->spec.agents == 2 && env_copies(env) && !env->table->chance_outcomes &&
         env->layout.action_kind == AGON_DISCRETE && env->spec.episode_size <= MOST_STATE &&
         env->action_count <= MOST_CHOICES;
}

/* The parameter is the depth in plies. */
static Status create(const Env *env, int parameter, BuiltinPolicy **out) {
  AlphaBeta *self;
  TRY_RETURN(NEW_ARRAY(self, 1));
  self->base.env = env;
  self->depth = parameter;
  *out = &self->base;
  return OK;
}

static float search(const Env *env, const void *episode, uint32_t agent, int depth, float low,
                    float high);

/* Value for `agent` of its move `choice`, searched `depth` plies deep, this one included. An agent
 * may move several times in a row: the sign turns only when the other moves. */
static float after(const Env *env, const void *episode, uint32_t agent, uint32_t choice, int depth,
                   float low, float high) {
  char next[MOST_STATE] __attribute__((aligned(16)));
  AgonAction actions[2] = {{0}};
  float reward[2] = {0};
  AgonRng rng = {0};
  AgonRandom random = rng_handle(&rng);
  uint8_t flags[2];
  memcpy(next, episode, env->spec.episode_size);
  actions[agent].choice = (int32_t)choice;
  AgonStatus how = env_call_step(env, next, actions, &random, reward);
  if (how != AGON_RUNNING) return reward[agent];
  if (depth <= 1) return 0;
  env_flags_of(env, next, flags);
  if (flags[agent] & AGON_ACTS) return search(env, next, agent, depth - 1, low, high);
  return -search(env, next, 1 - agent, depth - 1, -high, -low);
}

/* The best value for the agent who moves, cut off where it leaves (low, high): then it is only a
 * bound. */
static float search(const Env *env, const void *episode, uint32_t agent, int depth, float low,
                    float high) {
  uint8_t legal[MOST_CHOICES];
  float best = env->spec.reward_low;
  env_mask(env, episode, agent, legal);
  for (uint32_t i = 0; i < env->action_count; i++) {
    if (!legal[i]) continue;
    float value = after(env, episode, agent, i, depth, low > best ? low : best, high);
    if (value > best) best = value;
    if (best >= high) break;
  }
  return best;
}

/* Every root move is searched with the full window, so that equally good moves are known to be
 * equal. */
static void probabilities(BuiltinPolicy *base, const void *episode, uint32_t agent,
                          const uint8_t *mask, float *out) {
  const Env *env = base->env;
  float value[MOST_CHOICES];
  float best = env->spec.reward_low - 1;
  uint32_t count = 0;
  for (uint32_t i = 0; i < env->action_count; i++) {
    if (!mask[i]) continue;
    value[i] = after(env, episode, agent, i, ((AlphaBeta *)base)->depth, env->spec.reward_low,
                     env->spec.reward_high);
    if (value[i] > best) best = value[i];
  }
  for (uint32_t i = 0; i < env->action_count; i++)
    count += mask[i] && value[i] == best;
  for (uint32_t i = 0; i < env->action_count; i++)
    out[i] = mask[i] && value[i] == best ? 1.0f / (float)count : 0.0f;
}

/* Draws among the best. */
static void act(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask,
                AgonRng *rng, AgonAction *out) {
  float share[MOST_CHOICES];
  probabilities(self, episode, agent, mask, share);
  out->choice = builtin_pick(share, self->env->action_count, rng);
}

/* There is nothing but the struct. */
static void destroy(BuiltinPolicy *base) {
  free(base);
}

const BuiltinOps builtin_alphabeta = {
    .name = "alphabeta",
    .summary = "looks N moves ahead, leaves worth 0 (alphabeta-N, default 4)",
    .parameter = 4,
    .most = 12,
    .supports = supports,
    .create = create,
    .act = act,
    .probabilities = probabilities,
    .destroy = destroy,
};
