/* A plug-in: one to sixteen teams of one agent, each paid for calling 1; nobody touches another's reward. */
#include "agon/env.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4 };

typedef struct Episode {
  uint8_t teams, round, pad[2];
} Episode;

static const AgonEnvOption options[] = {{"teams", AGON_OPT_INT, "1", 1, 16, 0, "teams"}};

static const uint32_t choices[] = {2};
static const AgonKind kind = {.observation_type = AGON_F32,
                              .observation_shape = {1, 1, 1},
                              .observation_high = ROUNDS,
                              .heads = 1,
                              .head_size = choices};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  uint8_t teams = (uint8_t)atoi(values[0]);
  memcpy(params, &teams, 1);
  *spec = (AgonEnvSpec){.params_size = 1,
                        .episode_size = sizeof(Episode),
                        .agents = teams,
                        .teams = teams,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = ROUNDS,
                        .flags = AGON_SIMULTANEOUS,
                        .reward_high = ROUNDS};
  return 0;
}

static AgonStatus reset(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)random, (void)error;
  *(Episode *)episode = (Episode){.teams = *(const uint8_t *)params};
  return AGON_RUNNING;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)params, (void)random, (void)error;
  Episode *episode = (Episode *)block;
  for (int p = 0; p < episode->teams; p++) reward[p] += (float)actions[p].choice;
  return ++episode->round < ROUNDS ? AGON_RUNNING : AGON_TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params, (void)agent;
  float round = ((const Episode *)block)->round;
  memcpy(row, &round, sizeof round);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = row[1] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  for (int p = 0; p < episode->teams; p++) flag[p] = (uint8_t)(AGON_ALIVE | (episode->round < ROUNDS ? AGON_ACTS : 0));
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  for (int t = 0; t < ((const Episode *)block)->teams; t++) out[t] = 0.5f;
}

static const AgonEnv table = {
    AGON_ENV_SIZES,         .name = "crowd",   .summary = "one to sixteen teams that do not meet",
    .options = options,     .option_count = 1, .params_capacity = 1,
    .configure = configure, .reset = reset,    .step = step,
    .observe = observe,     .mask = mask,      .flags = flags,
    .outcome = outcome};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
