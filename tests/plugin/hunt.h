/* An environment that reads and writes buffers, as they are written for vectors of places that go on for ever: hunters on a
 * grid catch a hare that runs about by rand(). Whoever is the first on its cell earns 1, all others lose a little; then, or
 * after 4 x size steps, it starts anew by itself. HUNT_HEAP: the cells that were trodden on lie on the heap. */
#include <stdlib.h>
#include <string.h>

#ifndef HUNT_ACTION
#define HUNT_ACTION int
#define HUNT_END unsigned char
#endif

typedef struct HuntLog {
  float caught, steps, n;
} HuntLog;

typedef struct Hunt {
  HuntLog log;
  float *observations;
  HUNT_ACTION *actions;
  float *rewards;
  HUNT_END *terminals;
  int size, agents, tick;
  int x[4], y[4], hare_x, hare_y;
#ifdef HUNT_HEAP
  unsigned char *trodden;
#else
  unsigned char trodden[64];
#endif
} Hunt;

static void hunt_look(Hunt *env) {
  float *row = env->observations;
  for (int a = 0; a < env->agents; a++) {
    *row++ = (float)(env->hare_x - env->x[a]) / (float)env->size;
    *row++ = (float)(env->hare_y - env->y[a]) / (float)env->size;
    *row++ = env->trodden[env->y[a] * env->size + env->x[a]] ? 1.0f : 0.0f;
  }
}

static void c_reset(Hunt *env) {
  srand(1); /* as some do: not heard */
  env->tick = 0;
  env->hare_x = rand() % env->size;
  env->hare_y = rand() % env->size;
  for (int a = 0; a < env->agents; a++) {
    env->x[a] = rand() % env->size;
    env->y[a] = rand() % env->size;
  }
  memset(env->trodden, 0, (size_t)(env->size * env->size));
  hunt_look(env);
}

static void hunt_move(const Hunt *env, int way, int *x, int *y) {
  *x += (way == 1) - (way == 2);
  *y += (way == 3) - (way == 4);
  *x = *x < 0 ? 0 : *x >= env->size ? env->size - 1 : *x;
  *y = *y < 0 ? 0 : *y >= env->size ? env->size - 1 : *y;
}

static void c_step(Hunt *env) {
  int winner = -1;
  env->tick++;
  for (int a = 0; a < env->agents; a++) {
    hunt_move(env, (int)env->actions[a], &env->x[a], &env->y[a]);
    env->trodden[env->y[a] * env->size + env->x[a]] = 1;
    if (winner < 0 && env->x[a] == env->hare_x && env->y[a] == env->hare_y) winner = a;
  }
  for (int a = 0; a < env->agents; a++)
    env->rewards[a] = winner < 0 ? 0.0f : winner == a ? 1.0f : -0.5f;
  if (winner >= 0 || env->tick == 4 * env->size) {
    for (int a = 0; a < env->agents; a++)
      env->terminals[a] = 1;
    env->log.caught += winner >= 0 ? 1.0f : 0.0f;
    env->log.steps += (float)env->tick;
    env->log.n++;
    c_reset(env);
    return;
  }
  hunt_move(env, 1 + (int)(random() % 4), &env->hare_x, &env->hare_y);
  hunt_look(env);
}
