/* A test plug-in: agents drop out, the clock ends the game, and nothing is ever gained or lost. What a decision is
 * worth can only be 0; whoever has dropped out sees what no living agent sees. */
#include "agon/env.h"

#include <string.h>

enum { AGENTS = 2, LIMIT = 64 };

typedef struct Episode {
  uint8_t out[AGENTS], round, over;
} Episode;

static const uint32_t choices[] = {2};
static const AgonKind kind = {.observation_type = AGON_F32,
                              .observation_shape = {2, 1, 1},
                              .observation_high = 1,
                              .action_kind = AGON_DISCRETE,
                              .heads = 1,
                              .head_size = choices};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.params_size = 1,
                        .episode_size = sizeof(Episode),
                        .agents = AGENTS,
                        .teams = AGENTS,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = LIMIT,
                        .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS};
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
  (void)params, (void)actions, (void)reward;
  uint32_t who = agon_random_below(random, 8);
  if (who < AGENTS && !episode->out[1 - who]) episode->out[who] = 1;
  episode->over = ++episode->round == LIMIT || agon_random_below(random, 6) == 0;
  return episode->over ? AGON_TRUNCATED : AGON_RUNNING;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params;
  float out = (float)((const Episode *)block)->out[agent], values[2] = {out, 1 - out};
  memcpy(row, values, sizeof values);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = row[1] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  for (int a = 0; a < AGENTS; a++) flag[a] = ((const Episode *)block)->out[a] ? 0 : AGON_ACTS | AGON_ALIVE;
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params, (void)block;
  out[0] = out[1] = 0.5f;
}

static const AgonEnv table = {AGON_ENV_SIZES,       .name = "fade",         .summary = "drop out before time is up",
                              .params_capacity = 1, .configure = configure, .reset = reset,
                              .step = step,         .observe = observe,     .mask = mask,
                              .flags = flags,       .outcome = outcome};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
