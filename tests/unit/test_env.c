/* What the host makes of an env: one layout for several kinds, shorter tables, failures with their
 * reasons, episodes as bytes, live objects made flat by their history, and what is offered beside
 * the game. */
#include "check.h"

#include "agon/history.h"
#include "env/env.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a pen of this file's own: two teams, hunters (kind 0) and hares (kind 1), who may be taken
 * out of it --- */
enum { AGENTS = 5, ROUNDS = 7 };

typedef struct Pen {
  uint8_t gone[AGENTS];
  uint8_t round, fence;
} Pen;

/* What it does wrong, one at a time. */
static enum {
  NOTHING,
  POTENTIAL,
  MANY_POTENTIALS,
  POSITION,
  STAYS,
  CRAWLS,
  KNOBS,
  PLAIN,
  SILENT,
  IDLE,
  RETURNS,
  STANDSTILL,
  CHANCE
} fault;

static AgonStatus pen_reset(const void *params, void *block, const AgonRandom *random,
                            AgonError *error) {
  (void)params, (void)error;
  Pen *pen = block;
  memset(pen, 0, sizeof *pen);
  pen->fence = (uint8_t)agon_random_below(random, 3);
  if (fault == SILENT) return AGON_FAILED;
  if (fault == CHANCE) return AGON_CHANCE; /* which its spec does not have */
  return AGON_RUNNING;
}

static AgonStatus pen_reset_with(const void *params, void *block, const float *knob,
                                 const AgonRandom *random, AgonError *error) {
  AgonStatus status = pen_reset(params, block, random, error);
  if (knob[0] < 4 || fault == PLAIN) ((Pen *)block)->fence = (uint8_t)knob[0];
  if (fault != KNOBS || knob[0] < 4) return status;
  snprintf(error->text, sizeof error->text, "a fence of %g", (double)knob[0]);
  return AGON_FAILED;
}

/* Hunters act in heads of 3 and 2 choices, hares in one of 4: every component that nobody has is 0.
 */
static AgonStatus pen_step(const void *params, void *block, const AgonAction *actions,
                           const AgonRandom *random, float *reward, AgonError *error) {
  (void)params, (void)random;
  Pen *pen = block;
  for (uint32_t a = 3; a < AGENTS; a++)
    if (!pen->gone[a] && actions[2 * a + 1].choice != 0) {
      snprintf(error->text, sizeof error->text, "hare %u moves a leg that it does not have", a);
      return AGON_FAILED;
    }
  reward[0] += 1, reward[3] -= 1;
  return ++pen->round < ROUNDS ? AGON_RUNNING : AGON_TERMINATED;
}

static void pen_observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params;
  const Pen *pen = block;
  uint8_t bytes[2] = {pen->round, (uint8_t)agent};
  float floats[3] = {(float)pen->round, -(float)agent, 0.5f};
  if (agent < 3)
    memcpy(row, bytes, sizeof bytes);
  else
    memcpy(row, floats, sizeof floats);
}

static void pen_flags(const void *params, const void *block, uint8_t *flags) {
  (void)params;
  const Pen *pen = block;
  for (int a = 0; a < AGENTS; a++)
    flags[a] = pen->gone[a] ? 0 : (uint8_t)(AGON_ALIVE | (pen->round < ROUNDS ? AGON_ACTS : 0));
  for (int a = 0; a < AGENTS; a++) {
    if (!pen->gone[a]) continue;
    if (fault == RETURNS && pen->round == ROUNDS - 1) flags[a] = AGON_ALIVE | AGON_ACTS;
    for (int b = 0; fault == STANDSTILL && b < AGENTS; b++) flags[b] &= AGON_ALIVE;
  }
}

static void pen_mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)params, (void)block;
  memset(row, 1, agent < 3 ? 5 : 4);
  if (agent < 3) row[1] = 0;
  if (agent >= 3) row[0] = fault != IDLE;
}

static void pen_outcome(const void *params, const void *block, float *outcome) {
  (void)params, (void)block;
  outcome[0] = 1, outcome[1] = 0;
}

static void pen_potential(const void *params, const void *block, float *phi) {
  (void)params, (void)block;
  for (int a = 0; a < AGENTS + (fault == MANY_POTENTIALS); a++)
    phi[a] = fault == POTENTIAL && a == 2 ? NAN : 1;
}

static void pen_position(const void *params, const void *block, uint32_t agent, float xyz[3]) {
  (void)params, (void)block;
  xyz[0] = (float)agent;
  if (fault == POSITION) xyz[1] = INFINITY;
}

static int pen_remove(const void *params, void *block, uint32_t agent, AgonError *error) {
  (void)params;
  Pen *pen = block;
  pen->gone[agent] = fault != STAYS;
  if (fault != CRAWLS) return 0;
  snprintf(error->text, sizeof error->text, "agent %u crawls back", agent);
  return -1;
}

static const uint32_t hunter_heads[] = {3, 2}, hare_heads[] = {4};
static const AgonAction still[] = {{0}, {0}};
static const AgonKind pen_kind[2] = {{.name = "hunter",
                                      .observation_type = AGON_U8,
                                      .observation_shape = {2, 1, 1},
                                      .observation_high = ROUNDS,
                                      .action_kind = AGON_MULTI_DISCRETE,
                                      .heads = 2,
                                      .head_size = hunter_heads,
                                      .idle = still},
                                     {.name = "hare",
                                      .observation_shape = {3, 1, 1},
                                      .observation_low = -INFINITY,
                                      .observation_high = INFINITY,
                                      .heads = 1,
                                      .head_size = hare_heads,
                                      .idle = still}};
static const uint8_t pen_team[AGENTS] = {0, 0, 0, 1, 1};
static const char *const knob_names[] = {"fence"};
static const float knob_low[] = {0}, knob_high[] = {4};
static const AgonEnvSpec pen_spec = {.episode_size = sizeof(Pen),
                                     .agents = AGENTS,
                                     .teams = 2,
                                     .team_of = pen_team,
                                     .kinds = 2,
                                     .kind = pen_kind,
                                     .kind_of = pen_team,
                                     .step_limit = ROUNDS,
                                     .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS,
                                     .reward_low = -ROUNDS,
                                     .reward_high = ROUNDS,
                                     .knobs = 1,
                                     .knob_names = knob_names,
                                     .knob_low = knob_low,
                                     .knob_high = knob_high,
                                     .knob_plain = knob_high};
static const AgonEnv pen_table = {AGON_ENV_SIZES,
                                  .name = "pen",
                                  .summary = "hunters and hares",
                                  .reset = pen_reset,
                                  .step = pen_step,
                                  .observe = pen_observe,
                                  .flags = pen_flags,
                                  .mask = pen_mask,
                                  .outcome = pen_outcome,
                                  .reset_with = pen_reset_with,
                                  .potential = pen_potential,
                                  .position = pen_position,
                                  .remove = pen_remove};

/* --- kinds --- */
static void rows_are_padded_and_masked(void **state) {
  (void)state;
  Env *env;
  Pen pen = {.round = 4};
  float row[4] = {9, 9, 9, 9};
  uint8_t mask[8];
  static const float hunter[3] = {4, 2, 0}, hare[3] = {4, -3, 0.5f};
  static const uint8_t hunter_mask[6] = {1, 0, 1, 0, 1, 1}, hare_mask[6] = {1, 1, 1, 1, 1, 0};
  fault = NOTHING;
  CHECK_OK(env_over(&pen_table, &pen_spec, &env));
  assert_int_equal(env->observation_count, 3);
  assert_int_equal(env->observation_bytes, 12);
  assert_int_equal(env->layout.observation_type, AGON_F32);
  assert_int_equal(env->layout.action_kind, AGON_MULTI_DISCRETE);
  assert_int_equal(env->layout.heads, 2);
  assert_int_equal(env->layout.head_size[0], 4);
  assert_int_equal(env->layout.head_size[1], 2);
  assert_int_equal(env->action_count, 6);
  memset(mask, 7, sizeof mask);
  env_observe(env, &pen, 2, row);
  env_mask(env, &pen, 2, mask);
  assert_memory_equal(row, hunter, sizeof hunter);
  assert_memory_equal(mask, hunter_mask, 6);
  env_observe(env, &pen, 3, row);
  env_mask(env, &pen, 3, mask);
  assert_memory_equal(row, hare, sizeof hare);
  assert_memory_equal(mask, hare_mask, 6);
  assert_true(row[3] == 9 && mask[6] == 7); /* and nothing beyond */
  env_destroy(env);
}

/* Planes of one size stay planes, so that convolutions can read them; what has no kinds keeps its
 * own layout. */
static void layouts_are_the_widest(void **state) {
  (void)state;
  static const uint32_t head_size[] = {3};
  static const struct {
    uint32_t a[3], b[3], layout[3];
  } shape[] = {{{2, 6, 7}, {5, 6, 7}, {5, 6, 7}},
               {{2, 3, 3}, {1, 4, 4}, {18, 1, 1}},
               {{1, 2, 2}, {9, 1, 1}, {9, 1, 1}}};
  for (size_t i = 0; i < COUNT_OF(shape); i++) {
    AgonKind kind[2] = {
        {.observation_high = 1, .heads = 1, .head_size = head_size},
        {.observation_low = -2, .observation_high = 3, .heads = 1, .head_size = head_size}};
    AgonEnvSpec spec = pen_spec;
    Env *env;
    memcpy(kind[0].observation_shape, shape[i].a, sizeof shape[i].a);
    memcpy(kind[1].observation_shape, shape[i].b, sizeof shape[i].b);
    spec.kind = kind;
    CHECK_OK(env_over(&pen_table, &spec, &env));
    assert_memory_equal(env->layout.observation_shape, shape[i].layout, sizeof shape[i].layout);
    assert_true(env->layout.observation_low == -2 && env->layout.observation_high == 3);
    assert_int_equal(env->layout.action_kind, AGON_DISCRETE);
    env_destroy(env);
    spec.kinds = 1;
    spec.kind_of = NULL;
    CHECK_OK(env_over(&pen_table, &spec, &env));
    assert_memory_equal(env->layout.observation_shape, shape[i].a, sizeof shape[i].a);
    assert_true(!env->padded && env->masks);
    env_destroy(env);
  }
}

/* Each component has a range of its own, and one that a kind lacks is 0 whatever a network says. */
static void boxes_have_ranges_of_their_own(void **state) {
  (void)state;
  static const float low[2] = {-1, 0}, high[2] = {1, 10}, one_low[1] = {5}, one_high[1] = {7};
  AgonKind kind[2] = {{.observation_shape = {1, 1, 1},
                       .action_kind = AGON_BOX,
                       .heads = 2,
                       .action_low = low,
                       .action_high = high},
                      {.observation_shape = {1, 1, 1},
                       .action_kind = AGON_BOX,
                       .heads = 1,
                       .action_low = one_low,
                       .action_high = one_high}};
  AgonEnvSpec spec = pen_spec;
  AgonAction action[2 * AGENTS];
  uint8_t mask[2];
  Env *env;
  spec.kind = kind;
  CHECK_OK(env_over(&pen_table, &spec, &env));
  for (int i = 0; i < 2 * AGENTS; i++) action[i].value = 0.5f;
  for (uint32_t a = 0; a < AGENTS; a++) env_scale_action(env, a, env_action(env, action, a));
  CHECK_NEAR(action[0].value, 0.5, 1e-6);
  CHECK_NEAR(action[1].value, 7.5, 1e-6);
  CHECK_NEAR(action[6].value, 6.5, 1e-6);
  CHECK_NEAR(action[7].value, 0, 0);
  for (int i = 0; i < 2 * AGENTS; i++) action[i].value = i % 2 ? 99.0f : -99.0f;
  env_clip_actions(env, action);
  CHECK_NEAR(action[0].value, -1, 0);
  CHECK_NEAR(action[1].value, 10, 0);
  CHECK_NEAR(action[6].value, 5, 0);
  CHECK_NEAR(action[7].value, 0, 0);
  env_mask(env, NULL, 0, mask);
  assert_true(mask[0] == 1 && mask[1] == 1);
  env_mask(env, NULL, 4, mask);
  assert_true(mask[0] == 1 && mask[1] == 0);
  env_destroy(env);
}

/* --- what is offered beside the game, and failures --- */
static void extras_are_checked(void **state) {
  (void)state;
  static const char *const says[] = {[NOTHING] = NULL,
                                     [POTENTIAL] = "the potential of agent 2 is not finite",
                                     [MANY_POTENTIALS] = "potential writes beyond its agents",
                                     [POSITION] = "the position of agent 0 is not finite",
                                     [STAYS] = "is still in the game after it was removed",
                                     [CRAWLS] = "crawls back",
                                     [KNOBS] = "reset reports failure: a fence of 4",
                                     [PLAIN] = "given knob_plain, does not do what reset does",
                                     [SILENT] = "reset reports failure: it does not say why",
                                     [IDLE] = "agent 3's idle action is not legal",
                                     [RETURNS] = "is still in the game after it was removed",
                                     [STANDSTILL] = "nobody acts after agent"};
  for (size_t i = 0; i < COUNT_OF(says); i++) {
    Env *env;
    size_t checks = 0;
    fault = NOTHING;
    CHECK_OK(env_over(&pen_table, &pen_spec, &env));
    fault = (int)i;
    Status status = env_conformance(env, 1, 60, &checks);
    if (!says[i]) {
      CHECK_OK(status);
      assert_true(checks > 5000);
    } else {
      assert_int_equal(status, ERR_ENV);
      if (!strstr(status_message(), says[i]))
        fail_msg("'%s' does not say '%s'", status_message(), says[i]);
      assert_non_null(strstr(status_message(), "line of play: "));
    }
    fault = NOTHING;
    env_destroy(env);
  }
}

static void failures_say_why(void **state) {
  (void)state;
  Env *env;
  Pen pen;
  AgonRng rng = rng_stream(1, 0, 0, RNG_ENV);
  float reward[AGENTS] = {0};
  AgonAction action[2 * AGENTS] = {{0}};
  fault = NOTHING;
  CHECK_OK(env_over(&pen_table, &pen_spec, &env));
  assert_int_equal(env_reset(env, &pen, &rng, reward), AGON_RUNNING);
  action[2 * 4 + 1].choice = 1;
  assert_int_equal(env_step(env, &pen, action, &rng, reward), AGON_FAILED);
  assert_string_equal(env_why(env), "hare 4 moves a leg that it does not have");
  fault = SILENT; /* the text of an earlier failure is not taken for its own */
  assert_int_equal(env_reset(env, &pen, &rng, reward), AGON_FAILED);
  assert_non_null(strstr(env_why(env), "does not say why"));
  fault = CHANCE; /* without the functions: nobody is called */
  assert_int_equal(env_reset(env, &pen, &rng, reward), AGON_FAILED);
  assert_non_null(strstr(env_why(env), "its spec has none"));
  fault = NOTHING;
  env_destroy(env);
}

/* --- tables of other sizes --- */
static int configure_pen(const char *const *values, void *params, AgonEnvSpec *spec,
                         AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = pen_spec;
  return 0;
}

static void tables_state_their_sizes(void **state) {
  (void)state;
  const struct {
    size_t at;
    uint32_t value;
    const char *says;
  } wrong[] = {
      {offsetof(AgonEnv, abi), 1, "was built for env ABI 1, this program has ABI 2"},
      {offsetof(AgonEnv, struct_size), sizeof(AgonEnv) + 8, "newer agon/env.h (struct_size is"},
      {offsetof(AgonEnv, struct_size), 40, "struct_size is 40, less than"},
      {offsetof(AgonEnv, spec_size), sizeof(AgonEnvSpec) + 8, "newer agon/env.h (spec_size is"},
      {offsetof(AgonEnv, spec_size), 8, "spec_size is 8, less than"},
      {offsetof(AgonEnv, kind_size), sizeof(AgonKind) + 8, "newer agon/env.h (kind_size is"},
      {offsetof(AgonEnv, kind_size), 8, "kind_size is 8, less than"},
      {offsetof(AgonEnv, option_size), 8, "option_size is 8, less than"},
  };
  AgonEnv table = pen_table;
  table.configure = configure_pen;
  CHECK_OK(env_check_table(&table, "it"));
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    AgonEnv other = table;
    memcpy((char *)&other + wrong[i].at, &wrong[i].value, sizeof wrong[i].value);
    assert_int_equal(env_check_table(&other, "it"), ERR_ENV);
    if (!strstr(status_message(), wrong[i].says))
      fail_msg("'%s' does not say '%s'", status_message(), wrong[i].says);
  }
  table.observe = NULL;
  assert_int_equal(env_check_table(&table, "it"), ERR_ENV);
  assert_non_null(strstr(status_message(), "lacks a mandatory field"));
}

/* Each of these spoils one field of an option that was right. */
static void options_are_checked(void **state) {
  (void)state;
  static const char *const says[] = {"name is NULL",
                                     "its name is not 1 to 63 letters",
                                     "its name is not 1 to 63 letters",
                                     "its type is no AgonOptionType",
                                     "its type is no AgonOptionType",
                                     "fallback is NULL",
                                     "help is NULL",
                                     "a CHOICE without choices",
                                     "low .. high is no range",
                                     "low .. high is no range",
                                     "option 1 (many): an option before it has the same name"};
  const AgonEnvOption right[2] = {{"few", AGON_OPT_CHOICE, "a", 0, 0, "a|b", "which"},
                                  {"many", AGON_OPT_INT, "3", 1, 5, NULL, "how many"}};
  AgonEnvOption option[2];
  AgonEnv table = pen_table;
  table.configure = configure_pen;
  table.options = option;
  table.option_count = 2;
  memcpy(option, right, sizeof right);
  CHECK_OK(env_check_table(&table, "it"));
  for (size_t i = 0; i < COUNT_OF(says); i++) {
    memcpy(option, right, sizeof right);
    if (i == 0) option[1].name = NULL;
    if (i == 1) option[1].name = "";
    if (i == 2) option[1].name = "many.more";
    if (i == 3) option[1].type = (AgonOptionType)5;
    if (i == 4) option[1].type = (AgonOptionType)-1;
    if (i == 5) option[1].fallback = NULL;
    if (i == 6) option[1].help = NULL;
    if (i == 7) option[0].choices = NULL;
    if (i == 8) option[1].low = 6;
    if (i == 9) option[1].high = NAN;
    if (i == 10) option[0].name = "many";
    assert_int_equal(env_check_table(&table, "it"), ERR_ENV);
    if (!strstr(status_message(), says[i]))
      fail_msg("'%s' does not say '%s'", status_message(), says[i]);
  }
}

/* What configure has allocated is given back once, whatever comes after it. */
static int configured, unconfigured;
static bool lies;
static int configure_counted(const char *const *values, void *params, AgonEnvSpec *spec,
                             AgonError *error) {
  configured++;
  int result = configure_pen(values, params, spec, error);
  if (lies) spec->agents = 2000;
  return result;
}
static int configure_refusing(const char *const *values, void *params, AgonEnvSpec *spec,
                              AgonError *error) {
  (void)values, (void)params, (void)spec;
  snprintf(error->text, sizeof error->text, "no pen on Sundays");
  return -1;
}
static int configure_silent(const char *const *values, void *params, AgonEnvSpec *spec,
                            AgonError *error) {
  (void)values, (void)params, (void)spec, (void)error;
  return -1;
}
static void unconfigure_counted(void *params) {
  (void)params;
  unconfigured++;
}

static void configure_is_undone_once(void **state) {
  (void)state;
  AgonEnv table = pen_table;
  Config *config;
  Option *options;
  Env *env = NULL;
  table.unconfigure = unconfigure_counted;
  CHECK_OK(config_create(&config));
  CHECK_OK(env_declare(&table, config, &options));
  CHECK_OK(config_resolve(config));
  table.configure = configure_counted;
  CHECK_OK(env_create(&table, NULL, config, &env));
  assert_int_equal(unconfigured, 0);
  env_destroy(env);
  assert_true(configured == 1 && unconfigured == 1);
  lies = true;
  assert_int_equal(env_create(&table, NULL, config, &env), ERR_ENV);
  assert_non_null(strstr(status_message(), "agents is 2000, not 1 .. 1024"));
  assert_true(configured == 2 && unconfigured == 2);
  table.configure = configure_refusing;
  assert_int_equal(env_create(&table, NULL, config, &env), ERR_USAGE);
  assert_string_equal(status_message(), "env pen: no pen on Sundays");
  table.configure = configure_silent;
  assert_int_equal(env_create(&table, NULL, config, &env), ERR_USAGE);
  assert_string_equal(status_message(), "env pen: configure failed and gave no reason");
  assert_int_equal(unconfigured, 2);
  config_destroy(config);
  free(options);
}

/* --- episodes as bytes --- */
static Env *plugin(const char *name, const char *const *pairs, size_t count) {
  char path[512];
  Env *env;
  snprintf(path, sizeof path, TEST_PLUGINS "/libplugin_%s.so", name);
  CHECK_OK(env_create_from(path, pairs, count, &env));
  return env;
}

/* Whosever code its functions are: here configure is this program's. */
static void a_plugin_is_the_file_that_was_opened(void **state) {
  (void)state;
  char file[512];
  Env *env = plugin("coin", NULL, 0);
  const AgonEnv *own = env->table;
  AgonEnv table = *own;
  table.configure = configure_pen;
  env->table = &table;
  CHECK_OK(env_plugin_file(env, file, sizeof file));
  assert_string_equal(file, TEST_PLUGINS "/libplugin_coin.so");
  env->table = own;
  env_destroy(env);
  CHECK_OK(env_create_from("tic_tac_toe", NULL, 0, &env));
  CHECK_OK(env_plugin_file(env, file, sizeof file));
  assert_string_equal(file, "");
  env_destroy(env);
}

static void games_on_the_heap_are_bytes(void **state) {
  (void)state;
  Env *env = plugin("pile", NULL, 0), *lost = plugin("pile_unsaved", NULL, 0);
  void *block[2] = {calloc(1, env->spec.episode_size), calloc(1, env->spec.episode_size)};
  AgonRng rng = rng_stream(1, 0, 0, RNG_ENV);
  float reward[2] = {0}, row[2][3];
  Bytes bytes = {0};
  for (int i = 0; i < 2; i++) CHECK_OK(env_make(env, block[i]));
  assert_true(!env_copies(env) && env_saves(env) && !env_saves(lost));
  assert_int_equal(env_reset(env, block[0], &rng, reward), AGON_RUNNING);
  bytes_u8(&bytes, 42);
  CHECK_OK(env_save(env, block[0], &bytes));
  bytes_u8(&bytes, 43);
  Reader reader = reader_over(bytes.data, bytes.size);
  assert_int_equal(reader_u8(&reader), 42);
  CHECK_OK(env_load(env, block[1], &reader));
  assert_int_equal(reader_u8(&reader), 43);
  for (int i = 0; i < 2; i++) env_observe(env, block[i], 0, row[i]);
  assert_memory_equal(row[0], row[1], sizeof row[0]);
  for (size_t size = 1; size < bytes.size - 1; size++) { /* cut short anywhere */
    reader = reader_over(bytes.data + 1, size - 1);
    assert_int_equal(env_load(env, block[1], &reader), ERR_FORMAT);
  }
  bytes.data[1 + 8] = 200; /* more stones than there can be */
  reader = reader_over(bytes.data + 1, bytes.size - 1);
  assert_int_equal(env_load(env, block[1], &reader), ERR_ENV);
  assert_non_null(strstr(status_message(), "env pile: load failed: 8 bytes that are no pile"));
  for (int i = 0; i < 2; i++) {
    env->table->destroy(env->params, block[i]);
    free(block[i]);
  }
  bytes_free(&bytes);
  env_destroy(env);
  env_destroy(lost);
}

static void plugins_keep_their_contract(void **state) {
  (void)state;
  static const struct {
    const char *name, *pair[4];
    size_t pairs;
  } all[] = {{"coin", {NULL}, 0},
             {"aim", {NULL}, 0},
             {"crowd", {"teams=4"}, 1},
             {"crowd", {"teams=1"}, 1},
             {"fade", {NULL}, 0},
             {"track", {"kind=counted"}, 1},
             {"first", {NULL}, 0},
             {"pile", {NULL}, 0},
             {"pile_unsaved", {NULL}, 0},
             {"market", {"sellers=8", "prices=20"}, 2},
             {"market", {"sellers=2", "prices=3", "drift=none"}, 3}};
  for (size_t i = 0; i < COUNT_OF(all); i++) {
    size_t checks = 0;
    Env *env = plugin(all[i].name, all[i].pair, all[i].pairs);
    CHECK_OK(env_conformance(env, 3, 50, &checks));
    assert_true(checks > 500);
    env_destroy(env);
  }
}

/* --- history: a counter on the heap that adds up what two agents say --- */
typedef struct Counter {
  uint64_t sum;
  uint32_t step;
} Counter;

static struct {
  int open, most_open, restarts, steps;
  bool no_memory, unsteady;
} heap;

static void *counter_open(const void *params, AgonError *error) {
  (void)params;
  if (heap.no_memory) {
    snprintf(error->text, sizeof error->text, "no counter is left");
    return NULL;
  }
  heap.open++;
  heap.most_open = heap.open > heap.most_open ? heap.open : heap.most_open;
  return calloc(1, sizeof(Counter));
}

static void counter_close(void *live) {
  heap.open--;
  free(live);
}

static AgonStatus counter_restart(void *live, uint64_t seed, AgonError *error) {
  (void)error;
  heap.restarts++;
  *(Counter *)live = (Counter){.sum = seed % 1000};
  return AGON_RUNNING;
}

static AgonStatus counter_step(void *live, const AgonAction *actions, float *reward,
                               AgonError *error) {
  (void)error;
  Counter *counter = live;
  heap.steps++;
  counter->sum = counter->sum * 31 + (uint64_t)actions[0].choice * 7 + (uint64_t)actions[1].choice;
  reward[0] += 1;
  if (heap.unsteady) return AGON_TERMINATED;
  return ++counter->step < 10 ? AGON_RUNNING : AGON_TERMINATED;
}

/* Agent 0 acts in even steps, agent 1 in all. */
static void counter_flags(const void *live, uint8_t *flags) {
  flags[0] = (uint8_t)(AGON_ALIVE | (((const Counter *)live)->step % 2 ? 0 : AGON_ACTS));
  flags[1] = AGON_ALIVE | AGON_ACTS;
}

static const AgonLive counter_ops = {counter_open, counter_close, counter_restart, counter_step,
                                     counter_flags};
static const AgonEnvSpec counter_spec = {.agents = 2, .step_limit = 10};

static uint64_t sum_of(AgonHistory *history, const void *block) {
  const Counter *counter = agon_history_live(history, block);
  assert_non_null(counter);
  return counter->sum;
}

static void say(AgonHistory *history, void *block, int a, int b) {
  float reward[2] = {0};
  AgonError error = {""};
  const AgonAction action[2] = {{a}, {b}};
  AgonStatus status = agon_history_step(history, block, action, reward, &error);
  if (status != AGON_RUNNING) fail_msg("status %d, %s", (int)status, error.text);
  assert_true(reward[0] == 1);
}

static void histories_are_flat(void **state) {
  (void)state;
  AgonError error = {""};
  AgonHistory *history = agon_history_open(&counter_ops, NULL, &counter_spec, 1, 2, &error);
  size_t size = agon_history_size(&counter_spec, 1);
  uint8_t *a = malloc(size), *b = malloc(size), *c = malloc(size);
  memset(&heap, 0, sizeof heap);
  assert_int_equal(size, 24 + 10 * 2 * 4);
  assert_int_equal(agon_history_begin(history, a, 5, &error), AGON_RUNNING);
  for (int i = 0; i < 4; i++) say(history, a, i, 2);
  assert_int_equal(heap.steps, 4); /* nothing is played twice while the object is at hand */
  memcpy(b, a, size);              /* a copy goes its own way */
  say(history, b, 1, 1);
  uint64_t forked = sum_of(history, b);
  assert_int_equal(heap.steps, 5); /* the object went with the copy */
  say(history, a, 3, 3);
  assert_int_equal(heap.steps, 5 + 4 + 1); /* so the first is played again, in another object */
  assert_true(sum_of(history, a) != forked && sum_of(history, b) == forked);
  /* equal words by other ways are equal blocks; what agents say who do not act is not in them */
  assert_int_equal(agon_history_begin(history, c, 5, &error), AGON_RUNNING);
  for (int i = 0; i < 4; i++) say(history, c, i % 2 ? 99 : i, 2);
  say(history, c, 1, 1);
  assert_memory_equal(b, c, size);
  /* more histories than objects: all are rebuilt when they are looked at */
  for (int i = 0; i < 3; i++) {
    assert_true(sum_of(history, b) == forked);
    assert_true(sum_of(history, a) != forked);
  }
  assert_int_equal(heap.most_open, 2);
  agon_history_close(history);
  assert_int_equal(heap.open, 0);
  /* in another process, so to say: a new cache, the same bytes */
  history = agon_history_open(&counter_ops, NULL, &counter_spec, 1, 4, &error);
  assert_true(sum_of(history, b) == forked);
  assert_int_equal(history->replayed, 5);
  agon_history_close(history);
  free(a), free(b), free(c);
}

static void histories_say_what_is_wrong(void **state) {
  (void)state;
  AgonError error = {""};
  float reward[2] = {0};
  const AgonAction action[2] = {{1}, {1}};
  AgonHistory *history = agon_history_open(&counter_ops, NULL, &counter_spec, 1, 1, &error);
  size_t size = agon_history_size(&counter_spec, 1);
  uint8_t *a = malloc(size), *b = malloc(size);
  memset(&heap, 0, sizeof heap);
  assert_int_equal(agon_history_begin(history, a, 5, &error), AGON_RUNNING);
  say(history, a, 1, 1);
  say(history, a, 1, 1);
  assert_int_equal(agon_history_begin(history, b, 6, &error),
                   AGON_RUNNING); /* takes the only object */
  heap.unsteady = true;
  assert_null(agon_history_live(history, a));
  assert_int_equal(agon_history_step(history, a, action, reward, &error), AGON_FAILED);
  assert_non_null(strstr(error.text, "not decided by seed and actions alone"));
  assert_int_equal(heap.open, 0); /* an object of unknown state is not kept */
  heap.unsteady = false;
  assert_non_null(agon_history_live(history, a));
  for (int i = 2; i < 10; i++)
    assert_true(agon_history_step(history, a, action, reward, &error) != AGON_FAILED);
  assert_int_equal(agon_history_step(history, a, action, reward, &error), AGON_FAILED);
  assert_non_null(strstr(error.text, "a step beyond step_limit (10)"));
  agon_history_close(history);
  heap.no_memory = true;
  history = agon_history_open(&counter_ops, NULL, &counter_spec, 1, 1, &error);
  assert_int_equal(agon_history_begin(history, b, 6, &error), AGON_FAILED);
  assert_string_equal(error.text, "no counter is left");
  agon_history_close(history);
  free(a), free(b);
}

/* As many objects as games: none that is under way is ever taken from its game, whatever ends when.
 */
static void ended_games_give_their_objects(void **state) {
  (void)state;
  enum { GAMES = 5, STEPS = 200 };
  AgonError error = {""};
  float reward[2] = {0};
  uint8_t flags[2];
  AgonHistory *history = agon_history_open(&counter_ops, NULL, &counter_spec, 1, GAMES, &error);
  size_t size = agon_history_size(&counter_spec, 1);
  uint8_t *game[GAMES];
  AgonStatus status[GAMES];
  memset(&heap, 0, sizeof heap);
  for (int i = 0; i < GAMES; i++) {
    game[i] = malloc(size);
    status[i] = AGON_TERMINATED;
  }
  for (uint32_t t = 0; t < STEPS; t++) { /* game i joins at step 3 i, so that they end one by one */
    for (uint32_t i = 0; i < GAMES && 3 * i <= t; i++)
      if (status[i] != AGON_RUNNING)
        status[i] = agon_history_begin(history, game[i], 1000 * t + i, &error);
    for (uint32_t i = 0; i < GAMES && 3 * i <= t; i++) {
      const AgonAction action[2] = {{(int32_t)t}, {(int32_t)i}};
      status[i] = agon_history_step(history, game[i], action, reward, &error);
      assert_true(status[i] != AGON_FAILED);
      /* the end is looked at, too: who has won */
      counter_flags(agon_history_live(history, game[i]), flags);
    }
  }
  assert_int_equal(heap.most_open, GAMES);
  assert_int_equal(history->replays, 0);
  agon_history_close(history);
  for (int i = 0; i < GAMES; i++) free(game[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_padded_and_masked),
      cmocka_unit_test(layouts_are_the_widest),
      cmocka_unit_test(boxes_have_ranges_of_their_own),
      cmocka_unit_test(extras_are_checked),
      cmocka_unit_test(failures_say_why),
      cmocka_unit_test(tables_state_their_sizes),
      cmocka_unit_test(options_are_checked),
      cmocka_unit_test(configure_is_undone_once),
      cmocka_unit_test(a_plugin_is_the_file_that_was_opened),
      cmocka_unit_test(games_on_the_heap_are_bytes),
      cmocka_unit_test(plugins_keep_their_contract),
      cmocka_unit_test(histories_are_flat),
      cmocka_unit_test(histories_say_what_is_wrong),
      cmocka_unit_test(ended_games_give_their_objects),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
