/* Foraging against lb-foraging's own episodes (foraging_numbers.h, made by make_foraging.py): same
 * starts, same actions; every observation, place and reward must be the same. */
#include "check.h"

#include "env/env.h"
#include "reference/foraging_numbers.h"

#define env_foraging env_foraging_for_its_types
#include "env/games/foraging.c"
#undef env_foraging

static int number(char letter) {
  return letter - 'a';
}

static void set_start(const Params *params, Episode *episode, const ForagingEpisode *given) {
  memset(episode, 0, sizeof *episode + (size_t)(params->size * params->size));
  for (int p = 0; p < params->players; p++) {
    const char *at = given->players + 3 * p;
    episode->player[p] = (Place){(int8_t)number(at[0]), (int8_t)number(at[1])};
    episode->level[p] = (uint8_t)number(at[2]);
  }
  for (const char *at = given->food; *at; at += 3)
    episode->field[number(at[0]) * params->size + number(at[1])] = (uint8_t)number(at[2]);
  list_food(params, episode);
}

static void compare_views(const Env *env, const Episode *episode, const char *seen, int time) {
  float *row = calloc(env->observation_count, sizeof *row);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    env_observe(env, episode, a, row);
    for (size_t i = 0; i < env->observation_count; i++, seen++)
      if ((int)row[i] != number(*seen))
        fail_msg("%s, step %d: agent %u sees %g at %zu, not %d", env->title, time, a,
                 (double)row[i], i, number(*seen));
  }
  assert_int_equal(*seen, 0);
  free(row);
}

static void compare_episode(const ForagingEpisode *given, size_t *loads, size_t *shared) {
  Env *env;
  CHECK_OK(env_create_from("foraging", given->option, given->options, &env));
  const Params *params = env->params;
  const size_t n = env->spec.agents, steps = strlen(given->actions) / n;
  Episode *episode = calloc(1, env->spec.episode_size);
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  AgonRandom random = rng_handle(&rng);
  set_start(params, episode, given);
  compare_views(env, episode, given->seen[0], 0);
  for (size_t t = 0; t < steps; t++) {
    AgonAction action[MAX_PLAYERS];
    float reward[MAX_PLAYERS] = {0};
    size_t paid = 0;
    for (size_t p = 0; p < n; p++)
      action[p].choice = number(given->actions[t * n + p]);
    AgonStatus status = env_call_step(env, episode, action, &random, reward);
    assert_int_equal(status, t + 1 < steps  ? AGON_RUNNING
                             : given->eaten ? AGON_TERMINATED
                                            : AGON_TRUNCATED);
    for (size_t p = 0; p < n; p++) {
      const char *at = given->stood + 2 * (t * n + p);
      assert_int_equal(episode->player[p].row, number(at[0]));
      assert_int_equal(episode->player[p].column, number(at[1]));
      CHECK_NEAR(reward[p], (float)given->paid[t * n + p], 0);
      paid += reward[p] > 0;
    }
    *loads += paid > 0;
    *shared += paid > 1;
    compare_views(env, episode, given->seen[t + 1], (int)t + 1);
  }
  free(episode);
  env_destroy(env);
}

static void episodes_are_the_original_ones(void **state) {
  (void)state;
  size_t loads = 0, shared = 0, steps = 0;
  for (size_t i = 0; i < COUNT_OF(foraging_episode); i++) {
    compare_episode(&foraging_episode[i], &loads, &shared);
    steps += strlen(foraging_episode[i].actions);
  }
  assert_true(steps > 1000 && loads > 20 && shared > 8); /* the numbers have what they are for */
}

/* What reset draws keeps the original's terms, and reaches all that they allow. */
static void starts_keep_the_rules(void **state) {
  (void)state;
  static const char *const option[] = {"size=6", "players=3", "food=3"};
  Env *env;
  CHECK_OK(env_create_from("foraging", option, 3, &env));
  Episode *episode = calloc(1, env->spec.episode_size);
  size_t level[3] = {0}, full = 0, hardest = 0;
  bool stood[36] = {false}, lay[36] = {false};
  for (uint32_t number_of = 0; number_of < 2000; number_of++) {
    AgonRng rng = rng_stream(7, 0, number_of, RNG_TEST);
    AgonRandom random = rng_handle(&rng);
    int sum = 0, highest = 0;
    env_call_reset(env, episode, &random);
    for (int p = 0; p < 3; p++) {
      const Place at = episode->player[p];
      assert_false(player_at(episode, p, at.row, at.column));
      level[episode->level[p]]++;
      sum += episode->level[p];
      stood[at.row * 6 + at.column] = true;
    }
    full += episode->food_count == 3;
    for (int i = 0; i < episode->food_count; i++) {
      const Place at = episode->food[i];
      const int here = episode->field[at.row * 6 + at.column];
      assert_true(at.row >= 1 && at.row <= 4 && at.column >= 1 && at.column <= 4);
      assert_true(here >= 1 && here <= sum);
      highest = here > highest ? here : highest;
      assert_false(player_at(episode, 3, at.row, at.column));
      lay[at.row * 6 + at.column] = true;
      for (int j = 0; j < i; j++) {
        const int dy = abs(at.row - episode->food[j].row);
        const int dx = abs(at.column - episode->food[j].column);
        assert_true((dx > 1 || dy > 1) && dx + dy > 2);
      }
    }
    hardest += highest == sum;
  }
  for (int c = 0; c < 36; c++) {
    assert_true(stood[c]);
    assert_int_equal(lay[c], c / 6 % 5 != 0 && c % 6 % 5 != 0);
  }
  assert_true(level[1] > 2800 && level[2] > 2800 && full > 100 && hardest > 500);
  free(episode);
  env_destroy(env);
}

/* Those who share what they see agree, meet and gather nearly all; random play gathers little. */
static double gathered(const char *const *option, size_t count, bool scripted_plays) {
  Env *env;
  CHECK_OK(env_create_from("foraging", option, count, &env));
  void *episode = calloc(1, env->spec.episode_size);
  double sum = 0;
  for (uint32_t game = 0; game < 300; game++) {
    AgonRng rng = rng_stream(3, 0, game, RNG_TEST);
    AgonRandom random = rng_handle(&rng);
    AgonStatus status = env_call_reset(env, episode, &random);
    while (status == AGON_RUNNING) {
      AgonAction action[MAX_PLAYERS];
      float reward[MAX_PLAYERS] = {0};
      uint8_t legal[ACTIONS];
      for (uint32_t a = 0; a < env->spec.agents; a++) {
        env_mask(env, episode, a, legal);
        if (scripted_plays)
          env->table->scripted(env->params, episode, a, &random, &action[a]);
        else
          env_random_action(env, a, legal, &rng, &action[a]);
      }
      status = env_call_step(env, episode, action, &random, reward);
      CHECK_NEAR(reward[0], reward[1], 1e-7); /* rewards=team */
      sum += (double)reward[0];
    }
  }
  free(episode);
  env_destroy(env);
  return sum / 300;
}

static void scripted_players_gather(void **state) {
  (void)state;
  static const char *const together[] = {"coop=true", "rewards=team"};
  static const char *const many[] = {"size=15", "players=4", "food=5", "rewards=team"};
  static const char *const narrow[] = {"players=3", "food=3", "sight=2", "rewards=team"};
  const double coop = gathered(together, 2, true), wide = gathered(many, 4, true),
               near = gathered(narrow, 4, true);
  print_message("scripted: 8x8-2p-2f-coop %.3f, 15x15-4p-5f %.3f, 8x8-3p-3f-2s %.3f\n", coop, wide,
                near);
  print_message("random: 8x8-2p-2f-coop %.3f, 15x15-4p-5f %.3f\n", gathered(together, 2, false),
                gathered(many, 4, false));
  assert_true(coop > 0.95 && wide > 0.6 && near > 0.5);
  assert_true(gathered(together, 2, false) < 0.2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(episodes_are_the_original_ones),
      cmocka_unit_test(starts_keep_the_rules),
      cmocka_unit_test(scripted_players_gather),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
