/* Traffic by hand: one car through one crossing, second by second; lost times and the least green;
 * full roads, incidents, surges; what is paid, and that no car is lost. */
#include "check.h"

#include "env/env.h"

#define env_traffic env_traffic_for_its_types
#include "env/games/traffic.c"
#undef env_traffic

typedef struct Grid {
  Env *env;
  const Params *params;
  Episode *episode;
  AgonRng rng;
  float reward[MAX_SIDE * MAX_SIDE];
} Grid;

static Grid open_grid(const char *const *option, size_t count) {
  Grid grid = {.rng = rng_stream(1, 0, 0, RNG_TEST)};
  CHECK_OK(env_create_from("traffic", option, count, &grid.env));
  grid.params = grid.env->params;
  grid.episode = calloc(1, grid.env->spec.episode_size);
  const AgonRandom random = rng_handle(&grid.rng);
  assert_int_equal(env_call_reset(grid.env, grid.episode, &random), AGON_RUNNING);
  return grid;
}

static void close_grid(Grid *grid) {
  free(grid->episode);
  env_destroy(grid->env);
}

/* One step in which every signal wants this phase. */
static AgonStatus act(Grid *grid, int phase) {
  AgonAction action[MAX_SIDE * MAX_SIDE];
  const AgonRandom random = rng_handle(&grid->rng);
  for (int s = 0; s < grid->params->signals; s++)
    action[s].choice = phase;
  memset(grid->reward, 0, sizeof grid->reward);
  return env_call_step(grid->env, grid->episode, action, &random, grid->reward);
}

/* Cars on all roads and before the border. */
static uint32_t all_cars(const Grid *grid) {
  uint32_t count = 0;
  for (int s = 0; s < grid->params->signals; s++) {
    count += standing(&grid->episode->signal[s]);
    for (int road = 0; road < SIDES; road++)
      count += grid->episode->signal[s].on_road[road];
  }
  return count;
}

/* Lane by lane, at which side a car leaves, by the compass. */
static void turns_are_those_of_a_map(void **state) {
  (void)state;
  assert_int_equal(leaves_by(NORTH, STRAIGHT, AHEAD), SOUTH);
  assert_int_equal(leaves_by(NORTH, TURN_LEFT, UNDRAWN), EAST);
  assert_int_equal(leaves_by(NORTH, STRAIGHT, RIGHT), WEST);
  assert_int_equal(leaves_by(WEST, STRAIGHT, AHEAD), EAST);
  assert_int_equal(leaves_by(WEST, TURN_LEFT, UNDRAWN), NORTH);
  assert_int_equal(leaves_by(WEST, STRAIGHT, RIGHT), SOUTH);
}

/* No demand: one car is put on the road from the west; it drives 4 seconds, waits for a phase that
 * lets it go, through 3 lost seconds and a headway of 2, drives on for 4, and leaves the next
 * crossing at once, which has had green for long. */
static void a_car_goes_its_way_second_by_second(void **state) {
  (void)state;
  static const char *const option[] = {"rows=1",   "columns=2",   "interval=1",   "demand=0",
                                       "travel=4", "turn_left=0", "turn_right=0", "lost=3"};
  Grid grid = open_grid(option, 8);
  Signal *first = &grid.episode->signal[0], *second = &grid.episode->signal[1];
  first->driving[WEST][3] = 1; /* it came in a second before the first */
  first->on_road[WEST] = 1;
  grid.episode->entered = 1;
  for (int t = 0; t < 3; t++) { /* seconds 0 .. 2: it drives */
    assert_int_equal(act(&grid, 0), AGON_RUNNING);
    assert_int_equal(first->queue[2 * WEST], 0);
    CHECK_NEAR(grid.reward[0], 0, 0);
  }
  act(&grid, 0); /* second 3: it has come, and stands */
  assert_int_equal(first->queue[2 * WEST], 1);
  CHECK_NEAR(grid.reward[0], -1.0 / 60, 1e-7);
  CHECK_NEAR(grid.reward[1], 0, 0);
  for (int t = 0; t < 3; t++) { /* the phase changes: 3 lost seconds */
    act(&grid, 2);
    assert_int_equal(first->phase, 2);
    assert_int_equal(first->green, 0);
    assert_int_equal(first->queue[2 * WEST], 1);
  }
  act(&grid, 2); /* a second of green, of two for a car */
  assert_int_equal(first->queue[2 * WEST], 1);
  act(&grid, 2);
  assert_int_equal(first->queue[2 * WEST], 0);
  CHECK_NEAR(grid.reward[0], 0, 0);
  assert_int_equal(second->on_road[WEST], 1);
  CHECK_NEAR(grid.episode->waited, 5, 1e-12);
  for (int t = 0; t < 3; t++)
    act(&grid, 2);
  assert_int_equal(second->on_road[WEST], 1);
  assert_int_equal(grid.episode->left, 0);
  act(&grid, 2); /* it comes in an even second of green, and is gone without having stood */
  assert_int_equal(second->on_road[WEST], 0);
  assert_int_equal(grid.episode->left, 1);
  CHECK_NEAR(grid.episode->waited, 5, 1e-12);
  assert_int_equal(all_cars(&grid), 0);
  float values[6];
  grid.env->table->metrics(grid.params, grid.episode, values);
  CHECK_NEAR(values[0], 5, 1e-6); /* seconds a car */
  CHECK_NEAR(values[1], 1, 0);
  CHECK_NEAR(values[2], 5.0 / grid.episode->time, 1e-6);
  CHECK_NEAR(values[3], 1, 0);
  CHECK_NEAR(values[4], 1, 0); /* one change of each */
  close_grid(&grid);
}

/* After a change only the new phase is allowed for `lost` + `min_green` seconds; what is asked for
 * before is not heard. */
static void phases_last_their_least_green(void **state) {
  (void)state;
  static const char *const option[] = {"rows=1", "columns=1", "demand=0", "lost=2", "min_green=5"};
  Grid grid = open_grid(option, 5);
  uint8_t mask[PHASES];
  env_mask(grid.env, grid.episode, 0, mask);
  assert_memory_equal(mask, "\1\1\1\1", 4); /* at first anything */
  act(&grid, 3);                            /* 2 lost, 3 green */
  env_mask(grid.env, grid.episode, 0, mask);
  assert_memory_equal(mask, "\0\0\0\1", 4);
  act(&grid, 1); /* 8 of green */
  assert_int_equal(grid.episode->signal[0].phase, 3);
  env_mask(grid.env, grid.episode, 0, mask);
  assert_memory_equal(mask, "\1\1\1\1", 4);
  act(&grid, 1);
  assert_int_equal(grid.episode->signal[0].phase, 1);
  CHECK_NEAR(grid.episode->changes, 2, 0);
  close_grid(&grid);
}

/* A full road takes nobody: the car before it stands, and so do those who want in at the border. */
static void full_roads_take_nobody(void **state) {
  (void)state;
  static const char *const option[] = {"rows=1", "columns=2", "demand=0",    "headway=1",
                                       "room=3", "lost=0",    "turn_left=0", "turn_right=0"};
  Grid grid = open_grid(option, 8);
  Signal *first = &grid.episode->signal[0], *second = &grid.episode->signal[1];
  const AgonRandom random = rng_handle(&grid.rng);
  first->phase = 2;
  first->queue[2 * WEST] = 1;
  second->queue[2 * WEST] = 3; /* its signal is green for north and south */
  tick(grid.params, grid.episode, &random);
  assert_int_equal(first->queue[2 * WEST], 1);
  second->queue[2 * WEST] = 2;
  tick(grid.params, grid.episode, &random);
  assert_int_equal(first->queue[2 * WEST], 0);
  assert_int_equal(second->on_road[WEST], 1);
  first->queue[2 * WEST] = 3;
  first->outside[WEST] = 2;
  first->phase = 0;
  tick(grid.params, grid.episode, &random);
  assert_int_equal(first->outside[WEST], 2);
  assert_int_equal(standing(first), 5);
  first->phase = 2;
  second->queue[2 * WEST] = 0;
  tick(grid.params, grid.episode, &random); /* one goes */
  tick(grid.params, grid.episode, &random); /* one comes in, and another goes */
  assert_int_equal(first->outside[WEST], 1);
  assert_int_equal(first->on_road[WEST], 1);
  assert_int_equal(first->queue[2 * WEST], 1);
  close_grid(&grid);
}

/* A closed lane lets nobody off until its time is over; the other lanes of its phase go on. */
static void incidents_close_a_lane_for_their_time(void **state) {
  (void)state;
  static const char *const option[] = {"rows=1",      "columns=1", "demand=0", "headway=1",
                                       "incidents=1", "closed=30", "surges=0", "turn_right=0"};
  Grid grid = open_grid(option, 8);
  Signal *signal = &grid.episode->signal[0];
  const AgonRandom random = rng_handle(&grid.rng);
  int shut = -1;
  for (int lane = 0; lane < LANES; lane++)
    signal->queue[lane] = 100;
  tick(grid.params, grid.episode, &random); /* draws it */
  for (int lane = 0; lane < LANES; lane++)
    if (signal->shut[lane]) shut = lane;
  assert_true(shut >= 0);
  assert_int_equal(grid.episode->incidents, 1);
  const int other = (shut + 4) % LANES; /* the same lane of the road across */
  signal->phase = (uint8_t)(2 * (shut / 2 % 2) + shut % 2);
  signal->queue[shut] = signal->queue[other] = 100;
  for (int t = 1; t < 29; t++)
    tick(grid.params, grid.episode, &random);
  assert_int_equal(signal->queue[shut], 100);
  assert_int_equal(signal->queue[other], 100 - 28);
  tick(grid.params, grid.episode, &random);
  assert_int_equal(signal->queue[shut], 99);
  close_grid(&grid);
}

/* Demand is what it says, a surge multiplies that of one side, periods have surges as often as they
 * should; cars turn in their shares. */
static void demand_and_turns_have_their_rates(void **state) {
  (void)state;
  static const char *const option[] = {"rows=2",     "columns=2", "demand=360",     "surge=3",
                                       "surges=0.5", "period=1",  "incidents=0.25", "limit=4000"};
  Grid grid = open_grid(option, 8);
  Episode *episode = grid.episode;
  const AgonRandom random = rng_handle(&grid.rng);
  enum { SECONDS = 20000 };
  uint32_t surges = 0;
  uint64_t left_turns = 0, others = 0;
  for (int t = 0; t < SECONDS; t++) {
    for (int s = 0; s < 4; s++) /* nobody stands in the way */
      for (int lane = 0; lane < LANES; lane++) {
        *(lane % 2 ? &left_turns : &others) += episode->signal[s].queue[lane];
        episode->signal[s].queue[lane] = 0;
      }
    tick(grid.params, episode, &random);
    surges += episode->surging != NO_SIDE;
  }
  CHECK_NEAR(surges / (double)SECONDS, 0.5, 0.02);
  CHECK_NEAR(episode->incidents / (double)SECONDS, 0.25, 0.02);
  /* 8 entries of .1 a second, of which 2 have three times that in half of all seconds */
  CHECK_NEAR(episode->entered / (double)SECONDS, 0.8 + 0.5 * 2 * 0.2, 0.03);
  CHECK_NEAR((double)left_turns / (double)(left_turns + others), 0.2, 0.02);
  close_grid(&grid);
}

/* Whatever signals do: who came has left or is there, and what is paid is minus the time that cars
 * stood. With `team` all are paid the sum of what each is paid otherwise. */
static void cars_and_time_add_up(void **state) {
  (void)state;
  static const char *const option[] = {"rows=3",     "columns=2", "room=12",
                                       "demand=900", "limit=200", "rewards=team"};
  Grid own = open_grid(option, 5), team = open_grid(option, 6);
  double paid = 0;
  AgonStatus status;
  AgonRng dice = rng_stream(9, 0, 0, RNG_TEST);
  assert_true(own.env->spec.flags & AGON_RETURNS_ADD);
  assert_false(team.env->spec.flags & AGON_RETURNS_ADD);
  do {
    const int phase = (int)(rng_unit(&dice) * PHASES);
    double sum = 0;
    status = act(&own, phase);
    assert_int_equal(act(&team, phase), status);
    for (int s = 0; s < 6; s++)
      sum += (double)own.reward[s];
    for (int s = 0; s < 6; s++)
      CHECK_NEAR(team.reward[s], sum, 1e-3);
    paid += sum;
    assert_int_equal(all_cars(&own), own.episode->entered - own.episode->left);
  } while (status == AGON_RUNNING);
  assert_int_equal(status, AGON_TRUNCATED);
  CHECK_NEAR(paid, -own.episode->waited / 60, 1e-2);
  assert_true(own.episode->left > 100);
  assert_true(paid > (double)own.env->spec.reward_low);
  close_grid(&own);
  close_grid(&team);
}

/* Pressure by hand: 6 cars straight on from the west, of a quarter of which turn right to where 8
 * stand before the next signal, and three quarters go on to where 2 and 1 stand. */
static void max_pressure_weighs_what_stands_ahead(void **state) {
  (void)state;
  static const char *const option[] = {"rows=2", "columns=2", "turn_left=0.2", "turn_right=0.2"};
  Grid grid = open_grid(option, 4);
  Signal *signal = grid.episode->signal;
  const AgonRandom random = rng_handle(&grid.rng);
  AgonAction action;
  signal[0].queue[2 * WEST] = 6;
  signal[1].queue[2 * WEST + STRAIGHT] = 2;
  signal[1].queue[2 * WEST + TURN_LEFT] = 1;
  signal[2].queue[2 * NORTH + STRAIGHT] = 8;
  CHECK_NEAR(pressure(grid.params, grid.episode, 0, WEST, STRAIGHT),
             6 - 0.75 * (0.8 * 2 + 0.2 * 1) - 0.25 * (0.8 * 8), 1e-12);
  signal[0].queue[2 * NORTH + TURN_LEFT] = 5; /* to the east: 5 - 1.8 = 3.2, above 3.05 */
  CHECK_NEAR(pressure(grid.params, grid.episode, 0, NORTH, TURN_LEFT), 5 - 1.8, 1e-12);
  grid.env->table->scripted(grid.params, grid.episode, 0, &random, &action);
  assert_int_equal(action.choice, 1);
  signal[0].queue[2 * WEST] = 7;
  grid.env->table->scripted(grid.params, grid.episode, 0, &random, &action);
  assert_int_equal(action.choice, 2);
  signal[0].green = 0; /* the least green is not over */
  grid.env->table->scripted(grid.params, grid.episode, 0, &random, &action);
  assert_int_equal(action.choice, 0);
  close_grid(&grid);
}

/* 20 seconds straight on, 10 left, for each direction; the next crossing is later by the way. */
static void fixed_time_keeps_its_plan(void **state) {
  (void)state;
  static const char *const option[] = {"rows=1",    "columns=2",         "scripted=fixed-time",
                                       "travel=15", "fixed_straight=20", "fixed_left=10"};
  Grid grid = open_grid(option, 6);
  for (int t = 0; t < 180; t++) {
    const int at = t % 60, later = (t + 45) % 60;
    grid.episode->time = t;
    assert_int_equal(planned(grid.params, grid.episode, 0), 2 * (at / 30) + (at % 30 >= 20));
    assert_int_equal(planned(grid.params, grid.episode, 1), 2 * (later / 30) + (later % 30 >= 20));
  }
  close_grid(&grid);
}

static void options_that_cannot_be_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *option[2], *says;
  } bad[] = {
      {{"turn_left=0.6", "turn_right=0.5"}, "more than 1 together"},
      {{"demand=1800", "surge=2.1"}, "more than 3600 cars an hour"},
      {{"limit=2", "lost=9"}, "no phase gets a car through"},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    Env *env;
    assert_int_equal(env_create_from("traffic", bad[i].option, 2, &env), ERR_USAGE);
    if (!strstr(status_message(), bad[i].says)) fail_msg("%s", status_message());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(turns_are_those_of_a_map),
      cmocka_unit_test(a_car_goes_its_way_second_by_second),
      cmocka_unit_test(phases_last_their_least_green),
      cmocka_unit_test(full_roads_take_nobody),
      cmocka_unit_test(incidents_close_a_lane_for_their_time),
      cmocka_unit_test(demand_and_turns_have_their_rates),
      cmocka_unit_test(cars_and_time_add_up),
      cmocka_unit_test(max_pressure_weighs_what_stands_ahead),
      cmocka_unit_test(fixed_time_keeps_its_plan),
      cmocka_unit_test(options_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
