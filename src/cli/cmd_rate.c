/* agon rate: ratings and meta-games from the counts of a run's evaluation lanes or of a games.csv. */
#include "base/file.h"
#include "cli/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Flag flags[] = {
    {"--anchor", "NAME", "player at 0 Elo (default random, else the mean)"},
    {"--prior", "W", "virtual wins each way in every meeting (default 0.5)"},
    {"--returns", NULL, "meta-games on mean returns instead of scores (default for runs with league.by_return)"},
    {"--env", "ENV", "of a games.csv with several: only these games (with options as in the file)"},
    {"--dynamics", NULL, "print the replicator dynamics from the uniform mixture"},
    {"--json", NULL, "print JSON"},
};

static Score score_of(const Tally *tally) { /* whole games, of tables from before seats were told apart too */
  uint64_t wins = (uint64_t)(tally->wins + 0.5), draws = (uint64_t)(tally->draws + 0.5),
           losses = (uint64_t)(tally->losses + 0.5);
  return (Score){wins + draws + losses, wins, draws, losses, tally->returns, tally->squares};
}

/* The evaluation lanes' counts between frozen players. */
Status games_of_run(const League *league, Games *games) {
  for (size_t i = 0; i < league->players; i++) {
    uint32_t id;
    TRY_RETURN(games_player(games, league->player[i].name, &id));
  }
  for (uint32_t home = 0; home < league->payoff.rows; home++) {
    const PairRow *row = &league->payoff.row[home];
    for (size_t i = 0; i < row->pairs; i++) {
      const Pair *pair = &row->pair[i];
      if (pair->eval[0].games + pair->eval[1].games <= 0 || home >= pair->away) continue;
      MatchScore score = {.seat = {score_of(&pair->eval[0]), score_of(&pair->eval[1])}, .pair_squares = -1};
      TRY_RETURN(games_add(games, home, pair->away, 0, &score));
    }
  }
  return OK;
}

/* Of those who entered the meta-games. */
static Status print_dynamics(const Standing *s, json_t *root) {
  enum { STEPS = 2000, SHOWN = 20 };
  Status status = OK;
  size_t n = s->entered;
  double *path = NULL, *x = NULL;
  json_t *rows = json_array();
  if (!s->has_meta) TRY(status_set(ERR_USAGE, "no dynamics: %s", s->no_meta));
  TRY(NEW_ARRAY(path, (STEPS + 1) * n));
  TRY(NEW_ARRAY(x, n));
  for (size_t i = 0; i < n; i++) x[i] = 1 / (double)n;
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

static Status run_rate(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  LoadedRun run = {.folder = {.lock = -1}};
  Games games = {0};
  Standing standing = {0};
  char env[512] = "";
  double prior;
  TRY(arguments_parse(&command_rate, argc, argv, &arguments));
  TRY(argument_float(&command_rate, &arguments, "--prior", 0.5, 0, 1000, &prior));
  if (arguments.words != 1) TRY(usage_error(&command_rate, "a run or a games.csv is needed"));
  const char *from = arguments.word[0], *only = argument(&command_rate, &arguments, "--env");
  size_t size = strlen(from);
  if (size > 4 && !strcmp(from + size - 4, ".csv")) {
    if (!file_exists(from)) TRY(status_set(ERR_IO, "there is no file %s", from));
    TRY(games_read_env(from, only, &games, env));
  } else {
    TRY(loaded_open(from, &run));
    TRY(games_of_run(&run.league, &games));
  }
  if (games.counts == 0) TRY(status_set(ERR_USAGE, "%s holds no evaluation games yet", from));
  StandingOptions options = {.prior = prior,
                             .seats = true,
                             .anchor = argument(&command_rate, &arguments, "--anchor"),
                             .returns = argument(&command_rate, &arguments, "--returns") != NULL ||
                                        (run.settings && run.settings->league.by_return)};
  TRY(standing_create(&games, &options, &standing));
  bool dynamics = argument(&command_rate, &arguments, "--dynamics") != NULL;
  if (argument(&command_rate, &arguments, "--json")) {
    json_t *root = json_standing(&standing);
    if (dynamics) status = print_dynamics(&standing, root);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(root);
  } else {
    print_standing(&standing, 1000);
    if (dynamics) TRY(print_dynamics(&standing, NULL));
  }
done:
  standing_destroy(&standing);
  games_free(&games);
  loaded_close(&run);
  return status;
}

const Command command_rate = {
    "rate",
    "RUN | games.csv [--anchor NAME] [--returns] [--dynamics] [--json]",
    "ratings with intervals, Nash averaging, alpha-rank, and how transitive the field is",
    "Bradley-Terry on the scores of both seats, draws half a point. Intervals are of the difference to the anchor, "
    "from "
    "pairs of games where\nthey were played in pairs. Nash: the maximum-entropy equilibrium (Nash averaging); "
    "alpha-rank: strong selection (10 / largest payoff,\npopulation 50); both among players that have all met. A "
    "player "
    "that never lost has '>=' its lower bound; one that no games connect\nwith the anchor 'n/a'.",
    flags,
    COUNT_OF(flags),
    run_rate,
};
