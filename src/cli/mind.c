#include "cli/mind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status mind_create(Contestant *who, const Env *env, Mind *out) {
  PlayHooks none = {NULL, NULL, NULL, NULL, NULL, NULL};
  *out = (Mind){.who = who, .S = who->net ? who->net->graph.state_size : 0};
  who->policy.inference = who->net ? &who->inference : NULL;
  TRY_RETURN(NEW_ARRAY(out->memory, env->spec.agents * out->S + 1));
  TRY_RETURN(NEW_ARRAY(out->probability, env->action_count + 1));
  return play_create(env, NULL, 0, 1, 0, &none, &out->play);
}

void mind_destroy(Mind *mind) {
  play_destroy(mind->play);
  free(mind->memory);
  free(mind->probability);
}

void mind_forget(Mind *mind, const Env *env) { memset(mind->memory, 0, env->spec.agents * mind->S * sizeof(float)); }

/* Probabilities of one agent's actions; its memory moves on unless `peek`. */
Status mind_look(Mind *mind, const Position *position, uint32_t agent, bool peek, float *value) {
  float *memory = mind->S ? mind->memory + agent * mind->S : NULL, kept[4096];
  if (mind->S > COUNT_OF(kept)) return status_set(ERR_USAGE, "the player's memory is too large");
  if (memory) memcpy(kept, memory, mind->S * sizeof *kept);
  Status status =
      play_evaluate(mind->play, &mind->who->policy, position->episode, agent, memory, mind->probability, value);
  if (memory && peek) memcpy(memory, kept, mind->S * sizeof *kept);
  return status;
}

Status mind_step(void *context, const Position *position) {
  Mind *mind = context;
  float value;
  for (uint32_t a = 0; mind->S && a < position->env->spec.agents; a++)
    if (position->flags[a] & AGON_ACTS) TRY_RETURN(mind_look(mind, position, a, false, &value));
  return OK;
}

Status mind_open_env(const Command *command, const Arguments *arguments, const char *env, const char *run,
                     size_t first_option, RunView *loaded, Env **own, const Env **out) {
  if (env) {
    TRY_RETURN(env_create_from(env, arguments->word + first_option, arguments->words - first_option, own));
    *out = *own;
    return OK;
  }
  if (!run) return usage_error(command, "a run, or --env ENV, is needed");
  TRY_RETURN(run_view_open(run, loaded));
  *out = loaded->settings->env;
  return OK;
}

const char *position_status_name(AgonStatus status) {
  return status == AGON_RUNNING      ? "running"
         : status == AGON_CHANCE     ? "chance"
         : status == AGON_TERMINATED ? "terminated"
                                     : "truncated";
}

void position_show(const Position *position, const char *indent) {
  char picture[4096] = "";
  if (!position->env->table->render) return;
  position->env->table->render(position->env->params, position->episode, picture, sizeof picture);
  for (char *line = picture; *line;) {
    size_t size = strcspn(line, "\n");
    printf("%s%.*s\n", indent, (int)size, line);
    line += size + (line[size] == '\n');
  }
}

/* What one agent sees: its row by the env's names, or as numbers. */
void position_show_view(const Position *position, uint32_t agent) {
  const Env *env = position->env;
  float row[4096];
  if (env->observation_count > COUNT_OF(row)) return;
  env_observe_f32(env, position->episode, agent, row);
  printf("  you see:");
  for (uint32_t i = 0; i < env->observation_count; i++) {
    const char *name = env->table->observation_name ? env->table->observation_name(env->params, i) : NULL;
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
