#include "job/facts.h"

#include "base/text.h"
#include "agent/builtin.h"
#include "wire/wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Status keep_title(const char *title, GameFacts *out) {
  out->title = strdup(title);
  return out->title ? OK : status_set(ERR_MEMORY, "out of memory");
}

Status facts_of(const Env *env, GameFacts *out) {
  *out = (GameFacts){.teams = env->spec.teams,
                     .reward_low = (double)env->spec.reward_low,
                     .reward_high = (double)env->spec.reward_high};
  for (int b = 0; b < BUILTINS && env->spec.teams == 2; b++) {
    char name[16];
    text_choice_name(BUILTIN_NAMES, b, name, sizeof name);
    if (builtin_find(name)->supports(env)) out->builtins |= 1u << b;
  }
  TRY_RETURN(text_format(out->name, sizeof out->name, "%s", env->table->name));
  return keep_title(env->title, out);
}

void facts_free(GameFacts *facts) {
  free(facts->title);
  *facts = (GameFacts){.title = NULL};
}

Status facts_copy(GameFacts *to, const GameFacts *from) {
  *to = *from;
  return keep_title(from->title, to);
}

Status facts_save(const GameFacts *facts, Tree *tree) {
  const double rewards[2] = {facts->reward_low, facts->reward_high};
  TRY_RETURN(tree_put_text(tree, "@env", facts->name));
  TRY_RETURN(tree_put_texts(tree, "env/title", 1, strlen(facts->title) + 1, facts->title));
  TRY_RETURN(tree_put_u64(tree, "env/teams", facts->teams));
  TRY_RETURN(tree_put_u64(tree, "env/builtins", facts->builtins));
  return tree_put(tree, "env/rewards", STORE_F64, 2, 1, rewards);
}

static bool is_plain(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return false;
  return true;
}

Status facts_load(const Tree *tree, GameFacts *out, bool *known) {
  const Item *title, *rewards;
  uint64_t teams, builtins;
  *out = (GameFacts){.title = NULL};
  *known = tree_find(tree, "env/title") != NULL;
  if (!*known) return OK;
  TRY_RETURN(tree_get_text(tree, "@env", out->name, sizeof out->name));
  TRY_RETURN(tree_get(tree, "env/title", STORE_TEXT, 1, &title));
  TRY_RETURN(tree_get_u64(tree, "env/teams", &teams));
  TRY_RETURN(tree_get_u64(tree, "env/builtins", &builtins));
  TRY_RETURN(tree_get(tree, "env/rewards", STORE_F64, 2, &rewards));
  TRY_RETURN(tree_check_finite(tree, rewards));
  if (!is_plain(out->name) || !is_plain(title->data)) return tree_fault(tree, title->path, -1, "is no plain text");
  if (teams < 1 || teams > AGON_MAX_TEAMS)
    return tree_fault(tree, "env/teams", -1, "is no number of teams that a game can have");
  if (builtins >> BUILTINS) return tree_fault(tree, "env/builtins", -1, "names built-in players that there are not");
  out->teams = (uint32_t)teams;
  out->builtins = (uint32_t)builtins;
  out->reward_low = ((const double *)rewards->data)[0];
  out->reward_high = ((const double *)rewards->data)[1];
  if (out->reward_low > out->reward_high) return tree_fault(tree, rewards->path, -1, "is no range of rewards");
  return keep_title(title->data, out);
}
