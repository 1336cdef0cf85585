/* Opponents that need no training: what each is (a table), and making one by name. */
#pragma once
#include "env/env.h"

/* The head of any built-in's state. */
typedef struct BuiltinPolicy BuiltinPolicy;

/* `act` sees the whole episode, as a rule-based player may, and writes an action's row of
 * components. */
typedef struct BuiltinOps {
  const char *name; /* NAME, or NAME-N with a parameter of 1..most */
  const char *summary;
  int parameter, most; /* default; 0: takes none */
  bool (*supports)(const Env *env);
  Status (*create)(const Env *env, int parameter, BuiltinPolicy **out);
  void (*act)(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask,
              AgonRng *rng, AgonAction *out);
  /* Exact action probabilities (choices floats, which sum to 1 over each head), discrete envs only;
   * for tree walks. NULL: not known. */
  void (*probabilities)(BuiltinPolicy *self, const void *episode, uint32_t agent,
                        const uint8_t *mask, float *out);
  void (*destroy)(BuiltinPolicy *self);
} BuiltinOps;
struct BuiltinPolicy {
  const BuiltinOps *ops;
  const Env *env;
  /* What the last `act` or `probabilities` came to, with its status_message: a player that is not
   * part of this program may fail. Who asks looks at it at once. */
  Status failed;
  /* Of a guest of a league: who it is to the run, for messages. Empty: it is none. */
  char guest[48];
  bool greedy; /* of one with probabilities that were learned: the most probable action alone */
};

/* The built-in of this name (with its parameter, if any), or NULL. */
const BuiltinOps *builtin_find(const char *name);
/* Makes one by its name; *out is the caller's (builtin_destroy). ERR_USAGE if there is none of that
 * name or it cannot play this env, ERR_MEMORY. */
Status builtin_create(const char *name, const Env *env, BuiltinPolicy **out);
/* Accepts NULL. */
void builtin_destroy(BuiltinPolicy *policy);
/* A choice in proportion to its share, for `act`. Where only one has a share, nothing is drawn. */
int32_t builtin_pick(const float *share, uint32_t choices, AgonRng *rng);
