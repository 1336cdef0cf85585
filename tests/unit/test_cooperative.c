/* Small games of one team with a common payoff, against their published tables. */
#include "check.h"

#include "env/env.h"
#include "eval/line.h"
#include "eval/solo.h"
#include "job/facts.h"

#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Game {
  Env *env;
  void *episode;
  AgonRng rng;
  AgonRandom random;
} Game;

static Game open_game(const char *name, const char *const *option, size_t options) {
  Game game = {.rng = rng_stream(1, 0, 0, RNG_TEST)};
  CHECK_OK(env_create_from(name, option, options, &game.env));
  game.episode = calloc(1, game.env->spec.episode_size);
  return game;
}

static void close_game(Game *game) {
  free(game->episode);
  env_destroy(game->env);
}

/* The sum of what both got over an episode in which they always choose this. */
static double played(Game *game, int first, int second) {
  AgonRandom random = rng_handle(&game->rng);
  AgonStatus status = env_call_reset(game->env, game->episode, &random);
  double total = 0;
  while (status == AGON_RUNNING) {
    const AgonAction action[2] = {{.choice = first}, {.choice = second}};
    float reward[2] = {0, 0};
    status = env_call_step(game->env, game->episode, action, &random, reward);
    CHECK_NEAR(reward[0], reward[1], 0);
    total += (double)reward[0] + (double)reward[1];
  }
  assert_int_equal(status, AGON_TERMINATED);
  return total;
}

static void common_payoffs_are_the_published_ones(void **state) {
  (void)state;
  static const char *const climbing[] = {"preset=climbing", "rounds=25"};
  static const char *const penalty[] = {"preset=penalty", "penalty=-50", "rounds=25"};
  static const double climb[3][3] = {{11, -30, 0}, {-30, 7, 0}, {0, 6, 5}};
  static const double miss[3][3] = {{-50, 0, 10}, {0, 2, 0}, {10, 0, -50}};
  for (int which = 0; which < 2; which++) {
    Game game = open_game("matrix_game", which ? penalty : climbing, which ? 3 : 2);
    assert_int_equal(game.env->spec.teams, 1);
    assert_true(game.env->spec.flags & AGON_COOPERATIVE);
    for (int r = 0; r < 3; r++)
      for (int c = 0; c < 3; c++) /* the team's return is the mean over its agents */
        CHECK_NEAR(played(&game, r, c) / 2, 25 * (which ? miss : climb)[r][c], 1e-4);
    close_game(&game);
  }
}

static void common_payoffs_show_seat_and_state(void **state) {
  (void)state;
  static const char *const table[] = {"payoff=[[1,2,3],[4,5,6]]", "common=true", "rounds=2"};
  static const char *const both[] = {"payoff=[[1]]", "payoff_column=[[1]]", "common=true"};
  Game game = open_game("matrix_game", table, 3);
  AgonRandom random = rng_handle(&game.rng);
  const AgonAction action[2] = {{.choice = 1}, {.choice = 2}};
  float reward[2] = {0, 0}, whole[7];
  uint8_t row[8], first[8] = {1, 0, 0, 1, 0, 0, 0, 1}, second[8] = {1, 1, 0, 0, 1, 0, 1, 0};
  assert_int_equal(game.env->spec.global_state_size, 7);
  env_call_reset(game.env, game.episode, &random);
  env_call_step(game.env, game.episode, action, &random, reward);
  CHECK_NEAR(reward[0], 6, 0);
  env_observe(game.env, game.episode, 0, row);
  assert_memory_equal(row, first, 8);
  env_observe(game.env, game.episode, 1, row);
  assert_memory_equal(row, second, 8);
  game.env->table->global_state(game.env->params, game.episode, whole);
  const float expected[7] = {1, 0, 1, 0, 0, 0, 1};
  assert_memory_equal(whole, expected, sizeof whole);
  char picture[200];
  game.env->table->render(game.env->params, game.episode, picture, sizeof picture);
  assert_non_null(strstr(picture, "[      6]"));
  close_game(&game);
  Env *env;
  assert_int_equal(env_create_from("matrix_game", both, 3, &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "no payoff_column"));
}

/* The first agent's first choice picks the table, the second's is ignored; then both play it. */
static void two_steps_are_the_published_ones(void **state) {
  (void)state;
  static const float table_b[2][2] = {{0, 1}, {1, 8}};
  Game game = open_game("two_step", NULL, 0);
  AgonRandom random = rng_handle(&game.rng);
  for (int choices = 0; choices < 16; choices++) {
    const int first = choices & 1, ignored = choices >> 1 & 1, one = choices >> 2 & 1,
              other = choices >> 3;
    AgonAction action[2] = {{.choice = first}, {.choice = ignored}};
    float reward[2] = {0, 0}, whole[3];
    uint8_t row[5];
    assert_int_equal(env_call_reset(game.env, game.episode, &random), AGON_RUNNING);
    assert_int_equal(env_call_step(game.env, game.episode, action, &random, reward), AGON_RUNNING);
    CHECK_NEAR(reward[0] + reward[1], 0, 0);
    game.env->table->global_state(game.env->params, game.episode, whole);
    for (int i = 0; i < 3; i++)
      CHECK_NEAR(whole[i], i == (first ? 2 : 1), 0);
    for (uint32_t a = 0; a < 2; a++) {
      const uint8_t expected[5] = {0, !first, (uint8_t)first, a == 0, a == 1};
      env_observe(game.env, game.episode, a, row);
      assert_memory_equal(row, expected, 5);
    }
    action[0].choice = one;
    action[1].choice = other;
    assert_int_equal(env_call_step(game.env, game.episode, action, &random, reward),
                     AGON_TERMINATED);
    CHECK_NEAR(reward[0], first ? table_b[one][other] : 7, 0);
    CHECK_NEAR(reward[1], first ? table_b[one][other] : 7, 0);
  }
  close_game(&game);
}

/* One team of skirmish against the script is two teams of which the second plays the script: the
 * same random numbers, the same fight. */
static void scripted_enemies_are_the_other_team(void **state) {
  (void)state;
  static const char *const alone[] = {"units=5", "enemy=scripted"}, *const two[] = {"units=5"};
  Game one = open_game("skirmish", alone, 2), both = open_game("skirmish", two, 1);
  assert_int_equal(one.env->spec.agents, 5);
  assert_int_equal(one.env->spec.teams, 1);
  assert_int_equal(one.env->spec.episode_size, both.env->spec.episode_size);
  assert_int_equal(one.env->spec.metrics, 4);
  size_t won = 0, lost = 0;
  for (uint32_t episode = 0; episode < 200; episode++) {
    one.rng = both.rng = rng_stream(2, 0, episode, RNG_TEST);
    AgonRng dice = rng_stream(3, 0, episode, RNG_TEST);
    AgonRandom random = rng_handle(&one.rng), random_both = rng_handle(&both.rng),
               other = rng_handle(&dice);
    AgonStatus status = env_call_reset(one.env, one.episode, &random);
    env_call_reset(both.env, both.episode, &random_both);
    while (status == AGON_RUNNING) {
      AgonAction action[10] = {{.choice = 0}};
      float reward[5] = {0}, reward_both[10] = {0};
      uint8_t flag[10], flag_one[5], mask[10];
      env_flags_of(both.env, both.episode, flag);
      env_flags_of(one.env, one.episode, flag_one);
      assert_memory_equal(flag, flag_one, 5);
      for (uint32_t a = 0; a < 10; a++) {
        if (!(flag[a] & AGON_ACTS)) continue;
        env_mask(both.env, both.episode, a, mask);
        if (a >= 5)
          both.env->table->scripted(both.env->params, both.episode, a, &random_both, &action[a]);
        else if (episode % 2) /* else at random */
          both.env->table->scripted(both.env->params, both.episode, a, &other, &action[a]);
        else
          env_random_action(both.env, a, mask, &dice, &action[a]);
      }
      status = env_call_step(one.env, one.episode, action, &random, reward);
      assert_int_equal(env_call_step(both.env, both.episode, action, &random_both, reward_both),
                       status);
      assert_memory_equal(one.episode, both.episode, one.env->spec.episode_size);
      assert_memory_equal(reward, reward_both, sizeof reward);
    }
    float outcome[2], metric[4];
    env_outcome(both.env, both.episode, outcome);
    one.env->table->metrics(one.env->params, one.episode, metric);
    CHECK_NEAR(metric[3], outcome[0], 0);
    env_outcome(one.env, one.episode, outcome);
    CHECK_NEAR(metric[3], outcome[0], 0);
    won += metric[3] > 0.75f;
    lost += metric[3] < 0.25f;
  }
  assert_true(won > 20 && lost > 100); /* random play loses, the script is an equal of itself */
  close_game(&one);
  close_game(&both);
}

/* Paid for their own, units of a team earn on the average what each gets where all are paid alike:
 * and not all the same, as long as somebody shoots. */
static void units_can_be_paid_for_their_own(void **state) {
  (void)state;
  static const char *const own[] = {"units=5", "rewards=own"}, *const alike[] = {"units=5"};
  Game one = open_game("skirmish", own, 2), all = open_game("skirmish", alike, 1);
  size_t apart = 0, shots = 0;
  for (uint32_t episode = 0; episode < 50; episode++) {
    one.rng = all.rng = rng_stream(4, 0, episode, RNG_TEST);
    AgonRandom random = rng_handle(&one.rng), random_all = rng_handle(&all.rng);
    AgonStatus status = env_call_reset(one.env, one.episode, &random);
    env_call_reset(all.env, all.episode, &random_all);
    while (status == AGON_RUNNING) {
      AgonAction action[10] = {{.choice = 0}};
      float reward[10] = {0}, reward_all[10] = {0}, mean[2] = {0, 0};
      uint8_t flag[10];
      env_flags_of(one.env, one.episode, flag);
      for (uint32_t a = 0; a < 10; a++)
        if (flag[a] & AGON_ACTS)
          one.env->table->scripted(one.env->params, one.episode, a, &random, &action[a]);
      all.rng = one.rng;
      status = env_call_step(one.env, one.episode, action, &random, reward);
      assert_int_equal(env_call_step(all.env, all.episode, action, &random_all, reward_all),
                       status);
      assert_memory_equal(one.episode, all.episode, one.env->spec.episode_size);
      bool differ = false, shot = false;
      for (uint32_t a = 0; a < 10; a++) {
        mean[a / 5] += reward[a] / 5;
        differ |= fabsf(reward[a] - reward[a / 5 * 5]) > 1e-6f;
        shot |= action[a].choice >= 5;
      }
      CHECK_NEAR(mean[0], reward_all[0], 1e-6);
      CHECK_NEAR(mean[1], reward_all[5], 1e-6);
      shots += shot;
      apart += differ;
      assert_true(shot || !differ);
    }
  }
  assert_true(shots > 100 && apart > shots / 2);
  close_game(&one);
  close_game(&all);
}

/* 64 units a side: all have places and names, and see and shoot each other. */
static void skirmishes_can_be_large(void **state) {
  (void)state;
  static const char *const large[] = {"units=64", "width=12", "height=64", "limit=40"};
  Game game = open_game("skirmish", large, 4);
  assert_int_equal(game.env->spec.agents, 128);
  assert_int_equal(game.env->observation_count, 1024);
  assert_string_equal(game.env->table->action_name(game.env->params, 0, 68), "shoot 64");
  AgonRandom random = rng_handle(&game.rng);
  AgonStatus status = env_call_reset(game.env, game.episode, &random);
  float metric[3];
  while (status == AGON_RUNNING) {
    AgonAction action[128] = {{.choice = 0}};
    float reward[128] = {0};
    uint8_t flag[128];
    env_flags_of(game.env, game.episode, flag);
    for (uint32_t a = 0; a < 128; a++)
      if (flag[a] & AGON_ACTS)
        game.env->table->scripted(game.env->params, game.episode, a, &random, &action[a]);
    status = env_call_step(game.env, game.episode, action, &random, reward);
  }
  game.env->table->metrics(game.env->params, game.episode, metric);
  assert_true(metric[1] > 100 && metric[2] > 100);
  CHECK_OK(env_conformance(game.env, 1, 2, &(size_t){0}));
  close_game(&game);
}

/* Whether a game's custom is to tell returns as sums; agents; and so how they are told. */
static void returns_are_told_as_is_the_custom(void **state) {
  (void)state;
  static const char *const team[] = {"rewards=team"}, *const global[] = {"rewards=global"},
                           *const older[] = {"rules=openai"},
                           *const climbing[] = {"preset=climbing"},
                           *const alone[] = {"enemy=scripted"};
  static const struct {
    const char *game;
    const char *const *option;
    size_t options;
    const char *words;
    double factor;
  } custom[] = {{"simple_spread", NULL, 0, "sum over 3 agents", 3},
                {"simple_spread", older, 1, "mean over 3 agents", 1},
                {"simple_reference", NULL, 0, "sum over 2 agents", 2},
                {"foraging", NULL, 0, "sum over 2 agents", 2},
                {"foraging", team, 1, "mean over 2 agents", 1},
                {"warehouse", NULL, 0, "sum over 4 agents", 4},
                {"warehouse", global, 1, "mean over 4 agents", 1},
                {"two_step", NULL, 0, "mean over 2 agents", 1},
                {"matrix_game", climbing, 1, "mean over 2 agents", 1},
                {"skirmish", alone, 1, "mean over 3 agents", 1},
                {"simple_tag", NULL, 0, "", 1},
                {"tic_tac_toe", NULL, 0, "", 1}};
  for (size_t i = 0; i < COUNT_OF(custom); i++) {
    Env *env;
    GameFacts facts;
    CHECK_OK(env_create_from(custom[i].game, custom[i].option, custom[i].options, &env));
    CHECK_OK(facts_of(env, &facts));
    const ReturnTold told = facts_told(&facts, facts.returns_add);
    assert_string_equal(told.words, custom[i].words);
    CHECK_NEAR(told.factor, custom[i].factor, 0);
    facts_free(&facts);
    env_destroy(env);
  }
}

/* Episodes that were written down, by their numbers. */
typedef struct Kept {
  char line[8][16384];
  double gained[8];
  size_t count;
} Kept;

static Status keep(void *context, const GameText *game) {
  Kept *kept = context;
  assert_int_equal(game->game, kept->count);
  snprintf(kept->line[kept->count], sizeof kept->line[0], "%s", game->line);
  kept->gained[kept->count++] = game->team_return[0];
  return OK;
}

/* Exact values of random play; recorded episodes come to the same return when they are played again
 * from their stream, and begin as no episode does that a run with the same seed trains on. */
static void episodes_of_one_team(void **state) {
  (void)state;
  Env *env;
  Contestant random;
  SoloScore score;
  CHECK_OK(env_create_from("two_step", NULL, 0, &env));
  CHECK_OK(contestant_builtin("random", env, &random));
  const SoloPlan many = {.seed = 5, .episodes = 20000};
  CHECK_OK(eval_solo(env, &random, &many, &score));
  assert_true(score.low < 4.75 &&
              4.75 < score.high); /* half of 7, half of the second table's mean */
  CHECK_NEAR(score.mean, 4.75, 0.1);
  CHECK_NEAR(score.least + score.most, 8, 0);
  contestant_destroy(&random);
  env_destroy(env);

  static Kept kept; /* 500 steps of four robots */
  Position position;
  CHECK_OK(env_create_from("warehouse", NULL, 0, &env));
  CHECK_OK(contestant_builtin("scripted", env, &random));
  SoloPlan few = {.seed = 5, .episodes = 4, .recorded = 2, .played = keep, .context = &kept};
  CHECK_OK(eval_solo(env, &random, &few, &score));
  assert_int_equal(kept.count, 2);
  CHECK_OK(position_create(env, &position));
  for (uint64_t i = 0; i < 2; i++) {
    double sum = 0;
    CHECK_OK(position_reset(&position, solo_stream(5, i)));
    CHECK_OK(position_play_line(&position, kept.line[i]));
    assert_true(position.status == AGON_TRUNCATED || position.status == AGON_TERMINATED);
    for (uint32_t a = 0; a < env->spec.agents; a++)
      sum += position.returns[a];
    CHECK_NEAR(kept.gained[i], sum / env->spec.agents, 1e-6);
    for (uint32_t slot = 0; slot < 256; slot++)
      for (uint32_t episode = 0; episode < 256; episode++) {
        const AgonRng train = rng_stream(5, slot, episode, RNG_ENV), judge = solo_stream(5, i);
        assert_true(memcmp(&train, &judge, sizeof train) != 0);
      }
  }
  position_destroy(&position);
  contestant_destroy(&random);
  few.episodes = 0;
  assert_int_equal(eval_solo(env, &random, &few, &score), ERR_USAGE);
  env_destroy(env);
}

/* An episode of foraging that is cut by its limit says who would act, and so what they could do
 * then: learners that take the best of it would else count on what is not allowed. One that is
 * over, as all is eaten, says of nobody. */
static void a_cut_episode_says_what_could_be_done(void **state) {
  (void)state;
  static const char *const option[] = {"limit=40"};
  Game game = open_game("foraging", option, 1);
  const uint32_t players = game.env->spec.agents;
  size_t seen[2] = {0, 0}; /* terminated, truncated */
  for (uint32_t episode = 0; episode < 40; episode++) {
    game.rng = rng_stream(3, episode, 0, RNG_TEST);
    AgonRandom random = rng_handle(&game.rng);
    AgonStatus status = env_call_reset(game.env, game.episode, &random);
    uint8_t flags[8], mask[8];
    while (status == AGON_RUNNING) {
      AgonAction action[8] = {{.choice = 0}};
      float reward[8] = {0};
      for (uint32_t p = 0; p < players && episode % 2; p++)
        game.env->table->scripted(game.env->params, game.episode, p, &random, &action[p]);
      status = env_call_step(game.env, game.episode, action, &random, reward);
    }
    env_flags_of(game.env, game.episode, flags);
    seen[status == AGON_TRUNCATED]++;
    for (uint32_t p = 0; p < players; p++) {
      assert_int_equal(flags[p], AGON_ALIVE | (status == AGON_TRUNCATED ? AGON_ACTS : 0));
      if (status != AGON_TRUNCATED || episode % 2) continue;
      env_mask(game.env, game.episode, p, mask);
      if (memchr(mask, 0, game.env->action_count)) seen[1] += 1000;
    }
  }
  assert_true(seen[0] >= 15 && seen[1] >= 20 * 1000); /* nobody may load far from food */
  close_game(&game);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cut_episode_says_what_could_be_done),
      cmocka_unit_test(common_payoffs_are_the_published_ones),
      cmocka_unit_test(common_payoffs_show_seat_and_state),
      cmocka_unit_test(two_steps_are_the_published_ones),
      cmocka_unit_test(scripted_enemies_are_the_other_team),
      cmocka_unit_test(units_can_be_paid_for_their_own),
      cmocka_unit_test(skirmishes_can_be_large),
      cmocka_unit_test(returns_are_told_as_is_the_custom),
      cmocka_unit_test(episodes_of_one_team),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
