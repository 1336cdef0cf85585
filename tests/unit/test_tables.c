/* Learners by tables on games whose worths are known: what an end is worth, what a cut is, whose reward it is. */
#include "check.h"

#include "classics/learn.h"
#include "meta/tabular.h"

#include <math.h>
#include <stdlib.h>

/* A plan of rate 1, so that worths are what was last seen, and of discount .9. */
static LearnPlan plan_of(const Env *env, const char *algorithm, uint64_t steps) {
  return (LearnPlan){.env = env,
                     .ops = classic_named(algorithm),
                     .steps = steps,
                     .seed = 1,
                     .rate = {1, 1},
                     .epsilon = {.5, .5},
                     .down = .1,
                     .leniency = 1,
                     .cooling = .9,
                     .discount = .9};
}

/* The worth of an agent's n-th observation. */
static double worth(const LearnPlan *plan, const Learned *learned, uint32_t agent, size_t row) {
  assert_true(row < learned->learner[agent].rows.count);
  return plan->ops->value(&learned->learner[agent], row, (int)agent);
}

/* Three rounds of one choice that pays 1 and -1. An agent sees two things: that nothing was played, and what was last
 * played. After the last round, which ends the game, the latter is worth 1; the former 1 + .9. */
static void ends_are_worth_nothing(void **state) {
  (void)state;
  Env *env;
  CHECK_OK(env_create_from("matrix_game", (const char *const[]){"payoff=[[1]]", "rounds=3"}, 2, &env));
  for (size_t k = 0; k < classic_count; k++) {
    LearnPlan plan = plan_of(env, classics[k]->name, 30);
    Learned learned;
    CHECK_OK(learn(&plan, &learned));
    for (uint32_t a = 0; a < 2; a++) {
      double sign = a ? -1 : 1;
      assert_int_equal(learned.learner[a].rows.count, 2);
      assert_int_equal(learned.learner[a].rows.visits[0], 10);
      assert_int_equal(learned.learner[a].rows.visits[1], 20);
      /* who hears bad news slowly, or not at first, is not there yet */
      bool patient = classics[k]->learn == classic_named("hysteretic")->learn || classics[k]->learn == classic_named("lenient")->learn;
      if (patient) continue;
      CHECK_NEAR(worth(&plan, &learned, a, 1), sign, 1e-9);
      CHECK_NEAR(worth(&plan, &learned, a, 0), sign * 1.9, 1e-9);
    }
    learned_free(&learned);
  }
  env_destroy(env);
}

/* The same game cut after three rounds: it would have gone on for ever, and is worth 1 / (1 - .9). */
static void cuts_are_worth_what_would_follow(void **state) {
  (void)state;
  Env *env;
  const char *const words[] = {"payoff=[[1]]", "rounds=3", "time_limit=cut"};
  CHECK_OK(env_create_from("matrix_game", words, 3, &env));
  for (size_t k = 0; k < classic_count; k++) {
    LearnPlan plan = plan_of(env, classics[k]->name, 3000);
    Learned learned;
    plan.rate[0] = plan.rate[1] = plan.down = .5;
    CHECK_OK(learn(&plan, &learned));
    for (uint32_t a = 0; a < 2; a++)
      for (size_t row = 0; row < 2; row++) CHECK_NEAR(worth(&plan, &learned, a, row), a ? -10 : 10, 1e-6);
    learned_free(&learned);
  }
  env_destroy(env);
}

/* In tic-tac-toe an agent is paid when the other has moved, too: who has lost by the other's last move learns of it. */
static void rewards_come_after_others_moves(void **state) {
  (void)state;
  Env *env;
  CHECK_OK(env_create_from("tic_tac_toe", NULL, 0, &env));
  LearnPlan plan = plan_of(env, "q", 20000);
  Learned learned;
  plan.rate[0] = plan.rate[1] = .2;
  CHECK_OK(learn(&plan, &learned));
  size_t lost[2] = {0};
  for (uint32_t a = 0; a < 2; a++)
    for (size_t i = 0; i < learned.learner[a].rows.count * 9; i++) lost[a] += learned.learner[a].rows.numbers[i] < -.3;
  assert_true(lost[0] > 5 && lost[1] > 5);
  /* what is played by it is legal, and its rows are probabilities */
  TableRows rows;
  double mean[2];
  CHECK_OK(learned_rows(&plan, &learned, &rows));
  assert_int_equal(rows.count, learned.learner[0].rows.count + learned.learner[1].rows.count);
  for (size_t r = 0; r < rows.count; r++) {
    double sum = 0;
    for (size_t i = 0; i < 9; i++) sum += (double)rows.probability[r * 9 + i];
    CHECK_NEAR(sum, 1, 1e-5);
  }
  CHECK_OK(learned_play(&plan, &learned, 100, mean));
  CHECK_NEAR(mean[0] + mean[1], 0, 1e-9);
  learned_rows_free(&rows);
  learned_free(&learned);
  env_destroy(env);
}

/* A learner against one who always plays rock earns nearly 1 from both seats. */
static void challengers_find_what_is_weak(void **state) {
  (void)state;
  Env *env;
  CHECK_OK(env_create_from("matrix_game", NULL, 0, &env));
  uint8_t seen[64];
  void *episode = calloc(1, env->spec.episode_size);
  float reward[2] = {0}, rock[6] = {1, 0, 0, 1, 0, 0};
  uint64_t key[2];
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  assert_int_equal(env_reset(env, episode, &rng, reward), AGON_RUNNING);
  for (uint32_t a = 0; a < 2; a++) {
    env_observe(env, episode, a, seen);
    key[a] = table_key(env, a, seen);
  }
  assert_true(key[0] != key[1]);
  Contestant rival;
  CHECK_OK(contestant_table("rock", env, &(TableRows){2, key, rock}, &rival));
  LearnPlan plan = plan_of(env, "q", 2000);
  Learned learned;
  double mean[2];
  plan.against = &rival;
  plan.rate[0] = plan.rate[1] = .1;
  CHECK_OK(learn(&plan, &learned));
  CHECK_OK(learned_play(&plan, &learned, 100, mean));
  CHECK_NEAR(mean[0], 1, 1e-9);
  learned_free(&learned);
  contestant_destroy(&rival);
  free(episode);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_are_worth_nothing),
      cmocka_unit_test(cuts_are_worth_what_would_follow),
      cmocka_unit_test(rewards_come_after_others_moves),
      cmocka_unit_test(challengers_find_what_is_weak),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
