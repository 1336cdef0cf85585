/* The double auction: rounds worked out by hand, lots, budgets, stocks, and who trades how. */
#include "check.h"

#include "env/env.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_AGENTS = 16 };

/* As market.c has it, so that worths can be set. */
typedef struct Episode {
  uint32_t round;
  uint32_t trades;
  double last;
  double left[MAX_AGENTS];
  uint8_t worth[MAX_AGENTS];
  uint8_t order[MAX_AGENTS];
  uint8_t traded[MAX_AGENTS];
  double total[MAX_AGENTS];
  double gained, possible, prices;
  uint32_t priced, units;
} Episode;

typedef struct Market {
  Env *env;
  Episode episode;
  AgonRng rng;
  AgonRandom random;
  float reward[MAX_AGENTS];
  AgonStatus status;
} Market;

static Market *open_market(const char *const *option, size_t options) {
  Market *market = calloc(1, sizeof *market);
  market->rng = rng_stream(1, 0, 0, RNG_TEST);
  market->random = rng_handle(&market->rng);
  CHECK_OK(env_create_from("market", option, options, &market->env));
  assert_int_equal(market->env->spec.episode_size, sizeof(Episode));
  assert_int_equal(env_call_reset(market->env, &market->episode, &market->random), AGON_RUNNING);
  return market;
}

static void close_market(Market *market) {
  env_destroy(market->env);
  free(market);
}

static void set_worths(Market *market, const uint8_t *worth) {
  memcpy(market->episode.worth, worth, market->env->spec.agents);
}

static void order(Market *market, const int *price) {
  AgonAction action[MAX_AGENTS];
  for (uint32_t a = 0; a < market->env->spec.agents; a++)
    action[a].choice = price[a];
  memset(market->reward, 0, sizeof market->reward);
  market->status =
      env_call_step(market->env, &market->episode, action, &market->random, market->reward);
}

static float metric_of(const Market *market, int i) {
  float value[3];
  market->env->table->metrics(market->env->params, &market->episode, value);
  return value[i];
}

static void expect_rewards(const Market *market, const double *expected) {
  for (uint32_t a = 0; a < market->env->spec.agents; a++)
    CHECK_NEAR(market->reward[a], expected[a], 1e-6);
}

/* Worths 9, 7, 3 and costs 2, 5, 8: two units can change hands with a gain, 7 + 2. */
static const uint8_t worths[] = {9, 7, 3, 2, 5, 8};

static void honest_orders_gain_all(void **state) {
  (void)state;
  static const int honest[] = {9, 7, 3, 2, 5, 8};
  Market *market = open_market(NULL, 0);
  set_worths(market, worths);
  order(market,
        honest); /* 9 meets 2, 7 meets 5, 3 does not meet 8: the price lies between 7 and 5 */
  expect_rewards(market, (const double[]){3, 1, 0, 4, 1, 0});
  CHECK_NEAR(metric_of(market, 0), 1, 1e-6);
  CHECK_NEAR(metric_of(market, 1), 6, 1e-6);
  CHECK_NEAR(metric_of(market, 2), 2, 0);
  assert_int_equal(market->status, AGON_RUNNING);
  close_market(market);
}

/* The second buyer bids 4 for what is worth 7 to it: 4 does not meet 5, one unit is sold, at 5.5,
 * and 7 of 9 gained. Nobody else has ordered in the next round, and nothing is gained of another 9.
 */
static void shading_loses_a_trade(void **state) {
  (void)state;
  static const int shades[] = {9, 4, 3, 2, 5, 8};
  static const int one[] = {9, 0, 0, 0, 0, 0};
  Market *market = open_market(NULL, 0);
  set_worths(market, worths);
  order(market, shades);
  expect_rewards(market, (const double[]){3.5, 0, 0, 3.5, 0, 0});
  CHECK_NEAR(metric_of(market, 0), 7 / 9., 1e-6);
  set_worths(market, worths);
  order(market, one);
  expect_rewards(market, (const double[]){0, 0, 0, 0, 0, 0});
  CHECK_NEAR(metric_of(market, 0), 7 / 18., 1e-6);
  CHECK_NEAR(metric_of(market, 1), 5.5, 1e-6); /* of rounds with trades */
  close_market(market);
}

/* price=0: the last ask; price=1: the last bid. And whoever bids beyond its worth pays for it. */
static void the_price_lies_where_it_is_told_to(void **state) {
  (void)state;
  static const char *const low[] = {"price=0"}, *const high[] = {"price=1"};
  static const int honest[] = {9, 7, 3, 2, 5, 8};
  static const int rash[] = {9, 7, 9, 2, 5, 8};
  Market *market = open_market(low, 1);
  set_worths(market, worths);
  order(market, honest);
  expect_rewards(market, (const double[]){4, 2, 0, 3, 0, 0});
  close_market(market);
  market = open_market(high, 1);
  set_worths(market, worths);
  order(market, rash); /* bids 9, 9, 7, asks 2, 5, 8: two meet, both at 9 */
  expect_rewards(market, (const double[]){0, 0, -6, 7, 4, 0});
  CHECK_NEAR(metric_of(market, 0), 5 / 9., 1e-6);
  close_market(market);
}

/* Two bid the same for one unit: each gets it half of the time. */
static void equal_orders_take_turns_by_lot(void **state) {
  (void)state;
  static const char *const option[] = {"buyers=2", "sellers=1", "rounds=1000"};
  static const uint8_t alike[] = {8, 8, 2};
  static const int price[] = {6, 6, 4};
  int first = 0;
  Market *market = open_market(option, 3);
  for (int i = 0; i < 1000; i++) {
    set_worths(market, alike);
    order(market, price);
    assert_int_equal(market->episode.traded[0] + market->episode.traded[1], 1);
    CHECK_NEAR(market->reward[2], 3, 1e-6); /* at 5 */
    first += market->episode.traded[0];
  }
  assert_in_range(first, 440, 560);
  assert_int_equal(market->status, AGON_TERMINATED);
  close_market(market);
}

/* A budget of 10: 6 are spent, with 4 left no bid above 4 is allowed. A stock of 1: it is sold. */
static void budgets_and_stocks_run_out(void **state) {
  (void)state;
  static const char *const option[] = {"buyers=1", "sellers=1", "budget=10", "stock=1"};
  static const uint8_t pair[] = {9, 3};
  static const int price[] = {9, 3};
  uint8_t may[11];
  Market *market = open_market(option, 4);
  set_worths(market, pair);
  order(market, price);
  CHECK_NEAR(market->episode.left[0], 4, 1e-9);
  env_mask(market->env, &market->episode, 0, may);
  for (int i = 0; i <= 10; i++)
    assert_int_equal(may[i], i <= 4);
  env_mask(market->env, &market->episode, 1, may);
  for (int i = 0; i <= 10; i++)
    assert_int_equal(may[i], i == 0);
  set_worths(market, pair);
  order(market, (const int[]){4, 0});
  CHECK_NEAR(metric_of(market, 0), 1, 1e-6); /* there was no second unit to gain by */
  close_market(market);
}

/* What scripted players gain of what there is to gain, in 200 episodes; nobody ever loses. */
static double efficiency_of(const char *script) {
  const char *const option[] = {script};
  Market *market = open_market(option, 1);
  double sum = 0;
  for (int i = 0; i < 200; i++) {
    market->status = env_call_reset(market->env, &market->episode, &market->random);
    while (market->status == AGON_RUNNING) {
      int price[MAX_AGENTS] = {0};
      for (uint32_t a = 0; a < market->env->spec.agents; a++) {
        AgonAction action;
        market->env->table->scripted(market->env->params, &market->episode, a, &market->random,
                                     &action);
        price[a] = action.choice;
      }
      order(market, price);
      for (uint32_t a = 0; a < market->env->spec.agents; a++)
        assert_true(market->reward[a] >= 0);
    }
    sum += (double)metric_of(market, 0);
  }
  close_market(market);
  return sum / 200;
}

static void honest_players_are_efficient_and_others_less(void **state) {
  (void)state;
  CHECK_NEAR(efficiency_of("script=honest"), 1, 1e-6);
  const double zero = efficiency_of("script=zi");
  assert_true(zero > .2 && zero < .8); /* one order a round, and no bargaining */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(honest_orders_gain_all),
      cmocka_unit_test(shading_loses_a_trade),
      cmocka_unit_test(the_price_lies_where_it_is_told_to),
      cmocka_unit_test(equal_orders_take_turns_by_lot),
      cmocka_unit_test(budgets_and_stocks_run_out),
      cmocka_unit_test(honest_players_are_efficient_and_others_less),
  };
  if (!env_is_builtin("market")) return 0; /* it has been taken out */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
