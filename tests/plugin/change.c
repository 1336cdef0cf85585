/* A plug-in: an agent sees nothing, and is paid for doing something else than what it did last, which it can do only if it
 * is told. */
#include "agon/env.h"

enum { ROUNDS = 10, NOTHING = 2 };

typedef struct Episode {
  uint8_t round, last;
} Episode;

static const uint32_t choices[] = {2};
static const uint8_t kind_of[] = {0};
static const AgonKind kind[] = {
    {.observation_type = AGON_U8, .observation_shape = {1, 1, 1}, .observation_high = 1, .heads = 1, .head_size = choices},
};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = 1,
                        .teams = 1,
                        .kinds = 1,
                        .kind = kind,
                        .kind_of = kind_of,
                        .step_limit = ROUNDS,
                        .flags = AGON_SIMULTANEOUS | AGON_COOPERATIVE,
                        .reward_high = ROUNDS};
  return 0;
}

static AgonStatus reset(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  *(Episode *)episode = (Episode){.last = NOTHING};
  return AGON_RUNNING;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)params, (void)random, (void)error;
  Episode *episode = (Episode *)block;
  reward[0] += episode->last != NOTHING && actions[0].choice != episode->last;
  episode->last = (uint8_t)actions[0].choice;
  return ++episode->round < ROUNDS ? AGON_RUNNING : AGON_TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params, (void)block, (void)agent;
  *(uint8_t *)row = 0;
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = row[1] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  flag[0] = (uint8_t)(AGON_ALIVE | (episode->round < ROUNDS ? AGON_ACTS : 0));
}

static const AgonEnv table = {AGON_ENV_SIZES,
                              .name = "change",
                              .summary = "who must do something else each time",
                              .configure = configure,
                              .reset = reset,
                              .step = step,
                              .observe = observe,
                              .mask = mask,
                              .flags = flags};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
