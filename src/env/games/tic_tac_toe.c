/* Tic-tac-toe: three in a row on 3 x 3, agent 0 begins. */
#include "agon/env.h"

#include <stdio.h>
#include <string.h>

/* The whole state of a game. */
typedef struct Episode {
  uint16_t stones[2]; /* of each agent: bit 3 * row + column */
  uint8_t moves;
  uint8_t result; /* 0 open, 1 or 2 = that agent + 1 won, 3 drawn */
} Episode;

/* The eight lines of three, as sets of cells. */
static const uint16_t lines[8] = {0007, 0070, 0700, 0111, 0222, 0444, 0421, 0124};

static const uint32_t choices[] = {9};
static const AgonKind kind = {.observation_type = AGON_U8,
                              .observation_shape = {2, 3, 3},
                              .observation_high = 1,
                              .heads = 1,
                              .head_size = choices};

/* There are no options. */
static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values;
  (void)params;
  (void)error;
  *spec = (AgonEnvSpec){.params_size = 0,
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .step_limit = 9,
                        .flags = AGON_ZERO_SUM | AGON_PERFECT_INFORMATION | AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1};
  return 0;
}

/* An empty board is all zero. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  memset(block, 0, sizeof(Episode));
  return AGON_RUNNING;
}

/* The host only passes legal moves on, so nothing is checked here. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  uint32_t player = episode->moves & 1u;
  episode->stones[player] |= (uint16_t)(1u << actions[player].choice);
  episode->moves++;
  for (int i = 0; i < 8; i++) {
    if ((episode->stones[player] & lines[i]) != lines[i]) continue;
    episode->result = (uint8_t)(player + 1);
    reward[player] += 1;
    reward[1 - player] -= 1;
    return AGON_TERMINATED;
  }
  if (episode->moves < 9) return AGON_RUNNING;
  episode->result = 3;
  return AGON_TERMINATED;
}

/* Two planes of 3 x 3: own stones, the other's stones. Whose turn it is shows in their numbers. */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  (void)params;
  const Episode *episode = block;
  uint8_t *row = out;
  for (int i = 0; i < 9; i++) {
    row[i] = (uint8_t)(episode->stones[agent] >> i & 1);
    row[9 + i] = (uint8_t)(episode->stones[1 - agent] >> i & 1);
  }
}

/* Free cells may be taken. */
static void mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)params;
  (void)agent;
  const Episode *episode = block;
  int taken = episode->stones[0] | episode->stones[1];
  for (int i = 0; i < 9; i++)
    row[i] = !(taken >> i & 1);
}

/* Agents take turns; after the end nobody acts. */
static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = block;
  flag[1] = AGON_ALIVE;
  flag[0] = AGON_ALIVE;
  if (!episode->result) flag[episode->moves & 1] |= AGON_ACTS;
}

/* A draw is half a win for either. */
static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  uint8_t result = ((const Episode *)block)->result;
  out[0] = result == 1 ? 1.0f : result == 2 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

/* Three lines of x, o and dots. */
static void render(const void *params, const void *block, char *text, size_t size) {
  (void)params;
  const Episode *episode = block;
  char board[16];
  for (int i = 0, at = 0; i < 9; i++) {
    board[at++] = episode->stones[0] >> i & 1 ? 'x' : episode->stones[1] >> i & 1 ? 'o' : '.';
    if (i % 3 == 2) {
      board[at++] = '\n';
      board[at] = 0;
    }
  }
  snprintf(text, size, "%s", board);
}

const AgonEnv env_tic_tac_toe = {
    AGON_ENV_SIZES,         .name = "tic_tac_toe", .summary = "three in a row on 3 x 3",
    .configure = configure, .reset = reset,        .step = step,
    .observe = observe,     .mask = mask,          .flags = flags,
    .outcome = outcome,     .render = render,
};
