/* Predators and prey by hand: catches by two and by one, in whose order; who leaves; what is seen
 * and may be done; where an episode ends. */
#include "check.h"

#include "env/env.h"

#define env_predator_prey env_predator_prey_for_its_types
#include "env/games/predator_prey.c"
#undef env_predator_prey

typedef struct Hunt {
  Env *env;
  Episode episode;
  AgonRng rng;
  float reward[MAX_PREDATORS];
} Hunt;

static Hunt open_hunt(const char *const *option, size_t count) {
  Hunt hunt = {.rng = rng_stream(1, 0, 0, RNG_TEST)};
  CHECK_OK(env_create_from("predator_prey", option, count, &hunt.env));
  return hunt;
}

/* Who stands where: rows of the grid, predators as letters, prey as digits. */
static void set(Hunt *hunt, const char *grid) {
  const Params *params = hunt->env->params;
  memset(&hunt->episode, 0, sizeof hunt->episode);
  memset(hunt->episode.out, 1, (size_t)params->predators);
  memset(hunt->episode.eaten, 1, (size_t)params->prey);
  for (int c = 0; c < params->size * params->size; c++) {
    const Place at = {(int8_t)(c / params->size), (int8_t)(c % params->size)};
    const char who = grid[c];
    if (who >= 'A' && who <= 'Z') {
      hunt->episode.predator[who - 'A'] = at;
      hunt->episode.out[who - 'A'] = 0;
      hunt->episode.cell[c] = (uint8_t)(who - 'A' + 1);
    } else if (who >= '0' && who <= '9') {
      hunt->episode.prey[who - '0'] = at;
      hunt->episode.eaten[who - '0'] = 0;
      hunt->episode.cell[c] = (uint8_t)(MAX_PREDATORS + who - '0' + 1);
    }
  }
}

/* One step; actions are letters: r d l u, s stay, c catch. */
static AgonStatus act(Hunt *hunt, const char *actions) {
  static const char known[] = "rdlusc";
  AgonAction action[MAX_PREDATORS] = {{.choice = STAY}};
  const AgonRandom random = rng_handle(&hunt->rng);
  for (size_t p = 0; p < hunt->env->spec.agents; p++)
    action[p].choice = (int32_t)(strchr(known, actions[p]) - known);
  memset(hunt->reward, 0, sizeof hunt->reward);
  return env_call_step(hunt->env, &hunt->episode, action, &random, hunt->reward);
}

static void two_catch_and_leave_with_it(void **state) {
  (void)state;
  static const char *const option[] = {"size=3", "predators=3", "prey=2"};
  Hunt hunt = open_hunt(option, 3);
  uint8_t flags[3], row[2 * 5 * 5], nothing[2 * 5 * 5] = {0};
  set(&hunt, "A0."
             "CB."
             "..1");
  /* A is left of the prey, B below; C, who stands beside neither, catches nothing */
  assert_int_equal(act(&hunt, "ccs"), AGON_RUNNING);
  for (int p = 0; p < 3; p++)
    CHECK_NEAR(hunt.reward[p], 10, 0);
  env_flags_of(hunt.env, &hunt.episode, flags);
  assert_int_equal(flags[0], 0);
  assert_int_equal(flags[1], 0);
  assert_int_equal(flags[2], AGON_ALIVE | AGON_ACTS);
  assert_int_equal(hunt.episode.cell[0], 0);
  assert_int_equal(hunt.episode.cell[1], 0);
  env_observe(hunt.env, &hunt.episode, 0, row);
  assert_memory_equal(row, nothing, sizeof nothing);
  env_destroy(hunt.env);
}

static void one_alone_pays_for_all(void **state) {
  (void)state;
  static const char *const option[] = {"size=3", "predators=2", "prey=1", "penalty=1.5", "rest=1"};
  Hunt hunt = open_hunt(option, 5);
  set(&hunt, "A0."
             "..."
             "..B");
  assert_int_equal(act(&hunt, "cs"), AGON_RUNNING);
  CHECK_NEAR(hunt.reward[0], -1.5, 0);
  CHECK_NEAR(hunt.reward[1], -1.5, 0);
  assert_int_equal(hunt.episode.lone, 1);
  assert_int_equal(hunt.episode.caught, 0);
  assert_int_equal(hunt.episode.prey[0].column, 1); /* it rests */
  /* B comes beside it in the same step, but comes and does not catch */
  set(&hunt, "A0B"
             "..."
             "...");
  assert_int_equal(act(&hunt, "cs"), AGON_RUNNING);
  CHECK_NEAR(hunt.reward[0], -1.5, 0);
  assert_int_equal(act(&hunt, "cc"), AGON_TERMINATED); /* all prey are caught */
  CHECK_NEAR(hunt.reward[1], 10, 0);
  env_destroy(hunt.env);
}

/* A, beside two prey, helps with one or with the other, and is alone at the one whose turn comes
 * first, in half of all orders. */
static void one_between_two_prey_helps_once(void **state) {
  (void)state;
  static const char *const option[] = {"size=3", "predators=3", "prey=2"};
  Hunt hunt = open_hunt(option, 3);
  int first = 0, second = 0;
  for (int i = 0; i < 400; i++) {
    set(&hunt, "B0."
               ".A1"
               "..C");
    act(&hunt, "ccs");
    assert_int_equal(hunt.episode.caught, 1);
    assert_int_equal(hunt.episode.eaten[0], 1);
    assert_true(hunt.episode.out[0] && hunt.episode.out[1] && !hunt.episode.out[2]);
    if (hunt.episode.lone == 0) {
      CHECK_NEAR(hunt.reward[2], 10, 0);
      first++;
    } else {
      CHECK_NEAR(hunt.reward[2], 8, 0);
      second++;
    }
  }
  assert_in_range(first, 160, 240);
  assert_int_equal(first + second, 400);
  env_destroy(hunt.env);
}

/* Two want one cell: either gets it, never both; nobody enters a cell that is taken. */
static void cells_hold_one(void **state) {
  (void)state;
  static const char *const option[] = {"size=3", "predators=2", "prey=1", "rest=1"};
  Hunt hunt = open_hunt(option, 4);
  int got[2] = {0, 0};
  for (int i = 0; i < 200; i++) {
    set(&hunt, "A.B"
               "..."
               "..0");
    act(&hunt, "rl");
    const bool a = hunt.episode.predator[0].column == 1, b = hunt.episode.predator[1].column == 1;
    assert_true(a != b);
    got[b]++;
  }
  assert_in_range(got[0], 70, 130);
  set(&hunt, "..."
             "..B"
             "..0");
  hunt.episode.out[0] = 1;
  act(&hunt, "sd");
  assert_int_equal(hunt.episode.predator[1].row, 1);
  env_destroy(hunt.env);
}

/* A prey goes to each of its free cells alike, never onto others or out of the grid. */
static void prey_flees_to_free_cells(void **state) {
  (void)state;
  static const char *const option[] = {"size=3", "predators=2", "prey=1"};
  Hunt hunt = open_hunt(option, 3);
  int at[9] = {0};
  for (int i = 0; i < 400; i++) {
    set(&hunt, "A.."
               "0.."
               "..B");
    act(&hunt, "ss");
    at[hunt.episode.prey[0].row * 3 + hunt.episode.prey[0].column]++;
  }
  assert_int_equal(at[4] + at[6], 400);
  assert_in_range(at[4], 160, 240);
  set(&hunt, "0A."
             "B.."
             "...");
  act(&hunt, "ss"); /* nowhere to go */
  assert_int_equal(hunt.episode.prey[0].row + hunt.episode.prey[0].column, 0);
  env_destroy(hunt.env);
}

static void views_and_masks_are_of_the_cells_around(void **state) {
  (void)state;
  static const char *const option[] = {"size=4", "predators=2", "prey=1", "sight=1", "walls=true"};
  Hunt hunt = open_hunt(option, 5);
  uint8_t row[27], mask[ACTIONS];
  set(&hunt, "A..."
             "0B.."
             "...."
             "....");
  static const uint8_t seen[27] = {0, 0, 0, 0, 1, 0, 0, 0, 1,  /* predators: itself, B */
                                   0, 0, 0, 0, 0, 0, 0, 1, 0,  /* prey below */
                                   1, 1, 1, 1, 0, 0, 1, 0, 0}; /* beyond the border */
  static const uint8_t may[ACTIONS] = {1, 1, 0, 0, 1, 1};
  static const uint8_t b_may[ACTIONS] = {1, 1, 1, 1, 1, 1};
  env_observe(hunt.env, &hunt.episode, 0, row);
  assert_memory_equal(row, seen, sizeof seen);
  env_mask(hunt.env, &hunt.episode, 0, mask);
  assert_memory_equal(mask, may, sizeof may);
  env_mask(hunt.env, &hunt.episode, 1, mask);
  assert_memory_equal(mask, b_may, sizeof b_may);
  set(&hunt, "A..."
             ".0.B"
             "...."
             "....");
  env_mask(hunt.env, &hunt.episode, 0, mask);
  assert_int_equal(mask[CATCH], 0); /* diagonally is not beside */
  env_destroy(hunt.env);
}

/* With 8 predators two of whom leave with each catch 4 prey are the most: an episode is over then.
 */
static void it_is_over_when_nobody_is_left(void **state) {
  (void)state;
  Hunt hunt = open_hunt(NULL, 0);
  const AgonRandom random = rng_handle(&hunt.rng);
  double best = 0, sum = 0;
  CHECK_NEAR(hunt.env->spec.reward_high, 40, 0);
  for (int game = 0; game < 30; game++) {
    AgonStatus status = env_call_reset(hunt.env, &hunt.episode, &random);
    double paid = 0;
    while (status == AGON_RUNNING) {
      AgonAction action[MAX_PREDATORS] = {{.choice = STAY}};
      uint8_t flags[MAX_PREDATORS];
      env_flags_of(hunt.env, &hunt.episode, flags);
      for (uint32_t p = 0; p < 8; p++)
        if (flags[p] & AGON_ACTS)
          hunt.env->table->scripted(hunt.env->params, &hunt.episode, p, &random, &action[p]);
      memset(hunt.reward, 0, sizeof hunt.reward);
      status = env_call_step(hunt.env, &hunt.episode, action, &random, hunt.reward);
      paid += (double)hunt.reward[0];
    }
    int left = 0; /* three may leave with one prey, so that the catches need not be four */
    for (int p = 0; p < 8; p++)
      left += !hunt.episode.out[p];
    assert_int_equal(status, left ? AGON_TRUNCATED : AGON_TERMINATED);
    if (paid > best) best = paid;
    sum += paid;
  }
  CHECK_NEAR(best, 40, 0);
  assert_true(sum / 30 > 35);
  env_destroy(hunt.env);
}

static void options_that_cannot_be_are_refused(void **state) {
  (void)state;
  static const char *const full[] = {"size=3", "predators=5", "prey=5"};
  static const char *const few[] = {"predators=2", "needed=3"};
  Env *env;
  assert_int_equal(env_create_from("predator_prey", full, 3, &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "no room on 3 x 3 cells"));
  assert_int_equal(env_create_from("predator_prey", few, 2, &env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "env.needed"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_catch_and_leave_with_it),
      cmocka_unit_test(one_alone_pays_for_all),
      cmocka_unit_test(one_between_two_prey_helps_once),
      cmocka_unit_test(cells_hold_one),
      cmocka_unit_test(prey_flees_to_free_cells),
      cmocka_unit_test(views_and_masks_are_of_the_cells_around),
      cmocka_unit_test(it_is_over_when_nobody_is_left),
      cmocka_unit_test(options_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
