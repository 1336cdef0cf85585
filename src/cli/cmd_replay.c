/* agon replay: recorded games, move by move. */
#include "base/file.h"
#include "base/text.h"
#include "cli/board.h"
#include "cli/terminal.h"
#include "eval/solo.h"
#include "job/plugin.h"
#include "run/progress.h"
#include "store/store.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const Command command_replay;

static const Flag replay_flags[] = {
    {"--game", "N", "only the N-th game of the file, from 1"},
    {"--delay", "MS", "milliseconds between moves (default 0)"},
    {"--lines", NULL, "only the lines of play, for agon query"},
};

/* Says a move: one a line, or, where many act at once, one behind the other as far as the screen
 * goes. *column: characters that stand in the line so far. */
static void tell_move(const Env *env, uint32_t agent, const char *move, size_t *column) {
  enum { ONE_A_LINE = 8 };
  char who[96];
  board_agent_text(env, agent, who);
  if (env->spec.agents <= ONE_A_LINE) {
    printf("%s: %s\n", who, move);
    return;
  }
  const size_t size = strlen(who) + strlen(move) + 2;
  const bool next = *column > 0 && *column + 3 + size > terminal_width(); /* with a ";" */
  printf("%s%s: %s", next ? ";\n" : *column ? "; " : "", who, move);
  *column = next || *column == 0 ? size : *column + 2 + size;
}

/* Plays a line word by word and shows each move with the position after it. During simultaneous
 * moves the board is shown only when all have moved. */
static Status replay_moves(Position *position, const char *line, long long delay) {
  uint32_t agent = 0;
  size_t column = 0;
  board_show(position, "  ", terminal_unicode());
  for (const char *at = line; *at;) {
    char word[ACTION_WORD];
    char name[64];
    size_t size = strcspn(at, " ");
    snprintf(word, sizeof word, "%.*s", (int)size, at);
    at += size + (at[size] == ' ');
    bool chance = position->status == AGON_CHANCE;
    if (!chance) position_actor(position, &agent);
    TRY_RETURN(position_play(position, word));
    int64_t choice;
    if (chance)
      printf("chance: %s\n", word);
    else if (position->env->layout.heads == 1 && text_to_int(word, &choice) &&
             position->env->layout.action_kind != AGON_BOX)
      tell_move(position->env, agent,
                position_action_text(position->env, 0, (uint32_t)choice, name, sizeof name),
                &column);
    else
      tell_move(position->env, agent, word, &column);
    if (!chance && !position->waiting) {
      if (column) printf("\n");
      column = 0;
      board_show(position, "  ", terminal_unicode());
      board_show_gains(position, "  ");
    }
    fflush(stdout);
    if (delay) nanosleep(&(struct timespec){delay / 1000, delay % 1000 * 1000000}, NULL);
  }
  return OK;
}

/* Makes the env of a recorded game from its title, "name option=value ...". A plug-in is found by
 * its path or by what it calls itself. The caller destroys *out. */
static Status env_of_text(const char *text, Env **out) {
  char copy[512];
  char path[PATH_MAX];
  const char *word[64];
  size_t words = 0;
  TRY_RETURN(text_format(copy, sizeof copy, "%s", text));
  for (char *at = strtok(copy, " "); at && words < COUNT_OF(word); at = strtok(NULL, " "))
    word[words++] = at;
  if (words == 0) return status_set(ERR_FORMAT, "the game names no env");
  TRY_RETURN(plugin_find_named(word[0], "the recorded game", path, sizeof path));
  return env_create_from(path, word + 1, words - 1, out);
}

/* How an episode of one team ends: with its return, which must be the recorded one. */
static Status check_return(const Position *position, double gained, size_t number,
                           const char *env_text) {
  const double mean = board_team_return(position);
  if (fabs(mean - gained) > 1e-5 * (1 + fabs(gained)))
    return status_set(ERR_FORMAT,
                      "episode %zu ends otherwise than it was recorded (it earns %g, not %g): "
                      "another version of %s?",
                      number, mean, gained, env_text);
  char text[128];
  printf("%s: the team earned %s\n\n", position_status_text(position->status),
         board_returns_text(position, text, sizeof text));
  return OK;
}

/* Whether its texts may go to a terminal: control characters could tell it to do things. */
static bool is_plain(const char *env_text, const char *line, const json_t *players) {
  bool plain = text_is_plain(env_text) && text_is_plain(line);
  for (size_t t = 0; t < json_array_size(players); t++)
    plain = plain && text_is_plain(json_string_value(json_array_get(players, t)));
  return plain;
}

/* Who plays, as far as a line's length goes: "a against b", or team by team. */
static void print_players(size_t number, const char *env_text, const json_t *players) {
  const size_t teams = json_array_size(players);
  printf("%s %zu: %s, ", teams == 1 ? "episode" : "game", number, env_text);
  for (size_t t = 0; t < teams; t++)
    printf("%s%s",
           t == 0       ? ""
           : teams == 2 ? " against "
                        : ", ",
           json_string_value(json_array_get(players, t)));
  printf("\n");
}

/* A list of as many numbers, or of names, as there are players. */
static bool is_list(const json_t *list, size_t count, bool names) {
  if (!json_is_array(list) || json_array_size(list) != count) return false;
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_array_get(list, i);
    if (names ? !json_is_string(item) : !json_is_number(item)) return false;
  }
  return true;
}

/* Which teams have the highest outcome, of more than two. */
static void print_winners(const float *outcome, const json_t *players) {
  const size_t teams = json_array_size(players);
  float best = 0;
  size_t winners = 0;
  for (size_t t = 0; t < teams; t++)
    best = fmaxf(best, outcome[t]);
  for (size_t t = 0; t < teams; t++) {
    if (outcome[t] < best) continue;
    printf("%steam %zu (%s)", winners++ ? ", " : "", t,
           json_string_value(json_array_get(players, t)));
  }
  printf(winners == 1 ? " won\n\n" : " came out level\n\n");
}

/* How a game of several teams ends: as it was recorded. */
static Status check_outcome(Position *position, const json_t *players, const json_t *outcome,
                            size_t number, const char *env_text) {
  const float *reached = position_outcome(position);
  for (size_t t = 0; t < json_array_size(outcome); t++)
    if ((double)reached[t] != json_number_value(json_array_get(outcome, t)))
      return status_set(ERR_FORMAT,
                        "game %zu ends otherwise than it was recorded: another version of %s?",
                        number, env_text);
  printf("%s: ", position_status_text(position->status));
  if (json_array_size(players) > 2)
    print_winners(reached, players);
  else
    printf("%s\n\n", reached[0] > 0.5f   ? "the first side won"
                     : reached[0] < 0.5f ? "the second side won"
                                         : "drawn");
  return OK;
}

/* Replays one recorded game, given as a JSON object. Chance has the stream of random numbers that
 * it had then; an outcome other than the recorded one shows that the rules have changed. ERR_FORMAT
 * for that, and where it is no game or is not over. */
static Status replay_one(const char *text, size_t number, long long delay) {
  Status status = OK;
  json_error_t error;
  json_t *root = json_loads(text, 0, &error);
  const char *env_text;
  const char *line;
  json_int_t seed;
  json_int_t game;
  Env *env = NULL;
  Position position = {0};
  const json_t *players = json_object_get(root, "players");
  const json_t *outcome = json_object_get(root, "outcome");
  const json_t *returns = json_object_get(root, "returns");
  const size_t teams = json_array_size(players);
  const bool alone = teams == 1;
  if (json_unpack(root, "{s:s,s:I,s:I,s:s}", "env", &env_text, "seed", &seed, "game", &game, "line",
                  &line) ||
      teams == 0 || !is_list(players, teams, true) ||
      !is_list(alone ? returns : outcome, teams, false))
    TRY(status_set(ERR_FORMAT, "game %zu is not a recorded game", number));
  if (!is_plain(env_text, line, players))
    TRY(status_set(ERR_FORMAT,
                   "game %zu is not a recorded game: there are control characters in it", number));
  print_players(number, env_text, players);
  TRY(env_of_text(env_text, &env));
  TRY(position_create(env, &position));
  uint64_t pair = (uint64_t)game / 2;
  if (teams != env->spec.teams)
    TRY(status_set(ERR_FORMAT, "game %zu names %zu player%s, and %s has %u teams", number, teams,
                   teams == 1 ? "" : "s", env_text, env->spec.teams));
  const AgonRng stream = alone ? solo_stream((uint64_t)seed, (uint64_t)game)
                               : rng_stream((uint64_t)seed, (uint32_t)(pair & 0xffffff),
                                            (uint32_t)(pair >> 24), RNG_ENV);
  TRY(position_reset(&position, stream));
  TRY(replay_moves(&position, line, delay));
  if (position.status == AGON_RUNNING || position.status == AGON_CHANCE)
    TRY(status_set(ERR_FORMAT, "game %zu ends before the game is over", number));
  if (alone)
    TRY(check_return(&position, json_number_value(json_array_get(returns, 0)), number, env_text));
  else
    TRY(check_outcome(&position, players, outcome, number, env_text));
done:
  position_destroy(&position);
  env_destroy(env);
  json_decref(root);
  return status;
}

/* Whether one team plays in the run, as far as its status says. */
static bool plays_alone(const char *run) {
  json_t *root;
  if (status_load(run, &root) != OK) return false;
  const bool alone = status_number(root, "teams") == 1;
  json_decref(root);
  return alone;
}

/* A file, or the one in which a run keeps its recorded games. */
static Status name_file(const char *word, char *out, size_t size) {
  char quoted[PATH_MAX + 64];
  TRY_RETURN(
      text_format(out, size, "%s%s", word, file_is_folder(word) ? "/replays/games.jsonl" : ""));
  if (!file_is_folder(word) || file_exists(out)) return OK;
  RunFolder run;
  TRY_RETURN(run_open(word, &run));
  return status_set(ERR_RUN,
                    "%s has no recorded games: agon eval %s%s --record 2 plays some, into %s", word,
                    text_quoted(word, quoted, sizeof quoted),
                    plays_alone(word) ? "" : " --players main_0,random", out);
}

/* Games are counted from 1, as editors count lines: each is a line of the file. */
static Status run_replay(int argc, char **argv) {
  Status status = OK;
  char path[PATH_MAX];
  Arguments arguments;
  char *text = NULL;
  size_t size;
  size_t number = 0;
  long long only;
  long long delay;
  TRY(arguments_parse(&command_replay, argc, argv, &arguments));
  TRY(argument_int(&command_replay, &arguments, "--game", 0, 1, 1000000000, &only));
  TRY(argument_int(&command_replay, &arguments, "--delay", 0, 0, 60000, &delay));
  bool lines = argument(&command_replay, &arguments, "--lines") != NULL;
  if (arguments.words != 1)
    TRY(usage_error(&command_replay, "a run, or a file of recorded games, is needed"));
  TRY(name_file(arguments.word[0], path, sizeof path));
  TRY(file_read(path, &text, &size));
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
    const bool good = moves && text_is_plain(moves);
    if (good) printf("%s\n", moves);
    json_decref(root);
    if (!good) TRY(status_set(ERR_FORMAT, "%s, line %zu is not a recorded game", path, number));
  }
  if ((size_t)only > number) TRY(status_set(ERR_USAGE, "%s has %zu games", path, number));
done:
  free(text);
  return status;
}

const Command command_replay = {
    "replay",
    "RUN|FILE [--game N] [--delay MS] [--lines]",
    "recorded games, move by move",
    "Of a run: those in RUN/replays/games.jsonl. Files are written by 'agon eval' and 'agon match' "
    "with --replays; one JSON object a line, whose \"line\" 'agon "
    "query' reads.",
    replay_flags,
    COUNT_OF(replay_flags),
    run_replay,
};
