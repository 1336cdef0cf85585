/* The commons: steps worked out by hand, what grows how often, and what is measured. */
#include "check.h"

#include "env/env.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CELLS = 24 * 24, MAX_AGENTS = 16 };
enum { RIGHT, DOWN, LEFT, UP, STAY, ZAP, CLEAN };

/* As commons.c has it, so that positions can be set. */
typedef struct Place {
  int8_t row, column;
} Place;

typedef struct Episode {
  int32_t time;
  int32_t dirty;
  int32_t zaps, cleaned, absent;
  Place place[MAX_AGENTS];
  uint8_t facing[MAX_AGENTS];
  int32_t out[MAX_AGENTS];
  int32_t eaten[MAX_AGENTS];
  int64_t when[MAX_AGENTS];
  float total[MAX_AGENTS];
  uint8_t apple[MAX_CELLS];
  uint8_t dirt[MAX_CELLS];
  uint8_t who[MAX_CELLS];
} Episode;

typedef struct Field {
  Env *env;
  Episode episode;
  AgonRng rng;
  AgonRandom random;
  float reward[MAX_AGENTS];
  AgonStatus status;
  int size;
} Field;

static Field *open_field(const char *const *option, size_t options, int size) {
  Field *field = calloc(1, sizeof *field);
  field->size = size;
  field->rng = rng_stream(1, 0, 0, RNG_TEST);
  field->random = rng_handle(&field->rng);
  CHECK_OK(env_create_from("commons", option, options, &field->env));
  assert_int_equal(field->env->spec.episode_size, sizeof(Episode));
  assert_int_equal(env_call_reset(field->env, &field->episode, &field->random), AGON_RUNNING);
  return field;
}

static void close_field(Field *field) {
  env_destroy(field->env);
  free(field);
}

/* Rows of a picture as `agon play` draws them: players by number (they face right), apples @, dirt
 * %. */
static void set(Field *field, const char *const *row) {
  Episode *e = &field->episode;
  memset(e, 0, sizeof *e);
  for (int i = 0; i < field->size * field->size; i++) {
    const char sign = row[i / field->size][i % field->size];
    e->apple[i] = sign == '@';
    e->dirt[i] = sign == '%';
    e->dirty += sign == '%';
    if (sign < '0' || sign > '9') continue;
    e->who[i] = (uint8_t)(1 + sign - '0');
    e->place[sign - '0'] = (Place){(int8_t)(i / field->size), (int8_t)(i % field->size)};
  }
}

static void act(Field *field, const int *choice) {
  AgonAction action[MAX_AGENTS];
  for (uint32_t a = 0; a < field->env->spec.agents; a++)
    action[a].choice = choice[a];
  memset(field->reward, 0, sizeof field->reward);
  field->status = env_call_step(field->env, &field->episode, action, &field->random, field->reward);
}

static bool is_at(const Field *field, int agent, int row, int column) {
  const Episode *e = &field->episode;
  return e->place[agent].row == row && e->place[agent].column == column &&
         e->who[row * field->size + column] == 1 + agent;
}

static double metric_of(const Field *field, int i) {
  float value[6];
  field->env->table->metrics(field->env->params, &field->episode, value);
  return (double)value[i];
}

static const char *const two[] = {"agents=2", "size=6", "growth=0"};

static void who_comes_first_eats(void **state) {
  (void)state;
  static const char *const picture[] = {"0@1...", "......", "......", "......", "......", "......"};
  Field *field = open_field(two, 3, 6);
  int first = 0;
  for (int i = 0; i < 400; i++) {
    set(field, picture);
    act(field, (const int[]){RIGHT, LEFT});
    CHECK_NEAR(field->reward[0] + field->reward[1], 1, 0);
    first += field->reward[0] > 0;
    assert_true(is_at(field, 0, 0, first && field->reward[0] > 0 ? 1 : 0)); /* one cell holds one */
    assert_true(is_at(field, 1, 0, field->reward[1] > 0 ? 1 : 2));
    assert_int_equal(field->episode.apple[1], 0);
  }
  assert_in_range(first, 160, 240);
  set(field, picture);
  act(field, (const int[]){UP, DOWN}); /* the border holds */
  assert_true(is_at(field, 0, 0, 0) && is_at(field, 1, 1, 2));
  assert_int_equal(field->episode.facing[0], UP);
  CHECK_NEAR(field->reward[0] + field->reward[1], 0, 0);
  close_field(field);
}

/* A beam ahead of 0, to the right: three lines, three cells long. 1 and 2 are hit, 3 stands behind.
 */
static void beams_send_players_out(void **state) {
  (void)state;
  static const char *const option[] = {"agents=4",   "size=6",       "growth=0",
                                       "zap_time=3", "zap_cost=0.5", "limit=10"};
  static const char *const picture[] = {"...2..", "30..1.", "......", "......", "......", "......"};
  static const int stay[] = {STAY, STAY, STAY, STAY};
  uint8_t flags[4];
  float outcome[4];
  Field *field = open_field(option, 6, 6);
  set(field, picture);
  act(field, (const int[]){ZAP, STAY, STAY, STAY});
  CHECK_NEAR(field->reward[0], -.5, 1e-6);
  env_flags_of(field->env, &field->episode, flags);
  for (int a = 0; a < 4; a++)
    assert_int_equal(flags[a], a == 1 || a == 2 ? AGON_ALIVE : AGON_ALIVE | AGON_ACTS);
  assert_int_equal(field->episode.who[3] + field->episode.who[6 + 4], 0);
  act(field, stay);
  env_flags_of(field->env, &field->episode, flags);
  assert_int_equal(flags[1], AGON_ALIVE);
  act(field, stay); /* the third step without them has gone by */
  env_flags_of(field->env, &field->episode, flags);
  assert_int_equal(flags[1] & flags[2], AGON_ALIVE | AGON_ACTS);
  CHECK_NEAR(metric_of(field, 1), 1 - 6 / 12., 1e-6); /* two of four, in all of three steps */
  CHECK_NEAR(metric_of(field, 4), 1, 0);
  env_outcome(field->env, &field->episode, outcome);
  CHECK_NEAR(outcome[0], 0, 0); /* it has less than the others, who have nothing */
  CHECK_NEAR(outcome[3], 1, 0);
  close_field(field);
}

/* Both are out at once: time goes by until they are back, or the episode is cut. */
static void time_passes_without_anybody(void **state) {
  (void)state;
  static const char *const option[] = {"agents=2", "size=6", "growth=0", "zap_time=5", "limit=8"};
  static const char *const picture[] = {"01....", "......", "......", "......", "......", "......"};
  Field *field = open_field(option, 5, 6);
  set(field, picture);
  field->episode.facing[1] = LEFT;
  act(field, (const int[]){ZAP, ZAP});
  assert_int_equal(field->status, AGON_RUNNING);
  assert_int_equal(field->episode.time, 5);
  set(field, picture);
  field->episode.facing[1] = LEFT;
  field->episode.time = 4;
  act(field, (const int[]){ZAP, ZAP});
  assert_int_equal(field->status, AGON_TRUNCATED);
  assert_int_equal(field->episode.time, 8);
  close_field(field);
}

/* Of 6 x 6 cells the diamond around row 2, column 2 is orchard. Its middle has so many apples near:
 * it grows that often. */
static void apples_grow_by_their_neighbours(void **state) {
  (void)state;
  static const char *const option[] = {"agents=2", "size=6", "growth=10"};
  static const struct {
    const char *picture[6];
    int low, high; /* of 2,000 steps, five deviations around the mean */
  } of[] = {
      {{".....0", "......", "......", "......", "......", ".....1"}, 0, 0},
      {{"..@..0", "......", "......", "......", "......", ".....1"}, 51, 149},   /* .05 */
      {{"..@..0", "..@...", "......", "......", "......", ".....1"}, 310, 490},  /* .2 */
      {{"..@..0", "..@...", "@.....", "......", "......", ".....1"}, 888, 1112}, /* .5 */
      {{"..@..0", ".@@@..", "@...@.", "......", "......", ".....1"}, 888, 1112},
      {{"..@..0", "..@...", "@.1...", "......", "......", "......"},
       0,
       0}, /* somebody stands there */
  };
  Field *field = open_field(option, 3, 6);
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    int grown = 0;
    for (int k = 0; k < 2000; k++) {
      set(field, of[i].picture);
      act(field, (const int[]){STAY, STAY});
      grown += field->episode.apple[2 * 6 + 2];
      for (int cell = 0; cell < 36; cell++) /* nothing grows on grass */
        if (abs(cell / 6 - 2) + abs(cell % 6 - 2) > 2)
          assert_int_equal(field->episode.apple[cell], 0);
    }
    assert_in_range(grown, of[i].low, of[i].high);
  }
  close_field(field);
}

/* A river of 3 x 12 cells. Clean, an apple grows with .05; with 9 dirty ones (a quarter, where .4
 * stops all) with .05 x .375; with 15 never. Dirt comes in every other step, but not where there
 * are 15. */
static void orchards_grow_by_the_river(void **state) {
  (void)state;
  static const char *const option[] = {"kind=cleanup", "agents=2", "growth=10"};
  static const struct {
    int dirty, low, high;
    bool soils;
  } of[] = {{0, 888, 1112, true}, {9, 288, 462, true}, {15, 0, 0, false}};
  Field *field = open_field(option, 3, 12);
  assert_int_equal(field->episode.dirty, 18); /* it begins with half of it */
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    int grown = 0, soiled = 0;
    for (int k = 0; k < 2000; k++) {
      Episode *e = &field->episode;
      memset(e, 0, sizeof *e);
      e->place[0] = (Place){0, 5};
      e->place[1] = (Place){0, 6};
      e->who[5] = 1, e->who[6] = 2;
      for (int d = 0; d < of[i].dirty; d++)
        e->dirt[12 * (d / 3) + d % 3] = 1;
      e->dirty = of[i].dirty;
      act(field, (const int[]){STAY, STAY});
      grown += e->apple[12 * 5 + 10];
      soiled += e->dirty - of[i].dirty;
      int counted = 0;
      for (int cell = 0; cell < 144; cell++) {
        counted += e->dirt[cell];
        if (cell % 12 < 9) assert_int_equal(e->apple[cell], 0);
        if (cell % 12 > 2) assert_int_equal(e->dirt[cell], 0);
      }
      assert_int_equal(counted, e->dirty);
    }
    assert_in_range(grown, of[i].low, of[i].high);
    assert_in_range(soiled, of[i].soils ? 888 : 0, of[i].soils ? 1112 : 0);
  }
  close_field(field);
}

/* 0 faces left: the first dirt of each of three lines is cleaned, three cells ahead at most. */
static void beams_clean(void **state) {
  (void)state;
  static const char *const option[] = {"kind=cleanup", "agents=2", "growth=0"};
  static const char *const picture[] = {"%%..........", "%%%.0.......", "..%........1",
                                        "%%%.........", "%%%.........", "%%%.........",
                                        "%%%.........", "............", "............",
                                        "............", "............", "............"};
  Field *field = open_field(option, 3, 12);
  set(field, picture);
  field->episode.facing[0] = LEFT;
  const int before = field->episode.dirty;
  act(field, (const int[]){CLEAN, STAY});
  assert_int_equal(field->episode.dirty, before - 3);
  assert_int_equal(
      field->episode.dirt[1] + field->episode.dirt[12 + 2] + field->episode.dirt[24 + 2], 0);
  assert_int_equal(field->episode.dirt[0] + field->episode.dirt[12] + field->episode.dirt[12 + 1],
                   3);
  CHECK_NEAR(metric_of(field, 5), 3, 0);
  close_field(field);
}

/* One eats in steps 1 and 3 of 4, the other never: sustainability is the mean step, 2, of 4. */
static void sustainability_is_when_one_eats(void **state) {
  (void)state;
  static const char *const option[] = {"agents=2", "size=6", "growth=0", "limit=4"};
  static const char *const picture[] = {"0@.@..", "......", "......", "......", "......", ".....1"};
  Field *field = open_field(option, 4, 6);
  float outcome[2];
  set(field, picture);
  for (int i = 0; i < 3; i++)
    act(field, (const int[]){RIGHT, STAY});
  act(field, (const int[]){STAY, STAY});
  assert_int_equal(field->status, AGON_TRUNCATED);
  CHECK_NEAR(metric_of(field, 0), .5, 1e-6);
  CHECK_NEAR(metric_of(field, 1), 1, 0);
  CHECK_NEAR(metric_of(field, 2), 2, 0);
  CHECK_NEAR(metric_of(field, 3), 0, 0);
  env_outcome(field->env, &field->episode, outcome);
  CHECK_NEAR(outcome[0], 1, 0);
  CHECK_NEAR(outcome[1], 0, 0);
  close_field(field);
}

/* Who holds back lives of the commons; who takes all that there is has it no more. */
static double apples_eaten(const char *kind, bool greedy) {
  const char *const option[] = {kind, "limit=1000"};
  Field *field = open_field(option, 2, 12);
  double sum = 0;
  for (int game = 0; game < 4; game++) {
    field->status = env_call_reset(field->env, &field->episode, &field->random);
    while (field->status == AGON_RUNNING) {
      int choice[MAX_AGENTS] = {STAY, STAY, STAY, STAY};
      for (uint32_t a = 0; a < 4; a++) {
        AgonAction action;
        field->env->table->scripted(field->env->params, &field->episode, a, &field->random,
                                    &action);
        if (!greedy || action.choice != STAY) choice[a] = action.choice;
        if (greedy) choice[a] = (int)rng_below(&field->rng, 4); /* eats whatever it comes upon */
      }
      act(field, choice);
    }
    sum += metric_of(field, 2);
  }
  close_field(field);
  return sum / 4;
}

static void who_holds_back_has_more(void **state) {
  (void)state;
  const double held[2] = {apples_eaten("kind=harvest", false), apples_eaten("kind=cleanup", false)};
  const double taken[2] = {apples_eaten("kind=harvest", true), apples_eaten("kind=cleanup", true)};
  for (int kind = 0; kind < 2; kind++)
    if (!(held[kind] > 1.5 * taken[kind]))
      fail_msg("kind %d: %g apples by who holds back, %g by others", kind, held[kind], taken[kind]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_comes_first_eats),
      cmocka_unit_test(beams_send_players_out),
      cmocka_unit_test(time_passes_without_anybody),
      cmocka_unit_test(apples_grow_by_their_neighbours),
      cmocka_unit_test(orchards_grow_by_the_river),
      cmocka_unit_test(beams_clean),
      cmocka_unit_test(sustainability_is_when_one_eats),
      cmocka_unit_test(who_holds_back_has_more),
  };
  if (!env_is_builtin("commons")) return 0; /* it has been taken out */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
