/* Nash equilibria and ratings against known values. */
#include "check.h"

#include "base/rng.h"
#include "meta/meta.h"
#include "meta/population.h"
#include "meta/rating.h"

#include <math.h>
#include <string.h>
#include <time.h>

static void biased_rock_paper_scissors(void **state) {
  (void)state;
  const double a[9] = {0, -25, 50, 25, 0, -5, -50, 5, 0},
               expected[3] = {1 / 16., 10 / 16., 5 / 16.}; /* OpenSpiel's regret matching test */
  double row[3], column[3], value;
  CHECK_OK(meta_nash(a, 3, 3, row, column, &value));
  for (int i = 0; i < 3; i++) {
    CHECK_NEAR(row[i], expected[i], 1e-9);
    CHECK_NEAR(column[i], expected[i], 1e-9);
  }
  CHECK_NEAR(value, 0, 1e-9);
}

static void games_that_are_not_square(void **state) {
  (void)state;
  const double a[6] = {3, -1, 2, -2, 4, 1}; /* columns 0 and 1 support it: x = (3/5, 2/5), value 1 */
  double row[2], column[3], value;
  CHECK_OK(meta_nash(a, 2, 3, row, column, &value));
  CHECK_NEAR(row[0], .6, 1e-9);
  CHECK_NEAR(column[0], .5, 1e-9);
  CHECK_NEAR(column[2], 0, 1e-9);
  CHECK_NEAR(value, 1, 1e-9);
  const double dominated[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0};
  CHECK_OK(meta_nash(dominated, 3, 3, column, NULL, NULL));
  CHECK_NEAR(column[2], 1, 1e-9);
}

static void elo_of_counts(void **state) {
  (void)state;
  EloBlock two_to_one = meta_elo_block_of_games(2, 0, 1);
  CHECK_NEAR(two_to_one.elo, 120.411998, 1e-5); /* Bradley-Terry, 2-1, in Elo */
  EloBlock all = meta_elo_block_of_games(100, 0, 0), none = meta_elo_block_of_games(0, 0, 100),
           drawn = meta_elo_block_of_games(0, 50, 0);
  assert_true(all.elo < 1100 && all.low < all.elo && all.elo <= all.high && all.high < 2000);
  CHECK_NEAR(all.elo, -none.elo, 1e-9);
  CHECK_NEAR(drawn.elo, 0, 1e-9);
  EloBlock many = meta_elo_block_of_games(550, 100, 350);
  assert_true(many.low < many.elo && many.elo < many.high && many.low > 0);
}

static void wilson_interval(void **state) {
  (void)state;
  double low, high;
  meta_interval(.5, 100, &low, &high); /* textbook: 0.4038 to 0.5962 */
  CHECK_NEAR(low, .4038, 1e-3);
  CHECK_NEAR(high, .5962, 1e-3);
}

/* Games of a against b, so many won and lost with a on each seat. */
static Meeting met_of(uint32_t a, uint32_t b, const double wins[SEATS], const double losses[SEATS]) {
  Meeting met = {.a = a, .b = b};
  for (int s = 0; s < SEATS; s++)
    met.tally.seat[s] = (Tally){.games = wins[s] + losses[s], .wins = wins[s], .losses = losses[s]};
  return met;
}
#define MET(a, b, first_won, second_won, first_lost, second_lost)                                                      \
  met_of(a, b, (const double[]){first_won, second_won}, (const double[]){first_lost, second_lost})

/* OpenSpiel's Bradley-Terry test: two wins and one loss, without and with smoothing. */
static void bradley_terry_of_two(void **state) {
  (void)state;
  const Meeting met = MET(0, 1, 2, 0, 1, 0);
  RatingOptions options = {.anchor = 1};
  Rated rated[2];
  RatingFit fit;
  CHECK_OK(meta_bradley_terry(&met, 1, 2, &options, rated, &fit));
  CHECK_NEAR(rated[0].elo - rated[1].elo, 120.411998, 1e-5);
  CHECK_NEAR(rated[1].elo, 0, 1e-9);
  options.prior = .01;
  CHECK_OK(meta_bradley_terry(&met, 1, 2, &options, rated, &fit));
  CHECK_NEAR(rated[0].elo, 119.549873, 1e-5);
}

/* Scores that are exactly what known ratings predict give them back, and are explained in full: whatever the share of
 * draws, and whatever sitting first is worth. */
static void bradley_terry_recovers(void **state) {
  (void)state;
  const double elo[4] = {0, 120, 310, -75};
  for (int kind = 0; kind < 3; kind++) {
    Meeting met[6];
    double score[16], found[4];
    size_t n = 0;
    for (uint32_t a = 0; a < 4; a++)
      for (uint32_t b = a; b < 4; b++) {
        double s = meta_expected_score(elo[a] - elo[b]), tilt = kind == 2 ? .8 * fmin(s, 1 - s) : 0;
        double draws = kind == 1 ? .5 * fmin(s, 1 - s) : 0;
        score[a * 4 + b] = s, score[b * 4 + a] = 1 - s;
        if (a == b) continue;
        met[n] = (Meeting){.a = a, .b = b};
        for (int seat = 0; seat < 2; seat++) {
          double own = s + (seat ? -tilt : tilt), games = kind == 2 && seat ? 200 : 500; /* one seat may have more */
          met[n].tally.seat[seat] = (Tally){
              .games = games,
              .wins = games * (own - draws / 2),
              .draws = games * draws,
              .losses = games * (1 - own - draws / 2),
          };
        }
        n++;
      }
    Rated rated[4];
    RatingFit fit;
    CHECK_OK(meta_bradley_terry(met, n, 4, &(RatingOptions){.anchor = 0}, rated, &fit));
    for (int p = 0; p < 4; p++) {
      assert_true(rated[p].known && rated[p].bound == 0);
      CHECK_NEAR(found[p] = rated[p].elo, elo[p], 1e-6);
      assert_true(rated[p].low <= rated[p].elo && rated[p].elo <= rated[p].high);
      if (p) assert_true(rated[p].high - rated[p].low > 10 && rated[p].high - rated[p].low < 90);
    }
    CHECK_NEAR(meta_transitivity(score, found, 4).explained, 1, 1e-12);
    assert_int_equal(fit.islands, 1);
    if (kind < 2) CHECK_NEAR(fit.first_seat, .5, 1e-12);
    if (kind == 2) assert_true(fit.first_seat > .6);
    assert_int_equal(fit.one_seated, 0);
  }
}

static void bradley_terry_of_extremes(void **state) {
  (void)state;
  const Meeting met[] = {MET(0, 1, 30, 30, 0, 0), MET(2, 3, 5, 0, 5, 0), MET(5, 0, 0, 0, 4, 4), MET(5, 6, 9, 9, 0, 0)};
  for (int prior = 0; prior < 2; prior++) {
    RatingOptions options = {.anchor = 0, .prior = prior ? .5 : 0};
    Rated rated[7];
    RatingFit fit;
    CHECK_OK(meta_bradley_terry(met, 4, 7, &options, rated, &fit));
    assert_true(rated[0].known && rated[0].bound == 0 && rated[0].elo == 0 && rated[0].low == 0);
    assert_true(rated[1].known && rated[1].bound == -1 && rated[1].high < 0);
    assert_true(rated[5].bound == -1 && rated[6].bound == -1); /* 0 beat 5, which beat 6 */
    assert_int_equal(fit.islands, 3);                          /* 0-1-5-6, 2-3, and 4 who never played */
    assert_int_equal(fit.one_seated, 1);
    assert_true(!rated[2].known && !rated[4].known && rated[2].island != rated[0].island);
    for (int p = 0; p < 7; p++)
      assert_true(isfinite(rated[p].elo) && isfinite(rated[p].low) && isfinite(rated[p].high));
    /* anchored on 1, whom 0 always beat: of 5, whom 0 always beat too, nothing is known */
    options.anchor = 1;
    CHECK_OK(meta_bradley_terry(met, 4, 7, &options, rated, &fit));
    assert_true(rated[0].bound == 1 && rated[0].low > 0 && !rated[5].known && !rated[6].known);
  }
}

/* 400 players in a row, each of whom scores 3 of 4 against the one before: every gap is that of 3-1, and the last one's
 * variance is the sum of all the gaps'. */
static void bradley_terry_of_a_chain(void **state) {
  (void)state;
  enum { N = 400 };
  static Meeting met[N - 1];
  static Rated rated[N];
  RatingFit fit;
  for (uint32_t i = 0; i + 1 < N; i++) {
    met[i] = MET(i + 1, i, 30, 30, 10, 10);
    met[i].tally.pairs = (Pentanomial){{2, 0, 16, 0, 22}};
  }
  CHECK_OK(meta_bradley_terry(met, N - 1, N, &(RatingOptions){.anchor = 0}, rated, &fit));
  const double gap = meta_elo(.75);
  for (int i = 0; i < N; i++) CHECK_NEAR(rated[i].elo, i * gap, 1e-4);
  double half1 = rated[1].high - rated[1].elo, half100 = rated[100].high - rated[100].elo,
         last = rated[N - 1].high - rated[N - 1].elo;
  assert_true(half1 > 80 && half1 < 95);
  CHECK_NEAR(last / half100, sqrt((N - 1) / 100.), .04); /* the last one has half the games, so a longer t */
}

/* Games in pairs and single ones of one meeting: pairs whose games always even out (seats decide) add certainty, as
 * many single games as pairs of independent games say the same. */
static void intervals_of_both_kinds_of_games(void **state) {
  (void)state;
  Meeting met[] = {MET(1, 0, 25, 25, 25, 25), MET(1, 0, 50, 50, 50, 50), MET(1, 0, 75, 25, 25, 75),
                   MET(1, 0, 50, 50, 50, 50)};
  met[1].tally.pairs = (Pentanomial){{12.5, 0, 25, 0, 12.5}};
  met[2].tally.pairs = (Pentanomial){{0, 0, 50, 0, 0}};
  double half[4];
  for (int i = 0; i < 4; i++) {
    Rated rated[2];
    RatingFit fit;
    CHECK_OK(meta_bradley_terry(&met[i], 1, 2, &(RatingOptions){.anchor = 0}, rated, &fit));
    half[i] = rated[1].high;
    CHECK_NEAR(rated[1].elo, 0, 1e-9);
  }
  CHECK_NEAR(half[3] / half[0], sqrt(.5), .02);
  CHECK_NEAR(half[1] / half[3], 1, .02);
  assert_true(half[2] < .75 * half[3]);
}

static void alpha_rank_of_five(void **state) {
  (void)state;
  /* Han et al. 2013, as in OpenSpiel's test of alpha-rank: commitment, cooperation, defection, fake, free-riding */
  const double r = 1, t = 2, p = 0, s = -1, delta = 4, eps = .25;
  const double a[25] = {
      r - eps / 2, r - eps, 0, s + delta - eps, r - eps, r, r, s, s, s, 0, t, p, p, p, t - delta, t, p, p, p, r, t,
      p,           p,       p};
  const double expected[5] = {.40966787, .07959841, .20506998, .08505983, .22060390};
  double out[5];
  CHECK_OK(meta_alpha_rank(a, 5, 20, .1, out));
  for (int i = 0; i < 5; i++) CHECK_NEAR(out[i], expected[i], 1e-7);
  const double beats[4] = {0, 1, -1, 0}; /* strong selection: all on the winner, and no overflow */
  CHECK_OK(meta_alpha_rank(beats, 2, 50, 1e3, out));
  CHECK_NEAR(out[0], 1, 1e-9);
}

static void nash_averaging(void **state) {
  (void)state;
  const double transitive[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0}, rps[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0}, none[9] = {0};
  double mix[3], skill[3];
  CHECK_OK(meta_nash_average(transitive, 3, mix, skill));
  CHECK_NEAR(mix[2], 1, 1e-9);
  CHECK_NEAR(skill[0], -1, 1e-9);
  CHECK_OK(meta_nash_average(rps, 3, mix, skill));
  for (int i = 0; i < 3; i++) CHECK_NEAR(mix[i], 1 / 3., 1e-7);
  CHECK_OK(meta_nash_average(none, 3, mix, skill)); /* everything is an equilibrium: the most even one */
  for (int i = 0; i < 3; i++) CHECK_NEAR(mix[i], 1 / 3., 1e-7);
  /* a copy of rock: the two share rock's third */
  const double twins[16] = {0, 0, -1, 1, 0, 0, -1, 1, 1, 1, 0, -1, -1, -1, 1, 0},
               third[4] = {1 / 6., 1 / 6., 1 / 3., 1 / 3.};
  double four[4];
  CHECK_OK(meta_nash_average(twins, 4, four, NULL));
  for (int i = 0; i < 4; i++) CHECK_NEAR(four[i], third[i], 1e-5);
}

/* 240 players, 80 of each of rock, paper, scissors and 3 who lose to all: the most even equilibrium, whatever the
 * number of players. */
static void nash_averaging_of_many(void **state) {
  (void)state;
  enum { KINDS = 240, N = KINDS + 3 };
  static double a[N * N], mix[N], skill[N];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      int step = (i - j + KINDS) % 3;
      a[i * N + j] = i >= KINDS && j >= KINDS ? 0
                     : i >= KINDS             ? -.5
                     : j >= KINDS             ? .5
                     : step == 1              ? 1
                     : step == 2              ? -1
                                              : 0;
    }
  CHECK_OK(meta_nash_average(a, N, mix, skill));
  for (int i = 0; i < KINDS; i++) CHECK_NEAR(mix[i], 1. / KINDS, 1e-7);
  CHECK_NEAR(mix[KINDS], 0, 1e-12);
  CHECK_NEAR(skill[KINDS], -.5, 1e-6);
}

/* Equilibria of random antisymmetric games, and no equilibrium has more entropy (they are unique there). */
static void nash_averaging_of_random_games(void **state) {
  (void)state;
  enum { N = 31 };
  double a[N * N], mix[N], skill[N], other[N];
  for (uint32_t game = 0; game < 20; game++) {
    AgonRng rng = rng_stream(5, 0, game, RNG_TEST);
    for (int i = 0; i < N; i++)
      for (int j = 0; j <= i; j++) a[i * N + j] = i == j ? 0 : rng_normal(&rng), a[j * N + i] = -a[i * N + j];
    CHECK_OK(meta_nash_average(a, N, mix, skill));
    CHECK_OK(meta_nash(a, N, N, other, NULL, NULL));
    for (int i = 0; i < N; i++) {
      assert_true(skill[i] < 1e-6);
      CHECK_NEAR(mix[i], other[i], 1e-5);
    }
  }
}

/* Who may enter a meta-game: a set of which all have met. */
static void all_have_met(void **state) {
  (void)state;
  unsigned char met[36], in[6];
  memset(met, 1, sizeof met);
  assert_int_equal(meta_all_met(met, 6, in), 6);
  met[5 * 6 + 2] = met[2 * 6 + 5] = met[5 * 6 + 1] = met[1 * 6 + 5] = 0; /* 5 is new and lacks two */
  assert_int_equal(meta_all_met(met, 6, in), 5);
  assert_true(!in[5] && in[1] && in[2]);
  for (int i = 1; i < 6; i++)
    for (int j = 1; j < 6; j++) met[i * 6 + j] = 0; /* all met 0 alone: it and the newest */
  assert_int_equal(meta_all_met(met, 6, in), 2);
  assert_true(in[0] && in[5]);
  const double table[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  const unsigned char two[3] = {1, 0, 1};
  double out[4];
  meta_select(table, 3, two, out);
  assert_true(out[0] == 0 && out[1] == 2 && out[2] == 6 && out[3] == 8);
}

/* Two sides: players are letters, and pairs of letters have met. */
static void both_sides_have_met(void **state) {
  (void)state;
  static const struct {
    const char *side, *pairs, *in;
  } row[] = {
      {"12", "ab", "11"},
      {"122", "ab", "110"}, /* a newcomer on one side, and one player on the other */
      {"211", "ab", "110"},
      {"1212", "ab", "1100"},   /* one on each */
      {"12122", "ab", "11000"}, /* more newcomers than others */
      {"1122222", "acadaebcbdbe", "1111100"},
      {"11222", "acadaebcbd", "11110"}, /* e lacks half of the other side, b a third */
      {"1212", "abcd", "1100"},         /* all lack half: the newest goes */
      {"11222", "acadaebe", "10111"},   /* b lacks two thirds */
      {"1122", "acbd", "1010"},
      {"1122", "", "0000"}, /* nobody has met */
      {"111", "", "000"},   /* nobody could */
      {"1122", "acadbcbd", "1111"},
  };
  for (size_t k = 0; k < COUNT_OF(row); k++) {
    const size_t n = strlen(row[k].side);
    unsigned char met[64] = {0}, side[8], in[8];
    size_t count, expected = 0;
    for (size_t i = 0; i < n; i++) side[i] = (unsigned char)(row[k].side[i] - '0');
    for (const char *at = row[k].pairs; *at; at += 2) {
      const size_t a = (size_t)(at[0] - 'a'), b = (size_t)(at[1] - 'a');
      met[a * n + b] = met[b * n + a] = 1;
    }
    CHECK_OK(meta_sides_met(met, side, n, in, &count));
    for (size_t i = 0; i < n; i++) {
      if (in[i] != row[k].in[i] - '0') fail_msg("row %zu: player %c", k, (char)('a' + i));
      expected += in[i];
    }
    assert_int_equal(count, expected);
  }
}

/* Whoever has met whom: all that are in have met all of the other side that are, nobody can be added, and neither side
 * is empty. Which side is called what does not matter, nor what stands between players of one side. */
static void both_sides_have_met_by_lot(void **state) {
  (void)state;
  enum { MOST = 24 };
  size_t empty = 0, left_out = 0;
  for (uint32_t game = 0; game < 3000; game++) {
    AgonRng rng = rng_stream(5, 1, game, RNG_TEST);
    const size_t n = rng_below(&rng, MOST + 1);
    const double share = rng_unit(&rng);
    unsigned char met[MOST * MOST], other[MOST * MOST], side[MOST], turned[MOST], in[MOST], same[MOST];
    size_t count, again, members = 0;
    bool some = false;
    for (size_t i = 0; i < n; i++) {
      side[i] = (unsigned char)(1 + (rng_unit(&rng) < .3));
      turned[i] = (unsigned char)(3 - side[i]);
    }
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j <= i; j++) {
        const bool apart = side[i] != side[j];
        met[i * n + j] = met[j * n + i] = apart && rng_unit(&rng) < share * share;
        other[i * n + j] = other[j * n + i] = apart ? met[i * n + j] : rng_unit(&rng) < .5;
        some |= met[i * n + j];
      }
    CHECK_OK(meta_sides_met(met, side, n, in, &count));
    CHECK_OK(meta_sides_met(other, turned, n, same, &again));
    assert_memory_equal(in, same, n);
    assert_int_equal(count, again);
    for (size_t i = 0; i < n; i++) {
      bool fits = true;
      for (size_t j = 0; j < n; j++) fits &= !in[j] || side[i] == side[j] || met[i * n + j];
      assert_int_equal(some && fits, in[i]);
      members += in[i];
    }
    assert_int_equal(count, members);
    for (unsigned char s = 1; s <= 2 && some; s++) {
      bool there = false;
      for (size_t i = 0; i < n; i++) there |= in[i] && side[i] == s;
      assert_true(there);
    }
    empty += !some;
    left_out += some && count < n;
  }
  assert_true(empty > 50 && left_out > 1000); /* there were many of both kinds */
}

static void replicator_keeps_what_it_must(void **state) {
  (void)state;
  const double rps[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0}, x[3] = {.5, .3, .2};
  static double path[2001 * 3];
  CHECK_OK(meta_replicator(rps, 3, x, .01, 2000, path)); /* in rock-paper-scissors the product of shares is invariant */
  const double *last = path + 6000;
  CHECK_NEAR(last[0] * last[1] * last[2], .5 * .3 * .2, 1e-8);
  const double better[4] = {1, 1, 0, 0}, half[2] = {.5, .5};
  CHECK_OK(meta_replicator(better, 2, half, .01, 1000, path)); /* logistic growth: x / (1 - x) = e^t */
  CHECK_NEAR(path[2000] / path[2001], exp(10), 1e-3);
}

static void cycles_and_ratings(void **state) {
  (void)state;
  const double cycle[9] = {.5, .9, .2, .1, .5, .8, .8, .2, .5}, flat[3] = {0, 0, 0};
  Transitivity t = meta_transitivity(cycle, flat, 3);
  CHECK_NEAR(t.explained, 0, 1e-9);
  CHECK_NEAR(t.margin, .3, 1e-9);
  const double elo[3] = {0, 100, 250};
  double line[9];
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) line[i * 3 + j] = 1 / (1 + pow(10, (elo[j] - elo[i]) / 400));
  t = meta_transitivity(line, elo, 3);
  CHECK_NEAR(t.explained, 1, 1e-12);
  assert_true(t.margin <= 0);
}

static void elo_blocks(void **state) {
  (void)state;
  Pentanomial even = {{10, 20, 40, 20, 10}}, won = {{0, 0, 0, 0, 50}}, none = {{0}};
  EloBlock block = meta_elo_block(&even);
  CHECK_NEAR(block.elo, 0, 1e-9);
  CHECK_NEAR(block.superiority, .5, 1e-9);
  /* by hand: with 0.2 of each class more, variance 7.625 / 101 of a coin's 1/4; so 100 pairs are as good as 100 coins *
   * (1/4) / (7.625 / 101); Wilson with t of 100 degrees, 1.98397 */
  const double n = 100 * .25 / (7.625 / 101), t = 1.98397,
               half = t / (1 + t * t / n) * sqrt(.25 / n + t * t / 4 / n / n);
  CHECK_NEAR(block.score_high - .5, half, 1e-5);
  CHECK_NEAR(block.error, (meta_elo(.5 + half) - meta_elo(.5 - half)) / 2, 1e-2);
  block = meta_elo_block(&won);
  assert_int_equal(block.bound, 1);
  assert_true(isfinite(block.elo) && isfinite(block.low) && isfinite(block.high) && block.superiority > .99);
  block = meta_elo_block(&none);
  assert_true(block.pairs == 0 && isfinite(block.elo) && block.superiority == .5);
}

/* Errors of the sequential test are what was asked for: simulated matches of equal players, and of 40 Elo. */
static void sprt_keeps_its_promises(void **state) {
  (void)state;
  const double upper = meta_sprt_upper(.05, .05), lower = meta_sprt_lower(.05, .05);
  for (int truth = 0; truth < 2; truth++) {
    double expected = 1 / (1 + pow(10, -(truth ? 40 : 0) / 400.)), p[5] = {.15, .2, .3, .2, .15};
    double shift = (expected - .5) / .5; /* moves mass from losing to winning pairs */
    p[0] -= shift * .25, p[1] -= shift * .5, p[3] += shift * .5, p[4] += shift * .25;
    int wrong = 0, runs = 300;
    for (int run = 0; run < runs; run++) {
      AgonRng rng = rng_stream(7, (uint32_t)truth, (uint32_t)run, RNG_TEST);
      Pentanomial pairs = {{0}};
      double llr = 0;
      for (int n = 0; n < 4000 && llr < upper && llr > lower; n++) {
        pairs.count[rng_pick(&rng, p, 5)]++;
        if (n % 10 == 9) llr = meta_sprt(&pairs, 0, 40);
      }
      wrong += truth ? llr <= lower : llr >= upper;
    }
    assert_in_range(wrong, 0, 27); /* 5 % of 300 are 15; 27 is three deviations above */
  }
}

/* --- many players, most of whom never met --- */
/* Player i is i * gap Elo strong; everyone met the first, and `each` others drawn by lot. */
static size_t sparse_league(Meeting *met, uint32_t players, uint32_t each, double gap) {
  AgonRng rng = rng_stream(5, players, each, RNG_TEST);
  size_t n = 0;
  for (uint32_t a = 1; a < players; a++)
    for (uint32_t k = 0; k <= each; k++) {
      uint32_t b = k ? rng_below(&rng, players) : 0;
      double games = 20 + rng_below(&rng, 30), score = meta_expected_score(gap * ((double)a - (double)b));
      if (a == b) continue;
      met[n++] = MET(a, b, games * score, games * score, games * (1 - score), games * (1 - score));
    }
  return n;
}

/* Solving by the meetings there are says what the factor of the whole table says: the same games, with more players
 * around who have none. */
static void sparse_ratings_are_those_of_the_whole_table(void **state) {
  (void)state;
  enum { FEW = 250, MORE = 300 };
  static Meeting met[FEW * 16];
  static Rated few[FEW], more[MORE];
  for (double prior = 0.5; prior >= 0; prior -= 0.5) {
    RatingFit fit;
    size_t n = sparse_league(met, FEW, 6, 3);
    RatingOptions options = {.prior = prior, .anchor = RATING_MEAN};
    CHECK_OK(meta_bradley_terry(met, n, FEW, &options, few, &fit));
    assert_int_equal(fit.islands, 1);
    CHECK_OK(meta_bradley_terry(met, n, MORE, &options, more, &fit));
    assert_int_equal(fit.islands, 1 + MORE - FEW);
    for (int p = 0; p < FEW; p++) {
      assert_true(few[p].known && more[p].known);
      CHECK_NEAR(more[p].elo, few[p].elo, 1e-7);
      CHECK_NEAR(more[p].low, few[p].low, 1e-7);
      CHECK_NEAR(more[p].high, few[p].high, 1e-7);
    }
  }
}

/* A running job asks for few intervals, agon rate for all of them: the numbers are the same to the last bit. */
static void few_intervals_are_those_of_all(void **state) {
  (void)state;
  enum { PLAYERS = 600 };
  static Meeting met[PLAYERS * 16];
  static Rated all[PLAYERS], few[PLAYERS];
  static bool only[PLAYERS];
  RatingFit fit;
  size_t n = sparse_league(met, PLAYERS, 6, 2);
  only[17] = only[333] = only[599] = true;
  CHECK_OK(meta_bradley_terry(met, n, PLAYERS, &(RatingOptions){.prior = .5, .anchor = 0}, all, &fit));
  CHECK_OK(meta_bradley_terry(met, n, PLAYERS, &(RatingOptions){.prior = .5, .anchor = 0, .only = only}, few, &fit));
  for (int p = 0; p < PLAYERS; p++) {
    assert_int_equal(few[p].known, only[p]);
    if (only[p]) assert_memory_equal(&few[p], &all[p], sizeof few[p]);
  }
}

/* A chain so long that its ends feel one another only after hundreds of steps is rated all the same. */
static void long_chains_are_rated(void **state) {
  (void)state;
  enum { PLAYERS = 500 };
  static Meeting met[PLAYERS];
  static Rated rated[PLAYERS];
  static bool only[PLAYERS];
  RatingFit fit;
  double gap = meta_elo(.75);
  only[PLAYERS - 1] = true;
  for (uint32_t p = 1; p < PLAYERS; p++) met[p - 1] = MET(p, p - 1, 30, 30, 10, 10);
  CHECK_OK(meta_bradley_terry(met, PLAYERS - 1, PLAYERS, &(RatingOptions){.anchor = 0, .only = only}, rated, &fit));
  CHECK_NEAR(rated[PLAYERS - 1].elo, (PLAYERS - 1) * gap, 1e-3);
  assert_true(rated[PLAYERS - 1].high > rated[PLAYERS - 1].elo && isfinite(rated[PLAYERS - 1].high));
}

/* What a running job asks for, in a league of thousands, in a fraction of what one factor of the whole table takes. */
static void ratings_of_thousands_are_cheap(void **state) {
  (void)state;
  enum { PLAYERS = RATING_MOST, SECONDS = 10 /* of a slow, checked build */ };
  static Meeting met[PLAYERS * 12];
  static Rated rated[PLAYERS];
  static bool only[PLAYERS];
  RatingFit fit;
  size_t n = sparse_league(met, PLAYERS, 10, .3);
  only[PLAYERS - 1] = true;
  clock_t start = clock();
  CHECK_OK(meta_bradley_terry(met, n, PLAYERS, &(RatingOptions){.anchor = 0, .only = only}, rated, &fit));
  double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  CHECK_NEAR(rated[PLAYERS - 1].elo, .3 * (PLAYERS - 1), 1e-4);
  if (seconds > SECONDS) fail_msg("%g s of computing", seconds);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(biased_rock_paper_scissors),
                                     cmocka_unit_test(games_that_are_not_square),
                                     cmocka_unit_test(elo_of_counts),
                                     cmocka_unit_test(wilson_interval),
                                     cmocka_unit_test(bradley_terry_of_two),
                                     cmocka_unit_test(bradley_terry_recovers),
                                     cmocka_unit_test(bradley_terry_of_extremes),
                                     cmocka_unit_test(bradley_terry_of_a_chain),
                                     cmocka_unit_test(intervals_of_both_kinds_of_games),
                                     cmocka_unit_test(nash_averaging_of_many),
                                     cmocka_unit_test(nash_averaging_of_random_games),
                                     cmocka_unit_test(all_have_met),
                                     cmocka_unit_test(both_sides_have_met),
                                     cmocka_unit_test(both_sides_have_met_by_lot),
                                     cmocka_unit_test(alpha_rank_of_five),
                                     cmocka_unit_test(nash_averaging),
                                     cmocka_unit_test(replicator_keeps_what_it_must),
                                     cmocka_unit_test(sparse_ratings_are_those_of_the_whole_table),
                                     cmocka_unit_test(few_intervals_are_those_of_all),
                                     cmocka_unit_test(long_chains_are_rated),
                                     cmocka_unit_test(ratings_of_thousands_are_cheap),
                                     cmocka_unit_test(cycles_and_ratings),
                                     cmocka_unit_test(elo_blocks),
                                     cmocka_unit_test(sprt_keeps_its_promises)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
