/* A plug-in: two agents of one team see the same and are paid for doing different things, which one policy for both can
 * do only if it is told who acts. Each is of a kind of its own. */
#include "agon/env.h"

enum { ROUNDS = 2 };

typedef struct Episode {
  uint8_t round;
} Episode;

static const uint32_t choices[] = {2};
static const uint8_t kind_of[] = {0, 1};
static const AgonKind kind[] = {
    {.observation_type = AGON_U8, .observation_shape = {1, 1, 1}, .observation_high = ROUNDS, .heads = 1, .head_size = choices},
    {.observation_type = AGON_U8, .observation_shape = {1, 1, 1}, .observation_high = ROUNDS, .heads = 1, .head_size = choices},
};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 1,
                        .kinds = 2,
                        .kind = kind,
                        .kind_of = kind_of,
                        .step_limit = ROUNDS,
                        .flags = AGON_SIMULTANEOUS | AGON_COOPERATIVE,
                        .reward_high = ROUNDS};
  return 0;
}

static AgonStatus reset(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  *(Episode *)episode = (Episode){0};
  return AGON_RUNNING;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)params, (void)random, (void)error;
  Episode *episode = (Episode *)block;
  for (int a = 0; a < 2; a++) reward[a] += actions[0].choice != actions[1].choice;
  return ++episode->round < ROUNDS ? AGON_RUNNING : AGON_TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params, (void)agent;
  *(uint8_t *)row = ((const Episode *)block)->round;
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = row[1] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  for (int a = 0; a < 2; a++) flag[a] = (uint8_t)(AGON_ALIVE | (episode->round < ROUNDS ? AGON_ACTS : 0));
}

static const AgonEnv table = {AGON_ENV_SIZES,
                              .name = "apart",
                              .summary = "two of one team, who must do different things",
                              .configure = configure,
                              .reset = reset,
                              .step = step,
                              .observe = observe,
                              .mask = mask,
                              .flags = flags};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
