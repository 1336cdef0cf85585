#include "agent/table.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Rows in an open-addressing table. */
typedef struct TablePolicy {
  BuiltinPolicy base;
  size_t mask;        /* places - 1, a power of two less one */
  uint64_t *key;      /* (places); 0: empty */
  float *probability; /* (places, actions) */
  uint8_t *row;       /* an observation */
  float *share;       /* (actions) scratch */
} TablePolicy;

uint64_t table_key(const Env *env, uint32_t agent, const void *observation) {
  const Hash seen = hash_bytes(observation, env->observation_bytes);
  const Hash who = hash_bytes(&agent, sizeof agent);
  const uint64_t key = hash_join(who, seen).low;
  return key ? key : 1;
}

bool table_supports(const Env *env) {
  return env->layout.action_kind != AGON_BOX && env->layout.heads == 1;
}

/* The place of a key, or the empty one where it would go. */
static size_t find(const TablePolicy *self, uint64_t key) {
  size_t at = key & self->mask;
  while (self->key[at] && self->key[at] != key)
    at = (at + 1) & self->mask;
  return at;
}

/* Uniform over what is allowed. */
static void alike(const uint8_t *mask, uint32_t choices, float *out) {
  uint32_t legal = 0;
  for (uint32_t i = 0; i < choices; i++)
    legal += mask[i];
  for (uint32_t i = 0; i < choices; i++)
    out[i] = mask[i] ? 1.0f / (float)legal : 0.0f;
}

/* Everything on the first of the most probable. */
static void only_the_best(uint32_t choices, float *out) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < choices; i++)
    if (out[i] > out[best]) best = i;
  for (uint32_t i = 0; i < choices; i++)
    out[i] = i == best ? 1.0f : 0.0f;
}

/* What is not allowed gets nothing, so that a table of other rules cannot break these. */
static void table_probabilities(BuiltinPolicy *base, const void *episode, uint32_t agent,
                                const uint8_t *mask, float *out) {
  TablePolicy *self = (TablePolicy *)base;
  const Env *env = base->env;
  const uint32_t choices = env->action_count;
  float sum = 0;
  env_observe(env, episode, agent, self->row);
  const size_t at = find(self, table_key(env, agent, self->row));
  const float *known = self->key[at] ? self->probability + at * choices : NULL;
  for (uint32_t i = 0; known && i < choices; i++) {
    out[i] = mask[i] ? known[i] : 0;
    sum += out[i];
  }
  for (uint32_t i = 0; sum > 0 && i < choices; i++)
    out[i] /= sum;
  if (!(sum > 0)) alike(mask, choices, out);
  if (base->greedy) only_the_best(choices, out);
}

static void table_act(BuiltinPolicy *base, const void *episode, uint32_t agent, const uint8_t *mask,
                      AgonRng *rng, AgonAction *out) {
  TablePolicy *self = (TablePolicy *)base;
  table_probabilities(base, episode, agent, mask, self->share);
  out[0].choice = builtin_pick(self->share, base->env->action_count, rng);
}

/* Also for one that was only half made. */
static void table_destroy(BuiltinPolicy *base) {
  TablePolicy *self = (TablePolicy *)base;
  free(self->key);
  free(self->probability);
  free(self->row);
  free(self->share);
  free(self);
}

/* Not in the list of built-ins: it is made from a file, not by name. */
static const BuiltinOps table_ops = {
    .name = "table",
    .summary = "what a table says",
    .supports = table_supports,
    .act = table_act,
    .probabilities = table_probabilities,
    .destroy = table_destroy,
};

/* At most half of the places are taken. */
Status table_create(const Env *env, const TableRows *rows, BuiltinPolicy **out) {
  Status status = OK;
  TablePolicy *self = NULL;
  const size_t actions = env->action_count;
  size_t places = 16;
  if (!table_supports(env))
    return status_set(ERR_USAGE, "%s is not played by a table: its actions are not one choice each",
                      env->table->name);
  while (places < 2 * rows->count)
    places *= 2;
  TRY_RETURN(NEW_ARRAY(self, 1));
  self->base = (BuiltinPolicy){.ops = &table_ops, .env = env};
  self->mask = places - 1;
  TRY(NEW_ARRAY(self->key, places));
  TRY(NEW_ARRAY(self->probability, places * actions));
  TRY(NEW_ARRAY(self->row, env->observation_bytes));
  TRY(NEW_ARRAY(self->share, actions));
  for (size_t i = 0; i < rows->count; i++) {
    const size_t at = find(self, rows->key[i]);
    self->key[at] = rows->key[i];
    memcpy(self->probability + at * actions, rows->probability + i * actions,
           actions * sizeof(float));
  }
  *out = &self->base;
  self = NULL;
done:
  if (self) table_destroy(&self->base);
  return status;
}
