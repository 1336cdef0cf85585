#include "cli/board.h"
#include "cli/option_words.h"
#include "cli/terminal.h"
#include "eval/picture.h"

#include <stdio.h>
#include <string.h>

/* Where an env is named the caller owns *own; else *loaded holds the run, and the env is the run's.
 * ERR_USAGE where neither is named. */
Status open_game(const Command *command, const Arguments *arguments, const char *env,
                 const char *run, size_t first_option, RunView *loaded, Env **own,
                 const Env **out) {
  if (env) {
    TRY_RETURN(
        option_words_check(arguments->word + first_option, arguments->words - first_option, env));
    TRY_RETURN(
        env_create_from(env, arguments->word + first_option, arguments->words - first_option, own));
    *out = *own;
    return OK;
  }
  if (!run) return usage_error(command, "a run, or --env ENV, is needed");
  TRY_RETURN(run_view_open(run, loaded));
  *out = loaded->settings->env;
  return OK;
}

/* An env without a picture shows nothing. Without memory for it neither: a picture is not what a
 * game is played for. */
void board_show(const Position *position, const char *indent, bool unicode) {
  Bytes picture = {0};
  if (picture_put(position, indent, unicode, terminal_width(), &picture) == OK && picture.size)
    fwrite(picture.data, 1, picture.size, stdout);
  bytes_free(&picture);
}

const char *board_agent_text(const Env *env, uint32_t agent, char out[96]) {
  const char *name = env->spec.agent_names ? env->spec.agent_names[agent] : NULL;
  if (name && !strncmp(name, "agent", 5)) name = NULL; /* that is said already */
  snprintf(out, 96, name ? "agent %u, %.64s" : "agent %u", agent, name);
  return out;
}

double board_team_return(const Position *position) {
  double sum = 0;
  for (uint32_t a = 0; a < position->env->spec.agents; a++)
    sum += position->returns[a];
  return sum / position->env->spec.agents;
}

const char *board_returns_text(const Position *position, char *out, size_t size) {
  const AgonEnvSpec *spec = &position->env->spec;
  const GameFacts facts = {.teams = spec->teams, .agents = spec->agents};
  const ReturnTold told = facts_told(&facts, (spec->flags & AGON_RETURNS_ADD) != 0);
  snprintf(out, size, "%.4g%s%s", told.factor * board_team_return(position),
           *told.words ? ", " : "", told.words);
  return out;
}

/* Rewards that are alike are told once; of many agents, those of the first. */
void board_show_gains(const Position *position, const char *indent) {
  enum { SHOWN = 8 };
  const uint32_t agents = position->env->spec.agents;
  const float *reward = position->reward;
  char so_far[96];
  bool alike = true;
  if (position->env->spec.teams != 1) return;
  for (uint32_t a = 1; a < agents; a++)
    alike &= !memcmp(&reward[a], &reward[0], sizeof *reward);
  printf("%sreward%s", indent, agents > 1 && !alike ? "s" : "");
  for (uint32_t a = 0; a < agents && a < (alike ? 1 : SHOWN); a++)
    printf(" %.3g", (double)reward[a]);
  printf("%s%s; the team's return so far %s\n", agents > 1 && alike ? " each" : "",
         !alike && agents > SHOWN ? " ..." : "",
         board_returns_text(position, so_far, sizeof so_far));
}

/* What one agent sees: its row by the env's names, or as numbers. */
void board_show_view(const Position *position, uint32_t agent) {
  const Env *env = position->env;
  float row[4096];
  if (env->observation_count > COUNT_OF(row)) return;
  env_observe_f32(env, position->episode, agent, row);
  printf("  you see:");
  for (uint32_t i = 0; i < env->observation_count; i++) {
    const char *name =
        env->table->observation_name ? env->table->observation_name(env->params, i) : NULL;
    if (row[i] <= 0 && row[i] >= 0) continue;
    if (name && row[i] == 1.0f)
      printf(" %s;", name);
    else if (name)
      printf(" %s %g;", name, (double)row[i]);
    else
      printf(" [%u] %g", i, (double)row[i]);
  }
  printf("\n");
}
