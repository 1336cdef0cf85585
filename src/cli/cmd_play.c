/* agon play: a person against a player, in the terminal. */
#include "cli/mind.h"
#include "nn/kernels/openblas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const Flag play_flags[] = {
    {"--player", "P", "the opponent (default main_0 of the run, else random)"},
    {"--seat", "S", "yours: 0 (first, default), 1, or both to watch the player against itself by hand"},
    {"--greedy", NULL, "the opponent plays its most probable action"},
    {"--seed", "S", "of chance and of the opponent (default: the clock)"},
};

typedef struct Session {
  Position *position;
  Mind *mind;
  AgonRng rng;
  double *weight; /* (choices) scratch */
  int seat;       /* team of the person; 2 = both */
  bool ended;
} Session;

static void list_actions(const Position *position, uint32_t agent) {
  const Env *env = position->env;
  uint8_t *mask = position->mask;
  char name[64];
  env->table->mask(env->params, position->episode, agent, mask);
  for (uint32_t h = 0, at = 0; h < env->spec.heads; at += env->spec.head_size[h++]) {
    if (h) printf(" /");
    for (uint32_t i = 0; i < env->spec.head_size[h]; i++)
      if (mask[at + i]) printf(" %s", position_action_text(env, h, i, name, sizeof name));
  }
}

static Status hint(const Session *session, uint32_t agent) {
  const Env *env = session->position->env;
  float value;
  char name[64];
  TRY_RETURN(mind_look(session->mind, session->position, agent, true, &value));
  printf("  %s would (value %+.3f):", session->mind->who->label, (double)value);
  for (uint32_t i = 0; i < env->action_count && env->spec.heads == 1; i++)
    if (session->mind->probability[i] >= 0.005f)
      printf(" %s %.0f %%", position_action_text(env, 0, i, name, sizeof name),
             100 * (double)session->mind->probability[i]);
  printf("\n");
  return OK;
}

static Status ask(Session *session, uint32_t agent) {
  char line[256];
  for (;;) {
    printf("you (agent %u):", agent);
    list_actions(session->position, agent);
    printf("; ? = a hint, q = quit > ");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) {
      printf("\n");
      session->ended = true;
      return OK;
    }
    line[strcspn(line, "\r\n")] = 0;
    if (!strcmp(line, "q")) {
      session->ended = true;
      return OK;
    }
    if (!strcmp(line, "?")) {
      TRY_RETURN(hint(session, agent));
      continue;
    }
    if (!*line) continue;
    if (position_play(session->position, line) == OK) return OK;
    printf("  %s\n", status_message());
  }
}

static Status reply(Session *session, uint32_t agent) {
  const Env *env = session->position->env;
  char word[256] = "", name[64];
  float value;
  if (session->mind->who->policy.builtin) {
    AgonAction action = {{0}};
    uint8_t *mask = session->position->mask;
    BuiltinPolicy *builtin = session->mind->who->policy.builtin;
    env->table->mask(env->params, session->position->episode, agent, mask);
    builtin->ops->act(builtin, session->position->episode, agent, mask, &session->rng, &action);
    for (uint32_t h = 0; h < env->spec.heads; h++)
      snprintf(word + strlen(word), sizeof word - strlen(word), "%s%d", h ? "/" : "", action.choice[h]);
  } else {
    TRY_RETURN(mind_look(session->mind, session->position, agent, true, &value));
    for (uint32_t h = 0, at = 0; h < env->spec.heads; at += env->spec.head_size[h++]) {
      double *weight = session->weight;
      for (uint32_t i = 0; i < env->spec.head_size[h]; i++) weight[i] = (double)session->mind->probability[at + i];
      snprintf(word + strlen(word), sizeof word - strlen(word), "%s%zu", h ? "/" : "",
               rng_pick(&session->rng, weight, env->spec.head_size[h]));
    }
  }
  bool open = !(env->spec.flags & AGON_SIMULTANEOUS) && env->spec.heads == 1;
  if (open)
    printf("%s (agent %u): %s\n", session->mind->who->label, agent,
           position_action_text(env, 0, (uint32_t)strtoul(word, NULL, 10), name, sizeof name));
  return position_play(session->position, word);
}

static Status play_game(Session *session) {
  Position *position = session->position;
  const Env *env = position->env;
  bool hidden = !(env->spec.flags & AGON_PERFECT_INFORMATION) && env->table->chance_outcomes;
  while (!session->ended && (position->status == AGON_RUNNING || position->status == AGON_CHANCE)) {
    uint32_t agent;
    if (position->status == AGON_CHANCE) {
      char word[16];
      snprintf(word, sizeof word, "%u", env_draw_chance(env, position->episode, &session->rng));
      TRY_RETURN(position_play(position, word));
      continue;
    }
    if (!position_actor(position, &agent)) return status_set(ERR_ENV, "env %s: nobody acts", env->table->name);
    bool person = session->seat == 2 || env->spec.team_of[agent] == session->seat;
    if (person && !hidden && !position->waiting) position_show(position, "  ");
    if (person && hidden) position_show_view(position, agent);
    TRY_RETURN(person ? ask(session, agent) : reply(session, agent));
  }
  if (session->ended) return OK;
  float outcome[AGON_MAX_TEAMS];
  env->table->outcome(env->params, position->episode, outcome);
  position_show(position, "  ");
  int seat = session->seat == 2 ? 0 : session->seat;
  printf("%s; returns", outcome[seat] > 0.5f ? "you won" : outcome[seat] < 0.5f ? "you lost" : "drawn");
  for (uint32_t a = 0; a < env->spec.agents; a++) printf(" %+g", position->returns[a]);
  printf("\n");
  return OK;
}

static Status run_play(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  RunView run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Mind mind = {0};
  Position position = {0};
  double *weight = NULL;
  long long seed;
  TRY(arguments_parse(&command_play, argc, argv, &arguments));
  TRY(argument_int(&command_play, &arguments, "--seed", (long long)time(NULL), 0, 1000000000000, &seed));
  const char *player = argument(&command_play, &arguments, "--player"),
             *seat = argument(&command_play, &arguments, "--seat");
  if (arguments.words == 0) TRY(usage_error(&command_play, "a game, and a run or a built-in player"));
  bool from_run = arguments.words > 1 && !strchr(arguments.word[1], '=');
  if (seat && strcmp(seat, "0") && strcmp(seat, "1") && strcmp(seat, "both"))
    TRY(usage_error(&command_play, "--seat is 0, 1 or both"));
  gemm_set_threads(1);
  TRY(mind_open_env(&command_play, &arguments, from_run ? NULL : arguments.word[0], from_run ? arguments.word[1] : NULL,
                    1, &run, &own, &env));
  if (strcmp(env->table->name, arguments.word[0]) && from_run)
    TRY(status_set(ERR_USAGE, "%s plays %s, not %s", arguments.word[1], env->table->name, arguments.word[0]));
  if (env->spec.action_kind == AGON_BOX) TRY(status_set(ERR_USAGE, "%s is not played by words", env->table->name));
  TRY(run_view_player(player ? player : from_run ? "main_0" : "random", from_run ? &run : NULL, env, &who));
  who.policy.greedy = argument(&command_play, &arguments, "--greedy") != NULL;
  TRY(mind_create(&who, env, &mind));
  TRY(position_create(env, &position));
  position.stepping = mind_step;
  position.context = &mind;
  TRY(NEW_ARRAY(weight, env->action_count));
  TRY(position_reset(&position, rng_stream((uint64_t)seed, 0, 0, RNG_ENV)));
  Session session = {.position = &position,
                     .mind = &mind,
                     .rng = rng_stream((uint64_t)seed, 0, 0, RNG_ACT),
                     .weight = weight,
                     .seat = !seat                   ? 0
                             : !strcmp(seat, "both") ? 2
                                                     : atoi(seat)};
  TRY(play_game(&session));
done:
  free(weight);
  position_destroy(&position);
  mind_destroy(&mind);
  contestant_destroy(&who);
  env_destroy(own);
  run_view_close(&run);
  return status;
}

const Command command_play = {
    "play",
    "GAME RUN [--player P] [--seat 0|1] | GAME [env.OPTION=VALUE ...] --player random|minimax|...",
    "you against a player, in the terminal",
    NULL,
    play_flags,
    COUNT_OF(play_flags),
    run_play,
};
