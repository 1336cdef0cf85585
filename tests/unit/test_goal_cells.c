/* The rules of goal_cells: who is paid when, who stands in whose way, what remains without an agent, and what its
 * potential and its knob say. Places are read from the global state. */
#include "check.h"

#include "env/env.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STAY, NORTH, SOUTH, WEST, EAST };
enum { MOST = 8 };

typedef struct Board {
  Env *env;
  void *episode;
  AgonRng rng;
  uint32_t agents;
  int size;
  float gain[MOST]; /* of the last step */
  AgonStatus status;
} Board;

static Board open_board(const char *const *pairs, size_t count, uint32_t agents, int size) {
  Board board = {.agents = agents, .size = size, .rng = rng_stream(5, 1, 1, RNG_TEST)};
  CHECK_OK(env_create_from("goal_cells", pairs, count, &board.env));
  board.episode = calloc(1, board.env->spec.episode_size);
  float none[MOST] = {0};
  board.status = env_reset(board.env, board.episode, &board.rng, none);
  return board;
}

static void close_board(Board *board) {
  free(board->episode);
  env_destroy(board->env);
}

/* Place of a goal (which < agents) or, behind them, an agent, in cells; false: it is not there. */
static bool place(const Board *board, uint32_t which, int at[2]) {
  float row[6 * MOST + 1] = {0};
  board->env->table->global_state(board->env->params, board->episode, row);
  at[0] = (int)lroundf(row[3 * which] * (float)(board->size - 1));
  at[1] = (int)lroundf(row[3 * which + 1] * (float)(board->size - 1));
  return row[3 * which + 2] > 0;
}

static void step(Board *board, const int *choice) {
  AgonAction action[MOST];
  for (uint32_t a = 0; a < board->agents; a++) action[a].choice = choice[a];
  memset(board->gain, 0, sizeof board->gain);
  board->status = env_step(board->env, board->episode, action, &board->rng, board->gain);
}

/* The move that brings an agent nearer to a cell, rows first. */
static int towards(const Board *board, uint32_t agent, const int to[2]) {
  int at[2];
  place(board, board->agents + agent, at);
  if (at[0] != to[0]) return at[0] < to[0] ? SOUTH : NORTH;
  return at[1] == to[1] ? STAY : at[1] < to[1] ? EAST : WEST;
}

/* One agent goes, the others stay. `short_of`: steps before it is there. */
static void walk(Board *board, uint32_t agent, const int to[2], int short_of) {
  for (int steps = 0; steps < 40; steps++) {
    int at[2], choice[MOST] = {STAY};
    place(board, board->agents + agent, at);
    if (abs(at[0] - to[0]) + abs(at[1] - to[1]) <= short_of) return;
    choice[agent] = towards(board, agent, to);
    step(board, choice);
  }
  fail_msg("agent %u does not get to %d, %d", agent, to[0], to[1]);
}

/* Two of two on goals: 10 each, once, and the end; before it the cost of a step, on a goal or not. */
static void all_must_stand_on_goals(void **state) {
  (void)state;
  const char *pairs[] = {"agents=2", "size=5", "goals=fixed", "step_cost=0.25"};
  Board board = open_board(pairs, 4, 2, 5);
  int goal[2][2] = {{0}}, choice[MOST] = {STAY};
  assert_true(place(&board, 0, goal[0]) && place(&board, 1, goal[1]));
  assert_true(goal[0][0] == 0 && goal[0][1] == 0 && goal[1][0] == 4 && goal[1][1] == 4);
  walk(&board, 0, goal[0], 0);
  CHECK_NEAR(board.gain[0], -.25, 0);
  CHECK_NEAR(board.gain[1], -.25, 0);
  assert_int_equal(board.status, AGON_RUNNING);
  walk(&board, 1, goal[1], 1);
  assert_int_equal(board.status, AGON_RUNNING);
  choice[1] = towards(&board, 1, goal[1]);
  step(&board, choice);
  assert_int_equal(board.status, AGON_TERMINATED);
  CHECK_NEAR(board.gain[0], 9.75, 0);
  CHECK_NEAR(board.gain[1], 9.75, 0);
  float metric[2];
  board.env->table->metrics(board.env->params, board.episode, metric);
  assert_true(metric[0] == 1 && metric[1] > 1);
  close_board(&board);
}

/* One who stands on a cell keeps it; one who leaves it makes room for those with higher numbers only. */
static void a_cell_holds_one(void **state) {
  (void)state;
  const char *pairs[] = {"agents=2", "size=6", "goals=fixed"};
  Board board = open_board(pairs, 3, 2, 6);
  int at[2], first[2] = {2, 1}, second[2] = {2, 2}, choice[MOST];
  walk(&board, 0, first, 0);
  walk(&board, 1, second, 0);
  choice[0] = EAST, choice[1] = EAST; /* 0 moves first, into 1 */
  step(&board, choice);
  place(&board, 2, at);
  assert_true(at[0] == 2 && at[1] == 1);
  place(&board, 3, at);
  assert_true(at[0] == 2 && at[1] == 3);
  choice[0] = NORTH, choice[1] = WEST;
  step(&board, choice);
  choice[0] = STAY, choice[1] = WEST; /* to where 0 was */
  step(&board, choice);
  place(&board, 3, at);
  assert_true(at[0] == 2 && at[1] == 1);
  close_board(&board);
}

/* Without the agent that is missing, the others are paid in the next step. */
static void those_who_are_left_are_paid(void **state) {
  (void)state;
  const char *pairs[] = {"agents=3", "size=5", "goals=fixed"};
  Board board = open_board(pairs, 3, 3, 5);
  int goal[3][2] = {{0}}, choice[MOST] = {STAY};
  uint8_t flags[MOST];
  AgonError error;
  for (uint32_t g = 0; g < 3; g++) assert_true(place(&board, g, goal[g]));
  walk(&board, 0, goal[0], 0);
  walk(&board, 1, goal[1], 0);
  walk(&board, 2, goal[2], 2);
  assert_int_equal(board.status, AGON_RUNNING);
  assert_int_equal(board.env->table->remove(board.env->params, board.episode, 2, &error), 0);
  board.env->table->flags(board.env->params, board.episode, flags);
  assert_true(flags[0] == (AGON_ACTS | AGON_ALIVE) && flags[2] == 0);
  step(&board, choice);
  assert_int_equal(board.status, AGON_TERMINATED);
  assert_true(board.gain[0] == 10 && board.gain[1] == 10 && board.gain[2] == 0);
  close_board(&board);
}

/* All ways of giving agents goals, the least sum of squared ways: its length in steps. */
static int least(const Board *board, uint32_t agent, uint32_t used, int *ways) {
  int best = -1, at[2], to[2], rest[MOST] = {0};
  if (agent == board->agents) return 0;
  place(board, board->agents + agent, at);
  for (uint32_t g = 0; g < board->agents; g++) {
    if (used >> g & 1) continue;
    place(board, g, to);
    const int way = abs(at[0] - to[0]) + abs(at[1] - to[1]);
    const int sum = way * way + least(board, agent + 1, used | 1u << g, rest);
    if (best >= 0 && sum >= best) continue;
    best = sum;
    for (uint32_t a = agent + 1; a < board->agents; a++) ways[a] = rest[a];
    ways[agent] = way;
  }
  return best;
}

/* Against all assignments, tried one by one: the sum of squares is the least there is. */
static void the_potential_is_the_way_to_the_goals(void **state) {
  (void)state;
  const char *pairs[] = {"agents=4", "size=7"};
  for (int n = 0; n < 20; n++) {
    Board board = open_board(pairs, 2, 4, 7);
    float phi[MOST] = {0}, none[MOST] = {0};
    int ways[MOST] = {0}, squares = 0;
    for (int again = 0; again <= n; again++) env_reset(board.env, board.episode, &board.rng, none);
    board.env->table->potential(board.env->params, board.episode, phi);
    for (int a = 0; a < 4; a++) squares += (int)(phi[a] * phi[a]);
    assert_int_equal(squares, least(&board, 0, 0, ways));
    for (int a = 0; a < 4; a++) assert_true(phi[a] < 0);
    close_board(&board);
  }
}

/* The rule-based player solves every board, also crowded ones. */
static void the_scripted_player_solves_it(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"agents=4", "size=6"}, {"agents=8", "size=5"}, {"agents=2", "size=16"}};
  for (size_t i = 0; i < COUNT_OF(pairs); i++) {
    Env *env;
    CHECK_OK(env_create_from("goal_cells", pairs[i], 2, &env));
    void *episode = calloc(1, env->spec.episode_size);
    AgonRng rng = rng_stream(9, 2, 3, RNG_TEST), act = rng_stream(9, 3, 3, RNG_TEST);
    AgonRandom random = rng_handle(&act);
    int solved = 0;
    for (int n = 0; n < 100; n++) {
      float gain[MOST] = {0};
      AgonAction action[MOST];
      AgonStatus status = env_reset(env, episode, &rng, gain);
      while (status == AGON_RUNNING) {
        for (uint32_t a = 0; a < env->spec.agents; a++)
          env->table->scripted(env->params, episode, a, &random, &action[a]);
        status = env_step(env, episode, action, &rng, gain);
      }
      solved += status == AGON_TERMINATED;
    }
    if (solved < 98) fail_msg("%s %s: %d of 100", pairs[i][0], pairs[i][1], solved);
    free(episode);
    env_destroy(env);
  }
}

/* Fewer agents are there, with as many goals; the others are out of the game from the beginning. */
static void a_knob_says_how_many(void **state) {
  (void)state;
  const char *pairs[] = {"agents=4", "size=5"};
  Board board = open_board(pairs, 2, 4, 5);
  const float two = 2;
  int at[2];
  uint8_t flags[MOST];
  AgonRandom random = rng_handle(&board.rng);
  AgonError error;
  board.env->table->reset_with(board.env->params, board.episode, &two, &random, &error);
  board.env->table->flags(board.env->params, board.episode, flags);
  for (uint32_t i = 0; i < 4; i++) {
    assert_int_equal(flags[i] != 0, i < 2);
    assert_int_equal(place(&board, i, at), i < 2);
    assert_int_equal(place(&board, 4 + i, at), i < 2);
  }
  /* all are paid what the two earn, so that the team's mean is what it is in the whole task */
  float gain[4] = {0};
  AgonStatus status = AGON_RUNNING;
  for (int step = 0; step < 50 && status == AGON_RUNNING; step++) {
    AgonAction action[4] = {{0}};
    for (uint32_t a = 0; a < 2; a++)
      board.env->table->scripted(board.env->params, board.episode, a, &random, &action[a]);
    status = env_step(board.env, board.episode, action, &board.rng, gain);
  }
  assert_int_equal(status, AGON_TERMINATED);
  for (int a = 0; a < 4; a++) CHECK_NEAR(gain[a], 10, 1e-6);
  close_board(&board);
}

/* A diagonal that is too short for its goals. */
static void goals_must_have_room(void **state) {
  (void)state;
  const char *pairs[] = {"agents=6", "size=5", "goals=fixed"};
  Env *env = NULL;
  assert_int_equal(env_create_from("goal_cells", pairs, 3, &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "has no room for 6 goals"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_must_stand_on_goals),
      cmocka_unit_test(a_cell_holds_one),
      cmocka_unit_test(those_who_are_left_are_paid),
      cmocka_unit_test(the_potential_is_the_way_to_the_goals),
      cmocka_unit_test(the_scripted_player_solves_it),
      cmocka_unit_test(a_knob_says_how_many),
      cmocka_unit_test(goals_must_have_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
