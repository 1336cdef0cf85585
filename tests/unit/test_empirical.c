/* Equilibria of empirical games: of two populations with both sides' returns, and why there is none
 * where something is not known. */
#include "check.h"

#include "eval/empirical.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const side_name[SEATS] = {"row", "column"};

static uint32_t player(Games *games, const char *name) {
  uint32_t id;
  CHECK_OK(games_player(games, name, &id));
  return id;
}

/* Eight games of a on the first seat; what each earns in all of them. */
static void add(Games *games, uint32_t a, uint32_t b, double own, double other) {
  MatchTally tally = {.pair_squares = -1, .seat[0] = {8, 0, 8, 0, 8 * own, 8 * own * own}};
  tally.welfare[0] = 8 * (own + other);
  tally.more_squares[0] = 8 * (other * other - own * own);
  CHECK_OK(games_add(games, a, b, 0, &tally));
}

/* Chicken between two players a side (tests/unit/test_equilibrium.c works it by hand), and one more
 * row that has met but one of the others and is left out. */
static void chicken_of_two_populations(void **state) {
  (void)state;
  static const uint8_t side[5] = {1, 2, 1, 2, 1};
  Games games = {0};
  Standing standing;
  Empirical e;
  const uint32_t dare = player(&games, "dare"), dares = player(&games, "dares"),
                 yield = player(&games, "yield"), yields = player(&games, "yields"),
                 late = player(&games, "late");
  add(&games, dare, dares, 0, 0);
  add(&games, dare, yields, 7, 2);
  add(&games, yield, dares, 2, 7);
  add(&games, yield, yields, 6, 6);
  add(&games, late, yields, 9, 9);
  StandingOptions options = {
      .prior = .5, .seats = true, .returns = true, .side = side, .side_name = side_name};
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_true(standing.sums.general && !standing.has_meta);
  assert_non_null(strstr(standing.no_meta, "general-sum"));
  CHECK_OK(empirical_solve(&standing, SOLVE_CE, SELECT_WELFARE, &e));
  assert_int_equal(e.count[0], 2);
  assert_int_equal(e.count[1], 2);
  assert_int_equal(e.member[0][1], yield);
  assert_int_equal(e.member[1][0], dares);
  CHECK_NEAR(e.fewest, 8, 0);
  static const double expected[4] = {0, .25, .25, .5};
  for (int j = 0; j < 4; j++)
    CHECK_NEAR(e.joint[j], expected[j], 1e-9);
  CHECK_NEAR(e.facts.welfare, 10.5, 1e-9);
  empirical_free(&e);
  CHECK_OK(empirical_solve(&standing, SOLVE_CCE, SELECT_GINI, &e));
  CHECK_NEAR(e.facts.gini, 25 / 34., 1e-9);
  empirical_free(&e);
  assert_int_equal(empirical_solve(&standing, SOLVE_NASH, SELECT_WELFARE, &e), ERR_USAGE);
  assert_non_null(strstr(status_message(), "general-sum (two earn from 0 to 12 together)"));
  empirical_free(&e);
  standing_destroy(&standing);
  games_free(&games);
}

/* One population that plays zero-sum: copies of one draw, all equilibria are worth 0, and the Nash
 * mixture is that of the standing. */
static void one_population(void **state) {
  (void)state;
  Games games = {0};
  Standing standing;
  Empirical e;
  const uint32_t a = player(&games, "a"), b = player(&games, "b"), c = player(&games, "c");
  StandingOptions options = {.prior = .5, .seats = true, .returns = true};
  add(&games, a, b, 2, -2);
  add(&games, b, c, 1, -1);
  add(&games, a, c, -4, 4);
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_true(standing.has_meta && !standing.sums.general);
  CHECK_OK(empirical_solve(&standing, SOLVE_NASH, SELECT_WELFARE, &e));
  for (int j = 0; j < 9; j++)
    CHECK_NEAR(e.joint[j], standing.nash[j / 3] * standing.nash[j % 3], 1e-9);
  CHECK_NEAR(e.facts.nash_gap, 0, 1e-9);
  empirical_free(&e);
  CHECK_OK(empirical_solve(&standing, SOLVE_CCE, SELECT_GINI, &e));
  CHECK_NEAR(e.facts.value[0], 0, 1e-7);
  CHECK_NEAR(e.facts.nash_gap, 0, 1e-6);
  empirical_free(&e);
  standing_destroy(&standing);
  /* with a meeting that is not zero-sum what copies of one earn is not known */
  const uint32_t d = player(&games, "d");
  add(&games, a, d, 1, 1);
  add(&games, b, d, 1, 1);
  add(&games, c, d, 1, 1);
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_int_equal(empirical_solve(&standing, SOLVE_CE, SELECT_GINI, &e), ERR_USAGE);
  assert_non_null(strstr(status_message(), "league.sides=separate"));
  empirical_free(&e);
  standing_destroy(&standing);
  games_free(&games);
}

/* What both earn together may be the same everywhere without being 0: then nothing is general-sum
 * about it. */
static void constant_sums(void **state) {
  (void)state;
  Games games = {0};
  Standing standing;
  Empirical e;
  const uint32_t a = player(&games, "a"), b = player(&games, "b");
  StandingOptions options = {.prior = .5, .seats = true, .returns = true};
  add(&games, a, b, .75, .25);
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_true(standing.has_meta && !standing.sums.general);
  CHECK_NEAR(standing.nash[0], 1, 1e-9);
  CHECK_OK(empirical_solve(&standing, SOLVE_CE, SELECT_WELFARE, &e));
  CHECK_NEAR(e.facts.value[0], .5, 1e-9); /* against a copy of itself */
  CHECK_NEAR(e.joint[0], 1, 1e-9);
  empirical_free(&e);
  standing_destroy(&standing);
  games_free(&games);
}

/* What is not known is said. */
static void refused(void **state) {
  (void)state;
  static const uint8_t side[2] = {1, 2};
  Games games = {0};
  Standing standing;
  Empirical e;
  MatchTally half = {.pair_squares = -1, .half_told = true, .seat[0] = {8, 8, 0, 0, 8, 8}};
  const uint32_t a = player(&games, "a"), b = player(&games, "b");
  StandingOptions options = {.prior = .5, .returns = true, .side = side, .side_name = side_name};
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_int_equal(empirical_solve(&standing, SOLVE_CE, SELECT_WELFARE, &e), ERR_USAGE);
  assert_non_null(strstr(status_message(), "no two players of both sides have met"));
  empirical_free(&e);
  standing_destroy(&standing);
  CHECK_OK(games_add(&games, a, b, 0, &half));
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_int_equal(empirical_solve(&standing, SOLVE_CE, SELECT_WELFARE, &e), ERR_USAGE);
  assert_non_null(strstr(status_message(), "only one side's returns are known"));
  empirical_free(&e);
  standing_destroy(&standing);
  options.not_met = STANDING_MANY_TEAMS;
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_int_equal(empirical_solve(&standing, SOLVE_CCE, SELECT_WELFARE, &e), ERR_USAGE);
  assert_non_null(strstr(status_message(), "between two teams"));
  empirical_free(&e);
  standing_destroy(&standing);
  games_free(&games);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chicken_of_two_populations),
      cmocka_unit_test(one_population),
      cmocka_unit_test(constant_sums),
      cmocka_unit_test(refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
