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

/* What an env says of itself is checked before anything is laid out by it. */
static AgonEnv liar;
static int lie;
static const char *const seventeen[17] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                          "j", "k", "l", "m", "n", "o", "p", "q"};
static void no_metrics(const void *params, const void *episode, float *values) {
  (void)params, (void)episode, (void)values;
}
static int configure_wrongly(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  int result = good.configure(values, params, spec, error);
  if (lie == 1) spec->metrics = 17;
  if (lie == 2) spec->metrics = 1, liar.metric_names = NULL;
  if (lie == 3) spec->teams = 3;
  if (lie == 4) spec->head_size[0] = AGON_MAX_CHOICES + 1;
  if (lie == 5) spec->heads = 2;
  if (lie == 6) spec->action_kind = AGON_BOX, spec->action_low = spec->action_high = 1;
  if (lie == 7) spec->action_kind = (AgonActionKind)9;
  if (lie == 8) spec->observation_type = (AgonElement)9;
  if (lie == 9) spec->observation_shape[0] = spec->observation_shape[1] = 1u << 20;
  if (lie == 10) spec->params_size = 1u << 20;
  if (lie == 11) spec->reward_high = spec->reward_low - 1;
  if (lie == 12) spec->team_of[1] = 4;
  return result;
}

static void specs_out_of_bounds_are_refused(void **state) {
  (void)state;
  static const char *const says[] = {"",
                                     "METRICS metrics",
                                     "names",
                                     "a team has no agents",
                                     "CHOICES",
                                     "one head",
                                     "BOX needs",
                                     "action_kind",
                                     "observation_type",
                                     "elements",
                                     "params_capacity",
                                     "reward_low",
                                     "team_of"};
  for (lie = 0; lie < (int)COUNT_OF(says); lie++) {
    Config *config;
    Option *options;
    Env *env = NULL;
    good = liar = *env_builtin(3);
    assert_string_equal(good.name, "tic_tac_toe");
    liar.configure = configure_wrongly;
    liar.metrics = no_metrics;
    liar.metric_names = seventeen;
    CHECK_OK(config_create(&config));
    CHECK_OK(env_declare(&liar, config, &options));
    CHECK_OK(config_resolve(config));
    assert_int_equal(env_create(&liar, NULL, config, &env), lie ? ERR_ENV : OK);
    if (lie && !strstr(status_message(), says[lie])) fail_msg("'%s' does not say '%s'", status_message(), says[lie]);
    if (!lie) env_destroy(env);
    config_destroy(config);
    free(options);
  }
}

static void games_are_told_apart_by_their_options(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"cards=4", "prizes=random"}, {"cards=4", "prizes=descending"}};
  Env *env[3];
  for (int i = 0; i < 2; i++) CHECK_OK(env_create_from("goofspiel", pairs[i], 2, &env[i]));
  CHECK_OK(env_create_from("goofspiel", pairs[0], 1, &env[2]));
  CHECK_OK(env_check_same(env[0], env[2], "a run"));
  assert_int_equal(env_check_same(env[1], env[0], "a run"), ERR_USAGE);
  assert_non_null(strstr(status_message(), "'goofspiel cards=4 prizes=descending', not 'goofspiel cards=4'"));
  for (int i = 0; i < 3; i++) env_destroy(env[i]);
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

/* Two agents a team: what one of a team gains and the other loses cancels; what is given to one does not. */
static AgonStatus step_within_teams(const void *params, void *episode, const AgonAction *actions,
                                    const AgonRandom *random, float *reward) {
  AgonStatus status = good.step(params, episode, actions, random, reward);
  reward[0] += 1;
  reward[1] -= lie ? 0 : 1;
  return status;
}

static void zero_sums_are_over_teams(void **state) {
  (void)state;
  Env *env;
  size_t checks;
  const char *option[2] = {"units=2", "shaping=0"};
  CHECK_OK(env_create_from("skirmish", option, 2, &env));
  good = *env->table;
  AgonEnv bad = good;
  assert_true(env->spec.flags & AGON_ZERO_SUM && env->spec.team_of[0] == env->spec.team_of[1]);
  bad.step = step_within_teams;
  bad.step_many = NULL;
  env->table = &bad;
  env->spec.reward_high += 1000;
  env->spec.reward_low -= 1000;
  lie = 0;
  CHECK_OK(env_conformance(env, 1, 20, &checks));
  lie = 1;
  assert_int_equal(env_conformance(env, 1, 20, &checks), ERR_ENV);
  assert_non_null(strstr(status_message(), "over the teams' sums"));
  env->table = &good;
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_envs_keep_their_contract),    cmocka_unit_test(spoilt_envs_are_caught),
      cmocka_unit_test(threats_are_what_a_search_finds), cmocka_unit_test(wrong_options_are_refused),
      cmocka_unit_test(specs_out_of_bounds_are_refused), cmocka_unit_test(games_are_told_apart_by_their_options),
      cmocka_unit_test(zero_sums_are_over_teams)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
