/* agon query: what a player would do in positions given as lines of play; agon replay: recorded games, move by move;
 * agon play: a person against a player. */
#include "base/file.h"
#include "base/text.h"
#include "cli/arena.h"
#include "eval/line.h"
#include "nn/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A player with what it remembers of a game. */
typedef struct Mind {
  Contestant *who;
  Play *play;
  size_t S;
  float *memory;      /* (agents, S) */
  float *probability; /* (choices) */
} Mind;

static Status mind_create(Contestant *who, const Env *env, Mind *out) {
  PlayHooks none = {NULL, NULL, NULL, NULL, NULL, NULL};
  *out = (Mind){.who = who, .S = who->net ? who->net->graph.state_size : 0};
  who->policy.inference = who->net ? &who->inference : NULL;
  TRY_RETURN(NEW_ARRAY(out->memory, env->spec.agents * out->S + 1));
  TRY_RETURN(NEW_ARRAY(out->probability, env->action_count + 1));
  return play_create(env, NULL, 0, 1, 0, &none, &out->play);
}

static void mind_destroy(Mind *mind) {
  play_destroy(mind->play);
  free(mind->memory);
  free(mind->probability);
}

static void mind_forget(Mind *mind, const Env *env) {
  memset(mind->memory, 0, env->spec.agents * mind->S * sizeof(float));
}

/* Probabilities of one agent's actions; its memory moves on unless `peek`. */
static Status mind_look(Mind *mind, const Position *position, uint32_t agent, bool peek, float *value) {
  float *memory = mind->S ? mind->memory + agent * mind->S : NULL, kept[4096];
  if (mind->S > COUNT_OF(kept)) return status_set(ERR_USAGE, "the player's memory is too large");
  if (memory) memcpy(kept, memory, mind->S * sizeof *kept);
  Status status =
      play_evaluate(mind->play, &mind->who->policy, position->episode, agent, memory, mind->probability, value);
  if (memory && peek) memcpy(memory, kept, mind->S * sizeof *kept);
  return status;
}

static Status on_stepping(void *context, const Position *position) {
  Mind *mind = context;
  float value;
  for (uint32_t a = 0; mind->S && a < position->env->spec.agents; a++)
    if (position->flags[a] & AGON_ACTS) TRY_RETURN(mind_look(mind, position, a, false, &value));
  return OK;
}

/* --- query --- */
static const Flag query_flags[] = {
    {"--player", "P", "whose mind is read (default main_0)"},
    {"--env", "ENV", "without a run: the game; option=value words follow"},
    {"--greedy", NULL, "all probability on the most probable action"},
    {"--json", NULL, "one JSON object a line"},
};

static const char *status_name(AgonStatus status) {
  return status == AGON_RUNNING      ? "running"
         : status == AGON_CHANCE     ? "chance"
         : status == AGON_TERMINATED ? "terminated"
                                     : "truncated";
}

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
  json_object_set_new(root, "status", json_string(status_name(position->status)));
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
    printf("%s, returns:", status_name(position->status));
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

static Status open_table(const Command *command, const Arguments *arguments, const char *env, const char *run,
                         size_t first_option, LoadedRun *loaded, Env **own, const Env **out) {
  if (env) {
    TRY_RETURN(env_create_from(env, arguments->word + first_option, arguments->words - first_option, own));
    *out = *own;
    return OK;
  }
  if (!run) return usage_error(command, "a run, or --env ENV, is needed");
  TRY_RETURN(loaded_open(run, loaded));
  *out = loaded->settings->env;
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
  LoadedRun run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Mind mind = {0};
  Position position = {0};
  TRY(arguments_parse(&command_query, argc, argv, &arguments));
  const char *env_name = argument(&command_query, &arguments, "--env"),
             *player = argument(&command_query, &arguments, "--player");
  gemm_set_threads(1);
  TRY(open_table(&command_query, &arguments, env_name, arguments.words ? arguments.word[0] : NULL, 0, &run, &own, &env));
  TRY(loaded_player(player ? player : env_name ? "random" : "main_0", env_name ? NULL : &run, env, &who));
  who.policy.greedy = argument(&command_query, &arguments, "--greedy") != NULL;
  TRY(mind_create(&who, env, &mind));
  TRY(position_create(env, &position));
  position.stepping = on_stepping;
  position.context = &mind;
  TRY(answer_all(&mind, &position, argument(&command_query, &arguments, "--json") != NULL));
done:
  position_destroy(&position);
  mind_destroy(&mind);
  contestant_destroy(&who);
  env_destroy(own);
  loaded_close(&run);
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

/* --- showing positions --- */
static void show(const Position *position, const char *indent) {
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
static void show_own_view(const Position *position, uint32_t agent) {
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

/* --- replay --- */
static const Flag replay_flags[] = {
    {"--game", "N", "only the N-th game of the file, from 1"},
    {"--delay", "MS", "milliseconds between moves (default 0)"},
    {"--lines", NULL, "only the lines of play, for agon query"},
};

static Status replay_moves(Position *position, const char *line, long long delay) {
  uint32_t agent = 0;
  show(position, "  ");
  for (const char *at = line; *at;) {
    char word[256], name[64];
    size_t size = strcspn(at, " ");
    snprintf(word, sizeof word, "%.*s", (int)size, at);
    at += size + (at[size] == ' ');
    bool chance = position->status == AGON_CHANCE;
    if (!chance) position_actor(position, &agent);
    TRY_RETURN(position_play(position, word));
    int64_t choice;
    if (chance)
      printf("chance: %s\n", word);
    else if (position->env->spec.heads == 1 && text_to_int(word, &choice) && position->env->spec.action_kind != AGON_BOX)
      printf("agent %u: %s\n", agent, position_action_text(position->env, 0, (uint32_t)choice, name, sizeof name));
    else
      printf("agent %u: %s\n", agent, word);
    if (!chance && !position->waiting) show(position, "  ");
    fflush(stdout);
    if (delay) nanosleep(&(struct timespec){delay / 1000, delay % 1000 * 1000000}, NULL);
  }
  return OK;
}

/* "name option=value ..." */
static Status env_of_text(const char *text, Env **out) {
  char copy[512];
  const char *word[64];
  size_t words = 0;
  TRY_RETURN(text_format(copy, sizeof copy, "%s", text));
  for (char *at = strtok(copy, " "); at && words < COUNT_OF(word); at = strtok(NULL, " ")) word[words++] = at;
  if (words == 0) return status_set(ERR_FORMAT, "the game names no env");
  return env_create_from(word[0], word + 1, words - 1, out);
}

static Status replay_one(const char *text, size_t number, long long delay) {
  Status status = OK;
  json_error_t error;
  json_t *root = json_loads(text, 0, &error);
  const char *env_text, *a, *b, *line;
  json_int_t seed, game;
  double outcome[2];
  Env *env = NULL;
  Position position = {0};
  if (!root || json_unpack(root, "{s:s,s:[s,s],s:I,s:I,s:s,s:[F,F]}", "env", &env_text, "players", &a, &b, "seed",
                           &seed, "game", &game, "line", &line, "outcome", &outcome[0], &outcome[1]))
    TRY(status_set(ERR_FORMAT, "game %zu is not a recorded game", number));
  printf("game %zu: %s, %s against %s\n", number, env_text, a, b);
  TRY(env_of_text(env_text, &env));
  TRY(position_create(env, &position));
  uint64_t pair = (uint64_t)game / 2;
  TRY(position_reset(&position,
                     rng_stream((uint64_t)seed, (uint32_t)(pair & 0xffffff), (uint32_t)(pair >> 24), RNG_ENV)));
  TRY(replay_moves(&position, line, delay));
  float reached[AGON_MAX_TEAMS] = {0};
  if (position.status == AGON_RUNNING || position.status == AGON_CHANCE)
    TRY(status_set(ERR_FORMAT, "game %zu ends before the game is over", number));
  env->table->outcome(env->params, position.episode, reached);
  if ((double)reached[0] != outcome[0])
    TRY(status_set(ERR_FORMAT, "game %zu ends otherwise than it was recorded: another version of %s?", number, env_text));
  printf("%s: %s\n\n", status_name(position.status),
         reached[0] > 0.5f ? "the first side won" : reached[0] < 0.5f ? "the second side won" : "drawn");
done:
  position_destroy(&position);
  env_destroy(env);
  json_decref(root);
  return status;
}

static Status run_replay(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  char *text = NULL;
  size_t size, number = 0;
  long long only, delay;
  TRY(arguments_parse(&command_replay, argc, argv, &arguments));
  TRY(argument_int(&command_replay, &arguments, "--game", 0, 1, 1000000000, &only));
  TRY(argument_int(&command_replay, &arguments, "--delay", 0, 0, 60000, &delay));
  bool lines = argument(&command_replay, &arguments, "--lines") != NULL;
  if (arguments.words != 1) TRY(usage_error(&command_replay, "a file of recorded games is needed"));
  TRY(file_read(arguments.word[0], &text, &size));
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    number++;
    if (only && (size_t)only != number) continue;
    if (!lines) {
      TRY(replay_one(line, number, delay));
      continue;
    }
    json_t *root = json_loads(line, 0, NULL);
    const char *moves = root ? json_string_value(json_object_get(root, "line")) : NULL;
    if (moves) printf("%s\n", moves);
    json_decref(root);
    if (!moves) TRY(status_set(ERR_FORMAT, "%s, line %zu is not a recorded game", arguments.word[0], number));
  }
  if ((size_t)only > number) TRY(status_set(ERR_USAGE, "%s has %zu games", arguments.word[0], number));
done:
  free(text);
  return status;
}

const Command command_replay = {
    "replay",
    "FILE [--game N] [--delay MS] [--lines]",
    "recorded games, move by move",
    "Files are written by 'agon eval' and 'agon match' with --replays; one JSON object a line, whose \"line\" 'agon "
    "query' reads.",
    replay_flags,
    COUNT_OF(replay_flags),
    run_replay,
};

/* --- play --- */
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
  int seat; /* team of the person; 2 = both */
  bool ended;
} Session;

static void list_actions(const Position *position, uint32_t agent) {
  const Env *env = position->env;
  uint8_t mask[AGON_MAX_HEADS * 256];
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
    uint8_t mask[AGON_MAX_HEADS * 256];
    BuiltinPolicy *builtin = session->mind->who->policy.builtin;
    env->table->mask(env->params, session->position->episode, agent, mask);
    builtin->ops->act(builtin, session->position->episode, agent, mask, &session->rng, &action);
    for (uint32_t h = 0; h < env->spec.heads; h++)
      snprintf(word + strlen(word), sizeof word - strlen(word), "%s%d", h ? "/" : "", action.choice[h]);
  } else {
    TRY_RETURN(mind_look(session->mind, session->position, agent, true, &value));
    for (uint32_t h = 0, at = 0; h < env->spec.heads; at += env->spec.head_size[h++]) {
      double weight[256];
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
    if (person && !hidden && !position->waiting) show(position, "  ");
    if (person && hidden) show_own_view(position, agent);
    TRY_RETURN(person ? ask(session, agent) : reply(session, agent));
  }
  if (session->ended) return OK;
  float outcome[AGON_MAX_TEAMS];
  env->table->outcome(env->params, position->episode, outcome);
  show(position, "  ");
  int seat = session->seat == 2 ? 0 : session->seat;
  printf("%s; returns", outcome[seat] > 0.5f ? "you won" : outcome[seat] < 0.5f ? "you lost" : "drawn");
  for (uint32_t a = 0; a < env->spec.agents; a++) printf(" %+g", position->returns[a]);
  printf("\n");
  return OK;
}

static Status run_play(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  LoadedRun run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Mind mind = {0};
  Position position = {0};
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
  TRY(open_table(&command_play, &arguments, from_run ? NULL : arguments.word[0], from_run ? arguments.word[1] : NULL, 1,
                 &run, &own, &env));
  if (strcmp(env->table->name, arguments.word[0]) && from_run)
    TRY(status_set(ERR_USAGE, "%s plays %s, not %s", arguments.word[1], env->table->name, arguments.word[0]));
  if (env->spec.action_kind == AGON_BOX) TRY(status_set(ERR_USAGE, "%s is not played by words", env->table->name));
  TRY(loaded_player(player ? player : from_run ? "main_0" : "random", from_run ? &run : NULL, env, &who));
  who.policy.greedy = argument(&command_play, &arguments, "--greedy") != NULL;
  TRY(mind_create(&who, env, &mind));
  TRY(position_create(env, &position));
  position.stepping = on_stepping;
  position.context = &mind;
  TRY(position_reset(&position, rng_stream((uint64_t)seed, 0, 0, RNG_ENV)));
  Session session = {.position = &position,
                     .mind = &mind,
                     .rng = rng_stream((uint64_t)seed, 0, 0, RNG_ACT),
                     .seat = !seat ? 0 : !strcmp(seat, "both") ? 2 : atoi(seat)};
  TRY(play_game(&session));
done:
  position_destroy(&position);
  mind_destroy(&mind);
  contestant_destroy(&who);
  env_destroy(own);
  loaded_close(&run);
  return status;
}

const Command command_play = {
    "play",
    "GAME RUN [--player P] [--seat 0|1] | GAME [option=value ...] --player random|minimax|...",
    "you against a player, in the terminal",
    NULL,
    play_flags,
    COUNT_OF(play_flags),
    run_play,
};
