/* How often 95 % intervals hold what is true: of pairs of games exactly (every sample that can be drawn, by its
 * probability) where there are few, by simulation where there are many; of ratings by simulation; of the games that are
 * really played by playing them. The tables are printed. */
#include "check.h"

#include "base/rng.h"
#include "eval/standing.h"
#include "meta/rating.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* How two games of a pair go: a is `elo` stronger (by Davidson's strengths), draws by nu, `seat` Elo for the first; a
 * share of the pairs is luck that both games have in common. */
typedef struct Law {
  const char *name;
  double elo, nu, seat, common;
  bool few; /* results are so much alike that small samples say nothing: intervals hold more than 97 % */
} Law;
static const Law laws[] = {{"identical players", 0, 0, 0, 0, false},      {"a draw in two", 0, 2, 0, 0, false},
                           {"nine draws in ten", 0, 18, 0, 0, true},      {"first seat scores .8", 0, 0, 240, 0, false},
                           {"first seat scores .99", 0, 0, 800, 0, true}, {"200 Elo stronger", 200, 0, 0, 0, false},
                           {"400 Elo stronger", 400, 0, 0, 0, false},     {"200 Elo, draws", 200, 2, 0, 0, false},
                           {"200 Elo, seat", 200, 0, 200, 0, false},      {"common luck", 0, 1, 0, 1, false},
                           {"200 Elo, common luck", 200, 0, 0, .5, false}};

static void one_game(double gap, double nu, double p[3]) { /* loss, draw, win */
  double g = pow(10, gap / 400), draw = nu * sqrt(g), sum = g + draw + 1;
  p[0] = 1 / sum, p[1] = draw / sum, p[2] = g / sum;
}

/* Probabilities of a's points in a pair, 0 .. 4 halves. */
static void pair_law(const Law *law, double elo, double out[5]) {
  double first[3], second[3];
  one_game(elo + law->seat, law->nu, first);
  one_game(elo - law->seat, law->nu, second);
  memset(out, 0, 5 * sizeof *out);
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) out[i + j] += (1 - law->common) * first[i] * second[j];
    out[2 * i] += law->common * (first[i] + second[i]) / 2;
  }
}

static double mean_of(const double p[5]) { return p[1] / 4 + p[2] / 2 + p[3] * 3 / 4 + p[4]; }

static bool holds(const Pentanomial *pairs, double truth) {
  EloBlock block = meta_elo_block(pairs);
  return block.score_low <= truth + 1e-12 && truth - 1e-12 <= block.score_high;
}

static double exactly(const double p[5], int n) {
  double covered = 0, truth = mean_of(p), log_factorial[64] = {0};
  int c[5];
  for (int i = 1; i <= n; i++) log_factorial[i] = log_factorial[i - 1] + log(i);
  for (c[0] = 0; c[0] <= n; c[0]++)
    for (c[1] = 0; c[0] + c[1] <= n; c[1]++)
      for (c[2] = 0; c[0] + c[1] + c[2] <= n; c[2]++)
        for (c[3] = 0; c[0] + c[1] + c[2] + c[3] <= n; c[3]++) {
          c[4] = n - c[0] - c[1] - c[2] - c[3];
          double log_p = log_factorial[n];
          Pentanomial pairs;
          for (int k = 0; k < 5; k++) {
            log_p += c[k] ? c[k] * log(fmax(p[k], 1e-300)) - log_factorial[c[k]] : 0;
            pairs.count[k] = c[k];
          }
          if (log_p > -20 && holds(&pairs, truth)) covered += exp(log_p);
        }
  return covered;
}

static double by_drawing(const double p[5], int n, uint32_t law) {
  enum { SAMPLES = 8000 };
  int covered = 0;
  for (uint32_t i = 0; i < SAMPLES; i++) {
    AgonRng rng = rng_stream(11, law, i, RNG_TEST);
    Pentanomial pairs = {{0}};
    for (int k = 0; k < n; k++) pairs.count[rng_pick(&rng, p, 5)]++;
    covered += holds(&pairs, mean_of(p));
  }
  return (double)covered / SAMPLES;
}

static void intervals_of_pairs(void **state) {
  (void)state;
  printf("%-24s %s\n", "95 % intervals of pairs", "truth    4 pairs  10 pairs  50 pairs  200 pairs");
  for (uint32_t i = 0; i < COUNT_OF(laws); i++) {
    double p[5];
    pair_law(&laws[i], laws[i].elo, p);
    double four = exactly(p, 4), ten = exactly(p, 10), fifty = exactly(p, 50), many = by_drawing(p, 200, i);
    printf("%-24s %.3f   %7.1f   %7.1f   %7.1f   %7.1f\n", laws[i].name, mean_of(p), 100 * four, 100 * ten, 100 * fifty,
           100 * many);
    assert_true(four > .90 && ten > .93 && fifty > .93 && many > .93);
    if (laws[i].few) continue;
    assert_true(ten < .985 && fifty < .97 && many < .97);
  }
}

/* --- ratings --- */
enum { PLAYERS = 6, FIELDS = 500 };

static double ratings_hold(const Law *law, double step, int n, bool paired, uint32_t anchor) {
  int covered = 0, rated_players = 0;
  double score[PLAYERS * PLAYERS], truth[PLAYERS];
  Meeting met[PLAYERS * PLAYERS];
  Rated rated[PLAYERS];
  RatingFit fit;
  /* what ratings would be with endless games: those that the expected scores give */
  size_t count = 0;
  for (uint32_t a = 0; a < PLAYERS; a++)
    for (uint32_t b = a + 1; b < PLAYERS; b++) {
      double p[5];
      pair_law(law, step * ((double)a - (double)b), p);
      score[count] = mean_of(p);
      const double won = 1e6 * score[count];
      const Tally seat = {.games = 1e6, .wins = won, .losses = 1e6 - won};
      met[count] = (Meeting){.a = a, .b = b, .tally = {.seat = {seat, seat}}};
      count++;
    }
  RatingOptions options = {.anchor = anchor};
  CHECK_OK(meta_bradley_terry(met, count, PLAYERS, &options, rated, &fit));
  for (int p = 0; p < PLAYERS; p++) truth[p] = rated[p].elo;
  options.prior = .5;
  for (uint32_t field = 0; field < FIELDS; field++) {
    AgonRng rng = rng_stream(17, 1, field, RNG_TEST);
    count = 0;
    for (uint32_t a = 0; a < PLAYERS; a++)
      for (uint32_t b = a + 1; b < PLAYERS; b++) {
        double p[5], seat[2][3];
        double elo = step * ((double)a - (double)b);
        Meeting *m = &met[count++];
        *m = (Meeting){.a = a, .b = b};
        pair_law(law, elo, p);
        one_game(elo + law->seat, law->nu, seat[0]);
        one_game(elo - law->seat, law->nu, seat[1]);
        for (int i = 0; i < n; i++) {
          size_t k = paired ? rng_pick(&rng, p, 5) : 0;
          if (paired) { /* the score is what counts: points of the pair, as if each game had half of them */
            m->tally.pairs.count[k]++;
            const Tally half = {.games = 1, .wins = (double)k / 4, .losses = 1 - (double)k / 4};
            for (int s = 0; s < SEATS; s++) tally_add(&m->tally.seat[s], &half);
            continue;
          }
          for (int s = 0; s < 2; s++) {
            size_t result = rng_pick(&rng, seat[s], 3);
            tally_game(&m->tally.seat[s], (float)result / 2, 0);
          }
        }
      }
    CHECK_OK(meta_bradley_terry(met, count, PLAYERS, &options, rated, &fit));
    for (int p = 0; p < PLAYERS; p++) {
      if (rated[p].low == rated[p].high) continue; /* the anchor */
      rated_players++;
      bool low = rated[p].low <= truth[p] || rated[p].bound < 0, high = truth[p] <= rated[p].high || rated[p].bound > 0;
      covered += rated[p].known && low && high;
    }
  }
  return (double)covered / rated_players;
}

static void intervals_of_ratings(void **state) {
  (void)state;
  const struct {
    Law law;
    double step;
    bool paired;
    uint32_t anchor;
  } field[] = {{{"identical, anchor", 0, 0, 0, 0, false}, 0, true, 0},
               {{"identical, mean", 0, 0, 0, 0, false}, 0, true, RATING_MEAN},
               {{"identical, not in pairs", 0, 0, 0, 0, false}, 0, false, 0},
               {{"a draw in two", 0, 2, 0, 0, false}, 0, true, 0},
               {{"first seat scores .8", 0, 0, 240, 0, false}, 0, true, 0},
               {{"seat, not in pairs", 0, 0, 240, 0, false}, 0, false, 0},
               {{"common luck", 0, 1, 0, 1, false}, 0, true, 0},
               {{"60 Elo apart, draws", 0, 1, 0, 0, false}, 60, true, 0},
               {{"80 Elo apart, seat", 0, 0, 200, 0, false}, 80, true, 0}};
  printf("%-24s %s\n", "95 % intervals of ratings", "10 pairs  50 pairs  200 pairs");
  for (size_t i = 0; i < COUNT_OF(field); i++) {
    const int pairs[3] = {10, 50, 200};
    double held[3];
    for (int k = 0; k < 3; k++)
      held[k] = ratings_hold(&field[i].law, field[i].step, pairs[k], field[i].paired, field[i].anchor);
    printf("%-24s %8.1f  %8.1f  %8.1f\n", field[i].law.name, 100 * held[0], 100 * held[1], 100 * held[2]);
    for (int k = 0; k < 3; k++) assert_true(held[k] > .93 && held[k] < .97);
  }
}

/* --- games that are really played --- */
static Env *make_env(const char *name, const char *option) {
  Env *env;
  CHECK_OK(env_create_from(name, &option, *option ? 1 : 0, &env));
  return env;
}

/* Equal players under names of their own: the truth is a score of one half, and 0 Elo. */
enum { EQUALS = 5, ROUNDS = 400, PAIRS = 20 };

static void play_round(const Env *env, Contestant *player, uint64_t seed, Games *games) {
  for (uint32_t i = 0; i < EQUALS; i++) {
    uint32_t id;
    CHECK_OK(games_player(games, player[i].label, &id));
  }
  for (uint32_t a = 0; a < EQUALS; a++)
    for (uint32_t b = a + 1; b < EQUALS; b++) {
      MatchTally score;
      CHECK_OK(eval_match(env, &player[a], &player[b], &(MatchPlan){.seed = seed, .pairs = PAIRS}, &score));
      CHECK_OK(games_add(games, a, b, 0, &score));
    }
}

static void intervals_of_played_games(void **state) {
  (void)state;
  static const struct {
    const char *name, *env, *option;
    bool decided; /* by the seat alone: all intervals hold */
  } game[] = {{"rock-paper-scissors", "matrix_game", "", false},
              {"six rounds of it", "matrix_game", "rounds=6", false},
              {"tic-tac-toe", "tic_tac_toe", "", false},
              {"Kuhn poker", "kuhn_poker", "", false},
              {"goofspiel", "goofspiel", "cards=4", false},
              {"the first seat wins", "matrix_game", "payoff=[[1, 1], [1, 1]]", true}};
  printf("%-24s %s\n", "equal players, 20 pairs", "score  return  rating");
  for (size_t i = 0; i < COUNT_OF(game); i++) {
    Env *env = make_env(game[i].env, game[i].option);
    Contestant player[EQUALS];
    double held[3] = {0}, pairs = 0;
    for (int p = 0; p < EQUALS; p++) {
      CHECK_OK(contestant_builtin("random", env, &player[p]));
      snprintf(player[p].label, sizeof player[p].label, "random %d", p);
    }
    for (uint64_t round = 0; round < ROUNDS; round++) {
      Games games = {0};
      Standing standing;
      play_round(env, player, 100 + round, &games);
      StandingOptions options = {.prior = .5, .seats = true, .anchor = "random 0"};
      CHECK_OK(standing_create(&games, &options, &standing));
      for (size_t c = 0; c < games.meetings; c++) {
        double error, mean = match_mean_return(&games.meeting[c].tally, &error);
        EloBlock block = meta_elo_block(&games.meeting[c].tally.pairs);
        held[0] += block.score_low <= .5 && .5 <= block.score_high;
        held[1] += fabs(mean) <= error + 1e-12;
        pairs++;
      }
      for (int p = 1; p < EQUALS; p++) held[2] += standing.rated[p].low <= 0 && 0 <= standing.rated[p].high;
      standing_destroy(&standing);
      games_free(&games);
    }
    held[0] /= pairs, held[1] /= pairs, held[2] /= ROUNDS * (EQUALS - 1);
    printf("%-24s %5.1f  %5.1f   %5.1f\n", game[i].name, 100 * held[0], 100 * held[1], 100 * held[2]);
    for (int k = 0; k < 3; k++) assert_true(held[k] > .93 && (game[i].decided || held[k] < .97));
    for (int p = 0; p < EQUALS; p++) contestant_destroy(&player[p]);
    env_destroy(env);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(intervals_of_pairs), cmocka_unit_test(intervals_of_ratings),
                                     cmocka_unit_test(intervals_of_played_games)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
