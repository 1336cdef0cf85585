/* The warehouse against rware's own episodes (warehouse_numbers.h, made by make_warehouse.py): same
 * starts, actions and draws of requests; every observation and reward must be the same. */
#include "check.h"

#include "env/env.h"
#include "reference/warehouse_numbers.h"

#define env_warehouse env_warehouse_for_its_types
#include "env/games/warehouse.c"
#undef env_warehouse

static int number(char letter) {
  return letter - 'a';
}

/* An episode of nothing but what the numbers say: random numbers choose the given candidates. */
typedef struct Replay {
  AgonRng rng; /* first, so that `next` finds the rest */
  const Params *params;
  const WarehouseEpisode *given;
  size_t drawn;
} Replay;

static uint32_t next_candidate(AgonRng *rng) {
  Replay *replay = (Replay *)rng;
  assert_true(replay->drawn < replay->given->draws);
  const uint64_t wanted = replay->given->drawn[replay->drawn++];
  const uint64_t candidates = (uint64_t)(replay->params->shelves - replay->params->queue);
  return (uint32_t)(((wanted << 32) + candidates - 1) / candidates);
}

static void set_start(const Params *params, Episode *episode, const WarehouseEpisode *given) {
  uint16_t *shelves = shelf_at(params, episode), *cells = cell_of(params, episode);
  memset(episode, 0, episode_size(params));
  for (int s = 1; s <= params->shelves; s++)
    cells[s] = params->home[s - 1];
  for (int r = 0; r < params->robots; r++) {
    const char *at = given->robots + 3 * r;
    const uint16_t cell = (uint16_t)(number(at[1]) * params->width + number(at[0]));
    episode->robot[r] =
        (Robot){.cell = cell, .shelf = given->load[r], .direction = (uint8_t)number(at[2])};
    robot_at(params, episode)[cell] = (uint16_t)(r + 1);
    if (given->load[r]) cells[given->load[r]] = cell;
  }
  for (int s = 1; s <= params->shelves; s++)
    shelves[cells[s]] = (uint16_t)s;
  for (int i = 0; i < params->queue; i++) {
    episode->request[i] = given->queue[i];
    requested(params, episode)[given->queue[i]] = 1;
  }
}

static int hex(char digit) {
  return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

static void compare_views(const Env *env, const Episode *episode, const char *seen, int time) {
  const Params *params = env->params;
  float *row = calloc(env->observation_count, sizeof *row);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    const int x = number(*seen++), y = number(*seen++);
    env_observe(env, episode, a, row);
    if (params->normalised) {
      CHECK_NEAR(row[0], (float)((double)x / (params->width - 1)), 0);
      CHECK_NEAR(row[1], (float)((double)y / (params->height - 1)), 0);
    } else if ((int)row[0] != x || (int)row[1] != y) {
      fail_msg("%s, step %d: robot %u is at %g, %g, not %d, %d", env->title, time, a,
               (double)row[0], (double)row[1], x, y);
    }
    for (size_t i = 0; i + 2 < env->observation_count; i++) {
      const int bit = hex(seen[i / 4]) >> (3 - i % 4) & 1;
      if ((int)row[i + 2] != bit)
        fail_msg("%s, step %d: robot %u sees %g at %zu, not %d", env->title, time, a,
                 (double)row[i + 2], i + 2, bit);
    }
    seen += (env->observation_count - 2 + 3) / 4;
  }
  assert_int_equal(*seen, 0);
  free(row);
}

static void compare_episode(const WarehouseEpisode *given, size_t *blocked) {
  Env *env;
  CHECK_OK(env_create_from("warehouse", given->option, given->options, &env));
  const size_t n = env->spec.agents, steps = strlen(given->actions) / n;
  Episode *episode = calloc(1, env->spec.episode_size);
  Replay replay = {.params = env->params, .given = given};
  const AgonRandom random = {&replay.rng, next_candidate};
  set_start(env->params, episode, given);
  compare_views(env, episode, given->seen[0], 0);
  for (size_t t = 0; t < steps; t++) {
    AgonAction action[MAX_ROBOTS];
    float reward[MAX_ROBOTS] = {0};
    for (size_t r = 0; r < n; r++)
      action[r].choice = number(given->actions[t * n + r]);
    assert_int_equal(env_call_step(env, episode, action, &random, reward),
                     t + 1 < steps ? AGON_RUNNING : AGON_TRUNCATED);
    for (size_t r = 0; r < n; r++)
      CHECK_NEAR(2 * reward[r], number(given->paid[t * n + r]), 0);
    compare_views(env, episode, given->seen[t + 1], (int)t + 1);
  }
  assert_int_equal(replay.drawn, given->draws);
  assert_int_equal(episode->deliveries, given->draws);
  for (int i = 0; i < replay.params->queue; i++)
    assert_int_equal(episode->request[i], given->queue_end[i]);
  *blocked += (size_t)episode->blocked;
  free(episode);
  env_destroy(env);
}

static void episodes_are_the_original_ones(void **state) {
  (void)state;
  size_t blocked = 0, deliveries = 0, halves = 0;
  for (size_t i = 0; i < COUNT_OF(warehouse_episode); i++) {
    compare_episode(&warehouse_episode[i], &blocked);
    deliveries += warehouse_episode[i].draws;
    for (const char *c = warehouse_episode[i].paid; *c; c++)
      halves += *c == 'b';
  }
  print_message("%zu deliveries, %zu blocked moves, %zu half rewards\n", deliveries, blocked,
                halves);
  assert_true(deliveries > 40 && blocked > 500 && halves > 10); /* what the numbers are for */
}

static const char *const one_row[] = {"agents=6", "column_height=1", "queue=1"};

/* Robots in a row of the upper highway, looking one way; who of them moves. */
static void expect_moves(const char *robots, const char *actions, const char *after) {
  Env *env;
  CHECK_OK(env_create_from("warehouse", one_row, 3, &env));
  const Params *params = env->params;
  Episode *episode = calloc(1, env->spec.episode_size);
  AgonAction action[6];
  float reward[6] = {0};
  char where[16] = "..........";
  for (int r = 0; r < 6; r++) {
    episode->robot[r] = (Robot){.cell = (uint16_t)(params->cells - 1 - r)};
    action[r].choice = NOOP;
  }
  for (int x = 0, r = 0; robots[x]; x++)
    if (robots[x] != '.') {
      episode->robot[r] =
          (Robot){.cell = (uint16_t)x, .direction = (uint8_t)(robots[x] == '>' ? EAST : WEST)};
      action[r++].choice = actions[x] == 'f' ? FORWARD : NOOP;
    }
  for (int r = 0; r < 6; r++)
    robot_at(params, episode)[episode->robot[r].cell] = (uint16_t)(r + 1);
  env_call_step(env, episode, action, &(AgonRandom){NULL, NULL}, reward);
  for (int r = 0; r < 6; r++)
    if (episode->robot[r].cell < 10)
      where[episode->robot[r].cell] = episode->robot[r].direction == EAST ? '>' : '<';
  assert_string_equal(where, after);
  free(episode);
  env_destroy(env);
}

static void crowds_move_as_they_should(void **state) {
  (void)state;
  expect_moves("..>>>.....", "  fff     ", "...>>>...."); /* a column moves as one */
  expect_moves("..>><.....", "  fff     ", "..>><....."); /* two cannot change places */
  expect_moves("..>>>.....", "  ff      ", "..>>>....."); /* one that stays holds all behind */
  expect_moves(".>>.<.....", " ff f     ", "..>><....."); /* the longer chain goes first */
  expect_moves("..>.<.....", "  f f     ", "...><....."); /* of equal ones the first */
  expect_moves("<<........", "ff        ", "<<........"); /* the wall */
}

/* Delivers at the rate of traffic that flows, where random play delivers next to nothing. */
static double delivered(const char *const *option, size_t count, bool scripted_plays) {
  Env *env;
  CHECK_OK(env_create_from("warehouse", option, count, &env));
  Episode *episode = calloc(1, env->spec.episode_size);
  double sum = 0;
  for (uint32_t game = 0; game < 5; game++) {
    AgonRng rng = rng_stream(3, 0, game, RNG_TEST);
    AgonRandom random = rng_handle(&rng);
    AgonStatus status = env_call_reset(env, episode, &random);
    while (status == AGON_RUNNING) {
      AgonAction action[MAX_ROBOTS];
      float reward[MAX_ROBOTS] = {0};
      for (uint32_t a = 0; a < env->spec.agents; a++) {
        if (scripted_plays)
          env->table->scripted(env->params, episode, a, &random, &action[a]);
        else
          action[a].choice = (int32_t)agon_random_below(&random, ACTIONS);
      }
      status = env_call_step(env, episode, action, &random, reward);
    }
    sum += episode->deliveries;
  }
  free(episode);
  env_destroy(env);
  return sum / 5;
}

static void scripted_players_deliver(void **state) {
  (void)state;
  static const char *const tiny[] = {"agents=4"}, *const hard[] = {"agents=4", "difficulty=hard"};
  static const char *const small[] = {"agents=4", "size=small"};
  static const char *const two[] = {"agents=2"};
  const double in_tiny = delivered(tiny, 1, true), in_hard = delivered(hard, 2, true),
               in_small = delivered(small, 2, true), by_two = delivered(two, 1, true),
               at_random = delivered(tiny, 1, false);
  print_message(
      "deliveries in 500 steps: tiny, 4 robots %.1f (hard %.1f, random %.1f), small %.1f, "
      "tiny, 2 robots %.1f\n",
      in_tiny, in_hard, at_random, in_small, by_two);
  assert_true(in_tiny > 30 && in_small > 15 && at_random < 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(episodes_are_the_original_ones),
      cmocka_unit_test(crowds_move_as_they_should),
      cmocka_unit_test(scripted_players_deliver),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
