/* Envs that break one clause of agon/env.h each, and nothing else: the suite must name it. Every fault is laid over a
 * game that keeps its contract: `good` is its table, `bad` what the suite gets. */
#include "check.h"

#include "env/env.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static AgonEnv good;
static uint32_t steps; /* made by anybody so far: no part of an episode */

/* --- steps and statuses --- */
static AgonStatus step_counted(const void *params, void *episode, const AgonAction *actions, const AgonRandom *random,
                               float *reward, AgonError *error) {
  steps++;
  return good.step(params, episode, actions, random, reward, error);
}
static AgonStatus step_unknown(const void *params, void *episode, const AgonAction *actions, const AgonRandom *random,
                               float *reward, AgonError *error) {
  AgonStatus status = good.step(params, episode, actions, random, reward, error);
  return status == AGON_RUNNING ? status : (AgonStatus)7;
}
static AgonStatus step_draws(const void *params, void *episode, const AgonAction *actions, const AgonRandom *random,
                             float *reward, AgonError *error) {
  if (steps++ % 2) agon_random_below(random, 2);
  return good.step(params, episode, actions, random, reward, error);
}
static AgonStatus reset_unknown(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)good.reset(params, episode, random, error);
  return (AgonStatus)-7;
}
static AgonStatus reset_ended(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)good.reset(params, episode, random, error);
  return AGON_TERMINATED;
}
static AgonStatus chance_unknown(const void *params, void *episode, uint32_t outcome, float *reward, AgonError *error) {
  (void)good.chance_apply(params, episode, outcome, reward, error);
  return (AgonStatus)9;
}
static uint32_t chance_beyond(const void *params, const void *episode, double *probability) {
  uint32_t count = good.chance_outcomes(params, episode, probability);
  probability[count] = 0;
  return count;
}
static uint32_t chance_partly(const void *params, const void *episode, double *probability) {
  double whole[64];
  uint32_t count = good.chance_outcomes(params, episode, whole);
  memcpy(probability, whole, (count - 1) * sizeof *whole);
  return count;
}

/* --- many at once --- */
static void many_first_only(const void *params, size_t count, void *const *episodes, const AgonAction *actions,
                            const AgonRandom *random, float *reward, AgonStatus *status, AgonError *error) {
  (void)count;
  good.step_many(params, 1, episodes, actions, random, reward, status, error);
}
/* `like` says which of the rows the second episode takes from the first. */
static enum { LIKE_NOTHING, LIKE_ACTIONS, LIKE_RANDOM, LIKE_EPISODE, LIKE_REWARD, BEYOND } like;
static void many_like_first(const void *params, size_t count, void *const *episodes, const AgonAction *actions,
                            const AgonRandom *random, float *reward, AgonStatus *status, AgonError *error) {
  for (size_t i = 0; i < count; i++) {
    void *episode = episodes[like == LIKE_EPISODE ? 0 : i];
    status[i] = good.step(params, episode, actions + (like == LIKE_ACTIONS ? 0 : 2 * i),
                          random + (like == LIKE_RANDOM ? 0 : i), reward + (like == LIKE_REWARD ? 0 : 2 * i), error);
  }
  if (like == BEYOND) reward[2 * count] = 0;
}

/* --- rows --- */
static void flags_dead(const void *params, const void *episode, uint8_t *flags) {
  good.flags(params, episode, flags);
  if (flags[1] & AGON_ACTS) flags[1] = AGON_ACTS;
}
/* What is shown depends on how many steps the program has made, not on the episode. */
static void observe_counted(const void *params, const void *episode, uint32_t agent, void *row) {
  good.observe(params, episode, agent, row);
  if (agent == 1) ((uint8_t *)row)[5] = steps % 2;
}
static void mask_counted(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  good.mask(params, episode, agent, row);
  for (uint32_t i = 0, legal = 0; steps % 2 && i < 9; i++) {
    row[i] = row[i] && !legal; /* the first only */
    legal += row[i];
  }
}
static void outcome_counted(const void *params, const void *episode, float *out) {
  good.outcome(params, episode, out);
  out[0] = (float)(steps % 2);
  out[1] = 1 - out[0];
}
static void metrics_counted(const void *params, const void *episode, float *values) {
  good.metrics(params, episode, values);
  values[0] += (float)(steps % 2);
}
static void global_counted(const void *params, const void *episode, float *row) {
  good.global_state(params, episode, row);
  row[2] += (float)(steps % 2);
}
static size_t globals; /* of the game */
static void global_beyond(const void *params, const void *episode, float *row) {
  good.global_state(params, episode, row);
  row[globals] = 0;
}
static void global_partly(const void *params, const void *episode, float *row) {
  float *whole = calloc(globals, sizeof *whole);
  good.global_state(params, episode, whole);
  memcpy(row, whole, (globals - 1) * sizeof *whole);
  free(whole);
}
static void global_infinite(const void *params, const void *episode, float *row) {
  good.global_state(params, episode, row);
  row[1] = INFINITY;
}
static void scripted_beyond(const void *params, const void *episode, uint32_t agent, const AgonRandom *random,
                            AgonAction *action) {
  good.scripted(params, episode, agent, random, action);
  action[1].choice = 0;
}

/* --- pictures --- */
static void render_changes(const void *params, const void *episode, char *text, size_t size) {
  static uint32_t pictures;
  uint8_t *bytes = (uint8_t *)(uintptr_t)episode;
  good.render(params, episode, text, size);
  bytes[0] ^= pictures++ % 3 == 2; /* the last of a position's, so that all look alike */
}
static void render_beyond(const void *params, const void *episode, char *text, size_t size) {
  good.render(params, episode, text, size);
  text[size] = 0;
}
static void render_endless(const void *params, const void *episode, char *text, size_t size) {
  (void)params, (void)episode;
  memset(text, '.', size);
}
static void render_counted(const void *params, const void *episode, char *text, size_t size) {
  static uint32_t pictures;
  good.render(params, episode, text, size);
  text[0] = (char)('a' + pictures++ % 2);
}

/* --- names --- */
static const char *name_empty(const void *params, uint32_t head, uint32_t choice) {
  return choice == 3 ? "" : good.action_name(params, head, choice);
}
static const char *name_alike(const void *params, uint32_t head, uint32_t choice) {
  return good.action_name(params, head, choice == 4 ? 2 : choice);
}
static const char *name_long(const void *params, uint32_t head, uint32_t choice) {
  (void)params, (void)head, (void)choice;
  return "a name of sixty-four characters, one more than there is room for";
}
static const char *name_changes(const void *params, uint32_t head, uint32_t choice) {
  static uint32_t asked;
  return asked++ % 2 ? NULL : good.action_name(params, head, choice);
}
static const char *element_empty(const void *params, uint32_t index) {
  (void)params;
  return index == 2 ? "" : NULL;
}

/* --- states on the heap --- */
/* Loads only where there has been an episode before: the list of such is short, as blocks are few. */
static void *used[64];
static size_t uses;
static AgonStatus reset_noted(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  used[uses++ % COUNT_OF(used)] = *(void **)episode;
  return good.reset(params, episode, random, error);
}
static void destroy_noted(const void *params, void *episode) {
  for (size_t i = 0; i < COUNT_OF(used); i++)
    if (used[i] == *(void **)episode) used[i] = NULL;
  good.destroy(params, episode);
}
static int load_into_used(const void *params, void *episode, const void *bytes, size_t size, AgonError *error) {
  for (size_t i = 0; i < COUNT_OF(used); i++)
    if (used[i] == *(void **)episode) return good.load(params, episode, bytes, size, error);
  snprintf(error->text, sizeof error->text, "it was never reset");
  return -1;
}
static int load_partly(const void *params, void *episode, const void *bytes, size_t size, AgonError *error) {
  uint32_t both[2];
  memcpy(both, bytes, sizeof both);
  if (both[0] > 9) both[0]--; /* a stone too few, of many */
  return good.load(params, episode, both, size, error);
}
static int save_fails(const void *params, const void *episode, void *bytes, size_t *size, AgonError *error) {
  if (*size > 0 && *size < 8) return -1;
  return good.save(params, episode, bytes, size, error);
}
static int save_beyond(const void *params, const void *episode, void *bytes, size_t *size, AgonError *error) {
  if (*size > 0) *size = 8;
  return good.save(params, episode, bytes, size, error);
}
static int save_takes(const void *params, const void *episode, void *bytes, size_t *size, AgonError *error) {
  uint32_t *turn = (uint32_t *)(*(uint8_t *const *)episode + sizeof(void *) + sizeof(uint32_t));
  int result = good.save(params, episode, bytes, size, error);
  *turn += 2; /* the same side's, later */
  return result;
}
static int remove_fails(const void *params, void *episode, uint32_t agent, AgonError *error) {
  (void)params, (void)episode;
  snprintf(error->text, sizeof error->text, "agent %u stays", agent);
  return -1;
}

/* --- the faults --- */
typedef struct Fault {
  const char *game, *option;
  void (*plant)(AgonEnv *bad);
  const char *says;
} Fault;

#define PLANT(name, ...)                                                                                               \
  static void plant_##name(AgonEnv *bad) {                                                                             \
    __VA_ARGS__;                                                                                                       \
  }
PLANT(step_unknown, bad->step = step_unknown)
PLANT(step_draws, bad->step = step_draws)
PLANT(reset_unknown, bad->reset = reset_unknown)
PLANT(reset_ended, bad->reset = reset_ended)
PLANT(chance_unknown, bad->chance_apply = chance_unknown)
PLANT(chance_beyond, bad->chance_outcomes = chance_beyond)
PLANT(chance_partly, bad->chance_outcomes = chance_partly)
PLANT(many_first, bad->step_many = many_first_only)
PLANT(many_actions, bad->step_many = many_like_first; like = LIKE_ACTIONS)
PLANT(many_random, bad->step = step_draws; bad->step_many = many_like_first; like = LIKE_RANDOM)
PLANT(many_episode, bad->step_many = many_like_first; like = LIKE_EPISODE)
PLANT(many_reward, bad->step_many = many_like_first; like = LIKE_REWARD)
PLANT(many_beyond, bad->step_many = many_like_first; like = BEYOND)
PLANT(many_right, bad->step_many = many_like_first; like = LIKE_NOTHING)
PLANT(flags_dead, bad->flags = flags_dead)
PLANT(observe_counted, bad->step = step_counted; bad->observe = observe_counted)
PLANT(mask_counted, bad->step = step_counted; bad->mask = mask_counted)
PLANT(outcome_counted, bad->step = step_counted; bad->outcome = outcome_counted)
PLANT(metrics_counted, bad->step = step_counted; bad->metrics = metrics_counted)
PLANT(global_counted, bad->step = step_counted; bad->global_state = global_counted)
PLANT(global_beyond, bad->global_state = global_beyond)
PLANT(global_partly, bad->global_state = global_partly)
PLANT(global_infinite, bad->global_state = global_infinite)
PLANT(scripted_beyond, bad->scripted = scripted_beyond)
PLANT(render_changes, bad->render = render_changes)
PLANT(render_beyond, bad->render = render_beyond)
PLANT(render_endless, bad->render = render_endless)
PLANT(render_counted, bad->render = render_counted)
PLANT(name_empty, bad->action_name = name_empty)
PLANT(name_alike, bad->action_name = name_alike)
PLANT(name_long, bad->action_name = name_long)
PLANT(name_changes, bad->action_name = name_changes)
PLANT(element_empty, bad->observation_name = element_empty)
PLANT(load_used, bad->reset = reset_noted; bad->destroy = destroy_noted; bad->load = load_into_used)
PLANT(load_partly, bad->load = load_partly)
PLANT(save_fails, bad->save = save_fails)
PLANT(save_beyond, bad->save = save_beyond)
PLANT(save_takes, bad->save = save_takes)
PLANT(remove_fails, bad->remove = remove_fails)
PLANT(nothing, (void)bad)

#define PILE TEST_PLUGINS "/libplugin_pile.so"
#define PILE_UNSAVED TEST_PLUGINS "/libplugin_pile_unsaved.so"
#define MARKET TEST_PLUGINS "/libplugin_market.so"
static const Fault faults[] = {
    {"tic_tac_toe", NULL, plant_step_unknown, "step returns 7, which is no AgonStatus"},
    {"tic_tac_toe", NULL, plant_step_draws, "copies differ in what they draw"},
    {"tic_tac_toe", NULL, plant_reset_unknown, "reset returns -7, which is no AgonStatus"},
    {"tic_tac_toe", NULL, plant_reset_ended, "over before its first decision: reset must lead to one"},
    {"kuhn_poker", NULL, plant_chance_unknown, "chance_apply returns 9, which is no AgonStatus"},
    {"kuhn_poker", NULL, plant_chance_beyond, "chance_outcomes writes more than 3 probabilities"},
    {"kuhn_poker", NULL, plant_chance_partly, "the probability of chance outcome 2 is"},
    {"connect_four", NULL, plant_many_first, "step_many says of episode 1 of 2 that it failed, or nothing"},
    {"connect_four", NULL, plant_many_actions, "step_many"},
    {"connect_four", NULL, plant_many_random, "in what it draws for episode"},
    {"connect_four", NULL, plant_many_episode, "step_many"},
    {"connect_four", NULL, plant_many_reward, "step_many differs from step in the rewards of episode"},
    {"connect_four", NULL, plant_many_beyond, "step_many writes beyond the rewards"},
    {"connect_four", NULL, plant_many_right, NULL},
    {"tic_tac_toe", NULL, plant_flags_dead, "agent 1 is flagged ACTS and not ALIVE"},
    {"tic_tac_toe", NULL, plant_observe_counted, "copies differ in what agent 1 sees: element 5 is"},
    {"tic_tac_toe", NULL, plant_mask_counted, "copies differ in what agent"},
    {"tic_tac_toe", NULL, plant_outcome_counted, "copies differ in their outcome: element 0 is"},
    {"skirmish", NULL, plant_metrics_counted, "copies differ in their metrics: element 0 is"},
    {"skirmish", NULL, plant_global_counted, "copies differ in their global state: element 2 is"},
    {"skirmish", NULL, plant_global_beyond, "global_state writes beyond global_state_size"},
    {"skirmish", NULL, plant_global_partly, "global_state leaves elements unwritten or is not repeatable"},
    {"skirmish", NULL, plant_global_infinite, "element 1 of the global state is not finite"},
    {"skirmish", NULL, plant_scripted_beyond, "scripted writes beyond its row"},
    {"tic_tac_toe", NULL, plant_render_changes, "changes it"},
    {"tic_tac_toe", NULL, plant_render_beyond, "render writes beyond the 8 characters"},
    {"tic_tac_toe", NULL, plant_render_endless, "render does not end its text by 0"},
    {"tic_tac_toe", NULL, plant_render_counted, "render is not repeatable"},
    {"skirmish", NULL, plant_name_empty, "the action_name of choice 3 is empty"},
    {"skirmish", NULL, plant_name_alike, "choices 2 and 4 of head 0 have one action_name"},
    {"skirmish", NULL, plant_name_long, "the action_name of choice 0 is longer than 63 characters"},
    {"skirmish", NULL, plant_name_changes, "the action_name of choice 0 is not the same"},
    {"tic_tac_toe", NULL, plant_element_empty, "the observation_name of element 2 is empty"},
    {PILE, NULL, plant_load_used, "load failed: it was never reset"},
    {PILE, NULL, plant_load_partly, "an episode and one loaded from it differ in what agent 0 sees"},
    {PILE, NULL, plant_save_fails, "save fails where there is room for 7 bytes of 8"},
    {PILE, NULL, plant_save_beyond, "save writes beyond its room of 7 bytes"},
    {PILE, NULL, plant_save_takes, "differ"},
    {PILE, NULL, plant_remove_fails, "remove reports failure for agent 0: agent 0 stays"},
    {PILE_UNSAVED, NULL, plant_remove_fails, "remove reports failure for agent 0: agent 0 stays"},
    {MARKET, "ghost=row", plant_nothing, "copies differ in what agent 0 sees: element 1 is"},
    {MARKET, "ghost=outcome", plant_nothing, "copies differ in their outcome"},
    {MARKET, "ghost=none", plant_nothing, NULL},
};

static void every_clause_is_looked_at(void **state) {
  (void)state;
  size_t wrong = 0;
  for (size_t i = 0; i < COUNT_OF(faults); i++) {
    const Fault *fault = &faults[i];
    const char *pairs[3] = {fault->option, "sellers=4", "prices=9"};
    Env *env;
    size_t checks = 0;
    CHECK_OK(env_create_from(fault->game, pairs, fault->option ? 3 : 0, &env));
    const AgonEnv *own = env->table;
    good = *own;
    globals = env->spec.global_state_size;
    AgonEnv bad = good;
    env->table = &bad;
    if (fault->plant != plant_nothing) CHECK_OK(env_conformance(env, 1, 20, &checks)); /* it is the fault that is found */
    fault->plant(&bad);
    Status status = env_conformance(env, 1, 20, &checks);
    if (fault->says && (status != ERR_ENV || !strstr(status_message(), fault->says)))
      print_error("fault %zu of %s: %d, '%s' does not say '%s'\n", i, fault->game, (int)status, status_message(),
               fault->says), wrong++;
    if (!fault->says) CHECK_OK(status);
    env->table = own;
    env_destroy(env);
  }
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_clause_is_looked_at)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
