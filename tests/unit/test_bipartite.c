/* Judging players that always play one side: matches keep their seats, ratings and meta-games are of two populations,
 * and best responses are of the other side. */
#include "check.h"

#include "eval/sides.h"
#include "eval/standing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const side_name[SEATS] = {"hunter", "prey"};

/* Games in which a sat on `seat` and scored `score`. */
static void add(Games *games, uint32_t a, uint32_t b, int seat, double n, double score) {
  MatchTally tally = {.pair_squares = -1};
  tally.seat[seat] = (Tally){n, n * score, 0, n - n * score, n * (2 * score - 1), n};
  CHECK_OK(games_add(games, a, b, 0, &tally));
}

static uint32_t player(Games *games, const char *name) {
  uint32_t id;
  CHECK_OK(games_player(games, name, &id));
  return id;
}

/* Who plays both sides is two players; games in both seats fall apart, those in one keep their pairs. */
static void games_fall_apart_by_sides(void **state) {
  (void)state;
  static const uint8_t side[4] = {1, 2, 0, 0};
  Games games = {0}, apart;
  uint8_t *of;
  uint32_t hunter = player(&games, "h"), prey = player(&games, "p"), random = player(&games, "random"),
           other = player(&games, "other");
  MatchTally paired = {.seat[0] = {4, 3, 0, 1, 2, 4}, .pairs.count = {0, 0, 1, 0, 1}, .pair_squares = 4};
  CHECK_OK(games_add(&games, hunter, prey, 0, &paired));
  add(&games, hunter, random, 0, 10, .8);
  add(&games, prey, random, 1, 20, .6);
  add(&games, random, other, 0, 6, .5);
  add(&games, random, other, 1, 8, .25);
  uint8_t told[4];
  assert_false(games_tell_sides(&games, told)); /* random and other have met in both seats */
  CHECK_OK(games_by_side(&games, side, side_name, &apart, &of));
  assert_int_equal(apart.players, 6);
  assert_string_equal(apart.name[random], "random as hunter");
  assert_string_equal(apart.name[4], "random as prey");
  assert_string_equal(apart.name[5], "other as prey");
  static const uint8_t expected[6] = {1, 2, 1, 1, 2, 2};
  assert_memory_equal(of, expected, 6);
  for (size_t i = 0; i < apart.meetings; i++)
    assert_int_not_equal(of[apart.meeting[i].a], of[apart.meeting[i].b]);
  CHECK_NEAR(games_find(&apart, hunter, prey)->tally.pairs.count[4], 1, 0);
  CHECK_NEAR(games_find(&apart, hunter, 4)->tally.seat[0].wins, 8, 1e-12);
  CHECK_NEAR(games_find(&apart, prey, random)->tally.seat[1].wins, 12, 1e-12);
  CHECK_NEAR(games_find(&apart, random, 5)->tally.seat[0].games, 6, 0);
  CHECK_NEAR(games_find(&apart, other, 4)->tally.seat[0].wins, 6, 1e-12); /* random's .25 of 8, from the other side */
  free(of);
  games_free(&apart);
  games_free(&games);
}

static double score_of(double elo) { return 1 / (1 + pow(10, -elo / 400)); }

/* Scores that follow from strengths give these back: from each side's own zero, with what lies between the zeros. */
static void ratings_stand_on_their_own_side(void **state) {
  (void)state;
  enum { HUNTER_0, HUNTER_1, PREY_0, PREY_1, RANDOM, PLAYERS };
  static const char *const name[] = {"h0", "h1", "p0", "p1", "random"};
  static const uint8_t side[PLAYERS] = {1, 1, 2, 2, 0};
  /* on one scale; random is weak as a hunter and strong as prey */
  static const double elo[] = {100, 250, 180, 20}, random_as[SEATS] = {-60, 90};
  Games games = {0}, apart;
  uint8_t *of;
  for (int i = 0; i < PLAYERS; i++) player(&games, name[i]);
  for (uint32_t h = 0; h < 2; h++)
    for (uint32_t p = 2; p < 4; p++) add(&games, h, p, 0, 1e5, score_of(elo[h] - elo[p]));
  for (uint32_t i = 0; i < 4; i++) {
    int seat = side[i] - 1;
    add(&games, i, RANDOM, seat, 1e5, score_of(elo[i] - random_as[1 - seat]));
  }
  CHECK_OK(games_by_side(&games, side, side_name, &apart, &of));
  uint8_t told[PLAYERS];
  assert_true(games_tell_sides(&games, told));
  assert_memory_equal(told, side, PLAYERS);
  Standing standing;
  StandingOptions options = {.seats = true, .members = 4, .side = of, .side_name = side_name};
  CHECK_OK(standing_create(&apart, &options, &standing));
  for (uint32_t i = 0; i < 4; i++) {
    CHECK_NEAR(standing.rated[i].elo, elo[i] - random_as[side[i] - 1], 1);
    assert_true(standing.rated[i].low < standing.rated[i].elo && standing.rated[i].elo < standing.rated[i].high);
  }
  CHECK_NEAR(standing.gap, random_as[0] - random_as[1], 1);
  /* the stronger of each side is the equilibrium, and no one ranks alone */
  assert_true(standing.has_meta);
  CHECK_NEAR(standing.nash[HUNTER_1], 1, 1e-9);
  CHECK_NEAR(standing.nash[PREY_0], 1, 1e-9);
  CHECK_NEAR(standing.value, 2 * score_of(elo[HUNTER_1] - elo[PREY_0]) - 1, 1e-6);
  assert_true(isnan(standing.alpha_rank[HUNTER_1]) && isnan(standing.nash_average[HUNTER_1]));
  standing_destroy(&standing);
  /* where a player is asked for, all stand on it */
  options.anchor = "p1";
  CHECK_OK(standing_create(&apart, &options, &standing));
  CHECK_NEAR(standing.rated[HUNTER_1].elo, elo[HUNTER_1] - elo[PREY_1], 1);
  CHECK_NEAR(standing.rated[PREY_0].elo, elo[PREY_0] - elo[PREY_1], 1);
  assert_true(isnan(standing.gap));
  standing_destroy(&standing);
  free(of);
  games_free(&apart);
  games_free(&games);
}

/* A newcomer on each side waits outside, and does not part the two who have met. Where no two have, that is said. */
static void newcomers_wait_outside_the_meta_game(void **state) {
  (void)state;
  static const char *const name[] = {"h0", "h1", "p0", "p1", "random as hunter", "random as prey"};
  static const uint8_t side[] = {1, 1, 2, 2, 1, 2};
  for (int met = 1; met >= 0; met--) {
    Games games = {0};
    Standing standing;
    const StandingOptions options = {.seats = true, .members = 4, .side = side, .side_name = side_name};
    for (int i = 0; i < 6; i++) player(&games, name[i]);
    for (uint32_t h = 0; h < 2; h++) add(&games, h, 5, 0, 20, .7);
    for (uint32_t p = 2; p < 4; p++) add(&games, 4, p, 0, 20, .4);
    if (met) add(&games, 0, 2, 0, 20, .6);
    CHECK_OK(standing_create(&games, &options, &standing));
    assert_int_equal(standing.has_meta, met);
    assert_int_equal(standing.entered, met ? 2 : 0);
    if (met) {
      CHECK_NEAR(standing.nash[0], 1, 1e-9);
      CHECK_NEAR(standing.nash[2], 1, 1e-9);
      CHECK_NEAR(standing.value, .2, 1e-9);
      assert_true(isnan(standing.nash[1]) && isnan(standing.nash[3]));
    } else {
      assert_string_equal(standing.no_meta, "no two players of both sides have met");
    }
    standing_destroy(&standing);
    games_free(&games);
  }
}

/* Every game with the same seats, and each with its own luck; two of one side cannot meet. */
static void matches_keep_their_seats(void **state) {
  (void)state;
  Env *env;
  CHECK_OK(env_create_from("simple_tag", NULL, 0, &env));
  for (uint32_t side = 1; side <= 2; side++) {
    Contestant a, b;
    MatchTally tally;
    CHECK_OK(contestant_builtin("random", env, &a));
    CHECK_OK(contestant_builtin("random", env, &b));
    a.side = side;
    assert_int_equal(eval_side(&a, &b), side - 1);
    assert_int_equal(eval_side(&b, &a), 2 - side);
    CHECK_OK(eval_match(env, &a, &b, &(MatchPlan){.seed = 3, .pairs = 200}, &tally));
    CHECK_NEAR(tally.seat[side - 1].games, 400, 0);
    CHECK_NEAR(tally.seat[2 - side].games, 0, 0);
    assert_true(match_tally_is_whole(&tally));
    assert_true(tally.pairs.count[2] > 20); /* copies would win or lose both */
    b.side = side;
    assert_int_equal(eval_match(env, &a, &b, &(MatchPlan){.seed = 3, .pairs = 2}, &tally), ERR_USAGE);
    assert_non_null(strstr(status_message(), "cannot meet"));
    contestant_destroy(&a);
    contestant_destroy(&b);
  }
  env_destroy(env);
}

/* Only the other side can respond; a member of each side makes a whole profile. */
static void best_responses_are_of_the_other_side(void **state) {
  (void)state;
  Env *env;
  GameTree *tree;
  Contestant first, second, both;
  ExactResult plain, result;
  const double one = 1;
  CHECK_OK(env_create_from("kuhn_poker", NULL, 0, &env));
  CHECK_OK(tree_build(env, 1000, &tree));
  CHECK_OK(contestant_builtin("random", env, &first));
  CHECK_OK(contestant_builtin("random", env, &second));
  CHECK_OK(contestant_builtin("random", env, &both));
  first.side = 1;
  second.side = 2;
  Contestant *member = &both;
  CHECK_OK(tree_exploit(tree, &(Mixture){&member, &one, 1}, &plain));
  CHECK_NEAR(plain.nash_conv, .916667, 1e-6);
  for (int side = 0; side < 2; side++) {
    member = side ? &second : &first;
    CHECK_OK(tree_exploit(tree, &(Mixture){&member, &one, 1}, &result));
    CHECK_NEAR(result.best_response[1 - side], plain.best_response[1 - side], 1e-12);
    assert_true(isnan(result.nash_conv) && isnan(result.best_response[side]) && isnan(result.value[0]));
    assert_true(result.played[side] && !result.played[1 - side]);
  }
  Contestant *pair[2] = {&first, &second};
  const double weight[2] = {.9, .1};
  CHECK_OK(tree_exploit(tree, &(Mixture){pair, weight, 2}, &result));
  CHECK_NEAR(result.nash_conv, plain.nash_conv, 1e-12);
  CHECK_NEAR(result.value[0], plain.value[0], 1e-12);
  contestant_destroy(&first);
  contestant_destroy(&second);
  contestant_destroy(&both);
  tree_destroy(tree);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(games_fall_apart_by_sides),
      cmocka_unit_test(ratings_stand_on_their_own_side),
      cmocka_unit_test(newcomers_wait_outside_the_meta_game),
      cmocka_unit_test(matches_keep_their_seats),
      cmocka_unit_test(best_responses_are_of_the_other_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
