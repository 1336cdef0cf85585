/* connect_four, many games at a time, for callers through ctypes (tests/bench/torch_ppo.py): views of the side to move,
 * and steps with rewards for the side that moved. Ended games start again. */
#include "env/env.h"

#include <stdlib.h>
#include <string.h>

typedef struct Games {
  Env *env;
  size_t count;
  uint8_t *block, *flags;
  void **state;
  uint32_t *agent;
  AgonAction *action;
  AgonRandom *random;
  AgonRng *rng;
  float *reward;
  AgonStatus *status;
} Games;

Games *bench_env_open(int count);
void bench_env_view(Games *g, uint8_t *rows, uint8_t *masks);
void bench_env_step(Games *g, const int32_t *choice, float *reward, uint8_t *ended);

Games *bench_env_open(int count) {
  Games *g = calloc(1, sizeof *g);
  size_t n = (size_t)count;
  if (!g || env_create_from("connect_four", NULL, 0, &g->env) != OK) abort();
  g->count = n;
  g->block = calloc(n, g->env->spec.episode_size);
  g->flags = calloc(n, 2);
  g->state = calloc(n, sizeof *g->state);
  g->agent = calloc(n, sizeof *g->agent);
  g->action = calloc(n * 2, sizeof *g->action);
  g->random = calloc(n, sizeof *g->random);
  g->rng = calloc(n, sizeof *g->rng);
  g->reward = calloc(n, 2 * sizeof *g->reward);
  g->status = calloc(n, sizeof *g->status);
  if (!g->block || !g->flags || !g->state || !g->agent || !g->action || !g->random || !g->rng || !g->reward ||
      !g->status)
    abort();
  for (size_t i = 0; i < n; i++) {
    g->state[i] = g->block + i * g->env->spec.episode_size;
    g->random[i] = rng_handle(&g->rng[i]);
    env_reset(g->env, g->state[i], &g->rng[i], g->reward);
  }
  return g;
}

void bench_env_view(Games *g, uint8_t *rows, uint8_t *masks) {
  env_flags(g->env, g->count, (const void *const *)g->state, g->flags);
  for (size_t i = 0; i < g->count; i++) g->agent[i] = !(g->flags[2 * i] & AGON_ACTS);
  env_view(g->env, g->count, (const void *const *)g->state, g->agent, rows, masks);
}

void bench_env_step(Games *g, const int32_t *choice, float *reward, uint8_t *ended) {
  memset(g->reward, 0, g->count * 2 * sizeof *g->reward);
  for (size_t i = 0; i < g->count; i++) g->action[i * 2 + g->agent[i]].choice = choice[i];
  env_call_step_many(g->env, g->count, g->state, g->action, g->random, g->reward, g->status);
  for (size_t i = 0; i < g->count; i++) {
    reward[i] = g->reward[2 * i + g->agent[i]];
    ended[i] = g->status[i] != AGON_RUNNING;
    if (ended[i]) env_reset(g->env, g->state[i], &g->rng[i], g->reward + 2 * i);
  }
}
