/* agon eval: matches between players, seats swapped, seeds paired. */
#include "cli/cli.h"
#include "cli/loaded.h"
#include "meta/meta.h"
#include "nn/gemm.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Flag flags[] = {
    {"--players", "A,B,...",
     "who meets whom, every pair: [RUN:]NAME, a snapshot file, or a built-in (random, minimax)"},
    {"--games", "N", "games per pair, half of them in each seat (default 400)"},
    {"--greedy", NULL, "networks take their most probable action instead of sampling"},
    {"--seed", "S", "of the games (default 1)"},
    {"--json", NULL, "print JSON"},
};

static json_t *json_counts(const Score *score) {
  Rating rating = meta_rate((double)score->wins, (double)score->draws, (double)score->losses);
  return json_pack("{s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "games", (json_int_t)score->games, "wins",
                   (json_int_t)score->wins, "draws", (json_int_t)score->draws, "losses", (json_int_t)score->losses,
                   "score", rating.score, "score_low", rating.score_low, "score_high", rating.score_high, "elo",
                   rating.elo, "elo_low", rating.low, "elo_high", rating.high, "mean_return",
                   score->returns / (double)score->games);
}

static Score total_of(const Score seat[2]) {
  return (Score){seat[0].games + seat[1].games,   seat[0].wins + seat[1].wins,       seat[0].draws + seat[1].draws,
                 seat[0].losses + seat[1].losses, seat[0].returns + seat[1].returns, seat[0].squares + seat[1].squares};
}

static void print_pair(const Contestant *a, const Contestant *b, const Score seat[2]) {
  Score all = total_of(seat);
  Rating rating = meta_rate((double)all.wins, (double)all.draws, (double)all.losses);
  printf("%-22s vs %-22s %6llu games  +%llu =%llu -%llu  score %.3f [%.3f, %.3f]  Elo %+.0f [%+.0f, %+.0f]\n", a->label,
         b->label, (unsigned long long)all.games, (unsigned long long)all.wins, (unsigned long long)all.draws,
         (unsigned long long)all.losses, rating.score, rating.score_low, rating.score_high, rating.elo, rating.low,
         rating.high);
  for (int s = 0; s < 2; s++)
    printf("   as %s  +%llu =%llu -%llu  mean return %+.3f\n", s ? "second" : "first ",
           (unsigned long long)seat[s].wins, (unsigned long long)seat[s].draws, (unsigned long long)seat[s].losses,
           seat[s].returns / (double)seat[s].games);
}

static Status run_eval(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  LoadedRun run = {.folder = {.lock = -1}};
  Contestant *players = NULL;
  size_t count = 0;
  long long games, seed;
  json_t *pairs = json_array();
  TRY(arguments_parse(&command_eval, argc, argv, &arguments));
  TRY(argument_int(&command_eval, &arguments, "--games", 400, 2, 100000000, &games));
  TRY(argument_int(&command_eval, &arguments, "--seed", 1, 0, 1000000000000, &seed));
  const char *list = argument(&command_eval, &arguments, "--players");
  if (arguments.words != 1 || !list) TRY(usage_error(&command_eval, "a run and --players are needed"));
  gemm_set_threads(1);
  TRY(loaded_open(arguments.word[0], &run));
  TRY(loaded_players(list, &run, run.settings->env, &players, &count));
  if (count < 2) TRY(usage_error(&command_eval, "--players needs at least two"));
  bool json = argument(&command_eval, &arguments, "--json") != NULL;
  for (size_t i = 0; i < count; i++) players[i].policy.greedy = argument(&command_eval, &arguments, "--greedy") != NULL;
  for (size_t a = 0; a < count; a++)
    for (size_t b = a + 1; b < count; b++) {
      Score seat[2];
      TRY(eval_match(run.settings->env, &players[a], &players[b], (uint64_t)games, (uint64_t)seed, seat));
      if (!json) {
        print_pair(&players[a], &players[b], seat);
        continue;
      }
      Score all = total_of(seat);
      json_t *pair = json_counts(&all), *split = json_array();
      for (int s = 0; s < 2; s++) json_array_append_new(split, json_counts(&seat[s]));
      json_object_set_new(pair, "a", json_string(players[a].label));
      json_object_set_new(pair, "b", json_string(players[b].label));
      json_object_set_new(pair, "seats", split);
      json_array_append_new(pairs, pair);
    }
  if (json) {
    json_t *root = json_pack("{s:s,s:b,s:O}", "env", run.settings->table->name, "greedy",
                             argument(&command_eval, &arguments, "--greedy") != NULL, "pairs", pairs);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(root);
  }
done:
  for (size_t i = 0; i < count; i++) contestant_destroy(&players[i]);
  free(players);
  loaded_close(&run);
  json_decref(pairs);
  return status;
}

const Command command_eval = {
    "eval",
    "RUN --players A,B,... [--games N] [--greedy] [--json]",
    "plays players against each other: scores and Elo differences with 95 % intervals",
    "Each pair of games shares its random stream and swaps the seats. Players of other runs may take part (RUN:NAME).",
    flags,
    COUNT_OF(flags),
    run_eval,
};
