/* What any game can be given: mean actions of the nearest, and commanders. On a game of a line whose every number is known. */
#include "check.h"

#include "env/wrap.h"

#include <math.h>
#include <string.h>

/* Five agents stand still; three of team 0 at 0, 1 and 5, two of team 1 at 2 and 9. Who chooses 2 is dead from then on. Each is paid
 * ten times its number and its choice. */
enum { AGENTS = 5, CHOICES = 3, ROUNDS = 6 };
typedef struct Line {
  uint8_t dead[AGENTS];
  uint8_t round;
} Line;

static AgonStatus line_reset(const void *params, void *block, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  memset(block, 0, sizeof(Line));
  return AGON_RUNNING;
}
static AgonStatus line_step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                            float *reward, AgonError *error) {
  (void)params, (void)random, (void)error;
  Line *line = block;
  int alive = 0;
  for (int a = 0; a < AGENTS; a++) {
    if (line->dead[a]) continue;
    reward[a] += (float)(10 * a + actions[a].choice);
    line->dead[a] = actions[a].choice == 2;
    alive += !line->dead[a];
  }
  return ++line->round == ROUNDS || !alive ? AGON_TERMINATED : AGON_RUNNING;
}
static void line_observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params, (void)block;
  ((uint8_t *)row)[0] = (uint8_t)agent;
}
static void line_flags(const void *params, const void *block, uint8_t *flags) {
  (void)params;
  const Line *line = block;
  for (int a = 0; a < AGENTS; a++)
    flags[a] = line->dead[a] ? 0 : line->round < ROUNDS ? AGON_ACTS | AGON_ALIVE : AGON_ALIVE;
}
static void line_outcome(const void *params, const void *block, float *outcome) {
  (void)params, (void)block;
  outcome[0] = outcome[1] = 0.5f;
}
static void line_position(const void *params, const void *block, uint32_t agent, float xyz[3]) {
  static const float at[AGENTS] = {0, 1, 5, 2, 9};
  (void)params, (void)block;
  xyz[0] = at[agent];
  xyz[1] = xyz[2] = 0;
}
static void line_global_state(const void *params, const void *block, float *row) {
  (void)params;
  row[0] = ((const Line *)block)->round;
}

static const uint32_t heads[] = {CHOICES};
static const AgonKind kind = {.observation_type = AGON_U8,
                              .observation_shape = {1, 1, 1},
                              .observation_high = AGENTS,
                              .heads = 1,
                              .head_size = heads};
static const uint8_t teams[AGENTS] = {0, 0, 0, 1, 1};
static const AgonEnvSpec spec = {.episode_size = sizeof(Line),
                                 .agents = AGENTS,
                                 .teams = 2,
                                 .team_of = teams,
                                 .kinds = 1,
                                 .kind = &kind,
                                 .step_limit = ROUNDS,
                                 .global_state_size = 1,
                                 .flags = AGON_SIMULTANEOUS | AGON_RETURNS_ADD,
                                 .reward_low = 0,
                                 .reward_high = 60 * ROUNDS};
static AgonEnv table(void) {
  return (AgonEnv){AGON_ENV_SIZES,
                   .name = "line",
                   .summary = "agents on a line",
                   .reset = line_reset,
                   .step = line_step,
                   .observe = line_observe,
                   .flags = line_flags,
                   .outcome = line_outcome,
                   .position = line_position,
                   .global_state = line_global_state};
}

static Status wrapped(const AgonEnv *of, const char *mean, const char *every, const char *orders, Env **out) {
  const char *values[] = {mean, every, orders};
  Env *inner;
  CHECK_OK(env_over(of, &spec, &inner));
  const Status status = env_wrap(inner, values, out);
  if (status != OK) env_destroy(inner);
  return status;
}

static void sees(const Env *env, const void *episode, uint32_t agent, const float *expected, size_t count) {
  float row[64];
  assert_true(env->observation_count <= 64);
  env_observe(env, episode, agent, row);
  for (size_t i = 0; i < count; i++)
    if (!(fabsf(row[i] - expected[i]) < 1e-6f))
      fail_msg("agent %u, number %zu: %g, expected %g", agent, i, (double)row[i], (double)expected[i]);
}

/* --- mean actions --- */
static void the_nearest_are_averaged(void **state) {
  (void)state;
  const AgonEnv of = table();
  Env *env;
  _Alignas(16) uint8_t episode[512];
  AgonRng rng = rng_stream(1, 0, 0, RNG_ENV);
  float reward[AGENTS] = {0};
  CHECK_OK(wrapped(&of, "1", "0", "8", &env));
  assert_int_equal(env->observation_count, 1 + 2 * CHOICES);
  assert_true(env->spec.episode_size <= sizeof episode);
  assert_int_equal(env_reset(env, episode, &rng, reward), AGON_RUNNING);
  sees(env, episode, 2, (float[]){2, 0, 0, 0, 0, 0, 0}, 7); /* nobody has done anything */
  AgonAction first[AGENTS] = {{.choice = 0}, {.choice = 2}, {.choice = 1}, {.choice = 1}, {.choice = 0}};
  assert_int_equal(env_step(env, episode, first, &rng, reward), AGON_RUNNING);
  CHECK_NEAR(reward[1], 12, 0);
  /* agent 1, at 1, has died: of 0's teammates agent 2 is left; the nearest other is 3 at 2 */
  sees(env, episode, 0, (float[]){0, 0, 1, 0, 0, 1, 0}, 7);
  sees(env, episode, 2, (float[]){2, 1, 0, 0, 0, 1, 0}, 7);
  sees(env, episode, 4, (float[]){4, 0, 1, 0, 0, 1, 0}, 7); /* its teammate 3; of the others 2 */
  env_destroy(env);
}

static void all_are_averaged_where_so_many_are_asked_for(void **state) {
  (void)state;
  AgonEnv of = table();
  for (int placed = 0; placed < 2; placed++) {
    Env *env;
    _Alignas(16) uint8_t episode[512];
    AgonRng rng = rng_stream(1, 0, 0, RNG_ENV);
    float reward[AGENTS] = {0};
    if (!placed) of.position = NULL;
    CHECK_OK(wrapped(&of, placed ? "3" : "1024", "0", "8", &env));
    env_reset(env, episode, &rng, reward);
    AgonAction first[AGENTS] = {{.choice = 0}, {.choice = 1}, {.choice = 1}, {.choice = 1}, {.choice = 0}};
    env_step(env, episode, first, &rng, reward);
    sees(env, episode, 0, (float[]){0, 0, 1, 0, .5f, .5f, 0}, 7);
    sees(env, episode, 1, (float[]){1, .5f, .5f, 0, .5f, .5f, 0}, 7);
    sees(env, episode, 3, (float[]){3, 1, 0, 0, 1 / 3.0f, 2 / 3.0f, 0}, 7);
    env_destroy(env);
    of = table();
  }
}

/* --- commanders --- */
static void orders_are_given_and_seen(void **state) {
  (void)state;
  const AgonEnv of = table();
  Env *env;
  _Alignas(16) uint8_t episode[512];
  uint8_t flags[AGENTS + 2], mask[16];
  AgonRng rng = rng_stream(1, 0, 0, RNG_ENV);
  float reward[AGENTS + 2] = {0};
  CHECK_OK(wrapped(&of, "0", "2", "4", &env));
  assert_int_equal(env->spec.agents, AGENTS + 2);
  assert_int_equal(env->spec.kinds, 2);
  assert_int_equal(env->spec.team_of[AGENTS + 1], 1);
  assert_string_equal(env_kind(env, AGENTS)->name, "commander");
  assert_false(env->spec.flags & AGON_RETURNS_ADD); /* it would count the commander */
  assert_int_equal(env_reset(env, episode, &rng, reward), AGON_RUNNING);
  env_flags_of(env, episode, flags);
  assert_int_equal(flags[AGENTS], AGON_ACTS | AGON_ALIVE);
  env_mask(env, episode, AGENTS, mask);
  assert_memory_equal(mask, ((uint8_t[]){1, 1, 1, 1}), 4);
  env_mask(env, episode, 0, mask); /* a unit has three choices of its own */
  assert_memory_equal(mask, ((uint8_t[]){1, 1, 1, 0}), 4);
  sees(env, episode, 0, (float[]){0, 0, 0, 0, 0}, 5);
  AgonAction act[AGENTS + 2] = {[AGENTS] = {.choice = 3}, [AGENTS + 1] = {.choice = 1}};
  assert_int_equal(env_step(env, episode, act, &rng, reward), AGON_RUNNING);
  CHECK_NEAR(reward[AGENTS], 10, 1e-5); /* the mean of 0, 10, 20 */
  CHECK_NEAR(reward[AGENTS + 1], 35, 1e-5);
  sees(env, episode, 1, (float[]){1, 0, 0, 0, 1}, 5);
  sees(env, episode, 4, (float[]){4, 0, 1, 0, 0}, 5);
  sees(env, episode, AGENTS, (float[]){1, 1, 0, 0, 0, 0, 1}, 7); /* round 1; of team 0; its own order */
  sees(env, episode, AGENTS + 1, (float[]){1, 0, 1, 0, 1, 0, 0}, 7);
  env_flags_of(env, episode, flags);
  assert_int_equal(flags[AGENTS], AGON_ALIVE); /* not before step 2 */
  act[AGENTS].choice = act[AGENTS + 1].choice = 0; /* nobody asks */
  act[3].choice = act[4].choice = 2;
  env_step(env, episode, act, &rng, reward);
  sees(env, episode, 1, (float[]){1, 0, 0, 0, 1}, 5);
  env_flags_of(env, episode, flags);
  assert_int_equal(flags[AGENTS], AGON_ACTS | AGON_ALIVE);
  assert_int_equal(flags[AGENTS + 1], 0); /* its team is dead */
  act[AGENTS].choice = act[AGENTS + 1].choice = 2;
  env_step(env, episode, act, &rng, reward);
  sees(env, episode, 1, (float[]){1, 0, 0, 1, 0}, 5);
  sees(env, episode, 4, (float[]){4, 0, 1, 0, 0}, 5); /* nobody has asked its commander */
  env_destroy(env);
}

/* --- the contract, and what cannot be --- */
static void the_contract_holds(void **state) {
  (void)state;
  static const char *const how[][3] = {{"2", "0", "8"}, {"1024", "0", "8"}, {"0", "1", "2"}, {"1", "3", "5"}};
  const AgonEnv of = table();
  for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
    Env *env;
    size_t checks;
    CHECK_OK(wrapped(&of, how[i][0], how[i][1], how[i][2], &env));
    CHECK_OK(env_conformance(env, 3, 40, &checks));
    assert_true(checks > 1000);
    env_destroy(env);
  }
}

static void what_asks_for_nothing_is_the_game_itself(void **state) {
  (void)state;
  const AgonEnv of = table();
  Env *env;
  CHECK_OK(wrapped(&of, "0", "0", "8", &env));
  assert_null(env->inner);
  assert_ptr_equal(env->table, &of);
  env_destroy(env);
}

static int make_nothing(const void *params, void *block, AgonError *error) {
  (void)params, (void)block, (void)error;
  return 0;
}
static void unmake(const void *params, void *block) { (void)params, (void)block; }

static void what_cannot_be_wrapped_is_refused(void **state) {
  (void)state;
  Env *env;
  AgonEnv of = table();
  of.position = NULL;
  assert_int_equal(wrapped(&of, "3", "0", "8", &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "does not tell where its agents are"));
  assert_non_null(strstr(status_message(), "give 4 or more"));
  const char *planes[] = {"game", "mean_action=1024"};
  assert_int_equal(env_create_from("tic_tac_toe", planes + 1, 1, &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "planes of 3 x 3"));
  AgonEnvSpec kept = spec;
  kept.flags |= AGON_NOT_SAVED;
  AgonEnv created = table();
  created.create = make_nothing;
  created.destroy = unmake;
  Env *inner;
  CHECK_OK(env_over(&created, &kept, &inner));
  const char *values[] = {"0", "2", "8"};
  assert_int_equal(env_wrap(inner, values, &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "keeps its episodes to itself"));
  env_destroy(inner);
}

/* Keys of a game of such a name are the game's. */
static void a_game_may_have_the_names(void **state) {
  (void)state;
  static const AgonEnvOption own[] = {{"orders", AGON_OPT_INT, "1", 1, 9, NULL, "its own"}};
  AgonEnv of = table();
  assert_true(wrap_offered(&of));
  assert_int_equal(env_option_count(&of), WRAP_OPTIONS);
  of.options = own;
  of.option_count = 1;
  assert_false(wrap_offered(&of));
  assert_int_equal(env_option_count(&of), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nearest_are_averaged),
      cmocka_unit_test(all_are_averaged_where_so_many_are_asked_for),
      cmocka_unit_test(orders_are_given_and_seen),
      cmocka_unit_test(the_contract_holds),
      cmocka_unit_test(what_asks_for_nothing_is_the_game_itself),
      cmocka_unit_test(what_cannot_be_wrapped_is_refused),
      cmocka_unit_test(a_game_may_have_the_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
