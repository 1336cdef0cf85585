/* Opponents that need no training: uniform random, exact minimax where the whole game fits into
 * memory, the env's own rules, and doing nothing. */
#include "agent/builtin.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* --- random --- */

/* Anything with actions. */
static bool random_supports(const Env *env) {
  (void)env;
  return true;
}

/* For policies without a state of their own. */
static Status plain_create(const Env *env, int parameter, BuiltinPolicy **out) {
  (void)parameter;
  TRY_RETURN(NEW_ARRAY(*out, 1));
  (*out)->env = env;
  return OK;
}

/* Also draws components of BOX actions, within their ranges. */
static void random_act(BuiltinPolicy *self, const void *episode, uint32_t agent,
                       const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  (void)episode;
  env_random_action(self->env, agent, mask, rng, out);
}

/* Alike for all legal choices of a head, as they are drawn head by head. */
static void random_probabilities(BuiltinPolicy *self, const void *episode, uint32_t agent,
                                 const uint8_t *mask, float *out) {
  (void)episode;
  (void)agent;
  const AgonKind *layout = &self->env->layout;
  for (uint32_t h = 0; h < layout->heads; h++) {
    const uint32_t choices = layout->head_size[h];
    uint32_t legal = 0;
    for (uint32_t i = 0; i < choices; i++)
      legal += mask[i];
    for (uint32_t i = 0; i < choices; i++)
      out[i] = mask[i] ? 1.0f / (float)legal : 0.0f;
    mask += choices;
    out += choices;
  }
}

/* For policies without a state of their own. */
static void plain_destroy(BuiltinPolicy *self) {
  free(self);
}

/* --- minimax --- */

/* A solved position in the table. */
typedef struct Position {
  uint64_t low, high; /* content hash; 0,0 = empty */
  int8_t value;       /* for agent 0: -1, 0, 1 */
} Position;

/* Values of positions, in an open-addressing table that is filled as they are asked for. */
typedef struct Minimax {
  BuiltinPolicy base;
  Position *table;
  size_t mask, used;
} Minimax;

/* Games of at most nine moves, with nothing hidden or random: tic-tac-toe. */
static bool minimax_supports(const Env *env) {
  uint32_t needed = AGON_ZERO_SUM | AGON_PERFECT_INFORMATION | AGON_ENUMERATES_CHANCE;
  return (env->spec.flags & needed) == needed && !(env->spec.flags & AGON_SIMULTANEOUS) &&
         env->spec.agents == 2 && env->layout.action_kind == AGON_DISCRETE &&
         env->spec.step_limit <= 9 && env_copies(env) && !env->table->chance_outcomes;
}

static Hash episode_hash(const Env *env, const void *episode);

/* The slot of a position, or the empty one where it would go. */
static Position *find_position(Minimax *self, Hash key) {
  size_t at = key.low & self->mask;
  while ((self->table[at].low | self->table[at].high) &&
         (self->table[at].low != key.low || self->table[at].high != key.high))
    at = (at + 1) & self->mask;
  return &self->table[at];
}

/* Whose turn it is. */
static uint32_t mover(const Env *env, const void *episode) {
  uint8_t flags[2];
  env_flags_of(env, episode, flags);
  return flags[0] & AGON_ACTS ? 0 : 1;
}

/* Value for agent 0 of playing `choice`. */
static int child_value(Minimax *self, const void *episode, uint32_t agent, uint32_t choice);

/* Value for agent 0, by trying all moves. */
static int position_value(Minimax *self, const void *episode) {
  const Env *env = self->base.env;
  Hash key = episode_hash(env, episode);
  Position *known = find_position(self, key);
  if (known->low | known->high) return known->value;
  uint8_t legal[64];
  uint32_t agent = mover(env, episode);
  int best = -2;
  env_mask(env, episode, agent, legal);
  for (uint32_t i = 0; i < env->action_count; i++) {
    if (!legal[i]) continue;
    int value = child_value(self, episode, agent, i) * (agent ? -1 : 1);
    if (value > best) best = value;
  }
  best *= agent ? -1 : 1;
  if (self->used * 2 > self->mask) return best; /* full: still exact, only slower */
  self->used++;
  *find_position(self, key) = (Position){key.low, key.high, (int8_t)best};
  return best;
}

/* Value for agent 0 after `agent` plays `choice`. */
static int child_value(Minimax *self, const void *episode, uint32_t agent, uint32_t choice) {
  const Env *env = self->base.env;
  char next[256] __attribute__((aligned(16)));
  AgonAction actions[2] = {{0}};
  AgonRng rng = {0};
  float reward[2] = {0};
  memcpy(next, episode, env->spec.episode_size);
  actions[agent].choice = (int32_t)choice;
  AgonStatus how = env_step(env, next, actions, &rng, reward);
  if (how == AGON_RUNNING) return position_value(self, next);
  return reward[0] > 0 ? 1 : reward[0] < 0 ? -1 : 0;
}

/* With perfect information one agent's view and who moves are the whole position. */
static Hash episode_hash(const Env *env, const void *episode) {
  uint8_t row[512];
  env_observe(env, episode, 0, row);
  row[env->observation_bytes] = (uint8_t)mover(env, episode);
  Hash hash = hash_bytes(row, env->observation_bytes + 1);
  hash.low |= 1; /* never the empty mark */
  return hash;
}

/* The table has room for all positions of tic-tac-toe several times over. */
static Status minimax_create(const Env *env, int parameter, BuiltinPolicy **out) {
  Minimax *self;
  (void)parameter;
  if (env->spec.episode_size > 256 || env->observation_bytes >= 512 || env->action_count > 64)
    return status_set(ERR_USAGE, "minimax: %s is too large", env->table->name);
  TRY_RETURN(NEW_ARRAY(self, 1));
  self->mask = (1u << 15) - 1;
  Status status = NEW_ARRAY(self->table, self->mask + 1);
  if (status != OK) {
    free(self);
    return status;
  }
  self->base.env = env;
  *out = &self->base;
  return OK;
}

/* Alike for all moves that keep the position's value. */
static void minimax_probabilities(BuiltinPolicy *base, const void *episode, uint32_t agent,
                                  const uint8_t *mask, float *out) {
  Minimax *self = (Minimax *)base;
  uint32_t count = 0;
  uint32_t choices = base->env->action_count;
  int best = -2, value[64];
  for (uint32_t i = 0; i < choices; i++) {
    value[i] = mask[i] ? child_value(self, episode, agent, i) * (agent ? -1 : 1) : -3;
    if (value[i] > best) best = value[i];
  }
  for (uint32_t i = 0; i < choices; i++)
    count += value[i] == best;
  for (uint32_t i = 0; i < choices; i++)
    out[i] = value[i] == best ? 1.0f / (float)count : 0.0f;
}

/* Draws among the best. */
static void minimax_act(BuiltinPolicy *self, const void *episode, uint32_t agent,
                        const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  float probability[64];
  minimax_probabilities(self, episode, agent, mask, probability);
  out->choice = builtin_pick(probability, self->env->action_count, rng);
}

/* The table goes with it. */
static void minimax_destroy(BuiltinPolicy *base) {
  free(((Minimax *)base)->table);
  free(base);
}

/* --- the env's own rule-based player --- */

/* Only where the env brings one. */
static bool scripted_supports(const Env *env) {
  return env->table->scripted && !(env->spec.flags & AGON_UNSCRIPTED);
}

/* The script looks at the rules itself, so the mask is not needed. */
static void scripted_act(BuiltinPolicy *self, const void *episode, uint32_t agent,
                         const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  AgonRandom random = rng_handle(rng);
  (void)mask;
  /* it writes the heads of the agent's own kind */
  memset(out, 0, self->env->layout.heads * sizeof *out);
  self->env->table->scripted(self->env->params, episode, agent, &random, out);
}

/* --- doing nothing --- */

/* Where every kind of agents has an action for that. */
static bool noop_supports(const Env *env) {
  for (uint32_t k = 0; k < env->spec.kinds; k++)
    if (!env->spec.kind[k].idle) return false;
  return true;
}

static void noop_act(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask,
                     AgonRng *rng, AgonAction *out) {
  const AgonKind *kind = env_kind(self->env, agent);
  (void)episode, (void)mask, (void)rng;
  memset(out, 0, self->env->layout.heads * sizeof *out); /* heads that its kind lacks */
  memcpy(out, kind->idle, kind->heads * sizeof *out);
}

static const BuiltinOps random_ops = {
    .name = "random",
    .summary = "uniform over legal actions",
    .supports = random_supports,
    .create = plain_create,
    .act = random_act,
    .probabilities = random_probabilities,
    .destroy = plain_destroy,
};
static const BuiltinOps minimax_ops = {
    .name = "minimax",
    .summary = "exact play, uniform over the best moves (tic_tac_toe)",
    .supports = minimax_supports,
    .create = minimax_create,
    .act = minimax_act,
    .probabilities = minimax_probabilities,
    .destroy = minimax_destroy,
};
static const BuiltinOps scripted_ops = {
    .name = "scripted",
    .summary = "the env's own rule-based player",
    .supports = scripted_supports,
    .create = plain_create,
    .act = scripted_act,
    .destroy = plain_destroy,
};
static const BuiltinOps noop_ops = {
    .name = "noop",
    .summary = "does nothing, where the game has an action for that",
    .supports = noop_supports,
    .create = plain_create,
    .act = noop_act,
    .destroy = plain_destroy,
};
extern const BuiltinOps builtin_alphabeta;
static const BuiltinOps *const table[] = {&random_ops, &minimax_ops, &scripted_ops, &noop_ops,
                                          &builtin_alphabeta};

/* The built-in of a text NAME or NAME-N, or NULL; *parameter is left alone without N. */
static const BuiltinOps *parse(const char *name, int *parameter) {
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    size_t size = strlen(table[i]->name);
    char *end;
    if (strncmp(name, table[i]->name, size)) continue;
    if (!name[size]) return table[i];
    if (name[size] != '-' || !table[i]->most) continue;
    long value = strtol(name + size + 1, &end, 10);
    if (*end || end == name + size + 1 || value < 1 || value > table[i]->most) continue;
    *parameter = (int)value;
    return table[i];
  }
  return NULL;
}

/* The parameter must be right, too: "alphabeta-99" is nobody. */
const BuiltinOps *builtin_find(const char *name) {
  int parameter;
  return parse(name, &parameter);
}

/* Without a number the default depth is taken. */
Status builtin_create(const char *name, const Env *env, BuiltinPolicy **out) {
  int parameter = 0;
  const BuiltinOps *ops = parse(name, &parameter);
  if (!ops)
    return status_set(
        ERR_USAGE,
        "no built-in opponent '%s' (there are: random, minimax, scripted, noop, alphabeta-N)",
        name);
  if (!ops->supports(env))
    return status_set(ERR_USAGE, "the built-in '%s' cannot play %s", name, env->table->name);
  TRY_RETURN(ops->create(env, parameter ? parameter : ops->parameter, out));
  (*out)->ops = ops;
  return OK;
}

/* Accepts NULL. */
void builtin_destroy(BuiltinPolicy *policy) {
  if (policy) policy->ops->destroy(policy);
}

/* Does not draw where it need not: that nothing was drawn tells a match that all its games are
 * one. */
int32_t builtin_pick(const float *share, uint32_t choices, AgonRng *rng) {
  double sum = 0;
  uint32_t several = 0;
  uint32_t last = 0;
  for (uint32_t i = 0; i < choices; i++) {
    sum += (double)share[i];
    if (share[i] <= 0) continue;
    several++;
    last = i;
  }
  if (several < 2) return (int32_t)last;
  double target = rng_unit(rng) * sum;
  for (uint32_t i = 0; i < choices && target >= 0; i++) {
    if (share[i] <= 0) continue;
    last = i; /* rounding may leave a little of the target at the end */
    target -= (double)share[i];
  }
  return (int32_t)last;
}
