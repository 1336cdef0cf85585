/* The kitchen by hand: the five layouts cell by cell, one soup step by step, who is in whose way,
 * who is first, what is paid and seen, maps that are none, and a rule-based cook that serves. */
#include "check.h"

#include "env/env.h"

#define env_kitchen env_kitchen_for_its_types
#include "env/games/kitchen.c"
#undef env_kitchen

typedef struct Room {
  Env *env;
  const Params *params;
  Episode episode;
  AgonRng rng;
  float reward[COOKS];
} Room;

static Room open_room(const char *const *option, size_t count) {
  Room room = {.rng = rng_stream(1, 0, 0, RNG_TEST)};
  CHECK_OK(env_create_from("kitchen", option, count, &room.env));
  room.params = room.env->params;
  const AgonRandom random = rng_handle(&room.rng);
  assert_int_equal(env_call_reset(room.env, &room.episode, &random), AGON_RUNNING);
  return room;
}

/* One step; actions are letters: u d r l, s stay, i interact. */
static AgonStatus act(Room *room, char first, char second) {
  static const char known[] = "udrlsi";
  const AgonAction action[COOKS] = {{.choice = (int32_t)(strchr(known, first) - known)},
                                    {.choice = (int32_t)(strchr(known, second) - known)}};
  const AgonRandom random = rng_handle(&room->rng);
  room->reward[0] = room->reward[1] = 0;
  return env_call_step(room->env, &room->episode, action, &random, room->reward);
}

static void check_cook(const Room *room, int cook, int row, int column, int way, int held) {
  assert_int_equal(room->episode.cook[cook].cell, row * room->params->width + column);
  assert_int_equal(room->episode.cook[cook].way, way);
  assert_int_equal(room->episode.cook[cook].held, held);
}

/* Where things are, as JaxMARL's file has them: numbers of cells, ended by -1. */
static const struct {
  const char *option;
  int width, height, tile[6][6], start[COOKS];
} published[] = {
    {"layout=cramped_room",
     5,
     4,
     {[POT] = {2, -1}, [ONIONS] = {5, 9, -1}, [PLATES] = {16, -1}, [SERVING] = {18, -1}},
     {6, 8}},
    {"layout=asymmetric_advantages",
     9,
     5,
     {[POT] = {22, 31, -1},
      [ONIONS] = {9, 14, -1},
      [PLATES] = {39, 41, -1},
      [SERVING] = {12, 17, -1}},
     {29, 32}},
    {"layout=coordination_ring",
     5,
     5,
     {[POT] = {3, 9, -1}, [ONIONS] = {15, 21, -1}, [PLATES] = {10, -1}, [SERVING] = {22, -1}},
     {7, 11}},
    {"layout=forced_coordination",
     5,
     5,
     {[POT] = {3, 9, -1}, [ONIONS] = {5, 10, -1}, [PLATES] = {15, -1}, [SERVING] = {23, -1}},
     {11, 8}},
    {"layout=counter_circuit",
     8,
     5,
     {[POT] = {3, 4, -1}, [ONIONS] = {35, 36, -1}, [PLATES] = {16, -1}, [SERVING] = {23, -1}},
     {10, 30}},
};

static void layouts_are_the_published_ones(void **state) {
  (void)state;
  static const int floors[] = {6, 14, 8, 6, 14};
  for (size_t i = 0; i < COUNT_OF(published); i++) {
    Room room = open_room(&published[i].option, 1);
    int count[6] = {0};
    assert_int_equal(room.params->width, published[i].width);
    assert_int_equal(room.params->height, published[i].height);
    for (int c = 0; c < room.params->cells; c++)
      count[room.params->tile[c]]++;
    for (int tile = POT; tile <= SERVING; tile++) {
      int there = 0;
      for (; published[i].tile[tile][there] >= 0; there++)
        assert_int_equal(room.params->tile[published[i].tile[tile][there]], tile);
      assert_int_equal(count[tile], there);
    }
    for (int c = 0; c < COOKS; c++)
      assert_int_equal(room.params->start[c], published[i].start[c]);
    assert_int_equal(count[FLOOR], floors[i]);
    env_destroy(room.env);
  }
}

/* Cramped room, the second cook stands still. */
static void a_soup_step_by_step(void **state) {
  (void)state;
  static const char *const option[] = {"shaping=1"};
  Room room = open_room(option, 1);
  float phi[COOKS];
  for (int onion = 1; onion <= 3; onion++) {
    act(&room, 'l', 's'); /* to the onions */
    check_cook(&room, 0, 1, 1, LEFT, NOTHING);
    act(&room, 'i', 's');
    check_cook(&room, 0, 1, 1, LEFT, ONION);
    CHECK_NEAR(room.reward[0], 0, 0);
    act(&room, 'r', 's');
    act(&room, 'u', 's'); /* the pot is in the way: it only turns */
    check_cook(&room, 0, 1, 2, UP, ONION);
    act(&room, 'i', 's');
    check_cook(&room, 0, 1, 2, UP, NOTHING);
    CHECK_NEAR(room.reward[0], 3, 0);
    CHECK_NEAR(room.reward[1], 0, 0);
    assert_int_equal(room.episode.onions_in[0], onion);
    room.env->table->potential(room.params, &room.episode, phi);
    CHECK_NEAR(phi[1], 3 * onion, 0);
  }
  assert_int_equal(room.episode.left[0], 19); /* the first of 20 steps was the onion's own */
  for (const char *way = "dld"; *way; way++)
    act(&room, *way, 's');
  check_cook(&room, 0, 2, 1, DOWN, NOTHING);
  act(&room, 'i', 's');
  check_cook(&room, 0, 2, 1, DOWN, PLATE);
  CHECK_NEAR(room.reward[0], 3, 0);
  act(&room, 'r', 's');
  act(&room, 'u', 's');
  check_cook(&room, 0, 1, 2, UP, PLATE);
  for (int t = 21; t < 34; t++) { /* until step 34 it cooks */
    act(&room, 'i', 's');
    check_cook(&room, 0, 1, 2, UP, PLATE);
  }
  assert_int_equal(room.episode.left[0], 0);
  act(&room, 'i', 's');
  check_cook(&room, 0, 1, 2, UP, SOUP);
  CHECK_NEAR(room.reward[0], 5, 0);
  assert_int_equal(room.episode.onions_in[0], 0);
  room.env->table->potential(room.params, &room.episode, phi);
  CHECK_NEAR(phi[0], 9 + 3 + 5, 0);
  for (const char *way = "drd"; *way; way++)
    act(&room, *way, 's');
  act(&room, 'i', 's');
  check_cook(&room, 0, 2, 3, DOWN, NOTHING);
  CHECK_NEAR(room.reward[0], 20, 0); /* to both */
  CHECK_NEAR(room.reward[1], 20, 0);
  room.env->table->potential(room.params, &room.episode, phi);
  CHECK_NEAR(phi[0], 0, 0);
  float values[3];
  room.env->table->metrics(room.params, &room.episode, values);
  CHECK_NEAR(values[0], 1, 0);
  CHECK_NEAR(values[1], 3, 0);
  CHECK_NEAR(values[2], 0, 0);
  env_destroy(room.env);
}

static void cooks_are_in_each_others_way(void **state) {
  (void)state;
  Room room = open_room(NULL, 0);
  act(&room, 'r', 'l'); /* both want the cell between them */
  check_cook(&room, 0, 1, 1, RIGHT, NOTHING);
  check_cook(&room, 1, 1, 3, LEFT, NOTHING);
  assert_int_equal(room.episode.blocked, 2);
  act(&room, 'r', 's');
  check_cook(&room, 0, 1, 2, RIGHT, NOTHING);
  act(&room, 'r', 's'); /* one stands there */
  check_cook(&room, 0, 1, 2, RIGHT, NOTHING);
  assert_int_equal(room.episode.blocked, 3);
  act(&room, 'r', 'l'); /* they would change places */
  check_cook(&room, 0, 1, 2, RIGHT, NOTHING);
  check_cook(&room, 1, 1, 3, LEFT, NOTHING);
  assert_int_equal(room.episode.blocked, 5);
  act(&room, 'r', 'd'); /* into a cell that is just being left */
  check_cook(&room, 0, 1, 3, RIGHT, NOTHING);
  check_cook(&room, 1, 2, 3, DOWN, NOTHING);
  act(&room, 'd', 'd'); /* the other cannot leave: a counter is before it */
  check_cook(&room, 0, 1, 3, DOWN, NOTHING);
  check_cook(&room, 1, 2, 3, DOWN, NOTHING);
  assert_int_equal(room.episode.blocked, 6);
  env_destroy(room.env);
}

/* The first cook's hands are quicker; both see what the first has done. */
static void the_first_cook_is_first(void **state) {
  (void)state;
  static const char *const pot[] = {"map=XXXXX/X1P2X/XOSDX", "cooking=1", "shaping=1"};
  static const char *const counter[] = {"map=XXPXX/X1X2X/XOSDX"};
  Room room = open_room(pot, 3);
  act(&room, 'r', 'l');
  room.episode.cook[0].held = room.episode.cook[1].held = ONION;
  room.episode.onions_in[0] = 2;
  act(&room, 'i', 'i');
  assert_int_equal(room.episode.cook[0].held, NOTHING);
  assert_int_equal(room.episode.cook[1].held, ONION); /* there is no room for a fourth */
  assert_int_equal(room.episode.onions_in[0], 3);
  CHECK_NEAR(room.reward[1], 0, 0);
  room.episode.cook[0].held = room.episode.cook[1].held = PLATE;
  act(&room, 'i', 'i'); /* it cooked for one step */
  assert_int_equal(room.episode.cook[0].held, SOUP);
  assert_int_equal(room.episode.cook[1].held, PLATE);
  CHECK_NEAR(room.reward[0], 5, 0);
  env_destroy(room.env);

  room = open_room(counter, 1);
  act(&room, 'r', 'l');
  room.episode.cook[0].held = ONION;
  act(&room, 'i', 'i'); /* from hand to hand over the counter in one step */
  assert_int_equal(room.episode.cook[0].held, NOTHING);
  assert_int_equal(room.episode.cook[1].held, ONION);
  act(&room, 'i', 'i'); /* the other way it takes two */
  assert_int_equal(room.episode.cook[0].held, NOTHING);
  assert_int_equal(room.episode.item[room.params->width + 2], ONION);
  room.episode.cook[0].held = PLATE;
  act(&room, 'i', 's'); /* a counter holds one thing */
  assert_int_equal(room.episode.cook[0].held, PLATE);
  assert_int_equal(room.episode.item[room.params->width + 2], ONION);
  env_destroy(room.env);
}

/* A plate is paid for as long as fewer are in hands than pots are begun, and none lies about. */
static void plates_are_paid_for_when_needed(void **state) {
  (void)state;
  static const char *const option[] = {"map=XXPPX/X1X2X/XDSDX/XXOXX", "shaping=2"};
  Room room = open_room(option, 2);
  static const struct {
    int pots_begun, other, lying;
    float paid;
  } at[] = {{0, NOTHING, 0, 0},
            {1, NOTHING, 0, 6},
            {1, PLATE, 0, 0},
            {2, PLATE, 0, 6},
            {2, NOTHING, 1, 0}};
  act(&room, 'd', 's');
  for (size_t i = 0; i < COUNT_OF(at); i++) {
    room.episode.cook[0].held = NOTHING;
    room.episode.cook[1].held = (uint8_t)at[i].other;
    room.episode.onions_in[0] = at[i].pots_begun > 0;
    room.episode.onions_in[1] = at[i].pots_begun > 1;
    room.episode.item[room.params->width + 2] = at[i].lying ? PLATE : NOTHING;
    act(&room, 'i', 's');
    assert_int_equal(room.episode.cook[0].held, PLATE);
    CHECK_NEAR(room.reward[0], at[i].paid, 0);
    CHECK_NEAR(room.reward[1], 0, 0);
  }
  env_destroy(room.env);
}

/* Plane by plane what the second cook sees of a kitchen of 3 x 5. */
static void planes_show_the_kitchen(void **state) {
  (void)state;
  static const char *const option[] = {"map=XXPXX/X1P2X/XOSDX", "limit=50", "cooking=10"};
  enum { CELLS = 15 };
  Room room = open_room(option, 3);
  float row[PLANES * CELLS], whole[PLANES * CELLS + 1], expected[PLANES * CELLS] = {0};
  assert_int_equal(room.env->observation_count, PLANES * CELLS);
  act(&room, 'd', 'l');
  room.episode.cook[0].held = SOUP;
  room.episode.cook[1].held = PLATE;
  room.episode.onions_in[0] = 2;
  room.episode.onions_in[1] = 3;
  room.episode.left[1] = 7;
  room.episode.item[4] = ONION;
  const int one[][2] = {
      {OWN, 8},         {OTHER, 6},          {OWN_WAY + LEFT, 8}, {OTHER_WAY + DOWN, 6},
      {TILES, 2},       {TILES, 7},          {TILES + 2, 11},     {TILES + 3, 13},
      {TILES + 4, 12},  {ONIONS_IN_SOUP, 7}, {ONIONS_IN_SOUP, 6}, {DONE, 6},
      {SEEN_PLATES, 8}, {SEEN_ONIONS, 4}};
  for (size_t i = 0; i < COUNT_OF(one); i++)
    expected[one[i][0] * CELLS + one[i][1]] = 1;
  for (const char *map = "XX.XXX...XX...X", *at = map; *at; at++)
    if (*at == 'X') expected[(TILES + 1) * CELLS + (at - map)] = 1;
  expected[ONIONS_IN_POT * CELLS + 2] = 2.0f / 3;
  expected[COOKING * CELLS + 7] = 0.7f;
  env_observe(room.env, &room.episode, 1, row);
  for (int i = 0; i < PLANES * CELLS; i++)
    if (row[i] < expected[i] || row[i] > expected[i])
      fail_msg("plane %d, cell %d: %g, not %g", i / CELLS, i % CELLS, (double)row[i],
               (double)expected[i]);
  room.episode.time = 11; /* 39 are left */
  env_observe(room.env, &room.episode, 0, row);
  CHECK_NEAR(row[URGENCY * CELLS], 1, 0);
  CHECK_NEAR(row[OWN * CELLS + 6], 1, 0);
  CHECK_NEAR(row[OTHER_WAY * CELLS + LEFT * CELLS + 8], 1, 0);
  room.env->table->global_state(room.params, &room.episode, whole);
  assert_memory_equal(whole, row, sizeof row);
  CHECK_NEAR(whole[PLANES * CELLS], 39.0 / 50, 1e-6);
  room.episode.time = 49;
  assert_int_equal(act(&room, 's', 's'), AGON_TRUNCATED);
  env_destroy(room.env);
}

static void maps_that_are_no_kitchens_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *map, *says;
  } bad[] = {
      {"map=XXPXX/X1.2X/XOSDQ", "'Q'"},
      {"map=XXPXX/X1.2/XOSDX", "row 2 of env.map has 4 cells, the first has 5"},
      {"map=XXPXX/.1.2X/XOSDX", "floor at its edge"},
      {"map=XXPXX/X1.1X/XOSDX", "one 1 and one 2"},
      {"map=XXXXX/X1.2X/XOSDX", "no pot"},
      {"map=XXPXX/X1.2X/XXSDX", "no onions"},
      {"map=XXPXX/X1.2X/XOSXX", "no plates"},
      {"map=XXPXX/X1.2X/XOXDX", "no place to serve"},
      {"map=PPPPPPPPP/PP1.2OSDX/XXXXXXXXX", "more than 8 pots"},
      {"map=XXXXXXXXXXXXX/X", "larger than 12 x 12"},
      {"map=X/X/X/X/X/X/X/X/X/X/X/X/X", "larger than 12 x 12"},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    Env *env;
    assert_int_equal(env_create_from("kitchen", &bad[i].map, 1, &env), ERR_USAGE);
    if (!strstr(status_message(), bad[i].says)) fail_msg("%s: %s", bad[i].map, status_message());
  }
}

/* Two rule-based cooks serve in every kitchen, also where each can do only half of the work. */
static void rule_based_cooks_serve(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT_OF(published); i++) {
    Room room = open_room(&published[i].option, 1);
    const AgonRandom random = rng_handle(&room.rng);
    AgonStatus status = AGON_RUNNING;
    double paid = 0;
    while (status == AGON_RUNNING) {
      AgonAction action[COOKS];
      for (uint32_t c = 0; c < COOKS; c++)
        room.env->table->scripted(room.params, &room.episode, c, &random, &action[c]);
      room.reward[0] = room.reward[1] = 0;
      status = env_call_step(room.env, &room.episode, action, &random, room.reward);
      paid += (double)room.reward[1];
    }
    assert_int_equal(room.episode.time, 400);
    CHECK_NEAR(paid, 20 * room.episode.soups, 0);
    if (room.episode.soups < 6) fail_msg("%s: %d soups", published[i].option, room.episode.soups);
    env_destroy(room.env);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layouts_are_the_published_ones),
      cmocka_unit_test(a_soup_step_by_step),
      cmocka_unit_test(cooks_are_in_each_others_way),
      cmocka_unit_test(the_first_cook_is_first),
      cmocka_unit_test(plates_are_paid_for_when_needed),
      cmocka_unit_test(planes_show_the_kitchen),
      cmocka_unit_test(maps_that_are_no_kitchens_are_refused),
      cmocka_unit_test(rule_based_cooks_serve),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
