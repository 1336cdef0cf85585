/* agon rate: ratings and meta-games from the counts of a run's evaluation lanes or of a
 * games.csv. */
#include "base/file.h"
#include "base/text.h"
#include "cli/tournament_setup.h"
#include "eval/empirical.h"
#include "eval/sides.h"
#include "job/plugin.h"
#include "job/strength.h"

#include <math.h>
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
    {"--equilibrium", "NAME",
     "of the game between those who have all met, by mean returns: " SOLUTION_NAMES},
    {"--select", "NAME",
     "which one: of the largest welfare (the sum of what both earn) or the most even, of the "
     "largest Gini impurity: " SELECTION_NAMES
     " (default: of a run with league.main_rule ce or cce its "
     "league.equilibrium, else welfare)"},
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

/* --- equilibria --- */
/* What --equilibrium and --select ask for. */
typedef struct Asked {
  bool equilibrium;
  int solution;  /* Solution */
  int selection; /* Selection */
} Asked;

static Status choice_of(const Arguments *arguments, const char *flag, const char *names, int *out) {
  const char *value = argument(&command_rate, arguments, flag);
  if (!value) return OK;
  *out = (int)text_choice(names, value);
  if (*out < 0) return status_set(ERR_USAGE, "%s is one of %s, not '%.40s'", flag, names, value);
  return OK;
}

/* usual: what is selected where --select says nothing. */
static Status read_asked(const Arguments *arguments, Selection usual, Asked *out) {
  *out = (Asked){.equilibrium = argument(&command_rate, arguments, "--equilibrium") != NULL,
                 .selection = (int)usual};
  const bool select = argument(&command_rate, arguments, "--select") != NULL;
  TRY_RETURN(choice_of(arguments, "--equilibrium", SOLUTION_NAMES, &out->solution));
  TRY_RETURN(choice_of(arguments, "--select", SELECTION_NAMES, &out->selection));
  if (select && (!out->equilibrium || out->solution == SOLVE_NASH))
    return status_set(
        ERR_USAGE, "--select chooses among the correlated equilibria of --equilibrium ce or cce");
  return OK;
}

/* How the solution is called, in words. */
static void print_solution(const Standing *s, const Asked *asked, const Empirical *e) {
  static const char *const solution[] = {"correlated equilibrium", "coarse correlated equilibrium",
                                         "Nash equilibrium"};
  static const char *const select[] = {" of the largest welfare", " of the largest Gini impurity"};
  const EquilibriumFacts *f = &e->facts;
  const char *const *side = s->side_name;
  static const char *const both[SEATS] = {"one seat", "the other"};
  if (!s->side) side = both;
  printf("%s%s of the game by mean returns, %zu x %zu players", solution[asked->solution],
         asked->solution == SOLVE_NASH ? "" : select[asked->selection], e->count[0], e->count[1]);
  if (isfinite(e->fewest)) printf(" that have met in at least %.0f games each", e->fewest);
  printf("\n  welfare %+.6g (%s %+.6g, %s %+.6g), Gini impurity %.6g\n", f->welfare, side[0],
         f->value[0], side[1], f->value[1], f->gini);
  printf(
      "  left to gain: CE gap %.3g, CCE gap %.3g; Nash gap %.3g, if each side played its own part "
      "by itself\n",
      f->ce_gap, f->cce_gap, f->nash_gap);
}

/* The joint strategies from the likeliest on; of equals the first one. */
static size_t next_likely(const Empirical *e, const bool *shown) {
  const size_t joints = e->count[0] * e->count[1];
  size_t best = joints;
  for (size_t j = 0; j < joints; j++)
    if (!shown[j] && e->joint[j] > 0 && (best == joints || e->joint[j] > e->joint[best])) best = j;
  return best;
}

/* A table of who meets whom, as text or into an array of JSON. */
static Status print_joint(const Standing *s, const Empirical *e, json_t *rows) {
  enum { SHOWN = 20 };
  const size_t joints = e->count[0] * e->count[1];
  bool *shown;
  double left = 1;
  size_t more = 0;
  TRY_RETURN(NEW_ARRAY(shown, joints));
  if (!rows) printf("  probability, and what both earn\n");
  for (size_t k = 0;; k++) {
    const size_t j = next_likely(e, shown);
    if (j == joints) break;
    const char *a = s->games->name[e->member[0][j / e->count[1]]];
    const char *b = s->games->name[e->member[1][j % e->count[1]]];
    shown[j] = true;
    if (rows)
      json_array_append_new(rows,
                            json_pack("{s:[s,s],s:f,s:[f,f]}", "players", a, b, "probability",
                                      e->joint[j], "returns", e->payoff[j], e->payoff[joints + j]));
    else if (k < SHOWN)
      printf("  %10.6f  %-30s %-30s %+10.4g %+10.4g\n", e->joint[j], a, b, e->payoff[j],
             e->payoff[joints + j]);
    else
      more++;
    if (k < SHOWN) left -= e->joint[j];
  }
  if (more) printf("  ... and %zu more, %.6f in all\n", more, left);
  free(shown);
  return OK;
}

static Status print_equilibrium(const Standing *s, const Asked *asked, json_t *root) {
  Status status = OK;
  Empirical e = {0};
  char word[2][16];
  json_t *rows = json_array();
  const EquilibriumFacts *f = &e.facts;
  TRY(empirical_solve(s, (Solution)asked->solution, (Selection)asked->selection, &e));
  if (!root) print_solution(s, asked, &e);
  TRY(print_joint(s, &e, root ? rows : NULL));
  if (!root) goto done;
  text_choice_name(SOLUTION_NAMES, asked->solution, word[0], sizeof word[0]);
  text_choice_name(SELECTION_NAMES, asked->selection, word[1], sizeof word[1]);
  json_t *out =
      json_pack("{s:s,s:f,s:[f,f],s:f,s:f,s:f,s:f,s:O}", "equilibrium", word[0], "welfare",
                f->welfare, "returns", f->value[0], f->value[1], "gini", f->gini, "ce_gap",
                f->ce_gap, "cce_gap", f->cce_gap, "nash_gap", f->nash_gap, "joint", rows);
  if (asked->solution != SOLVE_NASH) json_object_set_new(out, "select", json_string(word[1]));
  if (isfinite(e.fewest)) json_object_set_new(out, "fewest_games", json_real(e.fewest));
  json_object_set_new(root, "equilibrium", out);
done:
  json_decref(rows);
  empirical_free(&e);
  return status;
}

/* The standing as text or JSON, with the dynamics and the equilibrium where they are asked for, of
 * several the `usual` one. */
static Status print(const Standing *standing, const Arguments *arguments, Selection usual) {
  bool dynamics = argument(&command_rate, arguments, "--dynamics") != NULL;
  Status status = OK;
  Asked asked;
  TRY_RETURN(read_asked(arguments, usual, &asked));
  if (!argument(&command_rate, arguments, "--json")) {
    print_standing(standing, 1000);
    if (asked.equilibrium) TRY_RETURN(print_equilibrium(standing, &asked, NULL));
    return dynamics ? print_dynamics(standing, NULL) : OK;
  }
  json_t *root = json_standing(standing);
  if (asked.equilibrium) status = print_equilibrium(standing, &asked, root);
  if (dynamics && status == OK) status = print_dynamics(standing, root);
  if (status != OK) {
    json_decref(root);
    return status;
  }
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  printf("\n");
  json_decref(root);
  return status;
}

/* Equilibria are of what both earn. */
static bool wants_returns(const Arguments *arguments) {
  return argument(&command_rate, arguments, "--returns") ||
         argument(&command_rate, arguments, "--equilibrium");
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

/* Files of older programs say neither how many teams play nor what b earned. Of a built-in game its
 * title says both: the teams, and that where it is zero-sum nothing is missing. */
static void ask_the_game(const char *title, Games *games) {
  enum { MOST = 64 };
  const char *option[MOST];
  size_t options = 0;
  char text[512];
  Env *env = NULL;
  snprintf(text, sizeof text, "%s", title);
  char *rest = strchr(text, ' ');
  while (rest && options < MOST) {
    *rest++ = 0;
    option[options++] = rest;
    rest = strchr(rest, ' ');
  }
  /* a file must not be able to name a plug-in, whose code would run */
  if (strpbrk(text, "/.") || env_create_from(text, option, options, &env) != OK) return;
  if (games->teams == 0) games->teams = env->spec.teams;
  for (size_t i = 0; i < games->meetings && (env->spec.flags & AGON_ZERO_SUM); i++)
    games->meeting[i].tally.half_told = false;
  env_destroy(env);
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
  ask_the_game(env, &games);
  StandingOptions options = {.prior = prior,
                             .seats = true,
                             .anchor = argument(&command_rate, arguments, "--anchor"),
                             .returns = wants_returns(arguments),
                             .not_met = games.teams > SEATS ? STANDING_MANY_TEAMS : NULL};
  TRY(NEW_ARRAY(side, games.players + 1));
  if (games_tell_sides(&games, side)) {
    TRY(games_by_side(&games, side, side_name, &apart, &of));
    options.side = of;
    options.side_name = side_name;
  }
  TRY(standing_create(of ? &apart : &games, &options, &standing));
  TRY(print(&standing, arguments, SELECT_WELFARE));
done:
  standing_destroy(&standing);
  games_free(&games);
  games_free(&apart);
  free(side);
  free(of);
  return status;
}

/* A run that draws opponents by an equilibrium is asked about the one that it draws them by. */
static Selection selection_of(const LeagueConfig *league) {
  const bool joint = league_follows(league, "ce") || league_follows(league, "cce");
  return joint ? (Selection)league->equilibrium : SELECT_WELFARE;
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
                             .returns = wants_returns(arguments) || run.settings->league.by_return};
  TRY(strength_create(&run.league, run.settings, &run.folder, &options, &strength));
  strength_warn(&strength.games, run.settings);
  if (strength.games.meetings == 0)
    TRY(status_set(ERR_USAGE, "%s holds no evaluation games yet", path));
  TRY(print(&strength.standing, arguments, selection_of(&run.settings->league)));
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
    "RUN | games.csv [--anchor NAME] [--returns] [--equilibrium ce|cce|nash] [--dynamics] [--json]",
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
    "Correlated equilibria are of general-sum games, too: of two populations (league.sides "
    "separate); gaps are what the best\ndeviations would win, summed over both sides, 0: nobody "
    "gains (agon help 'correlated equilibrium').\n"
    "Where sides are separate (league.sides): each side from random play on its own side; Nash: "
    "the equilibrium of the two populations.",
    flags,
    COUNT_OF(flags),
    run_rate,
};
