/* A plug-in with a box of actions: both sides see a target, name a number, and the nearer one wins. An action outside
 * the box, or one that is no number, fails the episode. */
#include "agon/env.h"

#include <string.h>

enum { TURNS = 4 };
static const float low = 10, high = 40;

typedef struct Episode {
  uint32_t turn;
  float target, lead; /* of the first side */
} Episode;

static const AgonKind kind = {.observation_type = AGON_F32,
                              .observation_shape = {2, 1, 1},
                              .observation_low = -1,
                              .observation_high = 1,
                              .action_kind = AGON_BOX,
                              .heads = 1,
                              .action_low = &low,
                              .action_high = &high};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = TURNS,
                        .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS,
                        .reward_low = -TURNS,
                        .reward_high = TURNS};
  return 0;
}

static AgonStatus reset(const void *params, void *block, const AgonRandom *random, AgonError *error) {
  (void)params, (void)error;
  Episode *episode = (Episode *)block;
  *episode = (Episode){0, (float)(2 * agon_random_unit(random) - 1), 0};
  return AGON_RUNNING;
}

static float miss(const Episode *episode, float action) {
  float aim = (low + high) / 2 + episode->target * (high - low) / 2, gap = (action - aim) / (high - low);
  return gap < 0 ? -gap : gap;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)params, (void)error;
  Episode *episode = (Episode *)block;
  for (int a = 0; a < 2; a++)
    if (!(actions[a].value >= low && actions[a].value <= high)) return AGON_FAILED;
  float gain = miss(episode, actions[1].value) - miss(episode, actions[0].value);
  reward[0] += gain;
  reward[1] -= gain;
  episode->lead += gain;
  episode->target = (float)(2 * agon_random_unit(random) - 1);
  return ++episode->turn < TURNS ? AGON_RUNNING : AGON_TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params, (void)agent;
  float values[2] = {1, ((const Episode *)block)->target};
  memcpy(row, values, sizeof values);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  flag[0] = flag[1] = (uint8_t)(AGON_ALIVE | (((const Episode *)block)->turn < TURNS ? AGON_ACTS : 0));
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  float lead = ((const Episode *)block)->lead;
  out[0] = lead > 0 ? 1.0f : lead < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

static const AgonEnv table = {AGON_ENV_SIZES,         .name = "aim",  .summary = "name a number near the target",
                              .configure = configure, .reset = reset, .step = step,
                              .observe = observe,     .mask = mask,   .flags = flags,
                              .outcome = outcome};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
