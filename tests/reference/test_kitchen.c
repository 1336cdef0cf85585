/* The kitchen against overcooked_ai's own episodes (kitchen_numbers.h, made by make_kitchen.py):
 * the same actions; who stands where and holds what, what lies and cooks, what is served and paid
 * for. */
#include "check.h"

#include "env/env.h"
#include "reference/kitchen_numbers.h"

#define env_kitchen env_kitchen_for_its_types
#include "env/games/kitchen.c"
#undef env_kitchen

/* The words that the numbers have for a kitchen. */
static void tell(const Params *params, const Episode *episode, char *text, size_t size) {
  size_t used = 0;
  for (int c = 0; c < COOKS; c++) {
    const Cook *cook = &episode->cook[c];
    used += (size_t)snprintf(text + used, size - used, "%s%d%c%c", c ? " " : "", cook->cell,
                             "udrl"[cook->way], "-ops"[cook->held]);
  }
  for (int c = 0; c < params->cells; c++) {
    const int pot = pot_at(params, c);
    if (episode->item[c])
      used += (size_t)snprintf(text + used, size - used, " %d%c", c, "-ops"[episode->item[c]]);
    if (params->tile[c] == POT && episode->onions_in[pot])
      used += (size_t)snprintf(text + used, size - used, " %dP%d,%d", c, episode->onions_in[pot],
                               episode->left[pot]);
  }
}

static void compare_episode(const KitchenEpisode *given, int *soups) {
  static const char known[] = "udrlsi";
  const char *const option[] = {given->option, "shaping=1", "limit=10000"};
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  const AgonRandom random = rng_handle(&rng);
  Env *env;
  Episode episode;
  CHECK_OK(env_create_from("kitchen", option, 3, &env));
  assert_int_equal(env_call_reset(env, &episode, &random), AGON_RUNNING);
  assert_int_equal(strlen(given->actions), 2 * KITCHEN_STEPS);
  for (int t = 0; t < KITCHEN_STEPS; t++) {
    AgonAction action[COOKS];
    float reward[COOKS] = {0, 0};
    char text[400];
    for (int c = 0; c < COOKS; c++)
      action[c].choice = (int32_t)(strchr(known, given->actions[2 * t + c]) - known);
    assert_int_equal(env_call_step(env, &episode, action, &random, reward), AGON_RUNNING);
    for (int c = 0; c < COOKS; c++)
      if ((int)reward[c] != 20 * (given->served[t] - '0') + given->shaped[c][t] - '0')
        fail_msg("%s, step %d: cook %d is paid %g", given->option, t, c, (double)reward[c]);
    *soups += given->served[t] - '0';
    if ((t + 1) % KITCHEN_EVERY) continue;
    tell(env->params, &episode, text, sizeof text);
    if (strcmp(text, given->kitchen[t / KITCHEN_EVERY]))
      fail_msg("%s after step %d: %s, not %s", given->option, t, text,
               given->kitchen[t / KITCHEN_EVERY]);
  }
  env_destroy(env);
}

static void episodes_are_the_originals(void **state) {
  (void)state;
  int soups = 0;
  for (size_t i = 0; i < COUNT_OF(kitchen_episodes); i++)
    compare_episode(&kitchen_episodes[i], &soups);
  assert_true(soups > 10); /* or little would have been compared */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(episodes_are_the_originals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
