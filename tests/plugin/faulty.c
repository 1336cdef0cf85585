/* A plug-in that breaks one promise, of whose the option `fault` names, at a given step of all that
 * it plays: for tests of what the host says of it. Else it is a coin that two call. */
#include "agon/env.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4 };

/* In the order of the option's choices. */
typedef enum Fault {
  NONE,
  NAN_SEEN,     /* an observation is no number */
  LARGE_SEEN,   /* one is so large that its square is no float */
  NAN_REWARD,   /* at a step */
  NAN_AT_RESET, /* a reward before the first decision */
  LARGE_REWARD, /* 1e30 where an episode pays at most 4 */
  OUTCOME,      /* 7 */
  METRIC,       /* one of the episode's is no number */
  CRASH,        /* it reads what is not there */
  ABORT,
  ENDLESS /* step does not come back */
} Fault;

typedef struct Params {
  int fault;
  uint32_t at; /* episodes' steps that are good before it, by chance: one in so many */
} Params;

typedef struct Episode {
  uint8_t round;
  uint8_t won[2];
  uint8_t broken;
} Episode;

static const AgonEnvOption options[] = {
    {"fault", AGON_OPT_CHOICE, "none", 0, 0,
     "none|nan_seen|large_seen|nan_reward|nan_at_reset|large_reward|outcome|metric|crash|"
     "abort|endless",
     "which promise it breaks"},
    {"every", AGON_OPT_INT, "1000", 1, 1e9, 0, "in one of so many steps"}};

static const uint32_t choices[] = {2};
static const AgonKind kind = {.observation_type = AGON_F32,
                              .observation_shape = {2, 1, 1},
                              .observation_low = -INFINITY,
                              .observation_high = INFINITY,
                              .heads = 1,
                              .head_size = choices};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  static const char *const name[] = {"none",         "nan_seen",     "large_seen", "nan_reward",
                                     "nan_at_reset", "large_reward", "outcome",    "metric",
                                     "crash",        "abort",        "endless"};
  Params p = {.at = (uint32_t)atol(values[1])};
  (void)error;
  while (strcmp(name[p.fault], values[0]))
    p.fault++;
  memcpy(params, &p, sizeof p);
  *spec = (AgonEnvSpec){.params_size = sizeof p,
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = ROUNDS,
                        .chance = 1,
                        .flags = AGON_SIMULTANEOUS | AGON_ENUMERATES_CHANCE,
                        .reward_low = -ROUNDS,
                        .reward_high = ROUNDS,
                        .metrics = 1};
  return 0;
}

/* Whether it is time. */
static bool due(const Params *p, const AgonRandom *random) {
  return p->fault != NONE && agon_random_below(random, p->at) == 0;
}

static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *p = (const Params *)params;
  Episode *episode = (Episode *)block;
  memset(episode, 0, sizeof *episode);
  if (p->fault == NAN_AT_RESET && due(p, random)) {
    episode->broken = 1;
    return AGON_CHANCE;
  }
  return AGON_RUNNING;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *p = (const Params *)params;
  Episode *episode = (Episode *)block;
  const int side = (int)agon_random_below(random, 2);
  for (int a = 0; a < 2; a++) {
    const int right = actions[a].choice == side;
    episode->won[a] = (uint8_t)(episode->won[a] + right);
    reward[a] += (float)right;
    reward[1 - a] -= (float)right;
  }
  if (due(p, random)) {
    volatile int *nowhere = NULL;
    episode->broken = 1;
    if (p->fault == NAN_REWARD) reward[1] = NAN;
    if (p->fault == LARGE_REWARD) reward[1] = 1e30f;
    if (p->fault == CRASH) *nowhere = 1;
    if (p->fault == ABORT) abort();
    while (p->fault == ENDLESS && episode->broken)
      nowhere = NULL;
  }
  return ++episode->round < ROUNDS ? AGON_RUNNING : AGON_TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  const Params *p = (const Params *)params;
  const Episode *episode = (const Episode *)block;
  float values[2] = {(float)episode->round, (float)episode->won[agent]};
  if (episode->broken && p->fault == NAN_SEEN) values[1] = NAN;
  if (episode->broken && p->fault == LARGE_SEEN) values[1] = 1e30f;
  memcpy(row, values, sizeof values);
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const bool acts = ((const Episode *)block)->round < ROUNDS;
  flag[0] = flag[1] = (uint8_t)(AGON_ALIVE | (acts ? AGON_ACTS : 0));
}

static void outcome(const void *params, const void *block, float *out) {
  const Episode *episode = (const Episode *)block;
  out[0] = episode->won[0] > episode->won[1] ? 1 : episode->won[0] < episode->won[1] ? 0 : 0.5f;
  if (episode->broken && ((const Params *)params)->fault == OUTCOME) out[0] = 7;
  out[1] = 1 - out[0];
}

static void metrics(const void *params, const void *block, float *values) {
  const bool bad = ((const Params *)params)->fault == METRIC;
  values[0] = bad && ((const Episode *)block)->broken ? NAN : 1;
}

static const char *const metric_names[] = {"one"};

static uint32_t chance_outcomes(const void *params, const void *episode, double *probability) {
  (void)params, (void)episode;
  probability[0] = 1;
  return 1;
}

static AgonStatus chance_apply(const void *params, void *episode, uint32_t chosen, float *reward,
                               AgonError *error) {
  (void)params, (void)episode, (void)chosen, (void)error;
  reward[1] = NAN;
  return AGON_RUNNING;
}

static const AgonEnv table = {AGON_ENV_SIZES,
                              .name = "faulty",
                              .summary = "breaks a promise",
                              .options = options,
                              .option_count = 2,
                              .params_capacity = sizeof(Params),
                              .configure = configure,
                              .reset = reset,
                              .step = step,
                              .observe = observe,
                              .flags = flags,
                              .outcome = outcome,
                              .chance_outcomes = chance_outcomes,
                              .chance_apply = chance_apply,
                              .metrics = metrics,
                              .metric_names = metric_names};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) {
  return &table;
}
