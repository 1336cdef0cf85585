/* What commands that only look at a run need to know of its game, kept in its files: so that nobody has to trust the
 * code of a plug-in, or still have it, to see how a run went. */
#pragma once
#include "env/env.h"
#include "store/store.h"

typedef struct GameFacts {
  char name[AGON_NAME_LEN];
  char *title; /* as Env.title; owned */
  uint32_t teams;
  uint32_t builtins; /* which built-in players can play it, bit by bit */
  double reward_low, reward_high;
} GameFacts;

Status facts_of(const Env *env, GameFacts *out);
void facts_free(GameFacts *facts);
Status facts_copy(GameFacts *to, const GameFacts *from);
Status facts_save(const GameFacts *facts, Tree *tree);
/* *known: whether the file has them (those of older programs do not). ERR_FORMAT for what no game can be. */
Status facts_load(const Tree *tree, GameFacts *out, bool *known);
