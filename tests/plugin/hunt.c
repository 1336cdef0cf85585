/* A plug-in of an environment that reads and writes buffers (hunt.h), by agon/buffers.h. Compiled twice: flat, and with
 * HUNT_HEAP, where it is made flat by its history, and acts in doubles. */
#include "agon/buffers.h"

#ifdef HUNT_HEAP
#define HUNT_ACTION double
#define HUNT_END float
#endif
#include "hunt.h"

#include <math.h>

enum { SIZE, AGENTS, TEAMS, HIDDEN };

static const AgonEnvOption options[] = {
    {"size", AGON_OPT_INT, "5", 3, 8, NULL, "cells on a side"},
    {"agents", AGON_OPT_INT, "1", 1, 4, NULL, "hunters"},
    {"teams", AGON_OPT_CHOICE, "one", 0, 0, "one|each", "whether each hunts for itself"},
    {"hidden", AGON_OPT_BOOL, "false", 0, 0, NULL, "what happens is not decided by seed and actions alone"},
};

static bool hidden;
static int calls; /* no part of seed or actions */

static int shape(const double *option, AgonEnvSpec *spec, AgonKind *kind, AgonError *error) {
  static const uint32_t choices[] = {5};
  if (option[TEAMS] > 0 && option[AGENTS] < 2) {
    snprintf(error->text, sizeof error->text, "teams=each needs two agents");
    return -1;
  }
  hidden = option[HIDDEN] > 0;
  spec->agents = (uint32_t)option[AGENTS];
  spec->teams = option[TEAMS] > 0 ? spec->agents : 1;
  spec->step_limit = (uint32_t)(3 * option[SIZE]); /* before it would end by itself */
  spec->reward_low = -0.5f;
  spec->reward_high = 1;
  kind->observation_shape[0] = 3;
  kind->observation_shape[1] = kind->observation_shape[2] = 1;
  kind->observation_low = -1;
  kind->observation_high = 1;
  kind->heads = 1;
  kind->head_size = choices;
  return 0;
}

static int setup(void *block, const double *option, uint64_t seed, AgonError *error) {
  Hunt *env = block;
  (void)seed;
  env->size = (int)option[SIZE];
  env->agents = (int)option[AGENTS];
#ifdef HUNT_HEAP
  env->trodden = calloc(64, 1);
  if (env->trodden) return 0;
  snprintf(error->text, sizeof error->text, "out of memory");
  return -1;
#else
  (void)error;
  return 0;
#endif
}

static void reset(void *env) {
  c_reset(env);
}

static void step(void *block) {
  Hunt *env = block;
  if (hidden && ++calls % 5 == 0) env->hare_x = 0;
  c_step(env);
}

#ifdef HUNT_HEAP
static void shut(void *block) {
  free(((Hunt *)block)->trodden);
}
#endif

static const char *const metric_names[] = {"caught", "steps"};

static void measure(const void *block, float *values) {
  const Hunt *env = block;
  const float n = env->log.n > 0 ? env->log.n : 1;
  values[0] = env->log.caught / n;
  values[1] = env->log.steps / n;
}

static void render(const void *block, char *text, size_t size) {
  const Hunt *env = block;
  snprintf(text, size, "the hare is at %d %d, %.2f of the grid from the first hunter\n", env->hare_x, env->hare_y,
           (double)hypotf(env->observations[0], env->observations[1]));
}

static const AgonBuffers hunt = {
    .name = "hunt",
    .summary = "hunters and a hare, through buffers",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .size = sizeof(Hunt),
    .observations = offsetof(Hunt, observations),
    .actions = offsetof(Hunt, actions),
    .rewards = offsetof(Hunt, rewards),
    .terminals = offsetof(Hunt, terminals),
    .truncations = AGON_BUFFERS_NONE,
    .observation_type = AGON_BUFFER_F32,
#ifdef HUNT_HEAP
    .action_type = AGON_BUFFER_F64,
    .terminal_type = AGON_BUFFER_F32,
    .close = shut,
#else
    .action_type = AGON_BUFFER_I32,
    .terminal_type = AGON_BUFFER_U8,
    .flat = true,
#endif
    .shape = shape,
    .setup = setup,
    .reset = reset,
    .step = step,
    .metrics = 2,
    .metric_names = metric_names,
    .measure = measure,
    .render = render,
};

AGON_BUFFERS_PLUGIN(hunt)
