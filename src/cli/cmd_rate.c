/* agon rate: ratings and meta-games from the counts of a run's evaluation lanes or of a
 * games.csv. */
#include "base/file.h"
#include "base/text.h"
#include "cli/tournament_setup.h"
#include "eval/sides.h"
#include "job/plugin.h"
#include "job/strength.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_rate;

static const Flag flags[] = {
    {"--anchor", "NAME", "player at 0 Elo (default random, else the mean)"},
    {"--prior", "W", "virtual wins each way in every meeting (default 0.5)"},
    {"--returns", NULL,
     "meta-games on mean returns instead of scores (default for runs with league.by_return)"},
    {"--env", "ENV", "of a games.csv with several: only these games (with options as in the file)"},
    {"--dynamics", NULL, "print the replicator dynamics from the uniform mixture"},
    ACCEPT_ENV_FLAG,
    {"--json", NULL, "print JSON"},
};

/* Of those who entered the meta-games. */
static Status print_dynamics(const Standing *s, json_t *root) {
  enum { STEPS = 2000, SHOWN = 20 };
  Status status = OK;
  size_t n = s->entered;
  double *path = NULL;
  double *x = NULL;
  json_t *rows = json_array();
  if (!s->has_meta) TRY(status_set(ERR_USAGE, "no dynamics: %s", s->no_meta));
  TRY(NEW_ARRAY(path, (STEPS + 1) * n));
  TRY(NEW_ARRAY(x, n));
  for (size_t i = 0; i < n; i++)
    x[i] = 1 / (double)n;
  TRY(meta_replicator(s->payoff, n, x, 0.05, STEPS, path));
  for (size_t k = 0; k <= SHOWN; k++) {
    const double *at = path + k * (STEPS / SHOWN) * n;
    json_t *row = json_array();
    if (!root) printf("t = %5.1f:", 0.05 * (double)(k * (STEPS / SHOWN)));
    for (size_t p = 0, i = 0; p < s->games->players; p++) {
      json_array_append_new(row, json_real(s->in[p] ? at[i] : 0));
      if (!root && s->in[p] && at[i] > 0.05) printf(" %.2f %s", at[i], s->games->name[p]);
      i += s->in[p];
    }
    if (!root) printf("\n");
    json_array_append_new(rows, row);
  }
  if (root) json_object_set(root, "replicator", rows);
done:
  json_decref(rows);
  free(path);
  free(x);
  return status;
}

/* The standing as text or JSON, with the dynamics where they are asked for. */
static Status print(const Standing *standing, const Arguments *arguments) {
  bool dynamics = argument(&command_rate, arguments, "--dynamics") != NULL;
  Status status = OK;
  if (!argument(&command_rate, arguments, "--json")) {
    print_standing(standing, 1000);
    return dynamics ? print_dynamics(standing, NULL) : OK;
  }
  json_t *root = json_standing(standing);
  if (dynamics) status = print_dynamics(standing, root);
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  printf("\n");
  json_decref(root);
  return status;
}

/* Why there is nothing to rate: the file is of another game, perhaps. */
static Status no_games(const char *path, const char *asked) {
  Games games = {0};
  char env[512] = "";
  Status status = asked ? games_read_env(path, NULL, true, &games, env) : OK;
  games_free(&games);
  if (status == OK && *env)
    return status_set(ERR_USAGE, "%s is of another game: its games are of '%s', none is of '%s'",
                      path, env, asked);
  if (asked)
    return status_set(ERR_USAGE, "%s holds no games of '%s' (options as the file writes them)",
                      path, asked);
  return status_set(ERR_USAGE, "%s holds no evaluation games yet", path);
}

/* Rates the players of a games.csv. Games of a plug-in's other builds count only where they are
 * accepted. */
static Status rate_file(const char *path, const Arguments *arguments, double prior) {
  static const char *const side_name[SEATS] = {"first team", "second team"};
  Games games = {0};
  Games apart = {0};
  Standing standing = {0};
  Status status = OK;
  uint8_t *side = NULL;
  uint8_t *of = NULL;
  char env[512] = "";
  if (!file_exists(path)) return status_set(ERR_IO, "there is no file %s", path);
  TRY(games_read_env(path, argument(&command_rate, arguments, "--env"), plugins_accepted(), &games,
                     env));
  if (games.meetings == 0) TRY(no_games(path, argument(&command_rate, arguments, "--env")));
  StandingOptions options = {.prior = prior,
                             .seats = true,
                             .anchor = argument(&command_rate, arguments, "--anchor"),
                             .returns = argument(&command_rate, arguments, "--returns") != NULL};
  TRY(NEW_ARRAY(side, games.players + 1));
  if (games_tell_sides(&games, side)) {
    TRY(games_by_side(&games, side, side_name, &apart, &of));
    options.side = of;
    options.side_name = side_name;
  }
  TRY(standing_create(of ? &apart : &games, &options, &standing));
  TRY(print(&standing, arguments));
done:
  standing_destroy(&standing);
  games_free(&games);
  games_free(&apart);
  free(side);
  free(of);
  return status;
}

/* Rates the players of a run by its evaluation lanes and its games.csv. Meta-games go by returns
 * where the league's matchmaking does. */
static Status rate_run(const char *path, const Arguments *arguments, double prior) {
  RunView run = {.folder = {.lock = -1}};
  Strength strength = {.standing = {.games = NULL}};
  Status status = OK;
  const char *env = argument(&command_rate, arguments, "--env");
  TRY(run_view_look(path, &run));
  if (env && strcmp(env, run.settings->game.name) && strcmp(env, run.settings->game.title))
    TRY(status_set(
        ERR_USAGE,
        "%s is of another game, %s, not of %s: --env chooses among the games of a games.csv", path,
        run.settings->game.title, env));
  char quoted[4200];
  if (run.settings->game.teams == 1)
    TRY(status_set(ERR_USAGE,
                   "one team plays in %s: there is nobody to be rated against; agon eval %s shows "
                   "what its players earn",
                   path, text_quoted(path, quoted, sizeof quoted)));
  StrengthOptions options = {.prior = prior,
                             .anchor = argument(&command_rate, arguments, "--anchor"),
                             .returns = argument(&command_rate, arguments, "--returns") != NULL ||
                                        run.settings->league.by_return};
  TRY(strength_create(&run.league, run.settings, &run.folder, &options, &strength));
  strength_warn(&strength.games, run.settings);
  if (strength.games.meetings == 0)
    TRY(status_set(ERR_USAGE, "%s holds no evaluation games yet", path));
  TRY(print(&strength.standing, arguments));
done:
  strength_destroy(&strength);
  run_view_close(&run);
  return status;
}

/* A name that ends in .csv is a file of games, any other the folder of a run. */
static Status run_rate(int argc, char **argv) {
  Arguments arguments;
  double prior;
  TRY_RETURN(arguments_parse(&command_rate, argc, argv, &arguments));
  plugins_accept(argument(&command_rate, &arguments, "--accept-env") != NULL);
  TRY_RETURN(argument_float(&command_rate, &arguments, "--prior", STRENGTH_PRIOR, 0, 1000, &prior));
  if (arguments.words != 1) return usage_error(&command_rate, "a run or a games.csv is needed");
  const char *from = arguments.word[0];
  size_t size = strlen(from);
  bool file = size > 4 && !strcmp(from + size - 4, ".csv");
  return file ? rate_file(from, &arguments, prior) : rate_run(from, &arguments, prior);
}

const Command command_rate = {
    "rate",
    "RUN | games.csv [--anchor NAME] [--returns] [--dynamics] [--json]",
    "ratings with intervals, Nash averaging, alpha-rank, and how transitive the field is",
    "Bradley-Terry on the scores of both seats, draws half a point. Intervals are of the "
    "difference to the anchor, "
    "from "
    "pairs of games where\nthey were played in pairs. Nash: the maximum-entropy equilibrium (Nash "
    "averaging); "
    "alpha-rank: strong selection (10 / largest payoff,\npopulation 50); both among players that "
    "have all met. A "
    "player "
    "that never lost has '>=' its lower bound; one that no games connect\nwith the anchor 'n/a'.\n"
    "Where sides are separate (league.sides): each side from random play on its own side; Nash: "
    "the equilibrium of the two populations.",
    flags,
    COUNT_OF(flags),
    run_rate,
};
