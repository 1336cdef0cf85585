/* agon query: what a player would do in positions given as lines of play. */
#include "cli/board.h"
#include "eval/engine.h"
#include "job/plugin.h"
#include "nn/kernels/openblas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

extern const Command command_query;

static const Flag query_flags[] = {
    {"--player", "P", "whose mind is read (default the first main)"},
    {"--env", "ENV", "without a run: the game; env.OPTION=VALUE words follow"},
    {"--greedy", NULL, "all probability on the most probable action"},
    ACCEPT_ENV_FLAG,
    {"--json", NULL, "one JSON object a line"},
    {"--engine", NULL, "for other programs: requests and answers in JSON, a line each, until quit"},
};

/* One agent's value and its probabilities by action, or mean and deviation where actions are
 * numbers. */
static void print_thought(const Env *env, const Thought *thought) {
  char name[64];
  char word[ACTION_WORD];
  printf("agent %u, value %+.4f:", thought->agent, (double)thought->value);
  if (!thought->row)
    printf(" %s (its probabilities are not known)", action_word(env, thought->best, word));
  for (uint32_t h = 0, at = 0; thought->row && h < env->layout.heads; h++) {
    if (h) printf(" /");
    if (env->layout.action_kind == AGON_BOX) {
      printf(" %g +- %g", (double)thought->row[h], (double)thought->row[env->layout.heads + h]);
      continue;
    }
    for (uint32_t i = 0; i < env->layout.head_size[h]; i++)
      printf(" %s %.4f", position_action_text(env, h, i, name, sizeof name),
             (double)thought->row[at + i]);
    at += env->layout.head_size[h];
  }
  printf("\n");
}

/* What the player thinks in a position: of each agent that is to move, or of chance or the end. */
static Status print_position(Agent *agent, const Position *position) {
  const Env *env = position->env;
  const Thought *thought;
  size_t count;
  if (position->status == AGON_CHANCE) {
    uint32_t outcomes;
    const double *probability = env_chance(env, position->episode, &outcomes);
    printf("chance:");
    for (uint32_t i = 0; i < outcomes; i++)
      if (probability[i] > 0) printf(" %u %.4f", i, probability[i]);
    printf("\n");
  } else if (position->status != AGON_RUNNING) {
    printf("%s, returns:", position_status_text(position->status));
    for (uint32_t a = 0; a < env->spec.agents; a++)
      printf(" %+g", position->returns[a]);
    printf("\n");
  }
  AgentView view = position_view(position);
  TRY_RETURN(agent_look(agent, &view, &thought, &count));
  for (size_t i = 0; i < count; i++)
    print_thought(env, &thought[i]);
  return OK;
}

/* Answers go out one by one, since whoever asks may wait for each before it asks the next. */
static Status put_line(char *text) {
  if (!text) return status_set(ERR_MEMORY, "out of memory writing an answer");
  bool whole = puts(text) >= 0 && fflush(stdout) == 0;
  free(text);
  return whole ? OK : status_set(ERR_IO, "cannot write an answer: %s", strerror(errno));
}

/* A line that cannot be played is an answer with 'error' and is counted in `bad`; only what cannot
 * be written ends the command. */
static Status answer_json(Engine *engine, const char *line, size_t *bad) {
  bool failed;
  json_t *answer = engine_position(engine, line, &failed);
  *bad += failed;
  return put_line(engine_text(answer));
}

/* Plays the line from the start and prints the answer, or what is wrong with it, in its place:
 * answers and lines stay side by side. */
static void answer_text(Engine *engine, const char *line, size_t *bad) {
  Position *position = &engine->position;
  agent_forget(&engine->agent);
  Status status = position_reset(position, (AgonRng){0});
  if (status == OK) status = position_play_line(position, line);
  if (status == OK && position->waiting)
    status = status_set(ERR_USAGE, "the last simultaneous move lacks an agent's word");
  if (status == OK) status = print_position(&engine->agent, position);
  if (status != OK) printf("error: %s\n", status_message());
  fflush(stdout);
  *bad += status != OK;
}

/* Lines of play, one answer each. */
static Status answer_all(Engine *engine, bool json) {
  Status status = OK;
  char *line = NULL;
  size_t room = 0;
  size_t number = 0;
  size_t bad = 0;
  ssize_t size;
  while (status == OK && (size = getline(&line, &room, stdin)) >= 0) {
    number++;
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
      line[--size] = 0;
    if (json)
      status = answer_json(engine, line, &bad);
    else
      answer_text(engine, line, &bad);
  }
  free(line);
  if (status != OK) return status;
  return bad ? status_set(ERR_USAGE, "%zu of %zu lines could not be played", bad, number) : OK;
}

/* Requests of another program, until it asks for the end or goes. */
static Status serve(Engine *engine) {
  Status status = put_line(engine_greeting(engine));
  char *line = NULL;
  size_t room = 0;
  ssize_t size;
  bool quit = false;
  while (status == OK && !quit && (size = getline(&line, &room, stdin)) >= 0) {
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
      line[--size] = 0;
    if (size > 0) status = put_line(engine_answer(engine, line, (size_t)size, &quit));
  }
  free(line);
  return status;
}

/* Opens the game and the player once; then lines are answered until standard input ends. */
static Status run_query(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  RunView run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Engine engine = {0};
  TRY(arguments_parse(&command_query, argc, argv, &arguments));
  plugins_accept(argument(&command_query, &arguments, "--accept-env") != NULL);
  const char *env_name = argument(&command_query, &arguments, "--env");
  const char *player = argument(&command_query, &arguments, "--player");
  bool json = argument(&command_query, &arguments, "--json") != NULL;
  bool serves = argument(&command_query, &arguments, "--engine") != NULL;
  if (json && serves)
    TRY(usage_error(&command_query,
                    "--json answers lines of play, --engine requests: one of them"));
  gemm_set_threads(1);
  TRY(open_game(&command_query, &arguments, env_name, arguments.words ? arguments.word[0] : NULL, 0,
                &run, &own, &env));
  TRY(run_view_player(player     ? player
                      : env_name ? "random"
                                 : league_first_main(&run.league),
                      env_name ? NULL : &run, env, &who));
  who.policy.greedy = argument(&command_query, &arguments, "--greedy") != NULL;
  TRY(engine_create(&who, env, &engine));
  TRY(serves ? serve(&engine) : answer_all(&engine, json));
done:
  engine_destroy(&engine);
  contestant_destroy(&who);
  env_destroy(own);
  run_view_close(&run);
  return status;
}

const Command command_query = {
    "query",
    "RUN [--player P] [--json] < LINES | RUN [--player P] --engine",
    "action probabilities and value of a player in positions read from stdin",
    "A line is what happened so far, separated by spaces: chance outcomes and actions in their "
    "order, as numbers or "
    "action names;\n"
    "simultaneous moves one word per acting agent, several heads joined by '/'. An empty line is "
    "the start. 'agon env "
    "info ENV' names\n"
    "the actions and says what chance decides. Where actions are numbers of a box, a word is "
    "'12.5' or '12.5/-3'.\n"
    "Exit code 2 if any line could not be played.\n\n"
    "--engine serves another program, as chess engines do: it says what it plays, then answers "
    "requests such as\n"
    "  {\"id\":1,\"line\":\"4 0\"}    {\"id\":\"all\",\"lines\":[\"\",\"4\"]}    {\"quit\":true}\n"
    "at once and in their order. A mistake is an answer with 'error'; the engine goes on, and ends "
    "with code 0 on quit "
    "or "
    "the end of\n"
    "its input. src/eval/README.md has the protocol, and a client in Python.",
    query_flags,
    COUNT_OF(query_flags),
    run_query,
};
