/* Two dials that both agents turn at once, one of three places and one of four, of which one place
 * is blocked: a game of several choices in an action, with masks. What is seen are numbers; who
 * turns closer to what they say wins the step. */
#include "agon/env.h"

#include <string.h>

enum { STEPS = 6, SEEN = 5, FIRST = 3, SECOND = 4 };

typedef struct Episode {
  float seen[SEEN];
  uint32_t blocked; /* a place of the second dial */
  uint32_t step;
  float gained[2];
} Episode;

static const uint32_t choices[] = {FIRST, SECOND};
static const AgonKind kind = {
    .observation_type = AGON_F32,
    .observation_shape = {SEEN, 1, 1},
    .observation_low = -2,
    .observation_high = 2,
    .action_kind = AGON_MULTI_DISCRETE,
    .heads = 2,
    .head_size = choices,
};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = STEPS,
                        .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS,
                        .reward_low = -1,
                        .reward_high = 1};
  return 0;
}

static void turn(Episode *e, const AgonRandom *random) {
  for (int i = 0; i < SEEN; i++)
    e->seen[i] = (float)(4 * agon_random_unit(random) - 2);
  e->blocked = agon_random_below(random, SECOND);
}

static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params, (void)error;
  memset(block, 0, sizeof(Episode));
  turn(block, random);
  return AGON_RUNNING;
}

/* How well an action fits. */
static float worth(const Episode *e, const AgonAction *action) {
  return e->seen[action[0].choice] + e->seen[1 + action[1].choice] * e->seen[0];
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params, (void)error;
  Episode *e = block;
  const float a = worth(e, actions);
  const float b = worth(e, actions + 2);
  const float gain = a > b ? .1f : a < b ? -.1f : 0;
  reward[0] += gain;
  reward[1] -= gain;
  e->gained[0] += gain;
  e->gained[1] -= gain;
  turn(e, random);
  return ++e->step == STEPS ? AGON_TERMINATED : AGON_RUNNING;
}

static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  (void)params, (void)agent;
  memcpy(out, ((const Episode *)block)->seen, sizeof(float) * SEEN);
}

static void mask(const void *params, const void *block, uint32_t agent, uint8_t *out) {
  (void)params, (void)agent;
  memset(out, 1, FIRST + SECOND);
  out[FIRST + ((const Episode *)block)->blocked] = 0;
}

static void flags(const void *params, const void *block, uint8_t *out) {
  (void)params;
  const bool runs = ((const Episode *)block)->step < STEPS;
  out[0] = out[1] = (uint8_t)(AGON_ALIVE | (runs ? AGON_ACTS : 0));
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  const Episode *e = block;
  out[0] = e->gained[0] > e->gained[1] ? 1 : e->gained[0] < e->gained[1] ? 0 : .5f;
  out[1] = 1 - out[0];
}

static const AgonEnv env = {
    AGON_ENV_SIZES, .name = "dials",    .summary = "two dials", .configure = configure,
    .reset = reset, .step = step,       .observe = observe,     .mask = mask,
    .flags = flags, .outcome = outcome,
};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) {
  return &env;
}
