/* agon match: two players, until it is clear who is stronger. */
#include "base/text.h"
#include "cli/tournament_setup.h"
#include "job/plugin.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

extern const Command command_match;

static const Flag flags[] = {
    {"--games", "N", "at most so many games (default 1000; with --sprt 1M)"},
    {"--sprt", NULL,
     "stop when the sequential test decides; words elo0=0 elo1=10 alpha=0.05 beta=0.05 may follow"},
    {"--until-ci", "W", "stop when the score is known to +- W (95 %)"},
    {"--env", "ENV", "what is played, where no player is RUN:NAME; env.OPTION=VALUE words follow"},
    {"--openings", "K",
     "uniformly random first steps, the same in both games of a pair (default 0)"},
    {"--greedy", NULL, "networks take their most probable action instead of sampling"},
    {"--seed", "S", "of the games (default 1)"},
    {"--csv", "FILE", "where results are appended and read from (default none)"},
    {"--replays", "FILE", "append the first games as JSON lines, for agon replay"},
    {"--record", "N", "how many of them (default 10)"},
    ACCEPT_ENV_FLAG,
    {"--json", NULL, "print JSON"},
};

/* The block that chess tools print. */
static void print_block(const Tournament *t, const MatchTally *score, bool json) {
  EloBlock block = meta_elo_block(&score->pairs);
  const Tally *s = score->seat;
  const Tally sum = tally_both(s);
  double llr = meta_sprt(&score->pairs, t->elo0, t->elo1);
  double upper = meta_sprt_upper(t->alpha, t->beta);
  double lower = meta_sprt_lower(t->alpha, t->beta);
  const char *verdict = score->fixed   ? "undecided, no more distinct games"
                        : llr >= upper ? "H1 accepted"
                        : llr <= lower ? "H0 accepted"
                                       : "undecided";
  const double *p = score->pairs.count;
  const char *a = t->player[0].label;
  const char *b = t->player[1].label;
  if (json) {
    json_t *root = json_pack(
        "{s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:i,s:[f,f,f,f,f]}", "env",
        t->terms.env, "a", a, "b", b, "deterministic", score->fixed, "games", (json_int_t)sum.games,
        "wins", (json_int_t)sum.wins, "draws", (json_int_t)sum.draws, "losses",
        (json_int_t)sum.losses, "score", block.score, "elo", block.elo, "elo_low", block.low,
        "elo_high", block.high, "los", block.superiority, "bound", block.bound, "pentanomial", p[0],
        p[1], p[2], p[3], p[4]);
    if (t->sprt)
      json_object_set_new(root, "sprt",
                          json_pack("{s:f,s:f,s:f,s:f,s:f,s:s}", "elo0", t->elo0, "elo1", t->elo1,
                                    "llr", llr, "lower", lower, "upper", upper, "verdict",
                                    verdict));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(root);
    return;
  }
  printf("%s vs %s (%s)\n", a, b, t->terms.env);
  if (block.bound)
    printf("Elo   | %s %+.0f (95%%)\n",
           block.bound > 0 ? ">=" : "<=", block.bound > 0 ? block.low : block.high);
  else
    printf("Elo   | %+.2f +- %.2f (95%%)\n", block.elo, block.error);
  if (t->sprt)
    printf("LLR   | %+.2f (%.2f, %.2f) [%.2f, %.2f] %s\n", llr, lower, upper, t->elo0, t->elo1,
           verdict);
  printf("LOS   | %.1f %%\n", 100 * block.superiority);
  printf("Games | N: %.0f W: %.0f L: %.0f D: %.0f; score %.4f\n", sum.games, sum.wins, sum.losses,
         sum.draws, block.score);
  printf("Penta | [%.0f, %.0f, %.0f, %.0f, %.0f]\n", p[0], p[1], p[2], p[3], p[4]);
  printf("Seats | first +%.0f =%.0f -%.0f, second +%.0f =%.0f -%.0f\n", s[0].wins, s[0].draws,
         s[0].losses, s[1].wins, s[1].draws, s[1].losses);
  if (score->fixed) print_fixed(a, b, s);
}

/* The words behind the players: the test's, with --sprt, and the env's options. */
static Status parse_words(const Arguments *arguments, Tournament *t, const char **options,
                          size_t *count) {
  struct {
    const char *name;
    double *value;
    double low; /* what it may be */
    double high;
  } known[] = {{"elo0", &t->elo0, -2000, 2000},
               {"elo1", &t->elo1, -2000, 2000},
               {"alpha", &t->alpha, 1e-9, 0.5},
               {"beta", &t->beta, 1e-9, 0.5}};
  *count = 0;
  for (size_t i = 2; i < arguments->words; i++) {
    const char *word = arguments->word[i];
    bool found = false;
    for (size_t k = 0; t->sprt && k < COUNT_OF(known); k++) {
      size_t length = strlen(known[k].name);
      if (strncmp(word, known[k].name, length) || word[length] != '=') continue;
      found = true;
      if (!text_to_float(word + length + 1, known[k].value) || *known[k].value < known[k].low ||
          *known[k].value > known[k].high)
        return status_set(ERR_USAGE, "%s is a number from %g to %g, not '%.40s'", known[k].name,
                          known[k].low, known[k].high, word + length + 1);
    }
    if (!found) options[(*count)++] = word;
  }
  if (t->elo1 <= t->elo0) return status_set(ERR_USAGE, "elo1 must be above elo0");
  return OK;
}

/* A tournament of one fixture. The number of games is rounded up to an even one, as games come in
 * pairs with seats swapped. */
static Status run_match(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  TournamentSetup arena = {.run = {.folder = {.lock = -1}}};
  Tournament test = {.elo1 = 10, .alpha = 0.05, .beta = 0.05};
  const char *options[256];
  size_t counts[3];
  size_t option_count;
  long long games;
  long long openings;
  long long seed;
  long long replays;
  double until;
  TRY(arguments_parse(&command_match, argc, argv, &arguments));
  plugins_accept(argument(&command_match, &arguments, "--accept-env") != NULL);
  test.sprt = argument(&command_match, &arguments, "--sprt") != NULL;
  TRY(argument_float(&command_match, &arguments, "--until-ci", 0, 1e-4, 0.5, &until));
  TRY(argument_int(&command_match, &arguments, "--games", test.sprt || until > 0 ? 1000000 : 1000,
                   2, 1000000000, &games));
  TRY(argument_int(&command_match, &arguments, "--openings", 0, 0, 1000, &openings));
  TRY(argument_int(&command_match, &arguments, "--seed", 1, 0, 1000000000000, &seed));
  TRY(argument_int(&command_match, &arguments, "--record", 10, 1, 1000000, &replays));
  if (arguments.words < 2) TRY(usage_error(&command_match, "two players are needed"));
  TRY(parse_words(&arguments, &test, options, &option_count));
  const char *env = argument(&command_match, &arguments, "--env");
  if (!env && option_count)
    TRY(usage_error(&command_match, "two players, and nothing else without --env or --sprt"));
  TournamentRequest request = {.env_name = env,
                               .lists = {arguments.word[0], arguments.word[1]},
                               .env_options = options,
                               .env_option_count = option_count,
                               .greedy = argument(&command_match, &arguments, "--greedy") != NULL,
                               .openings = openings,
                               .seed = seed,
                               .csv = argument(&command_match, &arguments, "--csv")};
  TRY(setup_open(&request, &arena, counts));
  if (arena.players != 2)
    TRY(usage_error(&command_match, "a match is between two players; eval takes more"));
  TRY(eval_check_sides(&arena.player[0], &arena.player[1]));
  TRY(setup_add(&arena, 0, 1));
  Tournament *t = &arena.tournament;
  t->each = (uint64_t)games + (games & 1);
  t->until_ci = until;
  t->sprt = test.sprt;
  t->elo0 = test.elo0;
  t->elo1 = test.elo1;
  t->alpha = test.alpha;
  t->beta = test.beta;
  t->replays = argument(&command_match, &arguments, "--replays");
  t->replay_games = (uint64_t)replays;
  TRY(setup_play(&arena));
  const Meeting *met = games_find(&t->games, 0, 1);
  if (setup_speaks(&arena) && met)
    print_block(t, &met->tally, argument(&command_match, &arguments, "--json") != NULL);
done:
  setup_close(&arena);
  return status;
}

const Command command_match = {
    "match",
    "A B [--sprt elo0=0 elo1=10] [--games N] [--env ENV [env.OPTION=VALUE ...]]",
    "two players against each other, until a number of games or a sequential test is through",
    "Players: RUN:NAME, a snapshot file, FILE.agon of agon export, FILE.onnx, exec:COMMAND (a "
    "program that is "
    "asked, see src/agent/README.md), or a built-in. Elo and its error are from pairs of games "
    "with swapped seats "
    "(pentanomial);\n"
    "LLR is the generalised sequential probability ratio test on them. Under mpirun on all ranks.",
    flags,
    COUNT_OF(flags),
    run_match,
};
