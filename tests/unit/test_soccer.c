/* Soccer by hand: who goes first, who gets the ball, goals, the two ways to begin, the ends, and
 * the number of states that the tabular methods have before them. */
#include "check.h"

#include "env/env.h"

#define env_soccer env_soccer_for_its_types
#include "env/games/soccer.c"
#undef env_soccer

static Env *open_soccer(const char *const *option, size_t options_given) {
  Env *env;
  CHECK_OK(env_create_from("soccer", option, options_given, &env));
  return env;
}

/* A position in the middle of a game. */
static Episode position_of(int a_row, int a_column, int b_row, int b_column, int ball) {
  return (Episode){.row = {(int8_t)a_row, (int8_t)b_row},
                   .column = {(int8_t)a_column, (int8_t)b_column},
                   .ball = (int8_t)ball,
                   .scorer = NOBODY};
}

/* Both do this, and `order` is drawn (0: A goes first). */
static AgonStatus play(const Env *env, Episode *episode, int a, int b, uint32_t order,
                       float reward[2]) {
  const AgonAction action[2] = {{.choice = a}, {.choice = b}};
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  const AgonRandom random = rng_handle(&rng);
  reward[0] = reward[1] = 0;
  assert_int_equal(env_call_step(env, episode, action, &random, reward), AGON_CHANCE);
  return env_call_chance(env, episode, order, reward);
}

static void check_at(const Episode *episode, int player, int row, int column) {
  assert_int_equal(episode->row[player], row);
  assert_int_equal(episode->column[player], column);
}

/* OpenSpiel's start: A at 2,1 and B at 1,3, the ball on one of the cells before them. */
static void games_begin_as_their_sources_say(void **state) {
  (void)state;
  static const char *const held[] = {"start=held"};
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  const AgonRandom random = rng_handle(&rng);
  for (int way = 0; way < 2; way++)
    for (uint32_t pick = 0; pick < 2; pick++) {
      Env *env = open_soccer(held, (size_t)way);
      Episode episode;
      double probability[OUTCOMES];
      float reward[2] = {0, 0};
      assert_int_equal(env_call_reset(env, &episode, &random), AGON_CHANCE);
      assert_int_equal(env->table->chance_outcomes(env->params, &episode, probability), 2);
      CHECK_NEAR(probability[0], 0.5, 0);
      assert_int_equal(env_call_chance(env, &episode, pick, reward), AGON_RUNNING);
      check_at(&episode, 0, 2, 1);
      check_at(&episode, 1, 1, 3);
      assert_int_equal(episode.ball, (way ? WITH_A : LOOSE_UPPER) + (int)pick);
      env_destroy(env);
    }
}

static void a_loose_ball_is_taken_by_who_comes_first(void **state) {
  (void)state;
  Env *env = open_soccer(NULL, 0);
  float reward[2];
  for (uint32_t order = 0; order < 2; order++) {
    Episode episode = position_of(1, 1, 1, 3, LOOSE_UPPER);
    assert_int_equal(play(env, &episode, RIGHT, LEFT, order, reward), AGON_RUNNING);
    assert_int_equal(episode.ball, order == 0 ? WITH_A : WITH_B);
    check_at(&episode, 0, 1, order == 0 ? 2 : 1); /* the other runs into who has it, and stays */
    check_at(&episode, 1, 1, order == 0 ? 3 : 2);
    assert_int_equal(episode.turnovers, 0);
    CHECK_NEAR(reward[0], 0, 0);
  }
  env_destroy(env);
}

/* Who carries the ball into the other loses it and stays; who runs into the carrier only stays. */
static void the_ball_goes_to_who_stands(void **state) {
  (void)state;
  Env *env = open_soccer(NULL, 0);
  float reward[2];
  Episode episode = position_of(1, 2, 1, 3, WITH_A);
  play(env, &episode, RIGHT, STAND, 0, reward);
  assert_int_equal(episode.ball, WITH_B);
  assert_int_equal(episode.turnovers, 1);
  check_at(&episode, 0, 1, 2);
  episode = position_of(1, 2, 1, 3, WITH_A);
  play(env, &episode, STAND, LEFT, 0, reward);
  assert_int_equal(episode.ball, WITH_A);
  check_at(&episode, 1, 1, 3);
  /* B leaves first: then A's way is free; A first: it runs into B */
  for (uint32_t order = 0; order < 2; order++) {
    episode = position_of(1, 2, 1, 3, WITH_A);
    play(env, &episode, RIGHT, UP, order, reward);
    check_at(&episode, 1, 0, 3);
    check_at(&episode, 0, 1, order == 0 ? 2 : 3);
    assert_int_equal(episode.ball, order == 0 ? WITH_B : WITH_A);
  }
  env_destroy(env);
}

static void goals_are_between_the_posts(void **state) {
  (void)state;
  Env *env = open_soccer(NULL, 0);
  float reward[2], outcome[2];
  for (int row = 0; row < ROWS; row++)
    for (int player = 0; player < 2; player++)
      for (int end = 0; end < 2; end++) { /* 0: the left one */
        Episode episode = position_of(row, end ? 4 : 0, 3 - row, 2, WITH_A);
        if (player) episode = position_of(3 - row, 2, row, end ? 4 : 0, WITH_B);
        const int out = end ? RIGHT : LEFT;
        const bool goal = (row == 1 || row == 2) && end == (player == 0);
        const AgonStatus status =
            play(env, &episode, player ? STAND : out, player ? out : STAND, 0, reward);
        assert_int_equal(status, goal ? AGON_TERMINATED : AGON_RUNNING);
        CHECK_NEAR(reward[player], goal, 0);
        CHECK_NEAR(reward[1 - player], goal ? -1 : 0, 0);
        env->table->outcome(env->params, &episode, outcome);
        CHECK_NEAR(outcome[player], goal ? 1 : 0.5, 0);
        CHECK_NEAR(outcome[1 - player], goal ? 0 : 0.5, 0);
      }
  Episode without = position_of(1, 4, 3, 2, WITH_B); /* no ball, no goal */
  assert_int_equal(play(env, &without, RIGHT, STAND, 0, reward), AGON_RUNNING);
  env_destroy(env);
}

/* Of two who could score the first does; a goal counts in a step that is called off, too. */
static void steps_end_games_in_their_order(void **state) {
  (void)state;
  static const char *const drawn[] = {"draw=0.1", "limit=3"};
  Env *env = open_soccer(drawn, 2);
  float reward[2];
  double probability[OUTCOMES];
  Episode episode = position_of(0, 0, 3, 4, WITH_A);
  assert_int_equal(env->spec.chance, OUTCOMES);
  assert_int_equal(env->table->chance_outcomes(env->params, &episode, probability), OUTCOMES);
  CHECK_NEAR(probability[0] + probability[1], 0.9, 1e-12);
  CHECK_NEAR(probability[2], 0.05, 1e-12);
  assert_int_equal(play(env, &episode, STAND, STAND, 2, reward), AGON_TERMINATED);
  CHECK_NEAR(reward[0], 0, 0);
  assert_int_equal(episode.scorer, NOBODY);
  episode = position_of(1, 4, 3, 4, WITH_A);
  assert_int_equal(play(env, &episode, RIGHT, STAND, 3, reward), AGON_TERMINATED);
  CHECK_NEAR(reward[0], 1, 0);
  /* B, first, takes its place before the goal; A runs into it and loses the ball, no goal */
  episode = position_of(1, 3, 2, 4, WITH_A);
  assert_int_equal(play(env, &episode, RIGHT, UP, 1, reward), AGON_RUNNING);
  assert_int_equal(episode.ball, WITH_B);
  episode.time = 2;
  assert_int_equal(play(env, &episode, STAND, STAND, 0, reward), AGON_TRUNCATED);
  env_destroy(env);
}

/* Every state that can be reached from a start has a row of its own, the same but for the seat. */
static void states_can_be_told_apart(void **state) {
  (void)state;
  enum { ALL = CELLS * CELLS * BALL };
  static Episode queue[ALL];
  static bool seen[ALL];
  Env *env = open_soccer(NULL, 0);
  int head = 0, tail = 0, of[BALL] = {0};
  float reward[2];
  for (int ball = LOOSE_UPPER; ball <= LOOSE_LOWER; ball++)
    queue[tail++] = position_of(2, 1, 1, 3, ball);
  for (int i = 0; i < tail; i++) {
    int at[3];
    locate(&queue[i], at);
    seen[(at[0] * CELLS + at[1] - CELLS) * BALL + at[2] - 2 * CELLS] = true;
  }
  for (; head < tail; head++) {
    uint8_t row[OBSERVED], other[OBSERVED];
    float whole[STATE];
    of[queue[head].ball]++;
    env_observe(env, &queue[head], 0, row);
    env_observe(env, &queue[head], 1, other);
    env->table->global_state(env->params, &queue[head], whole);
    assert_memory_equal(row, other, STATE);
    assert_int_equal(row[STATE], 1);
    assert_int_equal(other[STATE + 1], 1);
    for (int i = 0; i < STATE; i++)
      CHECK_NEAR(whole[i], row[i], 0);
    for (int joint = 0; joint < ACTIONS * ACTIONS * 2; joint++) {
      Episode next = queue[head];
      int at[3];
      next.time = 0;
      if (play(env, &next, joint % ACTIONS, joint / ACTIONS % ACTIONS,
               (uint32_t)(joint / ACTIONS / ACTIONS), reward) != AGON_RUNNING)
        continue;
      locate(&next, at);
      bool *known = &seen[(at[0] * CELLS + at[1] - CELLS) * BALL + at[2] - 2 * CELLS];
      if (*known) continue;
      *known = true;
      assert_true(tail < ALL);
      queue[tail++] = next;
    }
  }
  assert_int_equal(of[WITH_A], 380); /* 20 cells for one, 19 for the other */
  assert_int_equal(of[WITH_B], 380);
  assert_int_equal(of[LOOSE_UPPER], 19 * 18); /* nobody stands on a loose ball */
  assert_int_equal(of[LOOSE_LOWER], 19 * 18);
  env_destroy(env);
}

/* The rule-based player scores where it can, and does not carry the ball into the other. */
static void scripted_play_makes_sense(void **state) {
  (void)state;
  Env *env = open_soccer(NULL, 0);
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  const AgonRandom random = rng_handle(&rng);
  const Episode free_way = position_of(1, 4, 3, 0, WITH_A);
  const Episode in_the_way = position_of(1, 2, 1, 3, WITH_A);
  int goals = 0, lost = 0;
  for (int i = 0; i < 800; i++) {
    AgonAction action;
    env->table->scripted(env->params, &free_way, 0, &random, &action);
    goals += action.choice == RIGHT;
    env->table->scripted(env->params, &in_the_way, 0, &random, &action);
    lost += action.choice == RIGHT;
  }
  assert_true(goals > 640); /* but for one step of eight, of which a fifth is right by chance */
  assert_true(lost < 60);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(games_begin_as_their_sources_say),
      cmocka_unit_test(a_loose_ball_is_taken_by_who_comes_first),
      cmocka_unit_test(the_ball_goes_to_who_stands),
      cmocka_unit_test(goals_are_between_the_posts),
      cmocka_unit_test(steps_end_games_in_their_order),
      cmocka_unit_test(states_can_be_told_apart),
      cmocka_unit_test(scripted_play_makes_sense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
