/* The conformance suite over every built-in env and its variants; and envs that break their contract are caught. */
#include "check.h"

#include "env/env.h"

#include <math.h>
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
    {"matrix_game", {"preset=ipd", "rounds=20", "time_limit=cut"}, 3},
    {"matrix_game", {"preset=chicken"}, 1},
    {"matrix_game", {"preset=battle_of_sexes", "rounds=3"}, 2},
    {"matrix_game", {"preset=shapley", "rounds=3"}, 2},
    {"matrix_game", {"payoff=[[1,2,3],[4,5,6]]"}, 1},
    {"matrix_game", {"preset=climbing", "rounds=25"}, 2},
    {"matrix_game", {"preset=penalty", "penalty=-25", "rounds=25"}, 3},
    {"matrix_game", {"payoff=[[1,2,3],[4,5,6]]", "common=true"}, 2},
    {"coin_game", {NULL}, 0},
    {"coin_game", {"size=6", "stay=true", "rounds=40"}, 3},
    {"coin_game", {"size=2", "both=first", "time_limit=end"}, 3},
    {"coin_game", {"recall=true", "rounds=60"}, 2},
    {"commons", {"limit=60"}, 1},
    {"commons", {"kind=cleanup", "limit=80"}, 2},
    {"commons", {"agents=2", "size=6", "limit=40"}, 3},
    {"commons", {"kind=cleanup", "teams=one", "zap_time=0"}, 3},
    {"commons", {"teams=one", "zap_time=0", "limit=50"}, 3},
    {"market", {NULL}, 0},
    {"market", {"budget=20", "stock=3", "script=zi"}, 3},
    {"market", {"buyers=8", "sellers=1", "values=once"}, 3},
    {"two_step", {NULL}, 0},
    {"soccer", {NULL}, 0},
    {"soccer", {"start=held", "draw=0.1"}, 2},
    {"soccer", {"draw=0.5", "limit=9"}, 2},
    {"predator_prey", {"limit=60"}, 1},
    {"predator_prey", {"size=5", "predators=10", "prey=12"}, 3},
    {"predator_prey", {"needed=3", "rest=0.4", "walls=true"}, 3},
    {"predator_prey", {"predators=32", "prey=9", "limit=10"}, 3},
    {"kitchen", {"limit=80"}, 1},
    {"kitchen", {"layout=asymmetric_advantages", "shaping=1", "limit=60"}, 3},
    {"kitchen", {"layout=forced_coordination", "cooking=3", "limit=60"}, 3},
    {"kitchen", {"map=XXPXX/X1.2X/XOSDX", "shaping=0.5", "limit=60"}, 3},
    {"traffic", {"limit=40"}, 1},
    {"traffic", {"rows=1", "columns=1", "rewards=team"}, 3},
    {"traffic", {"scripted=fixed-time", "demand=1200", "limit=60"}, 3},
    {"traffic", {"room=5", "rows=2", "limit=60"}, 3},
    {"warehouse", {"limit=60"}, 1},
    {"warehouse", {"agents=20", "queue=9", "limit=60"}, 3},
    {"warehouse", {"size=small", "rewards=two_stage", "limit=60"}, 3},
    {"warehouse", {"size=large", "sensor=3", "limit=20"}, 3},
    {"goal_cells", {NULL}, 0},
    {"goal_cells", {"goals=fixed", "step_cost=0.1"}, 2},
    {"goal_cells", {"size=4", "agents=8", "limit=7"}, 3},
    {"foraging", {NULL}, 0},
    {"foraging", {"coop=true", "rewards=team", "penalty=0.1"}, 3},
    {"foraging", {"size=15", "players=4", "food=5"}, 3},
    {"foraging", {"players=3", "food=3", "sight=2"}, 3},
    {"foraging", {"size=5", "players=16", "food=16"}, 3},
    {"foraging", {"size=6", "sight=1", "observation=grid"}, 3},
    {"foraging", {"players=1", "normalised=false", "max_food_level=1"}, 3},
    {"kuhn_poker", {NULL}, 0},
    {"kuhn_poker", {"players=3"}, 1},
    {"kuhn_poker", {"players=10"}, 1},
    {"leduc_poker", {NULL}, 0},
    {"tic_tac_toe", {NULL}, 0},
    {"connect_four", {NULL}, 0},
    {"connect_four", {"planes=threats"}, 1},
    {"liars_dice", {NULL}, 0},
    {"liars_dice", {"faces=3"}, 1},
    {"goofspiel", {NULL}, 0},
    {"goofspiel", {"cards=13", "information=perfect", "returns=points"}, 3},
    {"goofspiel", {"cards=4", "prizes=descending", "returns=point_difference"}, 3},
    {"simple_spread", {NULL}, 0},
    {"simple_spread", {"rules=openai", "agents=7", "landmarks=4"}, 3},
    {"simple_spread", {"actions=box", "local_ratio=0.2", "limit=60"}, 3},
    {"simple_tag", {NULL}, 0},
    {"simple_tag", {"predators=4", "prey=3", "obstacles=0"}, 3},
    {"simple_tag", {"actions=box", "rules=openai", "catches=3"}, 3},
    {"simple_adversary", {NULL}, 0},
    {"simple_adversary", {"good=5", "rules=openai"}, 2},
    {"simple_adversary", {"actions=box", "limit=7"}, 2},
    {"simple_speaker_listener", {NULL}, 0},
    {"simple_speaker_listener", {"rules=openai"}, 1},
    {"simple_speaker_listener", {"actions=box"}, 1},
    {"simple_reference", {NULL}, 0},
    {"simple_reference", {"actions=heads", "rules=openai"}, 2},
    {"simple_reference", {"actions=box", "local_ratio=1"}, 2},
    {"skirmish", {NULL}, 0},
    {"skirmish", {"units=1", "shaping=0"}, 2},
    {"skirmish", {"units=8", "height=9", "limit=40"}, 3},
    {"skirmish", {"enemy=scripted"}, 1},
    {"skirmish", {"enemy=scripted", "units=1", "shaping=0"}, 3},
};

static void all_envs_keep_their_contract(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT_OF(variant); i++) {
    Env *env;
    size_t checks = 0;
    if (!env_is_builtin(variant[i].name)) continue; /* it has been taken out */
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
                                 float *reward, AgonError *error) {
  static uint32_t hidden; /* a global: not repeatable */
  AgonStatus status = good.step(params, episode, actions, random, reward, error);
  reward[0] += (float)(hidden++ % 2);
  return status;
}
static AgonStatus step_not_zero_sum(const void *params, void *episode, const AgonAction *actions,
                                    const AgonRandom *random, float *reward, AgonError *error) {
  AgonStatus status = good.step(params, episode, actions, random, reward, error);
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

/* What an env says of itself is checked before anything is laid out by it: each bound, by the name of its field. */
typedef struct Lie {
  AgonEnv table;
  AgonEnvSpec spec;
  AgonKind kind[2];
  uint32_t head_size[2][AGON_MAX_HEADS + 1];
  float low[2], high[2];
  AgonAction idle[2];
  uint8_t team_of[AGON_MAX_AGENTS + 1], kind_of[AGON_MAX_AGENTS + 1];
  float knob_low[1], knob_high[1], knob_plain[1];
} Lie;

static void no_metrics(const void *params, const void *episode, float *values) {
  (void)params, (void)episode, (void)values;
}
static int no_create(const void *params, void *episode, AgonError *error) {
  (void)params, (void)episode, (void)error;
  return 0;
}
static void no_destroy(const void *params, void *episode) { (void)params, (void)episode; }
static int no_save(const void *params, const void *episode, void *bytes, size_t *size, AgonError *error) {
  (void)params, (void)episode, (void)bytes, (void)error;
  *size = 0;
  return 0;
}
static int no_load(const void *params, void *episode, const void *bytes, size_t size, AgonError *error) {
  (void)params, (void)episode, (void)bytes, (void)size, (void)error;
  return 0;
}
static uint32_t no_chance(const void *params, const void *episode, double *probability) {
  (void)params, (void)episode;
  probability[0] = 1;
  return 1;
}
static AgonStatus no_outcome(const void *params, void *episode, uint32_t outcome, float *reward, AgonError *error) {
  (void)params, (void)episode, (void)outcome, (void)reward, (void)error;
  return AGON_RUNNING;
}
static AgonStatus knobs_reset(const void *params, void *episode, const float *knob, const AgonRandom *random,
                              AgonError *error) {
  (void)knob;
  return good.reset(params, episode, random, error);
}
static const char *const names[17] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                      "j", "k", "l", "m", "n", "o", "p", "q"};

/* Two kinds of two agents each, in two teams, with all that a table may offer: nothing is wrong with it. */
static void tell_the_truth(Lie *lie, bool box) {
  good = *env_builtin(3);
  assert_string_equal(good.name, "tic_tac_toe");
  *lie = (Lie){.table = good, .low = {-1, -1}, .high = {1, 1}, .knob_low = {0}, .knob_high = {1}};
  lie->table.metrics = no_metrics;
  lie->table.metric_names = names;
  lie->table.reset_with = knobs_reset;
  lie->table.chance_outcomes = no_chance;
  lie->table.chance_apply = no_outcome;
  for (int k = 0; k < 2; k++) {
    for (int h = 0; h <= AGON_MAX_HEADS; h++) lie->head_size[k][h] = 2;
    lie->kind[k] = (AgonKind){.observation_type = AGON_U8,
                              .observation_shape = {2, 3, 3},
                              .observation_high = 1,
                              .action_kind = box ? AGON_BOX : AGON_MULTI_DISCRETE,
                              .heads = 2,
                              .head_size = box ? NULL : lie->head_size[k],
                              .action_low = box ? lie->low : NULL,
                              .action_high = box ? lie->high : NULL,
                              .idle = lie->idle};
  }
  lie->team_of[1] = lie->team_of[3] = 1;
  lie->kind_of[2] = lie->kind_of[3] = 1;
  lie->spec = (AgonEnvSpec){.episode_size = 16,
                            .agents = 4,
                            .teams = 2,
                            .team_of = lie->team_of,
                            .kinds = 2,
                            .kind = lie->kind,
                            .kind_of = lie->kind_of,
                            .chance = 1,
                            .step_limit = 9,
                            .flags = AGON_ENUMERATES_CHANCE,
                            .reward_low = -1,
                            .reward_high = 1,
                            .metrics = 2,
                            .knobs = 1,
                            .knob_names = names,
                            .knob_low = lie->knob_low,
                            .knob_high = lie->knob_high,
                            .knob_plain = lie->knob_plain};
}

/* clang-format off */
/* Spoils one field; says what the refusal must say, or NULL after the last. */
static const char *spoil(Lie *lie, int which) {
  AgonEnvSpec *spec = &lie->spec;
  AgonEnv *table = &lie->table;
  AgonKind *kind = &lie->kind[1];
  switch (which) {
  case 0: spec->metrics = 17; return "metrics is 17, not 0 .. 16";
  case 1: table->metric_names = NULL; return "metrics without their function or names";
  case 2: spec->teams = 3; return "a team has no agents";
  case 3: spec->teams = 65; return "teams is 65, not 1 .. 64";
  case 4: spec->agents = 1025; return "agents is 1025, not 1 .. 1024";
  case 5: spec->agents = 0; return "agents is 0";
  case 6: lie->head_size[1][1] = 65534; return "choices (the sum of head_size) of kind 1 is 65536, not 1 .. 65535";
  case 7: lie->head_size[0][0] = lie->head_size[1][1] = 40000; return "side by side is 80000, not 1 .. 65535";
  case 8: kind->action_kind = AGON_DISCRETE; return "kind 1: DISCRETE has one head";
  case 9: kind->action_kind = (AgonActionKind)9; return "kind 1: unknown action_kind";
  case 10: kind->action_kind = AGON_BOX; return "a BOX beside choices";
  case 11: kind->heads = AGON_MAX_HEADS + 1; return "heads of kind 1 is 65, not 1 .. 64";
  case 12: kind->head_size = NULL; return "choices without head_size";
  case 13: lie->head_size[1][1] = 0; return "a head has no choices";
  case 14: lie->idle[1].choice = 2; return "idle is no choice";
  case 15: kind->observation_type = (AgonElement)9; return "kind 1: unknown observation_type";
  case 16: kind->observation_shape[0] = 0; return "a dimension of observation_shape of kind 1 is 0";
  case 17: kind->observation_shape[0] = kind->observation_shape[1] = 1u << 20; return "observation elements";
  case 18: kind->observation_low = NAN; return "observation_low .. observation_high is no range";
  case 19: spec->params_size = 1u << 20; return "params_capacity";
  case 20: spec->reward_high = -2; return "reward_low .. reward_high";
  case 21: lie->team_of[1] = 2; return "team_of is not below";
  case 22: lie->kind_of[1] = 2; return "kind_of is not below";
  case 23: spec->team_of = NULL; return "team_of is NULL";
  case 24: spec->kinds = 65; return "kinds is 65, not 1 .. 64";
  case 25: spec->kind = NULL; return "kind is NULL";
  case 26: spec->chance = (1u << 24) + 1; return "chance is 16777217, not 0 .. 16777216";
  case 27: spec->chance = 0; return "the most outcomes of a chance move, is 0";
  case 28: table->chance_apply = NULL; return "chance without chance_outcomes, chance_apply";
  case 29: spec->knobs = 65; return "knobs is 65, not 0 .. 64";
  case 30: table->reset_with = NULL; return "knobs without reset_with";
  case 31: lie->knob_high[0] = -1; return "without a finite range knob_low";
  case 32: spec->step_limit = 0; return "step_limit is 0";
  case 33: spec->episode_size = 0; return "episode_size is 0";
  case 34: spec->episode_size = (1u << 28) + 1; return "episode_size is 268435457";
  case 35: spec->global_state_size = 3; return "global_state_size without global_state";
  case 36: table->outcome = NULL; return "several teams without outcome";
  case 37: table->create = no_create; return "create without destroy";
  case 38: table->create = no_create, table->destroy = no_destroy; return "set AGON_NOT_SAVED";
  case 39: table->destroy = no_destroy; return "destroy, save or load without create";
  case 40: table->create = no_create, table->destroy = no_destroy, table->save = no_save; return "save without load";
  case 41:
    table->create = no_create, table->destroy = no_destroy, table->save = no_save, table->load = no_load;
    spec->flags |= AGON_NOT_SAVED;
    return "AGON_NOT_SAVED beside save";
  case 42: lie->knob_plain[0] = 2; return "knob_plain lies outside of knob_low";
  default: return NULL;
  }
}

static const char *spoil_box(Lie *lie, int which) {
  switch (which) {
  case 0: lie->kind[1].action_high = NULL; return "BOX without action_low and action_high";
  case 1: lie->low[1] = 1; return "BOX needs finite action_low < action_high of each component";
  case 2: lie->high[0] = INFINITY; return "BOX needs finite";
  case 3: lie->idle[0].value = 2; return "idle is outside action_low";
  case 4: lie->kind[0].heads = 65; return "heads of kind 0 is 65";
  default: return NULL;
  }
}
/* clang-format on */

static void specs_out_of_bounds_are_refused(void **state) {
  (void)state;
  static Lie lie;
  Env *env;
  for (int box = 0; box < 2; box++) {
    tell_the_truth(&lie, box);
    CHECK_OK(env_over(&lie.table, &lie.spec, &env));
    env_destroy(env);
    for (int i = 0;; i++) {
      tell_the_truth(&lie, box);
      const char *says = box ? spoil_box(&lie, i) : spoil(&lie, i);
      if (!says) break;
      assert_int_equal(env_over(&lie.table, &lie.spec, &env), ERR_ENV);
      if (!strstr(status_message(), says)) fail_msg("'%s' does not say '%s'", status_message(), says);
    }
  }
  tell_the_truth(&lie, false); /* what is at a bound is within it */
  lie.spec.agents = 1024;
  lie.spec.team_of = lie.team_of;
  lie.kind[0].observation_low = -INFINITY, lie.kind[0].observation_high = INFINITY;
  lie.head_size[0][0] = lie.head_size[1][0] = 65533;
  CHECK_OK(env_over(&lie.table, &lie.spec, &env));
  assert_int_equal(env->action_count, 65535);
  env_destroy(env);
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
    float reward[2] = {0};
    AgonStatus how = env_reset(env, episode, &rng, reward);
    while (how == AGON_RUNNING) {
      uint8_t row[4 * 42], legal[7];
      AgonAction actions[2];
      double weight[7];
      for (uint32_t agent = 0; agent < 2; agent++) {
        env_observe(env, episode, agent, row);
        for (int cell = 0; cell < 42; cell++)
          for (int side = 0; side < 2; side++) {
            bool empty = !row[cell] && !row[42 + cell];
            bool expected = empty && makes_four(row + 42 * side, cell / 7, cell % 7);
            assert_int_equal(row[84 + 42 * side + cell], expected);
            seen += expected;
          }
      }
      env_mask(env, episode, 0, legal);
      for (int c = 0; c < 7; c++) weight[c] = legal[c];
      actions[0].choice = actions[1].choice = (int32_t)rng_pick(&rng, weight, 7);
      how = env_step(env, episode, actions, &rng, reward);
    }
  }
  assert_true(seen > 1000);
  free(episode);
  env_destroy(env);
}

static bool leaks;
/* Two agents a team: what one of a team gains and the other loses cancels; what is given to one does not. */
static AgonStatus step_within_teams(const void *params, void *episode, const AgonAction *actions,
                                    const AgonRandom *random, float *reward, AgonError *error) {
  AgonStatus status = good.step(params, episode, actions, random, reward, error);
  reward[0] += 1;
  reward[1] -= leaks ? 0 : 1;
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
  leaks = false;
  CHECK_OK(env_conformance(env, 1, 20, &checks));
  leaks = true;
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
