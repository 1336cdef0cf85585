/* A plug-in for walks: a token on a track, moved in turn; whoever takes the last step wins. kind: `steps` one each, as
 * deep as the track is long; `dice` a die decides whether the token moves at all, so that positions come again;
 * `counted` the same, with a count of moves that no one sees and that ends the game; `endless` a track that is longer
 * than the step limit. */
#include "agon/env.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS, DICE, COUNTED, ENDLESS, MOST_MOVES = 12 };

typedef struct Params {
  int32_t kind, length;
} Params;

typedef struct Episode {
  int32_t place, turn, moves, rolling, over;
} Episode;

static const AgonEnvOption options[] = {
    {"kind", AGON_OPT_CHOICE, "steps", 0, 0, "steps|dice|counted|endless", "how the token moves"},
    {"length", AGON_OPT_INT, "5", 1, 100000, 0, "of the track"}};

static const uint32_t choices[] = {1};
static const AgonKind mover = {.observation_type = AGON_F32,
                               .observation_shape = {2, 1, 1},
                               .observation_high = 100000,
                               .heads = 1,
                               .head_size = choices};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  static const char *const kind[] = {"steps", "dice", "counted", "endless"};
  (void)error;
  Params p = {.length = atoi(values[1])};
  for (int k = 0; k < 4; k++)
    if (!strcmp(values[0], kind[k])) p.kind = k;
  memcpy(params, &p, sizeof p);
  *spec = (AgonEnvSpec){.params_size = sizeof p,
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &mover,
                        .chance = 2,
                        .step_limit = (uint32_t)(p.kind == COUNTED   ? MOST_MOVES
                                                 : p.kind == ENDLESS ? p.length / 2
                                                                     : p.length),
                        .flags = AGON_ZERO_SUM | AGON_ENUMERATES_CHANCE | AGON_PERFECT_INFORMATION,
                        .reward_low = -1,
                        .reward_high = 1};
  return 0;
}

static AgonStatus reset(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  memset(episode, 0, sizeof(Episode));
  return AGON_RUNNING;
}

static AgonStatus move(const Params *p, Episode *e, int steps, float *reward) {
  e->place += steps;
  e->rolling = 0;
  e->over = e->place >= p->length || (p->kind == COUNTED && e->moves >= MOST_MOVES);
  if (e->place >= p->length) {
    reward[e->turn] += 1;
    reward[1 - e->turn] -= 1;
    return AGON_TERMINATED;
  }
  e->turn = 1 - e->turn;
  return e->over ? AGON_TRUNCATED : AGON_RUNNING;
}

static AgonStatus step(const void *params, void *block, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)error;
  const Params *p = (const Params *)params;
  Episode *e = (Episode *)block;
  (void)actions, (void)random;
  e->moves += p->kind == COUNTED;
  if (p->kind == STEPS || p->kind == ENDLESS) return move(p, e, 1, reward);
  e->rolling = 1;
  return AGON_CHANCE;
}

static uint32_t chance_outcomes(const void *params, const void *episode, double *probability) {
  (void)params, (void)episode;
  probability[0] = probability[1] = 0.5;
  return 2;
}

static AgonStatus chance_apply(const void *params, void *block, uint32_t outcome, float *reward, AgonError *error) {
  (void)error;
  return move((const Params *)params, (Episode *)block, (int)outcome, reward);
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params, (void)agent;
  const Episode *e = (const Episode *)block;
  float values[2] = {(float)e->place, (float)e->turn};
  memcpy(row, values, sizeof values);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  row[0] = 1;
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *e = (const Episode *)block;
  flag[0] = flag[1] = AGON_ALIVE;
  if (!e->over) flag[e->turn] |= AGON_ACTS;
}

static void outcome(const void *params, const void *block, float *out) {
  const Episode *e = (const Episode *)block;
  int over = e->place >= ((const Params *)params)->length;
  out[0] = !over ? 0.5f : e->turn == 0 ? 1.0f : 0.0f;
  out[1] = 1.0f - out[0];
}

static const AgonEnv table = {AGON_ENV_SIZES,
                              .name = "track",
                              .summary = "a token on a track",
                              .options = options,
                              .option_count = 2,
                              .params_capacity = sizeof(Params),
                              .configure = configure,
                              .reset = reset,
                              .step = step,
                              .observe = observe,
                              .mask = mask,
                              .flags = flags,
                              .outcome = outcome,
                              .chance_outcomes = chance_outcomes,
                              .chance_apply = chance_apply};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }
