/* The one count of games: what is added, faded, turned round and refused. */
#include "check.h"

#include "meta/tally.h"

#include <math.h>

static void same_tally(const Tally *one, const Tally *other) {
  CHECK_NEAR(one->games, other->games, 1e-12);
  CHECK_NEAR(one->wins, other->wins, 1e-12);
  CHECK_NEAR(one->draws, other->draws, 1e-12);
  CHECK_NEAR(one->losses, other->losses, 1e-12);
  CHECK_NEAR(one->returns, other->returns, 1e-12);
  CHECK_NEAR(one->squares, other->squares, 1e-12);
}

/* A win worth 3, a draw worth 0 and a loss worth -2. */
static Tally three_games(void) {
  Tally tally = {0};
  tally_game(&tally, 1, 3);
  tally_game(&tally, .5f, 0);
  tally_game(&tally, 0, -2);
  return tally;
}

static void games_are_counted(void **state) {
  (void)state;
  const Tally tally = three_games();
  const Tally expected = {
      .games = 3, .wins = 1, .draws = 1, .losses = 1, .returns = 1, .squares = 13};
  same_tally(&tally, &expected);
  CHECK_NEAR(tally_score(&tally), .5, 0);
  assert_true(tally_is_good(&tally) && tally_is_whole(&tally));
}

static void what_is_remembered_fades(void **state) {
  (void)state;
  Tally memory = {.games = 10, .wins = 8, .losses = 2, .returns = 6, .squares = 10};
  const Tally fresh = three_games();
  const Tally expected = {
      .games = 11, .wins = 6, .draws = 2, .losses = 3, .returns = 5, .squares = 31};
  tally_fade(&memory, &fresh, .5, 2);
  same_tally(&memory, &expected);
  Tally other = memory;
  tally_fade(&other, &(Tally){.games = 1}, .1, 1);
  assert_true(tally_is_good(&memory) && tally_is_whole(&memory));
  assert_true(!tally_is_whole(&other)); /* 2.1 games are not whole */
}

/* Who looks from the other side sees wins as losses; in a zero-sum game returns change sign, and
 * twice is as before. */
static void the_opponent_sees_the_mirror(void **state) {
  (void)state;
  const Tally own = {.games = 6, .wins = 3, .draws = 1, .losses = 2, .returns = 1.5, .squares = 9};
  const Tally other = tally_of_opponent(&own, 4, 25);
  const Tally expected = {
      .games = 6, .wins = 2, .draws = 1, .losses = 3, .returns = 4, .squares = 25};
  same_tally(&other, &expected);
  assert_true(tally_mirrors(&own, &other) && tally_mirrors(&other, &own) &&
              !tally_mirrors(&own, &own));
  const Tally once = tally_turned(&own), twice = tally_turned(&once);
  CHECK_NEAR(once.returns, -1.5, 0);
  CHECK_NEAR(once.squares, 9, 0);
  same_tally(&twice, &own);
}

/* A seat with many games weighs no more than one with few; a seat without games is no seat. */
static void seats_count_alike(void **state) {
  (void)state;
  SeatMeans means;
  const Tally both[SEATS] = {{.games = 100, .wins = 100, .returns = 100, .squares = 100},
                             {.games = 2, .losses = 2, .returns = -4, .squares = 8}};
  assert_true(tally_means(both, &means));
  CHECK_NEAR(means.score, .5, 0);
  CHECK_NEAR(means.returns, (1. - 2) / 2, 0);
  CHECK_NEAR(means.squares, (1. + 4) / 2, 0);
  CHECK_NEAR(tally_games(both), 102, 0);
  CHECK_NEAR(tally_both(both).returns, 96, 0);
  const Tally one[SEATS] = {{0}, both[1]};
  assert_true(tally_means(one, &means));
  CHECK_NEAR(means.score, 0, 0);
  CHECK_NEAR(means.returns, -2, 0);
  const Tally none[SEATS] = {{0}};
  assert_false(tally_means(none, &means));
  CHECK_NEAR(seats_effective(50, 50), 100, 1e-12);
  CHECK_NEAR(seats_effective(100, 1), 4 / 1.01, 1e-12);
  CHECK_NEAR(seats_effective(100, 0), 0, 0);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  const Tally bad[] = {
      {.games = 2, .wins = 1},
      {.games = -1, .wins = -1},
      {.games = 1, .wins = 2, .losses = -1},
      {.games = 1, .wins = 1, .squares = -1},
      {.games = 1, .wins = 1, .returns = NAN},
      {.games = INFINITY, .wins = INFINITY},
      {.games = 2 * TALLY_MOST, .wins = 2 * TALLY_MOST},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    assert_false(tally_is_good(&bad[i]));
    assert_false(tally_is_whole(&bad[i]));
  }
}

static MatchTally two_pairs(void) {
  return (MatchTally){
      .seat = {{.games = 2, .wins = 2, .returns = 2, .squares = 2},
               {.games = 2, .wins = 1, .losses = 1, .returns = 0, .squares = 2}},
      .pairs = {{0, 0, 1, 0, 1}},
      .pair_squares = 4,
  };
}

static void matches_add_and_turn(void **state) {
  (void)state;
  MatchTally sum = two_pairs();
  const MatchTally more = two_pairs(), turned = match_tally_turned(&more);
  match_tally_add(&sum, &more);
  CHECK_NEAR(sum.seat[0].wins, 4, 0);
  CHECK_NEAR(sum.pairs.count[4], 2, 0);
  CHECK_NEAR(sum.pair_squares, 8, 0);
  assert_true(match_tally_is_whole(&sum) && !sum.fixed);
  /* b sat second while a sat first */
  CHECK_NEAR(turned.seat[1].losses, 2, 0);
  CHECK_NEAR(turned.seat[1].returns, -2, 0);
  CHECK_NEAR(turned.seat[0].wins, 1, 0);
  CHECK_NEAR(turned.pairs.count[0], 1, 0);
  CHECK_NEAR(turned.pair_squares, 4, 0);
  MatchTally old = two_pairs();
  old.pair_squares =
      -1; /* of a file that did not have them: then those of the sum are not known either */
  match_tally_add(&sum, &old);
  CHECK_NEAR(sum.pair_squares, -1, 0);
  MatchTally fixed = {.fixed = true};
  match_tally_add(&fixed, &more);
  assert_true(fixed.fixed);
}

static void matches_that_do_not_add_up_are_refused(void **state) {
  (void)state;
  MatchTally uneven = two_pairs(), many = two_pairs(), negative = two_pairs(),
             no_number = two_pairs();
  uneven.seat[1].games = uneven.seat[1].wins = 1;
  uneven.seat[1].losses = 0;
  many.pairs.count[2] = 3; /* five pairs of four games */
  negative.pairs.count[0] = -1;
  no_number.pair_squares = NAN;
  assert_false(match_tally_is_whole(&uneven));
  assert_false(match_tally_is_whole(&many));
  assert_false(match_tally_is_whole(&negative));
  assert_false(match_tally_is_whole(&no_number));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(games_are_counted),
      cmocka_unit_test(what_is_remembered_fades),
      cmocka_unit_test(the_opponent_sees_the_mirror),
      cmocka_unit_test(seats_count_alike),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(matches_add_and_turn),
      cmocka_unit_test(matches_that_do_not_add_up_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
