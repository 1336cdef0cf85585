/* A plug-in whose episodes are not flat: a pile of stones on the heap, from which two sides take in
 * turn, one to three; whoever takes the last has won. Now and then stones are added, which the
 * host's random numbers decide. Compiled with -DNOT_SAVED it cannot be written down; else it saves
 * and loads itself. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 9, MOST = 15, LIMIT = 30, TAKES = 3 };

/* Each stone is a place in a list: a block that holds nothing but a pointer to the first. */
typedef struct Stone {
  struct Stone *next;
} Stone;

typedef struct Pile {
  Stone *top;
  uint32_t stones, turn;
} Pile;

typedef struct Episode {
  Pile *pile;
} Episode;

static const uint32_t choices[] = {TAKES};
static const AgonKind kind = {.observation_type = AGON_F32,
                              .observation_shape = {3, 1, 1},
                              .observation_high = MOST + LIMIT,
                              .heads = 1,
                              .head_size = choices};

static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values, (void)params, (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = LIMIT,
                        .flags = AGON_ZERO_SUM,
                        .reward_low = -1,
                        .reward_high = 1};
#ifdef NOT_SAVED
  spec->flags |= AGON_NOT_SAVED;
#endif
  return 0;
}

static Pile *pile_of(const void *episode) {
  return ((const Episode *)episode)->pile;
}

/* One stone more, or `count` fewer. */
static int put(Pile *pile) {
  Stone *stone = (Stone *)malloc(sizeof *stone);
  if (!stone) return -1;
  stone->next = pile->top;
  pile->top = stone;
  pile->stones++;
  return 0;
}

static void take(Pile *pile, uint32_t count) {
  for (; count && pile->top; count--) {
    Stone *stone = pile->top;
    pile->top = stone->next;
    pile->stones--;
    free(stone);
  }
}

static int refill(Pile *pile, uint32_t stones, uint32_t turn, AgonError *error) {
  take(pile, pile->stones);
  pile->turn = turn;
  while (pile->stones < stones) {
    if (!put(pile)) continue;
    snprintf(error->text, sizeof error->text, "no memory for a stone");
    return -1;
  }
  return 0;
}

static int create(const void *params, void *episode, AgonError *error) {
  (void)params;
  Pile *pile = (Pile *)calloc(1, sizeof *pile);
  ((Episode *)episode)->pile = pile;
  if (!pile) snprintf(error->text, sizeof error->text, "no memory for a pile");
  return pile ? 0 : -1;
}

static void destroy(const void *params, void *episode) {
  (void)params;
  take(pile_of(episode), UINT32_MAX);
  free(pile_of(episode));
}

#ifndef NOT_SAVED
static int save(const void *params, const void *episode, void *bytes, size_t *size,
                AgonError *error) {
  (void)params, (void)error;
  const uint32_t both[2] = {pile_of(episode)->stones, pile_of(episode)->turn};
  if (*size >= sizeof both) memcpy(bytes, both, sizeof both);
  *size = sizeof both;
  return 0;
}

static int load(const void *params, void *episode, const void *bytes, size_t size,
                AgonError *error) {
  (void)params;
  uint32_t both[2];
  if (size == sizeof both) {
    memcpy(both, bytes, sizeof both);
    if (both[0] <= MOST + LIMIT && both[1] <= LIMIT)
      return refill(pile_of(episode), both[0], both[1], error);
  }
  snprintf(error->text, sizeof error->text, "%zu bytes that are no pile", size);
  return -1;
}
#endif

static AgonStatus reset(const void *params, void *episode, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  uint32_t stones = LEAST + agon_random_below(random, MOST - LEAST + 1);
  return refill(pile_of(episode), stones, 0, error) ? AGON_FAILED : AGON_RUNNING;
}

static AgonStatus step(const void *params, void *episode, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params;
  Pile *pile = pile_of(episode);
  uint32_t side = pile->turn++ % 2;
  take(pile, (uint32_t)actions[side].choice + 1);
  if (pile->stones == 0) {
    reward[side] += 1;
    reward[1 - side] -= 1;
    return AGON_TERMINATED;
  }
  if (agon_random_below(random, 8) == 0 && put(pile)) {
    snprintf(error->text, sizeof error->text, "no memory for a stone");
    return AGON_FAILED;
  }
  return pile->turn < LIMIT ? AGON_RUNNING : AGON_TRUNCATED;
}

static void observe(const void *params, const void *episode, uint32_t agent, void *row) {
  (void)params;
  const Pile *pile = pile_of(episode);
  const float values[3] = {(float)pile->stones, (float)(pile->stones % (TAKES + 1)),
                           (float)(pile->turn % 2 == agent)};
  memcpy(row, values, sizeof values);
}

static void mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)agent;
  for (uint32_t i = 0; i < TAKES; i++)
    row[i] = i < pile_of(episode)->stones;
}

static void flags(const void *params, const void *episode, uint8_t *flag) {
  (void)params;
  const Pile *pile = pile_of(episode);
  flag[0] = flag[1] = AGON_ALIVE;
  if (pile->stones && pile->turn < LIMIT) flag[pile->turn % 2] |= AGON_ACTS;
}

/* Whoever moved last took the last stone; else nobody has won. */
static void outcome(const void *params, const void *episode, float *out) {
  (void)params;
  const Pile *pile = pile_of(episode);
  out[0] = pile->stones ? 0.5f : pile->turn % 2 ? 1.0f : 0.0f;
  out[1] = 1.0f - out[0];
}

static const AgonEnv table = {
    AGON_ENV_SIZES,
    .name = "pile",
    .summary = "take one to three stones; the last one wins; the pile lies on the heap",
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .mask = mask,
    .outcome = outcome,
#ifndef NOT_SAVED
    .save = save,
    .load = load,
#endif
    .create = create,
    .destroy = destroy};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) {
  return &table;
}
