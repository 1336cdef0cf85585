/* agon query: what a player would do in positions given as lines of play. */
#include "cli/mind.h"
#include "nn/kernels/openblas.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static const Flag query_flags[] = {
    {"--player", "P", "whose mind is read (default main_0)"},
    {"--env", "ENV", "without a run: the game; env.OPTION=VALUE words follow"},
    {"--greedy", NULL, "all probability on the most probable action"},
    {"--json", NULL, "one JSON object a line"},
};

static Status answer_json(Mind *mind, const Position *position, const char *line) {
  const Env *env = position->env;
  json_t *root = json_object(), *agents = json_array(), *returns = json_array();
  Status status = OK;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    float value = 0;
    json_array_append_new(returns, json_real(position->returns[a]));
    if (position->status != AGON_RUNNING || !(position->flags[a] & AGON_ACTS)) continue;
    if ((status = mind_look(mind, position, a, true, &value)) != OK) break;
    json_t *row = json_array();
    for (uint32_t i = 0; i < env->action_count; i++)
      json_array_append_new(row, json_real((double)mind->probability[i]));
    json_array_append_new(agents,
                          json_pack("{s:i,s:o,s:f}", "agent", (int)a, "probabilities", row, "value", (double)value));
  }
  json_object_set_new(root, "line", json_string(line));
  json_object_set_new(root, "status", json_string(position_status_name(position->status)));
  json_object_set(root, "agents", agents);
  json_object_set(root, "returns", returns);
  if (status == OK) {
    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(7));
    printf("\n");
  }
  json_decref(agents);
  json_decref(returns);
  json_decref(root);
  return status;
}

static Status answer_text(Mind *mind, const Position *position) {
  const Env *env = position->env;
  char name[64];
  if (position->status == AGON_CHANCE) {
    double probability[AGON_MAX_CHANCE];
    uint32_t count = env->table->chance_outcomes(env->params, position->episode, probability);
    printf("chance:");
    for (uint32_t i = 0; i < count; i++)
      if (probability[i] > 0) printf(" %u %.4f", i, probability[i]);
    printf("\n");
  } else if (position->status != AGON_RUNNING) {
    printf("%s, returns:", position_status_name(position->status));
    for (uint32_t a = 0; a < env->spec.agents; a++) printf(" %+g", position->returns[a]);
    printf("\n");
  }
  for (uint32_t a = 0; position->status == AGON_RUNNING && a < env->spec.agents; a++) {
    float value = 0;
    if (!(position->flags[a] & AGON_ACTS)) continue;
    TRY_RETURN(mind_look(mind, position, a, true, &value));
    printf("agent %u, value %+.4f:", a, (double)value);
    for (uint32_t h = 0, at = 0; h < env->spec.heads; at += env->spec.head_size[h++]) {
      if (h) printf(" /");
      for (uint32_t i = 0; i < env->spec.head_size[h]; i++)
        printf(" %s %.4f", position_action_text(env, h, i, name, sizeof name), (double)mind->probability[at + i]);
    }
    printf("\n");
  }
  return OK;
}

static Status answer_all(Mind *mind, Position *position, bool json) {
  char *line = NULL;
  size_t room = 0, number = 0, bad = 0;
  ssize_t size;
  while ((size = getline(&line, &room, stdin)) >= 0) {
    number++;
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) line[--size] = 0;
    mind_forget(mind, position->env);
    Status status = position_reset(position, (AgonRng){0});
    if (status == OK) status = position_play_line(position, line);
    if (status == OK && position->waiting)
      status = status_set(ERR_USAGE, "the last simultaneous move lacks an agent's word");
    if (status == OK) status = json ? answer_json(mind, position, line) : answer_text(mind, position);
    if (status == OK) continue;
    bad++;
    if (json) {
      json_t *root = json_pack("{s:s,s:s}", "line", line, "error", status_message());
      json_dumpf(root, stdout, JSON_COMPACT);
      printf("\n");
      json_decref(root);
    } else {
      printf("error: %s\n", status_message());
    }
  }
  free(line);
  return bad ? status_set(ERR_USAGE, "%zu of %zu lines could not be played", bad, number) : OK;
}

static Status run_query(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  RunView run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Mind mind = {0};
  Position position = {0};
  TRY(arguments_parse(&command_query, argc, argv, &arguments));
  const char *env_name = argument(&command_query, &arguments, "--env"),
             *player = argument(&command_query, &arguments, "--player");
  gemm_set_threads(1);
  TRY(mind_open_env(&command_query, &arguments, env_name, arguments.words ? arguments.word[0] : NULL, 0, &run, &own,
                    &env));
  TRY(run_view_player(player ? player : env_name ? "random" : "main_0", env_name ? NULL : &run, env, &who));
  who.policy.greedy = argument(&command_query, &arguments, "--greedy") != NULL;
  TRY(mind_create(&who, env, &mind));
  TRY(position_create(env, &position));
  position.stepping = mind_step;
  position.context = &mind;
  TRY(answer_all(&mind, &position, argument(&command_query, &arguments, "--json") != NULL));
done:
  position_destroy(&position);
  mind_destroy(&mind);
  contestant_destroy(&who);
  env_destroy(own);
  run_view_close(&run);
  return status;
}

const Command command_query = {
    "query",
    "RUN [--player P] [--json] < LINES",
    "action probabilities and value of a player in positions read from stdin",
    "A line is what happened so far, separated by spaces: chance outcomes and actions in their order, as numbers or "
    "action names;\n"
    "simultaneous moves one word per acting agent, several heads joined by '/'. An empty line is the start. 'agon env "
    "info ENV' names\n"
    "the actions and says what chance decides. Exit code 2 if any line could not be played.",
    query_flags,
    COUNT_OF(query_flags),
    run_query,
};
