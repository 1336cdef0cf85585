/* A plug-in: the first agent of a team sees which of two things the others are to do, in each round anew, and these see
 * nothing: they do it only if they are told. The last one leaves half way. */
#include "agon/env.h"

enum { ROUNDS = 8, AGENTS = 3, LEAVES = 4 };

typedef struct Episode {
  uint8_t round, secret;
} Episode;

static const uint32_t choices[] = {2};
static const uint8_t kind_of[AGENTS] = {0};
static const AgonKind kind[] = {
    {.observation_type = AGON_U8, .observation_shape = {2, 1, 1}, .observation_high = 1, .heads = 1, .head_size = choices},
};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = AGENTS,
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
  (void)params, (void)error;
  *(Episode *)episode = (Episode){.secret = (uint8_t)agon_random_below(random, 2)};
  return AGON_RUNNING;
}

static bool is_there(const Episode *episode, uint32_t agent) {
  return agent + 1 < AGENTS || episode->round < LEAVES;
}

/* All are paid the share of those who did it. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)params, (void)error;
  Episode *episode = (Episode *)block;
  float right = 0, asked = 0;
  for (uint32_t a = 1; a < AGENTS; a++) {
    if (!is_there(episode, a)) continue;
    right += actions[a].choice == episode->secret;
    asked++;
  }
  for (uint32_t a = 0; a < AGENTS; a++) reward[a] += right / asked;
  episode->secret = (uint8_t)agon_random_below(random, 2);
  return ++episode->round < ROUNDS ? AGON_RUNNING : AGON_TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  ((uint8_t *)row)[0] = agent == 0;
  ((uint8_t *)row)[1] = agent == 0 && episode->secret;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  for (uint32_t a = 0; a < AGENTS; a++) {
    flag[a] = is_there(episode, a) ? AGON_ALIVE : 0;
    if (flag[a] && episode->round < ROUNDS) flag[a] |= AGON_ACTS;
  }
}

/* Who knows is nearest to each of the others. */
static void position(const void *params, const void *block, uint32_t agent, float xyz[3]) {
  static const float x[AGENTS] = {0, 1, -2};
  (void)params, (void)block;
  xyz[0] = x[agent];
  xyz[1] = xyz[2] = 0;
}

static const AgonEnv table = {AGON_ENV_SIZES,
                              .name = "tell",
                              .summary = "who does what only another knows",
                              .configure = configure,
                              .reset = reset,
                              .step = step,
                              .observe = observe,
                              .flags = flags,
                              .position = position};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
