/* agon eval: tournaments. */
#include "base/file.h"
#include "base/text.h"
#include "cli/team_returns.h"
#include "eval/sides.h"
#include "job/plugin.h"
#include "meta/meta.h"
#include "play/measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const Command command_eval;

static const Flag flags[] = {
    {"--players", "A,B,...",
     "who plays: [RUN:]NAME, a snapshot file, snapshots (all frozen mains of the run), FILE.agon, "
     "FILE.onnx "
     "of "
     "agon export, exec:COMMAND (a program that is asked; one without commas), or a "
     "built-in (random, minimax, scripted, noop, alphabeta-N); default: the run's mains, random, "
     "scripted, and noop where one team plays"},
    {"--versus", "C,D,...", "gauntlet, ladder, teams: the other side"},
    {"--format", "F",
     "round-robin (default): every pair; gauntlet: --players against --versus; ladder: the same, "
     "and the anchors "
     "(--versus) among themselves; teams: as gauntlet, with the two sides' totals"},
    {"--games", "N", "games per pair, half of them in each seat (default 400)"},
    {"--budget", "N", "games in all; the least certain pair plays next"},
    {"--until-ci", "W",
     "until every pair's score is known to +- W (95 %), at most --games (then default 1M) per "
     "pair"},
    {"--env", "ENV", "without a run: what is played; env.OPTION=VALUE words follow"},
    {"--openings", "K",
     "uniformly random first steps, the same in both games of a pair (default 0)"},
    {"--greedy", NULL, "networks take their most probable action instead of sampling"},
    {"--silent", NULL,
     "one team: what its agents tell one another by their network (net.messages) is not heard"},
    {"--seed", "S", "of the games (default 1)"},
    {"--csv", "FILE",
     "where results are appended and read from (default RUN/games.csv; none: nowhere)"},
    {"--replays", "FILE",
     "record games: append the first ones of each pair as JSON lines, for agon replay"},
    {"--record", "N",
     "so many games of each pair (default 2); without --replays into RUN/replays/games.jsonl"},
    {"--anchor", "NAME", "player at 0 Elo (default random, else the mean)"},
    ACCEPT_ENV_FLAG,
    {"--quiet", NULL, "no progress"},
    {"--json", NULL, "print JSON"},
};

/* A tally with the score, the Elo difference and their 95 % intervals. `bound` is 1 or -1 where a
 * perfect score allows only a lower or an upper bound. */
static json_t *json_counts(const Tally *score, const EloBlock *block) {
  return json_pack("{s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:i}", "games",
                   (json_int_t)score->games, "wins", (json_int_t)score->wins, "draws",
                   (json_int_t)score->draws, "losses", (json_int_t)score->losses, "score",
                   block->score, "score_low", block->score_low, "score_high", block->score_high,
                   "elo", block->elo, "elo_low", block->low, "elo_high", block->high, "bound",
                   block->bound);
}

/* Score and Elo with intervals: from pairs of games, whose two halves share luck and opening; from
 * single games where pairs were not counted. */
static EloBlock block_of(const MatchTally *score) {
  const Tally all = tally_both(score->seat);
  EloBlock block = meta_elo_block(&score->pairs);
  if (2 * block.pairs >= all.games) return block;
  return meta_elo_block_of_games(all.wins, all.draws, all.losses);
}

/* What each earned, and what both did together, where what one gains is not what the other loses:
 * who won says little there. */
typedef struct Earned {
  bool known;
  double a, a_error; /* mean return of a game, and half of its 95 % interval */
  double b, b_error;
  double welfare; /* mean of both */
} Earned;

static Earned earned_in(const MatchTally *score, bool general_sum) {
  const MatchTally turned = match_tally_turned(score);
  Earned out = {.known = general_sum && !score->half_told && tally_games(score->seat) > 0};
  out.a = match_mean_return(score, &out.a_error);
  out.b = match_mean_return(&turned, &out.b_error);
  out.welfare = (out.a + out.b) / 2;
  return out;
}

/* What was measured in the games of a pair that were played now: games.csv does not keep it. */
static void print_measured(const Env *env, const Measured *measured) {
  Measures measures;
  measures_of(env, &measures);
  if (measured->games < 1 || measures.count == 0) return;
  printf("   measured in %.0f games played now:", measured->games);
  for (size_t i = 0; i < measures.count; i++)
    printf("%s %s %.4g", i ? "," : "", measures.name[i], measured->sum[i] / measured->games);
  printf("\n");
}

static void json_measured(json_t *pair, const Env *env, const Measured *measured) {
  Measures measures;
  json_t *entry = json_object();
  measures_of(env, &measures);
  for (size_t i = 0; i < measures.count && measured->games > 0; i++)
    json_object_set_new(entry, measures.name[i], json_real(measured->sum[i] / measured->games));
  json_object_set_new(pair, "measured", entry);
  json_object_set_new(pair, "measured_games", json_real(measured->games));
}

/* Two rows for two players: their games together, then seat by seat, as the first seat often is an
 * advantage. Where the league goes by returns (`returns`), the mean return stands in the first
 * row. */
static void print_pair(const char *a, const char *b, const MatchTally *score, bool returns,
                       bool general_sum) {
  const Earned earned = earned_in(score, general_sum);
  const Tally all = tally_both(score->seat);
  EloBlock block = block_of(score);
  const Tally *s = score->seat;
  char elo[64];
  double error;
  double mean = match_mean_return(score, &error);
  if (block.bound > 0) /* a perfect score bounds the difference, no more */
    snprintf(elo, sizeof elo, ">= %+.0f", block.low);
  else if (block.bound < 0)
    snprintf(elo, sizeof elo, "<= %+.0f", block.high);
  else
    snprintf(elo, sizeof elo, "%+.0f [%+.0f, %+.0f]", block.elo, block.low, block.high);
  printf("%-22s vs %-22s %6.0f games", a, b, all.games);
  if (returns) printf("  mean return %+.4f +- %.4f", mean, error);
  printf("  +%.0f =%.0f -%.0f  score %.3f [%.3f, %.3f]  Elo %s\n", all.wins, all.draws, all.losses,
         block.score, block.score_low, block.score_high, elo);
  if (score->seat[0].games > 0 && score->seat[1].games > 0)
    printf("   as first  +%.0f =%.0f -%.0f, as second +%.0f =%.0f -%.0f", s[0].wins, s[0].draws,
           s[0].losses, s[1].wins, s[1].draws, s[1].losses);
  else
    printf("   %s always plays the %s team", a, s[0].games > 0 ? "first" : "second");
  if (!returns) printf("; mean return %+.3f", mean);
  printf("\n");
  if (earned.known)
    printf("   earned: %s %.4g +- %.2g, %s %.4g +- %.2g; welfare (mean of both) %.4g\n", a,
           earned.a, earned.a_error, b, earned.b, earned.b_error, earned.welfare);
  if (score->fixed) print_fixed(a, b, score->seat);
}

/* The same as JSON. pentanomial: pairs of games that gave 0, 1/2, 1, 3/2 and 2 points; both games
 * of a pair share luck and opening, so that the pair and not the game is the independent sample. */
static json_t *json_pair(const char *a, const char *b, const MatchTally *score, bool general_sum) {
  const Earned earned = earned_in(score, general_sum);
  const Tally all = tally_both(score->seat);
  EloBlock block = block_of(score);
  double error;
  double mean = match_mean_return(score, &error);
  json_t *pair = json_counts(&all, &block);
  json_t *split = json_array();
  json_t *five = json_array();
  for (int s = 0; s < 2; s++) {
    const Tally *seat = &score->seat[s];
    EloBlock own = meta_elo_block_of_games(seat->wins, seat->draws, seat->losses);
    json_array_append_new(split, json_counts(seat, &own));
  }
  for (int k = 0; k < 5; k++)
    json_array_append_new(five, json_real(score->pairs.count[k]));
  json_object_set_new(pair, "deterministic", json_boolean(score->fixed));
  json_object_set_new(pair, "a", json_string(a));
  json_object_set_new(pair, "b", json_string(b));
  json_object_set_new(pair, "mean_return", json_real(mean));
  json_object_set_new(pair, "mean_return_error", isfinite(error) ? json_real(error) : json_null());
  if (earned.known) {
    json_object_set_new(pair, "mean_return_b", json_real(earned.b));
    json_object_set_new(pair, "mean_return_b_error",
                        isfinite(earned.b_error) ? json_real(earned.b_error) : json_null());
    json_object_set_new(pair, "welfare", json_real(earned.welfare));
  }
  json_object_set_new(pair, "seats", split);
  json_object_set_new(pair, "pentanomial", five);
  return pair;
}

typedef enum Format { ROUND_ROBIN, GAUNTLET, LADDER, TEAMS } Format;

/* Players that always play one side meet only those of the other. ERR_USAGE where that leaves a
 * player without anybody to meet. */
static Status check_meetings(const TournamentSetup *arena) {
  const Tournament *t = &arena->tournament;
  for (uint32_t p = 0; p < t->players; p++) {
    bool meets = !t->player[p].side;
    for (size_t i = 0; i < t->fixtures; i++)
      meets |= t->fixture[i].a == p || t->fixture[i].b == p;
    if (!meets)
      return status_set(ERR_USAGE,
                        "%s always plays team %u (its league has league.sides=separate), and none "
                        "of those that it is to meet can play the other: name players of the other "
                        "side, or random",
                        t->player[p].label, t->player[p].side - 1);
  }
  return OK;
}

/* Who meets whom. Players below counts[0] are those of --players, the others those of --versus: the
 * anchors of a ladder, which meet among themselves too. */
static Status add_fixtures(TournamentSetup *arena, Format format, const size_t counts[3]) {
  size_t own = counts[0];
  size_t all = counts[0] + counts[1];
  for (uint32_t a = 0; a < all; a++)
    for (uint32_t b = a + 1; b < all; b++) {
      bool across = a < own && b >= own;
      bool anchors = a >= own;
      if (format != ROUND_ROBIN && !across && !(format == LADDER && anchors)) continue;
      if (eval_check_sides(&arena->player[a], &arena->player[b]) != OK) continue;
      TRY_RETURN(setup_add(arena, a, b));
    }
  return check_meetings(arena);
}

/* Both sides' totals, as one match. */
static void print_teams(const TournamentSetup *arena, size_t own, bool returns, bool general_sum) {
  MatchTally all = {0};
  const Games *games = &arena->tournament.games;
  for (size_t i = 0; i < games->meetings; i++)
    if (games->meeting[i].a < own && games->meeting[i].b >= own)
      match_tally_add(&all, &games->meeting[i].tally);
  if (all.seat[0].games > 0) print_pair("players", "versus", &all, returns, general_sum);
}

/* How the numbers are meant where more than two teams play. */
static void print_many_teams(uint32_t teams, bool general_sum) {
  printf("%u teams: in a game one of the two has one team, the other all others; that team is "
         "compared\nwith one of the others, both take turns at all seats. First: its team comes "
         "before the other's.\nMean return: %s.\n",
         teams, general_sum ? "its own" : "half of what it is ahead of the other");
}

/* Tells every ten seconds how far the tournament is, on standard error. A pair that has not met yet
 * counts as known to +- 0.5, which is everything. */
static void on_progress(void *context, const Tournament *t) {
  time_t *last = context;
  time_t now = time(NULL);
  double worst = 0;
  if (now - *last < 10) return;
  *last = now;
  for (size_t i = 0; i < t->fixtures; i++) {
    const Meeting *met = games_find(&t->games, t->fixture[i].a, t->fixture[i].b);
    worst = fmax(worst, met ? tournament_error(&met->tally.pairs) : 0.5);
  }
  fprintf(stderr, "%llu games played, the least certain score is known to +- %.3f\n",
          (unsigned long long)t->played, worst);
}

/* The games as they are rated: where players always play one side, taken apart by sides. */
typedef struct Rating {
  Games own; /* empty: those of the tournament */
  uint8_t *side;
  const char *name[SEATS];
} Rating;

static Status take_sides(const TournamentSetup *arena, Rating *out) {
  Status status = OK;
  const Tournament *t = &arena->tournament;
  uint8_t *side = NULL;
  bool sided = false;
  *out = (Rating){.name = {"the first team", "the second team"}};
  TRY(NEW_ARRAY(side, t->players + 1));
  for (size_t p = 0; p < t->players; p++) {
    side[p] = (uint8_t)t->player[p].side;
    sided |= side[p] > 0;
  }
  if (arena->has_run && arena->run.league.config.sides == SIDES_SEPARATE)
    for (uint32_t s = 0; s < SEATS; s++)
      out->name[s] = league_side_name(&arena->run.league.config, s + 1);
  if (sided) TRY(games_by_side(&t->games, side, out->name, &out->own, &out->side));
done:
  free(side);
  return status;
}

/* How one player did against many: each opponent counts alike, and the one that it did worst
 * against is named. */
static void print_field(const TournamentSetup *arena, uint32_t player) {
  const Tournament *t = &arena->tournament;
  const char *worst = NULL;
  double least = 2;
  double sum = 0;
  double games = 0;
  size_t opponents = 0;
  for (size_t i = 0; i < t->fixtures; i++) {
    const Fixture *f = &t->fixture[i];
    const Meeting *met = games_find(&t->games, f->a, f->b);
    if ((f->a != player && f->b != player) || !met) continue;
    const double first = meta_meeting_score(met);
    const double score = f->a == player ? first : 1 - first;
    sum += score;
    games += tally_games(met->tally.seat);
    opponents++;
    if (score >= least) continue;
    least = score;
    worst = t->player[f->a == player ? f->b : f->a].label;
  }
  if (opponents < 2) return;
  printf("%-22s against %zu players, %.0f games: score %.3f on average, at worst %.3f against %s\n",
         t->player[player].label, opponents, games, sum / (double)opponents, least, worst);
}

/* All that comes of a tournament: each pair, the sides' totals, and the standing of all players. In
 * JSON every pair is listed; as text only where there are few, as the standing says more about
 * many. */
static Status report(const TournamentSetup *arena, const Arguments *arguments, Format format,
                     const size_t counts[3]) {
  const Tournament *t = &arena->tournament;
  bool json = argument(&command_eval, arguments, "--json") != NULL;
  json_t *pairs = json_array();
  Standing standing = {0};
  Rating rating = {.side = NULL};
  bool returns = arena->has_run && arena->run.settings->league.by_return;
  const bool general_sum = is_general_sum(t->env);
  StandingOptions options = {.prior = 0.5,
                             .seats = true,
                             .anchor = argument(&command_eval, arguments, "--anchor"),
                             .returns = returns,
                             .not_met = t->env->spec.teams > 2 ? STANDING_MANY_TEAMS
                                        : format == ROUND_ROBIN
                                            ? NULL
                                            : "in this format not all players meet one another"};
  for (size_t i = 0; i < t->fixtures; i++) {
    const Meeting *met = games_find(&t->games, t->fixture[i].a, t->fixture[i].b);
    const char *a = t->player[t->fixture[i].a].label;
    const char *b = t->player[t->fixture[i].b].label;
    if (!met) continue;
    if (json) {
      json_t *pair = json_pair(a, b, &met->tally, general_sum);
      json_measured(pair, t->env, &t->fixture[i].measured);
      json_array_append_new(pairs, pair);
    } else if (t->fixtures <= 30) {
      print_pair(a, b, &met->tally, returns, general_sum);
      print_measured(t->env, &t->fixture[i].measured);
    }
  }
  if (format == TEAMS && !json) print_teams(arena, counts[0], returns, general_sum);
  if (!json && t->env->spec.teams > 2) print_many_teams(t->env->spec.teams, general_sum);
  for (uint32_t p = 0; p < counts[0] && format == GAUNTLET && !json; p++)
    print_field(arena, p);
  Status status = take_sides(arena, &rating);
  options.side = rating.side;
  options.side_name = rating.name;
  if (status == OK)
    status = standing_create(rating.side ? &rating.own : &t->games, &options, &standing);
  if (status == OK && json) {
    json_t *root = json_pack("{s:s,s:b,s:i,s:O,s:o,s:I}", "env", t->terms.env, "greedy",
                             t->terms.greedy, "openings", (int)t->terms.openings, "pairs", pairs,
                             "standing", json_standing(&standing), "played", (json_int_t)t->played);
    json_object_set_new(root, "teams", json_integer((json_int_t)t->env->spec.teams));
    if (*t->not_recorded) json_object_set_new(root, "not_recorded", json_string(t->not_recorded));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(root);
  } else if (status == OK && t->players > 2) {
    print_standing(&standing, 100);
    if (general_sum)
      printf(
          "What one gains here is not what others lose: ratings say who comes out ahead, not who "
          "earns most.\n");
  }
  if (*t->not_recorded)
    fprintf(json ? stderr : stdout, "%llu games played now, not recorded: %s\n",
            (unsigned long long)t->played, t->not_recorded);
  else if (!json && t->csv)
    printf("%llu games played now, all results in %s\n", (unsigned long long)t->played, t->csv);
  json_decref(pairs);
  standing_destroy(&standing);
  games_free(&rating.own);
  free(rating.side);
  return status;
}

/* --- one team --- */

/* ERR_USAGE for flags that only have a meaning where players meet: ignoring one would answer
 * another question than was asked. */
static Status refuse_opponents(const Arguments *arguments) {
  static const char *const flag[] = {"--versus",   "--format", "--budget",
                                     "--until-ci", "--anchor", "--csv"};
  for (size_t i = 0; i < COUNT_OF(flag); i++)
    if (argument(&command_eval, arguments, flag[i]))
      return status_set(
          ERR_USAGE,
          "one team plays here: %s is for players that meet one another (there are --players, "
          "--games, --greedy, --silent, --openings, --seed, --record, --replays, --json)",
          flag[i]);
  return OK;
}

/* What is needed where players meet one another. */
static Status check_opponents(const Arguments *arguments, size_t players) {
  if (argument(&command_eval, arguments, "--silent"))
    return usage_error(&command_eval, "--silent is for games of one team");
  if (argument(&command_eval, arguments, "--versus") &&
      !argument(&command_eval, arguments, "--players"))
    return usage_error(&command_eval, "--versus needs --players, whom these are to meet");
  if (players < 2) return usage_error(&command_eval, "at least two players are needed");
  return OK;
}

/* The file that games are recorded into; "": none is asked for. */
static Status name_replays(const Arguments *arguments, const char *run,
                           const TournamentSetup *arena, char out[4096]) {
  const char *file = argument(&command_eval, arguments, "--replays");
  *out = 0;
  if (file) return text_format(out, 4096, "%s", file);
  if (!argument(&command_eval, arguments, "--record")) return OK;
  if (!run) return usage_error(&command_eval, "--record without a run needs --replays FILE");
  TRY_RETURN(text_format(out, 4096, "%s/replays", run));
  if (setup_speaks(arena)) TRY_RETURN(file_make_folders(out)); /* once, not by every rank */
  return text_format(out, 4096, "%s/replays/games.jsonl", run);
}

/* Reads what is asked, opens players and earlier games, plays what is missing and reports. Under
 * mpirun every rank does so and plays its share; rank 0 speaks. */
static Status run_eval(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  TournamentSetup arena = {.run = {.folder = {.lock = -1}}};
  size_t counts[3];
  long long games;
  long long budget;
  long long openings;
  long long seed;
  long long replays;
  char replays_path[4096];
  double until = 0;
  time_t last = time(NULL);
  TRY(arguments_parse(&command_eval, argc, argv, &arguments));
  plugins_accept(argument(&command_eval, &arguments, "--accept-env") != NULL);
  const char *env = argument(&command_eval, &arguments, "--env");
  const char *list = argument(&command_eval, &arguments, "--players");
  const char *versus = argument(&command_eval, &arguments, "--versus");
  const char *kind = argument(&command_eval, &arguments, "--format");
  TRY(argument_float(&command_eval, &arguments, "--until-ci", 0, 1e-4, 0.5, &until));
  TRY(argument_int(&command_eval, &arguments, "--games", until > 0 ? 1000000 : 400, 2, 100000000,
                   &games));
  TRY(argument_int(&command_eval, &arguments, "--budget", 0, 2, 100000000000, &budget));
  TRY(argument_int(&command_eval, &arguments, "--openings", 0, 0, 1000, &openings));
  TRY(argument_int(&command_eval, &arguments, "--seed", 1, 0, 1000000000000, &seed));
  TRY(argument_int(&command_eval, &arguments, "--record", 2, 1, 1000000, &replays));
  int format = kind     ? text_choice("round-robin|gauntlet|ladder|teams", kind)
               : versus ? GAUNTLET
                        : ROUND_ROBIN;
  if (format < 0)
    TRY(usage_error(&command_eval, "--format is round-robin, gauntlet, ladder or teams"));
  if (format != ROUND_ROBIN && !versus)
    TRY(usage_error(&command_eval, "this format needs --versus"));
  if (!env && arguments.words > 1)
    TRY(usage_error(&command_eval, "one run at most; players of others are RUN:NAME"));
  TournamentRequest request = {.run = env               ? NULL
                                      : arguments.words ? arguments.word[0]
                                                        : NULL,
                               .env_name = env,
                               .lists = {list, versus},
                               .env_options = arguments.word,
                               .env_option_count = env ? arguments.words : 0,
                               .greedy = argument(&command_eval, &arguments, "--greedy") != NULL,
                               .openings = openings,
                               .seed = seed,
                               .csv = argument(&command_eval, &arguments, "--csv"),
                               .defaults = versus == NULL};
  TRY(setup_open(&request, &arena, counts));
  TRY(name_replays(&arguments, request.run, &arena, replays_path));
  /* Where one team plays nobody meets: there is a mean return instead of a score. */
  if (arena.env->spec.teams == 1) {
    const TeamRequest team = {.episodes = (uint64_t)games,
                              .both = !list && !request.greedy,
                              .all = !list,
                              .silent = argument(&command_eval, &arguments, "--silent") != NULL,
                              .json = argument(&command_eval, &arguments, "--json") != NULL,
                              .replays = *replays_path ? replays_path : NULL,
                              .recorded = (uint64_t)replays};
    TRY(refuse_opponents(&arguments));
    TRY(team_returns(&arena, &team));
    goto done;
  }
  TRY(check_opponents(&arguments, arena.players));
  TRY(add_fixtures(&arena, (Format)format, counts));
  Tournament *t = &arena.tournament;
  t->each = (uint64_t)games + (games & 1); /* games come in pairs, with seats swapped */
  t->budget = (uint64_t)budget;
  t->until_ci = until;
  t->replays = *replays_path ? replays_path : NULL;
  t->replay_games = (uint64_t)replays;
  if (!argument(&command_eval, &arguments, "--quiet")) {
    t->progress = on_progress;
    t->context = &last;
  }
  TRY(setup_play(&arena));
  if (setup_speaks(&arena)) TRY(report(&arena, &arguments, (Format)format, counts));
done:
  setup_close(&arena);
  return status;
}

const Command command_eval = {
    "eval",
    "[RUN | --env ENV [env.OPTION=VALUE ...]] [--players A,B,...] [--format F --versus C,...] "
    "[--games N] [--json]",
    "tournaments: scores, Elo and ratings with 95 % intervals; of one team what it earns; under "
    "mpirun on all ranks, or alone",
    "Each pair of games shares chance and opening and swaps the seats. What was played before "
    "under the same terms "
    "(env "
    "and options,\n"
    "--greedy, --openings, --seed) between the same players, weights and all, is read from "
    "games.csv and not played "
    "again. Without\n--players the run's mains, random and a rule-based player meet, as far as the "
    "game has them.\n"
    "Where one team plays: each player's mean return over --games episodes with a 95 % interval, "
    "and the env's metrics,\non one rank; without --players of the run's mains (greedy, and "
    "sampling), random,\nscripted and noop. The return is told as the run tells it (key returns), "
    "and the other way beside it.",
    flags,
    COUNT_OF(flags),
    run_eval,
};
