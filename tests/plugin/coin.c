/* A plug-in: two agents call a coin; whoever is right alone wins. Three rounds; cut short (truncated) at the limit. */
#include "agon/env.h"

#include <string.h>

typedef struct Episode {
  uint8_t round, wins[2], pad;
} Episode;

static const AgonEnvOption options[] = {{"rounds", AGON_OPT_INT, "3", 1, 9, 0, "calls per episode"}};

static const uint32_t choices[] = {2};
static const AgonKind kind = {.observation_type = AGON_F32,
                              .observation_shape = {2, 1, 1},
                              .observation_high = 10,
                              .heads = 1,
                              .head_size = choices};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  uint8_t rounds = (uint8_t)(values[0][0] - '0');
  memcpy(params, &rounds, 1);
  *spec = (AgonEnvSpec){.params_size = 1,
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = rounds,
                        .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS,
                        .reward_low = -9,
                        .reward_high = 9};
  return 0;
}

static AgonStatus reset(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  memset(episode, 0, sizeof(Episode));
  return AGON_RUNNING;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)error;
  Episode *episode = (Episode *)block;
  int side = (int)agon_random_below(random, 2);
  for (int p = 0; p < 2; p++) {
    int right = actions[p].choice == side;
    episode->wins[p] = (uint8_t)(episode->wins[p] + right);
    reward[p] += (float)right;
    reward[1 - p] -= (float)right;
  }
  return ++episode->round < *(const uint8_t *)params ? AGON_RUNNING : AGON_TRUNCATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  float values[2] = {(float)episode->round, (float)episode->wins[agent]};
  memcpy(row, values, sizeof values);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = row[1] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  flag[0] = flag[1] =
      (uint8_t)(AGON_ALIVE | (((const Episode *)block)->round < *(const uint8_t *)params ? AGON_ACTS : 0));
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  out[0] = episode->wins[0] > episode->wins[1] ? 1.0f : episode->wins[0] < episode->wins[1] ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

#ifndef RULES_VERSION
#define RULES_VERSION 0
#endif
static const AgonEnv table = {AGON_ENV_SIZES,       .version = RULES_VERSION,
                              .name = "coin",       .summary = "call the coin",
                              .options = options,   .option_count = 1,
                              .params_capacity = 1, .configure = configure,
                              .reset = reset,       .step = step,
                              .observe = observe,   .mask = mask,
                              .flags = flags,       .outcome = outcome};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
