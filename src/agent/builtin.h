/* Opponents that need no training: what each is (a table), and making one by name. */
#pragma once
#include "env/env.h"

typedef struct BuiltinPolicy BuiltinPolicy;

/* `act` sees the whole episode, as a rule-based player may, and writes an action's row of components. */
typedef struct BuiltinOps {
  const char *name; /* NAME, or NAME-N with a parameter of 1..most */
  const char *summary;
  int parameter, most; /* default; 0: takes none */
  bool (*supports)(const Env *env);
  Status (*create)(const Env *env, int parameter, BuiltinPolicy **out);
  void (*act)(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask, AgonRng *rng,
              AgonAction *out);
  /* Exact action probabilities (choices floats), discrete envs only; for tree walks. NULL: not known. */
  void (*probabilities)(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask, float *out);
  void (*destroy)(BuiltinPolicy *self);
} BuiltinOps;
struct BuiltinPolicy {
  const BuiltinOps *ops;
  const Env *env;
};
const BuiltinOps *builtin_ops(size_t index);                                  /* NULL past the end */
const BuiltinOps *builtin_find(const char *name);                             /* NULL if it is no built-in's name */
Status builtin_create(const char *name, const Env *env, BuiltinPolicy **out); /* ERR_USAGE if it cannot play this env */
void builtin_destroy(BuiltinPolicy *policy);
/* A choice in proportion to its share, for `act`. Where only one has any, nothing is drawn: by that one can tell games
 * that no chance decides. */
int32_t builtin_pick(const float *share, uint32_t choices, AgonRng *rng);
