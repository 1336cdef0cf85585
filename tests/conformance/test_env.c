/* The conformance suite over every built-in env and its variants; and envs that break their contract are caught. */
#include "check.h"

#include "env/env.h"

#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  const char *option[3];
  size_t options;
} variant[] = {
    {"matrix_game", {NULL}, 0},
    {"matrix_game", {"preset=biased_rps"}, 1},
    {"matrix_game", {"preset=matching_pennies"}, 1},
    {"matrix_game", {"preset=prisoners_dilemma", "rounds=7"}, 2},
    {"matrix_game", {"preset=stag_hunt"}, 1},
    {"matrix_game", {"payoff=[[1,2,3],[4,5,6]]"}, 1},
    {"kuhn_poker", {NULL}, 0},
    {"leduc_poker", {NULL}, 0},
    {"tic_tac_toe", {NULL}, 0},
    {"connect_four", {NULL}, 0},
    {"connect_four", {"planes=threats"}, 1},
    {"liars_dice", {NULL}, 0},
    {"liars_dice", {"faces=3"}, 1},
    {"goofspiel", {NULL}, 0},
    {"goofspiel", {"cards=13", "information=perfect", "returns=points"}, 3},
    {"goofspiel", {"cards=4", "prizes=descending", "returns=point_difference"}, 3},
    {"skirmish", {NULL}, 0},
    {"skirmish", {"units=1", "shaping=0"}, 2},
    {"skirmish", {"units=8", "height=9", "limit=40"}, 3},
};

static void all_envs_keep_their_contract(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT_OF(variant); i++) {
    Env *env;
    size_t checks = 0;
    CHECK_OK(env_create_from(variant[i].name, variant[i].option, variant[i].options, &env));
    for (uint64_t seed = 1; seed <= 3; seed++) CHECK_OK(env_conformance(env, seed, 100, &checks));
    assert_true(checks > 500);
    env_destroy(env);
  }
  for (size_t i = 0; env_builtin(i); i++) { /* none is forgotten above */
    bool listed = false;
    for (size_t v = 0; v < COUNT_OF(variant); v++) listed |= !strcmp(variant[v].name, env_builtin(i)->name);
    assert_true(listed);
  }
}

/* Each of these spoils one clause of tic-tac-toe. */
static AgonEnv good;
static void observe_too_far(const void *params, const void *episode, uint32_t agent, void *row) {
  good.observe(params, episode, agent, row);
  ((uint8_t *)row)[18] = 1;
}
static void observe_partly(const void *params, const void *episode, uint32_t agent, void *row) {
  uint8_t whole[18];
  good.observe(params, episode, agent, whole);
  memcpy(row, whole, 17);
}
static void mask_nothing(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  memset(row, 0, 9);
}
static void outcome_over_one(const void *params, const void *episode, float *out) {
  good.outcome(params, episode, out);
  out[0] += 1;
}
static AgonStatus step_at_random(const void *params, void *episode, const AgonAction *actions, const AgonRandom *random,
                                 float *reward) {
  static uint32_t hidden; /* a global: not repeatable */
  AgonStatus status = good.step(params, episode, actions, random, reward);
  reward[0] += (float)(hidden++ % 2);
  return status;
}
static AgonStatus step_not_zero_sum(const void *params, void *episode, const AgonAction *actions,
                                    const AgonRandom *random, float *reward) {
  AgonStatus status = good.step(params, episode, actions, random, reward);
  reward[0] += 1;
  return status;
}
static void nobody_acts(const void *params, const void *episode, uint8_t *flags) {
  good.flags(params, episode, flags);
  flags[0] = flags[1] = AGON_ALIVE;
}

static void spoilt_envs_are_caught(void **state) {
  (void)state;
  static const char *const says[] = {"outside its row", "unwritten", "no legal action",        "outcome",
                                     "not repeatable",  "cancel",    "without an acting agent"};
  for (int i = 0; i < 7; i++) {
    Env *env;
    size_t checks;
    CHECK_OK(env_create_from("tic_tac_toe", NULL, 0, &env));
    good = *env->table;
    AgonEnv bad = good;
    if (i == 0) bad.observe = observe_too_far;
    if (i == 1) bad.observe = observe_partly;
    if (i == 2) bad.mask = mask_nothing;
    if (i == 3) bad.outcome = outcome_over_one;
    if (i == 4) bad.step = step_at_random;
    if (i == 5) bad.step = step_not_zero_sum;
    if (i == 6) bad.flags = nobody_acts;
    env->table = &bad;
    assert_int_equal(env_conformance(env, 1, 20, &checks), ERR_ENV);
    if (!strstr(status_message(), says[i])) fail_msg("'%s' does not say '%s'", status_message(), says[i]);
    env->table = &good;
    env_destroy(env);
  }
}

static void wrong_options_are_refused(void **state) {
  (void)state;
  static const char *const bad[][2] = {{"matrix_game", "payoff=[[1,2],[3]]"},
                                       {"matrix_game", "payoff=[[a]]"},
                                       {"goofspiel", "cards=14"},
                                       {"skirmish", "units=9"},
                                       {"skirmish", "height=4"},
                                       {"matrix_game", "payoff_column=[[1]]"}};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    Env *env;
    const char *pair[2] = {bad[i][1], "units=8"};
    size_t count = !strcmp(bad[i][1], "height=4") ? 2 : 1;
    assert_int_equal(env_create_from(bad[i][0], pair, count, &env), ERR_USAGE);
  }
}

/* The planes of winning cells against a look at every empty cell and every line through it. */
static bool makes_four(const uint8_t *stones, int y, int x) {
  static const int dy[4] = {0, 1, 1, 1}, dx[4] = {1, 0, 1, -1};
  for (int d = 0; d < 4; d++) {
    int run = 1;
    for (int way = -1; way <= 1; way += 2)
      for (int k = 1; k < 4; k++) {
        int r = y + way * k * dy[d], c = x + way * k * dx[d];
        if (r < 0 || r > 5 || c < 0 || c > 6 || !stones[r * 7 + c]) break;
        run++;
      }
    if (run >= 4) return true;
  }
  return false;
}

static void threats_are_what_a_search_finds(void **state) {
  (void)state;
  Env *env;
  const char *option = "planes=threats";
  size_t seen = 0;
  CHECK_OK(env_create_from("connect_four", &option, 1, &env));
  void *episode = calloc(1, env->spec.episode_size);
  for (uint32_t game = 0; game < 300; game++) {
    AgonRng rng = rng_stream(1, game, 0, RNG_TEST);
    float reward[AGON_MAX_AGENTS] = {0};
    AgonStatus how = env_reset(env, episode, &rng, reward);
    while (how == AGON_RUNNING) {
      uint8_t row[4 * 42], legal[7];
      AgonAction actions[2];
      double weight[7];
      for (uint32_t agent = 0; agent < 2; agent++) {
        env->table->observe(env->params, episode, agent, row);
        for (int cell = 0; cell < 42; cell++)
          for (int side = 0; side < 2; side++) {
            bool empty = !row[cell] && !row[42 + cell];
            bool expected = empty && makes_four(row + 42 * side, cell / 7, cell % 7);
            assert_int_equal(row[84 + 42 * side + cell], expected);
            seen += expected;
          }
      }
      env->table->mask(env->params, episode, 0, legal);
      for (int c = 0; c < 7; c++) weight[c] = legal[c];
      actions[0].choice[0] = actions[1].choice[0] = (int32_t)rng_pick(&rng, weight, 7);
      how = env_step(env, episode, actions, &rng, reward);
    }
  }
  assert_true(seen > 1000);
  free(episode);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_envs_keep_their_contract), cmocka_unit_test(spoilt_envs_are_caught),
      cmocka_unit_test(threats_are_what_a_search_finds), cmocka_unit_test(wrong_options_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
