#include "job/facts.h"

#include "base/file.h"
#include "base/text.h"
#include "agent/builtin.h"
#include "play/measures.h"
#include "wire/wire.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The whole file is hashed: its date and path say nothing. */
Status plugin_build(const char *path, char out[HASH_TEXT]) {
  char *bytes;
  size_t size;
  TRY_RETURN(file_read(path, &bytes, &size));
  hash_text(hash_bytes(bytes, size), out);
  free(bytes);
  return OK;
}

/* As games_same_rules reads it. */
void facts_rules(const GameFacts *facts, char out[GAMES_BUILD]) {
  if (facts->version)
    snprintf(out, GAMES_BUILD, "%s/%u", facts->build, facts->version);
  else
    snprintf(out, GAMES_BUILD, "%s", facts->build);
}

/* A copy of a text, the caller's; NULL stays NULL. */
static Status keep_text(const char *text, char **out) {
  *out = text ? strdup(text) : NULL;
  return !text || *out ? OK : status_set(ERR_MEMORY, "out of memory");
}

/* By its absolute path, as a job may be resumed from another folder. */
static Status keep_plugin(const Env *env, GameFacts *out) {
  char path[PATH_MAX];
  char whole[PATH_MAX];
  TRY_RETURN(env_plugin_file(env, path, sizeof path));
  if (!*path) return OK;
  TRY_RETURN(plugin_build(path, out->build));
  return keep_text(realpath(path, whole) ? whole : path, &out->plugin);
}

/* Built-in players are asked whether they can play the game while its code is at hand. */
Status facts_of(const Env *env, GameFacts *out) {
  *out = (GameFacts){.teams = env->spec.teams,
                     .agents = env->spec.agents,
                     .general_sum = is_general_sum(env),
                     .returns_add = (env->spec.flags & AGON_RETURNS_ADD) != 0,
                     .reward_low = (double)env->spec.reward_low,
                     .reward_high = (double)env->spec.reward_high};
  for (int b = 0; b < BUILTINS && env->spec.teams > 1; b++) {
    char name[16];
    text_choice_name(BUILTIN_NAMES, b, name, sizeof name);
    if (builtin_find(name)->supports(env)) out->builtins |= 1u << b;
  }
  TRY_RETURN(text_format(out->name, sizeof out->name, "%s", env->table->name));
  out->version = env->table->version;
  TRY_RETURN(keep_plugin(env, out));
  return keep_text(env->title, &out->title);
}

/* With several teams the mean over a team's agents is what leagues go by, and stays. */
ReturnTold facts_told(const GameFacts *facts, bool sum) {
  ReturnTold told = {.factor = 1};
  if (facts->teams != 1 || facts->agents < 2) return told;
  if (sum) told.factor = facts->agents;
  snprintf(told.words, sizeof told.words, "%s over %u agents", sum ? "sum" : "mean", facts->agents);
  return told;
}

/* The struct is then empty. */
void facts_free(GameFacts *facts) {
  free(facts->title);
  free(facts->plugin);
  free(facts->accepted);
  *facts = (GameFacts){.title = NULL};
}

/* On failure *to is the caller's to free, with some of it. */
Status facts_copy(GameFacts *to, const GameFacts *from) {
  *to = *from;
  to->accepted = NULL;
  to->plugin = NULL;
  to->title = NULL;
  TRY_RETURN(keep_text(from->title, &to->title));
  TRY_RETURN(keep_text(from->plugin, &to->plugin));
  return keep_text(from->accepted, &to->accepted);
}

/* Built-in games have none of these. */
static Status save_text(Tree *tree, const char *path, const char *text) {
  return text ? tree_put_texts(tree, path, 1, strlen(text) + 1, text) : OK;
}

/* What is not known is left out. */
Status facts_save(const GameFacts *facts, Tree *tree) {
  const double rewards[2] = {facts->reward_low, facts->reward_high};
  TRY_RETURN(tree_put_text(tree, "@env", facts->name));
  TRY_RETURN(tree_put_texts(tree, "env/title", 1, strlen(facts->title) + 1, facts->title));
  TRY_RETURN(tree_put_u64(tree, "env/teams", facts->teams));
  if (facts->agents) TRY_RETURN(tree_put_u64(tree, "env/agents", facts->agents));
  if (facts->general_sum) TRY_RETURN(tree_put_u64(tree, "env/general_sum", 1));
  TRY_RETURN(tree_put_u64(tree, "env/builtins", facts->builtins));
  TRY_RETURN(save_text(tree, "env/plugin", facts->plugin));
  TRY_RETURN(save_text(tree, "env/build", *facts->build ? facts->build : NULL));
  TRY_RETURN(save_text(tree, "env/accepted", facts->accepted));
  if (facts->version) TRY_RETURN(tree_put_u64(tree, "env/version", facts->version));
  return tree_put(tree, "env/rewards", STORE_F64, 2, 1, rewards);
}

/* Letters that any terminal can show. */
static bool is_plain(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return false;
  return true;
}

/* A path may have letters of any language, but nothing that a terminal would obey. */
static bool has_controls(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 127) return true;
  return false;
}

/* A text that is not there stays NULL. */
static Status load_text(const Tree *tree, const char *path, char **out) {
  const Item *item;
  if (!tree_find(tree, path)) return OK;
  TRY_RETURN(tree_get(tree, path, STORE_TEXT, 1, &item));
  if (has_controls(item->data)) return tree_fault(tree, path, -1, "is no plain text");
  return keep_text(item->data, out);
}

/* Versions and hashes are checked, as they are compared later. */
static Status load_plugin(const Tree *tree, GameFacts *out) {
  const Item *build;
  TRY_RETURN(load_text(tree, "env/plugin", &out->plugin));
  TRY_RETURN(load_text(tree, "env/accepted", &out->accepted));
  if (tree_find(tree, "env/version")) {
    uint64_t version;
    TRY_RETURN(tree_get_u64(tree, "env/version", &version));
    if (version < 1 || version > UINT32_MAX)
      return tree_fault(tree, "env/version", -1, "is no version of rules");
    out->version = (uint32_t)version;
  }
  if (!tree_find(tree, "env/build")) return OK;
  TRY_RETURN(tree_get(tree, "env/build", STORE_TEXT, 1, &build));
  if (!hash_text_good(build->data))
    return tree_fault(tree, build->path, -1, "is no hash of a plug-in");
  return text_format(out->build, sizeof out->build, "%s", (const char *)build->data);
}

/* Everything that will be shown or computed with is checked. */
Status facts_load(const Tree *tree, GameFacts *out, bool *known) {
  const Item *title, *rewards;
  uint64_t teams, builtins;
  uint64_t agents = 0;
  *out = (GameFacts){.title = NULL};
  *known = tree_find(tree, "env/title") != NULL;
  if (!*known) return OK;
  TRY_RETURN(tree_get_text(tree, "@env", out->name, sizeof out->name));
  TRY_RETURN(tree_get(tree, "env/title", STORE_TEXT, 1, &title));
  TRY_RETURN(tree_get_u64(tree, "env/teams", &teams));
  TRY_RETURN(tree_get_u64(tree, "env/builtins", &builtins));
  TRY_RETURN(tree_get(tree, "env/rewards", STORE_F64, 2, &rewards));
  TRY_RETURN(tree_check_finite(tree, rewards));
  if (!is_plain(out->name) || !is_plain(title->data))
    return tree_fault(tree, title->path, -1, "is no plain text");
  if (teams < 1 || teams > AGON_MAX_TEAMS)
    return tree_fault(tree, "env/teams", -1, "is no number of teams that a game can have");
  if (builtins >> BUILTINS)
    return tree_fault(tree, "env/builtins", -1, "names built-in players that there are not");
  if (tree_find(tree, "env/agents")) TRY_RETURN(tree_get_u64(tree, "env/agents", &agents));
  if (agents > AGON_MAX_AGENTS)
    return tree_fault(tree, "env/agents", -1, "is no number of agents that a game can have");
  out->general_sum = teams > 1 && tree_find(tree, "env/general_sum");
  out->teams = (uint32_t)teams;
  out->agents = (uint32_t)agents;
  out->builtins = (uint32_t)builtins;
  out->reward_low = ((const double *)rewards->data)[0];
  out->reward_high = ((const double *)rewards->data)[1];
  if (out->reward_low > out->reward_high)
    return tree_fault(tree, rewards->path, -1, "is no range of rewards");
  TRY_RETURN(load_plugin(tree, out));
  return keep_text(title->data, &out->title);
}
